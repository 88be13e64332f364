/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf_many - one message after the other: what every machine can, and what the leaves are
 * compared with.
 */
#include "base/prf_many.h"

#include "base/leaf.h"

static void
hash13(const struct sl_prf_key *key, const uint64_t *const *word, unsigned int n_words,
       const uint64_t *last, uint64_t *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sl_prf_state s = sl_prf_begin(key);

		for (unsigned int w = 0; w < n_words; w++)
			sl_prf_absorb(&s, word[w][i], 1);
		sl_prf_absorb(&s, last[i], 1);
		out[i] = sl_prf_finish(&s, 3);
	}
}

static void
begin(const struct sl_prf_key *key, const uint64_t *place, const uint64_t *const *word,
      unsigned int n_words, struct sl_prf_states *states, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sl_prf_state s = sl_prf_begin(&key[place != NULL ? place[i] : 0]);

		for (unsigned int w = 0; w < n_words; w++)
			sl_prf_add(&s, word[w][i]);
		states->v[0][i] = s.v0;
		states->v[1][i] = s.v1;
		states->v[2][i] = s.v2;
		states->v[3][i] = s.v3;
	}
}

static void
end(const struct sl_prf_states *states, const uint64_t *last, uint64_t *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sl_prf_state s = { states->v[0][i], states->v[1][i], states->v[2][i],
					  states->v[3][i] };

		out[i] = sl_prf_end(s, last[i]);
	}
}

const struct sl_prf_many *
sl_prf_many_for(unsigned int leaf)
{
	static const struct sl_prf_many plain = { hash13, begin, end };

#ifdef SL_LEAVES
	if (leaf == SL_LEAF_512)
		return &sl_prf_many_512;
	if (leaf == SL_LEAF_256VL)
		return &sl_prf_many_256vl;
	if (leaf == SL_LEAF_256)
		return &sl_prf_many_256;
#endif
	(void)leaf;
	return &plain;
}
