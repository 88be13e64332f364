/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_damage - valid frames of every kind, damaged at random, break nothing.
 *
 * Some are summed again after the damage, so that it gets past the checksums. Buffers end
 * where their bytes end; the net's invariants are checked after each frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netrig.h"

#define N_KINDS 8
#define ROUNDS  40000

static uint32_t seed = 20240607;

static uint32_t
pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
sample(struct craft *c, uint32_t kind)
{
	static const uint8_t opts[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0,
					0, 2, 5, 10,   0, 0, 0, 1,  0, 0, 0, 2, 1, 1 };
	const uint8_t group[6] = { 0x33, 0x33, 0xff, 0, 0, 1 };

	switch (kind) {
	case 0:
		netrig_arp(c, netrig_broadcast, netrig_peer, 1, "10.0.0.2", "10.0.0.1");
		return;
	case 1:
		netrig_arp(c, netrig_us, netrig_peer, 2, "10.0.0.2", "10.0.0.1");
		return;
	case 2:
		netrig_nd(c, group, netrig_peer, "fd00::2", "ff02::1:ff00:1", 135, 0, "fd00::1",
			  1, netrig_peer);
		return;
	case 3:
		netrig_nd(c, netrig_us, netrig_peer, "fd00::2", "fd00::1", 136, 0x60000000,
			  "fd00::2", 2, netrig_peer);
		return;
	case 4:
		craft_ether(c, netrig_us, netrig_peer, 5, 0x0800);
		craft_ip4(c, "10.5.0.2", "10.5.0.1", 1);
		craft_hex(c, "0800 0000 1234 0001 00112233445566778899");
		break;
	case 5:
		craft_ether(c, netrig_us, netrig_peer, 0, 0x0800);
		craft_ip4(c, "10.0.0.2", "10.0.0.1", 1);
		craft_hex(c, "0304 0000 00000578 4500003400004000400600000a000001c0000209"
			     "00500fa001020304");
		break;
	case 6:
		craft_ether(c, netrig_us, netrig_peer, 0, 0x86dd);
		craft_ip6(c, "fd00::2", "fd00::1", 0);
		craft_hex(c, "3c00010400000000 2b00010400000000 0601000000000000"
			     "0000000000000000");
		craft_l4(c, 6);
		craft_tcp(c, 4000, 80, 1, 0, 2, 100, opts, sizeof(opts));
		break;
	default:
		craft_ether(c, netrig_us, netrig_peer, 0, 0x0800);
		craft_ip4(c, "10.0.0.2", "10.0.0.1", 6);
		craft_tcp(c, 4000, 80, 1, 2, 0x18, 100, opts, sizeof(opts));
		craft_hex(c, "00112233");
		break;
	}
	craft_end(c);
}

/* A buffer of any shape the frame could come in. */
static struct rte_mbuf *
shaped(struct netrig *rig, const struct craft *c)
{
	const uint16_t cut[] = { (uint16_t)pick(120), (uint16_t)pick(20), 0 };
	struct rte_mbuf *m;

	switch (pick(4)) {
	case 0:
		m = heapbufs_chain(&rig->hb, c->b, c->len, 128, cut, 3);
		break;
	case 1:
		m = heapbufs_external(&rig->hb, c->b, c->len);
		break;
	default:
		m = heapbufs_packet(&rig->hb, c->b, c->len, pick(2) ? 128 : 0);
		break;
	}
	m->port = 7;
	if (pick(8) == 0) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		m->vlan_tci = (uint16_t)pick(7);
	}
	return m;
}

static void
damaged_frames_break_nothing(void **state)
{
	struct netrig rig;

	netrig_open_quiet(&rig);
	for (int round = 0; round < ROUNDS; round++) {
		struct craft c;
		struct sl_tuple tuple;
		struct rte_mbuf *m;

		sample(&c, pick(N_KINDS));
		for (uint32_t n = pick(4); n > 0; n--)
			c.b[pick(4) ? c.l3 + pick((uint32_t)(c.len - c.l3))
				    : pick((uint32_t)c.len)] = (uint8_t)pick(256);
		if (pick(4) == 0)
			c.len = pick((uint32_t)c.len + 1);
		if (pick(2) && c.len >= c.l4 + 20)
			craft_sums(&c);
		m = shaped(&rig, &c);
		sl_frame_steer(m, &tuple);
		rig.stats.fate[netrig_in_mbuf(&rig, m)]++;
		netrig_pass(&rig, rig.now + pick(1000) * SL_NS_PER_MS);
		netrig_flush(&rig);
	}
	netrig_close(&rig);

	/* the damage was neither too little nor too much */
	assert_true(rig.stats.fate[SL_FATE_NONE] > ROUNDS / 100);
	assert_true(rig.stats.fate[SL_FATE_arp_in] > ROUNDS / 100);
	assert_true(rig.stats.fate[SL_FATE_nd_in] > ROUNDS / 100);
	assert_true(rig.stats.fate[SL_FATE_nd_bad] > 0);
	assert_true(rig.stats.fate[SL_FATE_icmp_error] > ROUNDS / 100);
	assert_true(rig.stats.fate[SL_FATE_icmp_echo] > ROUNDS / 100);
	assert_true(rig.stats.fate[SL_FATE_tcp_checksum] > 0);
	assert_true(rig.stats.fate[SL_FATE_ip6_bad] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_frames_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
