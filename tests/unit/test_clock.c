/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_clock - the wall clock: what timestamps and cookies make of it, and of its being wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "random.h"
#include "solo.h"

#define MINUTE (60 * SL_NS_PER_S)

static struct solo solo, sibling;

static void
tell(struct solo *s, uint64_t tai_ms)
{
	struct sl_event e = { .kind = SL_EVENT_CLOCK, .tai_ms = tai_ms };

	sl_core_event(s->core, s->now, &e);
}

static void
say(struct solo *s, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t tsecr, uint16_t len)
{
	static const uint8_t zeros[100];
	struct sl_seg_out seg = {
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.wnd = 65535,
		.opts = SL_OPT_TS | (flags & SL_SYN ? SL_OPT_MSS : 0),
		.mss = 1400,
		.tsval = 7,
		.tsecr = tsecr,
	};

	solo_clear(s);
	solo_send(s, &seg, zeros, len);
	solo_step(s);
}

/* What a SYN with timestamps is answered by. */
static struct sl_seg
answer_to_syn(struct solo *s, uint16_t rport)
{
	s->tuple.rport = rport;
	say(s, SL_SYN, 1000, 0, 0, 0);
	assert_int_equal(s->n_out, 1);
	assert_int_equal(s->out[0].seg.flags, SL_SYN | SL_ACK);
	return s->out[0].seg;
}

static void
reset(struct solo *s)
{
	say(s, SL_RST, 1001, 0, 0, 0);
	solo_clear(s);
}

static void
open_solo(struct solo *s, bool v6, enum sl_cookies cookies, const struct sl_app *app)
{
	solo_init(s, v6, app, NULL);
	s->conf.cookie_secret.k[0] = 9;
	s->conf.listener[0].tcp.cookies = cookies;
	solo_open(s);
}

/* Whether the cookie that @from makes opens a connection at @at. */
static bool
crosses(struct solo *from, struct solo *at, uint16_t rport)
{
	struct sl_seg synack = answer_to_syn(from, rport);
	bool is_open;

	at->tuple.rport = rport;
	say(at, SL_ACK, 1001, synack.seq + 1, synack.tsval, 0);
	is_open = sl_core_state(at->core, &at->tuple, NULL) != NULL;
	if (is_open)
		reset(at);
	return is_open;
}

/*
 * Two counters that run 200 parts in a million apart, and one wall clock.
 * rows: SF3 [v4 v6]
 */
static void
siblings_whose_counters_drift_accept_each_others_cookies(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		uint64_t tai_ms;

		open_solo(&solo, v6, SL_COOKIES_ALWAYS, &sl_echo);
		open_solo(&sibling, v6, SL_COOKIES_ALWAYS, &sl_echo);
		tai_ms = solo.conf.tai_ms;
		for (unsigned int m = 0; m < 3 * 24 * 60; m++) {
			solo.now += MINUTE + MINUTE / 10000;
			sibling.now += MINUTE - MINUTE / 10000;
			tai_ms += MINUTE / SL_NS_PER_MS;
			tell(&solo, tai_ms);
			tell(&sibling, tai_ms);
			if (m % 60 == 0) {
				assert_true(crosses(&solo, &sibling, (uint16_t)(2000 + m)));
				assert_true(crosses(&sibling, &solo, (uint16_t)(20000 + m)));
			}
		}
		solo_close(&solo);
		solo_close(&sibling);
	}
}

/*
 * The wall clock was an hour ahead and is put right: a third ACK is good for as long as ever.
 * rows: SF3 [v4 v6]
 */
static void
keys_go_on_when_the_wall_clock_is_put_back(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct sl_seg_out syn = { .opts = SL_OPT_MSS, .mss = 1460, .wnd = 1000 }, ack;

		open_solo(&solo, v6, SL_COOKIES_ALWAYS, &sl_echo);
		solo.now += SL_NS_PER_S;
		tell(&solo, solo.conf.tai_ms + 3600000);
		solo.now += SL_NS_PER_S;
		tell(&solo, solo.conf.tai_ms + 2000);
		solo_handshake(&solo, 1000, &syn);
		ack = (struct sl_seg_out){ 1001, solo.iss + 1, .flags = SL_ACK, .wnd = 1000 };
		reset(&solo);
		for (unsigned int s = 0; s <= 70; s += 5) {
			tell(&solo, solo.conf.tai_ms + 2000 + s * 1000);
			solo_send(&solo, &ack, NULL, 0);
			solo_step(&solo);
			if (sl_core_state(solo.core, &solo.tuple, NULL) != NULL) {
				assert_true(s <= 65);
				reset(&solo);
			} else {
				assert_true(s >= 30);
			}
			solo.now += 5 * SL_NS_PER_S;
		}
		solo_close(&solo);
	}
}

