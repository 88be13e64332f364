/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cookie_many - what cookie.c does to one, done to a crowd. Compiled for each width of vectors
 * and once without: loops over arrays without a branch, of which the compiler makes what the
 * flags allow.
 */
#include <assert.h>

#include "base/leaf.h"
#include "tcp/cookie_bits.h"
#include "wire/frame.h"

static_assert(SL_OPT_MSS == 1 && SL_OPT_WSCALE == 2 && SL_OPT_SACK_OK == 4 && SL_OPT_TS == 8,
	      "bits are taken by their places");

/*
 * Where the compiler makes vectors it leaves the last entries to a loop over single ones, at
 * many times the price: a whole number of the longest vectors is done instead. What is behind
 * @n means nothing, there is room for it.
 */
static inline unsigned int
whole(unsigned int n)
{
#ifdef SL_LEAF
	const unsigned int most = 32;

	static_assert(SL_BURST % 32 == 0, "arrays end where vectors do");
	return (n + most - 1) / most * most;
#else
	return n;
#endif
}

/* The words of addresses that messages about a handshake begin with; the numbers follow. */
static unsigned int
address_words(const struct sl_cookie_batch *b, const uint64_t *word[4])
{
	unsigned int n = b->v6 ? 4 : 1;

	for (unsigned int w = 0; w < n; w++)
		word[w] = b->addr[w];
	return n;
}

/* 1 if @a is not below @b; both are far below 2^31. A comparison would stop the vectorizer. */
static inline uint32_t
reaches(uint32_t a, uint32_t b)
{
	return (b - 1 - a) >> 31;
}

/* @x where @bit is 1, else 0: of what nobody has written nothing is left then. */
static inline uint32_t
with(uint32_t bit, uint32_t x)
{
	return x & -bit;
}

static inline uint32_t
choose(uint32_t bit, uint32_t yes, uint32_t no)
{
	return with(bit, yes) | with(1 - bit, no);
}

/* As opts_encode() in cookie.c; @scale is 15 for none. The classes are ordered. */
static inline uint32_t
encode(const uint16_t *class, uint32_t mss, uint32_t scale, uint32_t sack)
{
	uint32_t some = 1 - reaches(scale, SCALE_NONE);
	uint32_t s =
		with(some, 1 + reaches(scale, scale_class[2]) + reaches(scale, scale_class[3]) +
				   reaches(scale, scale_class[4]));
	uint32_t m = 0, jumbo, most;

	for (unsigned int i = 1; i <= N_PLAIN; i++)
		m += reaches(mss, class[i]);
	most = reaches(m, N_PLAIN);
	jumbo = most & reaches(s, SCALE_JUMBO);
	return (m - most) * N_SCALES + s + sack * OPTS_SACK +
	       with(jumbo, CODE_JUMBO - SCALE_JUMBO - (N_PLAIN - 1) * N_SCALES);
}

static inline uint32_t
parity(uint32_t x)
{
	x ^= x >> 16;
	x ^= x >> 8;
	x ^= x >> 4;
	x ^= x >> 2;
	return (x ^ x >> 1) & 1;
}

/* Both messages of a SYN, and what of it is needed again. */
struct sealing {
	uint64_t for_mask[SL_BURST], for_mac[SL_BURST];
	uint32_t opts[SL_BURST], exact[SL_BURST], clock[SL_BURST];
};

/* Arrays of SYNs; that none overlaps another is what lets the compiler work on many at once. */
static inline void
encode_all(const uint8_t *restrict opts, const uint16_t *restrict mss,
	   const uint8_t *restrict wscale, bool v6, unsigned int n, uint32_t *restrict code,
	   uint32_t *restrict exact)
{
	const uint16_t *class = mss_class[v6];
	const uint32_t least = sl_cookie_least_mss(v6);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t has = opts[i], said = mss[i], shift = wscale[i];
		uint32_t has_mss = has & 1, scaled = has >> 1 & 1, sack = has >> 2 & 1;
		uint32_t ts = has >> 3 & 1;
		uint32_t scale = choose(scaled, shift, SCALE_NONE);

		code[i] = encode(class, choose(has_mss, said, least), scale, sack);
		exact[i] = with(ts, scale);
	}
}

static inline void
say_all(const uint8_t *restrict opts, const uint64_t *restrict offset, uint32_t clock,
	size_t len, unsigned int n, struct sealing *restrict s)
{
	const uint32_t behind = clock - (1u << TS_LOW_BITS);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t ts = opts[i] >> 3 & 1;
		uint32_t ours = with(ts, (behind + (uint32_t)offset[i]) >> TS_LOW_BITS);

		s->clock[i] = ours;
		s->for_mask[i] = sl_prf_last(mask_rest(ts), len);
		s->for_mac[i] = sl_prf_last(mac_rest(ts, s->opts[i], s->exact[i], ours), len);
	}
}

