/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_icmp - echo answered within a limit, errors read and classified, the rest let go.
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

/* An ICMP packet of either family between the peer and us, to be filled and ended. */
static void
begin(struct craft *c, bool v6, const uint8_t *dst, const uint8_t *src, bool from_us)
{
	craft_ether(c, dst, src, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(c, from_us ? "fd00::1" : "fd00::2", from_us ? "fd00::2" : "fd00::1",
			  58);
	else
		craft_ip4(c, from_us ? "10.0.0.1" : "10.0.0.2",
			  from_us ? "10.0.0.2" : "10.0.0.1", 1);
}

/* An echo request with @len bytes, or the reply to it. */
static void
echo(struct craft *c, bool v6, size_t len, bool reply)
{
	uint8_t type[4] = { v6 ? 128 + reply : reply ? 0 : 8 };

	begin(c, v6, reply ? netrig_peer : netrig_us, reply ? netrig_us : netrig_peer, reply);
	craft_bytes(c, type, 4);
	craft_u32(c, 0x12340001);
	for (size_t i = 0; i < len; i++)
		craft_bytes(c, &(uint8_t){ (uint8_t)(i * 3) }, 1);
	craft_end(c);
}

/* rows: IC7 [v4 v6] */
static void
echo_is_answered_in_the_same_buffer_without_its_padding(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft ask, reply;
		uint64_t n_got = rig.hb.n_got;

		for (size_t len = 0; len < 100; len += 7) {
			echo(&ask, v6, len, false);
			echo(&reply, v6, len, true);
			craft_hex(&ask, "0000000000");
			assert_int_equal(netrig_in(&rig, &ask), SL_FATE_icmp_echo);
			assert_true(netrig_sent(&rig, &reply));
		}
		assert_int_equal(rig.hb.n_got, n_got);
	}
	assert_int_equal(rig.stats.count[SL_CNT_icmp_out], 30);
}

static void
echo_in_a_buffer_that_is_not_ours_alone_is_copied(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const uint16_t cut[] = { 70, 0, 41, 1 };
		struct craft ask, reply;
		struct rte_mbuf *m;

		echo(&ask, v6, 300, false);
		echo(&reply, v6, 300, true);
		craft_hex(&ask, "0000000000");

		m = heapbufs_external(&rig.hb, ask.b, ask.len);
		m->port = 7;
		assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_icmp_echo);
		assert_true(netrig_sent(&rig, &reply));

		m = heapbufs_packet(&rig.hb, ask.b, ask.len, 128);
		m->port = 7;
		rte_mbuf_refcnt_update(m, 1);
		assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_icmp_echo);
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), ask.b, ask.len);
		heapbufs_put(&rig.hb, m);
		assert_true(netrig_sent(&rig, &reply));

		m = heapbufs_chain(&rig.hb, ask.b, ask.len, 128, cut, 4);
		m->port = 7;
		assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_icmp_echo);
		assert_true(netrig_sent(&rig, &reply));
	}
}

static void
a_jumbo_echo_goes_back_as_the_chain_it_is(void **state)
{
	const uint16_t cut[] = { 2000, 2001, 2000, 0 };
	struct craft ask, reply;
	struct netrig own;
	struct rte_mbuf *m;

	netrig_init(&own);
	own.conf.port[0].mtu = 9000;
	own.conf.port[0].offloads = SL_OFFLOAD_MULTI_SEG;
	netrig_open(&own);
	sl_net_run(own.net, own.now, &own.out);
	netrig_flush(&own);
	echo(&ask, true, 8000, false);
	echo(&reply, true, 8000, true);
	m = heapbufs_chain(&own.hb, ask.b, ask.len, 128, cut, 4);
	m->port = 7;
	assert_int_equal(netrig_in_mbuf(&own, m), SL_FATE_icmp_echo);
	assert_int_equal(own.pkt[0]->nb_segs, 4);
	assert_true(netrig_sent(&own, &reply));
	netrig_close(&own);
}

