/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slots - which records of an array are free: a stack of them, linked through a word of each.
 *
 * Last in, first out, so that the record handed out is the one whose lines are still in
 * cache. Nothing but that word of a free record is touched, which must be one that no other
 * core reads; records stay of one type for ever, which is what lets other cores look at the
 * rest of them while they are reused. Those never handed out yet are on no list, only
 * counted. One owner, no locks.
 */
#ifndef SL_FLOW_SLOTS_H
#define SL_FLOW_SLOTS_H

#include <assert.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#define SL_INDEX_BITS 28
#define SL_NO_INDEX   ((1u << SL_INDEX_BITS) - 1) /* of no record: there are less of any kind */

struct sl_slots {
	char *link; /* of record 0; of a free record: the one below it, or SL_NO_INDEX */
	uint64_t stride;
	uint32_t top;    /* given back last, or SL_NO_INDEX */
	uint32_t n_used; /* records from here on were never handed out */
	uint32_t n_free; /* both kinds */
	uint32_t n_max;
};

/*
 * All of 0 .. @n - 1 become free, to be had in ascending order. @link is the word of record
 * 0 that they are linked through, @stride the bytes from one record to the next.
 */
void sl_slots_init(struct sl_slots *slots, uint32_t *link, uint64_t stride, uint32_t n);

/* Whether every free index is in range and there once: 0 or -EBADMSG. O(n). */
int sl_slots_check(const struct sl_slots *slots);

static inline uint32_t *
sl_slots_link(const struct sl_slots *slots, uint32_t idx)
{
	return (uint32_t *)(void *)(slots->link + idx * slots->stride);
}

/* A free index, or SL_NO_INDEX. Asks memory for the link of the one that is next. */
static inline uint32_t
sl_slots_get(struct sl_slots *slots)
{
	uint32_t idx = slots->top;

	if (unlikely(idx == SL_NO_INDEX)) {
		if (slots->n_free == 0)
			return SL_NO_INDEX;
		slots->n_free--;
		return slots->n_used++;
	}
	slots->n_free--;
	slots->top = *sl_slots_link(slots, idx);
	if (slots->top != SL_NO_INDEX)
		rte_prefetch0(sl_slots_link(slots, slots->top));
	return idx;
}

/*
 * Give back @idx, which must have come from sl_slots_get(). Twice in a row or more than
 * went out is noticed here, any other double put by sl_slots_check().
 */
static inline void
sl_slots_put(struct sl_slots *slots, uint32_t idx)
{
	assert(idx < slots->n_used && slots->n_free < slots->n_max);
	assert(slots->top != idx);
	*sl_slots_link(slots, idx) = slots->top;
	slots->top = idx;
	slots->n_free++;
}

static inline uint32_t
sl_slots_free_count(const struct sl_slots *slots)
{
	return slots->n_free;
}

#endif
