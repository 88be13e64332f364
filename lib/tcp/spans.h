/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spans - what the other files of this layer do with bytes to be sent; see spans.c.
 */
#ifndef SL_TCP_SPANS_H
#define SL_TCP_SPANS_H

#include "tcp/tcp.h"

/* Queue bytes; return how many were accepted. See sl_send() and its sisters. */
uint32_t sl_spans_copy(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len);
uint32_t sl_spans_share(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_chain *in,
			uint32_t offset, uint32_t len);
uint32_t sl_spans_pin(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len);
uint32_t sl_spans_room(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* What is told of the last span that an ACK covers whole. */
struct sl_covered {
	bool is_sample;   /* it was sent once, and not SACKed before */
	uint32_t sent_us; /* when */
};

/* What sl_spans_free_until() would tell, and nothing is freed yet. */
struct sl_covered sl_spans_covered(const struct sl_tcp *tcp, const struct sl_tcb *tcb,
				   uint32_t ack);
void sl_spans_free_all(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Make @span end after @len bytes; false if no span is left for the rest. */
bool sl_spans_split(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_span *span, uint32_t len);

/* All that is queued and lies below @end has been sent; @last is what was the last before. */
void sl_spans_advance(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t end, uint32_t last);

/* The first one never sent, or SL_NO_INDEX. */
static inline uint32_t
sl_spans_unsent(const struct sl_tcb *tcb)
{
	return sl_seq_lt(tcb->snd_nxt, tcb->snd_end) ? tcb->span_edge : SL_NO_INDEX;
}

/* The last one, or SL_NO_INDEX. */
static inline uint32_t
sl_spans_last(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t unsent = sl_spans_unsent(tcb);

	return unsent == SL_NO_INDEX ? tcb->span_edge : tcp->span[unsent].last;
}

static inline struct sl_span *
sl_span_at(const struct sl_tcp *tcp, uint32_t idx)
{
	return idx == SL_NO_INDEX ? NULL : &tcp->span[idx];
}

#define SL_SPAN_OFFSET_BITS 16

/* Whose buffer the bytes lie in; NULL: in pinned memory. */
static inline struct rte_mbuf *
sl_span_owner(const struct sl_span *s)
{
	uint64_t at = s->where >> SL_SPAN_OFFSET_BITS;

	return s->marks & SL_SPAN_PINNED ? NULL : (struct rte_mbuf *)(uintptr_t)at;
}

static inline const uint8_t *
sl_span_data(const struct sl_span *s)
{
	const struct rte_mbuf *owner = sl_span_owner(s);

	if (owner == NULL)
		return (const uint8_t *)(uintptr_t)(s->where >> SL_SPAN_OFFSET_BITS);
	return (const uint8_t *)owner->buf_addr + (uint16_t)s->where;
}

/* As far as we know it is in the network: neither SACKed nor lost and not sent again. */
static inline bool
sl_span_is_out(const struct sl_span *s)
{
	uint8_t marks = s->marks & (SL_SPAN_SACKED | SL_SPAN_LOST | SL_SPAN_RESENT);

	return marks == 0 || marks == (SL_SPAN_LOST | SL_SPAN_RESENT);
}

/* What @s is marked with is counted no more, and its buffer is given back. */
void sl_spans_let_go(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_span *s);
/* Of @s, the first @len bytes are acknowledged. */
void sl_span_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_span *s, uint32_t len);

/* Free the oldest piece, @idx, and return which is the oldest then: the caller's to note. */
static inline uint32_t
sl_span_free(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t idx)
{
	const struct sl_span *s = &tcp->span[idx];
	uint32_t next = s->next;

	if (s->marks != SL_SPAN_PINNED)
		sl_spans_let_go(tcp, tcb, s);
	sl_slots_put(&tcp->free_span, idx);
	return next;
}

/* All pieces before @head are freed. */
static inline void
sl_spans_begin_at(struct sl_tcb *tcb, uint32_t head)
{
	tcb->span_head = head;
	if (head == SL_NO_INDEX)
		tcb->span_edge = SL_NO_INDEX;
}

static inline struct sl_covered
sl_span_told(const struct sl_span *s)
{
	return (struct sl_covered){
		.is_sample = (s->n_sent == 1) & !(s->marks & SL_SPAN_SACKED),
		.sent_us = s->sent_us,
	};
}

/* Free all below @ack, which lies in snd_una .. snd_nxt; spans may be cut. */
static inline struct sl_covered
sl_spans_free_until(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ack)
{
	struct sl_covered last = { .is_sample = false };
	uint32_t i = tcb->span_head;

	while (i != SL_NO_INDEX) {
		struct sl_span *s = &tcp->span[i];
		int32_t covered = (int32_t)(ack - s->seq);

		if (covered < (int32_t)s->len) {
			if (covered > 0)
				sl_span_acked(tcp, tcb, s, (uint32_t)covered);
			break;
		}
		last = sl_span_told(s);
		i = sl_span_free(tcp, tcb, i);
	}
	sl_spans_begin_at(tcb, i);
	return last;
}

#endif
