/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rack - a segment is lost when another one, sent well after it, was delivered (RFC 8985).
 *
 * "Well" is the reordering window: nothing while no reordering was ever seen and something
 * is lost beyond doubt; else a quarter of the shortest round trip, more each time a D-SACK
 * says that we resent without need, and at most a round trip. What is younger than that may
 * only be late; a timer looks again when it no longer is. Resent segments are judged as
 * all others are, so a resend that is lost, too, costs no time-out.
 */
#include "tcp/recovery.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"

#define DUP_THRESHOLD 3u
#define MULT_MOST     15u /* quarters of a round trip, less one; a field of four bits */
#define PERSIST       16u /* recoveries for which a grown window lasts (RFC 8985, 6.2, step 4) */

/* RFC 8985, 6.2, RACK_sent_after(): of two sent at one moment, the later bytes are later. */
static bool
sent_after(uint32_t a_us, uint32_t a_end, uint32_t b_us, uint32_t b_end)
{
	int32_t later = (int32_t)(a_us - b_us);

	return later > 0 || (later == 0 && sl_seq_gt(a_end, b_end));
}

/*
 * Whether @seg echoes a timestamp older than what @s was last sent with: not that one came.
 * A SACK says nothing of the kind: what it tells of lies behind a gap, and the peer goes on
 * echoing what came before that (RFC 7323, 4.3).
 */
static bool
echoes_older(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_span *s,
	     const struct sl_seg *seg)
{
	uint64_t now_us = tcp->now / 1000;
	sl_tick_t sent = (sl_tick_t)((now_us - (tcp->now_us - s->sent_us)) / 1000);

	return (tcb->is & SL_IS_TS) && (seg->opts & SL_OPT_TS) &&
	       sl_seq_ge(seg->ack, s->seq + s->len) &&
	       sl_seq_lt(seg->tsecr, sent + tcb->ts_offset);
}

void
sl_rack_shorter(struct sl_tcb *tcb, uint32_t rtt_us)
{
	uint32_t us16 = rtt_us / 16;

	if (us16 == 0)
		us16 = 1;
	if (us16 > UINT16_MAX) /* a second is long enough to be patient by quarters */
		us16 = UINT16_MAX;
	if (tcb->min_rtt_us16 == 0 || us16 < tcb->min_rtt_us16)
		tcb->min_rtt_us16 = us16;
}

static uint32_t
min_rtt_us(const struct sl_tcb *tcb)
{
	return 16u * tcb->min_rtt_us16;
}

void
sl_rack_delivered(const struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		  const struct sl_span *s, const struct sl_seg *seg)
{
	uint32_t end = s->seq + s->len, rtt_us = tcp->now_us - s->sent_us;
	bool again = s->n_sent > 1;

	if (sl_seq_gt(end, a->fack))
		a->fack = end;
	else if (sl_seq_lt(end, a->fack) && !again)
		tcb->reo_seen = 1;
	if (again && (echoes_older(tcp, tcb, s, seg) || rtt_us < min_rtt_us(tcb)))
		return; /* it was the earlier copy that came */
	if (!again)
		sl_rack_rtt(tcb, rtt_us);
	a->rack_rtt_us = rtt_us;
	if (!a->has_rack || sent_after(s->sent_us, end, a->rack_us, a->rack_end)) {
		a->has_rack = true;
		a->rack_us = s->sent_us;
		a->rack_end = end;
	}
}

void
sl_rack_resent_in_vain(struct sl_tcb *tcb, struct sl_active *a)
{
	if (a->in_dsack_round && sl_seq_lt(tcb->snd_una, a->dsack_round))
		return; /* once a round trip; with nothing in flight that is over */
	a->in_dsack_round = tcb->snd_una != tcb->snd_nxt;
	a->dsack_round = tcb->snd_nxt;
	tcb->reo_seen = 1;
	if (tcb->reo_mult < MULT_MOST)
		tcb->reo_mult++;
	tcb->reo_persist = PERSIST;
}

void
sl_rack_recovered(struct sl_tcb *tcb)
{
	if (tcb->reo_persist > 0 && --tcb->reo_persist == 0)
		tcb->reo_mult = 0;
}

/* RFC 8985, 6.2, step 4. */
static uint32_t
reordering_window_us(const struct sl_tcb *tcb, const struct sl_active *a)
{
	uint32_t shortest = tcb->min_rtt_us16 > 0 ? min_rtt_us(tcb) : a->rack_rtt_us;
	uint32_t wnd = (tcb->reo_mult + 1u) * (shortest / 4), srtt = tcb->srtt_us8 / 8;
	bool is_sure = a->mode != SL_LOSS_NONE || a->sacked > (DUP_THRESHOLD - 1) * tcb->mss;

	if (!tcb->reo_seen && is_sure)
		return 0;
	return wnd < srtt || srtt == 0 ? wnd : srtt;
}

/* The tick at which @us from now have passed. */
static sl_tick_t
tick_in(const struct sl_tcp *tcp, uint32_t us)
{
	uint64_t then = tcp->now / 1000 + us;

	return sl_tick_after((sl_tick_t)((then + 999) / 1000), 0);
}

/*
 * What is sent for the first time goes in order, and again later still: behind the first
 * segment that was sent but once, and after the newest delivered, none can be lost.
 */
uint32_t
sl_rack_find_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t patience = a->rack_rtt_us + reordering_window_us(tcb, a), found = 0;
	int32_t longest = 0;
	struct sl_span *s;

	a->reo_due = 0;
	if (!a->has_rack)
		return 0;
	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		int32_t left;

		s = &tcp->span[i];
		if (!sent_after(a->rack_us, a->rack_end, s->sent_us, s->seq + s->len)) {
			if (s->n_sent == 1)
				break;
			continue;
		}
		if (!sl_span_is_out(s))
			continue;
		left = (int32_t)(s->sent_us + patience - tcp->now_us);
		if (left <= 0)
			found += sl_recovery_lose(a, s);
		else if (left > longest)
			longest = left;
	}
	if (longest > 0)
		a->reo_due = tick_in(tcp, (uint32_t)longest);
	return found;
}

void
sl_rack_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t rtt = a->has_rack ? a->rack_rtt_us : tcb->srtt_us8 / 8;
	uint32_t patience = rtt + reordering_window_us(tcb, a);
	struct sl_span *s;

	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		if (i == tcb->span_head || (int32_t)(s->sent_us + patience - tcp->now_us) <= 0)
			sl_recovery_lose(a, s);
	}
}
