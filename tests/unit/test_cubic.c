/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cubic - the congestion window of RFC 9438 against the same written with real numbers.
 *
 * The model knows windows in segments and time in seconds, as the RFC has them, and nothing
 * of blocks, carries or bounds. Both live through the same round trips, losses, time-outs,
 * pauses and mistakes for hours, and may never be further apart than APART of the window
 * and SEGMENTS.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/tcp.h"

#define APART    0.0005
#define SEGMENTS 2.0 /* what slow start may overshoot by when one of them just ended it */
#define C        0.4
#define BETA     0.7

struct solitude {
	struct sl_tcp tcp;
	struct sl_tcb tcb, busy;
	struct sl_epoch epoch;
	struct sl_lent lent[2];
};

static void
open_one(struct solitude *s, uint16_t mss, bool has_block)
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
	s->tcb.snd_nxt = s->tcb.snd_una + 1;
	s->tcp.lent = s->lent;
	sl_slots_init(&s->tcp.free_lent, &s->lent[0].owner, sizeof(s->lent[0]), 2);
	s->tcb.lent = SL_NO_BLOCK;
	s->tcb.mss = mss;
	sl_cc_open(&s->tcp, &s->tcb, false);
}

/* RFC 9438, section 4, as it is written there; segments and seconds. */
struct model {
	double cwnd, ssthresh, w_max, cwnd_prior, w_est, k, epoch_start, seen;
	bool runs, behind_timeout;
	double rtt;
};

static double
w_cubic(const struct model *m, double t)
{
	return C * pow(t - m->k, 3) + m->w_max;
}

static void
model_begin(struct model *m, double now)
{
	if (m->behind_timeout || m->w_max <= m->cwnd)
		m->w_max = m->cwnd;
	m->k = cbrt((m->w_max - m->cwnd) / C);
	m->w_est = m->cwnd;
	if (m->cwnd_prior == 0)
		m->cwnd_prior = m->cwnd;
	m->epoch_start = now;
	m->runs = true;
	m->behind_timeout = false;
}

static void
model_acked(struct model *m, double now, double segments, bool used)
{
	double t, target, alpha;

	if (!used) {
		m->epoch_start += now - m->seen;
		m->seen = now;
		return;
	}
	if (m->cwnd < m->ssthresh) {
		m->cwnd += fmin(segments, 2);
		return;
	}
	if (!m->runs)
		model_begin(m, now);
	m->seen = now;
	segments = fmin(segments, m->cwnd);
	t = now - m->epoch_start;
	alpha = m->w_est < m->cwnd_prior ? 3 * (1 - BETA) / (1 + BETA) : 1;
	m->w_est += alpha * segments / m->cwnd;
	if (w_cubic(m, t) < m->w_est) {
		m->cwnd = fmax(m->cwnd, m->w_est);
		return;
	}
	target = fmin(fmax(w_cubic(m, t + m->rtt), m->cwnd), 1.5 * m->cwnd);
	m->cwnd += (target - m->cwnd) / m->cwnd * segments;
}

static void
model_lost(struct model *m, double flight)
{
	m->cwnd_prior = m->cwnd;
	m->w_max = m->cwnd < m->w_max ? m->cwnd * (1 + BETA) / 2 : m->cwnd;
	m->ssthresh = fmax(flight * BETA, 2);
	m->cwnd = m->ssthresh;
	m->runs = false;
}

static void
model_timeout(struct model *m, double flight)
{
	model_lost(m, flight);
	m->cwnd = 1;
	m->behind_timeout = true;
}

static void
model_idle(struct model *m, double initial)
{
	m->cwnd = fmin(m->cwnd, initial);
	m->runs = false;
}

/* Both of them. */
struct pair {
	struct solitude s;
	struct model m, before; /* before: the last cut */
	struct rnd rnd;
	bool was_cut;
};

static double
seconds(const struct pair *p)
{
	return p->s.tcp.tick / 1000.0;
}

static void
compare(struct pair *p)
{
	double got = p->s.tcb.cwnd, want = p->m.cwnd * p->s.tcb.mss, off = fabs(got - want);

	assert_true(off <= want * APART + SEGMENTS * p->s.tcb.mss);
}

