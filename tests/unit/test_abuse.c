/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_abuse - strangers and ill-meaning peers: what they can take, and that it is no more.
 *
 * After whatever they do an old friend, connected to echo before, is served as before; a
 * newcomer is served, too; table, pools and timers are where they were. Each claim of
 * lib/THREATS.md that virtual time can show has its test here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "craft.h"
#include "l7/apps.h"
#include "link.h"
#include "random.h"
#include "solo.h"
#include "talk.h"

#define PORT      80 /* the listener under attack */
#define PORT_ECHO 7  /* the friend's */
#define CLOSED    81
#define US        "10.0.0.1"
#define US6       "fd00::1"

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, peer[6] = { 2, 0, 0, 0, 0, 2 };

/* A peer that keeps its numbers. */
struct friend
{
	struct sl_tuple tuple;
	uint32_t seq, ack;
	uint32_t acked; /* by the core, as it last said to put() */
};

struct rig {
	struct solo s;
	struct rnd rnd;
	struct friend old;
	struct talk_result result;
	struct talk_plan plan;
};

static struct rig rig;

/* What a stranger must not move. */
struct gauges {
	uint64_t live, half_open, time_wait, active, kept, buffers;
};

static uint64_t
count_of(enum sl_counter counter)
{
	return sl_core_stats(rig.s.core)->count[counter];
}

static uint64_t
fate_of(enum sl_fate fate)
{
	return sl_core_stats(rig.s.core)->fate[fate];
}

static struct gauges
gauges(void)
{
	return (struct gauges){
		.live = count_of(SL_CNT_live),
		.half_open = count_of(SL_CNT_half_open),
		.time_wait = count_of(SL_CNT_time_wait),
		.active = count_of(SL_CNT_active),
		.kept = count_of(SL_CNT_kept),
		.buffers = rig.s.hb.out,
	};
}

static void
moved_nothing(const struct gauges *before)
{
	struct gauges now = gauges();

	assert_memory_equal(before, &now, sizeof(now));
}

static void
meet(struct friend *f, uint16_t lport, uint16_t rport, uint16_t wnd, uint16_t mss)
{
	struct solo *s = &rig.s;
	struct sl_seg_out syn = { .opts = SL_OPT_MSS | SL_OPT_SACK_OK, .mss = mss, .wnd = wnd };

	s->tuple.remote = link_addr(1, s->tuple.v6);
	s->tuple.lport = lport;
	s->tuple.rport = rport;
	solo_handshake(s, (uint32_t)rnd_u64(&rig.rnd), &syn);
	*f = (struct friend){ .tuple = s->tuple, .seq = s->irs + 1, .ack = s->iss + 1 };
	solo_clear(s);
}