static void
options_and_extension_headers_are_not_echoed(void **state)
{
	struct craft ask, reply;

	craft_ether(&ask, netrig_us, netrig_peer, 0, 0x0800);
	craft_ip4(&ask, "10.0.0.2", "10.0.0.1", 1);
	craft_hex(&ask, "0707040000000000");
	ask.b[14] = 0x47;
	craft_l4(&ask, 1);
	craft_hex(&ask, "0800 0000 1234 0001");
	craft_end(&ask);
	assert_int_equal(netrig_in(&rig, &ask), SL_FATE_icmp_echo);
	echo(&reply, false, 0, true);
	assert_true(netrig_sent(&rig, &reply));

	craft_ether(&ask, netrig_us, netrig_peer, 0, 0x86dd);
	craft_ip6(&ask, "fd00::2", "fd00::1", 60);
	craft_hex(&ask, "3a00010400000000");
	craft_l4(&ask, 58);
	craft_hex(&ask, "8000 0000 1234 0001");
	craft_end(&ask);
	assert_int_equal(netrig_in(&rig, &ask), SL_FATE_icmp_echo);
	echo(&reply, true, 0, true);
	assert_true(netrig_sent(&rig, &reply));
}

static void
a_tag_in_the_mbuf_goes_back_into_the_frame(void **state)
{
	struct craft ask, reply;

	for (uint16_t headroom = 0; headroom <= 128; headroom += 128) {
		craft_ether(&ask, netrig_us, netrig_peer, 0, 0x0800);
		craft_ip4(&ask, "10.5.0.2", "10.5.0.1", 1);
		craft_hex(&ask, "0800 0000 1234 0001");
		craft_end(&ask);
		craft_ether(&reply, netrig_peer, netrig_us, 5, 0x0800);
		craft_ip4(&reply, "10.5.0.1", "10.5.0.2", 1);
		craft_hex(&reply, "0000 0000 1234 0001");
		craft_end(&reply);

		struct rte_mbuf *m = heapbufs_packet(&rig.hb, ask.b, ask.len, headroom);

		m->port = 7;
		m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = 5;
		assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_icmp_echo);
		assert_int_equal(rig.pkt[0]->ol_flags, 0);
		assert_true(netrig_sent(&rig, &reply));
	}
}

/* rows: IC7 */
static void
echo_is_limited_to_a_thousand_a_second(void **state)
{
	struct craft c;
	unsigned int n_echo = 0;

	echo(&c, false, 0, false);
	while (netrig_in(&rig, &c) == SL_FATE_icmp_echo && n_echo < 1000)
		n_echo++;
	assert_int_equal(n_echo, 200);
	netrig_flush(&rig);
	for (n_echo = 0; n_echo < 5000;) {
		rig.now += SL_NS_PER_MS / 4;
		if (netrig_in(&rig, &c) == SL_FATE_icmp_echo)
			n_echo++;
		netrig_flush(&rig);
		if (rig.now >= 3 * SL_NS_PER_S)
			break;
	}
	assert_int_equal(n_echo, 2000);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_limit);
}

/* rows: IC7 [v4 v6] */
static void
echo_of_groups_and_from_odd_sources_is_not_answered(void **state)
{
	const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct craft c;

	craft_ether(&c, all_nodes, netrig_peer, 0, 0x86dd);
	craft_ip6(&c, "fd00::2", "ff02::1", 58);
	craft_hex(&c, "8000 0000 1234 0001");
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_ignored);
	craft_ether(&c, all_nodes, netrig_peer, 0,
		    0x86dd);                     /* its last bytes are a group's ... */
	craft_ip6(&c, "fd00::2", "fd00::1", 58); /* ... and those of our address */
	craft_hex(&c, "8000 0000 1234 0001");
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_eth_not_ours);
	craft_ether(&c, netrig_broadcast, netrig_peer, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.255", 1);
	craft_hex(&c, "0800 0000 1234 0001");
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_eth_not_ours);
	craft_ether(&c, netrig_us, netrig_peer, 0, 0x0800);
	craft_ip4(&c, "10.0.0.255", "10.0.0.1", 1);
	craft_hex(&c, "0800 0000 1234 0001");
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_ip_source);
	craft_ether(&c, netrig_us, netrig_peer, 0, 0x86dd);
	craft_ip6(&c, "::", "fd00::1", 58);
	craft_hex(&c, "8000 0000 1234 0001");
	craft_end(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_ip_source);
	assert_int_equal(rig.out.n, 0);
}

/* rows: IC6 [v4 v6] */
static void
a_wrong_checksum_is_not_answered(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft c;

		echo(&c, v6, 5, false);
		c.b[c.len - 1] ^= 1;
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_bad);
	}
	assert_int_equal(rig.out.n, 0);
}

