/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recovery - which bytes in flight are lost, and how many are still in the network.
 *
 * Marks on the spans say what the peer has (SACKED), what is taken for lost (LOST) and
 * what of that was sent again (RESENT); the block keeps their sums. Without SACK each
 * duplicate ACK stands for a segment that left the network, somewhere (RFC 6582).
 */
#include "tcp/tcp.h"

#define DUP_THRESHOLD 3u

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

struct sl_span *
sl_recovery_lost(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	struct sl_span *s;

	if (a == NULL || a->lost == a->resent)
		return NULL;
	for (uint32_t i = tcb->span_head; i != tcb->span_next; i = s->next) {
		s = &tcp->span[i];
		if ((s->marks & (SL_SPAN_LOST | SL_SPAN_RESENT)) == SL_SPAN_LOST)
			return s;
	}
	assert(!"lost bytes without a span");
	return NULL;
}

static void
mark_lost(struct sl_active *a, struct sl_span *s)
{
	s->marks |= SL_SPAN_LOST;
	a->lost += s->len;
}

static void
mark_sacked(struct sl_active *a, struct sl_span *s)
{
	if (s->marks & SL_SPAN_LOST)
		a->lost -= s->len;
	if (s->marks & SL_SPAN_RESENT)
		a->resent -= s->len;
	s->marks &= ~(SL_SPAN_LOST | SL_SPAN_RESENT);
	s->marks |= SL_SPAN_SACKED;
	a->sacked += s->len;
}

/* Mark what the blocks of @seg cover whole; blocks that make no sense are ignored. */
static uint32_t
take_sacks(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
	   const struct sl_seg *seg)
{
	uint32_t before = a->sacked;

	for (uint8_t b = 0; b < seg->n_sacks; b++) {
		uint32_t lo = seg->sack[b].lo, hi = seg->sack[b].hi;
		bool sane = sl_seq_lt(lo, hi) && sl_seq_ge(lo, tcb->snd_una) &&
			    sl_seq_le(hi, tcb->snd_nxt);
		struct sl_span *s;

		for (uint32_t i = tcb->span_head; sane && i != tcb->span_next; i = s->next) {
			s = &tcp->span[i];
			if (sl_seq_ge(s->seq, hi))
				break;
			if (!(s->marks & SL_SPAN_SACKED) && sl_seq_ge(s->seq, lo) &&
			    sl_seq_le(s->seq + s->len, hi))
				mark_sacked(a, s);
		}
	}
	return a->sacked - before;
}

/* RFC 6675, IsLost(): more than two segments' worth was SACKed behind it. */
static uint32_t
find_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t behind = a->sacked, found = 0;
	uint32_t enough = (DUP_THRESHOLD - 1) * tcb->mss;
	struct sl_span *s;

	for (uint32_t i = tcb->span_head; i != tcb->span_next && behind > enough; i = s->next) {
		s = &tcp->span[i];
		if (s->marks & SL_SPAN_SACKED) {
			behind -= s->len;
		} else if (!(s->marks & SL_SPAN_LOST)) {
			mark_lost(a, s);
			found += s->len;
		}
	}
	return found;
}

/* The oldest segment is taken for lost; without SACK that is all one can know. */
static uint32_t
lose_head(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t bytes = 0, found = 0;
	struct sl_span *s;

	for (uint32_t i = tcb->span_head; i != tcb->span_next; i = s->next) {
		s = &tcp->span[i];
		bytes += s->len;
		if (bytes > tcb->mss && found > 0)
			break;
		if (!(s->marks & (SL_SPAN_LOST | SL_SPAN_SACKED))) {
			mark_lost(a, s);
			found += s->len;
		}
	}
	return found;
}

