/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * telemetry - /sluice/... for dpdk-telemetry.py and whoever speaks its socket.
 *
 * DPDK calls back with a command and its parameters, from a thread of its own for each
 * client, and has no call to take a command back: hence the one pointer here, under a lock.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_telemetry.h>

#include "engine/engine.h"

#define NAP_NS   (100 * 1000l)
#define PATIENCE 5000 /* naps */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sl_engine *about; /* under the lock */

/* Each answers with the lock held and an engine there. */
typedef int answer_fn(struct sl_engine *e, const char *params, struct rte_tel_data *d);

static int
answer(answer_fn *fn, const char *params, struct rte_tel_data *d)
{
	int rc = -ENOENT;

	pthread_mutex_lock(&lock);
	if (about != NULL)
		rc = fn(about, params, d);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
stats(struct sl_engine *e, const char *params, struct rte_tel_data *d)
{
	struct sl_stats sum;

	sl_engine_stats(e, &sum);
	rte_tel_data_start_dict(d);
	for (int i = 0; i < SL_CNT_COUNT; i++)
		rte_tel_data_add_dict_u64(d, sl_counter_name(i), sum.count[i]);
	return 0;
}

static int
fates(struct sl_engine *e, const char *params, struct rte_tel_data *d)
{
	struct sl_stats sum;

	sl_engine_stats(e, &sum);
	rte_tel_data_start_dict(d);
	for (int i = SL_FATE_NONE + 1; i < SL_FATE_COUNT; i++)
		rte_tel_data_add_dict_u64(d, sl_fate_name(i), sum.fate[i]);
	return 0;
}

static uint64_t
word(const uint64_t *w)
{
	return __atomic_load_n(w, __ATOMIC_RELAXED);
}

static void
worker_into(const struct sl_worker *w, struct rte_tel_data *d)
{
	const struct sl_stats *core = sl_core_stats(w->core);
	const struct sl_worker_stats *s = &w->stats;
	const struct {
		const char *key;
		uint64_t value;
	} row[] = {
		{ "lcore", w->lcore },
		{ "node", (uint64_t)w->node },
		{ "queues", w->n_queues },
		{ "rx", word(&core->count[SL_CNT_rx]) },
		{ "tx", word(&core->count[SL_CNT_tx]) },
		{ "live", word(&core->count[SL_CNT_live]) },
		{ "half_open", word(&core->count[SL_CNT_half_open]) },
		{ "time_wait", word(&core->count[SL_CNT_time_wait]) },
		{ "polls", word(&s->polls) },
		{ "busy_polls", word(&s->busy_polls) },
		{ "rx_bursts", word(&s->rx_bursts) },
		{ "handed_out", word(&s->handed_out) },
		{ "handed_in", word(&s->handed_in) },
		{ "copied", word(&s->copied) },
		{ "not_copied", word(&s->not_copied) },
		{ "steer_full", word(&s->steer_full) },
		{ "tx_dropped", word(&s->tx_dropped) },
		{ "hash_mismatches", word(&s->hash_mismatches) },
	};

	for (unsigned int i = 0; i < RTE_DIM(row); i++)
		rte_tel_data_add_dict_u64(d, row[i].key, row[i].value);
}

static int
workers(struct sl_engine *e, const char *params, struct rte_tel_data *d)
{
	char key[16];

	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; i < e->siblings.n; i++) {
		struct rte_tel_data *one = rte_tel_data_alloc();

		if (one == NULL)
			return -ENOMEM;
		rte_tel_data_start_dict(one);
		worker_into(e->worker[i], one);
		snprintf(key, sizeof(key), "%u", i);
		if (rte_tel_data_add_dict_container(d, key, one, 0) != 0)
			rte_tel_data_free(one);
	}
	return 0;
}

