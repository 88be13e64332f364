/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_prf - SipHash gives the bits that its authors published, word by word too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/prf.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_give_the_published_results),
		cmocka_unit_test(words_give_what_their_bytes_give),
		cmocka_unit_test(a_rest_is_what_its_bytes_are),
		cmocka_unit_test(the_short_variant_is_siphash_1_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
