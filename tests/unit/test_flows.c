/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_flows - the connection table does what an obvious map does, also when it is full,
 * when hashes collide, and when another core is reading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/units.h"
#include "flow/tags.h"
#include "flowrig.h"

static void
take_out(struct flowrig *w, uint32_t t)
{
	assert_true(sl_flows_remove(w->flows, flowrig_hash(w, t), w->slot[t]));
	flowrig_give(w, w->slot[t]);
	w->slot[t] = SL_NO_FLOW;
}

/* What a connection does when it enters TIME-WAIT, and TIME-WAIT when it is left again. */
static void
change_record(struct flowrig *w, uint32_t t)
{
	uint32_t old = w->slot[t];
	uint32_t new = flowrig_take(w, t, !(old & SL_FLOW_TW));

	assert_true(sl_flows_replace(w->flows, flowrig_hash(w, t), old, new));
	flowrig_give(w, old);
	w->slot[t] = new;
}

/* Look a burst of random tuples up and compare with the array; false if they differ. */
static bool
burst_agrees(struct flowrig *w)
{
	const struct sl_tuple *tuple[SL_BURST];
	uint32_t slot[SL_BURST], t[SL_BURST];
	uint64_t hash[SL_BURST];
	uint16_t n = (uint16_t)(1 + rnd_below(&w->rnd, SL_BURST));

	for (uint16_t i = 0; i < n; i++) {
		t[i] = rnd_below(&w->rnd, w->n);
		tuple[i] = &w->tuple[t[i]];
		hash[i] = flowrig_hash(w, t[i]);
	}
	sl_flows_lookup(w->flows, tuple, hash, slot, n);
	for (uint16_t i = 0; i < n; i++) {
		if (slot[i] != w->slot[t[i]] ||
		    sl_flows_find(w->flows, tuple[i], hash[i]) != slot[i] ||
		    sl_flows_find_foreign(w->flows, tuple[i], hash[i]) != slot[i])
			return false;
	}
	return true;
}

/* Every tuple is found or not as the array says, and the invariants hold. */
static bool
all_agree(struct flowrig *w)
{
	uint32_t n = 0;

	for (uint32_t t = 0; t < w->n; t++) {
		if (sl_flows_find(w->flows, &w->tuple[t], flowrig_hash(w, t)) != w->slot[t])
			return false;
		n += w->slot[t] != SL_NO_FLOW;
	}
	return n == sl_flows_count(w->flows) && sl_flows_check(w->flows) == 0;
}

static void
random_step(struct flowrig *w, uint32_t entries)
{
	uint32_t t = rnd_below(&w->rnd, w->n);

	if (w->slot[t] == SL_NO_FLOW) {
		assert_false(sl_flows_remove(w->flows, flowrig_hash(w, t), 5));
		assert_false(sl_flows_replace(w->flows, flowrig_hash(w, t), 5, 6));
		if (sl_flows_count(w->flows) < entries)
			assert_int_equal(flowrig_insert(w, t), 0);
	} else if (rnd_below(&w->rnd, 3) == 0) {
		change_record(w, t);
	} else if (rnd_below(&w->rnd, 16) != 0) {
		return; /* so that the table stays near its limit */
	} else {
		take_out(w, t);
	}
}

static void
it_does_what_an_array_does(void **state)
{
	/* 1740 of 2048 ways: the highest load it is ever asked to bear. */
	const uint32_t entries = 1740;

	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct flowrig w;
		bool good = true;

		flowrig_open(&w, entries, 2500, seed);
		for (int i = 0; i < 30000 && good; i++) {
			random_step(&w, entries);
			if (i % 16 == 0)
				good = burst_agrees(&w);
			if (i % 1000 == 0)
				good = good && all_agree(&w);
		}
		good = good && all_agree(&w) && sl_flows_count(w.flows) > entries * 9 / 10;
		if (!good)
			fail_msg("seed %llu", (unsigned long long)seed);
		flowrig_close(&w);
	}
}

/* Small tables are where chance has the widest swing. */
static void
what_it_was_opened_for_always_fits(void **state)
{
	/* From 6964 on a table has more than one block, from 200000 on larger and fuller ones;
	 * these are as full as can be. */
	const uint32_t entries[] = { 1, 108, 217, 435, 870, 6963, 20889, 27852, 217907 };
	const int rounds[] = { 10, 4000, 1000, 500, 200, 16, 8, 8, 2 };

	for (unsigned int k = 0; k < sizeof(entries) / sizeof(entries[0]); k++) {
		for (int round = 0; round < rounds[k]; round++) {
			struct flowrig w;

			flowrig_open(&w, entries[k], entries[k], 77 + (uint64_t)round);
			for (uint32_t t = 0; t < entries[k]; t++)
				assert_int_equal(flowrig_insert(&w, t), 0);
			assert_int_equal(sl_flows_count(w.flows), entries[k]);
			if (round % 100 == 0)
				assert_true(all_agree(&w));
			flowrig_close(&w);
		}
	}
}

