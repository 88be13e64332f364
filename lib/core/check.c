/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check - every invariant of a core, said once. The oracle of the tests and of the fuzzers.
 */
#include <errno.h>

#include "core/core.h"
#include "tcp/spans.h"
#include "tcp/timer.h"

#define DEMAND(cond)                  \
	do {                          \
		if (!(cond))          \
			return #cond; \
	} while (0)

static const char *
check_spans(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t seq =
		tcb->span_head == SL_NO_INDEX ? tcb->snd_end : tcp->span[tcb->span_head].seq;
	uint32_t sacked = 0, lost = 0, resent = 0, last = SL_NO_INDEX;
	uint32_t first = sl_spans_unsent(tcb);
	bool unsent = false;

	for (uint32_t i = tcb->span_head; i != SL_NO_INDEX; i = tcp->span[i].next) {
		const struct sl_span *s = &tcp->span[i];

		DEMAND(s->seq == seq && s->len > 0);
		if (i == first)
			unsent = true;
		DEMAND(unsent == (s->n_sent == 0));
		DEMAND(!unsent || (s->marks & ~(SL_SPAN_OWN | SL_SPAN_PINNED)) == 0);
		sacked += s->marks & SL_SPAN_SACKED ? s->len : 0;
		lost += s->marks & SL_SPAN_LOST ? s->len : 0;
		resent += s->marks & SL_SPAN_RESENT ? s->len : 0;
		seq += s->len;
		last = i;
	}
	DEMAND(last == sl_spans_last(tcp, tcb));
	DEMAND(seq == tcb->snd_end);
	DEMAND(unsent == (first != SL_NO_INDEX));
	DEMAND(a == NULL ? sacked + lost + resent == 0
			 : sacked == a->sacked && lost == a->lost && resent == a->resent);
	return NULL;
}

/* What a repair remembers makes sense, and nothing of it outlives the repair. */
static const char *
check_recovery(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	bool is_timed = tcb->resend_due != 0;

	DEMAND(!is_timed || tcb->resend_for != SL_RESEND_LATE ||
	       (a != NULL && a->reo_due != 0));
	DEMAND(!is_timed || tcb->resend_for != SL_RESEND_PROBE || tcb->backoff == 0);
	DEMAND(!tcb->probe_doubt || a == NULL || a->probe < SL_PROBE_NEW);
	DEMAND((tcb->reo_mult == 0) == (tcb->reo_persist == 0));
	if (a == NULL)
		return NULL;
	DEMAND(a->resent <= a->lost && a->sacked + a->lost <= tcb->snd_end - tcb->snd_una);
	DEMAND(a->mode != SL_LOSS_NONE || a->lost == 0);
	DEMAND(a->mode == SL_LOSS_RECOVERY || a->recover_fs == 0);
	DEMAND(a->mode == SL_LOSS_TIMEOUT || !a->may_undo);
	DEMAND(a->mode == SL_LOSS_NONE ||
	       sl_seq_between(tcb->snd_una, a->recover, tcb->snd_nxt));
	DEMAND(a->probe < SL_PROBE_NEW ||
	       (a->mode == SL_LOSS_NONE &&
		sl_seq_between(tcb->snd_una, a->probe_end, tcb->snd_nxt)));
	DEMAND(!(tcb->is & SL_IS_SACK) || sl_seq_between(tcb->snd_una, a->fack, tcb->snd_nxt));
	return NULL;
}

