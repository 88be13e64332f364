/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_ordinary - the short way of an ordinary segment is a short cut, and nothing else: two
 * cores get the same random segments, one of them takes each by the steps of the RFC, and
 * both must come to the same record, owe the same and say the same, step by step, until the
 * connection is no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "random.h"
#include "solo.h"
#include "tcp/spans.h"

#define LIVES    4000 /* connections, each with options and habits of its own */
#define SEGMENTS 60   /* at most, to each of them */

enum { SHORT, LONG };

/* What an application was called for, in its own memory. */
struct called {
	uint32_t data, timer, peer_closed, writable;
};

/* Reads all, half or nothing of what is there, and answers by what it read. */
static uint32_t
whims_data(struct sl_conn *c, const struct sl_chain *in)
{
	static const uint8_t answer[5000];
	uint8_t first = 0;
	uint32_t n;

	((struct called *)sl_conn_state(c))->data++;
	sl_chain_copy(in, 0, &first, 1);
	n = first % 7 == 0 ? 0 : first % 7 == 1 ? in->bytes / 2 : in->bytes;
	if (first % 3 == 0)
		sl_send(c, answer, 1 + first * 19u);
	if (first % 11 == 0)
		sl_timer(c, 1 + first);
	if (first % 17 == 5) {
		sl_close(c);
		return in->bytes;
	}
	if (first % 8 == 6) { /* may end with bytes that nobody has read */
		sl_shutdown(c);
		return 0;
	}
	return n;
}

static void
whims_writable(struct sl_conn *c)
{
	((struct called *)sl_conn_state(c))->writable++;
}

static void
whims_timer(struct sl_conn *c)
{
	((struct called *)sl_conn_state(c))->timer++;
	sl_resume(c);
	if (sl_conn_peer_closed(c))
		sl_close(c);
}

/* At once, or a little later, or not at all. */
static void
whims_peer_closed(struct sl_conn *c)
{
	struct called *called = sl_conn_state(c);

	called->peer_closed++;
	if (called->data % 4 == 1)
		return;
	if (sl_send_queued(c) % 2 == 0)
		sl_close(c);
	else
		sl_timer(c, 60);
}

static const struct sl_app whims = {
	.name = "whims",
	.state_bytes = sizeof(struct called),
	.data = whims_data,
	.writable = whims_writable,
	.timer = whims_timer,
	.peer_closed = whims_peer_closed,
};

static struct solo rig[2];

static struct sl_tcb *
record(const struct solo *s)
{
	return &s->core->tcp.tcb[0];
}

static void
compare_queues(const struct sl_tcp *a, const struct sl_tcp *b)
{
	const struct sl_lent *p = sl_tcb_lent(a, &a->tcb[0]), *q = sl_tcb_lent(b, &b->tcb[0]);
	const struct rte_mbuf *m = p ? p->head : NULL, *n = q ? q->head : NULL;
	uint32_t i = a->tcb[0].span_head;

	for (; m != NULL && n != NULL; m = m->next, n = n->next) {
		assert_int_equal(m->data_len, n->data_len);
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod(n, void *),
				    m->data_len);
	}
	assert_true(m == NULL && n == NULL);
	for (; i != SL_NO_INDEX; i = a->span[i].next) { /* the same indexes: checked before */
		const struct sl_span *s = &a->span[i], *t = &b->span[i];

		assert_true(s->seq == t->seq && s->len == t->len && s->n_sent == t->n_sent &&
			    s->marks == t->marks && s->sent_us == t->sent_us &&
			    s->next == t->next);
		assert_memory_equal(sl_span_data(s), sl_span_data(t), s->len);
	}
}

static void
compare(uint64_t seed)
{
	const struct sl_tcp *a = &rig[SHORT].core->tcp, *b = &rig[LONG].core->tcp;
	const struct sl_tcb *x = record(&rig[SHORT]), *y = record(&rig[LONG]);

	if (memcmp(x, y, sizeof(*x)) != 0)
		print_message("seed %lu\n", seed);
	assert_memory_equal(x, y, sizeof(*x));
	assert_memory_equal(&a->stats, &b->stats, sizeof(a->stats));
	assert_memory_equal(a->app_state, b->app_state, sizeof(struct called));
	compare_queues(a, b);
	assert_int_equal(a->n_kept, b->n_kept);
	assert_int_equal(sl_core_next(rig[SHORT].core), sl_core_next(rig[LONG].core));
	assert_int_equal(rig[SHORT].n_out, rig[LONG].n_out);
	assert_memory_equal(rig[SHORT].out, rig[LONG].out,
			    rig[SHORT].n_out * sizeof(rig[0].out[0]));
	assert_int_equal(rig[SHORT].n_bytes, rig[LONG].n_bytes);
	assert_memory_equal(rig[SHORT].bytes, rig[LONG].bytes, rig[SHORT].n_bytes);
}

