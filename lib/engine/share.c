/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share - a worker's part of what was configured, and the budget that --check prints.
 *
 * Half of all buffers receive, a quarter sends, a quarter holds what applications queued.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "engine/pools.h"
#include "engine/share.h"

#define DESCRIPTORS 1024
#define CACHED      (SL_POOL_CACHE * 3 / 2) /* most that an lcore's cache of a pool holds */
#define IN_HAND     (4 * SL_BURST)
#define KEPT_MIN    1024u

static uint32_t
up(uint32_t n, uint32_t by)
{
	return n / by + (n % by != 0);
}

uint32_t
sl_room_bytes(uint16_t mtu)
{
	uint32_t whole = RTE_ALIGN_CEIL(mtu + SL_FRAME_EXTRA, 64u);

	return whole < SL_ROOM_BYTES ? SL_ROOM_BYTES : whole;
}

static uint32_t
descriptors(uint16_t asked)
{
	return asked ? asked : DESCRIPTORS;
}

uint32_t
sl_rx_floor(uint32_t queued, uint16_t n_workers)
{
	uint32_t handed_over = n_workers > 1 ? SL_RING_PACKETS - 1 : 0;

	return queued + n_workers * (CACHED + IN_HAND + handed_over);
}

void
sl_floor_guess(const struct sl_engine_conf *conf, uint16_t n_workers, struct sl_floor *out)
{
	memset(out, 0, sizeof(*out));
	out->tx = CACHED + IN_HAND;
	for (uint16_t p = 0; p < conf->n_ports; p++) {
		uint32_t queued = descriptors(conf->port[p].rx_descriptors);

		out->rx[p] = sl_rx_floor(n_workers * queued, n_workers);
		out->tx += descriptors(conf->port[p].tx_descriptors);
	}
}

static uint32_t
highest(const struct sl_engine_conf *conf, const struct sl_floor *floor)
{
	uint32_t most = 0;

	for (uint16_t p = 0; p < conf->n_ports; p++)
		most = floor->rx[p] > most ? floor->rx[p] : most;
	return most;
}

/* Enough for the queues twice over, and a buffer in flight for one connection in four. */
static uint32_t
derived(const struct sl_engine_conf *conf, uint32_t minimum)
{
	return 2 * minimum + conf->connections / 4;
}

int
sl_share_buffers(const struct sl_engine_conf *conf, uint16_t n_workers,
		 const struct sl_floor *floor, struct sl_share *out)
{
	uint32_t most = highest(conf, floor);
	uint32_t rx_min = 2 * conf->n_ports * (most + n_workers * SL_BURST);
	uint32_t tx_min = 4 * n_workers * (floor->tx > KEPT_MIN ? floor->tx : KEPT_MIN);

	memset(out, 0, sizeof(*out));
	out->minimum = rx_min > tx_min ? rx_min : tx_min;
	out->total = conf->buffers ? conf->buffers : derived(conf, out->minimum);
	if (out->total < out->minimum)
		return -EINVAL;

	out->rx = out->total / 2 / conf->n_ports;
	out->pool[SL_POOL_TX] = out->total / 4 / n_workers;
	out->pool[SL_POOL_RETAIN] = out->total / 4 / n_workers;
	out->total = out->rx * conf->n_ports +
		     n_workers * (out->pool[SL_POOL_TX] + out->pool[SL_POOL_RETAIN]);
	/* All that is kept may have come from one port, whose queues must not run dry by it. */
	out->keep = (out->rx - most) / n_workers;
	return 0;
}

void
sl_share_complain(const struct sl_engine_conf *conf, uint16_t n_workers,
		  const struct sl_share *share)
{
	fprintf(stderr, "%s: engine.buffers: %u: want at least %u with %u worker%s\n",
		conf->buffers_at != NULL ? conf->buffers_at : "sluice", conf->buffers,
		share->minimum, n_workers, n_workers == 1 ? "" : "s");
}

static bool
speaks_v6(const struct sl_engine_conf *conf)
{
	for (uint16_t p = 0; p < conf->n_ports; p++)
		for (uint16_t i = 0; i < conf->port[p].n_addrs; i++)
			if (!sl_addr_is_v4(&conf->port[p].addr[i].addr))
				return true;
	return false;
}

static void
share_port(const struct sl_engine_port *from, struct sl_port_conf *to)
{
	to->mtu = from->mtu ? from->mtu : 1500;
	to->n_addrs = from->n_addrs;
	to->n_routes = from->n_routes;
	memcpy(to->addr, from->addr, sizeof(to->addr));
	memcpy(to->route, from->route, sizeof(to->route));
}

