/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_abuse - strangers: what they can take, and that it is no more.
 *
 * Those who connect and are ill-meaning then are in test_greed.c and test_holders.c. Each claim
 * of lib/THREATS.md that virtual time can show has its test in one of the three.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "craft.h"
#include "link.h"
#include "siege.h"

#include "l7/apps.h"

#define CLOSED 81
#define US     "10.0.0.1"
#define US6    "fd00::1"

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, peer[6] = { 2, 0, 0, 0, 0, 2 };

/* Somebody, somewhere: a host that is not on our link. */
static void
be_a_stranger(uint16_t lport)
{
	struct sl_tuple *t = &siege.s.tuple;
	uint64_t draw = rnd_u64(&siege.rnd);

	if (t->v6)
		t->remote = (struct sl_addr){ .b = { 0x20, 0x01, 0x0d, 0xb8 } };
	else
		t->remote = sl_addr_v4(0xc6120000);
	memcpy(t->remote.b + 14, &draw, 2);
	t->lport = lport;
	t->rport = 1024 + draw / 65536 % 60000;
}

static void
strange(uint8_t flags, uint16_t len)
{
	static const uint8_t zeros[100];
	struct sl_seg_out seg = {
		.seq = (uint32_t)rnd_u64(&siege.rnd),
		.ack = (uint32_t)rnd_u64(&siege.rnd),
		.wnd = 1024,
		.flags = flags,
	};

	solo_send(&siege.s, &seg, zeros, len);
	siege_step_one_for_one();
}

/*
 * RFC 9293, 3.10.7.1 and 3.10.7.2, met ten thousand times.
 * rows: OC16 SF1 SF3 SF6 [v4 v6]
 */
static void
a_flood_of_any_flags_leaves_nothing_and_gets_no_more_than_it_brings(void **state)
{
	const uint8_t all = SL_FIN | SL_SYN | SL_RST | SL_PSH | SL_ACK | SL_URG;
	const uint8_t kinds[] = { SL_SYN,
				  SL_ACK,
				  SL_RST,
				  SL_FIN,
				  SL_SYN | SL_FIN,
				  SL_FIN | SL_PSH | SL_URG, /* a Christmas tree */
				  0,
				  all,
				  SL_SYN | SL_ACK,
				  SL_SYN | SL_RST,
				  SL_FIN | SL_ACK,
				  SL_RST | SL_ACK,
				  SL_SYN | SL_ECE | SL_CWR };
	const uint16_t ports[] = { SIEGE_PORT, CLOSED };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		for (unsigned int k = 0; k < sizeof(kinds); k++) {
			for (unsigned int i = 0; i < 400; i++) {
				be_a_stranger(ports[i & 1]);
				strange(kinds[k], i & 2 ? 100 : 0);
			}
			siege_moved_nothing(&before);
		}
		assert_true(siege_count(SL_CNT_cookie_bad) > 0);
		assert_true(siege_count(SL_CNT_reset_out) > 0);
		siege_end();
	}
}

/*
 * Whatever a SYN offers, the answer is four bytes longer at most.
 * rows: SF6 [v4 v6]
 */
static void
no_syn_ack_is_larger_than_its_syn_by_more_than_the_mss(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		siege_init(v6, &sl_discard);
		siege_begin();
		for (unsigned int opts = 0; opts < 16; opts++) {
			struct sl_seg_out syn = { .flags = SL_SYN,
						  .opts = (uint8_t)opts,
						  .mss = 1460,
						  .wscale = 7,
						  .tsval = 99 };

			be_a_stranger(SIEGE_PORT);
			solo_send(&siege.s, &syn, NULL, 0);
			siege_step_one_for_one();
		}
		assert_int_equal(siege_fate(SL_FATE_tcp_syn_cookie), 17);
		siege_end();
	}
}

/* What is answered without TCP. */
static void
questions_of_neighbours_are_answered_by_as_much(void **state)
{
	uint64_t out;
	struct craft c;

	siege_init(false, &sl_discard);
	siege_begin();
	out = siege.s.frames_out;
	for (unsigned int i = 0; i < 1000; i++) {
		craft_ether(&c, us, peer, 0, 0x0806);
		craft_hex(&c, "0001 0800 06 04 0001 020000000002");
		craft_u32(&c, 0x0a000003 + i % 200); /* everybody on the link */
		craft_hex(&c, "000000000000");
		craft_addr_bytes(&c, US);
		solo_frame(&siege.s, c.b, c.len);
		siege_step_one_for_one();

		craft_ether(&c, us, peer, 0, 0x0800);
		craft_ip4(&c, "198.18.0.7", US, 1);
		craft_hex(&c, "0800 0000 1234 0001 00112233");
		craft_end(&c);
		solo_frame(&siege.s, c.b, c.len);
		siege_step_one_for_one();
	}
	assert_int_equal(siege_fate(SL_FATE_arp_in), 1000);
	assert_in_range(siege_fate(SL_FATE_icmp_echo), 1, 999); /* within a budget */
	assert_int_equal(siege_fate(SL_FATE_icmp_echo) + siege_fate(SL_FATE_icmp_limit), 1000);
	assert_int_equal(siege.s.frames_out - out, 1000 + siege_fate(SL_FATE_icmp_echo));
	siege_end();
}

