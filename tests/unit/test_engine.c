/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_engine - the engine on rings and null ports, two workers on one CPU, no pages.
 *
 * A test is the host at the other end (lib/enginerig.h): it puts frames in, and reads what
 * the engine sends.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <sluice/engine.h>

#include "craft.h"
#include "engine/arena.h"
#include "engine/engine.h"
#include "engine/pools.h"
#include "enginerig.h"
#include "handover.h"
#include "wire/frame.h"

static const uint8_t no_opts[1];

static bool
is_reset(const uint8_t *f, uint32_t len)
{
	uint32_t ip = 14, tcp = f[12] == 8 ? ip + 20 : ip + 40;
	uint8_t proto = f[12] == 8 ? f[ip + 9] : f[ip + 6];

	return len >= tcp + 20 && (f[12] == 8 || f[12] == 0x86) && proto == 6 &&
	       (f[tcp + 13] & SL_RST);
}

static void
knock(struct enginerig *b, bool v6, uint16_t rport)
{
	struct craft c;

	craft_ether(&c, b->mac, rig_host_mac, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(&c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, rport, 4444, 1, 0, SL_SYN, 512, no_opts, 0);
	craft_end(&c);
	rig_send(b, &c, 0);
}

/* An ARP request: always answered, unlike a knock, which has a budget. */
static void
ask_who(struct enginerig *b, const char *from, const char *whom)
{
	struct craft c;

	craft_ether(&c, b->mac, rig_host_mac, 0, 0x0806);
	craft_hex(&c, "0001 0800 0604 0001");
	craft_bytes(&c, rig_host_mac, 6);
	craft_addr_bytes(&c, from);
	craft_hex(&c, "000000000000");
	craft_addr_bytes(&c, whom);
	rig_send(b, &c, 0);
}

static void
host_knocks(struct enginerig *b)
{
	uint8_t frame[256];

	rig_ask_for_mac(b);
	for (uint16_t i = 0; i < 64 && b->n_answers == i + 1u; i++) {
		knock(b, i & 1, (uint16_t)(5000 + i));
		b->n_answers += rig_await(b, is_reset, frame);
	}
	rig_end(b);
}

static void
it_answers_arp_and_resets_closed_ports_whichever_worker_owns_them(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "pair", 1);
	b.host = host_knocks;
	rig_run(&b);
	assert_int_equal(b.n_answers, 65);
	rig_close_rings(&b);
}

/* A second reader beside control's: what telemetry does. */
static void
host_knocks_and_counts(struct enginerig *b)
{
	uint64_t before = 0;
	uint8_t frame[256];

	rig_ask_for_mac(b);
	for (uint16_t i = 0; i < 64 && b->n_answers == i + 1u; i++) {
		struct sl_stats stats;

		knock(b, i & 1, (uint16_t)(6000 + i));
		sl_engine_stats(b->engine, &stats);
		if (stats.count[SL_CNT_rx] < before)
			return;
		before = stats.count[SL_CNT_rx];
		b->n_answers += rig_await(b, is_reset, frame);
	}
	rig_end(b);
}

static void
counters_may_be_read_while_workers_count(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "count", 1);
	b.host = host_knocks_and_counts;
	rig_run(&b);
	assert_int_equal(b.n_answers, 65);
	rig_close_rings(&b);
}

/* Nobody takes what the port has sent, for longer than a worker has patience. */
static void
host_looks_away(struct enginerig *b)
{
	struct sl_stats stats;
	uint8_t frame[256];

	rig_ask_for_mac(b);
	for (uint16_t i = 0; i < 3000; i++) {
		knock(b, i & 1, (uint16_t)(7000 + i));
		if (i % 50 == 49)
			rig_nap_ms(2); /* resets have a budget, rings an end */
	}
	/* what a worker holds back is dropped in time: what the ring has is left */
	for (int i = 0; i < 100; i++) {
		rig_nap_ms(50);
		sl_engine_stats(b->engine, &stats);
		if (i >= 5 && stats.count[SL_CNT_tx] - stats.count[SL_CNT_tx_dropped] <= 1100)
			break;
	}
	b->n_lost = stats.count[SL_CNT_tx_dropped];
	while (rig_await(b, is_reset, frame))
		b->n_found++;
	knock(b, false, 6999);
	b->n_answers += rig_await(b, is_reset, frame);
	rig_end(b);
}

