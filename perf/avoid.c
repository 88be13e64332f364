/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * avoid - sending in congestion avoidance, from memory that no cache of a core holds.
 *
 * CUBIC's window, not the peer's, says what may be out. A window of the row begins with a loss:
 * all that is in flight never comes, the timer goes off, and slow start leads up to where
 * congestion avoidance begins. All this is not counted. What is counted is the climb from
 * there, with an ACK for every second segment.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "core/core.h"
#include "peer.h"
#include "tcp/cc.h"

#define STREAMS       256
#define SEGMENT_BYTES 1448
#define OWN_BYTES     16384u /* of each connection: 4 MB together */
#define REPAIR_ROUNDS 400    /* 30 are usual, and 50 if few have room in a step */

/*
 * Nobody hears the probes for the tail, which go out within the first or second of these,
 * whether or not a round trip is known; behind the last one everybody's timer has gone off.
 */
static const uint64_t silence_ms[] = { 50, 1100, 3000 };

#define PER_PIECE 64 /* streams, so that a piece fits a huge page */

static char *own[STREAMS / PER_PIECE];

struct state {
	uint32_t stream, at; /* whose bytes, and which of them is next */
};

static char *
own_of(uint32_t stream)
{
	return own[stream / PER_PIECE] + (size_t)(stream % PER_PIECE) * OWN_BYTES;
}

static void
fill(struct sl_conn *c)
{
	struct state *state = sl_conn_state(c);
	uint32_t n;

	do {
		n = sl_send_pinned(c, own_of(state->stream) + state->at, OWN_BYTES - state->at);
		state->at = (state->at + n) % OWN_BYTES;
	} while (n > 0);
}

/* Its number asks for all there is, without end. */
static uint32_t
take(struct sl_conn *c, const struct sl_chain *in)
{
	struct state *state = sl_conn_state(c);

	sl_chain_copy(in, 0, &state->stream, sizeof(state->stream));
	fill(c);
	return in->bytes;
}

static const struct sl_app app = {
	.name = "avoid",
	.state_bytes = sizeof(struct state),
	.data = take,
	.writable = fill,
	.peer_closed = sl_close,
};

struct avoid {
	struct world *world;
	struct peer peer;
	uint32_t first[STREAMS]; /* number of each stream's first byte */
};
static struct avoid avoid;

/* Whole segments, and of those drawn the bytes that belong there. */
static void
judge(struct peer *p, uint32_t i, const struct wire_in *in)
{
	uint32_t at = (in->seq - avoid.first[i]) % OWN_BYTES;
	uint32_t n = OWN_BYTES - at < SEGMENT_BYTES ? OWN_BYTES - at : SEGMENT_BYTES;
	char want[SEGMENT_BYTES];

	if (in->len == 0)
		return;
	if (in->len != SEGMENT_BYTES)
		bench_fail("stream %u sent %u bytes", i, in->len);
	if (!wire_is_drawn())
		return;
	memcpy(want, own_of(i) + at, n);
	memcpy(want + n, own_of(i), SEGMENT_BYTES - n);
	if (!wire_brings(in, want, SEGMENT_BYTES))
		bench_fail("stream %u sent other bytes than its own", i);
}

/* An ACK for everybody of whom @least segments came. */
static uint64_t
acknowledge(struct peer *p, uint32_t least)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < STREAMS; i++) {
		if (p->conn[i].n_new >= least)
			peer_send(p, i, WIRE_ACK, NULL, 0);
		if (world_batch_is_full(p->world))
			n += peer_segments(p);
	}
	return n + peer_segments(p);
}

/* What was sent is lost on its way. */
static void
lose(struct world *w)
{
	struct rte_mbuf *m[64];
	uint16_t n;

	while ((n = world_sent(w, m, 64)) > 0)
		rte_pktmbuf_free_bulk(m, n);
}

/* How many connections are in congestion avoidance, nothing being repaired; their windows. */
static uint32_t
in_avoidance(const struct world *w, uint64_t *windows)
{
	const struct sl_tcp *tcp = &w->core->tcp;
	uint32_t n = 0;

	*windows = 0;
	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		const struct sl_tcb *tcb = &tcp->tcb[i];

		if (tcb->state != SL_ST_ESTABLISHED)
			continue;
		n += tcb->cwnd >= tcb->ssthresh && sl_tcb_has_epoch(tcp, tcb) &&
		     !sl_tcb_has_active(tcp, tcb) && sl_epoch_of(tcp, tcb)->runs;
		*windows += tcb->cwnd;
	}
	return n;
}

