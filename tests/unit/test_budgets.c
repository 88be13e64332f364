/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_budgets - what a core does for nobody, and no more: cookies looked at while none can
 * be out, resets, and challenges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "l7/apps.h"
#include "random.h"
#include "solo.h"

#define PORT      80
#define CLOSED    81
#define A_MS      100    /* of either */
#define FORGOTTEN 65000u /* ms after which no cookie can come back */
#define AT_ONCE   300
#define PER_BURST 50
#define A_BACKLOG 1
#define MANY      2500 /* connections; with three challenges each, too many */

static struct solo solo;
static struct rnd rnd;

static uint64_t
fate_of(enum sl_fate fate)
{
	return sl_core_stats(solo.core)->fate[fate];
}

static uint64_t
count_of(enum sl_counter counter)
{
	return sl_core_stats(solo.core)->count[counter];
}

static void
open_core(bool v6, enum sl_cookies cookies)
{
	rnd.s = 11;
	solo_init(&solo, v6, &sl_discard, NULL);
	solo.conf.listener[0].tcp.cookies = cookies;
	solo.conf.listener[0].backlog = A_BACKLOG;
	solo_open(&solo);
}

/* Within one millisecond: segments to @lport of as many who were never here. */
static void
strangers(uint16_t lport, uint8_t flags, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sl_seg_out seg = { .seq = (uint32_t)rnd_u64(&rnd),
					  .ack = (uint32_t)rnd_u64(&rnd),
					  .flags = flags,
					  .wnd = 1024 };

		solo.tuple.rport++; /* another each time */
		solo.tuple.lport = lport;
		solo_send(&solo, &seg, NULL, 0);
		if (i % PER_BURST == PER_BURST - 1) {
			solo_step(&solo);
			solo_clear(&solo);
		}
	}
	if (solo.n_rx > 0)
		solo_step(&solo);
	solo_clear(&solo);
}

static void
later(uint32_t ms)
{
	solo_pass(&solo, ms);
	solo_clear(&solo);
}

/* An ACK flood costs @checked looks and @unchecked misses more than before. */
static void
acks_cost(uint64_t checked, uint64_t unchecked)
{
	uint64_t bad = fate_of(SL_FATE_tcp_cookie_bad);
	uint64_t passed = fate_of(SL_FATE_tcp_cookie_unchecked), live = count_of(SL_CNT_live);

	strangers(PORT, SL_ACK, AT_ONCE);
	assert_int_equal(fate_of(SL_FATE_tcp_cookie_bad) - bad, checked);
	assert_int_equal(fate_of(SL_FATE_tcp_cookie_unchecked) - passed, unchecked);
	assert_int_equal(count_of(SL_CNT_live), live);
	later(1);
}

/* rows: SF3 [v4 v6] */
static void
acks_are_looked_at_while_a_cookie_may_be_out_else_a_hundred_a_millisecond(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		open_core(v6, SL_COOKIES_AUTO);
		acks_cost(AT_ONCE, 0); /* the process before this one may have sent some */
		later(FORGOTTEN);
		acks_cost(A_MS, AT_ONCE - A_MS);
		acks_cost(A_MS, AT_ONCE - A_MS); /* in the next millisecond as many again */

		strangers(PORT, SL_SYN, A_BACKLOG + 1); /* the last is answered by a cookie */
		assert_int_equal(count_of(SL_CNT_cookie_sent), 1);
		acks_cost(AT_ONCE, 0);
		later(FORGOTTEN);
		acks_cost(A_MS, AT_ONCE - A_MS);
		later(FORGOTTEN); /* the half-open one is given up */
		solo_close(&solo);
	}
}

/* Where every SYN is answered by a cookie, one may always come back. */
static void
acks_are_always_looked_at_where_there_are_nothing_but_cookies(void **state)
{
	open_core(false, SL_COOKIES_ALWAYS);
	later(FORGOTTEN);
	acks_cost(AT_ONCE, 0);
	solo_close(&solo);
}

/* Where there are none, an ACK is nobody's, and nothing is looked at. rows: SF3 [v4 v6] */
static void
resets_for_nobody_are_a_hundred_a_millisecond(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		const uint16_t ports[] = { CLOSED, PORT };
		uint64_t sent = 0;

		open_core(v6, SL_COOKIES_NEVER);
		for (unsigned int i = 0; i < 4; i++) {
			strangers(ports[i % 2], SL_ACK, AT_ONCE);
			sent += A_MS;
			assert_int_equal(count_of(SL_CNT_reset_out), sent);
			assert_int_equal(fate_of(SL_FATE_tcp_cookie_bad), 0);
			later(1);
		}
		assert_int_equal(fate_of(SL_FATE_tcp_closed_port) + fate_of(SL_FATE_tcp_stray) +
					 fate_of(SL_FATE_tcp_stray_quiet),
				 (uint64_t)4 * AT_ONCE);
		solo_close(&solo);
	}
}

/* A reset @off behind what is awaited, for each of them all, @times. */
static void
reset_all(const uint32_t *irs, uint32_t off, unsigned int times)
{
	for (unsigned int i = 0; i < times * MANY; i++) {
		struct sl_seg_out rst = { .seq = irs[i % MANY] + 1 + off, .flags = SL_RST };

		solo.tuple.rport = (uint16_t)(2000 + i % MANY);
		solo_send(&solo, &rst, NULL, 0);
		if (solo.n_rx == PER_BURST) {
			solo_step(&solo);
			solo_clear(&solo);
		}
	}
}

/*
 * Whoever counts the challenges of a second learns nothing of another's connection: the cap
 * is high and another each second (CVE-2016-5696). rows: BA4 [v4 v6]
 */
static void
challenges_of_a_core_are_some_thousands_a_second_and_never_as_many(void **state)
{
	static uint32_t irs[MANY];

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		uint64_t before = 0, last = 0;

		solo_init(&solo, v6, &sl_discard, NULL);
		solo.conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
		solo.conf.connections = 2 * MANY;
		solo_open(&solo);
		for (unsigned int i = 0; i < MANY; i++) {
			struct sl_seg_out syn = { .wnd = 1000 };

			irs[i] = 1000 * i;
			solo.tuple.rport = (uint16_t)(2000 + i);
			solo_handshake(&solo, irs[i], &syn);
		}
		solo_clear(&solo);
		for (unsigned int second = 0; second < 3; second++) {
			uint64_t n;

			later(2000);
			reset_all(irs, 100, 3); /* in the window, not exact */
			n = count_of(SL_CNT_challenge_ack) - before;
			assert_in_range(n, 4000, 6000);
			assert_int_equal(solo.core->tcp.challenge_budget, 0);
			assert_int_not_equal(n, last);
			before += n;
			last = n;
		}
		assert_int_equal(count_of(SL_CNT_live), MANY);
		reset_all(irs, 0, 1);
		assert_int_equal(count_of(SL_CNT_live), 0);
		solo_close(&solo);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			acks_are_looked_at_while_a_cookie_may_be_out_else_a_hundred_a_millisecond),
		cmocka_unit_test(acks_are_always_looked_at_where_there_are_nothing_but_cookies),
		cmocka_unit_test(resets_for_nobody_are_a_hundred_a_millisecond),
		cmocka_unit_test(
			challenges_of_a_core_are_some_thousands_a_second_and_never_as_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
