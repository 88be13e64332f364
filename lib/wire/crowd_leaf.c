/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd_leaf - which vectors there are for crowds.
 */
#include "wire/crowd_leaf.h"

#ifdef SL_LEAVES
static const struct sl_crowd_leaf leaf_256 = {
	sl_glance_256,
	{ sl_synacks4_256, sl_synacks6_256 },
	sl_crowd_same_place_256,
};
static const struct sl_crowd_leaf leaf_512 = {
	sl_glance_512,
	{ sl_synacks4_512, sl_synacks6_512 },
	sl_crowd_same_place_512,
};
#endif

const struct sl_crowd_leaf *
sl_crowd_leaf_for(unsigned int bits)
{
#ifdef SL_LEAVES
	if (bits == 512)
		return &leaf_512;
	if (bits == 256)
		return &leaf_256;
#endif
	(void)bits;
	return NULL;
}
