/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire - the frames a peer sends and what it reads in the answers.
 *
 * Written without lib/wire, so that a mistake there does not look right here: checksums
 * come from DPDK's own helpers, offsets are spelled out.
 */
#ifndef PERF_WIRE_H
#define PERF_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum {
	WIRE_FIN = 0x01,
	WIRE_SYN = 0x02,
	WIRE_RST = 0x04,
	WIRE_PSH = 0x08,
	WIRE_ACK = 0x10,
};

/* What options a segment carries. */
enum wire_options {
	WIRE_BARE,
	WIRE_TS,          /* as all but SYNs of a modern stack */
	WIRE_SYN_LINUX,   /* MSS, SACK, timestamps, scale 7: a frame of 74 bytes */
	WIRE_SYN_WINDOWS, /* MSS, scale 8, SACK */
	WIRE_SYN_BSD,     /* MSS, scale 6, SACK, timestamps */
};

/* A connection as the peer sees it; numbers in host order. */
struct wire_end {
	uint32_t addr; /* IPv4, or the last word of an IPv6 address */
	uint16_t port, server;
	bool v6;
};

struct wire_seg {
	uint32_t seq, ack, tsval, tsecr;
	uint16_t wnd, len; /* len bytes of payload */
	uint8_t flags;
	uint8_t options; /* enum wire_options */
	const void *payload;
};

/* What came back. */
struct wire_in {
	struct wire_end end;
	uint32_t seq, ack, tsval;
	uint16_t wnd, len;
	uint8_t flags;
	bool ts;
	const struct rte_mbuf *m; /* itself, while it is there */
};

/* The server's Ethernet address, learnt when it is opened. */
extern uint8_t wire_server_mac[6];

/* Write the frame into @m, which is empty. */
void wire_put(struct rte_mbuf *m, const struct wire_end *end, const struct wire_seg *seg);

/* Read a TCP frame of the server's; false if it is none. */
bool wire_get(const struct rte_mbuf *m, struct wire_in *in);

/*
 * Whether this answer is one of those that are looked at closely: one in WIRE_SAMPLE, drawn at
 * random, so that no place in a burst, and no lane of a vector, is always left out.
 */
#define WIRE_SAMPLE 16
bool wire_is_drawn(void);

/* Whether it brings just the @len bytes at @bytes. */
bool wire_brings(const struct wire_in *in, const void *bytes, uint16_t len);

/* Whether both checksums of a TCP frame, chains included, and its MAC addresses are right. */
bool wire_is_right(const struct rte_mbuf *m);

/* Turn an ARP request or neighbour solicitation for us into its answer; false if it is none. */
bool wire_answer_neighbour(struct rte_mbuf *m);

/* Frames of other kinds, for mixed bursts. */
void wire_put_echo(struct rte_mbuf *m, uint32_t addr); /* ICMP echo request */
void wire_put_udp(struct rte_mbuf *m, uint32_t addr);
void wire_put_arp(struct rte_mbuf *m); /* who has the server's address? */

#endif
