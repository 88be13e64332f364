/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_strangers - what is done to many strangers at once is what is done to each alone.
 *
 * Two cores hear the same frames at the same times. One gets them as ports give them; to the
 * other each comes as a chain with an empty tail, which is never plain and so takes the long
 * way through a lane. Both must send the same packets and count the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "base/leaf.h"
#include "craft.h"
#include "heapbufs.h"
#include "link.h"
#include "random.h"
#include "wire/crowd_leaf.h"
#include "wire/frame.h"

enum {
	CLIENTS = 48, /* few, so that they come back */
	RECORDS = 1024,
	FRAME_MAX = 200,
	ROUNDS = 3000,
	MOMENTS = 16, /* bursts before time goes on, about */
	OUT_MAX = 2 * SL_BURST,
	PORTS = 5, /* 80 and up; nobody listens at the last, nor at SCANNED and up */
	SCANNED = 1024,
};

struct said {
	uint8_t bytes[FRAME_MAX]; /* behind the frame zeros */
	size_t len;
	uint64_t flags, lens; /* what a port is told that has to sum it */
};

struct machine {
	struct sl_core *core;
	struct heapbufs hb;
	struct arena arena;
	uint16_t n;
	struct said out[OUT_MAX];
};

/* A client calls one port of ours from one of its own; what it was told when that answered. */
struct client {
	bool v6;
	uint8_t i, port;
	uint32_t seq, ack, tsecr;
	bool ts;
};

static struct rnd rnd;
static struct client client[2][PORTS][CLIENTS];
static struct client *seen[SL_BURST]; /* in the burst that is being drawn */
static uint16_t n_seen;
static struct sl_core_conf conf;

/* Where all is answered by cookies a burst may be a flood: SYNs over one family to one port. */
static struct {
	bool may_be, on, v6, of_new; /* hardly any of it from those who come otherwise, too */
	uint8_t port;
} flood;

static uint32_t
data(struct sl_conn *c, const struct sl_chain *in)
{
	return in->bytes;
}

static const struct sl_app sink = { .name = "sink", .data = data };

static void
configure(enum sl_cookies cookies, uint16_t simd_bits, uint8_t offloads)
{
	struct sl_listener_conf *l;

	flood.may_be = cookies == SL_COOKIES_ALWAYS;
	link_host_conf(&conf, 0);
	conf.connections = conf.active = conf.time_wait = RECORDS;
	conf.simd_bits = simd_bits;
	conf.net.port[0].offloads = offloads;
	for (uint16_t p = 0; p + 1 < PORTS; p++) {
		l = link_listen(&conf, 80 + p, &sink, NULL);
		l->tcp.cookies = cookies;
	}
	conf.listener[1].tcp.timestamps = false;
	conf.listener[1].tcp.mss = 1000;
	conf.listener[2].tcp.sack = false;
	conf.listener[2].tcp.window_scaling = false;
	conf.listener[2].tcp.tos = 0x10;
	conf.listener[2].tcp.ttl = 33;
	conf.listener[2].tcp.rcvbuf = 9000;
	conf.listener[3].tcp.cookies = SL_COOKIES_NEVER;
	conf.listener[3].addr = link_addr(0, false); /* not at the IPv6 one */
}

static void
machine_open(struct machine *m, sl_ns_t now)
{
	memset(m, 0, sizeof(*m));
	heapbufs_open(&m->hb);
	arena_open(&m->arena);
	assert_int_equal(sl_core_open(&m->core, &conf, &m->hb.bufs, &m->arena.mem, now), 0);
}

static void
machine_close(struct machine *m)
{
	sl_core_close(m->core);
	heapbufs_close(&m->hb);
	arena_close(&m->arena);
}

