/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glance - first by shape, then by content.
 *
 * The shape is lengths and kinds: where each field of a packet lies is known from it. Those
 * of one shape are then checked with all fields at constant places, words of eight bytes as
 * they lie in IPv4 from byte 10 on: whoever counts finds that addresses, ports and numbers
 * fill one each.
 */
#include "wire/glance.h"

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/crowd_leaf.h"
#include "wire/proto.h"

#define ETH4_IHL5 0x00450008u /* type and first byte of the IP header, as they lie */
#define ETH6_VER6 0x0060dd86u

#ifndef FRAME_AHEAD
#define FRAME_AHEAD 4 /* packets whose bytes are asked for; perf/ahead varies it */
#endif

/* Whether @m is alone in one buffer of its own, and came by @port. */
static inline bool
is_simple(const struct rte_mbuf *m, uint16_t port)
{
	return (rte_mbuf_refcnt_read(m) == 1) & (m->nb_segs == 1) & (m->port == port) &
	       ((m->ol_flags & SL_CROWD_ODD) == 0) & (m->data_len >= SL_IP4_TCP_LEAST);
}

/* The kind of a TCP header with these flags, of the family's two; SL_CROWDS for neither. */
static inline unsigned int
kind_of(uint8_t flags, unsigned int syn, unsigned int seg)
{
	if ((flags & (SL_SYN | SL_ACK | SL_RST | SL_FIN)) == SL_SYN)
		return syn;
	return flags & SL_SYN ? SL_CROWDS : seg;
}

/* Which crowd the packet of @len bytes at @p may be of, by its lengths; SL_CROWDS for none. */
static inline unsigned int
shape(const uint8_t *p, uint16_t len)
{
	uint32_t type = sl_raw32(p + 12);
	const uint8_t *tcp;
	unsigned int l4_len;

	if (likely((type & 0x00ffffff) == ETH4_IHL5)) {
		l4_len = sl_get16(p + 16) - SL_IP4_HDR; /* wraps below: then no header fits */
		tcp = p + SL_IP4_TCP;
		if ((p[23] != IPPROTO_TCP) | (SL_IP4_TCP + l4_len > len) |
		    (l4_len > SL_TCP_HDR + SL_CROWD_OPTIONS_MOST) | (l4_len < SL_TCP_HDR) |
		    ((tcp[12] >> 4) * 4u != l4_len))
			return SL_CROWDS;
		return kind_of(tcp[13], SL_CROWD_SYN4, SL_CROWD_SEG4);
	}
	if ((type & 0x00f0ffff) != ETH6_VER6 || len < SL_IP6_TCP + SL_TCP_HDR)
		return SL_CROWDS;
	l4_len = sl_get16(p + 18);
	tcp = p + SL_IP6_TCP;
	if ((p[20] != IPPROTO_TCP) | (SL_IP6_TCP + l4_len > len) |
	    (l4_len > SL_TCP_HDR + SL_CROWD_OPTIONS_MOST) | (l4_len < SL_TCP_HDR) |
	    ((tcp[12] >> 4) * 4u != l4_len))
		return SL_CROWDS;
	return kind_of(tcp[13], SL_CROWD_SYN6, SL_CROWD_SEG6);
}

static inline bool
source6_passes(const struct sl_door *door, const struct sl_addr *a)
{
	bool low = a->q[0] == 0 && (a->w[2] == 0 || a->w[2] == RTE_BE32(0x0000ffff));

	return !low & (a->b[0] != 0xff) & !sl_door_knows(door, sl_door_bit6(a));
}

static inline bool
is_ours6(const struct sl_door *door, const struct sl_addr *a)
{
	for (unsigned int i = 0; i < door->n6; i++)
		if (sl_addr_eq(&door->addr6[i], a))
			return true;
	return false;
}

