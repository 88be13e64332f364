/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine - a process full of cores, from configuration to ledger.
 *
 * Everything is taken in sl_engine_open(), in one order: ports are probed, queues placed,
 * workers made, ports started, cores opened. Closing undoes it backwards, and in between
 * counts the packets.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pdump.h>
#include <rte_vect.h>

#include "engine/engine.h"
#include "engine/ledger.h"

static int
no_memory(const struct sl_engine *e, const char *what)
{
	struct rte_malloc_socket_stats heap = { 0 };
	size_t have = 0;

	for (unsigned int i = 0; i < rte_socket_count(); i++)
		if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &heap) == 0)
			have += heap.heap_totalsz_bytes;
	fprintf(stderr,
		"sluice: no memory for %s: EAL has %zu MiB. What the configuration wants (give "
		"EAL "
		"more with -m, or lower engine.connections or engine.buffers):\n",
		what, have >> 20);
	sl_engine_budget(&e->conf, e->siblings.n, rte_eal_has_hugepages(), stderr);
	return -ENOMEM;
}

static int
random_bytes(void *to, size_t n)
{
	ssize_t got = getrandom(to, n, 0);

	return got == (ssize_t)n ? 0 : -EIO;
}

void
sl_engine_stats(const struct sl_engine *engine, struct sl_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint16_t i = 0; i < engine->siblings.n; i++) {
		const struct sl_worker *w = engine->worker[i];
		uint64_t full;

		if (w == NULL)
			continue; /* a start that failed */
		full = __atomic_load_n(&w->stats.steer_full, __ATOMIC_RELAXED);
		if (w->core != NULL)
			sl_stats_add(sum, sl_core_stats(w->core));
		/* Received here, but no core ever saw them. */
		sum->count[SL_CNT_rx] += full;
		sum->fate[SL_FATE_steer_full] += full;
		sum->count[SL_CNT_mis_steered] +=
			__atomic_load_n(&w->stats.handed_out, __ATOMIC_RELAXED) + full;
		sum->count[SL_CNT_tx_dropped] +=
			__atomic_load_n(&w->stats.tx_dropped, __ATOMIC_RELAXED);
	}
	if (engine->capture != NULL)
		sum->count[SL_CNT_capture_lost] = sl_capture_lost(engine->capture);
}

/* Opening, in order */

static int
probe_ports(struct sl_engine *e, uint16_t n_workers)
{
	for (uint16_t p = 0; p < e->conf.n_ports; p++) {
		int rc = sl_port_probe(&e->port[p], &e->conf.port[p], p, n_workers);

		if (rc != 0)
			return rc;
		if (e->port[p].n_rx == 0 || e->port[p].n_tx == 0) {
			fprintf(stderr, "sluice: port %s: cannot both receive and send\n",
				e->conf.port[p].device);
			return -EINVAL;
		}
		e->siblings.slot[e->port[p].id] = (uint8_t)p;
	}
	e->n_ports = e->conf.n_ports;
	return 0;
}

static int16_t
node_of_lcore(unsigned int lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore);

	if (numa_available() >= 0)
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &set) && numa_node_of_cpu(cpu) >= 0)
				return (int16_t)numa_node_of_cpu(cpu);
	return (int16_t)rte_lcore_to_socket_id(lcore);
}

static void
place(struct sl_engine *e, const unsigned int *lcore)
{
	struct sl_topology topo = { .n_workers = e->siblings.n, .n_ports = e->n_ports };

	for (uint16_t i = 0; i < topo.n_workers; i++)
		topo.worker_node[i] = node_of_lcore(lcore[i]);
	for (uint16_t p = 0; p < topo.n_ports; p++) {
		topo.port_node[p] = (int16_t)e->port[p].node;
		topo.queues[p] = e->port[p].n_rx;
	}
	sl_place(&topo, &e->placement);
}

static int
share_buffers(struct sl_engine *e)
{
	struct sl_floor floor;
	uint16_t n = e->siblings.n;

	sl_floor_guess(&e->conf, n, &floor);
	for (uint16_t p = 0; p < e->n_ports; p++)
		floor.rx[p] = sl_rx_floor(e->port[p].n_rx * e->port[p].rx_descriptors, n);
	if (sl_share_buffers(&e->conf, n, &floor, &e->share) == 0)
		return 0;
	sl_share_complain(&e->conf, n, &e->share);
	return -EINVAL;
}