/* The friend says @len bytes and has them back, at once. */
static void
echoes(struct friend *f, uint16_t len)
{
	struct solo *s = &rig.s;
	struct sl_seg_out seg = { .seq = f->seq, .ack = f->ack, .flags = SL_ACK | SL_PSH };
	uint8_t bytes[1460];

	for (uint16_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(f->seq + i);
	s->tuple = f->tuple;
	seg.wnd = 65535;
	solo_clear(s);
	solo_send(s, &seg, bytes, len);
	solo_step(s);
	assert_int_equal(s->n_bytes, len);
	assert_memory_equal(s->bytes, bytes, len);
	f->seq += len;
	f->ack += len;
	assert_int_equal(s->out[s->n_out - 1].seg.ack, f->seq);
	seg = (struct sl_seg_out){ f->seq, f->ack, .flags = SL_ACK, .wnd = 65535 };
	solo_send(s, &seg, NULL, 0);
	solo_step(s);
	solo_clear(s);
}

static void
leaves(const struct friend *f)
{
	struct sl_seg_out rst = { .seq = f->seq, .flags = SL_RST };

	rig.s.tuple = f->tuple;
	solo_send(&rig.s, &rst, NULL, 0);
	solo_step(&rig.s);
	solo_clear(&rig.s);
}

static void
set_up(bool v6, const struct sl_app *app)
{
	memset(&rig, 0, sizeof(rig));
	rig.rnd.s = 9;
	rig.plan.result = &rig.result;
	solo_init(&rig.s, v6, app, &rig.plan);
	link_listen(&rig.s.conf, PORT_ECHO, &sl_echo, NULL);
	rig.s.conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
	rig.s.conf.listener[1].tcp.cookies = SL_COOKIES_ALWAYS;
}

static void
begin(void)
{
	solo_open(&rig.s);
	meet(&rig.old, PORT_ECHO, 30000, 65535, 1460);
	echoes(&rig.old, 10);
}

/* The friend is still served, somebody new is served, and nothing is left behind. */
static void
end(void)
{
	struct friend newcomer;

	echoes(&rig.old, 1000);
	meet(&newcomer, PORT_ECHO, 30001, 65535, 1460);
	echoes(&newcomer, 1000);
	leaves(&newcomer);
	leaves(&rig.old);
	solo_pass(&rig.s, 1000);
	assert_int_equal(count_of(SL_CNT_live), 0);
	assert_int_equal(count_of(SL_CNT_active), 0);
	assert_int_equal(count_of(SL_CNT_kept), 0);
	assert_int_equal(rig.s.hb.out, 0);
	talk_result_reset(&rig.result);
	solo_close(&rig.s);
}

/* Somebody, somewhere: a host that is not on our link. */
static void
be_a_stranger(uint16_t lport)
{
	struct sl_tuple *t = &rig.s.tuple;
	uint64_t draw = rnd_u64(&rig.rnd);

	if (t->v6)
		t->remote = (struct sl_addr){ .b = { 0x20, 0x01, 0x0d, 0xb8 } };
	else
		t->remote = sl_addr_v4(0xc6120000);
	memcpy(t->remote.b + 14, &draw, 2);
	t->lport = lport;
	t->rport = 1024 + draw / 65536 % 60000;
}

/* What waits is answered by a packet each at most, hardly larger: nothing is amplified. */
static void
step_one_for_one(void)
{
	struct solo *s = &rig.s;
	uint64_t frames = s->frames_out, bytes = s->bytes_out;
	uint32_t n = s->n_rx, len;

	assert_int_equal(n, 1);
	len = s->rx[0]->pkt_len;
	solo_step(s);
	assert_true(s->frames_out - frames <= n);
	assert_true(s->bytes_out - bytes <= (len > 60 ? len : 60) + 4);
	solo_clear(s);
	s->now += 20000; /* 50,000 packets a second */
}

static void
strange(uint8_t flags, uint16_t len)
{
	static const uint8_t zeros[100];
	struct sl_seg_out seg = {
		.seq = (uint32_t)rnd_u64(&rig.rnd),
		.ack = (uint32_t)rnd_u64(&rig.rnd),
		.wnd = 1024,
		.flags = flags,
	};

	solo_send(&rig.s, &seg, zeros, len);
	step_one_for_one();
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
	const uint16_t ports[] = { PORT, CLOSED };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct gauges before;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		for (unsigned int k = 0; k < sizeof(kinds); k++) {
			for (unsigned int i = 0; i < 400; i++) {
				be_a_stranger(ports[i & 1]);
				strange(kinds[k], i & 2 ? 100 : 0);
			}
			moved_nothing(&before);
		}
		assert_true(count_of(SL_CNT_cookie_bad) > 0);
		assert_true(count_of(SL_CNT_reset_out) > 0);
		end();
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
		set_up(v6, &sl_discard);
		begin();
		for (unsigned int opts = 0; opts < 16; opts++) {
			struct sl_seg_out syn = { .flags = SL_SYN,
						  .opts = (uint8_t)opts,
						  .mss = 1460,
						  .wscale = 7,
						  .tsval = 99 };

			be_a_stranger(PORT);
			solo_send(&rig.s, &syn, NULL, 0);
			step_one_for_one();
		}
		assert_int_equal(fate_of(SL_FATE_tcp_syn_cookie), 17);
		end();
	}
}

