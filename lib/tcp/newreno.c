/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * newreno - the congestion window of RFC 5681, bytes counted as in RFC 3465.
 */
#include "tcp/cc.h"
#include "tcp/tcp.h"

/* One MSS once a window was acknowledged; without a block, each ACK's part of it. */
static void
avoid(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked)
{
	struct sl_epoch *e = sl_epoch_take(tcp, tcb);

	if (e == NULL) {
		sl_cc_avoid(tcb, acked);
		return;
	}
	e->carry += acked < tcb->cwnd ? acked : tcb->cwnd;
	if (e->carry >= tcb->cwnd) {
		e->carry -= tcb->cwnd;
		tcb->cwnd = sl_cc_bounded((uint64_t)tcb->cwnd + tcb->mss);
	}
}

void
sl_newreno_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used)
{
	if (!used)
		return;
	if (tcb->cwnd < tcb->ssthresh)
		sl_cc_slow_start(tcb, acked);
	else
		avoid(tcp, tcb, acked);
}

/* RFC 5681, equation 4. */
static uint32_t
half_of(const struct sl_tcb *tcb, uint32_t flight)
{
	uint32_t half = flight / 2, two = 2u * tcb->mss;

	return half > two ? half : two;
}

/* ssthresh is cut; what the windows were is remembered, in case this was a mistake. */
static void
cut(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	struct sl_epoch *e = sl_epoch_take(tcp, tcb);

	if (e != NULL) {
		e->carry = 0;
		e->old_cwnd = tcb->cwnd;
		e->old_ssthresh = tcb->ssthresh;
	}
	tcb->ssthresh = sl_cc_bounded(half_of(tcb, flight));
}

void
sl_newreno_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	cut(tcp, tcb, flight);
	tcb->cwnd = tcb->ssthresh;
}

void
sl_newreno_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	if (flight > 0)
		cut(tcp, tcb, flight);
	tcb->cwnd = tcb->mss;
}
