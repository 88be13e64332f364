/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufs - where packets come from and go to.
 *
 * Everything below the engine gets and gives back packets through this one const
 * table: a rte_mempool in the engine, a counted heap with exact sizes and a
 * fail-the-nth switch in tests. Calls are made on the core that owns the table.
 */
#ifndef SL_BASE_BUFS_H
#define SL_BASE_BUFS_H

#include <stdint.h>

#include <rte_mbuf.h>

enum sl_pool {
	SL_POOL_TX,     /* headers, control segments and copied payload: live until sent */
	SL_POOL_RETAIN, /* bytes kept: what sl_send() copied, received data made compact */
	SL_POOL_COUNT,
};

struct sl_bufs {
	void *ctx;

	/*
	 * Get @n empty packets of one segment into @m: all of them and 0, or none and
	 * -ENOMEM. Data room is at least 2048 bytes behind the usual headroom of 128.
	 */
	int (*get)(void *ctx, enum sl_pool pool, struct rte_mbuf **m, uint16_t n);

	/*
	 * Make @m, an empty packet of SL_POOL_TX, show @len bytes at @data. They lie in
	 * the buffer of @owner, of which a reference is taken until @m is freed; with
	 * @owner NULL they are pinned memory from sl_pin_alloc(). Cannot fail.
	 */
	void (*attach)(void *ctx, struct rte_mbuf *m, struct rte_mbuf *owner, const void *data,
		       uint16_t len);

	/* Give back one reference to each segment of each of @n packets (chains too). */
	void (*put)(void *ctx, struct rte_mbuf **m, uint16_t n);

	/*
	 * How many single segments may wait for others to be put with, but for a step's end: 1
	 * to SL_BURST. With 1 none does, so that a heap sees each use of one that comes too
	 * late.
	 */
	uint16_t put_together;
};

#endif
