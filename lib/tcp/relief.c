/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relief - what gives way when received buffers stay scarce.
 *
 * First the pieces behind gaps, which nobody can use yet and whose sender keeps a copy: the
 * peer is not told of them any more (RFC 2018, 8). Then, if that was not enough for long,
 * the connection that holds most, whether its application does not take or its peer does
 * not (RFC 9293, 3.8.6.1): it is reset. Nothing that was acknowledged is ever dropped from
 * a connection that goes on.
 *
 * Who holds most is found by a walk over all connections, some in each step; at its end one
 * gives way, and while it is not enough the next walk begins.
 */
#include "tcp/spans.h"
#include "tcp/tcp.h"

#define WALK_STEP      256u  /* connections looked at in a step */
#define PRUNE_AFTER_MS 1000u /* of scarcity */
#define END_AFTER_MS   5000u

/* Bytes that @tcb holds in received buffers: not taken here, or passed on and not acknowledged.
 */
static uint32_t
holds(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_span *head = sl_span_at(tcp, tcb->span_head);
	bool shares = head != NULL && !(head->marks & (SL_SPAN_OWN | SL_SPAN_PINNED));

	return sl_tcb_unread(tcp, tcb) + (shares ? tcb->snd_end - tcb->snd_una : 0);
}

static uint32_t
pieces_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);

	return a != NULL ? a->n_ooo : 0;
}

static void
consider(struct sl_tcp *tcp, uint32_t idx)
{
	const struct sl_tcb *tcb = &tcp->tcb[idx];
	struct sl_relief *r = &tcp->relief;

	if (sl_tcb_has_ended(tcb))
		return;
	if (pieces_of(tcp, tcb) > r->most_pieces) {
		r->most_pieces = pieces_of(tcp, tcb);
		r->piecemeal = idx;
	}
	if (holds(tcp, tcb) > r->most_bytes) {
		r->most_bytes = holds(tcp, tcb);
		r->holder = idx;
	}
}

/* The walk is over: whoever was found gives way, unless he has changed meanwhile. */
static void
give_way(struct sl_tcp *tcp, bool may_end)
{
	struct sl_relief *r = &tcp->relief;

	if (r->most_pieces > 0) {
		sl_tcb_prune(tcp, &tcp->tcb[r->piecemeal]);
	} else if (may_end && r->most_bytes > 0) {
		struct sl_tcb *tcb = &tcp->tcb[r->holder];

		if (!sl_tcb_has_ended(tcb) && holds(tcp, tcb) >= r->most_bytes / 2) {
			sl_count(tcp, pressure);
			sl_tcb_abort(tcp, tcb, SL_REASON_PRESSURE);
		}
	}
	r->most_pieces = r->most_bytes = 0;
}

void
sl_tcp_relieve(struct sl_tcp *tcp)
{
	struct sl_relief *r = &tcp->relief;
	uint32_t ms = tcp->tick - r->since;

	if (!r->is_scarce && sl_tcp_is_scarce(tcp)) {
		*r = (struct sl_relief){ .is_scarce = true, .since = tcp->tick };
		return;
	}
	if (tcp->n_kept <= tcp->rx_buffers / 10 * 8)
		r->is_scarce = false;
	if (!r->is_scarce || ms < PRUNE_AFTER_MS)
		return;
	for (uint32_t i = 0; i < WALK_STEP && r->at < tcp->n_tcb; i++)
		consider(tcp, r->at++);
	if (r->at < tcp->n_tcb)
		return;
	r->at = 0;
	give_way(tcp, ms >= END_AFTER_MS);
}