/* The smallest RSS table among the ports decides how fine flows are spread. */
static int
make_steer(struct sl_engine *e)
{
	uint8_t key[SL_STEER_KEY_BYTES];
	uint16_t slots = SL_STEER_SLOTS;

	for (uint16_t p = 0; p < e->n_ports; p++)
		if (e->port[p].reta_slots != 0 && e->port[p].reta_slots < slots)
			slots = e->port[p].reta_slots;
	if (random_bytes(key, sizeof(key)) != 0)
		return -EIO;
	sl_steer_init(&e->steer, key, e->siblings.n, slots);
	return 0;
}

/* Whether @lcore has its CPUs for itself. */
static bool
shares_cpu(unsigned int lcore)
{
	rte_cpuset_t mine = rte_lcore_cpuset(lcore), other, both;
	unsigned int i;

	RTE_LCORE_FOREACH(i)
	{
		other = rte_lcore_cpuset(i);
		CPU_AND(&both, &mine, &other);
		if (i != lcore && CPU_COUNT(&both) > 0)
			return true;
	}
	return false;
}

static bool
all_virtual(const struct sl_engine *e)
{
	for (uint16_t p = 0; p < e->n_ports; p++)
		if (!e->port[p].is_virtual)
			return false;
	return true;
}

static int
open_workers(struct sl_engine *e, const unsigned int *lcore)
{
	e->siblings.worker = e->worker;
	for (uint16_t i = 0; i < e->siblings.n; i++) {
		struct sl_worker *w;
		int rc = sl_worker_open(&w, i, lcore[i], node_of_lcore(lcore[i]), &e->siblings,
					e->share.pool);

		if (rc != 0)
			return no_memory(e, "workers and their buffers");
		e->worker[i] = w;
		w->clock = &e->clock;
		w->steer = &e->steer;
		w->home = (struct sl_steer_home){ &e->steer, i };
		w->shares_cpu = shares_cpu(lcore[i]);
		w->may_nap = w->shares_cpu || all_virtual(e);
		sl_worker_wire(w, e->port, e->n_ports, &e->placement);
	}
	return 0;
}

