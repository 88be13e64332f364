/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * craft - frames written by hand, byte after byte, by code that shares nothing with
 * lib/wire: what it makes is what the library is held against.
 *
 *	craft_ether(&c, ours, theirs, 0, 0x0800);
 *	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 1);
 *	craft_hex(&c, "0800 0000 1234 0001");
 *	craft_end(&c);
 */
#ifndef TEST_CRAFT_H
#define TEST_CRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct craft {
	uint8_t b[9600];
	size_t len;
	size_t l3, l4;     /* offsets of the headers begun last */
	uint8_t ip, proto; /* 4, 6 or 0; the transport, for craft_end() */
};

/* The address written in @text, of either family. */
struct sl_addr craft_addr(const char *text);

/* Begin a frame anew with its Ethernet header, tagged unless @vlan is 0. */
void craft_ether(struct craft *c, const uint8_t *dst, const uint8_t *src, uint16_t vlan,
		 uint16_t type);

/* Append an IP header without options; craft_end() fills in lengths and checksums. */
void craft_ip4(struct craft *c, const char *src, const char *dst, uint8_t proto);
void craft_ip6(struct craft *c, const char *src, const char *dst, uint8_t next);

/* What was appended since the IP header belonged to it; the transport, @proto, begins here. */
void craft_l4(struct craft *c, uint8_t proto);

/* Append a TCP header with @opt_len bytes of options. */
void craft_tcp(struct craft *c, uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack,
	       uint8_t flags, uint16_t wnd, const void *opt, uint8_t opt_len);

void craft_bytes(struct craft *c, const void *bytes, size_t len);
void craft_hex(struct craft *c, const char *hex); /* blanks are skipped */
void craft_u16(struct craft *c, uint16_t v);
void craft_u32(struct craft *c, uint32_t v);
void craft_addr_bytes(struct craft *c, const char *text); /* 4 or 16 bytes */

/* Set IP lengths; then the IPv4 header's and the transport's checksums. */
void craft_end(struct craft *c);
void craft_sums(struct craft *c); /* the checksums alone, after bytes were changed */

/* The checksum of RFC 1071, two bytes at a time, of @len bytes added to @sum. */
uint32_t craft_sum(uint32_t sum, const uint8_t *p, size_t len);

#endif
