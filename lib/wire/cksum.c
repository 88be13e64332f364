/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cksum - eight bytes at a time.
 *
 * A word of eight bytes is added as its two halves to two sums of 64 bits, which so never
 * overflow: no carry to chase, and the compiler is free to do several at once. A test
 * compares this with a loop over bytes.
 */
#include "wire/cksum.h"

#include <rte_byteorder.h>

#define LOW_HALF 0xffffffffull

static uint16_t
fold(uint64_t sum)
{
	sum = (sum & LOW_HALF) + (sum >> 32);
	sum = (sum & LOW_HALF) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint64_t
load8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The last @len < 8 bytes, as if zeros followed. */
static inline uint64_t
load_tail(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	if (len & 4) {
		memcpy(&v, p, 4);
		p += 4;
	}
	if (len & 3) {
		uint32_t last = 0;

		memcpy(&last, p, len & 3);
		v += (uint64_t)last << 32;
	}
	return v;
}

uint16_t
sl_cksum_add(uint16_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t low = sum, high = 0;

	for (; len >= 32; len -= 32, p += 32) {
		uint64_t a = load8(p), b = load8(p + 8), c = load8(p + 16), d = load8(p + 24);

		low += (a & LOW_HALF) + (b & LOW_HALF) + (c & LOW_HALF) + (d & LOW_HALF);
		high += (a >> 32) + (b >> 32) + (c >> 32) + (d >> 32);
	}
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t a = load8(p);

		low += a & LOW_HALF;
		high += a >> 32;
	}
	if (len > 0) {
		uint64_t a = load_tail(p, len);

		low += a & LOW_HALF;
		high += a >> 32;
	}
	return fold(low + high);
}

bool
sl_cksum_add_chain(uint16_t *sum, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	uint16_t all = *sum;
	bool odd = false; /* whether an odd number of bytes lies behind us */

	while (m != NULL && off >= m->data_len && len > 0) {
		off -= m->data_len;
		m = m->next;
	}
	for (; m != NULL && len > 0; m = m->next, off = 0) {
		uint32_t here = RTE_MIN(len, m->data_len - off);
		uint16_t part =
			sl_cksum_add(0, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), here);

		all = sl_cksum_join(all, odd ? rte_bswap16(part) : part);
		odd ^= here & 1;
		len -= here;
	}
	if (len > 0)
		return false;
	*sum = all;
	return true;
}

uint16_t
sl_cksum_pseudo(const struct sl_addr *src, const struct sl_addr *dst, bool v6, uint8_t proto,
		uint32_t len)
{
	uint64_t sum = (uint64_t)rte_cpu_to_be_32(len) + rte_cpu_to_be_32(proto);

	if (v6)
		for (int i = 0; i < 4; i++)
			sum += (uint64_t)src->w[i] + dst->w[i];
	else
		sum += (uint64_t)src->w[3] + dst->w[3];
	return fold(sum);
}
