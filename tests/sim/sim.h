/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim - a client, some servers and connections between them, on cables that do damage.
 *
 *	struct sim sim;
 *	sim_init(&sim, seed);                    change sim.conf, sim.up, sim.down
 *	flow = sim_flow(&sim, server);           change flow's plans and settings
 *	sim_start(&sim);
 *	sim_until_closed(&sim, seconds);         or sim_pass()
 *	sim_end(&sim);
 *
 * The client is host 0 and opens; all that servers send comes to it by one cable, `down`.
 * Unless told otherwise an odd seed speaks IPv6, neighbours know each other, and each core
 * is checked after each step.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "link.h"
#include "seeds.h"
#include "stream.h"

#define SIM_FLOWS_MAX   8
#define SIM_SERVERS_MAX 4
#define SIM_PORT        7 /* of the first flow; then the next */

enum sim_side { SIM_CLIENT, SIM_SERVER, SIM_SIDES };

/* One connection: who it goes to, and per side what its application does and its settings. */
struct sim_flow {
	unsigned int server; /* host */
	bool waits;          /* for sim_connect() */
	struct stream_plan plan[SIM_SIDES];
	struct sl_tcp_conf tcp[SIM_SIDES];
	struct stream_result result[SIM_SIDES];
};

struct sim {
	struct link_conf conf;
	struct cable_conf down, up[SIM_SERVERS_MAX]; /* to the client, to each server */
	uint32_t spans, rx_buffers;
	bool v6;
	struct rnd rnd; /* for whoever makes up a run */

	unsigned int n_flows, n_servers;
	struct sim_flow flow[SIM_FLOWS_MAX];
	struct link link;
};

void sim_init(struct sim *sim, uint64_t seed);

/* One more connection to @server, 1 to SIM_SERVERS_MAX; it sends nothing yet. */
struct sim_flow *sim_flow(struct sim *sim, unsigned int server);

/* Open all hosts and connect all flows, but those that wait for sim_connect(). */
void sim_start(struct sim *sim);
void sim_connect(struct sim *sim, const struct sim_flow *flow);

void sim_pass(struct sim *sim, sl_ns_t span);

/* Pass time until all flows are closed; fails if that takes longer than @seconds. */
void sim_until_closed(struct sim *sim, uint32_t seconds);

/* All bytes that either side of each flow was to hear came, and it ended in order. */
void sim_assert_streams_equal(struct sim *sim);

/*
 * Wait for what is still under way and for TIME-WAIT, resetting flows that are not closed,
 * and demand that no core keeps a packet or a record, and that as many packets were refused
 * for being damaged as cables have damaged.
 */
void sim_end(struct sim *sim);

/* No packet and no record is left on a host. */
void sim_assert_nothing_is_kept(const struct link_host *host);

/* A counter of a host. */
#define sim_count(sim, host, name) link_count(&(sim)->link, host, name)

#endif
