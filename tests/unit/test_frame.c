/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_frame - frames written by hand and what the parser makes of them, whole and cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "craft.h"
#include "heapbufs.h"
#include "wire/frame.h"

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, them[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t no_opts[1];

struct parsed {
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;
};

static struct heapbufs hb;

static int
open_bufs(void **state)
{
	heapbufs_open(&hb);
	return 0;
}

static int
close_bufs(void **state)
{
	heapbufs_close(&hb);
	return 0;
}

static enum sl_fate
parse_flagged(const void *bytes, size_t len, uint64_t ol_flags, struct parsed *p)
{
	struct rte_mbuf *m = heapbufs_packet(&hb, bytes, len, 0);
	enum sl_fate fate;

	m->ol_flags = ol_flags;
	m->vlan_tci = 0xe005; /* priority 7, VLAN 5; counts only if flagged */
	fate = sl_frame_parse(m, &p->frame, &p->tuple, &p->seg);
	heapbufs_put(&hb, m);
	return fate;
}

static enum sl_fate
parse(const struct craft *c, struct parsed *p)
{
	return parse_flagged(c->b, c->len, 0, p);
}

static enum sl_fate
fate_of(const struct craft *c)
{
	struct parsed p;

	return parse(c, &p);
}

/* A segment of @data_len bytes from .2 port 40000 to .1 port 80, in either family. */
static void
segment(struct craft *c, bool v6, const void *opt, uint8_t opt_len, size_t data_len)
{
	uint8_t data[64];

	memset(data, 'x', sizeof(data));
	craft_ether(c, us, them, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(c, 40000, 80, 0x11223344, 0x55667788, 0x18, 512, opt, opt_len);
	craft_bytes(c, data, data_len);
	craft_end(c);
}

static void
a_segment_of_either_family_is_taken_apart(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_addr remote = craft_addr(v6 ? "fd00::2" : "10.0.0.2");
		struct sl_addr local = craft_addr(v6 ? "fd00::1" : "10.0.0.1");
		struct craft c;
		struct parsed p;

		segment(&c, v6, no_opts, 0, 10);
		assert_int_equal(parse(&c, &p), SL_FATE_NONE);
		assert_int_equal(p.frame.kind, SL_KIND_TCP);
		assert_int_equal(p.frame.l3, 14);
		assert_int_equal(p.frame.l4, v6 ? 54 : 34);
		assert_int_equal(p.frame.payload, v6 ? 74 : 54);
		assert_int_equal(p.frame.l4_len, 30);
		assert_int_equal(p.frame.vlan, 0);
		assert_int_equal(p.frame.ttl, 64);
		assert_true(sl_addr_eq(&p.tuple.remote, &remote));
		assert_true(sl_addr_eq(&p.tuple.local, &local));
		assert_int_equal(p.tuple.rport, 40000);
		assert_int_equal(p.tuple.lport, 80);
		assert_int_equal(p.tuple.v6, v6);
		assert_int_equal(p.seg.seq, 0x11223344);
		assert_int_equal(p.seg.ack, 0x55667788);
		assert_int_equal(p.seg.flags, SL_ACK | SL_PSH);
		assert_int_equal(p.seg.wnd, 512);
		assert_int_equal(p.seg.len, 10);
		assert_int_equal(p.seg.opts, 0);
	}
}

/* rows: SG3 */
static void
padding_is_not_data(void **state)
{
	struct craft c;
	struct parsed p;

	segment(&c, false, no_opts, 0, 0);
	craft_bytes(&c, "\0\0\0\0\0\0", 6);
	assert_int_equal(c.len, 60);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.seg.len, 0);
	assert_int_equal(p.frame.l4_len, 20);
}

static void
a_tag_counts_in_the_frame_or_in_the_mbuf_but_not_twice(void **state)
{
	struct craft c;
	struct parsed p;

	craft_ether(&c, us, them, 0x6000 | 12, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, 1, 2, 3, 4, 2, 5, no_opts, 0);
	craft_end(&c);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.frame.vlan, 12);
	assert_int_equal(p.frame.l3, 18);
	assert_int_equal(parse_flagged(c.b, c.len, RTE_MBUF_F_RX_VLAN_STRIPPED, &p),
			 SL_FATE_eth_type);

	segment(&c, false, no_opts, 0, 0);
	assert_int_equal(parse_flagged(c.b, c.len, RTE_MBUF_F_RX_VLAN_STRIPPED, &p),
			 SL_FATE_NONE);
	assert_int_equal(p.frame.vlan, 5);
	assert_int_equal(p.frame.l3, 14);
}

