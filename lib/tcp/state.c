/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state - the transition table, to be held against RFC 9293, figure 5, by eye.
 *
 * Zero means that nobody wrote the edge down: asking for it is a bug where it is asked.
 * FIN in SYN-RECEIVED needs no edge of its own, since a segment that brings it also
 * acknowledges our SYN, which is taken first. A close in SYN-RECEIVED has none either: it
 * is queued until ESTABLISHED, as 3.10.4 allows, and then taken as one there.
 */
#include "tcp/state.h"

static const uint8_t edge[SL_ST_COUNT][SL_EV_COUNT] = {
	[SL_ST_CLOSED] = {
		[SL_EV_OPEN_ACTIVE] = SL_ST_SYN_SENT,
		[SL_EV_SYN_RCVD]    = SL_ST_SYN_RECEIVED, /* through LISTEN */
		[SL_EV_KILLED]      = SL_ST_CLOSED,
	},
	[SL_ST_SYN_SENT] = {
		[SL_EV_SYN_ACKED] = SL_ST_ESTABLISHED,
		[SL_EV_SYN_RCVD]  = SL_ST_SYN_RECEIVED, /* both opened at once */
		[SL_EV_CLOSE]     = SL_ST_CLOSED,
		[SL_EV_KILLED]    = SL_ST_CLOSED,
	},
	[SL_ST_SYN_RECEIVED] = {
		[SL_EV_SYN_ACKED] = SL_ST_ESTABLISHED,
		[SL_EV_KILLED]    = SL_ST_CLOSED,
	},
	[SL_ST_ESTABLISHED] = {
		[SL_EV_CLOSE]    = SL_ST_FIN_WAIT_1,
		[SL_EV_FIN_RCVD] = SL_ST_CLOSE_WAIT,
		[SL_EV_KILLED]   = SL_ST_CLOSED,
	},
	[SL_ST_FIN_WAIT_1] = {
		[SL_EV_FIN_ACKED] = SL_ST_FIN_WAIT_2,
		[SL_EV_FIN_RCVD]  = SL_ST_CLOSING, /* both closed at once */
		[SL_EV_KILLED]    = SL_ST_CLOSED,
	},
	[SL_ST_FIN_WAIT_2] = {
		[SL_EV_FIN_RCVD] = SL_ST_TIME_WAIT,
		[SL_EV_KILLED]   = SL_ST_CLOSED,
	},
	[SL_ST_CLOSE_WAIT] = {
		[SL_EV_CLOSE]  = SL_ST_LAST_ACK,
		[SL_EV_KILLED] = SL_ST_CLOSED,
	},
	[SL_ST_CLOSING] = {
		[SL_EV_FIN_ACKED] = SL_ST_TIME_WAIT,
		[SL_EV_KILLED]    = SL_ST_CLOSED,
	},
	[SL_ST_LAST_ACK] = {
		[SL_EV_FIN_ACKED] = SL_ST_CLOSED,
		[SL_EV_KILLED]    = SL_ST_CLOSED,
	},
	[SL_ST_TIME_WAIT] = {
		[SL_EV_EXPIRED] = SL_ST_CLOSED,
		[SL_EV_KILLED]  = SL_ST_CLOSED,
	},
};

static const char *const names[SL_ST_COUNT] = {
	[SL_ST_NONE] = "none",
	[SL_ST_CLOSED] = "CLOSED",
	[SL_ST_LISTEN] = "LISTEN",
	[SL_ST_SYN_SENT] = "SYN-SENT",
	[SL_ST_SYN_RECEIVED] = "SYN-RECEIVED",
	[SL_ST_ESTABLISHED] = "ESTABLISHED",
	[SL_ST_FIN_WAIT_1] = "FIN-WAIT-1",
	[SL_ST_FIN_WAIT_2] = "FIN-WAIT-2",
	[SL_ST_CLOSE_WAIT] = "CLOSE-WAIT",
	[SL_ST_CLOSING] = "CLOSING",
	[SL_ST_LAST_ACK] = "LAST-ACK",
	[SL_ST_TIME_WAIT] = "TIME-WAIT",
};

enum sl_state
sl_state_next(enum sl_state state, enum sl_event_tcp event)
{
	return edge[state][event];
}

const char *
sl_state_name(enum sl_state state)
{
	return names[state];
}
