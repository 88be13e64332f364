/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes_256 - four frames in vectors of 256 bits; for lanes.h alone.
 */
#ifndef SL_WIRE_LANES_256_H
#define SL_WIRE_LANES_256_H

typedef __m256i vec;
typedef __m256i mask; /* all bits of a lane, or none */

INLINE vec
all(uint64_t x)
{
	return _mm256_set1_epi64x((long long)x);
}

INLINE vec
of_words(const uint64_t x[LANES])
{
	return _mm256_set_epi64x((long long)x[3], (long long)x[2], (long long)x[1],
				 (long long)x[0]);
}

INLINE vec
lane_numbers(void)
{
	return _mm256_set_epi64x(3, 2, 1, 0);
}

INLINE vec
left(vec x, unsigned int n)
{
	return _mm256_slli_epi64(x, (int)n);
}

INLINE vec
right(vec x, unsigned int n)
{
	return _mm256_srli_epi64(x, (int)n);
}

/* The halves of each word in each other's place. */
INLINE vec
swapped(vec x)
{
	return _mm256_shuffle_epi32(x, 0xb1);
}

/* Bytes of each word in the order that @order names, its first byte lowest. */
INLINE vec
ordered(vec x, uint64_t order)
{
	const uint64_t other = order + 0x0808080808080808ull;

	return _mm256_shuffle_epi8(x, _mm256_set_epi64x((long long)other, (long long)order,
							(long long)other, (long long)order));
}

/* The halves of each half. */
INLINE vec
turned16(vec x)
{
	return ordered(x, 0x0504070601000302ull);
}

INLINE vec
plus_halves(vec a, vec b)
{
	return _mm256_add_epi32(a, b);
}

/* Of the lower halves. */
INLINE vec
times(vec x, uint32_t y)
{
	return _mm256_mul_epu32(x, all(y));
}

/* Words below 2^32. */
INLINE vec
at_most(vec x, uint64_t most)
{
	return _mm256_min_epu32(x, all(most));
}

/* @bad, and whatever of @a is not as in @b: many comparisons cost one look in the end. */
INLINE vec
unlike(vec bad, vec a, vec b)
{
	return bad | (a ^ b);
}

INLINE mask
alike(vec a, vec b)
{
	return _mm256_cmpeq_epi64(a, b);
}

/* Of words below 2^63. */
INLINE mask
below(vec a, vec b)
{
	return _mm256_cmpgt_epi64(b, a);
}

/* Only the highest bits matter. */
INLINE unsigned int
among(mask m)
{
	return (unsigned int)_mm256_movemask_pd(_mm256_castsi256_pd(m));
}

INLINE vec
where(mask m, vec yes, vec no)
{
	return _mm256_blendv_epi8(no, yes, m);
}

INLINE vec
only(mask m, vec x)
{
	return m & x;
}

/* Whose bit is set of @table's 1024, named by words of ten bits. */
INLINE unsigned int
bits_at(const uint32_t table[32], vec bit)
{
	const __m256i *part = (const void *)table;
	const vec which = right(bit, 5);
	__m256d of[4], by8 = _mm256_castsi256_pd(left(bit, 63 - 8));
	__m256d by9 = _mm256_castsi256_pd(left(bit, 63 - 9));
	vec half;

	for (unsigned int i = 0; i < 4; i++)
		of[i] = _mm256_castsi256_pd(
			_mm256_permutevar8x32_epi32(_mm256_loadu_si256(&part[i]), which));
	of[0] = _mm256_blendv_pd(of[0], of[1], by8);
	of[2] = _mm256_blendv_pd(of[2], of[3], by8);
	half = _mm256_castpd_si256(_mm256_blendv_pd(of[0], of[2], by9));
	return among(left(_mm256_srlv_epi32(half, bit & all(31)), 63));
}

/* The halves of @x where that of @a is above that of @b. */
INLINE vec
where_above(vec x, vec a, vec b)
{
	return x & _mm256_cmpgt_epi32(a, b);
}

/* Those of @who behind one another, in the places of the first. */
INLINE vec
pressed(vec x, unsigned int who)
{
	/* pairs of halves: lane i is 2 * i and the next */
	static const uint64_t order[ALL + 1] = {
		0,          0x0100,         0x0302,         0x03020100,
		0x0504,     0x05040100,     0x05040302,     0x050403020100,
		0x0706,     0x07060100,     0x07060302,     0x070603020100,
		0x07060504, 0x070605040100, 0x070605040302, 0x0706050403020100,
	};

	return _mm256_permutevar8x32_epi32(
		x, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)&order[who])));
}

INLINE vec
load_words(const void *p)
{
	return _mm256_loadu_si256(p);
}