static void
machine_step(struct machine *m, sl_ns_t now, struct rte_mbuf **rx, uint16_t n, uint16_t room)
{
	struct rte_mbuf *tx[OUT_MAX];
	const char *why = "";

	m->n = sl_core_step(m->core, now, rx, n, tx, room);
	for (uint16_t i = 0; i < m->n; i++) {
		memset(&m->out[i], 0, sizeof(m->out[i]));
		m->out[i].len = heapbufs_read(tx[i], m->out[i].bytes, FRAME_MAX);
		assert_int_equal(tx[i]->port, 0);
		m->out[i].flags = tx[i]->ol_flags;
		m->out[i].lens = tx[i]->ol_flags != 0 ? tx[i]->tx_offload : 0;
		assert_true(m->out[i].len <= FRAME_MAX);
		heapbufs_put(&m->hb, tx[i]);
	}
	if (sl_core_check(m->core, &why) != 0)
		fail_msg("%s", why);
}

static void
forget_clients(void)
{
	memset(client, 0, sizeof(client));
	for (uint8_t p = 0; p < PORTS; p++)
		for (uint8_t i = 0; i < 2 * CLIENTS; i++) {
			struct client *k = &client[i % 2][p][i / 2];

			k->v6 = i % 2;
			k->i = i / 2;
			k->port = p;
		}
}

static struct client *
draw_new(void)
{
	static struct client k;

	k = (struct client){ .v6 = flood.v6, .port = flood.port };
	k.i = (uint8_t)(CLIENTS + rnd_below(&rnd, 200));
	return &k;
}

/* Of those who were drawn for this burst before, or anybody. */
static struct client *
draw_client(void)
{
	struct client *k;

	if (flood.on && rnd_below(&rnd, flood.of_new ? SL_BURST : 8))
		return draw_new();
	if (flood.on)
		return &client[flood.v6][flood.port][rnd_below(&rnd, CLIENTS)];
	if (n_seen > 0 && rnd_below(&rnd, 2))
		return seen[rnd_below(&rnd, n_seen)];
	k = &client[rnd_below(&rnd, 3) == 0][rnd_below(&rnd, PORTS)][rnd_below(&rnd, CLIENTS)];
	if (n_seen < SL_BURST)
		seen[n_seen++] = k;
	return k;
}

/* Options as systems send them, and as nobody does. */
static uint8_t
draw_options(uint8_t *opt, bool syn, bool ts, uint32_t tsecr)
{
	static const struct {
		uint8_t len;
		uint8_t b[40];
	} layout[] = {
		{ 0, { 0 } },
		{ 4, { 2, 4, 5, 0xb4 } },
		{ 12, { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 } }, /* Windows */
		{ 20, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 } },
		{ 20, { 2, 4, 5, 0xb4, 1, 3, 3, 6, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 } },
		{ 12, { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 } },
		{ 8, { 2, 4, 0, 9, 1, 1, 4, 2 } },
		{ 20, { 1, 3, 3, 200, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 2, 4, 34, 0 } },
		{ 24, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7, 0 } },
		{ 12, { 2, 5, 5, 0xb4, 0, 1, 3, 3, 8, 8, 8, 8 } },
		{ 12, { 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9 } }, /* SACK */
	};
	unsigned int i = rnd_below(&rnd, flood.on ? 8 : sizeof(layout) / sizeof(layout[0]));

	if (!syn && i != 10)
		i = ts ? 5 : 0;
	memcpy(opt, layout[i].b, sizeof(layout[i].b));
	if (i == 3)
		opt[19] = (uint8_t)rnd_below(&rnd, 20);
	if (i >= 2 && i <= 4) /* any MSS */
		opt[2] = (uint8_t)rnd_below(&rnd, 40);
	if (i == 5) {
		opt[8] = (uint8_t)(tsecr >> 24);
		opt[9] = (uint8_t)(tsecr >> 16);
		opt[10] = (uint8_t)(tsecr >> 8);
		opt[11] = (uint8_t)tsecr;
	}
	return layout[i].len;
}

/* Addresses that nobody has whom we would answer, and what lies beside them. */
static const char *
draw_edge(bool v6)
{
	static const char *const four[] = {
		"0.0.0.0",         "0.0.0.1",   "1.0.0.0",         "126.255.255.255",
		"127.0.0.1",       "128.0.0.1", "223.255.255.255", "224.0.0.1",
		"255.255.255.255", "10.0.0.1",  "10.0.0.255",
	};
	static const char *const six[] = {
		"::",      "::1",     "::0.0.0.5", "::ffff:1.2.3.4", "::fffe:1.2.3.4",
		"ff02::1", "feff::1", "fe80::1",   "::1:0:0:1",      "0:0:0:1::",
		"fd00::1",
	};

	return v6 ? six[rnd_below(&rnd, RTE_DIM(six))] : four[rnd_below(&rnd, RTE_DIM(four))];
}

