/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_proxy - clients, a proxy and two backends, each with a TCP of its own, on one wire in
 * virtual time.
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

enum { PROXY, CLIENT, BACK_A, BACK_B, N_HOSTS, NOBODY = 77 };

#define FRONT_PORT  8080
#define BACK_PORT   80
#define CLOSED_PORT 81
#define MINUTE      (60 * SL_NS_PER_S)

static const struct link_conf lan = { .cable.delay = 50000, .seed = 1 };

static struct link link;
static struct sl_core_conf core;
static struct sl_proxy_conf proxy;
static uint32_t proxy_connections; /* 0: as usual */
static struct talk_result client, backend[2];
static struct talk_plan client_plan, backend_plan[2];
static const struct sl_app *backend_app;

static int
set_up(void **state)
{
	proxy = (struct sl_proxy_conf){ .connect_ms = 3000, .idle_ms = 60000 };
	proxy_connections = 0;
	backend_app = &talk_app;
	talk_result_reset(&client);
	client_plan = (struct talk_plan){ .result = &client };
	for (int i = 0; i < 2; i++) {
		talk_result_reset(&backend[i]);
		backend_plan[i] = (struct talk_plan){ .result = &backend[i] };
	}
	return 0;
}

static void
add_backend(unsigned int host, uint16_t port, bool v6)
{
	proxy.backend[proxy.n_backends].addr = link_addr(host, v6);
	proxy.backend[proxy.n_backends++].port = port;
}

static bool
client_is_done(void *arg)
{
	return client.closed > 0;
}

static void
open_hosts(const struct link_conf *wire)
{
	link_open(&link, wire);
	link_host_conf(&core, PROXY);
	if (proxy_connections > 0)
		core.connections = proxy_connections;
	link_listen(&core, FRONT_PORT, &sl_proxy, &proxy);
	link_join(&link, &core);
	link_host_conf(&core, CLIENT);
	link_listen(&core, 0, &talk_app, &client_plan);
	link_join(&link, &core);
	for (int i = 0; i < 2; i++) {
		link_host_conf(&core, BACK_A + i);
		link_listen(&core, BACK_PORT, backend_app, &backend_plan[i]);
		link_join(&link, &core);
	}
}

static void
connect_client(bool v6)
{
	assert_int_equal(link_connect(&link, CLIENT, 0, PROXY, FRONT_PORT, v6), 0);
}

/* One client by its plan, until it has seen the end. */
static void
run_client(const struct link_conf *wire, bool v6)
{
	open_hosts(wire);
	connect_client(v6);
	assert_true(link_run(&link, 60 * MINUTE, client_is_done, NULL));
}

/*
 * All connections come to their end by themselves; the proxy reset some, or none. (A
 * reset that goes out to a late duplicate and ends nothing does not count.)
 */
static void
close_hosts(bool resets)
{
	uint64_t n_resets = 0;

	link_run(&link, 5 * MINUTE, NULL, NULL);
	for (unsigned int i = 0; i < N_HOSTS; i++) {
		assert_int_equal(link_count(&link, i, live), 0);
		assert_int_equal(link_count(&link, i, time_wait), 0);
		if (i != PROXY)
			n_resets += link_count(&link, i, reset_in);
	}
	assert_int_equal(n_resets > 0, resets);
	link_close(&link);
}

/* Both ends got all the other sent, and the end in order. */
static void
check_delivered(uint64_t to_backend, uint64_t to_client)
{
	assert_int_equal(client.why, SL_REASON_FIN);
	assert_int_equal(client.received, to_client);
	assert_int_equal(client.wrong, 0);
	close_hosts(false);
	assert_int_equal(backend[0].closed, 1);
	assert_int_equal(backend[0].why, SL_REASON_FIN);
	assert_int_equal(backend[0].received, to_backend);
	assert_int_equal(backend[0].wrong, 0);
}

