/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf_leaf - SipHash of four or eight messages side by side. Compiled once for each width,
 * with flags of its own; nothing calls it on a machine that lacks them.
 *
 * The rounds are those of prf.h with a vector where a word was. A group's rounds depend on
 * each other, but the units are busy: fourteen operations a round, and two that do them.
 */
#include "base/leaf.h"
#include "base/prf_many.h"

#include <string.h>

#include <immintrin.h>

#define LANES  (SL_LEAF_BITS / 64)
#define INLINE static inline __attribute__((always_inline))

typedef uint64_t vec __attribute__((vector_size(8 * LANES)));

struct state {
	vec v0, v1, v2, v3;
};

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
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl16(s->v3) ^ s->v2;
		s->v0 = rotl32(s->v0) + s->v3;
		s->v2 += s->v1;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl32(s->v2);
	}
}

INLINE void
absorb(struct state *s, vec word, unsigned int n)
{
	s->v3 ^= word;
	rounds(s, n);
	s->v0 ^= word;
}

INLINE vec
finish(struct state *s, unsigned int n)
{
	s->v2 ^= 0xff;
	rounds(s, n);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

INLINE struct state
spread(const struct sl_prf_key *key)
{
	const struct sl_prf_state one = sl_prf_begin(key);
	const vec zero = { 0 };

	return (struct state){ zero + one.v0, zero + one.v1, zero + one.v2, zero + one.v3 };
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

	for (unsigned int i = 0; i < n; i += LANES) {
		struct state s = first;

		for (unsigned int w = 0; w < n_words; w++)
			absorb(&s, load(word[w] + i), 1);
		absorb(&s, load(last + i), 1);
		store(out + i, finish(&s, 3));
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

	for (unsigned int i = 0; i < n; i += LANES) {
		struct state s = first;

		if (place != NULL) {
			vec at = load(place + i);

			s.v0 = choose(at, first.v0, second.v0);
			s.v1 = choose(at, first.v1, second.v1);
			s.v2 = choose(at, first.v2, second.v2);
			s.v3 = choose(at, first.v3, second.v3);
		}
		for (unsigned int w = 0; w < n_words; w++)
			absorb(&s, load(word[w] + i), 2);
		store(states->v[0] + i, s.v0);
		store(states->v[1] + i, s.v1);
		store(states->v[2] + i, s.v2);
		store(states->v[3] + i, s.v3);
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
	for (unsigned int i = 0; i < n; i += LANES) {
		struct state s = { load(states->v[0] + i), load(states->v[1] + i),
				   load(states->v[2] + i), load(states->v[3] + i) };

		absorb(&s, load(last + i), 2);
		store(out + i, finish(&s, 4));
	}
}

const struct sl_prf_many SL_LEAF_OF(sl_prf_many) = { hash13, begin, end };
