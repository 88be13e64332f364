/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handover - tells ThreadSanitizer what DPDK's own code, which it cannot see, hands from one
 * thread to another: packets through a port or a pool.
 *
 * Each packet is its own address of synchronisation, so that nothing else that two threads
 * do is taken for ordered. In any other build these do nothing.
 */
#ifndef TEST_HANDOVER_H
#define TEST_HANDOVER_H

struct rte_mbuf;

/* Once, after rte_eal_init(): packets that pass through any pool. */
void handover_watch_pools(void);

/* Packets that pass through any port there is, once their queues are set up. */
void handover_watch_ports(void);

/* Before a packet is put where a port takes it from; after it is taken whence one put it. */
void handover_out(struct rte_mbuf *m);
void handover_in(struct rte_mbuf *m);

#endif
