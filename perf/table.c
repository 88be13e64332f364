/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table - the connection table against rte_hash, the same keys in the same run.
 *
 * A key is made from its number, so that 32 million need no list that would itself be
 * missed in caches. Warm: the numbers come from a fixed random set of 65,536. Cold: from
 * all. Both hash, look up in bursts, and compare the key: ours in the connection's record,
 * which the engine needs next anyway, the rival in its own copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "base/units.h"
#include "bench.h"
#include "flow/flows.h"
#include "tcp/tcb.h"

#define WARM  65536
#define BURST 32
#define AHEAD 256 /* keys made at a time; their making is not counted */

/* What rte_hash is asked for: as the engine's IPv4 key, padding left out. */
struct rival_key {
	uint32_t remote, local;
	uint16_t rport, lport;
};

struct table {
	uint32_t n;
	struct sl_flows *flows;
	struct sl_tcb *tcb;
	struct rte_hash *rival;
	uint32_t *warm;
	uint64_t random;
};

struct look {
	struct table *table;
	bool rival, hit;
};

static void *
take(void *ctx, size_t bytes, size_t align)
{
	return bench_memory(bytes);
}

/* Key number @i: mixed so that neighbours have nothing in common. */
static void
make_tuple(uint64_t i, struct sl_tuple *t)
{
	uint64_t x = i * 0x9e3779b97f4a7c15ull;

	x ^= x >> 32;
	*t = (struct sl_tuple){ .rport = (uint16_t)(i >> 16 ^ x), .lport = 80 };
	t->remote = sl_addr_v4((uint32_t)i);
	t->remote.w[3] = (uint32_t)i * 2654435761u;
	t->local = sl_addr_v4(0x0a000001);
}

static struct rival_key
rival_of(const struct sl_tuple *t)
{
	return (struct rival_key){ t->remote.w[3], t->local.w[3], t->rport, t->lport };
}

static void
open_ours(struct table *t)
{
	static struct sl_mem mem = { .take = take };
	struct sl_flows_conf conf = {
		.entries = t->n,
		.hash_key = { { 0x0123456789abcdef, 0xfedcba9876543210 } },
		.conn_stride = sizeof(struct sl_tcb),
	};

	t->tcb = bench_memory((size_t)t->n * sizeof(*t->tcb));
	conf.conn = t->tcb;
	if (sl_flows_open(&t->flows, &mem, &conf) != 0)
		bench_fail("no table");
	for (uint32_t i = 0; i < t->n; i++) {
		struct sl_tuple tuple;

		make_tuple(i, &tuple);
		sl_key_set(&t->tcb[i].key, NULL, 0, &tuple);
		if (sl_flows_insert(t->flows, sl_flows_hash(t->flows, &tuple), i) != 0)
			bench_fail("%u of %u do not fit", i, t->n);
	}
}

static void
open_rival(struct table *t)
{
	struct rte_hash_parameters conf = {
		.name = "rival",
		.entries = t->n + t->n / 8, /* it does not promise to hold all */
		.key_len = sizeof(struct rival_key),
		.hash_func = rte_hash_crc,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};

	t->rival = rte_hash_create(&conf);
	if (t->rival == NULL)
		bench_fail("no rte_hash: not enough memory");
	for (uint32_t i = 0; i < t->n; i++) {
		struct sl_tuple tuple;
		struct rival_key key;

		make_tuple(i, &tuple);
		key = rival_of(&tuple);
		if (rte_hash_add_key_data(t->rival, &key, (void *)(uintptr_t)i) != 0)
			bench_fail("rte_hash holds only %u of %u", i, t->n);
	}
}

static uint64_t
number(struct look *l)
{
	struct table *t = l->table;
	uint32_t i = t->warm != NULL ? t->warm[bench_below(&t->random, WARM)]
				     : bench_below(&t->random, t->n);

	return l->hit ? i : (uint64_t)i + t->n;
}

static void
look_ours(const struct table *t, const struct sl_tuple *tuple, uint64_t *found)
{
	const struct sl_tuple *at[BURST];
	uint64_t hash[BURST];
	uint32_t slot[BURST];

	for (int i = 0; i < BURST; i++) {
		at[i] = &tuple[i];
		hash[i] = sl_flows_hash(t->flows, &tuple[i]);
	}
	sl_flows_lookup(t->flows, at, hash, slot, BURST);
	for (int i = 0; i < BURST; i++)
		*found += slot[i] != SL_NO_FLOW;
}

static void
look_rival(const struct table *t, const struct rival_key *key, uint64_t *found)
{
	const void *at[BURST];
	void *data[BURST];
	uint64_t hits = 0;

	for (int i = 0; i < BURST; i++)
		at[i] = &key[i];
	rte_hash_lookup_bulk_data(t->rival, at, BURST, &hits, data);
	*found += (uint64_t)__builtin_popcountll(hits);
}

/*
 * Made ahead of time, as a parser leaves them: in L2, or nearly so. Some rows are looked at
 * twice as often as others would be, so each makes its own.
 */
static double
window(void *arg)
{
	static struct sl_tuple tuple[AHEAD];
	static struct rival_key key[AHEAD];
	struct look *l = arg;
	uint64_t cycles = 0, found = 0, n = 0;

	for (; n < WINDOW_UNITS; n += AHEAD) {
		uint64_t before;

		for (int i = 0; i < AHEAD; i++) {
			make_tuple(number(l), &tuple[i]);
			key[i] = rival_of(&tuple[i]);
		}
		before = rte_rdtsc();
		for (int i = 0; i < AHEAD; i += BURST) {
			if (l->rival)
				look_rival(l->table, &key[i], &found);
			else
				look_ours(l->table, &tuple[i], &found);
		}
		cycles += rte_rdtsc() - before;
	}
	if (found != (l->hit ? n : 0))
		bench_fail("found %lu of %lu", found, l->hit ? n : 0);
	return (double)cycles / (double)n;
}

void
group_table(void)
{
	static struct table t;
	static struct look look[4];
	static const char *const what[4] = { "table_hit", "rte_hash_hit", "table_miss",
					     "rte_hash_miss" };
	static char name[4][32];
	struct bench_row row[4];
	uint32_t n = options.size ? options.size : 1000000;
	bool cold = n >= 32000000;

	t.n = n;
	t.random = 88172645463325252;
	if (!cold) {
		t.warm = malloc(WARM * sizeof(*t.warm));
		for (uint32_t i = 0; t.warm != NULL && i < WARM; i++)
			t.warm[i] = bench_below(&t.random, n);
	}
	open_ours(&t);
	open_rival(&t);
	for (int i = 0; i < 4; i++) {
		look[i] = (struct look){ &t, i & 1, i < 2 };
		bench_sized(name[i], sizeof(name[i]), what[i], n);
		row[i] = (struct bench_row){ name[i], window, &look[i] };
	}
	bench_rows(row, 4);
}
