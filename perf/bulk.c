/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulk - full segments in and out on many connections in turn, summed in software.
 *
 * What goes in must be taken and acknowledged, but for the one segment whose ACK may be held
 * back; what comes out must be whole segments of the right bytes.
 */
#include <string.h>

#include "bench.h"
#include "floor.h"
#include "peer.h"

#define STREAMS       1024 /* each way: the first receive, the others send */
#define SEGMENT_BYTES FLOOR_SEGMENT
#define PATTERN_BYTES 65536
#define WINDOW_SEGS   4 /* the peer lets this many come: what is in flight must fit the ring */

static char *pattern;
static uint64_t n_taken;            /* bytes, by the application */
static uint32_t acked[2 * STREAMS]; /* what the server acknowledged last */
static uint32_t first[2 * STREAMS]; /* number of its first byte */

/* One byte asks for all there is, without end. Where it goes on is the connection's state. */
static void
fill(struct sl_conn *c)
{
	uint32_t *at = sl_conn_state(c), left, n;

	do {
		left = PATTERN_BYTES - *at;
		n = sl_send_pinned(c, pattern + *at, left);
		*at = (*at + n) % PATTERN_BYTES;
	} while (n == left);
}

static uint32_t
take(struct sl_conn *c, const struct sl_chain *in)
{
	if (in->bytes == 1)
		fill(c);
	n_taken += in->bytes;
	return in->bytes;
}

static const struct sl_app app = {
	.name = "bulk",
	.state_bytes = sizeof(uint32_t),
	.data = take,
	.writable = fill,
	.peer_closed = sl_close,
};

/* Whether these are the bytes of the pattern, which is sent again and again. */
static bool
is_of_pattern(const struct wire_in *in, uint32_t at)
{
	char want[SEGMENT_BYTES];
	uint32_t n = PATTERN_BYTES - at < in->len ? PATTERN_BYTES - at : in->len;

	memcpy(want, pattern + at, n);
	memcpy(want + n, pattern, in->len - n);
	return wire_brings(in, want, in->len);
}

static void
judge(struct peer *p, uint32_t i, const struct wire_in *in)
{
	acked[i] = in->ack;
	if (in->len == 0)
		return;
	if (i < STREAMS || in->len != SEGMENT_BYTES)
		bench_fail("connection %u sent %u bytes", i, in->len);
	if (wire_is_drawn() && !is_of_pattern(in, (in->seq - first[i]) % PATTERN_BYTES))
		bench_fail("connection %u sent other bytes than its application", i);
}

/* All that was sent was taken, and acknowledged but for what a delayed ACK is about. */
static void
judge_received(const struct peer *p, uint64_t sent, uint64_t taken)
{
	if (sent != taken)
		bench_fail("%lu bytes sent, %lu taken", sent, taken);
	for (uint32_t i = 0; i < STREAMS; i++)
		if (p->conn[i].seq - acked[i] > SEGMENT_BYTES)
			bench_fail("connection %u: %u bytes without an ACK", i,
				   p->conn[i].seq - acked[i]);
}

/* Segments in, taken by the application; the server's ACKs are part of the cost. */
static double
rx_window(void *arg)
{
	static uint32_t at;
	struct peer *p = arg;
	struct world *w = p->world;
	uint64_t cycles = w->cycles, packets = w->packets, taken = n_taken, sent = 0;

	while (w->packets - packets < WINDOW_UNITS) {
		for (; !world_batch_is_full(w); sent += SEGMENT_BYTES)
			peer_send(p, at++ % STREAMS, WIRE_ACK, pattern, SEGMENT_BYTES);
		peer_run(p);
	}
	judge_received(p, sent, n_taken - taken);
	return (double)(w->cycles - cycles) / (double)(w->packets - packets);
}

/* Segments out; the peer acknowledges every second one, which is part of the cost. */
static double
tx_window(void *arg)
{
	struct peer *p = arg;
	struct world *w = p->world;
	uint64_t cycles = w->cycles, n = 0, seen = p->n_segments;

	while (n < WINDOW_UNITS) {
		for (uint32_t i = STREAMS; i < 2 * STREAMS; i++) {
			if (p->conn[i].n_new >= 2)
				peer_send(p, i, WIRE_ACK, NULL, 0);
			if (world_batch_is_full(w))
				n += peer_segments(p);
		}
		n += peer_segments(p);
		if (p->n_segments == seen)
			bench_fail("nothing comes any more");
		seen = p->n_segments;
	}
	return (double)(w->cycles - cycles) / (double)n;
}

/* What it takes to give back what the other row sent. */
static double
tx_free_window(void *arg)
{
	struct peer *p = arg;

	peer_free_cost(p);
	tx_window(p);
	return peer_free_cost(p);
}

static void
begin_sending(struct peer *p)
{
	p->answered = judge;
	for (uint32_t i = STREAMS; i < 2 * STREAMS; i++) {
		first[i] = p->conn[i].ack;
		peer_send(p, i, WIRE_ACK | WIRE_PSH, "x", 1);
		if (world_batch_is_full(p->world) || i + 1 == 2 * STREAMS)
			peer_run(p);
	}
}

void
group_bulk(void)
{
	static struct world w;
	static struct peer p;
	static struct floor_bulk in, out;
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },  { "busy_loop", world_busy, &w },
		{ "bulk_rx", rx_window, &p },           { "floor_bulk_rx", floor_rx, &in },
		{ "bulk_tx", tx_window, &p },           { "floor_bulk_tx", floor_tx, &out },
		{ "bulk_tx_free", tx_free_window, &p },
	};

	pattern = sl_pin_alloc(PATTERN_BYTES);
	if (pattern == NULL)
		bench_fail("no memory for the pattern");
	for (int i = 0; i < PATTERN_BYTES; i++)
		pattern[i] = (char)(i * 31 >> 3);
	/* while the other rows have their turn, senders wait for as long as a probe does */
	world_open(&w, &(struct world_conf){ .connections = 4 * STREAMS,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS,
					     .slow = 10 });
	floor_bulk_open(&in, &w, STREAMS, pattern, PATTERN_BYTES);
	floor_bulk_open(&out, &w, STREAMS, pattern, PATTERN_BYTES);
	peer_open(&p, &w, 2 * STREAMS, false);
	p.wnd = (WINDOW_SEGS * SEGMENT_BYTES + 127) / 128; /* the scale of our SYN is 7 */
	peer_establish(&p);
	begin_sending(&p);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_say_clock(&w, "bulk");
	if (world_count(&w, SL_CNT_retransmit) > p.n_segments / 1000)
		bench_fail("%lu sent again", world_count(&w, SL_CNT_retransmit));
	world_close(&w);
}
