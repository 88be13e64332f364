/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_engine - the engine on rings and null ports, two workers on one CPU, no pages.
 *
 * EAL starts once for all tests. A test is the host at the other end of a pair of rings:
 * it puts frames in, and reads what the engine sends, in a thread of its own while the
 * engine has the main lcore.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <sluice/engine.h>

#include "craft.h"
#include "engine/arena.h"
#include "engine/engine.h"
#include "engine/pools.h"
#include "handover.h"
#include "wire/frame.h"

#define PATIENCE_MS 3000

static const uint8_t host_mac[6] = { 2, 0, 0, 0, 0, 0x99 };
static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t no_opts[1];

static struct rte_mempool *host_pool;

static int
start_eal(void **state)
{
	static char line[] = "test --lcores 0@0,1@0 --no-huge -m 192 --no-shconf --no-pci "
			     "--no-telemetry --vdev net_null0 --log-level *:error";
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

static int
stop_eal(void **state)
{
	rte_mempool_free(host_pool);
	return rte_eal_cleanup();
}

static void
nap_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* One port, small numbers, 10.0.0.1 and fd00::1; nobody listens. */
static void
small(struct sl_engine_conf *conf, const char *device)
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

/* An engine under test, what it reports, and the thread that plays the host. */
struct bench {
	struct sl_engine_conf conf;
	struct sl_engine *engine;
	char *text;
	size_t length;
	FILE *report;
	struct rte_ring *to, *from; /* as the host sees them */
	void (*host)(struct bench *b);
	uint8_t mac[6]; /* the engine's, learnt by ARP */
	unsigned int n_answers;
};

static void *
play_host(void *arg)
{
	struct bench *b = arg;

	if (b->host != NULL)
		b->host(b);
	else
		nap_ms(200);
	sl_engine_stop(b->engine);
	return NULL;
}

/* Open, run while the host plays, close. The ledger must be even and nothing lost. */
static void
run(struct bench *b)
{
	pthread_t host;

	b->report = open_memstream(&b->text, &b->length);
	assert_int_equal(sl_engine_open(&b->engine, &b->conf, b->report), 0);
	handover_watch_ports();
	assert_int_equal(pthread_create(&host, NULL, play_host, b), 0);
	assert_int_equal(sl_engine_run(b->engine), 0);
	pthread_join(host, NULL);
	assert_int_equal(sl_engine_close(b->engine), 0);
	fclose(b->report);

	assert_non_null(strstr(b->text, "sluice: ready\n"));
	assert_non_null(strstr(b->text, "= rx\n"));
	assert_non_null(strstr(b->text, " 0 leaked\n"));
	free(b->text);
}

static void
open_rings(struct bench *b, const char *name)
{
	char ring[2][RTE_RING_NAMESIZE], device[RTE_ETH_NAME_MAX_LEN];
	int port;

	snprintf(ring[0], sizeof(ring[0]), "%s_in", name);
	snprintf(ring[1], sizeof(ring[1]), "%s_out", name);
	b->to = rte_ring_create(ring[0], 1024, 0, 0);
	b->from = rte_ring_create(ring[1], 1024, 0, 0);
	assert_true(b->to != NULL && b->from != NULL);
	port = rte_eth_from_rings(name, &b->to, 1, &b->from, 1, 0);
	assert_true(port >= 0);
	assert_int_equal(rte_eth_dev_get_name_by_port((uint16_t)port, device), 0);
	small(&b->conf, device);
}

/* What the engine sent last lies in the rings; it must not count as lost. */
static void
drain_rings(struct bench *b)
{
	void *m;

	while (rte_ring_dequeue(b->from, &m) == 0) {
		handover_in(m);
		rte_pktmbuf_free(m);
	}
}

static void
close_rings(struct bench *b)
{
	rte_ring_free(b->to);
	rte_ring_free(b->from);
}

static void
send_frame(struct bench *b, const struct craft *c)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(host_pool);
	char *to = rte_pktmbuf_append(m, (uint16_t)c->len);

	memcpy(to, c->b, c->len);
	handover_out(m);
	if (rte_ring_enqueue(b->to, m) != 0)
		rte_pktmbuf_free(m);
}

