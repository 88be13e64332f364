/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_share - numbers of a process become those of its workers, and none is lost.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/share.h"

static struct sl_engine_conf conf;
static struct sl_core_conf core;

static int
defaults(void **state)
{
	memset(&conf, 0, sizeof(conf));
	conf.n_ports = 1;
	conf.connections = 200000;
	conf.active = 25000;
	conf.time_wait = 100001;
	conf.neighbours = 1024;
	return 0;
}

static void
every_pool_is_above_its_floor_however_many_share(void **state)
{
	for (uint8_t ports = 1; ports <= SL_PORTS_MAX; ports += 5)
		for (uint16_t workers = 1; workers <= 64; workers *= 4) {
			struct sl_floor floor;
			struct sl_share s;

			conf.n_ports = ports;
			sl_floor_guess(&conf, workers, &floor);
			assert_int_equal(sl_share_buffers(&conf, workers, &floor, &s), 0);
			assert_true(s.rx > floor.rx[0]);
			assert_true(s.pool[SL_POOL_TX] >= floor.tx);
			assert_true(s.keep > 0);
			assert_true((uint64_t)s.rx * ports +
					    (uint64_t)workers * (s.pool[SL_POOL_TX] +
								 s.pool[SL_POOL_RETAIN]) <=
				    s.total);
		}
}

static void
what_workers_keep_never_starves_a_queue_wherever_it_came_from(void **state)
{
	for (uint8_t ports = 1; ports <= SL_PORTS_MAX; ports++)
		for (uint16_t workers = 1; workers <= 64; workers *= 4)
			for (int least = 0; least < 2; least++) {
				struct sl_floor floor;
				struct sl_share s;

				conf.n_ports = ports;
				conf.buffers = 0;
				conf.port[0].rx_descriptors = 32768;
				sl_floor_guess(&conf, workers, &floor);
				assert_int_equal(sl_share_buffers(&conf, workers, &floor, &s),
						 0);
				conf.buffers = least ? s.minimum : 0;
				assert_int_equal(sl_share_buffers(&conf, workers, &floor, &s),
						 0);
				for (uint8_t p = 0; p < ports; p++)
					assert_true((uint64_t)workers * s.keep + floor.rx[p] <=
						    s.rx);
				assert_true(s.keep >= 16); /* a core takes no less */
			}
}

/* Packets of one port may fill the rings of all workers, whose owners are busy. */
static void
what_lies_between_workers_never_starves_a_queue_either(void **state)
{
	for (uint8_t ports = 1; ports <= SL_PORTS_MAX; ports++)
		for (uint16_t workers = 2; workers <= 64; workers *= 2) {
			uint32_t queued = workers * 1024u,
				 rings = workers * (SL_RING_PACKETS - 1);
			struct sl_floor floor;
			struct sl_share s;

			conf.n_ports = ports;
			conf.buffers = 0;
			sl_floor_guess(&conf, workers, &floor);
			assert_int_equal(sl_share_buffers(&conf, workers, &floor, &s), 0);
			conf.buffers = s.minimum;
			assert_int_equal(sl_share_buffers(&conf, workers, &floor, &s), 0);
			assert_true(s.rx >= queued + rings + workers * (s.keep + SL_BURST));
		}
}

/* A queue of 1,024, a cache of 384, 256 in hand; a ring of 1,023 if there are others. */
static void
a_port_needs_for_each_worker_what_that_may_hold(void **state)
{
	struct sl_floor floor;

	sl_floor_guess(&conf, 1, &floor);
	assert_int_equal(floor.rx[0], 1664);
	sl_floor_guess(&conf, 2, &floor);
	assert_int_equal(floor.rx[0], 5374);
	conf.port[0].rx_descriptors = 4096;
	sl_floor_guess(&conf, 2, &floor);
	assert_int_equal(floor.rx[0], 11518);
}

static void
too_few_buffers_are_refused_and_the_least_is_enough(void **state)
{
	struct sl_floor floor;
	struct sl_share s;

	sl_floor_guess(&conf, 2, &floor);
	conf.buffers = 100;
	assert_int_equal(sl_share_buffers(&conf, 2, &floor, &s), -EINVAL);
	conf.buffers = s.minimum;
	assert_int_equal(sl_share_buffers(&conf, 2, &floor, &s), 0);
	assert_int_equal(s.total, s.minimum);
	assert_true(s.keep > 0);
}

static void
shares_are_rounded_up(void **state)
{
	struct sl_share s = { .total = 65536, .keep = 77 };

	conf.n_listeners = 1;
	conf.listener[0].backlog = 1;
	conf.listener[0].connections = 0; /* as many as the core has */
	sl_share_core(&conf, 3, &s, &core);
	assert_int_equal(core.connections, 66667);
	assert_int_equal(core.time_wait, 33334);
	assert_int_equal(core.net.neighbours, 1024);
	assert_int_equal(core.rx_buffers, 77);
	assert_int_equal(core.listener[0].backlog, 1);
	assert_int_equal(core.listener[0].connections, 0);
}

static void
ipv6_is_for_those_who_have_such_an_address(void **state)
{
	struct sl_share s = { .total = 65536 };

	conf.port[0].n_addrs = 1;
	conf.port[0].addr[0].addr = sl_addr_v4(0x0a000001);
	sl_share_core(&conf, 1, &s, &core);
	assert_false(core.ipv6);
	conf.port[0].addr[0].addr.b[0] = 0xfd;
	sl_share_core(&conf, 1, &s, &core);
	assert_true(core.ipv6);
}

/* Of --check a reader adds up the rows; parts of a byte for each record are lost in them. */
static void
what_records_take_adds_up_to_the_whole_in_both_families(void **state)
{
	struct sl_share s = { .total = 65536 };
	struct sl_budget b;

	conf.port[0].n_addrs = 1;
	for (int v6 = 0; v6 < 2; v6++) {
		uint64_t rows;

		conf.port[0].addr[0].addr = sl_addr_v4(0x0a000001);
		if (v6)
			conf.port[0].addr[0].addr.b[0] = 0xfd;
		sl_share_core(&conf, 1, &s, &core);
		sl_core_budget(&core, &b);
		rows = (uint64_t)core.connections * (v6 ? b.idle_v6 : b.idle_v4) +
		       (uint64_t)core.active * b.active +
		       (uint64_t)core.time_wait * (v6 ? b.time_wait_v6 : b.time_wait_v4) +
		       b.fixed;
		assert_in_range(rows, b.total - b.total / 100, b.total);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_pool_is_above_its_floor_however_many_share,
				       defaults),
		cmocka_unit_test_setup(
			what_workers_keep_never_starves_a_queue_wherever_it_came_from,
			defaults),
		cmocka_unit_test_setup(what_lies_between_workers_never_starves_a_queue_either,
				       defaults),
		cmocka_unit_test_setup(a_port_needs_for_each_worker_what_that_may_hold,
				       defaults),
		cmocka_unit_test_setup(too_few_buffers_are_refused_and_the_least_is_enough,
				       defaults),
		cmocka_unit_test_setup(shares_are_rounded_up, defaults),
		cmocka_unit_test_setup(ipv6_is_for_those_who_have_such_an_address, defaults),
		cmocka_unit_test_setup(what_records_take_adds_up_to_the_whole_in_both_families,
				       defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
