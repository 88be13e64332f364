/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame - one walk from the Ethernet header down to the transport.
 *
 * Each layer says how much of the packet is its own and the next one believes only that:
 * an IP length may be shorter than the frame (padding) but never longer. Headers must lie
 * whole in the first segment; only checksums follow the chain.
 */
#include "wire/frame.h"

#include <rte_branch_prediction.h>

#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/common.h"
#include "wire/proto.h"
#include "wire/quote.h"

#define IP6_EXTS_MAX 8 /* extension headers we are willing to walk */

#define OPT_EOL     0
#define OPT_NOP     1
#define OPT_MSS     2
#define OPT_WSCALE  3
#define OPT_SACK_OK 4
#define OPT_SACK    5
#define OPT_TS      8

#define WSCALE_MAX 14 /* RFC 7323, 2.3 */

static const uint8_t *
at(const struct rte_mbuf *m, uint16_t off)
{
	return rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
}

/* Whether @len bytes at @off lie in the first segment. */
static bool
holds(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	return off + len <= m->data_len;
}

/*
 * Find the network header. One VLAN tag is understood, in the frame or in the mbuf but
 * not in both: a second one is a protocol we do not speak.
 */
static enum sl_fate
parse_ether(const struct rte_mbuf *m, struct sl_frame *frame, uint16_t *type)
{
	bool stripped = m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;

	if (!holds(m, 0, RTE_ETHER_HDR_LEN))
		return SL_FATE_eth_short;

	*frame = (struct sl_frame){ .l3 = RTE_ETHER_HDR_LEN };
	if (stripped)
		frame->vlan = m->vlan_tci & 0x0fff;

	*type = sl_get16(at(m, 12));
	if (*type == RTE_ETHER_TYPE_VLAN && !stripped) {
		if (!holds(m, RTE_ETHER_HDR_LEN, RTE_VLAN_HLEN))
			return SL_FATE_eth_short;
		frame->vlan = sl_get16(at(m, 14)) & 0x0fff;
		*type = sl_get16(at(m, 16));
		frame->l3 += RTE_VLAN_HLEN;
	}
	return SL_FATE_NONE;
}

static bool
ip4_cksum_is_right(const struct rte_mbuf *m, const uint8_t *ip, uint16_t head)
{
	if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return true;
	if (likely(head == SL_IP4_HDR))
		return sl_cksum_is_right(sl_cksum_add(0, ip, SL_IP4_HDR));
	return sl_cksum_is_right(sl_cksum_add(0, ip, head));
}

static enum sl_fate
parse_ip4(const struct rte_mbuf *m, struct sl_frame *frame, struct sl_tuple *tuple,
	  bool trusting, uint8_t *proto)
{
	const uint8_t *ip = at(m, frame->l3);
	uint16_t head, total;

	if (!holds(m, frame->l3, SL_IP4_HDR) || ip[0] >> 4 != 4)
		return SL_FATE_ip4_bad;
	head = (ip[0] & 15) * 4;
	total = sl_get16(ip + 2);
	if (head < SL_IP4_HDR || total < head || !holds(m, frame->l3, head) ||
	    frame->l3 + (uint32_t)total > m->pkt_len)
		return SL_FATE_ip4_bad;
	if (!trusting && !ip4_cksum_is_right(m, ip, head))
		return SL_FATE_ip4_checksum;
	if (sl_get16(ip + 6) & SL_IP4_FRAGMENT)
		return SL_FATE_ip_fragment;

	frame->l4 = frame->l3 + head;
	frame->l4_len = total - head;
	frame->tos = ip[1];
	frame->ttl = ip[8];
	*proto = ip[9];
	tuple->remote = sl_addr_v4(sl_get32(ip + 12));
	tuple->local = sl_addr_v4(sl_get32(ip + 16));
	return SL_FATE_NONE;
}

/*
 * Whether the options @opt[0..@len) of a hop-by-hop or destination header may all be
 * skipped: well formed, and none unknown of a kind that wants the packet discarded
 * (RFC 8200, 4.2).
 */
static bool
ip6_options_pass(const uint8_t *opt, uint16_t len)
{
	uint16_t i = 0;

	while (i < len) {
		if (opt[i] == 0) { /* Pad1, the only one without a length */
			i++;
			continue;
		}
		if (opt[i] >> 6 != 0 || i + 2 > len || i + 2 + opt[i + 1] > len)
			return false;
		i += 2 + opt[i + 1];
	}
	return true;
}

/* Whether the extension header @ext, @len bytes of kind @proto, may be skipped. */
static bool
ip6_ext_passes(const uint8_t *ext, uint16_t len, uint8_t proto, bool first)
{
	switch (proto) {
	case IPPROTO_HOPOPTS:
		return first && ip6_options_pass(ext + 2, len - 2);
	case IPPROTO_DSTOPTS:
		return ip6_options_pass(ext + 2, len - 2);
	default:
		return ext[3] == 0; /* routing: no segments left, so it ends here */
	}
}

