/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_greed - peers that connect and then ask for more than their share: of packets, of
 * bytes, of our time.
 *
 * The claims of lib/THREATS.md about what a single connection costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "siege.h"

#include "l7/apps.h"

/* The application sends @bytes to who connects, and never ends. */
static void
begin_sending(bool v6, uint64_t bytes)
{
	siege_init(v6, &talk_app);
	siege.plan.send = bytes;
	siege.plan.fin = TALK_FIN_NEVER;
}

/* @p has seen what came in order since solo_clear(). */
static void
sees(struct siege_peer *p)
{
	for (uint32_t k = 0; k < siege.s.n_out; k++) {
		const struct sl_seg *seg = &siege.s.out[k].seg;

		if (seg->seq == p->ack)
			p->ack += seg->len;
	}
	solo_clear(&siege.s);
}

/*
 * A peer that asks for a byte a segment gets 64 all the same.
 * rows: OP9 [v4 v6]
 */
static void
a_tiny_mss_does_not_make_a_packet_of_each_byte(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_peer p;
		uint32_t end;

		begin_sending(v6, 20000);
		siege_begin();
		siege_meet(&p, SIEGE_PORT, 31000, 65535, 1);
		end = siege.s.iss + 20001;
		for (unsigned int i = 0; i < 100 && p.ack != end; i++) {
			siege_acks(&p);
			solo_pass(&siege.s, 300);
			for (uint32_t k = 0; k < siege.s.n_out; k++) {
				const struct sl_seg *seg = &siege.s.out[k].seg;

				assert_true(seg->len >= 52 || seg->len == 0 ||
					    seg->seq + seg->len == end);
			}
			sees(&p);
		}
		assert_int_equal(p.ack, end);
		siege_leaves(&p);
		siege_end();
	}
}

/* Lies about what arrived, of every shape: near the truth, inverted, overlapping, wild. */
static void
lie(struct siege_peer *p, uint32_t sent)
{
	struct sl_seg_out seg = { p->seq, p->ack, .flags = SL_ACK, .wnd = 65535 };

	seg.opts = SL_OPT_SACK;
	seg.n_sacks = (uint8_t)(1 + rnd_below(&siege.rnd, SL_SACKS_MAX));
	for (unsigned int i = 0; i < seg.n_sacks; i++) {
		uint32_t lo = p->ack + rnd_below(&siege.rnd, sent + 1);

		if (rnd_below(&siege.rnd, 4) == 0)
			lo = (uint32_t)rnd_u64(&siege.rnd);
		seg.sack[i].lo = lo;
		seg.sack[i].hi = lo + rnd_below(&siege.rnd, 5000) - 500;
	}
	siege.s.tuple = p->tuple;
	solo_send(&siege.s, &seg, NULL, 0);
	solo_step(&siege.s);
	solo_clear(&siege.s);
}

/* rows: LR5 LR20 [v4 v6] */
static void
lies_in_sack_cost_the_liar_alone(void **state)
{
	enum { BYTES = 40000 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_peer p;
		uint64_t bytes;
		uint32_t end;

		begin_sending(v6, BYTES);
		siege_begin();
		siege_meet(&p, SIEGE_PORT, 31000, 65535, 1460);
		end = siege.s.iss + 1 + BYTES;
		bytes = siege.s.bytes_out;
		for (unsigned int i = 0; i < 1500; i++)
			lie(&p, BYTES);
		/* no time passed: what the congestion window let go, and little of it twice */
		assert_true(siege.s.bytes_out - bytes < BYTES);
		siege_echoes(&siege.old, 500);

		for (unsigned int i = 0; i < 2000 && p.ack != end; i++) {
			siege_acks(&p);
			solo_pass(&siege.s, 500);
			sees(&p);
		}
		assert_int_equal(p.ack, end);
		siege_leaves(&p);
		siege_end();
	}
}

/*
 * Peers that ask for much and never open their window: each holds its send buffer, and is
 * asked less and less often.
 * rows: SW1 SW2 [v4 v6]
 */
