/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_rtt - the retransmission time-out against RFC 6298 in real numbers, and where round
 * trips are longer than what the record has bits for.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

#define S 1000000u /* a second's microseconds */

static struct sl_tcp tcp;

/* A connection that has no sample yet. */
static void
begin(struct sl_tcb *tcb)
{
	struct sl_tcp_conf *conf = &tcp.listener[0].conf.tcp;

	memset(tcb, 0, sizeof(*tcb));
	sl_tcp_defaults(conf);
	conf->rto_min_ms = 1;
	conf->rto_max_ms = 600000;
	sl_tcb_clear(tcb);
}

static void
it_is_what_rfc_6298_says(void **state)
{
	struct rnd rnd = { .s = 6298 };

	for (uint32_t run = 0; run < 200; run++) {
		double srtt = 0, var = 0;
		struct sl_tcb tcb;

		begin(&tcb);
		assert_int_equal(sl_tcb_rto_ms(&tcp, &tcb), 1000);
		for (uint32_t n = 0; n < 200; n++) {
			uint32_t rtt = 50 + rnd_below(&rnd, 16 * S >> run % 16);

			sl_timer_rtt(&tcb, rtt);
			if (n == 0) {
				srtt = rtt;
				var = rtt / 2.0;
			} else {
				var += (fabs(srtt - rtt) - var) / 4;
				srtt += (rtt - srtt) / 8;
			}
			assert_true(fabs(ceil((srtt + fmax(1000, 4 * var)) / 1000) -
					 sl_tcb_rto_ms(&tcp, &tcb)) <= 1);
		}
	}
}

static void
it_is_longer_than_a_round_trip_of_any_length(void **state)
{
	static const uint32_t after_us[] = { 0, 100, S, 33 * S, 34 * S };

	for (uint32_t i = 0; i < sizeof(after_us) / sizeof(after_us[0]); i++) {
		for (uint32_t rtt = 1; rtt < 260 * S; rtt += rtt / 8 + 1) {
			struct sl_tcb tcb;

			begin(&tcb);
			for (uint32_t n = 0; n < 50 && after_us[i] > 0; n++)
				sl_timer_rtt(&tcb, after_us[i]);
			for (uint32_t n = 0; n < 100; n++) {
				sl_timer_rtt(&tcb, rtt);
				if (n > 20 || i == 0)
					assert_true(sl_tcb_rto_ms(&tcp, &tcb) >= rtt / 1000);
			}
		}
	}
}

static void
nothing_overflows(void **state)
{
	struct rnd rnd = { .s = 1 };
	struct sl_tcb tcb;

	begin(&tcb);
	tcb.acks_owed = tcb.why = 5;
	for (uint32_t n = 0; n < 1000000; n++) {
		sl_timer_rtt(&tcb, (uint32_t)rnd_u64(&rnd) >> rnd_below(&rnd, 32));
		assert_in_range(sl_tcb_rto_ms(&tcp, &tcb), 1, 600000);
		assert_true(tcb.srtt_us8 > 0);
	}
	assert_int_equal(tcb.acks_owed, 5);
	assert_int_equal(tcb.why, 5);
	for (uint32_t n = 0; n < 100; n++) /* and what was too long is forgotten */
		sl_timer_rtt(&tcb, 1000);
	assert_in_range(sl_tcb_rto_ms(&tcp, &tcb), 2, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_rfc_6298_says),
		cmocka_unit_test(it_is_longer_than_a_round_trip_of_any_length),
		cmocka_unit_test(nothing_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
