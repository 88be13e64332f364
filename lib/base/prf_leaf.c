/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf_leaf - SipHash of eight messages side by side. Compiled once for each width, with flags
 * of its own; nothing calls it on a machine that lacks them.
 *
 * The rounds are those of prf.h with one vector of eight words or two of four where a word was.
 * What a round does waits for what the one before did: a single vector of four leaves units
 * idle.
 */
#include "base/leaf.h"
#include "base/prf_many.h"

#include <string.h>

#include <immintrin.h>

#define LANES  (SL_LEAF_BITS / 64)
#define VECS   (SL_PRF_GROUP / LANES)
#define INLINE static inline __attribute__((always_inline))

typedef uint64_t vec __attribute__((vector_size(8 * LANES)));

/* Of a group. */
struct state {
	vec v0[VECS], v1[VECS], v2[VECS], v3[VECS];
};

#define EACH for (unsigned int j = 0; j < VECS; j++)

INLINE vec
load(const uint64_t *p)
{
	vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

INLINE void
store(uint64_t *p, vec v)
{
	memcpy(p, &v, sizeof(v));
}

INLINE vec
rotl(vec x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

/*
 * AVX-512 rotates words. AVX2 takes two shifts and more for that, but whole bytes it can
 * shuffle.
 */
INLINE vec
rotl16(vec x)
{
#ifdef __AVX512VL__
	return rotl(x, 16);
#else
	const long long low = 0x0504030201000706, high = 0x0d0c0b0a09080f0e;

	return (vec)_mm256_shuffle_epi8((__m256i)x, _mm256_set_epi64x(high, low, high, low));
#endif
}

INLINE vec
rotl32(vec x)
{
#ifdef __AVX512VL__
	return rotl(x, 32);
#else
	return (vec)_mm256_shuffle_epi32((__m256i)x, 0xb1);
#endif
}

INLINE void
rounds(struct state *s, unsigned int n)
{
	while (n-- > 0) {
		EACH s->v0[j] += s->v1[j];
		EACH s->v2[j] += s->v3[j];
		EACH s->v1[j] = rotl(s->v1[j], 13) ^ s->v0[j];
		EACH s->v3[j] = rotl16(s->v3[j]) ^ s->v2[j];
		EACH s->v0[j] = rotl32(s->v0[j]) + s->v3[j];
		EACH s->v2[j] += s->v1[j];
		EACH s->v3[j] = rotl(s->v3[j], 21) ^ s->v0[j];
		EACH s->v1[j] = rotl(s->v1[j], 17) ^ s->v2[j];
		EACH s->v2[j] = rotl32(s->v2[j]);
	}
}

INLINE void
absorb(struct state *s, const uint64_t *word, unsigned int n)
{
	EACH s->v3[j] ^= load(word + j * LANES);
	rounds(s, n);
	EACH s->v0[j] ^= load(word + j * LANES);
}

INLINE void
finish(struct state *s, unsigned int n, uint64_t *out)
{
	EACH s->v2[j] ^= 0xff;
	rounds(s, n);
	EACH store(out + j * LANES, s->v0[j] ^ s->v1[j] ^ s->v2[j] ^ s->v3[j]);
}

INLINE struct state
spread(const struct sl_prf_key *key)
{
	const struct sl_prf_state one = sl_prf_begin(key);
	const vec zero = { 0 };
	struct state s;

	EACH s.v0[j] = zero + one.v0;
	EACH s.v1[j] = zero + one.v1;
	EACH s.v2[j] = zero + one.v2;
	EACH s.v3[j] = zero + one.v3;
	return s;
}

/* Of two values the first where @place is 0, else the second. */
INLINE vec
choose(vec place, vec a, vec b)
{
	return a ^ ((a ^ b) & -place);
}

/* @n_words is a constant in each of the calls below: no loop over words is left. */
INLINE void
hash13_of(const struct sl_prf_key *key, const uint64_t *const *word, unsigned int n_words,
	  const uint64_t *last, uint64_t *out, unsigned int n)
{
	const struct state first = spread(key);

	for (unsigned int i = 0; i < n; i += SL_PRF_GROUP) {
		struct state s = first;

		for (unsigned int w = 0; w < n_words; w++)
			absorb(&s, word[w] + i, 1);
		absorb(&s, last + i, 1);
		finish(&s, 3, out + i);
	}
}

static void
hash13(const struct sl_prf_key *key, const uint64_t *const *word, unsigned int n_words,
       const uint64_t *last, uint64_t *out, unsigned int n)
{
	if (n_words == 1)
		hash13_of(key, word, 1, last, out, n);
	else
		hash13_of(key, word, n_words, last, out, n);
}

INLINE void
begin_with(const struct sl_prf_key *key, const uint64_t *place, const uint64_t *const *word,
	   unsigned int n_words, struct sl_prf_states *states, unsigned int n)
{
	const struct state first = spread(&key[0]);
	const struct state second = spread(&key[place != NULL]);

	for (unsigned int i = 0; i < n; i += SL_PRF_GROUP) {
		struct state s = first;

		for (unsigned int j = 0; place != NULL && j < VECS; j++) {
			vec at = load(place + i + j * LANES);

			s.v0[j] = choose(at, first.v0[j], second.v0[j]);
			s.v1[j] = choose(at, first.v1[j], second.v1[j]);
			s.v2[j] = choose(at, first.v2[j], second.v2[j]);
			s.v3[j] = choose(at, first.v3[j], second.v3[j]);
		}
		for (unsigned int w = 0; w < n_words; w++)
			absorb(&s, word[w] + i, 2);
		EACH store(states->v[0] + i + j * LANES, s.v0[j]);
		EACH store(states->v[1] + i + j * LANES, s.v1[j]);
		EACH store(states->v[2] + i + j * LANES, s.v2[j]);
		EACH store(states->v[3] + i + j * LANES, s.v3[j]);
	}
}

static void
begin(const struct sl_prf_key *key, const uint64_t *place, const uint64_t *const *word,
      unsigned int n_words, struct sl_prf_states *states, unsigned int n)
{
	if (place != NULL)
		begin_with(key, place, word, n_words, states, n);
	else
		begin_with(key, NULL, word, n_words, states, n);
}

static void
end(const struct sl_prf_states *states, const uint64_t *last, uint64_t *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i += SL_PRF_GROUP) {
		struct state s;

		EACH s.v0[j] = load(states->v[0] + i + j * LANES);
		EACH s.v1[j] = load(states->v[1] + i + j * LANES);
		EACH s.v2[j] = load(states->v[2] + i + j * LANES);
		EACH s.v3[j] = load(states->v[3] + i + j * LANES);
		absorb(&s, last + i, 2);
		finish(&s, 4, out + i);
	}
}

const struct sl_prf_many SL_LEAF_OF(sl_prf_many) = { hash13, begin, end };
