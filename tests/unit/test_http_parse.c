/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_http_parse - the head of a request means the same however it is cut, and no bytes
 * whatever make the parser read, hang or believe what it should not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/http_parse.h"

#define MAX 8192

/* What a request should come to. @rest: bytes behind the head, which must stay untaken. */
struct claim {
	const char *text;
	uint16_t status;
	uint16_t marks; /* those of interest that must be set */
	uint64_t bytes, length;
	bool keeps;
	uint32_t rest;
};

#define H "Host: x\r\n"

static const struct claim good[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_IS_GET, .keeps = true },
	{ "HEAD / HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_IS_HEAD, .keeps = true },
	{ "GET / HTTP/1.1\n"
	  "Host: x\n"
	  "\n",
	  200, .keeps = true },
	{ "\r\n\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "\r\nGET ", 200, .keeps = true, .rest = 4 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.7\r\n" H "\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.0\r\n\r\n", 200, .keeps = false },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n", 200, .keeps = false },
	{ "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 200, .keeps = false },
	{ "GET / HTTP/1.1\r\n" H "cOnNeCtIoN:\t upgrade ,\tCLOSE \r\n\r\n", 200,
	  .keeps = false },
	{ "GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "Connection: clos\r\n\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "Connections: close\r\n\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "X: \t\x80\xff ~\r\nY:\r\n\r\n", 200, .keeps = true },
	{ "GET http://x HTTP/1.1\r\n" H "\r\n", 200, .keeps = true },
	{ "GET http://x?/bytes/3 HTTP/1.1\r\n" H "\r\n", 200, .keeps = true },
	{ "GET HTTPS://x:80/bytes/7 HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_BYTES, 7,
	  .keeps = true },
	{ "GET /bytes/0 HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_BYTES, 0, .keeps = true },
	{ "GET /bytes/00012?x HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_BYTES, 12, .keeps = true },
	{ "GET /bytes/1099511627776 HTTP/1.1\r\n" H "\r\n", 200, SL_HTTP_BYTES, 1ull << 40,
	  .keeps = true },
	{ "GET /bytesize/9 HTTP/1.1\r\n" H "\r\n", 200, .keeps = true },
	{ "GET /byte HTTP/1.1\r\n" H "\r\n", 200, .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 200, SL_HTTP_LENGTH,
	  .length = 5, .keeps = true, .rest = 5 },
	{ "GET / HTTP/1.1\r\n" H "content-LENGTH:5  \r\n\r\n", 200, .length = 5,
	  .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 200, SL_HTTP_EXPECTS_100,
	  .keeps = true },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 200,
	  SL_HTTP_CHUNKED, .keeps = false, .rest = 5 },
};

static const struct claim bad[] = {
	{ "GET /bytes/1099511627777 HTTP/1.1\r\n" H "\r\n", .status = 404, .keeps = true },
	{ "GET /bytes/99999999999999999999999 HTTP/1.1\r\n" H "\r\n", .status = 404,
	  .keeps = true },
	{ "GET /bytes/ HTTP/1.1\r\n" H "\r\n", .status = 404, .keeps = true },
	{ "GET /bytes/-1 HTTP/1.1\r\n" H "\r\n", .status = 404, .keeps = true },
	{ "GET /bytes/12a HTTP/1.1\r\n" H "\r\n", .status = 404, .keeps = true },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nGET ", .status = 405, .length = 4,
	  .rest = 4 },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", .status = 405 },
	{ "CONNECT x:443 HTTP/1.1\r\n" H "\r\n", .status = 405 },
	{ "BREW / HTTP/1.1\r\n" H "\r\n", .status = 501 },
	{ "get / HTTP/1.1\r\n" H "\r\n", .status = 501 },
	{ "GETS / HTTP/1.1\r\n" H "\r\n", .status = 501 },
	{ "GE / HTTP/1.1\r\n" H "\r\n", .status = 501 },
	{ "GET / HTTP/2.0\r\n", .status = 505, .rest = 1 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status = 505, .rest = 9 },
	{ "GET /\r\n", .status = 400, .rest = 1 }, /* HTTP/0.9 */
	{ "GET \r\n", .status = 400, .rest = 1 },
	{ "GET  / HTTP/1.1\r\n", .status = 400, .rest = 12 },
	{ "GET * HTTP/1.1\r\n" H "\r\n", .status = 400 },
	{ "GET x HTTP/1.1\r\n" H "\r\n", .status = 400 },
	{ "GET /\x80 HTTP/1.1\r\n", .status = 400, .rest = 11 },
	{ "GET / HTTP/1.1 \r\n", .status = 400, .rest = 2 },
	{ "GET / HTTP/1.10\r\n", .status = 400, .rest = 2 },
	{ "GET / http/1.1\r\n", .status = 400, .rest = 9 },
	{ "GET / HTTP/1.1\rX", .status = 400 },
	{ " GET / HTTP/1.1\r\n", .status = 400, .rest = 16 },
	{ "\rGET", .status = 400, .rest = 2 },
	{ "\x16\x03\x01", .status = 400, .rest = 2 }, /* TLS knocks */
	{ "GET / HTTP/1.1\r\n\r\n", .status = 400 },  /* no Host */
	{ "GET / HTTP/1.1\r\n" H H "\r\n", .status = 400, .rest = 6 },
	{ "GET / HTTP/1.1\r\n" H " folded\r\n", .status = 400, .rest = 8 },
	{ "GET / HTTP/1.1\r\n" H "\tfolded\r\n", .status = 400, .rest = 8 },
	{ "GET / HTTP/1.1\r\nHost : x\r\n", .status = 400, .rest = 5 },
	{ "GET / HTTP/1.1\r\nUnheard : x\r\n", .status = 400, .rest = 5 },
	{ "GET / HTTP/1.1\r\n: x\r\n", .status = 400, .rest = 4 },
	{ "GET / HTTP/1.1\r\nNoColon\r\n", .status = 400, .rest = 1 },
	{ "GET / HTTP/1.1\r\n" H "X: a\rb", .status = 400 },
	{ "GET / HTTP/1.1\r\n" H "X: \x01", .status = 400 },
	{ "GET / HTTP/1.1\r\n" H "X: \x7f", .status = 400 },
	{ "GET / HTTP/1.1\r\n" H "\rX", .status = 400 },
};

/* Wherever two readers might disagree on the end of a request, the connection must end. */
static const struct claim doubtful[] = {
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	  .status = 400, .length = 5 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
	  .status = 400 },
	{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .status = 400 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", .status = 400 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", .status = 501 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", .status = 501 },
	{ "GET / HTTP/1.1\r\n" H
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  .status = 501 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", .status = 501 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", .status = 501 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;x\r\n\r\n", .status = 501 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
	  "chunked\r\n\r\n",
	  .status = 400, .rest = 11 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
	  .status = 400, .length = 5, .rest = 6 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", .status = 400, .length = 5,
	  .rest = 6 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n", .status = 400, .length = 5,
	  .rest = 4 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", .status = 400, .rest = 5 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n", .status = 400, .rest = 5 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n", .status = 400, .rest = 5 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", .status = 400, .rest = 3 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", .status = 400,
	  .length = 1844674407370955161, .rest = 4 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", .status = 400, .rest = 7 },
};

/* Feed @n bytes, each piece from memory of exactly its size, cut at @cut and @cut2. */
static struct sl_http_head
read_in_pieces(const char *text, size_t n, size_t cut, size_t cut2, uint32_t *took)
{
	size_t edge[4] = { 0, cut, cut2, n };
	struct sl_http_head head = { 0 };

	*took = 0;
	for (int i = 0; i < 3 && head.status == 0; i++) {
		size_t len = edge[i + 1] - edge[i];
		char *piece = malloc(len ? len : 1);

		memcpy(piece, text + edge[i], len);
		*took += sl_http_head_take(&head, piece, (uint32_t)len, MAX);
		free(piece);
	}
	return head;
}

static void
check(const struct claim *claim, size_t cut, size_t cut2)
{
	size_t n = strlen(claim->text);
	uint32_t took;
	struct sl_http_head head = read_in_pieces(claim->text, n, cut, cut2, &took);

	if (head.status != claim->status || took != n - claim->rest)
		print_error("%s: status %u, %u taken of %zu\n", claim->text, head.status, took,
			    n);
	assert_int_equal(head.status, claim->status);
	assert_int_equal(took, n - claim->rest);
	assert_int_equal(head.seen, took);
	assert_int_equal(head.marks & claim->marks, claim->marks);
	assert_int_equal(head.length, claim->length);
	assert_int_equal(sl_http_head_keeps(&head), claim->keeps);
	if (claim->status == 200)
		assert_int_equal(head.bytes, claim->bytes);
}

static void
check_all_cuts(const struct claim *claim, size_t n_claims)
{
	for (size_t i = 0; i < n_claims; i++) {
		size_t n = strlen(claim[i].text);

		for (size_t cut = 0; cut <= n; cut++)
			for (size_t cut2 = cut; cut2 <= n; cut2++)
				check(&claim[i], cut, cut2);
	}
}

static void
good_requests_mean_the_same_however_they_are_cut(void **state)
{
	check_all_cuts(good, sizeof(good) / sizeof(good[0]));
}

static void
bad_requests_are_found_at_the_same_byte_however_they_are_cut(void **state)
{
	check_all_cuts(bad, sizeof(bad) / sizeof(bad[0]));
}

static void
a_request_whose_end_is_in_doubt_is_the_last_one(void **state)
{
	for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++)
		assert_false(doubtful[i].keeps);
	check_all_cuts(doubtful, sizeof(doubtful) / sizeof(doubtful[0]));
}

static void
a_request_that_is_not_whole_has_no_verdict(void **state)
{
	const char *text = good[0].text;

	for (size_t n = 0; n < strlen(text); n++) {
		uint32_t took;
		struct sl_http_head head = read_in_pieces(text, n, 0, n, &took);

		assert_int_equal(head.status, 0);
		assert_int_equal(took, n);
	}
}

/* The status for @max bytes of @begin and then as many @filler as it takes. */
static uint16_t
flood(const char *begin, char filler, uint32_t max)
{
	struct sl_http_head head = { 0 };
	uint32_t took = sl_http_head_take(&head, begin, (uint32_t)strlen(begin), max);

	while (head.status == 0) {
		uint32_t n = sl_http_head_take(&head, &filler, 1, max);

		assert_int_equal(n, 1);
		took += n;
		assert_true(took <= max);
	}
	return head.status;
}

static void
a_head_longer_than_allowed_is_named_by_the_part_that_is(void **state)
{
	assert_int_equal(flood("", '\n', MAX), 400);
	assert_int_equal(flood("", 'A', MAX), 501);
	assert_int_equal(flood("GET /", 'a', MAX), 414);
	assert_int_equal(flood("GET /bytes/", '0', MAX), 414);
	assert_int_equal(flood("GET / HTTP/1.1\r\n", 'a', MAX), 431);
	assert_int_equal(flood("GET / HTTP/1.1\r\nX:", 'a', MAX), 431);
	assert_int_equal(flood("GET / HTTP/1.1\r\nConnection:", ',', MAX), 431);
	assert_int_equal(flood("GET / HTTP/1.1\r\nContent-Length:", ' ', MAX), 431);
	assert_int_equal(flood("GET / HTTP/1.1\r\nContent-Length:", '0', MAX), 431);
}

static void
a_head_of_just_the_length_allowed_passes(void **state)
{
	const char *text = good[0].text;
	uint32_t n = (uint32_t)strlen(text);
	struct sl_http_head fits = { 0 }, short_of_one = { 0 };

	assert_int_equal(sl_http_head_take(&fits, text, n, n), n);
	assert_int_equal(fits.status, 200);
	assert_int_equal(sl_http_head_take(&short_of_one, text, n, n - 1), n - 1);
	assert_int_equal(short_of_one.status, 431);
}

/* A small generator of our own, so that every run throws the same bytes. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

/* Feed @n bytes at once and cut anywhere; both must come to the same, and to something. */
static void
compare_cuts(const char *text, size_t n, uint64_t *seed)
{
	struct sl_http_head whole, cut;
	uint32_t took, took_cut;
	size_t a = next_random(seed) % (n + 1);
	size_t b = a + next_random(seed) % (n - a + 1);

	whole = read_in_pieces(text, n, 0, n, &took);
	cut = read_in_pieces(text, n, a, b, &took_cut);
	assert_int_equal(took, took_cut);
	assert_memory_equal(&whole, &cut, sizeof(whole));
	assert_true(whole.status != 0 || took == n);
}

static void
random_bytes_come_to_the_same_however_they_are_cut(void **state)
{
	uint64_t seed = 1;
	char text[256];

	for (int round = 0; round < 20000; round++) {
		size_t n = next_random(&seed) % sizeof(text);

		for (size_t i = 0; i < n; i++)
			text[i] = (char)next_random(&seed);
		compare_cuts(text, n, &seed);
	}
}

static void
damaged_requests_come_to_the_same_however_they_are_cut(void **state)
{
	static const char odd[] = "\r\n \t:,;/0159\"\\AZaz\x7f\x80";
	uint64_t seed = 2;
	char text[256];

	for (int round = 0; round < 100000; round++) {
		const struct claim *claim =
			&good[next_random(&seed) % (sizeof(good) / sizeof(good[0]))];
		size_t n = strlen(claim->text);

		memcpy(text, claim->text, n);
		for (uint32_t hits = next_random(&seed) % 4 + 1; hits > 0; hits--)
			text[next_random(&seed) % n] = odd[next_random(&seed) % sizeof(odd)];
		compare_cuts(text, n, &seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_requests_mean_the_same_however_they_are_cut),
		cmocka_unit_test(bad_requests_are_found_at_the_same_byte_however_they_are_cut),
		cmocka_unit_test(a_request_whose_end_is_in_doubt_is_the_last_one),
		cmocka_unit_test(a_request_that_is_not_whole_has_no_verdict),
		cmocka_unit_test(a_head_longer_than_allowed_is_named_by_the_part_that_is),
		cmocka_unit_test(a_head_of_just_the_length_allowed_passes),
		cmocka_unit_test(random_bytes_come_to_the_same_however_they_are_cut),
		cmocka_unit_test(damaged_requests_come_to_the_same_however_they_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
