/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd_leaf - which vectors there are for crowds.
 */
#include "wire/crowd_leaf.h"

#include "base/leaf.h"

#ifdef SL_LEAVES
#define LEAF(leaf)                                          \
	static const struct sl_crowd_leaf leaf_##leaf = {   \
		sl_glance_##leaf,                           \
		{ sl_synacks4_##leaf, sl_synacks6_##leaf }, \
		sl_crowd_same_place_##leaf,                 \
	}

LEAF(256);
LEAF(256vl);
LEAF(512);
#endif

const struct sl_crowd_leaf *
sl_crowd_leaf_for(unsigned int leaf)
{
#ifdef SL_LEAVES
	if (leaf == SL_LEAF_512)
		return &leaf_512;
	if (leaf == SL_LEAF_256VL)
		return &leaf_256vl;
	if (leaf == SL_LEAF_256)
		return &leaf_256;
#endif
	(void)leaf;
	return NULL;
}
