/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf_many - the keyed function of many messages at once.
 *
 * A scalar unit works through the rounds of one SipHash waiting for each step's result;
 * vectors do four or eight messages in the same time. The messages of a call are equally
 * long. Theirs and the results' bits are those of prf.h, whoever computes them: leaves
 * compiled for wider vectors than the rest, or the plain twin.
 *
 * Arrays hold @n entries but are read and written in groups of SL_PRF_GROUP: they must be
 * that much longer, and what lies behind @n means nothing.
 */
#ifndef SL_BASE_PRF_MANY_H
#define SL_BASE_PRF_MANY_H

#include "base/prf.h"
#include "base/units.h"

#define SL_PRF_GROUP 8

/* Messages half absorbed, as struct sl_prf_state is one. */
struct sl_prf_states {
	uint64_t v[4][SL_BURST];
};

struct sl_prf_many {
	/* As sl_prf13() with sl_prf_last(): @n_words words of each message, then its last. */
	void (*hash13)(const struct sl_prf_key *key, const uint64_t *const *word,
		       unsigned int n_words, const uint64_t *last, uint64_t *out,
		       unsigned int n);
	/*
	 * sl_prf_begin() and sl_prf_add(). Each message chooses one of two keys by @place,
	 * 0 or 1; NULL: all take the first.
	 */
	void (*begin)(const struct sl_prf_key *key, const uint64_t *place,
		      const uint64_t *const *word, unsigned int n_words,
		      struct sl_prf_states *states, unsigned int n);
	/* sl_prf_end(); the states may be ended again with another last word. */
	void (*end)(const struct sl_prf_states *states, const uint64_t *last, uint64_t *out,
		    unsigned int n);
};

/* For @leaf, as sl_leaf_bits() gave it; 0 is the plain twin. */
const struct sl_prf_many *sl_prf_many_for(unsigned int leaf);

/* The leaves, for sl_prf_many_for() alone. */
extern const struct sl_prf_many sl_prf_many_256, sl_prf_many_256vl, sl_prf_many_512;

#endif
