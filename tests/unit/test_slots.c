/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_slots - free indexes are handed out hot, each to one holder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "flow/slots.h"

enum { N = 100 };

struct record {
	uint64_t others;
	uint32_t link, behind;
};

static struct record record[N];

static struct sl_slots
all_free(void)
{
	struct sl_slots slots;

	memset(record, 0x5a, sizeof(record));
	sl_slots_init(&slots, &record[0].link, sizeof(record[0]), N);
	return slots;
}

static void
the_last_given_back_is_the_next_handed_out(void **state)
{
	struct sl_slots slots = all_free();

	assert_int_equal(sl_slots_get(&slots), 0);
	assert_int_equal(sl_slots_get(&slots), 1);
	sl_slots_put(&slots, 0);
	assert_int_equal(sl_slots_get(&slots), 0);
	assert_int_equal(sl_slots_free_count(&slots), N - 2);
}

static void
every_index_is_handed_out_once_and_then_none(void **state)
{
	struct sl_slots slots = all_free();
	bool out[N] = { 0 };

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
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(sl_slots_get(&slots), (N - 1 - i) * 7 % N);
	assert_int_equal(sl_slots_get(&slots), SL_NO_INDEX);
}

/* A reader on another core may be looking at the rest of a free record. */
static void
nothing_but_the_link_is_written(void **state)
{
	struct sl_slots slots = all_free();

	for (int i = 0; i < N; i++)
		sl_slots_get(&slots);
	for (uint32_t i = 0; i < N; i++)
		sl_slots_put(&slots, i);
	for (uint32_t i = 0; i < N; i++) {
		assert_int_equal(record[i].others, 0x5a5a5a5a5a5a5a5a);
		assert_int_equal(record[i].behind, 0x5a5a5a5a);
	}
}

static void
an_index_given_back_twice_is_found(void **state)
{
	struct sl_slots slots = all_free();

	for (int i = 0; i < 3; i++)
		sl_slots_get(&slots);
	sl_slots_put(&slots, 1);
	sl_slots_put(&slots, 2);
	assert_int_equal(sl_slots_check(&slots), 0);
	sl_slots_put(&slots, 1);
	assert_int_equal(sl_slots_check(&slots), -EBADMSG);
}

static void
a_link_that_leads_astray_is_found(void **state)
{
	struct sl_slots slots = all_free();

	for (int i = 0; i < 3; i++)
		sl_slots_get(&slots);
	for (uint32_t i = 0; i < 3; i++)
		sl_slots_put(&slots, i);
	record[1].link = 3; /* never handed out */
	assert_int_equal(sl_slots_check(&slots), -EBADMSG);
	record[1].link = SL_NO_INDEX; /* one is lost */
	assert_int_equal(sl_slots_check(&slots), -EBADMSG);
	record[1].link = 0;
	assert_int_equal(sl_slots_check(&slots), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_given_back_is_the_next_handed_out),
		cmocka_unit_test(every_index_is_handed_out_once_and_then_none),
		cmocka_unit_test(nothing_but_the_link_is_written),
		cmocka_unit_test(an_index_given_back_twice_is_found),
		cmocka_unit_test(a_link_that_leads_astray_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
