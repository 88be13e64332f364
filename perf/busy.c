/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * busy - a plain program of some 1,300 instructions a packet that do not wait for memory, on
 * packets like those of the macswap loop.
 *
 * What else the machine does slows rows down by how busy they keep a core: with a neighbour on
 * its other hardware thread a connection's life took 1.65 times as long, this 1.4 times, and
 * the macswap loop, which mostly waits, 1.1 times. So the guard holds rows against this one.
 */
#include "world.h"

#include <string.h>

#include <rte_mbuf.h>

#define CHAINS 4 /* that do not wait for each other */
#define ROUNDS 32
#define BYTES  64 /* of each packet */

struct busy {
	uint32_t x[CHAINS], seen[256];
};

static uint16_t
work(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct busy *b = arg;

	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);

		for (unsigned int r = 0; r < ROUNDS; r++) {
			uint32_t word;

			memcpy(&word, p + r * 4 % BYTES, sizeof(word));
			for (unsigned int c = 0; c < CHAINS; c++) {
				b->x[c] = (b->x[c] ^ word) * 0x9e3779b1u + c;
				b->seen[b->x[c] >> 24]++;
			}
		}
	}
	return n;
}

double
world_busy(void *arg)
{
	static struct busy busy;
	const struct world_loop loop = { .turn = work, .arg = &busy, .packets = 1 };

	return world_loop(arg, &loop);
}