/* Remember the canonical options of a SYN, 4 bytes each; false if they are others. */
static inline bool
known_options(struct sl_crowd *c, unsigned int k, const uint8_t *opt, unsigned int len)
{
	uint32_t w0 = sl_raw32(opt), w1, w2;

	if (len < 12 || (w0 & 0xffff) != RTE_BE16(0x0204))
		return false;
	w1 = sl_raw32(opt + 4);
	w2 = sl_raw32(opt + 8);
	c->mss[k] = rte_bswap16((uint16_t)(w0 >> 16));
	if (len == 12) { /* Windows */
		if ((w1 & 0xffffff) != 0x030301 || w2 != RTE_BE32(0x01010402))
			return false;
		c->tsval[k] = c->tsecr[k] = 0;
		c->wscale[k] = RTE_MIN((uint8_t)(w1 >> 24), 14);
		c->opts[k] = SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK;
		return true;
	}
	if (len != 20)
		return false;
	if (w1 == RTE_BE32(0x0402080a) && (sl_raw32(opt + 16) & 0xffffff) == 0x030301) {
		c->tsval[k] = rte_bswap32(w2); /* Linux */
		c->tsecr[k] = sl_get32(opt + 12);
		c->wscale[k] = RTE_MIN(opt[19], 14);
	} else if ((w1 & 0xffffff) == 0x030301 && w2 == RTE_BE32(0x0402080a)) {
		c->tsval[k] = sl_get32(opt + 12); /* BSD */
		c->tsecr[k] = sl_get32(opt + 16);
		c->wscale[k] = RTE_MIN((uint8_t)(w1 >> 24), 14);
	} else {
		return false;
	}
	c->opts[k] = SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS;
	return true;
}

static inline void
take_options(struct sl_crowd *c, unsigned int k, const uint8_t *opt, unsigned int len)
{
	struct sl_seg seg;

	if (len == 0) {
		c->opts[k] = 0;
		c->tsval[k] = c->tsecr[k] = 0;
		return;
	}
	if (likely(known_options(c, k, opt, len)))
		return;
	sl_seg_options(&seg, opt, (uint16_t)len);
	c->opts[k] = seg.opts;
	c->mss[k] = seg.mss;
	c->wscale[k] = seg.wscale;
	c->tsval[k] = seg.tsval;
	c->tsecr[k] = seg.tsecr;
}

/* The sum of a TCP header with its options but for its first 16 bytes. */
static inline uint64_t
sum_rest(const uint8_t *tcp, unsigned int l4_len)
{
	uint64_t sum = sl_raw32(tcp + 16);

	for (unsigned int i = SL_TCP_HDR; i < l4_len; i += 4)
		sum += sl_raw32(tcp + i);
	return sum;
}

/* What both families share: ports, numbers, flags, options. */
static inline void
take_tcp(struct sl_crowd *c, unsigned int k, const uint8_t *tcp, unsigned int l4_len)
{
	uint64_t first = rte_bswap64(sl_raw64(tcp));
	uint32_t ports = (uint32_t)(first >> 32);

	c->numbers[k] = first << 32 | (ports << 16 | ports >> 16);
	c->ack[k] = sl_get32(tcp + 8);
	c->flags[k] = tcp[13];
	take_options(c, k, tcp + SL_TCP_HDR, l4_len - SL_TCP_HDR);
}

/* Whether the content of the packet at @p is plain; then it is entry @k of @c. */
static inline bool
take4(const struct sl_door *door, struct sl_crowd *c, unsigned int k, const uint8_t *p)
{
	const uint8_t *tcp = p + SL_IP4_TCP;
	unsigned int l4_len = (tcp[12] >> 4) * 4u;
	uint64_t addrs = sl_raw64(p + 26), second = sl_raw64(p + 18);
	uint64_t ip = sl_raw32(p + 14) + sl_cksum_halves(second) + sl_cksum_halves(addrs);
	uint64_t sum = sl_cksum_halves(addrs) + sl_cksum_halves(sl_raw64(tcp)) +
		       sl_cksum_halves(sl_raw64(tcp + 8)) + sum_rest(tcp, l4_len) +
		       RTE_BE16(IPPROTO_TCP) + rte_cpu_to_be_16((uint16_t)l4_len);
	bool for_us = sl_door_hears(door, p);
	bool whole = ((uint32_t)(second >> 16) & RTE_BE16(0x3fff)) == 0;
	bool ip_right = sl_cksum_is_right(sl_cksum_fold(ip));
	bool right = sl_cksum_is_right(sl_cksum_fold(sum));
	bool possible = sl_door_source4(door, (uint32_t)addrs);

	if (!(for_us & whole & ip_right & right & possible) ||
	    !sl_door_is_ours4(door, (uint32_t)(addrs >> 32)))
		return false;
	c->addr[0][k] = addrs;
	take_tcp(c, k, tcp, l4_len);
	return true;
}

