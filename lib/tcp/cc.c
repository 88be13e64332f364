/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cc - which algorithm a connection has, and what all of them do alike.
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
sl_cc_restart(struct sl_tcb *tcb)
{
	uint32_t iw = sl_cc_initial_window(tcb);

	if (tcb->cwnd > iw)
		tcb->cwnd = iw;
}

void
sl_cc_slow_start(struct sl_tcb *tcb, uint32_t acked)
{
	uint32_t most = 2u * tcb->mss;

	tcb->cwnd = sl_cc_bounded((uint64_t)tcb->cwnd + (acked < most ? acked : most));
}

void
sl_cc_avoid(struct sl_tcb *tcb, uint32_t acked)
{
	uint64_t acked_most = acked < tcb->cwnd ? acked : tcb->cwnd;

	tcb->cwnd = sl_cc_bounded(tcb->cwnd + tcb->mss * acked_most / tcb->cwnd);
}

bool
sl_cc_undo_cut(struct sl_tcp *tcp, struct sl_tcb *tcb)
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

static bool
is_cubic(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return sl_tcb_conf(tcp, tcb)->congestion == SL_CONGESTION_CUBIC;
}

void
sl_cc_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used)
{
	if (is_cubic(tcp, tcb))
		sl_cubic_acked(tcp, tcb, acked, used);
	else
		sl_newreno_acked(tcp, tcb, acked, used);
}

void
sl_cc_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	if (is_cubic(tcp, tcb))
		sl_cubic_lost(tcp, tcb, flight);
	else
		sl_newreno_lost(tcp, tcb, flight);
}

void
sl_cc_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	if (is_cubic(tcp, tcb))
		sl_cubic_timeout(tcp, tcb, flight);
	else
		sl_newreno_timeout(tcp, tcb, flight);
}

void
sl_cc_undo(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (is_cubic(tcp, tcb))
		sl_cubic_undo(tcp, tcb);
	else
		sl_cc_undo_cut(tcp, tcb);
}

void
sl_cc_idle(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (is_cubic(tcp, tcb))
		sl_cubic_idle(tcp, tcb);
	else
		sl_cc_restart(tcb);
}
