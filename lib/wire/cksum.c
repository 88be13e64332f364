/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cksum - 64 bytes at a time.
 *
 * A vector's words of 64 bits are added as their two halves to two sums of 64 bits, which
 * so never overflow: no carry to chase. The compiler makes of the vectors what the machine
 * has. A test compares this with a loop over bytes.
 */
#include "wire/cksum.h"

#define WORDS  2 /* of a vector: what every machine we run on has */
#define UNROLL 4

typedef uint64_t vector __attribute__((vector_size(WORDS * sizeof(uint64_t))));

static inline vector
load(const uint8_t *p)
{
	vector v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t
sl_cksum_sum_long(const void *data, size_t len)
{
	const vector low = { 0xffffffff, 0xffffffff };
	vector part[UNROLL] = { 0 };
	const uint8_t *p = data;
	uint64_t sum = 0;

	for (; len >= sizeof(part); len -= sizeof(part), p += sizeof(part))
		for (int i = 0; i < UNROLL; i++) {
			vector v = load(p + i * sizeof(v));

			part[i] += (v & low) + (v >> 32);
		}
	for (int i = 0; i < UNROLL; i++)
		for (int k = 0; k < WORDS; k++)
			sum += (part[i][k] & 0xffffffff) + (part[i][k] >> 32);
	return sum + sl_cksum_sum(p, len);
}

bool
sl_cksum_add_chain_by(unsigned int bits, uint16_t *sum, const struct rte_mbuf *m, uint32_t off,
		      uint32_t len)
{
	uint16_t all = *sum;
	bool odd = false; /* whether an odd number of bytes lies behind us */

	while (m != NULL && off >= m->data_len && len > 0) {
		off -= m->data_len;
		m = m->next;
	}
	for (; m != NULL && len > 0; m = m->next, off = 0) {
		uint32_t here = RTE_MIN(len, m->data_len - off);
		const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
		uint16_t part = sl_cksum_fold(sl_cksum_sum_by(bits, p, here));

		all = sl_cksum_join(all, odd ? rte_bswap16(part) : part);
		odd ^= here & 1;
		len -= here;
	}
	if (len > 0)
		return false;
	*sum = all;
	return true;
}
