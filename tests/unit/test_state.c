/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_state - the transition table against the edges that RFC 9293, figure 5 and section
 * 3.10 draw, written down here a second time and in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>

#include "tcp/state.h"

struct edge {
	const char *from;
	enum sl_event_tcp event;
	const char *to;
	const char *rfc;
};

static const struct edge edges[] = {
	{ "CLOSED", SL_EV_OPEN_ACTIVE, "SYN-SENT", "3.10.1: active open" },
	{ "CLOSED", SL_EV_SYN_RCVD, "SYN-RECEIVED", "3.10.7.2: a listener gets a SYN" },
	{ "SYN-SENT", SL_EV_SYN_ACKED, "ESTABLISHED", "3.10.7.3: SYN and ACK of ours" },
	{ "SYN-SENT", SL_EV_SYN_RCVD, "SYN-RECEIVED", "3.10.7.3: SYN alone, both opened" },
	{ "SYN-SENT", SL_EV_CLOSE, "CLOSED", "3.10.4: delete the TCB" },
	{ "SYN-RECEIVED", SL_EV_SYN_ACKED, "ESTABLISHED", "3.10.7.4, fifth" },
	{ "ESTABLISHED", SL_EV_CLOSE, "FIN-WAIT-1", "3.10.4" },
	{ "ESTABLISHED", SL_EV_FIN_RCVD, "CLOSE-WAIT", "3.10.7.4, eighth" },
	{ "FIN-WAIT-1", SL_EV_FIN_ACKED, "FIN-WAIT-2", "3.10.7.4, fifth" },
	{ "FIN-WAIT-1", SL_EV_FIN_RCVD, "CLOSING", "3.10.7.4, eighth: ours not acknowledged" },
	{ "FIN-WAIT-2", SL_EV_FIN_RCVD, "TIME-WAIT", "3.10.7.4, eighth" },
	{ "CLOSE-WAIT", SL_EV_CLOSE, "LAST-ACK", "3.10.4" },
	{ "CLOSING", SL_EV_FIN_ACKED, "TIME-WAIT", "3.10.7.4, fifth" },
	{ "LAST-ACK", SL_EV_FIN_ACKED, "CLOSED", "3.10.7.4, fifth" },
	{ "TIME-WAIT", SL_EV_EXPIRED, "CLOSED", "3.10.8: 2 MSL are over" },
};

static enum sl_state
named(const char *name)
{
	for (int s = SL_ST_NONE + 1; s < SL_ST_COUNT; s++)
		if (strcmp(sl_state_name((enum sl_state)s), name) == 0)
			return (enum sl_state)s;
	fail_msg("no state %s", name);
	return SL_ST_NONE;
}

static bool
is_written(enum sl_state from, int event)
{
	for (size_t i = 0; i < RTE_DIM(edges); i++)
		if (named(edges[i].from) == from && (int)edges[i].event == event)
			return true;
	return false;
}

static void
each_edge_of_the_rfc_is_there(void **state)
{
	for (size_t i = 0; i < RTE_DIM(edges); i++) {
		enum sl_state next = sl_state_next(named(edges[i].from), edges[i].event);

		if (next == SL_ST_NONE || strcmp(sl_state_name(next), edges[i].to) != 0)
			fail_msg("%s -> %s: %s", edges[i].from, edges[i].to, edges[i].rfc);
	}
}

/* Reset, time-out, abort: RFC 9293, 3.10.5, 3.10.7.4 second, 3.8.3. */
static void
every_state_but_listen_can_be_ended_at_once(void **state)
{
	for (int s = SL_ST_CLOSED; s < SL_ST_COUNT; s++)
		assert_int_equal(sl_state_next((enum sl_state)s, SL_EV_KILLED),
				 s == SL_ST_LISTEN ? SL_ST_NONE : SL_ST_CLOSED);
}

static void
there_is_no_edge_that_the_rfc_does_not_draw(void **state)
{
	for (int s = 0; s < SL_ST_COUNT; s++)
		for (int e = 0; e < SL_EV_COUNT; e++)
			if (e != SL_EV_KILLED && !is_written((enum sl_state)s, e))
				assert_int_equal(
					sl_state_next((enum sl_state)s, (enum sl_event_tcp)e),
					SL_ST_NONE);
}

/* What the words about states mean, state by state. */
static void
the_predicates_say_what_the_rfc_says_of_each_state(void **state)
{
	static const struct {
		const char *name;
		bool synchronized, sends, receives, fin_pending;
	} rows[] = {
		{ "SYN-SENT", false, true, false, false },
		{ "SYN-RECEIVED", false, true, false, false },
		{ "ESTABLISHED", true, true, true, false },
		{ "FIN-WAIT-1", true, false, true, true },
		{ "FIN-WAIT-2", true, false, true, false },
		{ "CLOSE-WAIT", true, true, false, false },
		{ "CLOSING", true, false, false, true },
		{ "LAST-ACK", true, false, false, true },
		{ "TIME-WAIT", true, false, false, false },
		{ "CLOSED", false, false, false, false },
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		enum sl_state s = named(rows[i].name);

		if (sl_state_is_synchronized(s) != rows[i].synchronized ||
		    sl_state_can_send(s) != rows[i].sends ||
		    sl_state_can_receive(s) != rows[i].receives ||
		    sl_state_fin_pending(s) != rows[i].fin_pending)
			fail_msg("%s", rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_edge_of_the_rfc_is_there),
		cmocka_unit_test(every_state_but_listen_can_be_ended_at_once),
		cmocka_unit_test(there_is_no_edge_that_the_rfc_does_not_draw),
		cmocka_unit_test(the_predicates_say_what_the_rfc_says_of_each_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
