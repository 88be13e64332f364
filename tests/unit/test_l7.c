/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_l7 - echo, discard and chargen against a client with a TCP of its own, over a wire
 * in virtual time. Host 0 serves, host 1 asks; every test runs in both families.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "link.h"
#include "talk.h"

#define SERVER 0
#define CLIENT 1
#define PORT   7
#define MINUTE (60 * SL_NS_PER_S)

static const struct link_conf lan = { .cable.delay = 50000, .seed = 1 };
static const struct link_conf bad_wire = { .cable.delay = 2 * SL_NS_PER_MS,
					   .cable.jitter = SL_NS_PER_MS,
					   .cable.loss_ppm = 5000,
					   .seed = 7 };

static struct link link;
static struct sl_core_conf conf;
static struct talk_result result;

static bool
client_is_done(void *arg)
{
	return result.closed > 0;
}

static void
open_hosts(const struct link_conf *wire, const struct sl_app *app, const void *arg,
	   const struct talk_plan *plan)
{
	talk_result_reset(&result);
	link_open(&link, wire);
	link_host_conf(&conf, SERVER);
	link_listen(&conf, PORT, app, arg);
	link_join(&link, &conf);
	link_host_conf(&conf, CLIENT);
	link_listen(&conf, 0, &talk_app, plan);
	link_join(&link, &conf);
}

/* Both ends are gone, nobody was reset, and every packet is back. */
static void
close_hosts(void)
{
	link_run(&link, 3 * MINUTE, NULL, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(link_count(&link, i, live), 0);
		assert_int_equal(link_count(&link, i, time_wait), 0);
		assert_int_equal(link_count(&link, i, reset_in), 0);
	}
	link_close(&link);
}

/* One connection by @plan, over @wire, to its ordinary end. */
static void
run_once(const struct link_conf *wire, const struct sl_app *app, const void *arg,
	 const struct talk_plan *plan, bool v6)
{
	open_hosts(wire, app, arg, plan);
	assert_int_equal(link_connect(&link, CLIENT, 0, SERVER, PORT, v6), 0);
	assert_true(link_run(&link, 60 * MINUTE, client_is_done, NULL));
	assert_int_equal(result.why, SL_REASON_FIN);
	assert_int_equal(result.wrong, 0);
}

static void
check_echo(const struct link_conf *wire, const struct talk_plan *plan)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		run_once(wire, &sl_echo, NULL, plan, v6);
		assert_int_equal(result.sent, plan->send);
		assert_int_equal(result.received, plan->send);
		assert_int_equal(result.peer_closed, 1);
		close_hosts();
	}
}

static void
echo_returns_20_megabytes_byte_for_byte(void **state)
{
	check_echo(&lan, &(struct talk_plan){ .send = 20 << 20, .result = &result });
}

static void
echo_returns_every_byte_over_a_wire_that_loses_and_reorders(void **state)
{
	check_echo(&bad_wire, &(struct talk_plan){ .send = 1 << 20, .result = &result });
}

static void
echo_answers_a_client_that_sends_nothing_but_fin(void **state)
{
	check_echo(&lan, &(struct talk_plan){ .send = 0, .result = &result });
}

static void
echo_returns_what_comes_a_byte_at_a_time(void **state)
{
	check_echo(&lan, &(struct talk_plan){ .send = 300, .write_ms = 3, .result = &result });
}

static void
echo_waits_for_a_client_that_reads_slowly(void **state)
{
	check_echo(&lan, &(struct talk_plan){ .send = 2 << 20,
					      .read_most = 3000,
					      .read_ms = 5,
					      .result = &result });
}

