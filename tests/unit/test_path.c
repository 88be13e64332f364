/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_path - the next hop over time: asked for, believed, doubted, probed, given up.
 *
 * Each test runs with IPv4 (state 0) and with IPv6 (1).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "netrig.h"

#define S SL_NS_PER_S

static struct netrig rig;

struct family {
	const char *us, *peer, *far, *gateway;
	bool v6;
};

static struct family families[] = {
	{ "10.0.0.1", "10.0.0.2", "192.0.2.1", "10.0.0.254", false },
	{ "fd00::1", "fd00::2", "2001:db8::1", "fd00::fe", true },
};

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

static uint32_t
path_to(const char *text, const struct sl_l2 *came)
{
	struct sl_addr addr = craft_addr(text);
	uint32_t path;

	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, came, &path), 0);
	return path;
}

static bool
is_known(uint32_t path)
{
	return sl_path_l2(rig.net, rig.now, path) != NULL;
}

/* Let @host, at @mac, answer a question of ours. */
static void
answers(const struct family *f, const char *host, const uint8_t *mac)
{
	struct craft c;

	if (f->v6)
		netrig_nd(&c, netrig_us, mac, host, f->us, 136, 0x60000000, host, 2, mac);
	else
		netrig_arp(&c, netrig_us, mac, 2, host, f->us);
	assert_int_equal(netrig_in(&rig, &c), f->v6 ? SL_FATE_nd_in : SL_FATE_arp_in);
}

/* Whether the only frame sent is a question for @host: by broadcast or group, or to @mac. */
static bool
asked(const struct family *f, const char *host, const uint8_t *mac)
{
	struct sl_addr addr = craft_addr(host);
	uint8_t got[128], group[6] = { 0x33, 0x33, 0xff, addr.b[13], addr.b[14], addr.b[15] };
	size_t len = netrig_next(&rig, got, sizeof(got));

	if (mac == NULL)
		mac = f->v6 ? group : netrig_broadcast;
	return rig.out.n == 0 && len == (f->v6 ? 86 : 42) && memcmp(got, mac, 6) == 0 &&
	       memcmp(f->v6 ? got + 62 : got + 38, f->v6 ? addr.b : addr.b + 12,
		      f->v6 ? 16 : 4) == 0;
}

/* A path to the peer that has just answered. */
static uint32_t
reachable(const struct family *f)
{
	uint32_t path = path_to(f->peer, NULL);

	netrig_pass(&rig, rig.now);
	assert_true(asked(f, f->peer, NULL));
	answers(f, f->peer, netrig_peer);
	assert_true(is_known(path));
	return path;
}

static void
an_answer_makes_the_path_usable(void **state)
{
	const struct family *f = *state;
	uint32_t news = sl_net_news(rig.net), path = path_to(f->peer, NULL);
	const struct sl_l2 *l2;

	assert_false(is_known(path));
	assert_false(sl_path_is_dead(rig.net, path));
	assert_int_equal(sl_net_news(rig.net), news);
	netrig_pass(&rig, rig.now);
	assert_true(asked(f, f->peer, NULL));
	answers(f, f->peer, netrig_peer);
	assert_int_not_equal(sl_net_news(rig.net), news);
	l2 = sl_path_l2(rig.net, rig.now, path);
	assert_non_null(l2);
	assert_memory_equal(l2->dst, netrig_peer, 6);
	assert_memory_equal(l2->src, netrig_us, 6);
	assert_int_equal(l2->port, 7);
	assert_int_equal(l2->vlan, 0);
	assert_int_equal(sl_path_mtu(rig.net, path), 1500);
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	sl_path_close(rig.net, path);
}

