/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table - the connection table against rte_hash, the same keys in the same run.
 *
 * A key is made from its number, so that 32 million need no list that would itself be
 * missed in caches. Warm: the numbers come from a fixed random set of 65,536, which each
 * window first goes through once, uncounted, for other rows have been there. Cold: from
 * all. Both hash, look up in bursts, and compare the key: ours in the connection's record,
 * which the engine needs next anyway, the rival in its own copy.
 *
 * The floor rows ask memory for as many lines as we cannot do without, in tables of the same
 * size and with the same numbers, and do nothing with them.
 *
 * What changes the table: a window takes WINDOW_UNITS flows out and puts them back, and
 * counts one of the two. Ours looks up before it inserts or removes, as the engine does and
 * as the rival does inside. The reader is another thread, on another core; without one there
 * are no rows of it. A window counts if it has been at work in it.
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_prefetch.h>
#include <rte_vect.h>

#include "base/leaf.h"
#include "base/units.h"
#include "bench.h"
#include "flow/flows.h"
#include "tcp/tcb.h"

#define WARM  65536
#define BURST 32
#define AHEAD 256 /* keys made at a time; their making is not counted */
#define ROWS  21

#define READ_LEAST (WINDOW_UNITS / 20) /* lookups of the reader in a window that counts */
#define TRIES      10000

#define CHANGED (WINDOW_UNITS / AHEAD * AHEAD + AHEAD)

/* What rte_hash is asked for: it compares keys of sixteen bytes faster than those of twelve. */
struct rival_key {
	uint32_t remote, local;
	uint16_t rport, lport;
	uint32_t zero;
};
static_assert(sizeof(struct rival_key) == 16, "of a size that has a comparison of its own");

struct table {
	uint32_t n;
	uint32_t n_in_all;
	struct sl_flows *flows, *full; /* full: with 95 of 100 ways taken */
	struct sl_tcb *tcb;
	struct rte_hash *rival;
	char *lines; /* as many as the table's buckets */
	uint64_t n_lines;
	uint32_t *warm;
	uint32_t *order; /* of those that leave and come back */
	uint64_t random;
};

static const struct sl_prf_many *many; /* as wide as the engine's */

enum kind { HIT, MISS, FLOOR_HIT, FLOOR_MISS };

/* A row: what is done to which of the tables, and whether somebody reads meanwhile. */
struct look {
	struct table *table;
	struct sl_flows *flows; /* NULL: the rival */
	enum kind kind;
	bool inserts; /* of a change: that half is counted */
	bool read;
};

/* Looks up what is in the table of a row for as long as the row's window goes on. */
static struct {
	_Atomic(const struct look *) look;
	_Atomic bool busy;
	_Atomic uint64_t n; /* lookups */
} reader;

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
	return (struct rival_key){ t->remote.w[3], t->local.w[3], t->rport, t->lport, 0 };
}

static struct sl_flows *
open_ours(struct table *t, uint32_t entries, uint32_t n)
{
	static struct sl_mem mem = { .take = take };
	struct sl_flows *flows;
	struct sl_flows_conf conf = {
		.entries = entries,
		.hash_key = { { 0x0123456789abcdef, 0xfedcba9876543210 } },
		.conn_stride = sizeof(struct sl_tcb),
	};

	conf.conn = t->tcb;
	if (sl_flows_open(&flows, &mem, &conf) != 0)
		bench_fail("no table");
	for (uint32_t i = 0; i < n; i++) {
		struct sl_tuple tuple;

		make_tuple(i, &tuple);
		sl_key_set(&t->tcb[i].key, NULL, SL_NO_KEY6, &tuple);
		if (sl_flows_insert(flows, sl_flows_hash(flows, &tuple), i) != 0)
			bench_fail("%u of %u do not fit", i, n);
	}
	return flows;
}

/*
 * Opened for fewer than it will hold, for by itself it stays below that. What is in
 * it, nearly all of @t->n, is what rows of warm and changing keys meet in the others, too.
 */
static void
open_full(struct table *t)
{
	uint32_t entries = t->n;
	uint64_t ways = sl_flows_bytes(entries) / SL_CACHE_LINE * 8;

	while (ways * 95 / 100 > t->n) {
		entries -= t->n / 1000;
		ways = sl_flows_bytes(entries) / SL_CACHE_LINE * 8;
	}
	t->n_in_all = (uint32_t)(ways * 95 / 100);
	t->full = open_ours(t, entries, t->n_in_all);
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

	return l->kind == MISS ? (uint64_t)i + t->n : i;
}

