/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena - struct sl_mem on DPDK's heap: big zeroed pieces on one node, freed together.
 */
#ifndef SL_ENGINE_ARENA_H
#define SL_ENGINE_ARENA_H

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

/*
 * Memory that stays where it is and that every port can read: for sl_send_pinned(). Bytes
 * are zero. NULL when there is none left. It must outlive every engine that sends it.
 */
struct sl_pin {
	const void *data;
	size_t bytes;
	uint64_t iova; /* of @data; the rest follows without a gap */
};

/* The pinned piece that @data lies in, or NULL. */
const struct sl_pin *sl_pin_find(const void *data);

#endif
