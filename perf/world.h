/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - the engine on a pair of rings, and its worker driven round by round.
 *
 * It is sl_engine_open()'s engine, worker loop and all, with a clock of ours: the
 * engine's time goes on while its worker is at work and stands while the peer is. So
 * timers, budgets and epochs see the engine as busy as on a core of its own. Where a row
 * needs a connection to be visited more often than one core could visit so many, time is
 * slowed down, which is said there.
 */
#ifndef PERF_WORLD_H
#define PERF_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <sluice/engine.h>

#include "engine/engine.h"
#include "wire.h"

/*
 * Packets the peer hands over at a time. They are in L2 then, and what both sides free fits
 * the caches of the pools, as it would with a port of few descriptors.
 */
#define WORLD_BATCH 256
#define PORT_SERVER 80
#define PORT_CLOSED 81
#define PORT_MORE   8000 /* of further listeners: the first behind it, the second behind that */

struct world_conf {
	uint32_t connections, time_wait;
	uint32_t buffers; /* 0: enough for what is in flight */
	const struct sl_app *app;
	uint8_t cookies;  /* enum sl_cookies */
	uint32_t backlog; /* half-open ones before cookies or drops; 0: the default */
	bool no_v6;
	uint16_t more_listeners; /* like the one at PORT_SERVER */
	uint32_t rto_min_ms;     /* 0: the default, as of the next */
	uint32_t msl_ms;
	uint32_t slow; /* time goes so many times slower than the counter says; 0: as it does */
};

struct world {
	struct sl_engine *engine;
	struct sl_worker *worker;
	struct sl_core *core;
	struct rte_ring *in, *out; /* as the port sees them */
	struct rte_mempool *pool;  /* what the port would receive into */
	uint32_t slow;             /* as it was opened with */
	uint64_t ns_a_count;       /* times 2^32 */
	uint64_t cycles;           /* of rounds that carried packets */
	uint64_t packets;          /* that came in in them */
	bool is_spoilt; /* the last batch: the kernel took the CPU away, it does not count */
	uint64_t n_batches, n_spoilt;
	uint32_t *sample; /* if not NULL: the cycles of each round go here */
	uint32_t n_sampled, sample_max;
	uint16_t n_batch; /* packets waiting to be handed over */
	struct rte_mbuf *batch[WORLD_BATCH];
};

void world_open(struct world *w, const struct world_conf *conf);
void world_close(struct world *w);

/*
 * One engine with @n workers, one a world, each with a queue of the port. Their clock is the
 * counter: it never stands. Only the first is closed.
 */
void world_open_many(struct world *w, unsigned int n, const struct world_conf *conf);

/* An empty packet for the peer to fill, which is handed over with the next batch. */
struct rte_mbuf *world_packet(struct world *w);

static inline bool
world_batch_is_full(const struct world *w)
{
	return w->n_batch == WORLD_BATCH;
}

/* Hand the batch over and go round until the engine has taken all of it. */
void world_run(struct world *w);

/* Rounds without packets, not counted, until the engine has nothing to do. */
void world_idle(struct world *w);

/* Let @ns pass at once. */
void world_pass(struct world *w, uint64_t ns);

/* What the engine sent, up to @n packets; the caller frees them. */
uint16_t world_sent(struct world *w, struct rte_mbuf **m, uint16_t n);

/* Times that this thread lost its CPU to another. */
long world_preemptions(void);

/*
 * Print by how much time was slowed down for what @name names, and how many segments were sent
 * again: none, unless the machine was too busy.
 */
void world_say_clock(const struct world *w, const char *name);

uint64_t world_count(const struct world *w, unsigned int counter);

/* A window of the macswap loop on the world's port: cycles per packet. @arg is the world. */
double world_macswap(void *arg);

/* The same with work that keeps the core busy: see busy.c. */
double world_busy(void *arg);

#define LOOP_BURST 64 /* packets received at once, at most */

/* A loop like it, of other packets, with more than that done to them. */
struct world_loop {
	/* What comes next, from one more address; NULL: SYNs as Linux sends them. */
	const struct wire_seg *(*next)(void *arg);
	/*
	 * What is done to each burst of @n between receiving and sending. It leaves in @m what
	 * is to be sent, twice as many at most, and returns how many. NULL: nothing.
	 */
	uint16_t (*turn)(void *arg, struct rte_mbuf **m, uint16_t n);
	void *arg;
	double packets; /* that come, a unit */
	uint16_t batch; /* handed over at a time; 0: WORLD_BATCH */
};

/* A window of it: cycles per unit. */
double world_loop(struct world *w, const struct world_loop *loop);

#endif