INLINE vec
load_halves(const uint32_t *p)
{
	return _mm256_cvtepu32_epi64(_mm_loadu_si128((const void *)p));
}

INLINE vec
load_bytes(const uint8_t *p)
{
	int four;

	memcpy(&four, p, sizeof(four));
	return _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four));
}

INLINE void
store_words(void *p, vec x)
{
	_mm256_storeu_si256(p, x);
}

/* The lower and the upper half of each word. */
INLINE void
store_halves(uint32_t *lower, uint32_t *upper, vec x)
{
	vec apart = _mm256_permutevar8x32_epi32(x, _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0));

	_mm_storeu_si128((void *)lower, _mm256_castsi256_si128(apart));
	_mm_storeu_si128((void *)upper, _mm256_extracti128_si256(apart, 1));
}

INLINE void
store_lower(uint32_t *lower, vec x)
{
	vec apart = _mm256_permutevar8x32_epi32(x, _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0));

	_mm_storeu_si128((void *)lower, _mm256_castsi256_si128(apart));
}

/* The four lowest bytes of each word, and the 16 bits above them. */
INLINE void
store_small(uint8_t *const byte[4], uint16_t *above, vec x)
{
	/* two lanes' bytes beside each other, then both pairs' */
	const vec pairs = _mm256_set_epi64x(0x0d0c0504, 0x0b030a0209010800ll, 0x0d0c0504,
					    0x0b030a0209010800ll);
	vec by_pairs = _mm256_shuffle_epi8(x, pairs);
	__m128i lower = _mm256_castsi256_si128(by_pairs);
	__m128i upper = _mm256_extracti128_si256(by_pairs, 1);
	__m128i bytes = _mm_unpacklo_epi16(lower, upper);
	uint32_t four[4];

	four[0] = (uint32_t)_mm_cvtsi128_si32(bytes);
	four[1] = (uint32_t)_mm_extract_epi32(bytes, 1);
	four[2] = (uint32_t)_mm_extract_epi32(bytes, 2);
	four[3] = (uint32_t)_mm_extract_epi32(bytes, 3);
	for (unsigned int i = 0; i < 4; i++)
		memcpy(byte[i], &four[i], sizeof(four[i]));
	_mm_storel_epi64((void *)above, _mm_unpackhi_epi32(lower, upper));
}

/*
 * Where the @i-th word of a frame and the next are, whose words begin at @offset and end at
 * @end. The last two may lie in a line that nobody has touched, and most frames end before
 * them: then it is the first two, which never matter there.
 */
INLINE unsigned int
place_of(unsigned int i, unsigned int offset, uint64_t end)
{
	const unsigned int at = offset + 8 * i;
	const bool matters = (i < WORDS - 2) | (end > at + 3);

	return matters ? at : offset;
}

/* The two words at @offset of each @frame. */
INLINE void
take_two(const uint8_t *const *frame, unsigned int offset, vec w[2])
{
	__m128i two[LANES];
	vec even, odd;

	for (unsigned int k = 0; k < LANES; k++)
		two[k] = _mm_loadu_si128((const void *)(frame[k] + offset));
	even = _mm256_inserti128_si256(_mm256_castsi128_si256(two[0]), two[2], 1);
	odd = _mm256_inserti128_si256(_mm256_castsi128_si256(two[1]), two[3], 1);
	w[0] = _mm256_unpacklo_epi64(even, odd);
	w[1] = _mm256_unpackhi_epi64(even, odd);
}

/* The four words at @offset of each @frame. */
INLINE void
take_four(const uint8_t *const *frame, unsigned int offset, vec w[4])
{
	take_two(frame, offset, w);
	take_two(frame, offset + 16, w + 2);
}

/*
 * The eight words at @offset of each @frame back, @n[i] bytes or more of each; the last first,
 * as others may take their place.
 */
INLINE void
give_words(uint8_t *const *frame, const uint64_t *n, unsigned int offset, vec w[WORDS])
{
	for (unsigned int i = WORDS; i != 0;) {
		vec even, odd;
		__m128i two[LANES];

		i -= 2;
		even = _mm256_unpacklo_epi64(w[i], w[i + 1]);
		odd = _mm256_unpackhi_epi64(w[i], w[i + 1]);
		two[0] = _mm256_castsi256_si128(even);
		two[1] = _mm256_castsi256_si128(odd);
		two[2] = _mm256_extracti128_si256(even, 1);
		two[3] = _mm256_extracti128_si256(odd, 1);
		for (unsigned int k = 0; k < LANES; k++)
			_mm_storeu_si128(
				(void *)(frame[k] + place_of(i, offset, offset + n[k])),
				two[k]);
	}
}

#endif
