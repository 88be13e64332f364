/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame - segments to frames and back, for the far end of the wire.
 *
 * Written apart from lib/wire on purpose: two hands must agree on what is on the wire. What
 * the core sends is held against the rules here, byte by byte: checksums, lengths, DF,
 * reserved bits, the form of the options.
 */
#ifndef SCRIPT_FRAME_H
#define SCRIPT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "packet.h"

#define FRAME_MAX 66000

/* The two ends of a connection, seen from the core. */
struct ends {
	bool v6;
	uint8_t our_mac[6], peer_mac[6];
	struct sl_addr ours, peer;
	uint16_t lport, rport;
};

/* Write the frame of @p, whose numbers are as on the wire; @payload has p->len bytes. */
size_t frame_build(uint8_t *out, const struct ends *ends, const struct pkt *p,
		   const uint8_t *payload);

enum frame_what { FRAME_TCP, FRAME_ARP, FRAME_ND_ASK, FRAME_OTHER, FRAME_BROKEN };

/*
 * What the core sent: with FRAME_TCP @ends has addresses and ports, @p the segment as on
 * the wire, *@payload its bytes; with FRAME_ARP (a request) and FRAME_ND_ASK ends->peer is the
 * address asked for; with FRAME_BROKEN *@why says which rule it breaks.
 */
enum frame_what frame_read(const uint8_t *frame, size_t len, uint16_t mtu, struct ends *ends,
			   struct pkt *p, const uint8_t **payload, const char **why);

/* The answer of ends->peer to an ARP request or a neighbour solicitation. */
size_t frame_here_i_am(uint8_t *out, const struct ends *ends);

/* An ICMP error from ends->peer about @quoted, a frame the core sent; see icmp_kinds. */
struct icmp {
	char kind[32];
	uint16_t mtu;
	bool badsum;
	bool has_seq, has_lport;
	uint32_t seq; /* as on the wire, instead of the quoted one */
	uint16_t lport;
};
/* 0 if there is no such kind in this family. */
size_t frame_icmp(uint8_t *out, const struct ends *ends, const struct icmp *icmp,
		  const uint8_t *quoted, size_t quoted_len);

#endif
