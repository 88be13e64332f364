/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_slots - free indexes are handed out hot, each to one holder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <stdbool.h>

#include <cmocka.h>

#include "flow/slots.h"

enum { N = 100 };

static void
the_last_given_back_is_the_next_handed_out(void **state)
{
	uint32_t store[N];
	struct sl_slots slots;

	sl_slots_init(&slots, store, N);
	assert_int_equal(sl_slots_get(&slots), 0);
	assert_int_equal(sl_slots_get(&slots), 1);
	sl_slots_put(&slots, 0);
	assert_int_equal(sl_slots_get(&slots), 0);
	assert_int_equal(sl_slots_free_count(&slots), N - 2);
}

static void
every_index_is_handed_out_once_and_then_none(void **state)
{
	uint32_t store[N];
	struct sl_slots slots;
	bool out[N] = { 0 };

	sl_slots_init(&slots, store, N);
	for (int i = 0; i < N; i++) {
		uint32_t idx = sl_slots_get(&slots);

		assert_true(idx < N && !out[idx]);
		out[idx] = true;
		assert_int_equal(sl_slots_check(&slots), 0);
	}
	assert_int_equal(sl_slots_get(&slots), SL_NO_INDEX);

	for (uint32_t i = 0; i < N; i++)
		sl_slots_put(&slots, i * 7 % N);
	assert_int_equal(sl_slots_check(&slots), 0);
	assert_int_equal(sl_slots_free_count(&slots), N);
}

static void
an_index_given_back_twice_is_found(void **state)
{
	uint32_t store[N];
	struct sl_slots slots;

	sl_slots_init(&slots, store, N);
	for (int i = 0; i < 3; i++)
		sl_slots_get(&slots);
	sl_slots_put(&slots, 1);
	sl_slots_put(&slots, 2);
	assert_int_equal(sl_slots_check(&slots), 0);
	sl_slots_put(&slots, 1);
	assert_int_equal(sl_slots_check(&slots), -EBADMSG);
	assert_int_equal(slots.store[slots.n_free - 1], 1); /* and the marks are gone */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_given_back_is_the_next_handed_out),
		cmocka_unit_test(every_index_is_handed_out_once_and_then_none),
		cmocka_unit_test(an_index_given_back_twice_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