static const char *
check_received(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	const struct sl_lent *in = sl_tcb_lent(tcp, tcb);
	const struct rte_mbuf *last = NULL;
	uint32_t bytes = 0, n = 0, seq = tcb->rcv_nxt;

	for (const struct rte_mbuf *m = in != NULL ? in->head : NULL; m != NULL; m = m->next) {
		DEMAND(m->data_len > 0);
		bytes += m->data_len;
		last = m;
	}
	DEMAND(in == NULL || (bytes == in->bytes && last == in->tail));
	if (a == NULL)
		return NULL;
	bytes = 0;
	for (const struct rte_mbuf *m = a->ooo_head; m != NULL; m = m->next) {
		DEMAND(m->data_len > 0 && sl_seq_gt(m->hash.usr + (n > 0), seq));
		seq = m->hash.usr + m->data_len;
		bytes += m->data_len;
		n++;
	}
	DEMAND(bytes == a->ooo_bytes && n == a->n_ooo);
	DEMAND(n == 0 || sl_seq_le(seq, tcb->rcv_adv));
	return NULL;
}

/* A connection and what is lent to it know each other, and there is something in that. */
static const char *
check_lent(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_lent *lent = sl_tcb_lent(tcp, tcb);
	uint32_t idx = sl_tcb_idx(tcp, tcb);

	if (lent == NULL)
		return NULL;
	DEMAND(lent->owner == idx);
	DEMAND(lent->bytes > 0 || lent->active != SL_NO_BLOCK || lent->epoch != SL_NO_BLOCK);
	DEMAND(lent->active == SL_NO_BLOCK || tcp->active[lent->active].owner == idx);
	DEMAND(lent->epoch == SL_NO_BLOCK || tcp->epoch[lent->epoch].owner == idx);
	return NULL;
}

/* What is due will be looked at in time; a delayed ACK may wait for output to arm it. */
static bool
is_armed(const struct sl_tcp *tcp, const struct sl_tcb *tcb, enum sl_timer_kind kind)
{
	sl_tick_t due = sl_timer_due(tcp, tcb, kind);
	bool in_wheel = sl_wheel_covers(tcb->armed, due);
	bool by_output = kind == SL_TIMER_ACK && (tcb->is & (SL_IS_IN_OUTPUT | SL_IS_PARKED));

	return due == 0 || in_wheel || by_output;
}

static const char *
check_conn(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const char *why;

	DEMAND(sl_seq_le(tcb->snd_una, tcb->snd_nxt));
	DEMAND(sl_seq_le(tcb->snd_nxt, tcb->snd_end + 1));
	DEMAND(tcb->state == SL_ST_SYN_SENT || sl_seq_le(tcb->rcv_nxt, tcb->rcv_adv));
	DEMAND(tcb->mss > 0 || tcb->state == SL_ST_SYN_SENT);
	DEMAND(!!(tcb->is & SL_IS_COUNTED) ==
	       (tcb->state == SL_ST_SYN_SENT || tcb->state == SL_ST_SYN_RECEIVED));
	/* what waits for an answer is timed */
	DEMAND(tcb->state == SL_ST_TIME_WAIT || tcb->snd_una == tcb->snd_nxt ||
	       tcb->resend_due != 0 || (tcb->is & (SL_IS_IN_OUTPUT | SL_IS_PARKED)));
	DEMAND(tcb->unacked == 0 || tcb->acks_owed > 0 || tcb->ack_due != 0 ||
	       !sl_state_is_synchronized(tcb->state) || (tcb->is & SL_IS_IN_OUTPUT) ||
	       tcb->state == SL_ST_TIME_WAIT);
	for (int i = 0; i < SL_TIMER_COUNT; i++)
		DEMAND(is_armed(tcp, tcb, i));
	why = check_lent(tcp, tcb);
	if (why == NULL)
		why = check_spans(tcp, tcb);
	if (why == NULL)
		why = check_recovery(tcp, tcb);
	return why != NULL ? why : check_received(tcp, tcb);
}

/* @n is how many have @flag. */
static bool
as_many(const struct sl_tcp *tcp, uint32_t n, uint16_t flag)
{
	for (uint32_t i = 0; i < tcp->n_tcb; i++)
		n -= !!(tcp->tcb[i].is & flag);
	return n == 0;
}