/* The next frame from the engine for which @wanted says yes, or false after a while. */
static bool
await(struct bench *b, bool (*wanted)(const uint8_t *, uint32_t), uint8_t *frame)
{
	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		struct rte_mbuf *m;

		while (rte_ring_dequeue(b->from, (void **)&m) == 0) {
			uint32_t len;

			handover_in(m);
			len = m->pkt_len < 256 ? m->pkt_len : 256;
			memcpy(frame, rte_pktmbuf_mtod(m, void *), len);
			rte_pktmbuf_free(m);
			if (wanted(frame, len))
				return true;
		}
		nap_ms(1);
	}
	return false;
}

static bool
is_arp_reply(const uint8_t *f, uint32_t len)
{
	return len >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 2;
}

static bool
is_reset(const uint8_t *f, uint32_t len)
{
	uint32_t ip = 14, tcp = f[12] == 8 ? ip + 20 : ip + 40;
	uint8_t proto = f[12] == 8 ? f[ip + 9] : f[ip + 6];

	return len >= tcp + 20 && (f[12] == 8 || f[12] == 0x86) && proto == 6 &&
	       (f[tcp + 13] & SL_RST);
}

static void
ask_for_mac(struct bench *b)
{
	uint8_t frame[256];
	struct craft c;

	craft_ether(&c, everybody, host_mac, 0, 0x0806);
	craft_hex(&c, "0001 0800 0604 0001 020000000099 0a000002 000000000000 0a000001");
	send_frame(b, &c);
	if (await(b, is_arp_reply, frame)) {
		memcpy(b->mac, frame + 22, 6);
		b->n_answers++;
	}
}

static void
knock(struct bench *b, bool v6, uint16_t rport)
{
	struct craft c;

	craft_ether(&c, b->mac, host_mac, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(&c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, rport, 4444, 1, 0, SL_SYN, 512, no_opts, 0);
	craft_end(&c);
	send_frame(b, &c);
}

static void
host_knocks(struct bench *b)
{
	uint8_t frame[256];

	ask_for_mac(b);
	for (uint16_t i = 0; i < 64 && b->n_answers == i + 1u; i++) {
		knock(b, i & 1, (uint16_t)(5000 + i));
		b->n_answers += await(b, is_reset, frame);
	}
	sl_engine_stop(b->engine);
	nap_ms(150); /* it may still be sending */
	drain_rings(b);
}

static void
it_answers_arp_and_resets_closed_ports_whichever_worker_owns_them(void **state)
{
	static struct bench b;

	open_rings(&b, "pair");
	b.host = host_knocks;
	run(&b);
	assert_int_equal(b.n_answers, 65);
	close_rings(&b);
}

/* A second reader beside control's: what telemetry does. */
static void
host_knocks_and_counts(struct bench *b)
{
	uint64_t before = 0;
	uint8_t frame[256];

	ask_for_mac(b);
	for (uint16_t i = 0; i < 64 && b->n_answers == i + 1u; i++) {
		struct sl_stats stats;

		knock(b, i & 1, (uint16_t)(6000 + i));
		sl_engine_stats(b->engine, &stats);
		if (stats.count[SL_CNT_rx] < before)
			return;
		before = stats.count[SL_CNT_rx];
		b->n_answers += await(b, is_reset, frame);
	}
	sl_engine_stop(b->engine);
	nap_ms(150);
	drain_rings(b);
}

static void
counters_may_be_read_while_workers_count(void **state)
{
	static struct bench b;

	open_rings(&b, "count");
	b.host = host_knocks_and_counts;
	run(&b);
	assert_int_equal(b.n_answers, 65);
	close_rings(&b);
}

static void
endless_junk_from_a_null_port_is_counted_and_given_back(void **state)
{
	static struct bench b;

	small(&b.conf, "net_null0");
	run(&b);
}

static size_t
taken(void)
{
	struct rte_malloc_socket_stats heap = { 0 };

	assert_int_equal(rte_malloc_get_socket_stats(0, &heap), 0);
	return heap.heap_allocsz_bytes;
}

/* Opening fails with @rc and leaves nothing taken. */
static void
assert_refused(const struct sl_engine_conf *conf, int rc)
{
	struct sl_engine *engine;
	size_t before = taken();

	assert_int_equal(sl_engine_open(&engine, conf, stdout), rc);
	assert_true(taken() <= before); /* less: a port that was started is closed */
}

static void
a_start_that_fails_leaves_nothing_taken(void **state)
{
	static struct bench b;

	small(&b.conf, "net_no_such_port");
	assert_refused(&b.conf, -ENODEV);

	open_rings(&b, "full");
	b.conf.buffers = 64;
	assert_refused(&b.conf, -EINVAL);
	b.conf.buffers = 0;
	b.conf.port[0].steering = SL_STEER_RSS;
	assert_refused(&b.conf, -EINVAL);
	close_rings(&b);
}

static void
numbers_that_do_not_fit_are_refused_and_leave_nothing_taken(void **state)
{
	static struct bench b;

	open_rings(&b, "fits");
	b.conf.connections = 8000000;
	b.conf.buffers = 16384;
	assert_refused(&b.conf, -ENOMEM);
	close_rings(&b);
}

static void
a_packet_shows_bytes_of_another_and_keeps_them_alive(void **state)
{
	const uint32_t n[SL_POOL_COUNT] = { 63, 63 };
	struct rte_mbuf *owner, *m;
	struct sl_pools p;
	uint8_t *bytes;

	assert_int_equal(sl_pools_open(&p, 99, n, 0), 0);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_RETAIN, &owner, 1), 0);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, &m, 1), 0);
	bytes = (uint8_t *)rte_pktmbuf_append(owner, 1000);
	memset(bytes, 'x', 1000);
	owner->ol_flags = RTE_MBUF_F_RX_RSS_HASH;

	p.bufs.attach(p.bufs.ctx, m, owner, bytes + 100, 50);
	assert_ptr_equal(rte_pktmbuf_mtod(m, uint8_t *), bytes + 100);
	assert_int_equal(m->pkt_len, 50);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_INDIRECT);
	assert_int_equal(rte_mbuf_refcnt_read(owner), 2);

	p.bufs.put_seg(p.bufs.ctx, owner);
	assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_RETAIN]), 1);
	assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[49], 'x');
	p.bufs.put(p.bufs.ctx, &m, 1);
	assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_RETAIN]), 0);
	assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_TX]), 0);
	sl_pools_close(&p);
}

