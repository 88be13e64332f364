/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flowrig - a connection table, its records, and who is in it by an array nobody can misread.
 *
 * A program that uses it compiles flowrig.c, since that asserts.
 */
#ifndef TEST_FLOWRIG_H
#define TEST_FLOWRIG_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "flow/flows.h"
#include "flow/slots.h"
#include "random.h"

/* As long as a record may be in practice, so that strides are honest. */
struct flowrig_record {
	struct sl_key key;
	uint32_t link, rest[11];
};

struct flowrig {
	struct arena heap;
	struct sl_flows *flows;
	uint32_t n; /* records of each kind, and tuples */
	struct flowrig_record *conn, *tw;
	struct sl_key6 *key6; /* conn i uses i, tw i uses n + i */
	struct sl_slots conn_free, tw_free;
	struct sl_tuple *tuple;
	uint32_t *slot; /* slot[t]: what tuple[t] was inserted with, or SL_NO_FLOW */
	struct rnd rnd;
};

/* A table for @entries, and @n records of each kind and tuples of both families. */
void flowrig_open(struct flowrig *w, uint32_t entries, uint32_t n, uint64_t seed);
void flowrig_close(struct flowrig *w);

/* Of tuple @t. */
uint64_t flowrig_hash(const struct flowrig *w, uint32_t t);

/* A free record of the kind, bearing the name of tuple @t; and back. */
uint32_t flowrig_take(struct flowrig *w, uint32_t t, bool tw);
void flowrig_give(struct flowrig *w, uint32_t idx);

/* Tuple @t gets a connection's record in the table; what sl_flows_insert() says. */
int flowrig_insert(struct flowrig *w, uint32_t t);

#endif
