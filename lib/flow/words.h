/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * words - which of a line's sixteen words equal one, as sixteen bits.
 *
 * Chosen when compiling, with a plain version, as in tags.h.
 */
#ifndef SL_FLOW_WORDS_H
#define SL_FLOW_WORDS_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SL_WORDS 16

static inline uint32_t
sl_words_match_plain(const uint32_t word[SL_WORDS], uint32_t want)
{
	uint32_t hits = 0;

	for (unsigned int i = 0; i < SL_WORDS; i++)
		hits |= (uint32_t)(word[i] == want) << i;
	return hits;
}

/* @word is aligned to 16 bytes. */
static inline uint32_t
sl_words_match(const uint32_t word[SL_WORDS], uint32_t want)
{
#ifdef __SSE2__
	const __m128i *v = (const __m128i *)(const void *)word;
	__m128i all = _mm_set1_epi32((int)want);
	__m128i low = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(&v[0]), all),
				      _mm_cmpeq_epi32(_mm_load_si128(&v[1]), all));
	__m128i high = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(&v[2]), all),
				       _mm_cmpeq_epi32(_mm_load_si128(&v[3]), all));

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
#else
	return sl_words_match_plain(word, want);
#endif
}

#endif
