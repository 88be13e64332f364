/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufs - where packets come from and go to, and how one shows the bytes of another.
 *
 * Everything below the engine gets and gives back packets through this one const
 * table: a rte_mempool in the engine, a counted heap with exact sizes and a
 * fail-the-nth switch in tests. Calls are made on the core that owns the table, and for many
 * packets at once; what each packet needs is inline.
 */
#ifndef SL_BASE_BUFS_H
#define SL_BASE_BUFS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum sl_pool {
	SL_POOL_TX,     /* headers, control segments and copied payload: live until sent */
	SL_POOL_RETAIN, /* bytes kept: what sl_send() copied, received data made compact */
	SL_POOL_COUNT,
};

/* Memory from sl_pin_alloc(). */
struct sl_pin {
	const void *data;
	size_t bytes;  /* 0: it is nobody's */
	uint64_t iova; /* of @data; the rest follows without a gap */
};

struct sl_bufs {
	void *ctx;

	/*
	 * Get @n empty packets of one segment into @m: all of them and 0, or none and
	 * -ENOMEM. Data room is at least 2048 bytes behind the usual headroom of 128.
	 */
	int (*get)(void *ctx, enum sl_pool pool, struct rte_mbuf **m, uint16_t n);

	/* Give back one reference to each segment of each of @n packets (chains too). */
	void (*put)(void *ctx, struct rte_mbuf **m, uint16_t n);

	/*
	 * How many single segments may wait for others to be put with, but for a step's end: 1
	 * to SL_BURST. With 1 none does, so that a heap sees each use of one that comes too
	 * late.
	 */
	uint16_t put_together;

	uint16_t n_pins;          /* of @pin: all the pinned memory there is */
	const struct sl_pin *pin; /* some of which may be nobody's */
	/* Shared by all packets that show any; NULL if nobody sends pinned memory. */
	struct rte_mbuf_ext_shared_info *pinned;
};

/* Where a port finds pinned memory. */
static inline rte_iova_t
sl_bufs_iova(const struct sl_bufs *bufs, const void *data)
{
	for (uint16_t i = 0; i < bufs->n_pins; i++) {
		uint64_t at = (uintptr_t)data - (uintptr_t)bufs->pin[i].data;

		if (at < bufs->pin[i].bytes)
			return bufs->pin[i].iova + at;
	}
	return RTE_BAD_IOVA;
}

/*
 * Make @m, an empty packet of SL_POOL_TX, show @len bytes at @data. They lie in the buffer of
 * @owner, of which a reference is taken until @m is freed; with @owner NULL they are pinned
 * memory. Nothing is left on @m of what the owner knew about its reception.
 */
static inline void
sl_bufs_attach(const struct sl_bufs *bufs, struct rte_mbuf *m, struct rte_mbuf *owner,
	       const void *data, uint16_t len)
{
	void *addr =
		(void *)(uintptr_t)data; /* only read from; the mbuf has no word for that */

	assert(RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->pkt_len == 0);
	if (owner == NULL) {
		assert(bufs->pinned != NULL);
		rte_mbuf_ext_refcnt_update(bufs->pinned, 1);
		rte_pktmbuf_attach_extbuf(m, addr, sl_bufs_iova(bufs, data), len, bufs->pinned);
	} else {
		rte_pktmbuf_attach(m, owner);
		m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
		m->data_off = (uint16_t)((uintptr_t)data - (uintptr_t)m->buf_addr);
	}
	m->tx_offload = 0;
	m->vlan_tci = 0;
	m->packet_type = 0;
	m->data_len = len;
	m->pkt_len = len;
}

#endif
