/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * synack_leaf - sl_synacks_build() eight at a time, in vectors of 512 bits. What is written is
 * what it writes without.
 */
#include "wire/crowd_leaf.h"

#if SL_LEAF_BITS == 512

#include <string.h>

#include "wire/eight.h"

/* The options of each answer, in w[5] above, w[6] and w[7]; returns how long they are. */
INLINE vec
put_options(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	    const struct sl_synack_each *each, vec w[LANES])
{
	const uint64_t mss = rte_cpu_to_be_32(0x02040000u | terms->mss);
	const uint64_t scale = rte_cpu_to_be_32(0x01030300u | terms->scale);
	vec opts = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)&c->opts[k]));
	__mmask8 ts = _mm512_test_epi64_mask(opts, all(SL_OPT_TS));
	__mmask8 sack = _mm512_test_epi64_mask(opts, all(SL_OPT_SACK_OK));
	__mmask8 scaled = _mm512_test_epi64_mask(opts, all(SL_OPT_WSCALE));
	vec tsval = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)&each->tsval[k]));
	vec tsecr = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)&c->tsval[k]));
	vec o1 = _mm512_mask_mov_epi64(all(0x0a080101), sack, all(0x0a080204));
	vec o2 = low(ordered(tsval, SWAP32)), o3 = low(ordered(tsecr, SWAP32));
	vec o4 = _mm512_maskz_mov_epi64(scaled, all(scale)), plain1, plain2, len;

	/* without timestamps SACK-permitted comes first, then the scale */
	plain1 = _mm512_mask_mov_epi64(o4, sack, all(RTE_BE32(0x01010402)));
	plain2 = _mm512_maskz_mov_epi64(sack, o4);
	w[5] = all(mss << 32);
	w[6] = _mm512_or_si512(_mm512_mask_mov_epi64(plain1, ts, o1),
			       _mm512_slli_epi64(_mm512_mask_mov_epi64(plain2, ts, o2), 32));
	w[7] = _mm512_maskz_mov_epi64(ts, _mm512_or_si512(o3, _mm512_slli_epi64(o4, 32)));
	len = _mm512_mask_mov_epi64(_mm512_maskz_mov_epi64(sack, all(4)), ts, all(12));
	return plus(plus(all(4), len), _mm512_maskz_mov_epi64(scaled, all(4)));
}

/*
 * The five words of TCP of each answer; @addrs is the sum of both addresses. Returns the
 * length of each header.
 */
INLINE vec
answer_tcp(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	   const struct sl_synack_each *each, vec addrs, vec w[LANES])
{
	vec numbers = _mm512_loadu_si512(&c->numbers[k]);
	vec isn = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)&each->isn[k]));
	vec ack = _mm512_slli_epi64(plus(high(numbers), all(1)), 32);
	vec len = plus(put_options(c, k, terms, each, w), all(SL_TCP_HDR)), sum;

	w[3] = ordered(_mm512_or_si512(_mm512_slli_epi64(numbers, 32), isn), SWAP64);
	w[4] = _mm512_or_si512(ack, _mm512_slli_epi64(len, 26)); /* in words, << 28 */
	w[4] = ordered(_mm512_or_si512(w[4], all((SL_SYN | SL_ACK) << 16 | terms->wnd)),
		       SWAP64);
	sum = plus(all(RTE_BE16(IPPROTO_TCP)), plus(addrs, _mm512_slli_epi64(len, 8)));
	for (unsigned int i = 3; i < LANES; i++)
		sum = plus(sum, halves(w[i]));
	w[5] = _mm512_or_si512(w[5], _mm512_xor_si512(fold(sum), all(0xffff)));
	return len;
}

