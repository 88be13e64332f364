/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena - memory of a core from DPDK's heap, and pinned memory for applications.
 *
 * The heap is used because it knows about nodes and huge pages in each of EAL's modes. A
 * core takes a few dozen big pieces; the arena remembers them, so that closing is one call.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#include <sluice/engine.h>

#include "base/units.h"
#include "engine/arena.h"

static struct sl_pin
	pins[SL_PINS_MAX]; /* written by the thread that sets up, before workers run */

static void *
take(void *ctx, size_t bytes, size_t align)
{
	struct sl_arena *arena = ctx;
	void *p;

	if (arena->n == SL_ARENA_PIECES)
		return NULL;
	if (align < SL_CACHE_LINE)
		align = SL_CACHE_LINE;
	p = rte_zmalloc_socket("sluice", bytes ? bytes : 1, (unsigned int)align, arena->node);
	if (p != NULL)
		arena->piece[arena->n++] = p;
	return p;
}

void
sl_arena_init(struct sl_arena *arena, int node)
{
	memset(arena, 0, sizeof(*arena));
	arena->node = node;
	arena->mem = (struct sl_mem){ .ctx = arena, .take = take };
}

void
sl_arena_free(struct sl_arena *arena)
{
	while (arena->n > 0)
		rte_free(arena->piece[--arena->n]);
	arena->mem.taken = 0;
}

void *
sl_pin_alloc(size_t bytes)
{
	const struct rte_memzone *zone;
	char name[RTE_MEMZONE_NAMESIZE];

	for (unsigned int i = 0; i < SL_PINS_MAX; i++) {
		if (pins[i].data != NULL)
			continue;
		snprintf(name, sizeof(name), "sluice_pin_%u", i);
		zone = rte_memzone_reserve_aligned(name, bytes, SOCKET_ID_ANY,
						   RTE_MEMZONE_IOVA_CONTIG, SL_CACHE_LINE);
		if (zone == NULL)
			return NULL;
		memset(zone->addr, 0, bytes);
		pins[i] = (struct sl_pin){ zone->addr, bytes, zone->iova };
		return zone->addr;
	}
	return NULL;
}

void
sl_pin_free(void *data)
{
	char name[RTE_MEMZONE_NAMESIZE];

	for (unsigned int i = 0; i < SL_PINS_MAX; i++) {
		if (data == NULL || pins[i].data != data)
			continue;
		snprintf(name, sizeof(name), "sluice_pin_%u", i);
		rte_memzone_free(rte_memzone_lookup(name));
		pins[i] = (struct sl_pin){ 0 };
	}
}

const struct sl_pin *
sl_pins(void)
{
	return pins;
}