/*
 * With state a SYN costs a record, but no more than the backlog has, and not for long.
 * rows: SF1 SF9 [v4 v6]
 */
static void
half_open_connections_are_bounded_and_forgotten(void **state)
{
	const enum sl_cookies modes[] = { SL_COOKIES_NEVER, SL_COOKIES_AUTO };

	for (unsigned int i = 0; i < 4; i++) {
		enum sl_cookies mode = modes[i / 2];
		struct siege_gauges before;
		struct siege_peer newcomer;

		siege_init(i % 2, &sl_discard);
		siege.s.conf.listener[0].tcp.cookies = mode;
		siege.s.conf.listener[0].backlog = 16;
		siege_begin();
		before = siege_gauges();
		for (unsigned int n = 0; n < 1000; n++) {
			be_a_stranger(SIEGE_PORT);
			strange(SL_SYN, 0);
			assert_true(siege_count(SL_CNT_half_open) <= 16);
		}
		assert_int_equal(siege_count(SL_CNT_half_open), 16);
		siege_echoes(&siege.old, 100);
		if (mode == SL_COOKIES_AUTO) { /* cookies let a newcomer in meanwhile */
			siege_meet(&newcomer, SIEGE_PORT, 30002, 65535, 1460);
			assert_int_equal(siege_count(SL_CNT_cookie_ok), 2);
			siege_leaves(&newcomer);
		}
		siege.s.tuple = siege.old.tuple;
		for (unsigned int n = 0; n < 70; n++) {
			solo_pass(&siege.s, 1000);
			solo_clear(&siege.s);
		}
		siege_moved_nothing(&before);
		siege_meet(&newcomer, SIEGE_PORT, 30003, 65535, 1460);
		siege_leaves(&newcomer);
		siege_end();
	}
}

static uint64_t
questions(void)
{
	return siege_count(SL_CNT_arp_out) + siege_count(SL_CNT_nd_out);
}

/*
 * Who claims to live on our link and has proved nothing is not looked for there: he takes no
 * neighbour, pushes none out, and makes us ask nobody.
 * rows: SF1 [v4 v6]
 */
static void
half_open_connections_make_no_neighbours(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;
		uint64_t asked;

		siege_init(v6, &sl_discard);
		siege.s.conf.listener[0].tcp.cookies = SL_COOKIES_NEVER;
		siege.s.conf.net.neighbours = 8;
		siege_begin();
		before = siege_gauges();
		asked = questions();
		for (unsigned int i = 0; i < 16; i++) {
			siege.s.tuple.lport = SIEGE_PORT;
			siege.s.tuple.remote = link_addr(20 + i, v6);
			strange(SL_SYN, 0);
		}
		assert_int_equal(siege_count(SL_CNT_half_open), 16);
		siege_wait(70);
		assert_int_equal(questions(), asked);
		assert_int_equal(siege_count(SL_CNT_neighbour_full), 0);
		assert_int_equal(siege_count(SL_CNT_synack), 16 + 1); /* and the friend's */
		siege_moved_nothing(&before);
		siege_end();
	}
}

/* A client with the address of host @host connects. What it is told is in siege.s.out. */
static struct siege_peer
meet_host(unsigned int host, uint16_t rport)
{
	struct solo *s = &siege.s;
	struct sl_seg_out syn = { .opts = SL_OPT_MSS, .mss = 1460, .wnd = 1024 };

	s->tuple.remote = link_addr(host, s->tuple.v6);
	s->tuple.lport = SIEGE_PORT;
	s->tuple.rport = rport;
	solo_handshake(s, (uint32_t)rnd_u64(&siege.rnd), &syn);
	return (struct siege_peer){ .tuple = s->tuple, .seq = s->irs + 1, .ack = s->iss + 1 };
}

/*
 * Every neighbour is in use, so there is no way back to one more: it hears so at once, and does
 * not believe for ever that it is connected.
 * rows: SF1 [v4 v6]
 */
