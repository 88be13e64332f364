/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_rest - a core that nobody sends anything for months, and then somebody does.
 *
 * Ticks are 32 bits of milliseconds and have an order only within 24 days. A worker steps its
 * core when packets come or sl_core_next() says so, and tells it the time of day meanwhile:
 * that must be enough for the clocks to stay in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "solo.h"

#define HOUR (3600 * SL_NS_PER_S)

static struct solo solo;

/* As a worker without packets: events, and steps only when asked for. Returns how many. */
static unsigned int
rest(unsigned int hours)
{
	unsigned int steps = 0;

	while (hours-- > 0) {
		struct sl_event clock = { .kind = SL_EVENT_CLOCK };

		solo.now += HOUR;
		clock.tai_ms = solo.conf.tai_ms + solo.now / SL_NS_PER_MS;
		sl_core_event(solo.core, solo.now, &clock);
		if (sl_core_next(solo.core) <= solo.now) {
			solo_step(&solo);
			steps++;
		}
		assert_true(sl_core_next(solo.core) > solo.now);
	}
	return steps;
}

/* rows: RT1 [v4 v6] */
static void
timers_go_off_after_any_number_of_idle_days(void **state)
{
	static const unsigned int days[] = { 1, 13, 24, 25, 30, 49, 50, 75, 300 };

	for (unsigned int i = 0; i < 2 * sizeof(days) / sizeof(days[0]); i++) {
		struct sl_seg_out syn = { .seq = 7, .flags = SL_SYN, .wnd = 1000 };

		solo_init(&solo, i % 2, &sl_discard, NULL);
		solo.conf.listener[0].tcp.cookies = SL_COOKIES_NEVER;
		solo_open(&solo);
		assert_in_range(rest(24 * days[i / 2]), days[i / 2] / 13, days[i / 2] / 12 + 1);
		solo_send(&solo, &syn, NULL, 0);
		solo_step(&solo);
		assert_int_equal(solo.n_out, 1);
		solo_pass(&solo, 1001);
		assert_int_equal(solo.n_out, 2); /* the SYN-ACK again, after a second */
		solo_pass(&solo, 70000);
		assert_int_equal(sl_core_stats(solo.core)->count[SL_CNT_live], 0);
		solo_close(&solo);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_go_off_after_any_number_of_idle_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
