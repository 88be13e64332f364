/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer - the wheel against rte_timer: connections arm, re-arm, cancel, expire.
 *
 * Each operation meets a random connection. Of ten, seven set the deadline far away, which
 * is mostly later, two near, which is mostly earlier, and one takes it back; what comes due
 * fires between them. A fired one is armed again by the next operation that meets it. Both
 * get operations of the same kind.
 *
 * The wheel's clock goes on by a millisecond for as many operations as make one a second
 * for each connection, so that what is armed, moved and fired has its share whatever the
 * machine; it runs for ten seconds before anything is counted. rte_timer has no clock but the
 * counter, and is so slow that a second of it is a fraction of one here. A list that is
 * walked and filled at such a price takes minutes to hold 32 million: not done.
 *
 * In the engine, who arms has just worked with the record: one row has it read before the
 * clock starts. The floor asks for the lines that an operation cannot do without, reads them,
 * and does nothing: the record; if the deadline is near, the word that says where an entry
 * lies, and the line where it does; and for one operation in eight, as many as come up,
 * another record.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>
#include <rte_timer.h>

#include "base/units.h"
#include "bench.h"
#include "flow/wheel.h"
#include "tcp/tcb.h"

#define LATE_MS    1u /* at most */
#define LONG_MS    60000u
#define WARM_UP_S  10u
#define BURST      32
#define EXPIRE_MAX 64
#define RIVAL_MAX  1000000u
#define LINE_IDS   15u /* entries in a line of the wheel */
#define UP_OF      8

/* A connection as far as time goes, and as large as one: its hot line, and another. */
struct record {
	sl_tick_t due, armed;
	uint32_t rest[sizeof(struct sl_tcb) / 4 - 2];
};
static_assert(sizeof(struct record) == sizeof(struct sl_tcb), "as far apart as in the engine");

struct timers {
	uint32_t n;
	struct sl_wheel *wheel;
	struct record *record;
	struct rte_timer *rival;
	uint32_t *word, (*line)[SL_CACHE_LINE / 4]; /* as the wheel's, for the floor */
	uint64_t random;
	uint64_t n_ops, n_fired;
	uint64_t n_armed, n_cancelled; /* deadlines set where none was; taken back */
};

enum kind { MIXED, HOT, FLOOR };

struct op {
	uint32_t id, ms;
	bool cancel, is_near;
};

static void *
take(void *ctx, size_t bytes, size_t align)
{
	return bench_memory(bytes);
}

static sl_tick_t
tick_now(const struct timers *t)
{
	return (sl_tick_t)(t->n_ops / (t->n / 1000)) + 1;
}

static void
make_ops(struct timers *t, struct op *op)
{
	for (int i = 0; i < BURST; i++) {
		uint32_t kind = bench_below(&t->random, 10);

		op[i].id = bench_below(&t->random, t->n);
		op[i].cancel = kind == 0;
		op[i].is_near = kind == 1 || kind == 2;
		if (op[i].is_near)
			op[i].ms = 1 + bench_below(&t->random, LONG_MS / 8);
		else
			op[i].ms = LONG_MS / 2 + bench_below(&t->random, LONG_MS / 2);
	}
}

static inline void
arm(const struct timers *t, uint32_t id)
{
	const struct record *r = &t->record[id];

	if (!sl_wheel_covers(r->armed, r->due))
		sl_wheel_arm(t->wheel, id, r->due);
}

/* Who comes up and is not due is armed again. A call does so much and no more. */
static inline void
expire_some(struct timers *t, sl_tick_t now)
{
	uint32_t id[EXPIRE_MAX];
	uint16_t n = sl_wheel_expire(t->wheel, now, id, EXPIRE_MAX);

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
			arm(t, id[i]);
		}
	}
}

/* A worker goes round at once while the wheel has something for it: see sl_core_next(). */
static inline void
expire(struct timers *t, sl_tick_t now)
{
	sl_tick_t next;

	do
		expire_some(t, now);
	while (sl_wheel_next(t->wheel, &next) && sl_tick_le(next, now));
}

/*
 * As the engine does it: deadlines live in the record, the wheel only covers them. @was are
 * the deadlines that operations met.
 */
