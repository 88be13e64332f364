/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_wheel - every id comes up in time, whatever time does, and no id ever holds more
 * than one entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "flow/wheel.h"
#include "flow/words.h"
#include "random.h"

enum { IDS = 60, IDS_MOST = 20000 };

/* What the wheel knows of a record is where its tick lies. */
struct record {
	uint32_t before;
	sl_tick_t tick;
	uint32_t behind[3];
};

static struct record record[IDS_MOST];

/* The obvious twin: a tick for each id, searched from end to end. */
struct twin {
	bool set[IDS];
	sl_tick_t due[IDS];
	sl_tick_t now;
};

static void
twin_arm(struct twin *m, uint32_t id, sl_tick_t due)
{
	if (sl_tick_le(due, m->now))
		due = m->now + 1;
	due = due ? due : 1;
	if (m->set[id] && sl_tick_le(m->due[id], due))
		return;
	m->set[id] = true;
	m->due[id] = due;
}

/* The tick of the earliest entry, if there is one. */
static bool
twin_earliest(const struct twin *m, sl_tick_t *due)
{
	bool any = false;

	*due = 0;

	for (int id = 0; id < IDS; id++) {
		if (m->set[id] && (!any || sl_tick_lt(m->due[id], *due))) {
			*due = m->due[id];
			any = true;
		}
	}
	return any;
}

/* Whether @id has an entry that is the earliest and due by @now, which is now gone. */
static bool
twin_take(struct twin *m, uint32_t id, sl_tick_t now)
{
	sl_tick_t earliest;

	if (!twin_earliest(m, &earliest) || sl_tick_lt(now, earliest))
		return false;
	if (!m->set[id] || m->due[id] != earliest)
		return false;
	m->set[id] = false;
	return true;
}

static uint32_t
twin_count(const struct twin *m)
{
	uint32_t n = 0;

	for (int id = 0; id < IDS; id++)
		n += m->set[id];
	return n;
}

/* A distance of any magnitude, and often one next to where a level ends. */
static uint32_t
some_ticks(struct rnd *r, unsigned int bits_max)
{
	uint32_t bits = rnd_below(r, bits_max + 1);
	uint32_t ticks = bits ? (uint32_t)(rnd_u64(r) >> (64 - bits)) : 0;

	if (rnd_below(r, 4) == 0)
		ticks = (1u << 8 * rnd_below(r, (bits_max + 7) / 8)) + rnd_below(r, 3) - 1;
	return ticks;
}

static struct sl_wheel *
wheel_open(struct arena *heap, uint32_t ids, sl_tick_t now)
{
	struct sl_wheel_conf conf = {
		.ids = ids,
		.tick = &record[0].tick,
		.stride = sizeof(record[0]),
	};
	struct sl_wheel *wheel;

	assert_true(ids <= IDS_MOST);
	arena_open(heap);
	memset(record, 0, sizeof(record));
	assert_int_equal(sl_wheel_open(&wheel, &heap->mem, &conf, now), 0);
	return wheel;
}

/* Each record's tick is the twin's, and nothing else was written. */
static bool
ticks_are_right(const struct twin *m)
{
	static const struct record clean;

	for (int id = 0; id < IDS; id++) {
		struct record r = record[id];

		if (r.tick != (m->set[id] ? m->due[id] : 0))
			return false;
		r.tick = 0;
		if (memcmp(&r, &clean, sizeof(r)) != 0)
			return false;
	}
	return true;
}

/* The wheel wants to be called for the earliest entry, before its tick or on it. */
static bool
next_is_in_time(const struct sl_wheel *wheel, const struct twin *m)
{
	sl_tick_t next, due;

	if (!twin_earliest(m, &due))
		return !sl_wheel_next(wheel, &next);
	return sl_wheel_next(wheel, &next) && sl_tick_le(next, due);
}