/* Where the record stands, now and then a little off. */
static uint32_t
near(struct rnd *r, uint32_t seq)
{
	switch (rnd_below(r, 12)) {
	case 0:
		return seq - rnd_below(r, 3000);
	case 1:
		return seq + rnd_below(r, 3000);
	default:
		return seq;
	}
}

static uint8_t
some_flags(struct rnd *r, bool closes)
{
	static const uint8_t odd[] = { SL_RST, SL_SYN, 0, SL_ACK | SL_URG };
	uint32_t i = rnd_below(r, 150);

	if (rnd_below(r, closes ? 6 : 50) == 0)
		return SL_FIN | SL_ACK | (i % 2 ? SL_PSH : 0);
	return i < sizeof(odd) ? odd[i] : SL_ACK | (i % 2 ? SL_PSH : 0);
}

/* A segment of the peer's, which mostly behaves: the same to both. */
static void
send_some(struct rnd *r, uint32_t *tsval, bool has_ts)
{
	const struct sl_tcb *tcb = record(&rig[LONG]);
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	uint32_t ack = tcb->snd_una + (rnd_below(r, 2) ? flight : rnd_below(r, flight + 1));
	struct sl_seg_out seg = {
		.seq = near(r, tcb->rcv_nxt),
		.ack = near(r, ack),
		.flags = some_flags(r, tcb->state != SL_ST_ESTABLISHED),
		.wnd = rnd_below(r, 8) ? 500 : rnd_below(r, 3) * 40,
		.opts = has_ts && rnd_below(r, 30) ? SL_OPT_TS : 0,
		.tsval = near(r, *tsval),
		.tsecr = rig[LONG].n_out ? rig[LONG].out[0].seg.tsval : 1,
	};
	static uint8_t payload[1400];

	*tsval += rnd_below(r, 20);
	if (rnd_below(r, 20) == 0) {
		seg.opts |= SL_OPT_SACK;
		seg.n_sacks = 1;
		seg.sack[0] = (struct sl_sack){ near(r, ack), near(r, tcb->snd_nxt) };
	}
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rnd_u64(r);
	uint16_t len = rnd_below(r, 3) ? (uint16_t)rnd_below(r, sizeof(payload)) : 0;

	for (int i = 0; i < 2; i++)
		solo_send(&rig[i], &seg, payload, len);
}

static void
drain(struct solo *s)
{
	struct sl_event event = { .kind = SL_EVENT_DRAIN };

	sl_core_event(s->core, s->now, &event);
}

/*
 * A handshake whose third segment is as the RFC allows it, or not: with bytes, a FIN, another
 * window, a timestamp of some other time or none, twice, and followed at once by more.
 */
static void
shake_hands(struct rnd *r, uint32_t irs, const struct sl_seg_out *syn)
{
	static uint8_t payload[1400];
	uint8_t flags =
		SL_ACK | (rnd_below(r, 2) ? SL_PSH : 0) | (rnd_below(r, 4) == 0 ? SL_FIN : 0);
	uint16_t len = rnd_below(r, 2) ? (uint16_t)rnd_below(r, sizeof(payload)) : 0;
	uint16_t wnd = rnd_below(r, 4) ? 500 : (uint16_t)rnd_below(r, 3) * 30;
	uint32_t later = rnd_below(r, 3) == 0 ? rnd_below(r, 10) - 3 : 0;
	uint8_t opts = syn->opts & SL_OPT_TS;
	bool twice = rnd_below(r, 3) == 0, more = rnd_below(r, 2),
	     reset = rnd_below(r, 10) == 0;
	bool drains = rnd_below(r, 10) == 0;
	uint32_t ms = rnd_below(r, 100);

	if (rnd_below(r, 20) == 0)
		opts ^= SL_OPT_TS;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rnd_u64(r);
	for (int i = 0; i < 2; i++) {
		struct solo *s = &rig[i];
		struct sl_seg_out seg = *syn;

		s->irs = irs;
		seg.seq = irs;
		seg.flags = SL_SYN;
		solo_clear(s);
		solo_send(s, &seg, NULL, 0);
		solo_step(s);
		assert_int_equal(s->n_out, 1);
		s->iss = s->out[0].seg.seq;
		solo_pass(s, ms);
		if (drains)
			drain(s);
		seg = (struct sl_seg_out){ .seq = irs + 1,
					   .ack = s->iss + 1,
					   .flags = flags,
					   .wnd = wnd,
					   .opts = opts,
					   .tsval = syn->tsval + later,
					   .tsecr = s->out[0].seg.tsval };
		solo_send(s, &seg, payload, len);
		if (twice)
			solo_send(s, &seg, payload, len);
		seg.seq += len;
		seg.flags = SL_ACK;
		if (more)
			solo_send(s, &seg, payload, sizeof(payload) / 2);
		seg.seq += more ? sizeof(payload) / 2 : 0;
		seg.flags = SL_RST;
		if (reset)
			solo_send(s, &seg, NULL, 0);
		solo_step(s);
	}
}

