/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_http - what a client of http gets for what it says, over a wire in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "link.h"
#include "talk.h"

#define SERVER 0
#define CLIENT 1
#define PORT   80
#define MINUTE (60 * SL_NS_PER_S)
#define H      "Host: x\r\n"

/* Heads as they are on the wire. */
#define OK(n)                                                                                 \
	"HTTP/1.1 200 OK\r\nServer: sluice\r\nContent-Type: text/plain\r\nContent-Length: " n \
	"\r\n"
#define BODY_10  " !\"#$%&'()"
#define USUAL    OK("10") "\r\n" BODY_10
#define CLOSE_10 OK("10") "Connection: close\r\n\r\n" BODY_10

static const struct link_conf lan = { .cable.delay = 50000, .seed = 1 };

static struct link link;
static struct sl_core_conf core;
static struct talk_result result;
static char pattern[7030];
static struct sl_http_conf http;

static int
set_up(void **state)
{
	http = (struct sl_http_conf){
		.pattern = { pattern, sl_pattern_fill(pattern, sizeof(pattern)) },
		.body_bytes = 10,
		.head_max = 1000,
		.first_byte_ms = 10000,
		.head_ms = 5000,
		.idle_ms = 30000,
		.linger_ms = 2000,
	};
	return 0;
}

static int
tear_down(void **state)
{
	talk_result_reset(&result);
	return 0;
}

static bool
client_is_done(void *arg)
{
	return result.closed > 0;
}

static void
begin(const struct talk_plan *plan, bool v6)
{
	talk_result_reset(&result);
	link_open(&link, &lan);
	link_host_conf(&core, SERVER);
	link_listen(&core, PORT, &sl_http, &http);
	link_join(&link, &core);
	link_host_conf(&core, CLIENT);
	link_listen(&core, 0, &talk_app, plan);
	link_join(&link, &core);
	assert_int_equal(link_connect(&link, CLIENT, 0, SERVER, PORT, v6), 0);
}

/* Nobody is left and nobody was reset. */
static void
end(void)
{
	link_run(&link, 3 * MINUTE, NULL, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(link_count(&link, i, live), 0);
		assert_int_equal(link_count(&link, i, reset_out), 0);
	}
	link_close(&link);
}

/* Carry out @plan; returns what came, a string, and in *@ms how long it took. */
static const char *
carry_out(struct talk_plan plan, bool v6, uint64_t *ms)
{
	sl_ns_t start;

	plan.result = &result;
	plan.got_room = plan.got_room ? plan.got_room : 100000;
	begin(&plan, v6);
	start = link.now;
	assert_true(link_run(&link, 60 * MINUTE, client_is_done, NULL));
	if (ms != NULL)
		*ms = (link.now - start) / SL_NS_PER_MS;
	assert_int_equal(result.why, SL_REASON_FIN);
	end();
	return result.got ? result.got : "";
}

/* @text, sent by a client that closes when the server does, is answered by @answer. */
static void
check(const char *text, const char *answer)
{
	struct talk_plan plan = { .text = text, .fin = TALK_FIN_AFTER };

	for (int v6 = 0; v6 <= 1; v6++)
		assert_string_equal(carry_out(plan, v6, NULL), answer);
}

/* As check(), but only the beginning of the answer, and that nothing comes behind its end. */
static void
check_error(const char *text, const char *line)
{
	struct talk_plan plan = { .text = text, .fin = TALK_FIN_AFTER };
	const char *got = carry_out(plan, false, NULL);
	char begins[100], ends[100];

	snprintf(begins, sizeof(begins), "HTTP/1.1 %s\r\n", line);
	snprintf(ends, sizeof(ends), "Connection: close\r\n\r\n%s\n", line);
	assert_int_equal(strncmp(got, begins, strlen(begins)), 0);
	assert_non_null(strstr(got, ends));
	assert_int_equal(strlen(strstr(got, ends)), strlen(ends));
}

