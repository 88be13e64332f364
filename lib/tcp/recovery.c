/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recovery - which bytes in flight are lost, and how many are still in the network.
 *
 * Marks on the spans say what the peer has (SACKED), what is taken for lost (LOST) and
 * what of that was sent again (RESENT); the block keeps their sums. What is lost, rack.c
 * says from times of sending and SACK. Without SACK each duplicate ACK stands for a segment
 * that left the network, somewhere (RFC 6582).
 */
#include "tcp/recovery.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"

#define DUP_THRESHOLD 3u
#define DUP_ACKS_MOST 15u /* a field of four bits */

uint32_t
sl_recovery_pipe(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	uint32_t gone;

	if (a == NULL)
		return flight;
	gone = a->sacked + a->lost - a->resent + a->dup_bytes;
	return gone < flight ? flight - gone : 0;
}

bool
sl_recovery_lets(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t len)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t pipe = sl_recovery_pipe(tcp, tcb);

	if (pipe == 0)
		return true; /* nothing is out whose ACK could let more go */
	if (a != NULL && a->recover_fs > 0)
		return len <= a->prr_room;
	return pipe + len <= tcb->cwnd;
}

struct sl_span *
sl_recovery_lost(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	struct sl_span *s;

	if (a == NULL || a->lost == a->resent)
		return NULL;
	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		if ((s->marks & (SL_SPAN_LOST | SL_SPAN_RESENT)) == SL_SPAN_LOST)
			return s;
	}
	assert(!"lost bytes without a span");
	return NULL;
}

uint32_t
sl_recovery_left(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);

	return a == NULL ? 0 : a->sacked + a->dup_bytes;
}

uint32_t
sl_recovery_lose(struct sl_active *a, struct sl_span *s)
{
	if (s->marks & SL_SPAN_RESENT)
		a->resent -= s->len;
	if (!(s->marks & SL_SPAN_LOST))
		a->lost += s->len;
	s->marks &= ~SL_SPAN_RESENT;
	s->marks |= SL_SPAN_LOST;
	return s->len;
}

/* The oldest segment is taken for lost; without SACK that is all one can know. */
static uint32_t
lose_head(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t bytes = 0, found = 0;
	struct sl_span *s;

	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		bytes += s->len;
		if (bytes > tcb->mss && found > 0)
			break;
		if (!(s->marks & (SL_SPAN_LOST | SL_SPAN_SACKED)))
			found += sl_recovery_lose(a, s);
	}
	if (found > 0)
		tcb->owes |= SL_OWES_HEAD;
	return found;
}

static void
clear_marks(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, uint8_t marks)
{
	struct sl_span *s;

	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		s->marks &= ~marks;
	}
	if (marks & SL_SPAN_SACKED)
		a->sacked = 0;
	if (marks & SL_SPAN_LOST)
		a->lost = 0;
	if (marks & SL_SPAN_RESENT)
		a->resent = 0;
}

/*
 * RFC 6675, 5, step 4: once a window. @out are the bytes that were out before the ACK that
 * showed the loss. What limited transmit sent beyond the window must not count for the cut
 * (RFC 5681, 3.2).
 */
static void
enter_recovery(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, uint32_t out)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;

	sl_count(tcp, fast_retransmit);
	a->mode = SL_LOSS_RECOVERY;
	a->recover = tcb->snd_nxt;
	sl_probe_forget(tcb, a);
	sl_cc_lost(tcp, tcb, flight < tcb->cwnd ? flight : tcb->cwnd);
	sl_prr_begin(tcb, a, out);
}

static void
leave(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	clear_marks(tcp, tcb, a, SL_SPAN_LOST | SL_SPAN_RESENT);
	a->mode = SL_LOSS_NONE;
	a->dup_bytes = 0;
	a->recover_fs = 0;
	a->may_undo = false;
	sl_rack_recovered(tcb);
}

/*
 * Eifel (RFC 3522, 3.2; RFC 4015): the first ACK behind a time-out echoes a timestamp from
 * before it. So it is the first copy that came, late, and nothing was lost.
 */
static void
doubt_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
	      const struct sl_seg *seg)
{
	bool was_late = a->may_undo && (tcb->is & SL_IS_TS) && (seg->opts & SL_OPT_TS) &&
			sl_seq_lt(seg->tsecr, a->timeout_tsval);

	a->may_undo = false;
	if (!was_late)
		return;
	sl_count(tcp, rto_spurious);
	sl_cc_undo(tcp, tcb);
	leave(tcp, tcb, a);
}

/* RFC 6582: what an ACK means without SACK. Returns bytes newly taken for lost. */
static uint32_t
judge_without_sack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		   const struct sl_news *news)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;

	if (news->is_duplicate && a->dup_bytes + 2u * tcb->mss <= flight)
		a->dup_bytes += tcb->mss;
	if (news->is_duplicate && tcb->dup_acks == DUP_THRESHOLD && a->mode == SL_LOSS_NONE)
		return lose_head(tcp, tcb, a);
	if (news->acked > 0) {
		a->dup_bytes = a->mode == SL_LOSS_RECOVERY && a->dup_bytes > news->acked
				       ? a->dup_bytes - news->acked
				       : 0;
		if (a->mode == SL_LOSS_RECOVERY) /* a partial ACK: the next one is lost too */
			return lose_head(tcp, tcb, a);
	}
	return 0;
}

