/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random - numbers for model tests: the same ones for the same seed, everywhere.
 */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

struct rnd {
	uint64_t s;
};

static inline uint64_t
rnd_u64(struct rnd *r)
{
	uint64_t x = r->s += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* Below @n. */
static inline uint32_t
rnd_below(struct rnd *r, uint32_t n)
{
	return (uint32_t)((rnd_u64(r) >> 32) * n >> 32);
}

#endif
