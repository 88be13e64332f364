/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes - what a connection costs in memory, and how many there can be.
 *
 * What is reserved for N less what is reserved for N/2, over N/2: everything the worker
 * takes, table and application state included. With N reserved, N connections are opened
 * and answer a request each, so that the figure is about connections that are really there.
 *
 * Where many are held, what the engine has taken of EAL's memory is compared with what
 * --check prints for the same configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_malloc.h>

#include "bench.h"
#include "peer.h"

#define N (1u << 20)

struct state {
	uint64_t of_the_application[2];
};

static const char response[64] = "HTTP/1.1 200 OK";

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	sl_send(c, response, sizeof(response));
	return in->bytes;
}

static const struct sl_app app = {
	.name = "bytes",
	.state_bytes = sizeof(struct state),
	.data = answer,
	.peer_closed = sl_close,
};

/* One request each, and its answer acknowledged at once. */
static void
use_all(struct peer *p)
{
	struct world *w = p->world;
	uint32_t n = p->n;

	p->response = response;
	p->n_response = sizeof(response);
	peer_establish(p);
	for (uint32_t i = 0; i < n; i++) {
		p->conn[i].stage = PEER_REQUEST;
		peer_step(p, i);
		if (!world_batch_is_full(w) && i + 1 < n)
			continue;
		peer_run(p);
		for (uint32_t k = i / WORLD_BATCH * WORLD_BATCH; k <= i; k++)
			peer_send(p, k, WIRE_ACK, NULL, 0);
		peer_run(p);
	}
	if (world_count(w, SL_CNT_live) != n || p->n_segments != n)
		bench_fail("%lu live, %lu answers of %u", world_count(w, SL_CNT_live),
			   p->n_segments, n);
}

/* Memory that a worker takes for so many; used if @use. */
static double
reserved(uint32_t connections, uint32_t time_wait, bool use, bool v6)
{
	static struct world w;
	double bytes;

	world_open(&w, &(struct world_conf){ .connections = connections,
					     .time_wait = time_wait,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS,
					     .no_v6 = !v6 });
	if (use) {
		struct peer p;

		peer_open(&p, &w, connections, v6);
		use_all(&p);
	}
	bytes = (double)w.worker->arena.mem.taken;
	world_close(&w);
	return bytes;
}

static void
idle(const char *name, bool v6)
{
	bench_figure(name, "bytes",
		     (reserved(N, 1024, true, v6) - reserved(N / 2, 1024, false, v6)) /
			     (N / 2));
}

static void
time_wait(const char *name, bool v6)
{
	bench_figure(name, "bytes",
		     (reserved(1024, N, false, v6) - reserved(1024, N / 2, false, v6)) /
			     (N / 2));
}

void
group_bytes(void)
{
	idle("bytes_idle_v4", false);
	idle("bytes_idle_v6", true);
	time_wait("bytes_time_wait_v4", false);
	time_wait("bytes_time_wait_v6", true);
}

#define OFF_AT_MOST 0.05 /* of what is used the budget may differ */

/* All that EAL has given away. */
static uint64_t
taken(void)
{
	struct rte_malloc_socket_stats stats;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < rte_socket_count(); i++)
		if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) == 0)
			bytes += stats.heap_allocsz_bytes;
	return bytes;
}

/* The line "together" of what --check prints. */
static double
promised(const struct world *w)
{
	char *text = NULL, *line;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int end = 0;
	double mib;

	if (to == NULL)
		bench_fail("no memory");
	sl_engine_budget(&w->engine->conf, 1, options.huge, to);
	fclose(to);
	line = strstr(text, "together");
	if (line == NULL || sscanf(line, "together %lf MiB%n", &mib, &end) != 1 || end == 0)
		bench_fail("the budget has no sum: %s", text);
	free(text);
	return mib * (1 << 20);
}

static void
check_budget(const struct world *w, uint64_t used, uint32_t n)
{
	static char name[32];
	double ratio = (double)used / promised(w);

	bench_figure(bench_sized(name, sizeof(name), "budget_used", n), "ratio", ratio);
	if (ratio < 1 - OFF_AT_MOST || ratio > 1 + OFF_AT_MOST)
		bench_fail("%" PRIu64 " bytes used are %.3f of what is promised", used, ratio);
}

/* Opened, one request each; then a sample goes on talking while the others stay. */
void
group_held(void)
{
	static struct world w;
	static struct peer p;
	uint32_t n = options.size ? options.size : 1000000;
	uint64_t before = taken();

	world_open(&w, &(struct world_conf){ .connections = n,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS,
					     .no_v6 = true });
	peer_open(&p, &w, n, false);
	use_all(&p);
	for (int round = 0; round < 100; round++) {
		while (!world_batch_is_full(&w)) {
			uint32_t i = peer_pick(&p);

			p.conn[i].stage = PEER_REQUEST;
			peer_step(&p, i);
		}
		peer_run(&p);
	}
	if (world_count(&w, SL_CNT_live) != n)
		bench_fail("%lu of %u live", world_count(&w, SL_CNT_live), n);
	bench_figure("connections_held", "count", (double)n);
	check_budget(&w, taken() - before, n);
	world_close(&w);
}
