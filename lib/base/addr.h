/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * addr - addresses and connection identifiers, one shape for both families.
 *
 * An address is sixteen bytes as on the wire; an IPv4 address is kept IPv4-mapped
 * (::ffff:a.b.c.d, RFC 4291, 2.5.5.2) so that code above lib/wire rarely asks which
 * family it has. Ports and other numbers are in host order.
 */
#ifndef SL_BASE_ADDR_H
#define SL_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

struct sl_addr {
	union {
		uint8_t b[16];
		uint32_t w[4]; /* network order */
		uint64_t q[2]; /* network order */
	};
};

/* A connection, seen from here. */
struct sl_tuple {
	struct sl_addr remote, local;
	uint16_t rport, lport;
	uint8_t v6;     /* 1 for IPv6, 0 for IPv4 */
	uint8_t pad[3]; /* zero, so that tuples compare with memcmp() */
};

static inline bool
sl_addr_is_v4(const struct sl_addr *a)
{
	return a->q[0] == 0 && a->w[2] == RTE_BE32(0x0000ffff);
}

static inline bool
sl_addr_eq(const struct sl_addr *a, const struct sl_addr *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

/* The IPv4 address @v4, given in host order. */
static inline struct sl_addr
sl_addr_v4(uint32_t v4)
{
	return (struct sl_addr){ .w = { 0, 0, RTE_BE32(0x0000ffff), rte_cpu_to_be_32(v4) } };
}

/* The IPv4 address inside @a, in host order. */
static inline uint32_t
sl_addr_to_v4(const struct sl_addr *a)
{
	return rte_be_to_cpu_32(a->w[3]);
}

static inline bool
sl_tuple_eq(const struct sl_tuple *a, const struct sl_tuple *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
