/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - one engine, opened like the daemon's, fed by hand.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#include "bench.h"
#include "wire.h"

#define RING_PACKETS    8192
#define BUFFERS_DEFAULT 65536
#define WORLDS_MAX      2

/* A worker never lets its time go back, so that under this clock world_pass() alone moves it.
 */
static const struct sl_clock stands;

static void
configure(struct sl_engine_conf *conf, const struct world_conf *c, uint16_t port)
{
	struct sl_engine_port *p = &conf->port[0];
	struct sl_listener_conf *l = &conf->listener[0];

	memset(conf, 0, sizeof(*conf));
	conf->n_ports = 1;
	if (rte_eth_dev_get_name_by_port(port, p->device) != 0)
		bench_fail("the port has no name");
	p->rx_checksum = p->tx_checksum = true;
	p->n_addrs = c->no_v6 ? 1 : 2;
	p->addr[0] = (struct sl_ifaddr){ sl_addr_v4(0x0a000001), 24, 0 };
	p->addr[1] = (struct sl_ifaddr){ { .b = { 0xfd, [15] = 1 } }, 64, 0 };
	p->n_routes = c->no_v6 ? 1 : 2;
	p->route[0].net = sl_addr_v4(0);
	p->route[0].gateway = sl_addr_v4(0x0a0000fe);
	p->route[1].gateway = (struct sl_addr){ .b = { 0xfd, [15] = 0xfe } };

	conf->connections = c->connections;
	conf->active = 1024;
	conf->time_wait = c->time_wait ? c->time_wait : 1024;
	conf->neighbours = 256;
	conf->buffers = c->buffers ? c->buffers : BUFFERS_DEFAULT;

	conf->n_listeners = 1;
	snprintf(l->name, sizeof(l->name), "bench");
	l->port = PORT_SERVER;
	l->app = c->app;
	sl_tcp_defaults(&l->tcp);
	l->tcp.cookies = c->cookies;
	l->backlog = c->backlog;
	if (c->rto_min_ms != 0)
		l->tcp.rto_min_ms = c->rto_min_ms;
	if (c->msl_ms != 0)
		l->tcp.msl_ms = c->msl_ms;
	for (uint16_t i = 1; i <= c->more_listeners; i++) {
		struct sl_listener_conf *more = &conf->listener[conf->n_listeners++];

		*more = *l;
		snprintf(more->name, sizeof(more->name), "bench%u", i);
		more->port = PORT_MORE + i;
	}
}

static void
open_engine(struct world *w, const struct world_conf *c, uint16_t port)
{
	static struct sl_engine_conf conf;
	FILE *nowhere = fopen("/dev/null", "w");

	configure(&conf, c, port);
	if (nowhere == NULL || sl_engine_open(&w->engine, &conf, nowhere) != 0)
		bench_fail("the engine does not open");
	w->worker = w->engine->worker[0];
	w->core = w->worker->core;
	w->pool = w->engine->port[0].pool;
	memcpy(wire_server_mac, w->engine->port[0].mac, 6);
	w->worker->clock = &stands;
	w->slow = (c->slow > 1 ? c->slow : 1) * options.slow;
	w->ns_a_count = w->engine->clock.mult / w->slow;
}

/* A port of a pair of rings for each of @n worlds. */
static uint16_t
open_rings(struct world *w, unsigned int n)
{
	static unsigned int n_ports;
	struct rte_ring *in[WORLDS_MAX], *out[WORLDS_MAX];
	char name[32];
	int port;

	for (unsigned int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "perf%u_in%u", n_ports, i);
		in[i] = w[i].in = rte_ring_create(name, RING_PACKETS, 0, 0);
		snprintf(name, sizeof(name), "perf%u_out%u", n_ports, i);
		out[i] = w[i].out = rte_ring_create(name, RING_PACKETS, 0, 0);
		if (in[i] == NULL || out[i] == NULL)
			bench_fail("no memory for rings");
	}
	snprintf(name, sizeof(name), "perf%u", n_ports++);
	port = rte_eth_from_rings(name, in, n, out, n, 0);
	if (port < 0)
		bench_fail("no port of rings");
	return (uint16_t)port;
}

