/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor - see floor.h: lines like those of connections, asked for, read, nothing done.
 */
#include <string.h>

#include <rte_prefetch.h>

#include "bench.h"
#include "floor.h"
#include "streams.h"
#include "tcp/tcb.h"

#define BURST 64

/* Written once: what was not lies in one page of zeros for all. */
static char *
take(uint64_t bytes)
{
	return memset(bench_memory(bytes), 0, bytes);
}

void
floor_open(struct floor *f, struct world *w, uint32_t connections)
{
	*f = (struct floor){ .world = w,
			     .connections = connections,
			     .random = 88172645463325252 };
	f->n_buckets = sl_flows_bytes(connections) / SL_CACHE_LINE;
	f->bucket = take(f->n_buckets * SL_CACHE_LINE);
	f->record = take(connections * sizeof(struct sl_tcb));
	f->state = take((uint64_t)connections * REQUEST_STATE_BYTES);
	f->span = take(connections * sizeof(struct sl_span));
}

static uint8_t
touch(const void *p)
{
	return *(const volatile uint8_t *)p;
}

static const char *
bucket_at(const struct floor *f, uint32_t id)
{
	return f->bucket + (id * 2654435761u * f->n_buckets >> 32) * SL_CACHE_LINE;
}

/* The lines are zero, but only we know that: who is whose is not known before they came. */
static void
ask_for_buckets(struct floor *f, uint32_t *id, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		id[i] = bench_below(&f->random, f->connections);
		rte_prefetch0(bucket_at(f, id[i]));
	}
}

static void
syns(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor *f = arg;
	uint32_t id[BURST];

	ask_for_buckets(f, id, n);
	for (uint16_t i = 0; i < n; i++)
		touch(bucket_at(f, id[i]));
}

static void
requests(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor *f = arg;
	uint32_t id[BURST];

	ask_for_buckets(f, id, n);
	for (uint16_t i = 0; i < n; i++) {
		const char *record;

		id[i] += touch(bucket_at(f, id[i]));
		record = f->record + id[i] * sizeof(struct sl_tcb);
		rte_prefetch0(record);
		rte_prefetch0(record + SL_CACHE_LINE);
		rte_prefetch0(f->state + (uint64_t)id[i] * REQUEST_STATE_BYTES);
	}
	for (uint16_t i = 0; i < n; i++) {
		const char *record = f->record + id[i] * sizeof(struct sl_tcb);

		id[i] += touch(record) + touch(record + SL_CACHE_LINE);
		rte_prefetch0(f->span + id[i] * sizeof(struct sl_span));
	}
	for (uint16_t i = 0; i < n; i++) {
		touch(f->span + id[i] * sizeof(struct sl_span));
		touch(f->state + (uint64_t)id[i] * REQUEST_STATE_BYTES);
		for (uint32_t at = SL_CACHE_LINE; at < m[i]->data_len; at += SL_CACHE_LINE)
			touch(rte_pktmbuf_mtod_offset(m[i], const char *, at));
	}
}

double
floor_syn(void *arg)
{
	struct wire_seg syn = { .flags = WIRE_SYN, .options = WIRE_SYN_LINUX, .wnd = 64240 };
	struct floor *f = arg;

	return world_loop(f->world, &syn, syns, f);
}

double
floor_request(void *arg)
{
	struct wire_seg seg = {
		.flags = WIRE_PSH | WIRE_ACK,
		.options = WIRE_TS,
		.wnd = 502,
		.payload = peer_request,
		.len = sizeof(peer_request),
	};
	struct floor *f = arg;

	return world_loop(f->world, &seg, requests, f);
}
