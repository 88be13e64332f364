/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heap_mem - an arena on the heap for tests: every piece its own block of exact size, so
 * that sanitizers see its ends, and a limit after which there is no more.
 */
#ifndef TESTS_HEAP_MEM_H
#define TESTS_HEAP_MEM_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct heap_mem {
	struct sl_mem mem;
	size_t n, n_max; /* pieces handed out, and how many may be */
	void *piece[32];
};

static inline void *
heap_mem_take(void *ctx, size_t bytes, size_t align)
{
	struct heap_mem *heap = ctx;
	void *p = NULL;

	if (heap->n == heap->n_max || posix_memalign(&p, align < 8 ? 8 : align, bytes) != 0)
		return NULL;
	heap->piece[heap->n++] = p;
	return memset(p, 0, bytes);
}

static inline struct sl_mem *
heap_mem_open(struct heap_mem *heap, size_t n_max)
{
	*heap = (struct heap_mem){ .n_max = n_max };
	heap->mem.ctx = heap;
	heap->mem.take = heap_mem_take;
	return &heap->mem;
}

static inline void
heap_mem_close(struct heap_mem *heap)
{
	while (heap->n > 0)
		free(heap->piece[--heap->n]);
}

#endif
