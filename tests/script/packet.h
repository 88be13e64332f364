/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet - one TCP segment as a script writes it, and as a script would have written what
 * really came.
 *
 * Numbers are relative: sequence numbers to the initial ones of their side (SYN is 0),
 * our timestamps to what the script called the first of them. The same struct holds what
 * is to be sent, what is expected and what came; the last is always complete.
 */
#ifndef SCRIPT_PACKET_H
#define SCRIPT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKT_OPTS_MAX 12
#define PKT_TEXT_MAX 400

enum opt_kind {
	OPT_EOL,
	OPT_NOP,
	OPT_MSS,
	OPT_WSCALE,
	OPT_SACK_OK,
	OPT_SACK,
	OPT_TS,
	OPT_HEX, /* bytes as given, for options that are unknown or broken */
};

struct opt {
	uint8_t kind; /* enum opt_kind */
	uint8_t n;    /* SACK blocks, or bytes of hex */
	bool any_a, any_b;
	bool last;     /* TSecr is the last TSval seen */
	uint32_t a, b; /* MSS or scale in a; TSval and TSecr */
	union {
		struct {
			uint32_t lo, hi;
		} block[4];
		uint8_t hex[40];
	};
};

enum opts_mode {
	OPTS_USUAL,  /* nothing written: timestamps if negotiated; on an expected SYN any */
	OPTS_ANY,    /* <...> */
	OPTS_LISTED, /* these, no others; NOPs aside */
};

/* What is odd about a frame that a script sends: {badsum,pad,...}. */
struct knobs {
	bool badsum;               /* wrong TCP checksum */
	bool badip;                /* wrong IPv4 header checksum; in IPv6 a wrong version */
	bool pad;                  /* Ethernet padding to 60 bytes, not zero */
	bool group_mac;            /* destination MAC is a group */
	bool group_dst, group_src; /* IP group addresses */
	bool ipopts;               /* IPv4 options, IPv6 destination options */
	bool reserved;             /* all reserved TCP bits set */
	bool fragment;             /* first fragment */
	bool land;                 /* source is our own address and port */
	uint8_t dataofs;           /* TCP data offset as given */
	uint16_t cut;              /* frame ends this many bytes early */
	uint16_t vlan;
	uint16_t split; /* first segment of the mbuf chain has this many bytes */
	bool has_tos, has_ttl;
	uint16_t tos, ttl; /* also of what is expected: type of service, hop limit */
};

struct pkt {
	uint8_t flags; /* SL_FIN ... */
	uint8_t opts_mode, n_opts;
	bool abs_seq, abs_ack; /* written with @: as on the wire */
	bool has_win, any_seq, any_len, any_ack;
	uint8_t may; /* flags that may be there or not, written p and a */
	bool newer;  /* expected SYN: beyond all that was sent before on this tuple */
	uint32_t seq, ack, len;
	uint16_t win, urg;
	uint16_t n_text; /* the first bytes of the payload, in words */
	struct opt opt[PKT_OPTS_MAX];
	struct knobs knobs;
	char text[PKT_TEXT_MAX];
};

/* The option of @kind in @p, or NULL. */
const struct opt *pkt_opt(const struct pkt *p, enum opt_kind kind);

/* Write @p in script notation into @buf. */
void pkt_print(char *buf, size_t size, const struct pkt *p);

/*
 * The first thing in which @got is not what @want says, or NULL. @ts says whether both
 * ends agreed on timestamps.
 */
const char *pkt_differs(const struct pkt *want, const struct pkt *got, bool ts);

#endif
