/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heapbufs - struct sl_bufs without EAL: every packet is heap memory of its own.
 *
 * A received packet's buffer ends where its bytes end, so that ASan sees a read one byte
 * too far; a returned packet is freed, so that it sees any use after that. Everything is
 * counted, and the n-th get can be made to fail. rte_mbuf_refcnt_*(), prepend, append, attach
 * and the like work; rte_pktmbuf_free() and whatever else needs a mempool does not.
 */
#ifndef TEST_HEAPBUFS_H
#define TEST_HEAPBUFS_H

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/bufs.h"

struct heapbufs {
	struct sl_bufs bufs; /* hand out &bufs */
	struct rte_mbuf_ext_shared_info pinned;
	uint32_t out;       /* segments not given back yet */
	uint64_t n_got;     /* calls of get() so far, failed ones included */
	uint64_t fail_at;   /* the call of get(), counted from 1, that fails; 0 for none */
	uint64_t fail_from; /* all calls from this one on fail; 0 for none */
	uint32_t kept_most; /* of SL_POOL_RETAIN, more are not there; 0 for no limit */
	uint32_t n_kept;    /* of it, that are out */
	uint64_t n_put;     /* calls of put() so far */
};

void heapbufs_open(struct heapbufs *hb);

/* Abort, naming the number, if anything is still out. */
void heapbufs_close(struct heapbufs *hb);

/* Let the @n-th get() from now on fail (1 is the next), and only that one. */
void heapbufs_fail_nth(struct heapbufs *hb, uint64_t n);

/* A packet of one segment holding @len @bytes behind @headroom, with not a byte behind them. */
struct rte_mbuf *heapbufs_packet(struct heapbufs *hb, const void *bytes, size_t len,
				 uint16_t headroom);

/*
 * The same bytes as a chain: segment i has @seg_len[i] of them, the last what remains. A
 * segment of no bytes is allowed.
 */
struct rte_mbuf *heapbufs_chain(struct heapbufs *hb, const void *bytes, size_t len,
				uint16_t headroom, const uint16_t *seg_len, uint16_t n_segs);

/* The same bytes in a buffer that is external to the mbuf. */
struct rte_mbuf *heapbufs_external(struct heapbufs *hb, const void *bytes, size_t len);

/* Copy at most @room bytes of the chain @m to @to; returns the packet's length. */
size_t heapbufs_read(const struct rte_mbuf *m, void *to, size_t room);

/* Give back one packet. */
void heapbufs_put(struct heapbufs *hb, struct rte_mbuf *m);

#endif