static void
without_buffer_or_room_the_request_is_dropped(void **state)
{
	struct craft c;
	struct rte_mbuf *m;

	echo(&c, false, 5, false);
	rig.out.room = 0;
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_no_buffer);
	rig.out.room = 256;
	m = heapbufs_external(&rig.hb, c.b, c.len);
	m->port = 7;
	heapbufs_fail_nth(&rig.hb, 1);
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_no_buffer);

	/* a chain longer than one buffer, on a port that sends no chains */
	const uint16_t cut[] = { 2000, 2000 };

	echo(&c, false, 3000, false);
	m = heapbufs_chain(&rig.hb, c.b, c.len, 128, cut, 2);
	m->port = 7;
	assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_no_buffer);
	assert_int_equal(rig.out.n, 0);
}

/* An error of @type and @code with @rest about our segment 0x01020304 from port 80 to 4000. */
static void
error_frame(struct craft *c, bool v6, uint8_t type, uint8_t code, uint32_t rest,
	    const char *quoted_from)
{
	uint8_t head[4] = { type, code };

	begin(c, v6, netrig_us, netrig_peer, false);
	craft_bytes(c, head, 4);
	craft_u32(c, rest);
	if (v6) {
		craft_hex(c, "6000000000140640");
		craft_addr_bytes(c, quoted_from);
		craft_addr_bytes(c, "2001:db8::9");
	} else {
		craft_hex(c, "4500003400004000 40060000");
		craft_addr_bytes(c, quoted_from);
		craft_addr_bytes(c, "192.0.2.9");
	}
	craft_u16(c, 80);
	craft_u16(c, 4000);
	craft_u32(c, 0x01020304);
	craft_end(c);
}

/* What an error about our segment is taken for. */
static int
what(bool v6, uint8_t type, uint8_t code, uint32_t rest)
{
	struct craft c;

	error_frame(&c, v6, type, code, rest, v6 ? "fd00::1" : "10.0.0.1");
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_error);
	assert_int_equal(rig.error.type, type);
	assert_int_equal(rig.error.code, code);
	return rig.error.what;
}

static void
an_error_names_the_connection_as_seen_from_here(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_addr us = craft_addr(v6 ? "fd00::1" : "10.0.0.1");
		struct sl_addr far = craft_addr(v6 ? "2001:db8::9" : "192.0.2.9");

		what(v6, v6 ? 1 : 3, 0, 0);
		assert_true(sl_addr_eq(&rig.error.tuple.local, &us));
		assert_true(sl_addr_eq(&rig.error.tuple.remote, &far));
		assert_int_equal(rig.error.tuple.lport, 80);
		assert_int_equal(rig.error.tuple.rport, 4000);
		assert_int_equal(rig.error.tuple.v6, v6);
		assert_int_equal(rig.error.seq, 0x01020304);
		assert_int_equal(rig.error.mtu, 0);
	}
	assert_int_equal(rig.out.n, 0);
}

/* rows: IC2 IC3 IC4 [v4 v6] */
static void
errors_are_soft_hard_or_about_size(void **state)
{
	for (uint8_t code = 0; code < 20; code++) {
		bool hard = code == 2 || code == 3 || code == 9 || code == 10 || code == 13;

		if (code != 4)
			assert_int_equal(what(false, 3, code, 0),
					 hard ? SL_ICMP_HARD : SL_ICMP_SOFT);
		assert_int_equal(what(false, 11, code, 0), SL_ICMP_SOFT);
		assert_int_equal(what(false, 12, code, 0), SL_ICMP_SOFT);
		assert_int_equal(what(true, 1, code, 0),
				 code == 1 || code == 4 ? SL_ICMP_HARD : SL_ICMP_SOFT);
		assert_int_equal(what(true, 3, code, 0), SL_ICMP_SOFT);
		assert_int_equal(what(true, 4, code, 0),
				 code == 1 ? SL_ICMP_HARD : SL_ICMP_SOFT);
	}
	assert_int_equal(what(false, 3, 4, 0xffff0578), SL_ICMP_TOO_BIG);
	assert_int_equal(rig.error.mtu, 1400);
	assert_int_equal(what(false, 3, 4, 0), SL_ICMP_TOO_BIG);
	assert_int_equal(rig.error.mtu, 0);
	assert_int_equal(what(true, 2, 0, 0x00010578), SL_ICMP_TOO_BIG);
	assert_int_equal(rig.error.mtu, 0x00010578);
}

