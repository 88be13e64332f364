/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * build - headers onto packets. The one place that writes TCP, IP and Ethernet headers.
 */
#ifndef SL_WIRE_BUILD_H
#define SL_WIRE_BUILD_H

#include <stdint.h>

#include <rte_mbuf.h>

#include "base/addr.h"
#include "wire/frame.h"

/* How a frame leaves: the Ethernet header and the port. */
struct sl_l2 {
	uint8_t dst[6], src[6];
	uint16_t vlan; /* VLAN id, 0 for none */
	uint16_t port;
};

/* What a port computes for us, bits of sl_port_conf.offloads. */
#define SL_OFFLOAD_IPV4_CKSUM 0x01
#define SL_OFFLOAD_TCP_CKSUM  0x02
#define SL_OFFLOAD_MULTI_SEG  0x04 /* sends chains of mbufs */

/* One TCP segment to be sent, in host order. Options appear if their bit is in @opts. */
struct sl_seg_out {
	uint32_t seq, ack;
	uint32_t tsval, tsecr;
	uint16_t wnd; /* as on the wire, already scaled */
	uint16_t mss;
	uint8_t flags, opts, wscale;
	uint8_t n_sacks;
	uint8_t ttl, tos;
	uint8_t offloads; /* SL_OFFLOAD_* of the port it leaves by */
	struct sl_sack sack[SL_SACKS_MAX];
};

/* Bytes of options that sl_tcp_build() would write for @opts and @n_sacks: 0 to 40, by fours.
 */
uint16_t sl_tcp_options_len(uint8_t opts, uint8_t n_sacks);

/*
 * Put TCP, IP and Ethernet headers in front of what @m carries: nothing, bytes of its own,
 * or a chain. Needs 118 bytes of headroom in the first segment. @tuple reads as seen from
 * here (local is the source). Sums in software what @seg->offloads does not cover, else
 * sets ol_flags, l2_len, l3_len, l4_len and the pseudo-header sum as ethdev wants them.
 * IPv4 carries DF and identification 0 (RFC 6864). Sets m->port from @l2.
 */
void sl_tcp_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
		  const struct sl_seg_out *seg);

/*
 * Put IP and Ethernet headers in front of the transport packet that @m is, with its checksum
 * already right. Needs 58 bytes of headroom; @tuple and m->port as for sl_tcp_build().
 */
void sl_ip_build(struct rte_mbuf *m, const struct sl_l2 *l2, const struct sl_tuple *tuple,
		 uint8_t proto, uint8_t ttl, uint8_t tos);

/* Put an Ethernet header, with a VLAN tag if @l2 has one, in front of @m. Sets m->port. */
void sl_ether_build(struct rte_mbuf *m, const struct sl_l2 *l2, uint16_t type);

/*
 * The way back for the frame @m: addresses swapped, same VLAN, same port. Written in place and
 * in the pieces it is read by: a copy as a whole would wait for each.
 */
void sl_l2_reply(const struct rte_mbuf *m, const struct sl_frame *frame, struct sl_l2 *back);

/*
 * Turn the received @m into an empty packet with full headroom, so that an answer can be
 * built in it. False if @m is shared, chained, external or has too little room: then the
 * caller takes a fresh one.
 */
bool sl_reuse(struct rte_mbuf *m);

#endif