static void
who_finds_no_way_back_is_reset(void **state)
{
	const enum sl_cookies modes[] = { SL_COOKIES_NEVER, SL_COOKIES_ALWAYS };

	for (unsigned int i = 0; i < 4; i++) {
		struct siege_peer client[3];
		uint64_t live;

		siege_init(i % 2, &sl_discard);
		siege.s.conf.listener[0].tcp.cookies = modes[i / 2];
		siege.s.conf.net.neighbours = 1 + 3;
		siege_begin();
		for (unsigned int n = 0; n < 3; n++) {
			client[n] = meet_host(20 + n, 31000);
			assert_int_equal(siege.s.n_out, 1);
		}
		live = siege_count(SL_CNT_live);
		meet_host(30, 31000);
		assert_int_equal(siege.s.n_out, 2);
		assert_int_equal(siege.s.out[1].seg.flags, SL_RST);
		assert_int_equal(siege.s.out[1].seg.seq, siege.s.iss + 1);
		solo_step(&siege.s);
		assert_int_equal(siege_count(SL_CNT_live), live);
		for (unsigned int n = 0; n < 3; n++)
			siege_leaves(&client[n]);
		siege_end();
	}
}

/*
 * Numbers drawn at random against a connection that is there.
 * rows: BA1 BA2 BA3 [v4 v6]
 */
static void
blind_segments_neither_end_nor_feed_a_connection(void **state)
{
	const uint8_t kinds[] = { SL_RST,          SL_RST | SL_ACK, SL_SYN, SL_ACK | SL_PSH,
				  SL_ACK | SL_FIN, SL_SYN | SL_ACK, SL_ACK, 0,
				  SL_FIN };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		for (unsigned int k = 0; k < sizeof(kinds); k++) {
			for (unsigned int i = 0; i < 500; i++) {
				siege.s.tuple = siege.old.tuple;
				strange(kinds[k], kinds[k] & SL_PSH ? 50 : 0);
			}
			siege_moved_nothing(&before);
			siege_echoes(&siege.old, 10);
		}
		siege_end();
	}
}

/*
 * Walking through the window with resets: challenges, but three and then two a second.
 * rows: BA1 BA4 [v4 v6]
 */
static void
a_walk_through_the_window_is_met_by_few_challenges(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		uint64_t before;
		sl_ns_t since;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_count(SL_CNT_challenge_ack);
		since = siege.s.now;
		for (unsigned int i = 1; i < 3000; i++) {
			struct sl_seg_out rst = { .seq = siege.old.seq + i, .flags = SL_RST };

			siege.s.tuple = siege.old.tuple;
			solo_send(&siege.s, &rst, NULL, 0);
			siege_step_one_for_one();
			siege.s.now += SL_NS_PER_MS;
		}
		assert_int_equal(siege_count(SL_CNT_challenge_ack) - before,
				 3 + (siege.s.now - since) / (500 * SL_NS_PER_MS));
		siege_end();
	}
}

/* The third ACK of @f again. */
static void
replay(const struct siege_peer *f)
{
	struct sl_seg_out ack = { f->seq, f->ack, .flags = SL_ACK, .wnd = 1024 };

	siege.s.tuple = f->tuple;
	solo_send(&siege.s, &ack, NULL, 0);
	siege_step_one_for_one();
}

/*
 * The price of no state: an exact repeat opens again within a cookie's life, but one
 * connection a tuple and no longer than that; and on no other tuple.
 * rows: SF3 [v4 v6]
 */
static void
a_replayed_cookie_is_one_connection_at_most_and_dies_with_its_epoch(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_peer f, other;
		struct siege_gauges before;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		siege_meet(&f, SIEGE_PORT, 31000, 1024, 1460);
		siege_leaves(&f);
		siege_moved_nothing(&before);
		for (unsigned int i = 0; i < 20; i++) {
			replay(&f);
			replay(&f);
			assert_int_equal(siege_count(SL_CNT_live), before.live + 1);
			other = f;
			other.tuple.rport++;
			replay(&other);
			assert_int_equal(siege_count(SL_CNT_live), before.live + 1);
			siege_leaves(&f);
			siege_moved_nothing(&before);
		}
		siege.s.tuple = siege.old.tuple;
		solo_pass(&siege.s, 65000);
		replay(&f);
		siege_moved_nothing(&before);
		siege_end();
	}
}

/* rows: SG14 [v4 v6] */
static void
a_segment_from_ourselves_to_ourselves_is_impossible(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;
		uint64_t out;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		out = siege.s.frames_out;
		for (unsigned int i = 0; i < 300; i++) {
			siege.s.tuple.remote = siege.s.tuple.local;
			siege.s.tuple.lport = siege.s.tuple.rport =
				i & 1 ? SIEGE_PORT : SIEGE_ECHO;
			strange(i & 2 ? SL_SYN : SL_ACK, 0);
		}
		assert_int_equal(siege_fate(SL_FATE_ip_source), 300);
		assert_int_equal(siege.s.frames_out, out);
		siege_moved_nothing(&before);
		siege_end();
	}
}

