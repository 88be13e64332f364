/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * build - headers written from the inside out, each in front of what is there.
 *
 * What a packet carries is never touched, so the same bytes may be attached to several
 * transmissions, and a header is always fresh memory of its own.
 */
#include "wire/build.h"

#include <assert.h>

#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/proto.h"

#define TCP_OPT_MAX 40

#define IP4_DONT_FRAGMENT 0x4000u

/* Everything an option costs, padding to a multiple of four included. */
#define MSS_ROOM     4
#define WSCALE_ROOM  4
#define SACK_OK_ROOM 4 /* less when it shares the timestamps' padding */
#define TS_ROOM      12
#define SACK_ROOM(n) (4 + 8 * (n))

/* Bytes of all options but SACK blocks. */
static uint16_t
plain_options_len(uint8_t opts)
{
	uint16_t len = 0;

	if (opts & SL_OPT_MSS)
		len += MSS_ROOM;
	if (opts & SL_OPT_TS)
		len += TS_ROOM;
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
		return TS_ROOM;
	n = sacks_written(opts, n_sacks);
	return plain_options_len(opts) + (n > 0 ? SACK_ROOM(n) : 0);
}

/*
 * Put @v at @p and return it as it lies there. What is written is summed as it is written:
 * reading it back from memory in wider words would wait for the stores.
 */
static inline uint64_t
put_summed(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
	return v;
}

/* As put_summed(), of what is in network order already. */
static inline uint64_t
copy_summed(uint8_t *p, uint32_t be)
{
	memcpy(p, &be, sizeof(be));
	return be;
}

/* Timestamps, with SACK-permitted or two NOPs in front so that they are aligned. */
static inline uint64_t
put_timestamps(uint8_t *p, const struct sl_seg_out *seg)
{
	return put_summed(p, seg->opts & SL_OPT_SACK_OK ? 0x0402080a : 0x0101080a) +
	       put_summed(p + 4, seg->tsval) + put_summed(p + 8, seg->tsecr);
}

static uint64_t
put_sacks(uint8_t *p, const struct sl_seg_out *seg, uint8_t n)
{
	uint64_t sum = put_summed(p, 0x01010500u | (2 + 8 * n));

	for (uint8_t i = 0; i < n; i++) {
		sum += put_summed(p + 4 + 8 * i, seg->sack[i].lo);
		sum += put_summed(p + 8 + 8 * i, seg->sack[i].hi);
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
		sum += put_summed(p, 0x02040000u | seg->mss);
		p += MSS_ROOM;
	}
	if (seg->opts & SL_OPT_TS) {
		sum += put_timestamps(p, seg);
		p += TS_ROOM;
	} else if (seg->opts & SL_OPT_SACK_OK) {
		sum += put_summed(p, 0x01010402);
		p += SACK_OK_ROOM;
	}
	if (seg->opts & SL_OPT_WSCALE) {
		sum += put_summed(p, 0x01030300u | seg->wscale);
		p += WSCALE_ROOM;
	}
	return n > 0 ? sum + put_sacks(p, seg, n) : sum;
}

static inline uint8_t *
prepend(struct rte_mbuf *m, uint16_t len)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, len);

	assert(p != NULL);
	return p;
}

static inline uint16_t
ether_len(const struct sl_l2 *l2)
{
	return RTE_ETHER_HDR_LEN + (l2->vlan ? RTE_VLAN_HLEN : 0);
}

static inline void
put_ether(uint8_t *eth, const struct sl_l2 *l2, uint16_t type)
{
	memcpy(eth, l2->dst, 6);
	memcpy(eth + 6, l2->src, 6);
	if (l2->vlan) {
		sl_put16(eth + 12, RTE_ETHER_TYPE_VLAN);
		sl_put16(eth + 14, l2->vlan);
		eth += RTE_VLAN_HLEN;
	}
	sl_put16(eth + 12, type);
}

void
sl_ether_build(struct rte_mbuf *m, const struct sl_l2 *l2, uint16_t type)
{
	uint16_t len = ether_len(l2);

	put_ether(prepend(m, len), l2, type);
	m->l2_len = len;
	m->port = l2->port;
}

/* What an IP header says besides addresses. */
struct ip_says {
	uint16_t payload; /* bytes behind the header */
	uint8_t proto, ttl, tos;
};

/* Without its checksum where @port_sums. */
static inline void
put_ip4(uint8_t *ip, const struct sl_tuple *tuple, const struct ip_says *says, bool port_sums)
{
	uint64_t sum;

	sum = put_summed(ip, 0x45u << 24 | (uint32_t)says->tos << 16 |
				     (uint16_t)(says->payload + SL_IP4_HDR));
	sum += put_summed(ip + 4, IP4_DONT_FRAGMENT);
	sum += put_summed(ip + 8, (uint32_t)says->ttl << 24 | (uint32_t)says->proto << 16);
	sum += copy_summed(ip + 12, tuple->local.w[3]);
	sum += copy_summed(ip + 16, tuple->remote.w[3]);
	if (!port_sums)
		sl_cksum_put(ip + 10, sl_cksum_fold(sum));
}

