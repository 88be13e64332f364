/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_invariance - what must not matter does not: the run, the bursts packets come in, the
 * time of day, and where the sequence numbers begin.
 *
 * A trace is a hash of all frames on the wire with their times; for shifts it is taken of
 * what the frames mean: times from the beginning, numbers from each side's SYN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "link.h"
#include "random.h"
#include "talk.h"
#include "tcp/cookie.h"

#define SERVER     0
#define CLIENT     1
#define MINUTE     (60 * SL_NS_PER_S)
#define N_PORTS    3 /* the server's: always, never, auto */
#define FLOWS      32
#define NO_COOKIES 8 /* the port of modes[1] */

static const uint8_t modes[N_PORTS] = { SL_COOKIES_ALWAYS, SL_COOKIES_NEVER, SL_COOKIES_AUTO };

/* --- traces --- */

/* One end of one connection, by who sends and from and to which ports. */
struct side {
	unsigned int from;
	uint16_t sport, dport;
	uint32_t base, syn_ts; /* of its SYN: that timestamp may be a cookie's */
	uint32_t ts_base;      /* of its first other segment */
	bool has_base, has_ts_base;
};

struct trace {
	sl_ns_t start;
	const struct link *link;
	uint64_t raw, meant; /* hashes: of bytes, of meanings */
	uint32_t n_frames;
	struct side side[FLOWS];
	uint32_t n_sides;
	uint32_t isn[2]; /* of the first connection without a cookie, by host */
	struct heapbufs hb;
};

static void
hash(uint64_t *h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
}

static struct side *
side_of(struct trace *t, unsigned int from, uint16_t sport, uint16_t dport)
{
	for (uint32_t i = 0; i < t->n_sides; i++) {
		struct side *s = &t->side[i];

		if (s->from == from && s->sport == sport && s->dport == dport)
			return s;
	}
	assert_true(t->n_sides < FLOWS);
	t->side[t->n_sides] = (struct side){ .from = from, .sport = sport, .dport = dport };
	return &t->side[t->n_sides++];
}

/* The numbers of @seg counted from the SYNs of @me and @other. */
static void
hash_segment(struct trace *t, struct side *me, const struct side *other, struct sl_seg *seg)
{
	struct {
		uint32_t seq, ack, tsval, tsecr, wnd, len, mss, flags, opts, wscale;
		uint32_t sack[2 * SL_SACKS_MAX];
	} said = { .wnd = seg->wnd, .len = seg->len, .flags = seg->flags, .opts = seg->opts };

	if (seg->flags & SL_SYN) {
		if (!me->has_base && (me->sport == NO_COOKIES || me->dport == NO_COOKIES) &&
		    t->isn[me->from] == 0)
			t->isn[me->from] = seg->seq;
		me->has_base = true;
		me->base = seg->seq;
		me->syn_ts = seg->tsval;
		said.mss = seg->mss;
		said.wscale = seg->opts & SL_OPT_WSCALE ? seg->wscale : 99;
	}
	said.seq = seg->seq - me->base;
	if (seg->flags & SL_ACK)
		said.ack = seg->ack - other->base;
	if ((seg->opts & SL_OPT_TS) && !(seg->flags & SL_SYN)) {
		if (!me->has_ts_base)
			me->ts_base = seg->tsval;
		me->has_ts_base = true;
		said.tsval = seg->tsval - me->ts_base;
		said.tsecr = seg->tsecr == other->syn_ts ? 0 : 1 + seg->tsecr - other->ts_base;
	}
	for (uint8_t i = 0; i < seg->n_sacks; i++) {
		said.sack[2 * i] = seg->sack[i].lo - other->base;
		said.sack[2 * i + 1] = seg->sack[i].hi - other->base;
	}
	hash(&t->meant, &said, sizeof(said));
}

