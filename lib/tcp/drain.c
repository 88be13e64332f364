/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drain - the end of the whole core: nobody new, who is idle is closed, in the end who is
 * left is reset.
 *
 * Who is idle is found by a walk over all records that were ever used, some in each step:
 * millions at once would keep packets waiting for a second. None is made meanwhile, so one
 * time round meets everybody; who changes behind the walk's back is marked by what changed
 * it, since all callbacks ask whether the core drains. The walk goes round, so that one that
 * is told again goes on where it is.
 */
#include "tcp/tcp.h"

#define LOOKS (16 * SL_DRAIN_STEP) /* a step's, at records of which most may be nobody's */

/* Deliver closes it if it is idle; if not, when it becomes so. False: there was nobody. */
static bool
look(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (!sl_state_is_synchronized(tcb->state))
		return false;
	sl_tcb_mark(tcp, tcb, 0);
	return true;
}

/*
 * False: there was nobody. What has ended already may still wait for an application that left
 * bytes untaken.
 */
static bool
reset(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (sl_tcb_has_ended(tcb)) {
		if (!(tcb->is & SL_IS_OPEN))
			return false;
		sl_tcb_close(tcp, tcb);
		return true;
	}
	sl_count(tcp, killed);
	sl_tcb_abort(tcp, tcb, SL_REASON_KILLED);
	return true;
}

void
sl_tcp_drain(struct sl_tcp *tcp, bool kills)
{
	struct sl_drain *d = &tcp->drain;

	tcp->draining = true;
	d->kills |= kills;
	d->left = tcp->free_tcb.n_used;
}

bool
sl_tcp_drains_now(const struct sl_tcp *tcp)
{
	return tcp->drain.left > 0;
}

static struct sl_tcb *
next(struct sl_tcp *tcp)
{
	struct sl_drain *d = &tcp->drain;
	struct sl_tcb *tcb = &tcp->tcb[d->at];

	d->at = d->at + 1 < tcp->free_tcb.n_used ? d->at + 1 : 0;
	d->left--;
	return tcb;
}

/*
 * FINs wait for room behind each other, and whoever is busy behind them: where many wait, no
 * more join them than a quarter of a burst. Some always do: who waits may have bytes without
 * end.
 */
static void
close_some(struct sl_tcp *tcp)
{
	uint32_t most = tcp->output.n < SL_DRAIN_STEP ? SL_DRAIN_STEP : SL_BURST / 4;
	uint32_t looks = LOOKS;

	for (; looks > 0 && most > 0 && tcp->drain.left > 0; looks--)
		most -= look(tcp, next(tcp));
}

/* Resets have nobody behind them. Control gives up when it sees none for long (KILL_NS). */
static void
reset_some(struct sl_tcp *tcp)
{
	uint32_t looks = LOOKS, most = SL_DRAIN_STEP;

	for (; looks > 0 && most > 0 && tcp->drain.left > 0; looks--)
		most -= reset(tcp, next(tcp));
}

void
sl_tcp_drain_on(struct sl_tcp *tcp)
{
	if (tcp->drain.kills)
		reset_some(tcp);
	else
		close_some(tcp);
}