/* Counts those that are found where they are, or that are not found though nowhere. */
static void
look_ours(const struct look *l, const struct sl_tuple *tuple, const uint64_t *number,
	  uint64_t *right)
{
	const struct sl_tuple *at[BURST];
	uint64_t hash[BURST];
	uint32_t slot[BURST];
	bool hit = l->kind == HIT;

	for (int i = 0; i < BURST; i++)
		at[i] = &tuple[i];
	sl_flows_hash_burst(l->flows, many, at, hash, BURST);
	sl_flows_lookup(l->flows, at, hash, slot, BURST);
	for (int i = 0; i < BURST; i++)
		*right += slot[i] == (hit ? (uint32_t)number[i] : SL_NO_FLOW);
}

static void
look_rival(const struct look *l, const struct rival_key *key, const uint64_t *number,
	   uint64_t *right)
{
	const void *at[BURST];
	void *data[BURST];
	uint64_t hits = 0;

	for (int i = 0; i < BURST; i++)
		at[i] = &key[i];
	rte_hash_lookup_bulk_data(l->table->rival, at, BURST, &hits, data);
	if (l->kind == MISS)
		*right += BURST - (uint64_t)__builtin_popcountll(hits);
	for (int i = 0; l->kind == HIT && i < BURST; i++)
		*right += (hits >> i & 1) && (uintptr_t)data[i] == number[i];
}

static void
look_floor(const struct table *t, const uint64_t *number, bool record, uint64_t *right)
{
	const char *line[BURST];
	const struct sl_key *key[BURST];

	for (int i = 0; i < BURST; i++) {
		uint32_t mixed = (uint32_t)number[i] * 2654435761u;

		line[i] = t->lines + (mixed * t->n_lines >> 32) * SL_CACHE_LINE;
		rte_prefetch0(line[i]);
	}
	for (int i = 0; i < BURST; i++) { /* the lines are zero, but only we know that */
		key[i] = &t->tcb[number[i] + *(const volatile uint8_t *)line[i]].key;
		if (record)
			rte_prefetch0(key[i]);
	}
	for (int i = 0; record && i < BURST; i++)
		*right += *(const volatile uint16_t *)&key[i]->lport == 80;
	*right += record ? 0 : BURST;
}

struct batch {
	uint64_t number[AHEAD];
	struct sl_tuple tuple[AHEAD];
	struct rival_key key[AHEAD];
};

static void
make_key(struct batch *b, int i, uint64_t number)
{
	b->number[i] = number;
	make_tuple(number, &b->tuple[i]);
	b->key[i] = rival_of(&b->tuple[i]);
}

static void
look(const struct look *l, const struct batch *b, uint64_t *right)
{
	for (int i = 0; i < AHEAD; i += BURST) {
		if (l->kind >= FLOOR_HIT)
			look_floor(l->table, &b->number[i], l->kind == FLOOR_HIT, right);
		else if (l->flows != NULL)
			look_ours(l, &b->tuple[i], &b->number[i], right);
		else
			look_rival(l, &b->key[i], &b->number[i], right);
	}
}

static void
warm_up(struct look *l, struct batch *b)
{
	struct table *t = l->table;
	uint64_t right = 0;

	for (uint32_t k = 0; t->warm != NULL && k < WARM; k += AHEAD) {
		for (int i = 0; i < AHEAD; i++)
			make_key(b, i, (uint64_t)t->warm[k + i] + (l->kind == MISS) * t->n);
		look(l, b, &right);
	}
}

/* Returns when the reader is at it, and how much it has done by then. */
static uint64_t
let_read(const struct look *l)
{
	uint64_t n = atomic_load(&reader.n);

	if (!l->read)
		return 0;
	atomic_store(&reader.look, l);
	while (atomic_load(&reader.n) == n)
		sched_yield();
	return atomic_load(&reader.n);
}

/* Whether the reader has read all the while, and not been off its CPU. */
static bool
has_read(const struct look *l, uint64_t since)
{
	uint64_t n = atomic_load(&reader.n) - since;

	if (!l->read)
		return true;
	atomic_store(&reader.look, NULL);
	while (atomic_load(&reader.busy))
		sched_yield();
	return n >= READ_LEAST;
}

/*
 * Keys are made ahead of time, as a parser leaves them: in L2, or nearly so. Some rows are
 * looked at twice as often as others would be, so each makes its own.
 */
static double
look_window(struct look *l)
{
	static struct batch batch;
	uint64_t cycles = 0, right = 0, n = 0;

	for (; n < WINDOW_UNITS; n += AHEAD) {
		uint64_t before;

		for (int i = 0; i < AHEAD; i++)
			make_key(&batch, i, number(l));
		before = rte_rdtsc();
		look(l, &batch, &right);
		cycles += rte_rdtsc() - before;
	}
	if (right != n)
		bench_fail("%lu of %lu lookups are right", right, n);
	return (double)cycles / (double)n;
}