/* For link_conf.lets: look, and let pass. */
static bool
trace_frame(void *arg, unsigned int from, const uint8_t *bytes, size_t len)
{
	struct trace *t = arg;
	sl_ns_t since = t->link->now - t->start;
	struct rte_mbuf *m = heapbufs_packet(&t->hb, bytes, len, 0);
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;

	t->n_frames++;
	hash(&t->raw, &t->link->now, sizeof(t->link->now));
	hash(&t->raw, bytes, len);
	hash(&t->meant, &since, sizeof(since));
	hash(&t->meant, &len, sizeof(len));
	memset(&seg, 0, sizeof(seg));
	assert_int_equal(sl_frame_parse(m, &frame, &tuple, &seg), SL_FATE_NONE);
	if (frame.kind == SL_KIND_TCP)
		hash_segment(t, side_of(t, from, tuple.rport, tuple.lport),
			     side_of(t, !from, tuple.lport, tuple.rport), &seg);
	heapbufs_put(&t->hb, m);
	return true;
}

/* --- a scenario: two connections to each port, on a wire that loses and reorders --- */

struct scenario {
	sl_ns_t start;
	uint64_t tai_ms;
	struct trace trace;
	struct sl_stats stats[2];
	struct talk_result result;
};

static void
open_hosts(struct link *link, const struct link_conf *wire, sl_ns_t start, uint64_t tai_ms,
	   const struct sl_app *server, const struct talk_plan *plan)
{
	static struct sl_core_conf conf;

	link_open(link, wire);
	link->now = start;
	link_host_conf(&conf, SERVER);
	conf.tai_ms = tai_ms;
	for (uint16_t i = 0; i < N_PORTS; i++)
		link_listen(&conf, 7 + i, server, NULL)->tcp.cookies = modes[i];
	link_join(link, &conf);
	link_host_conf(&conf, CLIENT);
	conf.tai_ms = tai_ms;
	link_listen(&conf, 0, &talk_app, plan);
	link_join(link, &conf);
}

static void
connect_all(struct link *link, unsigned int n)
{
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(link_connect(link, CLIENT, 0, SERVER, 7 + i % N_PORTS, i % 2),
				 0);
}

static void
play(struct scenario *s)
{
	struct link_conf wire = { .cable.delay = 3 * SL_NS_PER_MS,
				  .cable.jitter = 4 * SL_NS_PER_MS,
				  .cable.loss_ppm = 30000,
				  .seed = 11,
				  .lets = trace_frame,
				  .arg = &s->trace };
	struct talk_plan plan = { .send = 30000, .result = &s->result };
	static struct link link;

	memset(&s->trace, 0, sizeof(s->trace));
	talk_result_reset(&s->result);
	s->trace.start = s->start;
	s->trace.link = &link;
	heapbufs_open(&s->trace.hb);
	open_hosts(&link, &wire, s->start, s->tai_ms, &sl_echo, &plan);
	connect_all(&link, 2 * N_PORTS);
	link_run(&link, 5 * MINUTE, NULL, NULL);
	for (int i = 0; i < 2; i++)
		s->stats[i] = *sl_core_stats(link.host[i].core);
	assert_int_equal(s->result.closed, 2 * N_PORTS);
	assert_int_equal(s->result.received, 2 * N_PORTS * plan.send);
	assert_int_equal(s->result.wrong, 0);
	assert_true(s->stats[SERVER].count[SL_CNT_retransmit] > 5);
	link_close(&link);
	heapbufs_close(&s->trace.hb);
}

static const struct scenario first_play = { .start = SL_NS_PER_S, .tai_ms = 1700000000000ull };

/* rows: AP4 [v4 v6] */
static void
the_same_run_twice_is_the_same_run(void **state)
{
	static struct scenario a, b;

	a = b = first_play;
	play(&a);
	free(malloc(100)); /* addresses may differ */
	play(&b);
	assert_int_equal(a.trace.raw, b.trace.raw);
	assert_memory_equal(a.stats, b.stats, sizeof(a.stats));
	assert_true(a.trace.n_frames > 300);
}