/* rows: AR3 ND3 [v4 v6] */
static void
three_questions_a_second_apart_then_the_path_is_dead(void **state)
{
	const struct family *f = *state;
	uint32_t path = path_to(f->peer, NULL), news = sl_net_news(rig.net);
	struct sl_neighbour fact;
	sl_ns_t start = rig.now;

	for (int i = 0; i < 3; i++) {
		netrig_pass(&rig, start + i * S);
		assert_true(asked(f, f->peer, NULL));
		netrig_pass(&rig, start + (i + 1) * S - 1);
		assert_int_equal(rig.out.n, 0);
		assert_false(sl_path_is_dead(rig.net, path));
	}
	assert_int_equal(sl_net_news(rig.net), news);
	netrig_pass(&rig, start + 3 * S);
	assert_true(sl_path_is_dead(rig.net, path));
	assert_int_not_equal(sl_net_news(rig.net), news);
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_failed], 1);
	assert_true(sl_net_tell(rig.net, &fact));
	assert_false(fact.reachable);
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	sl_path_close(rig.net, path);
}

static void
a_dead_path_is_left_alone_for_a_while_then_tried_again(void **state)
{
	const struct family *f = *state;
	uint32_t path = path_to(f->peer, NULL);
	sl_ns_t start = rig.now;

	netrig_pass(&rig, start + 3 * S);
	assert_int_equal(netrig_flush(&rig), 3);
	assert_false(is_known(path));
	assert_true(sl_path_is_dead(rig.net, path));
	sl_path_close(rig.net, path);
	path = path_to(f->peer, NULL);
	assert_true(sl_path_is_dead(rig.net, path));
	netrig_pass(&rig, start + 6 * S - 1);
	assert_false(is_known(path));
	assert_int_equal(rig.out.n, 0);
	netrig_pass(&rig, start + 6 * S);
	assert_false(is_known(path));
	assert_false(sl_path_is_dead(rig.net, path));
	netrig_pass(&rig, rig.now);
	assert_true(asked(f, f->peer, NULL));
	answers(f, f->peer, netrig_peer);
	assert_true(is_known(path));
	sl_path_close(rig.net, path);
}

/* rows: AR3 ND4 [v4 v6] */
static void
an_old_entry_is_checked_five_seconds_after_it_is_used(void **state)
{
	const struct family *f = *state;
	uint32_t path = reachable(f);
	sl_ns_t start = rig.now;

	netrig_pass(&rig, start + 30 * S - 1);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	netrig_pass(&rig, start + 100 * S); /* nothing happens while nobody uses it */
	assert_int_equal(rig.out.n, 0);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), rig.now + 5 * S);
	netrig_pass(&rig, start + 105 * S);
	assert_true(asked(f, f->peer, netrig_peer));
	assert_true(is_known(path));
	answers(f, f->peer, netrig_peer);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	sl_path_close(rig.net, path);
}

/* rows: ND4 [v6] */
static void
tcp_progress_spares_the_question(void **state)
{
	const struct family *f = *state;
	uint32_t path = reachable(f);

	for (int i = 0; i < 100; i++) {
		netrig_pass(&rig, rig.now + 20 * S);
		sl_path_confirm(rig.net, rig.now, path);
		assert_true(is_known(path));
	}
	assert_int_equal(rig.out.n, 0);

	netrig_pass(&rig, rig.now + 40 * S); /* confirmed while in delay */
	assert_true(is_known(path));
	netrig_pass(&rig, rig.now + 3 * S);
	sl_path_confirm(rig.net, rig.now, path);
	netrig_pass(&rig, rig.now + 10 * S);
	assert_int_equal(rig.out.n, 0);
	sl_path_close(rig.net, path);
}

static void
probes_unanswered_lead_to_asking_everybody_then_to_death(void **state)
{
	const struct family *f = *state;
	uint32_t path = reachable(f), news;

	netrig_pass(&rig, rig.now + 40 * S);
	assert_true(is_known(path));
	news = sl_net_news(rig.net);
	netrig_pass(&rig, rig.now + 5 * S);
	for (int i = 0; i < 3; i++) {
		assert_true(asked(f, f->peer, netrig_peer));
		assert_true(is_known(path));
		netrig_pass(&rig, rig.now + S);
	}
	assert_int_not_equal(sl_net_news(rig.net), news);
	for (int i = 0; i < 3; i++) {
		assert_true(asked(f, f->peer, NULL));
		assert_false(is_known(path));
		assert_false(sl_path_is_dead(rig.net, path));
		netrig_pass(&rig, rig.now + S);
	}
	assert_true(sl_path_is_dead(rig.net, path));
	sl_path_close(rig.net, path);
}