static void
listener_into(const struct sl_engine *e, uint16_t which, struct rte_tel_data *d)
{
	struct sl_listener_stats sum = { 0 };

	for (uint16_t i = 0; i < e->siblings.n; i++) {
		const struct sl_listener_stats *s =
			sl_core_listener_stats(e->worker[i]->core, which);

		sum.syn += word(&s->syn);
		sum.cookie_sent += word(&s->cookie_sent);
		sum.cookie_ok += word(&s->cookie_ok);
		sum.opened += word(&s->opened);
		sum.closed += word(&s->closed);
		sum.refused += word(&s->refused);
		sum.live += word(&s->live);
		sum.half_open += word(&s->half_open);
		sum.cookie_mode |= __atomic_load_n(&s->cookie_mode, __ATOMIC_RELAXED);
	}
	rte_tel_data_add_dict_int(d, "port", e->conf.listener[which].port);
	rte_tel_data_add_dict_string(d, "app", e->conf.listener[which].app->name);
	rte_tel_data_add_dict_u64(d, "syn", sum.syn);
	rte_tel_data_add_dict_u64(d, "cookie_sent", sum.cookie_sent);
	rte_tel_data_add_dict_u64(d, "cookie_ok", sum.cookie_ok);
	rte_tel_data_add_dict_u64(d, "opened", sum.opened);
	rte_tel_data_add_dict_u64(d, "closed", sum.closed);
	rte_tel_data_add_dict_u64(d, "refused", sum.refused);
	rte_tel_data_add_dict_u64(d, "live", sum.live);
	rte_tel_data_add_dict_u64(d, "half_open", sum.half_open);
	rte_tel_data_add_dict_int(d, "cookie_mode", sum.cookie_mode);
}

/* A key takes letters, digits, '_' and '/': a listener's name may have more. */
static void
listener_key(const struct sl_engine *e, uint16_t which, char key[SL_NAME_MAX])
{
	snprintf(key, SL_NAME_MAX, "%s", e->conf.listener[which].name);
	for (char *c = key; *c != '\0'; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9')))
			*c = '_';
}

static int
listeners(struct sl_engine *e, const char *params, struct rte_tel_data *d)
{
	char key[SL_NAME_MAX];

	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; i < e->conf.n_listeners; i++) {
		struct rte_tel_data *one = rte_tel_data_alloc();

		if (one == NULL)
			return -ENOMEM;
		rte_tel_data_start_dict(one);
		listener_into(e, i, one);
		listener_key(e, i, key);
		if (rte_tel_data_add_dict_container(d, key, one, 0) != 0)
			rte_tel_data_free(one);
	}
	return 0;
}

/* Connections */

/*
 * Have @w add to its page, which has @n connections, some from the record @cursor on. A
 * worker that does not answer in time leaves the page asked for, and it is busy until it has.
 */
static int
ask(struct sl_worker *w, uint32_t cursor, uint32_t n)
{
	struct sl_page *page = &w->page;
	const struct timespec nap = { 0, NAP_NS };

	/* pairs with the release in the worker's fill_page(), of an answer that came late */
	if (atomic_load_explicit(&page->state, memory_order_acquire) == SL_PAGE_ASKED)
		return -EBUSY;
	page->cursor = cursor;
	page->n = n;
	/* pairs with the acquire in fill_page() */
	atomic_store_explicit(&page->state, SL_PAGE_ASKED, memory_order_release);
	for (unsigned int i = 0; i < PATIENCE; i++) {
		nanosleep(&nap, NULL);
		/* pairs with the release in fill_page() */
		if (atomic_load_explicit(&page->state, memory_order_acquire) == SL_PAGE_FILLED)
			return 0;
	}
	return -ETIMEDOUT;
}

static void
end_text(const struct sl_addr *addr, uint16_t port, char *to, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (sl_addr_is_v4(addr)) {
		inet_ntop(AF_INET, &addr->b[12], text, sizeof(text));
		snprintf(to, size, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, addr->b, text, sizeof(text));
		snprintf(to, size, "[%s]:%u", text, port);
	}
}

static struct rte_tel_data *
conn_text(const struct sl_engine *e, const struct sl_conn_info *c)
{
	struct rte_tel_data *d = rte_tel_data_alloc();
	char end[INET6_ADDRSTRLEN + 16];

	if (d == NULL)
		return NULL;
	rte_tel_data_start_dict(d);
	end_text(&c->tuple.remote, c->tuple.rport, end, sizeof(end));
	rte_tel_data_add_dict_string(d, "remote", end);
	end_text(&c->tuple.local, c->tuple.lport, end, sizeof(end));
	rte_tel_data_add_dict_string(d, "local", end);
	rte_tel_data_add_dict_string(d, "state", c->state);
	rte_tel_data_add_dict_string(d, "listener", e->conf.listener[c->listener].name);
	rte_tel_data_add_dict_string(d, "role", c->active ? "active" : "passive");
	rte_tel_data_add_dict_u64(d, "send_queued", c->send_queued);
	rte_tel_data_add_dict_u64(d, "recv_queued", c->recv_queued);
	rte_tel_data_add_dict_u64(d, "snd_wnd", c->snd_wnd);
	rte_tel_data_add_dict_u64(d, "rcv_wnd", c->rcv_wnd);
	rte_tel_data_add_dict_u64(d, "cwnd", c->cwnd);
	rte_tel_data_add_dict_u64(d, "srtt_ms", c->srtt_ms);
	rte_tel_data_add_dict_u64(d, "rto_ms", c->rto_ms);
	return d;
}