/* What is answered without TCP. */
static void
questions_of_neighbours_are_answered_by_as_much(void **state)
{
	struct craft c;

	set_up(false, &sl_discard);
	begin();
	for (unsigned int i = 0; i < 1000; i++) {
		craft_ether(&c, us, peer, 0, 0x0806);
		craft_hex(&c, "0001 0800 06 04 0001 020000000002");
		craft_u32(&c, 0x0a000003 + i % 200); /* everybody on the link */
		craft_hex(&c, "000000000000");
		craft_addr_bytes(&c, US);
		solo_frame(&rig.s, c.b, c.len);
		step_one_for_one();

		craft_ether(&c, us, peer, 0, 0x0800);
		craft_ip4(&c, "198.18.0.7", US, 1);
		craft_hex(&c, "0800 0000 1234 0001 00112233");
		craft_end(&c);
		solo_frame(&rig.s, c.b, c.len);
		step_one_for_one();
	}
	assert_int_equal(fate_of(SL_FATE_arp_in), 1000);
	end();
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
		struct gauges before;
		struct friend newcomer;

		set_up(i % 2, &sl_discard);
		rig.s.conf.listener[0].tcp.cookies = mode;
		rig.s.conf.listener[0].backlog = 16;
		begin();
		before = gauges();
		for (unsigned int n = 0; n < 1000; n++) {
			be_a_stranger(PORT);
			strange(SL_SYN, 0);
			assert_true(count_of(SL_CNT_half_open) <= 16);
		}
		assert_int_equal(count_of(SL_CNT_half_open), 16);
		echoes(&rig.old, 100);
		if (mode == SL_COOKIES_AUTO) { /* cookies let a newcomer in meanwhile */
			meet(&newcomer, PORT, 30002, 65535, 1460);
			assert_int_equal(count_of(SL_CNT_cookie_ok), 2);
			leaves(&newcomer);
		}
		rig.s.tuple = rig.old.tuple;
		for (unsigned int n = 0; n < 70; n++) {
			solo_pass(&rig.s, 1000);
			solo_clear(&rig.s);
		}
		moved_nothing(&before);
		meet(&newcomer, PORT, 30003, 65535, 1460);
		leaves(&newcomer);
		end();
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
		struct gauges before;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		for (unsigned int k = 0; k < sizeof(kinds); k++) {
			for (unsigned int i = 0; i < 500; i++) {
				rig.s.tuple = rig.old.tuple;
				strange(kinds[k], kinds[k] & SL_PSH ? 50 : 0);
			}
			moved_nothing(&before);
			echoes(&rig.old, 10);
		}
		end();
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

		set_up(v6, &sl_discard);
		begin();
		before = count_of(SL_CNT_challenge_ack);
		since = rig.s.now;
		for (unsigned int i = 1; i < 3000; i++) {
			struct sl_seg_out rst = { .seq = rig.old.seq + i, .flags = SL_RST };

			rig.s.tuple = rig.old.tuple;
			solo_send(&rig.s, &rst, NULL, 0);
			step_one_for_one();
			rig.s.now += SL_NS_PER_MS;
		}
		assert_true(count_of(SL_CNT_challenge_ack) - before <=
			    3 + (rig.s.now - since) / (500 * SL_NS_PER_MS));
		end();
	}
}

/* The third ACK of @f again. */
static void
replay(const struct friend *f)
{
	struct sl_seg_out ack = { f->seq, f->ack, .flags = SL_ACK, .wnd = 1024 };

	rig.s.tuple = f->tuple;
	solo_send(&rig.s, &ack, NULL, 0);
	step_one_for_one();
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
		struct friend f, other;
		struct gauges before;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		meet(&f, PORT, 31000, 1024, 1460);
		leaves(&f);
		moved_nothing(&before);
		for (unsigned int i = 0; i < 20; i++) {
			replay(&f);
			replay(&f);
			assert_int_equal(count_of(SL_CNT_live), before.live + 1);
			other = f;
			other.tuple.rport++;
			replay(&other);
			assert_int_equal(count_of(SL_CNT_live), before.live + 1);
			leaves(&f);
			moved_nothing(&before);
		}
		rig.s.tuple = rig.old.tuple;
		solo_pass(&rig.s, 65000);
		replay(&f);
		moved_nothing(&before);
		end();
	}
}