static void
put_ip(struct craft *c, bool v6, unsigned int i, bool odd, uint8_t proto)
{
	char src[40];

	if (odd)
		snprintf(src, sizeof(src), "%s", draw_edge(v6));
	else if (v6)
		snprintf(src, sizeof(src), "2001:db8::%x:7", i + 1);
	else
		snprintf(src, sizeof(src), "192.0.%u.%u", i / 3, i + 1);
	if (v6)
		craft_ip6(c, src, "fd00::1", proto);
	else
		craft_ip4(c, src, "10.0.0.1", proto);
}

/* A SYN, the end of a handshake, a wild ACK, the end of it all or other flags. */
static void
draw_tcp(struct craft *c, const struct client *k)
{
	uint32_t seq = (uint32_t)rnd_u64(&rnd), ack = 0, tsecr = 0;
	uint16_t port = (uint16_t)(80 + k->port);
	uint8_t opt[40], flags = SL_SYN, len;
	bool ts = rnd_below(&rnd, 3);

	switch (flood.on && rnd_below(&rnd, 32) ? 0 : rnd_below(&rnd, 9)) {
	case 0:
	case 1:
	case 2:
		break;
	case 3:
	case 4:
		flags = SL_ACK;
		ack = (uint32_t)rnd_u64(&rnd);
		break;
	case 5:
	case 6:
		flags = SL_ACK | (rnd_below(&rnd, 4) == 0 ? SL_FIN : 0);
		seq = k->seq;
		ack = k->ack;
		ts = rnd_below(&rnd, 8) ? k->ts : ts;
		tsecr = k->tsecr;
		break;
	case 7:
		flags = SL_RST;
		seq = k->seq + 5 * rnd_below(&rnd, 2); /* with what it may have sent */
		break;
	default:
		flags = (uint8_t)rnd_u64(&rnd);
		break;
	}
	len = draw_options(opt, flags & SL_SYN, ts, tsecr);
	if (k->port == PORTS - 1 && rnd_below(&rnd, 4))
		port = (uint16_t)(SCANNED + rnd_below(&rnd, 60000));
	craft_tcp(c, (uint16_t)(1000 + k->i), port, seq, ack, flags, 500, opt, len);
	if (rnd_below(&rnd, 10) == 0)
		craft_hex(c, "68656c6c6f");
}

/* Bytes changed so that a check must see it, or lengths, or what no check covers. */
static void
damage(struct craft *c)
{
	switch (rnd_below(&rnd, 5)) {
	case 0:
		c->b[rnd_below(&rnd, (uint32_t)c->len)] ^= 1u << rnd_below(&rnd, 8);
		break;
	case 1:
		c->b[rnd_below(&rnd, (uint32_t)c->len)] ^= 1u << rnd_below(&rnd, 8);
		craft_sums(c);
		break;
	case 2:
		c->len -= 1 + rnd_below(&rnd, 30);
		break;
	case 3:
		memset(c->b + c->len, 0, 50);
		c->len += 50;
		break;
	default:
		craft_hex(c, "00ff00aa0000");
		break;
	}
}

static void
draw_frame(struct craft *c)
{
	static const uint8_t them[6] = { 2, 0, 0, 0, 0, 9 };
	const struct client *k = draw_client();
	const uint32_t rarely = flood.on ? 8 : 1;
	bool v6 = k->v6, odd = rnd_below(&rnd, 12 * rarely) == 0;
	uint16_t vlan = rnd_below(&rnd, 40) == 0 ? 7 : 0;

	craft_ether(c, conf.net.port[0].mac, them, vlan, v6 ? 0x86dd : 0x0800);
	if (rnd_below(&rnd, 20 * rarely) == 0) {
		put_ip(c, v6, 1, odd, v6 ? 58 : 1);
		craft_hex(c, v6 ? "8000 0000 1234 0001" : "0800 0000 1234 0001");
	} else {
		put_ip(c, v6, k->i, odd, 6);
		draw_tcp(c, k);
	}
	craft_end(c);
	if (rnd_below(&rnd, 6 * rarely) == 0)
		damage(c);
}

