/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link - cores on one Ethernet, in virtual time.
 *
 * Each host is a struct sl_core with packets and memory of its own. A frame is copied off
 * its sender and reaches the host that has its destination address (all others, if that is
 * a group) after the delay, unless it is lost. Cores are stepped when a frame arrives and
 * when they asked to be; the clock jumps from one such moment to the next. Neighbours are
 * resolved for real. Same configuration and seed, same run.
 */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "heapbufs.h"

#include <sluice/core.h>

#define LINK_HOSTS_MAX 8

struct link_frame;

struct link_conf {
	sl_ns_t delay;     /* one way */
	sl_ns_t jitter;    /* added at random, 0 to this: frames overtake each other */
	uint32_t loss_ppm; /* frames lost of a million */
	uint64_t seed;

	/* Whether the frame may pass, or NULL: a test's own way to lose or to look at frames.
	 */
	bool (*lets)(void *arg, unsigned int from, const uint8_t *frame, size_t len);
	void *arg;
};

struct link_host {
	struct sl_core *core;
	struct heapbufs hb;
	struct arena arena;
	uint8_t mac[6];
	struct link_frame *first, *last; /* on their way to it, by time of arrival */
};

struct link {
	struct link_conf conf;
	sl_ns_t now;
	unsigned int n_hosts;
	struct link_host host[LINK_HOSTS_MAX];
	uint64_t n_frames, n_lost, n_steps;
	uint64_t random;
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

/* Connect @from's listener number @listener to @port of host @to. As sl_core_connect(). */
int link_connect(struct link *link, unsigned int from, uint16_t listener, unsigned int to,
		 uint16_t port, bool v6);

/*
 * Let the time @span pass, or less, until @done(@arg). Returns whether it was done. @done
 * NULL is never done. Every core is checked at the end, and received = the sum of fates.
 */
bool link_run(struct link *link, sl_ns_t span, bool (*done)(void *arg), void *arg);

/* A counter of host @i, by its name in counters.def. */
#define link_count(link, i, name) (sl_core_stats((link)->host[i].core)->count[SL_CNT_##name])

/* Close all cores; aborts if a packet was not given back. */
void link_close(struct link *link);

#endif
