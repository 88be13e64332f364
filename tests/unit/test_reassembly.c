/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_reassembly - whatever order, overlap and size segments come in, the application gets
 * each byte once and in order, and ACK and SACK say just what is there.
 *
 * The twin is an array that says of each byte whether it came within the window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/seq.h"
#include "random.h"
#include "solo.h"

#define STREAM 60000u
#define SEEDS  20u

struct twin {
	struct rnd rnd;
	bool came[STREAM + 1];  /* the last one is the FIN */
	uint8_t n_sent[STREAM]; /* how often, up to twice */
	uint32_t edge;          /* right edge of the window, as last promised */
	uint32_t fin_at;        /* STREAM, once a FIN was sent; else beyond it */

	uint8_t got[STREAM];
	uint32_t n_got;
	bool ended;
	uint32_t read_most; /* bytes the application takes at once; 0: all */
};

static uint8_t
byte_at(uint32_t at)
{
	return (uint8_t)(at * 167 >> 3 ^ at);
}

static uint32_t
reader_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct twin *t = (struct twin *)(uintptr_t)sl_listener_arg(c);
	uint32_t want = in->bytes;

	if (t->read_most > 0 && want > t->read_most) {
		want = 1 + rnd_below(&t->rnd, t->read_most);
		sl_timer(c, 1 + rnd_below(&t->rnd, 5));
	}
	assert_true(t->n_got + want <= STREAM);
	assert_int_equal(sl_chain_copy(in, 0, t->got + t->n_got, want), want);
	t->n_got += want;
	return want;
}

static void
reader_peer_closed(struct sl_conn *c)
{
	struct twin *t = (struct twin *)(uintptr_t)sl_listener_arg(c);

	t->ended = true;
}

static const struct sl_app reader = {
	.name = "reader",
	.data = reader_data,
	.timer = sl_resume,
	.peer_closed = reader_peer_closed,
};

/* How many bytes came without a gap, the FIN being one. */
static uint32_t
contiguous(const struct twin *t)
{
	uint32_t n = 0;

	while (n <= STREAM && t->came[n])
		n++;
	return n;
}

/* Send bytes @at..@at+@len, and the FIN if they end where the stream does and @fin. */
static void
send_piece(struct solo *s, struct twin *t, uint32_t at, uint16_t len, bool fin)
{
	uint32_t next = contiguous(t), span, last;
	uint8_t payload[1460] = { 0 };
	struct sl_seg_out seg = {
		.seq = s->irs + 1 + at, .ack = s->iss + 1, .flags = SL_ACK, .wnd = 65535
	};

	fin = fin && at + len == STREAM;
	seg.flags |= fin ? SL_FIN : 0;
	for (uint16_t i = 0; i < len; i++) {
		payload[i] = byte_at(at + i);
		t->n_sent[at + i] += t->n_sent[at + i] < 2;
	}
	solo_send(s, &seg, payload, len);

	span = len + fin;
	last = at + span - 1;
	if (span == 0 || !((at >= next && at < t->edge) || (last >= next && last < t->edge)))
		return; /* RFC 9293, 3.10.7.4: not acceptable */
	for (uint32_t i = at; i < at + span && i < t->edge; i++)
		t->came[i] = true;
}

/* RFC 2883, 4: whether the first block tells of a duplicate, and then whether it was one. */
static bool
tells_of_duplicate(const struct solo *s, const struct twin *t, const struct sl_seg *seg)
{
	struct sl_sack first = seg->sack[0], second = seg->sack[1];
	uint32_t lo = first.lo - s->irs - 1, hi = first.hi - s->irs - 1;
	bool below = sl_seq_le(first.hi, seg->ack);
	bool within = seg->n_sacks > 1 && sl_seq_ge(first.lo, second.lo) &&
		      sl_seq_le(first.hi, second.hi);

	if (!below && !within)
		return false;
	assert_true(lo < hi && hi <= STREAM);
	for (uint32_t at = lo; at < hi; at++)
		assert_int_equal(t->n_sent[at], 2);
	return true;
}

/* ACKs tell of all that came; SACK blocks of nothing that did not. */
static void
check_out(struct solo *s, struct twin *t, bool lossless)
{
	uint32_t next = contiguous(t);

	for (uint32_t i = 0; i < s->n_out; i++) {
		const struct sl_seg *seg = &s->out[i].seg;
		uint32_t ack = seg->ack - s->irs - 1;

		if (lossless)
			assert_int_equal(ack, next);
		assert_true(ack <= next);
		for (uint8_t b = seg->n_sacks > 0 && tells_of_duplicate(s, t, seg);
		     b < seg->n_sacks; b++) {
			uint32_t lo = seg->sack[b].lo - s->irs - 1;
			uint32_t hi = seg->sack[b].hi - s->irs - 1;

			assert_true(ack < lo && lo < hi && hi <= STREAM);
			for (uint32_t at = lo; at < hi; at++)
				assert_true(t->came[at]);
		}
		if (ack + seg->wnd > t->edge)
			t->edge = ack + seg->wnd;
		assert_true(ack + seg->wnd >= t->edge); /* never shrinks */
	}
	solo_clear(s);
	for (uint32_t i = 0; i < t->n_got; i++)
		assert_int_equal(t->got[i], byte_at(i));
	assert_true(t->n_got <= next);
}