void
sl_share_core(const struct sl_engine_conf *conf, uint16_t n_workers,
	      const struct sl_share *share, struct sl_core_conf *out)
{
	memset(out, 0, sizeof(*out));
	out->connections = up(conf->connections, n_workers);
	out->active = up(conf->active, n_workers);
	out->time_wait = up(conf->time_wait, n_workers);
	out->spans = out->connections + share->total / n_workers;
	out->rx_buffers = share->keep;
	out->ipv6 = speaks_v6(conf);

	out->net.n_ports = conf->n_ports;
	out->net.neighbours = conf->neighbours; /* each core meets all of them */
	for (uint16_t p = 0; p < conf->n_ports; p++)
		share_port(&conf->port[p], &out->net.port[p]);

	out->n_listeners = conf->n_listeners;
	for (uint16_t i = 0; i < conf->n_listeners; i++) {
		out->listener[i] = conf->listener[i];
		out->listener[i].connections = up(conf->listener[i].connections, n_workers);
		out->listener[i].backlog = up(conf->listener[i].backlog, n_workers);
	}
}

#define MIB       (1u << 20)
#define EAL_BYTES (16 << 20) /* what EAL and drivers take for themselves */

static void
line(FILE *to, const char *what, uint64_t n, uint64_t each, uint64_t bytes)
{
	fprintf(to, "  %-22s", what);
	if (each != 0)
		fprintf(to, " %10" PRIu64 " of %5" PRIu64 " B", n, each);
	else
		fprintf(to, " %10s    %5s  ", "", "");
	fprintf(to, " %10.1f MiB\n", (double)bytes / MIB);
}

static void
print_core(FILE *to, const struct sl_core_conf *core, const struct sl_budget *b)
{
	uint32_t idle = core->ipv6 ? b->idle_v6 : b->idle_v4;
	uint32_t time_wait = core->ipv6 ? b->time_wait_v6 : b->time_wait_v4;

	fprintf(to,
		"a connection takes: half-open or idle %u B (IPv4) or %u B (IPv6), %u B more "
		"while active, TIME-WAIT %u B or %u B\n",
		b->idle_v4, b->idle_v6, b->active, b->time_wait_v4, b->time_wait_v6);
	line(to, "connections", core->connections, idle, (uint64_t)core->connections * idle);
	line(to, "active at once", core->active, b->active, (uint64_t)core->active * b->active);
	line(to, "TIME-WAIT", core->time_wait, time_wait,
	     (uint64_t)core->time_wait * time_wait);
	line(to, "everything else", 0, 0, b->fixed);
}

/* Buffers of all pools; of those that receive, as large as their port's MTU asks. */
static uint64_t
buffer_bytes(const struct sl_engine_conf *conf, const struct sl_share *share, bool huge_pages)
{
	uint64_t packets = share->total, bytes = 0;

	for (uint16_t p = 0; p < conf->n_ports; p++) {
		uint32_t room = sl_room_bytes(conf->port[p].mtu);

		bytes += (uint64_t)share->rx * sl_pool_packet_bytes(room, huge_pages);
		packets -= share->rx;
	}
	return bytes + packets * sl_pool_packet_bytes(SL_ROOM_BYTES, huge_pages);
}

uint64_t
sl_engine_budget(const struct sl_engine_conf *conf, unsigned int workers, bool huge_pages,
		 FILE *to)
{
	uint64_t pools = conf->n_ports + (uint64_t)workers * SL_POOL_COUNT;
	struct sl_core_conf *core = calloc(1, sizeof(*core));
	uint64_t bytes = 0, buffers;
	struct sl_floor floor;
	struct sl_share share;
	struct sl_budget b;

	if (core == NULL)
		return UINT64_MAX;
	sl_floor_guess(conf, (uint16_t)workers, &floor);
	if (sl_share_buffers(conf, (uint16_t)workers, &floor, &share) != 0) {
		sl_share_complain(conf, (uint16_t)workers, &share);
		free(core);
		return UINT64_MAX;
	}
	sl_share_core(conf, (uint16_t)workers, &share, core);
	sl_core_budget(core, &b);

	fprintf(to, "memory of each of %u worker%s\n", workers, workers == 1 ? "" : "s");
	print_core(to, core, &b);
	fprintf(to, "memory of the process\n");
	bytes = b.total * workers;
	line(to, "workers", workers, b.total, bytes);
	buffers = buffer_bytes(conf, &share, huge_pages);
	line(to, "buffers", share.total, buffers / share.total, buffers);
	bytes += buffers;
	line(to, "their pools", pools, SL_POOL_BYTES, pools * SL_POOL_BYTES);
	bytes += pools * SL_POOL_BYTES;
	line(to, "together", 0, 0, bytes);
	bytes = (bytes + bytes / 64 + EAL_BYTES + MIB - 1) / MIB * MIB; /* as -m counts */
	fprintf(to, "  EAL wants -m %" PRIu64 " or more%s\n", bytes / MIB,
		huge_pages ? "" : ", without huge pages");
	free(core);
	return bytes;
}
