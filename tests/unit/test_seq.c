/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_seq - sequence numbers and ticks keep their order across the wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/seq.h"
#include "base/units.h"

/* rows: SG8 */
static void
order_survives_the_wrap(void **state)
{
	assert_true(sl_seq_lt(0xfffffff0u, 0x10u));
	assert_true(sl_seq_gt(0x10u, 0xfffffff0u));
	assert_true(sl_seq_le(7, 7));
	assert_true(sl_seq_ge(7, 7));
	assert_int_equal(sl_seq_max(0xfffffff0u, 0x10u), 0x10u);
	assert_int_equal(sl_seq_min(0xfffffff0u, 0x10u), 0xfffffff0u);
}

/* One apart or not at all, in either order and on either side of the wrap. */
static void
neighbours_are_told_apart(void **state)
{
	static const uint32_t at[] = { 0,           1,           7,          0x7fffffffu,
				       0x80000000u, 0xfffffffeu, 0xffffffffu };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint32_t a = at[i], b = a + 1;

		assert_true(sl_seq_lt(a, b) && !sl_seq_lt(a, a) && !sl_seq_lt(b, a));
		assert_true(sl_seq_le(a, b) && sl_seq_le(a, a) && !sl_seq_le(b, a));
		assert_true(sl_seq_gt(b, a) && !sl_seq_gt(a, a) && !sl_seq_gt(a, b));
		assert_true(sl_seq_ge(b, a) && sl_seq_ge(a, a) && !sl_seq_ge(a, b));
		assert_int_equal(sl_seq_max(a, b), b);
		assert_int_equal(sl_seq_min(a, b), a);
	}
}

static void
between_includes_both_ends(void **state)
{
	assert_true(sl_seq_between(0xfffffffeu, 0xfffffffeu, 2));
	assert_true(sl_seq_between(0xfffffffeu, 2, 2));
	assert_false(sl_seq_between(0xfffffffeu, 3, 2));
	assert_false(sl_seq_between(0xfffffffeu, 0xfffffffdu, 2));
}

static void
a_deadline_is_never_the_unset_value(void **state)
{
	assert_int_equal(sl_tick_after(0xffffffffu, 1), 1);
	assert_true(sl_tick_lt(0xffffffffu, sl_tick_after(0xffffffffu, 1)));
}

/* Ahead as far as it reaches and behind for the rest, wherever the clock stands. */
static void
a_deadline_in_fewer_bits_is_the_same(void **state)
{
	const uint32_t mask = 0xffff, reach = SL_TICK_REACH(mask);
	static const sl_tick_t at[] = { 0,           1,           0xfffe,      0xffff,
					0x12348001u, 0x7fffffffu, 0xffff0000u, 0xffffffffu };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (uint32_t k = 0; k < mask; k++) {
			sl_tick_t due = at[i] + reach - k;
			sl_tick_t told = sl_tick_of_low(at[i], sl_tick_low(due, mask), mask);

			if (due & mask)
				assert_int_equal(told, due);
			else /* 0 is not set: a tick later */
				assert_int_equal(told, due + 1);
		}
		assert_int_equal(sl_tick_of_low(at[i], 0, mask), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_survives_the_wrap),
		cmocka_unit_test(neighbours_are_told_apart),
		cmocka_unit_test(between_includes_both_ends),
		cmocka_unit_test(a_deadline_is_never_the_unset_value),
		cmocka_unit_test(a_deadline_in_fewer_bits_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
