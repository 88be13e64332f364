/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_arp - ARP frames in, ARP frames out, and what is remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netrig.h"

static struct netrig rig;

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

/* Whether the neighbour @text is known, by opening a path to it for a moment. */
static bool
knows(const char *text, const uint8_t *mac)
{
	struct sl_addr addr = craft_addr(text);
	const struct sl_l2 *l2;
	uint32_t path;
	bool known;

	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path), 0);
	l2 = sl_path_l2(rig.net, rig.now, path);
	known = l2 != NULL && memcmp(l2->dst, mac, 6) == 0;
	sl_path_close(rig.net, path);
	return known;
}

/* rows: AR1 [v4] */
static void
who_has_us_is_answered_in_the_same_buffer(void **state)
{
	struct craft ask, reply;
	uint64_t n_got = rig.hb.n_got;

	netrig_arp(&ask, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	craft_hex(&ask, "000000000000000000000000000000000000"); /* padding */
	assert_int_equal(netrig_in(&rig, &ask), SL_FATE_arp_in);
	netrig_arp(&reply, netrig_peer, netrig_us, 2, "10.0.0.1", "10.0.0.2");
	assert_true(netrig_sent(&rig, &reply));
	assert_int_equal(rig.hb.n_got, n_got);
	assert_int_equal(rig.out.n, 0);
}

/* rows: AR1 [v4] */
static void
the_one_who_asks_is_remembered(void **state)
{
	struct craft c;
	struct sl_neighbour fact;

	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	netrig_in(&rig, &c);
	assert_true(knows("10.0.0.2", netrig_peer));
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_learnt], 1);
	assert_true(sl_net_tell(rig.net, &fact));
	assert_true(fact.reachable && !fact.unasked && !fact.solicited);
	assert_memory_equal(fact.mac, netrig_peer, 6);
	assert_false(sl_net_tell(rig.net, &fact));
}

static void
a_tagged_question_gets_a_tagged_answer(void **state)
{
	struct craft c;
	uint8_t got[64];

	craft_ether(&c, netrig_broadcast, netrig_peer, 5, 0x0806);
	craft_hex(&c, "0001 0800 0604 0001 020000000002");
	craft_addr_bytes(&c, "10.5.0.2");
	craft_hex(&c, "000000000000");
	craft_addr_bytes(&c, "10.5.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in);
	assert_int_equal(netrig_next(&rig, got, sizeof(got)), 46);
	assert_memory_equal(got + 12, "\x81\x00\x00\x05\x08\x06", 6);

	/* and again, the tag being in the mbuf */
	memmove(c.b + 12, c.b + 16, c.len - 16);
	struct rte_mbuf *m = heapbufs_packet(&rig.hb, c.b, c.len - 4, 128);

	m->port = 7;
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 5;
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_arp_in);
	assert_int_equal(netrig_next(&rig, got, sizeof(got)), 46);
	assert_memory_equal(got + 12, "\x81\x00\x00\x05\x08\x06", 6);

	craft_ether(&c, netrig_broadcast, netrig_peer, 6, 0x0806);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_vlan_unknown);
}

static void
questions_about_others_are_ignored_but_update_what_is_known(void **state)
{
	struct craft c;

	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.3");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_ignored);
	assert_int_equal(rig.out.n, 0);
	assert_false(knows("10.0.0.2", netrig_peer));
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in);
	assert_true(knows("10.0.0.2", netrig_peer));
	netrig_arp(&c, netrig_broadcast, netrig_other, 1, "10.0.0.2", "10.0.0.3");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in);
	assert_true(knows("10.0.0.2", netrig_other));
}

