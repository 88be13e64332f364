/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf - the one keyed function: SipHash-2-4, 128-bit key, 64-bit result.
 *
 * Cookies, sequence numbers, timestamp offsets and the connection table's hash come from
 * here. What leaves on the wire is SipHash-2-4 and is part of a cluster's contract, so a
 * faster leaf must give the same bits. SipHash-1-3 serves where only chance is at stake
 * and outputs are never seen from outside: hash tables.
 *
 * sl_prf() takes bytes. The inline pieces take 64-bit words, each standing for its eight
 * little-endian bytes; several messages that begin alike can share the work by copying
 * the state, which is a plain value.
 */
#ifndef SL_BASE_PRF_H
#define SL_BASE_PRF_H

#include <stddef.h>
#include <stdint.h>

struct sl_prf_key {
	uint64_t k[2];
};

struct sl_prf_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
sl_prf_rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

/* @n rounds of the permutation; @n is a constant wherever this is inlined. */
static inline void
sl_prf_rounds(struct sl_prf_state *s, unsigned int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = sl_prf_rotl(s->v1, 13) ^ s->v0;
		s->v3 = sl_prf_rotl(s->v3, 16) ^ s->v2;
		s->v0 = sl_prf_rotl(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v3 = sl_prf_rotl(s->v3, 21) ^ s->v0;
		s->v1 = sl_prf_rotl(s->v1, 17) ^ s->v2;
		s->v2 = sl_prf_rotl(s->v2, 32);
	}
}

/* The state before the first word: the key folded into "somepseudorandomlygeneratedbytes". */
static inline struct sl_prf_state
sl_prf_begin(const struct sl_prf_key *key)
{
	return (struct sl_prf_state){
		.v0 = key->k[0] ^ 0x736f6d6570736575ull,
		.v1 = key->k[1] ^ 0x646f72616e646f6dull,
		.v2 = key->k[0] ^ 0x6c7967656e657261ull,
		.v3 = key->k[1] ^ 0x7465646279746573ull,
	};
}

static inline void
sl_prf_absorb(struct sl_prf_state *s, uint64_t word, unsigned int rounds)
{
	s->v3 ^= word;
	sl_prf_rounds(s, rounds);
	s->v0 ^= word;
}

static inline uint64_t
sl_prf_finish(struct sl_prf_state *s, unsigned int rounds)
{
	s->v2 ^= 0xff;
	sl_prf_rounds(s, rounds);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/*
 * The last word of a message of @len bytes: the up to seven bytes left over, first one
 * lowest, below the length.
 */
static inline uint64_t
sl_prf_last(uint64_t rest, size_t len)
{
	return rest | (uint64_t)len << 56;
}

/* SipHash-2-4: one more word of the message. */
static inline void
sl_prf_add(struct sl_prf_state *s, uint64_t word)
{
	sl_prf_absorb(s, word, 2);
}

/* SipHash-2-4: the result for a message that ends with @last, from sl_prf_last(). */
static inline uint64_t
sl_prf_end(struct sl_prf_state s, uint64_t last)
{
	sl_prf_absorb(&s, last, 2);
	return sl_prf_finish(&s, 4);
}

/* SipHash-2-4 of @n whole words: what sl_prf() gives for their 8 * @n bytes. */
static inline uint64_t
sl_prf_words(const struct sl_prf_key *key, const uint64_t *word, size_t n)
{
	struct sl_prf_state s = sl_prf_begin(key);

	for (size_t i = 0; i < n; i++)
		sl_prf_add(&s, word[i]);
	return sl_prf_end(s, sl_prf_last(0, 8 * n));
}

/* SipHash-1-3 of @n words and a @last one: for hash tables, never for the wire. */
static inline uint64_t
sl_prf13(const struct sl_prf_key *key, const uint64_t *word, size_t n, uint64_t last)
{
	struct sl_prf_state s = sl_prf_begin(key);

	for (size_t i = 0; i < n; i++)
		sl_prf_absorb(&s, word[i], 1);
	sl_prf_absorb(&s, last, 1);
	return sl_prf_finish(&s, 3);
}

/* SipHash-2-4 of any bytes. */
uint64_t sl_prf(const struct sl_prf_key *key, const void *data, size_t len);

#endif
