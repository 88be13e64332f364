/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handover - callbacks on each queue, and the operations of every pool wrapped: what goes in
 * is released, what comes out is acquired.
 */
#include "handover.h"

#if defined(__SANITIZE_THREAD__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED 1
#endif
#endif

#ifdef WATCHED

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sanitizer/tsan_interface.h>

static struct rte_mempool_ops original[RTE_MEMPOOL_MAX_OPS_IDX];

static int
enqueue(struct rte_mempool *mp, void *const *objects, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		__tsan_release(objects[i]);
	return original[mp->ops_index].enqueue(mp, objects, n);
}

static int
dequeue(struct rte_mempool *mp, void **objects, unsigned int n)
{
	int rc = original[mp->ops_index].dequeue(mp, objects, n);

	for (unsigned int i = 0; rc == 0 && i < n; i++)
		__tsan_acquire(objects[i]);
	return rc;
}

void
handover_watch_pools(void)
{
	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++) {
		original[i] = rte_mempool_ops_table.ops[i];
		rte_mempool_ops_table.ops[i].enqueue = enqueue;
		rte_mempool_ops_table.ops[i].dequeue = dequeue;
	}
}

void
handover_out(struct rte_mbuf *m)
{
	struct rte_mbuf *next;

	for (; m != NULL; m = next) {
		next = m->next; /* a segment that was released is no longer ours to read */
		__tsan_release(m);
	}
}

void
handover_in(struct rte_mbuf *m)
{
	/* a segment is known only once what points to it was acquired */
	for (; m != NULL; m = m->next)
		__tsan_acquire(m);
}

static uint16_t
received(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, uint16_t most,
	 void *arg)
{
	for (uint16_t i = 0; i < n; i++)
		handover_in(m[i]);
	return n;
}

static uint16_t
to_be_sent(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, void *arg)
{
	for (uint16_t i = 0; i < n; i++)
		handover_out(m[i]);
	return n;
}

static void
watch_port(uint16_t port)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port, &info) != 0)
		return;
	for (uint16_t q = 0; q < info.nb_rx_queues; q++)
		rte_eth_add_rx_callback(port, q, received, NULL);
	for (uint16_t q = 0; q < info.nb_tx_queues; q++)
		rte_eth_add_tx_callback(port, q, to_be_sent, NULL);
}

void
handover_watch_ports(void)
{
	for (uint16_t port = 0; port < RTE_MAX_ETHPORTS; port++) {
		if (rte_eth_dev_is_valid_port(port))
			watch_port(port);
	}
}

#else

void
handover_watch_pools(void)
{
}

void
handover_watch_ports(void)
{
}

void
handover_out(struct rte_mbuf *m)
{
}

void
handover_in(struct rte_mbuf *m)
{
}

#endif
