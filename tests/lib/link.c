/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link - the clock, and who is stepped when.
 */
#include "link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "router.h"

#define ROOM        (2 * SL_BURST) /* packets a step may make */
#define FRAME_MAX   9600
#define PORT        0
#define STEPS_STILL 100000 /* steps at one moment after which a core is said to spin */

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
	*link = (struct link){ .conf = *conf, .now = SL_NS_PER_S };
}

/* Whoever is next, with its cable. */
static struct link_host *
new_host(struct link *link, const uint8_t *mac)
{
	struct link_host *host = &link->host[link->n_hosts];
	struct rnd seeds = { link->conf.seed + link->n_hosts };

	if (link->n_hosts == LINK_HOSTS_MAX)
		die("more than %d hosts", LINK_HOSTS_MAX);
	memcpy(host->mac, mac, sizeof(host->mac));
	cable_open(&host->cable, &link->conf.cable, rnd_u64(&seeds));
	return host;
}

unsigned int
link_join(struct link *link, const struct sl_core_conf *conf)
{
	struct link_host *host = new_host(link, conf->net.port[0].mac);
	int rc;

	heapbufs_open(&host->hb);
	arena_open(&host->arena);
	rc = sl_core_open(&host->core, conf, &host->hb.bufs, &host->arena.mem, link->now);
	if (rc < 0)
		die("host %u does not open: %s", link->n_hosts, strerror(-rc));
	return link->n_hosts++;
}

unsigned int
link_join_peer(struct link *link, const struct link_peer *peer)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)(link->n_hosts + 1) };

	new_host(link, mac)->peer = *peer;
	return link->n_hosts++;
}

void
link_cable(struct link *link, unsigned int host, const struct cable_conf *conf)
{
	link->host[host].cable.conf = *conf;
}

int
link_connect(struct link *link, unsigned int from, uint16_t listener, unsigned int to,
	     uint16_t port, bool v6)
{
	struct sl_addr addr = link_addr(to, v6);
	struct sl_connect connect = { .remote = &addr, .rport = port };

	return sl_core_connect(link->host[from].core, link->now, listener, &connect, NULL);
}

/* A router before @host's cable tells the sender of a frame what still passes. */
static void
tell_too_big(struct link *link, unsigned int from, const struct link_host *host,
	     const uint8_t *bytes, size_t len)
{
	static struct craft icmp;

	if (router_too_big(&icmp, bytes, len, host->cable.conf.mtu))
		cable_put(&link->host[from].cable, link->now, icmp.b, icmp.len);
}

void
link_send(struct link *link, unsigned int from, const uint8_t *bytes, size_t len)
{
	bool to_group = bytes[0] & 1;

	link->n_frames++;
	if (link->conf.lets != NULL && !link->conf.lets(link->conf.arg, from, bytes, len))
		return;
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		struct link_host *host = &link->host[i];
		enum cable_fate fate;

		if (i == from || !(to_group || memcmp(bytes, host->mac, 6) == 0))
			continue;
		fate = cable_put(&host->cable, link->now, bytes, len);
		if (link->conf.saw != NULL)
			link->conf.saw(link->conf.arg, from, i, bytes, len, fate);
		if (fate == CABLE_TOO_BIG && link->conf.tells_too_big)
			tell_too_big(link, from, host, bytes, len);
	}
}

static void
send_packet(struct link *link, unsigned int from, struct rte_mbuf *m)
{
	uint8_t bytes[FRAME_MAX];
	size_t len = heapbufs_read(m, bytes, sizeof(bytes));

	if (len < 14 || len > sizeof(bytes))
		die("host %u sent a frame of %zu bytes", from, len);
	heapbufs_put(&link->host[from].hb, m);
	link_send(link, from, bytes, len);
}

static void
check_core(const struct link *link, unsigned int i)
{
	const char *why = "";

	if (sl_core_check(link->host[i].core, &why) != 0)
		die("host %u at %.6f s: %s", i, (double)link->now / SL_NS_PER_S, why);
}

static void
step_core(struct link *link, unsigned int i)
{
	struct link_host *host = &link->host[i];
	struct rte_mbuf *rx[SL_BURST], *tx[ROOM];
	struct cable_frame *frame;
	uint16_t n_rx = 0, n_tx;

	while (n_rx < SL_BURST && (frame = cable_take(&host->cable, link->now)) != NULL) {
		rx[n_rx] = heapbufs_packet(&host->hb, frame->bytes, frame->len,
					   RTE_PKTMBUF_HEADROOM);
		rx[n_rx++]->port = PORT;
		free(frame);
	}
	n_tx = sl_core_step(host->core, link->now, rx, n_rx, tx, ROOM);
	for (uint16_t t = 0; t < n_tx; t++)
		send_packet(link, i, tx[t]);
	link->n_steps++;
	if (link->conf.check_every != 0 && link->n_steps % link->conf.check_every == 0)
		check_core(link, i);
}

static void
step_peer(struct link *link, unsigned int i)
{
	struct link_host *host = &link->host[i];
	struct cable_frame *frame;

	while ((frame = cable_take(&host->cable, link->now)) != NULL) {
		host->peer.frame(host->peer.arg, frame->bytes, frame->len);
		free(frame);
	}
	if (host->peer.next(host->peer.arg) <= link->now)
		host->peer.timer(host->peer.arg);
}

/* When @host next has something to do. */
static sl_ns_t
host_next(const struct link_host *host)
{
	sl_ns_t frame = cable_next(&host->cable);
	sl_ns_t timer =
		host->core != NULL ? sl_core_next(host->core) : host->peer.next(host->peer.arg);

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

/* What came out of the cable is what the core says it got, and what became of it. */
static void
check_fates(const struct link *link, unsigned int i)
{
	const struct sl_stats *stats = sl_core_stats(link->host[i].core);
	uint64_t fates = 0;

	for (int fate = 0; fate < SL_FATE_COUNT; fate++)
		fates += stats->fate[fate];
	if (fates != stats->count[SL_CNT_rx] || fates != link->host[i].cable.taken ||
	    stats->fate[SL_FATE_NONE] != 0)
		die("host %u: %llu packets have %llu fates", i,
		    (unsigned long long)link->host[i].cable.taken, (unsigned long long)fates);
}

static void
check_cable(const struct link *link, unsigned int i)
{
	const struct cable *cable = &link->host[i].cable;
	uint64_t left = cable->put + cable->duplicated - cable->fate[CABLE_LOST] -
			cable->fate[CABLE_DROPPED] - cable->fate[CABLE_TOO_BIG] - cable->taken;

	for (const struct cable_frame *f = cable->first; f != NULL; f = f->next)
		left--;
	if (left != 0)
		die("the cable of host %u lost count of %lld frames", i, (long long)left);
}

static void
step_host(struct link *link, unsigned int i)
{
	if (link->host[i].core != NULL)
		step_core(link, i);
	else
		step_peer(link, i);
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
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		check_cable(link, i);
		if (link->host[i].core == NULL)
			continue;
		check_core(link, i);
		check_fates(link, i);
	}
	return is_done;
}

void
link_close(struct link *link)
{
	for (unsigned int i = 0; i < link->n_hosts; i++) {
		struct link_host *host = &link->host[i];

		cable_close(&host->cable);
		if (host->core == NULL)
			continue;
		sl_core_close(host->core);
		heapbufs_close(&host->hb);
		arena_close(&host->arena);
	}
}
