/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd_leaf - what can be done to frames in wide vectors.
 */
#ifndef SL_WIRE_CROWD_LEAF_H
#define SL_WIRE_CROWD_LEAF_H

#include "wire/glance.h"
#include "wire/synack.h"

/* What makes a packet not plain, whatever its bytes. */
#define SL_CROWD_ODD                                                             \
	(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ | \
	 RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)

#define SL_CROWD_FRAME_MOST \
	100 /* bytes; a longer one has payload, or padding that nobody sends */
#define SL_CROWD_OPTIONS_MOST 20 /* bytes; the SYNs of macOS have 24, and lanes */

/* Pairs are of IPv4 and IPv6. */
struct sl_crowd_leaf {
	/*
	 * sl_glance(); @crowd begins empty. The options of entries in odd[kind] are left to
	 * others.
	 */
	uint64_t (*glance)(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
			   struct sl_crowd crowd[SL_CROWDS], uint64_t odd[SL_CROWDS]);
	/*
	 * sl_synacks_build(), for buffers with room for SL_SYNACK_MOST; what is behind an
	 * answer there may change.
	 */
	void (*synacks[2])(struct sl_crowd *c, const struct sl_door *door,
			   const struct sl_synack_terms *terms,
			   const struct sl_synack_each *each);
	/* sl_crowd_same_place() */
	uint64_t (*same_place)(const struct sl_crowd *c, unsigned int k);
};

/* For @leaf, as sl_leaf_bits() gave it; NULL: there is none. */
const struct sl_crowd_leaf *sl_crowd_leaf_for(unsigned int leaf);

/* The leaves, for sl_crowd_leaf_for() alone. */
#define SL_CROWD_LEAF(leaf)                                                            \
	uint64_t sl_glance_##leaf(const struct sl_door *door, struct rte_mbuf **rx,    \
				  unsigned int n, struct sl_crowd crowd[SL_CROWDS],    \
				  uint64_t odd[SL_CROWDS]);                            \
	uint64_t sl_crowd_same_place_##leaf(const struct sl_crowd *c, unsigned int k); \
	void sl_synacks4_##leaf(struct sl_crowd *c, const struct sl_door *door,        \
				const struct sl_synack_terms *terms,                   \
				const struct sl_synack_each *each);                    \
	void sl_synacks6_##leaf(struct sl_crowd *c, const struct sl_door *door,        \
				const struct sl_synack_terms *terms,                   \
				const struct sl_synack_each *each)

SL_CROWD_LEAF(256);
SL_CROWD_LEAF(256vl);
SL_CROWD_LEAF(512);

#endif