static void
a_port_that_takes_nothing_costs_its_packets_and_nothing_else(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "away", 1);
	b.host = host_looks_away;
	rig_run(&b);
	assert_in_range(b.n_found, 1000, 1100); /* the ring's, and few more */
	assert_true(b.n_lost > 0);
	assert_int_equal(b.n_answers, 2);
	rig_close_rings(&b);
}

/* A second port of the engine of @b, the host's end of which is @side. */
static void
add_port(struct enginerig *b, struct enginerig *side, const char *name, uint16_t n_queues)
{
	rig_open_rings(side, name, n_queues);
	b->conf.port[1] = side->conf.port[0];
	b->conf.port[1].n_addrs = 1;
	b->conf.port[1].addr[0] = (struct sl_ifaddr){ craft_addr("10.1.0.1"), 24, 0 };
	b->conf.n_ports = 2;
}

static bool
is_any(const uint8_t *f, uint32_t len)
{
	return true;
}

#define N_ASKED 400

static struct enginerig side;
static const struct sl_steer *steer;

/* The first port takes a packet now and then of the many it should; the second takes all. */
static void
host_takes_slowly(struct enginerig *b)
{
	struct sl_stats stats;
	uint8_t frame[256];
	void *m;

	memcpy(side.mac, b->engine->port[1].mac, 6);
	rig_ask_for_mac(b);
	while (rte_ring_count(b->from[0]) < 1000) {
		for (uint16_t i = 0; i < 20; i++)
			ask_who(b, "10.0.0.2", "10.0.0.1");
		rig_nap_ms(1);
	}
	for (uint16_t i = 0; i < N_ASKED; i++) {
		for (uint16_t k = 0; k < 20; k++)
			ask_who(b, "10.0.0.2", "10.0.0.1");
		ask_who(&side, "10.1.0.2", "10.1.0.1");
		if (i % 8 == 0 && rte_ring_dequeue(b->from[0], &m) == 0) {
			handover_in(m);
			rte_pktmbuf_free(m);
		}
		rig_nap_ms(1);
		while (rte_ring_count(side.from[0]) > 0 && rig_await(&side, is_any, frame))
			side.n_found++;
	}
	sl_engine_stats(b->engine, &stats);
	b->n_lost = stats.count[SL_CNT_tx_dropped];
	while (rte_ring_count(b->from[0]) > 0 && rig_await(b, is_any, frame))
		b->n_found++;
	rig_end(b);
}

static void
a_port_that_takes_little_holds_up_no_other(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "slow", RIG_QUEUES); /* then one worker has a queue of each */
	add_port(&b, &side, "idle", RIG_QUEUES);
	b.host = host_takes_slowly;
	rig_run(&b);
	assert_true(side.n_found >= N_ASKED / 2); /* the rest may be on its way */
	assert_true(b.n_lost > 0);
	rig_close_rings(&side);
	rig_close_rings(&b);
}

/* What a worker counts while it runs. */
static uint64_t
counted(const uint64_t *n)
{
	return __atomic_load_n(n, __ATOMIC_RELAXED);
}

/* Until the first worker's core has had so many packets, for ten seconds at most. */
static void
await_received(const struct enginerig *b, uint64_t n)
{
	const struct sl_stats *s = sl_core_stats(b->engine->worker[0]->core);

	for (int ms = 0; ms < 10000 && counted(&s->count[SL_CNT_rx]) < n; ms++)
		rig_nap_ms(1);
}

