/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_nd - neighbour discovery of IPv6: who is answered, who is believed, who is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netrig.h"

#define NS 135
#define NA 136
#define S  0x40000000u
#define O  0x20000000u

static const uint8_t solicited_us[6] = { 0x33, 0x33, 0xff, 0, 0, 1 };
static const uint8_t solicited_peer[6] = { 0x33, 0x33, 0xff, 0, 0, 2 };
static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t other2[6] = { 2, 0, 0, 0, 0, 9 };

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

/* A question for fd00::1 from fd00::2, as a host sends it first. */
static void
question(struct craft *c)
{
	netrig_nd(c, solicited_us, netrig_peer, "fd00::2", "ff02::1:ff00:1", NS, 0, "fd00::1",
		  1, netrig_peer);
}

/* A path to fd00::2 whose question has been sent and dropped. */
static uint32_t
asking(void)
{
	struct sl_addr addr = craft_addr("fd00::2");
	uint32_t path;

	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path), 0);
	assert_null(sl_path_l2(rig.net, rig.now, path));
	netrig_pass(&rig, rig.now);
	assert_int_equal(netrig_flush(&rig), 1);
	return path;
}

static bool
reaches(uint32_t path, const uint8_t *mac)
{
	const struct sl_l2 *l2 = sl_path_l2(rig.net, rig.now, path);

	return l2 != NULL && memcmp(l2->dst, mac, 6) == 0;
}

/* Whether the path is only believed in: using it leads to a question by and by. */
static bool
is_doubted(uint32_t path)
{
	sl_path_l2(rig.net, rig.now, path);
	return sl_net_next(rig.net) != UINT64_MAX;
}

/* An advertisement of fd00::2 to us, saying @mac (NULL: nothing). */
static enum sl_fate
advert(uint32_t flags, const uint8_t *mac)
{
	struct craft c;

	netrig_nd(&c, netrig_us, netrig_peer, "fd00::2", "fd00::1", NA, flags, "fd00::2",
		  mac != NULL ? 2 : 0, mac);
	return netrig_in(&rig, &c);
}

/* rows: ND1 ND6 [v6] */
static void
a_question_for_us_is_answered_solicited_and_overriding(void **state)
{
	struct craft c, reply;

	question(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_in);
	netrig_nd(&reply, netrig_peer, netrig_us, "fd00::1", "fd00::2", NA, S | O, "fd00::1", 2,
		  netrig_us);
	assert_true(netrig_sent(&rig, &reply));
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_learnt], 1);
}

static void
a_direct_question_without_an_option_is_answered_the_way_it_came(void **state)
{
	struct craft c, reply;

	netrig_nd(&c, netrig_us, netrig_peer, "fe80::2", NETRIG_LINK_LOCAL, NS, 0,
		  NETRIG_LINK_LOCAL, 0, NULL);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_in);
	netrig_nd(&reply, netrig_peer, netrig_us, NETRIG_LINK_LOCAL, "fe80::2", NA, S | O,
		  NETRIG_LINK_LOCAL, 2, netrig_us);
	assert_true(netrig_sent(&rig, &reply));
}

/* rows: ND1 [v6] */
static void
one_without_an_address_is_answered_through_all_nodes(void **state)
{
	struct craft c, reply;

	netrig_nd(&c, solicited_us, netrig_peer, "::", "ff02::1:ff00:1", NS, 0, "fd00::1", 0,
		  NULL);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_in);
	netrig_nd(&reply, all_nodes, netrig_us, "fd00::1", "ff02::1", NA, O, "fd00::1", 2,
		  netrig_us);
	assert_true(netrig_sent(&rig, &reply));
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_learnt], 0);
}

static void
one_without_an_address_must_keep_to_the_rules(void **state)
{
	struct craft c;

	netrig_nd(&c, solicited_us, netrig_peer, "::", "ff02::1:ff00:1", NS, 0, "fd00::1", 1,
		  netrig_peer);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	netrig_nd(&c, netrig_us, netrig_peer, "::", "fd00::1", NS, 0, "fd00::1", 0, NULL);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	netrig_nd(&c, netrig_us, netrig_peer, "::", "fd00::1", NA, 0, "fd00::1", 0, NULL);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_ip_source);
}

static void
a_question_for_another_in_our_group_is_ignored(void **state)
{
	struct craft c;

	netrig_nd(&c, solicited_us, netrig_peer, "fd00::2", "ff02::1:ff00:1", NS, 0,
		  "fd00:9::1", 1, netrig_peer);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_ignored);
	assert_int_equal(rig.out.n, 0);
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_learnt], 0);
}

