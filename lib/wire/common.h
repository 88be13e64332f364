/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * common - what most frames are, taken apart with all at constant places: untagged, IPv4
 * without options and in one piece, TCP.
 *
 * Inline, so that whoever goes on with such a frame knows what it is, and has its addresses in
 * registers. frame.c takes apart whatever else there is, and says what is wrong.
 */
#ifndef SL_WIRE_COMMON_H
#define SL_WIRE_COMMON_H

#include <rte_branch_prediction.h>

#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/frame.h"
#include "wire/proto.h"

#define SL_IP4_FRAGMENT 0x3fff /* more fragments, or not the first one */
#define SL_IP4_MAPPED   RTE_BE32(0x0000ffff)

/* Words of four bytes as they lie in frames: a type and what follows it, and two of IPv4. */
#define SL_ETH4_IHL5      0x00450008u
#define SL_ETH4_IHL5_MASK 0x00ffffffu
#define SL_WHOLE_TCP      ((uint32_t)IPPROTO_TCP << 24)
#define SL_WHOLE_TCP_MASK (0xff000000u | RTE_BE16(SL_IP4_FRAGMENT))

/* What stands in nearly every segment but SYNs: timestamps behind two NOPs (appendix A). */
#define SL_TS_ALONE     RTE_BE32(0x0101080a)
#define SL_TS_ALONE_LEN 12u

/* Of two numbers that lie one behind the other at @p, and do so in a struct, from @first on. */
static inline void
sl_take_two(uint32_t *first, const uint8_t *p)
{
	uint64_t both;

	memcpy(&both, p, sizeof(both));
	both = rte_bswap64(both);
	both = both << 32 | both >> 32;
	memcpy(first, &both, sizeof(both));
}

static_assert(offsetof(struct sl_seg, ack) == offsetof(struct sl_seg, seq) + 4 &&
		      offsetof(struct sl_seg, tsecr) == offsetof(struct sl_seg, tsval) + 4,
	      "they are taken two at a time");

static inline void
sl_take_ports(const uint8_t *tcp, struct sl_tuple *tuple)
{
	uint32_t ports = rte_bswap32(sl_raw32(tcp));

	ports = ports << 16 | ports >> 16;
	memcpy(&tuple->rport, &ports, sizeof(ports));
}

static_assert(offsetof(struct sl_tuple, lport) == offsetof(struct sl_tuple, rport) + 2,
	      "ports are taken in one");

static inline bool
sl_has_ts_alone(const uint8_t *opt, uint32_t len)
{
	return len == SL_TS_ALONE_LEN && sl_raw32(opt) == SL_TS_ALONE;
}

static inline void
sl_take_ts_alone(struct sl_seg *seg, const uint8_t *opt)
{
	sl_take_two(&seg->tsval, opt + 4);
	seg->opts = SL_OPT_TS;
	seg->n_sacks = 0;
}

/* The TCP header at @tcp, of @head bytes with its options; @len come behind it. */
static inline void
sl_take_tcp(struct sl_seg *seg, const uint8_t *tcp, uint32_t head, uint32_t len)
{
	sl_take_two(&seg->seq, tcp + 4);
	seg->wnd = sl_get16(tcp + 14);
	seg->urg = sl_get16(tcp + 18);
	seg->len = (uint16_t)len;
	seg->flags = tcp[13];
	if (likely(sl_has_ts_alone(tcp + SL_TCP_HDR, head - SL_TCP_HDR)))
		sl_take_ts_alone(seg, tcp + SL_TCP_HDR);
	else
		sl_seg_options(seg, tcp + SL_TCP_HDR, (uint16_t)(head - SL_TCP_HDR));
}

/*
 * All of sl_frame_parse_by() for what most frames are. False if it is something else or is
 * badly made; nothing is said then. *@fate says whether its sum is right. All that its IP
 * length speaks of lies in the first segment: what more a packet has is padding.
 */
static __rte_always_inline bool
sl_frame_common(unsigned int bits, const struct rte_mbuf *m, struct sl_frame *frame,
		struct sl_tuple *tuple, struct sl_seg *seg, enum sl_fate *fate)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *ip = eth + RTE_ETHER_HDR_LEN, *tcp = ip + SL_IP4_HDR;
	bool ip_good =
		(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	bool tcp_good =
		(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	uint32_t len, head;
	uint64_t remote, local, sum;

	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) || m->data_len < SL_IP4_TCP_LEAST)
		return false;
	len = (uint32_t)sl_get16(ip + 2) - SL_IP4_HDR; /* wraps below: then no frame holds it */
	head = tcp[12] >> 2 & 0x3cu;
	if ((sl_raw32(eth + 12) & SL_ETH4_IHL5_MASK) != SL_ETH4_IHL5 ||
	    (sl_raw32(ip + 6) & SL_WHOLE_TCP_MASK) != SL_WHOLE_TCP || head < SL_TCP_HDR ||
	    len < head || len > m->data_len - (uint32_t)SL_IP4_TCP)
		return false;
	remote = sl_raw32(ip + 12);
	local = sl_raw32(ip + 16);
	sum = remote + local;
	if (!ip_good && !sl_cksum_is_right(sl_cksum_fold(sum + sl_raw32(ip) + sl_raw32(ip + 4) +
							 sl_raw32(ip + 8))))
		return false;
	sum += (uint64_t)rte_cpu_to_be_32(len) + RTE_BE32(IPPROTO_TCP);
	if (!tcp_good &&
	    !sl_cksum_is_right(sl_cksum_fold(sum + sl_cksum_sum_by(bits, tcp, len)))) {
		frame->kind = SL_KIND_NONE;
		*fate = SL_FATE_tcp_checksum;
		return true;
	}
	frame->l3 = RTE_ETHER_HDR_LEN;
	frame->l4 = SL_IP4_TCP;
	frame->payload = (uint16_t)(SL_IP4_TCP + head);
	frame->l4_len = (uint16_t)len;
	frame->vlan = 0;
	frame->kind = SL_KIND_TCP;
	frame->ttl = ip[8];
	frame->tos = ip[1];
	tuple->remote.q[0] = tuple->local.q[0] = 0;
	tuple->remote.q[1] = remote << 32 | SL_IP4_MAPPED;
	tuple->local.q[1] = local << 32 | SL_IP4_MAPPED;
	memset(&tuple->v6, 0, sizeof(tuple->v6) + sizeof(tuple->pad));
	sl_take_ports(tcp, tuple);
	sl_take_tcp(seg, tcp, head, len - head);
	*fate = SL_FATE_NONE;
	return true;
}

#endif
