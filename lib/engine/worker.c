/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker - receive, hand over what is others', step, send.
 *
 * The only packets a worker holds between two rounds are those a port has not taken yet.
 * When every port has some they shrink the room of the next step, so that slow ports slow
 * down what is sent. One slow port among others must not: what its queue cannot hold is
 * dropped, counted, as a NIC would. So are all packets of a port that took nothing for
 * STALL_NS, until it takes something again.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_ring_elem.h>
#include <rte_spinlock.h>

#include "engine/share.h"
#include "engine/worker.h"
#include "wire/frame.h"

#define RING_EVENTS     1024
#define STALL_NS        (100 * SL_NS_PER_MS)
#define EVENTS_A_ROUND  32
#define COPIES_A_MS     64u
#define HASHES_VERIFIED 1024 /* of the first packets of each port */

/* A worker that may nap does so after this long without work, for this long. */
#define PATIENCE_NS        SL_NS_PER_MS
#define PATIENCE_SHARED_NS (20 * 1000ull)
#define NAP_NS             (50 * 1000l)

static void
look_at_clock(struct sl_worker *w)
{
	sl_ns_t now = sl_clock_now(w->clock);

	if (now > w->now)
		w->now = now;
}

/* Sending */

static void
drop_waiting(struct sl_worker *w, struct sl_wait *q)
{
	rte_pktmbuf_free_bulk(q->pkt, q->n);
	sl_stat_add(w->stats.tx_dropped, q->n);
	q->n = 0;
}

static uint16_t
offer(struct sl_wait *q)
{
	rte_spinlock_t *lock = &q->port->tx[q->queue].lock;
	uint16_t sent;

	if (!q->shared)
		return rte_eth_tx_burst(q->port->id, q->queue, q->pkt, q->n);
	/* Whoever has the queue may be off its CPU: rather try again in the next round. */
	if (!rte_spinlock_trylock(lock))
		return 0;
	sent = rte_eth_tx_burst(q->port->id, q->queue, q->pkt, q->n);
	rte_spinlock_unlock(lock);
	return sent;
}

static void
flush_one(struct sl_worker *w, struct sl_wait *q)
{
	uint16_t sent = offer(q);

	if (sent > 0) {
		q->n -= sent;
		if (q->n > 0)
			memmove(q->pkt, q->pkt + sent, q->n * sizeof(q->pkt[0]));
		q->since = 0;
		q->stalled = false;
		return;
	}
	if (q->since == 0)
		q->since = w->now;
	if (w->now - q->since >= STALL_NS)
		q->stalled = true;
	if (q->stalled)
		drop_waiting(w, q);
}

static void
flush(struct sl_worker *w)
{
	for (uint16_t p = 0; p < w->n_ports; p++)
		if (w->wait[p].n > 0)
			flush_one(w, &w->wait[p]);
}

/*
 * Room of the port that has most: the step does not know yet where its packets will go, and
 * a full port must not keep the others from sending.
 */
static uint16_t
room(const struct sl_worker *w)
{
	uint16_t fewest = SL_WAIT_MAX;

	for (uint16_t p = 0; p < w->n_ports; p++)
		fewest = RTE_MIN(fewest, w->wait[p].n);
	return RTE_MIN(SL_WAIT_MAX - fewest, 2 * SL_BURST);
}

/* Let @n packets wait; those the queue cannot hold are dropped, and TCP will send them again.
 */
static void
let_wait(struct sl_worker *w, struct sl_wait *q, struct rte_mbuf **m, uint16_t n)
{
	uint16_t taken = RTE_MIN(n, SL_WAIT_MAX - q->n);

	memcpy(q->pkt + q->n, m, taken * sizeof(*m));
	q->n += taken;
	if (taken == n)
		return;
	rte_pktmbuf_free_bulk(m + taken, n - taken);
	sl_stat_add(w->stats.tx_dropped, n - taken);
}

/* How many of @tx, from the first on, leave by the same port. */
static uint16_t
alike(struct rte_mbuf **tx, uint16_t n)
{
	uint16_t i = 1;

	while (i < n && tx[i]->port == tx[0]->port)
		i++;
	return i;
}

static void
send_out(struct sl_worker *w, struct rte_mbuf **tx, uint16_t n)
{
	for (uint16_t done = 0, run; done < n; done += run) {
		uint8_t slot = w->siblings->slot[tx[done]->port];
		struct sl_wait *q = &w->wait[slot];

		run = w->n_ports == 1 ? n : alike(tx + done, n - done);
		assert(slot < w->n_ports);
		for (uint16_t i = done; w->capture != NULL && i < done + run; i++)
			sl_capture_take(w->capture, w->index, slot, SL_CAPTURE_OUT, w->now,
					tx[i]);
		let_wait(w, q, tx + done, run);
	}
	flush(w);
}

