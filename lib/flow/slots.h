/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slots - which records of an array are free: a stack of their indexes.
 *
 * Last in, first out, so that the record handed out is the one whose lines are still in
 * cache. The records themselves are never touched; they stay of one type for ever, which
 * is what lets other cores read them while they are reused. One owner, no locks.
 */
#ifndef SL_FLOW_SLOTS_H
#define SL_FLOW_SLOTS_H

#include <assert.h>
#include <stdint.h>

#define SL_NO_INDEX 0xffffffffu

struct sl_slots {
	uint32_t *store; /* store[0 .. n_free - 1] are free, the last one is next */
	uint32_t n_free;
	uint32_t n_max;
};

/* All of 0 .. @n - 1 become free, to be had in ascending order. @store holds @n of them. */
void sl_slots_init(struct sl_slots *slots, uint32_t *store, uint32_t n);

/*
 * Whether every free index is in range and there once: 0 or -EBADMSG. O(n), for the owner
 * only: it marks the store while it counts and leaves it as it was.
 */
int sl_slots_check(struct sl_slots *slots);

/* A free index, or SL_NO_INDEX. */
static inline uint32_t
sl_slots_get(struct sl_slots *slots)
{
	return slots->n_free > 0 ? slots->store[--slots->n_free] : SL_NO_INDEX;
}

/*
 * Give back @idx, which must have come from sl_slots_get(). Twice in a row or more than
 * went out is noticed here, any other double put by sl_slots_check().
 */
static inline void
sl_slots_put(struct sl_slots *slots, uint32_t idx)
{
	assert(idx < slots->n_max && slots->n_free < slots->n_max);
	assert(slots->n_free == 0 || slots->store[slots->n_free - 1] != idx);
	slots->store[slots->n_free++] = idx;
}

static inline uint32_t
sl_slots_free_count(const struct sl_slots *slots)
{
	return slots->n_free;
}

#endif