static void
what_is_not_spoken_is_named(void **state)
{
	struct craft c;

	craft_ether(&c, us, them, 0, 0x88cc);
	craft_bytes(&c, no_opts, 1);
	assert_int_equal(fate_of(&c), SL_FATE_eth_type);
	c.len = 13;
	assert_int_equal(fate_of(&c), SL_FATE_eth_short);
	craft_ether(&c, us, them, 3, 0x0800);
	c.len = 17;
	assert_int_equal(fate_of(&c), SL_FATE_eth_short);

	craft_ether(&c, us, them, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 17);
	craft_u32(&c, 0);
	craft_u32(&c, 0);
	craft_end(&c);
	assert_int_equal(fate_of(&c), SL_FATE_ip_proto);

	craft_ether(&c, us, them, 0, 0x86dd);
	craft_ip6(&c, "fd00::2", "fd00::1", 59);
	craft_end(&c);
	assert_int_equal(fate_of(&c), SL_FATE_ip_proto);
}

static void
arp_and_icmp_are_told_apart(void **state)
{
	struct craft c;
	struct parsed p;

	craft_ether(&c, us, them, 0, 0x0806);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.frame.kind, SL_KIND_ARP);

	craft_ether(&c, us, them, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 1);
	craft_hex(&c, "0800000000010002");
	craft_end(&c);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.frame.kind, SL_KIND_ICMP4);
	assert_int_equal(p.frame.l4_len, 8);
	c.len--;
	craft_end(&c);
	assert_int_equal(parse(&c, &p), SL_FATE_icmp_bad);

	craft_ether(&c, us, them, 0, 0x86dd);
	craft_ip6(&c, "fd00::2", "fd00::1", 58);
	craft_hex(&c, "8000000000010002");
	craft_end(&c);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.frame.kind, SL_KIND_ICMP6);
}

static void
a_malformed_ipv4_header_is_refused(void **state)
{
	struct craft c;

	segment(&c, false, no_opts, 0, 4);
	c.b[14] = 0x55; /* version 5 */
	assert_int_equal(fate_of(&c), SL_FATE_ip4_bad);
	segment(&c, false, no_opts, 0, 4);
	c.b[14] = 0x44; /* header of 16 bytes */
	assert_int_equal(fate_of(&c), SL_FATE_ip4_bad);
	segment(&c, false, no_opts, 0, 4);
	c.b[17] = 19; /* shorter than its header */
	assert_int_equal(fate_of(&c), SL_FATE_ip4_bad);
	segment(&c, false, no_opts, 0, 4);
	c.b[17]++; /* longer than the frame */
	assert_int_equal(fate_of(&c), SL_FATE_ip4_bad);
	segment(&c, false, no_opts, 0, 4);
	c.b[22] ^= 1;
	assert_int_equal(fate_of(&c), SL_FATE_ip4_checksum);
}

