/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_drain - a core that is told to end comes to all of its connections, however many, and
 * to some of them in a step.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/core.h"
#include "solo.h"

#define MANY        2000u
#define STEPS       ((MANY + SL_DRAIN_STEP - 1) / SL_DRAIN_STEP)
#define FIRST_PORT  10000u
#define REQUEST_LEN 5

static const struct sl_event drain = { .kind = SL_EVENT_DRAIN };
static const struct sl_event kill = { .kind = SL_EVENT_KILL };
static const struct sl_seg_out syn = { .wnd = 65535, .mss = 1400, .opts = SL_OPT_MSS };

static struct solo s;
static struct {
	uint32_t irs, iss;
} peer[MANY];
static uint32_t n_opened, n_closed, n_in_a_step, n_busy;
static char page[16000]; /* what who asks is sent, if they are @greedy; else an echo */
static bool greedy;

static int
opened(struct sl_conn *c)
{
	n_opened++;
	return 0;
}

static void
closed(struct sl_conn *c, enum sl_reason why)
{
	n_closed++;
	n_in_a_step++;
}

/* The first @n_busy are busy with their peers' requests; each asks the first thing. */
static bool
is_idle(struct sl_conn *c)
{
	n_in_a_step++;
	return c->idx >= n_busy;
}

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	if (greedy)
		sl_send(c, page, sizeof(page));
	else
		sl_send_chain(c, in, 0, in->bytes);
	return in->bytes;
}

static const struct sl_app opener = { .name = "opener" };
static const struct sl_app app = { .opens = &opener,
				   .name = "app",
				   .open = opened,
				   .data = answer,
				   .closed = closed,
				   .is_idle = is_idle };

static uint64_t
count(enum sl_counter counter)
{
	return sl_core_stats(s.core)->count[counter];
}

static void
be_peer(uint32_t i)
{
	s.tuple.rport = (uint16_t)(FIRST_PORT + i);
	s.irs = peer[i].irs;
	s.iss = peer[i].iss;
}

static void
say(uint32_t i, uint8_t flags, uint16_t len)
{
	static const uint8_t bytes[REQUEST_LEN] = "date?";
	struct sl_seg_out seg = { .seq = peer[i].irs + 1,
				  .ack = peer[i].iss + 1,
				  .flags = SL_ACK | flags,
				  .wnd = 65535 };

	be_peer(i);
	solo_send(&s, &seg, bytes, len);
}

/* @n peers connect. */
static void
open_many(uint32_t n)
{
	solo_init(&s, false, &app, NULL);
	s.conf.connections = MANY + 8;
	s.conf.time_wait = MANY + 8;
	s.conf.spans = 4 * MANY;
	solo_open(&s);
	n_opened = n_closed = n_busy = 0;
	greedy = false;
	for (uint32_t i = 0; i < n; i++) {
		s.tuple.rport = (uint16_t)(FIRST_PORT + i);
		solo_handshake(&s, 1000 * i, &syn);
		peer[i].irs = s.irs;
		peer[i].iss = s.iss;
	}
	assert_int_equal(n_opened, n);
}

/*
 * A step, in which no more connections are touched than may be, besides those whose packets
 * came; the core wanted it now.
 */
static void
step_that_is_bounded(void)
{
	uint32_t most = SL_DRAIN_STEP + s.n_rx;

	n_in_a_step = 0;
	assert_true(sl_core_next(s.core) <= s.now);
	solo_clear(&s);
	solo_step(&s);
	assert_in_range(n_in_a_step, 0, most);
}

static uint32_t
walk_to_its_end(void)
{
	uint32_t n = 0;

	for (; s.core->tcp.drain.left > 0; n++)
		step_that_is_bounded();
	return n;
}

/* Whoever is left is reset. */
static void
end(void)
{
	sl_core_event(s.core, s.now, &kill);
	while (count(SL_CNT_live) > 0)
		step_that_is_bounded();
	assert_int_equal(n_closed, n_opened);
	solo_close(&s);
}