static void
a_get_of_any_path_returns_the_configured_body(void **state)
{
	check("GET /any/path?q HTTP/1.1\r\n" H "Connection: close\r\n\r\n", CLOSE_10);
}

static void
http_1_0_ends_with_our_fin_behind_the_body(void **state)
{
	check("GET / HTTP/1.0\r\n\r\n", CLOSE_10);
}

static void
http_1_0_is_kept_alive_if_it_asks(void **state)
{
	check("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
	      "GET / HTTP/1.0\r\n\r\n",
	      OK("10") "Connection: keep-alive\r\n\r\n" BODY_10 CLOSE_10);
}

static void
head_is_answered_as_get_but_without_the_body(void **state)
{
	check("HEAD / HTTP/1.1\r\n" H "\r\nHEAD /bytes/5000000000 HTTP/1.0\r\n\r\n",
	      OK("10") "\r\n" OK("5000000000") "Connection: close\r\n\r\n");
}

static void
requests_may_follow_each_other_without_waiting(void **state)
{
	check("GET / HTTP/1.1\r\n" H "\r\n"
	      "GET /bytes/3 HTTP/1.1\r\n" H "\r\n"
	      "\r\n"
	      "GET /bytes/0 HTTP/1.1\r\n" H "\r\n"
	      "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
	      USUAL OK("3") "\r\n !\"" OK("0") "\r\n" CLOSE_10);
}

static void
a_thousand_requests_at_once_get_a_thousand_answers(void **state)
{
	static const char one[] = "GET / HTTP/1.1\r\n" H "\r\n";
	enum { N = 1000 };
	struct talk_plan plan = { .got_room = 1 << 20 };
	char *text = calloc(N, sizeof(one));
	size_t answer = strlen(USUAL);

	for (int i = 0; i < N; i++)
		memcpy(text + i * strlen(one), one, strlen(one));
	plan.text = text;
	carry_out(plan, true, NULL);
	assert_int_equal(result.received, N * answer);
	for (int i = 0; i < N; i++)
		assert_memory_equal(result.got + i * answer, USUAL, answer);
	free(text);
}

static void
a_request_that_comes_a_byte_at_a_time_is_answered_all_the_same(void **state)
{
	struct talk_plan plan = { .text = "GET / HTTP/1.1\r\n" H "\r\n", .write_ms = 3 };

	assert_string_equal(carry_out(plan, false, NULL), USUAL);
}

/* What comes behind the @n bytes of body must be them and nothing else. */
static void
check_body(uint64_t n)
{
	const char *body = strstr(result.got, "\r\n\r\n") + 4;

	assert_int_equal(result.received, n + (uint64_t)(body - result.got));
	for (uint64_t i = 0; i < n; i++)
		if (body[i] != pattern[i % sizeof(pattern)])
			fail_msg("byte %llu of the body is wrong", (unsigned long long)i);
}

static void
five_megabytes_arrive_as_asked_for(void **state)
{
	struct talk_plan plan = { .text = "GET /bytes/5000000 HTTP/1.1\r\n" H "\r\n",
				  .got_room = 5100000 };

	carry_out(plan, false, NULL);
	check_body(5000000);
	carry_out(plan, true, NULL);
	check_body(5000000);
}

static void
a_client_that_reads_slowly_gets_all_of_it(void **state)
{
	struct talk_plan plan = { .text = "GET /bytes/1000000 HTTP/1.0\r\n\r\n",
				  .fin = TALK_FIN_AFTER,
				  .read_most = 5000,
				  .read_ms = 50,
				  .got_room = 1100000 };

	carry_out(plan, false, NULL);
	check_body(1000000);
}

static void
a_client_that_stops_reading_is_reset_after_the_idle_time(void **state)
{
	struct talk_plan plan = { .text = "GET /bytes/9000000 HTTP/1.1\r\n" H "\r\n",
				  .fin = TALK_FIN_NEVER,
				  .read_most = 1,
				  .read_ms = 100000000,
				  .got_room = 10,
				  .result = &result };

	begin(&plan, false);
	assert_true(link_run(&link, 2 * MINUTE, client_is_done, NULL));
	assert_int_equal(result.why, SL_REASON_RESET);
	link_close(&link);
}

