/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steer - which worker owns a connection.
 *
 * One function of the tuple for the whole process: the Toeplitz hash of a NIC (with one
 * random key for all ports) into a small table of workers. A port whose key and table
 * were programmed and read back computes the same and saves us the hash; for any other
 * port we compute it here. ICMP errors follow the connection they quote.
 */
#ifndef SL_ENGINE_STEER_H
#define SL_ENGINE_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/addr.h"

#define SL_STEER_SLOTS     128
#define SL_STEER_KEY_BYTES 52 /* the longest key a NIC is known to want; 40 of them count */

#define SL_STEER_WORDS 9 /* two IPv6 addresses and the ports */

struct sl_steer {
	uint16_t n_workers;
	uint16_t mask; /* slots in use - 1 */
	uint16_t owner[SL_STEER_SLOTS];
	uint8_t key[SL_STEER_KEY_BYTES]; /* as a NIC wants it */
	/* What each value of the four bits at a place of a word adds to the hash. */
	uint32_t adds[SL_STEER_WORDS][8][16];
};

/* What sl_core_conf.steer points to: the function and one of its values. */
struct sl_steer_home {
	const struct sl_steer *steer;
	uint16_t worker;
};

/* @slots is a power of two, at most SL_STEER_SLOTS: the smallest table among the ports. */
void sl_steer_init(struct sl_steer *steer, const uint8_t key[SL_STEER_KEY_BYTES],
		   uint16_t n_workers, uint16_t slots);

/* What a NIC computes over a packet that comes in on @tuple. */
uint32_t sl_steer_hash(const struct sl_steer *steer, const struct sl_tuple *tuple);

static inline uint16_t
sl_steer_slot(const struct sl_steer *steer, uint32_t hash)
{
	return steer->owner[hash & steer->mask];
}

/* The worker that owns what @m is about; @here if that is no connection. */
uint16_t sl_steer_owner(const struct sl_steer *steer, const struct rte_mbuf *m, uint16_t here);

/* sl_core_conf.is_home; @home is a struct sl_steer_home. */
bool sl_steer_is_home(const void *home, const struct sl_tuple *tuple);

/*
 * Whether @m says where a neighbour is (ARP reply, neighbour advertisement), to the host
 * @mac or a group. Any worker may have asked, so all of them get it.
 */
bool sl_steer_for_all(const struct rte_mbuf *m, const uint8_t mac[6]);

#endif