static void
errors_about_what_we_did_not_send_are_unmatched(void **state)
{
	struct craft c;

	for (int v6 = 0; v6 < 2; v6++) {
		size_t quote = (v6 ? 54 : 34) + 8;

		error_frame(&c, v6, v6 ? 1 : 3, 0, 0, v6 ? "fd00::3" : "10.0.0.3");
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_unmatched);
		error_frame(&c, v6, v6 ? 1 : 3, 0, 0, v6 ? "fd00::1" : "10.0.0.1");
		c.b[quote + (v6 ? 6 : 9)] = 17; /* it was UDP */
		craft_sums(&c);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_unmatched);
		error_frame(&c, v6, v6 ? 1 : 3, 0, 0, v6 ? "fd00::1" : "10.0.0.1");
		c.b[quote] ^= 0x20; /* another version inside */
		craft_sums(&c);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_unmatched);
		/* an error about an error */
		error_frame(&c, v6, v6 ? 1 : 3, 0, 0, v6 ? "fd00::1" : "10.0.0.1");
		c.b[quote + (v6 ? 6 : 9)] = v6 ? 58 : 1;
		craft_sums(&c);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_unmatched);
	}
	error_frame(&c, false, 3, 0, 0, "10.0.0.1");
	c.b[34 + 8 + 7] = 1; /* a later fragment */
	craft_sums(&c);
	assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_unmatched);
	assert_int_equal(rig.out.n, 0);
}

/* rows: IC6 [v4 v6] */
static void
no_truncated_error_is_taken_or_read_beyond(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft good, c;

		error_frame(&good, v6, v6 ? 1 : 3, 0, 0, v6 ? "fd00::1" : "10.0.0.1");
		for (size_t len = 0; len < good.len; len++) {
			c = good, c.len = len;
			assert_int_not_equal(netrig_in(&rig, &c), SL_FATE_icmp_error);
			if (len < good.l4)
				continue;
			craft_end(&c);
			assert_int_equal(netrig_in(&rig, &c), len < good.l4 + 8
								      ? SL_FATE_icmp_bad
								      : SL_FATE_icmp_unmatched);
		}
		for (uint16_t cut = (uint16_t)(good.l4 + 8); cut < good.len; cut++) {
			const uint16_t segs[] = { cut, 0 };
			struct rte_mbuf *m =
				heapbufs_chain(&rig.hb, good.b, good.len, 0, segs, 2);

			m->port = 7;
			assert_int_equal(netrig_in_mbuf(&rig, m), SL_FATE_icmp_unmatched);
		}
	}
}

static void
other_types_are_ignored(void **state)
{
	const uint8_t types4[] = { 0, 4, 5, 9, 10, 13, 15, 17, 255 };
	const uint8_t types6[] = { 0, 5, 129, 130, 131, 132, 138, 143, 255 };
	struct craft c;

	for (size_t i = 0; i < RTE_DIM(types4); i++) {
		echo(&c, false, 64, false);
		c.b[34] = types4[i];
		craft_sums(&c);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_ignored);
	}
	for (size_t i = 0; i < RTE_DIM(types6); i++) {
		echo(&c, true, 64, false);
		c.b[54] = types6[i];
		craft_sums(&c);
		assert_int_equal(netrig_in(&rig, &c), SL_FATE_icmp_ignored);
	}
	assert_int_equal(rig.out.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(echo_is_answered_in_the_same_buffer_without_its_padding),
		TEST(echo_in_a_buffer_that_is_not_ours_alone_is_copied),
		TEST(a_jumbo_echo_goes_back_as_the_chain_it_is),
		TEST(options_and_extension_headers_are_not_echoed),
		TEST(a_tag_in_the_mbuf_goes_back_into_the_frame),
		TEST(echo_is_limited_to_a_thousand_a_second),
		TEST(echo_of_groups_and_from_odd_sources_is_not_answered),
		TEST(a_wrong_checksum_is_not_answered),
		TEST(without_buffer_or_room_the_request_is_dropped),
		TEST(an_error_names_the_connection_as_seen_from_here),
		TEST(errors_are_soft_hard_or_about_size),
		TEST(errors_about_what_we_did_not_send_are_unmatched),
		TEST(no_truncated_error_is_taken_or_read_beyond),
		TEST(other_types_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
