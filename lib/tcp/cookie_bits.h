/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cookie_bits - where the bits of a cookie lie, for cookie.c and cookie_many.c. What they mean
 * is told there.
 */
#ifndef SL_TCP_COOKIE_BITS_H
#define SL_TCP_COOKIE_BITS_H

#include "tcp/cookie.h"

enum {
	N_SCALES = 5,
	N_PLAIN = 6,     /* MSS classes that go with every scale */
	CODE_JUMBO = 30, /* N_PLAIN * N_SCALES: the two codes left are for jumbo frames */
	SCALE_JUMBO = 3, /* ... with this scale class or the next */
	OPTS_MASK = 63,
	OPTS_SACK = 32,
	SCALE_NONE = 15, /* in the four bits of an exact scale */
	TS_LOW_BITS = 10,
	TS_LAG_MAX = 2048, /* ms that a TSval may lie behind our clock when it is sent */
};

/*
 * Largest class not above the offer. Exact for Ethernet, jumbo frames, the smallest IPv6
 * path and tunnels that many clients sit behind; PPPoE exactly or within 16 bytes.
 */
static const uint16_t mss_class[2][N_PLAIN + 1] = {
	{ SL_COOKIE_MSS_MIN, 536, 1240, 1360, 1436, 1460, 8960 },
	{ SL_COOKIE_MSS_MIN, 536, 1220, 1360, 1432, 1440, 8940 },
};

/*
 * Scales matter here for clients without timestamps. 8 and 7 are what the big systems
 * send. One that scales by less fills most of its 16 bits, so even 0 leaves it 32 kB.
 */
static const uint8_t scale_class[N_SCALES] = { SL_COOKIE_NO_SCALE, 0, 4, 7, 8 };

/* The end of a message: seven bytes that begin with what it is for. */
enum { END_MASK = 1, END_MAC = 2 };

static inline uint64_t
mask_rest(bool ts)
{
	return END_MASK | (uint64_t)ts << 8;
}

/* @exact and @clock are 0 without timestamps; @clock is TSval's upper 22 bits. */
static inline uint64_t
mac_rest(bool ts, uint32_t opts, uint32_t exact, uint32_t clock)
{
	return END_MAC | (uint64_t)ts << 8 | (uint64_t)opts << 16 | (uint64_t)exact << 24 |
	       (uint64_t)clock << 32;
}

static inline uint32_t
lay_isn(uint64_t mac, uint64_t mask, uint32_t opts, uint32_t parity)
{
	uint32_t isn = (uint32_t)mac << 7 | ((opts ^ (uint32_t)mask) & OPTS_MASK);

	return isn | ((uint32_t)__builtin_parity(isn) ^ parity) << 6;
}

static inline uint32_t
lay_tsval(uint64_t mac, uint64_t mask, uint32_t exact, uint32_t clock)
{
	uint32_t masked = (exact ^ (uint32_t)(mask >> 8)) & 15;

	return clock << TS_LOW_BITS | masked << 6 | (uint32_t)(mac >> 58);
}

/*
 * Whether @tsecr is the TSval of a cookie no older than its life. A sibling's clock, which
 * may be ahead of ours, may have made it.
 */
static inline bool
is_fresh(uint32_t tsecr, uint32_t ts_clock)
{
	uint32_t age = ts_clock + SL_COOKIE_SKEW_MS - tsecr;

	return age <= SL_COOKIE_SKEW_MS + SL_COOKIE_LIFE_MS + TS_LAG_MAX;
}

#endif