static void
wheel_burst(struct timers *t, const struct op *op, sl_tick_t now, sl_tick_t *was)
{
	for (int i = 0; i < BURST; i++)
		rte_prefetch0(&t->record[op[i].id]);
	for (int i = 0; i < BURST; i++) {
		struct record *r = &t->record[op[i].id];

		was[i] = r->due;
		if (op[i].cancel) {
			r->due = 0;
			continue;
		}
		r->due = sl_tick_after(now, op[i].ms);
		arm(t, op[i].id);
	}
	expire(t, now);
}

/* What was due has fired, or is about to; the operations of a burst are kept account of. */
static void
check_burst(struct timers *t, const struct op *op, sl_tick_t now, const sl_tick_t *was)
{
	for (int i = 0; i < BURST; i++) {
		if (was[i] != 0 && sl_tick_lt(was[i] + LATE_MS, now))
			bench_fail("a deadline is late by %u ms", now - was[i]);
		t->n_armed += was[i] == 0 && !op[i].cancel;
		t->n_cancelled += was[i] != 0 && op[i].cancel;
	}
}

/* At the end nothing that is due is left, and as many fired as were set, and not taken back. */
static void
check_all(struct timers *t)
{
	sl_tick_t now = tick_now(t), next;
	uint64_t n_left = 0;

	while (sl_wheel_next(t->wheel, &next) && sl_tick_le(next, now))
		expire(t, now);

	for (uint32_t i = 0; i < t->n; i++) {
		sl_tick_t due = t->record[i].due;

		if (due != 0 && sl_tick_le(due, now))
			bench_fail("timer %u is late by %u ms", i, now - due);
		n_left += due != 0;
	}
	if (t->n_fired == 0 || t->n_armed != t->n_cancelled + t->n_fired + n_left)
		bench_fail("%lu armed, %lu taken back, %lu fired, %lu left", t->n_armed,
			   t->n_cancelled, t->n_fired, n_left);
}

/* Of a record, what is always zero, though only we know that. */
static uint32_t
touch(const struct timers *t, uint32_t id)
{
	return *(const volatile uint32_t *)&t->record[id].rest[0];
}