/* As full as a table is ever asked to be, while flows come and go. */
static void
what_comes_and_goes_in_a_full_table_always_fits(void **state)
{
	enum { ENTRIES = 217907, OUT = 1000 }; /* 95 of 100 ways of seven blocks */
	uint32_t out[OUT];
	struct flowrig w;

	flowrig_open(&w, ENTRIES, ENTRIES + OUT, 91);
	for (uint32_t t = 0; t < ENTRIES; t++)
		assert_int_equal(flowrig_insert(&w, t), 0);
	for (uint32_t k = 0; k < OUT; k++)
		out[k] = ENTRIES + k;
	for (uint32_t i = 0; i < 4 * ENTRIES; i++) {
		uint32_t t = rnd_below(&w.rnd, w.n), k = rnd_below(&w.rnd, OUT);

		if (w.slot[t] == SL_NO_FLOW)
			continue;
		take_out(&w, t);
		assert_int_equal(flowrig_insert(&w, out[k]), 0);
		out[k] = t;
	}
	assert_int_equal(sl_flows_count(w.flows), ENTRIES);
	assert_true(all_agree(&w));
	flowrig_close(&w);
}

/* No power of two is rounded up to, and what is left over of the last block is little. */
static void
a_big_table_takes_nine_bytes_an_entry(void **state)
{
	for (uint32_t entries = 100000; entries < 60000000; entries += entries / 7)
		assert_in_range(sl_flows_bytes(entries), 8ull * entries, 10ull * entries);
	for (uint32_t entries = 500000; entries < 60000000; entries += entries / 7)
		assert_in_range(sl_flows_bytes(entries), 8ull * entries, 9ull * entries);
}

static void
a_full_table_refuses_and_stays_as_it_was(void **state)
{
	struct flowrig w;
	uint32_t refused = 0;

	flowrig_open(&w, 100, 400, 3);
	for (uint32_t t = 0; t < w.n; t++) {
		int rc = flowrig_insert(&w, t);

		assert_true(rc == 0 || rc == -ENOSPC);
		refused += rc < 0;
		if (rc < 0)
			assert_true(all_agree(&w));
	}
	assert_true(refused >= 400 - 128 && refused < 400 - 108);

	for (uint32_t t = 0; t < w.n; t++) {
		if (w.slot[t] != SL_NO_FLOW)
			take_out(&w, t);
	}
	assert_int_equal(sl_flows_count(w.flows), 0);
	assert_true(all_agree(&w));
	flowrig_close(&w);
}

/* Hashes are arguments, so a test can make the collisions that the key denies others. */
static void
equal_hashes_fill_two_buckets_and_no_more(void **state)
{
	const uint64_t hash = 0x1234000000000005ull;
	struct flowrig w;

	flowrig_open(&w, 1000, 40, 4);
	for (uint32_t t = 0; t < 20; t++) {
		uint32_t idx = flowrig_take(&w, t, false);

		assert_int_equal(sl_flows_insert(w.flows, hash, idx), t < 16 ? 0 : -ENOSPC);
		w.slot[t] = t < 16 ? idx : SL_NO_FLOW;
		for (uint32_t i = 0; i <= t; i++)
			assert_true(sl_flows_find(w.flows, &w.tuple[i], hash) == w.slot[i]);
	}
	for (uint32_t t = 0; t < 16; t++) {
		assert_true(sl_flows_remove(w.flows, hash, w.slot[t]));
		assert_false(sl_flows_remove(w.flows, hash, w.slot[t]));
		assert_true(sl_flows_find(w.flows, &w.tuple[t], hash) == SL_NO_FLOW);
	}
	assert_int_equal(sl_flows_check(w.flows), 0);
	flowrig_close(&w);
}

/* One home, many tags that its filter cannot tell apart: the count must not run over. */
static void
a_filter_that_is_full_refuses_instead_of_lying(void **state)
{
	uint32_t n = 0;
	struct flowrig w;

	flowrig_open(&w, 1000, 64, 5);
	for (uint32_t t = 0; t < w.n; t++) {
		uint32_t idx = flowrig_take(&w, t, false);
		uint64_t hash = (0x5000ull + 2 * t) << 48 | 9;

		if (sl_flows_insert(w.flows, hash, idx) == 0) {
			w.slot[t] = idx;
			n++;
		}
	}
	assert_int_equal(n, 8 + 15);
	for (uint32_t t = 0; t < w.n; t++) {
		uint64_t hash = (0x5000ull + 2 * t) << 48 | 9;

		assert_true(sl_flows_find(w.flows, &w.tuple[t], hash) == w.slot[t]);
		if (w.slot[t] != SL_NO_FLOW)
			assert_true(sl_flows_remove(w.flows, hash, w.slot[t]));
	}
	assert_int_equal(sl_flows_check(w.flows), 0);
	flowrig_close(&w);
}

