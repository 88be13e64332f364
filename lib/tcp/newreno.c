/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * newreno - the congestion window of RFC 5681, bytes counted as in RFC 3465.
 */
#include "tcp/cc.h"
#include "tcp/tcp.h"

#define CWND_MAX (1u << 30)

/* RFC 6928, 2. */
static uint32_t
initial_window(const struct sl_tcb *tcb)
{
	uint32_t two = 2u * tcb->mss, ten = 10u * tcb->mss;
	uint32_t floor = two > 14600 ? two : 14600;

	return ten < floor ? ten : floor;
}

static void
newreno_open(struct sl_tcp *tcp, struct sl_tcb *tcb, int syn_was_resent)
{
	tcb->cwnd = syn_was_resent ? tcb->mss : initial_window(tcb);
	tcb->ssthresh = CWND_MAX;
	tcb->cc_acked = 0;
}

/* Slow start adds what was acknowledged, two segments an ACK at most; then one MSS an RTT. */
static void
newreno_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked)
{
	if (tcb->cwnd < tcb->ssthresh) {
		uint32_t most = 2u * tcb->mss;

		tcb->cwnd += acked < most ? acked : most;
	} else {
		tcb->cc_acked += acked;
		if (tcb->cc_acked >= tcb->cwnd) {
			tcb->cc_acked -= tcb->cwnd;
			tcb->cwnd += tcb->mss;
		}
	}
	if (tcb->cwnd > CWND_MAX)
		tcb->cwnd = CWND_MAX;
}

/* RFC 5681, equation 4. */
static uint32_t
half_of(const struct sl_tcb *tcb, uint32_t flight)
{
	uint32_t half = flight / 2, two = 2u * tcb->mss;

	return half > two ? half : two;
}

static void
newreno_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	tcb->ssthresh = half_of(tcb, flight);
	tcb->cwnd = tcb->ssthresh;
	tcb->cc_acked = 0;
}

static void
newreno_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	tcb->ssthresh = half_of(tcb, flight);
	tcb->cwnd = tcb->mss;
	tcb->cc_acked = 0;
}

static void
newreno_idle(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t iw = initial_window(tcb);

	if (tcb->cwnd > iw)
		tcb->cwnd = iw;
}

const struct sl_cc sl_cc_newreno = {
	.name = "newreno",
	.open = newreno_open,
	.acked = newreno_acked,
	.lost = newreno_lost,
	.timeout = newreno_timeout,
	.idle = newreno_idle,
};