/* rows: AR4 [v4] */
static void
an_answer_nobody_asked_for_makes_no_entry(void **state)
{
	struct craft c;
	struct sl_neighbour fact;

	netrig_arp(&c, netrig_us, netrig_peer, 2, "10.0.0.2", "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_ignored);
	assert_true(sl_net_tell(rig.net, &fact)); /* a sibling may have asked */
	assert_true(fact.unasked && fact.solicited);
	assert_false(knows("10.0.0.2", netrig_peer));
	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "10.0.0.3", "10.0.0.3");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_ignored);
	assert_false(knows("10.0.0.3", netrig_peer));
}

/* rows: AR4 [v4] */
static void
a_scan_fills_the_table_but_leaves_it_to_those_who_use_it(void **state)
{
	struct sl_addr addr = craft_addr("10.0.0.200");
	uint32_t path[NETRIG_NEIGHBOURS + 1];
	struct craft c;

	for (int i = 2; i < 100; i++) {
		char host[16];

		snprintf(host, sizeof(host), "10.0.0.%d", i);
		netrig_arp(&c, netrig_broadcast, netrig_peer, 1, host, "10.0.0.1");
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in);
	}
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_full], 98 - NETRIG_NEIGHBOURS);
	for (uint32_t i = 0; i < NETRIG_NEIGHBOURS; i++, addr.b[15]++)
		assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path[i]), 0);
	assert_true(sl_path_open(rig.net, rig.now, &addr, NULL, &path[8]) < 0);
	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in); /* answered, not kept */
	for (uint32_t i = 0; i < NETRIG_NEIGHBOURS; i++)
		sl_path_close(rig.net, path[i]);
}

static void
who_is_not_on_the_link_is_answered_but_not_remembered(void **state)
{
	struct craft c;

	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "192.0.2.1", "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_in);
	assert_int_equal(rig.out.n, 1);
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_learnt], 0);
}

static void
one_who_asks_before_taking_our_address_is_answered(void **state)
{
	struct craft probe, reply;

	netrig_arp(&probe, netrig_broadcast, netrig_peer, 1, "0.0.0.0", "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &probe), SL_FATE_arp_in);
	netrig_arp(&reply, netrig_peer, netrig_us, 2, "10.0.0.1", "0.0.0.0");
	assert_true(netrig_sent(&rig, &reply));
	netrig_arp(&probe, netrig_broadcast, netrig_peer, 1, "0.0.0.0", "10.0.0.2");
	assert_int_equal(netrig_in(&rig, &probe), SL_FATE_arp_ignored);
}

/* rows: AR2 [v4] */
static void
a_conflict_is_counted_and_defended_every_ten_seconds(void **state)
{
	struct craft claim, defence;

	netrig_arp(&claim, netrig_broadcast, netrig_other, 1, "10.0.0.1", "10.0.0.1");
	netrig_arp(&defence, netrig_broadcast, netrig_us, 1, "10.0.0.1", "10.0.0.1");
	for (int i = 1; i <= 25; i++) {
		rig.now += SL_NS_PER_S;
		assert_int_equal(netrig_in(&rig, &claim), SL_FATE_arp_in);
		netrig_pass(&rig, rig.now);
		assert_int_equal(rig.stats.count[SL_CNT_address_conflict], i);
		assert_int_equal(rig.out.n, i % 10 == 1);
		if (i % 10 == 1)
			assert_true(netrig_sent(&rig, &defence));
	}
}

static void
our_own_words_come_back_unheard(void **state)
{
	struct craft c;

	netrig_arp(&c, netrig_broadcast, netrig_us, 1, "10.0.0.1", "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_ignored);
	assert_int_equal(rig.stats.count[SL_CNT_address_conflict], 0);
}

static void
malformed_arp_is_refused_however_short(void **state)
{
	struct craft good, c;

	netrig_arp(&good, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	for (size_t len = 14; len < good.len; len++) {
		c = good, c.len = len;
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	}
	for (size_t i = 14; i < 20; i++) { /* types and lengths */
		c = good, c.b[i] ^= 1;
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	}
	c = good, c.b[22] |= 1; /* a group as sender */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	c = good, memset(c.b + 22, 0, 6);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	c = good, c.b[31] = 255; /* the subnet's broadcast as sender */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	c = good, c.b[28] = 224;
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_bad);
	c = good, c.b[21] = 3; /* RARP */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_arp_ignored);
	c = good, memcpy(c.b, netrig_other, 6);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_eth_not_ours);
	assert_int_equal(rig.out.n, 0);
}

