/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_place - queues and memory on machines with one node and with two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/place.h"

static void
with_a_queue_each_queue_and_worker_have_one_number(void **state)
{
	struct sl_topology topo = {
		.n_workers = 4,
		.n_ports = 1,
		.worker_node = { 0, 1, 0, 1 },
		.port_node = { 1 },
		.queues = { 4 },
	};
	struct sl_placement got;

	sl_place(&topo, &got);
	for (uint16_t q = 0; q < 4; q++)
		assert_int_equal(got.poller[0][q], q);
	assert_int_equal(got.n_far[0], 2);
}

static void
a_lone_queue_goes_to_a_worker_of_its_ports_node(void **state)
{
	struct sl_topology topo = {
		.n_workers = 4,
		.n_ports = 2,
		.worker_node = { 0, 0, 1, 1 },
		.port_node = { 1, 0 },
		.queues = { 1, 1 },
	};
	struct sl_placement got;

	sl_place(&topo, &got);
	assert_int_equal(got.poller[0][0], 2);
	assert_int_equal(got.port_mem[0], 1);
	assert_int_equal(got.n_far[0], 0);
	assert_int_equal(got.poller[1][0], 0);
	assert_int_equal(got.port_mem[1], 0);
	assert_int_equal(got.n_far[1], 0);
}

static void
lone_queues_of_several_ports_go_to_several_workers(void **state)
{
	struct sl_topology topo = {
		.n_workers = 2,
		.n_ports = 3,
		.port_node = { SL_NODE_ANY, SL_NODE_ANY, SL_NODE_ANY },
		.queues = { 1, 1, 1 },
	};
	struct sl_placement got;

	sl_place(&topo, &got);
	assert_int_equal(got.poller[0][0], 0);
	assert_int_equal(got.poller[1][0], 1);
	assert_int_equal(got.poller[2][0], 0);
}

static void
a_port_without_near_workers_is_polled_from_afar_and_says_so(void **state)
{
	struct sl_topology topo = {
		.n_workers = 2,
		.n_ports = 1,
		.worker_node = { 0, 0 },
		.port_node = { 1 },
		.queues = { 1 },
	};
	struct sl_placement got;

	sl_place(&topo, &got);
	assert_int_equal(got.poller[0][0], 0);
	assert_int_equal(got.n_far[0], 1);
	assert_int_equal(got.port_mem[0], 1); /* where the port writes */
}

static void
a_port_of_no_node_has_its_buffers_where_it_is_polled(void **state)
{
	struct sl_topology topo = {
		.n_workers = 1,
		.n_ports = 1,
		.worker_node = { 1 },
		.port_node = { SL_NODE_ANY },
		.queues = { 1 },
	};
	struct sl_placement got;

	sl_place(&topo, &got);
	assert_int_equal(got.port_mem[0], 1);
	assert_int_equal(got.n_far[0], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_a_queue_each_queue_and_worker_have_one_number),
		cmocka_unit_test(a_lone_queue_goes_to_a_worker_of_its_ports_node),
		cmocka_unit_test(lone_queues_of_several_ports_go_to_several_workers),
		cmocka_unit_test(a_port_without_near_workers_is_polled_from_afar_and_says_so),
		cmocka_unit_test(a_port_of_no_node_has_its_buffers_where_it_is_polled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
