/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cores - two workers against one, each with a peer on its own core.
 *
 * The work is requests on 16,384 connections a worker. First one worker alone, then both;
 * the port says the RSS hash of each packet, as a NIC would, and packets come to their
 * owners. Then nobody says a hash, and every second packet comes to the wrong worker: all
 * are hashed in software and half of them handed over.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "bench.h"
#include "peer.h"

#define CORES      2
#define CONNS      16384
#define MOST_AHEAD 1024 /* packets in the other's queue */

enum how { ALONE, BOTH, STEERED, HOWS };

struct side {
	struct world *world;
	struct peer peer;
	uint64_t cycles, n; /* of batches that count */
	double cost[HOWS];  /* of the last window of each kind: cycles per request */
};

static struct world world[CORES];
static struct side side[CORES];
static atomic_uint n_done;   /* sides that have their units; the others go on till then */
static atomic_uint n_at_end; /* sides that have stopped handing over */
static enum how how;         /* set while nobody runs */

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	static const char response[64] = "HTTP/1.1 200 OK";

	sl_send(c, response, sizeof(response));
	return in->bytes;
}

static const struct sl_app app = { .name = "cores", .data = answer, .peer_closed = sl_close };

static uint32_t
hash_of(const struct peer *p, uint32_t i)
{
	struct wire_end end = peer_end(p, i);
	struct sl_tuple tuple = {
		.remote = sl_addr_v4(end.addr),
		.local = sl_addr_v4(0x0a000001),
		.rport = end.port,
		.lport = end.server,
	};

	return sl_steer_hash(&p->world->engine->steer, &tuple);
}

/* Give each connection a tuple that belongs to this side. */
static void
choose_tuples(struct side *s, uint16_t own)
{
	for (uint32_t i = 0; i < CONNS; i++)
		while (sl_steer_slot(&s->world->engine->steer, hash_of(&s->peer, i)) != own)
			s->peer.conn[i].gen++;
}

/* What an RSS NIC would leave in the packet that was just made. */
static void
say_hash(struct side *s, uint32_t i)
{
	struct rte_mbuf *m = s->world->batch[s->world->n_batch - 1];

	if (how == STEERED)
		return;
	m->hash.rss = hash_of(&s->peer, i);
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->packet_type = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP;
}

/* Rounds until nothing waits for this worker; those that carried packets are timed. */
static uint64_t
go_round(struct side *s)
{
	struct sl_worker *w = s->world->worker;
	uint64_t cycles = 0;

	while (!rte_ring_empty(s->world->in) || !rte_ring_empty(w->in)) {
		uint64_t before = rte_rdtsc();

		sl_worker_round(w);
		cycles += rte_rdtsc() - before;
	}
	return cycles;
}

static void
hand_over(struct side *s, uint16_t own)
{
	struct world *w = s->world;
	unsigned int half = how == STEERED ? w->n_batch / 2u : 0, rest = w->n_batch - half;
	struct rte_ring *other = world[!own].in;

	if (rte_ring_enqueue_bulk(other, (void **)w->batch, half, NULL) != half ||
	    rte_ring_enqueue_bulk(w->in, (void **)w->batch + half, rest, NULL) != rest)
		bench_fail("a ring of the port is full");
	w->n_batch = 0;
}

static void
do_batch(struct side *s, uint16_t own)
{
	long before = world_preemptions();
	uint64_t answers = s->peer.n_segments, cycles = 0;

	/* The other may be off its CPU: not too far ahead of it. */
	while (rte_ring_count(world[!own].in) > MOST_AHEAD) {
		cycles += go_round(s); /* its answers count, too */
		rte_pause();
	}
	for (int i = 0; i < WORLD_BATCH / 2; i++) {
		uint32_t at = peer_pick(&s->peer);

		s->peer.conn[at].stage = PEER_REQUEST;
		peer_step(&s->peer, at);
		say_hash(s, at);
	}
	hand_over(s, own);
	cycles += go_round(s);
	peer_take_answers(&s->peer);
	if (world_preemptions() == before) {
		s->cycles += cycles;
		s->n += s->peer.n_segments - answers;
	}
}

