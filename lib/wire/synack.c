/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * synack - words of eight bytes as they lie in the frame, written and summed in one go.
 */
#include "wire/synack.h"

#include <string.h>

#include <rte_branch_prediction.h>

#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/crowd_leaf.h"
#include "wire/proto.h"

static inline void
put(uint8_t *p, uint64_t w)
{
	memcpy(p, &w, sizeof(w));
}

static inline uint64_t
put_options(uint8_t *p, const struct sl_crowd *c, unsigned int k,
	    const struct sl_synack_terms *terms, uint32_t tsval)
{
	uint8_t opts = c->opts[k];
	uint64_t sum = sl_put32_raw(p, 0x02040000u | terms->mss);

	p += 4;
	if (opts & SL_OPT_TS) {
		sum += sl_put32_raw(p, opts & SL_OPT_SACK_OK ? 0x0402080a : 0x0101080a);
		sum += sl_put32_raw(p + 4, tsval);
		sum += sl_put32_raw(p + 8, c->tsval[k]);
		p += 12;
	} else if (opts & SL_OPT_SACK_OK) {
		sum += sl_put32_raw(p, 0x01010402);
		p += 4;
	}
	if (opts & SL_OPT_WSCALE)
		sum += sl_put32_raw(p, 0x01030300u | terms->scale);
	return sum;
}

/* The header at @tcp, @len bytes long; @pseudo is the sum of both addresses. */
static inline void
put_tcp(uint8_t *tcp, const struct sl_crowd *c, unsigned int k,
	const struct sl_synack_terms *terms, const struct sl_synack_each *each,
	unsigned int len, uint64_t pseudo)
{
	/* lport << 16 | rport reads right in network order now that we are the source */
	uint64_t first = rte_bswap64(c->numbers[k] << 32 | each->isn[k]);
	uint32_t ack = (uint32_t)(c->numbers[k] >> 32) + 1;
	uint64_t second = rte_bswap64((uint64_t)ack << 32 | len / 4 << 28 |
				      (SL_SYN | SL_ACK) << 16 | terms->wnd);
	uint64_t sum = sl_cksum_halves(first) + sl_cksum_halves(second);
	uint16_t part;

	pseudo += RTE_BE16(IPPROTO_TCP) + rte_cpu_to_be_16((uint16_t)len);
	put(tcp, first);
	put(tcp + 8, second);
	sum += put_options(tcp + SL_TCP_HDR, c, k, terms, each->tsval[k]);
	sl_put16(tcp + 18, 0); /* urgent pointer */
	if (unlikely(terms->offloads & SL_OFFLOAD_TCP_CKSUM)) {
		part = sl_cksum_fold(pseudo); /* the port adds the rest */
		memcpy(tcp + 16, &part, sizeof(part));
	} else {
		sl_cksum_put(tcp + 16, sl_cksum_fold(pseudo + sum));
	}
}

/* DF, identification 0 (RFC 6864), as lib/wire/build.c has it. */
static inline void
put_ip4(uint8_t *ip, uint64_t addrs, const struct sl_synack_terms *terms, unsigned int total)
{
	uint64_t turned = addrs << 32 | addrs >> 32;
	uint32_t first = rte_cpu_to_be_32(0x45u << 24 | (uint32_t)terms->tos << 16 | total);
	uint64_t second = rte_cpu_to_be_64(0x4000ull << 32 | (uint32_t)terms->ttl << 24 |
					   IPPROTO_TCP << 16);
	uint64_t sum = first + sl_cksum_halves(second) + sl_cksum_halves(turned);

	memcpy(ip, &first, sizeof(first));
	put(ip + 4, second);
	put(ip + 12, turned);
	if (likely(!(terms->offloads & SL_OFFLOAD_IPV4_CKSUM)))
		sl_cksum_put(ip + 10, sl_cksum_fold(sum));
}

static inline void
put_ip6(uint8_t *ip, const struct sl_crowd *c, unsigned int k,
	const struct sl_synack_terms *terms, unsigned int len)
{
	put(ip, rte_cpu_to_be_64(6ull << 60 | (uint64_t)terms->tos << 52 | (uint64_t)len << 16 |
				 IPPROTO_TCP << 8 | terms->ttl));
	put(ip + 8, c->addr[2][k]);
	put(ip + 16, c->addr[3][k]);
	put(ip + 24, c->addr[0][k]);
	put(ip + 32, c->addr[1][k]);
}

static inline void
turn_ether(uint8_t *p, const struct sl_door *door)
{
	memcpy(p, p + 6, 6);
	memcpy(p + 6, door->mac, 6);
}

void
sl_synacks_build(struct sl_crowd *c, const struct sl_door *door,
		 const struct sl_synack_terms *terms, const struct sl_synack_each *each,
		 const struct sl_crowd_leaf *leaf)
{
	const unsigned int l3 = c->v6 ? SL_IP6_HDR : SL_IP4_HDR;
	const uint64_t flags = sl_synack_flags(c->v6, terms->offloads);

	if (leaf != NULL && likely(c->room >= SL_SYNACK_MOST)) {
		leaf->synacks[c->v6](c, door, terms, each);
		return;
	}
	for (unsigned int k = 0; k < c->n; k++) {
		unsigned int bytes = sl_synack_bytes(c->v6, c->opts[k]);
		unsigned int len = bytes - RTE_ETHER_HDR_LEN - l3;
		uint8_t *p = c->frame[k], *ip = p + RTE_ETHER_HDR_LEN;
		uint64_t pseudo = sl_cksum_halves(c->addr[0][k]);

		turn_ether(p, door);
		if (c->v6) {
			pseudo += sl_cksum_halves(c->addr[1][k]) +
				  sl_cksum_halves(c->addr[2][k]) +
				  sl_cksum_halves(c->addr[3][k]);
			put_ip6(ip, c, k, terms, len);
		} else {
			put_ip4(ip, c->addr[0][k], terms, len + SL_IP4_HDR);
		}
		put_tcp(ip + l3, c, k, terms, each, len, pseudo);
		sl_synack_resize(c->m[k], c->v6, bytes, flags);
	}
}