/* rows: SG14 [v4 v6] */
static void
a_segment_from_ourselves_to_ourselves_is_impossible(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct gauges before;
		uint64_t out;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		out = rig.s.frames_out;
		for (unsigned int i = 0; i < 300; i++) {
			rig.s.tuple.remote = rig.s.tuple.local;
			rig.s.tuple.lport = rig.s.tuple.rport = i & 1 ? PORT : PORT_ECHO;
			strange(i & 2 ? SL_SYN : SL_ACK, 0);
		}
		assert_int_equal(fate_of(SL_FATE_ip_source), 300);
		assert_int_equal(rig.s.frames_out, out);
		moved_nothing(&before);
		end();
	}
}

/*
 * A peer that asks for a byte a segment gets 64 all the same.
 * rows: OP9 [v4 v6]
 */
static void
a_tiny_mss_does_not_make_a_packet_of_each_byte(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f;

		set_up(v6, &talk_app);
		rig.plan.send = 20000;
		rig.plan.fin = TALK_FIN_NEVER;
		begin();
		meet(&f, PORT, 31000, 65535, 1);
		for (unsigned int i = 0; i < 100 && f.ack != rig.s.iss + 20001; i++) {
			struct sl_seg_out ack = { f.seq, f.ack, .flags = SL_ACK, .wnd = 65535 };

			rig.s.tuple = f.tuple;
			solo_send(&rig.s, &ack, NULL, 0);
			solo_pass(&rig.s, 300);
			for (uint32_t k = 0; k < rig.s.n_out; k++) {
				const struct sl_seg *seg = &rig.s.out[k].seg;
				uint32_t end = seg->seq + seg->len;

				assert_true(seg->len >= 52 || end == rig.s.iss + 20001 ||
					    seg->len == 0);
				if (seg->seq == f.ack)
					f.ack = end;
			}
			solo_clear(&rig.s);
		}
		assert_int_equal(f.ack, rig.s.iss + 20001);
		leaves(&f);
		end();
	}
}

/* Lies about what arrived, of every shape: near the truth, inverted, overlapping, wild. */
static void
lie(struct friend *f, uint32_t sent)
{
	struct sl_seg_out seg = { f->seq, f->ack, .flags = SL_ACK, .wnd = 65535 };

	seg.opts = SL_OPT_SACK;
	seg.n_sacks = (uint8_t)(1 + rnd_below(&rig.rnd, SL_SACKS_MAX));
	for (unsigned int i = 0; i < seg.n_sacks; i++) {
		uint32_t lo = f->ack + rnd_below(&rig.rnd, sent + 1);

		if (rnd_below(&rig.rnd, 4) == 0)
			lo = (uint32_t)rnd_u64(&rig.rnd);
		seg.sack[i].lo = lo;
		seg.sack[i].hi = lo + rnd_below(&rig.rnd, 5000) - 500;
	}
	rig.s.tuple = f->tuple;
	solo_send(&rig.s, &seg, NULL, 0);
	solo_step(&rig.s);
}