/* Begins a burst; returns how many packets it has. */
static uint16_t
draw_burst(void)
{
	n_seen = 0;
	flood.on = flood.may_be && rnd_below(&rnd, 10) == 0;
	if (flood.on) {
		flood.v6 = rnd_below(&rnd, 2);
		flood.of_new = rnd_below(&rnd, 2);
		flood.port = (uint8_t)rnd_below(&rnd, PORTS);
	}
	return flood.on ? SL_BURST : (uint16_t)(1 + rnd_below(&rnd, SL_BURST));
}

/* Whether all buffers of a burst have room behind the last byte, as those of ports do. */
static bool
draw_roomy(void)
{
	return rnd_below(&rnd, 2);
}

/* What lies there is nothing that anybody may take for a part of the packet. */
static struct rte_mbuf *
as_ports_give_it(struct machine *m, const struct craft *c, bool roomy)
{
	uint8_t bytes[FRAME_MAX + 64];
	uint16_t more = roomy || rnd_below(&rnd, 3) ? 64 : 0;
	struct rte_mbuf *p;

	memset(bytes, 0xa5, sizeof(bytes));
	memcpy(bytes, c->b, c->len);
	p = heapbufs_packet(&m->hb, bytes, c->len + more, rnd_below(&rnd, 5) ? 128 : 0);
	p->data_len -= more;
	p->pkt_len -= more;
	p->port = 0;
	return p;
}

static struct rte_mbuf *
as_a_chain(struct machine *m, const struct craft *c)
{
	const uint16_t seg[2] = { (uint16_t)c->len, 0 };
	struct rte_mbuf *p = heapbufs_chain(&m->hb, c->b, c->len, 128, seg, 2);

	p->port = 0;
	return p;
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct said));
}

static void
compare(struct machine *a, struct machine *b, unsigned int round)
{
	const struct sl_stats *x = sl_core_stats(a->core), *y = sl_core_stats(b->core);

	for (int i = 0; i < SL_FATE_COUNT; i++)
		if (x->fate[i] != y->fate[i])
			fail_msg("round %u: fate %s: %lu together, %lu alone", round,
				 sl_fate_name((enum sl_fate)i), x->fate[i], y->fate[i]);
	for (int i = 0; i < SL_CNT_COUNT; i++)
		if (x->count[i] != y->count[i])
			fail_msg("round %u: count %s: %lu together, %lu alone", round,
				 sl_counter_name((enum sl_counter)i), x->count[i], y->count[i]);
	assert_int_equal(a->n, b->n);
	qsort(a->out, a->n, sizeof(a->out[0]), by_bytes);
	qsort(b->out, b->n, sizeof(b->out[0]), by_bytes);
	for (uint16_t i = 0; i < a->n; i++)
		assert_memory_equal(&a->out[i], &b->out[i], sizeof(a->out[i]));
}

/* Clients remember what a SYN-ACK said, to answer it. */
static void
remember(struct machine *m)
{
	for (uint16_t i = 0; i < m->n; i++) {
		struct rte_mbuf *p = heapbufs_packet(&m->hb, m->out[i].bytes, m->out[i].len, 0);
		struct sl_frame frame;
		struct sl_tuple t;
		struct sl_seg seg;

		p->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		if (sl_frame_parse(p, &frame, &t, &seg) == SL_FATE_NONE &&
		    frame.kind == SL_KIND_TCP && (seg.flags & SL_SYN)) {
			/* damage may have made it another's: then nobody's memory is right */
			uint16_t i_of = (uint16_t)(t.lport - 1000) % CLIENTS;
			struct client *k = &client[t.v6][(t.rport - 80u) % PORTS][i_of];

			k->seq = seg.ack;
			k->ack = seg.seq + 1;
			k->ts = seg.opts & SL_OPT_TS;
			k->tsecr = k->ts ? seg.tsval : 0;
		}
		heapbufs_put(&m->hb, p);
	}
}

