/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * segment - what of it is not inline: payload in pieces, options that few segments have.
 */
#include "tcp/segment.h"
#include "tcp/answer.h"
#include "tcp/recovery.h"
#include "tcp/spans.h"

/*
 * SACK blocks that fit beside what else the segment carries (RFC 2018, 3). What came twice
 * stands before all others (RFC 2883, 4).
 */
static void
add_sacks(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_seg_out *seg)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint8_t most = seg->opts & SL_OPT_TS ? 3 : 4;

	if (!(tcb->is & SL_IS_SACK) || a == NULL || (a->n_recent == 0 && !a->has_dup))
		return;
	seg->opts |= SL_OPT_SACK;
	if (a->has_dup)
		seg->sack[seg->n_sacks++] = a->dup;
	for (uint8_t i = 0; i < a->n_recent && seg->n_sacks < most; i++)
		seg->sack[seg->n_sacks++] = a->recent[i];
}

void
sl_segment_forget_repeat(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a != NULL)
		a->has_dup = false;
}

/* Bytes of payload that SACK blocks take away from a segment now. */
static __rte_noinline uint32_t
sack_bytes(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	struct sl_seg_out seg = { .opts = tcb->is & SL_IS_TS ? SL_OPT_TS : 0 };
	uint32_t without;

	without = sl_tcp_options_len(seg.opts, 0);
	add_sacks(tcp, tcb, &seg);
	return sl_tcp_options_len(seg.opts, seg.n_sacks) - without;
}

uint32_t
sl_segment_room(const struct sl_sender *s)
{
	bool rich = sl_tcb_has_active(s->tcp, s->tcb);
	uint32_t room = s->tcb->mss - (unlikely(rich) ? sack_bytes(s->tcp, s->tcb) : 0);
	bool chains = s->offloads & SL_OFFLOAD_MULTI_SEG;

	return chains || room < SL_BUFFER_MOST ? room : SL_BUFFER_MOST;
}

/* The options of our SYN or SYN-ACK: a SYN-ACK agrees only to what it was asked for. */
static void
add_syn_options(const struct sl_sender *s, struct sl_seg_out *seg)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(s->tcp, s->tcb);
	bool asks = s->tcb->state == SL_ST_SYN_SENT;

	seg->opts = SL_OPT_MSS;
	seg->mss = sl_tcp_mss_offer(s->tcp, conf, s->l2->port, sl_key_is_v6(&s->tcb->key));
	if (asks ? conf->window_scaling : s->tcb->is & SL_IS_SCALED)
		seg->opts |= SL_OPT_WSCALE;
	if (asks ? conf->sack : s->tcb->is & SL_IS_SACK)
		seg->opts |= SL_OPT_SACK_OK;
	if (asks ? conf->timestamps : s->tcb->is & SL_IS_TS)
		seg->opts |= SL_OPT_TS;
	seg->wscale = s->tcp->listener[s->tcb->listener].rcv_scale;
}

/* As sl_segment_plain(), for a SYN, a reset, or with SACK. */
static __rte_noinline void
put_rich(const struct sl_sender *s, struct rte_mbuf *m, uint32_t seq, uint8_t flags,
	 uint64_t payload)
{
	struct sl_tcb *tcb = s->tcb;
	struct sl_ends ends = sl_segment_ends(s->tcp, &tcb->key);
	struct sl_seg_out seg = {
		.seq = seq,
		.flags = flags,
		.ttl = tcb->ttl,
		.tos = tcb->tos,
		.offloads = s->offloads,
		.wnd = flags & SL_SYN ? sl_tcp_first_window(sl_tcb_conf(s->tcp, tcb))
				      : sl_tcb_window(s->tcp, tcb),
	};

	if (flags & SL_SYN) {
		add_syn_options(s, &seg);
	} else {
		if (tcb->is & SL_IS_TS)
			seg.opts |= SL_OPT_TS;
		if (!(flags & SL_RST)) {
			add_sacks(s->tcp, tcb, &seg);
			sl_segment_forget_repeat(s->tcp, tcb);
		}
	}
	if (flags & SL_ACK) {
		seg.ack = tcb->rcv_nxt;
		seg.tsecr = tcb->ts_recent;
		sl_segment_acks(tcb);
	}
	seg.tsval = sl_tcb_tsval(s->tcp, tcb);
	sl_put_rich(m, s->l2, &ends, &seg, payload);
	sl_out_put(s->tcp->out, m);
}