static void
a_host_that_changed_its_mac_address_is_found_again(void **state)
{
	const struct family *f = *state;
	uint32_t path = reachable(f);

	netrig_pass(&rig, rig.now + 40 * S);
	assert_true(is_known(path));
	netrig_pass(&rig, rig.now + 8 * S);
	assert_int_equal(netrig_flush(&rig), 4);
	answers(f, f->peer, netrig_other);
	assert_memory_equal(sl_path_l2(rig.net, rig.now, path)->dst, netrig_other, 6);
	sl_path_close(rig.net, path);
}

static void
what_lies_behind_a_gateway_shares_its_path(void **state)
{
	const struct family *f = *state;
	uint32_t far = path_to(f->far, NULL), near = path_to(f->gateway, NULL);

	assert_int_equal(far, near);
	netrig_pass(&rig, rig.now);
	assert_true(asked(f, f->gateway, NULL));
	sl_path_close(rig.net, far);
	sl_path_close(rig.net, near);
}

/* The entry that was the gateway's when it was last asked for may be another's by now. */
static void
a_gateway_that_was_forgotten_is_found_anew(void **state)
{
	const struct family *f = *state;
	struct sl_addr addr = craft_addr(f->peer);
	uint32_t path[NETRIG_NEIGHBOURS], far = path_to(f->far, NULL);

	sl_path_close(rig.net, far);
	addr.b[15] = 100;
	for (int i = 0; i < NETRIG_NEIGHBOURS; i++, addr.b[15]++)
		assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path[i]), 0);
	assert_int_equal(path[NETRIG_NEIGHBOURS - 1], far);
	sl_path_close(rig.net, path[0]);
	path[0] = path_to(f->far, NULL);
	assert_int_not_equal(path[0], far);
	assert_int_equal(path_to(f->far, NULL), path[0]);
	sl_path_close(rig.net, path[0]);
	for (int i = 0; i < NETRIG_NEIGHBOURS; i++)
		sl_path_close(rig.net, path[i]);
	assert_int_equal(path_to(f->gateway, NULL), path[0]);
	sl_path_close(rig.net, path[0]);
	assert_int_equal(sl_net_check(rig.net), 0);
}

static void
a_peer_that_proved_itself_needs_no_question(void **state)
{
	const struct family *f = *state;
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7 };
	uint32_t path = path_to(f->peer, &came);

	assert_memory_equal(sl_path_l2(rig.net, rig.now, path)->dst, netrig_peer, 6);
	assert_int_equal(rig.out.n, 0);
	netrig_pass(&rig, rig.now + 5 * S); /* but it is checked, being stale */
	assert_true(asked(f, f->peer, netrig_peer));
	came.dst[5] = 9; /* what is known is not replaced */
	sl_path_close(rig.net, path_to(f->peer, &came));
	assert_memory_equal(sl_path_l2(rig.net, rig.now, path)->dst, netrig_peer, 6);
	sl_path_close(rig.net, path);
}

static void
what_came_another_way_than_we_go_seeds_nothing(void **state)
{
	const struct family *f = *state;
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7, .vlan = 5 };
	uint32_t path = path_to(f->peer, &came);

	assert_false(is_known(path));
	sl_path_close(rig.net, path);
}

static void
without_a_route_the_way_it_came_is_the_way_back(void **state)
{
	const struct family *f = *state;
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7, .vlan = 5 };
	struct sl_addr far = craft_addr(f->far);
	struct netrig own;
	uint32_t path, again;

	netrig_init(&own);
	own.conf.port[0].n_routes = 0;
	netrig_open(&own);
	assert_int_equal(sl_path_open(own.net, own.now, &far, NULL, &path), -EHOSTUNREACH);
	assert_int_equal(own.stats.count[SL_CNT_no_route], 1);
	assert_int_equal(sl_path_open(own.net, own.now, &far, &came, &path), 0);
	far.b[15]++;
	assert_int_equal(sl_path_open(own.net, own.now, &far, &came, &again), 0);
	assert_int_equal(again, path);
	assert_memory_equal(sl_path_l2(own.net, 1000 * S, path)->dst, came.dst, 6);
	assert_int_equal(sl_path_l2(own.net, 1000 * S, path)->vlan, 5);
	sl_path_confirm(own.net, 1000 * S, path);
	netrig_pass(&own, 1000 * S);
	assert_int_equal(netrig_flush(&own), 4); /* the announcements alone */
	sl_path_close(own.net, path);
	sl_path_close(own.net, path);
	netrig_close(&own);
}

