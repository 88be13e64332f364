/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link - hosts on one Ethernet, in virtual time.
 *
 * Each host is a struct sl_core with packets and memory of its own, or a peer that a test
 * scripts. A frame is copied off its sender and comes to the host that has its destination
 * address (all others, if that is a group) through that host's cable, which is where things
 * happen to it (cable.h): two senders to one host share its rate and queue. Cores are
 * stepped when a frame arrives and when they asked to be; the clock jumps from one such
 * moment to the next. Neighbours are resolved for real. Same configuration and seed, same run.
 */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "cable.h"
#include "heapbufs.h"

#include <sluice/core.h>

#define LINK_HOSTS_MAX 8

struct link_conf {
	struct cable_conf cable; /* of every host, to begin with */
	bool tells_too_big;      /* a router says so by ICMP when a cable's MTU is exceeded */
	uint32_t check_every;    /* steps, of all cores; 0: they are checked in the end */
	uint64_t seed;

	/* Whether the frame may pass, or NULL: a test's own way to lose or to look at frames.
	 */
	bool (*lets)(void *arg, unsigned int from, const uint8_t *frame, size_t len);
	/* Told of each frame that was put into the cable of @to, and what became of it; or
	 * NULL. */
	void (*saw)(void *arg, unsigned int from, unsigned int to, const uint8_t *frame,
		    size_t len, enum cable_fate fate);
	void *arg; /* of both */
};

/* A host without a core; its answers go out by link_send(). */
struct link_peer {
	void (*frame)(void *arg, const uint8_t *bytes, size_t len);
	sl_ns_t (*next)(const void *arg); /* when it wants timer called; UINT64_MAX: never */
	void (*timer)(void *arg);
	void *arg;
};

struct link_host {
	struct sl_core *core; /* NULL: there is a peer */
	struct heapbufs hb;
	struct arena arena;
	struct link_peer peer;
	uint8_t mac[6];
	struct cable cable; /* by which all comes to it */
};

struct link {
	struct link_conf conf;
	sl_ns_t now;
	unsigned int n_hosts;
	struct link_host host[LINK_HOSTS_MAX];
	uint64_t n_frames, n_steps;
};

/* A host's configuration to begin with: number @i has 10.0.0.(i+1)/24 and fd00::(i+1)/64. */
void link_host_conf(struct sl_core_conf *conf, unsigned int i);
struct sl_addr link_addr(unsigned int i, bool v6);

/* The listener @conf gets next, with TCP's defaults; port 0 is for link_connect(). */
struct sl_listener_conf *link_listen(struct sl_core_conf *conf, uint16_t port,
				     const struct sl_app *app, const void *arg);

void link_open(struct link *link, const struct link_conf *conf);

/* A new host, number n_hosts. Aborts if its core does not open. */
unsigned int link_join(struct link *link, const struct sl_core_conf *conf);

/* The same without a core; its MAC address ends in n_hosts + 1, as those of the others. */
unsigned int link_join_peer(struct link *link, const struct link_peer *peer);
void link_send(struct link *link, unsigned int from, const uint8_t *bytes, size_t len);

/* The cable to @host is another one from now on; what is on its way stays so. */
void link_cable(struct link *link, unsigned int host, const struct cable_conf *conf);

/* Connect @from's listener number @listener to @port of host @to. As sl_core_connect(). */
int link_connect(struct link *link, unsigned int from, uint16_t listener, unsigned int to,
		 uint16_t port, bool v6);

/*
 * Let the time @span pass, or less, until @done(@arg). Returns whether it was done. @done
 * NULL is never done. Every core is checked at the end: its invariants, that what its cable
 * brought is the sum of its fates, and that no frame of a cable is unaccounted for.
 */
bool link_run(struct link *link, sl_ns_t span, bool (*done)(void *arg), void *arg);

/* A counter of host @i, by its name in counters.def. */
#define link_count(link, i, name) (sl_core_stats((link)->host[i].core)->count[SL_CNT_##name])

/* Close all cores; aborts if a packet was not given back. */
void link_close(struct link *link);

#endif
