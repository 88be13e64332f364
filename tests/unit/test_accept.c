/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_accept - which frames are for us, and where the others lie.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netrig.h"

static struct netrig rig;
static const uint8_t none[1];

static int
open_rig(void **state)
{
	netrig_open_quiet(&rig);
	return 0;
}

static int
close_rig(void **state)
{
	netrig_close(&rig);
	return 0;
}

/* The fate of a SYN. */
static enum sl_fate
syn(const uint8_t *dst_mac, uint16_t vlan, const char *src, const char *dst)
{
	bool v6 = strchr(src, ':') != NULL;
	struct craft c;

	craft_ether(&c, dst_mac, netrig_peer, vlan, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(&c, src, dst, 6);
	else
		craft_ip4(&c, src, dst, 6);
	craft_tcp(&c, 40000, 80, 1, 0, 2, 100, none, 0);
	craft_end(&c);
	return netrig_in(&rig, &c);
}

static void
what_is_addressed_to_us_is_let_in(void **state)
{
	assert_int_equal(syn(netrig_us, 0, "10.0.0.2", "10.0.0.1"), SL_FATE_NONE);
	assert_int_equal(syn(netrig_us, 0, "192.0.2.9", "10.0.0.1"), SL_FATE_NONE);
	assert_int_equal(syn(netrig_us, 5, "10.5.0.2", "10.5.0.1"), SL_FATE_NONE);
	assert_int_equal(syn(netrig_us, 0, "fd00::2", "fd00::1"), SL_FATE_NONE);
	assert_int_equal(syn(netrig_us, 0, "fe80::2", NETRIG_LINK_LOCAL), SL_FATE_NONE);
}

static void
other_mac_addresses_and_groups_are_not_ours(void **state)
{
	const uint8_t group6[6] = { 0x33, 0x33, 0, 0, 0, 1 },
		      group4[6] = { 1, 0, 0x5e, 0, 0, 1 };

	assert_int_equal(syn(netrig_other, 0, "10.0.0.2", "10.0.0.1"), SL_FATE_eth_not_ours);
	assert_int_equal(syn(netrig_broadcast, 0, "10.0.0.2", "10.0.0.1"),
			 SL_FATE_eth_not_ours);
	assert_int_equal(syn(group4, 0, "10.0.0.2", "10.0.0.1"), SL_FATE_eth_not_ours);
	assert_int_equal(syn(group6, 0, "fd00::2", "fd00::1"), SL_FATE_eth_not_ours);
	assert_int_equal(syn(group6, 0, "fd00::2", "ff02::1"), SL_FATE_eth_not_ours);
}

static void
a_port_that_is_not_configured_is_not_ours(void **state)
{
	struct craft c;

	craft_ether(&c, netrig_us, netrig_peer, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, 1, 2, 3, 4, 2, 5, none, 0);
	craft_end(&c);
	struct rte_mbuf *m = heapbufs_packet(&rig.hb, c.b, c.len, 0);

	m->port = 8;
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_eth_not_ours);
	netrig_arp(&c, netrig_us, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	m = heapbufs_packet(&rig.hb, c.b, c.len, 0);
	m->port = 8;
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_eth_not_ours);
}

static void
an_address_lives_in_its_vlan_only(void **state)
{
	assert_int_equal(syn(netrig_us, 6, "10.0.0.2", "10.0.0.1"), SL_FATE_vlan_unknown);
	assert_int_equal(syn(netrig_us, 5, "10.0.0.2", "10.0.0.1"), SL_FATE_ip_not_ours);
	assert_int_equal(syn(netrig_us, 0, "10.5.0.2", "10.5.0.1"), SL_FATE_ip_not_ours);
}