static void
pinned_memory_is_shown_and_outlives_its_packets(void **state)
{
	const uint32_t n[SL_POOL_COUNT] = { 63, 63 };
	char *data = sl_pin_alloc(4096);
	struct rte_mbuf *m[63];
	struct sl_pools p;

	assert_non_null(data);
	data[4095] = 'z';
	assert_int_equal(sl_pools_open(&p, 99, n, 0), 0);
	for (unsigned int turn = 0; turn < 3; turn++) {
		assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m, 63), 0);
		for (unsigned int i = 0; i < 63; i++) {
			p.bufs.attach(p.bufs.ctx, m[i], NULL, data + 4000, 96);
			assert_int_equal(rte_pktmbuf_mtod(m[i], char *)[95], 'z');
			assert_true(RTE_MBUF_HAS_EXTBUF(m[i]));
		}
		assert_int_equal(rte_mbuf_iova_get(m[1]), sl_pin_find(data)->iova + 4000);
		p.bufs.put(p.bufs.ctx, m, 63);
		assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_TX]), 0);
	}
	assert_int_equal(data[4095], 'z');
	assert_null(sl_pin_find(data + 4096));
	sl_pools_close(&p);
	sl_pin_free(data);
	assert_null(sl_pin_find(data));
}

static void
a_pool_gives_all_or_nothing(void **state)
{
	const uint32_t n[SL_POOL_COUNT] = { 63, 63 };
	struct rte_mbuf *m[64];
	struct sl_pools p;

	assert_int_equal(sl_pools_open(&p, 99, n, 0), 0);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m, 40), 0);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m + 40, 24), -ENOMEM);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m + 40, 23), 0);
	p.bufs.put(p.bufs.ctx, m, 63);
	assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_TX]), 0);
	sl_pools_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_shows_bytes_of_another_and_keeps_them_alive),
		cmocka_unit_test(pinned_memory_is_shown_and_outlives_its_packets),
		cmocka_unit_test(a_pool_gives_all_or_nothing),
		cmocka_unit_test(a_start_that_fails_leaves_nothing_taken),
		cmocka_unit_test(numbers_that_do_not_fit_are_refused_and_leave_nothing_taken),
		cmocka_unit_test(
			it_answers_arp_and_resets_closed_ports_whichever_worker_owns_them),
		cmocka_unit_test(counters_may_be_read_while_workers_count),
		cmocka_unit_test(endless_junk_from_a_null_port_is_counted_and_given_back),
	};

	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
