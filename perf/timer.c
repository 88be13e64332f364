/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer - the wheel against rte_timer: a million connections arm, re-arm, cancel, expire.
 *
 * Each operation meets a random connection. Of ten, five move the deadline later, two
 * earlier, one takes it back and two arm what is not armed; what comes due fires between
 * them. A fired one is armed again by the next operation that meets it. Both get the same
 * operations; the wheel's clock is the counter's, as rte_timer's is.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>
#include <rte_timer.h>

#include "base/units.h"
#include "bench.h"
#include "flow/wheel.h"

#define IDS        1000000u
#define LONG_MS    60000u
#define BURST      32
#define EXPIRE_MAX 64

/* A connection as far as time goes: its hot line, with what else it would hold. */
struct record {
	sl_tick_t due;
	uint32_t rest[15];
};
static_assert(sizeof(struct record) == SL_CACHE_LINE, "a line");

struct timers {
	struct sl_wheel *wheel;
	struct record *record;
	struct rte_timer *rival;
	uint64_t random, start;
	uint64_t n_fired;
};

struct op {
	uint32_t id, ms;
	bool cancel;
};

static void *
take(void *ctx, size_t bytes, size_t align)
{
	return bench_memory(bytes);
}

static sl_tick_t
tick_now(const struct timers *t)
{
	return (sl_tick_t)((rte_rdtsc() - t->start) / (rte_get_tsc_hz() / 1000)) + 1;
}

static void
make_ops(struct timers *t, struct op *op)
{
	for (int i = 0; i < BURST; i++) {
		uint32_t kind = bench_below(&t->random, 10);

		op[i].id = bench_below(&t->random, IDS);
		op[i].cancel = kind == 0;
		if (kind <= 2)
			op[i].ms = 1 + bench_below(&t->random, LONG_MS / 8);
		else
			op[i].ms = LONG_MS / 2 + bench_below(&t->random, LONG_MS / 2);
	}
}

static inline void
prefetch(const struct timers *t, uint32_t id)
{
	rte_prefetch0(&t->record[id]);
	sl_wheel_prefetch(t->wheel, id);
}

/* As the engine does it: deadlines live in the record, the wheel only covers them. */
static void
wheel_burst(struct timers *t, const struct op *op, sl_tick_t now)
{
	uint32_t id[EXPIRE_MAX];
	uint16_t n;

	for (int i = 0; i < BURST; i++)
		prefetch(t, op[i].id);
	for (int i = 0; i < BURST; i++) {
		struct record *r = &t->record[op[i].id];

		if (op[i].cancel) {
			r->due = 0;
			continue;
		}
		r->due = sl_tick_after(now, op[i].ms);
		sl_wheel_arm(t->wheel, op[i].id, r->due);
	}
	n = sl_wheel_expire(t->wheel, now, id, EXPIRE_MAX);
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(&t->record[id[i]]);
	for (uint16_t i = 0; i < n; i++) {
		struct record *r = &t->record[id[i]];

		if (r->due == 0)
			continue;
		if (sl_tick_le(r->due, now)) {
			r->due = 0;
			t->n_fired++;
		} else {
			sl_wheel_arm(t->wheel, id[i], r->due);
		}
	}
}

static void
fired(struct rte_timer *timer, void *arg)
{
	((struct timers *)arg)->n_fired++;
}

static void
rival_burst(struct timers *t, const struct op *op)
{
	uint64_t per_ms = rte_get_timer_hz() / 1000;

	for (int i = 0; i < BURST; i++) {
		struct rte_timer *timer = &t->rival[op[i].id];

		if (op[i].cancel)
			rte_timer_stop(timer);
		else
			rte_timer_reset(timer, op[i].ms * per_ms, SINGLE, 0, fired, t);
	}
	rte_timer_manage();
}

static double
wheel_window(void *arg)
{
	struct timers *t = arg;
	uint64_t cycles = 0, n = 0, fires = t->n_fired;
	struct op op[BURST];

	while (n < WINDOW_UNITS) {
		sl_tick_t now = tick_now(t);
		uint64_t before;

		make_ops(t, op);
		before = rte_rdtsc();
		wheel_burst(t, op, now);
		cycles += rte_rdtsc() - before;
		n += BURST;
	}
	return (double)cycles / (double)(n + t->n_fired - fires);
}

static double
rival_window(void *arg)
{
	struct timers *t = arg;
	uint64_t cycles = 0, n = 0, fires = t->n_fired;
	struct op op[BURST];

	while (n < WINDOW_UNITS) {
		uint64_t before;

		make_ops(t, op);
		before = rte_rdtsc();
		rival_burst(t, op);
		cycles += rte_rdtsc() - before;
		n += BURST;
	}
	return (double)cycles / (double)(n + t->n_fired - fires);
}

static void
fill(struct timers *ours, struct timers *rival)
{
	uint64_t per_ms = rte_get_timer_hz() / 1000;

	for (uint32_t i = 0; i < IDS; i++) {
		uint32_t ms = 1 + bench_below(&ours->random, LONG_MS);

		ours->record[i].due = sl_tick_after(tick_now(ours), ms);
		sl_wheel_arm(ours->wheel, i, ours->record[i].due);
		rte_timer_init(&rival->rival[i]);
		rte_timer_reset(&rival->rival[i], ms * per_ms, SINGLE, 0, fired, rival);
	}
}

void
group_timer(void)
{
	static struct sl_mem mem = { .take = take };
	static struct timers ours, rival;
	const struct bench_row row[] = {
		{ "timer_mixed_1m", wheel_window, &ours },
		{ "rte_timer_mixed_1m", rival_window, &rival },
	};

	ours.random = rival.random = 88172645463325252;
	ours.start = rte_rdtsc();
	ours.record = take(NULL, IDS * sizeof(*ours.record), SL_CACHE_LINE);
	rival.rival = take(NULL, IDS * sizeof(*rival.rival), SL_CACHE_LINE);
	if (sl_wheel_open(&ours.wheel, &mem, IDS, tick_now(&ours)) != 0 ||
	    rte_timer_subsystem_init() != 0)
		bench_fail("no memory for timers");
	fill(&ours, &rival);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	if (sl_wheel_count(ours.wheel) > 2 * IDS || sl_wheel_check(ours.wheel) != 0)
		bench_fail("%u entries in the wheel", sl_wheel_count(ours.wheel));
	bench_figure("timer_mixed_1m_entries", "count", sl_wheel_count(ours.wheel));
}