void
world_open(struct world *w, const struct world_conf *c)
{
	memset(w, 0, sizeof(*w));
	open_engine(w, c, open_rings(w, 1));
	world_idle(w);
}

void
world_open_many(struct world *w, unsigned int n, const struct world_conf *c)
{
	memset(w, 0, n * sizeof(*w));
	open_engine(&w[0], c, open_rings(w, n));
	if (w[0].engine->siblings.n != n)
		bench_fail("%u workers, want %u", w[0].engine->siblings.n, n);
	for (unsigned int i = 0; i < n; i++) {
		w[i].engine = w[0].engine;
		w[i].worker = w[0].engine->worker[i];
		w[i].core = w[i].worker->core;
		w[i].pool = w[0].pool;
		w[i].worker->clock = &w[0].engine->clock;
	}
}

static void
drop_sent(struct world *w)
{
	struct rte_mbuf *m[64];
	uint16_t n;

	while ((n = world_sent(w, m, 64)) > 0)
		rte_pktmbuf_free_bulk(m, n);
}

void
world_close(struct world *w)
{
	rte_pktmbuf_free_bulk(w->batch, w->n_batch);
	drop_sent(w);
	if (sl_engine_close(w->engine) != 0)
		bench_fail("packets were lost");
	rte_ring_free(w->in);
	rte_ring_free(w->out);
}

struct rte_mbuf *
world_packet(struct world *w)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

	if (m == NULL)
		bench_fail("no packet left for the peer");
	w->batch[w->n_batch++] = m;
	return m;
}

long
world_preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

/* As often again as is asked for what went by since @before: a row made slower on purpose. */
static void
waste(uint64_t before)
{
	uint64_t took = rte_rdtsc() - before;

	while (rte_rdtsc() - before < options.times * took)
		;
}

static uint64_t
round_timed(struct world *w)
{
	uint64_t before = rte_rdtsc();

	if (bench_parts.n > 0)
		bench_parts.round_begins(before);
	sl_worker_round(w->worker);
	if (bench_parts.n > 0)
		bench_parts.round_ends();
	if (options.is_handicapped)
		waste(before);
	return rte_rdtsc() - before;
}

/* A round that takes a millisecond was off the CPU, which the engine's timers are not to see.
 */
static void
pass_counts(struct world *w, uint64_t took)
{
	uint64_t most = rte_get_tsc_hz() / 1000;

	took = took < most ? took : most;
	world_pass(w, (uint64_t)(((unsigned __int128)took * w->ns_a_count) >> 32));
}

/* A burst lower than what the worker takes at once is made by showing it less. */
static void
hand_over(struct world *w)
{
	long before = world_preemptions();
	struct bench_parts parts = bench_parts;
	uint32_t sampled = w->n_sampled;
	uint64_t cycles = 0;
	uint16_t done = 0;

	while (done < w->n_batch) {
		uint16_t n = RTE_MIN(w->n_batch - done, (int)options.burst);
		uint64_t took;

		if (rte_ring_enqueue_bulk(w->in, (void **)w->batch + done, n, NULL) != n)
			bench_fail("the port's ring is full");
		took = round_timed(w);
		pass_counts(w, took);
		if (w->sample != NULL && w->n_sampled < w->sample_max)
			w->sample[w->n_sampled++] = (uint32_t)took;
		cycles += took;
		done += n;
	}
	if (!rte_ring_empty(w->in))
		bench_fail("the worker left packets");
	w->n_batches++;
	w->is_spoilt = world_preemptions() != before;
	w->n_spoilt += w->is_spoilt;
	if (w->is_spoilt) {
		bench_parts = parts;
		w->n_sampled = sampled;
	} else {
		w->cycles += cycles;
		w->packets += w->n_batch;
	}
	w->n_batch = 0;
}

