/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * syn - what needs no connection: SYNs answered by cookies, ACKs that are no cookies,
 * strays; on an empty table and on one with a million connections.
 */
#include <string.h>

#include "bench.h"
#include "streams.h"

#define WIRE_KINDS 4 /* of SYNs */

static void
put_syn(struct stream *s, struct rte_mbuf *m, uint8_t kind)
{
	struct wire_end end = peer_stranger(&s->peer);
	struct wire_seg seg = {
		.seq = (uint32_t)bench_random(&s->peer.random),
		.tsval = (uint32_t)s->peer.random,
		.wnd = 64240,
		.flags = WIRE_SYN,
		.options = kind,
	};

	wire_put(m, &end, &seg);
}

static void
put_linux_syn(struct stream *s, struct rte_mbuf *m)
{
	put_syn(s, m, WIRE_SYN_LINUX);
}

static void
put_ack(struct stream *s, struct rte_mbuf *m, uint16_t port)
{
	struct wire_end end = peer_stranger(&s->peer);
	uint64_t numbers = bench_random(&s->peer.random);
	struct wire_seg seg = {
		.seq = (uint32_t)numbers,
		.ack = (uint32_t)(numbers >> 32),
		.wnd = 502,
		.flags = WIRE_ACK,
	};

	end.server = port;
	wire_put(m, &end, &seg);
}

/* Without timestamps, as who guesses would do: one 25-bit MAC is all there is to find. */
static void
put_bogus_ack(struct stream *s, struct rte_mbuf *m)
{
	put_ack(s, m, PORT_SERVER);
}

static void
put_stray(struct stream *s, struct rte_mbuf *m)
{
	put_ack(s, m, PORT_CLOSED);
}

/* Nine SYNs of four systems, then something else. */
static void
put_mix(struct stream *s, struct rte_mbuf *m)
{
	static const uint8_t syn[WIRE_KINDS] = { WIRE_SYN_LINUX, WIRE_SYN_WINDOWS, WIRE_SYN_BSD,
						 WIRE_BARE };
	uint32_t addr = peer_stranger(&s->peer).addr;

	if (bench_below(&s->peer.random, 10) != 0) {
		put_syn(s, m, syn[bench_below(&s->peer.random, WIRE_KINDS)]);
		return;
	}
	switch (bench_below(&s->peer.random, 5)) {
	case 0:
		wire_put_echo(m, addr);
		break;
	case 1:
		wire_put_udp(m, addr);
		break;
	case 2:
		wire_put_arp(m);
		break;
	case 3:
		put_bogus_ack(s, m);
		break;
	default:
		put_stray(s, m);
		break;
	}
}

/* Count what came back; look closely at one in a few. */
static void
take_strangers(struct stream *s)
{
	struct rte_mbuf *m[64];
	uint16_t n;

	while ((n = world_sent(s->world, m, 64)) > 0) {
		for (uint16_t i = 0; i < n; i++) {
			struct wire_in in;

			if (!wire_get(m[i], &in))
				continue;
			s->n_out += (in.flags & (WIRE_SYN | WIRE_ACK)) == (WIRE_SYN | WIRE_ACK);
			if (i % PEER_SAMPLE == 0 && !wire_is_right(m[i]))
				bench_fail("a wrong checksum");
		}
		rte_pktmbuf_free_bulk(m, n);
	}
}

double
stream_window(void *arg)
{
	struct stream *s = arg;
	struct world *w = s->world;
	uint64_t cycles = w->cycles, packets = w->packets, n = 0;

	s->n_out = 0;
	while (w->packets - packets < WINDOW_UNITS) {
		for (; !world_batch_is_full(w); n++)
			s->put(s, world_packet(w));
		world_run(w);
		take_strangers(s);
	}
	if (s->answered && s->n_out != n)
		bench_fail("%lu SYNs, %lu answers", n, s->n_out);
	return (double)(w->cycles - cycles) / (double)(w->packets - packets);
}

static void
stream_open(struct stream *s, struct world *w, bool v6,
	    void (*put)(struct stream *s, struct rte_mbuf *m))
{
	memset(s, 0, sizeof(*s));
	peer_open(&s->peer, w, 64, v6);
	s->world = w;
	s->put = put;
	s->answered = put == put_linux_syn;
}

void
stream_open_syn(struct stream *s, struct world *w, bool v6)
{
	stream_open(s, w, v6, put_linux_syn);
}

/* The proof: cookies that go back make connections, which work and end. */
static void
prove_cookies(struct world *w, bool v6)
{
	uint64_t ok = world_count(w, SL_CNT_cookie_ok), live = world_count(w, SL_CNT_live);
	struct peer p;

	peer_open(&p, w, 64, v6);
	p.random ^= ok + 1;
	for (uint32_t i = 0; i < p.n; i++)
		p.conn[i].gen = (uint32_t)(ok + i);
	while (p.n_done < p.n) {
		for (uint32_t i = 0; i < p.n; i++)
			if (p.n_done < p.n)
				peer_step(&p, i);
		peer_run(&p);
	}
	world_idle(w);
	if (world_count(w, SL_CNT_cookie_ok) != ok + p.n || world_count(w, SL_CNT_live) != live)
		bench_fail("cookies that came back were not taken");
}

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	static const char response[64] = "HTTP/1.1 200 OK";

	sl_send(c, response, sizeof(response));
	return in->bytes;
}

static const struct sl_app app = { .name = "answer", .data = answer, .peer_closed = sl_close };

void
group_syn(void)
{
	static struct world w;
	static struct stream s[5];
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "syn_cookie_v4", stream_window, &s[0] },
		{ "syn_cookie_mix", stream_window, &s[1] },
		{ "syn_cookie_v6", stream_window, &s[2] },
		{ "bogus_ack_checked", stream_window, &s[3] },
		{ "stray", stream_window, &s[4] },
	};

	world_open(&w, &(struct world_conf){ .connections = 4096,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS });
	stream_open(&s[0], &w, false, put_linux_syn);
	stream_open(&s[1], &w, false, put_mix);
	stream_open(&s[2], &w, true, put_linux_syn);
	stream_open(&s[3], &w, false, put_bogus_ack);
	stream_open(&s[4], &w, false, put_stray);
	prove_cookies(&w, false);
	prove_cookies(&w, true);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	prove_cookies(&w, false);
	prove_cookies(&w, true);
	world_close(&w);
}

/* No cookie is out, none was for long: ACKs beyond the budget are not looked at. */
void
group_syn_auto(void)
{
	static struct world w;
	static struct stream s;
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "bogus_ack_budget", stream_window, &s },
	};

	world_open(&w, &(struct world_conf){
			       .connections = 4096, .app = &app, .cookies = SL_COOKIES_AUTO });
	stream_open(&s, &w, false, put_bogus_ack);
	world_pass(&w, 120 * SL_NS_PER_S);
	world_idle(&w);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_close(&w);
}
