/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_script - the language of packet scripts: what is read is what was written, what is
 * wrong is named, and frames of the scripts' hand are those that lib/wire reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"
#include "heapbufs.h"
#include "parse.h"
#include "wire/build.h"
#include "wire/frame.h"

/* The only line of @text. */
static struct line *
only_line(struct script *s, const char *text, bool v6)
{
	if (script_parse(s, text, v6) != 0)
		fail_msg("%s", s->why);
	assert_int_equal(s->n_lines, 1);
	return &s->line[0];
}

static void
assert_reprinted(const char *text)
{
	struct script s;
	char line[600], again[600];

	snprintf(line, sizeof(line), "+0.5 > %s", text);
	pkt_print(again, sizeof(again), &only_line(&s, line, false)->pkt);
	assert_string_equal(again, text);
	script_free(&s);
}

static void
assert_complains(const char *text, const char *about)
{
	struct script s;

	assert_int_not_equal(script_parse(&s, text, false), 0);
	if (strstr(s.why, about) == NULL)
		fail_msg("`%s` is not about `%s`", s.why, about);
	script_free(&s);
}

static void
what_is_read_prints_as_it_was_written(void **state)
{
	assert_reprinted("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>");
	assert_reprinted(". 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001>");
	assert_reprinted("FP. 1:1001(1000) ack 5 win 0");
	assert_reprinted("U. 1:2(1) ack 1 win 9 urg 7");
	assert_reprinted("- 1:1(0)");
	assert_reprinted("R 4294967295:4294967295(0)");
	assert_reprinted(". 1:1(0) ack 1 <...>");
	assert_reprinted("P. 1:9(8) ack 1 \"\\\"hi\\\" \\\\\\r\\n\"");
	assert_reprinted("S 0:0(0) <hex c806000000,eol>");
}

static void
a_line_has_a_time_a_peer_and_no_comment(void **state)
{
	struct script s;
	struct line *line =
		only_line(&s, "\n# nothing\n+0.25~1 peer 3 > . 1:1(0) ack 1 # why\n", false);

	assert_int_equal(line->no, 3);
	assert_int_equal(line->kind, LINE_OUT);
	assert_int_equal(line->peer, 3);
	assert_int_equal(line->after_ns, 250000000);
	assert_int_equal(line->until_ns, 1000000000);
	assert_string_equal(line->text, "+0.25~1 peer 3 > . 1:1(0) ack 1");
	script_free(&s);
}

static void
a_number_of_two_is_for_two_families(void **state)
{
	struct script s;
	int64_t n;

	assert_int_equal(only_line(&s, "< S 0:0(0) <mss 1460/1440>", false)->pkt.opt[0].a,
			 1460);
	script_free(&s);
	assert_int_equal(only_line(&s, "< S 0:0(0) <mss 1460/1440>", true)->pkt.opt[0].a, 1440);
	script_free(&s);
	assert_true(script_number("-5/-6", false, &n) == false);
	assert_true(script_number("5/6", true, &n));
	assert_int_equal(n, 6);
	assert_false(script_number("5x", true, &n));
}

static void
words_keep_quoted_text_together(void **state)
{
	struct script s;
	struct line *line = only_line(&s, "+0 app send \"GET / # \\r\\n\" accepts 3", false);

	assert_int_equal(line->kind, LINE_WORDS);
	assert_int_equal(line->n_words, 5);
	assert_string_equal(line->word[2], "\"GET / # \r\n");
	assert_string_equal(line->word[4], "3");
	script_free(&s);
}

static void
knobs_are_read(void **state)
{
	struct script s;
	struct pkt *p = &only_line(&s, "< {badsum,vlan=5,split=20} . 1:1(0) ack 1", false)->pkt;

	assert_true(p->knobs.badsum);
	assert_false(p->knobs.pad);
	assert_int_equal(p->knobs.vlan, 5);
	assert_int_equal(p->knobs.split, 20);
	script_free(&s);
}

static void
what_is_wrong_is_named_with_its_line(void **state)
{
	assert_complains("\n< S 0:1(0)", "line 2: END");
	assert_complains("< X 0:0(0)", "flags");
	assert_complains("< . 0:0(0)", "want ack");
	assert_complains("< S 0:0(0) ack 1", "without the flag");
	assert_complains("< S 0:0(0) <mss>", "number");
	assert_complains("< S 0:0(0) <moss 5>", "option");
	assert_complains("< S 0:0(0) <mss 5", "> behind");
	assert_complains("< {odd} S 0:0(0)", "knob");
	assert_complains("+x quiet", "time");
	assert_complains("peer 17 quiet", "peer");
	assert_complains("< S 0:0(0) 7", "behind the packet");
	assert_complains("app \"x", "quote");
	assert_complains("< P. 1:2(1) ack 1 \"xy\"", "more text");
}

static void
differences_are_named(void **state)
{
	struct script a, b;
	struct pkt *want = &only_line(&a, "> . 1:*(*) ack 1 <TS val * ecr 5>", false)->pkt;
	struct pkt *got =
		&only_line(&b, "> . 1:9(8) ack 1 win 7 <nop,nop,TS val 77 ecr 5>", false)->pkt;

	got->opt[0] = got->opt[2]; /* what comes off the wire has no NOPs */
	got->n_opts = 1;
	assert_null(pkt_differs(want, got, true));
	got->opt[0].b = 6;
	assert_string_equal(pkt_differs(want, got, true), "an option's value");
	got->n_opts = 0;
	assert_string_equal(pkt_differs(want, got, true), "an option is missing");
	want->opts_mode = OPTS_USUAL;
	assert_string_equal(pkt_differs(want, got, true), "timestamps are missing");
	assert_null(pkt_differs(want, got, false));
	got->ack = 2;
	assert_string_equal(pkt_differs(want, got, false), "acknowledgment number");
	script_free(&a);
	script_free(&b);
}

