/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes - frames side by side, as many as a vector has words. For the leaves that read and
 * write them, which are compiled with the flags that this needs: once for each width.
 *
 * The 64 bytes of an IPv4 frame from the tenth on are all that matters of it but for MAC
 * addresses: eight words, none of which cuts a field that is hashed or summed. Frames are
 * turned into eight vectors of like words, and back. Of an IPv6 frame the 64 bytes from the
 * thirtieth on are taken, so that TCP fills the same five words; what is before them lies at
 * constant places.
 *
 * What vectors can do is told by a few functions of equal names for both widths, and by
 * C's own operators: + of words, and & | ^ ~ of vectors and masks alike. A mask has a bit or
 * a word for each lane, which among() makes bits of.
 */
#ifndef SL_WIRE_LANES_H
#define SL_WIRE_LANES_H

#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#include <rte_branch_prediction.h>

#include "wire/proto.h"

#define BEFORE 24 /* bytes of the words before TCP: the first three */
#define WORDS  8
#define SPREAD 64 /* bytes of a frame that are taken or written at once */
#define LANES  (SL_LEAF_BITS / 64)
#define ALL    ((1u << LANES) - 1)
#define INLINE static inline __attribute__((always_inline))

#if SL_LEAF_BITS == 512
#include "wire/lanes_512.h"
#else
#include "wire/lanes_256.h"
#endif

INLINE vec
low(vec x)
{
	return x & all(0xffffffff);
}

INLINE vec
high(vec x)
{
	return right(x, 32);
}

INLINE vec
halves(vec x)
{
	return low(x) + high(x);
}

/* As sl_cksum_fold(). */
INLINE vec
fold(vec sum)
{
	vec half = high(sum + swapped(sum));

	return right(plus_halves(half, turned16(half)), 16);
}

/* Lanes are signed to the compiler, whose sums must not overflow. */
typedef uint64_t uvec __attribute__((vector_size(sizeof(vec))));

/*
 * The sum of the halves of @n words: their own sum has lost what went beyond 64 bits, but not
 * the lower half of it, so that what the upper halves add to that can be taken off.
 */
INLINE vec
sum_of(const vec *w, unsigned int n)
{
	uvec all_of_it = (uvec)w[0];
	vec upper = high(w[0]);

	for (unsigned int i = 1; i < n; i++) {
		all_of_it += (uvec)w[i];
		upper += high(w[i]);
	}
	return (vec)(all_of_it - (uvec)left(upper, 32)) + upper;
}

INLINE mask
is(vec a, uint64_t b)
{
	return alike(a, all(b));
}

/* Whether the bits of @bit, one or more, are all there. */
INLINE mask
has(vec a, uint64_t bit)
{
	return is(a & all(bit), bit);
}

#define SWAP64 0x0001020304050607ull
#define SWAP32 0x0405060700010203ull /* both halves */

/* The eight bytes at @offset of each frame. */
INLINE vec
words_at(uint8_t *const *frame, unsigned int offset)
{
	uint64_t x[LANES];

	for (unsigned int i = 0; i < LANES; i++)
		memcpy(&x[i], frame[i] + offset, sizeof(x[i]));
	return of_words(x);
}

#endif