/* Carry out both plans in every pairing of families, and check that all was delivered. */
static void
check_all_families(const struct link_conf *wire)
{
	struct talk_plan plan[2] = { client_plan, backend_plan[0] };

	for (int pair = 0; pair < 4; pair++) {
		set_up(NULL);
		client_plan = plan[0];
		backend_plan[0] = plan[1];
		add_backend(BACK_A, BACK_PORT, pair & 1);
		run_client(wire, pair & 2);
		check_delivered(client_plan.send, backend_plan[0].send);
	}
}

static void
bytes_go_both_ways_at_once(void **state)
{
	client_plan.send = 3 << 20;
	backend_plan[0].send = 2 << 20;
	check_all_families(&lan);
}

static void
twenty_megabytes_through_proxy_and_echo_arrive_byte_for_byte(void **state)
{
	backend_app = &sl_echo;
	client_plan.send = 20 << 20;
	add_backend(BACK_A, BACK_PORT, false);
	run_client(&lan, false);
	assert_int_equal(client.why, SL_REASON_FIN);
	assert_int_equal(client.received, client_plan.send);
	assert_int_equal(client.wrong, 0);
	close_hosts(false);
}

static void
nothing_is_lost_on_a_wire_that_loses_and_reorders(void **state)
{
	const struct link_conf wire = { .cable.delay = SL_NS_PER_MS,
					.cable.jitter = SL_NS_PER_MS,
					.cable.loss_ppm = 5000,
					.seed = 3 };

	client_plan.send = 500000;
	backend_plan[0].send = 300000;
	check_all_families(&wire);
}

static void
the_client_may_close_its_half_first(void **state)
{
	client_plan.send = 1000;
	backend_plan[0].send = 1 << 20;
	backend_plan[0].fin = TALK_FIN_AFTER;
	check_all_families(&lan);
}

static void
the_backend_may_close_its_half_first(void **state)
{
	client_plan.send = 1 << 20;
	client_plan.fin = TALK_FIN_AFTER;
	backend_plan[0].send = 1000;
	check_all_families(&lan);
}

static void
an_answer_that_comes_after_the_clients_fin_gets_through(void **state)
{
	backend_app = &sl_echo;
	client_plan.send = 1 << 20;
	client_plan.read_most = 5000;
	client_plan.read_ms = 5;
	add_backend(BACK_A, BACK_PORT, true);
	run_client(&lan, true);
	assert_int_equal(client.why, SL_REASON_FIN);
	assert_int_equal(client.received, client_plan.send);
	assert_int_equal(client.wrong, 0);
	close_hosts(false);
}

static void
a_client_that_reads_slowly_holds_its_backend(void **state)
{
	client_plan.send = 10;
	client_plan.read_most = 4000;
	client_plan.read_ms = 10;
	backend_plan[0].send = 2 << 20;
	check_all_families(&lan);
}

static void
a_backend_that_reads_slowly_holds_its_client(void **state)
{
	client_plan.send = 2 << 20;
	backend_plan[0].send = 10;
	backend_plan[0].read_most = 4000;
	backend_plan[0].read_ms = 10;
	check_all_families(&lan);
}

static void
a_backend_that_closes_first_keeps_time_wait_itself(void **state)
{
	client_plan.send = 100;
	client_plan.fin = TALK_FIN_AFTER;
	backend_plan[0].send = 5000;
	add_backend(BACK_A, BACK_PORT, false);
	run_client(&lan, false);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(link_count(&link, BACK_A, time_wait), 1);
	assert_int_equal(link_count(&link, PROXY, time_wait), 1); /* towards the client */
	assert_int_equal(link_count(&link, CLIENT, time_wait), 0);
	check_delivered(100, 5000);
}

static void
clients_go_to_backends_by_turns(void **state)
{
	backend_plan[0].send = backend_plan[1].send = 100;
	add_backend(BACK_A, BACK_PORT, false);
	add_backend(BACK_B, BACK_PORT, true);
	open_hosts(&lan);
	for (int i = 0; i < 10; i++)
		connect_client(i & 1);
	link_run(&link, MINUTE, NULL, NULL);
	assert_int_equal(client.closed, 10);
	assert_int_equal(client.received, 1000);
	assert_int_equal(backend[0].opened, 5);
	assert_int_equal(backend[1].opened, 5);
	close_hosts(false);
}

