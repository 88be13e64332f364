/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes_512 - eight frames in vectors of 512 bits; for lanes.h alone.
 */
#ifndef SL_WIRE_LANES_512_H
#define SL_WIRE_LANES_512_H

typedef __m512i vec;
typedef __mmask8 mask;

INLINE vec
all(uint64_t x)
{
	return _mm512_set1_epi64((long long)x);
}

INLINE vec
of_words(const uint64_t x[LANES])
{
	return _mm512_set_epi64((long long)x[7], (long long)x[6], (long long)x[5],
				(long long)x[4], (long long)x[3], (long long)x[2],
				(long long)x[1], (long long)x[0]);
}

INLINE vec
lane_numbers(void)
{
	return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
}

INLINE vec
left(vec x, unsigned int n)
{
	return _mm512_slli_epi64(x, n);
}

INLINE vec
right(vec x, unsigned int n)
{
	return _mm512_srli_epi64(x, n);
}

/* The halves of each word in each other's place. */
INLINE vec
swapped(vec x)
{
	return _mm512_ror_epi64(x, 32);
}

/* The halves of each half. */
INLINE vec
turned16(vec x)
{
	return _mm512_ror_epi32(x, 16);
}

INLINE vec
plus_halves(vec a, vec b)
{
	return _mm512_add_epi32(a, b);
}

/* Of the lower halves. */
INLINE vec
times(vec x, uint32_t y)
{
	return _mm512_mul_epu32(x, all(y));
}

/* Words below 2^32. */
INLINE vec
at_most(vec x, uint64_t most)
{
	return _mm512_min_epu32(x, all(most));
}

/* Bytes of each word in the order that @order names, its first byte lowest. */
INLINE vec
ordered(vec x, uint64_t order)
{
	const uint64_t other = order + 0x0808080808080808ull;

	return _mm512_shuffle_epi8(x, _mm512_set4_epi64((long long)other, (long long)order,
							(long long)other, (long long)order));
}

/* @bad, and whatever of @a is not as in @b: many comparisons cost one look in the end. */
INLINE vec
unlike(vec bad, vec a, vec b)
{
	return _mm512_ternarylogic_epi64(bad, a, b, 0xf6);
}

INLINE mask
alike(vec a, vec b)
{
	return _mm512_cmpeq_epi64_mask(a, b);
}

/* Of words below 2^63. */
INLINE mask
below(vec a, vec b)
{
	return _mm512_cmplt_epi64_mask(a, b);
}

INLINE unsigned int
among(mask m)
{
	return m;
}

INLINE vec
where(mask m, vec yes, vec no)
{
	return _mm512_mask_mov_epi64(no, m, yes);
}

INLINE vec
only(mask m, vec x)
{
	return _mm512_maskz_mov_epi64(m, x);
}

/* Whose bit is set of @table's 1024, named by words of ten bits. */
INLINE unsigned int
bits_at(const uint32_t table[32], vec bit)
{
	vec half = _mm512_permutex2var_epi32(_mm512_loadu_si512(table), right(bit, 5),
					     _mm512_loadu_si512(table + 16));

	return _mm512_test_epi64_mask(_mm512_srlv_epi32(half, bit & all(31)), all(1));
}

/* The halves of @x where that of @a is above that of @b. */
INLINE vec
where_above(vec x, vec a, vec b)
{
	return _mm512_maskz_mov_epi32(_mm512_cmpgt_epi32_mask(a, b), x);
}

/* Those of @who behind one another, in the places of the first. */
INLINE vec
pressed(vec x, unsigned int who)
{
	return _mm512_maskz_compress_epi64((__mmask8)who, x);
}

INLINE vec
load_words(const void *p)
{
	return _mm512_loadu_si512(p);
}

INLINE vec
load_halves(const uint32_t *p)
{
	return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)p));
}

INLINE vec
load_bytes(const uint8_t *p)
{
	return _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)p));
}

INLINE void
store_words(void *p, vec x)
{
	_mm512_storeu_si512(p, x);
}

/* The lower and the upper half of each word. */
INLINE void
store_halves(uint32_t *lower, uint32_t *upper, vec x)
{
	vec apart = _mm512_permutexvar_epi32(
		_mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0), x);

	_mm256_storeu_si256((void *)lower, _mm512_castsi512_si256(apart));
	_mm256_storeu_si256((void *)upper, _mm512_extracti64x4_epi64(apart, 1));
}

INLINE void
store_lower(uint32_t *lower, vec x)
{
	vec first = _mm512_permutexvar_epi32(
		_mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0), x);

	_mm256_storeu_si256((void *)lower, _mm512_castsi512_si256(first));
}

/* The upper half of @x, wherever that is to lie: _mm_storeh_pd() wants a multiple of eight. */
INLINE void
store_upper(uint8_t *to, __m128i x)
{
	const __m128d halves = _mm_castsi128_pd(x);
	const double upper = halves[1];

	memcpy(to, &upper, sizeof(upper));
}