/* Settings that both machines have. */
static void
draw_settings(struct rnd *r, struct sl_listener_conf *listener)
{
	struct sl_tcp_conf *tcp = &listener->tcp;

	tcp->rcvbuf = 3000 + rnd_below(r, 60000);
	tcp->sndbuf = 1024 + rnd_below(r, 6000);
	tcp->cookies = rnd_below(r, 2) ? SL_COOKIES_ALWAYS : SL_COOKIES_AUTO;
	tcp->nagle = rnd_below(r, 2);
	tcp->delayed_ack_ms = 20 * rnd_below(r, 3);
	tcp->quick_acks = (uint8_t)rnd_below(r, 8);
	tcp->user_timeout_ms = rnd_below(r, 4) == 0 ? 400 : 0;
	if (rnd_below(r, 2)) {
		tcp->keepalive_ms = 40;
		tcp->keepalive_interval_ms = 30;
		tcp->keepalive_probes = 4;
	}
}

static void
open_rigs(struct rnd *r, bool has_ts)
{
	struct sl_seg_out syn = { .opts = SL_OPT_MSS | SL_OPT_WSCALE,
				  .mss = 1460,
				  .wscale = (uint8_t)rnd_below(r, 8),
				  .wnd = 64000,
				  .tsval = 1000 };
	uint32_t irs = (uint32_t)rnd_u64(r), few = 16 + rnd_below(r, 20);
	bool v6 = rnd_below(r, 2), is_scarce = rnd_below(r, 4) == 0;
	bool plainly = rnd_below(r, 2);
	struct rnd settings = { rnd_u64(r) };

	if (has_ts)
		syn.opts |= SL_OPT_TS;
	if (rnd_below(r, 4) > 0)
		syn.opts |= SL_OPT_SACK_OK;
	for (int i = 0; i < 2; i++) {
		solo_init(&rig[i], v6, &whims, NULL);
		draw_settings(&(struct rnd){ settings.s }, &rig[i].conf.listener[0]);
		rig[i].conf.connections = 1;
		if (is_scarce)
			rig[i].conf.rx_buffers = few;
		solo_open(&rig[i]);
		rig[i].core->tcp.by_the_book = i == LONG;
		if (plainly)
			solo_handshake(&rig[i], irs, &syn);
	}
	if (!plainly)
		shake_hands(r, irs, &syn);
}

/* Returns how many bytes came in order; counts the states met in @met. */
static uint32_t
live(uint64_t seed, uint32_t met[SL_ST_COUNT])
{
	struct rnd r = { seed };
	bool has_ts = rnd_below(&r, 4);
	uint32_t tsval = 1000, bytes = 0, drained;

	open_rigs(&r, has_ts);
	compare(seed);
	drained = rnd_below(&r, 3) ? UINT32_MAX : rnd_below(&r, SEGMENTS);
	for (uint32_t n = rnd_below(&r, SEGMENTS); n > 0; n--) {
		uint32_t burst = rnd_below(&r, 2) ? 1 : 1 + rnd_below(&r, 6),
			 ms = rnd_below(&r, 3) * rnd_below(&r, 90);
		uint32_t before = record(&rig[LONG])->rcv_nxt, fails = rnd_below(&r, 20);
		uint32_t late = rnd_below(&r, 3) ? 0 : rnd_below(&r, 80); /* a busy core */

		met[record(&rig[LONG])->state]++;
		if (record(&rig[LONG])->state == SL_ST_CLOSED)
			break;
		while (burst-- > 0)
			send_some(&r, &tsval, has_ts);
		for (int i = 0; i < 2; i++) {
			solo_clear(&rig[i]);
			if (n == drained)
				drain(&rig[i]);
			rig[i].now += late * SL_NS_PER_MS;
			if (fails < 3)
				heapbufs_fail_nth(&rig[i].hb, fails + 1);
			solo_step(&rig[i]);
		}
		compare(seed);
		bytes += record(&rig[LONG])->rcv_nxt - before;
		for (int i = 0; i < 2; i++)
			solo_pass(&rig[i], ms);
		compare(seed);
	}
	for (int i = 0; i < 2; i++)
		solo_close(&rig[i]);
	return bytes;
}

static void
the_short_way_leads_where_the_long_one_does(void **state)
{
	uint32_t met[SL_ST_COUNT] = { 0 };
	uint64_t bytes = 0;

	for (uint64_t seed = 1; seed <= LIVES; seed++)
		bytes += live(seed, met);
	for (int st = SL_ST_ESTABLISHED; st <= SL_ST_LAST_ACK; st++)
		assert_true(met[st] > 50);  /* whichever way it ends */
	assert_true(bytes > LIVES * 1000u); /* most of it really went that way */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_short_way_leads_where_the_long_one_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
