/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame - what is in a received frame: layers found, lengths checked, fields in host order.
 *
 * The parser reads only the first segment for headers (a header that is not whole there
 * is malformed) and never past what the IP length says: Ethernet padding is not data.
 */
#ifndef SL_WIRE_FRAME_H
#define SL_WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/addr.h"
#include "base/fate.h"

/* TCP control bits (RFC 9293, 3.1). */
#define SL_FIN 0x01
#define SL_SYN 0x02
#define SL_RST 0x04
#define SL_PSH 0x08
#define SL_ACK 0x10
#define SL_URG 0x20
#define SL_ECE 0x40
#define SL_CWR 0x80

/* Options seen in a segment, bits of sl_seg.opts. */
#define SL_OPT_MSS     0x01
#define SL_OPT_WSCALE  0x02
#define SL_OPT_SACK_OK 0x04
#define SL_OPT_TS      0x08
#define SL_OPT_SACK    0x10

#define SL_SACKS_MAX 4

struct sl_sack {
	uint32_t lo, hi; /* bytes lo .. hi-1 */
};

/* One TCP segment as received. */
struct sl_seg {
	uint32_t seq, ack;
	uint32_t tsval, tsecr; /* 0 without SL_OPT_TS */
	uint16_t wnd;          /* as on the wire, not scaled */
	uint16_t len;          /* payload bytes; SYN and FIN not counted */
	uint16_t mss;          /* with SL_OPT_MSS */
	uint16_t urg;
	uint8_t flags;  /* SL_FIN ... SL_CWR */
	uint8_t opts;   /* SL_OPT_* */
	uint8_t wscale; /* with SL_OPT_WSCALE; at most 14 (RFC 7323, 2.3) */
	uint8_t n_sacks;
	struct sl_sack sack[SL_SACKS_MAX];
};

/* Sequence space a segment takes: its bytes, its SYN, its FIN. */
static inline uint32_t
sl_seg_span(const struct sl_seg *seg)
{
	return seg->len + !!(seg->flags & SL_SYN) + !!(seg->flags & SL_FIN);
}

enum sl_kind {
	SL_KIND_NONE, /* not for us to read further; the fate says why */
	SL_KIND_TCP,
	SL_KIND_ARP,
	SL_KIND_ICMP4,
	SL_KIND_ICMP6,
};

/* Where the layers of a frame lie. Offsets count from the start of the packet's data. */
struct sl_frame {
	uint16_t l3, l4;  /* IP (or ARP) header; transport header, extension headers skipped */
	uint16_t payload; /* first byte of TCP payload */
	uint16_t l4_len;  /* bytes from l4 to the end of the IP packet */
	uint16_t vlan;    /* VLAN id, from the frame or the mbuf; 0 without a tag */
	uint8_t kind;     /* enum sl_kind */
	uint8_t ttl, tos; /* hop limit and traffic class in IPv6 */
};

/*
 * Take @m apart. SL_FATE_NONE means @frame is filled and, but for ARP, the addresses (and
 * with TCP the ports) of @tuple, remote being the sender; with TCP also @seg. The IPv4
 * header checksum and the TCP checksum are verified here, in software unless the port says
 * GOOD; ICMP's are left to lib/net. Any other value is what ended the packet. Never
 * changes @m, and reads only bytes inside it, however malformed. Sums are made in vectors of
 * @bits, as sl_leaf_bits() says.
 */
enum sl_fate sl_frame_parse_by(unsigned int bits, const struct rte_mbuf *m,
			       struct sl_frame *frame, struct sl_tuple *tuple,
			       struct sl_seg *seg);

/* The same, layer by layer: for what sl_frame_common() does not take. */
enum sl_fate sl_frame_parse_any(unsigned int bits, const struct rte_mbuf *m,
				struct sl_frame *frame, struct sl_tuple *tuple,
				struct sl_seg *seg);

/* The same by the plain twin. */
static inline enum sl_fate
sl_frame_parse(const struct rte_mbuf *m, struct sl_frame *frame, struct sl_tuple *tuple,
	       struct sl_seg *seg)
{
	return sl_frame_parse_by(0, m, frame, tuple, seg);
}

/*
 * The connection a frame belongs to, for steering between cores: a TCP segment's own, or
 * the one an ICMP error quotes (turned round so that it reads as seen from here). False if
 * it is about none. Checks lengths but no checksums; never changes @m.
 */
bool sl_frame_steer(const struct rte_mbuf *m, struct sl_tuple *tuple);

/* Whether it is a TCP segment that asks for a new connection; looks at it as closely. */
bool sl_frame_is_syn(const struct rte_mbuf *m);

/*
 * Parse the option bytes @opt[0..@len) of a TCP header into @seg->opts and what goes with
 * them. Unknown options are skipped by length; a length of 0, 1 or past the end stops the
 * parse, what came before counts (RFC 9293, 3.1, MUST-6, MUST-7).
 */
void sl_seg_options(struct sl_seg *seg, const uint8_t *opt, uint16_t len);

#endif
