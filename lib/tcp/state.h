/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state - the states of a connection and what leads from one to another
 * (RFC 9293, 3.3.2, figure 5).
 *
 * The table in state.c is the whole truth about transitions; sl_tcb_event() is the only
 * place that assigns a state.
 */
#ifndef SL_TCP_STATE_H
#define SL_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum sl_state {
	SL_ST_NONE, /* no such edge; never a state a connection is in */
	SL_ST_CLOSED,
	SL_ST_LISTEN, /* a listener's; a connection never is */
	SL_ST_SYN_SENT,
	SL_ST_SYN_RECEIVED,
	SL_ST_ESTABLISHED,
	SL_ST_FIN_WAIT_1,
	SL_ST_FIN_WAIT_2,
	SL_ST_CLOSE_WAIT,
	SL_ST_CLOSING,
	SL_ST_LAST_ACK,
	SL_ST_TIME_WAIT,
	SL_ST_COUNT,
};

enum sl_event_tcp {
	SL_EV_OPEN_ACTIVE, /* sl_connect() */
	SL_EV_SYN_RCVD,    /* a SYN, acknowledging nothing of ours */
	SL_EV_SYN_ACKED,   /* our SYN is acknowledged, and we have theirs */
	SL_EV_CLOSE,       /* the application has no more to send */
	SL_EV_FIN_RCVD,    /* the peer's FIN, in order */
	SL_EV_FIN_ACKED,   /* our FIN is acknowledged */
	SL_EV_EXPIRED,     /* 2 MSL are over */
	SL_EV_KILLED,      /* reset, either way; time-out; refused */
	SL_EV_COUNT,
};

/* The state that @event leads to from @state, or SL_ST_NONE. */
enum sl_state sl_state_next(enum sl_state state, enum sl_event_tcp event);

/* As the RFC writes it: "SYN-RECEIVED". Static. */
const char *sl_state_name(enum sl_state state);

/* Both SYNs are exchanged (RFC 9293, 3.3.2: the synchronized states). */
static inline bool
sl_state_is_synchronized(enum sl_state state)
{
	return state >= SL_ST_ESTABLISHED;
}

/* The peer may still send: its FIN has not come in order. */
static inline bool
sl_state_can_receive(enum sl_state state)
{
	return state == SL_ST_ESTABLISHED || state == SL_ST_FIN_WAIT_1 ||
	       state == SL_ST_FIN_WAIT_2;
}

/* The application may still queue bytes. */
static inline bool
sl_state_can_send(enum sl_state state)
{
	const uint32_t open = 1u << SL_ST_SYN_SENT | 1u << SL_ST_SYN_RECEIVED |
			      1u << SL_ST_ESTABLISHED | 1u << SL_ST_CLOSE_WAIT;

	return open >> state & 1;
}

/* Our FIN is queued or sent and not acknowledged yet. */
static inline bool
sl_state_fin_pending(enum sl_state state)
{
	const uint32_t pending =
		1u << SL_ST_FIN_WAIT_1 | 1u << SL_ST_CLOSING | 1u << SL_ST_LAST_ACK;

	return pending >> state & 1;
}

#endif