/* A flight of each is lost; then all that is answered, until each is in congestion avoidance.
 */
static void
begin(struct avoid *a)
{
	struct world *w = a->world;
	uint64_t rto = world_count(w, SL_CNT_rto), windows;
	struct peer *p = &a->peer;

	for (uint32_t i = 0; i < STREAMS; i++) {
		peer_send(p, i, WIRE_ACK, NULL, 0);
		if (world_batch_is_full(w) || i + 1 == STREAMS) {
			world_run(w);
			world_idle(w); /* what found no room goes out, too */
			lose(w);
		}
	}
	for (unsigned int i = 0; i < sizeof(silence_ms) / sizeof(silence_ms[0]); i++) {
		lose(w);
		world_pass(w, silence_ms[i] * SL_NS_PER_MS);
		world_idle(w);
	}
	peer_take_answers(p);
	if (world_count(w, SL_CNT_rto) < rto + STREAMS)
		bench_fail("%lu time-outs of %u", world_count(w, SL_CNT_rto) - rto, STREAMS);
	for (int i = 0; i < REPAIR_ROUNDS && in_avoidance(w, &windows) < STREAMS; i++)
		acknowledge(p, 1);
	if (in_avoidance(w, &windows) < STREAMS)
		bench_fail("%u of %u streams avoid congestion", in_avoidance(w, &windows),
			   STREAMS);
}

static double
avoid_window(void *arg)
{
	struct avoid *a = arg;
	struct world *w = a->world;
	uint64_t n = 0, cycles, again, before, after;

	begin(a);
	in_avoidance(w, &before);
	cycles = w->cycles;
	again = world_count(w, SL_CNT_retransmit);
	while (n < WINDOW_UNITS) {
		uint64_t seen = a->peer.n_segments;

		n += acknowledge(&a->peer, 2);
		if (a->peer.n_segments == seen)
			bench_fail("nothing comes any more");
	}
	if (in_avoidance(w, &after) < STREAMS || after <= before)
		bench_fail("windows went from %lu to %lu, %u of %u avoid congestion", before,
			   after, in_avoidance(w, &after), STREAMS);
	if (world_count(w, SL_CNT_retransmit) != again)
		bench_fail("%lu sent again", world_count(w, SL_CNT_retransmit) - again);
	return (double)(w->cycles - cycles) / (double)n;
}

static void
begin_sending(struct avoid *a)
{
	struct peer *p = &a->peer;

	p->answered = judge;
	for (uint32_t i = 0; i < STREAMS; i++) {
		a->first[i] = p->conn[i].ack;
		peer_send(p, i, WIRE_ACK | WIRE_PSH, &i, sizeof(i));
		if (world_batch_is_full(p->world) || i + 1 == STREAMS)
			peer_run(p);
	}
}

void
group_avoid(void)
{
	static struct world w;
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "bulk_tx_avoid", avoid_window, &avoid },
	};
	uint64_t windows, random = 88172645463325252;

	for (uint32_t i = 0; i < STREAMS / PER_PIECE; i++) {
		own[i] = sl_pin_alloc((size_t)PER_PIECE * OWN_BYTES);
		if (own[i] == NULL)
			bench_fail("no memory to send");
	}
	for (uint32_t i = 0; i < STREAMS; i++)
		for (uint32_t at = 0; at < OWN_BYTES; at++)
			own_of(i)[at] = (char)bench_random(&random);
	world_open(&w, &(struct world_conf){ .connections = 2 * STREAMS,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS });
	avoid.world = &w;
	peer_open(&avoid.peer, &w, STREAMS, false);
	peer_establish(&avoid.peer);
	begin_sending(&avoid);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	in_avoidance(&w, &windows);
	bench_figure("bulk_tx_avoid_window", "segments",
		     (double)windows / STREAMS / SEGMENT_BYTES);
	world_close(&w);
}