/* Answers that nobody asked for, to us and to another host. */
static void
host_answers_unasked(struct enginerig *b)
{
	const uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	const struct sl_worker_stats *s = &b->engine->worker[0]->stats;

	memcpy(b->mac, b->engine->port[0].mac, 6);
	for (int to_us = 0; to_us < 2; to_us++) {
		for (int i = 0; i < 900; i++) {
			struct craft c;

			craft_ether(&c, to_us ? b->mac : other, rig_host_mac, 0, 0x0806);
			craft_hex(&c, "0001 0800 0604 0002");
			craft_bytes(&c, rig_host_mac, 6);
			craft_addr_bytes(&c, "10.0.0.7");
			craft_bytes(&c, to_us ? b->mac : other, 6);
			craft_addr_bytes(&c, "10.0.0.1");
			rig_send(b, &c, 0);
		}
		await_received(b, 900 * (to_us + 1));
		if (!to_us)
			b->n_answers =
				(unsigned int)(counted(&s->copied) + counted(&s->not_copied));
	}
	b->n_found = (unsigned int)(counted(&s->copied) + counted(&s->not_copied));
	b->n_lost = counted(&s->not_copied);
	rig_end(b);
}

static void
answers_are_copied_if_they_are_for_us_and_within_measure(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "answers", 1);
	b.host = host_answers_unasked;
	rig_run(&b);
	assert_int_equal(b.n_answers, 0);
	assert_int_equal(b.n_found, 900);
	assert_in_range(b.n_lost, 1, 899);
	rig_close_rings(&b);
}

static uint64_t
reported(const struct enginerig *b, const char *name)
{
	const char *at = strstr(b->text, name);

	return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* The engine ends while packets wait for a full port; what is in the ring by then was sent. */
static void
host_leaves_a_full_port(struct enginerig *b)
{
	struct rte_mbuf *m;

	memcpy(b->mac, b->engine->port[0].mac, 6);
	while (rte_ring_free_count(b->from[0]) > 0) {
		for (uint16_t i = 0; i < 20; i++)
			ask_who(b, "10.0.0.2", "10.0.0.1");
		rig_nap_ms(1);
	}
	for (uint16_t i = 0; i < 100; i++)
		ask_who(b, "10.0.0.2", "10.0.0.1");
	sl_engine_stop(b->engine);
	b->stopped = true;
	while (atomic_load(&b->engine->siblings.n_running) > 0)
		rig_nap_ms(1);
	for (; rte_ring_dequeue(b->from[0], (void **)&m) == 0; b->n_found++) {
		handover_in(m);
		rte_pktmbuf_free(m);
	}
}

static void
what_still_waits_at_the_end_is_not_counted_as_sent(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "end", 1);
	b.host = host_leaves_a_full_port;
	rig_run(&b);
	assert_true(reported(&b, "\n  tx_dropped ") > 0);
	assert_int_equal(b.n_found, reported(&b, "\n  tx ") - reported(&b, "\n  tx_dropped "));
	rig_close_rings(&b);
}

static void
knock_hashed(struct enginerig *b, const char *from, const char *to, uint32_t lie)
{
	struct sl_tuple tuple = { .remote = craft_addr(from),
				  .local = craft_addr(to),
				  .rport = 5000,
				  .lport = 4444 };
	struct craft c;

	craft_ether(&c, b->mac, rig_host_mac, 0, 0x0800);
	craft_ip4(&c, from, to, 6);
	craft_tcp(&c, 5000, 4444, 1, 0, SL_SYN, 512, no_opts, 0);
	craft_end(&c);
	rig_send_hashed(b, &c, 0, sl_steer_hash(steer, &tuple) + lie);
}

/* Both ports claim to hash as we do; the second does not. */
static void
host_hashes_well_and_badly(struct enginerig *b)
{
	steer = &b->engine->steer;
	for (int p = 0; p < 2; p++)
		atomic_store(&b->engine->port[p].hash_is_ours, true);
	memcpy(b->mac, b->engine->port[0].mac, 6);
	memcpy(side.mac, b->engine->port[1].mac, 6);
	for (int i = 0; i < 1500; i++) {
		knock_hashed(b, "10.0.0.2", "10.0.0.1", 0);
		if (i % 50 == 49)
			rig_nap_ms(2);
	}
	rig_nap_ms(50);
	knock_hashed(&side, "10.1.0.2", "10.1.0.1", 1);
	for (int i = 0; i < 1000 && atomic_load(&b->engine->port[1].hash_is_ours); i++)
		rig_nap_ms(1);
	b->n_found = atomic_load(&b->engine->port[0].hash_is_ours);
	side.n_found = atomic_load(&b->engine->port[1].hash_is_ours);
	b->n_lost = counted(&b->engine->worker[0]->stats.hash_mismatches) +
		    counted(&b->engine->worker[1]->stats.hash_mismatches);
	while (rte_ring_count(side.from[0]) + rte_ring_count(side.from[1]) > 0)
		(void)rig_await(&side, is_any, (uint8_t[256]){ 0 });
	rig_end(b);
}

