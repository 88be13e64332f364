/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eight - frames, eight at a time, as vectors of 512 bits. For the leaves that read and write
 * them, which are compiled with the flags that this needs.
 *
 * The 64 bytes of an IPv4 frame from the tenth on are all that matters of it but for MAC
 * addresses: eight words, none of which cuts a field that is hashed or summed. Eight frames
 * are turned into eight vectors of like words, and back. Of an IPv6 frame the 64 bytes from
 * the thirtieth on are taken, so that TCP fills the same five words; what is before them lies
 * at constant places.
 */
#ifndef SL_WIRE_EIGHT_H
#define SL_WIRE_EIGHT_H

#include <stdint.h>

#include <immintrin.h>

#include "wire/proto.h"

#define IP4_TCP (RTE_ETHER_HDR_LEN + SL_IP4_HDR)
#define IP6_TCP (RTE_ETHER_HDR_LEN + SL_IP6_HDR)
#define BEFORE  24 /* bytes of the words before TCP: the first three */
#define LANES   8
#define INLINE  static inline __attribute__((always_inline))

typedef __m512i vec;

INLINE vec
all(uint64_t x)
{
	return _mm512_set1_epi64((long long)x);
}

INLINE vec
low(vec x)
{
	return _mm512_and_si512(x, all(0xffffffff));
}

INLINE vec
high(vec x)
{
	return _mm512_srli_epi64(x, 32);
}

INLINE vec
plus(vec a, vec b)
{
	return _mm512_add_epi64(a, b);
}

INLINE vec
halves(vec x)
{
	return plus(low(x), high(x));
}

/* As sl_cksum_fold(). */
INLINE vec
fold(vec sum)
{
	vec half = high(plus(sum, _mm512_ror_epi64(sum, 32)));
	vec turned = _mm512_ror_epi32(half, 16);

	return _mm512_and_si512(_mm512_srli_epi64(low(_mm512_add_epi32(half, turned)), 16),
				all(0xffff));
}

INLINE __mmask8
is(vec a, uint64_t b)
{
	return _mm512_cmpeq_epi64_mask(a, all(b));
}

/* Word i of vector j becomes word j of vector i. */
INLINE void
turn(vec w[LANES])
{
	vec a[LANES], b[LANES];

	for (unsigned int i = 0; i < LANES; i += 2) {
		a[i] = _mm512_unpacklo_epi64(w[i], w[i + 1]);
		a[i + 1] = _mm512_unpackhi_epi64(w[i], w[i + 1]);
	}
	for (unsigned int i = 0; i < LANES; i += 4)
		for (unsigned int k = 0; k < 2; k++) {
			b[i + k] = _mm512_shuffle_i64x2(a[i + k], a[i + k + 2], 0x88);
			b[i + k + 2] = _mm512_shuffle_i64x2(a[i + k], a[i + k + 2], 0xdd);
		}
	for (unsigned int k = 0; k < 4; k++) {
		w[k] = _mm512_shuffle_i64x2(b[k], b[k + 4], 0x88);
		w[k + 4] = _mm512_shuffle_i64x2(b[k], b[k + 4], 0xdd);
	}
}

/* Bytes of each word in the order that @order names, its first byte lowest. */
INLINE vec
ordered(vec x, uint64_t order)
{
	vec both =
		_mm512_set4_epi64((long long)(order + 0x0808080808080808ull), (long long)order,
				  (long long)(order + 0x0808080808080808ull), (long long)order);

	return _mm512_shuffle_epi8(x, both);
}

#define SWAP64 0x0001020304050607ull
#define SWAP32 0x0405060700010203ull /* both halves */

INLINE __mmask64
first_bytes(unsigned int n)
{
	return ~0ull >> (64 - n);
}

#endif