static struct ends
ends_of(bool v6)
{
	struct ends e = { .v6 = v6,
			  .our_mac = { 2, 0, 0, 0, 0, 1 },
			  .peer_mac = { 2, 0, 0, 0, 0, 2 },
			  .lport = 80,
			  .rport = 40000,
			  .ours = sl_addr_v4(0x0a4d0001),
			  .peer = sl_addr_v4(0x0a4d0002) };

	if (v6) {
		e.ours = (struct sl_addr){ .b = { 0xfd, [15] = 1 } };
		e.peer = (struct sl_addr){ .b = { 0xfd, [15] = 2 } };
	}
	return e;
}

/* Build the segment @text and let lib/wire read it. */
static enum sl_fate
read_by_wire(const char *text, bool v6, struct sl_seg *seg)
{
	uint8_t frame[256], payload[64] = "abc";
	struct ends e = ends_of(v6);
	struct sl_frame layers;
	struct sl_tuple tuple;
	struct heapbufs heap;
	struct rte_mbuf *m;
	struct script s;
	enum sl_fate fate;
	size_t n;

	n = frame_build(frame, &e, &only_line(&s, text, v6)->pkt, payload);
	heapbufs_open(&heap);
	m = heapbufs_packet(&heap, frame, n, 128);
	fate = sl_frame_parse(m, &layers, &tuple, seg);
	if (fate == SL_FATE_NONE) {
		assert_true(sl_addr_eq(&tuple.remote, &e.peer));
		assert_int_equal(tuple.rport, e.rport);
		assert_int_equal(tuple.lport, e.lport);
	}
	heapbufs_put(&heap, m);
	heapbufs_close(&heap);
	script_free(&s);
	return fate;
}

static void
the_engine_reads_what_scripts_build(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_seg seg;

		assert_int_equal(
			read_by_wire("< SP 5:8(3) win 9 <mss 1400,wscale 7>", v6, &seg),
			SL_FATE_NONE);
		assert_int_equal(seg.seq, 5);
		assert_int_equal(seg.len, 3);
		assert_int_equal(seg.wnd, 9);
		assert_int_equal(seg.mss, 1400);
		assert_int_equal(seg.wscale, 7);
		assert_int_equal(read_by_wire("< {ipopts,pad} . 5:5(0) ack 1", v6, &seg),
				 SL_FATE_NONE);
		assert_int_equal(seg.len, 0);
		assert_int_equal(read_by_wire("< {badsum} . 5:8(3) ack 1", v6, &seg),
				 SL_FATE_tcp_checksum);
		assert_int_equal(read_by_wire("< {fragment} . 5:8(3) ack 1", v6, &seg),
				 SL_FATE_ip_fragment);
		assert_int_equal(read_by_wire("< {dataofs=4} . 5:8(3) ack 1", v6, &seg),
				 SL_FATE_tcp_bad);
	}
}

/* A frame by lib/wire with @change xored into the byte at @at, read by the scripts' hand. */
static enum frame_what
read_by_script(bool v6, size_t at, uint8_t change, struct pkt *p, const char **why)
{
	const struct sl_seg_out seg = { .seq = 7,
					.ack = 9,
					.flags = SL_ACK,
					.wnd = 5,
					.ttl = 64,
					.opts = SL_OPT_TS,
					.tsval = 1,
					.tsecr = 2 };
	struct sl_l2 l2 = { .dst = { 2, 0, 0, 0, 0, 2 }, .src = { 2, 0, 0, 0, 0, 1 } };
	struct ends e = ends_of(v6), read = { .lport = 0 };
	struct sl_tuple tuple = {
		.remote = e.peer, .local = e.ours, .rport = e.rport, .lport = e.lport, .v6 = v6
	};
	static uint8_t frame[256];
	const uint8_t *payload;
	struct heapbufs heap;
	struct rte_mbuf *m;
	enum frame_what what;
	size_t n;

	heapbufs_open(&heap);
	assert_int_equal(heap.bufs.get(heap.bufs.ctx, SL_POOL_TX, &m, 1), 0);
	sl_tcp_build(m, &l2, &tuple, &seg);
	n = heapbufs_read(m, frame, sizeof(frame));
	frame[at] ^= change;
	what = frame_read(frame, n, 1500, &read, p, &payload, why);
	heapbufs_put(&heap, m);
	heapbufs_close(&heap);
	return what;
}

static void
scripts_read_what_the_engine_builds(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		size_t tcp = 14 + (v6 ? 40 : 20);
		const char *why;
		struct pkt p;

		assert_int_equal(read_by_script(v6, 0, 0, &p, &why), FRAME_TCP);
		assert_int_equal(p.seq, 7);
		assert_int_equal(p.ack, 9);
		assert_int_equal(p.win, 5);
		assert_int_equal(pkt_opt(&p, OPT_TS)->b, 2);
		assert_int_equal(read_by_script(v6, tcp + 4, 1, &p, &why), FRAME_BROKEN);
		assert_string_equal(why, "TCP checksum");
		assert_int_equal(read_by_script(v6, v6 ? 18 : 16, 1, &p, &why), FRAME_BROKEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_prints_as_it_was_written),
		cmocka_unit_test(a_line_has_a_time_a_peer_and_no_comment),
		cmocka_unit_test(a_number_of_two_is_for_two_families),
		cmocka_unit_test(words_keep_quoted_text_together),
		cmocka_unit_test(knobs_are_read),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(differences_are_named),
		cmocka_unit_test(the_engine_reads_what_scripts_build),
		cmocka_unit_test(scripts_read_what_the_engine_builds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
