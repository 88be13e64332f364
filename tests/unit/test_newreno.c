/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_newreno - the congestion window's bounds, whatever happens to it and in what order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/tcp.h"

static const uint16_t segments[] = { 52, 536, 1220, 1448, 8948 };
/* Just what an algorithm sees of TCP: a connection, and one block at most. */
struct solitude {
	struct sl_tcp tcp;
	struct sl_tcb tcb, busy;
	struct sl_epoch epoch;
	struct sl_lent lent[2];
};

static void
open_one(struct solitude *s, uint16_t mss, bool syn_was_resent, bool has_block)
{
	memset(s, 0, sizeof(*s));
	s->tcp.tcb = &s->tcb;
	s->tcp.epoch = &s->epoch;
	s->tcp.n_active = 1;
	sl_slots_init(&s->tcp.free_epoch, &s->epoch.owner, sizeof(s->epoch), 1);
	if (!has_block) { /* it is another's, who is busy */
		s->busy.snd_nxt = s->busy.snd_una + 1;
		sl_slots_get(&s->tcp.free_epoch);
		s->epoch.owner = 1;
	}
	s->tcp.lent = s->lent;
	sl_slots_init(&s->tcp.free_lent, &s->lent[0].owner, sizeof(s->lent[0]), 2);
	s->tcb.lent = SL_NO_BLOCK;
	s->tcb.mss = mss;
	sl_cc_open(&s->tcp, &s->tcb, syn_was_resent);
}

static uint32_t
first_window(uint16_t mss, bool syn_was_resent)
{
	struct solitude s;

	open_one(&s, mss, syn_was_resent, true);
	return s.tcb.cwnd;
}

static void
it_begins_with_ten_segments_within_the_bounds_of_rfc_6928(void **state)
{
	assert_int_equal(first_window(1448, false), 14480);
	assert_int_equal(first_window(8948, false), 2 * 8948);
	assert_int_equal(first_window(536, false), 5360);
	assert_int_equal(first_window(1448, true), 1448);
}

/* Anything at all happens; the bounds hold after each. */
static void
shake(struct solitude *s, uint64_t seed)
{
	struct rnd rnd = { .s = seed };

	for (uint32_t n = 0; n < 200000; n++) {
		uint32_t bytes = (uint32_t)rnd_u64(&rnd) >> rnd_below(&rnd, 32);

		switch (rnd_below(&rnd, 400)) {
		case 0:
			sl_newreno_lost(&s->tcp, &s->tcb, bytes);
			break;
		case 1:
			sl_newreno_timeout(&s->tcp, &s->tcb, bytes);
			break;
		case 2:
			sl_cc_restart(&s->tcb);
			break;
		case 3:
			sl_cc_undo_cut(&s->tcp, &s->tcb);
			break;
		default:
			sl_newreno_acked(&s->tcp, &s->tcb, bytes, rnd_below(&rnd, 10) != 0);
		}
		assert_in_range(s->tcb.cwnd, s->tcb.mss, UINT32_MAX / 2);
		assert_in_range(s->tcb.ssthresh, 2u * s->tcb.mss, UINT32_MAX / 2 + 1);
	}
}

/* rows: CC11 */
static void
it_is_never_less_than_a_segment_and_never_overflows(void **state)
{
	for (size_t i = 0; i < 2 * sizeof(segments) / sizeof(segments[0]); i++) {
		struct solitude s;

		open_one(&s, segments[i / 2], false, i % 2 == 0);
		shake(&s, 1 + i);
	}
}

/* rows: CC3 */
static void
it_grows_by_a_segment_a_window_with_a_block_and_without(void **state)
{
	for (int has_block = 0; has_block < 2; has_block++) {
		struct solitude s;
		uint32_t before;

		open_one(&s, 1000, false, has_block);
		s.tcb.ssthresh = before = s.tcb.cwnd = 40000;
		for (uint32_t bytes = 0; bytes < before; bytes += 1000)
			sl_newreno_acked(&s.tcp, &s.tcb, 1000, true);
		assert_in_range(s.tcb.cwnd, before + 900, before + 1000);
	}
}

static void
a_cut_that_was_a_mistake_is_undone_and_no_other(void **state)
{
	struct solitude s;

	open_one(&s, 1000, false, true);
	s.tcb.cwnd = 40000;
	s.tcb.ssthresh = 30000;
	sl_newreno_timeout(&s.tcp, &s.tcb, 40000);
	sl_newreno_timeout(&s.tcp, &s.tcb, 0); /* once more, for the same bytes */
	assert_int_equal(s.tcb.cwnd, 1000);
	assert_int_equal(s.tcb.ssthresh, 20000);
	sl_cc_undo_cut(&s.tcp, &s.tcb);
	assert_int_equal(s.tcb.cwnd, 40000);
	assert_int_equal(s.tcb.ssthresh, 30000);

	sl_newreno_lost(&s.tcp, &s.tcb, 10000);
	sl_cc_undo_cut(&s.tcp, &s.tcb);
	sl_cc_undo_cut(&s.tcp, &s.tcb);
	assert_int_equal(s.tcb.cwnd, 40000);
}

/* What two connections at most need of one block. */
static void
a_block_changes_hands_when_its_owner_rests(void **state)
{
	struct sl_tcb tcb[2];
	struct solitude s;

	open_one(&s, 1000, false, true);
	tcb[0] = tcb[1] = s.tcb;
	s.tcp.tcb = tcb;
	tcb[0].rttvar_us4 = tcb[1].rttvar_us4 =
		200 * 1000; /* the time-out until there is a sample */
	tcb[0].snd_nxt = 1; /* in flight */
	assert_non_null(sl_epoch_take(&s.tcp, &tcb[0]));
	assert_null(sl_epoch_take(&s.tcp, &tcb[1]));
	tcb[0].snd_una = 1; /* done, but only just */
	assert_null(sl_epoch_take(&s.tcp, &tcb[1]));
	s.tcp.tick = 201;
	assert_non_null(sl_epoch_take(&s.tcp, &tcb[1]));
	assert_null(sl_epoch_of(&s.tcp, &tcb[0]));
	assert_int_equal(s.tcp.stats.count[SL_CNT_no_epoch], 2);
	sl_epoch_give(&s.tcp, &tcb[1]);
	assert_int_equal(sl_slots_free_count(&s.tcp.free_epoch), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_with_ten_segments_within_the_bounds_of_rfc_6928),
		cmocka_unit_test(it_is_never_less_than_a_segment_and_never_overflows),
		cmocka_unit_test(it_grows_by_a_segment_a_window_with_a_block_and_without),
		cmocka_unit_test(a_cut_that_was_a_mistake_is_undone_and_no_other),
		cmocka_unit_test(a_block_changes_hands_when_its_owner_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
