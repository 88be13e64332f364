/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer - what each timer means, and every re-arming; see timer.c.
 */
#ifndef SL_TCP_TIMER_H
#define SL_TCP_TIMER_H

#include "tcp/tcp.h"

/*
 * The record is looked at by @due: without a look at the wheel, if it has an entry before.
 * One that is later is moved, so what the wheel has is at most one a record.
 */
static inline void
sl_timer_arm(struct sl_tcp *tcp, struct sl_tcb *tcb, sl_tick_t due)
{
	if (!sl_wheel_covers(tcb->armed, due))
		sl_wheel_arm(tcp->wheel, sl_tcb_idx(tcp, tcb), due);
}

void sl_timer_resend_after(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
void sl_timer_app(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* An ACK may wait so long; see sl_timer_await_ack(). */
void sl_timer_hold_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* Nothing is in flight, nothing waits to be, and nobody waits for room. */
static inline void
sl_timer_rest(struct sl_tcb *tcb)
{
	tcb->resend_due = 0;
	tcb->resend_for = SL_RESEND_TIMEOUT;
}

/* LIFE follows from the state: stopping it does nothing. */
void sl_timer_stop(struct sl_tcb *tcb, enum sl_timer_kind kind);
/* When it goes off; 0: it does not run. */
sl_tick_t sl_timer_due(const struct sl_tcp *tcp, const struct sl_tcb *tcb,
		       enum sl_timer_kind kind);
/* The resend timer as RFC 6298, 5 and RFC 8985 want it, after anything was sent or
 * acknowledged. */
void sl_timer_resend(struct sl_tcp *tcp, struct sl_tcb *tcb, bool restart);
/* Bytes went out for the first time: a tail loss probe waits for the last of them. */
void sl_timer_sent(struct sl_tcp *tcp, struct sl_tcb *tcb);
/*
 * The same, where they fit one segment, nothing was in flight before, RESEND stands and nothing
 * is wrong; @rto_ms is sl_tcb_rto_ms().
 */
void sl_timer_begin(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t rto_ms);
/* As below: the first round trip, or one of any length. */
void sl_timer_rtt_extreme(struct sl_tcb *tcb, uint32_t rtt_us);

/*
 * A round trip was measured (RFC 6298, 2.3). One that is no longer than SRTT can be leads to
 * nothing that their bits do not hold.
 */
static inline void
sl_timer_rtt(struct sl_tcb *tcb, uint32_t rtt_us)
{
	uint32_t srtt = tcb->srtt_us8, var = tcb->rttvar_us4, by;

	if (unlikely(srtt == 0 || rtt_us - 1 >= SL_RTT_MOST / 8)) {
		sl_timer_rtt_extreme(tcb, rtt_us);
		return;
	}
	by = rtt_us - srtt / 8;
	tcb->srtt_us8 = srtt + by;
	tcb->rttvar_us4 = var - var / 4 + ((int32_t)by < 0 ? -by : by);
}

/*
 * Arm what holds back an ACK, if any does. Not before it is known that nothing goes out in this
 * step that says as much: by output, or by deliver for who has nothing to send.
 */
static inline void
sl_timer_await_ack(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->ack_due != 0)
		sl_timer_arm(tcp, tcb, sl_timer_due(tcp, tcb, SL_TIMER_ACK));
}

/* The wheel says that something of @idx may be due. */
void sl_timer_expire(struct sl_tcp *tcp, uint32_t idx);
/* LIFE, according to the state entered or what the application has done. */
void sl_timer_life(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* An open fails after @ms. */
void sl_timer_opens_by(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* A peer that was probed is alive. */
void sl_timer_answered(struct sl_tcp *tcp, struct sl_tcb *tcb);

#endif