static void
nobody_is_reached_at_our_own_or_a_group_address(void **state)
{
	const struct family *f = *state;
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7 };
	struct sl_addr us = craft_addr(f->us),
		       group = craft_addr(f->v6 ? "ff02::5" : "224.0.0.5");
	uint32_t path;

	assert_int_equal(sl_path_open(rig.net, rig.now, &us, &came, &path), -EHOSTUNREACH);
	assert_int_equal(sl_path_open(rig.net, rig.now, &group, &came, &path), -EHOSTUNREACH);
}

/* rows: AR4 [v4 v6] */
static void
a_full_table_makes_room_of_what_nobody_uses(void **state)
{
	const struct family *f = *state;
	struct sl_addr addr = craft_addr(f->peer);
	uint32_t path[NETRIG_NEIGHBOURS], more;

	addr.b[15] = 100;
	for (int i = 0; i < NETRIG_NEIGHBOURS; i++, addr.b[15]++)
		assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path[i]), 0);
	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &more), -ENOSPC);
	assert_int_equal(rig.stats.count[SL_CNT_neighbour_full], 1);
	sl_path_close(rig.net, path[3]);
	assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path[3]), 0);
	assert_int_equal(sl_net_check(rig.net), 0);
	netrig_pass(&rig, rig.now);
	assert_int_equal(rig.out.n, NETRIG_NEIGHBOURS); /* the evicted one asks no more */
	for (int i = 0; i < NETRIG_NEIGHBOURS; i++)
		sl_path_close(rig.net, path[i]);
}

/* What somebody claims who has not proved that he hears us. */
static void
for_a_stranger_nobody_is_looked_for(void **state)
{
	const struct family *f = *state;
	struct sl_addr peer = craft_addr(f->peer), far = craft_addr(f->far);
	uint32_t path = reachable(f), same, gateway;

	netrig_flush(&rig);
	assert_int_equal(sl_path_known(rig.net, &peer, &same), 0);
	assert_int_equal(same, path);
	sl_path_close(rig.net, same);
	assert_int_equal(sl_path_known(rig.net, &far, &same), -ENOENT);
	netrig_pass(&rig, rig.now + 10 * S);
	assert_int_equal(rig.out.n, 0);

	gateway = path_to(f->far, NULL);
	assert_int_equal(sl_path_known(rig.net, &far, &same), -ENOENT); /* only asked for */
	netrig_pass(&rig, rig.now);
	answers(f, f->gateway, netrig_other);
	assert_int_equal(sl_path_known(rig.net, &far, &same), 0);
	assert_int_equal(same, gateway);
	sl_path_close(rig.net, same);
	sl_path_close(rig.net, gateway);
	sl_path_close(rig.net, path);
}

static void
the_least_lately_used_goes_first(void **state)
{
	const struct family *f = *state;
	struct sl_addr addr = craft_addr(f->peer);
	uint32_t path;

	reachable(f); /* stays open, so it stays */
	for (int i = 0; i < 50; i++) {
		addr.b[15] = (uint8_t)(50 + i);
		assert_int_equal(sl_path_open(rig.net, rig.now, &addr, NULL, &path), 0);
		sl_path_close(rig.net, path);
	}
	path = path_to(f->peer, NULL);
	assert_true(is_known(path));
	sl_path_close(rig.net, path);
	sl_path_close(rig.net, path);
}

