/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port - an Ethernet device: what it can do, what of that we use.
 *
 * Found by its name in EAL. Everything asked of it that it does not offer is done in
 * software instead; what was found and chosen is said in one line at start.
 */
#ifndef SL_ENGINE_PORT_H
#define SL_ENGINE_PORT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_spinlock.h>

#include <sluice/engine.h>

#include "engine/place.h"
#include "engine/steer.h"

struct sl_port {
	const struct sl_engine_port *conf;
	struct rte_eth_dev_info info;
	struct rte_mempool *pool; /* what it receives into */
	uint16_t id;              /* in ethdev */
	uint16_t index;           /* in the configuration */
	uint16_t n_rx, n_tx;      /* queues */
	uint16_t rx_descriptors, tx_descriptors;
	uint16_t mtu;
	uint16_t reta_slots; /* of its RSS table; 0: no RSS we can use */
	uint32_t room_bytes; /* data room of its buffers */
	uint8_t offloads;    /* SL_OFFLOAD_* */
	uint8_t mac[6];
	int node; /* SL_NODE_ANY if of none */
	bool rx_checksum;
	bool is_virtual;    /* no hardware that fills its queue while we sleep */
	uint32_t n_filled;  /* buffers it took when it was started */
	bool mtu_unchecked; /* the port cannot be told one, and we were given one */
	bool started;

	/*
	 * The hash in a received packet is the one we would compute. Cleared by the first
	 * worker that finds otherwise; all accesses are relaxed, a late reader hands over
	 * a few packets less well.
	 */
	atomic_bool hash_is_ours;
	/* The control thread's, for reports only. */
	atomic_bool up;  /* link */
	uint64_t missed; /* packets, when it was asked last */

	/*
	 * One a transmit queue, used only where workers are more than queues; written for each
	 * burst, so no other queue's lies in its line, and nothing that all workers read.
	 */
	struct {
		alignas(SL_CACHE_LINE) rte_spinlock_t lock;
	} tx[SL_WORKERS_MAX];
};

/*
 * Find @conf->device and decide about queues, offloads and sizes for @n_workers. Takes
 * nothing. 0 or -errno with a sentence on stderr.
 */
int sl_port_probe(struct sl_port *port, const struct sl_engine_port *conf, uint16_t index,
		  uint16_t n_workers);

/* Configure and start it, with @n_buffers to receive into on @node. 0 or -errno and a sentence.
 */
int sl_port_start(struct sl_port *port, const struct sl_steer *steer, uint32_t n_buffers,
		  int node);

/* Take what is still in its receive queues, stop and close it. The pool stays to be counted. */
void sl_port_stop(struct sl_port *port);

/*
 * Most buffers that are not lost though they do not come back, after a stop: the driver of
 * AF_XDP never returns what lies in the rings it shares with the kernel.
 */
uint32_t sl_port_keeps(const struct sl_port *port);

/* What was found and chosen. */
void sl_port_report(const struct sl_port *port, uint16_t n_workers, uint16_t n_far, FILE *to);

/* Packets that it had nowhere to put since this was asked last, as far as it says. */
uint64_t sl_port_missed(struct sl_port *port);

/* What the port says it lost, if anything: those packets never were ours to count. */
void sl_port_losses(const struct sl_port *port, FILE *to);

/* Look at the link; true if that changed since the last look. */
bool sl_port_link(struct sl_port *port);

#endif