static void
holders_of_closed_windows_hold_their_send_buffers_alone(void **state)
{
	enum { HOLDERS = 40, SNDBUF = 32768 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_peer p[HOLDERS];
		struct siege_gauges before;
		uint64_t probes;

		begin_sending(v6, 1 << 20);
		siege.s.conf.listener[0].tcp.sndbuf = SNDBUF;
		siege.s.conf.listener[0].tcp.user_timeout_ms = 3600 * 1000;
		siege_begin();
		before = siege_gauges();
		for (unsigned int i = 0; i < HOLDERS; i++)
			siege_meet(&p[i], SIEGE_PORT, (uint16_t)(31000 + i), 0, 1460);
		assert_int_equal(siege.result.sent, HOLDERS * SNDBUF);
		assert_true(siege.s.hb.out <= before.buffers + HOLDERS * (SNDBUF / 1024 + 1));
		probes = siege.s.frames_out;
		siege_wait(600);
		assert_in_range(siege.s.frames_out - probes, HOLDERS, HOLDERS * 20);
		assert_int_equal(siege.result.sent, HOLDERS * SNDBUF);
		siege_echoes(&siege.old, 100);
		for (unsigned int i = 0; i < HOLDERS; i++)
			siege_leaves(&p[i]);
		siege_end();
	}
}

/* A byte a segment, for an application that takes none: the bytes are held, not the buffers. */
static void
tiny_segments_pin_no_buffers(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct siege_peer p;
		struct siege_gauges before;

		siege_init(v6, &talk_app);
		siege_takes_nothing();
		siege_begin();
		before = siege_gauges();
		siege_meet(&p, SIEGE_PORT, 31000, 1024, 1460);
		for (unsigned int i = 0; i < 3000; i++) {
			siege_put(&p, 0, 1);
			p.seq++;
		}
		assert_int_equal(p.acked, p.seq);
		assert_true(siege_gauges().kept - before.kept <= 3 + 3000 / 1024);
		siege_leaves(&p);
		siege_end();
	}
}

/*
 * Thousands of pieces behind a gap, and bytes among them again and again: how many pieces are
 * looked at in a millisecond for want of a better order is bounded. Who has few is not served
 * worse, and the stream heals.
 * rows: RX9 [v4 v6]
 */
static void
places_among_many_pieces_are_searched_for_but_so_often(void **state)
{
	enum { PIECES = 1500, BYTES = 600, TRIES = 200 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct sl_seg_out syn = { .opts = SL_OPT_MSS | SL_OPT_SACK_OK | SL_OPT_WSCALE,
					  .mss = 1460,
					  .wnd = 65535 };
		uint64_t found, dropped;
		struct siege_peer p, few;

		siege_init(v6, &sl_discard);
		siege.s.conf.listener[0].tcp.rcvbuf = 1 << 20;
		siege.s.conf.listener[0].tcp.rcvbuf_initial = 1 << 20;
		siege_begin();
		siege_meet(&few, SIEGE_PORT, 31000, 65535, 1460);
		for (unsigned int k = 0; k < 8; k++)
			siege_put(&few, 1 + 200 * k, 100);
		siege.s.tuple.rport = 31001;
		solo_handshake(&siege.s, 0xffff0000, &syn);
		p = (struct siege_peer){ siege.s.tuple, siege.s.irs + 1, siege.s.iss + 1, 0 };
		siege_put(&p, 0, 100); /* what answers that opens the window */
		p.seq += 100;
		for (unsigned int k = 0; k < PIECES; k++)
			siege_put(&p, 1 + k * BYTES, BYTES);
		assert_int_equal(siege_count(SL_CNT_out_of_order), 8 + PIECES);

		for (unsigned int ms = 0; ms < 3; ms++) {
			solo_pass(&siege.s, 1);
			found = siege_count(SL_CNT_dup_in);
			dropped = siege_count(SL_CNT_ooo_dropped);
			for (unsigned int i = 0; i < TRIES; i++)
				siege_put(&p, 1 + PIECES * BYTES / 2 + 7 * i, 1);
			found = siege_count(SL_CNT_dup_in) - found;
			dropped = siege_count(SL_CNT_ooo_dropped) - dropped;
			assert_true(found >= 1 && found * PIECES < 10000);
			assert_int_equal(found + dropped, TRIES);
			siege_put(&few, 101 + 200 * ms, 1);
			assert_int_equal(siege_count(SL_CNT_out_of_order), 8 + PIECES + ms + 1);
		}
		siege_put(&p, 0, 1);
		assert_int_equal(p.acked, p.seq + 1 + PIECES * BYTES);
		p.seq = p.acked;
		siege_leaves(&p);
		siege_leaves(&few);
		siege_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tiny_mss_does_not_make_a_packet_of_each_byte),
		cmocka_unit_test(lies_in_sack_cost_the_liar_alone),
		cmocka_unit_test(holders_of_closed_windows_hold_their_send_buffers_alone),
		cmocka_unit_test(tiny_segments_pin_no_buffers),
		cmocka_unit_test(places_among_many_pieces_are_searched_for_but_so_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