/* A window on one side; it goes on until the other has its units, too. */
static int
run_side(void *arg)
{
	uint16_t own = (uint16_t)(uintptr_t)arg;
	unsigned int all = how == ALONE ? 1 : CORES;
	struct side *s = &side[own];
	bool done = false;

	s->cycles = s->n = 0;
	while (atomic_load(&n_done) < all) {
		do_batch(s, own);
		if (!done && s->n >= WINDOW_UNITS) {
			done = true;
			s->cost[how] = (double)s->cycles / (double)s->n;
			atomic_fetch_add(&n_done, 1);
		}
	}
	atomic_fetch_add(&n_at_end, 1);
	while (atomic_load(&n_at_end) < all)
		go_round(s);
	go_round(s);
	return 0;
}

static void
window(enum how h, unsigned int other)
{
	how = h;
	atomic_store(&world[0].engine->port[0].hash_is_ours, h != STEERED);
	atomic_store(&n_done, 0);
	atomic_store(&n_at_end, 0);
	if (h != ALONE)
		rte_eal_remote_launch(run_side, (void *)(uintptr_t)1, other);
	run_side((void *)0);
	rte_eal_mp_wait_lcore();
	/* What one handed the other while that was leaving. */
	for (uint16_t k = 0; k < CORES; k++) {
		go_round(&side[k]);
		peer_take_answers(&side[k].peer);
	}
}

static int
establish(void *arg)
{
	struct side *s = &side[(uintptr_t)arg];

	for (enum peer_stage stage = PEER_SYN; stage <= PEER_REQUEST; stage++)
		for (uint32_t i = 0; i < CONNS; i++) {
			peer_step(&s->peer, i);
			say_hash(s, i);
			if (i % (WORLD_BATCH / 2) != WORLD_BATCH / 2 - 1)
				continue;
			hand_over(s, (uint16_t)(uintptr_t)arg);
			go_round(s);
			peer_take_answers(&s->peer);
		}
	return 0;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How much two do for each that one does, from costs of one and of both. */
static void
print_ratio(const char *name, double *one, double *a, double *b)
{
	unsigned int n = options.windows, m = n / 2;

	qsort(one, n, sizeof(*one), by_value);
	qsort(a, n, sizeof(*a), by_value);
	qsort(b, n, sizeof(*b), by_value);
	bench_line(name, "ratio", one[0] / a[0] + one[0] / b[0], one[m] / a[m] + one[m] / b[m],
		   n);
}

void
group_cores(void)
{
	unsigned int other = rte_get_next_lcore(-1, 1, 0), n = options.windows;
	double *cost = calloc((size_t)5 * n, sizeof(*cost));

	if (cost == NULL)
		bench_fail("no memory");
	world_open_many(world, CORES,
			&(struct world_conf){ .connections = 4 * CORES * CONNS,
					      .app = &app,
					      .cookies = SL_COOKIES_ALWAYS });
	for (uint16_t k = 0; k < CORES; k++) {
		side[k].world = &world[k];
		peer_open(&side[k].peer, &world[k], CONNS, false);
		side[k].peer.random += k;
		choose_tuples(&side[k], k);
	}
	how = BOTH;
	atomic_store(&world[0].engine->port[0].hash_is_ours, true);
	establish((void *)0);
	rte_eal_remote_launch(establish, (void *)(uintptr_t)1, other);
	rte_eal_mp_wait_lcore();

	for (unsigned int i = 0; i <= n; i++) { /* the first does not count */
		unsigned int at = i == 0 ? 0 : i - 1;

		for (enum how h = ALONE; h < HOWS; h++)
			window(h, other);
		cost[at] = side[0].cost[ALONE];
		for (unsigned int k = 0; k < CORES; k++) {
			cost[(1 + k) * n + at] = side[k].cost[BOTH];
			cost[(3 + k) * n + at] = side[k].cost[STEERED];
		}
	}
	print_ratio("cores_2_ratio", cost, cost + n, cost + 2 * n);
	print_ratio("cores_2_steered_ratio", cost, cost + 3 * n, cost + 4 * n);
	bench_line("cores_1_request", "cycles", cost[0], cost[n / 2], n); /* sorted by now */
	free(cost);
	world_close(&world[0]);
}
