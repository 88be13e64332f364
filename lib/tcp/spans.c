/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spans - the bytes a connection has to send, from the oldest unacknowledged to the last
 * one queued, as a list of pieces of memory.
 *
 * A piece says where bytes lie and who owns them; packets are made from pieces each time
 * they are sent, so a frame in flight is never written again. Pieces are cut where a
 * segment ends, so that what SACK and loss say of a segment can be marked on pieces.
 *
 * A record knows the first piece and one more: where those not sent yet begin, or the last one
 * when there are none. A piece that was never sent has no time at which it was, so the first
 * of these has in that word which the last one is.
 */
#include <string.h>

#include <rte_branch_prediction.h>

#include "tcp/spans.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

#define SPAN_SPARE 8u /* one eighth of the spans is kept for cutting */

uint32_t
sl_spans_room(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t most = sl_tcb_conf(tcp, tcb)->sndbuf;
	uint32_t queued = tcb->snd_end - tcb->snd_una;
	bool closing = !sl_state_can_send(tcb->state) || (tcb->is & SL_IS_CLOSE_QUEUED);

	if (closing || queued >= most)
		return 0;
	return most - queued;
}

/* A piece's word where its bytes lie: @offset behind where the buffer of @owner begins. */
static uint64_t
in_buffer(const struct rte_mbuf *owner, size_t offset)
{
	assert((uintptr_t)owner >> (64 - SL_SPAN_OFFSET_BITS) == 0 && offset <= owner->buf_len);
	return (uint64_t)(uintptr_t)owner << SL_SPAN_OFFSET_BITS | offset;
}

/* The same for those at @data, in pinned memory. */
static uint64_t
in_memory(const void *data)
{
	assert((uintptr_t)data >> (64 - SL_SPAN_OFFSET_BITS) == 0);
	return (uint64_t)(uintptr_t)data << SL_SPAN_OFFSET_BITS;
}

/* The first @len bytes of @s are not its any more. */
static void
cut_front(struct sl_span *s, uint32_t len)
{
	s->where += s->marks & SL_SPAN_PINNED ? (uint64_t)len << SL_SPAN_OFFSET_BITS : len;
	s->seq += len;
	s->len -= len;
}

/* Append a piece of @len bytes; NULL if the pool is down to what cutting needs. */
static inline struct sl_span *
span_append(struct sl_tcp *tcp, struct sl_tcb *tcb, uint64_t where, uint32_t len, uint8_t marks)
{
	uint32_t unsent = sl_spans_unsent(tcb), last = sl_spans_last(tcp, tcb), idx;

	if (sl_slots_free_count(&tcp->free_span) <= tcp->n_span / SPAN_SPARE)
		return NULL;
	idx = sl_slots_get(&tcp->free_span);
	tcp->span[idx] = (struct sl_span){
		.where = where,
		.seq = tcb->snd_end,
		.len = len,
		.marks = marks,
		.last = idx,
		.next = SL_NO_INDEX,
	};
	if (last == SL_NO_INDEX)
		tcb->span_head = idx;
	else
		tcp->span[last].next = idx;
	if (unsent == SL_NO_INDEX)
		tcb->span_edge = idx;
	else
		tcp->span[unsent].last = idx;
	tcb->snd_end += len;
	return &tcp->span[idx];
}

void
sl_spans_advance(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t end, uint32_t last)
{
	uint32_t i = tcb->span_edge;

	while (i != SL_NO_INDEX && sl_seq_lt(tcp->span[i].seq, end))
		i = tcp->span[i].next;
	tcb->span_edge = i == SL_NO_INDEX ? last : i;
	if (i != SL_NO_INDEX)
		tcp->span[i].last = last;
}

/* Bytes that may still be written behind the last piece, because its buffer is ours alone. */
static uint32_t
tail_room(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_span *s = sl_span_at(tcp, sl_spans_last(tcp, tcb));

	if (s == NULL || !(s->marks & SL_SPAN_OWN) || s->n_sent > 0 ||
	    rte_mbuf_refcnt_read(sl_span_owner(s)) != 1)
		return 0;
	return rte_pktmbuf_tailroom(sl_span_owner(s));
}

/* Give the last piece a fresh buffer of our own, with @left bytes to be copied. */
static struct sl_span *
span_buffer(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t left)
{
	struct rte_mbuf *m = sl_tcp_get_to_keep(tcp, left);
	struct sl_span *s;

	if (m == NULL)
		return NULL;
	s = span_append(tcp, tcb, in_buffer(m, m->data_off), 0, SL_SPAN_OWN);
	if (s == NULL)
		sl_tcp_put(tcp, m);
	return s;
}

static inline void
accepted(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t took, uint32_t offered)
{
	if (took > 0 && sl_state_is_synchronized(tcb->state))
		sl_tcb_output(tcp, tcb);
	if (unlikely(took < offered)) {
		tcb->is |= SL_IS_WANTS_ROOM;
		if (sl_state_can_send(tcb->state) && sl_state_is_synchronized(tcb->state))
			sl_timer_resend(tcp, tcb, false);
	}
}

uint32_t
sl_spans_copy(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len)
{
	uint32_t room = sl_spans_room(tcp, tcb);
	uint32_t want = len < room ? len : room, took = 0;
	struct sl_span *s;

	while (took < want) {
		uint32_t n = tail_room(tcp, tcb);

		s = sl_span_at(tcp, sl_spans_last(tcp, tcb));
		if (n == 0) {
			s = span_buffer(tcp, tcb, want - took);
			if (s == NULL)
				break;
			n = rte_pktmbuf_tailroom(sl_span_owner(s));
		}
		if (n > want - took)
			n = want - took;
		memcpy(rte_pktmbuf_append(sl_span_owner(s), n), (const uint8_t *)data + took,
		       n);
		s->len += n;
		tcb->snd_end += n;
		took += n;
	}
	accepted(tcp, tcb, took, len);
	return took;
}

