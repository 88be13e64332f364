/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_prf - SipHash gives the bits that its authors published, word by word too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/leaf.h"
#include "base/prf.h"
#include "base/prf_many.h"
#include "random.h"

static const struct sl_prf_key key = { { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };

/* The authors' test vectors: message i is the bytes 0 .. i-1. */
static const uint64_t published[] = {
	0x726fdb47dd0e0e31ull, 0x74f839c593dc67fdull, 0x0d6c8009d9a94f5aull,
	0x85676696d7fb7e2dull, 0xcf2794e0277187b7ull, 0x18765564cd99a68dull,
	0xcbc9466e58fee3ceull, 0xab0200f58b01d137ull, 0x93f5f5799a932462ull,
	0x9e0082df0ba9e4b0ull, 0x7a5dbbc594ddb9f3ull, 0xf4b32f46226bada7ull,
	0x751e8fbc860ee5fbull, 0x14ea5627c0843d90ull, 0xf723ca908e7af2eeull,
	0xa129ca6149be45e5ull,
};

/* rows: IS2 */
static void
bytes_give_the_published_results(void **state)
{
	uint8_t msg[64];

	for (unsigned int i = 0; i < sizeof(msg); i++)
		msg[i] = i;
	for (size_t len = 0; len < sizeof(published) / sizeof(published[0]); len++)
		assert_true(sl_prf(&key, msg, len) == published[len]);
	assert_true(sl_prf(&key, msg, 63) == 0x958a324ceb064572ull);
}

static void
words_give_what_their_bytes_give(void **state)
{
	uint64_t word[8] = { 0x0123456789abcdefull };

	for (unsigned int i = 1; i < 8; i++)
		word[i] = word[i - 1] * 0x9e3779b97f4a7c15ull + i;
	for (size_t n = 0; n <= 8; n++)
		assert_true(sl_prf_words(&key, word, n) == sl_prf(&key, word, 8 * n));
}

static void
a_rest_is_what_its_bytes_are(void **state)
{
	const uint64_t word[2] = { 0x0706050403020100ull, 0x0b0a0908ull };
	struct sl_prf_state s = sl_prf_begin(&key);

	sl_prf_add(&s, word[0]);
	assert_true(sl_prf_end(s, sl_prf_last(word[1], 12)) == published[12]);
	assert_true(sl_prf_end(s, sl_prf_last(word[1], 12)) == published[12]);
}

/* The first result of SipHash-1-3 under the same key, as its other users publish it. */
static void
the_short_variant_is_siphash_1_3(void **state)
{
	assert_true(sl_prf13(&key, NULL, 0, sl_prf_last(0, 0)) == 0xabac0158050fc4dcull);
}

enum { WORDS_MAX = 5 };

struct messages {
	uint64_t word[WORDS_MAX][SL_BURST], last[SL_BURST], place[SL_BURST];
	const uint64_t *words[WORDS_MAX];
};

static void
draw(struct messages *m, struct rnd *r)
{
	for (unsigned int w = 0; w < WORDS_MAX; w++) {
		m->words[w] = m->word[w];
		for (unsigned int i = 0; i < SL_BURST; i++)
			m->word[w][i] = rnd_u64(r);
	}
	for (unsigned int i = 0; i < SL_BURST; i++) {
		m->last[i] = rnd_u64(r);
		m->place[i] = rnd_below(r, 2);
	}
}

/* What @many says of each of the first @n messages is what prf.h says of it alone. */
static void
check(const struct sl_prf_many *many, const struct sl_prf_key k[2], const struct messages *m,
      unsigned int n_words, unsigned int n)
{
	uint64_t short_one[SL_BURST], placed[SL_BURST], first[SL_BURST];
	struct sl_prf_states states;

	many->hash13(k, m->words, n_words, m->last, short_one, n);
	many->begin(k, m->place, m->words, n_words, &states, n);
	many->end(&states, m->word[0], first, n); /* leaves the states as they are */
	many->end(&states, m->last, placed, n);
	many->begin(k, NULL, m->words, n_words, &states, n);
	many->end(&states, m->last, first, n);
	for (unsigned int i = 0; i < n; i++) {
		struct sl_prf_state a = sl_prf_begin(&k[0]), b = sl_prf_begin(&k[m->place[i]]);
		uint64_t word[WORDS_MAX];

		for (unsigned int w = 0; w < n_words; w++) {
			word[w] = m->word[w][i];
			sl_prf_add(&a, word[w]);
			sl_prf_add(&b, word[w]);
		}
		assert_true(short_one[i] == sl_prf13(k, word, n_words, m->last[i]));
		assert_true(first[i] == sl_prf_end(a, m->last[i]));
		assert_true(placed[i] == sl_prf_end(b, m->last[i]));
	}
}

/* On a CPU that lacks a leaf's instructions the next narrower one is checked again. */
static void
every_leaf_gives_the_bits_of_one_message_at_a_time(void **state)
{
	static const unsigned int most[] = { 1, SL_LEAF_256, SL_LEAF_256VL, SL_LEAF_512 };
	struct rnd r = { 20260 };
	struct messages m;

	for (unsigned int l = 0; l < sizeof(most) / sizeof(most[0]); l++)
		for (unsigned int n_words = 1; n_words <= WORDS_MAX; n_words++)
			for (unsigned int n = 1; n <= SL_BURST; n++) {
				const struct sl_prf_key k[2] = {
					{ { rnd_u64(&r), rnd_u64(&r) } },
					{ { rnd_u64(&r), rnd_u64(&r) } },
				};

				draw(&m, &r);
				check(sl_prf_many_for(sl_leaf_bits(most[l])), k, &m, n_words,
				      n);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_give_the_published_results),
		cmocka_unit_test(words_give_what_their_bytes_give),
		cmocka_unit_test(a_rest_is_what_its_bytes_are),
		cmocka_unit_test(the_short_variant_is_siphash_1_3),
		cmocka_unit_test(every_leaf_gives_the_bits_of_one_message_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