/* rows: LR5 LR20 [v4 v6] */
static void
lies_in_sack_cost_the_liar_alone(void **state)
{
	enum { BYTES = 40000 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f;
		uint64_t bytes;

		set_up(v6, &talk_app);
		rig.plan.send = BYTES;
		rig.plan.fin = TALK_FIN_NEVER;
		begin();
		meet(&f, PORT, 31000, 65535, 1460);
		bytes = rig.s.bytes_out;
		for (unsigned int i = 0; i < 1500; i++) {
			lie(&f, BYTES);
			solo_clear(&rig.s);
		}
		/* no time passed: each byte went out, and few of them twice */
		assert_true(rig.s.bytes_out - bytes < 3 * BYTES);
		echoes(&rig.old, 500);

		rig.s.tuple = f.tuple;
		for (unsigned int i = 0; i < 2000 && f.ack != rig.s.iss; i++) {
			struct sl_seg_out ack = { f.seq, f.ack, .flags = SL_ACK, .wnd = 65535 };

			solo_send(&rig.s, &ack, NULL, 0);
			solo_pass(&rig.s, 500);
			for (uint32_t k = 0; k < rig.s.n_out; k++)
				if (rig.s.out[k].seg.seq == f.ack)
					f.ack += rig.s.out[k].seg.len;
			solo_clear(&rig.s);
		}
		assert_int_equal(rig.result.sent, BYTES);
		leaves(&f);
		end();
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
		struct friend f[HOLDERS];
		struct gauges before;
		uint64_t probes;

		set_up(v6, &talk_app);
		rig.plan.send = 1 << 20;
		rig.plan.fin = TALK_FIN_NEVER;
		rig.s.conf.listener[0].tcp.sndbuf = SNDBUF;
		rig.s.conf.listener[0].tcp.user_timeout_ms = 3600 * 1000;
		begin();
		before = gauges();
		for (unsigned int i = 0; i < HOLDERS; i++)
			meet(&f[i], PORT, (uint16_t)(31000 + i), 0, 1460);
		assert_true(rig.result.sent <= HOLDERS * SNDBUF);
		assert_true(rig.s.hb.out <= before.buffers + HOLDERS * (SNDBUF / 1024 + 1));
		probes = rig.s.frames_out;
		for (unsigned int t = 0; t < 600; t++) {
			rig.s.tuple = rig.old.tuple;
			solo_pass(&rig.s, 1000);
			solo_clear(&rig.s);
		}
		assert_true(rig.s.frames_out - probes <= HOLDERS * 20);
		assert_true(rig.result.sent <= HOLDERS * SNDBUF);
		echoes(&rig.old, 100);
		for (unsigned int i = 0; i < HOLDERS; i++)
			leaves(&f[i]);
		end();
	}
}

static void
put(struct friend *f, uint32_t at, uint16_t len)
{
	static const uint8_t zeros[1460];
	struct sl_seg_out seg = { f->seq + at, f->ack, .flags = SL_ACK, .wnd = 65535 };

	rig.s.tuple = f->tuple;
	solo_send(&rig.s, &seg, zeros, len);
	solo_step(&rig.s);
	if (rig.s.n_out > 0)
		f->acked = rig.s.out[rig.s.n_out - 1].seg.ack;
	solo_clear(&rig.s);
}

/* A byte a segment, for an application that takes none: the bytes are held, not the buffers. */
static void
tiny_segments_pin_no_buffers(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f;
		struct gauges before;

		set_up(v6, &talk_app);
		rig.plan.read_most = 1;
		rig.plan.read_ms = 1000000;
		rig.plan.fin = TALK_FIN_NEVER;
		begin();
		before = gauges();
		meet(&f, PORT, 31000, 1024, 1460);
		for (unsigned int i = 0; i < 3000; i++) {
			put(&f, 0, 1);
			f.seq++;
		}
		assert_true(gauges().kept - before.kept <= 3 + 3000 / 1024);
		leaves(&f);
		end();
	}
}

/*
 * Peers that leave a gap open for ever pin what lies behind it. They may have nine tenths of
 * the buffers, all together; the others' windows go on.
 * rows: RX9 AP3 [v4 v6]
 */
