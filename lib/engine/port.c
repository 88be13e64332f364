/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port - probing, starting, stopping, reporting of one Ethernet device.
 *
 * Virtual devices refuse a surprising number of calls. What we can do without (multicast,
 * promiscuity, link) is asked for and the answer ignored; what we cannot do without ends
 * the start with a sentence.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include "engine/pools.h"
#include "engine/port.h"
#include "engine/share.h"
#include "wire/build.h"

#define RING_HEADER     66u /* of a frame in a ring of net_af_packet */
#define DESCRIPTORS     1024
#define LEFTOVER_BURSTS 1024

static int
complain(const struct sl_engine_port *conf, int rc, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "sluice: port %s: ", conf->device);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (rc != 0)
		fprintf(stderr, ": %s", strerror(-rc));
	fputc('\n', stderr);
	return rc != 0 ? rc : -EINVAL;
}

static int
not_found(const struct sl_engine_port *conf)
{
	char name[RTE_ETH_NAME_MAX_LEN], list[512] = "";
	size_t used = 0;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (rte_eth_dev_get_name_by_port(id, name) == 0 && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", name);
	}
	complain(conf, 0,
		 "EAL has no such port; it has%s (one that a --vdev names: EAL's lines above "
		 "say "
		 "why not; config/doctor -- ARGUMENTS looks, too)",
		 used ? list : " none");
	return -ENODEV;
}

/*
 * RSS is worth having only if the port tells us the hash it used, takes our key, and gives
 * each worker a queue.
 */
static uint16_t
usable_reta(const struct sl_port *port, uint16_t n_workers)
{
	const struct rte_eth_dev_info *info = &port->info;
	uint64_t types = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;

	if (port->conf->steering == SL_STEER_SOFTWARE || n_workers == 1)
		return 0;
	if (port->n_rx < n_workers || info->reta_size < RTE_ETH_RETA_GROUP_SIZE)
		return 0;
	if ((info->flow_type_rss_offloads & types) != types ||
	    !(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH))
		return 0;
	if (info->hash_key_size < 40 || info->hash_key_size > SL_STEER_KEY_BYTES)
		return 0;
	return info->reta_size;
}

/*
 * The driver of TAP (22.11) sums a chain piece by piece and takes each but the last to have
 * an even length: a page behind 83 bytes of header never arrives, behind 84 it does. It sums
 * in software anyway.
 */
static bool
sums_wrongly(const struct sl_port *port)
{
	return strcmp(port->info.driver_name, "net_tap") == 0;
}