/* Of what is too long for one piece, or for the room there is. */
static __rte_noinline uint32_t
pin_in_pieces(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len)
{
	uint32_t room = sl_spans_room(tcp, tcb);
	uint32_t want = len < room ? len : room;
	uint32_t took = 0;

	while (took < want) {
		uint32_t left = want - took;
		uint32_t n = left < SL_SPAN_BYTES_MOST ? left : SL_SPAN_BYTES_MOST;

		if (span_append(tcp, tcb, in_memory((const uint8_t *)data + took), n,
				SL_SPAN_PINNED) == NULL)
			break;
		took += n;
	}
	accepted(tcp, tcb, took, len);
	return took;
}

uint32_t
sl_spans_pin(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len)
{
	if (unlikely(len == 0 || len > SL_SPAN_BYTES_MOST || len > sl_spans_room(tcp, tcb) ||
		     span_append(tcp, tcb, in_memory(data), len, SL_SPAN_PINNED) == NULL))
		return pin_in_pieces(tcp, tcb, data, len);
	accepted(tcp, tcb, len, len);
	return len;
}

/*
 * As sl_spans_room(), but no more than its share of what is scarce. With nothing queued
 * there is always some, so that whoever waits for room is told of it by an ACK.
 */
static uint32_t
room_to_share(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t room = sl_spans_room(tcp, tcb), most = sl_tcb_conf(tcp, tcb)->sndbuf;
	uint32_t queued = most > room ? most - room : 0;
	uint32_t share = sl_tcp_share(tcp, tcb, most);

	return share > queued ? share - queued : 0;
}

uint32_t
sl_spans_share(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_chain *in,
	       uint32_t offset, uint32_t len)
{
	uint32_t room = room_to_share(tcp, tcb);
	uint32_t want = len < room ? len : room, took = 0;
	struct rte_mbuf *m = (struct rte_mbuf *)(uintptr_t)in->first;

	offset += in->offset;
	while (m != NULL && offset >= m->data_len) {
		offset -= m->data_len;
		m = m->next;
	}
	for (; took < want; m = m->next, offset = 0) {
		uint32_t n = m->data_len - offset;

		if (n == 0)
			continue;
		if (n > want - took)
			n = want - took;
		if (span_append(tcp, tcb, in_buffer(m, m->data_off + offset), n, 0) == NULL)
			break;
		rte_mbuf_refcnt_update(m, 1);
		tcp->n_kept++;
		sl_count(tcp, kept);
		took += n;
	}
	accepted(tcp, tcb, took, len);
	return took;
}

bool
sl_spans_split(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_span *span, uint32_t len)
{
	uint32_t idx = sl_slots_get(&tcp->free_span);
	bool is_last = sl_span_at(tcp, sl_spans_last(tcp, tcb)) == span;
	struct sl_span *rest;

	assert(len > 0 && len < span->len);
	if (idx == SL_NO_INDEX)
		return false;
	rest = &tcp->span[idx];
	*rest = *span;
	cut_front(rest, len);
	span->len = len;
	span->next = idx;
	if (is_last && sl_spans_unsent(tcb) == SL_NO_INDEX)
		tcb->span_edge = idx;
	else if (is_last)
		tcp->span[tcb->span_edge].last = idx;
	if (sl_span_owner(span) != NULL) {
		rte_mbuf_refcnt_update(sl_span_owner(span), 1);
		if (!(span->marks & SL_SPAN_OWN)) {
			tcp->n_kept++;
			sl_count(tcp, kept);
		}
	}
	return true;
}

/* What the marks of @span count in the block's sums, @len bytes of it. */
static void
unmark(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_span *span, uint32_t len)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL)
		return;
	if (span->marks & SL_SPAN_SACKED)
		a->sacked -= len;
	if (span->marks & SL_SPAN_LOST)
		a->lost -= len;
	if (span->marks & SL_SPAN_RESENT)
		a->resent -= len;
}

void
sl_spans_let_go(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_span *s)
{
	if (s->marks & (SL_SPAN_SACKED | SL_SPAN_LOST | SL_SPAN_RESENT))
		unmark(tcp, tcb, s, s->len);
	if (s->marks & SL_SPAN_OWN)
		sl_tcp_put(tcp, sl_span_owner(s));
	else if (!(s->marks & SL_SPAN_PINNED))
		sl_tcp_put_kept(tcp, sl_span_owner(s));
}

void
sl_span_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_span *s, uint32_t len)
{
	unmark(tcp, tcb, s, len);
	cut_front(s, len);
}

struct sl_covered
sl_spans_covered(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t ack)
{
	struct sl_covered last = { .is_sample = false };

	for (uint32_t i = tcb->span_head; i != SL_NO_INDEX; i = tcp->span[i].next) {
		if (sl_seq_gt(tcp->span[i].seq + tcp->span[i].len, ack))
			break;
		last = sl_span_told(&tcp->span[i]);
	}
	return last;
}

void
sl_spans_free_all(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t i = tcb->span_head;

	while (i != SL_NO_INDEX)
		i = sl_span_free(tcp, tcb, i);
	sl_spans_begin_at(tcb, SL_NO_INDEX);
}