/* The eight words of each answer over IPv4; returns the length of each TCP header. */
INLINE vec
answer4(const struct sl_crowd *c, unsigned int k, const struct sl_door *door,
	const struct sl_synack_terms *terms, const struct sl_synack_each *each, vec w[LANES])
{
	uint64_t eth_ip = (uint64_t)door->mac[4] | (uint64_t)door->mac[5] << 8 |
			  (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 16 | 0x45ull << 32 |
			  (uint64_t)terms->tos << 40;
	vec len, ip, addrs;

	w[2] = _mm512_ror_epi64(_mm512_loadu_si512(&c->addr[0][k]), 32);
	addrs = halves(w[2]);
	len = answer_tcp(c, k, terms, each, addrs, w);
	w[0] = _mm512_or_si512(all(eth_ip), _mm512_slli_epi64(plus(len, all(SL_IP4_HDR)), 56));
	w[1] = all(RTE_BE16(0x4000) << 16 | (uint64_t)terms->ttl << 32 |
		   (uint64_t)IPPROTO_TCP << 40);
	ip = fold(plus(high(w[0]), plus(halves(w[1]), addrs)));
	w[1] = _mm512_or_si512(w[1], _mm512_slli_epi64(_mm512_xor_si512(ip, all(0xffff)), 48));
	return len;
}

/* Both MAC addresses of the answer in the frame at @p but for the last four of ours. */
INLINE void
turn_ether(uint8_t *p, uint64_t mac)
{
	uint64_t ether;

	memcpy(&ether, p + 6, sizeof(ether));
	ether = (ether & 0xffffffffffffull) | mac << 48;
	memcpy(p, &ether, sizeof(ether));
}

/* The words of an answer, around the TCP header of @len bytes that begins at @tcp. */
INLINE void
put_words(uint8_t *tcp, vec w, unsigned int len)
{
	_mm512_mask_storeu_epi8(tcp - BEFORE, first_bytes(BEFORE + len), w);
}

void
sl_synacks4_512(struct sl_crowd *c, const struct sl_door *door,
		const struct sl_synack_terms *terms, const struct sl_synack_each *each)
{
	uint64_t mac;

	memcpy(&mac, door->mac, sizeof(mac));
	for (unsigned int k = 0; k < c->n; k += LANES) {
		unsigned int n = c->n - k < LANES ? c->n - k : LANES;
		uint64_t len[LANES];
		vec w[LANES];

		_mm512_storeu_si512(len, answer4(c, k, door, terms, each, w));
		turn(w);
		for (unsigned int i = 0; i < n; i++) {
			uint8_t *p = c->frame[k + i];
			uint16_t more = (uint16_t)(mac >> 16);

			turn_ether(p, mac);
			memcpy(p + 8, &more, sizeof(more));
			put_words(p + IP4_TCP, w[i], (unsigned int)len[i]);
			sl_synack_resize(c->m[k + i], IP4_TCP + (unsigned int)len[i]);
		}
	}
}

/* The eight words of each answer over IPv6; returns the length of each TCP header. */
INLINE vec
answer6(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	const struct sl_synack_each *each, vec w[LANES])
{
	vec first = _mm512_loadu_si512(&c->addr[2][k]), sum;

	w[0] = _mm512_loadu_si512(&c->addr[3][k]);
	w[1] = _mm512_loadu_si512(&c->addr[0][k]);
	w[2] = _mm512_loadu_si512(&c->addr[1][k]);
	sum = plus(plus(halves(first), halves(w[0])), plus(halves(w[1]), halves(w[2])));
	return answer_tcp(c, k, terms, each, sum, w);
}

void
sl_synacks6_512(struct sl_crowd *c, const struct sl_door *door,
		const struct sl_synack_terms *terms, const struct sl_synack_each *each)
{
	const uint64_t ip = rte_cpu_to_be_64(6ull << 60 | (uint64_t)terms->tos << 52 |
					     IPPROTO_TCP << 8 | terms->ttl);
	uint64_t mac, middle;

	memcpy(&mac, door->mac, sizeof(mac));
	middle = mac >> 16 | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV6) << 32 | ip << 48;
	for (unsigned int k = 0; k < c->n; k += LANES) {
		unsigned int n = c->n - k < LANES ? c->n - k : LANES;
		uint64_t len[LANES];
		vec w[LANES];

		_mm512_storeu_si512(len, answer6(c, k, terms, each, w));
		turn(w);
		for (unsigned int i = 0; i < n; i++) {
			uint8_t *p = c->frame[k + i];
			uint64_t last = ip >> 16 | len[i] << 24;

			turn_ether(p, mac);
			memcpy(p + 8, &middle, sizeof(middle));
			memcpy(p + 16, &last, sizeof(last)); /* and two bytes too many */
			memcpy(p + IP6_TCP - 32, &c->addr[2][k + i], sizeof(uint64_t));
			put_words(p + IP6_TCP, w[i], (unsigned int)len[i]);
			sl_synack_resize(c->m[k + i], IP6_TCP + (unsigned int)len[i]);
		}
	}
}

#endif
