/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_window - the window we promise, whatever comes in and however it is read: the right
 * edge never goes back, opens in steps, and no more is held than the buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "solo.h"

/* An application that reads when it is told to. */
struct reader {
	uint64_t take; /* bytes it will still take */
	uint64_t taken;
};

static uint32_t
reader_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct reader *r = (struct reader *)(uintptr_t)sl_listener_arg(c);
	uint32_t n = in->bytes < r->take ? in->bytes : (uint32_t)r->take;

	r->take -= n;
	r->taken += n;
	return n;
}

static const struct sl_app reader_app = { .name = "reader", .data = reader_data };

/* The peer's side of it: what it has sent, and how far it may. */
struct sender {
	struct reader reader;
	struct rnd rnd;
	uint32_t rcvbuf;
	uint8_t scale;
	uint32_t next, edge; /* from the first byte on */
};

static const uint8_t bytes[1460];

/* Look at all windows announced since the last look. */
static void
look_at_windows(struct solo *s, struct sender *p, bool whole_units)
{
	uint32_t slack = 64u << p->scale;

	for (uint32_t i = 0; i < s->n_out; i++) {
		const struct sl_seg *seg = &s->out[i].seg;
		uint32_t acked = seg->ack - s->irs - 1;
		uint32_t edge = acked + ((uint32_t)seg->wnd << p->scale);
		uint32_t back = p->edge - edge;

		/* back by less than a unit, and only once crumbs have used up the slack */
		if ((int32_t)back > 0)
			assert_true(!whole_units && back < 1u << p->scale);
		else
			p->edge = edge;
		assert_true(edge <= p->reader.taken + p->rcvbuf + slack);
	}
	solo_clear(s);
}

static void
read_some(struct solo *s, struct sender *p, uint32_t n)
{
	struct sl_ref ref;
	struct sl_conn c;

	p->reader.take = n;
	assert_non_null(sl_core_state(s->core, &s->tuple, &ref));
	assert_true(sl_core_conn(s->core, s->now, ref, &c));
	sl_resume(&c);
	solo_step(s);
	p->reader.take = 0;
}

static void
write_some(struct solo *s, struct sender *p, uint32_t most)
{
	uint32_t room = p->edge - p->next, n = most < room ? most : room;
	struct sl_seg_out seg = { .seq = s->irs + 1 + p->next,
				  .ack = s->iss + 1,
				  .flags = SL_ACK | SL_PSH,
				  .wnd = 65535 };

	if (n == 0)
		return;
	p->next += n;
	solo_send(s, &seg, bytes, (uint16_t)n);
	solo_step(s);
}

static void
open_sender(struct solo *s, struct sender *p, bool v6, uint32_t initial, uint32_t rcvbuf,
	    uint64_t seed)
{
	struct sl_seg_out syn = { .wnd = 65535,
				  .mss = 1400,
				  .opts = SL_OPT_MSS | SL_OPT_WSCALE };
	uint32_t window;

	memset(p, 0, sizeof(*p));
	p->rnd.s = seed;
	p->rcvbuf = rcvbuf;
	solo_init(s, v6, &reader_app, &p->reader);
	s->conf.listener[0].tcp.rcvbuf = rcvbuf;
	s->conf.listener[0].tcp.rcvbuf_initial = initial;
	s->conf.listener[0].tcp.cookies =
		initial < 10000 ? SL_COOKIES_ALWAYS : SL_COOKIES_AUTO; /* no round trip known */
	s->conf.rx_buffers = 65536;
	solo_open(s);
	solo_handshake(s, (uint32_t)rnd_u64(&p->rnd), &syn);
	assert_true(s->out[0].seg.opts & SL_OPT_WSCALE);
	p->scale = s->out[0].seg.wscale;
	window = s->out[0].seg.wnd; /* never scaled in a SYN */
	p->edge = window;
	solo_clear(s);
}

/* rows: WS2 WS5 SW3 RX10 [v4 v6] */
static void
the_right_edge_never_goes_back(void **state)
{
	static const uint32_t sizes[] = { 1024, 5000, 65535, 65536, 100001, 262144, 3000000 };
	static struct solo s;
	static struct sender p;

	for (size_t i = 0; i < 2 * RTE_DIM(sizes); i++) {
		open_sender(&s, &p, i % 2, i % 3 == 0 ? 2048 : sizes[i / 2], sizes[i / 2], i);
		for (int turn = 0; turn < 1500; turn++) {
			if (rnd_below(&p.rnd, 4) == 0)
				read_some(&s, &p, rnd_below(&p.rnd, 2 * sizes[i / 2]));
			else
				write_some(&s, &p, 1 + rnd_below(&p.rnd, 1460));
			if (rnd_below(&p.rnd, 8) == 0)
				solo_pass(&s, 50); /* a delayed ACK */
			look_at_windows(&s, &p, true);
		}
		solo_close(&s);
	}
}

/*
 * A window each 20 ms, all of it read: the buffer doubles until it is as large as it may be.
 * rows: RX10 SW3 [v4 v6]
 */
static void
a_reader_at_full_speed_is_given_all_the_buffer(void **state)
{
	static struct solo s;
	static struct sender p;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t end;

		open_sender(&s, &p, v6, 4096, 3000000, 7);
		for (int turn = 0; turn < 24; turn++) {
			p.reader.take = UINT64_MAX;
			for (end = p.edge; p.next != end;) {
				write_some(&s, &p, end - p.next < 1460 ? end - p.next : 1460);
				look_at_windows(&s, &p, true);
			}
			solo_pass(&s, 20);
			look_at_windows(&s, &p, true);
		}
		assert_true(p.edge - p.next > 3000000 - 2 * 1460);
		solo_close(&s);
	}
}

/* Crumbs that nobody reads: rounding up alone would let the peer send for ever. */
static void
crumbs_do_not_push_the_edge_beyond_the_buffer(void **state)
{
	static struct solo s;
	static struct sender p;

	for (int v6 = 0; v6 < 2; v6++) {
		open_sender(&s, &p, v6, 200000, 3000000, 5);
		assert_true(p.scale >= 5);
		for (int turn = 0; turn < 8000; turn++) {
			write_some(&s, &p, 1 + turn % 3);
			look_at_windows(&s, &p, false);
		}
		assert_true(p.edge <= 200000 + (64u << p.scale));
		solo_close(&s);
	}
}

/* rows: SW5 SW6 RX10 [v4 v6] */
static void
a_closed_window_opens_in_steps_however_little_is_read(void **state)
{
	static struct solo s;
	static struct sender p;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t closed_at;

		open_sender(&s, &p, v6, 10000, 10000, 9);
		while (p.edge > p.next) {
			write_some(&s, &p, 1000);
			solo_pass(&s, 50);
			look_at_windows(&s, &p, true);
		}
		closed_at = p.edge;
		for (int i = 0; i < 5000; i++) {
			uint32_t before = p.edge;

			read_some(&s, &p, 1);
			look_at_windows(&s, &p, true);
			assert_true(p.edge == before || p.edge - before >= 1388);
		}
		assert_true(p.edge - closed_at >= 2 * 1388);
		solo_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_edge_never_goes_back),
		cmocka_unit_test(a_reader_at_full_speed_is_given_all_the_buffer),
		cmocka_unit_test(crumbs_do_not_push_the_edge_beyond_the_buffer),
		cmocka_unit_test(a_closed_window_opens_in_steps_however_little_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