/* Put the header on @m, whose bytes sum up to @payload, and send it. */
static void
put(const struct sl_sender *s, struct rte_mbuf *m, uint32_t seq, uint8_t flags,
    uint64_t payload)
{
	if (unlikely((flags & (SL_SYN | SL_RST)) || sl_tcb_has_active(s->tcp, s->tcb)))
		put_rich(s, m, seq, flags, payload);
	else
		sl_segment_plain(s, m, seq, flags, payload);
}

bool
sl_segment_bare(const struct sl_sender *s, uint32_t seq, uint8_t flags)
{
	struct rte_mbuf *m;

	if (!sl_out_has_room(s->tcp->out) || (m = sl_segment_packet(s->tcp)) == NULL)
		return false;
	put(s, m, seq, flags, 0);
	return true;
}

/* How many pieces @len bytes from @span on lie in. */
static uint32_t
count_pieces(const struct sl_tcp *tcp, const struct sl_span *span, uint32_t len)
{
	uint32_t n = 1;

	while (len > span->len) {
		len -= span->len;
		span = sl_span_at(tcp, span->next);
		n++;
	}
	return n;
}

/* @part, the sum of a piece that lies @at behind the first of a payload, as part of its sum. */
static inline uint64_t
in_place(uint64_t part, uint32_t at)
{
	return at % 2 == 0 ? part : rte_bswap16(sl_cksum_fold(part));
}

/* A packet with a copy of @len bytes from @span on, and their sum; NULL, counted: none. */
static struct rte_mbuf *
copied(const struct sl_sender *s, const struct sl_span *span, uint32_t len, uint64_t *sum)
{
	struct rte_mbuf *m = sl_segment_packet(s->tcp);
	uint32_t at = 0;

	assert(len <= SL_BUFFER_MOST);
	*sum = 0;
	if (m == NULL)
		return NULL;
	while (at < len) {
		uint32_t n = len - at < span->len ? len - at : span->len;

		*sum += in_place(sl_segment_copy(s, m, at, sl_span_data(span), n), at);
		at += n;
		span = sl_span_at(s->tcp, span->next);
	}
	m->data_len = len;
	m->pkt_len = len;
	return m;
}

struct rte_mbuf *
sl_segment_attached(struct sl_tcp *tcp, uint8_t offloads, const struct sl_span *span,
		    uint32_t len, uint32_t n_pieces, uint64_t *sum)
{
	struct rte_mbuf *m[SL_PIECES_MOST + 1];
	bool port_sums = offloads & SL_OFFLOAD_TCP_CKSUM;
	uint32_t at = 0;

	*sum = 0;
	if (sl_tcp_get_to_send(tcp, m, n_pieces + 1) < 0)
		return NULL;
	for (uint32_t i = 1; i <= n_pieces; i++) {
		uint32_t n = len - at < span->len ? len - at : span->len;
		const uint8_t *data = sl_span_data(span);

		sl_bufs_attach(tcp->bufs, m[i], sl_span_owner(span), data, n);
		m[i - 1]->next = m[i];
		if (!port_sums)
			*sum += in_place(sl_cksum_sum_by(tcp->leaf_bits, data, n), at);
		at += n;
		span = sl_span_at(tcp, span->next);
	}
	m[0]->pkt_len = len;
	m[0]->nb_segs = (uint16_t)(n_pieces + 1);
	return m[0];
}

bool
sl_segment_payload(const struct sl_sender *s, struct sl_span *span, uint32_t len, uint8_t flags)
{
	struct sl_active *a = sl_tcb_active(s->tcp, s->tcb);
	uint32_t n_pieces = count_pieces(s->tcp, span, len);
	bool chains = s->offloads & SL_OFFLOAD_MULTI_SEG;
	bool attach = chains && len > SL_COPY_MOST && n_pieces <= SL_PIECES_MOST;
	struct rte_mbuf *m;
	uint32_t seq = span->seq;
	uint64_t sum;

	if (!sl_out_has_room(s->tcp->out))
		return false;
	m = attach ? sl_segment_attached(s->tcp, s->offloads, span, len, n_pieces, &sum)
		   : copied(s, span, len, &sum);
	if (m == NULL)
		return false;
	if (a != NULL)
		sl_prr_sent(a, len);
	for (; n_pieces > 0; n_pieces--) {
		if (a != NULL &&
		    (span->marks & (SL_SPAN_LOST | SL_SPAN_RESENT)) == SL_SPAN_LOST) {
			span->marks |= SL_SPAN_RESENT;
			a->resent += span->len;
		}
		if (span->n_sent < SL_SPAN_SENT_MOST)
			span->n_sent++;
		span->sent_us = s->tcp->now_us;
		span = sl_span_at(s->tcp, span->next);
	}
	if (a != NULL || !sl_segment_alike(s, m, seq, flags, sum))
		put(s, m, seq, flags, sum);
	return true;
}