/* Advance both to @now and compare what comes up, in the order it is due. */
static bool
advance(struct sl_wheel *wheel, struct twin *m, sl_tick_t now, uint16_t max)
{
	sl_tick_t next, due;
	uint32_t ids[256];

	do {
		uint16_t n = sl_wheel_expire(wheel, now, ids, max);

		for (uint16_t i = 0; i < n; i++) {
			if (!twin_take(m, ids[i], now))
				return false;
		}
	} while (sl_wheel_next(wheel, &next) && sl_tick_le(next, now));
	m->now = now;

	if (!twin_earliest(m, &due))
		return !sl_wheel_next(wheel, &next);
	return sl_wheel_next(wheel, &next) && sl_tick_lt(now, due) && sl_tick_le(next, due) &&
	       sl_tick_lt(now, next);
}

static void
it_does_what_a_tick_for_each_id_does(void **state)
{
	static const sl_tick_t start[] = { 0, 1, 0xffffff00u, 0x7fffffffu, 0xfffffff0u };

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct rnd r = { seed };
		struct arena heap;
		struct twin m = { .now = start[seed % 5] };
		struct sl_wheel *wheel = wheel_open(&heap, IDS, m.now);
		bool good = true;

		for (int i = 0; i < 4000 && good; i++) {
			uint32_t id = rnd_below(&r, IDS);
			uint32_t op = rnd_below(&r, 16);

			if (op < 10) {
				sl_tick_t due = m.now + some_ticks(&r, op ? 31 : 12);

				if (!sl_wheel_covers(record[id].tick, due))
					sl_wheel_arm(wheel, id, due);
				twin_arm(&m, id, due);
			} else if (op ==
				   10) { /* as what is covered already, of which it is none */
				sl_wheel_arm(wheel, id, m.set[id] ? m.due[id] : m.now);
				twin_arm(&m, id, m.set[id] ? m.due[id] : m.now);
			} else if (op == 11) {
				good = advance(wheel, &m, m.now + some_ticks(&r, 31), 200);
			} else {
				good = advance(wheel, &m, m.now + some_ticks(&r, 9),
					       (uint16_t)(1 + rnd_below(&r, 100)));
			}
			good = good && sl_wheel_check(wheel) == 0 && ticks_are_right(&m) &&
			       sl_wheel_count(wheel) == twin_count(&m) &&
			       next_is_in_time(wheel, &m);
		}
		if (!good)
			fail_msg("seed %llu", (unsigned long long)seed);
		arena_close(&heap);
	}
}

/* What a connection does: keep one deadline, look at it when the id comes up, arm again. */
static void
a_deadline_is_met_on_its_tick_when_every_tick_is_called(void **state)
{
	struct rnd r = { 21 };
	struct arena heap;
	sl_tick_t now = 0xfffff000u, want[IDS] = { 0 };
	struct sl_wheel *wheel = wheel_open(&heap, IDS, now);
	uint32_t n_met = 0;

	for (int i = 0; i < 50000; i++) {
		uint32_t ids[2 * IDS], id = rnd_below(&r, IDS);
		uint16_t n;

		if (rnd_below(&r, 4) == 0) { /* set, move, or take back */
			want[id] = rnd_below(&r, 3) ? sl_tick_after(now, 1 + some_ticks(&r, 12))
						    : 0;
			if (want[id])
				sl_wheel_arm(wheel, id, want[id]);
		}

		n = sl_wheel_expire(wheel, ++now, ids, 2 * IDS);
		for (uint16_t k = 0; k < n; k++) {
			id = ids[k];
			if (want[id] == 0)
				continue;
			if (sl_tick_le(want[id], now)) {
				want[id] = 0;
				n_met++;
			} else {
				sl_wheel_arm(wheel, id, want[id]);
			}
		}
		for (id = 0; id < IDS; id++)
			assert_true(want[id] == 0 || sl_tick_lt(now, want[id]));
	}
	assert_true(n_met > 1000);
	arena_close(&heap);
}