/* Skip the extension headers of @m from frame->l4 on; *@proto is what lies behind them. */
static enum sl_fate
skip_ip6_exts(const struct rte_mbuf *m, struct sl_frame *frame, uint8_t *proto)
{
	for (int n = 0; n <= IP6_EXTS_MAX; n++) {
		const uint8_t *ext = at(m, frame->l4);
		uint16_t len;

		if (*proto == IPPROTO_FRAGMENT)
			return SL_FATE_ip_fragment;
		if (*proto != IPPROTO_HOPOPTS && *proto != IPPROTO_DSTOPTS &&
		    *proto != IPPROTO_ROUTING)
			return SL_FATE_NONE;
		if (frame->l4_len < 8 || !holds(m, frame->l4, 8))
			return SL_FATE_ip6_bad;
		len = (ext[1] + 1) * 8;
		if (frame->l4_len < len || !holds(m, frame->l4, len) ||
		    !ip6_ext_passes(ext, len, *proto, n == 0))
			return SL_FATE_ip6_bad;
		*proto = ext[0];
		frame->l4 += len;
		frame->l4_len -= len;
	}
	return SL_FATE_ip6_bad;
}

static enum sl_fate
parse_ip6(const struct rte_mbuf *m, struct sl_frame *frame, struct sl_tuple *tuple,
	  uint8_t *proto)
{
	const uint8_t *ip = at(m, frame->l3);

	if (!holds(m, frame->l3, SL_IP6_HDR) || ip[0] >> 4 != 6)
		return SL_FATE_ip6_bad;
	frame->l4 = frame->l3 + SL_IP6_HDR;
	frame->l4_len = sl_get16(ip + 4);
	if (frame->l4 + (uint32_t)frame->l4_len > m->pkt_len)
		return SL_FATE_ip6_bad;

	frame->tos = sl_get16(ip) >> 4 & 0xff;
	frame->ttl = ip[7];
	*proto = ip[6];
	memcpy(&tuple->remote, ip + 8, 16);
	memcpy(&tuple->local, ip + 24, 16);
	tuple->v6 = 1;
	return skip_ip6_exts(m, frame, proto);
}

/* Whether the TCP header at frame->l4 lies whole in its packet and in the first segment. */
static bool
tcp_fits(const struct rte_mbuf *m, const struct sl_frame *frame)
{
	uint16_t head;

	if (frame->l4_len < SL_TCP_HDR || !holds(m, frame->l4, SL_TCP_HDR))
		return false;
	head = (at(m, frame->l4)[12] >> 4) * 4;
	return head >= SL_TCP_HDR && head <= frame->l4_len && holds(m, frame->l4, head);
}

/*
 * From the first byte to the first of the transport, whose kind goes to frame->kind and
 * whose smallest header is known to be there. @trusting skips checksums.
 */