static void
open_twin(struct solo *s, struct twin *t, uint64_t seed)
{
	struct sl_seg_out syn = { .wnd = 65535,
				  .opts = SL_OPT_MSS | SL_OPT_SACK_OK,
				  .mss = 1460 };

	memset(t, 0, sizeof(*t));
	t->rnd.s = seed;
	if (rnd_below(&t->rnd, 2) == 0)
		t->read_most = 100 + rnd_below(&t->rnd, 3000);
	s->conf.listener[0].tcp.rcvbuf = 4096 + rnd_below(&t->rnd, 60000);
	solo_open(s);
	solo_handshake(s, (uint32_t)rnd_u64(&t->rnd), &syn);
	t->edge = s->out[0].seg.wnd;
	solo_clear(s);
}

/* Rounds of random pieces, then what is missing, in order. */
static void
run(struct solo *s, struct twin *t, bool lossless)
{
	bool done = false;

	for (uint32_t round = 0; round < 400; round++) {
		uint32_t next = contiguous(t);

		for (uint32_t n = 1 + rnd_below(&t->rnd, 4); n > 0; n--) {
			uint32_t from = next < 3000 ? 0 : next - 3000;
			uint32_t at = rnd_below(&t->rnd, 3) == 0
					      ? next
					      : from + rnd_below(&t->rnd, 12000);
			uint32_t len =
				1 + rnd_below(&t->rnd, rnd_below(&t->rnd, 4) ? 1460 : 20);

			if (at > STREAM)
				at = STREAM;
			if (len > STREAM - at)
				len = STREAM - at;
			send_piece(s, t, at, (uint16_t)len, rnd_below(&t->rnd, 2) == 0);
		}
		solo_step(s);
		check_out(s, t, lossless);
		solo_pass(s, rnd_below(&t->rnd, 3));
		check_out(s, t, lossless);
	}
	for (uint32_t round = 0; round < 2000 && !done; round++) {
		uint32_t next = contiguous(t), left = next < STREAM ? STREAM - next : 0;

		/* without a model of what was dropped, begin at what was delivered */
		if (!lossless)
			next = t->n_got, left = STREAM - next;
		send_piece(s, t, next, left < 1000 ? (uint16_t)left : 1000, true);
		solo_pass(s, 50);
		check_out(s, t, lossless);
		done = t->ended && t->n_got == STREAM;
	}
	assert_true(t->ended);
	assert_int_equal(t->n_got, STREAM);
}

/* rows: RX2 RX8 LR6 [v4 v6] */
static void
the_application_gets_what_came_once_and_in_order(void **state)
{
	static struct twin twin;
	static struct solo solo;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		solo_init(&solo, seed % 2, &reader, &twin);
		open_twin(&solo, &twin, seed);
		run(&solo, &twin, true);
		solo_close(&solo);
	}
}

/*
 * Few buffers: some of what came is dropped, but none of it that was acknowledged.
 * rows: RX9 [v4 v6]
 */
static void
what_was_acknowledged_is_delivered_however_few_buffers_there_are(void **state)
{
	static struct twin twin;
	static struct solo solo;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		solo_init(&solo, seed % 2, &reader, &twin);
		solo.conf.rx_buffers = 16;
		open_twin(&solo, &twin, seed + 1000);
		run(&solo, &twin, false);
		solo_close(&solo);
	}
}

static void
gaps_of_one_byte_do_not_pin_memory_without_bound(void **state)
{
	static struct twin twin;
	static struct solo solo;
	uint64_t most = 0;

	solo_init(&solo, false, &reader, &twin);
	open_twin(&solo, &twin, 4);
	for (uint32_t at = 1; at < 3000; at += 2) {
		send_piece(&solo, &twin, at, 1, false);
		solo_step(&solo);
		solo_clear(&solo);
		most = sl_core_stats(solo.core)->count[SL_CNT_kept];
	}
	assert_in_range(most, 32, 70);
	for (uint32_t at = 0; at < 3000; at++) { /* and what was dropped may come again */
		send_piece(&solo, &twin, at, 1, false);
		solo_step(&solo);
		solo_clear(&solo);
	}
	assert_int_equal(twin.n_got, 3000);
	solo_close(&solo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_application_gets_what_came_once_and_in_order),
		cmocka_unit_test(
			what_was_acknowledged_is_delivered_however_few_buffers_there_are),
		cmocka_unit_test(gaps_of_one_byte_do_not_pin_memory_without_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
