/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * enginerig - an engine on rings, two workers on one CPU without huge pages, and the host at
 * the other end, in a thread of its own while the engine has the main lcore.
 *
 * EAL starts once for all tests of a program. What the host sends is made with craft.h.
 */
#ifndef TEST_ENGINERIG_H
#define TEST_ENGINERIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_ring.h>

#include <sluice/engine.h>

#include "craft.h"

#define RIG_QUEUES 2

/* An engine under test, what it reports, and what the host knows of it. */
struct enginerig {
	struct sl_engine_conf conf;
	struct sl_engine *engine;
	char *text; /* of the last run */
	size_t length;
	FILE *report;
	struct rte_ring *to[RIG_QUEUES], *from[RIG_QUEUES]; /* as the host sees them */
	uint16_t n_queues;
	void (*host)(struct enginerig *rig); /* NULL: it waits a moment */
	uint8_t mac[6];                      /* the engine's, learnt by ARP */
	unsigned int n_answers, n_found;
	uint64_t n_lost;
	bool stopped; /* twice would be by force */
};

extern const uint8_t rig_host_mac[6];

int rig_start_eal(void **state);
int rig_stop_eal(void **state);
void rig_nap_ms(unsigned int ms);

/* One port, small numbers, 10.0.0.1 and fd00::1; nobody listens. */
void rig_small(struct sl_engine_conf *conf, const char *device);

/* A port of @n_queues pairs of rings and a small configuration for it. */
void rig_open_rings(struct enginerig *rig, const char *name, uint16_t n_queues);
void rig_close_rings(struct enginerig *rig);

/* Open, run while the host plays, close. The ledger must be even and nothing lost. */
void rig_run(struct enginerig *rig);

/* The host's last act: nothing that the engine still sends counts as lost. */
void rig_end(struct enginerig *rig);

void rig_send(struct enginerig *rig, const struct craft *c, uint16_t queue);

/* A TCP segment, as from a NIC that has computed @hash. */
void rig_send_hashed(struct enginerig *rig, const struct craft *c, uint16_t queue,
		     uint32_t hash);

/*
 * The next frame from the engine for which @wanted says yes, its first 256 bytes, or false
 * after a while.
 */
bool rig_await(struct enginerig *rig, bool (*wanted)(const uint8_t *, uint32_t),
	       uint8_t *frame);

/* Learn the engine's MAC address by ARP; counts as an answer. */
void rig_ask_for_mac(struct enginerig *rig);

#endif
