/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena - struct sl_mem on DPDK's heap: big zeroed pieces on one node, freed together.
 */
#ifndef SL_ENGINE_ARENA_H
#define SL_ENGINE_ARENA_H

#include "base/bufs.h"
#include "base/mem.h"

#define SL_ARENA_PIECES 256

struct sl_arena {
	struct sl_mem mem;
	int node;
	unsigned int n;
	void *piece[SL_ARENA_PIECES];
};

void sl_arena_init(struct sl_arena *arena, int node);
void sl_arena_free(struct sl_arena *arena);

#define SL_PINS_MAX 16

/*
 * All SL_PINS_MAX pieces of memory that stay where they are and that every port can read: for
 * sl_send_pinned(). Each must outlive every engine that sends it.
 */
const struct sl_pin *sl_pins(void);

#endif