/*
 * Of IPv6 the index and a zero stand where IPv4 has its addresses: who asks for the one is
 * not answered with the other, even if both hash alike.
 */
static void
an_index_is_not_taken_for_an_address(void **state)
{
	struct flowrig w;

	flowrig_open(&w, 1000, 2000, 12);
	for (uint32_t t = 0; t < 100; t++)
		assert_int_equal(flowrig_insert(&w, t), 0);
	for (uint32_t t = 0; t < 100; t++) {
		struct sl_tuple other = w.tuple[t];
		uint64_t hash = flowrig_hash(&w, t);
		const struct sl_tuple *at = &other;
		uint32_t slot = 0;

		if (other.v6) {
			other.remote = sl_addr_v4(0);
			other.remote.w[3] = w.conn[w.slot[t]].key.remote;
			other.local = sl_addr_v4(0);
		} else {
			memset(&other.remote, 0, sizeof(other.remote));
			memset(&other.local, 0, sizeof(other.local));
		}
		other.v6 ^= 1;
		sl_flows_lookup(w.flows, &at, &hash, &slot, 1);
		assert_int_equal(slot, SL_NO_FLOW);
		assert_int_equal(sl_flows_find(w.flows, &other, hash), SL_NO_FLOW);
		assert_int_equal(sl_flows_find_foreign(w.flows, &other, hash), SL_NO_FLOW);
		assert_int_equal(sl_flows_find_foreign(w.flows, &w.tuple[t], hash), w.slot[t]);
	}
	flowrig_close(&w);
}

static void
check_notices_a_record_that_changed_its_name(void **state)
{
	struct flowrig w;

	flowrig_open(&w, 100, 100, 8);
	for (uint32_t t = 0; t < 50; t++)
		assert_int_equal(flowrig_insert(&w, t), 0);
	assert_int_equal(sl_flows_check(w.flows), 0);
	w.conn[w.slot[20]].key.rport ^= 1;
	assert_int_equal(sl_flows_check(w.flows), -EBADMSG);
	w.conn[w.slot[20]].key.rport ^= 1;
	assert_int_equal(sl_flows_check(w.flows), 0);
	flowrig_close(&w);
}

static void
the_fast_match_equals_the_plain_one(void **state)
{
	struct rnd rnd = { 9 };

	for (int i = 0; i < 10000; i++) {
		_Alignas(16) uint16_t tag[SL_TAGS];
		uint16_t want = (uint16_t)rnd_u64(&rnd);

		for (int k = 0; k < SL_TAGS; k++)
			tag[k] = rnd_below(&rnd, 3) ? (uint16_t)rnd_u64(&rnd) : want;
		assert_int_equal(sl_tags_match(tag, want), sl_tags_match_plain(tag, want));
		assert_int_equal(sl_tags_match(tag, 0), sl_tags_match_plain(tag, 0));
	}
}

static void
opening_refuses_nonsense_and_takes_what_it_said(void **state)
{
	struct flowrig_record records[2];
	struct sl_flows_conf conf = { .entries = 1000,
				      .conn = records,
				      .conn_stride = sizeof(struct flowrig_record) };
	struct arena heap;
	struct sl_flows *flows;

	for (uint32_t take = 1; take <= 2; take++) {
		arena_open(&heap);
		heap.fail_at = take;
		assert_int_equal(sl_flows_open(&flows, &heap.mem, &conf), -ENOMEM);
		arena_close(&heap);
	}
	arena_open(&heap);
	assert_int_equal(sl_flows_open(&flows, &heap.mem, &conf), 0);
	assert_int_equal(heap.mem.taken, sl_flows_bytes(1000));
	conf.entries = 0;
	assert_int_equal(sl_flows_open(&flows, &heap.mem, &conf), -EINVAL);
	conf.entries = 1000;
	conf.conn_stride = 8;
	assert_int_equal(sl_flows_open(&flows, &heap.mem, &conf), -EINVAL);
	arena_close(&heap);
}

/* The reader asks for the first STAY tuples, which are always in; any miss is a lie. */
enum { STAY = 64 };

struct reader {
	const struct flowrig *w;
	_Atomic bool stop, begun;
	uint64_t n_found, n_missed;
};

static void *
read_on(void *arg)
{
	struct reader *r = arg;
	uint64_t hash[STAY];

	for (uint32_t t = 0; t < STAY; t++)
		hash[t] = flowrig_hash(r->w, t);
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		for (uint32_t t = 0; t < STAY; t++) {
			uint32_t idx =
				sl_flows_find_foreign(r->w->flows, &r->w->tuple[t], hash[t]);

			r->n_found += idx != SL_NO_FLOW;
			r->n_missed += idx == SL_NO_FLOW;
		}
		atomic_store_explicit(&r->begun, true, memory_order_relaxed);
	}
	return NULL;
}

