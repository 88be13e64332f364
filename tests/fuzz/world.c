/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - the core, its clock, and what must hold after each step.
 */
#include <string.h>

#include "l7/apps.h"
#include "world.h"

#define SPIN_MOST 3000u /* steps at one moment after which the core is said to spin */

static uint8_t pattern[4096];
static struct sl_http_conf http_conf = {
	.pattern = { .data = pattern, .bytes = sizeof(pattern) },
	.body_bytes = 3000,
	.head_max = 300,
	.first_byte_ms = 5000,
	.head_ms = 5000,
	.idle_ms = 5000,
	.linger_ms = 2000,
};
static struct sl_proxy_conf proxy_conf = { .n_backends = 1,
					   .connect_ms = 3000,
					   .idle_ms = 60000 };

static void
add_listener(struct sl_core_conf *conf, uint16_t port, const struct sl_app *app,
	     const void *arg, uint8_t tune)
{
	struct sl_listener_conf *l = &conf->listener[conf->n_listeners++];

	*l = (struct sl_listener_conf){ .port = port, .app = app, .arg = arg, .backlog = 3 };
	sl_tcp_defaults(&l->tcp);
	l->tcp.cookies = tune % 3;
	l->tcp.timestamps = !(tune & 0x04);
	l->tcp.sack = !(tune & 0x08);
	l->tcp.window_scaling = !(tune & 0x10);
	l->tcp.nagle = !(tune & 0x20);
	l->tcp.keepalive_ms = tune & 0x40 ? 3000 : 0;
	l->tcp.delayed_ack_ms = tune & 0x80 ? 0 : 40;
	l->tcp.rcvbuf = tune & 0x10 ? 2048 : 16384;
	l->tcp.sndbuf = tune & 0x20 ? 2048 : 16384;
}

static void
configure(struct world *w, struct sl_core_conf *conf)
{
	struct sl_port_conf *port = &conf->net.port[0];
	uint8_t tune = fuzz_u8(&w->in), more = fuzz_u8(&w->in);

	w->mtu = more & 0x01 ? 1280 : 1500;
	*conf = (struct sl_core_conf){
		.connections = 6,
		.active = more & 0x02 ? 1 : 4,
		.time_wait = 2,
		.spans = 48,
		.rx_buffers = more & 0x04 ? 16 : 64,
		.ipv6 = true,
		.secret = { { 1, 2 } },
		.cookie_secret = { { 1, 3 } },
		.tai_ms = 1700000000000ull,
		.net = { .n_ports = 1,
			 .neighbours = 8,
			 .speaks = more & 0x08,
			 .key = { { 4 } } },
	};
	*port = (struct sl_port_conf){
		.port = 0,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = w->mtu,
		.offloads = more & 0x10 ? SL_OFFLOAD_MULTI_SEG : 0,
		.n_addrs = 2,
		.addr = { { .addr = sl_addr_v4(0x0a000001), .prefix = 24 },
			  { .addr = { .b = { 0xfd, [15] = 1 } }, .prefix = 64 } },
	};
	add_listener(conf, 7, &act_app, w, tune);
	add_listener(conf, 80, &sl_http, &http_conf, tune);
	proxy_conf.backend[0].addr = sl_addr_v4(0x0a000002);
	proxy_conf.backend[0].port = 8000;
	proxy_conf.reset_on_error = more & 0x20;
	add_listener(conf, 8080, &sl_proxy, &proxy_conf, tune);
	add_listener(conf, 70, &sl_echo, NULL, tune);
	/* near where ticks, and with them many numbers, wrap */
	w->now = more & 0x40 ? ((1ull << 32) - 2000) * SL_NS_PER_MS : SL_NS_PER_S;
	w->stepped = w->now;
}

static void
set_flow(struct world *w, enum world_flow which, bool v6, uint16_t rport, uint16_t lport)
{
	struct flow *f = &w->flow[which];

	*f = (struct flow){
		.tuple = { .local = sl_addr_v4(0x0a000001),
			   .remote = sl_addr_v4(0x0a000002),
			   .lport = lport,
			   .rport = rport,
			   .v6 = v6 },
		.isn = 0xfffff000u + 0x300u * which, /* wraps soon */
	};
	if (v6) {
		f->tuple.local = (struct sl_addr){ .b = { 0xfd, [15] = 1 } };
		f->tuple.remote = (struct sl_addr){ .b = { 0xfd, [15] = 2 } };
	}
	f->mine = f->expected = f->isn;
}

static void
teach_neighbour(struct world *w, const struct sl_addr *addr)
{
	struct sl_event event = { .kind = SL_EVENT_NEIGHBOUR };

	event.neighbour.addr = *addr;
	event.neighbour.mac[0] = 2;
	event.neighbour.mac[5] = 2;
	event.neighbour.reachable = true;
	sl_core_event(w->core, w->now, &event);
}

void
world_open(struct world *w, const uint8_t *data, size_t size)
{
	static struct sl_core_conf conf; /* half a megabyte: not on the stack */

	*w = (struct world){ .in = { data, size }, .says = getenv("FUZZ_SAY") != NULL };
	sl_pattern_fill(pattern, sizeof(pattern));
	configure(w, &conf);
	heapbufs_open(&w->hb);
	arena_open(&w->arena);
	fuzz_demand(sl_core_open(&w->core, &conf, &w->hb.bufs, &w->arena.mem, w->now) == 0);
	set_flow(w, FLOW_ACT, false, 1001, 7);
	set_flow(w, FLOW_ACT6, true, 1002, 7);
	set_flow(w, FLOW_HTTP, false, 1003, 80);
	set_flow(w, FLOW_PROXY, false, 1004, 8080);
	set_flow(w, FLOW_BACKEND, false, 8000, 0);
	set_flow(w, FLOW_OPENED, false, 9000, 0);
	set_flow(w, FLOW_ECHO, false, 1006, 70);
	set_flow(w, FLOW_CLOSED, false, 1007, 1);
	teach_neighbour(w, &w->flow[FLOW_ACT].tuple.remote);
	teach_neighbour(w, &w->flow[FLOW_ACT6].tuple.remote);
}

