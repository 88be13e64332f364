/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prf - SipHash-2-4 of a string of bytes; the words are in the header.
 */
#include <string.h>

#include <rte_byteorder.h>

#include "base/prf.h"

uint64_t
sl_prf(const struct sl_prf_key *key, const void *data, size_t len)
{
	struct sl_prf_state s = sl_prf_begin(key);
	const uint8_t *p = data;
	uint64_t word, rest = 0;
	size_t left = len;

	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sl_prf_add(&s, rte_le_to_cpu_64(word));
	}
	for (size_t i = 0; i < left; i++)
		rest |= (uint64_t)p[i] << (8 * i);
	return sl_prf_end(s, sl_prf_last(rest, len));
}