/* What a run is about came about in it. */
static void
all_has_happened(const struct sl_stats *s, enum sl_cookies cookies, sl_ns_t begin)
{
	assert_true(s->fate[SL_FATE_tcp_stray_quiet] > 0); /* resets ran out */
	assert_true((s->count[SL_CNT_cookie_ok] > 0) == (cookies == SL_COOKIES_ALWAYS));
	assert_true(s->fate[SL_FATE_tcp_syn_opened] > 0); /* one listener has no cookies ever */
	assert_true((s->fate[SL_FATE_tcp_cookie_bad] > 0) == (cookies != SL_COOKIES_NEVER));
	assert_true((s->fate[SL_FATE_tcp_cookie_unchecked] > 0) ==
		    (cookies == SL_COOKIES_AUTO && begin > 0));
}

/* @room is now and then less than all answers need: then only sums are equal. */
static void
run_on(uint8_t offloads, enum sl_cookies cookies, uint16_t simd_bits, sl_ns_t begin,
       uint64_t seed)
{
	static struct machine a, b;
	sl_ns_t now = SL_NS_PER_S;

	rnd.s = seed;
	forget_clients();
	configure(cookies, simd_bits, offloads);
	machine_open(&a, now);
	machine_open(&b, now);
	machine_step(&a, now, NULL, 0, OUT_MAX);
	machine_step(&b, now, NULL, 0, OUT_MAX);
	now += begin;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *rx[2][SL_BURST];
		uint16_t n = draw_burst();
		bool roomy = draw_roomy();
		struct craft c;

		for (uint16_t i = 0; i < n; i++) {
			draw_frame(&c);
			rx[0][i] = as_ports_give_it(&a, &c, roomy);
			rx[1][i] = as_a_chain(&b, &c);
		}
		/* budgets are of a millisecond, and run out in many */
		now += rnd_below(&rnd, MOMENTS) == 0 ? rnd_below(&rnd, 2 * SL_NS_PER_MS) : 0;
		/*
		 * Challenges are of a second. Who has the last of them depends on who is first,
		 * which is not kept among connections.
		 */
		now += flood.may_be && round == ROUNDS / 2 ? SL_NS_PER_S : 0;
		machine_step(&a, now, rx[0], n, OUT_MAX);
		machine_step(&b, now, rx[1], n, OUT_MAX);
		compare(&a, &b, round);
		remember(&a);
	}
	all_has_happened(sl_core_stats(a.core), cookies, begin);
	machine_close(&a);
	machine_close(&b);
}

static void
run(enum sl_cookies cookies, uint16_t simd_bits, sl_ns_t begin, uint64_t seed)
{
	run_on(0, cookies, simd_bits, begin, seed);
}

static void
what_all_hear_is_what_each_would_hear(void **state)
{
	run(SL_COOKIES_ALWAYS, SL_LEAF_512, 0, 1);
	run(SL_COOKIES_ALWAYS, SL_LEAF_256VL, 0, 8);
	run(SL_COOKIES_ALWAYS, SL_LEAF_256, 0, 2);
	run(SL_COOKIES_ALWAYS, 1, 0, 3);
}

static void
and_so_it_is_where_the_port_makes_the_sums(void **state)
{
	const uint8_t both = SL_OFFLOAD_IPV4_CKSUM | SL_OFFLOAD_TCP_CKSUM;

	run_on(both, SL_COOKIES_ALWAYS, SL_LEAF_512, 0, 12);
	run_on(both, SL_COOKIES_ALWAYS, SL_LEAF_256VL, 0, 13);
	run_on(both, SL_COOKIES_ALWAYS, SL_LEAF_256, 0, 14);
	run_on(both, SL_COOKIES_ALWAYS, 1, 0, 15);
	run_on(SL_OFFLOAD_IPV4_CKSUM, SL_COOKIES_ALWAYS, 0, 0, 16);
	run_on(SL_OFFLOAD_TCP_CKSUM, SL_COOKIES_ALWAYS, 0, 0, 17);
}