/* The one client was let go as configured: reset, or FIN and all it said dropped. */
static void
check_let_go(void)
{
	assert_int_equal(client.closed, 1);
	if (proxy.reset_on_error) {
		assert_int_equal(client.why, SL_REASON_RESET);
	} else {
		assert_int_equal(client.peer_closed, 1);
		assert_int_equal(client.why, SL_REASON_FIN);
	}
}

/* Run the client against a single backend that is of no use, configured either way. */
static void
check_useless(unsigned int host, uint16_t port)
{
	for (int reset = 0; reset <= 1; reset++) {
		set_up(NULL);
		client_plan.send = 300000;
		proxy.reset_on_error = reset;
		add_backend(host, port, false);
		run_client(&lan, true);
		check_let_go();
		close_hosts(reset);
	}
}

static void
a_client_learns_that_the_backend_refused(void **state)
{
	check_useless(BACK_A, CLOSED_PORT);
}

static void
a_client_learns_that_there_is_no_backend(void **state)
{
	check_useless(NOBODY, BACK_PORT);
}

/* Lets all frames pass but TCP over IPv4 to the first backend. */
static bool
lets_no_tcp_to_a(void *arg, unsigned int from, const uint8_t *frame, size_t len)
{
	return !(frame[5] == BACK_A + 1 && frame[12] == 8 && frame[13] == 0 && frame[23] == 6);
}

static const struct link_conf silent_a = { .cable.delay = 50000,
					   .seed = 1,
					   .lets = lets_no_tcp_to_a };

static void
a_client_learns_that_the_backend_is_silent(void **state)
{
	sl_ns_t start;

	client_plan.send = 1000;
	proxy.reset_on_error = true;
	add_backend(BACK_A, BACK_PORT, false);
	open_hosts(&silent_a);
	start = link.now;
	connect_client(false);
	assert_true(link_run(&link, MINUTE, client_is_done, NULL));
	check_let_go();
	assert_in_range((link.now - start) / SL_NS_PER_MS, proxy.connect_ms,
			proxy.connect_ms + 100);
	close_hosts(true);
}

static void
the_next_backend_takes_over_from_useless_ones(void **state)
{
	proxy.try_next = true;
	client_plan.send = 100000;
	backend_plan[1].send = 1000;
	add_backend(BACK_A, BACK_PORT, false); /* silent */
	add_backend(BACK_B, CLOSED_PORT, false);
	add_backend(NOBODY, BACK_PORT, false);
	add_backend(BACK_B, BACK_PORT, false);
	run_client(&silent_a, false);
	assert_int_equal(client.why, SL_REASON_FIN);
	assert_int_equal(client.received, 1000);
	link_run(&link, MINUTE, NULL,
		 NULL); /* the proxy still holds what the backend has to read */
	assert_int_equal(backend[1].received, 100000);
	assert_int_equal(backend[1].wrong, 0);
	close_hosts(false);
}

static void
each_backend_is_tried_but_once(void **state)
{
	proxy.try_next = true;
	proxy.reset_on_error = true;
	add_backend(BACK_A, CLOSED_PORT, false);
	add_backend(BACK_B, CLOSED_PORT, true);
	client_plan.send = 10;
	run_client(&lan, false);
	check_let_go();
	assert_int_equal(link_count(&link, PROXY, refused), 2);
	close_hosts(true);
}

static void
a_backend_that_resets_in_the_middle_takes_its_client_along(void **state)
{
	for (int reset = 0; reset <= 1; reset++) {
		set_up(NULL);
		client_plan.send = 1 << 20;
		client_plan.fin = TALK_FIN_AFTER;
		backend_plan[0].send = 1 << 20;
		backend_plan[0].abort_at = 300000;
		proxy.reset_on_error = reset;
		add_backend(BACK_A, BACK_PORT, false);
		run_client(&lan, false);
		check_let_go();
		assert_int_equal(client.wrong, 0);
		close_hosts(reset);
	}
}