/* Where a page starts: worker and record in one number. */
static uint64_t
place_of(uint32_t worker, uint32_t record)
{
	return (uint64_t)worker << 32 | record;
}

/* A page of @w, from the record @cursor on: a worker looks at some records at a time. */
static int
fill(struct sl_worker *w, uint32_t cursor)
{
	struct sl_page *page = &w->page;
	uint32_t n = 0;

	do {
		int rc = ask(w, cursor, n);

		if (rc != 0)
			return rc;
		cursor = page->cursor;
		n = page->n;
	} while (n < SL_PAGE_MAX && cursor != SL_LIST_END);
	return 0;
}

/*
 * The page from @at on, of the first worker that has one; *@next is where the one behind
 * it starts, 0 behind the last.
 */
static int
find_page(struct sl_engine *e, uint64_t at, struct sl_page **out, uint64_t *next)
{
	uint32_t worker = (uint32_t)(at >> 32);

	if (worker >= e->siblings.n)
		return -EINVAL;
	for (uint32_t cursor = (uint32_t)at;; cursor = 0) {
		struct sl_page *page = &e->worker[worker]->page;
		int rc = fill(e->worker[worker], cursor);

		if (rc != 0)
			return rc;
		*out = page;
		if (page->cursor != SL_LIST_END)
			*next = place_of(worker, page->cursor);
		else
			*next = ++worker < e->siblings.n ? place_of(worker, 0) : 0;
		if (page->n > 0 || *next == 0)
			return 0;
	}
}

/*
 * A page: `/sluice/connections` is the first, and each says where the next one starts,
 * `/sluice/connections,NEXT`; next is 0 on the last, which is empty if no worker behind the one
 * before it has any.
 */
static int
connections(struct sl_engine *e, const char *params, struct rte_tel_data *d)
{
	struct rte_tel_data *list;
	struct sl_page *page;
	uint64_t at = 0, next;
	int rc;

	if (params != NULL && *params != '\0') {
		char *end;

		at = strtoull(params, &end, 10);
		if (*end != '\0')
			return -EINVAL;
	}
	rc = find_page(e, at, &page, &next);
	if (rc != 0)
		return rc;

	list = rte_tel_data_alloc();
	if (list == NULL)
		return -ENOMEM;
	/* Numbered, for an array of dicts inside a dict is not printed. */
	rte_tel_data_start_dict(list);
	for (uint32_t i = 0; i < page->n; i++) {
		struct rte_tel_data *one = conn_text(e, &page->conn[i]);
		char key[12];

		snprintf(key, sizeof(key), "%u", i);
		if (one != NULL && rte_tel_data_add_dict_container(list, key, one, 0) != 0)
			rte_tel_data_free(one);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "next", next);
	rte_tel_data_add_dict_container(d, "connections", list, 0);
	return 0;
}

static int
on_stats(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return answer(stats, params, d);
}

static int
on_fates(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return answer(fates, params, d);
}

static int
on_workers(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return answer(workers, params, d);
}

static int
on_listeners(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return answer(listeners, params, d);
}

static int
on_connections(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return answer(connections, params, d);
}

void
sl_telemetry_set(struct sl_engine *engine)
{
	static bool registered; /* once a process, under the lock */

	pthread_mutex_lock(&lock);
	about = engine;
	if (!registered) {
		registered = true;
		rte_telemetry_register_cmd("/sluice/stats", on_stats,
					   "Counters of all workers together.");
		rte_telemetry_register_cmd("/sluice/fates", on_fates,
					   "What became of received packets; the sum is rx.");
		rte_telemetry_register_cmd("/sluice/workers", on_workers,
					   "Counters of each worker.");
		rte_telemetry_register_cmd("/sluice/listeners", on_listeners,
					   "Counters of each listener.");
		rte_telemetry_register_cmd("/sluice/connections", on_connections,
					   "Connections, a page. Parameter: next of the page "
					   "before.");
	}
	pthread_mutex_unlock(&lock);
}