/* rows: SG13 [v4] */
static void
ipv4_options_are_skipped(void **state)
{
	struct craft c;
	struct parsed p;

	craft_ether(&c, us, them, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_hex(&c, "0707040000000000"); /* record route, and its end */
	c.b[14] = 0x47;
	craft_l4(&c, 6);
	craft_tcp(&c, 1, 2, 3, 4, 2, 5, no_opts, 0);
	craft_end(&c);
	assert_int_equal(parse(&c, &p), SL_FATE_NONE);
	assert_int_equal(p.frame.l4, 42);
	assert_int_equal(p.seg.flags, SL_SYN);
}

/* rows: SG15 [v4 v6] */
static void
fragments_are_named(void **state)
{
	const uint8_t marks[][2] = { { 0x20, 0 }, { 0, 1 }, { 0x1f, 0xff } };
	struct craft c;

	for (int i = 0; i < 3; i++) {
		segment(&c, false, no_opts, 0, 4);
		memcpy(c.b + 20, marks[i], 2);
		craft_sums(&c);
		assert_int_equal(fate_of(&c), SL_FATE_ip_fragment);
	}

	craft_ether(&c, us, them, 0, 0x86dd);
	craft_ip6(&c, "fd00::2", "fd00::1", 44);
	craft_hex(&c, "0600000000000001");
	craft_end(&c);
	assert_int_equal(fate_of(&c), SL_FATE_ip_fragment);
}

static void
a_malformed_ipv6_header_is_refused(void **state)
{
	struct craft c;

	segment(&c, true, no_opts, 0, 4);
	c.b[14] = 0x45;
	assert_int_equal(fate_of(&c), SL_FATE_ip6_bad);
	segment(&c, true, no_opts, 0, 4);
	c.b[19]++;
	assert_int_equal(fate_of(&c), SL_FATE_ip6_bad);
}

/* An IPv6 SYN behind the extension headers @hex, the first of kind @next. */
static enum sl_fate
behind(uint8_t next, const char *hex, struct parsed *p)
{
	struct craft c;

	craft_ether(&c, us, them, 0, 0x86dd);
	craft_ip6(&c, "fd00::2", "fd00::1", next);
	craft_hex(&c, hex);
	craft_l4(&c, 6);
	craft_tcp(&c, 1, 2, 3, 4, 2, 5, no_opts, 0);
	craft_end(&c);
	return parse(&c, p);
}

/* rows: SG13 [v6] */
static void
extension_headers_are_skipped(void **state)
{
	struct parsed p;

	assert_int_equal(behind(0, "0600010400000000", &p), SL_FATE_NONE);
	assert_int_equal(p.frame.l4, 62);
	assert_int_equal(p.seg.flags, SL_SYN);
	assert_int_equal(behind(60, "0600050200000000", &p), SL_FATE_NONE);
	assert_int_equal(behind(43, "0600040000000000", &p), SL_FATE_NONE);
	/* all three, the last of 16 bytes with a Pad1 and an unknown option to be skipped */
	assert_int_equal(behind(0,
				"3c00010400000000 2b00010400000000 0601000000000000"
				"0000000000000000",
				&p),
			 SL_FATE_NONE);
	assert_int_equal(p.frame.l4, 14 + 40 + 8 + 8 + 16);
	assert_int_equal(behind(60, "0601001e02aabb01 0700000000000000", &p), SL_FATE_NONE);
}

static void
extension_headers_that_forbid_it_are_not_skipped(void **state)
{
	struct parsed p;
	char nine[9 * 16 + 1] = "";

	assert_int_equal(behind(60, "0000010400000000 0600010400000000", &p),
			 SL_FATE_ip6_bad); /* hop-by-hop not first */
	assert_int_equal(behind(60, "0600c20400000000", &p), SL_FATE_ip6_bad);
	assert_int_equal(behind(60, "0600010500000000", &p), SL_FATE_ip6_bad);
	assert_int_equal(behind(60, "0600000000000001", &p), SL_FATE_ip6_bad);
	assert_int_equal(behind(43, "0600000100000000", &p), SL_FATE_ip6_bad);
	assert_int_equal(behind(60, "06ff010400000000", &p), SL_FATE_ip6_bad);

	for (int i = 0; i < 8; i++)
		strcat(nine, i == 7 ? "0600010400000000" : "3c00010400000000");
	assert_int_equal(behind(60, nine, &p), SL_FATE_NONE);
	nine[0] = '\0';
	for (int i = 0; i < 9; i++)
		strcat(nine, i == 8 ? "0600010400000000" : "3c00010400000000");
	assert_int_equal(behind(60, nine, &p), SL_FATE_ip6_bad);
}

/* rows: SG4 */
static void
a_tcp_header_must_fit_its_packet(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		size_t l4 = v6 ? 54 : 34;
		struct craft c;

		segment(&c, v6, no_opts, 0, 0);
		c.b[l4 + 12] = 0x40;
		craft_sums(&c);
		assert_int_equal(fate_of(&c), SL_FATE_tcp_bad);
		c.b[l4 + 12] = 0x60;
		craft_sums(&c);
		assert_int_equal(fate_of(&c), SL_FATE_tcp_bad);
		segment(&c, v6, no_opts, 0, 0);
		c.len--;
		craft_end(&c);
		assert_int_equal(fate_of(&c), SL_FATE_tcp_bad);
	}
}

