/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena - struct sl_mem on the heap, every piece an allocation of its own, so that ASan
 * sees one table run into the next; all freed together.
 */
#ifndef TEST_ARENA_H
#define TEST_ARENA_H

#include <stdint.h>

#include "base/mem.h"

struct arena_piece;

struct arena {
	struct sl_mem mem; /* hand out &mem */
	struct arena_piece *first;
	uint32_t n_taken;
	uint32_t fail_at; /* the take, counted from 1, that gives NULL; 0 for none */
};

void arena_open(struct arena *arena);
void arena_close(struct arena *arena);

#endif