static void
impossible_sources_are_refused(void **state)
{
	const char *v4[] = { "0.0.0.0",   "0.1.2.3",    "127.0.0.1",       "224.0.0.1",
			     "240.0.0.1", "10.0.0.255", "255.255.255.255", "10.0.0.1",
			     "10.5.0.1",  "10.5.0.255" };
	const char *v6[] = { "::",         "::1",     "ff02::1",        "::ffff:10.0.0.2",
			     "::10.0.0.2", "fd00::1", NETRIG_LINK_LOCAL };

	for (size_t i = 0; i < RTE_DIM(v4); i++)
		assert_int_equal(syn(netrig_us, 0, v4[i], "10.0.0.1"), SL_FATE_ip_source);
	for (size_t i = 0; i < RTE_DIM(v6); i++)
		assert_int_equal(syn(netrig_us, 0, v6[i], "fd00::1"), SL_FATE_ip_source);
}

static void
a_source_mac_address_that_is_a_group_is_refused(void **state)
{
	struct craft c;

	craft_ether(&c, netrig_us, netrig_broadcast, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, 1, 2, 3, 4, 2, 5, none, 0);
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_ip_source);
}

static void
other_destinations_are_refused(void **state)
{
	const char *v4[] = { "10.0.0.2", "10.0.0.255", "255.255.255.255", "224.0.0.1" };
	const char *v6[] = { "fd00::2", "ff02::1", "ff02::1:ff00:1", "::ffff:10.0.0.1" };

	for (size_t i = 0; i < RTE_DIM(v4); i++)
		assert_int_equal(syn(netrig_us, 0, "10.0.0.9", v4[i]), SL_FATE_ip_not_ours);
	for (size_t i = 0; i < RTE_DIM(v6); i++)
		assert_int_equal(syn(netrig_us, 0, "fd00::9", v6[i]), SL_FATE_ip_not_ours);
}

static void
ours_is_asked_by_port_and_vlan(void **state)
{
	struct sl_addr a = craft_addr("10.5.0.1");

	assert_true(sl_net_is_ours(rig.net, 7, 5, &a));
	assert_false(sl_net_is_ours(rig.net, 7, 0, &a));
	assert_false(sl_net_is_ours(rig.net, 8, 5, &a));
}

static void
source_is(const char *remote, const char *local)
{
	struct sl_addr to = craft_addr(remote), from, want = craft_addr(local);

	assert_int_equal(sl_net_source(rig.net, &to, &from), 0);
	assert_true(sl_addr_eq(&from, &want));
}

static void
the_source_lies_in_the_subnet_or_goes_with_the_route(void **state)
{
	const char *nowhere[] = { "10.0.0.1", "10.0.0.255", "224.0.0.1", "0.0.0.0",
				  "ff02::1",  "::",         "127.0.0.1" };

	source_is("10.0.0.7", "10.0.0.1");
	source_is("10.5.0.7", "10.5.0.1");
	source_is("192.0.2.1", "10.0.0.1");
	source_is("fd00::7", "fd00::1");
	source_is("2001:db8::1", "fd00::1");
	source_is("fe80::7", NETRIG_LINK_LOCAL);
	for (size_t i = 0; i < RTE_DIM(nowhere); i++) {
		struct sl_addr to = craft_addr(nowhere[i]), from;

		assert_int_equal(sl_net_source(rig.net, &to, &from), -EHOSTUNREACH);
	}
}

/* A net of its own, to be judged by whether it opens. */
static int
opens(const struct sl_net_conf *conf)
{
	struct arena arena;
	struct sl_net *net;
	int rc;

	arena_open(&arena);
	rc = sl_net_open(&net, &arena.mem, conf, &rig.hb.bufs, &rig.stats, 0);
	arena_close(&arena);
	return rc;
}

static void
a_gateway_with_a_link_local_address_does_not_give_its_users_one(void **state)
{
	struct netrig own;
	struct sl_addr to = craft_addr("2001:db8::1"), from, want = craft_addr("fd00::1");

	netrig_init(&own);
	own.conf.port[0].route[1].gateway = craft_addr("fe80::fe");
	netrig_open(&own);
	assert_int_equal(sl_net_source(own.net, &to, &from), 0);
	assert_true(sl_addr_eq(&from, &want));
	netrig_close(&own);
}

