/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link - each host has the frames on their way to it in a list ordered by arrival. Nearly
 * all frames go to its end; only jitter puts one before another.
 */
#include "link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM        (2 * SL_BURST) /* packets a step may make */
#define FRAME_MAX   9600
#define PORT        0
#define STEPS_STILL 100000 /* steps at one moment after which a core is said to spin */

struct link_frame {
	struct link_frame *prev, *next;
	sl_ns_t due;
	size_t len;
	uint8_t bytes[];
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "link: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* A number below @limit (xorshift64*). */
static uint64_t
random_below(struct link *link, uint64_t limit)
{
	uint64_t x = link->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	link->random = x;
	return ((x * 0x2545f4914f6cdd1dull) >> 32) % limit;
}

struct sl_addr
link_addr(unsigned int i, bool v6)
{
	struct sl_addr addr = { .b = { [0] = 0xfd, [15] = (uint8_t)(i + 1) } };

	return v6 ? addr : sl_addr_v4(0x0a000001 + i);
}

void
link_host_conf(struct sl_core_conf *conf, unsigned int i)
{
	struct sl_port_conf *port = &conf->net.port[0];

	*conf = (struct sl_core_conf){
		.connections = 64,
		.active = 64,
		.time_wait = 64,
		.spans = 16384,
		.rx_buffers = 8192,
		.ipv6 = true,
		.secret = { { i + 1, 2 } },
		.cookie_secret = { { i + 1, 3 } },
		.tai_ms = 1700000000000ull,
		.net = { .n_ports = 1, .neighbours = 64, .speaks = true, .key = { { i, 4 } } },
	};
	*port = (struct sl_port_conf){
		.port = PORT,
		.mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) },
		.mtu = 1500,
		.n_addrs = 2,
		.addr = { { .addr = link_addr(i, false), .prefix = 24 },
			  { .addr = link_addr(i, true), .prefix = 64 } },
	};
}

struct sl_listener_conf *
link_listen(struct sl_core_conf *conf, uint16_t port, const struct sl_app *app, const void *arg)
{
	struct sl_listener_conf *listener = &conf->listener[conf->n_listeners++];

	*listener = (struct sl_listener_conf){ .port = port, .app = app, .arg = arg };
	snprintf(listener->name, sizeof(listener->name), "%s-%u", app->name, port);
	sl_tcp_defaults(&listener->tcp);
	return listener;
}

void
link_open(struct link *link, const struct link_conf *conf)
{
	*link = (struct link){
		.conf = *conf, .now = SL_NS_PER_S, .random = conf->seed * 2 + 1, /* never 0 */
	};
}

unsigned int
link_join(struct link *link, const struct sl_core_conf *conf)
{
	struct link_host *host = &link->host[link->n_hosts];
	int rc;

	if (link->n_hosts == LINK_HOSTS_MAX)
		die("more than %d hosts", LINK_HOSTS_MAX);
	heapbufs_open(&host->hb);
	arena_open(&host->arena);
	memcpy(host->mac, conf->net.port[0].mac, sizeof(host->mac));
	rc = sl_core_open(&host->core, conf, &host->hb.bufs, &host->arena.mem, link->now);
	if (rc < 0)
		die("host %u does not open: %s", link->n_hosts, strerror(-rc));
	return link->n_hosts++;
}

int
link_connect(struct link *link, unsigned int from, uint16_t listener, unsigned int to,
	     uint16_t port, bool v6)
{
	struct sl_addr addr = link_addr(to, v6);
	struct sl_connect connect = { .remote = &addr, .rport = port };

	return sl_core_connect(link->host[from].core, link->now, listener, &connect, NULL);
}

/* Put a copy of the frame among those on their way to @host. */
static void
queue_frame(struct link_host *host, const uint8_t *bytes, size_t len, sl_ns_t due)
{
	struct link_frame *frame = malloc(sizeof(*frame) + len);
	struct link_frame *before = host->last;

	if (frame == NULL)
		die("out of memory");
	frame->due = due;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);

	while (before != NULL && before->due > due)
		before = before->prev;
	frame->prev = before;
	frame->next = before ? before->next : host->first;
	*(frame->next ? &frame->next->prev : &host->last) = frame;
	*(before ? &before->next : &host->first) = frame;
}

static struct link_frame *
pop_frame(struct link_host *host)
{
	struct link_frame *frame = host->first;

	host->first = frame->next;
	*(frame->next ? &frame->next->prev : &host->last) = NULL;
	return frame;
}