void
world_run(struct world *w)
{
	hand_over(w);
}

void
world_idle(struct world *w)
{
	for (int i = 0; i < 1000 && sl_core_next(w->core) <= w->worker->now; i++)
		sl_worker_round(w->worker);
}

void
world_pass(struct world *w, uint64_t ns)
{
	w->worker->now += ns;
}

uint16_t
world_sent(struct world *w, struct rte_mbuf **m, uint16_t n)
{
	return (uint16_t)rte_ring_dequeue_burst(w->out, (void **)m, n, NULL);
}

void
world_say_clock(const struct world *w, const char *name)
{
	uint64_t again = world_count(w, SL_CNT_retransmit);
	char line[64];

	snprintf(line, sizeof(line), "%.48s_clock", name);
	bench_figure(line, "slower", w->slow);
	snprintf(line, sizeof(line), "%.48s_resent", name);
	bench_figure(line, "segments", (double)again);
}

uint64_t
world_count(const struct world *w, unsigned int counter)
{
	return sl_core_stats(w->core)->count[counter];
}

/*
 * What testpmd does in its macswap mode: receive, exchange the addresses four packets at a
 * time's worth of prefetch ahead, set the lengths an offload would need, send.
 */
static void
swap_macs(struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], void *);
		struct rte_ether_addr from = eth->src_addr;

		if (i + 4 < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 4], void *));
		eth->src_addr = eth->dst_addr;
		eth->dst_addr = from;
		m[i]->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
		m[i]->l2_len = sizeof(*eth);
		m[i]->l3_len = sizeof(uint32_t) * 5;
	}
}

/* What a batch takes; the world's batch is empty then. */
static uint64_t
loop_batch(struct world *w, const struct world_loop *loop)
{
	uint64_t took = 0;
	uint16_t port = w->engine->port[0].id;
	struct rte_mbuf *m[2 * LOOP_BURST];

	if (rte_ring_enqueue_bulk(w->in, (void **)w->batch, w->n_batch, NULL) == 0)
		bench_fail("the port's ring is full");
	w->n_batch = 0;
	while (!rte_ring_empty(w->in)) {
		uint64_t before = rte_rdtsc();
		uint16_t n = rte_eth_rx_burst(
			port, 0, m, (uint16_t)RTE_MIN(options.burst, (unsigned int)LOOP_BURST));

		swap_macs(m, n);
		if (loop->turn != NULL)
			n = loop->turn(loop->arg, m, n);
		if (rte_eth_tx_burst(port, 0, m, n) != n)
			bench_fail("the port's ring is full");
		took += rte_rdtsc() - before;
	}
	drop_sent(w);
	return took;
}

double
world_loop(struct world *w, const struct world_loop *loop)
{
	const struct wire_seg syn = {
		.flags = WIRE_SYN,
		.options = WIRE_SYN_LINUX,
		.wnd = 64240,
	};
	struct wire_end end = { .addr = 0x20000001, .port = 1024, .server = PORT_SERVER };
	const uint16_t batch = loop->batch > 0 ? loop->batch : WORLD_BATCH;
	uint64_t cycles = 0, n = 0;

	while ((double)n < WINDOW_UNITS * loop->packets) {
		uint64_t took;
		long preempted;

		for (; w->n_batch < batch; end.addr++)
			wire_put(world_packet(w), &end,
				 loop->next != NULL ? loop->next(loop->arg) : &syn);
		preempted = world_preemptions();
		took = loop_batch(w, loop);
		if (world_preemptions() == preempted) {
			cycles += took;
			n += batch;
		}
	}
	return (double)cycles / (double)n * loop->packets;
}

double
world_macswap(void *arg)
{
	return world_loop(arg, &(struct world_loop){ .packets = 1 });
}
