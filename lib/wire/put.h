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

/* The fourth word of TCP's header. */
static inline uint32_t
sl_put_fourth(uint32_t head, uint8_t flags, uint16_t wnd)
{
	return head << 26 | (uint32_t)flags << 16 | wnd;
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
	sum += sl_put32_raw(tcp + 12, sl_put_fourth(head, seg->flags, seg->wnd));
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
 * front of what @m carries, the sum of which is @payload. Returns the sum of all of TCP's with
 * its pseudo-header.
 */
static __rte_always_inline uint64_t
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
	} else {
		of_pseudo = sl_cksum_fold(pseudo); /* a port wants that of the pseudo-header */
		memcpy(tcp + 16, &of_pseudo, sizeof(of_pseudo));
	}
	return pseudo + sum;
}

/*
 * As sl_tcp_build(), of a segment with timestamps or no option, where @payload is known.
 * Returns what sl_put_around() does.
 */
static __rte_always_inline uint64_t
sl_put_plain(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
	     const struct sl_seg_out *seg, uint64_t payload)
{
	uint8_t *options = rte_pktmbuf_mtod(m, uint8_t *) - SL_TS_ROOM;

	if (likely(seg->opts == SL_OPT_TS))
		return sl_put_around(m, l2, ends, seg, SL_TS_ROOM,
				     sl_put_timestamps(options, seg), payload);
	assert(seg->opts == 0);
	return sl_put_around(m, l2, ends, seg, 0, 0, payload);
}

/*
 * The headers of a segment that sl_put_plain() has put, for the next of its flight, while the
 * packet is still ours: all is the same but for the sequence number, the flags and the payload,
 * which is as long. Not for ports that sum.
 */
struct sl_put_model {
	const uint8_t *end; /* of the headers; NULL: there are none */
	uint64_t sum;       /* of all of TCP's that stays */
	uint32_t payload;   /* bytes */
	uint16_t headers;   /* bytes of them */
	uint16_t head;      /* TCP's of these */
	uint16_t wnd;
};

#define SL_MODEL_MOST 96u /* bytes of headers, or more: whole vectors are copied */

static_assert(SL_MODEL_MOST >= RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + SL_IP6_HDR + SL_TCP_HDR +
				       SL_TS_ROOM &&
		      SL_MODEL_MOST <= RTE_PKTMBUF_HEADROOM,
	      "headers fit, and what is copied with them lies in the headroom");

/* @m is the model for what follows; @sum is what putting its headers returned. */
static inline void
sl_put_remember(struct sl_put_model *model, const struct rte_mbuf *m,
		const struct sl_seg_out *seg, uint32_t payload, uint64_t sum)
{
	uint32_t head = SL_TCP_HDR + (seg->opts ? SL_TS_ROOM : 0);

	model->payload = payload;
	model->headers = (uint16_t)(m->pkt_len - payload);
	model->head = (uint16_t)head;
	model->wnd = seg->wnd;
	model->end = rte_pktmbuf_mtod(m, const uint8_t *) + model->headers;
	model->sum = sum - rte_cpu_to_be_32(seg->seq) -
		     rte_cpu_to_be_32(sl_put_fourth(head, seg->flags, seg->wnd));
}

/* The headers of @model in front of what @m carries, which sums up to @payload. */
static inline void
sl_put_alike(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_put_model *model,
	     uint32_t seq, uint8_t flags, uint64_t payload)
{
	uint8_t *end = rte_pktmbuf_mtod(m, uint8_t *), *tcp = end - model->head;
	uint64_t sum = model->sum + payload;

	assert(m->pkt_len == model->payload && m->data_off >= SL_MODEL_MOST);
	memcpy(end - SL_MODEL_MOST, model->end - SL_MODEL_MOST, SL_MODEL_MOST);
	sum += sl_put32_raw(tcp + 4, seq);
	sum += sl_put32_raw(tcp + 12, sl_put_fourth(model->head, flags, model->wnd));
	sl_cksum_put(tcp + 16, sl_cksum_fold(sum));
	sl_put_front(m, model->headers, l2);
}

/* The same with any options. */
void sl_put_rich(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_ends *ends,
		 const struct sl_seg_out *seg, uint64_t payload);

#endif