static void
clear_marks(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, uint8_t marks)
{
	struct sl_span *s;

	for (uint32_t i = tcb->span_head; i != tcb->span_next; i = s->next) {
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
 * RFC 6675, 5, step 4: once a window; the first resend does not ask the pipe. What limited
 * transmit sent beyond the window must not count as in flight (RFC 5681, 3.2).
 */
static void
enter_recovery(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;

	sl_count(tcp, fast_retransmit);
	a->mode = SL_LOSS_RECOVERY;
	a->recover = tcb->snd_nxt;
	sl_tcb_cc(tcp, tcb)->lost(tcp, tcb, flight < tcb->cwnd ? flight : tcb->cwnd);
	tcb->owes |= SL_OWES_HEAD;
}

static void
leave(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	clear_marks(tcp, tcb, a, SL_SPAN_LOST | SL_SPAN_RESENT);
	a->mode = SL_LOSS_NONE;
	a->dup_bytes = 0;
}

/* RFC 6582: what an ACK means without SACK. Returns bytes newly taken for lost. */
static uint32_t
judge_without_sack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, uint32_t acked,
		   bool is_duplicate)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;

	if (is_duplicate && a->dup_bytes + 2u * tcb->mss <= flight)
		a->dup_bytes += tcb->mss;
	if (is_duplicate && tcb->dup_acks == DUP_THRESHOLD && a->mode == SL_LOSS_NONE)
		return lose_head(tcp, tcb, a);
	if (acked > 0) {
		a->dup_bytes = a->mode == SL_LOSS_RECOVERY && a->dup_bytes > acked
				       ? a->dup_bytes - acked
				       : 0;
		if (a->mode == SL_LOSS_RECOVERY) /* a partial ACK: the next one is lost too */
			return lose_head(tcp, tcb, a);
	}
	return 0;
}

void
sl_recovery_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
		uint32_t acked, bool is_duplicate)
{
	bool has_sack = (tcb->is & SL_IS_SACK) && seg->n_sacks > 0;
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t lost = 0;

	if (acked > 0)
		tcb->dup_acks = 0;
	else if (is_duplicate && tcb->dup_acks < UINT8_MAX)
		tcb->dup_acks++;
	if (a == NULL && (has_sack || is_duplicate))
		a = sl_tcb_borrow(tcp, tcb);
	if (a == NULL)
		return;

	if (a->mode != SL_LOSS_NONE && sl_seq_ge(tcb->snd_una, a->recover))
		leave(tcp, tcb, a);
	if (tcb->is & SL_IS_SACK) {
		if (has_sack)
			take_sacks(tcp, tcb, a, seg);
		lost = find_lost(tcp, tcb, a);
	} else {
		lost = judge_without_sack(tcp, tcb, a, acked, is_duplicate);
	}
	if (lost > 0 && a->mode == SL_LOSS_NONE)
		enter_recovery(tcp, tcb, a);
	if (lost > 0 || has_sack || is_duplicate || a->lost > a->resent)
		sl_tcb_output(tcp, tcb);
	sl_tcb_unborrow(tcp, tcb);
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
	for (uint32_t i = tcb->span_head; i != tcb->span_next; i = s->next) {
		s = &tcp->span[i];
		if (s->marks & SL_SPAN_RESENT)
			a->resent -= s->len;
		s->marks &= ~SL_SPAN_RESENT;
		if (!(s->marks & (SL_SPAN_LOST | SL_SPAN_SACKED)))
			mark_lost(a, s);
	}
	a->dup_bytes = 0;
	if (a->mode == SL_LOSS_NONE)
		a->mode = SL_LOSS_RECOVERY;
	a->recover = tcb->snd_nxt;
}

void
sl_recovery_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	struct sl_span *s;

	if (tcb->backoff > 0 || (a != NULL && a->mode == SL_LOSS_TIMEOUT))
		flight = 0; /* the same flight: no second cut (RFC 5681, 3.1) */
	sl_tcb_cc(tcp, tcb)->timeout(tcp, tcb, flight);
	tcb->dup_acks = 0;
	if (a == NULL)
		return;

	clear_marks(tcp, tcb, a, SL_SPAN_SACKED | SL_SPAN_LOST | SL_SPAN_RESENT);
	for (uint32_t i = tcb->span_head; i != tcb->span_next; i = s->next) {
		s = &tcp->span[i];
		mark_lost(a, s);
	}
	a->dup_bytes = 0;
	a->mode = SL_LOSS_TIMEOUT;
	a->recover = tcb->snd_nxt;
}
