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

#include <rte_mbuf.h>

#include "base/addr.h"

/* Two running sums made one. */
static inline uint16_t
sl_cksum_join(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

/* @sum and the @len bytes at @p, the first of which is the first of a word. */
uint16_t sl_cksum_add(uint16_t sum, const void *p, size_t len);

/*
 * Add @len bytes of the chain @m from @off on to @sum; segments may end at odd places.
 * False, and @sum untouched, if the chain is shorter.
 */
bool sl_cksum_add_chain(uint16_t *sum, const struct rte_mbuf *m, uint32_t off, uint32_t len);

/* The sum of the pseudo-header between @src and @dst, one family's both; @len is that of the
 * transport. */
uint16_t sl_cksum_pseudo(const struct sl_addr *src, const struct sl_addr *dst, bool v6,
			 uint8_t proto, uint32_t len);

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