static void
an_answer_resolves(void **state)
{
	uint32_t path = asking(), news = sl_net_news(rig.net);

	assert_int_equal(advert(S | O, netrig_peer), SL_FATE_nd_in);
	assert_int_not_equal(sl_net_news(rig.net), news);
	assert_true(reaches(path, netrig_peer));
	assert_false(is_doubted(path));
	sl_path_close(rig.net, path);
}

static void
an_unsolicited_answer_resolves_but_is_doubted(void **state)
{
	uint32_t path = asking();

	assert_int_equal(advert(O, NULL), SL_FATE_nd_in); /* says nothing */
	assert_false(reaches(path, netrig_peer));
	assert_int_equal(advert(O, netrig_peer), SL_FATE_nd_in);
	assert_true(reaches(path, netrig_peer));
	assert_true(is_doubted(path));
	sl_path_close(rig.net, path);
}

/* rows: ND5 [v6] */
static void
without_override_another_address_only_raises_doubt(void **state)
{
	uint32_t path = asking();

	advert(S | O, netrig_peer);
	assert_false(is_doubted(path));
	assert_int_equal(advert(S, other2), SL_FATE_nd_in);
	assert_true(reaches(path, netrig_peer));
	assert_true(is_doubted(path));
	assert_int_equal(advert(S, other2), SL_FATE_nd_in);
	assert_true(reaches(path, netrig_peer));
	assert_int_equal(advert(S, NULL), SL_FATE_nd_in);
	assert_false(is_doubted(path));
	sl_path_close(rig.net, path);
}

/* rows: ND5 [v6] */
static void
with_override_another_address_is_taken(void **state)
{
	uint32_t path = asking();

	advert(S | O, netrig_peer);
	assert_int_equal(advert(O, other2), SL_FATE_nd_in);
	assert_true(reaches(path, other2));
	assert_true(is_doubted(path));
	assert_int_equal(advert(S | O, netrig_peer), SL_FATE_nd_in);
	assert_true(reaches(path, netrig_peer));
	assert_false(is_doubted(path));
	assert_int_equal(advert(O, netrig_peer), SL_FATE_nd_in); /* the same: no change */
	assert_false(is_doubted(path));
	sl_path_close(rig.net, path);
}

/* rows: ND5 [v6] */
static void
an_answer_nobody_asked_for_makes_no_entry(void **state)
{
	struct sl_neighbour fact;

	assert_int_equal(advert(O, netrig_peer), SL_FATE_nd_ignored);
	assert_false(sl_net_tell(rig.net, &fact));
	assert_int_equal(advert(S | O, netrig_peer), SL_FATE_nd_ignored);
	assert_true(sl_net_tell(rig.net, &fact));
	assert_true(fact.unasked);
	sl_path_close(rig.net, asking());
}

static void
a_question_asks_the_group_and_a_probe_the_host(void **state)
{
	struct sl_addr addr = craft_addr("fd00::2");
	struct craft want;
	uint32_t path;

	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path), 0);
	netrig_pass(&rig, rig.now);
	netrig_nd(&want, solicited_peer, netrig_us, "fd00::1", "ff02::1:ff00:2", NS, 0,
		  "fd00::2", 1, netrig_us);
	assert_true(netrig_sent(&rig, &want));
	advert(0, netrig_peer);
	assert_true(reaches(path, netrig_peer));
	netrig_pass(&rig, rig.now + 5 * SL_NS_PER_S);
	netrig_nd(&want, netrig_peer, netrig_us, "fd00::1", "fd00::2", NS, 0, "fd00::2", 1,
		  netrig_us);
	assert_true(netrig_sent(&rig, &want));
	sl_path_close(rig.net, path);
}

/* rows: ND6 [v6] */
static void
a_duplicate_is_counted_and_defended_every_ten_seconds(void **state)
{
	struct craft claim, defence;

	netrig_nd(&defence, all_nodes, netrig_us, "fd00::1", "ff02::1", NA, O, "fd00::1", 2,
		  netrig_us);
	for (int i = 1; i <= 12; i++) {
		rig.now += SL_NS_PER_S;
		if (i % 2)
			netrig_nd(&claim, all_nodes, netrig_other, "fd00::1", "ff02::1", NA, O,
				  "fd00::1", 2, netrig_other);
		else
			netrig_nd(&claim, solicited_us, netrig_other, "fd00::1",
				  "ff02::1:ff00:1", NS, 0, "fd00::1", 1, netrig_other);
		assert_int_equal(netrig_in(&rig, &claim), SL_FATE_nd_in);
		netrig_pass(&rig, rig.now);
		assert_int_equal(rig.stats.count[SL_CNT_address_conflict], i);
		assert_int_equal(rig.out.n, i == 1 || i == 11);
		if (rig.out.n > 0)
			assert_true(netrig_sent(&rig, &defence));
	}
}