static void
each_port_is_asked_whether_it_hashes_as_we_do(void **state)
{
	static struct enginerig b;

	memset(&side, 0, sizeof(side));
	rig_open_rings(&b, "true", RIG_QUEUES);
	add_port(&b, &side, "false", RIG_QUEUES);
	b.host = host_hashes_well_and_badly;
	rig_run(&b);
	assert_true(b.n_found);
	assert_false(side.n_found);
	assert_int_equal(b.n_lost, 1);
	rig_close_rings(&side);
	rig_close_rings(&b);
}

static void
endless_junk_from_a_null_port_is_counted_and_given_back(void **state)
{
	static struct enginerig b;

	rig_small(&b.conf, "net_null0");
	rig_run(&b);
}

/* "mtu: 0" is the port's own: one that somebody gave it is believed, and left as it is. */
static void
an_mtu_that_the_port_has_is_kept(void **state)
{
	const struct rte_eth_conf jumbo = { .rxmode.mtu = 9000 };
	static struct sl_engine_conf conf;
	struct sl_engine *engine;
	uint16_t id, mtu;

	assert_int_equal(rte_eth_dev_get_port_by_name("net_null1", &id), 0);
	assert_int_equal(rte_eth_dev_configure(id, 1, 1, &jumbo), 0);
	rig_small(&conf, "net_null1");
	assert_int_equal(sl_engine_open(&engine, &conf, stderr), 0);
	assert_int_equal(rte_eth_dev_get_mtu(id, &mtu), 0);
	assert_int_equal(engine->port[0].mtu, 9000);
	assert_int_equal(mtu, 9000);
	assert_int_equal(sl_engine_close(engine), 0);
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
	static struct enginerig b;

	rig_small(&b.conf, "net_no_such_port");
	assert_refused(&b.conf, -ENODEV);

	rig_open_rings(&b, "full", 1);
	b.conf.buffers = 64;
	assert_refused(&b.conf, -EINVAL);
	b.conf.buffers = 0;
	b.conf.port[0].steering = SL_STEER_RSS;
	assert_refused(&b.conf, -EINVAL);
	rig_close_rings(&b);
}

static void
numbers_that_do_not_fit_are_refused_and_leave_nothing_taken(void **state)
{
	static struct enginerig b;

	rig_open_rings(&b, "fits", 1);
	b.conf.connections = 8000000;
	b.conf.buffers = 16384;
	assert_refused(&b.conf, -ENOMEM);
	rig_close_rings(&b);
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

	sl_bufs_attach(&p.bufs, m, owner, bytes + 100, 50);
	assert_ptr_equal(rte_pktmbuf_mtod(m, uint8_t *), bytes + 100);
	assert_int_equal(m->pkt_len, 50);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_INDIRECT);
	assert_int_equal(rte_mbuf_refcnt_read(owner), 2);

	p.bufs.put(p.bufs.ctx, &owner, 1);
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
			sl_bufs_attach(&p.bufs, m[i], NULL, data + 4000, 96);
			assert_int_equal(rte_pktmbuf_mtod(m[i], char *)[95], 'z');
			assert_true(RTE_MBUF_HAS_EXTBUF(m[i]));
		}
		assert_int_equal(rte_mbuf_iova_get(m[1]), sl_bufs_iova(&p.bufs, data) + 4000);
		p.bufs.put(p.bufs.ctx, m, 63);
		assert_int_equal(rte_mempool_in_use_count(p.pool[SL_POOL_TX]), 0);
	}
	assert_int_equal(data[4095], 'z');
	assert_true(sl_bufs_iova(&p.bufs, data) != RTE_BAD_IOVA);
	assert_true(sl_bufs_iova(&p.bufs, data + 4096) == RTE_BAD_IOVA);
	sl_pin_free(data);
	assert_true(sl_bufs_iova(&p.bufs, data) == RTE_BAD_IOVA);
	sl_pools_close(&p);
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