static void
step(struct sl_worker *w, struct rte_mbuf **rx, uint16_t n)
{
	struct rte_mbuf *tx[2 * SL_BURST];
	uint16_t n_tx;

	look_at_clock(w);
	n_tx = sl_core_step(w->core, w->now, rx, n, tx, room(w));
	if (n_tx > 0)
		send_out(w, tx, n_tx);
}

/* Steering */

/*
 * The first packets of a port that claims to compute our hash are checked. One lie, and
 * from then on every packet is hashed here.
 */
static bool
hash_is_right(struct sl_worker *w, struct sl_port *port, const struct rte_mbuf *m)
{
	if (w->n_verified[port->index] == HASHES_VERIFIED)
		return true;
	w->n_verified[port->index]++;
	if (sl_steer_owner(w->steer, m, w->index) == sl_steer_slot(w->steer, m->hash.rss))
		return true;
	sl_stat_add(w->stats.hash_mismatches, 1);
	atomic_store_explicit(&port->hash_is_ours, false, memory_order_relaxed);
	return false;
}

static uint16_t
owner_of(struct sl_worker *w, struct sl_port *port, const struct rte_mbuf *m)
{
	bool hashed = m->ol_flags & RTE_MBUF_F_RX_RSS_HASH;
	bool tcp = (m->packet_type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP;
	bool ours = atomic_load_explicit(&port->hash_is_ours, memory_order_relaxed);

	if (hashed & tcp & ours && hash_is_right(w, port, m))
		return sl_steer_slot(w->steer, m->hash.rss);
	return sl_steer_owner(w->steer, m, w->index);
}

/* Put SYNs behind the others, which keep their order; returns how many those are. */
static uint16_t
syns_last(struct rte_mbuf **m, uint16_t n)
{
	struct rte_mbuf *syn[SL_BURST];
	uint16_t n_syns = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (sl_frame_is_syn(m[i]))
			syn[n_syns++] = m[i];
		else
			m[i - n_syns] = m[i];
	}
	memcpy(m + n - n_syns, syn, n_syns * sizeof(*m));
	return n - n_syns;
}

/* The last quarter of a ring is for packets of connections: if it gets short, SYNs go first. */
static void
hand_to(struct sl_worker *w, uint16_t to, struct rte_mbuf **m, uint16_t n)
{
	struct rte_ring *ring = w->siblings->worker[to]->in;
	unsigned int room, taken;
	uint16_t welcome = n;

	/* None: to hear of the room, by atomics as rte_ring_free_count() does not. */
	rte_ring_enqueue_burst(ring, (void **)m, 0, &room);
	if (unlikely(room < SL_RING_PACKETS / 4))
		welcome = syns_last(m, n);
	taken = rte_ring_enqueue_burst(ring, (void **)m, welcome, NULL);

	sl_stat_add(w->stats.handed_out, taken);
	sl_stat_add(w->stats.steer_full, n - taken);
	if (taken < n)
		rte_pktmbuf_free_bulk(m + taken, n - taken);
}

/* Whoever floods us with answers may not have each worker busy with each of them. */
static bool
may_copy(struct sl_worker *w)
{
	uint64_t ms = w->now / SL_NS_PER_MS;

	if (w->copies_ms != ms) {
		w->copies_ms = ms;
		w->n_copies = 0;
	}
	if (w->n_copies++ < COPIES_A_MS)
		return true;
	sl_stat_add(w->stats.not_copied, 1);
	return false;
}

static void
copy_to_all(struct sl_worker *w, const struct rte_mbuf *m)
{
	for (uint16_t to = 0; to < w->siblings->n; to++) {
		struct rte_mbuf *copy;

		if (to == w->index)
			continue;
		copy = rte_pktmbuf_copy(m, w->pools.pool[SL_POOL_TX], 0, UINT32_MAX);
		if (copy == NULL)
			return; /* they will ask again */
		sl_stat_add(w->stats.copied, 1);
		hand_to(w, to, &copy, 1);
	}
}

/* Keep what is ours in front of @m, in order; the rest goes to its owners. Returns how many. */
static uint16_t
sort_out(struct sl_worker *w, struct sl_port *port, struct rte_mbuf **m, uint16_t n)
{
	uint16_t mine = 0;

	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		uint16_t to = owner_of(w, port, m[i]);

		if (to != w->index) {
			w->hand[to * SL_BURST + w->n_hand[to]++] = m[i];
			continue;
		}
		if (sl_steer_for_all(m[i], port->mac) && may_copy(w))
			copy_to_all(w, m[i]);
		m[mine++] = m[i];
	}
	for (uint16_t to = 0; mine < n && to < w->siblings->n; to++) {
		if (w->n_hand[to] > 0)
			hand_to(w, to, &w->hand[to * SL_BURST], w->n_hand[to]);
		w->n_hand[to] = 0;
	}
	return mine;
}

