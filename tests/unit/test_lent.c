/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lent - a connection has a small block while bytes wait for its application, while there
 * is a gap or a loss, and while congestion control remembers one; and there is always one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "random.h"
#include "solo.h"

#define GREETING 2800u /* two full segments */

static bool reads;

static int
speak(struct sl_conn *c)
{
	static const uint8_t greeting[GREETING];

	sl_send(c, greeting, sizeof(greeting));
	return 0;
}

static uint32_t
read_if_willing(struct sl_conn *c, const struct sl_chain *in)
{
	return reads ? in->bytes : 0;
}

static const struct sl_app reader = { .name = "reader",
				      .data = read_if_willing,
				      .peer_closed = sl_close };
static const struct sl_app speaker = {
	.name = "speaker", .open = speak, .data = read_if_willing, .peer_closed = sl_close
};
static const struct sl_seg_out syn = { .wnd = 65535, .mss = 1400, .opts = SL_OPT_MSS };

static uint32_t
lent(const struct solo *s)
{
	const struct sl_tcp *tcp = &s->core->tcp;

	return tcp->n_lent - sl_slots_free_count(&tcp->free_lent);
}

/* One of the peer's bytes, @at behind its first, with what else @flags say. */
static void
send_byte(struct solo *s, uint32_t at, uint32_t acked, uint8_t flags)
{
	struct sl_seg_out seg = { .seq = s->irs + 1 + at,
				  .ack = s->iss + 1 + acked,
				  .flags = SL_ACK | flags,
				  .wnd = 65535 };

	solo_send(s, &seg, "x", 1);
	solo_step(s);
}

static void
resume(struct solo *s)
{
	struct sl_ref ref;
	struct sl_conn c;

	assert_non_null(sl_core_state(s->core, &s->tuple, &ref));
	assert_true(sl_core_conn(s->core, s->now, ref, &c));
	sl_resume(&c);
	solo_step(s);
}

static void
kill_all(struct solo *s)
{
	struct sl_event kill = { .kind = SL_EVENT_KILL };

	sl_core_event(s->core, s->now, &kill);
	solo_pass(s, 100);
}

static void
open_one(struct solo *s, const struct sl_app *app)
{
	solo_init(s, false, app, NULL);
	solo_open(s);
	solo_handshake(s, 1000, &syn);
}

static void
bytes_that_wait_take_one_and_the_last_one_taken_gives_it_back(void **state)
{
	static struct solo s;

	open_one(&s, &reader);
	assert_int_equal(lent(&s), 0);
	reads = false;
	send_byte(&s, 0, 0, 0);
	send_byte(&s, 1, 0, 0);
	assert_int_equal(lent(&s), 1);
	reads = true;
	resume(&s);
	assert_int_equal(lent(&s), 0);
	send_byte(&s, 2, 0, 0); /* taken in the step in which it comes */
	assert_int_equal(lent(&s), 0);
	solo_close(&s);
}

static void
bytes_that_wait_and_a_gap_share_one(void **state)
{
	static struct solo s;

	open_one(&s, &reader);
	reads = false;
	send_byte(&s, 0, 0, 0);
	send_byte(&s, 2, 0, 0);
	assert_int_equal(lent(&s), 1);
	reads = true;
	resume(&s);
	assert_int_equal(lent(&s), 1); /* the gap is there still */
	reads = false;
	send_byte(&s, 1, 0, 0);
	assert_int_equal(lent(&s), 1); /* the gap is not, but two bytes are */
	reads = true;
	resume(&s);
	assert_int_equal(lent(&s), 0);
	solo_close(&s);
}

static void
what_congestion_control_remembers_keeps_one_to_the_end(void **state)
{
	static struct solo s;

	open_one(&s, &speaker);
	assert_int_equal(lent(&s), 0);
	solo_pass(&s, 5000); /* nothing is acknowledged: a loss */
	assert_int_equal(lent(&s), 1);
	reads = true;
	send_byte(&s, 0, GREETING, 0);
	assert_int_equal(s.core->tcp.stats.count[SL_CNT_active], 0);
	assert_int_equal(lent(&s), 1);
	kill_all(&s);
	assert_int_equal(lent(&s), 0);
	solo_close(&s);
}