static void
gaps_left_open_pin_buffers_but_stop_nobody(void **state)
{
	enum { HOLDERS = 30, BUFFERS = 1024 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f[HOLDERS];

		set_up(v6, &sl_discard);
		rig.s.conf.rx_buffers = BUFFERS;
		begin();
		for (unsigned int i = 0; i < HOLDERS; i++) {
			meet(&f[i], PORT, (uint16_t)(31000 + i), 1024, 1460);
			for (unsigned int k = 0; k < 60; k++)
				put(&f[i], 2 + 2 * k, 1);
		}
		assert_true(count_of(SL_CNT_kept) >= BUFFERS / 10 * 9);
		assert_true(count_of(SL_CNT_kept) <= BUFFERS / 10 * 9 + SL_BURST);
		for (unsigned int i = 0; i < 300; i++) /* far more than was promised before */
			echoes(&rig.old, 1000);
		for (unsigned int i = 0; i < HOLDERS; i++)
			leaves(&f[i]);
		end();
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
		struct friend f, few;

		set_up(v6, &sl_discard);
		rig.s.conf.listener[0].tcp.rcvbuf = 1 << 20;
		rig.s.conf.listener[0].tcp.rcvbuf_initial = 1 << 20;
		begin();
		meet(&few, PORT, 31000, 65535, 1460);
		for (unsigned int k = 0; k < 8; k++)
			put(&few, 1 + 200 * k, 100);
		rig.s.tuple.rport = 31001;
		solo_handshake(&rig.s, 0xffff0000, &syn);
		f = (struct friend){ rig.s.tuple, rig.s.irs + 1, rig.s.iss + 1, 0 };
		put(&f, 0, 100); /* what answers that opens the window */
		f.seq += 100;
		for (unsigned int k = 0; k < PIECES; k++)
			put(&f, 1 + k * BYTES, BYTES);
		assert_int_equal(count_of(SL_CNT_out_of_order), 8 + PIECES);

		for (unsigned int ms = 0; ms < 3; ms++) {
			solo_pass(&rig.s, 1);
			found = count_of(SL_CNT_dup_in);
			dropped = count_of(SL_CNT_ooo_dropped);
			for (unsigned int i = 0; i < TRIES; i++)
				put(&f, 1 + PIECES * BYTES / 2 + 7 * i, 1);
			found = count_of(SL_CNT_dup_in) - found;
			dropped = count_of(SL_CNT_ooo_dropped) - dropped;
			assert_true(found >= 1 && found * PIECES < 10000);
			assert_int_equal(found + dropped, TRIES);
			put(&few, 101 + 200 * ms, 1);
			assert_int_equal(count_of(SL_CNT_out_of_order), 8 + PIECES + ms + 1);
		}
		put(&f, 0, 1);
		assert_int_equal(f.acked, f.seq + 1 + PIECES * BYTES);
		f.seq = f.acked;
		leaves(&f);
		leaves(&few);
		end();
	}
}

/*
 * As many peers as there are active blocks leave a gap open and fall silent. Then the blocks
 * are there for who needs one; those who go on speaking keep theirs.
 * rows: RX9 AP3 [v4 v6]
 */
static void
a_gap_left_open_in_silence_keeps_no_block_from_others(void **state)
{
	enum { BLOCKS = 8 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f[BLOCKS], late;

		set_up(v6, &sl_discard);
		rig.s.conf.active = BLOCKS;
		begin();
		meet(&late, PORT, 32000, 65535, 1460);
		for (unsigned int i = 0; i < BLOCKS; i++) {
			meet(&f[i], PORT, (uint16_t)(31000 + i), 65535, 1460);
			put(&f[i], 100, 50);
		}
		put(&late, 100, 50);
		assert_int_equal(count_of(SL_CNT_ooo_dropped), 1);
		solo_pass(&rig.s, 3000);
		put(&f[0], 150, 50);
		solo_pass(&rig.s, 2000);
		put(&late, 100, 50);
		assert_int_equal(count_of(SL_CNT_ooo_dropped), 1);
		assert_int_equal(count_of(SL_CNT_pruned), 1);
		put(&late, 0, 100);
		assert_int_equal(late.acked, late.seq + 150);
		late.seq = late.acked;
		put(&f[0], 0, 100);
		assert_int_equal(f[0].acked, f[0].seq + 200);
		f[0].seq = f[0].acked;
		put(&f[1], 0, 100); /* its piece is gone, and comes again */
		put(&f[1], 100, 50);
		assert_int_equal(f[1].acked, f[1].seq + 150);
		f[1].seq = f[1].acked;
		for (unsigned int i = 0; i < BLOCKS; i++)
			leaves(&f[i]);
		leaves(&late);
		end();
	}
}

/*
 * Peers that fill their windows for an application that takes nothing. The first three
 * quarters of the buffers are theirs for the asking, what is scarce is not.
 * rows: RX10 AP3 [v4 v6]
 */