static void
a_client_that_half_closes_gets_its_answers(void **state)
{
	struct talk_plan plan = { .text = "GET / HTTP/1.1\r\n" H "\r\n"
					  "GET /bytes/100000 HTTP/1.1\r\n" H "\r\n"
					  "GET / HTTP/1.1\r\n" H "\r\n",
				  .read_most = 20000,
				  .read_ms = 10,
				  .got_room = 200000 };
	const char *got = carry_out(plan, false, NULL);

	assert_memory_equal(got, USUAL, strlen(USUAL));
	assert_memory_equal(got + result.received - strlen(USUAL), USUAL, strlen(USUAL));
	assert_int_equal(result.received,
			 2 * strlen(USUAL) + strlen(OK("100000") "\r\n") + 100000);
}

static void
half_a_request_and_fin_is_a_bad_request(void **state)
{
	struct talk_plan plan = { .text = "GET / HTTP/1.1\r\nHo" };
	const char *got = carry_out(plan, false, NULL);

	assert_memory_equal(got, "HTTP/1.1 400 ", 13);
}

static void
a_client_that_says_nothing_but_fin_gets_fin(void **state)
{
	struct talk_plan plan = { .text = "" };

	assert_string_equal(carry_out(plan, false, NULL), "");
}

static void
what_we_do_not_do_is_said_by_number(void **state)
{
	check_error("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
		    "405 Method Not Allowed");
	assert_non_null(strstr(result.got, "\r\nAllow: GET, HEAD\r\n"));
	check_error("BREW / HTTP/1.1\r\n" H "\r\n", "501 Not Implemented");
	check_error("GET / HTTP/2.0\r\n", "505 HTTP Version Not Supported");
	check_error("GET / HTTP/1.1\r\n\r\n", "400 Bad Request");
	check_error("nonsense\r\n\r\n", "400 Bad Request");
}

static void
a_length_there_is_not_is_not_found_and_the_connection_goes_on(void **state)
{
	check("GET /bytes/many HTTP/1.1\r\n" H "\r\nGET / HTTP/1.0\r\n\r\n",
	      "HTTP/1.1 404 Not Found\r\nServer: sluice\r\nContent-Type: text/plain\r\n"
	      "Content-Length: 14\r\n\r\n404 Not Found\n" CLOSE_10);
}

static void
an_answer_to_head_never_has_a_body(void **state)
{
	check("HEAD /bytes/many HTTP/1.1\r\n" H "\r\nGET / HTTP/1.0\r\n\r\n",
	      "HTTP/1.1 404 Not Found\r\nServer: sluice\r\nContent-Type: text/plain\r\n"
	      "Content-Length: 14\r\n\r\n" CLOSE_10);
}