/* rows: SG2 */
static void
only_a_port_that_says_good_is_believed(void **state)
{
	const uint64_t doubts[] = { RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, RTE_MBUF_F_RX_L4_CKSUM_NONE,
				    RTE_MBUF_F_RX_L4_CKSUM_BAD };
	struct craft c;
	struct parsed p;

	for (int v6 = 0; v6 < 2; v6++) {
		segment(&c, v6, no_opts, 0, 5);
		for (int i = 0; i < 3; i++)
			assert_int_equal(parse_flagged(c.b, c.len, doubts[i], &p),
					 SL_FATE_NONE);
		c.b[c.len - 1] ^= 4;
		for (int i = 0; i < 3; i++)
			assert_int_equal(parse_flagged(c.b, c.len, doubts[i], &p),
					 SL_FATE_tcp_checksum);
		assert_int_equal(parse_flagged(c.b, c.len, RTE_MBUF_F_RX_L4_CKSUM_GOOD, &p),
				 SL_FATE_NONE);
	}
	segment(&c, false, no_opts, 0, 5);
	c.b[22]--;
	assert_int_equal(parse_flagged(c.b, c.len, RTE_MBUF_F_RX_IP_CKSUM_NONE, &p),
			 SL_FATE_ip4_checksum);
	assert_int_equal(parse_flagged(c.b, c.len, RTE_MBUF_F_RX_IP_CKSUM_GOOD, &p),
			 SL_FATE_NONE);
}

static void
flags_without_meaning_are_not_the_parsers_business(void **state)
{
	struct craft c;
	struct parsed p;

	for (int flags = 0; flags < 256; flags++) {
		segment(&c, false, no_opts, 0, 0);
		c.b[34 + 12] |= 0x0f; /* reserved bits */
		c.b[34 + 13] = (uint8_t)flags;
		craft_sums(&c);
		assert_int_equal(parse(&c, &p), SL_FATE_NONE);
		assert_int_equal(p.seg.flags, flags);
	}
}

static void
a_chain_is_summed_but_headers_must_lie_in_front(void **state)
{
	struct craft c;
	struct parsed p;

	for (int v6 = 0; v6 < 2; v6++) {
		segment(&c, v6, no_opts, 0, 33);
		for (uint16_t cut = 0; cut <= c.len; cut++) {
			const uint16_t segs[] = { cut, 3, 0 };
			struct rte_mbuf *m = heapbufs_chain(&hb, c.b, c.len, 0, segs, 3);
			enum sl_fate fate = sl_frame_parse(m, &p.frame, &p.tuple, &p.seg);

			assert_int_equal(fate == SL_FATE_NONE, cut >= (v6 ? 74 : 54));
			heapbufs_put(&hb, m);
		}
	}
}

static void
no_frame_cut_short_is_taken_or_read_beyond(void **state)
{
	const uint8_t opts[] = {
		2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7
	};
	struct craft c;
	struct parsed p;
	struct sl_tuple tuple;

	for (int v6 = 0; v6 < 2; v6++) {
		segment(&c, v6, opts, sizeof(opts), 9);
		for (size_t len = 0; len < c.len; len++) {
			struct rte_mbuf *m = heapbufs_packet(&hb, c.b, len, 0);

			assert_int_not_equal(sl_frame_parse(m, &p.frame, &p.tuple, &p.seg),
					     SL_FATE_NONE);
			assert_false(sl_frame_steer(m, &tuple));
			heapbufs_put(&hb, m);
		}
		/* and the same with lengths that claim to be right */
		for (size_t len = c.len; len-- > c.l4;) {
			struct craft cut = c;

			cut.len = len;
			craft_end(&cut);
			fate_of(&cut);
		}
	}
}

/* @p of the bytes of @c, with a segment behind them that is empty if @chained. */
static enum sl_fate
parse_held(const struct craft *c, bool chained, struct parsed *p)
{
	const uint16_t cut[2] = { (uint16_t)c->len, 0 };
	struct rte_mbuf *m = chained ? heapbufs_chain(&hb, c->b, c->len, 0, cut, 2)
				     : heapbufs_packet(&hb, c->b, c->len, 0);
	enum sl_fate fate;

	memset(p, 0, sizeof(*p));
	fate = sl_frame_parse(m, &p->frame, &p->tuple, &p->seg);
	heapbufs_put(&hb, m);
	return fate;
}

/* A chain never takes the short way of common frames: what is said of both must be the same. */
static void
the_short_way_of_common_frames_says_what_the_long_one_does(void **state)
{
	const uint8_t opts[] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	struct parsed a, b;
	struct craft c;

	segment(&c, false, opts, sizeof(opts), 9);
	for (size_t bit = 0; bit < 2 * 8 * c.len; bit++) {
		struct craft d = c;
		enum sl_fate fate;

		d.b[bit / 16] ^= 1u << bit / 2 % 8;
		if (bit % 2)
			craft_sums(&d);
		fate = parse_held(&d, false, &a);
		assert_int_equal(fate, parse_held(&d, true, &b));
		if (fate != SL_FATE_NONE)
			continue;
		assert_true(a.frame.l3 == b.frame.l3 && a.frame.l4 == b.frame.l4 &&
			    a.frame.payload == b.frame.payload &&
			    a.frame.l4_len == b.frame.l4_len && a.frame.vlan == b.frame.vlan &&
			    a.frame.kind == b.frame.kind && a.frame.ttl == b.frame.ttl &&
			    a.frame.tos == b.frame.tos);
		assert_memory_equal(&a.tuple, &b.tuple, sizeof(a.tuple));
		assert_memory_equal(&a.seg, &b.seg, sizeof(a.seg));
	}
}