/* Walks that each find in cache what the one before asked for. */
static void
floor_burst(const struct timers *t, const struct op *op)
{
	const uint32_t *line[BURST];
	uint32_t n = 0;

	for (int i = 0; i < BURST; i++) {
		rte_prefetch0(&t->record[op[i].id]);
		if (op[i].is_near)
			rte_prefetch0(&t->word[op[i].id]);
		if (i % UP_OF == 0)
			rte_prefetch0(&t->record[t->n - 1 - op[i].id]);
	}
	for (int i = 0; i < BURST; i++) {
		uint32_t mixed = op[i].id * 2654435761u + touch(t, op[i].id);

		if (!op[i].is_near)
			continue;
		mixed += *(const volatile uint32_t *)&t->word[op[i].id];
		line[n] = t->line[(uint64_t)mixed * (t->n / LINE_IDS) >> 32];
		rte_prefetch0(line[n++]);
	}
	for (int i = 0; i < BURST; i += UP_OF)
		touch(t, t->n - 1 - op[i].id);
	for (uint32_t i = 0; i < n; i++)
		(void)*(const volatile uint32_t *)line[i];
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

/* The first half is not counted, so that what the rival has left in caches does not count. */
static double
window(struct timers *t, enum kind kind)
{
	uint64_t cycles = 0, n = 0, fires = 0;
	sl_tick_t was[BURST];
	struct op op[BURST];

	while (n < 4 * WINDOW_UNITS) {
		sl_tick_t now = tick_now(t);
		uint64_t before;

		if (n == 2 * WINDOW_UNITS) {
			cycles = 0;
			fires = t->n_fired;
		}
		make_ops(t, op);
		for (int i = 0; kind == HOT && i < BURST; i++)
			touch(t, op[i].id);
		before = rte_rdtsc();
		if (kind == FLOOR)
			floor_burst(t, op);
		else
			wheel_burst(t, op, now, was);
		cycles += rte_rdtsc() - before;
		if (kind != FLOOR)
			check_burst(t, op, now, was);
		n += BURST;
		t->n_ops += kind == FLOOR ? 0 : BURST;
	}
	return (double)cycles / (double)(n - 2 * WINDOW_UNITS + t->n_fired - fires);
}

static double
mixed_window(void *arg)
{
	return window(arg, MIXED);
}

static double
hot_window(void *arg)
{
	return window(arg, HOT);
}

static double
floor_window(void *arg)
{
	return window(arg, FLOOR);
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
fill_ours(struct timers *t)
{
	static struct sl_mem mem = { .take = take };
	struct sl_wheel_conf conf;

	t->record = take(NULL, t->n * sizeof(*t->record), SL_CACHE_LINE);
	conf = (struct sl_wheel_conf){ .ids = t->n,
				       .tick = &t->record->armed,
				       .stride = sizeof(*t->record) };
	if (sl_wheel_open(&t->wheel, &mem, &conf, tick_now(t)) != 0)
		bench_fail("no memory for the wheel");
	for (uint32_t i = 0; i < t->n; i++) {
		t->record[i].due =
			sl_tick_after(tick_now(t), 1 + bench_below(&t->random, LONG_MS));
		arm(t, i);
	}
	t->n_armed = t->n;
	while (t->n_ops < (uint64_t)WARM_UP_S * t->n)
		mixed_window(t);
	t->word = take(NULL, t->n * sizeof(*t->word), SL_CACHE_LINE);
	t->line = take(NULL, t->n / LINE_IDS * sizeof(*t->line), SL_CACHE_LINE);
	memset(t->word, 0, t->n * sizeof(*t->word)); /* so that it is there */
	memset(t->line, 0, t->n / LINE_IDS * sizeof(*t->line));
}

static void
fill_rival(struct timers *t)
{
	uint64_t per_ms = rte_get_timer_hz() / 1000;

	t->rival = take(NULL, t->n * sizeof(*t->rival), SL_CACHE_LINE);
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t ms = 1 + bench_below(&t->random, LONG_MS);

		rte_timer_init(&t->rival[i]);
		rte_timer_reset(&t->rival[i], ms * per_ms, SINGLE, 0, fired, t);
	}
}

/* After what is due has been asked for once more, no timer of the rival's is late, either. */
static void
check_rival(struct timers *t)
{
	uint64_t now = rte_get_timer_cycles();

	rte_timer_manage();
	for (uint32_t i = 0; i < t->n; i++)
		if (t->rival[i].status.state == RTE_TIMER_PENDING && t->rival[i].expire < now)
			bench_fail("timer %u of rte_timer is late", i);
}

/* Ours, and the rival up to a million, on @n connections; @size says how many those are. */
static void
compare(struct timers *t, uint32_t n, const char *size)
{
	struct timers *ours = &t[0], *rival = &t[1];
	char name[5][40];
	const struct bench_row row[] = {
		{ name[0], mixed_window, ours },
		{ name[1], hot_window, ours },
		{ name[2], floor_window, ours },
		{ name[3], rival_window, rival },
	};

	snprintf(name[0], sizeof(name[0]), "timer_mixed_%s", size);
	snprintf(name[1], sizeof(name[1]), "timer_hot_%s", size);
	snprintf(name[2], sizeof(name[2]), "timer_floor_%s", size);
	snprintf(name[3], sizeof(name[3]), "rte_timer_mixed_%s", size);
	snprintf(name[4], sizeof(name[4]), "timer_mixed_%s_entries", size);
	*ours = *rival = (struct timers){ .n = n, .random = 88172645463325252 };
	fill_ours(ours);
	if (n <= RIVAL_MAX)
		fill_rival(rival);
	bench_rows(row, n <= RIVAL_MAX ? 4 : 3);
	if (sl_wheel_count(ours->wheel) > n || sl_wheel_check(ours->wheel) != 0)
		bench_fail("%u entries in the wheel", sl_wheel_count(ours->wheel));
	check_all(ours);
	if (n <= RIVAL_MAX)
		check_rival(rival);
	bench_figure(name[4], "count", sl_wheel_count(ours->wheel));
}

void
group_timer(void)
{
	static struct timers t[2][2]; /* rte_timer keeps pointers to what is armed */
	char size[16];

	if (rte_timer_subsystem_init() != 0)
		bench_fail("no memory for timers");
	if (options.size == 0) {
		compare(t[0], 65536, "64k");
		for (uint32_t i = 0; i < t[0][1].n; i++)
			rte_timer_stop(&t[0][1].rival[i]);
		compare(t[1], 1000000, "1m");
		return;
	}
	snprintf(size, sizeof(size), "%um", options.size / 1000000);
	compare(t[0], options.size, size);
}
