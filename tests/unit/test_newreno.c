/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_newreno - the congestion window's bounds, whatever happens to it and in what order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/tcp.h"

static const uint16_t segments[] = { 52, 536, 1220, 1448, 8948 };

static struct sl_tcb
opened(uint16_t mss, int syn_was_resent)
{
	struct sl_tcb tcb;

	memset(&tcb, 0, sizeof(tcb));
	tcb.mss = mss;
	sl_cc_newreno.open(NULL, &tcb, syn_was_resent);
	return tcb;
}

static void
it_begins_with_ten_segments_within_the_bounds_of_rfc_6928(void **state)
{
	assert_int_equal(opened(1448, 0).cwnd, 14480);
	assert_int_equal(opened(8948, 0).cwnd, 2 * 8948);
	assert_int_equal(opened(536, 0).cwnd, 5360);
	assert_int_equal(opened(1448, 1).cwnd, 1448);
}

/* rows: CC11 */
static void
it_is_never_less_than_a_segment_and_never_overflows(void **state)
{
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		struct sl_tcb tcb = opened(segments[i], 0);
		struct rnd rnd = { .s = 1 + i };

		for (uint32_t n = 0; n < 200000; n++) {
			uint32_t bytes = (uint32_t)rnd_u64(&rnd) >> rnd_below(&rnd, 32);

			switch (rnd_below(&rnd, 400)) {
			case 0:
				sl_cc_newreno.lost(NULL, &tcb, bytes);
				break;
			case 1:
				sl_cc_newreno.timeout(NULL, &tcb, bytes);
				break;
			case 2:
				sl_cc_newreno.idle(NULL, &tcb);
				break;
			default:
				sl_cc_newreno.acked(NULL, &tcb, bytes);
			}
			assert_in_range(tcb.cwnd, tcb.mss, UINT32_MAX / 2);
			assert_in_range(tcb.ssthresh, 2u * tcb.mss, UINT32_MAX / 2 + 1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_with_ten_segments_within_the_bounds_of_rfc_6928),
		cmocka_unit_test(it_is_never_less_than_a_segment_and_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
