/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * units - the few number types whose unit matters, and the constants between them.
 *
 * Time enters the core as nanoseconds of a clock that never goes back. Deadlines are
 * kept as ticks of one millisecond, which wrap after 49 days and are compared with
 * sl_tick_*(); two ticks are ordered only while less than 2^31 apart.
 */
#ifndef SL_BASE_UNITS_H
#define SL_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t sl_ns_t;   /* nanoseconds, monotonic, never wraps */
typedef uint32_t sl_tick_t; /* milliseconds, wraps; 0 in a deadline means "not set" */

#define SL_NS_PER_MS 1000000ull
#define SL_NS_PER_S  1000000000ull

#define SL_CACHE_LINE 64
#define SL_BURST      64 /* most packets one step takes */

static inline sl_tick_t
sl_tick(sl_ns_t now)
{
	return (sl_tick_t)(now / SL_NS_PER_MS);
}

static inline bool
sl_tick_lt(sl_tick_t a, sl_tick_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
sl_tick_le(sl_tick_t a, sl_tick_t b)
{
	return (int32_t)(a - b) <= 0;
}

/* The deadline @ms after @now, avoiding 0, which means "not set". */
static inline sl_tick_t
sl_tick_after(sl_tick_t now, uint32_t ms)
{
	sl_tick_t t = now + ms;

	return t ? t : 1;
}

/*
 * A deadline in fewer bits than a tick has, those of @mask: its low ones, and 0 again for "not
 * set". It may lie so far ahead, and for the rest of the bits' range behind: one that nobody
 * has looked at for longer looks as if it were ahead, which at worst is so long a delay once
 * more.
 */
#define SL_TICK_REACH(mask) ((mask) >> 4)

static inline uint32_t
sl_tick_low(sl_tick_t due, uint32_t mask)
{
	uint32_t low = due & mask;

	return low ? low : 1;
}

/* The deadline that @low is at @now. */
static inline sl_tick_t
sl_tick_of_low(sl_tick_t now, uint32_t low, uint32_t mask)
{
	uint32_t ahead = (low - now) & mask;

	/* One more, since there is no 0. */
	return low == 0 ? 0 : now + ahead - (ahead <= SL_TICK_REACH(mask) + 1 ? 0 : mask + 1);
}

#endif
