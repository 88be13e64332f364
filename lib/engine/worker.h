/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker - one lcore: the step in a loop, between ports and siblings.
 */
#ifndef SL_ENGINE_WORKER_H
#define SL_ENGINE_WORKER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

#include <sluice/core.h>

#include "engine/arena.h"
#include "engine/capture.h"
#include "engine/clock.h"
#include "engine/place.h"
#include "engine/pools.h"
#include "engine/port.h"
#include "engine/steer.h"

#define SL_WAIT_MAX 256 /* packets that wait for a port */
#define SL_PAGE_MAX 32  /* connections a page of the list */

/* Packets a port has not taken yet. */
struct sl_wait {
	struct sl_port *port;
	uint16_t queue, n;
	bool shared;   /* the queue: with other workers */
	bool stalled;  /* the port took nothing for so long that waiting is pointless */
	sl_ns_t since; /* of the first refusal in a row, 0: none */
	struct rte_mbuf *pkt[SL_WAIT_MAX];
};

/* What a worker counts beside its core; one writer, words read by others. */
struct sl_worker_stats {
	uint64_t polls, busy_polls;
	uint64_t rx_bursts;       /* receive calls that brought something */
	uint64_t handed_out;      /* packets given to their owners */
	uint64_t handed_in;       /* packets got from other workers */
	uint64_t copied;          /* neighbour news copied to all */
	uint64_t not_copied;      /* neighbour news that were too many to be copied */
	uint64_t steer_full;      /* packets dropped: the owner's ring was full */
	uint64_t tx_dropped;      /* packets dropped: the port would not send them */
	uint64_t hash_mismatches; /* packets whose port computed another hash than we do */
};

/* A page of connections: asked for by the control side, filled in by the worker. */
enum sl_page_state { SL_PAGE_IDLE, SL_PAGE_ASKED, SL_PAGE_FILLED };

struct sl_page {
	atomic_int state; /* hands the rest from one side to the other */
	uint32_t cursor, n;
	struct sl_conn_info conn[SL_PAGE_MAX];
};

struct sl_siblings;

struct sl_worker {
	/* set before it runs, then only read */
	uint16_t index, n_queues, n_ports;
	unsigned int lcore;
	int node;
	bool shares_cpu; /* with another worker */
	bool may_nap;    /* no port that a burst could overrun meanwhile, or a shared CPU */
	const struct sl_clock *clock;
	const struct sl_steer *steer;
	struct sl_steer_home home;
	struct sl_siblings *siblings;
	struct sl_capture *capture; /* or NULL */
	struct sl_core *core;
	struct rte_ring *in;   /* packets from siblings: many write, we read */
	struct rte_ring *mail; /* events, by value: who has the lock writes, we read */
	struct {
		struct sl_port *port;
		uint16_t queue;
	} queue[SL_PORTS_MAX * SL_WORKERS_MAX];

	/* the worker's own */
	alignas(SL_CACHE_LINE) sl_ns_t now;
	sl_ns_t last_busy;
	uint16_t n_verified[SL_PORTS_MAX]; /* hashes compared with ours */
	uint64_t copies_ms;                /* the millisecond in which ... */
	uint32_t n_copies;                 /* ... so many neighbour news were copied */
	struct sl_event news;              /* being told to siblings */
	uint16_t news_to; /* next sibling to tell; n_workers: nothing to tell */
	struct sl_worker_stats stats;
	struct sl_wait wait[SL_PORTS_MAX];
	struct rte_mbuf **hand; /* [n_workers][SL_BURST]: packets of others in this burst */
	uint16_t *n_hand;

	/* read and written from both sides */
	alignas(SL_CACHE_LINE) struct sl_page page;
	rte_spinlock_t mail_lock;

	struct sl_pools pools;
	struct sl_arena arena;
};

/* What all workers share. */
struct sl_siblings {
	uint16_t n;
	uint8_t slot[RTE_MAX_ETHPORTS]; /* port number in ethdev -> in the configuration */
	atomic_uint n_running; /* workers that have been round their loop, and not left it */
	atomic_bool halt;
	struct sl_worker **worker;
};

/*
 * Its memory, rings and pools; not yet its core. A worker has @placement's queues of
 * @port[]. 0 or -ENOMEM.
 */
int sl_worker_open(struct sl_worker **out, uint16_t index, unsigned int lcore, int node,
		   struct sl_siblings *siblings, const uint32_t pool[SL_POOL_COUNT]);

/* Give it the queues that @placement says, and a way out through every port. */
void sl_worker_wire(struct sl_worker *w, struct sl_port *port, uint16_t n_ports,
		    const struct sl_placement *placement);

/* Once round the loop: receive, step, send, and what else is due. On the worker's own lcore. */
void sl_worker_round(struct sl_worker *w);

/* The loop; an lcore_function_t of struct sl_siblings. Returns when halted. */
int sl_worker_run(void *siblings);

/* From any thread: put @event into the mailbox of @w. False, try again: full, or in use. */
bool sl_worker_tell(struct sl_worker *w, const struct sl_event *event);

/* It has ended: drop, counted, what ports have not taken. */
void sl_worker_give_up(struct sl_worker *w);

/* All have ended: give every packet back. The pools are still there, to be counted. */
void sl_worker_stop(struct sl_worker *w);
void sl_worker_close(struct sl_worker *w);

#endif