static void
a_kill_resets_everybody_and_so_many_in_a_step(void **state)
{
	uint64_t before = 0, said;
	uint32_t n = 0;

	open_many(MANY);
	said = s.frames_out;
	sl_core_event(s.core, s.now, &kill);
	for (; count(SL_CNT_killed) < MANY; n++) {
		step_that_is_bounded();
		assert_in_range(count(SL_CNT_killed) - before, 1, SL_DRAIN_STEP);
		before = count(SL_CNT_killed);
	}
	assert_int_equal(n, STEPS);
	while (count(SL_CNT_live) > 0) /* resets find room by and by */
		step_that_is_bounded();
	assert_int_equal(n_closed, MANY);
	assert_int_equal(s.frames_out - said, MANY);
	end();
}

/* Of records that are nobody's any more, many more are passed than others are ended of. */
static void
the_last_of_many_is_found_in_a_step(const struct sl_event *how)
{
	open_many(MANY);
	for (uint32_t i = 0; i < MANY - 1; i++) {
		solo_clear(&s);
		say(i, SL_RST, 0);
	}
	solo_step(&s);
	assert_int_equal(count(SL_CNT_live), 1);
	sl_core_event(s.core, s.now, how);
	step_that_is_bounded();
	assert_int_equal(s.core->tcp.drain.left, 0);
}

static void
a_kill_passes_records_of_those_who_left_at_once(void **state)
{
	the_last_of_many_is_found_in_a_step(&kill);
	assert_int_equal(count(SL_CNT_killed), 1);
	end();
}

static void
and_so_does_a_drain(void **state)
{
	the_last_of_many_is_found_in_a_step(&drain);
	be_peer(MANY - 1);
	assert_string_equal(sl_core_state(s.core, &s.tuple, NULL), "FIN-WAIT-1");
	end();
}

/* Each of them is asked, and its FIN leaves. */
static void
a_drain_closes_who_is_idle_and_looks_at_so_many_in_a_step(void **state)
{
	uint64_t said;

	open_many(MANY);
	said = s.frames_out;
	n_busy = 3;
	sl_core_event(s.core, s.now, &drain);
	assert_true(walk_to_its_end() >= STEPS);
	while (s.core->tcp.output.n > 0)
		step_that_is_bounded();
	assert_int_equal(s.frames_out - said, MANY - n_busy);
	assert_int_equal(n_closed, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		be_peer(i);
		assert_string_equal(sl_core_state(s.core, &s.tuple, NULL),
				    i < n_busy ? "ESTABLISHED" : "FIN-WAIT-1");
	}
	end();
}

/* Who is busy is answered while FINs of all the others leave, not behind them. */
static void
a_busy_connection_goes_on_while_the_others_are_closed(void **state)
{
	uint32_t n = 0;
	bool answered = false;

	open_many(MANY);
	n_busy = 1;
	sl_core_event(s.core, s.now, &drain);
	step_that_is_bounded();
	step_that_is_bounded();
	say(0, SL_PSH, REQUEST_LEN);
	for (; !answered; n++) {
		step_that_is_bounded();
		for (uint32_t i = 0; i < s.n_out; i++)
			answered |= s.out[i].seg.len == REQUEST_LEN;
	}
	assert_in_range(n, 1, 2 * SL_DRAIN_STEP / SL_BURST);
	assert_true(s.core->tcp.drain.left > 0);
	end();
}

/* Their windows are open, and more of them have something to send than a step has room for. */
static void
a_drain_goes_on_while_many_wait_for_room(void **state)
{
	uint32_t n = 0;

	open_many(MANY);
	n_busy = 2 * SL_DRAIN_STEP;
	greedy = true;
	for (uint32_t i = 0; i < n_busy; i++) {
		solo_clear(&s);
		say(i, SL_PSH, REQUEST_LEN);
	}
	sl_core_event(s.core, s.now, &drain);
	step_that_is_bounded();
	for (; s.core->tcp.output.n > SL_DRAIN_STEP && s.core->tcp.drain.left > 0; n++) {
		uint32_t left = s.core->tcp.drain.left;

		step_that_is_bounded();
		assert_true(s.core->tcp.drain.left < left);
	}
	assert_true(n > 10);
	end();
}

