/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_lives - the lines of whole lives: a tuple that is new, found again, and gone.
 *
 * Each packet is of a client picked at random, and asks at the bucket that its client has all
 * life long; that the table changes when a connection begins and when it ends. Its record is
 * the one given back last, so that the lines of a record are cold where it is found, not where
 * it is taken; spans likewise, which a connection has from its response to the ACK of that. Of
 * five packets three are answered, in their own buffers; the others are given back.
 *
 * A packet says itself which lines it is about, in numbers that are in its first line for
 * everybody to read. What a stage does not touch is multiplied by nothing: it touches the
 * first of its kind, which is always near, and no branch is lost to who comes next.
 */
#include <string.h>

#include <rte_prefetch.h>
#include <rte_tcp.h>

#include "bench.h"
#include "floor.h"

#define HEADERS 34 /* Ethernet's and IPv4's */

struct floor_client {
	uint32_t tuple, record, span;
	uint8_t stage; /* enum peer_stage */
};

/* As large as a TIME-WAIT record. */
struct floor_tw {
	uint32_t tuple;
	uint8_t rest[sizeof(struct sl_tw) - 4];
};

/* What comes, and whether, 0 or 1, it has a record, needs the application's, frees a span. */
static const struct {
	struct wire_seg seg;
	uint8_t record, state, span, is_answered;
} stages[PEER_STAGES] = {
	[PEER_SYN] = { { .flags = WIRE_SYN, .options = WIRE_SYN_LINUX }, .is_answered = 1 },
	[PEER_ACK] = { { .flags = WIRE_ACK, .options = WIRE_TS }, .record = 1 },
	[PEER_REQUEST] = { { .flags = WIRE_ACK | WIRE_PSH,
			     .options = WIRE_TS,
			     .payload = peer_request,
			     .len = sizeof(peer_request) },
			   .record = 1,
			   .state = 1,
			   .is_answered = 1 },
	[PEER_FIN] = { { .flags = WIRE_ACK | WIRE_FIN, .options = WIRE_TS },
		       .record = 1,
		       .span = 1,
		       .is_answered = 1 },
	[PEER_LAST] = { { .flags = WIRE_ACK, .options = WIRE_TS }, .record = 1 },
};

static uint32_t
get(struct sl_slots *slots)
{
	uint32_t idx = sl_slots_get(slots);

	if (idx == SL_NO_INDEX)
		bench_fail("more connections are live than the floor has lines for");
	return idx;
}

/* The next packet of a client; who is done begins anew. */
static const struct wire_seg *
next(void *arg)
{
	struct floor_lives *l = arg;
	uint64_t *random = &l->floor.random;
	struct floor_client *c = &l->client[bench_below(random, l->n_clients)];
	uint8_t stage = c->stage;

	if (stage == PEER_SYN)
		c->tuple = (uint32_t)(bench_random(random) >> 32);
	if (stage == PEER_ACK)
		c->record = get(&l->records);
	if (stage == PEER_REQUEST)
		c->span = get(&l->spans);
	l->seg = stages[stage].seg;
	l->seg.seq = c->tuple;
	l->seg.ack = c->record;
	l->seg.tsval = c->span;
	l->seg.wnd = stage;
	if (stage == PEER_FIN)
		sl_slots_put(&l->spans, c->span);
	if (stage == l->last)
		sl_slots_put(&l->records, c->record);
	c->stage = stage == l->last ? PEER_SYN : stage + 1;
	return &l->seg;
}

/* Which lines a packet is about; those of other kinds than its stage's are the first. */
struct about {
	uint32_t tuple, record, state, span;
	uint8_t stage;
};

static void
hear(const struct rte_mbuf *m, struct about *a)
{
	const struct rte_tcp_hdr *tcp =
		rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, HEADERS);
	rte_be32_t tsval;

	memcpy(&tsval, (const char *)(tcp + 1) + 4, sizeof(tsval));
	a->stage = (uint8_t)rte_be_to_cpu_16(tcp->rx_win);
	a->tuple = rte_be_to_cpu_32(tcp->sent_seq);
	a->record = rte_be_to_cpu_32(tcp->recv_ack) * stages[a->stage].record;
	a->state = a->record * stages[a->stage].state;
	a->span = rte_be_to_cpu_32(tsval) * stages[a->stage].span;
}