/* What is behind a SYN is for its connection, while ACKs of others may be cookies. */
static void
and_so_it_is_when_syns_open_connections(void **state)
{
	run(SL_COOKIES_AUTO, 0, 0, 10);
	run(SL_COOKIES_AUTO, 0, 0, 11);
}

/* Long after the start no cookie is out, so few ACKs are looked at. */
static void
and_so_it_is_when_no_cookies_are_out(void **state)
{
	run(SL_COOKIES_AUTO, 0, 200 * SL_NS_PER_S, 4);
	run(SL_COOKIES_NEVER, 0, 200 * SL_NS_PER_S, 5);
}

/* As lib/net writes it, but that it takes fewer addresses for ours. */
static void
door_open(struct sl_door *door)
{
	*door = (struct sl_door){ .n4 = 1, .n6 = 1 };
	memcpy(door->mac, conf.net.port[0].mac, 6);
	door->addr4[0] = craft_addr("10.0.0.1").w[3];
	door->addr6[0] = craft_addr("fd00::1");
	door->ours[sl_door_bit4(door->addr4[0]) / 32] |= 1u
							 << sl_door_bit4(door->addr4[0]) % 32;
	door->ours[sl_door_bit6(&door->addr6[0]) / 32] |= 1u
							  << sl_door_bit6(&door->addr6[0]) % 32;
}

static void
compare_crowds(const struct sl_crowd *a, const struct sl_crowd *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->v6, b->v6);
	for (unsigned int k = 0; k < a->n; k++) {
		assert_int_equal(a->at[k], b->at[k]);
		assert_ptr_equal(a->m[k], b->m[k]);
		assert_ptr_equal(a->frame[k], b->frame[k]);
		for (unsigned int i = 0; i < (a->v6 ? 4 : 1); i++)
			assert_int_equal(a->addr[i][k], b->addr[i][k]);
	}
}

static void
compare_segments(const struct sl_seg *a, const struct sl_seg *b)
{
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->ack, b->ack);
	assert_int_equal(a->wnd, b->wnd);
	assert_int_equal(a->len, b->len);
	assert_int_equal(a->urg, b->urg);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->opts, b->opts);
	assert_int_equal(a->n_sacks, b->n_sacks);
	assert_memory_equal(a->sack, b->sack, a->n_sacks * sizeof(a->sack[0]));
	assert_int_equal(a->tsval, b->tsval);
	assert_int_equal(a->tsecr, b->tsecr);
	if (!(a->opts & SL_OPT_TS))
		assert_int_equal(a->tsval | a->tsecr, 0);
	if (a->opts & SL_OPT_MSS)
		assert_int_equal(a->mss, b->mss);
	if (a->opts & SL_OPT_WSCALE)
		assert_int_equal(a->wscale, b->wscale);
}

/* What the crowd tells of each is what the parser reads in its frame. */
static void
compare_with_frames(const struct sl_crowd *c)
{
	for (unsigned int k = 0; k < c->n; k++) {
		struct sl_frame told, read;
		struct sl_tuple tuple[2];
		struct sl_seg seg[2];

		sl_crowd_tell(c, k, &told, &tuple[0], &seg[0]);
		assert_int_equal(sl_frame_parse(c->m[k], &read, &tuple[1], &seg[1]),
				 SL_FATE_NONE);
		assert_int_equal(told.l3, read.l3);
		assert_int_equal(told.l4, read.l4);
		assert_int_equal(told.payload, read.payload);
		assert_int_equal(told.l4_len, read.l4_len);
		assert_int_equal(told.vlan, read.vlan);
		assert_int_equal(told.kind, read.kind);
		assert_int_equal(told.ttl, read.ttl);
		assert_int_equal(told.tos, read.tos);
		assert_true(sl_tuple_eq(&tuple[0], &tuple[1]));
		compare_segments(&seg[0], &seg[1]);
	}
}

