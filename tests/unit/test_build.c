/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_build - what is built reads back as what was meant, with right checksums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "craft.h"
#include "heapbufs.h"
#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/put.h"

static const struct sl_l2 l2 = { { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0, 3 };

/* A connection between .1 (here) and .2, or the same in IPv6. */
static struct sl_tuple
tuple_of(bool v6)
{
	return (struct sl_tuple){
		.local = craft_addr(v6 ? "fd00::1" : "10.0.0.1"),
		.remote = craft_addr(v6 ? "fd00::2" : "10.0.0.2"),
		.lport = 80,
		.rport = 40000,
		.v6 = v6,
	};
}

static struct rte_mbuf *
fresh(struct heapbufs *hb)
{
	struct rte_mbuf *m;

	assert_int_equal(hb->bufs.get(hb->bufs.ctx, SL_POOL_TX, &m, 1), 0);
	return m;
}

/* Parse @m, checksums included; what was local at its sender is remote here. */
static void
read_back(const struct rte_mbuf *m, const struct sl_tuple *sent, struct sl_frame *frame,
	  struct sl_seg *seg)
{
	struct sl_tuple tuple;

	assert_int_equal(sl_frame_parse(m, frame, &tuple, seg), SL_FATE_NONE);
	assert_int_equal(frame->kind, SL_KIND_TCP);
	assert_true(sl_addr_eq(&tuple.remote, &sent->local));
	assert_true(sl_addr_eq(&tuple.local, &sent->remote));
	assert_int_equal(tuple.rport, sent->lport);
	assert_int_equal(tuple.lport, sent->rport);
	assert_int_equal(tuple.v6, sent->v6);
}

/* rows: OP4 [v4 v6] */
static void
every_set_of_options_reads_back_and_takes_the_room_it_said(void **state)
{
	struct heapbufs hb;

	heapbufs_open(&hb);
	for (int i = 0; i < 2 * 32 * 5; i++) {
		struct sl_tuple tuple = tuple_of(i & 1);
		struct sl_seg_out out = { .seq = 0xfffffff0,
					  .ack = 7,
					  .tsval = 0x01020304,
					  .tsecr = 0xa0b0c0d0,
					  .wnd = 0x8001,
					  .mss = 1460,
					  .flags = SL_ACK | SL_PSH,
					  .opts = i / 2 % 32,
					  .wscale = 9,
					  .n_sacks = (uint8_t)(i / 64),
					  .ttl = 61,
					  .tos = 0xb8,
					  .sack = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } } };
		struct rte_mbuf *m = fresh(&hb);
		struct sl_frame frame;
		struct sl_seg seg;
		uint16_t len = sl_tcp_options_len(out.opts, out.n_sacks);

		sl_tcp_build(m, &l2, &tuple, &out);
		read_back(m, &tuple, &frame, &seg);
		assert_int_equal(m->port, 3);
		assert_int_equal(m->ol_flags, 0);
		assert_int_equal(frame.payload - frame.l4, 20 + len);
		assert_int_equal(m->pkt_len, 14 + (tuple.v6 ? 40 : 20) + 20 + len);
		assert_int_equal(seg.seq, out.seq);
		assert_int_equal(seg.ack, out.ack);
		assert_int_equal(seg.wnd, out.wnd);
		assert_int_equal(seg.flags, out.flags);
		assert_int_equal(seg.len, 0);
		assert_int_equal(frame.ttl, 61);
		assert_int_equal(frame.tos, 0xb8);
		assert_int_equal(seg.opts & ~SL_OPT_SACK, out.opts & ~SL_OPT_SACK);
		if (out.opts & SL_OPT_MSS)
			assert_int_equal(seg.mss, 1460);
		if (out.opts & SL_OPT_WSCALE)
			assert_int_equal(seg.wscale, 9);
		if (out.opts & SL_OPT_TS) {
			assert_int_equal(seg.tsval, out.tsval);
			assert_int_equal(seg.tsecr, out.tsecr);
		}
		if (out.opts & SL_OPT_SACK)
			assert_true(seg.n_sacks == out.n_sacks || len + 8 > 40);
		for (uint8_t s = 0; s < seg.n_sacks; s++)
			assert_int_equal(seg.sack[s].hi, 2u * s + 2);
		heapbufs_put(&hb, m);
	}
	heapbufs_close(&hb);
}