static bool
is_lost(struct link *link, unsigned int from, const uint8_t *bytes, size_t len)
{
	const struct link_conf *conf = &link->conf;

	if (conf->lets != NULL && !conf->lets(conf->arg, from, bytes, len))
		return true;
	return conf->loss_ppm > 0 && random_below(link, 1000000) < conf->loss_ppm;
}

static sl_ns_t
arrival(struct link *link)
{
	sl_ns_t jitter = link->conf.jitter ? random_below(link, link->conf.jitter + 1) : 0;

	return link->now + link->conf.delay + jitter;
}

static void
carry(struct link *link, unsigned int from, struct rte_mbuf *m)
{
	uint8_t bytes[FRAME_MAX];
	size_t len = heapbufs_read(m, bytes, sizeof(bytes));

	if (len < 14 || len > sizeof(bytes))
		die("host %u sent a frame of %zu bytes", from, len);
	heapbufs_put(&link->host[from].hb, m);

	link->n_frames++;
	if (is_lost(link, from, bytes, len)) {
		link->n_lost++;
		return;
	}
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		bool to_group = bytes[0] & 1;

		if (i != from && (to_group || memcmp(bytes, link->host[i].mac, 6) == 0))
			queue_frame(&link->host[i], bytes, len, arrival(link));
	}
}

static void
step_host(struct link *link, unsigned int i)
{
	struct link_host *host = &link->host[i];
	struct rte_mbuf *rx[SL_BURST], *tx[ROOM];
	uint16_t n_rx = 0, n_tx;

	while (n_rx < SL_BURST && host->first != NULL && host->first->due <= link->now) {
		struct link_frame *frame = pop_frame(host);

		rx[n_rx] = heapbufs_packet(&host->hb, frame->bytes, frame->len,
					   RTE_PKTMBUF_HEADROOM);
		rx[n_rx++]->port = PORT;
		free(frame);
	}
	n_tx = sl_core_step(host->core, link->now, rx, n_rx, tx, ROOM);
	for (uint16_t t = 0; t < n_tx; t++)
		carry(link, i, tx[t]);
	link->n_steps++;
}

/* When @host next has something to do. */
static sl_ns_t
host_next(const struct link_host *host)
{
	sl_ns_t timer = sl_core_next(host->core);
	sl_ns_t frame = host->first != NULL ? host->first->due : UINT64_MAX;

	return frame < timer ? frame : timer;
}

static sl_ns_t
link_next(const struct link *link)
{
	sl_ns_t next = UINT64_MAX;

	for (unsigned int i = 0; i < link->n_hosts; i++) {
		sl_ns_t due = host_next(&link->host[i]);

		next = due < next ? due : next;
	}
	return next;
}

static void
check_host(const struct link *link, unsigned int i)
{
	const struct sl_stats *stats = sl_core_stats(link->host[i].core);
	const char *why = "";
	uint64_t fates = 0;

	if (sl_core_check(link->host[i].core, &why) != 0)
		die("host %u at %.3f s: %s", i, (double)link->now / SL_NS_PER_S, why);
	for (int fate = 0; fate < SL_FATE_COUNT; fate++)
		fates += stats->fate[fate];
	if (fates != stats->count[SL_CNT_rx] || stats->fate[SL_FATE_NONE] != 0)
		die("host %u: %llu packets have %llu fates", i,
		    (unsigned long long)stats->count[SL_CNT_rx], (unsigned long long)fates);
}

bool
link_run(struct link *link, sl_ns_t span, bool (*done)(void *arg), void *arg)
{
	sl_ns_t end = link->now + span, next;
	uint64_t still = 0;
	bool is_done;

	while (!(is_done = done != NULL && done(arg)) && (next = link_next(link)) <= end) {
		still = next > link->now ? 0 : still + 1;
		if (still > STEPS_STILL)
			die("a core spins at %.3f s", (double)link->now / SL_NS_PER_S);
		link->now = next > link->now ? next : link->now;
		for (unsigned int i = 0; i < link->n_hosts; i++)
			if (host_next(&link->host[i]) <= link->now)
				step_host(link, i);
	}
	if (!is_done)
		link->now = end;
	for (unsigned int i = 0; i < link->n_hosts; i++)
		check_host(link, i);
	return is_done;
}

void
link_close(struct link *link)
{
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		struct link_host *host = &link->host[i];

		while (host->first != NULL)
			free(pop_frame(host));
		sl_core_close(host->core);
		heapbufs_close(&host->hb);
		arena_close(&host->arena);
	}
}
