/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor - what a packet costs before anything is done about it: the macswap loop, and the
 * lines of memory without which nobody can answer, asked for a burst ahead, read, and left.
 */
#ifndef PERF_FLOOR_H
#define PERF_FLOOR_H

#include "world.h"

/* Memory like that of so many connections, of which each packet picks one at random. */
struct floor {
	struct world *world;
	uint32_t connections;
	uint64_t n_buckets, random;
	char *bucket, *record, *state, *span;
};

void floor_open(struct floor *f, struct world *w, uint32_t connections);

/* Windows: cycles a packet. @arg is the floor. */
double floor_syn(void *arg);     /* its headers, and a bucket of the table */
double floor_request(void *arg); /* and its payload, the record, a span, the application's */

#endif
