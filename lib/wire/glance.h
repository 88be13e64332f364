/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glance - what most strangers' packets are, seen many at a time.
 *
 * A segment is *plain* if it came whole in one buffer of its own, untagged, over IPv4
 * without options or IPv6 without extension headers, without payload, with right checksums,
 * from a possible source, to us. Plain segments of one kind stand side by side in a crowd,
 * each field in an array of its own, so that what is done to one can be done to many.
 *
 * Nothing is decided here about any other packet, but that the door admits the addresses of
 * most segments with payload. Whatever is odd about one, sl_frame_parse() and sl_net_accept()
 * look at it and name its fate; what they would refuse is neither plain nor admitted.
 */
#ifndef SL_WIRE_GLANCE_H
#define SL_WIRE_GLANCE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/addr.h"
#include "base/units.h"
#include "wire/bytes.h"
#include "wire/frame.h"

#define SL_DOOR_ADDRS 33 /* of a family: those configured, and a link-local one */
#define SL_DOOR_BITS  1024

/* What the untagged packets of a port must carry to be for us. Written once, by lib/net. */
struct sl_door {
	uint8_t mac[8]; /* two zeros behind it */
	uint16_t port;  /* rte_mbuf.port */
	uint8_t n4, n6; /* 0 of both: no packet of this port is plain */
	uint32_t addr4[SL_DOOR_ADDRS];
	struct sl_addr addr6[SL_DOOR_ADDRS];
	/*
	 * By sl_door_bit(): all addresses that cannot be a source, because they are ours or a
	 * broadcast. A source that shares a bit with one of them is looked at more closely.
	 */
	uint32_t ours[SL_DOOR_BITS / 32];
};

static inline uint32_t
sl_door_bit4(uint32_t addr)
{
	return addr * 0x9e3779b1u >> 22;
}

static inline uint32_t
sl_door_bit6(const struct sl_addr *addr)
{
	uint64_t x = addr->q[0] ^ addr->q[1];

	return sl_door_bit4((uint32_t)(x ^ x >> 32));
}

static inline bool
sl_door_knows(const struct sl_door *door, uint32_t bit)
{
	return door->ours[bit / 32] >> bit % 32 & 1;
}

/*
 * The Ethernet header at @p says us, and no group sends. Of the source only that: whose MAC
 * address that is, is asked when the peer has proved that it hears us. The first bit of its
 * first byte is the lowest of the seventh byte, and all above is shifted out.
 */
static inline bool
sl_door_hears(const struct sl_door *door, const uint8_t *p)
{
	return (sl_raw64(p) ^ sl_raw64(door->mac)) << 15 == 0;
}

static inline bool
sl_door_source4(const struct sl_door *door, uint32_t addr)
{
	uint8_t first = (uint8_t)addr; /* network order: 0/8, 127/8, groups and above */

	return (first != 0) & (first != 127) & (first < 224) &
	       !sl_door_knows(door, sl_door_bit4(addr));
}

static inline bool
sl_door_is_ours4(const struct sl_door *door, uint32_t addr)
{
	if (likely(door->n4 > 0 && door->addr4[0] == addr))
		return true;
	for (unsigned int i = 1; i < door->n4; i++)
		if (door->addr4[i] == addr)
			return true;
	return false;
}

/*
 * Whether @m, which sl_frame_common() took apart, from and to these, is one that
 * sl_net_accept() would surely let pass. If not, ask that.
 */
static inline bool
sl_door_admits4(const struct sl_door *door, const struct rte_mbuf *m,
		const struct sl_tuple *tuple)
{
	return m->port == door->port &&
	       sl_door_hears(door, rte_pktmbuf_mtod(m, const uint8_t *)) &&
	       sl_door_source4(door, tuple->remote.w[3]) &&
	       sl_door_is_ours4(door, tuple->local.w[3]);
}

enum sl_crowd_kind {
	SL_CROWD_SYN4, /* SYN without ACK, FIN or RST */
	SL_CROWD_SYN6,
	SL_CROWD_SEG4, /* without SYN */
	SL_CROWD_SEG6,
	SL_CROWDS,
};

/*
 * Plain segments of one kind, in order of arrival. Arrays of the longest vector's multiple, of
 * which the first @n entries mean something.
 */
struct sl_crowd {
	uint16_t n;
	bool v6;
	uint32_t room; /* bytes that the least roomy buffer has from the first byte on, or less
			*/
	uint8_t at[SL_BURST]; /* which packet of the burst */
	struct rte_mbuf *m[SL_BURST];
	uint8_t *frame[SL_BURST]; /* the packet's first byte */

	/* As the keyed hashes take it: see sl_flows_hash() and lib/tcp/cookie.c. */
	alignas(SL_CACHE_LINE) uint64_t addr[4][SL_BURST]; /* IPv4 has one word, local above */
	uint64_t numbers[SL_BURST];                        /* rport, lport << 16, seq << 32 */
	uint64_t hash[SL_BURST];                           /* of the connection table */

	uint32_t ack[SL_BURST];
	uint32_t tsval[SL_BURST], tsecr[SL_BURST]; /* 0 without SL_OPT_TS */
	uint16_t mss[SL_BURST];                    /* with SL_OPT_MSS */
	uint8_t wscale[SL_BURST];                  /* with SL_OPT_WSCALE; at most 14 */
	uint8_t opts[SL_BURST], flags[SL_BURST];
};

/* What the answer to each SYN of a crowd says by itself, by its place there. */
struct sl_synack_each {
	uint32_t isn[SL_BURST];
	uint32_t tsval[SL_BURST]; /* if SL_OPT_TS is in the crowd's opts */
};

static inline uint16_t
sl_crowd_lport(const struct sl_crowd *c, unsigned int k)
{
	return (uint16_t)(c->numbers[k] >> 16);
}

static inline struct sl_addr
sl_crowd_local(const struct sl_crowd *c, unsigned int k)
{
	if (c->v6)
		return (struct sl_addr){ .q = { c->addr[2][k], c->addr[3][k] } };
	/* in words of eight bytes, as it will be compared */
	return (struct sl_addr){ .q = { 0, (c->addr[0][k] & ~0xffffffffull) |
						   RTE_BE32(0x0000ffff) } };
}

struct sl_crowd_leaf; /* wire/crowd_leaf.h */

/*
 * Sort the @n packets of @rx that came through @door, all but @hash of them, into @crowd.
 * Returns the others, bit i for rx[i]. Makes nothing of bytes outside of packets, and reads
 * none outside of their buffers. @leaf may be NULL.
 */
uint64_t sl_glance(const struct sl_door *door, struct rte_mbuf **rx, uint16_t n,
		   const struct sl_crowd_leaf *leaf, struct sl_crowd crowd[SL_CROWDS]);

/*
 * Entry @k of @c as sl_frame_parse() would tell it: most is known, and what is not is read in
 * its frame. Each field is written as it will be read.
 */
void sl_crowd_tell(const struct sl_crowd *c, unsigned int k, struct sl_frame *frame,
		   struct sl_tuple *tuple, struct sl_seg *seg);

/* Its addresses and ports alone. */
void sl_crowd_tuple(const struct sl_crowd *c, unsigned int k, struct sl_tuple *tuple);

/* Bit i: entry i of @c calls the same address and port as entry @k. @leaf may be NULL. */
uint64_t sl_crowd_same_place(const struct sl_crowd *c, unsigned int k,
			     const struct sl_crowd_leaf *leaf);

#endif
