/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * enginerig - rings, EAL, and the host's thread.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "enginerig.h"
#include "handover.h"

#define PATIENCE_MS 3000

const uint8_t rig_host_mac[6] = { 2, 0, 0, 0, 0, 0x99 };

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static struct rte_mempool *host_pool;

int
rig_start_eal(void **state)
{
	static char line[] =
		"test --lcores 0@0,1@0 --no-huge -m 192 --no-shconf --no-pci "
		"--no-telemetry --vdev net_null0 --vdev net_null1 --log-level *:error";
	static char *args[32];
	int n = 0;

	for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
		args[n++] = word;
	if (rte_eal_init(n, args) < 0)
		return -1;
	handover_watch_pools();
	host_pool = rte_pktmbuf_pool_create("host", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	return host_pool == NULL ? -1 : 0;
}

int
rig_stop_eal(void **state)
{
	rte_mempool_free(host_pool);
	return rte_eal_cleanup();
}

void
rig_nap_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

void
rig_small(struct sl_engine_conf *conf, const char *device)
{
	struct sl_engine_port *port = &conf->port[0];

	memset(conf, 0, sizeof(*conf));
	conf->n_ports = 1;
	snprintf(port->device, sizeof(port->device), "%s", device);
	port->rx_checksum = port->tx_checksum = true;
	port->rx_descriptors = port->tx_descriptors = 256;
	port->n_addrs = 2;
	port->addr[0] = (struct sl_ifaddr){ craft_addr("10.0.0.1"), 24, 0 };
	port->addr[1] = (struct sl_ifaddr){ craft_addr("fd00::1"), 64, 0 };
	conf->connections = 2048;
	conf->active = 1024;
	conf->time_wait = 1024;
	conf->neighbours = 256;
	conf->drain_ms = 200;
}

static void
stop(struct enginerig *rig)
{
	if (!rig->stopped)
		sl_engine_stop(rig->engine);
	rig->stopped = true;
}

static void *
play_host(void *arg)
{
	struct enginerig *rig = arg;

	if (rig->host != NULL)
		rig->host(rig);
	else
		rig_nap_ms(200);
	stop(rig);
	return NULL;
}

void
rig_run(struct enginerig *rig)
{
	pthread_t host;

	free(rig->text);
	rig->report = open_memstream(&rig->text, &rig->length);
	assert_int_equal(sl_engine_open(&rig->engine, &rig->conf, rig->report), 0);
	handover_watch_ports();
	assert_int_equal(pthread_create(&host, NULL, play_host, rig), 0);
	assert_int_equal(sl_engine_run(rig->engine), 0);
	pthread_join(host, NULL);
	assert_int_equal(sl_engine_close(rig->engine), 0);
	fclose(rig->report);

	assert_non_null(strstr(rig->text, "sluice: ready\n"));
	assert_non_null(strstr(rig->text, "= rx\n"));
	assert_non_null(strstr(rig->text, " 0 leaked\n"));
}

void
rig_open_rings(struct enginerig *rig, const char *name, uint16_t n_queues)
{
	char ring[RTE_RING_NAMESIZE], device[RTE_ETH_NAME_MAX_LEN];
	int port;

	rig->n_queues = n_queues;
	for (uint16_t q = 0; q < n_queues; q++) {
		snprintf(ring, sizeof(ring), "%s_in%u", name, q);
		rig->to[q] = rte_ring_create(ring, 1024, 0, 0);
		snprintf(ring, sizeof(ring), "%s_out%u", name, q);
		rig->from[q] = rte_ring_create(ring, 1024, 0, 0);
		assert_true(rig->to[q] != NULL && rig->from[q] != NULL);
	}
	port = rte_eth_from_rings(name, rig->to, n_queues, rig->from, n_queues, 0);
	assert_true(port >= 0);
	assert_int_equal(rte_eth_dev_get_name_by_port((uint16_t)port, device), 0);
	rig_small(&rig->conf, device);
}

void
rig_close_rings(struct enginerig *rig)
{
	for (uint16_t q = 0; q < rig->n_queues; q++) {
		rte_ring_free(rig->to[q]);
		rte_ring_free(rig->from[q]);
	}
}

static struct rte_mbuf *
take(struct enginerig *rig)
{
	void *m;

	for (uint16_t q = 0; q < rig->n_queues; q++)
		if (rte_ring_dequeue(rig->from[q], &m) == 0) {
			handover_in(m);
			return m;
		}
	return NULL;
}

void
rig_end(struct enginerig *rig)
{
	struct rte_mbuf *m;

	stop(rig);
	rig_nap_ms(150); /* it may still be sending */
	while ((m = take(rig)) != NULL)
		rte_pktmbuf_free(m);
}

static struct rte_mbuf *
packet(const struct craft *c)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(host_pool);

	memcpy(rte_pktmbuf_append(m, (uint16_t)c->len), c->b, c->len);
	return m;
}

static void
send_packet(struct enginerig *rig, struct rte_mbuf *m, uint16_t queue)
{
	handover_out(m);
	if (rte_ring_enqueue(rig->to[queue], m) != 0)
		rte_pktmbuf_free(m);
}

void
rig_send(struct enginerig *rig, const struct craft *c, uint16_t queue)
{
	send_packet(rig, packet(c), queue);
}

void
rig_send_hashed(struct enginerig *rig, const struct craft *c, uint16_t queue, uint32_t hash)
{
	struct rte_mbuf *m = packet(c);

	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->packet_type = RTE_PTYPE_L4_TCP;
	m->hash.rss = hash;
	send_packet(rig, m, queue);
}

bool
rig_await(struct enginerig *rig, bool (*wanted)(const uint8_t *, uint32_t), uint8_t *frame)
{
	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		struct rte_mbuf *m;

		while ((m = take(rig)) != NULL) {
			uint32_t len = m->pkt_len < 256 ? m->pkt_len : 256;

			memcpy(frame, rte_pktmbuf_mtod(m, void *), len);
			rte_pktmbuf_free(m);
			if (wanted(frame, len))
				return true;
		}
		rig_nap_ms(1);
	}
	return false;
}

static bool
is_arp_reply(const uint8_t *f, uint32_t len)
{
	return len >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 2;
}

void
rig_ask_for_mac(struct enginerig *rig)
{
	uint8_t frame[256];
	struct craft c;

	craft_ether(&c, everybody, rig_host_mac, 0, 0x0806);
	craft_hex(&c, "0001 0800 0604 0001 020000000099 0a000002 000000000000 0a000001");
	rig_send(rig, &c, 0);
	if (rig_await(rig, is_arp_reply, frame)) {
		memcpy(rig->mac, frame + 22, 6);
		rig->n_answers++;
	}
}
