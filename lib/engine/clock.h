/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock - nanoseconds from the time stamp counter, and the wall clock.
 *
 * One multiplication of 64 by 64 bits: no division on the way of a packet, and no drift
 * against the counter's own rate. The counters of the cores agree, on every machine worth
 * running on, to well below the millisecond that deadlines are kept in; a worker still
 * never lets its own time go back.
 */
#ifndef SL_ENGINE_CLOCK_H
#define SL_ENGINE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include <rte_cycles.h>

#include "base/units.h"

struct sl_clock {
	uint64_t start;        /* counter at time zero */
	uint64_t mult;         /* nanoseconds a count, times 2^32 */
	uint64_t wall_at_zero; /* CLOCK_REALTIME, ns, at time zero */
};

static inline sl_ns_t
sl_clock_ns(const struct sl_clock *clock, uint64_t tsc)
{
	return (sl_ns_t)(((unsigned __int128)(tsc - clock->start) * clock->mult) >> 32);
}

static inline sl_ns_t
sl_clock_now(const struct sl_clock *clock)
{
	return sl_clock_ns(clock, rte_rdtsc());
}

static inline uint64_t
sl_wall_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * SL_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Time starts at one second, so that no core's counter is ever before zero. */
static inline struct sl_clock
sl_clock_start(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct sl_clock clock = { .start = rte_rdtsc() - hz };

	clock.mult = (uint64_t)(((unsigned __int128)SL_NS_PER_S << 32) / hz);
	clock.wall_at_zero = sl_wall_ns(CLOCK_REALTIME) - sl_clock_now(&clock);
	return clock;
}

#endif
