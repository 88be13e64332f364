/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * synack_leaf - sl_synacks_build() of as many answers at a time as a vector has lanes. What is
 * written is what it writes without.
 */
#include <string.h>

#include "base/leaf.h"
#include "wire/crowd_leaf.h"
#include "wire/lanes.h"

/* The options of each answer, in w[5] above, w[6] and w[7]; returns how long they are. */
INLINE vec
put_options(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	    const struct sl_synack_each *each, vec w[WORDS])
{
	const uint64_t mss = rte_cpu_to_be_32(0x02040000u | terms->mss);
	const uint64_t scale = rte_cpu_to_be_32(0x01030300u | terms->scale);
	vec opts = load_bytes(&c->opts[k]);
	mask ts = has(opts, SL_OPT_TS), sack = has(opts, SL_OPT_SACK_OK);
	mask scaled = has(opts, SL_OPT_WSCALE);
	vec o1 = where(sack, all(0x0a080204), all(0x0a080101));
	vec times = load_halves(&each->tsval[k]) | left(load_halves(&c->tsval[k]), 32);
	vec o4 = only(scaled, all(scale)), plain, len;

	times = ordered(times, SWAP32);
	/* without timestamps SACK-permitted comes first, then the scale */
	plain = where(sack, all(RTE_BE32(0x01010402)) | left(o4, 32), o4);
	w[5] = all(mss << 32);
	w[6] = where(ts, o1 | left(times, 32), plain);
	w[7] = only(ts, high(times) | left(o4, 32));
	len = where(ts, all(12), only(sack, all(4)));
	return all(4) + len + only(scaled, all(4));
}

/* Whether those from the @k-th on agree to all that there is, as most of a flood do. */
INLINE bool
agree_to_all(const struct sl_crowd *c, unsigned int k)
{
	return among(is(load_bytes(&c->opts[k]),
			SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS)) == ALL;
}

/* As put_options() for such. */
INLINE vec
put_all_options(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
		const struct sl_synack_each *each, vec w[WORDS])
{
	const uint64_t mss = rte_cpu_to_be_32(0x02040000u | terms->mss);
	const uint64_t scale = rte_cpu_to_be_32(0x01030300u | terms->scale);
	vec ours = ordered(load_halves(&each->tsval[k]), SWAP32);
	vec theirs = ordered(load_halves(&c->tsval[k]), SWAP32);

	w[5] = all(mss << 32);
	w[6] = all(0x0a080204) | left(ours, 32);
	w[7] = all(scale << 32) | theirs;
	return all(20);
}

/*
 * The five words of TCP of each answer; @addrs is the sum of both addresses. Returns the
 * length of each header.
 */
INLINE vec
answer_tcp(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	   const struct sl_synack_each *each, vec addrs, vec w[WORDS])
{
	vec numbers = load_words(&c->numbers[k]), isn = load_halves(&each->isn[k]);
	vec ack = left(high(numbers) + all(1), 32);
	vec len, pseudo;

	if (likely(agree_to_all(c, k)))
		len = put_all_options(c, k, terms, each, w) + all(SL_TCP_HDR);
	else
		len = put_options(c, k, terms, each, w) + all(SL_TCP_HDR);

	w[3] = ordered(left(numbers, 32) | isn, SWAP64);
	w[4] = ack | left(len, 26); /* in words, << 28 */
	w[4] = ordered(w[4] | all((SL_SYN | SL_ACK) << 16 | terms->wnd), SWAP64);
	pseudo = all(RTE_BE16(IPPROTO_TCP)) + addrs + left(len, 8);
	if (unlikely(terms->offloads & SL_OFFLOAD_TCP_CKSUM)) {
		w[5] |= fold(pseudo); /* the port adds the rest */
		return len;
	}
	w[5] |= fold(pseudo + sum_of(&w[3], WORDS - 3)) ^ all(0xffff);
	return len;
}

