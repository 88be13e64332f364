/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cksum - the fast checksum says what a loop over bytes says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/leaf.h"
#include "craft.h"
#include "heapbufs.h"
#include "wire/cksum.h"

/* A sum as it lies in memory, read in network order. */
static uint16_t
in_order(uint16_t sum)
{
	return rte_be_to_cpu_16(sum);
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
fill(uint8_t *p, size_t len, uint32_t *seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)next(seed);
}

static void
every_length_at_every_alignment_sums_like_the_byte_loop(void **state)
{
	uint32_t seed = 1;

	for (size_t len = 0; len < 200; len++) {
		for (size_t off = 0; off < 8; off++) {
			uint8_t *p = malloc(off + len + 1);

			fill(p, off + len, &seed);
			assert_int_equal(in_order(sl_cksum_add(0, p + off, len)),
					 craft_sum(0, p + off, len));
			free(p);
		}
	}
}

/*
 * What each width makes of the @len bytes at @p, copying them, too; they end where reading or
 * writing on is found out.
 */
static void
check_widths(const uint8_t *p, size_t len)
{
	static const unsigned int most[] = { 1, 256, 512 };
	uint16_t bytes = craft_sum(0, p, len);
	uint8_t *to = malloc(len);

	for (int i = 0; i < 3; i++) {
		uint64_t sum = sl_cksum_sum_by(sl_leaf_bits(most[i]), p, len);

		assert_int_equal(in_order(sl_cksum_fold(sum)), bytes);
		sum = sl_cksum_copy_by(sl_leaf_bits(most[i]), to, p, len);
		assert_int_equal(in_order(sl_cksum_fold(sum)), bytes);
		assert_memory_equal(to, p, len);
		memset(to, 0, len);
	}
	free(to);
}

static void
vectors_of_every_width_sum_like_the_byte_loop(void **state)
{
	uint32_t seed = 3;

	for (size_t len = 0; len < 9000; len += len < 600 ? 1 : 61)
		for (size_t off = len < 600 ? 0 : next(&seed) % 64; off < 64; off += 7) {
			uint8_t *p = malloc(off + len);

			fill(p, off + len, &seed);
			check_widths(p + off, len);
			memset(p + off, 0xff, len);
			check_widths(p + off, len);
			free(p);
		}
}

static void
the_most_bytes_sum_without_a_carry_lost_by_any_width(void **state)
{
	uint8_t *p = malloc(65535);
	uint32_t seed = 5;

	memset(p, 0xff, 65535);
	check_widths(p, 65535);
	fill(p, 65535, &seed);
	check_widths(p, 65535);
	check_widths(p + 1, 65534);
	free(p);
}

static void
carries_are_never_lost(void **state)
{
	uint8_t ones[9000];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len < sizeof(ones); len += 37)
		assert_int_equal(in_order(sl_cksum_add(0xffff, ones, len)),
				 craft_sum(0xffff, ones, len));
}

static void
a_chain_sums_like_its_bytes_wherever_it_is_cut(void **state)
{
	struct heapbufs hb;
	uint32_t seed = 7;
	uint8_t bytes[300];

	heapbufs_open(&hb);
	fill(bytes, sizeof(bytes), &seed);
	for (int round = 0; round < 500; round++) {
		uint16_t cut[5];
		uint32_t off = next(&seed) % 250, len = next(&seed) % (300 - off + 1);
		uint16_t sum = 0x1234;

		for (int i = 0; i < 5; i++)
			cut[i] = next(&seed) % 90;
		struct rte_mbuf *m = heapbufs_chain(&hb, bytes, sizeof(bytes), 0, cut, 5);

		assert_true(sl_cksum_add_chain(&sum, m, off, len));
		assert_int_equal(in_order(sum), craft_sum(in_order(0x1234), bytes + off, len));
		heapbufs_put(&hb, m);
	}
	heapbufs_close(&hb);
}

static void
a_chain_that_ends_too_early_is_refused(void **state)
{
	const uint16_t cut[] = { 10, 10 };
	struct heapbufs hb;
	uint8_t bytes[20] = { 1 };
	uint16_t sum = 5;

	heapbufs_open(&hb);
	struct rte_mbuf *m = heapbufs_chain(&hb, bytes, sizeof(bytes), 0, cut, 2);

	assert_false(sl_cksum_add_chain(&sum, m, 0, 21));
	assert_false(sl_cksum_add_chain(&sum, m, 20, 1));
	assert_false(sl_cksum_add_chain(&sum, m, 100, 1));
	assert_int_equal(sum, 5);
	assert_true(sl_cksum_add_chain(&sum, m, 20, 0));
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

static void
pseudo_headers_sum_like_their_bytes(void **state)
{
	struct sl_addr a = craft_addr("10.255.3.4"), b = craft_addr("192.168.200.1");
	struct sl_addr c = craft_addr("fd00::ffff:1"), d = craft_addr("2001:db8::8:ffee");
	uint32_t sum4 = craft_sum(craft_sum(6 + 1480, a.b + 12, 4), b.b + 12, 4);
	uint32_t sum6 = craft_sum(craft_sum(58 + 60000, c.b, 16), d.b, 16);

	assert_int_equal(in_order(sl_cksum_pseudo(&a, &b, false, 6, 1480)), sum4);
	assert_int_equal(in_order(sl_cksum_pseudo(&c, &d, true, 58, 60000)), sum6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_at_every_alignment_sums_like_the_byte_loop),
		cmocka_unit_test(vectors_of_every_width_sum_like_the_byte_loop),
		cmocka_unit_test(the_most_bytes_sum_without_a_carry_lost_by_any_width),
		cmocka_unit_test(carries_are_never_lost),
		cmocka_unit_test(a_chain_sums_like_its_bytes_wherever_it_is_cut),
		cmocka_unit_test(a_chain_that_ends_too_early_is_refused),
		cmocka_unit_test(pseudo_headers_sum_like_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