/* Others come and go at the highest load, which moves those that stay; some change records. */
static void
a_reader_on_another_core_never_misses_who_stays(void **state)
{
	const uint32_t entries = 217;
	struct flowrig w;
	struct reader reader = { .w = &w };
	pthread_t thread;

	flowrig_open(&w, entries, 600, 10);
	for (uint32_t t = 0; t < entries; t++)
		assert_int_equal(flowrig_insert(&w, t), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
	while (!atomic_load_explicit(&reader.begun, memory_order_relaxed))
		sched_yield(); /* a busy machine may take its time to run it */

	for (int i = 0; i < 200000; i++) {
		uint32_t out = STAY + rnd_below(&w.rnd, w.n - STAY);

		change_record(&w, rnd_below(&w.rnd, STAY));
		if (w.slot[out] != SL_NO_FLOW)
			take_out(&w, out);
		else if (sl_flows_count(w.flows) < entries)
			flowrig_insert(&w, out);
	}

	atomic_store_explicit(&reader.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	assert_int_equal(reader.n_missed, 0);
	assert_true(reader.n_found > 0);
	assert_true(all_agree(&w));
	flowrig_close(&w);
}

/*
 * One record that is renamed all the time, in and out of the table under one hash, so that its
 * entry looks the same; the reader asks for names made of two of its own.
 */
enum { NAMES = 4, TURNS = 200000 };

struct asker {
	const struct flowrig *w;
	struct sl_tuple mixed[NAMES];
	_Atomic bool stop, begun;
	uint64_t n_found;
};

static const uint64_t one_hash = 0x1234000000000005ull;

static void *
ask_on(void *arg)
{
	struct asker *a = arg;

	while (!atomic_load_explicit(&a->stop, memory_order_relaxed)) {
		for (uint32_t k = 0; k < NAMES; k++)
			a->n_found += sl_flows_find_foreign(a->w->flows, &a->mixed[k],
							    one_hash) != SL_NO_FLOW;
		atomic_store_explicit(&a->begun, true, memory_order_relaxed);
	}
	return NULL;
}

static void
a_reader_on_another_core_never_takes_halves_of_two_names_for_one(void **state)
{
	struct asker asker = { .stop = false };
	struct sl_tuple *name;
	pthread_t thread;
	struct flowrig w;

	flowrig_open(&w, 100, 2 * NAMES, 12);
	asker.w = &w;
	name = w.tuple;
	for (uint32_t k = 0; k < NAMES; k++) { /* every second one is of IPv6 */
		asker.mixed[k] = name[k];
		asker.mixed[k].rport = name[(k + 2) % NAMES].rport; /* ports are one word */
		asker.mixed[k].lport = name[(k + 2) % NAMES].lport;
	}
	assert_int_equal(pthread_create(&thread, NULL, ask_on, &asker), 0);
	while (!atomic_load_explicit(&asker.begun, memory_order_relaxed))
		sched_yield();

	for (uint32_t i = 0; i < 2 * TURNS; i++) {
		const struct sl_tuple *t = &name[i % 2 * 2 + i / TURNS];

		sl_key_set(&w.conn[0].key, w.key6, t->v6 ? 0 : SL_NO_KEY6, t);
		assert_int_equal(sl_flows_insert(w.flows, one_hash, 0), 0);
		assert_true(sl_flows_remove(w.flows, one_hash, 0));
	}

	atomic_store_explicit(&asker.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	assert_int_equal(asker.n_found, 0);
	flowrig_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_an_array_does),
		cmocka_unit_test(what_it_was_opened_for_always_fits),
		cmocka_unit_test(what_comes_and_goes_in_a_full_table_always_fits),
		cmocka_unit_test(a_big_table_takes_nine_bytes_an_entry),
		cmocka_unit_test(a_full_table_refuses_and_stays_as_it_was),
		cmocka_unit_test(equal_hashes_fill_two_buckets_and_no_more),
		cmocka_unit_test(a_filter_that_is_full_refuses_instead_of_lying),
		cmocka_unit_test(an_index_is_not_taken_for_an_address),
		cmocka_unit_test(check_notices_a_record_that_changed_its_name),
		cmocka_unit_test(the_fast_match_equals_the_plain_one),
		cmocka_unit_test(opening_refuses_nonsense_and_takes_what_it_said),
		cmocka_unit_test(a_reader_on_another_core_never_misses_who_stays),
		cmocka_unit_test(
			a_reader_on_another_core_never_takes_halves_of_two_names_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
