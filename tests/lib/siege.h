/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * siege - a core among strangers and ill-meaning peers, with a friend inside.
 *
 * For the tests of what they can take, and that it is no more: whatever they do, the old
 * friend, connected to echo before, is served as before, and so is a newcomer; table, pools
 * and timers are where they were. A program that uses it compiles siege.c, since that asserts.
 */
#ifndef TEST_SIEGE_H
#define TEST_SIEGE_H

#include "random.h"
#include "solo.h"
#include "talk.h"

#define SIEGE_PORT 80 /* the listener under attack */
#define SIEGE_ECHO 7  /* the friend's */

/* A peer that keeps its numbers. */
struct siege_peer {
	struct sl_tuple tuple;
	uint32_t seq, ack;
	uint32_t acked; /* by the core, as it last said to siege_put() */
};

struct siege {
	struct solo s;
	struct rnd rnd;
	struct siege_peer old; /* the friend */
	struct talk_result result;
	struct talk_plan plan; /* where the application is talk_app */
};

extern struct siege siege;

/* What a stranger must not move. */
struct siege_gauges {
	uint64_t live, half_open, time_wait, active, kept, buffers;
};

/* @app listens where the attack goes; changes to conf and plan may follow before siege_begin().
 */
void siege_init(bool v6, const struct sl_app *app);
/* ... one of them: the application is talk_app, and leaves what comes where it is. */
void siege_takes_nothing(void);
void siege_begin(void);
/* The friend is still served, somebody new is served, and nothing is left behind. */
void siege_end(void);

uint64_t siege_count(enum sl_counter counter);
uint64_t siege_fate(enum sl_fate fate);
struct siege_gauges siege_gauges(void);
void siege_moved_nothing(const struct siege_gauges *before);

/* What waits is answered by a packet each at most, hardly larger: nothing is amplified. */
void siege_step_one_for_one(void);
/* Time passes, with ten steps a second. */
void siege_wait(unsigned int seconds);

/* @p connects; its SYN has @wnd and @mss. */
void siege_meet(struct siege_peer *p, uint16_t lport, uint16_t rport, uint16_t wnd,
		uint16_t mss);
/* @p says @len bytes and has them back, at once. */
void siege_echoes(struct siege_peer *p, uint16_t len);
/* @p says @len bytes, @at behind what it said before, which is not moved. */
void siege_put(struct siege_peer *p, uint32_t at, uint16_t len);
/* @p acknowledges what it has seen, its window open. */
void siege_acks(const struct siege_peer *p);
/* @p resets its connection. */
void siege_leaves(const struct siege_peer *p);

#endif
