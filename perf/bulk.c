/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulk - full segments in and out on many connections in turn, summed in software.
 */
#include <string.h>

#include "bench.h"
#include "peer.h"

#define STREAMS       1024 /* each way: the first receive, the others send */
#define SEGMENT_BYTES 1448
#define PATTERN_BYTES 65536
#define WINDOW_SEGS   4 /* the peer lets this many come: what is in flight must fit the ring */

static char *pattern;

/* One byte asks for all there is, without end. */
static void
fill(struct sl_conn *c)
{
	while (sl_send_pinned(c, pattern, PATTERN_BYTES) == PATTERN_BYTES)
		;
}

static uint32_t
take(struct sl_conn *c, const struct sl_chain *in)
{
	if (in->bytes == 1)
		fill(c);
	return in->bytes;
}

static const struct sl_app app = {
	.name = "bulk",
	.data = take,
	.writable = fill,
	.peer_closed = sl_close,
};

static void
any_answer(struct peer *p, uint32_t i, const struct wire_in *in)
{
}

/* Segments in, taken by the application; the server's ACKs are part of the cost. */
static double
rx_window(void *arg)
{
	static uint32_t at;
	static char payload[SEGMENT_BYTES];
	struct peer *p = arg;
	struct world *w = p->world;
	uint64_t cycles = w->cycles, packets = w->packets;

	p->answered = any_answer;
	while (w->packets - packets < WINDOW_UNITS) {
		while (!world_batch_is_full(w))
			peer_send(p, at++ % STREAMS, WIRE_ACK, payload, sizeof(payload));
		peer_run(p);
	}
	return (double)(w->cycles - cycles) / (double)(w->packets - packets);
}

/* Hand over, and count what came if the batch counts. */
static uint64_t
segments(struct peer *p)
{
	uint64_t before = p->n_segments;

	peer_run(p);
	return p->world->is_spoilt ? 0 : p->n_segments - before;
}

/* Segments out; the peer acknowledges every second one, which is part of the cost. */
static double
tx_window(void *arg)
{
	struct peer *p = arg;
	struct world *w = p->world;
	uint64_t cycles = w->cycles, n = 0, seen = p->n_segments;

	p->answered = any_answer;
	while (n < WINDOW_UNITS) {
		for (uint32_t i = STREAMS; i < 2 * STREAMS; i++) {
			if (p->conn[i].n_new >= 2)
				peer_send(p, i, WIRE_ACK, NULL, 0);
			if (world_batch_is_full(w))
				n += segments(p);
		}
		n += segments(p);
		if (p->n_segments == seen)
			bench_fail("nothing comes any more");
		seen = p->n_segments;
	}
	return (double)(w->cycles - cycles) / (double)n;
}

static void
begin_sending(struct peer *p)
{
	p->answered = any_answer;
	for (uint32_t i = STREAMS; i < 2 * STREAMS; i++) {
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
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "bulk_rx", rx_window, &p },
		{ "bulk_tx", tx_window, &p },
	};

	pattern = sl_pin_alloc(PATTERN_BYTES);
	if (pattern == NULL)
		bench_fail("no memory for the pattern");
	for (int i = 0; i < PATTERN_BYTES; i++)
		pattern[i] = (char)(i * 31 >> 3);
	/*
	 * Slowed down: while rows that receive have their turn nobody acknowledges what was
	 * sent, and those who wait would probe for its tail after some milliseconds.
	 */
	world_open(&w, &(struct world_conf){ .connections = 4 * STREAMS,
					     .app = &app,
					     .slow = 20,
					     .cookies = SL_COOKIES_ALWAYS });
	peer_open(&p, &w, 2 * STREAMS, false);
	p.wnd = (WINDOW_SEGS * SEGMENT_BYTES + 127) / 128; /* the scale of our SYN is 7 */
	peer_establish(&p);
	begin_sending(&p);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	if (world_count(&w, SL_CNT_retransmit) > 0)
		bench_fail("%lu sent again", world_count(&w, SL_CNT_retransmit));
	world_close(&w);
}