/* rows: OP1 */
static void
options_are_found_at_any_alignment(void **state)
{
	struct sl_seg seg;
	const uint8_t odd[] = {
		1, 200, 6, 0, 0, 0, 0, 2, 4, 1, 2, 3, 3, 15, 4, 2, 0, 2, 4, 9, 9
	};
	const uint8_t sack[] = { 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4 };

	sl_seg_options(&seg, odd, sizeof(odd));
	assert_int_equal(seg.opts, SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK);
	assert_int_equal(seg.mss, 258); /* not what stands behind the end of the list */
	assert_int_equal(seg.wscale, 14);

	sl_seg_options(&seg, sack, sizeof(sack));
	assert_int_equal(seg.opts, SL_OPT_SACK);
	assert_int_equal(seg.n_sacks, 2);
	assert_int_equal(seg.sack[1].lo, 3);
	assert_int_equal(seg.sack[1].hi, 4);
}

/* rows: OP3 */
static void
every_option_of_every_length_stays_inside_the_header(void **state)
{
	struct sl_seg seg;

	for (int kind = 0; kind < 256; kind++) {
		for (int claimed = 0; claimed < 256; claimed++) {
			uint8_t *opt = malloc(40);

			memset(opt, 1, 40);
			opt[37] = (uint8_t)kind;
			opt[38] = (uint8_t)claimed;
			sl_seg_options(&seg, opt, 40);
			opt[0] = (uint8_t)kind;
			opt[1] = (uint8_t)claimed;
			sl_seg_options(&seg, opt, 40);
			assert_true(seg.n_sacks <= SL_SACKS_MAX);
			free(opt);
		}
	}
}

static void
a_bad_option_length_ends_the_list_but_not_what_came_before(void **state)
{
	const uint8_t zero[] = { 2, 4, 1, 2, 8, 0, 3, 3, 7 };
	const uint8_t one[] = { 2, 4, 1, 2, 8, 1, 3, 3, 7 };
	const uint8_t past[] = { 2, 4, 1, 2, 3, 4, 7 };
	const uint8_t cut[] = { 2, 4, 1, 2, 3 };
	const uint8_t wrong[] = { 2, 3, 1, 3, 3, 7 };
	struct sl_seg seg;

	sl_seg_options(&seg, zero, sizeof(zero));
	assert_int_equal(seg.opts, SL_OPT_MSS);
	sl_seg_options(&seg, one, sizeof(one));
	assert_int_equal(seg.opts, SL_OPT_MSS);
	sl_seg_options(&seg, past, sizeof(past));
	assert_int_equal(seg.opts, SL_OPT_MSS);
	sl_seg_options(&seg, cut, sizeof(cut));
	assert_int_equal(seg.opts, SL_OPT_MSS);
	sl_seg_options(&seg, wrong, sizeof(wrong));
	assert_int_equal(seg.opts, SL_OPT_WSCALE);
}