/* The same but for the time it begins at. Returns the trace. */
static const struct trace *
check_shifted(const struct scenario *a, sl_ns_t by, uint64_t tai_by_ms)
{
	static struct scenario b;

	b = *a;
	b.start += by;
	b.tai_ms += tai_by_ms;
	play(&b);
	assert_int_equal(b.trace.n_frames, a->trace.n_frames);
	assert_int_equal(b.trace.meant, a->trace.meant);
	assert_memory_equal(b.stats, a->stats, sizeof(a->stats));
	return &b.trace;
}

static void
the_time_of_day_does_not_matter(void **state)
{
	static const uint64_t epochs[] = { 1, 2, 3, 1000 };
	static struct scenario a;

	a = first_play;
	play(&a);
	for (size_t i = 0; i < RTE_DIM(epochs); i++)
		check_shifted(&a, 0, epochs[i] * SL_COOKIE_EPOCH_MS);
	for (size_t i = 0; i < RTE_DIM(epochs); i++)
		check_shifted(&a, epochs[i] * SL_COOKIE_EPOCH_MS * SL_NS_PER_MS,
			      epochs[i] * SL_COOKIE_EPOCH_MS);
}

/* Levels of the wheel turn after 2^8, 2^16 and 2^24 ticks; the whole of it after 2^32. */
static void
where_the_wheel_stands_does_not_matter(void **state)
{
	static const uint64_t by_ms[] = { 1,     255,     256,     257,        65535,     65536,
					  65537, 1 << 24, 3 << 24, 1ull << 32, 2ull << 32 };
	static struct scenario a;

	a = first_play;
	play(&a);
	for (size_t i = 0; i < RTE_DIM(by_ms); i++)
		check_shifted(&a, by_ms[i] * SL_NS_PER_MS, 0);
}

/*
 * The wrap of milliseconds comes in the handshake, in the transfer, in TIME-WAIT, later.
 * rows: TS8 [v4 v6]
 */
static void
clocks_may_wrap_at_any_moment(void **state)
{
	static const uint64_t before_ms[] = { 1, 7, 20, 333, 1777, 60001, 400000 };
	static struct scenario a;

	a = first_play;
	play(&a);
	for (size_t i = 0; i < RTE_DIM(before_ms); i++) {
		sl_ns_t start = ((1ull << 32) - before_ms[i]) * SL_NS_PER_MS;

		check_shifted(&a, start - a.start, 0);
	}
	/* 32 and 31 bits of microseconds */
	check_shifted(&a, (1ull << 32) * 1000 / SL_NS_PER_MS * SL_NS_PER_MS - a.start, 0);
	check_shifted(&a, (1ull << 31) * SL_NS_PER_MS - a.start, 0);
}

/*
 * ISNs follow a clock of 4 us: a start is found at which the one asked for is about to wrap.
 * rows: SG8 [v4 v6]
 */
static void
sequence_numbers_may_wrap_at_any_byte(void **state)
{
	static const uint32_t before[] = { 300, 1000, 5000, 20000, 29900 };
	static struct scenario a;

	a = first_play;
	play(&a);
	for (unsigned int who = 0; who < 2; who++) {
		for (size_t i = 0; i < RTE_DIM(before); i++) {
			uint32_t gap = 0u - before[i] - a.trace.isn[who];
			sl_ns_t by = gap / 250 * SL_NS_PER_MS;

			assert_in_range(0u - check_shifted(&a, by, 0)->isn[who], before[i],
					before[i] + 250);
		}
	}
}

/* --- bursts --- */

/* What the server's application saw of each connection, by the client's port. */
struct seen {
	uint16_t port;
	bool v6, ended;
	uint64_t bytes, hash;
};

static struct seen seen[FLOWS];
static uint32_t n_seen;