static void
a_question_without_a_buffer_is_asked_a_second_later(void **state)
{
	const struct family *f = *state;
	uint32_t path = path_to(f->peer, NULL);
	sl_ns_t start = rig.now;

	heapbufs_fail_nth(&rig.hb, 1);
	netrig_pass(&rig, start);
	assert_int_equal(rig.out.n, 0);
	assert_int_equal(rig.stats.count[SL_CNT_no_buffer], 1);
	netrig_pass(&rig, start + 3 * S); /* and is not counted as one of the three */
	assert_int_equal(netrig_flush(&rig), 3);
	assert_false(sl_path_is_dead(rig.net, path));
	sl_path_close(rig.net, path);
}

static void
a_question_without_room_waits_for_it(void **state)
{
	const struct family *f = *state;
	uint32_t path = path_to(f->peer, NULL);

	rig.out.room = 0;
	sl_net_run(rig.net, rig.now, &rig.out);
	assert_true(sl_net_next(rig.net) <= rig.now);
	rig.out.room = 1;
	sl_net_run(rig.net, rig.now, &rig.out);
	rig.out.room = 256;
	assert_true(asked(f, f->peer, NULL));
	sl_path_close(rig.net, path);
}

/* A fact about the peer as a sibling tells it. */
static void
learn(const struct family *f, const uint8_t *mac, bool alive, bool unasked)
{
	struct sl_neighbour fact = {
		.addr = craft_addr(f->peer),
		.port = 7,
		.reachable = alive,
		.solicited = alive,
		.unasked = unasked,
	};

	memcpy(fact.mac, mac, 6);
	sl_net_learn(rig.net, rig.now, &fact);
	assert_int_equal(sl_net_check(rig.net), 0);
}

static void
what_a_sibling_learnt_serves_us(void **state)
{
	const struct family *f = *state;
	struct sl_neighbour fact;
	uint32_t path;

	learn(f, netrig_peer, true, false);
	path = path_to(f->peer, NULL);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	assert_false(sl_net_tell(rig.net, &fact)); /* and is not told again */
	learn(f, netrig_other, true, false);
	assert_memory_equal(sl_path_l2(rig.net, rig.now, path)->dst, netrig_other, 6);
	assert_int_equal(sl_net_next(rig.net), rig.now + 5 * S);
	sl_path_close(rig.net, path);
}

/* A request or solicitation names its sender, and proves nothing (RFC 4861, 7.2.3). */
static void
what_a_sibling_only_heard_is_checked_when_used(void **state)
{
	const struct family *f = *state;
	struct sl_neighbour fact = { .addr = craft_addr(f->peer),
				     .port = 7,
				     .reachable = true };
	uint32_t path;

	memcpy(fact.mac, netrig_peer, 6);
	sl_net_learn(rig.net, rig.now, &fact);
	path = path_to(f->peer, NULL);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), rig.now + 5 * S);
	sl_net_learn(rig.net, rig.now, &fact); /* again: still nobody answered */
	assert_int_equal(sl_net_next(rig.net), rig.now + 5 * S);
	learn(f, netrig_peer, true, false);
	assert_int_equal(sl_net_next(rig.net), UINT64_MAX);
	sl_path_close(rig.net, path);
}

static void
what_nobody_asked_a_sibling_serves_only_who_waits(void **state)
{
	const struct family *f = *state;
	uint32_t path;

	learn(f, netrig_peer, true, true);
	path = path_to(f->peer, NULL);
	assert_false(is_known(path));
	learn(f, netrig_peer, true, true);
	assert_true(is_known(path));
	sl_path_close(rig.net, path);
}

static void
what_a_sibling_lost_is_checked_when_used(void **state)
{
	const struct family *f = *state;
	uint32_t path = reachable(f);

	learn(f, netrig_peer, false, false);
	assert_true(is_known(path));
	assert_int_equal(sl_net_next(rig.net), rig.now + 5 * S);
	sl_path_close(rig.net, path);
}