static inline bool
take6(const struct sl_door *door, struct sl_crowd *c, unsigned int k, const uint8_t *p)
{
	const uint8_t *tcp = p + SL_IP6_TCP;
	unsigned int l4_len = (tcp[12] >> 4) * 4u;
	struct sl_addr remote, local;
	bool for_us = sl_door_hears(door, p), right, possible;
	uint64_t sum = sl_cksum_halves(sl_raw64(tcp)) + sl_cksum_halves(sl_raw64(tcp + 8)) +
		       sum_rest(tcp, l4_len) + RTE_BE16(IPPROTO_TCP) +
		       rte_cpu_to_be_16((uint16_t)l4_len);

	memcpy(&remote, p + 22, sizeof(remote));
	memcpy(&local, p + 38, sizeof(local));
	sum += sl_cksum_halves(remote.q[0]) + sl_cksum_halves(remote.q[1]) +
	       sl_cksum_halves(local.q[0]) + sl_cksum_halves(local.q[1]);
	right = sl_cksum_is_right(sl_cksum_fold(sum));
	possible = source6_passes(door, &remote);
	if (!(for_us & right & possible) || !is_ours6(door, &local))
		return false;
	c->addr[0][k] = remote.q[0];
	c->addr[1][k] = remote.q[1];
	c->addr[2][k] = local.q[0];
	c->addr[3][k] = local.q[1];
	take_tcp(c, k, tcp, l4_len);
	return true;
}

/* The options of entries @odd of @c, which are nobody's that we know. */
static void
take_odd_options(struct sl_crowd *c, uint64_t odd)
{
	unsigned int l4 = c->v6 ? SL_IP6_TCP : SL_IP4_TCP;

	for (; odd != 0; odd &= odd - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(odd);
		const uint8_t *tcp = c->frame[k] + l4;

		take_options(c, k, tcp + SL_TCP_HDR, (tcp[12] >> 4) * 4u - SL_TCP_HDR);
	}
}

/* sl_glance() where there are vectors for it. */
static uint64_t
glance_together(const struct sl_door *door, struct rte_mbuf **rx, uint16_t n,
		const struct sl_crowd_leaf *leaf, struct sl_crowd crowd[SL_CROWDS])
{
	uint64_t odd[SL_CROWDS] = { 0 };
	uint64_t others = leaf->glance(door, rx, n, crowd, odd);

	for (unsigned int kind = 0; kind < SL_CROWDS; kind++)
		take_odd_options(&crowd[kind], odd[kind]);
	return others;
}

/* The packet @m at place @i joins its crowd, if it is plain. */
static inline bool
joins(const struct sl_door *door, struct rte_mbuf *m, unsigned int i,
      struct sl_crowd crowd[SL_CROWDS])
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	unsigned int kind = SL_CROWDS;
	struct sl_crowd *c;

	if (likely(is_simple(m, door->port) & (m->data_len <= SL_CROWD_FRAME_MOST)))
		kind = shape(p, m->data_len);
	if (kind == SL_CROWDS)
		return false;
	c = &crowd[kind];
	if (!(c->v6 ? take6(door, c, c->n, p) : take4(door, c, c->n, p)))
		return false;
	c->room = RTE_MIN(c->room, (uint32_t)(m->buf_len - m->data_off));
	c->at[c->n] = (uint8_t)i;
	c->m[c->n] = m;
	c->frame[c->n++] = p;
	return true;
}

uint64_t
sl_glance(const struct sl_door *door, struct rte_mbuf **rx, uint16_t n,
	  const struct sl_crowd_leaf *leaf, struct sl_crowd crowd[SL_CROWDS])
{
	uint64_t others = 0;

	for (unsigned int kind = 0; kind < SL_CROWDS; kind++) {
		crowd[kind].n = 0;
		crowd[kind].room = UINT32_MAX;
		crowd[kind].v6 = kind == SL_CROWD_SYN6 || kind == SL_CROWD_SEG6;
	}
	if (leaf != NULL)
		return glance_together(door, rx, n, leaf, crowd);
	for (uint16_t i = 0; i < n; i++) {
		if (i + FRAME_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(rx[i + FRAME_AHEAD], void *));
		if (!joins(door, rx[i], i, crowd))
			others |= 1ull << i;
	}
	return others;
}