/* Those in the ring are to be delivered, and as many as are. */
static const char *
check_deliver(const struct sl_tcp *tcp)
{
	const struct sl_ring *ring = &tcp->deliver;

	DEMAND(ring->n <= tcp->n_tcb && ring->head < tcp->n_tcb);
	DEMAND(ring->n > 0 || ring->head == 0);
	for (uint32_t n = 0, at = ring->head; n < ring->n; n++) {
		DEMAND(tcp->tcb[ring->idx[at]].is & SL_IS_IN_DELIVER);
		at = at + 1 == tcp->n_tcb ? 0 : at + 1;
	}
	DEMAND(as_many(tcp, ring->n, SL_IS_IN_DELIVER));
	return NULL;
}

/* The list is as long as it says, and exactly those with @flag are on it. */
static const char *
check_list(const struct sl_tcp *tcp, const struct sl_list *list, uint16_t flag)
{
	uint32_t n = 0, last = SL_NO_INDEX;

	for (uint32_t i = list->head; i != SL_NO_INDEX; i = tcp->tcb[i].next) {
		DEMAND(tcp->tcb[i].is & flag);
		DEMAND(n++ < list->n);
		last = i;
	}
	DEMAND(n == list->n && last == list->tail);
	DEMAND(as_many(tcp, n, flag));
	return NULL;
}

/* The walk over those that are to end is within what was ever used. */
static const char *
check_drain(const struct sl_tcp *tcp)
{
	const struct sl_drain *d = &tcp->drain;

	DEMAND(d->left == 0 || tcp->draining);
	DEMAND(d->left <= tcp->free_tcb.n_used);
	DEMAND(d->at == 0 || d->at < tcp->free_tcb.n_used);
	return NULL;
}

/* Those in the ring that are somebody's are as many as were counted. */
static const char *
check_time_wait(const struct sl_tcp *tcp)
{
	uint32_t n = 0, i = tcp->tw_first;

	DEMAND(tcp->tw_used <= tcp->n_tw && tcp->tw_first < tcp->n_tw);
	for (uint32_t k = 0; k < tcp->tw_used; k++) {
		n += tcp->tw[i].key.lport != 0;
		i = i + 1 == tcp->n_tw ? 0 : i + 1;
	}
	DEMAND(n == tcp->stats.count[SL_CNT_time_wait]);
	return NULL;
}

static const char *
check_pieces(const struct sl_tcp *tcp)
{
	uint32_t n = sl_slots_free_count(&tcp->free_span);

	for (uint32_t i = 0; i < tcp->n_tcb; i++)
		for (uint32_t s = tcp->tcb[i].span_head; s != SL_NO_INDEX;
		     s = tcp->span[s].next)
			DEMAND(n++ < tcp->n_span);
	DEMAND(n == tcp->n_span);
	return NULL;
}

/* The free lines of key6 are linked, each below those that nobody ever had. */
static const char *
check_key6(const struct sl_tcp *tcp)
{
	uint32_t n = tcp->n_key6 - tcp->key6_fresh;

	for (uint32_t i = tcp->key6_free; i != SL_NO_INDEX; i = tcp->key6[i].remote.w[0]) {
		DEMAND(i < tcp->key6_fresh);
		DEMAND(n++ < tcp->n_key6);
	}
	DEMAND(n == tcp->n_key6_free);
	return NULL;
}

/* Each block is free or somebody's. */
static const char *
check_blocks(const struct sl_tcp *tcp)
{
	uint32_t lents = 0, actives = 0, epochs = 0;

	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		lents += tcp->tcb[i].lent != SL_NO_BLOCK;
		actives += sl_tcb_has_active(tcp, &tcp->tcb[i]);
		epochs += sl_tcb_has_epoch(tcp, &tcp->tcb[i]);
	}
	DEMAND(actives == tcp->stats.count[SL_CNT_active]);
	DEMAND(sl_slots_free_count(&tcp->free_lent) + lents == tcp->n_lent);
	DEMAND(sl_slots_free_count(&tcp->free_active) + actives == tcp->n_active);
	DEMAND(sl_slots_free_count(&tcp->free_epoch) + epochs == tcp->n_active);
	DEMAND(sl_slots_check(&tcp->free_lent) == 0);
	DEMAND(sl_slots_check(&tcp->free_active) == 0);
	DEMAND(sl_slots_check(&tcp->free_epoch) == 0);
	return NULL;
}