/* The eight words of each answer over IPv4; returns the length of each TCP header. */
INLINE vec
answer4(const struct sl_crowd *c, unsigned int k, const struct sl_door *door,
	const struct sl_synack_terms *terms, const struct sl_synack_each *each, vec w[WORDS])
{
	uint64_t eth_ip = (uint64_t)door->mac[4] | (uint64_t)door->mac[5] << 8 |
			  (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 16 | 0x45ull << 32 |
			  (uint64_t)terms->tos << 40;
	vec len, ip, addrs;

	w[2] = swapped(load_words(&c->addr[0][k]));
	addrs = halves(w[2]);
	len = answer_tcp(c, k, terms, each, addrs, w);
	w[0] = all(eth_ip) | left(len + all(SL_IP4_HDR), 56);
	w[1] = all(RTE_BE16(0x4000) << 16 | (uint64_t)terms->ttl << 32 |
		   (uint64_t)IPPROTO_TCP << 40);
	if (unlikely(terms->offloads & SL_OFFLOAD_IPV4_CKSUM))
		return len;
	ip = fold(high(w[0]) + halves(w[1]) + addrs);
	w[1] |= left(ip ^ all(0xffff), 48);
	return len;
}

/* The eight words of each answer over IPv6; returns the length of each TCP header. */
INLINE vec
answer6(const struct sl_crowd *c, unsigned int k, const struct sl_synack_terms *terms,
	const struct sl_synack_each *each, vec w[WORDS])
{
	vec first = load_words(&c->addr[2][k]), sum;

	w[0] = load_words(&c->addr[3][k]);
	w[1] = load_words(&c->addr[0][k]);
	w[2] = load_words(&c->addr[1][k]);
	sum = halves(first) + halves(w[0]) + halves(w[1]) + halves(w[2]);
	return answer_tcp(c, k, terms, each, sum, w);
}

/* The frames of some answers, and a place for what is written of who is missing in the last. */
struct frames {
	uint8_t *at[LANES];
	unsigned int n;
	uint8_t none[SL_SYNACK_MOST];
};

INLINE void
find_frames(struct frames *f, const struct sl_crowd *c, unsigned int k)
{
	f->n = c->n - k < LANES ? c->n - k : LANES;
	for (unsigned int i = 0; i < LANES; i++)
		f->at[i] = i < f->n ? c->frame[k + i] : f->none;
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

void
SL_LEAF_OF(sl_synacks4)(struct sl_crowd *c, const struct sl_door *door,
			const struct sl_synack_terms *terms, const struct sl_synack_each *each)
{
	const uint64_t flags = sl_synack_flags(false, terms->offloads);
	struct frames f;
	uint64_t mac;

	memcpy(&mac, door->mac, sizeof(mac));
	for (unsigned int k = 0; k < c->n; k += LANES) {
		uint64_t bytes[LANES]; /* from the first word on */
		vec w[WORDS];

		find_frames(&f, c, k);
		store_words(bytes, answer4(c, k, door, terms, each, w) + all(BEFORE));
		for (unsigned int i = 0; i < f.n; i++) {
			uint16_t more = (uint16_t)(mac >> 16);

			turn_ether(f.at[i], mac);
			memcpy(f.at[i] + 8, &more, sizeof(more));
			sl_synack_resize(c->m[k + i], false,
					 SL_IP4_TCP - BEFORE + (unsigned int)bytes[i], flags);
		}
		give_words(f.at, bytes, SL_IP4_TCP - BEFORE, w);
	}
}

void
SL_LEAF_OF(sl_synacks6)(struct sl_crowd *c, const struct sl_door *door,
			const struct sl_synack_terms *terms, const struct sl_synack_each *each)
{
	const uint64_t ip = rte_cpu_to_be_64(6ull << 60 | (uint64_t)terms->tos << 52 |
					     IPPROTO_TCP << 8 | terms->ttl);
	const uint64_t flags = sl_synack_flags(true, terms->offloads);
	uint64_t mac, middle;
	struct frames f;

	memcpy(&mac, door->mac, sizeof(mac));
	middle = mac >> 16 | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV6) << 32 | ip << 48;
	for (unsigned int k = 0; k < c->n; k += LANES) {
		uint64_t bytes[LANES]; /* from the first word on */
		vec w[WORDS];

		find_frames(&f, c, k);
		store_words(bytes, answer6(c, k, terms, each, w) + all(BEFORE));
		for (unsigned int i = 0; i < f.n; i++) {
			uint8_t *p = f.at[i];
			uint64_t last = ip >> 16 | (bytes[i] - BEFORE) << 24;

			turn_ether(p, mac);
			memcpy(p + 8, &middle, sizeof(middle));
			memcpy(p + 16, &last, sizeof(last)); /* and two bytes too many */
			memcpy(p + SL_IP6_TCP - 32, &c->addr[2][k + i], sizeof(uint64_t));
			sl_synack_resize(c->m[k + i], true,
					 SL_IP6_TCP - BEFORE + (unsigned int)bytes[i], flags);
		}
		give_words(f.at, bytes, SL_IP6_TCP - BEFORE, w);
	}
}
