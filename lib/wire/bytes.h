/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes - numbers at any address, in network order or as they lie there.
 *
 * Packets promise no alignment; every read and write of a header field above the
 * Ethernet layer goes through here, where memcpy() says so to the compiler.
 */
#ifndef SL_WIRE_BYTES_H
#define SL_WIRE_BYTES_H

#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

static inline uint16_t
sl_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_16(v);
}

static inline uint32_t
sl_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}

static inline void
sl_put16(uint8_t *p, uint16_t v)
{
	v = rte_cpu_to_be_16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
sl_put32(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
}

/* As they lie there: what is compared and summed needs no other order. */
static inline uint32_t
sl_raw32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
sl_raw64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Put @v at @p and return it as it lies there. */
static inline uint64_t
sl_put32_raw(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
	return v;
}

#endif