/* A packet that no crowd may have, whatever its frame says; NULL: as ports give it. */
static struct rte_mbuf *
draw_odd(struct machine *m, const struct craft *c, bool roomy)
{
	unsigned int how = rnd_below(&rnd, 100);
	struct rte_mbuf *p;

	if (how == 0)
		return as_a_chain(m, c);
	if (how > 4)
		return NULL;
	p = as_ports_give_it(m, c, roomy);
	if (how == 1)
		p->port = 1;
	else if (how == 2)
		p->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	else if (how == 3)
		p->ol_flags |= RTE_MBUF_F_EXTERNAL;
	else
		rte_mbuf_refcnt_update(p, 1);
	return p;
}

static void
put_drawn(struct machine *m, struct rte_mbuf *p)
{
	p->ol_flags &= ~RTE_MBUF_F_EXTERNAL; /* it never was */
	rte_mbuf_refcnt_set(p, 1);
	heapbufs_put(&m->hb, p);
}

/* What is seen without vectors is what is seen in those of @most. */
static void
see_bursts(unsigned int most, uint64_t seed)
{
	const struct sl_crowd_leaf *leaf = sl_crowd_leaf_for(sl_leaf_bits(most));
	static struct sl_crowd alone[SL_CROWDS], together[SL_CROWDS];
	static struct machine m;
	struct sl_door door;

	rnd.s = seed;
	forget_clients();
	configure(SL_COOKIES_ALWAYS, 0, 0);
	heapbufs_open(&m.hb);
	door_open(&door);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint16_t n = draw_burst();
		bool roomy = draw_roomy();
		struct rte_mbuf *rx[SL_BURST];
		uint64_t odd = 0, others;
		struct craft c;

		for (uint16_t i = 0; i < n; i++) {
			draw_frame(&c);
			rx[i] = draw_odd(&m, &c, roomy);
			odd |= (uint64_t)(rx[i] != NULL) << i;
			if (rx[i] == NULL)
				rx[i] = as_ports_give_it(&m, &c, roomy);
		}
		others = sl_glance(&door, rx, n, NULL, alone);
		assert_int_equal(others, sl_glance(&door, rx, n, leaf, together));
		assert_int_equal(others & odd, odd);
		for (unsigned int kind = 0; kind < SL_CROWDS; kind++) {
			const struct sl_crowd *a = &alone[kind];

			compare_crowds(a, &together[kind]);
			compare_with_frames(a);
			compare_with_frames(&together[kind]);
			for (unsigned int k = 0; k < a->n; k++)
				assert_int_equal(sl_crowd_same_place(a, k, NULL),
						 sl_crowd_same_place(a, k, leaf));
		}
		for (uint16_t i = 0; i < n; i++)
			put_drawn(&m, rx[i]);
	}
	heapbufs_close(&m.hb);
}

static void
every_width_sees_the_same_crowds(void **state)
{
	see_bursts(SL_LEAF_512, 6);
	see_bursts(SL_LEAF_256VL, 9);
	see_bursts(SL_LEAF_256, 7);
}

/* Asked for by a kind that this CPU need not have. */
static void
every_kind_of_vectors_has_a_leaf_of_its_own(void **state)
{
#ifdef SL_LEAVES
	const struct sl_crowd_leaf *leaf[] = { sl_crowd_leaf_for(SL_LEAF_256),
					       sl_crowd_leaf_for(SL_LEAF_256VL),
					       sl_crowd_leaf_for(SL_LEAF_512) };

	assert_ptr_equal(leaf[0]->glance, sl_glance_256);
	assert_ptr_equal(leaf[1]->glance, sl_glance_256vl);
	assert_ptr_equal(leaf[2]->glance, sl_glance_512);
#endif
	assert_null(sl_crowd_leaf_for(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_vectors_has_a_leaf_of_its_own),
		cmocka_unit_test(every_width_sees_the_same_crowds),
		cmocka_unit_test(what_all_hear_is_what_each_would_hear),
		cmocka_unit_test(and_so_it_is_where_the_port_makes_the_sums),
		cmocka_unit_test(and_so_it_is_when_syns_open_connections),
		cmocka_unit_test(and_so_it_is_when_no_cookies_are_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