static void
bytes_that_nobody_takes_pin_buffers_but_stop_nobody(void **state)
{
	enum { HOLDERS = 30, BUFFERS = 1024 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f[HOLDERS];

		set_up(v6, &talk_app);
		rig.plan.read_most = 1;
		rig.plan.read_ms = 1000000;
		rig.plan.fin = TALK_FIN_NEVER;
		rig.s.conf.rx_buffers = BUFFERS;
		begin();
		for (unsigned int i = 0; i < HOLDERS; i++)
			meet(&f[i], PORT, (uint16_t)(31000 + i), 1024, 1460);
		for (unsigned int k = 0; k < 60; k++)
			for (unsigned int i = 0; i < HOLDERS; i++)
				put(&f[i], 1000 * k, 1000);
		assert_true(count_of(SL_CNT_kept) >= BUFFERS / 10 * 9);
		assert_true(count_of(SL_CNT_kept) <= BUFFERS / 10 * 9 + SL_BURST);
		for (unsigned int i = 0; i < 300; i++)
			echoes(&rig.old, 1000);
		for (unsigned int i = 0; i < HOLDERS; i++) {
			put(&f[i], 0, 1); /* where is it now? */
			f[i].seq = f[i].acked;
			leaves(&f[i]);
		}
		end();
	}
}

/* Time passes, with ten steps a second. */
static void
wait_for(unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds * 10; i++) {
		rig.s.tuple = rig.old.tuple;
		solo_pass(&rig.s, 100);
		solo_step(&rig.s);
		solo_clear(&rig.s);
	}
}

/*
 * Scarcity that lasts: what lies behind gaps is given up, and no longer told of; nobody is
 * ended for it, and whoever sends it again is heard.
 * rows: RX9 [v4 v6]
 */
static void
pieces_behind_gaps_give_way_when_buffers_stay_scarce(void **state)
{
	enum { HOLDERS = 30, BUFFERS = 1024 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct friend f[HOLDERS];

		set_up(v6, &sl_discard);
		rig.s.conf.rx_buffers = BUFFERS;
		begin();
		for (unsigned int i = 0; i < HOLDERS; i++) {
			meet(&f[i], PORT, (uint16_t)(31000 + i), 1024, 1460);
			for (unsigned int k = 0; k < 60; k++)
				put(&f[i], 2 + 2 * k, 1);
		}
		assert_true(count_of(SL_CNT_kept) > BUFFERS / 10 * 9);
		assert_int_equal(count_of(SL_CNT_pruned), 0);
		wait_for(10);
		assert_in_range(count_of(SL_CNT_kept), BUFFERS / 10 * 7, BUFFERS / 10 * 8);
		assert_in_range(count_of(SL_CNT_pruned), BUFFERS / 10, BUFFERS / 5);
		assert_int_equal(count_of(SL_CNT_pressure), 0);
		for (unsigned int i = 0; i < HOLDERS; i++) {
			put(&f[i], 0, 122); /* all of it, from the gap on */
			put(&f[i], 122, 1); /* no second one waits for its ACK */
			assert_in_range(f[i].acked - f[i].seq, 122, 123);
			f[i].seq += 123;
			leaves(&f[i]);
		}
		end();
	}
}

/*
 * So many that each one's share is enough to leave nothing: the largest holders are reset
 * until the others can breathe, and no more of them.
 * rows: RX10 AP3 [v4 v6]
 */
static void
the_largest_holders_are_ended_when_buffers_stay_scarce(void **state)
{
	enum { HOLDERS = 200, BUFFERS = 256, LARGE = 10 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		static struct friend f[HOLDERS];
		uint64_t ended;

		set_up(v6, &talk_app);
		rig.plan.read_most = 1;
		rig.plan.read_ms = 1000000;
		rig.plan.fin = TALK_FIN_NEVER;
		rig.s.conf.rx_buffers = BUFFERS;
		begin();
		for (unsigned int i = 0; i < HOLDERS; i++)
			meet(&f[i], PORT, (uint16_t)(31000 + i), 1024, 1460);
		for (unsigned int k = 0; k < 60; k++)
			for (unsigned int i = 0; i < HOLDERS; i++)
				if (k == 0 || i < LARGE)
					put(&f[i], 1000 * k, 1000);
		assert_true(count_of(SL_CNT_kept) > BUFFERS / 10 * 9);
		wait_for(4);
		assert_int_equal(count_of(SL_CNT_pressure), 0); /* it may pass */
		wait_for(10);
		ended = count_of(SL_CNT_pressure);
		assert_in_range(ended, 1, LARGE);
		assert_true(count_of(SL_CNT_kept) <= BUFFERS / 10 * 8);
		wait_for(60);
		assert_int_equal(count_of(SL_CNT_pressure), ended);
		echoes(&rig.old, 1000);
		for (unsigned int i = 0; i < HOLDERS; i++) {
			put(&f[i], 0, 1); /* where is it now? */
			f[i].seq = f[i].acked;
			leaves(&f[i]);
		}
		end();
	}
}

