/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * put - a TCP segment's headers, written from the inside out and summed while they are
 * written: reading them back in wider words would wait for the stores.
 *
 * Inline, so that what a caller knows of a segment stays in registers; build.c has the same for
 * those who make few.
 */
#ifndef SL_WIRE_PUT_H
#define SL_WIRE_PUT_H

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/proto.h"

#define SL_IP4_DONT_FRAGMENT 0x4000u

#define SL_TS_ROOM 12u /* bytes of the option with its padding */

/* Who speaks to whom, as headers name them. */
struct sl_ends {
	const void *local, *remote; /* addresses of four bytes, or with @v6 of sixteen */
	uint16_t lport, rport;
	bool v6;
};

static inline struct sl_ends
sl_ends_of(const struct sl_tuple *t)
{
	return (struct sl_ends){
		.local = t->v6 ? &t->local : (const void *)&t->local.w[3],
		.remote = t->v6 ? &t->remote : (const void *)&t->remote.w[3],
		.lport = t->lport,
		.rport = t->rport,
		.v6 = t->v6,
	};
}

/* The Ethernet header in front of @l3; returns where it begins. */
static inline uint8_t *
sl_put_ether(uint8_t *l3, const struct sl_l2 *l2, uint16_t type)
{
	uint8_t *eth = l3 - RTE_ETHER_HDR_LEN;

	static_assert(offsetof(struct sl_l2, src) == 6, "the addresses lie as in the header");
	sl_put16(l3 - 2, type);
	if (unlikely(l2->vlan != 0)) {
		sl_put16(l3 - 4, l2->vlan);
		sl_put16(l3 - 6, RTE_ETHER_TYPE_VLAN);
		eth -= RTE_VLAN_HLEN;
	}
	memcpy(eth, l2, 12);
	return eth;
}

/* An IPv4 header of what has @payload bytes, without its checksum where @port_sums. */
static inline void
sl_put_ip4(uint8_t *ip, const struct sl_ends *ends, uint16_t payload, uint8_t proto,
	   uint8_t ttl, uint8_t tos, bool port_sums)
{
	uint32_t local, remote;
	uint64_t sum;

	memcpy(&local, ends->local, sizeof(local));
	memcpy(&remote, ends->remote, sizeof(remote));
	sum = sl_put32_raw(ip, 0x45u << 24 | (uint32_t)tos << 16 |
				       (uint16_t)(payload + SL_IP4_HDR));
	sum += sl_put32_raw(ip + 4, SL_IP4_DONT_FRAGMENT);
	sum += sl_put32_raw(ip + 8, (uint32_t)ttl << 24 | (uint32_t)proto << 16);
	memcpy(ip + 12, &local, sizeof(local));
	memcpy(ip + 16, &remote, sizeof(remote));
	if (!port_sums)
		sl_cksum_put(ip + 10, sl_cksum_fold(sum + local + remote));
}

static inline void
sl_put_ip6(uint8_t *ip, const struct sl_ends *ends, uint16_t payload, uint8_t proto,
	   uint8_t ttl, uint8_t tos)
{
	sl_put32(ip, 6u << 28 | (uint32_t)tos << 20);
	sl_put32(ip + 4, (uint32_t)payload << 16 | (uint32_t)proto << 8 | ttl);
	memcpy(ip + 8, ends->local, 16);
	memcpy(ip + 24, ends->remote, 16);
}

/* That of the pseudo-header of a TCP segment of @len bytes. */
static inline uint64_t
sl_ends_sum(const struct sl_ends *ends, uint32_t len)
{
	uint64_t sum = (uint64_t)rte_cpu_to_be_32(len) + rte_cpu_to_be_32(IPPROTO_TCP);
	uint32_t local, remote;

	if (ends->v6)
		return sum + sl_cksum_sum(ends->local, 16) + sl_cksum_sum(ends->remote, 16);
	memcpy(&local, ends->local, sizeof(local));
	memcpy(&remote, ends->remote, sizeof(remote));
	return sum + local + remote;
}

/* Timestamps, with SACK-permitted or two NOPs in front so that they are aligned. */
static inline uint64_t
sl_put_timestamps(uint8_t *p, const struct sl_seg_out *seg)
{
	return sl_put32_raw(p, seg->opts & SL_OPT_SACK_OK ? 0x0402080a : 0x0101080a) +
	       sl_put32_raw(p + 4, seg->tsval) + sl_put32_raw(p + 8, seg->tsecr);
}

