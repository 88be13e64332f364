/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mem - where the memory of a core comes from.
 *
 * All of it is taken while the core is opened and given back whole by the owner of the
 * arena when the core is gone; nothing is allocated while packets flow.
 */
#ifndef SL_BASE_MEM_H
#define SL_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct sl_mem {
	void *ctx;
	/* Zeroed memory, or NULL. @align is a power of two. */
	void *(*take)(void *ctx, size_t bytes, size_t align);
	uint64_t taken; /* bytes so far, padding not counted */
};

static inline void *
sl_mem_take(struct sl_mem *mem, size_t bytes, size_t align)
{
	void *p = mem->take(mem->ctx, bytes, align);

	if (p != NULL)
		mem->taken += bytes;
	return p;
}

#endif