/* What of a connection may only go forward, as long as it is the same connection. */
struct mark {
	uint32_t gen, rcv_nxt, rcv_adv, snd_una, snd_nxt;
	bool counts;
};

static void
mark_all(const struct world *w, struct mark *mark)
{
	const struct sl_tcp *tcp = &w->core->tcp;

	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		const struct sl_tcb *t = &tcp->tcb[i];

		mark[i] = (struct mark){ t->gen,     t->rcv_nxt,
					 t->rcv_adv, t->snd_una,
					 t->snd_nxt, sl_state_is_synchronized(t->state) };
	}
}

static void
check_marks(const struct world *w, const struct mark *mark)
{
	const struct sl_tcp *tcp = &w->core->tcp;

	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		const struct sl_tcb *t = &tcp->tcb[i];

		if (!mark[i].counts || t->gen != mark[i].gen ||
		    !sl_state_is_synchronized(t->state))
			continue;
		fuzz_demand(sl_seq_ge(t->rcv_nxt, mark[i].rcv_nxt));
		fuzz_demand(sl_seq_ge(t->rcv_adv, mark[i].rcv_adv));
		fuzz_demand(sl_seq_ge(t->snd_una, mark[i].snd_una));
		fuzz_demand(sl_seq_ge(t->snd_nxt, mark[i].snd_nxt));
	}
}

static void
check(const struct world *w)
{
	const struct sl_stats *stats = sl_core_stats(w->core);
	const char *why = NULL;

	if (sl_core_check(w->core, &why) != 0) {
		fprintf(stderr, "sl_core_check: %s\n", why);
		abort();
	}
	fuzz_demand(stats->count[SL_CNT_tx] == w->n_tx);
	fuzz_demand(w->closed <= w->opened);
}

void
world_step(struct world *w, uint16_t room)
{
	struct rte_mbuf *tx[SL_BURST];
	struct mark mark[8];
	uint16_t n, n_rx = w->n_rx;

	w->n_rx = 0;
	w->stepped = w->now;
	mark_all(w, mark);
	n = sl_core_step(w->core, w->now, w->rx, n_rx, tx, room);
	fuzz_demand(n <= room);
	w->n_tx += n;
	for (uint16_t i = 0; i < n; i++)
		peer_hears(w, tx[i]);
	check(w);
	check_marks(w, mark);
}

void
world_pass(struct world *w, sl_ns_t until, unsigned int most)
{
	unsigned int still = 0;

	for (; most > 0; most--) {
		sl_ns_t next = sl_core_next(w->core);

		if (next > until) {
			w->now = until > w->now ? until : w->now;
			return;
		}
		still = next > w->now ? 0 : still + 1;
		fuzz_demand(still < SPIN_MOST);
		w->now = next > w->now ? next : w->now;
		world_step(w, SL_BURST);
	}
}

void
world_queue(struct world *w, struct rte_mbuf *m)
{
	if (w->n_rx == SL_BURST)
		world_step(w, SL_BURST);
	m->port = 0;
	w->rx[w->n_rx++] = m;
}

void
world_frame(struct world *w, const void *bytes, size_t len, uint8_t shape)
{
	uint16_t cut[2] = { 90, 40 };

	switch (shape & 7) {
	case 1:
		world_queue(w, heapbufs_chain(&w->hb, bytes, len, 128, cut, 2));
		break;
	case 2:
		world_queue(w, heapbufs_external(&w->hb, bytes, len));
		break;
	case 3:
		world_queue(w, heapbufs_packet(&w->hb, bytes, len, 0));
		break;
	case 4:
		cut[0] = 14 + 20 + 32;
		world_queue(w, heapbufs_chain(&w->hb, bytes, len, 128, cut, 3));
		break;
	default:
		world_queue(w, heapbufs_packet(&w->hb, bytes, len, 128));
		break;
	}
}

void
world_connect(struct world *w, struct sl_conn *c)
{
	const struct flow *f = &w->flow[FLOW_OPENED];
	struct sl_connect to = { .remote = &f->tuple.remote, .rport = f->tuple.rport };
	struct sl_conn conn;

	if (c != NULL)
		sl_connect(c, &to, &conn);
	else
		sl_core_connect(w->core, w->now, 0, &to, NULL);
}

/* All connections reset, all records expired, all packets back. */
void
world_close(struct world *w)
{
	const struct sl_stats *stats = sl_core_stats(w->core);
	struct sl_event kill = { .kind = SL_EVENT_KILL };

	w->hb.fail_at = w->hb.fail_from = 0;
	w->mood = ACT_NOTHING;
	w->mood_arg = 0;
	world_step(w, SL_BURST);
	sl_core_event(w->core, w->now, &kill);
	world_pass(w, w->now + 600 * SL_NS_PER_S, 100000);
	fuzz_demand(stats->count[SL_CNT_live] == 0);
	fuzz_demand(stats->count[SL_CNT_half_open] == 0);
	fuzz_demand(stats->count[SL_CNT_time_wait] == 0);
	fuzz_demand(stats->count[SL_CNT_kept] == 0);
	fuzz_demand(w->opened == w->closed);
	sl_core_close(w->core);
	heapbufs_close(&w->hb);
	arena_close(&w->arena);
}
