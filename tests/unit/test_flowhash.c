/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_flowhash - the hash by which the connection table finds a tuple: one key's for one
 * tuple, a burst's at once, and what it tells of strangers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/leaf.h"
#include "base/units.h"
#include "flowrig.h"

/* What collides under one key does not under another, and every field counts. */
static void
the_hash_depends_on_the_key_and_on_every_byte(void **state)
{
	struct flowrig a, b;
	int meet = 0;

	flowrig_open(&a, 1000, 2000, 6);
	flowrig_open(&b, 1000, 2000, 7);
	for (uint32_t t = 0; t < a.n; t++)
		meet += (flowrig_hash(&a, t) & 127) == (flowrig_hash(&b, t) & 127);
	assert_in_range(meet, 2, 50); /* 16 expected */

	for (uint32_t t = 0; t < 2; t++) { /* one of each family */
		for (unsigned int i = 0; i < 36; i++) {
			struct sl_tuple other = a.tuple[t];
			bool address = i < 32;

			if (!other.v6 && address && i % 16 < 12)
				continue;
			((uint8_t *)&other)[i] ^= 1;
			assert_true(sl_flows_hash(a.flows, &other) != flowrig_hash(&a, t));
		}
	}
	flowrig_close(&a);
	flowrig_close(&b);
}

/* Whatever the mixture of families, the number of tuples, and the width of vectors. */
static void
hashes_of_a_burst_are_those_of_its_tuples(void **state)
{
	const unsigned int width[] = { 0, SL_LEAF_256, SL_LEAF_256VL, SL_LEAF_512 };
	struct flowrig w;

	flowrig_open(&w, 1000, 2000, 11);
	for (int round = 0; round < 300; round++) {
		unsigned int bits = width[round % 4];
		const struct sl_prf_many *many =
			sl_prf_many_for(bits > 0 ? sl_leaf_bits(bits) : 0);
		const struct sl_tuple *tuple[SL_BURST];
		const struct sl_key *key[SL_BURST];
		uint64_t hash[SL_BURST], again[SL_BURST];
		uint16_t n = (uint16_t)rnd_below(&w.rnd, SL_BURST + 1);
		uint32_t t[SL_BURST];

		for (uint16_t i = 0; i < n; i++) {
			t[i] = rnd_below(&w.rnd, w.n) & ~(uint32_t)(round % 2); /* even: IPv4 */
			tuple[i] = &w.tuple[t[i]];
			key[i] = &w.conn[i].key;
			sl_key_set(&w.conn[i].key, w.key6, tuple[i]->v6 ? i : SL_NO_KEY6,
				   tuple[i]);
		}
		sl_flows_hash_burst(w.flows, many, tuple, hash, n);
		sl_flows_hash_keys(w.flows, many, key, again, n);
		for (uint16_t i = 0; i < n; i++) {
			assert_true(hash[i] == flowrig_hash(&w, t[i]));
			assert_true(again[i] == hash[i]);
		}
	}
	flowrig_close(&w);
}

/*
 * What a flood costs in a full table hangs on it: who resembles nobody has no lane. Two buckets
 * hold sixteen tags of sixteen bits, so that one stranger in four thousand may be unlucky.
 */
static void
a_full_table_resembles_all_it_holds_and_hardly_anybody_else(void **state)
{
	const uint32_t n = 250000;
	uint32_t unlucky = 0;
	struct flowrig w;

	flowrig_open(&w, n, 2 * n, 12);
	for (uint32_t t = 0; t < n; t++)
		assert_int_equal(flowrig_insert(&w, t), 0);
	for (uint32_t t = 0; t < 2 * n; t += SL_BURST) {
		uint16_t some = (uint16_t)RTE_MIN(SL_BURST, 2 * n - t);
		uint64_t hash[SL_BURST], found;

		for (uint16_t i = 0; i < some; i++)
			hash[i] = flowrig_hash(&w, t + i);
		found = sl_flows_resembling(w.flows, hash, some);
		for (uint16_t i = 0; i < some; i++) {
			assert_true(w.slot[t + i] == SL_NO_FLOW || (found >> i & 1));
			unlucky += w.slot[t + i] == SL_NO_FLOW && (found >> i & 1);
		}
		assert_true(some == SL_BURST || found >> some == 0);
	}
	assert_true(unlucky < n / 2000);
	flowrig_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_depends_on_the_key_and_on_every_byte),
		cmocka_unit_test(hashes_of_a_burst_are_those_of_its_tuples),
		cmocka_unit_test(a_full_table_resembles_all_it_holds_and_hardly_anybody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