/* The walks that each find in cache what the one before asked for. */
static void
touch(const struct floor_lives *l, struct rte_mbuf **m, struct about *a, uint16_t n)
{
	const struct floor *f = &l->floor;

	for (uint16_t i = 0; i < n; i++) {
		hear(m[i], &a[i]);
		rte_prefetch0(floor_bucket(f, a[i].tuple));
	}
	for (uint16_t i = 0; i < n; i++) {
		a[i].record += floor_read(floor_bucket(f, a[i].tuple));
		rte_prefetch0(floor_record(f, a[i].record));
		rte_prefetch0(floor_record(f, a[i].record) + SL_CACHE_LINE);
		rte_prefetch0(floor_state(f, a[i].state));
	}
	for (uint16_t i = 0; i < n; i++) {
		char *record = floor_record(f, a[i].record);

		a[i].span += floor_change(record) + floor_change(record + SL_CACHE_LINE);
		rte_prefetch0(floor_span(f, a[i].span));
	}
	for (uint16_t i = 0; i < n; i++) {
		uint32_t changes = (a[i].stage == PEER_ACK) | (a[i].stage == l->last);

		floor_change(floor_span(f, a[i].span));
		floor_change(floor_state(f, a[i].state));
		floor_change(floor_bucket(f, a[i].tuple * changes));
		floor_read(rte_pktmbuf_mtod_offset(m[i], char *, SL_CACHE_LINE));
		floor_read(rte_pktmbuf_mtod_offset(m[i], char *, m[i]->data_len - 1));
	}
}

/* The TIME-WAIT record that is the oldest once @younger have ended. */
static struct floor_tw *
tw_at(const struct floor_lives *l, uint32_t younger)
{
	uint32_t at = l->oldest + younger;

	return &l->tw[at < l->n_tw ? at : at - l->n_tw];
}

/* As many as begin TIME-WAIT end it: the oldest ones, in whose place the new ones are noted. */
static void
time_wait(struct floor_lives *l, const struct about *a, uint16_t n)
{
	uint32_t ended[LOOP_BURST], n_ended = 0;

	for (uint16_t i = 0; i < n; i++) {
		ended[n_ended] = a[i].tuple;
		n_ended += a[i].stage == l->last;
	}
	for (uint32_t i = 0; i < n_ended; i++) {
		rte_prefetch0(tw_at(l, LOOP_BURST + i));
		rte_prefetch0(floor_bucket(&l->floor, tw_at(l, i)->tuple));
	}
	for (uint32_t i = 0; i < n_ended; i++) {
		struct floor_tw *tw = tw_at(l, i);

		floor_change(floor_bucket(&l->floor, tw->tuple));
		tw->tuple = ended[i];
	}
	l->oldest = (uint32_t)(tw_at(l, n_ended) - l->tw);
}

/* Those that are answered remain in @m. */
static uint16_t
give_back(struct rte_mbuf **m, const struct about *a, uint16_t n)
{
	struct rte_mbuf *back[LOOP_BURST];
	unsigned int n_back = 0;
	uint16_t rest = 0;

	for (uint16_t i = 0; i < n; i++) {
		uint8_t is_answered = stages[a[i].stage].is_answered;

		back[n_back] = m[i];
		m[rest] = m[i];
		n_back += !is_answered;
		rest += is_answered;
	}
	rte_pktmbuf_free_bulk(back, n_back);
	return rest;
}

static uint16_t
turn(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct about about[LOOP_BURST];
	struct floor_lives *l = arg;

	touch(l, m, about, n);
	if (l->n_tw > 0)
		time_wait(l, about, n);
	return give_back(m, about, n);
}

double
floor_life(void *arg)
{
	struct floor_lives *l = arg;
	const struct world_loop loop = {
		.next = next, .turn = turn, .arg = l, .packets = l->last + 1
	};

	return world_loop(l->floor.world, &loop);
}

/* Clients are at every stage alike. */
static void
spread(struct floor_lives *l)
{
	for (uint32_t i = 0; i < l->n_clients; i++) {
		struct floor_client *c = &l->client[i];

		c->stage = i % (l->last + 1u);
		c->tuple = (uint32_t)(bench_random(&l->floor.random) >> 32);
		if (c->stage > PEER_ACK)
			c->record = get(&l->records);
		if (c->stage > PEER_REQUEST)
			c->span = get(&l->spans);
	}
	for (uint32_t i = 0; i < l->n_tw; i++)
		l->tw[i].tuple = (uint32_t)(bench_random(&l->floor.random) >> 32);
}

void
floor_lives_open(struct floor_lives *l, struct world *w, uint32_t connections, uint32_t clients,
		 uint32_t time_wait)
{
	const size_t link = sizeof(uint32_t);

	*l = (struct floor_lives){
		.last = time_wait > 0 ? PEER_FIN : PEER_LAST,
		.n_clients = clients,
		.client = bench_memory(clients * sizeof(*l->client)),
		.n_tw = time_wait,
		.tw = time_wait > 0 ? bench_memory(time_wait * sizeof(*l->tw)) : NULL,
	};
	floor_open(&l->floor, w, connections + time_wait, connections);
	sl_slots_init(&l->records, bench_memory(connections * link), link, connections);
	sl_slots_init(&l->spans, bench_memory(connections * link), link, connections);
	spread(l);
}