/* A round trip of @bytes, acknowledged in pairs of segments. */
static void
round_trip(struct pair *p, uint32_t rtt_ms, bool used)
{
	uint32_t mss = p->s.tcb.mss, window = p->s.tcb.cwnd, left = window,
		 start = p->s.tcp.tick;

	p->s.tcb.srtt_us8 = rtt_ms * 8000;
	p->m.rtt = rtt_ms / 1000.0;
	while (left > 0) {
		uint32_t acked = left < 2 * mss ? left : 2 * mss;

		left -= acked;
		p->s.tcp.tick = start + (uint64_t)rtt_ms * (window - left) / window;
		sl_cubic_acked(&p->s.tcp, &p->s.tcb, acked, used);
		model_acked(&p->m, seconds(p), (double)acked / mss, used);
		compare(p);
	}
}

static void
cut(struct pair *p, bool by_timer)
{
	uint32_t flight = p->s.tcb.cwnd - rnd_below(&p->rnd, p->s.tcb.cwnd / 10);

	p->before = p->m;
	p->was_cut = true;
	if (by_timer) {
		sl_cubic_timeout(&p->s.tcp, &p->s.tcb, flight);
		model_timeout(&p->m, (double)flight / p->s.tcb.mss);
	} else {
		sl_cubic_lost(&p->s.tcp, &p->s.tcb, flight);
		model_lost(&p->m, (double)flight / p->s.tcb.mss);
	}
	if (by_timer && rnd_below(&p->rnd, 2) == 0)
		sl_cubic_timeout(&p->s.tcp, &p->s.tcb, 0); /* again, for the same */
}

static void
undo(struct pair *p)
{
	sl_cubic_undo(&p->s.tcp, &p->s.tcb);
	if (p->was_cut) {
		p->before.cwnd = fmax(p->before.cwnd, p->m.cwnd);
		p->before.seen = p->m.seen;
		p->m = p->before;
	}
	p->was_cut = false;
}

static void
live(struct pair *p, uint32_t rounds, uint32_t rtt_most, uint32_t seldom, uint32_t most)
{
	for (uint32_t n = 0; n < rounds; n++) {
		uint32_t what = rnd_below(&p->rnd, seldom);

		round_trip(p, 1 + rnd_below(&p->rnd, rtt_most), rnd_below(&p->rnd, 8) != 0);
		if (what < 4 || p->s.tcb.cwnd > most * p->s.tcb.mss)
			cut(p, what == 0);
		if (what == 5)
			undo(p);
		if (what == 6) {
			p->s.tcp.tick += rnd_below(&p->rnd, 100000);
			sl_cubic_idle(&p->s.tcp, &p->s.tcb);
			model_idle(&p->m,
				   (double)sl_cc_initial_window(&p->s.tcb) / p->s.tcb.mss);
		}
		compare(p);
	}
}

/* rows: CC7 CC4 */
static void
it_is_the_one_of_real_numbers_within_two_segments_and_a_two_thousandth(void **state)
{
	static const uint16_t mss[] = { 536, 1220, 1448, 8948 };

	for (uint64_t seed = 1; seed <= 80; seed++) {
		struct pair p = { .rnd = { .s = seed } };
		bool wide = seed % 8 == 0; /* few round trips, but windows of 30000 segments */

		open_one(&p.s, mss[seed % 4], true);
		p.s.tcp.tick = (uint32_t)rnd_u64(&p.rnd) >> 2;
		p.m.cwnd = (double)p.s.tcb.cwnd / p.s.tcb.mss;
		p.m.ssthresh = (double)SL_CWND_MAX / p.s.tcb.mss;
		live(&p, wide ? 200 : 2000, 1u << (seed % 10), 20u << (seed % 5),
		     wide ? 30000 : 1000);
	}
}

/* Cut from @w segments, with nothing but full windows in flight. */
static void
cut_from(struct solitude *s, uint32_t w)
{
	s->tcb.cwnd = w * s->tcb.mss;
	sl_cubic_lost(&s->tcp, &s->tcb, s->tcb.cwnd);
}

