/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_ledger - what a person reads about counters, and what ports say for it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ledger.h"
#include "engine/port.h"

static char *text;
static size_t length;

/* What each port says of itself; not there: -ENODEV. */
static struct {
	bool there;
	uint64_t imissed, rx_nombuf;
} says[2];

/* In place of ethdev's. */
int
rte_eth_stats_get(uint16_t id, struct rte_eth_stats *stats)
{
	if (!says[id].there)
		return -ENODEV;
	memset(stats, 0, sizeof(*stats));
	stats->imissed = says[id].imissed;
	stats->rx_nombuf = says[id].rx_nombuf;
	return 0;
}

static FILE *
paper(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &length);
}

static int
burn(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

static void
the_table_has_what_is_not_zero_and_nothing_else(void **state)
{
	struct sl_stats s = { 0 };
	FILE *to = paper();

	s.count[SL_CNT_rx] = 7;
	s.fate[SL_FATE_arp_in] = 3;
	s.fate[SL_FATE_steer_full] = 4;
	sl_ledger_table(to, &s, 1000, 0);
	fclose(to);

	assert_non_null(strstr(text, "  rx                                      7  "));
	assert_non_null(
		strstr(text, "  arp_in                                  3  ARP taken\n"));
	assert_non_null(strstr(text, "  sum of fates                            7  = rx\n"));
	assert_non_null(strstr(text, "buffers: 1000, 0 leaked\n"));
	assert_null(strstr(text, "retransmit"));
	assert_null(strstr(text, "arp_bad"));
}

static void
a_sum_of_fates_that_is_not_rx_is_said_aloud(void **state)
{
	struct sl_stats s = { 0 };
	FILE *to = paper();

	s.count[SL_CNT_rx] = 7;
	s.fate[SL_FATE_arp_in] = 3;
	sl_ledger_table(to, &s, 1000, 2);
	fclose(to);

	assert_non_null(strstr(text, "DIFFERS FROM rx"));
	assert_non_null(strstr(text, "2 leaked"));
}

static void
a_line_has_rates_for_what_grows_and_values_for_what_is(void **state)
{
	struct sl_stats then = { 0 }, now = { 0 };
	FILE *to = paper();
	unsigned long long rx, tx, syn, live, lost;

	then.count[SL_CNT_rx] = 1000;
	now.count[SL_CNT_rx] = 3000;
	then.count[SL_CNT_live] = 50;
	now.count[SL_CNT_live] = 40;
	then.count[SL_CNT_tx_dropped] = then.fate[SL_FATE_steer_full] = 1000;
	now.count[SL_CNT_tx_dropped] = 1010;
	now.fate[SL_FATE_steer_full] = 1200;
	now.fate[SL_FATE_no_buffer] = 3000;
	now.fate[SL_FATE_no_room] = 40000;
	now.fate[SL_FATE_tcp_stray_quiet] = 5; /* on purpose */
	sl_ledger_line(to, &then, &now, 500000, 2.0);
	fclose(to);

	assert_int_equal(sscanf(text, "%llu %llu %llu %*u %*u %*u %*u %*u %llu %*u %*u %llu",
				&rx, &tx, &syn, &live, &lost),
			 5);
	assert_int_equal(rx, 1000);
	assert_int_equal(tx, 0);
	assert_int_equal(live, 40);
	assert_int_equal(lost, (10 + 200 + 3000 + 40000 + 500000) / 2);
}

static void
a_line_is_as_wide_as_its_heading(void **state)
{
	struct sl_stats then = { 0 }, now = { 0 };
	FILE *to = paper();
	size_t head;

	now.count[SL_CNT_rx] = 12345678;
	sl_ledger_head(to);
	fflush(to);
	head = length;
	sl_ledger_line(to, &then, &now, 0, 1.0);
	fclose(to);
	assert_int_equal(length, 2 * head);
}

static void
stats_add_up_word_by_word(void **state)
{
	struct sl_stats sum = { 0 }, one = { 0 };

	one.count[SL_CNT_COUNT - 1] = 5;
	one.fate[SL_FATE_COUNT - 1] = 6;
	sl_stats_add(&sum, &one);
	sl_stats_add(&sum, &one);
	assert_int_equal(sum.count[SL_CNT_COUNT - 1], 10);
	assert_int_equal(sum.fate[SL_FATE_COUNT - 1], 12);
	assert_int_equal(sum.count[0], 0);
}

/* Attempts to get a buffer that failed are no packets; those are missed later, once. */
static void
a_port_tells_what_it_missed_since_it_was_asked_last(void **state)
{
	static struct sl_port port = { .id = 0, .started = true };

	says[0].there = true;
	says[0].imissed = 1000;
	assert_int_equal(sl_port_missed(&port), 1000);
	assert_int_equal(sl_port_missed(&port), 0);
	says[0].imissed = 1007;
	says[0].rx_nombuf = 500;
	assert_int_equal(sl_port_missed(&port), 7);
}

static void
a_port_that_is_gone_hides_nothing_of_another(void **state)
{
	static struct sl_port port[2] = { { .id = 0, .started = true },
					  { .id = 1, .started = true } };

	says[0].there = says[1].there = true;
	says[0].imissed = says[1].imissed = 1000;
	for (int i = 0; i < 2; i++)
		assert_int_equal(sl_port_missed(&port[i]), 1000);
	says[0].there = false;
	says[1].imissed = 1010;
	assert_int_equal(sl_port_missed(&port[0]), 0);
	assert_int_equal(sl_port_missed(&port[1]), 10);
	says[0].there = true;
	assert_int_equal(sl_port_missed(&port[0]), 0);
	says[0].imissed = 4; /* it began again */
	assert_int_equal(sl_port_missed(&port[0]), 0);
	says[0].imissed = 7;
	assert_int_equal(sl_port_missed(&port[0]), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_what_is_not_zero_and_nothing_else),
		cmocka_unit_test(a_sum_of_fates_that_is_not_rx_is_said_aloud),
		cmocka_unit_test(a_line_has_rates_for_what_grows_and_values_for_what_is),
		cmocka_unit_test(a_line_is_as_wide_as_its_heading),
		cmocka_unit_test(a_port_tells_what_it_missed_since_it_was_asked_last),
		cmocka_unit_test(a_port_that_is_gone_hides_nothing_of_another),
		cmocka_unit_test(stats_add_up_word_by_word),
	};

	return cmocka_run_group_tests(tests, NULL, burn);
}