/* The four lowest bytes of each word, and the 16 bits above them. */
INLINE void
store_small(uint8_t *const byte[4], uint16_t *above, vec x)
{
	/* two lanes' bytes beside each other, then those of all */
	const long long low = 0x0b030a0209010800, high = 0x0d0c0504;
	vec pairs = _mm512_shuffle_epi8(x, _mm512_set4_epi64(high, low, high, low));
	vec order = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 29, 28, 21, 20, 13, 12, 5, 4, 27,
				     19, 11, 3, 26, 18, 10, 2, 25, 17, 9, 1, 24, 16, 8, 0);
	vec apart = _mm512_permutexvar_epi16(order, pairs);
	__m128i first = _mm512_castsi512_si128(apart);
	__m128i second = _mm512_extracti64x2_epi64(apart, 1);

	_mm_storel_epi64((void *)byte[0], first);
	store_upper(byte[1], first);
	_mm_storel_epi64((void *)byte[2], second);
	store_upper(byte[3], second);
	_mm_storeu_si128((void *)above, _mm512_extracti64x2_epi64(apart, 2));
}

/* Word i of vector j becomes word j of vector i. */
INLINE void
turn(vec w[WORDS])
{
	vec a[WORDS], b[WORDS];

	for (unsigned int i = 0; i < WORDS; i += 2) {
		a[i] = _mm512_unpacklo_epi64(w[i], w[i + 1]);
		a[i + 1] = _mm512_unpackhi_epi64(w[i], w[i + 1]);
	}
	for (unsigned int i = 0; i < WORDS; i += 4)
		for (unsigned int k = 0; k < 2; k++) {
			b[i + k] = _mm512_shuffle_i64x2(a[i + k], a[i + k + 2], 0x88);
			b[i + k + 2] = _mm512_shuffle_i64x2(a[i + k], a[i + k + 2], 0xdd);
		}
	for (unsigned int k = 0; k < 4; k++) {
		w[k] = _mm512_shuffle_i64x2(b[k], b[k + 4], 0x88);
		w[k + 4] = _mm512_shuffle_i64x2(b[k], b[k + 4], 0xdd);
	}
}

/* The 16 bytes at @offset of every other frame from the first of @frame on. */
INLINE vec
two_of_each(const uint8_t *const *frame, unsigned int offset)
{
	vec x = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(frame[0] + offset)));

	x = _mm512_inserti64x2(x, _mm_loadu_si128((const void *)(frame[2] + offset)), 1);
	x = _mm512_inserti64x2(x, _mm_loadu_si128((const void *)(frame[4] + offset)), 2);
	return _mm512_inserti64x2(x, _mm_loadu_si128((const void *)(frame[6] + offset)), 3);
}

/* The two words at @offset of each @frame. */
INLINE void
take_two(const uint8_t *const *frame, unsigned int offset, vec w[2])
{
	vec even = two_of_each(frame, offset), odd = two_of_each(frame + 1, offset);

	w[0] = _mm512_unpacklo_epi64(even, odd);
	w[1] = _mm512_unpackhi_epi64(even, odd);
}

/* The four words at @offset of each @frame. */
INLINE void
take_four(const uint8_t *const *frame, unsigned int offset, vec w[4])
{
	const vec lower = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
	const vec upper = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
	vec four[4], low01, low23, high01, high23;

	for (unsigned int i = 0; i < 4; i++) {
		const void *a = frame[i] + offset, *b = frame[i + 4] + offset;

		four[i] = _mm512_castsi256_si512(_mm256_loadu_si256(a));
		four[i] = _mm512_inserti64x4(four[i], _mm256_loadu_si256(b), 1);
	}
	low01 = _mm512_unpacklo_epi64(four[0], four[1]);
	low23 = _mm512_unpacklo_epi64(four[2], four[3]);
	high01 = _mm512_unpackhi_epi64(four[0], four[1]);
	high23 = _mm512_unpackhi_epi64(four[2], four[3]);
	w[0] = _mm512_permutex2var_epi64(low01, lower, low23);
	w[1] = _mm512_permutex2var_epi64(high01, lower, high23);
	w[2] = _mm512_permutex2var_epi64(low01, upper, low23);
	w[3] = _mm512_permutex2var_epi64(high01, upper, high23);
}

/* The eight words at @offset of each @frame back, of each but @n[i] bytes. */
INLINE void
give_words(uint8_t *const *frame, const uint64_t *n, unsigned int offset, vec w[WORDS])
{
	turn(w);
	for (unsigned int i = 0; i < LANES; i++)
		_mm512_mask_storeu_epi8(frame[i] + offset, ~0ull >> (SPREAD - n[i]), w[i]);
}

#endif
