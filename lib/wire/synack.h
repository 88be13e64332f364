/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * synack - the answers to a crowd of SYNs, each written over its own SYN.
 *
 * The bytes are those that sl_tcp_build() would write.
 */
#ifndef SL_WIRE_SYNACK_H
#define SL_WIRE_SYNACK_H

#include <assert.h>

#include "wire/build.h"
#include "wire/glance.h"
#include "wire/proto.h"

/* What all answers of a call share. */
struct sl_synack_terms {
	uint16_t mss, wnd;
	uint8_t scale, ttl, tos;
	uint8_t offloads; /* SL_OFFLOAD_* of the port */
};

/* No answer's frame is longer. */
#define SL_SYNACK_MOST (RTE_ETHER_HDR_LEN + SL_IP6_HDR + SL_TCP_HDR + 20)

/* Bytes of the whole frame that answers with @opts. */
static inline uint16_t
sl_synack_bytes(bool v6, uint8_t opts)
{
	uint16_t len = RTE_ETHER_HDR_LEN + (v6 ? SL_IP6_HDR : SL_IP4_HDR) + SL_TCP_HDR + 4;

	if (opts & SL_OPT_TS)
		len += 12;
	else if (opts & SL_OPT_SACK_OK)
		len += 4;
	return len + (opts & SL_OPT_WSCALE ? 4 : 0);
}

/* What ethdev wants to be told of an answer whose sums are the port's; 0: they are ours. */
static inline uint64_t
sl_synack_flags(bool v6, uint8_t offloads)
{
	uint64_t flags = 0;

	if (offloads & SL_OFFLOAD_TCP_CKSUM)
		flags = RTE_MBUF_F_TX_TCP_CKSUM |
			(v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	if (!v6 && (offloads & SL_OFFLOAD_IPV4_CKSUM))
		flags |= RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
	return flags;
}

/*
 * What receiving said of the packet is over. Lengths of headers serve offloads alone: they lie
 * in a line that nobody has touched.
 */
static inline void
sl_synack_resize(struct rte_mbuf *m, bool v6, unsigned int bytes, uint64_t flags)
{
	const unsigned int l3 = v6 ? SL_IP6_HDR : SL_IP4_HDR;

	assert(m->data_off + bytes <= m->buf_len);
	m->data_len = (uint16_t)bytes;
	m->pkt_len = bytes;
	m->ol_flags = flags;
	m->packet_type = 0;
	m->vlan_tci = 0;
	if (unlikely(flags != 0))
		m->tx_offload = rte_mbuf_tx_offload(RTE_ETHER_HDR_LEN, l3,
						    bytes - RTE_ETHER_HDR_LEN - l3, 0, 0, 0, 0);
}

struct sl_crowd_leaf; /* wire/crowd_leaf.h */

/*
 * Turn the SYNs of @c into SYN-ACKs that agree to what c->opts says by now: SL_OPT_WSCALE,
 * SL_OPT_SACK_OK, SL_OPT_TS; an MSS is always offered. Each packet must be simple, as those of
 * a crowd are, and have room for its answer behind its first byte. @leaf may be NULL.
 */
void sl_synacks_build(struct sl_crowd *c, const struct sl_door *door,
		      const struct sl_synack_terms *terms, const struct sl_synack_each *each,
		      const struct sl_crowd_leaf *leaf);

#endif