/* A window while nobody reads counts nothing where somebody should. */
static double
watched(struct look *l, double (*once)(struct look *l))
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t since = let_read(l);
		double cost = once(l);

		if (has_read(l, since))
			return cost;
	}
	bench_fail("the reader has no CPU");
}

static double
window(void *arg)
{
	static struct batch batch;

	warm_up(arg, &batch);
	return watched(arg, look_window);
}

static void
change_ours(const struct look *l, const struct batch *b, int from, bool insert)
{
	const struct sl_tuple *at[BURST];
	uint64_t hash[BURST];
	uint32_t slot[BURST];

	for (int i = 0; i < BURST; i++)
		at[i] = &b->tuple[from + i];
	sl_flows_hash_burst(l->flows, many, at, hash, BURST);
	sl_flows_lookup(l->flows, at, hash, slot, BURST);
	for (int i = 0; i < BURST; i++) {
		uint32_t idx = (uint32_t)b->number[from + i];
		bool done;

		if (insert) {
			sl_key_set(&l->table->tcb[idx].key, NULL, SL_NO_KEY6, at[i]);
			done = slot[i] == SL_NO_FLOW &&
			       sl_flows_insert(l->flows, hash[i], idx) == 0;
		} else {
			done = slot[i] == idx && sl_flows_remove(l->flows, hash[i], idx);
		}
		if (!done)
			bench_fail("%u cannot be %s", idx, insert ? "inserted" : "removed");
	}
}

static void
change_rival(const struct look *l, const struct batch *b, int from, bool insert)
{
	struct rte_hash *h = l->table->rival;

	for (int i = from; i < from + BURST; i++) {
		int32_t at;

		if (insert) {
			if (rte_hash_add_key_data(h, &b->key[i],
						  (void *)(uintptr_t)b->number[i]) != 0)
				bench_fail("rte_hash is full");
			continue;
		}
		at = rte_hash_del_key(h, &b->key[i]);
		if (at < 0 || rte_hash_free_key_with_position(h, at) != 0)
			bench_fail("rte_hash lost a key");
	}
}

/* Take out, or put back, those that the window at @from of the order names. */
static uint64_t
change(struct look *l, uint32_t from, bool insert)
{
	static struct batch batch;
	uint64_t cycles = 0;

	for (uint32_t n = 0; n < CHANGED; n += AHEAD) {
		uint64_t before;

		for (uint32_t i = 0; i < AHEAD; i++)
			make_key(&batch, (int)i, l->table->order[from + n + i]);
		before = rte_rdtsc();
		for (int i = 0; i < AHEAD; i += BURST) {
			if (l->flows != NULL)
				change_ours(l, &batch, i, insert);
			else
				change_rival(l, &batch, i, insert);
		}
		cycles += rte_rdtsc() - before;
	}
	return cycles;
}

static double
out_and_in(struct look *l)
{
	struct table *t = l->table;
	uint32_t from = bench_below(&t->random, t->n_in_all - CHANGED);
	uint64_t out = change(l, from, false), in = change(l, from, true);

	return (double)(l->inserts ? in : out) / CHANGED;
}

static double
change_window(void *arg)
{
	return watched(arg, out_and_in);
}

/*
 * What is out at the moment is not found; a wrong one never is. rte_hash may find one, for its
 * slots are freed at once, while we read.
 */
static void
read_one(const struct look *l, uint64_t *random)
{
	struct table *t = l->table;
	uint32_t i = bench_below(random, t->n), found;
	struct sl_tuple tuple;
	struct rival_key key;
	void *data;

	make_tuple(i, &tuple);
	if (l->flows != NULL) {
		found = sl_flows_find_foreign(l->flows, &tuple,
					      sl_flows_hash(l->flows, &tuple));
		if (found != i && found != SL_NO_FLOW)
			bench_fail("the reader found %u for %u", found, i);
		return;
	}
	key = rival_of(&tuple);
	rte_hash_lookup_data(t->rival, &key, &data);
}

static void *
read_on(void *arg)
{
	cpu_set_t other;
	uint64_t random = 1234567;

	CPU_ZERO(&other);
	CPU_SET(1, &other);
	pthread_setaffinity_np(pthread_self(), sizeof(other), &other);
	for (;;) {
		const struct look *l;

		atomic_store(&reader.busy, true);
		l = atomic_load(&reader.look);
		for (int i = 0; l != NULL && i < BURST; i++)
			read_one(l, &random);
		if (l != NULL) {
			atomic_fetch_add(&reader.n, BURST);
		} else {
			atomic_store(&reader.busy, false);
			usleep(50);
		}
	}
	return NULL;
}