static enum sl_fate
parse_layers(const struct rte_mbuf *m, struct sl_frame *frame, struct sl_tuple *tuple,
	     bool trusting)
{
	uint16_t type = 0;
	uint8_t proto = 0;
	enum sl_fate fate = parse_ether(m, frame, &type);

	if (fate != SL_FATE_NONE)
		return fate;

	*tuple = (struct sl_tuple){ .v6 = 0 };
	if (type == RTE_ETHER_TYPE_ARP) {
		frame->kind = SL_KIND_ARP;
		return SL_FATE_NONE;
	}
	if (type == RTE_ETHER_TYPE_IPV4)
		fate = parse_ip4(m, frame, tuple, trusting, &proto);
	else if (type == RTE_ETHER_TYPE_IPV6)
		fate = parse_ip6(m, frame, tuple, &proto);
	else
		fate = SL_FATE_eth_type;
	if (fate != SL_FATE_NONE)
		return fate;

	if (likely(proto == IPPROTO_TCP)) {
		frame->kind = SL_KIND_TCP;
		return tcp_fits(m, frame) ? SL_FATE_NONE : SL_FATE_tcp_bad;
	}
	if (proto != (tuple->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return SL_FATE_ip_proto;
	frame->kind = tuple->v6 ? SL_KIND_ICMP6 : SL_KIND_ICMP4;
	if (frame->l4_len < SL_ICMP_HDR || !holds(m, frame->l4, SL_ICMP_HDR))
		return SL_FATE_icmp_bad;
	return SL_FATE_NONE;
}

/*
 * UNKNOWN and NONE say nothing of the bytes, and some ports call BAD what is merely padded:
 * only GOOD saves us the work.
 */
static bool
tcp_cksum_is_right(const struct rte_mbuf *m, const struct sl_frame *frame,
		   const struct sl_tuple *tuple, unsigned int bits)
{
	uint64_t pseudo;
	uint16_t sum;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return true;
	pseudo = sl_cksum_sum_pseudo(&tuple->remote, &tuple->local, tuple->v6, IPPROTO_TCP,
				     frame->l4_len);
	return sl_cksum_transport(pseudo, m, frame->l4, frame->l4_len, bits, &sum) &&
	       sl_cksum_is_right(sum);
}

static void
parse_tcp(const uint8_t *tcp, struct sl_frame *frame, struct sl_seg *seg)
{
	uint32_t head = (tcp[12] >> 4) * 4u;

	frame->payload = (uint16_t)(frame->l4 + head);
	sl_take_tcp(seg, tcp, head, frame->l4_len - head);
}

enum sl_fate
sl_frame_parse_any(unsigned int bits, const struct rte_mbuf *m, struct sl_frame *frame,
		   struct sl_tuple *tuple, struct sl_seg *seg)
{
	enum sl_fate fate = parse_layers(m, frame, tuple, false);

	if (fate == SL_FATE_NONE && frame->kind == SL_KIND_TCP &&
	    !tcp_cksum_is_right(m, frame, tuple, bits))
		fate = SL_FATE_tcp_checksum;
	if (fate != SL_FATE_NONE) {
		frame->kind = SL_KIND_NONE;
		return fate;
	}
	if (frame->kind == SL_KIND_TCP) {
		sl_take_ports(at(m, frame->l4), tuple);
		parse_tcp(at(m, frame->l4), frame, seg);
	}
	return SL_FATE_NONE;
}

enum sl_fate
sl_frame_parse_by(unsigned int bits, const struct rte_mbuf *m, struct sl_frame *frame,
		  struct sl_tuple *tuple, struct sl_seg *seg)
{
	enum sl_fate fate;

	if (likely(sl_frame_common(bits, m, frame, tuple, seg, &fate)))
		return fate;
	return sl_frame_parse_any(bits, m, frame, tuple, seg);
}

bool
sl_frame_steer(const struct rte_mbuf *m, struct sl_tuple *tuple)
{
	struct sl_frame frame;
	uint32_t seq;

	if (parse_layers(m, &frame, tuple, true) != SL_FATE_NONE)
		return false;
	if (frame.kind == SL_KIND_TCP) {
		sl_take_ports(at(m, frame.l4), tuple);
		return true;
	}
	return sl_quote_parse(m, &frame, tuple, &seq);
}

bool
sl_frame_is_syn(const struct rte_mbuf *m)
{
	struct sl_frame frame;
	struct sl_tuple tuple;

	return parse_layers(m, &frame, &tuple, true) == SL_FATE_NONE &&
	       frame.kind == SL_KIND_TCP && (at(m, frame.l4)[13] & (SL_SYN | SL_ACK)) == SL_SYN;
}

/* Take one option whose whole @len bytes, kind and length included, are at @opt. */
static void
take_option(struct sl_seg *seg, const uint8_t *opt, uint8_t len)
{
	if (opt[0] == OPT_MSS && len == 4) {
		seg->mss = sl_get16(opt + 2);
		seg->opts |= SL_OPT_MSS;
	} else if (opt[0] == OPT_WSCALE && len == 3) {
		seg->wscale = RTE_MIN(opt[2], WSCALE_MAX);
		seg->opts |= SL_OPT_WSCALE;
	} else if (opt[0] == OPT_SACK_OK && len == 2) {
		seg->opts |= SL_OPT_SACK_OK;
	} else if (opt[0] == OPT_TS && len == 10) {
		seg->tsval = sl_get32(opt + 2);
		seg->tsecr = sl_get32(opt + 6);
		seg->opts |= SL_OPT_TS;
	} else if (opt[0] == OPT_SACK && len >= 10 && (len - 2) % 8 == 0) {
		seg->n_sacks = RTE_MIN((len - 2) / 8, SL_SACKS_MAX);
		for (uint8_t i = 0; i < seg->n_sacks; i++) {
			seg->sack[i].lo = sl_get32(opt + 2 + 8 * i);
			seg->sack[i].hi = sl_get32(opt + 6 + 8 * i);
		}
		seg->opts |= SL_OPT_SACK;
	}
}

void
sl_seg_options(struct sl_seg *seg, const uint8_t *opt, uint16_t len)
{
	uint16_t i = 0;

	seg->opts = 0;
	seg->n_sacks = 0;
	if (sl_has_ts_alone(opt, len)) {
		sl_take_ts_alone(seg, opt);
		return;
	}
	seg->tsval = seg->tsecr = 0;
	while (i < len && opt[i] != OPT_EOL) {
		if (opt[i] == OPT_NOP) {
			i++;
			continue;
		}
		if (i + 2 > len || opt[i + 1] < 2 || i + opt[i + 1] > len)
			return;
		take_option(seg, opt + i, opt[i + 1]);
		i += opt[i + 1];
	}
}