/* Full windows for @ms, a round trip of @rtt_ms after another. */
static void
run_for(struct solitude *s, uint32_t ms, uint32_t rtt_ms)
{
	uint32_t end = s->tcp.tick + ms;

	s->tcb.srtt_us8 = rtt_ms * 8000;
	while (sl_tick_lt(s->tcp.tick, end)) {
		for (uint32_t left = s->tcb.cwnd, n; left > 0; left -= n) {
			n = left < 2u * s->tcb.mss ? left : 2u * s->tcb.mss;
			sl_cubic_acked(&s->tcp, &s->tcb, n, true);
		}
		s->tcp.tick += rtt_ms;
	}
}

/* Fig. 1: K = cbrt(1000 * 0.3 / 0.4) = 9.09 s; as flat around it as it is steep around 0. */
static void
it_comes_back_after_k_seconds_rests_there_and_goes_on(void **state)
{
	struct solitude s;
	uint32_t k = 9086, there = 1000 * 1000;

	open_one(&s, 1000, true);
	cut_from(&s, 1000);
	assert_int_equal(s.tcb.cwnd, 700 * 1000);
	run_for(&s, k / 2, 100);
	assert_in_range(s.tcb.cwnd, there - 300 * 1000 / 7, there - 300 * 1000 / 9);
	run_for(&s, k / 2, 100);
	assert_in_range(s.tcb.cwnd, there - 1000, there + 1000);
	run_for(&s, 1000, 100);
	assert_in_range(s.tcb.cwnd, there, there + 2000);
	run_for(&s, 4000, 100);
	assert_in_range(s.tcb.cwnd, there + 45000, there + 55000);
}

static void
a_flow_that_shrinks_makes_room_at_once(void **state)
{
	struct solitude s;

	open_one(&s, 1000, true);
	cut_from(&s, 1000);
	assert_int_equal(s.epoch.now.w_max, 1000 * 1000);
	cut_from(&s, 800); /* did not come back: 4.7 */
	assert_int_equal(s.epoch.now.w_max, 680 * 1000);
	cut_from(&s, 700);
	assert_int_equal(s.epoch.now.w_max, 700 * 1000);
}

/* rows: CC6 */
static void
time_in_which_the_window_does_not_bind_does_not_count(void **state)
{
	struct solitude busy, paused, slow;

	open_one(&busy, 1000, true);
	cut_from(&busy, 1000);
	run_for(&busy, 2000, 100);
	paused = slow = busy;
	paused.tcp.tcb = &paused.tcb, paused.tcp.epoch = &paused.epoch;
	paused.tcp.lent = paused.lent, slow.tcp.lent = slow.lent;
	slow.tcp.tcb = &slow.tcb, slow.tcp.epoch = &slow.epoch;

	run_for(&busy, 2000, 100);
	for (uint32_t i = 0; i < 1000; i++) { /* crumbs, for a hundred seconds */
		slow.tcp.tick += 100;
		sl_cubic_acked(&slow.tcp, &slow.tcb, 1000, false);
	}
	run_for(&slow, 2000, 100);
	assert_in_range(slow.tcb.cwnd, busy.tcb.cwnd - 4000, busy.tcb.cwnd);

	paused.tcb.snd_una = paused.tcb.snd_nxt; /* nothing is left in flight by this one */
	sl_cubic_acked(&paused.tcp, &paused.tcb, 1000, true);
	paused.tcb.snd_nxt++;
	paused.tcp.tick += 100000;
	run_for(&paused, 2000, 100);
	assert_in_range(paused.tcb.cwnd, busy.tcb.cwnd - 4000, busy.tcb.cwnd + 4000);
}

