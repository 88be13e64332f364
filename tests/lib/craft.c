/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * craft - the slow and obvious way to write a frame.
 */
#include "craft.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sl_addr
craft_addr(const char *text)
{
	struct sl_addr a;
	struct in_addr v4;

	if (inet_pton(AF_INET6, text, &a) == 1)
		return a;
	if (inet_pton(AF_INET, text, &v4) != 1) {
		fprintf(stderr, "craft: no address: %s\n", text);
		abort();
	}
	return sl_addr_v4(ntohl(v4.s_addr));
}

void
craft_bytes(struct craft *c, const void *bytes, size_t len)
{
	if (c->len + len > sizeof(c->b)) {
		fprintf(stderr, "craft: frame too long\n");
		abort();
	}
	if (len > 0) /* @bytes of nothing may be NULL */
		memcpy(c->b + c->len, bytes, len);
	c->len += len;
}

static uint8_t
nibble(char ch)
{
	const char *digits = "0123456789abcdef";

	return (uint8_t)(strchr(digits, tolower((unsigned char)ch)) - digits);
}

void
craft_hex(struct craft *c, const char *hex)
{
	while (*hex != '\0') {
		uint8_t byte;

		if (*hex == ' ') {
			hex++;
			continue;
		}
		byte = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
		craft_bytes(c, &byte, 1);
		hex += 2;
	}
}

static void
set16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
craft_u16(struct craft *c, uint16_t v)
{
	uint8_t b[2];

	set16(b, v);
	craft_bytes(c, b, 2);
}

void
craft_u32(struct craft *c, uint32_t v)
{
	craft_u16(c, (uint16_t)(v >> 16));
	craft_u16(c, (uint16_t)v);
}

void
craft_addr_bytes(struct craft *c, const char *text)
{
	struct sl_addr a = craft_addr(text);

	if (sl_addr_is_v4(&a))
		craft_bytes(c, a.b + 12, 4);
	else
		craft_bytes(c, a.b, 16);
}

void
craft_ether(struct craft *c, const uint8_t *dst, const uint8_t *src, uint16_t vlan,
	    uint16_t type)
{
	memset(c, 0, sizeof(*c));
	craft_bytes(c, dst, 6);
	craft_bytes(c, src, 6);
	if (vlan != 0) {
		craft_u16(c, 0x8100);
		craft_u16(c, vlan);
	}
	craft_u16(c, type);
	c->l3 = c->l4 = c->len;
}

void
craft_ip4(struct craft *c, const char *src, const char *dst, uint8_t proto)
{
	uint8_t head[12] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, proto };

	c->l3 = c->len;
	craft_bytes(c, head, sizeof(head));
	craft_addr_bytes(c, src);
	craft_addr_bytes(c, dst);
	c->ip = 4;
	craft_l4(c, proto);
}

void
craft_ip6(struct craft *c, const char *src, const char *dst, uint8_t next)
{
	uint8_t head[8] = { 0x60, 0, 0, 0, 0, 0, next, 64 };
	struct sl_addr from = craft_addr(src), to = craft_addr(dst);

	c->l3 = c->len;
	craft_bytes(c, head, sizeof(head));
	craft_bytes(c, &from, 16);
	craft_bytes(c, &to, 16);
	c->ip = 6;
	craft_l4(c, next);
}

void
craft_l4(struct craft *c, uint8_t proto)
{
	c->l4 = c->len;
	c->proto = proto;
}

void
craft_tcp(struct craft *c, uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack,
	  uint8_t flags, uint16_t wnd, const void *opt, uint8_t opt_len)
{
	uint8_t offset = (uint8_t)((20 + opt_len) / 4 << 4);

	craft_u16(c, sport);
	craft_u16(c, dport);
	craft_u32(c, seq);
	craft_u32(c, ack);
	craft_bytes(c, &offset, 1);
	craft_bytes(c, &flags, 1);
	craft_u16(c, wnd);
	craft_u32(c, 0);
	craft_bytes(c, opt, opt_len);
}

uint32_t
craft_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The sum of the pseudo-header: addresses, length and protocol. */
static uint32_t
pseudo(const struct craft *c)
{
	const uint8_t *ip = c->b + c->l3;
	uint32_t sum = (uint32_t)(c->len - c->l4) + c->proto;

	return c->ip == 4 ? craft_sum(sum, ip + 12, 8) : craft_sum(sum, ip + 8, 32);
}

static void
sum_at(struct craft *c, size_t off, uint32_t sum)
{
	if (c->len < c->l4 + off + 2)
		return;
	set16(c->b + c->l4 + off, 0);
	sum = craft_sum(sum, c->b + c->l4, c->len - c->l4);
	set16(c->b + c->l4 + off, ~sum);
}

void
craft_sums(struct craft *c)
{
	uint8_t *ip = c->b + c->l3;

	if (c->ip == 4) {
		set16(ip + 10, 0);
		set16(ip + 10, ~craft_sum(0, ip, (size_t)(ip[0] & 15) * 4));
	}
	if (c->ip != 0 && c->proto == 6)
		sum_at(c, 16, pseudo(c));
	if (c->ip == 4 && c->proto == 1)
		sum_at(c, 2, 0);
	if (c->ip == 6 && c->proto == 58)
		sum_at(c, 2, pseudo(c));
}

void
craft_end(struct craft *c)
{
	if (c->ip == 4)
		set16(c->b + c->l3 + 2, (uint32_t)(c->len - c->l3));
	if (c->ip == 6)
		set16(c->b + c->l3 + 4, (uint32_t)(c->len - c->l3 - 40));
	craft_sums(c);
}