static void
our_own_words_come_back_unheard(void **state)
{
	struct craft c;

	netrig_nd(&c, all_nodes, netrig_us, "fd00::1", "ff02::1", NA, O, "fd00::1", 2,
		  netrig_us);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_ignored);
	netrig_nd(&c, solicited_us, netrig_us, "fd00::1", "ff02::1:ff00:1", NS, 0, "fd00::1", 1,
		  netrig_us);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_ignored);
	assert_int_equal(rig.stats.count[SL_CNT_address_conflict], 0);
}

/* rows: ND2 [v6] */
static void
what_breaks_the_rules_is_refused(void **state)
{
	struct craft good, c;

	question(&good);
	c = good, c.b[21] = 254; /* hop limit */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[55] = 1, craft_sums(&c); /* code */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[62] = 0xff, craft_sums(&c); /* a group as target */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[79] = 0, craft_sums(&c); /* an option of no length */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[79] = 2, craft_sums(&c); /* longer than the packet */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[80] |= 1, craft_sums(&c); /* a group as MAC address */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	c = good, c.b[60] ^= 1; /* reserved, but summed */
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_bad);
	netrig_nd(&c, all_nodes, netrig_peer, "fd00::2", "ff02::1", NA, S | O, "fd00::2", 2,
		  netrig_peer);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_bad);
	assert_int_equal(rig.out.n, 0);
}

/* rows: ND2 [v6] */
static void
no_truncation_is_taken_or_read_beyond(void **state)
{
	struct craft good, c;

	question(&good);
	for (size_t len = 0; len < good.len; len++) {
		c = good, c.len = len;
		assert_int_not_equal(netrig_in(&rig, &c), SL_FATE_nd_in);
		if (len < 62)
			continue;
		craft_end(&c); /* lengths and checksum that fit */
		assert_int_equal(netrig_in(&rig, &c),
				 len == 78 ? SL_FATE_nd_in : SL_FATE_nd_bad);
	}
	netrig_nd(&good, netrig_us, netrig_peer, "fd00::2", "fd00::1", NA, S | O, "fd00::2", 2,
		  netrig_peer);
	for (size_t len = 62; len < good.len; len++) {
		c = good, c.len = len;
		craft_end(&c);
		assert_int_equal(netrig_in(&rig, &c),
				 len == 78 ? SL_FATE_nd_ignored : SL_FATE_nd_bad);
	}
}

static void
a_message_that_is_not_whole_in_front_is_refused(void **state)
{
	struct craft c;

	question(&c);
	for (uint16_t cut = 62; cut < c.len; cut++) {
		const uint16_t segs[] = { cut, 0 };
		struct rte_mbuf *m = heapbufs_chain(&rig.hb, c.b, c.len, 128, segs, 2);

		m->port = 7;
		assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_nd_bad);
	}
}

/* rows: ND7 [v6] */
static void
routers_and_redirects_are_ignored(void **state)
{
	struct craft c;

	for (uint8_t type = 133; type <= 137; type++) {
		if (type == NS || type == NA)
			continue;
		netrig_nd(&c, all_nodes, netrig_peer, "fe80::2", "ff02::1", type, 0, "fd00::2",
			  2, netrig_peer);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_nd_ignored);
	}
	netrig_nd(&c, all_nodes, netrig_peer, "fe80::2", "ff02::1", 130, 0, "::", 0, NULL);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_ignored); /* an MLD query */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_for_us_is_answered_solicited_and_overriding),
		TEST(a_direct_question_without_an_option_is_answered_the_way_it_came),
		TEST(one_without_an_address_is_answered_through_all_nodes),
		TEST(one_without_an_address_must_keep_to_the_rules),
		TEST(a_question_for_another_in_our_group_is_ignored),
		TEST(an_answer_resolves),
		TEST(an_unsolicited_answer_resolves_but_is_doubted),
		TEST(without_override_another_address_only_raises_doubt),
		TEST(with_override_another_address_is_taken),
		TEST(an_answer_nobody_asked_for_makes_no_entry),
		TEST(a_question_asks_the_group_and_a_probe_the_host),
		TEST(a_duplicate_is_counted_and_defended_every_ten_seconds),
		TEST(our_own_words_come_back_unheard),
		TEST(what_breaks_the_rules_is_refused),
		TEST(no_truncation_is_taken_or_read_beyond),
		TEST(a_message_that_is_not_whole_in_front_is_refused),
		TEST(routers_and_redirects_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
