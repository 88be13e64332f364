/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steer - the Toeplitz hash of received packets, in software.
 *
 * The key is random for each process: a stranger who knew it could send all his
 * connections to one worker.
 */
#include <assert.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "engine/steer.h"
#include "wire/frame.h"

#define ICMP6_NEIGHBOUR_ADVERTISEMENT 136

/* The 32 bits of @key from the @bit-th on: what that bit of the input adds to the hash. */
static uint32_t
key_from(const uint8_t *key, unsigned int bit)
{
	uint64_t bytes;

	memcpy(&bytes, key + bit / 8, sizeof(bytes));
	return (uint32_t)(rte_be_to_cpu_64(bytes) >> (32 - bit % 8));
}

static_assert(SL_STEER_WORDS * 4 + sizeof(uint64_t) <= SL_STEER_KEY_BYTES, "see key_from()");

/* By the lowest bit of each value, and what the others have added together. */
static void
fill_adds(struct sl_steer *steer)
{
	for (unsigned int n = 0; n < SL_STEER_WORDS * 8; n++) {
		uint32_t *adds = steer->adds[n / 8][n % 8];

		for (unsigned int value = 1; value < 16; value++) {
			unsigned int low = (unsigned int)__builtin_ctz(value);

			adds[value] = adds[value & (value - 1)] ^
				      key_from(steer->key, 4 * n + 3 - low);
		}
	}
}

void
sl_steer_init(struct sl_steer *steer, const uint8_t key[SL_STEER_KEY_BYTES], uint16_t n_workers,
	      uint16_t slots)
{
	assert(slots > 0 && slots <= SL_STEER_SLOTS && (slots & (slots - 1)) == 0);
	assert(n_workers > 0);

	memset(steer, 0, sizeof(*steer));
	steer->n_workers = n_workers;
	steer->mask = slots - 1;
	for (uint16_t i = 0; i < slots; i++)
		steer->owner[i] = i % n_workers;
	memcpy(steer->key, key, SL_STEER_KEY_BYTES);
	fill_adds(steer);
}

/* What @word, as it is on the wire, adds to the hash as the @n-th of what is hashed. */
static inline uint32_t
adds(const struct sl_steer *steer, unsigned int n, uint32_t word)
{
	uint32_t bits = rte_be_to_cpu_32(word), sum = 0;

	for (unsigned int i = 0; i < 8; i++)
		sum ^= steer->adds[n][i][bits >> (28 - 4 * i) & 15];
	return sum;
}

/* Sender, receiver, ports. */
uint32_t
sl_steer_hash(const struct sl_steer *steer, const struct sl_tuple *tuple)
{
	uint32_t ports = rte_cpu_to_be_32((uint32_t)tuple->rport << 16 | tuple->lport);
	uint32_t hash = 0;

	if (!tuple->v6)
		return adds(steer, 0, tuple->remote.w[3]) ^ adds(steer, 1, tuple->local.w[3]) ^
		       adds(steer, 2, ports);
	for (unsigned int i = 0; i < 4; i++)
		hash ^= adds(steer, i, tuple->remote.w[i]) ^
			adds(steer, 4 + i, tuple->local.w[i]);
	return hash ^ adds(steer, 8, ports);
}

uint16_t
sl_steer_owner(const struct sl_steer *steer, const struct rte_mbuf *m, uint16_t here)
{
	struct sl_tuple tuple;

	if (!sl_frame_steer(m, &tuple))
		return here;
	return sl_steer_slot(steer, sl_steer_hash(steer, &tuple));
}

bool
sl_steer_is_home(const void *home, const struct sl_tuple *tuple)
{
	const struct sl_steer_home *h = home;

	return sl_steer_slot(h->steer, sl_steer_hash(h->steer, tuple)) == h->worker;
}

static bool
is_arp_reply(const struct rte_mbuf *m, uint16_t at)
{
	struct rte_arp_hdr arp;

	if (m->data_len < at + sizeof(arp))
		return false;
	memcpy(&arp, rte_pktmbuf_mtod_offset(m, const void *, at), sizeof(arp));
	return arp.arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY);
}

static bool
is_advertisement(const struct rte_mbuf *m, uint16_t at)
{
	const uint8_t *ip6 = rte_pktmbuf_mtod_offset(m, const uint8_t *, at);

	if (m->data_len < at + sizeof(struct rte_ipv6_hdr) + 1)
		return false;
	return ip6[6] == IPPROTO_ICMPV6 && /* next header; ND carries no extension headers */
	       ip6[sizeof(struct rte_ipv6_hdr)] == ICMP6_NEIGHBOUR_ADVERTISEMENT;
}

bool
sl_steer_for_all(const struct rte_mbuf *m, const uint8_t mac[6])
{
	uint16_t at = sizeof(struct rte_ether_hdr);
	struct rte_ether_hdr eth;
	struct rte_vlan_hdr tag;
	uint16_t type;

	if (m->data_len < at)
		return false;
	memcpy(&eth, rte_pktmbuf_mtod(m, const void *), sizeof(eth));
	if (!rte_is_multicast_ether_addr(&eth.dst_addr) &&
	    memcmp(&eth.dst_addr, mac, sizeof(eth.dst_addr)) != 0)
		return false;
	type = eth.ether_type;
	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) && m->data_len >= at + sizeof(tag)) {
		memcpy(&tag, rte_pktmbuf_mtod_offset(m, const void *, at), sizeof(tag));
		type = tag.eth_proto;
		at += sizeof(tag);
	}

	if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return is_arp_reply(m, at);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return is_advertisement(m, at);
	return false;
}