static void
timestamps_leave_room_for_three_sack_blocks_of_four(void **state)
{
	assert_int_equal(sl_tcp_options_len(SL_OPT_SACK, 4), 36);
	assert_int_equal(sl_tcp_options_len(SL_OPT_SACK | SL_OPT_TS, 4), 12 + 4 + 24);
	assert_int_equal(sl_tcp_options_len(SL_OPT_SACK | SL_OPT_TS, 0), 12);
	assert_int_equal(sl_tcp_options_len(SL_OPT_TS, 4), 12);
	assert_int_equal(
		sl_tcp_options_len(SL_OPT_MSS | SL_OPT_SACK_OK | SL_OPT_TS | SL_OPT_WSCALE, 0),
		20);
}

/* rows: SG1 [v4 v6] */
static void
a_chained_payload_is_summed_and_never_touched(void **state)
{
	const uint16_t cut[] = { 3, 5, 0, 20 };
	struct heapbufs hb;
	uint8_t data[101], got[400];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	heapbufs_open(&hb);
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_tuple tuple = tuple_of(v6);
		struct sl_seg_out out = { .flags = SL_ACK, .ttl = 64, .opts = SL_OPT_TS };
		struct rte_mbuf *m = fresh(&hb);
		struct sl_frame frame;
		struct sl_seg seg;

		m->next = heapbufs_chain(&hb, data, sizeof(data), 0, cut, 4);
		m->nb_segs = 5;
		m->pkt_len = sizeof(data);
		sl_tcp_build(m, &l2, &tuple, &out);
		read_back(m, &tuple, &frame, &seg);
		assert_int_equal(seg.len, sizeof(data));
		heapbufs_read(m, got, sizeof(got));
		assert_memory_equal(got + frame.payload, data, sizeof(data));
		heapbufs_put(&hb, m);
	}
	heapbufs_close(&hb);
}

static void
attached_bytes_are_sent_from_where_they_lie(void **state)
{
	static const char text[] = "retained bytes";
	struct heapbufs hb;
	struct sl_tuple tuple = tuple_of(false);
	struct sl_seg_out out = { .flags = SL_ACK, .ttl = 64 };
	struct sl_frame frame;
	struct sl_seg seg;

	heapbufs_open(&hb);
	struct rte_mbuf *owner = heapbufs_packet(&hb, text, sizeof(text), 0);
	struct rte_mbuf *m = fresh(&hb), *body = fresh(&hb);

	sl_bufs_attach(&hb.bufs, body, owner, rte_pktmbuf_mtod(owner, void *), sizeof(text));
	assert_int_equal(rte_mbuf_refcnt_read(owner), 2);
	m->next = body;
	m->nb_segs = 2;
	m->pkt_len = body->pkt_len;
	sl_tcp_build(m, &l2, &tuple, &out);
	heapbufs_put(&hb, owner);
	read_back(m, &tuple, &frame, &seg);
	assert_int_equal(seg.len, sizeof(text));
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

/* rows: SG1 [v4 v6] */
static void
a_port_that_sums_gets_the_pseudo_header_and_the_lengths(void **state)
{
	struct heapbufs hb;

	heapbufs_open(&hb);
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_tuple tuple = tuple_of(v6);
		struct sl_seg_out out = { .flags = SL_ACK,
					  .ttl = 64,
					  .offloads = SL_OFFLOAD_TCP_CKSUM |
						      SL_OFFLOAD_IPV4_CKSUM };
		struct rte_mbuf *m = fresh(&hb);
		const uint8_t *p;
		uint32_t sum = 6 + 20;

		sl_tcp_build(m, &l2, &tuple, &out);
		p = rte_pktmbuf_mtod(m, const uint8_t *);
		assert_int_equal(m->l2_len, 14);
		assert_int_equal(m->l3_len, v6 ? 40 : 20);
		assert_int_equal(m->l4_len, 20);
		sum = v6 ? craft_sum(sum, p + 14 + 8, 32) : craft_sum(sum, p + 14 + 12, 8);
		assert_int_equal(sl_get16(p + 14 + m->l3_len + 16), sum);
		assert_int_equal(m->ol_flags, v6 ? RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV6
						 : RTE_MBUF_F_TX_TCP_CKSUM |
							      RTE_MBUF_F_TX_IPV4 |
							      RTE_MBUF_F_TX_IP_CKSUM);
		if (!v6)
			assert_int_equal(sl_get16(p + 24), 0);
		heapbufs_put(&hb, m);
	}
	heapbufs_close(&hb);
}