/* What an ACK means with SACK (RFC 8985, 6.2). Returns bytes newly taken for lost. */
static uint32_t
judge_by_sack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
	      const struct sl_seg *seg, const struct sl_news *news)
{
	if (a->in_dsack_round && sl_seq_ge(tcb->snd_una, a->dsack_round))
		a->in_dsack_round = false;
	if (news->has_sack)
		sl_sack_take(tcp, tcb, a, seg);
	if (news->has_dup)
		sl_count(tcp, dsack_in);
	if (!sl_probe_ack(tcp, tcb, a, news) && news->has_dup)
		sl_rack_resent_in_vain(tcb, a);
	return sl_rack_find_lost(tcp, tcb, a);
}

void
sl_recovery_delivered(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	struct sl_span *s;

	if (a == NULL || !(tcb->is & SL_IS_SACK))
		return;
	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		if (sl_seq_gt(s->seq + s->len, seg->ack))
			break;
		if (!(s->marks & SL_SPAN_SACKED))
			sl_rack_delivered(tcp, tcb, a, s, seg);
	}
	a->fack = sl_seq_max(a->fack, seg->ack);
}

/* What hears of an ACK has a block, or takes one now. */
static struct sl_active *
block_for(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_news *news)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL && (news->has_sack || news->is_duplicate))
		a = sl_tcb_borrow(tcp, tcb);
	if (a == NULL && tcb->probe_doubt)
		sl_probe_ack(tcp, tcb, NULL, news);
	return a;
}

bool
sl_recovery_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
		const struct sl_news *news)
{
	struct sl_active *a = block_for(tcp, tcb, news);
	uint32_t lost, left;

	if (news->acked > 0)
		tcb->dup_acks = 0;
	else if (news->is_duplicate && tcb->dup_acks < DUP_ACKS_MOST)
		tcb->dup_acks++;
	if (a == NULL)
		return false;

	if (a->mode == SL_LOSS_TIMEOUT && news->acked > 0)
		doubt_timeout(tcp, tcb, a, seg);
	if (a->mode != SL_LOSS_NONE && sl_seq_ge(tcb->snd_una, a->recover))
		leave(tcp, tcb, a);
	lost = tcb->is & SL_IS_SACK ? judge_by_sack(tcp, tcb, a, seg, news)
				    : judge_without_sack(tcp, tcb, a, news);
	if (lost > 0 && a->mode == SL_LOSS_NONE)
		enter_recovery(tcp, tcb, a, news->out);
	left = sl_recovery_left(tcp, tcb) + news->acked;
	sl_prr_ack(tcp, tcb, a, left > news->left ? left - news->left : 0,
		   news->acked > 0 && lost == 0);
	if (lost > 0 || news->has_sack || news->is_duplicate || a->lost > a->resent)
		sl_tcb_output(tcp, tcb);
	sl_tcb_unborrow(tcp, tcb);
	return lost > 0;
}

bool
sl_recovery_late(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t lost = sl_rack_find_lost(tcp, tcb, a);
	uint32_t out = tcb->snd_nxt - tcb->snd_una - a->sacked;

	if (lost > 0 && a->mode == SL_LOSS_NONE)
		enter_recovery(tcp, tcb, a, out);
	else if (lost > 0)
		sl_prr_late(tcb, a);
	sl_tcb_output(tcp, tcb);
	sl_tcb_unborrow(tcp, tcb);
	return lost > 0;
}

void
sl_recovery_too_big(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);
	struct sl_span *s;

	tcb->owes |= SL_OWES_HEAD;
	sl_tcb_output(tcp, tcb);
	if (a == NULL)
		return;
	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		if (!(s->marks & SL_SPAN_SACKED))
			sl_recovery_lose(a, s);
	}
	sl_probe_forget(tcb, a);
	a->dup_bytes = 0;
	a->reo_due = 0;
	a->recover_fs = 0; /* the window as it is: no congestion, nothing to reduce */
	if (a->mode == SL_LOSS_NONE)
		a->mode = SL_LOSS_RECOVERY;
	a->recover = tcb->snd_nxt;
}

/* All that is out is lost, or what RACK has given up on; SACKs may have been taken back. */
static void
doubt_all(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	clear_marks(tcp, tcb, a, SL_SPAN_SACKED | SL_SPAN_LOST | SL_SPAN_RESENT);
	a->fack = tcb->snd_una;
	if (tcb->is & SL_IS_SACK) {
		sl_rack_timeout(tcp, tcb, a);
		return;
	}
	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end;
	     i = tcp->span[i].next)
		sl_recovery_lose(a, &tcp->span[i]);
}

void
sl_recovery_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	bool again = tcb->backoff > 0 || (a != NULL && a->mode == SL_LOSS_TIMEOUT);

	/*
	 * The same flight: no second cut (RFC 5681, 3.1). What a repair sent on top of its
	 * window, while nothing was acknowledged, is no measure of what the path takes.
	 */
	if (flight > tcb->cwnd)
		flight = tcb->cwnd;
	sl_cc_timeout(tcp, tcb, again ? 0 : flight);
	tcb->dup_acks = 0;
	sl_probe_forget(tcb, a);
	if (a == NULL)
		return;

	if (a->mode != SL_LOSS_TIMEOUT) { /* the first one; a cut before it was right */
		a->may_undo = !again && a->mode == SL_LOSS_NONE;
		a->timeout_tsval = sl_tcb_tsval(tcp, tcb);
	}
	doubt_all(tcp, tcb, a);
	a->mode = SL_LOSS_TIMEOUT;
	a->dup_bytes = 0;
	a->reo_due = 0;
	a->recover_fs = 0;
	a->recover = tcb->snd_nxt;
}
