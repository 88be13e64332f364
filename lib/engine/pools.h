/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pools - struct sl_bufs on rte_mempool.
 *
 * A worker has two pools of its own: what is sent, and what is kept. Buffers that ports
 * receive into belong to the port. All are counted at the end: a pool that is not full
 * again has lost packets.
 */
#ifndef SL_ENGINE_POOLS_H
#define SL_ENGINE_POOLS_H

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/bufs.h"

#define SL_POOL_CACHE 256
#define SL_ROOM_BYTES 2048 /* data room of every packet that is not received */

struct sl_pools {
	struct sl_bufs bufs; /* for the core; ctx is this struct */
	struct rte_mempool *pool[SL_POOL_COUNT];
	struct rte_mbuf_ext_shared_info pinned; /* shared by all that show pinned memory */
};

/* @n[] packets in each pool, on @node. 0 or -ENOMEM. */
int sl_pools_open(struct sl_pools *pools, unsigned int worker, const uint32_t n[SL_POOL_COUNT],
		  int node);
void sl_pools_close(struct sl_pools *pools);

/* A pool whose lcore caches do not swallow it; name is unique. NULL if memory is short. */
struct rte_mempool *sl_pool_make(const char *name, uint32_t n, uint32_t room_bytes, int node);

/*
 * Bytes that one packet with this data room takes in memory, all overhead included. Without
 * huge pages rte_mempool lets no packet cross one of 4 kB, and much is left over.
 */
uint32_t sl_pool_packet_bytes(uint32_t room_bytes, bool huge_pages);

/* Bytes that a pool takes besides its packets: a cache for every lcore there could be. */
#define SL_POOL_BYTES \
	(sizeof(struct rte_mempool) + RTE_MAX_LCORE * sizeof(struct rte_mempool_cache))

#endif