static void
echo_ends_when_its_client_resets_in_the_middle(void **state)
{
	struct talk_plan plan = { .send = 1 << 20, .abort_at = 100000, .result = &result };

	for (int v6 = 0; v6 <= 1; v6++) {
		open_hosts(&lan, &sl_echo, NULL, &plan);
		assert_int_equal(link_connect(&link, CLIENT, 0, SERVER, PORT, v6), 0);
		assert_true(link_run(&link, MINUTE, client_is_done, NULL));
		assert_int_equal(result.why, SL_REASON_ABORTED);
		link_run(&link, MINUTE, NULL, NULL);
		assert_int_equal(link_count(&link, SERVER, live), 0);
		assert_int_equal(link_count(&link, SERVER, reset_in), 1);
		link_close(&link);
	}
}

static void
discard_takes_all_and_says_nothing(void **state)
{
	struct talk_plan plan = { .send = 3 << 20, .result = &result };

	for (int v6 = 0; v6 <= 1; v6++) {
		run_once(&lan, &sl_discard, NULL, &plan, v6);
		assert_int_equal(result.sent, plan.send);
		assert_int_equal(result.received, 0);
		close_hosts();
	}
}

/* RFC 864, 2: the line @n of the recommended pattern. */
static void
check_line(const char *line, unsigned int n)
{
	for (unsigned int i = 0; i < 72; i++)
		assert_int_equal(line[i], 32 + (n + i) % 95);
	assert_memory_equal(line + 72, "\r\n", 2);
}

static void
chargen_sends_the_lines_of_rfc_864_until_the_client_closes(void **state)
{
	enum { LINES = 5000, BYTES = LINES * 74 };
	char *text = malloc(20000);
	uint32_t bytes = sl_pattern_fill(text, 20000);
	struct sl_chargen_conf gen = { .pattern = { text, bytes } };
	struct talk_plan plan = { .fin_at = BYTES, .got_room = BYTES, .result = &result };

	assert_int_equal(bytes, 14060);
	for (int v6 = 0; v6 <= 1; v6++) {
		run_once(&lan, &sl_chargen, &gen, &plan, v6);
		assert_true(result.received >= BYTES);
		for (unsigned int n = 0; n < LINES; n++)
			check_line(result.got + n * 74, n);
		close_hosts();
	}
	talk_result_reset(&result);
	free(text);
}

static void
chargen_without_a_pattern_refuses(void **state)
{
	static const struct sl_chargen_conf none;
	struct talk_plan plan = { .fin = TALK_FIN_NEVER, .result = &result };

	open_hosts(&lan, &sl_chargen, &none, &plan);
	assert_int_equal(link_connect(&link, CLIENT, 0, SERVER, PORT, false), 0);
	assert_true(link_run(&link, MINUTE, client_is_done, NULL));
	assert_int_equal(result.why, SL_REASON_RESET);
	assert_int_equal(link_count(&link, SERVER, app_refused), 1);
	link_close(&link);
}

static void
many_clients_at_once_get_their_own_bytes(void **state)
{
	struct talk_plan plan = { .send = 100000, .result = &result };

	open_hosts(&bad_wire, &sl_echo, NULL, &plan);
	for (int i = 0; i < 50; i++)
		assert_int_equal(link_connect(&link, CLIENT, 0, SERVER, PORT, i & 1), 0);
	link_run(&link, 10 * MINUTE, NULL, NULL);
	assert_int_equal(result.closed, 50);
	assert_int_equal(result.received, 50 * plan.send);
	assert_int_equal(result.wrong, 0);
	close_hosts();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_returns_20_megabytes_byte_for_byte),
		cmocka_unit_test(echo_returns_every_byte_over_a_wire_that_loses_and_reorders),
		cmocka_unit_test(echo_answers_a_client_that_sends_nothing_but_fin),
		cmocka_unit_test(echo_returns_what_comes_a_byte_at_a_time),
		cmocka_unit_test(echo_waits_for_a_client_that_reads_slowly),
		cmocka_unit_test(echo_ends_when_its_client_resets_in_the_middle),
		cmocka_unit_test(discard_takes_all_and_says_nothing),
		cmocka_unit_test(chargen_sends_the_lines_of_rfc_864_until_the_client_closes),
		cmocka_unit_test(chargen_without_a_pattern_refuses),
		cmocka_unit_test(many_clients_at_once_get_their_own_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
