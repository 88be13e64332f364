/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * build - headers in front of what is there, and the options that few segments have.
 *
 * What a packet carries is never touched, so the same bytes may be attached to several
 * transmissions, and a header is always fresh memory of its own.
 */
#include "wire/build.h"

#include "wire/put.h"

#define TCP_OPT_MAX 40

/* Everything an option costs, padding to a multiple of four included. */
#define MSS_ROOM     4
#define WSCALE_ROOM  4
#define SACK_OK_ROOM 4 /* less when it shares the timestamps' padding */
#define SACK_ROOM(n) (4 + 8 * (n))

/* Bytes of all options but SACK blocks. */
static uint16_t
plain_options_len(uint8_t opts)
{
	uint16_t len = 0;

	if (opts & SL_OPT_MSS)
		len += MSS_ROOM;
	if (opts & SL_OPT_TS)
		len += SL_TS_ROOM;
	else if (opts & SL_OPT_SACK_OK)
		len += SACK_OK_ROOM;
	if (opts & SL_OPT_WSCALE)
		len += WSCALE_ROOM;
	return len;
}

/* How many of @n blocks are written: as many as fit behind the other options. */
static uint8_t
sacks_written(uint8_t opts, uint8_t n)
{
	uint16_t left = TCP_OPT_MAX - plain_options_len(opts);

	if (!(opts & SL_OPT_SACK))
		return 0;
	return RTE_MIN(RTE_MIN(n, SL_SACKS_MAX), (left - SACK_ROOM(0)) / 8);
}

uint16_t
sl_tcp_options_len(uint8_t opts, uint8_t n_sacks)
{
	uint8_t n;

	if (opts == SL_OPT_TS)
		return SL_TS_ROOM;
	n = sacks_written(opts, n_sacks);
	return plain_options_len(opts) + (n > 0 ? SACK_ROOM(n) : 0);
}

static uint64_t
put_sacks(uint8_t *p, const struct sl_seg_out *seg, uint8_t n)
{
	uint64_t sum = sl_put32_raw(p, 0x01010500u | (2 + 8 * n));

	for (uint8_t i = 0; i < n; i++) {
		sum += sl_put32_raw(p + 4 + 8 * i, seg->sack[i].lo);
		sum += sl_put32_raw(p + 8 + 8 * i, seg->sack[i].hi);
	}
	return sum;
}

/* All of @seg's options; returns their sum. */
static uint64_t
put_options(uint8_t *p, const struct sl_seg_out *seg)
{
	uint8_t n = sacks_written(seg->opts, seg->n_sacks);
	uint64_t sum = 0;

	if (seg->opts & SL_OPT_MSS) {
		sum += sl_put32_raw(p, 0x02040000u | seg->mss);
		p += MSS_ROOM;
	}
	if (seg->opts & SL_OPT_TS) {
		sum += sl_put_timestamps(p, seg);
		p += SL_TS_ROOM;
	} else if (seg->opts & SL_OPT_SACK_OK) {
		sum += sl_put32_raw(p, 0x01010402);
		p += SACK_OK_ROOM;
	}
	if (seg->opts & SL_OPT_WSCALE) {
		sum += sl_put32_raw(p, 0x01030300u | seg->wscale);
		p += WSCALE_ROOM;
	}
	return n > 0 ? sum + put_sacks(p, seg, n) : sum;
}

void
sl_put_wishes(struct rte_mbuf *m, bool v6, const uint8_t *tcp, uint32_t head, uint8_t offloads)
{
	uint32_t l3_len = v6 ? SL_IP6_HDR : SL_IP4_HDR;
	uint64_t l2_len = tcp - rte_pktmbuf_mtod(m, uint8_t *) - l3_len;

	m->tx_offload = rte_mbuf_tx_offload(l2_len, l3_len, head, 0, 0, 0, 0);
	if ((offloads & SL_OFFLOAD_IPV4_CKSUM) && !v6)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
	if (offloads & SL_OFFLOAD_TCP_CKSUM)
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM |
			       (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
}

void
sl_ether_build(struct rte_mbuf *m, const struct sl_l2 *l2, uint16_t type)
{
	uint8_t *eth = sl_put_ether(rte_pktmbuf_mtod(m, uint8_t *), l2, type);
	uint16_t len = (uint16_t)(rte_pktmbuf_mtod(m, uint8_t *) - eth);

	m->data_off -= len;
	m->data_len += len;
	m->pkt_len += len;
	m->l2_len = len;
	m->port = l2->port;
}

void
sl_ip_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	    uint8_t proto, uint8_t ttl, uint8_t tos)
{
	uint16_t payload = (uint16_t)m->pkt_len, type;
	uint8_t *l4 = rte_pktmbuf_mtod(m, uint8_t *);
	uint8_t *ip = l4 - (tuple->v6 ? SL_IP6_HDR : SL_IP4_HDR);
	struct sl_ends ends = sl_ends_of(tuple);

	type = tuple->v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
	if (tuple->v6)
		sl_put_ip6(ip, &ends, payload, proto, ttl, tos);
	else
		sl_put_ip4(ip, &ends, payload, proto, ttl, tos, false);
	sl_put_front(m, (uint32_t)(l4 - sl_put_ether(ip, l2, type)), l2);
	sl_put_wishes(m, tuple->v6, l4, 0, 0);
}

uint64_t
sl_tcp_payload_sum(const struct rte_mbuf *m, uint8_t offloads, unsigned int bits)
{
	uint16_t sum = 0;

	if (offloads & SL_OFFLOAD_TCP_CKSUM)
		return 0;
	if (m->next == NULL)
		return sl_cksum_sum_by(bits, rte_pktmbuf_mtod(m, const void *), m->data_len);
	sl_cksum_add_chain_by(bits, &sum, m, 0, m->pkt_len);
	return sum;
}

void
sl_put_rich(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
	    const struct sl_seg_out *seg, uint64_t payload)
{
	uint16_t len = sl_tcp_options_len(seg->opts, seg->n_sacks);
	uint64_t sum = put_options(rte_pktmbuf_mtod(m, uint8_t *) - len, seg);

	sl_put_around(m, l2, ends, seg, len, sum, payload);
}

void
sl_tcp_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	     const struct sl_seg_out *seg)
{
	struct sl_ends ends = sl_ends_of(tuple);

	sl_put_rich(m, l2, &ends, seg, sl_tcp_payload_sum(m, seg->offloads, 0));
}

void
sl_l2_reply(const struct rte_mbuf *m, const struct sl_frame *frame, struct sl_l2 *back)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);

	memcpy(back->dst, eth + 6, 6);
	memcpy(back->src, eth, 6);
	back->vlan = frame->vlan;
	back->port = m->port;
}

bool
sl_reuse(struct rte_mbuf *m)
{
	bool alone = rte_mbuf_refcnt_read(m) == 1 && m->next == NULL;

	if (!alone || !RTE_MBUF_DIRECT(m) || m->buf_len < RTE_PKTMBUF_HEADROOM)
		return false;
	rte_pktmbuf_reset(m);
	return true;
}