/* Receiving */

static bool
poll_queue(struct sl_worker *w, struct sl_port *port, uint16_t queue)
{
	struct rte_mbuf *m[SL_BURST];
	uint16_t n = rte_eth_rx_burst(port->id, queue, m, SL_BURST);

	if (n == 0)
		return false;
	sl_stat_add(w->stats.rx_bursts, 1);
	for (uint16_t i = 0; i < n; i++)
		m[i]->port = port->id; /* a ring device passes on what the sender left there */
	if (w->capture != NULL) {
		look_at_clock(w);
		for (uint16_t i = 0; i < n; i++)
			sl_capture_take(w->capture, w->index, port->index, SL_CAPTURE_IN,
					w->now, m[i]);
	}
	if (w->siblings->n > 1)
		n = sort_out(w, port, m, n);
	if (n > 0)
		step(w, m, n);
	return true;
}

static bool
poll_ports(struct sl_worker *w)
{
	bool busy = false;

	for (uint16_t i = 0; i < w->n_queues; i++)
		busy |= poll_queue(w, w->queue[i].port, w->queue[i].queue);
	return busy;
}

static bool
poll_siblings(struct sl_worker *w)
{
	struct rte_mbuf *m[SL_BURST];
	unsigned int n;

	if (w->siblings->n == 1)
		return false;
	n = rte_ring_sc_dequeue_burst(w->in, (void **)m, SL_BURST, NULL);
	if (n == 0)
		return false;
	sl_stat_add(w->stats.handed_in, n);
	step(w, m, (uint16_t)n);
	return true;
}

/* Control */

static void
fill_page(struct sl_worker *w)
{
	struct sl_page *page = &w->page;

	/* pairs with the release in the telemetry's ask(): the cursor is set */
	if (atomic_load_explicit(&page->state, memory_order_acquire) != SL_PAGE_ASKED)
		return;
	page->n += sl_core_list(w->core, &page->cursor, page->conn + page->n,
				SL_PAGE_MAX - page->n);
	/* pairs with the acquire in the telemetry's ask(): the page is written */
	atomic_store_explicit(&page->state, SL_PAGE_FILLED, memory_order_release);
}

static void
read_mail(struct sl_worker *w)
{
	struct sl_event event;

	fill_page(w);
	for (unsigned int i = 0; i < EVENTS_A_ROUND; i++) {
		if (rte_ring_sc_dequeue_elem(w->mail, &event, sizeof(event)) != 0)
			break;
		if (i == 0)
			look_at_clock(w);
		sl_core_event(w->core, w->now, &event);
	}
}

bool
sl_worker_tell(struct sl_worker *w, const struct sl_event *event)
{
	struct sl_event copy = *event;
	bool is_in;

	/* Who has the mailbox may be off its CPU, as with a queue. */
	if (!rte_spinlock_trylock(&w->mail_lock))
		return false;
	is_in = rte_ring_sp_enqueue_elem(w->mail, &copy, sizeof(copy)) == 0;
	rte_spinlock_unlock(&w->mail_lock);
	return is_in;
}

/* Tell the siblings what the core has learnt; whose mailbox takes nothing, the next round. */
static void
tell_siblings(struct sl_worker *w)
{
	uint16_t n = w->siblings->n;

	for (;;) {
		if (w->news_to == n) {
			if (!sl_core_told(w->core, &w->news))
				return;
			w->news_to = 0;
		}
		for (; w->news_to < n; w->news_to++)
			if (w->news_to != w->index &&
			    !sl_worker_tell(w->siblings->worker[w->news_to], &w->news))
				return;
	}
}

/*
 * Busy polling is the point of the exercise; but on a CPU that others need too (a sibling on
 * the same one, the kernel's side of a virtual port) a worker without work sleeps a little. It
 * must be sleep: the scheduler punishes sched_yield(), which costs a whole time slice each
 * time, and kept a worker with packets waiting off its CPU for half a second.
 */
static void
rest(struct sl_worker *w, bool busy)
{
	const struct timespec nap = { 0, NAP_NS };
	sl_ns_t patience = w->shares_cpu ? PATIENCE_SHARED_NS : PATIENCE_NS;

	sl_stat_add(w->stats.polls, 1);
	if (busy) {
		sl_stat_add(w->stats.busy_polls, 1);
		w->last_busy = w->now;
	} else if (w->may_nap && w->now - w->last_busy > patience) {
		nanosleep(&nap, NULL);
	} else {
		rte_pause();
	}
}