/*
 * Whatever the wall clock says, timestamps of a tuple go on: faster, or more slowly by one part
 * in a hundred, but never back.
 * rows: TS9 [v4 v6]
 */
static void
timestamps_never_go_back(void **state)
{
	struct rnd rnd = { .s = 4 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		uint64_t tai_ms;
		uint32_t last;

		open_solo(&solo, v6, SL_COOKIES_NEVER, &sl_echo);
		tai_ms = solo.conf.tai_ms;
		last = answer_to_syn(&solo, 5000).tsval;
		reset(&solo);
		for (unsigned int i = 0; i < 3000; i++) {
			uint32_t ms = (uint32_t)rnd_below(&rnd, i % 2 ? 3 : 3000), tsval;

			solo.now += ms * SL_NS_PER_MS;
			tai_ms += ms;
			tai_ms += rnd_below(&rnd, 200);
			tai_ms -= 100;
			tell(&solo, tai_ms);
			tsval = answer_to_syn(&solo, 5000).tsval;
			reset(&solo);
			assert_in_range(tsval - last, ms - ms / 100 - (ms > 0), ms + 100000);
			last = tsval;
		}
		solo_close(&solo);
	}
}

/*
 * What is half-open or open goes on by the clock that it began with.
 * rows: TS9 [v4 v6]
 */
static void
a_connection_keeps_its_clock(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct sl_seg synack;

		open_solo(&solo, v6, SL_COOKIES_NEVER, &sl_echo);
		synack = answer_to_syn(&solo, 5000);
		tell(&solo, solo.conf.tai_ms + 5000);
		solo.now += 100 * SL_NS_PER_MS;
		assert_int_equal(answer_to_syn(&solo, 5000).tsval, synack.tsval + 100);
		say(&solo, SL_ACK, 1001, synack.seq + 1, synack.tsval + 100, 0);
		tell(&solo, solo.conf.tai_ms + 9000);
		solo.now += 100 * SL_NS_PER_MS;
		say(&solo, SL_ACK, 1001, synack.seq + 1, synack.tsval + 100, 10);
		assert_int_equal(solo.n_out, 1);
		assert_int_equal(solo.out[0].seg.tsval, synack.tsval + 200);
		reset(&solo);
		solo_close(&solo);
	}
}

static uint32_t
take_and_close(struct sl_conn *c, const struct sl_chain *in)
{
	sl_close(c);
	return in->bytes;
}

static const struct sl_app closer = { .name = "closer", .data = take_and_close };

/*
 * A connection that lived while our clock was held back was ahead of it in the end: what is
 * said for it in TIME-WAIT is not older than what it said, or its peer would not take it. rows:
 * TW2 TS9 [v4 v6]
 */
static void
time_wait_speaks_no_earlier_than_the_connection(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct sl_seg synack, fin;

		open_solo(&solo, v6, SL_COOKIES_NEVER, &closer);
		synack = answer_to_syn(&solo, 5000);
		say(&solo, SL_ACK, 1001, synack.seq + 1, synack.tsval, 0);
		solo.now += MINUTE;
		tell(&solo, solo.conf.tai_ms); /* a minute ahead: 600 ms are held back */
		say(&solo, SL_ACK, 1001, synack.seq + 1, synack.tsval, 10);
		fin = solo.out[solo.n_out - 1].seg;
		assert_true(fin.flags & SL_FIN);
		assert_int_equal(fin.tsval, synack.tsval + 60000);
		say(&solo, SL_ACK | SL_FIN, 1011, synack.seq + 2, fin.tsval, 0);
		assert_int_equal(solo.n_out, 1);
		solo.now += 200 * SL_NS_PER_MS;
		solo_step(&solo);
		say(&solo, SL_ACK | SL_FIN, 1011, synack.seq + 2, fin.tsval, 0);
		assert_int_equal(solo.n_out, 1);
		assert_int_equal(solo.out[0].seg.ack, 1012);
		assert_in_range(solo.out[0].seg.tsval - fin.tsval, 0, 200);
		/* but what it never said is not believed */
		say(&solo, SL_ACK | SL_FIN, 1011, synack.seq + 2, fin.tsval + 5000, 0);
		assert_in_range(solo.out[0].seg.tsval - fin.tsval + 600, 0, 800);
		solo_close(&solo);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siblings_whose_counters_drift_accept_each_others_cookies),
		cmocka_unit_test(keys_go_on_when_the_wall_clock_is_put_back),
		cmocka_unit_test(timestamps_never_go_back),
		cmocka_unit_test(a_connection_keeps_its_clock),
		cmocka_unit_test(time_wait_speaks_no_earlier_than_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