static struct seen *
seen_of(struct sl_conn *c)
{
	struct sl_addr addr;
	uint16_t port;

	sl_conn_remote(c, &addr, &port);
	for (uint32_t i = 0; i < n_seen; i++)
		if (seen[i].port == port)
			return &seen[i];
	assert_true(n_seen < FLOWS);
	seen[n_seen] = (struct seen){ .port = port, .v6 = !sl_addr_is_v4(&addr) };
	return &seen[n_seen++];
}

static uint32_t
watch_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct seen *s = seen_of(c);
	uint32_t at = 0, n;
	const void *data;

	for (; (n = sl_chain_at(in, at, &data)) > 0; at += n)
		hash(&s->hash, data, n);
	s->bytes += in->bytes;
	return in->bytes;
}

static void
watch_peer_closed(struct sl_conn *c)
{
	seen_of(c)->ended = true;
	sl_close(c);
}

static const struct sl_app watch = {
	.name = "watch",
	.data = watch_data,
	.peer_closed = watch_peer_closed,
};

struct recorded {
	sl_ns_t at;
	bool apart; /* a SYN, or no TCP: its answer's content depends on its time */
	size_t len;
	uint8_t bytes[1514];
};

static struct recorded record[4000];
static uint32_t n_recorded;

struct recorder {
	const struct link *link;
	struct rnd rnd;
};

static bool
is_apart(const uint8_t *b, size_t len)
{
	bool v4 = b[12] == 8 && b[13] == 0 && b[23] == 6;
	bool v6 = b[12] == 0x86 && b[13] == 0xdd && b[20] == 6;

	return !(v4 || v6) || (b[v4 ? 47 : 67] & 0x02);
}

/* For link_conf.lets: loses some, records the client's others. */
static bool
record_frame(void *arg, unsigned int from, const uint8_t *bytes, size_t len)
{
	struct recorder *r = arg;

	if (r->link->now > 2 * SL_NS_PER_S && rnd_below(&r->rnd, 100) < 4)
		return false;
	if (from != CLIENT)
		return true;
	assert_true(n_recorded < RTE_DIM(record) && len <= sizeof(record[0].bytes));
	record[n_recorded].at = r->link->now + r->link->conf.cable.delay;
	record[n_recorded].len = len;
	record[n_recorded].apart = is_apart(bytes, len);
	memcpy(record[n_recorded++].bytes, bytes, len);
	return true;
}

static void
record_run(sl_ns_t start)
{
	static struct link link;
	struct recorder recorder = { .link = &link, .rnd = { 5 } };
	struct link_conf wire = {
		.cable.delay = SL_NS_PER_MS, .seed = 3, .lets = record_frame, .arg = &recorder
	};
	struct talk_result result = { 0 };
	struct talk_plan plan = { .send = 40000, .result = &result };

	n_recorded = n_seen = 0;
	open_hosts(&link, &wire, start, first_play.tai_ms, &watch, &plan);
	connect_all(&link, 4 * N_PORTS);
	link_run(&link, 5 * MINUTE, NULL, NULL);
	assert_int_equal(result.closed, 4 * N_PORTS);
	assert_int_equal(n_seen, 4 * N_PORTS);
	link_close(&link);
}

/* One core that is given what was recorded, and whose answers nobody hears. */
struct lonely {
	struct sl_core *core;
	struct heapbufs hb;
	struct arena arena;
	struct rte_mbuf *rx[SL_BURST];
	uint16_t n_rx;
};

static void
lonely_step(struct lonely *l, sl_ns_t now)
{
	struct rte_mbuf *tx[2 * SL_BURST];
	uint16_t n = sl_core_step(l->core, now, l->rx, l->n_rx, tx, 2 * SL_BURST);
	const char *why = "";

	l->n_rx = 0;
	for (uint16_t i = 0; i < n; i++)
		heapbufs_put(&l->hb, tx[i]);
	if (sl_core_check(l->core, &why) != 0)
		fail_msg("%s", why);
}