static void
a_core_that_does_not_speak_waits_longer_before_it_probes(void **state)
{
	const struct family *f = *state;
	struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7 };
	struct sl_addr addr = craft_addr(f->peer);
	struct netrig own;
	uint32_t path;

	netrig_init(&own);
	own.conf.speaks = false;
	netrig_open(&own);
	assert_int_equal(sl_path_open(own.net, own.now, &addr, &came, &path), 0);
	assert_non_null(sl_path_l2(own.net, own.now, path));
	assert_int_equal(sl_net_next(own.net), own.now + 15 * S);
	sl_path_close(own.net, path);
	netrig_close(&own);
}

/* Thousands of random calls, every invariant after each; the seed is the only input. */
static void
random_use_keeps_every_invariant(void **state)
{
	const struct family *f = *state;
	uint32_t seed = 1, path[64], n = 0;

	for (int i = 0; i < 20000; i++) {
		struct sl_addr addr = craft_addr(f->peer);
		struct sl_l2 came = { .dst = { 2, 0, 0, 0, 0, 2 }, .port = 7 };

		seed = seed * 1664525 + 1013904223;
		addr.b[15] = 100 + (seed >> 8) % 20;
		switch (seed >> 16 & 7) {
		case 0:
		case 1:
			if (n < 64 &&
			    sl_path_open(rig.net, rig.now, &addr, seed & 1 << 20 ? &came : NULL,
					 &path[n]) == 0)
				n++;
			break;
		case 2:
		case 3:
			if (n > 0)
				sl_path_close(rig.net, path[--n]);
			break;
		case 4:
			if (n > 0)
				sl_path_l2(rig.net, rig.now, path[seed % n]);
			break;
		case 5:
			if (n > 0)
				sl_path_confirm(rig.net, rig.now, path[seed % n]);
			break;
		case 6:
			learn(f, seed & 1 << 20 ? netrig_peer : netrig_other, seed & 1 << 21,
			      seed & 1 << 22);
			break;
		default:
			netrig_pass(&rig, rig.now + (seed >> 4) % (8 * S / 1000) * 1000);
			netrig_flush(&rig);
		}
		assert_int_equal(sl_net_check(rig.net), 0);
	}
	while (n > 0)
		sl_path_close(rig.net, path[--n]);
}

#define IN4(f)                                                   \
	{                                                        \
#f " (v4)", f, open_rig, close_rig, &families[0] \
	}
#define IN6(f)                                                   \
	{                                                        \
#f " (v6)", f, open_rig, close_rig, &families[1] \
	}
#define BOTH(f) IN4(f), IN6(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(an_answer_makes_the_path_usable),
		BOTH(three_questions_a_second_apart_then_the_path_is_dead),
		BOTH(a_dead_path_is_left_alone_for_a_while_then_tried_again),
		BOTH(an_old_entry_is_checked_five_seconds_after_it_is_used),
		BOTH(tcp_progress_spares_the_question),
		BOTH(probes_unanswered_lead_to_asking_everybody_then_to_death),
		BOTH(a_host_that_changed_its_mac_address_is_found_again),
		BOTH(what_lies_behind_a_gateway_shares_its_path),
		BOTH(a_gateway_that_was_forgotten_is_found_anew),
		BOTH(a_peer_that_proved_itself_needs_no_question),
		BOTH(what_came_another_way_than_we_go_seeds_nothing),
		BOTH(without_a_route_the_way_it_came_is_the_way_back),
		BOTH(nobody_is_reached_at_our_own_or_a_group_address),
		BOTH(a_full_table_makes_room_of_what_nobody_uses),
		BOTH(for_a_stranger_nobody_is_looked_for),
		BOTH(the_least_lately_used_goes_first),
		BOTH(a_question_without_a_buffer_is_asked_a_second_later),
		BOTH(a_question_without_room_waits_for_it),
		BOTH(what_a_sibling_learnt_serves_us),
		BOTH(what_a_sibling_only_heard_is_checked_when_used),
		BOTH(what_nobody_asked_a_sibling_serves_only_who_waits),
		BOTH(what_a_sibling_lost_is_checked_when_used),
		BOTH(a_core_that_does_not_speak_waits_longer_before_it_probes),
		BOTH(random_use_keeps_every_invariant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
