/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_scarcity - any one request for a buffer may fail, and all of them for a while:
 * nothing leaks, nothing breaks, and every connection still does what it was to do.
 *
 * A client talks to a server's echo, directly and through its proxy, whose backend is a
 * third host. First a run counts the requests of each host; then there is one run for each
 * of them, in which it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "link.h"
#include "talk.h"

#define SERVER  0
#define CLIENT  1
#define BACKEND 2
#define N_CONNS 4u
#define MINUTE  (60 * SL_NS_PER_S)

static struct talk_result result;
static struct sl_proxy_conf proxy;

static void
open_world(struct link *link, const struct talk_plan *plan, uint8_t offloads)
{
	static const struct link_conf wire = { .cable.delay = SL_NS_PER_MS,
					       .cable.loss_ppm = 10000,
					       .seed = 4 };
	static struct sl_core_conf conf;

	talk_result_reset(&result);
	link_open(link, &wire);
	proxy = (struct sl_proxy_conf){ .n_backends = 1, .connect_ms = 20000 };
	proxy.backend[0].addr = link_addr(BACKEND, false);
	proxy.backend[0].port = 9;
	link_host_conf(&conf, SERVER);
	conf.net.port[0].offloads = offloads;
	link_listen(&conf, 7, &sl_echo, NULL)->tcp.cookies = SL_COOKIES_NEVER;
	link_listen(&conf, 8, &sl_proxy, &proxy)->tcp.cookies = SL_COOKIES_ALWAYS;
	link_join(link, &conf);
	link_host_conf(&conf, CLIENT);
	link_listen(&conf, 0, &talk_app, plan);
	link_join(link, &conf);
	link_host_conf(&conf, BACKEND);
	link_listen(&conf, 9, &sl_echo, NULL);
	link_join(link, &conf);
	for (uint16_t i = 0; i < N_CONNS; i++)
		assert_int_equal(link_connect(link, CLIENT, 0, SERVER, 7 + i % 2, i / 2), 0);
}

static bool
all_closed(void *arg)
{
	return result.closed == N_CONNS;
}

/* Everything came, everything ended, nothing is left. */
static void
finish(struct link *link, const struct talk_plan *plan, const char *what, uint64_t n)
{
	if (!link_run(link, 30 * MINUTE, all_closed, NULL))
		fail_msg("%s %llu: %u of %u connections ended, %llu bytes came", what,
			 (unsigned long long)n, result.closed, N_CONNS,
			 (unsigned long long)result.received);
	if (result.received != N_CONNS * plan->send || result.wrong != 0)
		fail_msg("%s %llu: %llu bytes came, %llu wrong", what, (unsigned long long)n,
			 (unsigned long long)result.received, (unsigned long long)result.wrong);
	link_run(link, 5 * MINUTE, NULL, NULL);
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		assert_int_equal(link_count(link, i, live), 0);
		assert_int_equal(link_count(link, i, time_wait), 0);
		assert_int_equal(link_count(link, i, kept), 0);
		assert_int_equal(link_count(link, i, active), 0);
	}
	link_close(link);
}

static void
each_fails_once(uint8_t offloads)
{
	static const char *const names[] = { "server's get", "client's get", "backend's get" };
	struct talk_plan plan = { .send = 5000, .result = &result };
	static struct link link;
	uint64_t n_gets[3];

	open_world(&link, &plan, offloads);
	link_run(&link, 10 * MINUTE, NULL, NULL);
	for (unsigned int i = 0; i < 3; i++)
		n_gets[i] = link.host[i].hb.n_got;
	finish(&link, &plan, "run", 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_in_range(n_gets[i], 5, 1000);
		for (uint64_t n = 1; n <= n_gets[i]; n++) {
			open_world(&link, &plan, offloads);
			heapbufs_fail_nth(&link.host[i].hb, n);
			finish(&link, &plan, names[i], n);
		}
	}
}

/* rows: AP3 [v4 v6] */
static void
any_one_request_for_a_buffer_may_fail(void **state)
{
	each_fails_once(0);
}

static void
any_one_request_for_a_buffer_may_fail_when_payloads_are_attached(void **state)
{
	each_fails_once(SL_OFFLOAD_MULTI_SEG);
}

/* rows: AP3 [v4 v6] */
static void
all_requests_may_fail_for_seconds(void **state)
{
	struct talk_plan plan = { .send = 20000, .result = &result };
	static struct link link;

	for (unsigned int i = 0; i < 3; i++) {
		for (uint64_t n = 1; n < 60; n += 7) {
			open_world(&link, &plan, 0);
			link.host[i].hb.fail_from = n;
			link_run(&link, 3 * SL_NS_PER_S, NULL, NULL);
			link.host[i].hb.fail_from = 0;
			finish(&link, &plan, "none from", n);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_request_for_a_buffer_may_fail),
		cmocka_unit_test(
			any_one_request_for_a_buffer_may_fail_when_payloads_are_attached),
		cmocka_unit_test(all_requests_may_fail_for_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