/* The tables of size @n, filled. */
static void
fill(struct table *t, uint32_t n)
{
	bool cold = n >= 32000000;

	*t = (struct table){ .n = n, .n_in_all = n, .random = 88172645463325252 };
	t->tcb = bench_memory((size_t)n * sizeof(*t->tcb));
	t->flows = open_ours(t, n, n);
	if (!cold)
		open_full(t);
	t->order = malloc(n * sizeof(*t->order));
	if (!cold)
		t->warm = malloc(WARM * sizeof(*t->warm));
	if (t->order == NULL || (t->warm == NULL && !cold))
		bench_fail("no memory");
	for (uint32_t i = 0; !cold && i < WARM; i++)
		t->warm[i] = bench_below(&t->random, t->n_in_all);
	for (uint32_t i = 0; i < t->n_in_all; i++) {
		uint32_t k = bench_below(&t->random, i + 1);

		t->order[i] = t->order[k];
		t->order[k] = i;
	}
	t->n_lines = sl_flows_bytes(n) / SL_CACHE_LINE;
	t->lines = bench_memory(t->n_lines * SL_CACHE_LINE);
	memset(t->lines, 0, t->n_lines * SL_CACHE_LINE); /* so that it is there */
	open_rival(t);
}

static void
rows_of(struct table *t)
{
	const struct {
		const char *name, *more;
		double (*window)(void *arg);
		struct look look;
	} all[] = {
		{ "table_hit", "", window, { t, t->flows, HIT, false, false } },
		{ "rte_hash_hit", "", window, { t, NULL, HIT, false, false } },
		{ "floor_hit", "", window, { t, t->flows, FLOOR_HIT, false, false } },
		{ "table_miss", "", window, { t, t->flows, MISS, false, false } },
		{ "rte_hash_miss", "", window, { t, NULL, MISS, false, false } },
		{ "floor_miss", "", window, { t, t->flows, FLOOR_MISS, false, false } },
		{ "table_insert", "", change_window, { t, t->flows, HIT, true, false } },
		{ "rte_hash_insert", "", change_window, { t, NULL, HIT, true, false } },
		{ "table_delete", "", change_window, { t, t->flows, HIT, false, false } },
		{ "rte_hash_delete", "", change_window, { t, NULL, HIT, false, false } },
		{ "table_hit", "_reader", window, { t, t->flows, HIT, false, true } },
		{ "rte_hash_hit", "_reader", window, { t, NULL, HIT, false, true } },
		{ "table_insert", "_reader", change_window, { t, t->flows, HIT, true, true } },
		{ "rte_hash_insert", "_reader", change_window, { t, NULL, HIT, true, true } },
		{ "table_miss", "_reader", window, { t, t->flows, MISS, false, true } },
		{ "rte_hash_miss", "_reader", window, { t, NULL, MISS, false, true } },
		{ "table_delete", "_reader", change_window, { t, t->flows, HIT, false, true } },
		{ "rte_hash_delete", "_reader", change_window, { t, NULL, HIT, false, true } },
		{ "table_hit", "_load95", window, { t, t->full, HIT, false, false } },
		{ "table_miss", "_load95", window, { t, t->full, MISS, false, false } },
		{ "table_insert", "_load95", change_window, { t, t->full, HIT, true, false } },
	};
	static struct look look[ROWS];
	static char name[ROWS][40];
	struct bench_row row[ROWS];
	unsigned int n = 0;

	static_assert(sizeof(all) / sizeof(all[0]) == ROWS, "a place for each");
	for (int i = 0; i < ROWS; i++) {
		if (all[i].look.flows == NULL && strncmp(all[i].name, "table", 5) == 0)
			continue; /* no full one of this size */
		if (all[i].look.read && sysconf(_SC_NPROCESSORS_ONLN) < 2)
			continue; /* who reads would not do so meanwhile */
		look[n] = all[i].look;
		bench_sized(name[n], sizeof(name[n]), all[i].name, t->n);
		strncat(name[n], all[i].more, sizeof(name[n]) - strlen(name[n]) - 1);
		row[n] = (struct bench_row){ name[n], all[i].window, &look[n] };
		n++;
	}
	bench_rows(row, n);
}

/* As the engine does it: EAL's limit counts if it was asked for, not if it is the default. */
static unsigned int
simd_bits(void)
{
	uint16_t limit = rte_vect_get_max_simd_bitwidth();

	if (rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512) != 0)
		return limit;
	rte_vect_set_max_simd_bitwidth(limit);
	return 0;
}

void
group_table(void)
{
	static struct table t;
	pthread_t thread;

	many = sl_prf_many_for(sl_leaf_bits(simd_bits()));
	if (pthread_create(&thread, NULL, read_on, NULL) != 0)
		bench_fail("no thread to read");
	if (options.size == 0) {
		fill(&t, 64000);
		rows_of(&t);
		rte_hash_free(t.rival);
	}
	fill(&t, options.size != 0 ? options.size : 1000000);
	rows_of(&t);
}
