/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sendqueue - whatever an application queues, in all three ways, and whatever the
 * network loses and the peer says, the peer gets those bytes and then the FIN.
 *
 * The twin is the array of all bytes the application had accepted, and the peer's of those
 * that arrived. The peer acknowledges what it likes, tells of some of the rest by SACK,
 * forgets some of that, and opens and closes its window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "solo.h"

#define STREAM 40000u
#define SEEDS  30u

struct twin {
	struct rnd rnd;
	uint8_t log[STREAM]; /* what was accepted */
	uint32_t n_log;
	bool came[STREAM + 1]; /* at the peer; the last one is the FIN */
	uint32_t acked, n_fed;
	uint32_t edge; /* the farthest the peer's window ever reached */
	bool closed;
	enum sl_reason why;
};

static uint8_t pinned[70000];

static struct twin *
twin_of(struct sl_conn *c)
{
	return (struct twin *)(uintptr_t)sl_listener_arg(c);
}

static uint32_t
draw_len(struct twin *t, uint32_t most)
{
	uint32_t n = 1 + rnd_below(&t->rnd, rnd_below(&t->rnd, 3) ? 3000 : 40);

	return n < most ? n : most;
}

static void
shut_when_full(struct sl_conn *c, struct twin *t)
{
	if (t->n_log == STREAM)
		sl_shutdown(c);
}

/* Queue something, copied or pinned. */
static void
send_some(struct sl_conn *c)
{
	struct twin *t = twin_of(c);
	uint32_t n = draw_len(t, STREAM - t->n_log), from = rnd_below(&t->rnd, 60000), took;

	if (rnd_below(&t->rnd, 2) == 0)
		took = sl_send(c, pinned + from, n);
	else
		took = sl_send_pinned(c, pinned + from, n);
	assert_true(took <= n);
	memcpy(t->log + t->n_log, pinned + from, took);
	t->n_log += took;
	shut_when_full(c, t);
}

/* Queue some of what came, shared; leave none. */
static uint32_t
share_some(struct sl_conn *c, const struct sl_chain *in)
{
	struct twin *t = twin_of(c);
	uint32_t at = rnd_below(&t->rnd, in->bytes), took;
	uint32_t n = draw_len(t, STREAM - t->n_log);

	if (n > in->bytes - at)
		n = in->bytes - at;
	took = sl_send_chain(c, in, at, n);
	assert_int_equal(sl_chain_copy(in, at, t->log + t->n_log, took), took);
	t->n_log += took;
	shut_when_full(c, t);
	return in->bytes;
}

static void
note_closed(struct sl_conn *c, enum sl_reason why)
{
	struct twin *t = twin_of(c);

	t->closed = true;
	t->why = why;
}

static const struct sl_app sender = {
	.name = "sender",
	.data = share_some,
	.writable = send_some,
	.timer = send_some,
	.closed = note_closed,
};

/*
 * Each segment is what was accepted, within the peer's window but for a probe's byte or the
 * FIN; some get lost.
 */
static void
take_segments(struct solo *s, struct twin *t, uint32_t loss)
{
	for (uint32_t i = 0; i < s->n_out; i++) {
		const struct solo_seg *out = &s->out[i];
		uint32_t at = out->seg.seq - s->iss - 1;
		uint32_t end = at + sl_seg_span(&out->seg);

		assert_false(out->seg.flags & SL_RST);
		assert_true(end <= t->edge + 1);
		assert_true(at <= t->n_log + 1u && end <= t->n_log + 1u);
		assert_true(!(out->seg.flags & SL_FIN) || end == STREAM + 1);
		assert_memory_equal(s->bytes + out->at, t->log + at, out->seg.len);
		if (rnd_below(&t->rnd, 100) < loss)
			continue;
		for (; at < end; at++)
			t->came[at] = true;
	}
	solo_clear(s);
}

static uint32_t
contiguous(const struct twin *t)
{
	uint32_t n = 0;

	while (n <= STREAM && t->came[n])
		n++;
	return n;
}

/* Up to three true blocks above @ack, cut anywhere. */
static void
add_blocks(struct solo *s, struct twin *t, struct sl_seg_out *seg, uint32_t ack)
{
	uint32_t at = ack;

	while (seg->n_sacks < 3 && at < STREAM) {
		uint32_t lo, hi;

		while (at < STREAM && !t->came[at])
			at++;
		lo = at;
		while (at < STREAM && t->came[at] && rnd_below(&t->rnd, 2000) > 0)
			at++;
		hi = at;
		if (hi > lo && rnd_below(&t->rnd, 4) > 0)
			seg->sack[seg->n_sacks++] =
				(struct sl_sack){ s->iss + 1 + lo, s->iss + 1 + hi };
		at++;
	}
	if (seg->n_sacks > 0)
		seg->opts |= SL_OPT_SACK;
}