static void
a_client_that_resets_in_the_middle_takes_its_backend_along(void **state)
{
	client_plan.send = 1 << 20;
	client_plan.abort_at = 300000;
	backend_plan[0].send = 1 << 20;
	add_backend(BACK_A, BACK_PORT, false);
	run_client(&lan, false);
	assert_int_equal(client.why, SL_REASON_ABORTED);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(backend[0].closed, 1);
	assert_int_equal(backend[0].why, SL_REASON_RESET);
	close_hosts(true);
}

static void
two_sides_that_say_nothing_are_parted_after_the_idle_time(void **state)
{
	client_plan.send = backend_plan[0].send = 100;
	client_plan.fin = backend_plan[0].fin = TALK_FIN_NEVER;
	proxy.reset_on_error = true;
	add_backend(BACK_A, BACK_PORT, false);
	run_client(&lan, false);
	assert_in_range(link.now / SL_NS_PER_MS, proxy.idle_ms, proxy.idle_ms + 1500);
	assert_int_equal(client.received, 100);
	check_let_go();
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(backend[0].why, SL_REASON_RESET);
	close_hosts(true);
}

static void
a_drain_closes_a_pair_whose_backend_spoke_last(void **state)
{
	const struct sl_event drain = { .kind = SL_EVENT_DRAIN };

	client_plan.send = 100;
	client_plan.fin = TALK_FIN_AFTER;
	backend_plan[0].send = 100000;
	backend_plan[0].fin = TALK_FIN_AFTER;
	add_backend(BACK_A, BACK_PORT, false);
	open_hosts(&lan);
	connect_client(false);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(client.received, 100000);
	assert_int_equal(client.closed, 0);

	sl_core_event(link.host[PROXY].core, link.now, &drain);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(link_count(&link, PROXY, live), 0);
	check_delivered(100, 100000);
}

static void
a_proxy_out_of_connections_lets_the_client_go_and_recovers(void **state)
{
	proxy.reset_on_error = true;
	proxy_connections = 3; /* two pairs need four */
	client_plan.fin = backend_plan[0].fin = TALK_FIN_NEVER;
	add_backend(BACK_A, BACK_PORT, false);
	open_hosts(&lan);
	connect_client(false);
	connect_client(false);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(client.closed, 1);
	assert_int_equal(client.why, SL_REASON_RESET);
	assert_int_equal(backend[0].opened, 1);
	assert_in_range(link_count(&link, PROXY, no_connection), 1, 2);

	link_run(&link, 2 * MINUTE, NULL, NULL); /* the first pair idles too long */
	assert_int_equal(client.closed, 2);
	connect_client(false);
	link_run(&link, SL_NS_PER_S, NULL, NULL);
	assert_int_equal(client.closed, 2);
	assert_int_equal(backend[0].opened, 2);
	close_hosts(true);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_at_once),
		TEST(twenty_megabytes_through_proxy_and_echo_arrive_byte_for_byte),
		TEST(nothing_is_lost_on_a_wire_that_loses_and_reorders),
		TEST(the_client_may_close_its_half_first),
		TEST(the_backend_may_close_its_half_first),
		TEST(an_answer_that_comes_after_the_clients_fin_gets_through),
		TEST(a_client_that_reads_slowly_holds_its_backend),
		TEST(a_backend_that_reads_slowly_holds_its_client),
		TEST(a_backend_that_closes_first_keeps_time_wait_itself),
		TEST(clients_go_to_backends_by_turns),
		TEST(a_client_learns_that_the_backend_refused),
		TEST(a_client_learns_that_there_is_no_backend),
		TEST(a_client_learns_that_the_backend_is_silent),
		TEST(the_next_backend_takes_over_from_useless_ones),
		TEST(each_backend_is_tried_but_once),
		TEST(a_backend_that_resets_in_the_middle_takes_its_client_along),
		TEST(a_client_that_resets_in_the_middle_takes_its_backend_along),
		TEST(two_sides_that_say_nothing_are_parted_after_the_idle_time),
		TEST(a_drain_closes_a_pair_whose_backend_spoke_last),
		TEST(a_proxy_out_of_connections_lets_the_client_go_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