/* One that was half-open is closed as it opens, wherever the walk is; others are refused. */
static void
nobody_new_lives_on_while_the_walk_is_under_way(void **state)
{
	struct sl_seg_out seg = syn;
	struct sl_connect to = { .remote = &s.tuple.remote, .rport = 80 };

	open_many(MANY - 1);
	s.tuple.rport = FIRST_PORT + MANY - 1;
	seg.flags = SL_SYN;
	solo_clear(&s);
	solo_send(&s, &seg, NULL, 0);
	solo_step(&s);
	assert_int_equal(count(SL_CNT_half_open), 1);
	peer[MANY - 1].irs = 0;
	peer[MANY - 1].iss = s.out[0].seg.seq;

	sl_core_event(s.core, s.now, &drain);
	say(MANY - 1, 0, 0);
	step_that_is_bounded();
	assert_string_equal(sl_core_state(s.core, &s.tuple, NULL), "FIN-WAIT-1");

	assert_true(s.core->tcp.drain.left > 0);
	s.tuple.rport = FIRST_PORT + MANY;
	solo_send(&s, &seg, NULL, 0);
	step_that_is_bounded();
	assert_null(sl_core_state(s.core, &s.tuple, NULL));
	assert_int_equal(sl_core_stats(s.core)->fate[SL_FATE_tcp_draining], 1);
	assert_int_equal(sl_core_connect(s.core, s.now, 0, &to, NULL), -ESHUTDOWN);
	end();
}

/* Told again and again it goes on where it is, and round once more. */
static void
a_walk_that_is_told_again_does_not_begin_again(void **state)
{
	open_many(MANY);
	for (uint32_t n = 0; n < STEPS; n++) {
		sl_core_event(s.core, s.now, &kill);
		sl_core_event(s.core, s.now, &drain);
		step_that_is_bounded();
	}
	assert_int_equal(count(SL_CNT_killed), MANY);
	end();
}

/* Where a drain was is no matter: all that are left are reset, and counted once. */
static void
a_kill_takes_over_from_a_drain(void **state)
{
	uint64_t gone = 0;

	open_many(MANY);
	sl_core_event(s.core, s.now, &drain);
	for (int i = 0; i < 3; i++)
		step_that_is_bounded();
	for (; gone < 5; gone++) /* as an end by the peer, not by us */
		say((uint32_t)gone, SL_RST, 0);
	sl_core_event(s.core, s.now, &kill);
	walk_to_its_end();
	solo_clear(&s);
	assert_int_equal(count(SL_CNT_killed), MANY - gone);
	end();
}

static void
a_core_may_be_closed_in_the_middle(void **state)
{
	open_many(MANY);
	say(0, SL_PSH, REQUEST_LEN);
	sl_core_event(s.core, s.now, &kill);
	step_that_is_bounded();
	assert_true(s.core->tcp.drain.left > 0);
	sl_core_close(s.core);
	assert_int_equal(s.hb.out, 0);
	heapbufs_close(&s.hb);
	arena_close(&s.arena);
}

/* And then it may rest. */
static void
a_core_without_connections_has_nothing_to_walk_over(void **state)
{
	open_many(0);
	sl_core_event(s.core, s.now, &drain);
	assert_true(sl_core_next(s.core) > s.now);
	sl_core_event(s.core, s.now, &kill);
	assert_true(sl_core_next(s.core) > s.now);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_resets_everybody_and_so_many_in_a_step),
		cmocka_unit_test(a_kill_passes_records_of_those_who_left_at_once),
		cmocka_unit_test(and_so_does_a_drain),
		cmocka_unit_test(a_drain_closes_who_is_idle_and_looks_at_so_many_in_a_step),
		cmocka_unit_test(a_busy_connection_goes_on_while_the_others_are_closed),
		cmocka_unit_test(a_drain_goes_on_while_many_wait_for_room),
		cmocka_unit_test(nobody_new_lives_on_while_the_walk_is_under_way),
		cmocka_unit_test(a_walk_that_is_told_again_does_not_begin_again),
		cmocka_unit_test(a_kill_takes_over_from_a_drain),
		cmocka_unit_test(a_core_may_be_closed_in_the_middle),
		cmocka_unit_test(a_core_without_connections_has_nothing_to_walk_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
