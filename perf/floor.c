/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor - see floor.h: lines like those of connections, asked for, read, nothing done.
 */
#include "floor.h"

#include <string.h>

#include <rte_prefetch.h>

#include "bench.h"

/* Written once: what was not lies in one page of zeros for all. */
static char *
take(uint64_t bytes)
{
	return memset(bench_memory(bytes), 0, bytes);
}

void
floor_open(struct floor *f, struct world *w, uint32_t entries, uint32_t connections)
{
	*f = (struct floor){ .world = w,
			     .connections = connections,
			     .random = 88172645463325252 };
	f->n_buckets = sl_flows_bytes(entries) / SL_CACHE_LINE;
	f->bucket = take(f->n_buckets * SL_CACHE_LINE);
	f->record = take(connections * sizeof(struct sl_tcb));
	f->state = take((uint64_t)connections * REQUEST_STATE_BYTES);
	f->span = take(connections * sizeof(struct sl_span));
}

/* Who is whose is not known before the buckets came. */
static void
ask_for_buckets(struct floor *f, uint32_t *id, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		id[i] = bench_below(&f->random, f->connections);
		rte_prefetch0(floor_bucket(f, id[i]));
	}
}

static uint16_t
syns(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor *f = arg;
	uint32_t id[LOOP_BURST];

	ask_for_buckets(f, id, n);
	for (uint16_t i = 0; i < n; i++)
		floor_read(floor_bucket(f, id[i]));
	return n;
}

static uint16_t
requests(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor *f = arg;
	uint32_t id[LOOP_BURST];

	ask_for_buckets(f, id, n);
	for (uint16_t i = 0; i < n; i++) {
		id[i] += floor_read(floor_bucket(f, id[i]));
		rte_prefetch0(floor_record(f, id[i]));
		rte_prefetch0(floor_record(f, id[i]) + SL_CACHE_LINE);
		rte_prefetch0(floor_state(f, id[i]));
	}
	for (uint16_t i = 0; i < n; i++) {
		const char *record = floor_record(f, id[i]);

		id[i] += floor_read(record) + floor_read(record + SL_CACHE_LINE);
		rte_prefetch0(floor_span(f, id[i]));
	}
	for (uint16_t i = 0; i < n; i++) {
		floor_read(floor_span(f, id[i]));
		floor_read(floor_state(f, id[i]));
		for (uint32_t at = SL_CACHE_LINE; at < m[i]->data_len; at += SL_CACHE_LINE)
			floor_read(rte_pktmbuf_mtod_offset(m[i], const char *, at));
	}
	return n;
}

static const struct wire_seg *
next_request(void *arg)
{
	static const struct wire_seg seg = {
		.flags = WIRE_PSH | WIRE_ACK,
		.options = WIRE_TS,
		.wnd = 502,
		.payload = peer_request,
		.len = sizeof(peer_request),
	};

	return &seg;
}

double
floor_syn(void *arg)
{
	struct floor *f = arg;
	const struct world_loop loop = { .turn = syns, .arg = f, .packets = 1 };

	return world_loop(f->world, &loop);
}

double
floor_request(void *arg)
{
	struct floor *f = arg;
	const struct world_loop loop = {
		.next = next_request, .turn = requests, .arg = f, .packets = 1
	};

	return world_loop(f->world, &loop);
}
