/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * place - who polls which queue, and on which NUMA node memory goes.
 *
 * A pure function of a small struct that says what the machine looks like, so that a
 * machine with one node can test what happens on two.
 */
#ifndef SL_ENGINE_PLACE_H
#define SL_ENGINE_PLACE_H

#include <stdint.h>

#include "net/net.h"

#define SL_WORKERS_MAX 128
#define SL_NODE_ANY    (-1)

struct sl_topology {
	uint16_t n_workers, n_ports;
	int16_t worker_node[SL_WORKERS_MAX]; /* of the CPU a worker runs on */
	int16_t port_node[SL_PORTS_MAX];     /* SL_NODE_ANY for a port of no node */
	uint16_t queues[SL_PORTS_MAX];       /* receive queues, at most n_workers */
};

struct sl_placement {
	uint16_t poller[SL_PORTS_MAX][SL_WORKERS_MAX]; /* worker of each queue */
	int16_t port_mem[SL_PORTS_MAX];                /* node of the receive buffers */
	uint16_t n_far[SL_PORTS_MAX]; /* queues polled from another node than the port's */
};

/*
 * With a queue for each worker, queue and worker have the same number: RSS counts on it.
 * Fewer queues go to the workers that have least to poll, those of the port's node first.
 */
void sl_place(const struct sl_topology *topo, struct sl_placement *out);

#endif