static void
make(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
     const struct sl_cookie_batch *b, const uint16_t *mss, const uint8_t *wscale, uint32_t *isn,
     uint32_t *tsval, unsigned int n)
{
	uint64_t mask[SL_BURST], mac[SL_BURST];
	const uint64_t *word[5];
	unsigned int n_words = address_words(b, word);
	uint32_t place = keys->now;
	struct sl_prf_states states;
	struct sealing s;

	assert(keys->valid[place] && n <= SL_BURST);

	encode_all(b->opts, mss, wscale, b->v6, whole(n), s.opts, s.exact);
	say_all(b->opts, b->offset, b->clock, 8 * (n_words + 1) + 7, whole(n), &s);
	word[n_words] = b->numbers;
	many->begin(&keys->key[place], NULL, word, n_words + 1, &states, n);
	many->end(&states, s.for_mask, mask, n);
	many->end(&states, s.for_mac, mac, n);
	for (unsigned int i = 0; i < whole(n); i++) {
		uint32_t bits =
			(uint32_t)mac[i] << 7 | ((s.opts[i] ^ (uint32_t)mask[i]) & OPTS_MASK);

		isn[i] = bits | (parity(bits) ^ place) << 6;
		tsval[i] = lay_tsval(mac[i], mask[i], s.exact[i], s.clock[i]);
	}
}

static uint64_t
check(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
      const struct sl_cookie_batch *b, const uint32_t *ack, const uint32_t *tsecr,
      unsigned int n)
{
	uint64_t irs[SL_BURST], place[SL_BURST] = { 0 }, mask[SL_BURST], mac[SL_BURST];
	uint32_t exact[SL_BURST], clock[SL_BURST], opts[SL_BURST], right[SL_BURST];
	const uint32_t valid[2] = { keys->valid[0], keys->valid[1] };
	const uint64_t *word[5];
	unsigned int n_words = address_words(b, word);
	size_t len = 8 * (n_words + 1) + 7;
	struct sl_prf_states states;
	uint64_t last[SL_BURST], good = 0;
	const unsigned int m = whole(n);

	assert(n <= SL_BURST);

	for (unsigned int i = 0; i < m; i++) {
		irs[i] = b->numbers[i] - (1ull << 32);
		place[i] = parity(ack[i] - 1);
		last[i] = sl_prf_last(mask_rest(b->opts[i] >> 3 & 1u), len);
	}
	word[n_words] = irs;
	many->begin(keys->key, place, word, n_words + 1, &states, n);
	many->end(&states, last, mask, n);
	for (unsigned int i = 0; i < m; i++) {
		uint32_t ts = b->opts[i] >> 3 & 1u;

		opts[i] = ((ack[i] - 1) ^ (uint32_t)mask[i]) & OPTS_MASK;
		exact[i] = with(ts, (tsecr[i] >> 6 ^ (uint32_t)(mask[i] >> 8)) & 15);
		clock[i] = with(ts, tsecr[i] >> TS_LOW_BITS);
		last[i] = sl_prf_last(mac_rest(ts, opts[i], exact[i], clock[i]), len);
	}
	many->end(&states, last, mac, n);
	for (unsigned int i = 0; i < m; i++) {
		uint32_t bits =
			(uint32_t)mac[i] << 7 | ((opts[i] ^ (uint32_t)mask[i]) & OPTS_MASK);
		uint32_t isn = bits | (parity(bits) ^ (uint32_t)place[i]) << 6;
		uint32_t no_ts = (b->opts[i] & SL_OPT_TS) == 0;
		uint32_t echo = lay_tsval(mac[i], mask[i], exact[i], clock[i]) == tsecr[i];
		uint32_t fresh = is_fresh(tsecr[i], b->clock + (uint32_t)b->offset[i]);

		right[i] = (isn == ack[i] - 1) & (no_ts | (echo & fresh)) &
			   (place[i] != 0 ? valid[1] : valid[0]);
	}
	for (uint64_t i = 0; i < m; i++)
		good |= (uint64_t)right[i] << i;
	return n == 0 ? 0 : good & ~0ull >> (SL_BURST - n);
}

#ifndef SL_LEAF
static const struct sl_cookie_many plain = { make, check };

const struct sl_cookie_many *
sl_cookie_many_for(unsigned int leaf)
{
#ifdef SL_LEAVES
	if (leaf == SL_LEAF_512)
		return &sl_cookie_many_512;
	if (leaf == SL_LEAF_256VL)
		return &sl_cookie_many_256vl;
	if (leaf == SL_LEAF_256)
		return &sl_cookie_many_256;
#endif
	(void)leaf;
	return &plain;
}
#else
const struct sl_cookie_many SL_LEAF_OF(sl_cookie_many) = { make, check };
#endif