static void
steering_follows_a_segment_and_the_segment_an_error_quotes(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_addr remote = craft_addr(v6 ? "fd00::2" : "10.0.0.2");
		struct sl_tuple tuple;
		struct craft c;

		segment(&c, v6, no_opts, 0, 3);
		c.b[c.len - 1] ^= 1; /* checksums do not matter here */
		struct rte_mbuf *m = heapbufs_packet(&hb, c.b, c.len, 0);

		assert_true(sl_frame_steer(m, &tuple));
		assert_true(sl_addr_eq(&tuple.remote, &remote));
		assert_int_equal(tuple.rport, 40000);
		assert_int_equal(tuple.lport, 80);
		heapbufs_put(&hb, m);

		/* a router at .9 complains of what .1 sent to .2 */
		craft_ether(&c, us, them, 0, v6 ? 0x86dd : 0x0800);
		if (v6)
			craft_ip6(&c, "fd00::9", "fd00::1", 58);
		else
			craft_ip4(&c, "10.0.0.9", "10.0.0.1", 1);
		craft_hex(&c, v6 ? "0100000000000000" : "0301000000000000");
		if (v6)
			craft_hex(&c, "6000000000140640 fd000000000000000000000000000001"
				      "fd000000000000000000000000000002");
		else
			craft_hex(&c, "4500002800004000 40060000 0a000001 0a000002");
		craft_hex(&c, "0050 9c40 00000001");
		craft_end(&c);
		m = heapbufs_packet(&hb, c.b, c.len, 0);
		assert_true(sl_frame_steer(m, &tuple));
		assert_true(sl_addr_eq(&tuple.remote, &remote));
		assert_int_equal(tuple.v6, v6);
		assert_int_equal(tuple.rport, 40000);
		assert_int_equal(tuple.lport, 80);
		heapbufs_put(&hb, m);

		for (size_t len = 0; len < c.len; len++) {
			m = heapbufs_packet(&hb, c.b, len, 0);
			assert_false(sl_frame_steer(m, &tuple));
			heapbufs_put(&hb, m);
		}
		for (size_t len = c.len; len-- > c.l4;) {
			struct craft cut = c;

			cut.len = len;
			craft_end(&cut);
			m = heapbufs_packet(&hb, cut.b, len, 0);
			assert_false(sl_frame_steer(m, &tuple));
			heapbufs_put(&hb, m);
		}
	}
}

/* Tagged or not; a cut one is none. */
static void
a_syn_is_what_asks_for_a_connection(void **state)
{
	static const struct {
		uint8_t flags;
		bool asks;
	} is[] = { { SL_SYN, true },          { SL_SYN | SL_ECE | SL_CWR, true },
		   { SL_SYN | SL_FIN, true }, { SL_SYN | SL_ACK, false },
		   { SL_ACK, false },         { SL_RST, false } };

	for (unsigned int i = 0; i < 4 * RTE_DIM(is); i++) {
		bool v6 = i & 1, tagged = i & 2;
		struct craft c;

		craft_ether(&c, us, them, tagged ? 5 : 0, v6 ? 0x86dd : 0x0800);
		if (v6)
			craft_ip6(&c, "fd00::2", "fd00::1", 6);
		else
			craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
		craft_tcp(&c, 40000, 80, 1, 0, is[i / 4].flags, 1000, no_opts, 0);
		craft_end(&c);
		for (size_t len = c.l4; len <= c.len; len++) {
			struct rte_mbuf *m = heapbufs_packet(&hb, c.b, len, 0);

			assert_int_equal(sl_frame_is_syn(m), is[i / 4].asks && len == c.len);
			heapbufs_put(&hb, m);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_of_either_family_is_taken_apart),
		cmocka_unit_test(padding_is_not_data),
		cmocka_unit_test(a_tag_counts_in_the_frame_or_in_the_mbuf_but_not_twice),
		cmocka_unit_test(what_is_not_spoken_is_named),
		cmocka_unit_test(arp_and_icmp_are_told_apart),
		cmocka_unit_test(a_malformed_ipv4_header_is_refused),
		cmocka_unit_test(ipv4_options_are_skipped),
		cmocka_unit_test(fragments_are_named),
		cmocka_unit_test(a_malformed_ipv6_header_is_refused),
		cmocka_unit_test(extension_headers_are_skipped),
		cmocka_unit_test(extension_headers_that_forbid_it_are_not_skipped),
		cmocka_unit_test(a_tcp_header_must_fit_its_packet),
		cmocka_unit_test(only_a_port_that_says_good_is_believed),
		cmocka_unit_test(flags_without_meaning_are_not_the_parsers_business),
		cmocka_unit_test(a_chain_is_summed_but_headers_must_lie_in_front),
		cmocka_unit_test(no_frame_cut_short_is_taken_or_read_beyond),
		cmocka_unit_test(the_short_way_of_common_frames_says_what_the_long_one_does),
		cmocka_unit_test(options_are_found_at_any_alignment),
		cmocka_unit_test(every_option_of_every_length_stays_inside_the_header),
		cmocka_unit_test(a_bad_option_length_ends_the_list_but_not_what_came_before),
		cmocka_unit_test(steering_follows_a_segment_and_the_segment_an_error_quotes),
		cmocka_unit_test(a_syn_is_what_asks_for_a_connection),
	};

	return cmocka_run_group_tests(tests, open_bufs, close_bufs);
}