static int
start_ports(struct sl_engine *e)
{
	for (uint16_t p = 0; p < e->n_ports; p++) {
		int rc = sl_port_start(&e->port[p], &e->steer, e->share.rx,
				       e->placement.port_mem[p]);

		if (e->port[p].pool == NULL)
			return no_memory(e, "receive buffers");
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
open_capture(struct sl_engine *e)
{
	const char *name[SL_PORTS_MAX];
	int rc;

	if (e->conf.capture == NULL)
		return 0;
	for (uint16_t p = 0; p < e->n_ports; p++)
		name[p] = e->conf.port[p].device;
	rc = sl_capture_open(&e->capture, e->conf.capture, e->siblings.n, name, e->n_ports,
			     e->clock.wall_at_zero);
	if (rc != 0)
		fprintf(stderr, "sluice: capture: %s: %s\n", e->conf.capture, strerror(-rc));
	for (uint16_t i = 0; i < e->siblings.n; i++)
		e->worker[i]->capture = e->capture;
	return rc;
}

/*
 * DPDK keeps drivers to vectors of 256 bits unless somebody asked for more, since the first
 * CPUs with wider ones slow down when they use them; base/leaf.h leaves those alone, too. A
 * limit set on EAL's command line shows in that it cannot be raised, and holds for us: with
 * 512 even there.
 */
static uint16_t
simd_bits(void)
{
	uint16_t limit = rte_vect_get_max_simd_bitwidth();

	if (rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512) != 0)
		return limit;
	rte_vect_set_max_simd_bitwidth(limit);
	return 0;
}

/* What differs from core to core, and what only the ports could tell. */
static int
finish_core_conf(struct sl_engine *e, struct sl_worker *w, struct sl_core_conf *core)
{
	core->tai_ms = sl_wall_ns(CLOCK_TAI) / SL_NS_PER_MS;
	core->net.speaks = w->index == 0;
	core->simd_bits = simd_bits();
	if (random_bytes(&core->secret, sizeof(core->secret)) != 0 ||
	    random_bytes(&core->net.key, sizeof(core->net.key)) != 0)
		return -EIO;
	if (e->siblings.n > 1) {
		core->is_home = sl_steer_is_home;
		core->steer = &w->home;
	}
	for (uint16_t p = 0; p < e->n_ports; p++) {
		struct sl_port_conf *port = &core->net.port[p];

		port->port = e->port[p].id;
		port->mtu = e->port[p].mtu;
		port->offloads = e->port[p].offloads;
		memcpy(port->mac, e->port[p].mac, sizeof(port->mac));
	}
	return 0;
}

static int
open_cores(struct sl_engine *e)
{
	struct sl_core_conf *core = calloc(1, sizeof(*core));
	const char *why = "a port: want addresses, routes and an MTU that go together";
	int rc = core == NULL ? -ENOMEM : 0;

	if (rc == 0) {
		sl_share_core(&e->conf, e->siblings.n, &e->share, core);
		memcpy(&core->cookie_secret, e->conf.cluster_secret,
		       sizeof(core->cookie_secret));
		if (!e->conf.has_cluster_secret)
			rc = random_bytes(&core->cookie_secret, sizeof(core->cookie_secret));
	}
	for (uint16_t i = 0; rc == 0 && i < e->siblings.n; i++) {
		struct sl_worker *w = e->worker[i];

		rc = finish_core_conf(e, w, core);
		w->now = sl_clock_now(&e->clock);
		if (rc == 0)
			rc = sl_core_open(&w->core, core, &w->pools.bufs, &w->arena.mem,
					  w->now);
	}
	if (rc == -EINVAL) /* configurations in YAML were checked before */
		fprintf(stderr, "sluice: configuration: %s\n",
			sl_core_refuses(core) != NULL ? sl_core_refuses(core) : why);
	else if (rc != 0 && rc != -ENOMEM)
		fprintf(stderr, "sluice: cores: %s\n", strerror(-rc));
	free(core);
	if (rc == -ENOMEM)
		return no_memory(e, "connections");
	return rc;
}

static void
report(const struct sl_engine *e)
{
	for (uint16_t p = 0; p < e->n_ports; p++)
		sl_port_report(&e->port[p], e->siblings.n, e->placement.n_far[p], e->report);
	fprintf(e->report, "%u worker%s:", e->siblings.n, e->siblings.n == 1 ? "" : "s");
	for (uint16_t i = 0; i < e->siblings.n; i++)
		fprintf(e->report, " lcore %u on node %d%s", e->worker[i]->lcore,
			e->worker[i]->node, i + 1 < e->siblings.n ? "," : "");
	fprintf(e->report, "; %u buffers, %u connections\n", e->share.total,
		e->conf.connections);
	fflush(e->report);
}

static int
check_room(const struct sl_engine_conf *conf, unsigned int n_lcores)
{
	if (conf->n_ports == 0 || conf->n_ports > SL_PORTS_MAX) {
		fprintf(stderr, "sluice: %u ports: want 1 to %u\n", conf->n_ports,
			SL_PORTS_MAX);
		return -EINVAL;
	}
	if (conf->n_listeners > SL_LISTENERS_MAX) {
		fprintf(stderr, "sluice: %u listeners: want at most %u\n", conf->n_listeners,
			SL_LISTENERS_MAX);
		return -EINVAL;
	}
	if (n_lcores > SL_WORKERS_MAX) {
		fprintf(stderr, "sluice: %u lcores: want 1 to %u\n", n_lcores, SL_WORKERS_MAX);
		return -EINVAL;
	}
	return 0;
}

static int
open_all(struct sl_engine *e)
{
	unsigned int lcore[SL_WORKERS_MAX], i;
	int rc;

	lcore[e->siblings.n++] = rte_get_main_lcore();
	RTE_LCORE_FOREACH_WORKER(i)
	lcore[e->siblings.n++] = i;

	e->clock = sl_clock_start();
	rc = probe_ports(e, e->siblings.n);
	if (rc != 0)
		return rc;
	place(e, lcore);
	rc = share_buffers(e);
	if (rc == 0)
		rc = make_steer(e);
	if (rc == 0)
		rc = open_workers(e, lcore);
	if (rc == 0)
		rc = start_ports(e);
	if (rc == 0)
		rc = open_capture(e);
	if (rc == 0)
		rc = open_cores(e);
	return rc;
}

int
sl_engine_open(struct sl_engine **out, const struct sl_engine_conf *conf, FILE *to)
{
	struct sl_engine *e;
	int rc = check_room(conf, rte_lcore_count());

	if (rc != 0)
		return rc;
	e = aligned_alloc(alignof(struct sl_engine), sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	memset(e, 0, sizeof(*e));
	e->conf = *conf;
	e->report = to;
	/* For dpdk-dumpcap. Where EAL allows no secondary process this is merely useless. */
	rte_pdump_init();
	rc = open_all(e);
	if (rc != 0) {
		sl_engine_close(e);
		return rc;
	}
	report(e);
	*out = e;
	return 0;
}

/* Running */

int
sl_engine_run(struct sl_engine *engine)
{
	pthread_t control;
	int rc;

	assert(rte_lcore_id() == rte_get_main_lcore());
	engine->ran = true;
	sl_telemetry_set(engine);
	rc = rte_ctrl_thread_create(&control, "sluice-control", NULL, sl_control_run, engine);
	if (rc != 0) {
		sl_telemetry_set(NULL);
		return rc > 0 ? -rc : rc;
	}
	rc = rte_eal_mp_remote_launch(sl_worker_run, &engine->siblings, CALL_MAIN);
	if (rc != 0) {
		/* Nobody runs: let control find its way out. */
		atomic_store_explicit(&engine->siblings.n_running, engine->siblings.n,
				      memory_order_relaxed);
		sl_engine_stop(engine);
		sl_engine_stop(engine);
	}
	rte_eal_mp_wait_lcore();
	/* pairs with the release at the end of sl_worker_run() */
	(void)atomic_load_explicit(&engine->siblings.n_running, memory_order_acquire);
	pthread_join(control, NULL);
	sl_telemetry_set(NULL);
	if (rc != 0)
		return -EIO;
	return engine->forced ? -EBUSY : 0;
}

void
sl_engine_stop(struct sl_engine *engine)
{
	atomic_fetch_add_explicit(&engine->n_stops, 1, memory_order_relaxed);
}

/* Closing */

/*
 * How many packets of @pool are not back, but for @excused ones; says so. Adds what it has
 * to @total.
 */
static uint64_t
missing(const struct rte_mempool *pool, uint32_t excused, uint64_t *total)
{
	uint32_t away;

	if (pool == NULL)
		return 0;
	*total += pool->size;
	away = rte_mempool_in_use_count(pool);
	away -= away < excused ? away : excused;
	if (away > 0)
		fprintf(stderr, "sluice: %s: %u of %u buffers were not given back\n",
			pool->name, away, pool->size);
	return away;
}

int
sl_engine_close(struct sl_engine *engine)
{
	struct sl_stats stats;
	uint64_t total = 0, leaked = 0;

	for (uint16_t i = 0; i < engine->siblings.n; i++)
		if (engine->worker[i] != NULL)
			sl_worker_give_up(engine->worker[i]);
	sl_engine_stats(engine, &stats);
	for (uint16_t p = 0; engine->ran && p < engine->n_ports; p++)
		sl_port_losses(&engine->port[p], engine->report);
	for (uint16_t i = 0; i < engine->siblings.n; i++)
		if (engine->worker[i] != NULL)
			sl_worker_stop(engine->worker[i]);
	for (uint16_t p = 0; p < engine->n_ports; p++)
		sl_port_stop(&engine->port[p]);
	rte_pdump_uninit();
	if (engine->capture != NULL && sl_capture_close(engine->capture) != 0)
		fprintf(stderr, "sluice: capture: %s is not whole\n", engine->conf.capture);

	for (uint16_t p = 0; p < engine->n_ports; p++) {
		leaked +=
			missing(engine->port[p].pool, sl_port_keeps(&engine->port[p]), &total);
		rte_mempool_free(engine->port[p].pool);
	}
	for (uint16_t i = 0; i < engine->siblings.n; i++) {
		if (engine->worker[i] == NULL)
			continue;
		for (int k = 0; k < SL_POOL_COUNT; k++)
			leaked += missing(engine->worker[i]->pools.pool[k], 0, &total);
		sl_worker_close(engine->worker[i]);
	}
	if (engine->ran)
		sl_ledger_table(engine->report, &stats, total, leaked);
	fflush(engine->report);
	free(engine);
	return (int)leaked;
}