static const char *
check_counts(const struct sl_tcp *tcp, uint32_t live, uint32_t half_open)
{
	uint64_t fates = 0;

	for (int i = 0; i < SL_FATE_COUNT; i++)
		fates += tcp->stats.fate[i];
	DEMAND(fates == tcp->stats.count[SL_CNT_rx]);
	DEMAND(live == tcp->stats.count[SL_CNT_live]);
	DEMAND(half_open == tcp->stats.count[SL_CNT_half_open]);
	DEMAND(live + sl_slots_free_count(&tcp->free_tcb) == tcp->n_tcb);
	DEMAND(tcp->n_kept == tcp->stats.count[SL_CNT_kept]);
	DEMAND(tcp->n_done == 0 && tcp->stock[SL_POOL_TX].n == 0 &&
	       tcp->stock[SL_POOL_RETAIN].n == 0); /* nothing waits between steps */
	DEMAND(sl_flows_count(tcp->flows) == live + tcp->stats.count[SL_CNT_time_wait]);
	DEMAND(sl_slots_check(&tcp->free_tcb) == 0);
	DEMAND(sl_slots_check(&tcp->free_span) == 0);
	return NULL;
}

static const char *
check_all(const struct sl_core *core)
{
	const struct sl_tcp *tcp = &core->tcp;
	const uint16_t on_a_list =
		SL_IS_IN_DELIVER | SL_IS_IN_OUTPUT | SL_IS_IN_GONE | SL_IS_PARKED;
	uint32_t live = 0, half_open = 0;
	const char *why;

	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		const struct sl_tcb *tcb = &tcp->tcb[i];

		live += tcb->state != SL_ST_CLOSED || tcb->marks != 0 ||
			tcb->path != SL_NO_PATH || (tcb->is & on_a_list) != 0;
		half_open += !!(tcb->is & SL_IS_COUNTED);
		why = tcb->state == SL_ST_CLOSED ? NULL : check_conn(tcp, tcb);
		if (why != NULL)
			return why;
	}
	why = check_deliver(tcp);
	if (why == NULL)
		why = check_list(tcp, &tcp->output, SL_IS_IN_OUTPUT);
	if (why == NULL)
		why = check_list(tcp, &tcp->parked, SL_IS_PARKED);
	if (why == NULL)
		why = check_list(tcp, &tcp->gone, SL_IS_IN_GONE);
	if (why == NULL)
		why = check_time_wait(tcp);
	if (why == NULL)
		why = check_drain(tcp);
	if (why == NULL)
		why = check_key6(tcp);
	if (why == NULL)
		why = check_pieces(tcp);
	if (why == NULL)
		why = check_blocks(tcp);
	if (why == NULL)
		why = check_counts(tcp, live, half_open);
	return why;
}

int
sl_core_check(const struct sl_core *core, const char **why)
{
	const struct sl_tcp *tcp = &core->tcp;
	const char *wrong = check_all(core);

	if (wrong == NULL && sl_flows_check(tcp->flows) < 0)
		wrong = "the connection table";
	if (wrong == NULL && sl_wheel_check(tcp->wheel) < 0)
		wrong = "the timer wheel";
	if (wrong == NULL && sl_net_check(core->net) < 0)
		wrong = "neighbours and routes";
	if (why != NULL)
		*why = wrong;
	return wrong == NULL ? 0 : -EBADMSG;
}
