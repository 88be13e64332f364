/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd_leaf - what can be done to frames in wide vectors.
 */
#ifndef SL_WIRE_CROWD_LEAF_H
#define SL_WIRE_CROWD_LEAF_H

#include "wire/glance.h"
#include "wire/synack.h"

struct sl_crowd_leaf {
	/*
	 * Fill the arrays of @c, whose @n frames have the shape of IPv4. Returns who is plain;
	 * the options of those in *@odd are left to others.
	 */
	uint64_t (*take4)(const struct sl_door *door, struct sl_crowd *c, uint64_t *odd);
	/* sl_synacks_build() of IPv4, for a port that makes no checksums. */
	void (*synacks4)(struct sl_crowd *c, const struct sl_door *door,
			 const struct sl_synack_terms *terms,
			 const struct sl_synack_each *each);
};

/* For vectors of @bits, as sl_leaf_bits() gave them; NULL: there is none. */
const struct sl_crowd_leaf *sl_crowd_leaf_for(unsigned int bits);

/* For sl_crowd_leaf_for() alone. */
extern const struct sl_crowd_leaf sl_crowd_leaf_512;

#endif