static void
the_longest_prefix_wins(void **state)
{
	struct netrig own;
	struct sl_addr to = craft_addr("10.9.8.7"), from;
	struct sl_port_conf *second;
	uint32_t path;

	netrig_init(&own);
	second = &own.conf.port[1];
	*second = own.conf.port[0];
	second->port = 9;
	second->mtu = 9000;
	second->n_addrs = 1;
	second->addr[0].addr = craft_addr("172.16.0.1");
	second->n_routes = 1;
	second->route[0] =
		(struct sl_route){ craft_addr("10.9.0.0"), 16, 0, craft_addr("172.16.0.2") };
	own.conf.n_ports = 2;
	netrig_open(&own);
	assert_int_equal(sl_net_source(own.net, &to, &from), 0);
	assert_true(sl_addr_eq(&from, &second->addr[0].addr));
	assert_int_equal(sl_path_open(own.net, own.now, &to, NULL, &path), 0);
	assert_int_equal(sl_path_mtu(own.net, path), 9000);
	sl_path_close(own.net, path);
	netrig_close(&own);
}

static void
link_local_peers_are_found_where_they_came_from(void **state)
{
	struct netrig own;
	struct sl_addr to = craft_addr("fe80::7");
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 7 }, .port = 9 };
	uint32_t path;

	netrig_init(&own);
	own.conf.port[1] = own.conf.port[0];
	own.conf.port[1].port = 9;
	own.conf.port[1].mtu = 9000;
	own.conf.n_ports = 2;
	netrig_open(&own);
	assert_int_equal(sl_path_open(own.net, own.now, &to, &came, &path), 0);
	assert_int_equal(sl_path_mtu(own.net, path), 9000);
	assert_int_equal(sl_path_l2(own.net, own.now, path)->port, 9);
	sl_path_close(own.net, path);
	netrig_close(&own);
}

static void
a_senseless_configuration_is_refused(void **state)
{
	struct sl_net_conf good = rig.conf, bad;

	assert_int_equal(opens(&good), 0);
	bad = good, bad.n_ports = 0;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.neighbours = 0;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].mtu = 1279;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].mac[0] = 3;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].addr[0].prefix = 33;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].addr[1].prefix = 129;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].addr[0].vlan = 4095;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].addr[0].addr = craft_addr("224.0.0.1");
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].addr[2] = bad.port[0].addr[0];
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].route[0].gateway = craft_addr("fd00::9");
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].route[0].gateway = craft_addr("10.0.0.1");
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].route[0].prefix = 33;
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.port[0].route[1].vlan = 5; /* no IPv6 there */
	assert_int_equal(opens(&bad), -EINVAL);
	bad = good, bad.n_ports = 2, bad.port[1] = bad.port[0];
	assert_int_equal(opens(&bad), -EINVAL);
}

static void
memory_that_runs_out_is_said(void **state)
{
	for (uint32_t i = 1; i <= 6; i++) {
		struct arena arena;
		struct sl_net *net;

		arena_open(&arena);
		arena.fail_at = i;
		assert_int_equal(
			sl_net_open(&net, &arena.mem, &rig.conf, &rig.hb.bufs, &rig.stats, 0),
			-ENOMEM);
		arena_close(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_addressed_to_us_is_let_in),
		cmocka_unit_test(other_mac_addresses_and_groups_are_not_ours),
		cmocka_unit_test(a_port_that_is_not_configured_is_not_ours),
		cmocka_unit_test(an_address_lives_in_its_vlan_only),
		cmocka_unit_test(impossible_sources_are_refused),
		cmocka_unit_test(a_source_mac_address_that_is_a_group_is_refused),
		cmocka_unit_test(other_destinations_are_refused),
		cmocka_unit_test(ours_is_asked_by_port_and_vlan),
		cmocka_unit_test(the_source_lies_in_the_subnet_or_goes_with_the_route),
		cmocka_unit_test(
			a_gateway_with_a_link_local_address_does_not_give_its_users_one),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(link_local_peers_are_found_where_they_came_from),
		cmocka_unit_test(a_senseless_configuration_is_refused),
		cmocka_unit_test(memory_that_runs_out_is_said),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
