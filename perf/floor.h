/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor - what a packet costs before anything is done about it: the macswap loop, and the
 * lines of memory without which nobody can answer, asked for a burst ahead, read, and left.
 *
 * A life also leaves its lines changed, and bulk's bytes are summed: nobody can do without
 * that either.
 */
#ifndef PERF_FLOOR_H
#define PERF_FLOOR_H

#include "flow/slots.h"
#include "streams.h"
#include "tcp/tcb.h"
#include "world.h"

/* Memory like that of so many connections, all of it zero, though only we know that. */
struct floor {
	struct world *world;
	uint32_t connections;
	uint64_t n_buckets, random;
	char *bucket, *record, *state, *span;
};

/* A table for @entries, of which @connections have a record. */
void floor_open(struct floor *f, struct world *w, uint32_t entries, uint32_t connections);

/* Windows: cycles a packet that picks a connection at random. @arg is the floor. */
double floor_syn(void *arg);     /* its headers, and a bucket of the table */
double floor_request(void *arg); /* and its payload, the record, a span, the application's */

/* Clients that go through the stages of a life, in random order. */
struct floor_lives {
	struct floor floor;
	uint8_t last; /* enum peer_stage: PEER_LAST, or PEER_FIN if the server closes first */
	uint32_t n_clients;
	struct floor_client *client;
	struct sl_slots records, spans; /* that nobody has */
	struct wire_seg seg;            /* that comes */
	struct floor_tw *tw; /* TIME-WAIT records, of which the oldest is at @oldest */
	uint32_t n_tw, oldest;
};

/* @time_wait 0: the client closes first. */
void floor_lives_open(struct floor_lives *l, struct world *w, uint32_t connections,
		      uint32_t clients, uint32_t time_wait);

/* Cycles a connection: its packets, and the lines of its life. @arg is the lives. */
double floor_life(void *arg);

/* Cycles a connection for its cookie, made and checked, of 64 at a time. @arg is the world. */
double floor_cookie(void *arg);

/* Streams in turn, all of them sending or all receiving, of the same bytes. */
struct floor_bulk {
	struct floor floor;
	const char *bytes; /* pinned, @n_bytes of them */
	uint32_t n_bytes, at;
	uint32_t streams, stream; /* the next one */
	struct wire_seg seg;      /* that comes */
	uint64_t n_wrong;         /* of those summed */
};

void floor_bulk_open(struct floor_bulk *b, struct world *w, uint32_t streams, const char *bytes,
		     uint32_t n_bytes);

/* Cycles a segment of FLOOR_SEGMENT bytes, of which every second is acknowledged. */
#define FLOOR_SEGMENT 1448
double floor_rx(void *arg);
double floor_tx(void *arg);

/* For the files of the floor: lines are read, or left changed. */
static inline uint8_t
floor_read(const void *p)
{
	return *(const volatile uint8_t *)p;
}

static inline uint8_t
floor_change(void *p)
{
	volatile uint8_t *byte = p;
	uint8_t was = *byte;

	*byte = 0;
	return was;
}

static inline char *
floor_bucket(const struct floor *f, uint32_t id)
{
	return f->bucket + (id * 2654435761u * f->n_buckets >> 32) * SL_CACHE_LINE;
}

static inline char *
floor_record(const struct floor *f, uint32_t id)
{
	return f->record + id * sizeof(struct sl_tcb);
}

static inline char *
floor_span(const struct floor *f, uint32_t id)
{
	return f->span + id * sizeof(struct sl_span);
}

static inline char *
floor_state(const struct floor *f, uint32_t id)
{
	return f->state + (uint64_t)id * REQUEST_STATE_BYTES;
}

#endif