/* An ACK of what came, or of less; sometimes with bytes, sometimes forgetting some first. */
static void
send_ack(struct solo *s, struct twin *t, bool honest)
{
	static const uint16_t windows[] = { 20000, 9000, 3000, 700, 100, 0 };
	uint32_t next = contiguous(t);
	uint16_t len = 0;
	struct sl_seg_out seg = { .seq = s->irs + 1 + t->n_fed,
				  .flags = SL_ACK,
				  .wnd = windows[rnd_below(&t->rnd, 6)] };

	if (!honest && rnd_below(&t->rnd, 30) == 0) /* reneging (RFC 2018, 8) */
		memset(t->came + next, 0, sizeof(t->came) - next);
	t->acked = honest ? next : t->acked + rnd_below(&t->rnd, next - t->acked + 1);
	seg.ack = s->iss + 1 + t->acked;
	if (honest)
		seg.wnd = 20000;
	else if (rnd_below(&t->rnd, 3) == 0 && t->n_log < STREAM)
		len = (uint16_t)(1 + rnd_below(&t->rnd, 1400));
	if (t->acked + seg.wnd > t->edge)
		t->edge = t->acked + seg.wnd;
	add_blocks(s, t, &seg, t->acked);
	solo_send(s, &seg, pinned + t->n_fed % 60000, len);
	t->n_fed += len;
	solo_step(s);
}

static struct sl_conn
conn_of(struct solo *s)
{
	struct sl_conn c;
	struct sl_ref ref;

	assert_non_null(sl_core_state(s->core, &s->tuple, &ref));
	assert_true(sl_core_conn(s->core, s->now, ref, &c));
	return c;
}

static void
run(struct solo *s, struct twin *t, uint32_t loss)
{
	struct sl_conn c;

	for (uint32_t round = 0; round < 3000 && t->n_log < STREAM; round++) {
		c = conn_of(s);
		if (rnd_below(&t->rnd, 2) == 0)
			send_some(&c);
		if (rnd_below(&t->rnd, 4) == 0)
			sl_nodelay(&c, rnd_below(&t->rnd, 2));
		solo_pass(s, rnd_below(&t->rnd, 10) ? rnd_below(&t->rnd, 20) : 400);
		take_segments(s, t, loss);
		send_ack(s, t, rnd_below(&t->rnd, 20) == 0);
		take_segments(s, t, loss);
	}
	for (uint32_t round = 0; round < 500 && contiguous(t) <= STREAM; round++) {
		if (t->n_log < STREAM) {
			c = conn_of(s);
			send_some(&c);
		}
		solo_pass(s, 300);
		take_segments(s, t, 0);
		send_ack(s, t, true);
		take_segments(s, t, 0);
	}
	assert_int_equal(t->n_log, STREAM);
	assert_int_equal(contiguous(t), STREAM + 1);
}

/* The peer's FIN, and the end of all of it. */
static void
finish(struct solo *s, struct twin *t)
{
	struct sl_seg_out fin = { .seq = s->irs + 1 + t->n_fed,
				  .ack = s->iss + 1 + STREAM + 1,
				  .flags = SL_ACK | SL_FIN,
				  .wnd = 65535 };

	solo_send(s, &fin, NULL, 0);
	solo_pass(s, 1);
	assert_true(t->closed);
	assert_int_equal(t->why, SL_REASON_FIN);
	solo_pass(s, 130000);
	assert_int_equal(sl_core_stats(s->core)->count[SL_CNT_kept], 0);
	assert_int_equal(sl_core_stats(s->core)->count[SL_CNT_active], 0);
	assert_int_equal(s->hb.out, 0);
}

static void
try(uint64_t seed, uint32_t loss, uint8_t options, uint8_t offloads)
{
	static struct twin twin;
	static struct solo solo;
	struct sl_seg_out syn = { .wnd = 5000, .opts = SL_OPT_MSS | options, .mss = 1460 };
	struct sl_tcp_conf *tcp = &solo.conf.listener[0].tcp;

	memset(&twin, 0, sizeof(twin));
	twin.rnd.s = seed;
	solo_init(&solo, seed % 2, &sender, &twin);
	solo.conf.net.port[0].offloads = offloads;
	solo.conf.spans = seed % 3 ? 4096 : 64; /* that cutting runs out of them too */
	tcp->sndbuf = 2000 + rnd_below(&twin.rnd, 60000);
	tcp->user_timeout_ms = 3600000;
	if (seed % 5 == 0)
		syn.mss = 100;
	solo_open(&solo);
	solo_handshake(&solo, (uint32_t)rnd_u64(&twin.rnd), &syn);
	solo_clear(&solo);
	twin.edge = syn.wnd;
	run(&solo, &twin, loss);
	finish(&solo, &twin);
	solo_close(&solo);
}

static void
all_bytes_arrive_as_they_were_queued(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		try(seed, 0, 0, SL_OFFLOAD_MULTI_SEG);
		try(seed, 0, SL_OPT_SACK_OK, 0);
	}
}

static void
all_bytes_arrive_though_some_are_lost_without_sack(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		try(seed + 100, 15, 0, seed % 2 ? SL_OFFLOAD_MULTI_SEG : 0);
}

static void
all_bytes_arrive_though_some_are_lost_with_sack(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		try(seed + 200, 15, SL_OPT_SACK_OK, seed % 2 ? SL_OFFLOAD_MULTI_SEG : 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_arrive_as_they_were_queued),
		cmocka_unit_test(all_bytes_arrive_though_some_are_lost_without_sack),
		cmocka_unit_test(all_bytes_arrive_though_some_are_lost_with_sack),
	};
	struct rnd rnd = { 1 };

	for (size_t i = 0; i < sizeof(pinned); i++)
		pinned[i] = (uint8_t)rnd_u64(&rnd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