/* Re-arming ever earlier and ever later, for an hour: what a lazy wheel dies of. */
static void
no_id_ever_holds_more_than_one_entry(void **state)
{
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, 4, 1000);
	uint32_t ids[16];

	for (uint32_t i = 0; i < 100000; i++)
		sl_wheel_arm(wheel, 1, 200000 - i);
	assert_int_equal(sl_wheel_count(wheel), 1);
	assert_int_equal(sl_wheel_check(wheel), 0);

	for (sl_tick_t now = 1001; now < 3600000; now += 40) {
		uint16_t n;

		sl_wheel_arm(wheel, 2, now + 30000);
		sl_wheel_arm(wheel, 2, now + 200);
		sl_wheel_arm(wheel, 2, now + 40);
		n = sl_wheel_expire(wheel, now, ids, 16);
		for (uint16_t i = 0; i < n; i++)
			sl_wheel_arm(wheel, ids[i], now + 60000);
		assert_in_range(sl_wheel_count(wheel), 1, 2);
	}
	assert_int_equal(sl_wheel_check(wheel), 0);
	arena_close(&heap);
}

/* Moving is put off: the same id over and over, others between, and time goes on at once. */
static void
what_waits_to_be_moved_comes_up_in_time(void **state)
{
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, 8, 0);
	uint32_t ids[8];
	sl_tick_t next;

	for (uint32_t id = 0; id < 8; id++)
		sl_wheel_arm(wheel, id, 100000);
	for (uint32_t n_moves = 1; n_moves <= 7; n_moves++) {
		sl_tick_t now = 1000 * n_moves;

		for (uint32_t i = 0; i < n_moves; i++) {
			sl_wheel_arm(wheel, i % 2, now + 900 - i);
			assert_int_equal(record[i % 2].tick, now + 900 - i);
			assert_int_equal(sl_wheel_check(wheel), 0);
			assert_true(sl_wheel_next(wheel, &next) && next <= now + 900 - i);
		}
		assert_int_equal(sl_wheel_expire(wheel, now + 900 - n_moves, ids, 8), 0);
		assert_int_equal(sl_wheel_expire(wheel, now + 901 - n_moves, ids, 8), 1);
		assert_int_equal(ids[0], (n_moves - 1) % 2);
		sl_wheel_arm(wheel, ids[0], 100000);
		assert_int_equal(sl_wheel_expire(wheel, now + 902 - n_moves, ids, 8),
				 n_moves > 1);
		if (n_moves > 1)
			sl_wheel_arm(wheel, ids[0], 100000);
	}
	assert_int_equal(sl_wheel_count(wheel), 8);
	arena_close(&heap);
}

static void
work_is_bounded_and_what_is_left_comes_next(void **state)
{
	const uint32_t n_ids = IDS_MOST;
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, n_ids, 0);
	uint32_t ids[16], n_up = 0, n_calls = 0;
	sl_tick_t next;

	for (uint32_t id = 0; id < n_ids; id++)
		sl_wheel_arm(wheel, id, 70000 + id % 3);
	while (n_up < n_ids) {
		n_up += sl_wheel_expire(wheel, 80000, ids, 16);
		n_calls++;
		assert_true(n_up == n_ids || (sl_wheel_next(wheel, &next) && next <= 80000));
		if (n_calls % 64 == 0)
			assert_int_equal(sl_wheel_check(wheel), 0);
	}
	/* Each entry is moved twice at most, at 64 moves a call, and then handed out. */
	assert_true(n_calls <= n_ids * 2 / 64 + n_ids / 16 + 4);
	assert_false(sl_wheel_next(wheel, &next));
	arena_close(&heap);
}

/* Let time go on to @to, one id a call at most; each must come up on its tick, and @n in all.
 */
static void
all_come_up_on_their_ticks(struct sl_wheel *wheel, const sl_tick_t *due, sl_tick_t to,
			   uint32_t n)
{
	uint32_t id;

	for (sl_tick_t now; sl_wheel_next(wheel, &now) && now <= to;) {
		if (sl_wheel_expire(wheel, now, &id, 1) == 0)
			continue;
		assert_int_equal(due[id], now);
		n--;
	}
	assert_int_equal(n, 0);
}

