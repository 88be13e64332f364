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

#define IP4_DONT_FRAGMENT 0x4000

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
	uint8_t n = sacks_written(opts, n_sacks);

	return plain_options_len(opts) + (n > 0 ? SACK_ROOM(n) : 0);
}

/* Timestamps, with SACK-permitted or two NOPs in front so that they are aligned. */
static uint8_t *
put_timestamps(uint8_t *p, const struct sl_seg_out *seg)
{
	sl_put32(p, seg->opts & SL_OPT_SACK_OK ? 0x0402080a : 0x0101080a);
	sl_put32(p + 4, seg->tsval);
	sl_put32(p + 8, seg->tsecr);
	return p + TS_ROOM;
}

static void
put_options(uint8_t *p, const struct sl_seg_out *seg)
{
	uint8_t n = sacks_written(seg->opts, seg->n_sacks);

	if (seg->opts & SL_OPT_MSS) {
		sl_put32(p, 0x02040000u | seg->mss);
		p += MSS_ROOM;
	}
	if (seg->opts & SL_OPT_TS) {
		p = put_timestamps(p, seg);
	} else if (seg->opts & SL_OPT_SACK_OK) {
		sl_put32(p, 0x01010402);
		p += SACK_OK_ROOM;
	}
	if (seg->opts & SL_OPT_WSCALE) {
		sl_put32(p, 0x01030300u | seg->wscale);
		p += WSCALE_ROOM;
	}
	if (n == 0)
		return;
	sl_put32(p, 0x01010500u | (2 + 8 * n));
	for (uint8_t i = 0; i < n; i++) {
		sl_put32(p + 4 + 8 * i, seg->sack[i].lo);
		sl_put32(p + 8 + 8 * i, seg->sack[i].hi);
	}
}

static uint8_t *
prepend(struct rte_mbuf *m, uint16_t len)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, len);

	assert(p != NULL);
	return p;
}

void
sl_ether_build(struct rte_mbuf *m, const struct sl_l2 *l2, uint16_t type)
{
	uint16_t tag = l2->vlan ? RTE_VLAN_HLEN : 0;
	uint8_t *eth = prepend(m, RTE_ETHER_HDR_LEN + tag);

	memcpy(eth, l2->dst, 6);
	memcpy(eth + 6, l2->src, 6);
	if (tag) {
		sl_put16(eth + 12, RTE_ETHER_TYPE_VLAN);
		sl_put16(eth + 14, l2->vlan);
	}
	sl_put16(eth + 12 + tag, type);
	m->l2_len = RTE_ETHER_HDR_LEN + tag;
	m->port = l2->port;
}

static void
put_ip4(uint8_t *ip, const struct sl_tuple *tuple, uint16_t total, uint8_t proto, uint8_t ttl,
	uint8_t tos)
{
	ip[0] = 0x45;
	ip[1] = tos;
	sl_put16(ip + 2, total);
	sl_put16(ip + 4, 0);
	sl_put16(ip + 6, IP4_DONT_FRAGMENT);
	ip[8] = ttl;
	ip[9] = proto;
	sl_put16(ip + 10, 0);
	memcpy(ip + 12, &tuple->local.w[3], 4);
	memcpy(ip + 16, &tuple->remote.w[3], 4);
}

static void
put_ip6(uint8_t *ip, const struct sl_tuple *tuple, uint16_t len, uint8_t proto, uint8_t ttl,
	uint8_t tos)
{
	sl_put32(ip, 6u << 28 | (uint32_t)tos << 20);
	sl_put16(ip + 4, len);
	ip[6] = proto;
	ip[7] = ttl;
	memcpy(ip + 8, &tuple->local, 16);
	memcpy(ip + 24, &tuple->remote, 16);
}

/* IP and Ethernet in front of a transport packet; the IPv4 checksum unless @port_sums. */
static void
put_lower(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	  uint8_t proto, uint8_t ttl, uint8_t tos, bool port_sums)
{
	uint16_t len = (uint16_t)m->pkt_len;

	if (tuple->v6) {
		put_ip6(prepend(m, SL_IP6_HDR), tuple, len, proto, ttl, tos);
		m->l3_len = SL_IP6_HDR;
		sl_ether_build(m, l2, RTE_ETHER_TYPE_IPV6);
		return;
	}

	uint8_t *ip = prepend(m, SL_IP4_HDR);

	put_ip4(ip, tuple, len + SL_IP4_HDR, proto, ttl, tos);
	if (port_sums)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
	else
		sl_cksum_put(ip + 10, sl_cksum_add(0, ip, SL_IP4_HDR));
	m->l3_len = SL_IP4_HDR;
	sl_ether_build(m, l2, RTE_ETHER_TYPE_IPV4);
}

/* Forget what receiving said of @m; how its bytes are held stays. */
static void
clear_offloads(struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
}

void
sl_ip_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	    uint8_t proto, uint8_t ttl, uint8_t tos)
{
	clear_offloads(m);
	put_lower(m, l2, tuple, proto, ttl, tos, false);
}

/* The checksum field of the TCP header at the front of @m; a port wants the pseudo-header's sum
 * there. */
static void
put_tcp_cksum(struct rte_mbuf *m, uint8_t *tcp, const struct sl_tuple *tuple, bool port_sums)
{
	uint64_t pseudo = sl_cksum_sum_pseudo(&tuple->local, &tuple->remote, tuple->v6,
					      IPPROTO_TCP, m->pkt_len);
	uint16_t sum;

	if (port_sums) {
		sum = sl_cksum_fold(pseudo);
		memcpy(tcp + 16, &sum, sizeof(sum));
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM |
			       (tuple->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
		return;
	}
	sl_cksum_transport(pseudo, m, 0, m->pkt_len, &sum);
	sl_cksum_put(tcp + 16, sum);
}

void
sl_tcp_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
	     const struct sl_seg_out *seg)
{
	uint16_t head = SL_TCP_HDR + sl_tcp_options_len(seg->opts, seg->n_sacks);
	uint8_t *tcp = prepend(m, head);

	sl_put16(tcp, tuple->lport);
	sl_put16(tcp + 2, tuple->rport);
	sl_put32(tcp + 4, seg->seq);
	sl_put32(tcp + 8, seg->ack);
	tcp[12] = head / 4 << 4;
	tcp[13] = seg->flags;
	sl_put16(tcp + 14, seg->wnd);
	sl_put32(tcp + 16, 0); /* checksum and urgent pointer */
	put_options(tcp + SL_TCP_HDR, seg);

	clear_offloads(m);
	put_tcp_cksum(m, tcp, tuple, seg->offloads & SL_OFFLOAD_TCP_CKSUM);
	m->l4_len = head;
	put_lower(m, l2, tuple, IPPROTO_TCP, seg->ttl, seg->tos,
		  seg->offloads & SL_OFFLOAD_IPV4_CKSUM);
}

struct sl_l2
sl_l2_reply(const struct rte_mbuf *m, const struct sl_frame *frame)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);
	struct sl_l2 l2 = { .vlan = frame->vlan, .port = m->port };

	memcpy(l2.dst, eth + 6, 6);
	memcpy(l2.src, eth, 6);
	return l2;
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