#define MANY    40u
#define BUFFERS 16u
#define LARGE   4u

static struct {
	uint32_t iss, next;
} peer[MANY];

static void
open_many(struct solo *s)
{
	memset(peer, 0, sizeof(peer));
	reads = false;
	solo_init(s, false, &speaker, NULL);
	s->conf.rx_buffers = BUFFERS;
	s->conf.active = LARGE;
	s->conf.listener[0].tcp.cookies = SL_COOKIES_NEVER;
	solo_open(s);
}

/* Peer @i opens, while others may say what they have to. */
static void
open_as(struct solo *s, uint32_t i)
{
	struct sl_seg_out seg = syn;
	uint32_t k = 0;

	s->tuple.rport = (uint16_t)(40000 + i);
	seg.seq = s->irs = 1000;
	seg.flags = SL_SYN;
	solo_clear(s);
	solo_send(s, &seg, NULL, 0);
	solo_step(s);
	while (s->out[k].rport != s->tuple.rport)
		assert_true(++k < s->n_out);
	s->iss = peer[i].iss = s->out[k].seg.seq;
	peer[i].next = 0;
	seg = (struct sl_seg_out){
		.seq = 1001, .ack = s->iss + 1, .flags = SL_ACK, .wnd = 65535
	};
	solo_send(s, &seg, NULL, 0);
	solo_step(s);
}

/* Peer @i sends the next byte, or one behind a gap, or a FIN with either. */
static void
act(struct solo *s, struct rnd *r, uint32_t i)
{
	uint32_t what = rnd_below(r, 8), acked = rnd_below(r, 2) * GREETING;

	s->tuple.rport = (uint16_t)(40000 + i);
	if (sl_core_state(s->core, &s->tuple, NULL) == NULL)
		open_as(s, i);
	s->iss = peer[i].iss;
	if (what < 2)
		send_byte(s, peer[i].next + 1, acked, what == 0 ? SL_FIN : 0);
	else
		send_byte(s, peer[i].next++, acked, what == 2 ? SL_FIN : 0);
	solo_clear(s);
}

/* As many as can lose something lose it; then each of the others has a byte that waits. */
static void
there_is_one_for_each_buffer_and_each_larger_block(void **state)
{
	static struct solo s;
	uint32_t i = 0;

	open_many(&s);
	for (; i < LARGE; i++)
		open_as(&s, i);
	solo_pass(&s, 5000);
	assert_int_equal(lent(&s), LARGE);
	for (; i < MANY; i++) {
		open_as(&s, i);
		send_byte(&s, 0, GREETING, 0);
	}
	assert_int_equal(lent(&s), LARGE + BUFFERS);
	assert_true(s.core->tcp.stats.count[SL_CNT_no_buffer] > 0);
	kill_all(&s);
	assert_int_equal(lent(&s), 0);
	solo_close(&s);
}

/* The core is checked after each step. */
static void
none_is_lost_whatever_happens(void **state)
{
	static struct solo s;
	struct rnd r = { 1 };

	open_many(&s);
	for (int turn = 0; turn < 20000; turn++) {
		uint16_t i = (uint16_t)rnd_below(&r, MANY);

		reads = turn / 1000 % 4 == 3;
		act(&s, &r, i);
		if (rnd_below(&r, 32) == 0)
			solo_pass(&s, 500);
	}
	kill_all(&s);
	assert_int_equal(lent(&s), 0);
	solo_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_that_wait_take_one_and_the_last_one_taken_gives_it_back),
		cmocka_unit_test(bytes_that_wait_and_a_gap_share_one),
		cmocka_unit_test(what_congestion_control_remembers_keeps_one_to_the_end),
		cmocka_unit_test(there_is_one_for_each_buffer_and_each_larger_block),
		cmocka_unit_test(none_is_lost_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