void
sl_worker_round(struct sl_worker *w)
{
	bool busy;

	read_mail(w);
	busy = poll_ports(w);
	busy |= poll_siblings(w);
	look_at_clock(w);
	flush(w);
	if (sl_core_next(w->core) <= w->now) {
		step(w, NULL, 0);
		busy = true;
	}
	tell_siblings(w);
	rest(w, busy);
}

static struct sl_worker *
mine(const struct sl_siblings *s)
{
	for (uint16_t i = 0; i < s->n; i++)
		if (s->worker[i]->lcore == rte_lcore_id())
			return s->worker[i];
	return NULL;
}

int
sl_worker_run(void *siblings)
{
	struct sl_siblings *s = siblings;
	struct sl_worker *w = mine(s);

	if (w == NULL)
		return -EINVAL;
	prctl(PR_SET_TIMERSLACK, 1000ul); /* ns: so that a nap is as short as it says */
	sl_worker_round(w);
	atomic_fetch_add_explicit(&s->n_running, 1, memory_order_relaxed);
	while (!atomic_load_explicit(&s->halt, memory_order_relaxed))
		sl_worker_round(w);
	flush(w);
	/* pairs with the acquire in sl_engine_run(): what the worker wrote is there */
	atomic_fetch_sub_explicit(&s->n_running, 1, memory_order_release);
	return 0;
}

/* Birth and death */

/* One worker takes from it; @producers says how others put into it. */
static struct rte_ring *
make_ring(const char *kind, uint16_t index, unsigned int element, unsigned int n, int node,
	  unsigned int producers)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "sluice_%s_%u", kind, index);
	return rte_ring_create_elem(name, element, n, node, RING_F_SC_DEQ | producers);
}

int
sl_worker_open(struct sl_worker **out, uint16_t index, unsigned int lcore, int node,
	       struct sl_siblings *siblings, const uint32_t pool[SL_POOL_COUNT])
{
	struct sl_worker *w = rte_zmalloc_socket("worker", sizeof(*w), SL_CACHE_LINE, node);
	uint16_t n = siblings->n;

	static_assert(sizeof(struct sl_event) % 4 == 0, "rings take elements of whole words");
	if (w == NULL)
		return -ENOMEM;
	w->index = index;
	w->lcore = lcore;
	w->node = node;
	w->siblings = siblings;
	w->news_to = n;
	rte_spinlock_init(&w->mail_lock);
	sl_arena_init(&w->arena, node);

	w->hand = sl_mem_take(&w->arena.mem, n * SL_BURST * sizeof(*w->hand), SL_CACHE_LINE);
	w->n_hand = sl_mem_take(&w->arena.mem, n * sizeof(*w->n_hand), SL_CACHE_LINE);
	w->in = make_ring("in", index, sizeof(void *), SL_RING_PACKETS, node, 0);
	w->mail = make_ring("mail", index, sizeof(struct sl_event), RING_EVENTS, node,
			    RING_F_SP_ENQ);
	if (w->hand == NULL || w->n_hand == NULL || w->in == NULL || w->mail == NULL ||
	    sl_pools_open(&w->pools, index, pool, node) != 0) {
		sl_worker_close(w);
		return -ENOMEM;
	}
	*out = w;
	return 0;
}

void
sl_worker_wire(struct sl_worker *w, struct sl_port *port, uint16_t n_ports,
	       const struct sl_placement *placement)
{
	w->n_ports = n_ports;
	for (uint16_t p = 0; p < n_ports; p++) {
		struct sl_wait *q = &w->wait[p];

		for (uint16_t i = 0; i < port[p].n_rx; i++) {
			if (placement->poller[p][i] != w->index)
				continue;
			w->queue[w->n_queues].port = &port[p];
			w->queue[w->n_queues++].queue = i;
		}
		q->port = &port[p];
		q->queue = w->index % port[p].n_tx;
		q->shared = port[p].n_tx < w->siblings->n;
	}
}

void
sl_worker_give_up(struct sl_worker *w)
{
	for (uint16_t p = 0; p < w->n_ports; p++)
		drop_waiting(w, &w->wait[p]);
}

void
sl_worker_stop(struct sl_worker *w)
{
	struct rte_mbuf *m[SL_BURST];
	unsigned int n;

	while ((n = rte_ring_dequeue_burst(w->in, (void **)m, SL_BURST, NULL)) > 0)
		rte_pktmbuf_free_bulk(m, n);
	if (w->core != NULL)
		sl_core_close(w->core);
	w->core = NULL;
}

void
sl_worker_close(struct sl_worker *w)
{
	sl_pools_close(&w->pools);
	rte_ring_free(w->mail);
	rte_ring_free(w->in);
	sl_arena_free(&w->arena);
	rte_free(w);
}