/*
 * Give the frames recorded to a new server in other bursts: up to @most frames, held back
 * up to @hold for company; a frame whose answer depends on its time is held back by nobody.
 */
static void
replay(sl_ns_t start, uint32_t most, sl_ns_t hold, uint64_t seed)
{
	static struct sl_core_conf conf;
	struct lonely l = { 0 };
	struct rnd rnd = { seed };
	uint32_t i = 0;

	link_host_conf(&conf, SERVER);
	for (uint16_t p = 0; p < N_PORTS; p++)
		link_listen(&conf, 7 + p, &watch, NULL)->tcp.cookies = modes[p];
	heapbufs_open(&l.hb);
	arena_open(&l.arena);
	assert_int_equal(sl_core_open(&l.core, &conf, &l.hb.bufs, &l.arena.mem, start), 0);
	while (i < n_recorded) {
		uint32_t want = seed != 0 ? 1 + rnd_below(&rnd, most) : most;
		sl_ns_t begin = record[i].at, now = begin;

		while (sl_core_next(l.core) < begin) /* timers, at their times */
			lonely_step(&l, sl_core_next(l.core) > start ? sl_core_next(l.core)
								     : start);
		for (; l.n_rx < want && i < n_recorded && record[i].at <= begin + hold; i++) {
			if (l.n_rx > 0 && record[i].apart && record[i].at != now)
				break;
			now = record[i].at;
			l.rx[l.n_rx] = heapbufs_packet(&l.hb, record[i].bytes, record[i].len,
						       RTE_PKTMBUF_HEADROOM);
			l.rx[l.n_rx++]->port = 0;
			if (record[i].apart && hold > 0) {
				i++;
				break;
			}
		}
		start = now;
		lonely_step(&l, now);
	}
	sl_core_close(l.core);
	heapbufs_close(&l.hb);
	arena_close(&l.arena);
}

static void
check_replay(const struct seen *want, uint32_t n_want, sl_ns_t start, uint32_t most,
	     sl_ns_t hold, uint64_t seed)
{
	n_seen = 0;
	replay(start, most, hold, seed);
	assert_int_equal(n_seen, n_want);
	for (uint32_t i = 0; i < n_want; i++) {
		uint32_t k = 0;

		while (k < n_seen && seen[k].port != want[i].port)
			k++;
		assert_true(k < n_seen);
		assert_memory_equal(&seen[k], &want[i], sizeof(seen[k]));
		assert_int_equal(seen[k].bytes, 40000);
		assert_true(seen[k].ended);
	}
}

static void
the_bursts_packets_come_in_do_not_matter(void **state)
{
	struct seen want[FLOWS];
	sl_ns_t start = SL_NS_PER_S;
	uint32_t n_want;

	record_run(start);
	n_want = n_seen;
	memcpy(want, seen, sizeof(want));
	check_replay(want, n_want, start, SL_BURST, 0, 0);
	check_replay(want, n_want, start, 1, 0, 0);
	check_replay(want, n_want, start, 2, 0, 0);
	check_replay(want, n_want, start, SL_BURST, 5 * SL_NS_PER_MS, 0);
	check_replay(want, n_want, start, SL_BURST, 300 * SL_NS_PER_MS, 0);
	for (uint64_t seed = 1; seed <= 10; seed++) {
		check_replay(want, n_want, start, 20, 0, seed);
		check_replay(want, n_want, start, SL_BURST, seed * SL_NS_PER_MS, seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_run_twice_is_the_same_run),
		cmocka_unit_test(the_time_of_day_does_not_matter),
		cmocka_unit_test(where_the_wheel_stands_does_not_matter),
		cmocka_unit_test(clocks_may_wrap_at_any_moment),
		cmocka_unit_test(sequence_numbers_may_wrap_at_any_byte),
		cmocka_unit_test(the_bursts_packets_come_in_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
