/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sack - what the peer's SACK blocks say (RFC 2018), the first of them perhaps of bytes that
 * came twice (RFC 2883). Blocks that make no sense are ignored.
 */
#include "tcp/recovery.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"

bool
sl_sack_tells_dup(const struct sl_tcb *tcb, const struct sl_seg *seg, struct sl_sack *dup)
{
	const struct sl_sack *first = &seg->sack[0], *second = &seg->sack[1];

	if (!(tcb->is & SL_IS_SACK) || seg->n_sacks == 0 || !sl_seq_lt(first->lo, first->hi))
		return false;
	*dup = *first;
	if (sl_seq_le(first->hi, seg->ack)) /* within what can have been sent lately */
		return seg->ack - first->lo <= sl_tcb_max_snd_wnd(tcb);
	return seg->n_sacks > 1 && sl_seq_ge(first->lo, second->lo) &&
	       sl_seq_le(first->hi, second->hi) && sl_seq_ge(second->lo, tcb->snd_una) &&
	       sl_seq_le(second->hi, tcb->snd_nxt);
}

/* The blocks of @seg that make sense, by number, those that meet joined; how many. */
static uint8_t
sort_blocks(const struct sl_tcb *tcb, const struct sl_seg *seg, struct sl_sack *block)
{
	uint8_t n = 0, joined = 0;

	for (uint8_t b = 0; b < seg->n_sacks; b++) {
		struct sl_sack s = seg->sack[b];
		uint8_t at = n;

		if (!sl_seq_lt(s.lo, s.hi) || sl_seq_lt(s.lo, tcb->snd_una) ||
		    sl_seq_gt(s.hi, tcb->snd_nxt))
			continue;
		for (; at > 0 && sl_seq_lt(s.lo, block[at - 1].lo); at--)
			block[at] = block[at - 1];
		block[at] = s;
		n++;
	}
	for (uint8_t b = 1; b < n; b++) {
		if (sl_seq_gt(block[b].lo, block[joined].hi))
			block[++joined] = block[b];
		else
			block[joined].hi = sl_seq_max(block[joined].hi, block[b].hi);
	}
	return n > 0 ? joined + 1 : 0;
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

void
sl_sack_take(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
	     const struct sl_seg *seg)
{
	struct sl_sack block[SL_SACKS_MAX];
	uint8_t n = sort_blocks(tcb, seg, block), b = 0;
	struct sl_span *s;

	for (uint32_t i = tcb->span_head, end = sl_spans_unsent(tcb); i != end; i = s->next) {
		s = &tcp->span[i];
		while (b < n && sl_seq_ge(s->seq, block[b].hi))
			b++;
		if (b == n)
			return;
		if ((s->marks & SL_SPAN_SACKED) || sl_seq_lt(s->seq, block[b].lo) ||
		    sl_seq_gt(s->seq + s->len, block[b].hi))
			continue;
		sl_rack_delivered(tcp, tcb, a, s, seg);
		mark_sacked(a, s);
	}
}