/* @v6 is a constant in each of the calls below, as it is in tell(). */
static inline void
tuple_of(const struct sl_crowd *c, unsigned int k, bool v6, struct sl_tuple *tuple)
{
	const uint64_t mapped = RTE_BE32(0x0000ffff);
	uint64_t addrs = c->addr[0][k];

	tuple->remote.q[0] = v6 ? addrs : 0;
	tuple->remote.q[1] = v6 ? c->addr[1][k] : addrs << 32 | mapped;
	tuple->local.q[0] = v6 ? c->addr[2][k] : 0;
	tuple->local.q[1] = v6 ? c->addr[3][k] : (addrs & ~0xffffffffull) | mapped;
	memcpy(&tuple->rport, &c->numbers[k], 2 * sizeof(tuple->rport)); /* lport is next */
	tuple->v6 = v6;
	memset(tuple->pad, 0, sizeof(tuple->pad));
}

void
sl_crowd_tuple(const struct sl_crowd *c, unsigned int k, struct sl_tuple *tuple)
{
	if (c->v6)
		tuple_of(c, k, true, tuple);
	else
		tuple_of(c, k, false, tuple);
}

static inline void
tell(const struct sl_crowd *c, unsigned int k, bool v6, struct sl_frame *frame,
     struct sl_tuple *tuple, struct sl_seg *seg)
{
	const uint16_t l4 = v6 ? SL_IP6_TCP : SL_IP4_TCP;
	const uint8_t *ip = c->frame[k] + RTE_ETHER_HDR_LEN, *tcp = c->frame[k] + l4;
	const uint16_t head = (tcp[12] >> 4) * 4;

	*frame = (struct sl_frame){ .l3 = RTE_ETHER_HDR_LEN,
				    .l4 = l4,
				    .payload = l4 + head,
				    .l4_len = head,
				    .kind = SL_KIND_TCP,
				    .ttl = v6 ? ip[7] : ip[8],
				    .tos = v6 ? (uint8_t)(sl_get16(ip) >> 4) : ip[1] };
	tuple_of(c, k, v6, tuple);
	seg->seq = (uint32_t)(c->numbers[k] >> 32);
	seg->ack = c->ack[k];
	seg->tsval = c->tsval[k];
	seg->tsecr = c->tsecr[k];
	seg->wnd = sl_get16(tcp + 14);
	seg->len = 0;
	seg->mss = c->mss[k];
	seg->urg = sl_get16(tcp + 18);
	seg->flags = c->flags[k];
	seg->opts = c->opts[k];
	seg->wscale = c->wscale[k];
	seg->n_sacks = 0;
	if (unlikely(seg->opts & SL_OPT_SACK))
		sl_seg_options(seg, tcp + SL_TCP_HDR, head - SL_TCP_HDR);
}

void
sl_crowd_tell(const struct sl_crowd *c, unsigned int k, struct sl_frame *frame,
	      struct sl_tuple *tuple, struct sl_seg *seg)
{
	if (c->v6)
		tell(c, k, true, frame, tuple, seg);
	else
		tell(c, k, false, frame, tuple, seg);
}

uint64_t
sl_crowd_same_place(const struct sl_crowd *c, unsigned int k, const struct sl_crowd_leaf *leaf)
{
	const uint64_t *last = c->v6 ? c->addr[3] : c->addr[0], *first = c->addr[2];
	uint64_t of_last = c->v6 ? ~0ull : ~0ull << 32, of_first = c->v6 ? ~0ull : 0;
	uint64_t same = 0;

	if (leaf != NULL)
		return leaf->same_place(c, k);
	for (unsigned int i = 0; i < c->n; i++) {
		uint64_t other = ((last[i] ^ last[k]) & of_last) |
				 ((first[i] ^ first[k]) & of_first) |
				 ((c->numbers[i] ^ c->numbers[k]) & 0xffff0000u);

		same |= (uint64_t)(other == 0) << i;
	}
	return same;
}
