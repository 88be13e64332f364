/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd_leaf - what can be done to frames in wide vectors.
 */
#ifndef SL_WIRE_CROWD_LEAF_H
#define SL_WIRE_CROWD_LEAF_H

#include "wire/glance.h"
#include "wire/synack.h"

/* Pairs are of IPv4 and IPv6. */
struct sl_crowd_leaf {
	/*
	 * Fill the arrays of @c, whose @n frames have the shape of its family. Returns who is
	 * plain; the options of those in *@odd are left to others.
	 */
	uint64_t (*take[2])(const struct sl_door *door, struct sl_crowd *c, uint64_t *odd);
	/* sl_synacks_build(), for a port that makes no checksums. */
	void (*synacks[2])(struct sl_crowd *c, const struct sl_door *door,
			   const struct sl_synack_terms *terms,
			   const struct sl_synack_each *each);
	/* sl_crowd_same_place() */
	uint64_t (*same_place)(const struct sl_crowd *c, unsigned int k);
};

/* For vectors of @bits, as sl_leaf_bits() gave them; NULL: there is none. */
const struct sl_crowd_leaf *sl_crowd_leaf_for(unsigned int bits);

/* For sl_crowd_leaf_for() alone. */
extern const struct sl_crowd_leaf sl_crowd_leaf_512;

#endif
