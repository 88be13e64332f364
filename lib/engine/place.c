/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * place - queues to workers, greedily, near ones first.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "engine/place.h"

static bool
is_near(const struct sl_topology *topo, uint16_t worker, uint16_t port)
{
	int16_t node = topo->port_node[port];

	return node == SL_NODE_ANY || node == topo->worker_node[worker];
}

/* The best worker for one more queue of @port, given how many each polls already. */
static uint16_t
pick(const struct sl_topology *topo, uint16_t port, const uint16_t *load)
{
	uint16_t best = 0;

	for (uint16_t w = 1; w < topo->n_workers; w++) {
		bool near = is_near(topo, w, port), best_near = is_near(topo, best, port);

		if (near != best_near ? near : load[w] < load[best])
			best = w;
	}
	return best;
}

void
sl_place(const struct sl_topology *topo, struct sl_placement *out)
{
	uint16_t load[SL_WORKERS_MAX] = { 0 };

	assert(topo->n_workers > 0 && topo->n_workers <= SL_WORKERS_MAX);
	memset(out, 0, sizeof(*out));

	for (uint16_t p = 0; p < topo->n_ports; p++) {
		bool one_each = topo->queues[p] == topo->n_workers;

		assert(topo->queues[p] <= topo->n_workers);
		for (uint16_t q = 0; q < topo->queues[p]; q++) {
			uint16_t w = one_each ? q : pick(topo, p, load);

			out->poller[p][q] = w;
			out->n_far[p] += !is_near(topo, w, p);
			load[w]++;
		}
		out->port_mem[p] = topo->port_node[p];
		if (out->port_mem[p] == SL_NODE_ANY)
			out->port_mem[p] = topo->worker_node[out->poller[p][0]];
	}
}
