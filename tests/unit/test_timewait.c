/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_timewait - many connections a second leave many records, in the memory taken at
 * start: the pool has a bound, the oldest gives way, and all are gone after 2 MSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "solo.h"
#include "wire/build.h"

#define N_RECORDS 50000u
#define N_ENDED   60000u

static int
close_at_once(struct sl_conn *c)
{
	sl_close(c);
	return 0;
}

static const struct sl_app closer = { .name = "closer", .open = close_at_once };

/* A step without the check of every invariant, which would look at all records. */
static uint32_t
step(struct solo *s, struct sl_seg *last)
{
	struct rte_mbuf *tx[8];
	uint16_t n = sl_core_step(s->core, s->now, s->rx, s->n_rx, tx, 8);
	struct sl_frame frame;
	struct sl_tuple tuple;

	s->n_rx = 0;
	for (uint16_t i = 0; i < n; i++) {
		assert_int_equal(sl_frame_parse(tx[i], &frame, &tuple, last), SL_FATE_NONE);
		heapbufs_put(&s->hb, tx[i]);
	}
	return n;
}

/* The peer opens from @rport; we close, it closes: TIME-WAIT is ours. Returns its FIN. */
static struct sl_seg_out
live_and_end(struct solo *s, uint16_t rport)
{
	struct sl_seg_out seg = { .seq = 99, .flags = SL_SYN, .wnd = 1000 };
	struct sl_seg last = { 0 };

	s->tuple.rport = rport;
	solo_send(s, &seg, NULL, 0);
	assert_int_equal(step(s, &last), 1);
	seg = (struct sl_seg_out){
		.seq = 100, .ack = last.seq + 1, .flags = SL_ACK, .wnd = 1000
	};
	solo_send(s, &seg, NULL, 0);
	assert_int_equal(step(s, &last), 1);
	assert_true(last.flags & SL_FIN);
	seg.ack++;
	seg.flags |= SL_FIN;
	solo_send(s, &seg, NULL, 0);
	assert_int_equal(step(s, &last), 1);
	return seg;
}

static void
let_them_go(struct solo *s)
{
	sl_ns_t end = s->now + 60 * SL_NS_PER_S, next;
	struct sl_seg last;

	while ((next = sl_core_next(s->core)) <= end) {
		s->now = next > s->now ? next : s->now;
		step(s, &last);
	}
	s->now = end;
}

/* rows: TW5 [v4 v6] */
static void
records_are_bounded_and_all_are_gone_in_time(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		const struct sl_stats *stats;
		uint32_t n_taken;

		solo_init(&s, v6, &closer, NULL);
		s.conf.time_wait = N_RECORDS;
		s.conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
		solo_open(&s);
		stats = sl_core_stats(s.core);
		n_taken = s.arena.n_taken;
		for (uint32_t i = 0; i < N_ENDED; i++) {
			s.now += SL_NS_PER_MS / 10;
			live_and_end(&s, (uint16_t)(1024 + i));
		}
		assert_int_equal(stats->count[SL_CNT_time_wait], N_RECORDS);
		assert_int_equal(stats->count[SL_CNT_time_wait_retired], N_ENDED - N_RECORDS);
		assert_int_equal(stats->count[SL_CNT_live], 0);
		assert_int_equal(s.arena.n_taken, n_taken);
		solo_step(&s); /* with the check */
		let_them_go(&s);
		assert_int_equal(stats->count[SL_CNT_time_wait], 0);
		solo_close(&s);
	}
}

static bool
is_there(struct solo *s, uint16_t rport)
{
	s->tuple.rport = rport;
	return sl_core_state(s->core, &s->tuple, NULL) != NULL;
}

/*
 * Of three that ended a second apart the first begins again: it goes behind the others, which
 * do not wait for it, and a second repetition does not make it come up twice.
 * rows: TW5 [v4 v6]
 */
static void
one_that_begins_again_goes_behind_the_others(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_seg_out fin;

		solo_init(&s, v6, &closer, NULL);
		s.conf.time_wait = 3;
		s.conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
		solo_open(&s);
		fin = live_and_end(&s, 1001);
		for (uint16_t rport = 1002; rport <= 1003; rport++) {
			solo_pass(&s, 1000);
			live_and_end(&s, rport);
		}
		solo_pass(&s, 28000); /* 30 s after the first */
		s.tuple.rport = 1001;
		for (int twice = 0; twice < 2; twice++)
			solo_send(&s, &fin, NULL, 0);
		solo_step(&s);
		solo_pass(&s, 30999);
		assert_true(is_there(&s, 1001) && is_there(&s, 1002) && is_there(&s, 1003));
		solo_pass(&s, 1);
		assert_true(is_there(&s, 1001) && !is_there(&s, 1002) && is_there(&s, 1003));
		solo_pass(&s, 1000);
		assert_true(is_there(&s, 1001) && !is_there(&s, 1003));
		solo_pass(&s, 27999);
		assert_true(is_there(&s, 1001));
		solo_pass(&s, 1);
		assert_false(is_there(&s, 1001));
		assert_int_equal(sl_core_stats(s.core)->count[SL_CNT_time_wait_retired], 0);
		solo_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_bounded_and_all_are_gone_in_time),
		cmocka_unit_test(one_that_begins_again_goes_behind_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