/* Packets are had with the hash that they were given back with. */
static void
packets_given_back_last_are_had_first_also_those_no_cache_holds(void **state)
{
	const uint32_t n[SL_POOL_COUNT] = { 16383, 63 }, many = 4096;
	struct rte_mbuf *m[4096];
	uint32_t n_again = 0;
	struct sl_pools p;

	assert_int_equal(sl_pools_open(&p, 99, n, 0), 0);
	for (uint32_t i = 0; i < many; i += SL_BURST)
		assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m + i, SL_BURST), 0);
	for (uint32_t i = 0; i < many; i++)
		m[i]->hash.usr = 1;
	for (uint32_t i = 0; i < many; i += SL_BURST)
		p.bufs.put(p.bufs.ctx, m + i, SL_BURST);
	for (uint32_t i = 0; i < many; i += SL_BURST)
		assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m + i, SL_BURST), 0);
	for (uint32_t i = 0; i < many; i++)
		n_again += m[i]->hash.usr;
	assert_true(n_again >= many - 2 * SL_POOL_CACHE); /* what a cache held besides */
	p.bufs.put(p.bufs.ctx, m, many);
	sl_pools_close(&p);
}

static struct rte_mempool_ops *
ops_named(const char *name)
{
	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, name) == 0)
			return &rte_mempool_ops_table.ops[i];
	return NULL;
}

/* Distributions pack them one by one. */
static void
pools_are_made_also_where_dpdk_has_no_stacks(void **state)
{
	const uint32_t n[SL_POOL_COUNT] = { 63, 63 };
	struct rte_mempool_ops *stack = ops_named("stack");
	struct rte_mbuf *m[63];
	struct sl_pools p;
	int rc;

	assert_non_null(stack);
	strcpy(stack->name, "absent");
	rc = sl_pools_open(&p, 99, n, 0);
	strcpy(stack->name, "stack");
	assert_int_equal(rc, 0);
	assert_string_equal(rte_mempool_get_ops(p.pool[SL_POOL_TX]->ops_index)->name,
			    RTE_MBUF_DEFAULT_MEMPOOL_OPS);
	assert_int_equal(p.bufs.get(p.bufs.ctx, SL_POOL_TX, m, 63), 0);
	p.bufs.put(p.bufs.ctx, m, 63);
	sl_pools_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			packets_given_back_last_are_had_first_also_those_no_cache_holds),
		cmocka_unit_test(pools_are_made_also_where_dpdk_has_no_stacks),
		cmocka_unit_test(a_packet_shows_bytes_of_another_and_keeps_them_alive),
		cmocka_unit_test(pinned_memory_is_shown_and_outlives_its_packets),
		cmocka_unit_test(a_pool_gives_all_or_nothing),
		cmocka_unit_test(a_start_that_fails_leaves_nothing_taken),
		cmocka_unit_test(numbers_that_do_not_fit_are_refused_and_leave_nothing_taken),
		cmocka_unit_test(
			it_answers_arp_and_resets_closed_ports_whichever_worker_owns_them),
		cmocka_unit_test(counters_may_be_read_while_workers_count),
		cmocka_unit_test(a_port_that_takes_nothing_costs_its_packets_and_nothing_else),
		cmocka_unit_test(a_port_that_takes_little_holds_up_no_other),
		cmocka_unit_test(what_still_waits_at_the_end_is_not_counted_as_sent),
		cmocka_unit_test(each_port_is_asked_whether_it_hashes_as_we_do),
		cmocka_unit_test(answers_are_copied_if_they_are_for_us_and_within_measure),
		cmocka_unit_test(an_mtu_that_the_port_has_is_kept),
		cmocka_unit_test(endless_junk_from_a_null_port_is_counted_and_given_back),
	};

	return cmocka_run_group_tests(tests, rig_start_eal, rig_stop_eal);
}