static void
a_cut_that_was_a_mistake_leaves_the_curve_as_it_was(void **state)
{
	struct solitude s;
	struct sl_curve before;
	uint32_t cwnd, ssthresh;

	open_one(&s, 1000, true);
	cut_from(&s, 1000);
	run_for(&s, 5000, 100);
	before = s.epoch.now;
	cwnd = s.tcb.cwnd;
	ssthresh = s.tcb.ssthresh;
	sl_cubic_timeout(&s.tcp, &s.tcb, cwnd);
	sl_cubic_timeout(&s.tcp, &s.tcb, 0);
	assert_int_equal(s.tcb.cwnd, 1000);
	assert_int_equal(s.tcb.ssthresh, cwnd * 7ull / 10);
	sl_cubic_undo(&s.tcp, &s.tcb);
	assert_int_equal(s.tcb.cwnd, cwnd);
	assert_int_equal(s.tcb.ssthresh, ssthresh);
	assert_memory_equal(&s.epoch.now, &before, sizeof(before));
	sl_cubic_undo(&s.tcp, &s.tcb); /* not twice */
	assert_int_equal(s.tcb.cwnd, cwnd);
	run_for(&s, 4100, 100);
	assert_in_range(s.tcb.cwnd, 1000 * 1000 - 1000, 1000 * 1000 + 1000);
}

/* rows: CC3 */
static void
without_a_block_it_grows_by_a_segment_a_window(void **state)
{
	struct solitude s;

	open_one(&s, 1000, false);
	s.tcb.ssthresh = s.tcb.cwnd = 40000;
	for (uint32_t bytes = 0; bytes < 40000; bytes += 1000)
		sl_cubic_acked(&s.tcp, &s.tcb, 1000, true);
	assert_in_range(s.tcb.cwnd, 40900, 41000);
	sl_cubic_lost(&s.tcp, &s.tcb, 40000);
	assert_int_equal(s.tcb.cwnd, 28000);
}

/* Anything at all happens, at any time and in any order; the bounds hold after each. */
static void
shake(struct solitude *s, uint64_t seed)
{
	struct rnd rnd = { .s = seed };

	for (uint32_t n = 0; n < 300000; n++) {
		uint32_t bytes = (uint32_t)rnd_u64(&rnd) >> rnd_below(&rnd, 32);

		s->tcp.tick += (uint32_t)rnd_u64(&rnd) >> (8 + rnd_below(&rnd, 24));
		s->tcb.snd_una = s->tcb.snd_nxt - (rnd_below(&rnd, 4) != 0);
		s->tcb.srtt_us8 = (uint32_t)rnd_u64(&rnd) >> rnd_below(&rnd, 32);
		switch (rnd_below(&rnd, 400)) {
		case 0:
			sl_cubic_lost(&s->tcp, &s->tcb, bytes);
			break;
		case 1:
			sl_cubic_timeout(&s->tcp, &s->tcb, bytes);
			break;
		case 2:
			sl_cubic_idle(&s->tcp, &s->tcb);
			break;
		case 3:
			sl_cubic_undo(&s->tcp, &s->tcb);
			break;
		default:
			sl_cubic_acked(&s->tcp, &s->tcb, bytes, rnd_below(&rnd, 10) != 0);
		}
		assert_in_range(s->tcb.cwnd, s->tcb.mss, SL_CWND_MAX);
		assert_in_range(s->tcb.ssthresh, 2u * s->tcb.mss, SL_CWND_MAX);
	}
}

/* rows: CC11 */
static void
it_is_never_less_than_a_segment_and_never_overflows(void **state)
{
	static const uint16_t segments[] = { 52, 536, 1220, 1448, 8948, 65535 };

	for (size_t i = 0; i < 2 * sizeof(segments) / sizeof(segments[0]); i++) {
		struct solitude s;

		open_one(&s, segments[i / 2], i % 2 == 0);
		shake(&s, 1 + i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_is_the_one_of_real_numbers_within_two_segments_and_a_two_thousandth),
		cmocka_unit_test(it_comes_back_after_k_seconds_rests_there_and_goes_on),
		cmocka_unit_test(a_flow_that_shrinks_makes_room_at_once),
		cmocka_unit_test(time_in_which_the_window_does_not_bind_does_not_count),
		cmocka_unit_test(a_cut_that_was_a_mistake_leaves_the_curve_as_it_was),
		cmocka_unit_test(without_a_block_it_grows_by_a_segment_a_window),
		cmocka_unit_test(it_is_never_less_than_a_segment_and_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