/* An ICMP error of @type and @code that quotes a segment of the friend's connection. */
static void
forge_icmp(uint8_t type, uint8_t code, uint32_t seq)
{
	const struct sl_tuple *t = &siege.old.tuple;
	struct craft c;

	craft_ether(&c, us, peer, 0, t->v6 ? 0x86dd : 0x0800);
	if (t->v6)
		craft_ip6(&c, "fd00::2", US6, 58);
	else
		craft_ip4(&c, "10.0.0.2", US, 1);
	craft_u16(&c, (uint16_t)(type << 8 | code));
	craft_hex(&c, "0000 0000 0044"); /* an MTU of 68 */
	if (t->v6) {
		craft_hex(&c, "60000000 0014 06 40");
		craft_addr_bytes(&c, US6);
		craft_addr_bytes(&c, "fd00::2");
	} else {
		craft_hex(&c, "45000028 00004000 40060000");
		craft_addr_bytes(&c, US);
		craft_addr_bytes(&c, "10.0.0.2");
	}
	craft_u16(&c, t->lport);
	craft_u16(&c, t->rport);
	craft_u32(&c, seq);
	craft_hex(&c, "00000000 50100000 00000000");
	craft_end(&c);
	solo_frame(&siege.s, c.b, c.len);
	siege_step_one_for_one();
}

/* rows: IC2 IC5 PM2 [v4 v6] */
static void
forged_icmp_changes_no_connection(void **state)
{
	const uint8_t v4[] = { 3, 4, 5, 11, 12 }, v6s[] = { 1, 2, 3, 4, 137 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;
		uint64_t out;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		out = siege.s.frames_out;
		for (unsigned int k = 0; k < 5; k++) {
			for (unsigned int i = 0; i < 200; i++)
				forge_icmp(v6 ? v6s[k] : v4[k], i % 16,
					   i & 1 ? siege.old.ack
						 : (uint32_t)rnd_u64(&siege.rnd));
		}
		assert_int_equal(siege.s.frames_out, out);
		assert_int_equal(siege_fate(SL_FATE_icmp_error), 0);
		assert_int_equal(siege_fate(SL_FATE_icmp_unmatched), v6 ? 800 : 600);
		siege_moved_nothing(&before);
		siege_echoes(&siege.old,
			     v6 ? 1440 : 1460); /* its segments are as long as before */
		siege_end();
	}
}

/* rows: SG15 [v4 v6] */
static void
fragments_are_counted_and_held_by_nobody(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_gauges before;
		uint64_t out;

		siege_init(v6, &sl_discard);
		siege_begin();
		before = siege_gauges();
		out = siege.s.frames_out;
		for (unsigned int i = 0; i < 500; i++) {
			uint16_t place = (uint16_t)rnd_below(&siege.rnd, 1 << 13);
			struct craft c;

			craft_ether(&c, us, peer, 0, v6 ? 0x86dd : 0x0800);
			if (v6) {
				craft_ip6(&c, "fd00::2", US6, 44);
				craft_u16(&c, 0x0600);
				craft_u16(&c, (uint16_t)(place << 3 | 1));
				craft_u32(&c, i);
			} else {
				craft_ip4(&c, "10.0.0.2", US, 6);
				c.b[c.l3 + 6] = (uint8_t)(0x20 | place >> 8);
				c.b[c.l3 + 7] = (uint8_t)place;
			}
			craft_hex(&c, "0102030405060708 090a0b0c0d0e0f10");
			craft_end(&c);
			solo_frame(&siege.s, c.b, c.len);
			siege_step_one_for_one();
		}
		assert_int_equal(siege_fate(SL_FATE_ip_fragment), 500);
		assert_int_equal(siege.s.frames_out, out);
		siege_moved_nothing(&before);
		siege_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_flood_of_any_flags_leaves_nothing_and_gets_no_more_than_it_brings),
		cmocka_unit_test(no_syn_ack_is_larger_than_its_syn_by_more_than_the_mss),
		cmocka_unit_test(questions_of_neighbours_are_answered_by_as_much),
		cmocka_unit_test(half_open_connections_are_bounded_and_forgotten),
		cmocka_unit_test(half_open_connections_make_no_neighbours),
		cmocka_unit_test(who_finds_no_way_back_is_reset),
		cmocka_unit_test(blind_segments_neither_end_nor_feed_a_connection),
		cmocka_unit_test(a_walk_through_the_window_is_met_by_few_challenges),
		cmocka_unit_test(
			a_replayed_cookie_is_one_connection_at_most_and_dies_with_its_epoch),
		cmocka_unit_test(a_segment_from_ourselves_to_ourselves_is_impossible),
		cmocka_unit_test(forged_icmp_changes_no_connection),
		cmocka_unit_test(fragments_are_counted_and_held_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
