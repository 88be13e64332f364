/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pools - packets had and given back through rte_mempool.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf_pool_ops.h>

#include "base/units.h"
#include "engine/arena.h"
#include "engine/pools.h"

#define SMALL_PAGE 4096

static int
get(void *ctx, enum sl_pool pool, struct rte_mbuf **m, uint16_t n)
{
	struct sl_pools *pools = ctx;

	return rte_pktmbuf_alloc_bulk(pools->pool[pool], m, n) == 0 ? 0 : -ENOMEM;
}

/* Pinned memory is not freed with the last packet that shows it: the application has it. */
static void
pinned_free(void *addr, void *opaque)
{
}

/* One segment, its own buffer, nobody else's: as a pool has it. */
static inline bool
is_as_new(const struct rte_mbuf *m)
{
	return (rte_mbuf_refcnt_read(m) == 1) & (m->nb_segs == 1) & (m->next == NULL) &
	       RTE_MBUF_DIRECT(m);
}

/* @n that are as new, of one pool. */
static inline void
put_run(struct rte_mbuf **m, uint16_t n)
{
	if (n > 0)
		rte_mempool_put_bulk(m[0]->pool, (void **)m, n);
}

/* Nearly all are as new, and of one pool; the others lose a reference each. */
static void
put(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	uint16_t first = 0, i;

	for (i = 0; i < n; i++) {
		if (likely(is_as_new(m[i]) & (m[i]->pool == m[first]->pool)))
			continue;
		put_run(m + first, i - first);
		if (is_as_new(m[i])) {
			first = i;
		} else {
			rte_pktmbuf_free(m[i]);
			first = i + 1;
		}
	}
	put_run(m + first, i - first);
}

/* Debian packs each way to keep a pool by itself (librte-mempool-stack23). */
static bool
is_there(const char *name)
{
	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, name) == 0)
			return true;
	return false;
}

/*
 * How what overflows the caches is kept: as a stack, unless EAL was asked for something else
 * (--mbuf-pool-ops-name), the machine has pools of its own or DPDK was installed without.
 * DPDK's default is a queue, through which packets go round the whole pool and come back when
 * they are in no cache any more.
 */
static const char *
keeper(void)
{
	if (rte_mbuf_user_mempool_ops() == NULL && rte_mbuf_platform_mempool_ops() == NULL &&
	    is_there("stack"))
		return "stack";
	return rte_mbuf_best_mempool_ops();
}

struct rte_mempool *
sl_pool_make(const char *name, uint32_t n, uint32_t room_bytes, int node)
{
	uint32_t cache = n / 8 < SL_POOL_CACHE ? n / 8 : SL_POOL_CACHE;

	return rte_pktmbuf_pool_create_by_ops(name, n, cache, 0,
					      (uint16_t)(RTE_PKTMBUF_HEADROOM + room_bytes),
					      node, keeper());
}

uint32_t
sl_pool_packet_bytes(uint32_t room_bytes, bool huge_pages)
{
	struct rte_mempool_objsz size;
	uint32_t bytes = rte_mempool_calc_obj_size((uint32_t)sizeof(struct rte_mbuf) +
							   RTE_PKTMBUF_HEADROOM + room_bytes,
						   0, &size);

	if (!huge_pages && bytes <= SMALL_PAGE)
		bytes = SMALL_PAGE / (SMALL_PAGE / bytes);
	else if (!huge_pages)
		bytes = RTE_ALIGN_CEIL(bytes, SMALL_PAGE);
	return bytes + sizeof(void *); /* its place in the pool's stack */
}

int
sl_pools_open(struct sl_pools *pools, unsigned int worker, const uint32_t n[SL_POOL_COUNT],
	      int node)
{
	static const char *const kind[SL_POOL_COUNT] = {
		[SL_POOL_TX] = "tx",
		[SL_POOL_RETAIN] = "kept",
	};
	char name[RTE_MEMPOOL_NAMESIZE];

	memset(pools, 0, sizeof(*pools));
	pools->bufs = (struct sl_bufs){ .ctx = pools,
					.get = get,
					.put = put,
					.put_together = SL_BURST,
					.n_pins = SL_PINS_MAX,
					.pin = sl_pins(),
					.pinned = &pools->pinned };
	pools->pinned.free_cb = pinned_free;
	rte_mbuf_ext_refcnt_set(&pools->pinned, 1);

	for (int i = 0; i < SL_POOL_COUNT; i++) {
		snprintf(name, sizeof(name), "sluice_%s_%u", kind[i], worker);
		pools->pool[i] = sl_pool_make(name, n[i], SL_ROOM_BYTES, node);
		if (pools->pool[i] == NULL) {
			sl_pools_close(pools);
			return -ENOMEM;
		}
	}
	return 0;
}

void
sl_pools_close(struct sl_pools *pools)
{
	for (int i = 0; i < SL_POOL_COUNT; i++) {
		rte_mempool_free(pools->pool[i]);
		pools->pool[i] = NULL;
	}
}