/* rows: PM1 [v4] */
static void
ipv4_is_sent_unfragmentable_without_identification(void **state)
{
	struct heapbufs hb;
	struct sl_tuple tuple = tuple_of(false);
	struct sl_seg_out out = { .flags = SL_SYN, .ttl = 64 };

	heapbufs_open(&hb);
	struct rte_mbuf *m = fresh(&hb);

	sl_tcp_build(m, &l2, &tuple, &out);
	assert_int_equal(sl_get32(rte_pktmbuf_mtod(m, const uint8_t *) + 18), 0x4000);
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

static void
the_longest_header_fits_the_headroom_promised(void **state)
{
	struct heapbufs hb;
	struct sl_tuple tuple = tuple_of(true);
	struct sl_l2 tagged = l2;
	struct sl_seg_out out = { .flags = SL_ACK,
				  .opts = SL_OPT_TS | SL_OPT_SACK,
				  .n_sacks = 4 };
	struct sl_frame frame;
	struct sl_seg seg;

	tagged.vlan = 4094;
	heapbufs_open(&hb);
	struct rte_mbuf *m = heapbufs_packet(&hb, "", 0, 118);

	sl_tcp_build(m, &tagged, &tuple, &out);
	assert_int_equal(m->pkt_len, 118);
	assert_int_equal(rte_pktmbuf_headroom(m), 0);
	read_back(m, &tuple, &frame, &seg);
	assert_int_equal(frame.vlan, 4094);
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

/* The same segment by the two ways; every bit of @shape asks for something. */
static void
check_ways(struct heapbufs *hb, unsigned int shape)
{
	static const char bytes[] = "what is carried";
	struct sl_tuple tuple = tuple_of(shape & 1);
	struct sl_ends ends = sl_ends_of(&tuple);
	struct sl_l2 way = l2;
	struct sl_seg_out out = {
		.seq = 0xfffffff0,
		.ack = 77,
		.wnd = 501,
		.flags = SL_ACK | SL_PSH,
		.opts = shape & 2 ? SL_OPT_TS : 0,
		.tsval = 1234567,
		.tsecr = 7654321,
		.ttl = 63,
		.tos = 0x48,
		.offloads = (shape & 4 ? SL_OFFLOAD_TCP_CKSUM : 0) |
			    (shape & 8 ? SL_OFFLOAD_IPV4_CKSUM : 0),
	};
	struct rte_mbuf *a = heapbufs_packet(hb, bytes, sizeof(bytes), 128);
	struct rte_mbuf *b = heapbufs_packet(hb, bytes, sizeof(bytes), 128);

	way.vlan = shape & 16 ? 7 : 0;
	sl_tcp_build(a, &way, &tuple, &out);
	sl_put_plain(b, &way, &ends, &out, sl_tcp_payload_sum(b, out.offloads, 0));
	assert_int_equal(a->pkt_len, b->pkt_len);
	assert_int_equal(a->data_len, b->data_len);
	assert_int_equal(a->ol_flags, b->ol_flags);
	assert_int_equal(a->tx_offload, b->tx_offload);
	assert_int_equal(a->port, b->port);
	assert_memory_equal(rte_pktmbuf_mtod(a, void *), rte_pktmbuf_mtod(b, void *),
			    a->pkt_len);
	heapbufs_put(hb, a);
	heapbufs_put(hb, b);
}

/* The second of a flight by both ways; every bit of @shape asks for something. */
static void
check_model(struct heapbufs *hb, unsigned int shape)
{
	static const char bytes[2][16] = { "what went before", "what is carried" };
	struct sl_tuple tuple = tuple_of(shape & 1);
	struct sl_ends ends = sl_ends_of(&tuple);
	struct sl_l2 way = l2;
	struct sl_seg_out out = {
		.seq = 0xfffffff8,
		.ack = 77,
		.wnd = 501,
		.flags = SL_ACK,
		.opts = shape & 2 ? SL_OPT_TS : 0,
		.tsval = 1234567,
		.tsecr = 7654321,
		.ttl = 63,
		.tos = 0x48,
	};
	struct rte_mbuf *first = heapbufs_packet(hb, bytes[0], 16, RTE_PKTMBUF_HEADROOM);
	struct rte_mbuf *a = heapbufs_packet(hb, bytes[1], 16, RTE_PKTMBUF_HEADROOM);
	struct rte_mbuf *b = heapbufs_packet(hb, bytes[1], 16, RTE_PKTMBUF_HEADROOM);
	uint64_t payload = sl_tcp_payload_sum(b, 0, 0), sum;
	struct sl_put_model model;

	way.vlan = shape & 4 ? 7 : 0;
	sum = sl_put_plain(first, &way, &ends, &out, sl_tcp_payload_sum(first, 0, 0));
	sl_put_remember(&model, first, &out, 16, sum);
	out.seq += 16;
	out.flags |= shape & 8 ? SL_PSH | SL_FIN : 0;
	sl_tcp_build(a, &way, &tuple, &out);
	sl_put_alike(b, &way, &model, out.seq, out.flags, payload);
	assert_int_equal(a->pkt_len, b->pkt_len);
	assert_int_equal(a->data_len, b->data_len);
	assert_int_equal(a->ol_flags, b->ol_flags);
	assert_int_equal(a->port, b->port);
	assert_memory_equal(rte_pktmbuf_mtod(a, void *), rte_pktmbuf_mtod(b, void *),
			    a->pkt_len);
	heapbufs_put(hb, first);
	heapbufs_put(hb, a);
	heapbufs_put(hb, b);
}

static void
the_next_of_a_flight_is_the_same_behind_its_model(void **state)
{
	struct heapbufs hb;

	heapbufs_open(&hb);
	for (unsigned int shape = 0; shape < 16; shape++)
		check_model(&hb, shape);
	heapbufs_close(&hb);
}

static void
a_plain_segment_is_the_same_by_the_way_of_its_own(void **state)
{
	struct heapbufs hb;

	heapbufs_open(&hb);
	for (unsigned int shape = 0; shape < 32; shape++)
		check_ways(&hb, shape);
	heapbufs_close(&hb);
}

static void
the_way_back_swaps_addresses_and_keeps_the_tag(void **state)
{
	const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, them[6] = { 2, 0, 0, 0, 0, 9 };
	struct heapbufs hb;
	struct craft c;
	struct sl_frame frame = { .vlan = 12 };

	craft_ether(&c, us, them, 0, 0x0800);
	heapbufs_open(&hb);
	struct rte_mbuf *m = heapbufs_packet(&hb, c.b, c.len, 0);
	m->port = 5;
	struct sl_l2 back;

	sl_l2_reply(m, &frame, &back);

	assert_memory_equal(back.dst, them, 6);
	assert_memory_equal(back.src, us, 6);
	assert_int_equal(back.vlan, 12);
	assert_int_equal(back.port, 5);
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

static void
only_a_packet_that_is_all_ours_is_used_again(void **state)
{
	const uint16_t cut[] = { 30, 30 };
	struct heapbufs hb;
	uint8_t bytes[60] = { 0 };

	heapbufs_open(&hb);
	struct rte_mbuf *m = heapbufs_packet(&hb, bytes, 60, 128);

	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	rte_mbuf_refcnt_update(m, 1);
	assert_false(sl_reuse(m));
	rte_mbuf_refcnt_update(m, -1);
	assert_true(sl_reuse(m));
	assert_int_equal(m->pkt_len, 0);
	assert_int_equal(m->ol_flags, 0);
	assert_int_equal(rte_pktmbuf_headroom(m), 128);
	heapbufs_put(&hb, m);

	m = heapbufs_chain(&hb, bytes, 60, 128, cut, 2);
	assert_false(sl_reuse(m));
	heapbufs_put(&hb, m);
	m = heapbufs_external(&hb, bytes, 60);
	assert_false(sl_reuse(m));
	heapbufs_put(&hb, m);
	m = heapbufs_packet(&hb, bytes, 60, 0);
	assert_false(sl_reuse(m));
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_of_options_reads_back_and_takes_the_room_it_said),
		cmocka_unit_test(timestamps_leave_room_for_three_sack_blocks_of_four),
		cmocka_unit_test(a_chained_payload_is_summed_and_never_touched),
		cmocka_unit_test(attached_bytes_are_sent_from_where_they_lie),
		cmocka_unit_test(a_port_that_sums_gets_the_pseudo_header_and_the_lengths),
		cmocka_unit_test(ipv4_is_sent_unfragmentable_without_identification),
		cmocka_unit_test(the_longest_header_fits_the_headroom_promised),
		cmocka_unit_test(a_plain_segment_is_the_same_by_the_way_of_its_own),
		cmocka_unit_test(the_next_of_a_flight_is_the_same_behind_its_model),
		cmocka_unit_test(the_way_back_swaps_addresses_and_keeps_the_tag),
		cmocka_unit_test(only_a_packet_that_is_all_ours_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