static void
heads_that_are_too_long_are_refused(void **state)
{
	char text[3000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	text[sizeof(text) - 1] = '\0';
	check_error(text, "414 URI Too Long");
	memcpy(text, "GET / HTTP/1.1\r\nX:", 18);
	check_error(text, "431 Request Header Fields Too Large");
}

static void
the_body_of_a_request_is_skipped_and_never_parsed(void **state)
{
	check("GET / HTTP/1.1\r\n" H "Content-Length: 24\r\n\r\nGET /bytes/1 HTTP/1.1\r\n\r"
	      "GET / HTTP/1.0\r\n\r\n",
	      USUAL CLOSE_10);
}

static void
behind_a_body_whose_end_we_do_not_look_for_nothing_is_parsed(void **state)
{
	check("GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	      "GET / HTTP/1.1\r\n" H "\r\n",
	      CLOSE_10);
	check("GET / HTTP/1.1\r\n" H "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
	      "GET / HTTP/1.1\r\n" H "\r\n",
	      CLOSE_10);
	check_error("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n"
		    "GET / HTTP/1.1\r\n" H "\r\n",
		    "405 Method Not Allowed");
	check_error("GET / HTTP/1.1\r\n" H "Content-Length: 99999999\r\n\r\n",
		    "413 Content Too Large");
	check_error("GET / HTTP/1.1\r\n" H
		    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "0\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n",
		    "400 Bad Request");
}

static void
bytes_behind_the_last_request_do_not_reset_the_answer(void **state)
{
	struct talk_plan plan = { .fin = TALK_FIN_AFTER };
	char *text = calloc(1, 500001);

	memset(text, 'x', 500000);
	memcpy(text, "GET / HTTP/1.0\r\n\r\n", 18);
	plan.text = text;
	assert_string_equal(carry_out(plan, false, NULL), CLOSE_10);
	free(text);
}

static void
a_client_that_never_closes_is_left_after_lingering(void **state)
{
	struct talk_plan plan = { .text = "GET / HTTP/1.0\r\n\r\n",
				  .fin = TALK_FIN_NEVER,
				  .got_room = 1000,
				  .result = &result };

	begin(&plan, false);
	link_run(&link, 10 * MINUTE, NULL, NULL);
	assert_string_equal(result.got, CLOSE_10);
	assert_int_equal(link_count(&link, SERVER, live), 0);
	link_close(&link);
}

/* The server's time for @text is up after @ms: it says @line, or only closes. */
static void
check_time(const char *text, const char *line, uint64_t ms)
{
	struct talk_plan plan = { .text = text, .fin = TALK_FIN_AFTER };
	uint64_t took;
	const char *got = carry_out(plan, true, &took);

	if (line != NULL)
		assert_non_null(strstr(got, line));
	assert_in_range(took, ms, ms + 50);
}

static void
a_client_has_limited_time_for_everything_it_has_to_say(void **state)
{
	check_time("", "408 Request Timeout\n", http.first_byte_ms);
	check_time("GET / HTTP", "408 Request Timeout\n", http.head_ms);
	check_time("\r\n", "408 Request Timeout\n", http.head_ms);
	check_time("GET / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n1234",
		   "408 Request Timeout\n", http.idle_ms);
	check_time("GET / HTTP/1.1\r\n" H "\r\n", NULL, http.idle_ms);
	assert_string_equal(result.got, USUAL);
	check_time("GET / HTTP/1.1\r\n" H "\r\nGET", "408 Request Timeout\n", http.head_ms);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_get_of_any_path_returns_the_configured_body),
		TEST(http_1_0_ends_with_our_fin_behind_the_body),
		TEST(http_1_0_is_kept_alive_if_it_asks),
		TEST(head_is_answered_as_get_but_without_the_body),
		TEST(requests_may_follow_each_other_without_waiting),
		TEST(a_thousand_requests_at_once_get_a_thousand_answers),
		TEST(a_request_that_comes_a_byte_at_a_time_is_answered_all_the_same),
		TEST(five_megabytes_arrive_as_asked_for),
		TEST(a_client_that_reads_slowly_gets_all_of_it),
		TEST(a_client_that_stops_reading_is_reset_after_the_idle_time),
		TEST(a_client_that_half_closes_gets_its_answers),
		TEST(half_a_request_and_fin_is_a_bad_request),
		TEST(a_client_that_says_nothing_but_fin_gets_fin),
		TEST(what_we_do_not_do_is_said_by_number),
		TEST(a_length_there_is_not_is_not_found_and_the_connection_goes_on),
		TEST(an_answer_to_head_never_has_a_body),
		TEST(heads_that_are_too_long_are_refused),
		TEST(the_body_of_a_request_is_skipped_and_never_parsed),
		TEST(behind_a_body_whose_end_we_do_not_look_for_nothing_is_parsed),
		TEST(bytes_behind_the_last_request_do_not_reset_the_answer),
		TEST(a_client_that_never_closes_is_left_after_lingering),
		TEST(a_client_has_limited_time_for_everything_it_has_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
