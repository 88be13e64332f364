/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tags - which of a bucket's eight tags equal one, as eight bits.
 *
 * Every x86-64 has SSE2, so the choice is made when compiling; the plain version is for
 * other machines and for the test that compares the two.
 */
#ifndef SL_FLOW_TAGS_H
#define SL_FLOW_TAGS_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SL_TAGS 8

static inline uint32_t
sl_tags_match_plain(const uint16_t tag[SL_TAGS], uint16_t want)
{
	uint32_t hits = 0;

	for (unsigned int i = 0; i < SL_TAGS; i++)
		hits |= (uint32_t)(tag[i] == want) << i;
	return hits;
}

/* @tag is aligned to 16 bytes. */
static inline uint32_t
sl_tags_match(const uint16_t tag[SL_TAGS], uint16_t want)
{
#ifdef __SSE2__
	__m128i eq = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)(const void *)tag),
				     _mm_set1_epi16((short)want));

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(eq, _mm_setzero_si128()));
#else
	return sl_tags_match_plain(tag, want);
#endif
}

/* Not 0 if any is @want: less than sl_tags_match(), where nobody asks which. */
static inline uint32_t
sl_tags_any(const uint16_t tag[SL_TAGS], uint16_t want)
{
#ifdef __SSE2__
	return (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi16(_mm_load_si128((const __m128i *)(const void *)tag),
				_mm_set1_epi16((short)want)));
#else
	return sl_tags_match_plain(tag, want);
#endif
}

#endif