/* A call that may do little stops in the middle of a slot, whose ids then get nearer ends. */
static void
what_lies_in_a_slot_half_emptied_can_be_moved(void **state)
{
	enum { N = 200 };
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, N, 0);
	sl_tick_t due[N];
	uint32_t id;

	for (id = 0; id < N; id++)
		sl_wheel_arm(wheel, id, 400 + id % 100);
	assert_int_equal(sl_wheel_expire(wheel, 256, &id, 1), 0);
	for (id = 0; id < N; id++) {
		due[id] = 258 + id % 100;
		sl_wheel_arm(wheel, id, due[id]);
		assert_int_equal(sl_wheel_check(wheel), 0);
	}
	all_come_up_on_their_ticks(wheel, due, 357, N);
	arena_close(&heap);
}

/* The word beside the ids of a chunk may look like one of them. */
static void
an_id_is_not_taken_for_the_chunk_of_that_number(void **state)
{
	enum { N = 40 };
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, N, 0);
	sl_tick_t due[N];

	for (uint32_t i = 1; i <= N; i++) { /* 1 to 15 in chunk 0, on which that of 0 stands */
		uint32_t id = i < 16 ? i : i == 16 ? 0 : i - 1;

		due[id] = 200;
		sl_wheel_arm(wheel, id, due[id]);
	}
	for (uint32_t id = 0; id < 3; id++) {
		due[id] = 100 + id;
		sl_wheel_arm(wheel, id, due[id]);
	}
	all_come_up_on_their_ticks(wheel, due, 200, N);
	arena_close(&heap);
}

static void
a_million_can_be_moved(void **state)
{
	enum { N = 1100000, MOVED = 1000 };
	static sl_tick_t tick[N], due[N];
	const struct sl_wheel_conf conf = { .ids = N, .tick = tick, .stride = sizeof(tick[0]) };
	struct sl_wheel *wheel;
	struct arena heap;

	arena_open(&heap);
	assert_int_equal(sl_wheel_open(&wheel, &heap.mem, &conf, 0), 0);
	for (uint32_t id = 0; id < N; id++)
		sl_wheel_arm(wheel, id, 100000000);
	for (uint32_t id = N - MOVED; id < N; id++) {
		due[id] = 1 + id % 200;
		sl_wheel_arm(wheel, id, due[id]);
	}
	all_come_up_on_their_ticks(wheel, due, 200, MOVED);
	assert_int_equal(sl_wheel_count(wheel), N - MOVED);
	assert_int_equal(sl_wheel_check(wheel), 0);
	arena_close(&heap);
}

/* One in each slot that there is: as little as a chunk can hold. */
static void
every_slot_can_have_an_entry_of_its_own(void **state)
{
	enum { N = 3 * 255 + 127 };
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, N, 0);
	uint32_t id = 0;

	for (unsigned int level = 0; level < 4; level++)
		for (sl_tick_t slot = 1; slot < 256 && id < N; slot++)
			sl_wheel_arm(wheel, id++, slot << 8 * level);
	assert_int_equal(sl_wheel_count(wheel), N);
	assert_int_equal(sl_wheel_check(wheel), 0);
	arena_close(&heap);
}

static void
tick_0_is_the_one_behind_it(void **state)
{
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, 1, 0xffffffffu);

	sl_wheel_arm(wheel, 0, 0);
	assert_int_equal(record[0].tick, 1);
	arena_close(&heap);
}

static void
next_leads_to_the_earliest_in_a_few_stops(void **state)
{
	struct rnd r = { 22 };

	for (int i = 0; i < 2000; i++) {
		struct arena heap;
		sl_tick_t now = (sl_tick_t)rnd_u64(&r), due = now + 1 + some_ticks(&r, 30);
		struct sl_wheel *wheel = wheel_open(&heap, 1, now);
		uint32_t id, n_stops = 0;

		due += due == 0;
		sl_wheel_arm(wheel, 0, due);
		do {
			assert_true(sl_wheel_next(wheel, &now));
			assert_true(sl_tick_le(now, due) && n_stops++ < 4);
		} while (sl_wheel_expire(wheel, now, &id, 1) == 0);
		assert_int_equal(now, due);
		arena_close(&heap);
	}
}

