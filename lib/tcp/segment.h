/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * segment - one segment of a connection: a packet, the bytes it carries, its header.
 *
 * Each transmission is a fresh header; the payload is attached to it without a copy where
 * the port sends chains and it is worth it, else copied behind it, and summed on the way. Every
 * segment that has an ACK field pays what ACKs are owed. output.c says which are sent.
 */
#ifndef SL_TCP_SEGMENT_H
#define SL_TCP_SEGMENT_H

#include "tcp/tcp.h"
#include "tcp/timer.h"
#include "wire/put.h"

#define SL_COPY_MOST   256u  /* payloads up to this are copied even if they could be attached */
#define SL_PIECES_MOST 8u    /* pieces that are attached to one header */
#define SL_BUFFER_MOST 1900u /* payload that one buffer of ours holds */

/* Who sends, and by what. */
struct sl_sender {
	struct sl_tcp *tcp;
	struct sl_tcb *tcb;
	const struct sl_l2 *l2;
	uint8_t offloads;
	struct sl_put_model *model; /* of the segments of a flight; NULL: it is one alone */
};

/* A segment without payload; false if there was no room or packet for it. */
bool sl_segment_bare(const struct sl_sender *s, uint32_t seq, uint8_t flags);

/*
 * One with @len bytes from @span on, which must end where a piece ends; false as above. What
 * fits no buffer of ours (a jumbo segment) is attached whatever it is made of.
 */
bool sl_segment_payload(const struct sl_sender *s, struct sl_span *span, uint32_t len,
			uint8_t flags);

/* The largest payload of one segment now. */
uint32_t sl_segment_room(const struct sl_sender *s);

/* What came twice is told of once. */
void sl_segment_forget_repeat(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/*
 * A packet that shows @len bytes from @span on, @n_pieces of them, and their sum if it counts;
 * NULL, counted: no packets.
 */
struct rte_mbuf *sl_segment_attached(struct sl_tcp *tcp, uint8_t offloads,
				     const struct sl_span *span, uint32_t len,
				     uint32_t n_pieces, uint64_t *sum);

static inline struct rte_mbuf *
sl_segment_packet(struct sl_tcp *tcp)
{
	struct sl_stock *stock = &tcp->stock[SL_POOL_TX];
	struct rte_mbuf *m;

	if (likely(stock->n > 0)) /* without a call */
		return stock->m[--stock->n];
	return sl_tcp_get_to_send(tcp, &m, 1) == 0 ? m : NULL;
}

/* Copy the @len bytes at @data into @m, @at behind its first; returns their sum if it counts.
 */
static inline uint64_t
sl_segment_copy(const struct sl_sender *s, struct rte_mbuf *m, uint32_t at, const void *data,
		uint32_t len)
{
	uint8_t *to = rte_pktmbuf_mtod_offset(m, uint8_t *, at);

	if (!(s->offloads & SL_OFFLOAD_TCP_CKSUM))
		return sl_cksum_copy_by(s->tcp->leaf_bits, to, data, len);
	memcpy(to, data, len);
	return 0;
}

static inline struct sl_ends
sl_segment_ends4(const struct sl_key *key)
{
	return (struct sl_ends){
		.local = &key->local,
		.remote = &key->remote,
		.lport = key->lport,
		.rport = key->rport,
		.v6 = false,
	};
}

static inline struct sl_ends
sl_segment_ends6(const struct sl_tcp *tcp, const struct sl_key *key)
{
	return (struct sl_ends){
		.local = &tcp->key6[key->remote].local,
		.remote = &tcp->key6[key->remote].remote,
		.lport = key->lport,
		.rport = key->rport,
		.v6 = true,
	};
}

static inline struct sl_ends
sl_segment_ends(const struct sl_tcp *tcp, const struct sl_key *key)
{
	return sl_key_is_v6(key) ? sl_segment_ends6(tcp, key) : sl_segment_ends4(key);
}

/* What an ACK field that goes out pays: all ACKs but those counted one by one. */
static inline void
sl_segment_acks(struct sl_tcb *tcb)
{
	tcb->unacked = 0;
	if (tcb->acks_owed > 0)
		tcb->acks_owed--;
	sl_timer_stop(tcb, SL_TIMER_ACK);
}

/*
 * Put the header on @m, whose bytes sum up to @payload, and send it: neither a SYN nor a reset,
 * and there is nothing to tell by SACK. Each family by code of its own, where all is constant
 * that it settles.
 */
static __rte_always_inline void
sl_segment_plain(const struct sl_sender *s, struct rte_mbuf *m, uint32_t seq, uint8_t flags,
		 uint64_t payload)
{
	struct sl_tcb *tcb = s->tcb;
	uint16_t wnd = sl_tcb_window(s->tcp, tcb);
	uint32_t len = m->pkt_len;
	struct sl_seg_out seg = {
		.seq = seq,
		.ack = tcb->rcv_nxt,
		.flags = flags,
		.opts = tcb->is & SL_IS_TS ? SL_OPT_TS : 0,
		.tsval = sl_tcb_tsval(s->tcp, tcb),
		.tsecr = tcb->ts_recent,
		.ttl = tcb->ttl,
		.tos = tcb->tos,
		.offloads = s->offloads,
		.wnd = wnd,
	};
	uint64_t sum;

	sl_segment_acks(tcb);
	if (likely(!sl_key_is_v6(&tcb->key))) {
		struct sl_ends ends = sl_segment_ends4(&tcb->key);

		sum = sl_put_plain(m, s->l2, &ends, &seg, payload);
	} else {
		struct sl_ends ends = sl_segment_ends6(s->tcp, &tcb->key);

		sum = sl_put_plain(m, s->l2, &ends, &seg, payload);
	}
	if (s->model != NULL && len > 0 &&
	    !(s->offloads & (SL_OFFLOAD_IPV4_CKSUM | SL_OFFLOAD_TCP_CKSUM)))
		sl_put_remember(s->model, m, &seg, len, sum);
	sl_out_put(s->tcp->out, m);
}

/* The same behind another of its flight, as long; false if there is none. */
static inline bool
sl_segment_alike(const struct sl_sender *s, struct rte_mbuf *m, uint32_t seq, uint8_t flags,
		 uint64_t payload)
{
	if (s->model == NULL || s->model->end == NULL || s->model->payload != m->pkt_len)
		return false;
	sl_segment_acks(s->tcb);
	sl_put_alike(m, s->l2, s->model, seq, flags, payload);
	sl_out_put(s->tcp->out, m);
	return true;
}

#endif
