/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * newreno - the congestion window of RFC 5681, bytes counted as in RFC 3465.
 */
#include "tcp/cc.h"
#include "tcp/tcp.h"

/* RFC 6928, 2. */
uint32_t
sl_cc_initial_window(const struct sl_tcb *tcb)
{
	uint32_t two = 2u * tcb->mss, ten = 10u * tcb->mss;
	uint32_t floor = two > 14600 ? two : 14600;

	return ten < floor ? ten : floor;
}

void
sl_cc_open(struct sl_tcp *tcp, struct sl_tcb *tcb, bool syn_was_resent)
{
	tcb->cwnd = syn_was_resent ? tcb->mss : sl_cc_initial_window(tcb);
	tcb->ssthresh = SL_CWND_MAX;
}

void
sl_cc_idle(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t iw = sl_cc_initial_window(tcb);

	if (tcb->cwnd > iw)
		tcb->cwnd = iw;
}

void
sl_cc_slow_start(struct sl_tcb *tcb, uint32_t acked)
{
	uint32_t most = 2u * tcb->mss;

	tcb->cwnd += acked < most ? acked : most;
	if (tcb->cwnd > SL_CWND_MAX)
		tcb->cwnd = SL_CWND_MAX;
}

void
sl_cc_avoid(struct sl_tcb *tcb, uint32_t acked)
{
	uint64_t acked_most = acked < tcb->cwnd ? acked : tcb->cwnd;

	tcb->cwnd += tcb->mss * acked_most / tcb->cwnd;
	if (tcb->cwnd > SL_CWND_MAX)
		tcb->cwnd = SL_CWND_MAX;
}

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
		tcb->cwnd += tcb->mss;
	}
	if (tcb->cwnd > SL_CWND_MAX)
		tcb->cwnd = SL_CWND_MAX;
}

static void
newreno_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used)
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
	tcb->ssthresh = half_of(tcb, flight);
}

static void
newreno_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	cut(tcp, tcb, flight);
	tcb->cwnd = tcb->ssthresh;
}

static void
newreno_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	if (flight > 0)
		cut(tcp, tcb, flight);
	tcb->cwnd = tcb->mss;
}

bool
sl_cc_undo(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_epoch *e = sl_epoch_of(tcp, tcb);

	if (e == NULL || e->old_cwnd == 0)
		return false;
	if (tcb->cwnd < e->old_cwnd)
		tcb->cwnd = e->old_cwnd;
	tcb->ssthresh = e->old_ssthresh;
	e->old_cwnd = 0;
	return true;
}

static void
newreno_undo(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	sl_cc_undo(tcp, tcb);
}

const struct sl_cc sl_cc_newreno = {
	.name = "newreno",
	.open = sl_cc_open,
	.acked = newreno_acked,
	.lost = newreno_lost,
	.timeout = newreno_timeout,
	.undo = newreno_undo,
	.idle = sl_cc_idle,
};