static uint8_t
offered_tx(const struct sl_port *port)
{
	uint64_t capa = port->info.tx_offload_capa;
	uint8_t used = 0;

	if (capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		used |= SL_OFFLOAD_MULTI_SEG;
	if (!port->conf->tx_checksum || sums_wrongly(port))
		return used;
	if (capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		used |= SL_OFFLOAD_IPV4_CKSUM;
	if (capa & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
		used |= SL_OFFLOAD_TCP_CKSUM;
	return used;
}

/*
 * A frame in one buffer where it fits or the port cannot scatter it over several. AF_PACKET
 * wants a buffer to hold a whole slot of its ring, and those come in powers of two.
 */
static uint32_t
room_for(const struct sl_port *port, uint16_t mtu)
{
	uint32_t whole = sl_room_bytes(mtu);

	if (port->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER)
		return SL_ROOM_BYTES;
	if (strcmp(port->info.driver_name, "net_af_packet") == 0)
		return rte_align32pow2(whole);
	return whole;
}

static uint16_t
at_most(uint32_t want, uint32_t limit)
{
	if (limit == 0)
		limit = UINT16_MAX;
	return (uint16_t)(want < limit ? want : limit);
}

static bool
is_virtual(const struct sl_port *port)
{
	const struct rte_bus *bus = rte_dev_bus(port->info.device);

	return strcmp(rte_bus_name(bus), "vdev") == 0;
}

/*
 * The address we speak from: the port's own, but a ring has none, and a TAP has that of the
 * kernel's interface, which is our neighbour there and not us.
 */
static int
choose_mac(struct sl_port *port)
{
	struct rte_ether_addr mac;
	int rc = rte_eth_macaddr_get(port->id, &mac);

	if (rc != 0)
		return complain(port->conf, rc, "has no MAC address");
	if (rte_is_zero_ether_addr(&mac))
		rte_eth_random_addr(mac.addr_bytes);
	if (strcmp(port->info.driver_name, "net_tap") == 0)
		mac.addr_bytes[5] ^= 1;
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	return 0;
}

int
sl_port_probe(struct sl_port *port, const struct sl_engine_port *conf, uint16_t index,
	      uint16_t n_workers)
{
	int rc;

	memset(port, 0, sizeof(*port));
	port->conf = conf;
	port->index = index;
	port->node = SL_NODE_ANY;
	if (rte_eth_dev_get_port_by_name(conf->device, &port->id) != 0)
		return not_found(conf);
	rc = rte_eth_dev_info_get(port->id, &port->info);
	if (rc != 0)
		return complain(conf, rc, "cannot be asked what it can do");
	rc = choose_mac(port);
	if (rc != 0)
		return rc;

	port->is_virtual = is_virtual(port);
	port->node = rte_eth_dev_socket_id(port->id);
	port->n_rx = at_most(n_workers, port->info.max_rx_queues);
	port->n_tx = at_most(n_workers, port->info.max_tx_queues);
	port->rx_descriptors = conf->rx_descriptors ? conf->rx_descriptors : DESCRIPTORS;
	port->tx_descriptors = conf->tx_descriptors ? conf->tx_descriptors : DESCRIPTORS;
	port->mtu = conf->mtu;
	if (port->mtu == 0 && rte_eth_dev_get_mtu(port->id, &port->mtu) != 0)
		port->mtu = RTE_ETHER_MTU;
	if (conf->mtu == 0)
		port->mtu = RTE_MIN(port->mtu, port->info.max_mtu);
	port->room_bytes = room_for(port, port->mtu);
	port->offloads = offered_tx(port);
	port->rx_checksum = conf->rx_checksum &&
			    (port->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	port->reta_slots = usable_reta(port, n_workers);
	if (conf->steering == SL_STEER_RSS && port->reta_slots == 0 && n_workers > 1)
		return complain(
			conf, 0,
			"steering: rss: wants a queue for each of %u workers and an RSS "
			"table and key that can be read back; use auto or software",
			n_workers);
	for (uint16_t i = 0; i < SL_WORKERS_MAX; i++)
		rte_spinlock_init(&port->tx[i].lock);
	return 0;
}

static struct rte_eth_conf
configuration(const struct sl_port *port, const struct sl_steer *steer, bool rss)
{
	struct rte_eth_conf c = { 0 };
	uint64_t rx = 0, tx = 0, capa = port->info.rx_offload_capa;

	if (port->rx_checksum)
		rx |= capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	if ((uint32_t)port->mtu + SL_FRAME_EXTRA > port->room_bytes)
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (port->offloads & SL_OFFLOAD_MULTI_SEG)
		tx |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (port->offloads & SL_OFFLOAD_IPV4_CKSUM)
		tx |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if (port->offloads & SL_OFFLOAD_TCP_CKSUM)
		tx |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM;

	if (rss) {
		rx |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
		c.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		c.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
			/* a NIC's driver copies the key; the field is only not const */
			.rss_key = (uint8_t *)(uintptr_t)steer->key,
			.rss_key_len = port->info.hash_key_size,
			.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP,
		};
	}
	/* 0 would be taken for Ethernet's, not for what the port has */
	if (port->conf->mtu == 0)
		c.rxmode.mtu = port->mtu;
	c.rxmode.offloads = rx;
	c.txmode.offloads = tx;
	return c;
}

/* Write our table of workers, read table and key back. True if both are what we wrote. */
static bool
program_rss(const struct sl_port *port, const struct sl_steer *steer)
{
	struct rte_eth_rss_reta_entry64
		reta[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
	uint8_t key[SL_STEER_KEY_BYTES];
	struct rte_eth_rss_conf rss = { .rss_key = key,
					.rss_key_len = port->info.hash_key_size };
	uint16_t size = port->reta_slots;

	if (size > RTE_ETH_RSS_RETA_SIZE_512)
		return false;
	for (uint16_t i = 0; i < size; i++) {
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			sl_steer_slot(steer, i);
	}
	if (rte_eth_dev_rss_reta_update(port->id, reta, size) != 0)
		return false;

	for (uint16_t i = 0; i < size; i++)
		reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			UINT16_MAX;
	if (rte_eth_dev_rss_reta_query(port->id, reta, size) != 0)
		return false;
	for (uint16_t i = 0; i < size; i++)
		if (reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] !=
		    sl_steer_slot(steer, i))
			return false;

	memset(key, 0, sizeof(key));
	return rte_eth_dev_rss_hash_conf_get(port->id, &rss) == 0 &&
	       memcmp(key, steer->key, 40) == 0;
}

/* The largest frame that a ring of AF_PACKET holds: 2048 bytes less a header, unless told. */
static uint32_t
ring_frame_most(const struct sl_port *port)
{
	const struct rte_devargs *devargs = rte_dev_devargs(port->info.device);
	const char *said = devargs != NULL && devargs->args != NULL
				   ? strstr(devargs->args, "framesz=")
				   : NULL;
	unsigned long size = said != NULL ? strtoul(said + strlen("framesz="), NULL, 10) : 2048;

	return size > RING_HEADER ? (uint32_t)size - RING_HEADER : 0;
}

/*
 * The largest packet: told to the port if it can be told. One that cannot (the kernel's
 * side decides) is believed to carry what the configuration says, if its frames can.
 */
static int
set_mtu(struct sl_port *port)
{
	const struct rte_eth_dev_info *info = &port->info;
	int rc;

	if (port->conf->mtu == 0)
		return 0;
	rc = rte_eth_dev_set_mtu(port->id, port->mtu);
	if (rc == 0)
		return 0;
	if (strcmp(info->driver_name, "net_af_packet") == 0 &&
	    port->mtu + (uint32_t)RTE_ETHER_HDR_LEN > ring_frame_most(port))
		return complain(port->conf, 0,
				"mtu: %u: frames above %u bytes are cut silently; its --vdev "
				"wants more, as framesz=16384,blocksz=65536",
				port->mtu, ring_frame_most(port));
	if (rc == -ENOTSUP || strcmp(info->driver_name, "net_af_packet") == 0) {
		port->mtu_unchecked = true;
		return 0;
	}
	return complain(port->conf, rc, "mtu: %u: want %u to %u", port->mtu, info->min_mtu,
			info->max_mtu);
}

static int
set_up_queues(struct sl_port *port)
{
	int node = port->node == SL_NODE_ANY ? (int)SOCKET_ID_ANY : port->node, rc;

	rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_descriptors,
					      &port->tx_descriptors);
	if (rc != 0 && rc != -ENOTSUP)
		return complain(port->conf, rc, "does not take %u and %u descriptors",
				port->rx_descriptors, port->tx_descriptors);
	for (uint16_t q = 0; q < port->n_rx; q++) {
		rc = rte_eth_rx_queue_setup(port->id, q, port->rx_descriptors,
					    (unsigned int)node, NULL, port->pool);
		if (rc != 0)
			return complain(port->conf, rc, "receive queue %u", q);
	}
	for (uint16_t q = 0; q < port->n_tx; q++) {
		rc = rte_eth_tx_queue_setup(port->id, q, port->tx_descriptors,
					    (unsigned int)node, NULL);
		if (rc != 0)
			return complain(port->conf, rc, "transmit queue %u", q);
	}
	return 0;
}

static int
configure(struct sl_port *port, const struct sl_steer *steer)
{
	struct rte_eth_conf c = configuration(port, steer, port->reta_slots != 0);
	int rc = rte_eth_dev_configure(port->id, port->n_rx, port->n_tx, &c);

	if (rc != 0 && port->reta_slots != 0 && port->conf->steering == SL_STEER_AUTO) {
		port->reta_slots = 0;
		c = configuration(port, steer, false);
		rc = rte_eth_dev_configure(port->id, port->n_rx, port->n_tx, &c);
	}
	if (rc != 0)
		return complain(port->conf, rc,
				"cannot be configured with %u receive and %u "
				"transmit queues",
				port->n_rx, port->n_tx);
	return 0;
}

int
sl_port_start(struct sl_port *port, const struct sl_steer *steer, uint32_t n_buffers, int node)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	int rc;

	snprintf(name, sizeof(name), "sluice_rx_%u", port->index);
	port->pool = sl_pool_make(name, n_buffers, port->room_bytes, node);
	if (port->pool == NULL)
		return complain(port->conf, -ENOMEM, "%u buffers of %u bytes", n_buffers,
				port->room_bytes);
	rc = configure(port, steer);
	if (rc == 0)
		rc = set_mtu(port);
	if (rc == 0)
		rc = set_up_queues(port);
	if (rc != 0)
		return rc;
	rc = rte_eth_dev_start(port->id);
	if (rc != 0)
		return complain(port->conf, rc, "does not start");
	port->started = true;
	port->n_filled = rte_mempool_in_use_count(port->pool);

	if (port->reta_slots != 0 && !program_rss(port, steer)) {
		if (port->conf->steering == SL_STEER_RSS)
			return complain(port->conf, 0,
					"steering: rss: its table or key does not "
					"read back; use auto or software");
		port->reta_slots = 0;
	}
	atomic_store_explicit(&port->hash_is_ours, port->reta_slots != 0, memory_order_relaxed);

	/* Solicitations for our addresses come to groups; a port that cannot filter hears them.
	 */
	rte_eth_allmulticast_enable(port->id);
	if (port->conf->promiscuous)
		rte_eth_promiscuous_enable(port->id);
	sl_port_link(port);
	return 0;
}

void
sl_port_stop(struct sl_port *port)
{
	struct rte_mbuf *m[SL_BURST];

	if (!port->started)
		return;
	/* A ring device owns what lies in its rings and would not give it back. */
	for (uint16_t q = 0; q < port->n_rx; q++) {
		uint16_t n = SL_BURST;

		for (unsigned int i = 0; i < LEFTOVER_BURSTS && n > 0; i++) {
			n = rte_eth_rx_burst(port->id, q, m, SL_BURST);
			rte_pktmbuf_free_bulk(m, n);
		}
	}
	for (uint16_t q = 0; q < port->n_tx; q++)
		rte_eth_tx_done_cleanup(port->id, q, 0);
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
	port->started = false;
}

uint32_t
sl_port_keeps(const struct sl_port *port)
{
	if (strcmp(port->info.driver_name, "net_af_xdp") != 0)
		return 0;
	return port->n_filled + (uint32_t)port->n_tx * port->tx_descriptors;
}

static const char *
steering_text(const struct sl_port *port, uint16_t n_workers)
{
	if (n_workers == 1)
		return "no steering";
	return port->reta_slots ? "RSS" : "software steering";
}

static const char *
tx_text(const struct sl_port *port)
{
	bool ip = port->offloads & SL_OFFLOAD_IPV4_CKSUM;
	bool tcp = port->offloads & SL_OFFLOAD_TCP_CKSUM;

	return tcp ? (ip ? "port" : "port for TCP") : (ip ? "port for IPv4" : "software");
}

void
sl_port_report(const struct sl_port *port, uint16_t n_workers, uint16_t n_far, FILE *to)
{
	char node[32] = "any";

	if (port->node != SL_NODE_ANY)
		snprintf(node, sizeof(node), "%d", port->node);
	fprintf(to,
		"port %s: %u queue%s, %s, tx checksum: %s, rx checksum: %s, MTU %u%s, "
		"%02x:%02x:%02x:%02x:%02x:%02x, link %s, NUMA %s",
		port->conf->device, port->n_rx, port->n_rx == 1 ? "" : "s",
		steering_text(port, n_workers), tx_text(port),
		port->rx_checksum ? "port where it says so" : "software", port->mtu,
		port->mtu_unchecked ? " (as configured: the port cannot be told)" : "",
		port->mac[0], port->mac[1], port->mac[2], port->mac[3], port->mac[4],
		port->mac[5],
		atomic_load_explicit(&port->up, memory_order_relaxed) ? "up" : "down", node);
	if (n_far > 0)
		fprintf(to, ": %u queue%s polled from another node", n_far,
			n_far == 1 ? "" : "s");
	fputc('\n', to);
}

/*
 * With cards, allocations that failed (rx_nombuf) are no packets: what those cost is missed
 * later. net_tap loses one with each, which the report in the end tells; net_af_packet is told
 * of none by the kernel.
 */
uint64_t
sl_port_missed(struct sl_port *port)
{
	struct rte_eth_stats stats = { 0 };
	uint64_t before = port->missed;

	if (!port->started || rte_eth_stats_get(port->id, &stats) != 0)
		return 0;
	port->missed = stats.imissed;
	return stats.imissed > before ? stats.imissed - before : 0;
}

void
sl_port_losses(const struct sl_port *port, FILE *to)
{
	struct rte_eth_stats stats = { 0 };

	if (!port->started || rte_eth_stats_get(port->id, &stats) != 0)
		return;
	if ((stats.imissed | stats.ierrors | stats.rx_nombuf | stats.oerrors) != 0)
		fprintf(to,
			"port %s lost: %" PRIu64 " its queue was full, %" PRIu64
			" no buffer was free, %" PRIu64 " faulty, %" PRIu64 " not sent\n",
			port->conf->device, stats.imissed, stats.rx_nombuf, stats.ierrors,
			stats.oerrors);
}

bool
sl_port_link(struct sl_port *port)
{
	struct rte_eth_link link = { 0 };
	bool up, was;

	if (rte_eth_link_get_nowait(port->id, &link) != 0)
		return false;
	up = link.link_status == RTE_ETH_LINK_UP;
	was = atomic_exchange_explicit(&port->up, up, memory_order_relaxed);
	return up != was;
}
