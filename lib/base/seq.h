/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seq - comparisons of TCP sequence numbers, which wrap (RFC 9293, 3.4).
 *
 * Two numbers are ordered only while they lie less than 2^31 apart; every window
 * we hold is far smaller. All code that orders sequence numbers does it here.
 */
#ifndef SL_BASE_SEQ_H
#define SL_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
sl_seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
sl_seq_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool
sl_seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool
sl_seq_ge(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

/* Whether @lo <= @x <= @hi on the circle. */
static inline bool
sl_seq_between(uint32_t lo, uint32_t x, uint32_t hi)
{
	return x - lo <= hi - lo;
}

static inline uint32_t
sl_seq_max(uint32_t a, uint32_t b)
{
	return sl_seq_gt(a, b) ? a : b;
}

static inline uint32_t
sl_seq_min(uint32_t a, uint32_t b)
{
	return sl_seq_lt(a, b) ? a : b;
}

#endif
