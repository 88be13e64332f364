/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step - drive <sluice/core.h> by hand: no EAL, no ports, no clock but our own.
 *
 * Two cores are joined in memory. One calls the other, says hello and closes; every frame
 * is printed with its virtual time. Packets come from malloc() and go back to free().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/core.h>

#define DELAY (5 * SL_NS_PER_MS)
#define ROOM  2048

/* A packet: the mbuf and, right behind it, its own bytes. */
struct packet {
	struct rte_mbuf m;
	char bytes[RTE_PKTMBUF_HEADROOM + ROOM];
};

static int n_packets;

static int
get(void *ctx, enum sl_pool pool, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct packet *p = aligned_alloc(64, RTE_ALIGN(sizeof(*p), 64));

		if (p == NULL)
			abort();
		memset(p, 0, sizeof(*p));
		p->m.buf_addr = p->bytes;
		p->m.buf_len = sizeof(p->bytes);
		p->m.data_off = RTE_PKTMBUF_HEADROOM;
		p->m.nb_segs = 1;
		rte_mbuf_refcnt_set(&p->m, 1);
		m[i] = &p->m;
		n_packets++;
	}
	return 0;
}

static void
put_seg(void *ctx, struct rte_mbuf *m)
{
	struct packet *p = (struct packet *)m;

	if (rte_mbuf_refcnt_update(m, -1) > 0)
		return;
	if (RTE_MBUF_CLONED(m))
		put_seg(ctx, rte_mbuf_from_indirect(m));
	free(p);
	n_packets--;
}

static void
put(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *seg = m[i], *next;

		for (; seg != NULL; seg = next) {
			next = seg->next;
			put_seg(ctx, seg);
		}
	}
}

static const struct sl_bufs bufs = { .get = get, .put = put, .put_together = 1 };

/* The cores' memory, never given back: this program is short. */
static void *
take(void *ctx, size_t bytes, size_t align)
{
	void *p = aligned_alloc(align, (bytes + align - 1) & ~(align - 1));

	if (p != NULL)
		memset(p, 0, bytes);
	return p;
}

static struct sl_mem mem = { .take = take };

/* The server says it back and closes when the client does; the client speaks first. */
static uint32_t
server_data(struct sl_conn *c, const struct sl_chain *in)
{
	return sl_send_chain(c, in, 0, in->bytes);
}

static int
client_open(struct sl_conn *c)
{
	printf("          client: %u bytes queued\n", sl_send(c, "hello", 5));
	sl_shutdown(c);
	return 0;
}

static uint32_t
client_data(struct sl_conn *c, const struct sl_chain *in)
{
	char text[64];

	printf("          client: got \"%.*s\"\n",
	       (int)sl_chain_copy(in, 0, text, sizeof(text)), text);
	return in->bytes;
}

static bool is_over;

static void
client_closed(struct sl_conn *c, enum sl_reason why)
{
	printf("          client: closed, %s\n", sl_reason_name(why));
	is_over = why == SL_REASON_FIN;
}

static const struct sl_app server = { .name = "server",
				      .data = server_data,
				      .peer_closed = sl_shutdown };
static const struct sl_app client = { .name = "client",
				      .opens = &client,
				      .open = client_open,
				      .data = client_data,
				      .closed = client_closed };

static struct sl_core *
open_core(int i, uint16_t port, const struct sl_app *app)
{
	static struct sl_core_conf conf;
	struct sl_core *core;
	int rc;

	memset(&conf, 0, sizeof(conf));
	conf.connections = conf.active = conf.time_wait = 16;
	conf.spans = conf.rx_buffers = 256;
	conf.secret.k[0] = conf.cookie_secret.k[0] = conf.net.key.k[0] = i + 1;
	conf.net.neighbours = 16;
	conf.net.n_ports = 1;
	conf.net.port[0].mac[0] = 2;
	conf.net.port[0].mac[5] = i + 1;
	conf.net.port[0].mtu = 1500;
	conf.net.port[0].n_addrs = 1;
	conf.net.port[0].addr[0].addr = sl_addr_v4(0x0a000001 + i);
	conf.net.port[0].addr[0].prefix = 24;
	conf.n_listeners = 1;
	conf.listener[0].port = port;
	conf.listener[0].app = app;
	sl_tcp_defaults(&conf.listener[0].tcp);

	rc = sl_core_open(&core, &conf, &bufs, &mem, 0);
	if (rc < 0) {
		fprintf(stderr, "step: core %d: %s\n", i, strerror(-rc));
		exit(EXIT_FAILURE);
	}
	return core;
}

/*
 * What arrives at a core is a copy, as it would be from a wire: a packet may show bytes
 * that belong to the other core.
 */
static struct rte_mbuf *
carry(sl_ns_t now, int from, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;
	uint32_t at = 0;

	get(NULL, SL_POOL_TX, &copy, 1);
	for (struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		memcpy(rte_pktmbuf_mtod_offset(copy, char *, at),
		       rte_pktmbuf_mtod(seg, const char *), seg->data_len);
		at += seg->data_len;
	}
	copy->data_len = at;
	copy->pkt_len = at;
	put(NULL, &m, 1);
	printf("%7.3f ms  %s  %u bytes\n", (double)now / SL_NS_PER_MS,
	       from == 0 ? "client <- server" : "client -> server", at);
	return copy;
}

int
main(void)
{
	struct sl_core *core[2] = { open_core(0, 7, &server), open_core(1, 0, &client) };
	struct rte_mbuf *in[2][SL_BURST], *out[2][SL_BURST];
	uint16_t n_in[2] = { 0, 0 }, n_out[2];
	struct sl_addr addr = sl_addr_v4(0x0a000001);
	struct sl_connect to = { .remote = &addr, .rport = 7 };

	if (sl_core_connect(core[1], 0, 0, &to, NULL) < 0)
		return EXIT_FAILURE;

	/* A frame takes a turn of the loop to arrive, and a turn takes the delay. */
	for (sl_ns_t now = 0; now < 5 * SL_NS_PER_S && !is_over; now += DELAY) {
		for (int i = 0; i < 2; i++)
			n_out[i] = sl_core_step(core[i], now, in[i], n_in[i], out[i], SL_BURST);
		for (int i = 0; i < 2; i++) {
			n_in[!i] = n_out[i];
			for (uint16_t f = 0; f < n_out[i]; f++)
				in[!i][f] = carry(now, i, out[i][f]);
		}
	}

	for (int i = 0; i < 2; i++) {
		put(NULL, in[i], n_in[i]);
		sl_core_close(core[i]);
	}
	printf("%d packets left\n", n_packets);
	return is_over && n_packets == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