/* An ICMP error of @type and @code that quotes a segment of the friend's connection. */
static void
forge_icmp(uint8_t type, uint8_t code, uint32_t seq)
{
	const struct sl_tuple *t = &rig.old.tuple;
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
	solo_frame(&rig.s, c.b, c.len);
	step_one_for_one();
}

/* rows: IC2 IC5 PM2 [v4 v6] */
static void
forged_icmp_changes_no_connection(void **state)
{
	const uint8_t v4[] = { 3, 4, 5, 11, 12 }, v6s[] = { 1, 2, 3, 4, 137 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct gauges before;
		uint64_t out;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		out = rig.s.frames_out;
		for (unsigned int k = 0; k < 5; k++) {
			for (unsigned int i = 0; i < 200; i++)
				forge_icmp(v6 ? v6s[k] : v4[k], i % 16,
					   i & 1 ? rig.old.ack : (uint32_t)rnd_u64(&rig.rnd));
		}
		assert_int_equal(rig.s.frames_out, out);
		assert_int_equal(fate_of(SL_FATE_icmp_error), 0);
		assert_int_equal(fate_of(SL_FATE_icmp_unmatched), v6 ? 800 : 600);
		moved_nothing(&before);
		echoes(&rig.old, v6 ? 1440 : 1460); /* its segments are as long as before */
		end();
	}
}

/* rows: SG15 [v4 v6] */
static void
fragments_are_counted_and_held_by_nobody(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct gauges before;
		uint64_t out;

		set_up(v6, &sl_discard);
		begin();
		before = gauges();
		out = rig.s.frames_out;
		for (unsigned int i = 0; i < 500; i++) {
			uint16_t place = (uint16_t)rnd_below(&rig.rnd, 1 << 13);
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
			solo_frame(&rig.s, c.b, c.len);
			step_one_for_one();
		}
		assert_int_equal(fate_of(SL_FATE_ip_fragment), 500);
		assert_int_equal(rig.s.frames_out, out);
		moved_nothing(&before);
		end();
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
		cmocka_unit_test(blind_segments_neither_end_nor_feed_a_connection),
		cmocka_unit_test(a_walk_through_the_window_is_met_by_few_challenges),
		cmocka_unit_test(
			a_replayed_cookie_is_one_connection_at_most_and_dies_with_its_epoch),
		cmocka_unit_test(a_segment_from_ourselves_to_ourselves_is_impossible),
		cmocka_unit_test(a_tiny_mss_does_not_make_a_packet_of_each_byte),
		cmocka_unit_test(lies_in_sack_cost_the_liar_alone),
		cmocka_unit_test(holders_of_closed_windows_hold_their_send_buffers_alone),
		cmocka_unit_test(tiny_segments_pin_no_buffers),
		cmocka_unit_test(gaps_left_open_pin_buffers_but_stop_nobody),
		cmocka_unit_test(places_among_many_pieces_are_searched_for_but_so_often),
		cmocka_unit_test(a_gap_left_open_in_silence_keeps_no_block_from_others),
		cmocka_unit_test(bytes_that_nobody_takes_pin_buffers_but_stop_nobody),
		cmocka_unit_test(pieces_behind_gaps_give_way_when_buffers_stay_scarce),
		cmocka_unit_test(the_largest_holders_are_ended_when_buffers_stay_scarce),
		cmocka_unit_test(forged_icmp_changes_no_connection),
		cmocka_unit_test(fragments_are_counted_and_held_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