static void
time_that_stands_still_or_goes_back_brings_nothing(void **state)
{
	struct arena heap;
	struct sl_wheel *wheel = wheel_open(&heap, 2, 500);
	uint32_t ids[4];

	sl_wheel_arm(wheel, 0, 100); /* due already: with the next tick, not this one */
	assert_int_equal(sl_wheel_expire(wheel, 500, ids, 4), 0);
	assert_int_equal(sl_wheel_expire(wheel, 499, ids, 4), 0);
	assert_int_equal(sl_wheel_expire(wheel, 501, ids, 4), 1);
	assert_int_equal(sl_wheel_expire(wheel, 501, ids, 4), 0);
	arena_close(&heap);
}

static void
what_is_covered_needs_no_arming(void **state)
{
	assert_false(sl_wheel_covers(0, 5)); /* no entry */
	assert_true(sl_wheel_covers(5, 5));
	assert_false(sl_wheel_covers(6, 5));
	assert_true(sl_wheel_covers(0xfffffff0u, 5)); /* ticks wrap */
}

static void
the_fast_match_equals_the_plain_one(void **state)
{
	struct rnd r = { 23 };

	for (int i = 0; i < 10000; i++) {
		_Alignas(16) uint32_t word[SL_WORDS];
		uint32_t want = (uint32_t)rnd_u64(&r);

		for (int k = 0; k < SL_WORDS; k++)
			word[k] = rnd_below(&r, 3) ? (uint32_t)rnd_u64(&r) : want;
		assert_int_equal(sl_words_match(word, want), sl_words_match_plain(word, want));
		assert_int_equal(sl_words_match(word, 0), sl_words_match_plain(word, 0));
	}
}

static void
opening_refuses_nonsense_and_takes_what_it_said(void **state)
{
	sl_tick_t tick[9] = { 0 };
	const struct sl_wheel_conf right = { .ids = 9, .tick = tick, .stride = 4 };
	struct sl_wheel_conf wrong[5] = { right, right, right, right, right };
	struct sl_wheel *wheel;
	struct arena heap;

	for (uint32_t take = 1; take <= 3; take++) {
		arena_open(&heap);
		heap.fail_at = take;
		assert_int_equal(sl_wheel_open(&wheel, &heap.mem, &right, 0), -ENOMEM);
		arena_close(&heap);
	}
	arena_open(&heap);
	assert_int_equal(sl_wheel_open(&wheel, &heap.mem, &right, 0), 0);
	assert_int_equal(heap.mem.taken, sl_wheel_bytes(9));
	wrong[0].ids = 0;
	wrong[1].tick = NULL;
	wrong[2].stride = 0;
	wrong[3].stride = 6;
	wrong[4].ids = 15u << 24; /* more chunks than three bytes tell apart */
	for (int i = 0; i < 5; i++)
		assert_int_equal(sl_wheel_open(&wheel, &heap.mem, &wrong[i], 0), -EINVAL);
	arena_close(&heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_a_tick_for_each_id_does),
		cmocka_unit_test(a_deadline_is_met_on_its_tick_when_every_tick_is_called),
		cmocka_unit_test(no_id_ever_holds_more_than_one_entry),
		cmocka_unit_test(what_waits_to_be_moved_comes_up_in_time),
		cmocka_unit_test(work_is_bounded_and_what_is_left_comes_next),
		cmocka_unit_test(what_lies_in_a_slot_half_emptied_can_be_moved),
		cmocka_unit_test(an_id_is_not_taken_for_the_chunk_of_that_number),
		cmocka_unit_test(a_million_can_be_moved),
		cmocka_unit_test(every_slot_can_have_an_entry_of_its_own),
		cmocka_unit_test(tick_0_is_the_one_behind_it),
		cmocka_unit_test(next_leads_to_the_earliest_in_a_few_stops),
		cmocka_unit_test(time_that_stands_still_or_goes_back_brings_nothing),
		cmocka_unit_test(what_is_covered_needs_no_arming),
		cmocka_unit_test(the_fast_match_equals_the_plain_one),
		cmocka_unit_test(opening_refuses_nonsense_and_takes_what_it_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
