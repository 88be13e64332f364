/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cksum - the internet checksum (RFC 1071) over bytes, pseudo-headers and chains.
 *
 * A running sum is a number of 16 bits made of words *as they lie in memory*: the sum
 * of ones' complement does not mind the byte order as long as nobody mixes two. So sums
 * are stored with memcpy() and never pass through a byte swap.
 */
#ifndef SL_WIRE_CKSUM_H
#define SL_WIRE_CKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "base/addr.h"
#include "wire/bytes.h"
#include "wire/cksum_leaf.h"

/* Two running sums made one. */
static inline uint16_t
sl_cksum_join(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

/*
 * Sums not yet brought down to 16 bits: of words of 32 bits in 64, so that 2^32 of them fit.
 * A half is added to the other with its carry coming back in below, by turning the sum
 * round and keeping the upper half.
 */
static inline uint16_t
sl_cksum_fold(uint64_t sum)
{
	uint32_t half = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);

	return (uint16_t)((half + (half << 16 | half >> 16)) >> 16);
}

/* Both halves of @w together. */
static inline uint64_t
sl_cksum_halves(uint64_t w)
{
	return (w & 0xffffffff) + (w >> 32);
}

/* The eight bytes at @p added to @sum, the carry coming back in below. */
static inline uint64_t
sl_cksum_carry(uint64_t sum, const uint8_t *p)
{
	uint64_t word = sl_raw64(p);

	sum += word;
	return sum + (sum < word);
}

/* The same of 32 bytes: four additions, each with the carry of the one before. */
static inline uint64_t
sl_cksum_carry_four(uint64_t sum, const uint8_t *p)
{
#ifdef __x86_64__
	unsigned long long all = sum;
	unsigned char carry;

	carry = _addcarry_u64(0, all, sl_raw64(p), &all);
	carry = _addcarry_u64(carry, all, sl_raw64(p + 8), &all);
	carry = _addcarry_u64(carry, all, sl_raw64(p + 16), &all);
	carry = _addcarry_u64(carry, all, sl_raw64(p + 24), &all);
	return all + carry;
#else
	for (int i = 0; i < 4; i++)
		sum = sl_cksum_carry(sum, p + 8 * i);
	return sum;
#endif
}

/* The @len bytes at @p, below 2^16 of them. Of a constant number no loop is left. */
static inline uint64_t
sl_cksum_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t words = 0, rest = 0;

	for (; len >= 32; len -= 32, p += 32)
		words = sl_cksum_carry_four(words, p);
	if (len & 16) {
		words = sl_cksum_carry(words, p);
		words = sl_cksum_carry(words, p + 8);
		p += 16;
	}
	if (len & 8) {
		words = sl_cksum_carry(words, p);
		p += 8;
	}
	if (len & 4) {
		uint32_t four;

		memcpy(&four, p, 4);
		rest += four;
		p += 4;
	}
	if (len & 2) {
		uint16_t two;

		memcpy(&two, p, 2);
		rest += two;
		p += 2;
	}
	if (len & 1) {
		uint16_t one = 0;

		memcpy(&one, p, 1);
		rest += one;
	}
	return rest + sl_cksum_halves(words);
}

/* As sl_cksum_sum(), for many bytes. */
uint64_t sl_cksum_sum_long(const void *p, size_t len);

#define SL_CKSUM_LONG 128 /* from here on the vectors pay */

#define SL_CKSUM_LONG_512 64 /* and those of 512 bits */

#define SL_CKSUM_COPY_LONG 64 /* from here on copying in vectors pays, too */

/* The same in vectors of @bits, as sl_leaf_bits() says; the sums are alike but for carries. */
static inline uint64_t
sl_cksum_sum_by(unsigned int bits, const void *p, size_t len)
{
	if (len < SL_CKSUM_LONG_512)
		return sl_cksum_sum(p, len);
#ifdef SL_LEAVES
	if (bits == 512 && (uintptr_t)p % 2 == 0)
		return sl_cksum_sum_512(p, len);
	if (bits >= 256 && len >= SL_CKSUM_LONG)
		return sl_cksum_sum_256(p, len);
#endif
	(void)bits;
	return len < SL_CKSUM_LONG ? sl_cksum_sum(p, len) : sl_cksum_sum_long(p, len);
}

/*
 * As sl_cksum_sum_by(), of @len bytes that are copied from @from to @to, where nobody else
 * looks meanwhile: what is copied is what is summed.
 */
static inline uint64_t
sl_cksum_copy_by(unsigned int bits, void *to, const void *from, size_t len)
{
#ifdef SL_LEAVES
	if (bits >= 256 && len >= SL_CKSUM_COPY_LONG)
		return bits == 512 ? sl_cksum_copy_512(to, from, len)
				   : sl_cksum_copy_256(to, from, len);
#endif
	memcpy(to, from, len);
	return sl_cksum_sum_by(bits, to, len);
}

/* The pseudo-header between @src and @dst, one family's both; @len is that of the transport. */
static inline uint64_t
sl_cksum_sum_pseudo(const struct sl_addr *src, const struct sl_addr *dst, bool v6,
		    uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)rte_cpu_to_be_32(len) + rte_cpu_to_be_32(proto);

	if (v6)
		for (int i = 0; i < 4; i++)
			sum += (uint64_t)src->w[i] + dst->w[i];
	else
		sum += (uint64_t)src->w[3] + dst->w[3];
	return sum;
}

/* @sum and the @len bytes at @p, the first of which is the first of a word. */
static inline uint16_t
sl_cksum_add(uint16_t sum, const void *p, size_t len)
{
	return sl_cksum_fold(sum + sl_cksum_sum_by(0, p, len));
}

/*
 * Add @len bytes of the chain @m from @off on to @sum, in vectors of @bits; segments may end at
 * odd places. False, and @sum untouched, if the chain is shorter.
 */
bool sl_cksum_add_chain_by(unsigned int bits, uint16_t *sum, const struct rte_mbuf *m,
			   uint32_t off, uint32_t len);

/* The same by the plain twin. */
static inline bool
sl_cksum_add_chain(uint16_t *sum, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	return sl_cksum_add_chain_by(0, sum, m, off, len);
}

static inline uint16_t
sl_cksum_pseudo(const struct sl_addr *src, const struct sl_addr *dst, bool v6, uint8_t proto,
		uint32_t len)
{
	return sl_cksum_fold(sl_cksum_sum_pseudo(src, dst, v6, proto, len));
}

/*
 * The transport packet of @len bytes at @off of @m, pseudo-header sum @pseudo included, in
 * *@sum, in vectors of @bits; most are short and in one piece. False if @m is shorter.
 */
static inline bool
sl_cksum_transport(uint64_t pseudo, const struct rte_mbuf *m, uint32_t off, uint32_t len,
		   unsigned int bits, uint16_t *sum)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);

	if (off + len > m->data_len) {
		*sum = sl_cksum_fold(pseudo);
		return sl_cksum_add_chain_by(bits, sum, m, off, len);
	}
	*sum = sl_cksum_fold(pseudo + sl_cksum_sum_by(bits, p, len));
	return true;
}

/* Put what makes the bytes summed in @sum right, at @p. */
static inline void
sl_cksum_put(uint8_t *p, uint16_t sum)
{
	sum = (uint16_t)~sum;
	memcpy(p, &sum, sizeof(sum));
}

/* Whether a sum that included its own checksum field says the bytes are right. */
static inline bool
sl_cksum_is_right(uint16_t sum)
{
	return sum == 0xffff;
}

#endif