static inline void
put_ip6(uint8_t *ip, const struct sl_tuple *tuple, const struct ip_says *says)
{
	sl_put32(ip, 6u << 28 | (uint32_t)says->tos << 20);
	sl_put16(ip + 4, says->payload);
	ip[6] = says->proto;
	ip[7] = says->ttl;
	memcpy(ip + 8, &tuple->local, 16);
	memcpy(ip + 24, &tuple->remote, 16);
}

/*
 * Put Ethernet and IP headers, @says of them, and @l4_len bytes more in front of @m; returns
 * where those @l4_len begin. Nothing is left of what receiving said of @m, but how its bytes
 * are held stays.
 */
static inline uint8_t *
put_lower(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	  const struct ip_says *says, uint16_t l4_len, bool port_sums)
{
	uint16_t l2_len = ether_len(l2), l3_len = tuple->v6 ? SL_IP6_HDR : SL_IP4_HDR;
	uint8_t *eth = prepend(m, l2_len + l3_len + l4_len);

	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = rte_mbuf_tx_offload(l2_len, l3_len, l4_len, 0, 0, 0, 0);
	m->port = l2->port;
	if (tuple->v6) {
		put_ether(eth, l2, RTE_ETHER_TYPE_IPV6);
		put_ip6(eth + l2_len, tuple, says);
		return eth + l2_len + l3_len;
	}
	put_ether(eth, l2, RTE_ETHER_TYPE_IPV4);
	put_ip4(eth + l2_len, tuple, says, port_sums);
	if (port_sums)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
	return eth + l2_len + l3_len;
}

void
sl_ip_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	    uint8_t proto, uint8_t ttl, uint8_t tos)
{
	struct ip_says says = { (uint16_t)m->pkt_len, proto, ttl, tos };

	put_lower(m, l2, tuple, &says, 0, false);
}

/* A TCP header of @head bytes, options included, with no checksum; returns its sum. */
static inline uint64_t
put_tcp(uint8_t *tcp, const struct sl_tuple *tuple, const struct sl_seg_out *seg, uint16_t head)
{
	uint64_t sum;

	sum = put_summed(tcp, (uint32_t)tuple->lport << 16 | tuple->rport);
	sum += put_summed(tcp + 4, seg->seq);
	sum += put_summed(tcp + 8, seg->ack);
	sum += put_summed(tcp + 12,
			  (uint32_t)(head / 4) << 28 | (uint32_t)seg->flags << 16 | seg->wnd);
	sl_put32(tcp + 16, 0); /* checksum and urgent pointer */
	if (seg->opts == SL_OPT_TS)
		return sum + put_timestamps(tcp + SL_TCP_HDR, seg);
	return seg->opts == 0 ? sum : sum + put_options(tcp + SL_TCP_HDR, seg);
}

/* All that @m carries, in one piece or many. */
static inline uint64_t
payload_sum(const struct rte_mbuf *m, unsigned int bits)
{
	uint16_t sum = 0;

	if (m->next == NULL)
		return sl_cksum_sum_by(bits, rte_pktmbuf_mtod(m, const void *), m->data_len);
	sl_cksum_add_chain_by(bits, &sum, m, 0, m->pkt_len);
	return sum;
}

void
sl_tcp_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	     const struct sl_seg_out *seg)
{
	bool port_sums = seg->offloads & SL_OFFLOAD_TCP_CKSUM;
	uint16_t head = SL_TCP_HDR + sl_tcp_options_len(seg->opts, seg->n_sacks);
	uint32_t len = head + m->pkt_len;
	uint64_t pseudo =
		sl_cksum_sum_pseudo(&tuple->local, &tuple->remote, tuple->v6, IPPROTO_TCP, len);
	uint64_t payload = port_sums ? 0 : payload_sum(m, seg->sum_bits), header;
	struct ip_says says = { (uint16_t)len, IPPROTO_TCP, seg->ttl, seg->tos };
	uint8_t *tcp =
		put_lower(m, l2, tuple, &says, head, seg->offloads & SL_OFFLOAD_IPV4_CKSUM);
	uint16_t sum;

	header = put_tcp(tcp, tuple, seg, head);
	if (!port_sums) {
		sl_cksum_put(tcp + 16, sl_cksum_fold(pseudo + header + payload));
		return;
	}
	sum = sl_cksum_fold(pseudo); /* a port wants that of the pseudo-header there */
	memcpy(tcp + 16, &sum, sizeof(sum));
	m->ol_flags |=
		RTE_MBUF_F_TX_TCP_CKSUM | (tuple->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
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