/* A TCP header of @head bytes, without its options and its checksum; returns its sum. */
static inline uint64_t
sl_put_tcp(uint8_t *tcp, const struct sl_ends *ends, const struct sl_seg_out *seg,
	   uint32_t head)
{
	uint64_t sum;

	sum = sl_put32_raw(tcp, (uint32_t)ends->lport << 16 | ends->rport);
	sum += sl_put32_raw(tcp + 4, seg->seq);
	sum += sl_put32_raw(tcp + 8, seg->ack);
	sum += sl_put32_raw(tcp + 12, head << 26 | (uint32_t)seg->flags << 16 | seg->wnd);
	sl_put32(tcp + 16, 0); /* checksum and urgent pointer */
	return sum;
}

/*
 * @len bytes more are in front of what @m carries. Nothing is left of what receiving
 * said of @m, but how its bytes are held stays.
 */
static inline void
sl_put_front(struct rte_mbuf *m, uint32_t len, const struct sl_l2 *l2)
{
	assert(len <= m->data_off);
	m->data_off -= len;
	m->data_len += len;
	m->pkt_len += len;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->port = l2->port;
}

/* What a port is to sum in a TCP packet with @head bytes of TCP header, at @tcp. */
void sl_put_wishes(struct rte_mbuf *m, bool v6, const uint8_t *tcp, uint32_t head,
		   uint8_t offloads);

/* The sum of all that @m carries, in one piece or many; 0 where the port makes it. */
uint64_t sl_tcp_payload_sum(const struct rte_mbuf *m, uint8_t offloads, unsigned int bits);

/*
 * What lies around the @options bytes of options, whose sum is @sum: the headers of @seg, in
 * front of what @m carries, the sum of which is @payload.
 */
static __rte_always_inline void
sl_put_around(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
	      const struct sl_seg_out *seg, uint32_t options, uint64_t sum, uint64_t payload)
{
	bool port_sums = seg->offloads & SL_OFFLOAD_TCP_CKSUM;
	uint32_t head = SL_TCP_HDR + options, len = head + m->pkt_len;
	uint8_t *tcp = rte_pktmbuf_mtod(m, uint8_t *) - head, *ip, *eth;
	uint64_t pseudo = sl_ends_sum(ends, len);
	uint16_t of_pseudo;

	sum += sl_put_tcp(tcp, ends, seg, head);
	if (ends->v6) {
		ip = tcp - SL_IP6_HDR;
		sl_put_ip6(ip, ends, (uint16_t)len, IPPROTO_TCP, seg->ttl, seg->tos);
		eth = sl_put_ether(ip, l2, RTE_ETHER_TYPE_IPV6);
	} else {
		ip = tcp - SL_IP4_HDR;
		sl_put_ip4(ip, ends, (uint16_t)len, IPPROTO_TCP, seg->ttl, seg->tos,
			   seg->offloads & SL_OFFLOAD_IPV4_CKSUM);
		eth = sl_put_ether(ip, l2, RTE_ETHER_TYPE_IPV4);
	}
	sl_put_front(m, (uint32_t)(tcp + head - eth), l2);
	if (unlikely(seg->offloads & (SL_OFFLOAD_IPV4_CKSUM | SL_OFFLOAD_TCP_CKSUM)))
		sl_put_wishes(m, ends->v6, tcp, head, seg->offloads);
	if (likely(!port_sums)) {
		sl_cksum_put(tcp + 16, sl_cksum_fold(pseudo + sum + payload));
		return;
	}
	of_pseudo = sl_cksum_fold(pseudo); /* a port wants that of the pseudo-header there */
	memcpy(tcp + 16, &of_pseudo, sizeof(of_pseudo));
}

/* As sl_tcp_build(), of a segment with timestamps or no option, where @payload is known. */
static __rte_always_inline void
sl_put_plain(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
	     const struct sl_seg_out *seg, uint64_t payload)
{
	uint8_t *options = rte_pktmbuf_mtod(m, uint8_t *) - SL_TS_ROOM;

	if (likely(seg->opts == SL_OPT_TS)) {
		sl_put_around(m, l2, ends, seg, SL_TS_ROOM, sl_put_timestamps(options, seg),
			      payload);
	} else {
		assert(seg->opts == 0);
		sl_put_around(m, l2, ends, seg, 0, 0, payload);
	}
}

/* The same with any options. */
void sl_put_rich(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
		 const struct sl_seg_out *seg, uint64_t payload);

#endif