static void
without_buffer_or_room_the_question_is_dropped(void **state)
{
	struct craft c;
	struct rte_mbuf *m;

	netrig_arp(&c, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
	rig.out.room = 0;
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_no_buffer);
	rig.out.room = 256;

	m = heapbufs_external(&rig.hb, c.b, c.len);
	m->port = 7;
	heapbufs_fail_nth(&rig.hb, 1);
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_no_buffer);
	assert_int_equal(rig.stats.count[SL_CNT_no_buffer], 1);

	m = heapbufs_external(&rig.hb, c.b, c.len);
	m->port = 7;
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_arp_in);
	assert_int_equal(rig.out.n, 1);
}

/* rows: AR2 ND6 [v4 v6] */
static void
our_addresses_are_announced_once_by_the_core_that_speaks(void **state)
{
	struct netrig own;
	unsigned int n_arp = 0, n_nd = 0;
	uint8_t got[100];

	netrig_init(&own);
	netrig_open(&own);
	assert_int_equal(sl_net_next(own.net), own.now);
	own.out.room = 2;
	sl_net_run(own.net, own.now, &own.out);
	assert_int_equal(own.out.n, 2);
	assert_int_equal(sl_net_next(own.net), own.now);
	own.out.room = 256;
	netrig_pass(&own, 100 * SL_NS_PER_S);
	while (netrig_next(&own, got, sizeof(got)) > 0) {
		n_arp += got[0] == 0xff;
		n_nd += got[0] == 0x33;
	}
	assert_int_equal(n_arp, 2);
	assert_int_equal(n_nd, 2);
	assert_int_equal(own.stats.count[SL_CNT_arp_out], 2);
	assert_int_equal(own.stats.count[SL_CNT_nd_out], 2);
	assert_int_equal(sl_net_next(own.net), UINT64_MAX);
	netrig_close(&own);

	netrig_init(&own);
	own.conf.speaks = false;
	netrig_open(&own);
	assert_int_equal(sl_net_next(own.net), UINT64_MAX);
	netrig_close(&own);
}

static void
an_announcement_without_a_buffer_waits_a_second(void **state)
{
	struct netrig own;

	netrig_init(&own);
	netrig_open(&own);
	heapbufs_fail_nth(&own.hb, 1);
	sl_net_run(own.net, own.now, &own.out);
	assert_int_equal(own.out.n, 0);
	assert_int_equal(sl_net_next(own.net), own.now + SL_NS_PER_S);
	netrig_pass(&own, own.now + SL_NS_PER_S);
	assert_int_equal(netrig_flush(&own), 4);
	netrig_close(&own);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_us_is_answered_in_the_same_buffer),
		TEST(the_one_who_asks_is_remembered),
		TEST(a_tagged_question_gets_a_tagged_answer),
		TEST(questions_about_others_are_ignored_but_update_what_is_known),
		TEST(an_answer_nobody_asked_for_makes_no_entry),
		TEST(a_scan_fills_the_table_but_leaves_it_to_those_who_use_it),
		TEST(who_is_not_on_the_link_is_answered_but_not_remembered),
		TEST(one_who_asks_before_taking_our_address_is_answered),
		TEST(a_conflict_is_counted_and_defended_every_ten_seconds),
		TEST(our_own_words_come_back_unheard),
		TEST(malformed_arp_is_refused_however_short),
		TEST(without_buffer_or_room_the_question_is_dropped),
		TEST(our_addresses_are_announced_once_by_the_core_that_speaks),
		TEST(an_announcement_without_a_buffer_waits_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
