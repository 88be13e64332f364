/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoch - the blocks in which congestion control remembers what it must between two losses.
 *
 * A connection takes one with its first loss, or when it leaves slow start, and keeps it to
 * its end. Most connections never come that far, so there are fewer blocks than connections;
 * when none is free, one that lies with a connection at rest changes hands. Whoever lost its
 * block goes on from the window it has, as one that left slow start without a loss.
 */
#include <string.h>

#include "tcp/tcp.h"

#define LOOKED_AT 8u /* blocks looked at for one that can be had */

struct sl_epoch *
sl_epoch_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return sl_tcb_has_epoch(tcp, tcb) ? &tcp->epoch[tcp->lent[tcb->lent].epoch] : NULL;
}

/* Nothing in flight, and nothing was for longer than its timer. */
static bool
is_at_rest(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcb->snd_una == tcb->snd_nxt &&
	       tcp->tick - tcb->progress > sl_tcb_rto_ms(tcp, tcb);
}

/* @tcb and its block have nothing to do with each other any more. */
static void
part(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_lent *lent = sl_tcb_lent(tcp, tcb);

	lent->epoch = SL_NO_BLOCK;
	sl_lent_give(tcp, tcb, lent);
}

/* A block of somebody at rest, taken from him; SL_NO_BLOCK: not among those looked at. */
static uint32_t
take_over(struct sl_tcp *tcp)
{
	for (uint32_t i = 0; i < LOOKED_AT; i++) {
		uint32_t idx = tcp->epoch_hand;
		struct sl_tcb *owner = &tcp->tcb[tcp->epoch[idx].owner];

		tcp->epoch_hand = idx + 1 < tcp->n_active ? idx + 1 : 0;
		if (is_at_rest(tcp, owner)) {
			part(tcp, owner);
			return idx;
		}
	}
	return SL_NO_BLOCK;
}

struct sl_epoch *
sl_epoch_take(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_epoch *e = sl_epoch_of(tcp, tcb);
	uint32_t idx;

	if (e != NULL)
		return e;
	idx = sl_slots_get(&tcp->free_epoch);
	if (idx == SL_NO_INDEX)
		idx = take_over(tcp);
	if (idx == SL_NO_BLOCK) {
		sl_count(tcp, no_epoch);
		return NULL;
	}
	sl_lent_take(tcp, tcb)->epoch = idx;
	e = &tcp->epoch[idx];
	memset(e, 0, sizeof(*e));
	e->owner = sl_tcb_idx(tcp, tcb);
	return e;
}

void
sl_epoch_give(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (!sl_tcb_has_epoch(tcp, tcb))
		return;
	sl_slots_put(&tcp->free_epoch, sl_tcb_lent(tcp, tcb)->epoch);
	part(tcp, tcb);
}
