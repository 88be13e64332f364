/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_interleaving - connections do not notice each other.
 *
 * Several peers talk to echo, each by a plan of its own: bytes in order, twice, behind a gap,
 * in pieces, and a FIN. What one of them is sent, byte for byte and at what time, is the same
 * however the packets of the others lie between its own, and if there are no others at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "random.h"
#include "solo.h"

#define N_PEERS   8
#define N_ROUNDS  60
#define LAST      (N_ROUNDS - 10) /* the round of the FINs */
#define ROUND_MS  7
#define MOST      3 /* segments of a peer in a round */
#define FIRST     40000
#define MSS       1000
#define N_ORDERS  20
#define PIECE_MAX 700

struct peer {
	struct rnd rnd;    /* its plan: draws nothing that another peer could change */
	uint32_t snd, rcv; /* what it sends, and expects, next */
	uint32_t irs, iss;
	uint64_t heard; /* a hash of all it was sent, and when */
	uint32_t n_heard, bytes_heard;
	bool is_open, has_iss, is_done;
	uint32_t n_planned; /* in this round */
	struct sl_seg_out seg[MOST];
	uint16_t len[MOST];
};

static struct solo solo;
static struct peer peer[N_PEERS];

static void
hash(uint64_t *h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
}

static void
plan_one(struct peer *p, uint32_t seq, uint16_t len, uint8_t flags)
{
	p->len[p->n_planned] = len;
	p->seg[p->n_planned++] = (struct sl_seg_out){
		.seq = seq,
		.ack = flags & SL_ACK ? p->rcv : 0,
		.flags = flags,
		.wnd = 60000,
		.opts = flags & SL_SYN ? SL_OPT_MSS | SL_OPT_SACK_OK : 0,
		.mss = MSS,
	};
}

/* Bytes in order, the same again, two pieces the wrong way round, an ACK and bytes, or one. */
static void
plan_talk(struct peer *p)
{
	uint16_t len = (uint16_t)(1 + rnd_below(&p->rnd, PIECE_MAX));

	switch (rnd_below(&p->rnd, 7)) {
	case 0:
		plan_one(p, p->snd, len, SL_ACK | SL_PSH);
		plan_one(p, p->snd, len, SL_ACK | SL_PSH);
		break;
	case 1:
		plan_one(p, p->snd + len, 10, SL_ACK | SL_PSH);
		plan_one(p, p->snd, len, SL_ACK);
		len += 10;
		break;
	case 2:
		plan_one(p, p->snd, 0, SL_ACK);
		len = 0;
		break;
	case 3:
		plan_one(p, p->snd, 0, SL_ACK);
		plan_one(p, p->snd, len, SL_ACK | SL_PSH);
		break;
	case 4:
		plan_one(p, p->snd, len, SL_ACK | SL_PSH);
		plan_one(p, p->snd + len, 0, SL_ACK);
		break;
	default:
		plan_one(p, p->snd, len, SL_ACK | SL_PSH);
		break;
	}
	p->snd += len;
}

static void
plan_round(struct peer *p, unsigned int i, unsigned int round)
{
	p->n_planned = 0;
	if (round == i) { /* while others talk already */
		plan_one(p, p->irs, 0, SL_SYN);
		p->snd++;
	} else if (!p->has_iss || p->is_done) {
		return;
	} else if (!p->is_open) {
		plan_one(p, p->snd, 0, SL_ACK);
		p->is_open = true;
	} else if (round < LAST) {
		plan_talk(p);
	} else if (round == LAST) { /* the last bytes before the FIN, behind it, or none */
		if (i % 3 == 0)
			plan_one(p, p->snd, 10, SL_ACK);
		plan_one(p, p->snd + (i % 3 < 2 ? 10 : 0), 0, SL_ACK | SL_FIN);
		if (i % 3 == 1)
			plan_one(p, p->snd, 10, SL_ACK);
		p->snd += i % 3 < 2 ? 11 : 1;
	} else {
		plan_one(p, p->snd, 0, SL_ACK);
	}
}

/* Send all that is planned, in an order that @order draws; each peer's own order stays. */
static void
send_round(bool (*plays)(unsigned int), struct rnd *order)
{
	static uint8_t bytes[PIECE_MAX];
	unsigned int next[N_PEERS] = { 0 }, left = 0;

	for (unsigned int i = 0; i < N_PEERS; i++)
		left += plays(i) ? peer[i].n_planned : 0;
	while (left > 0) {
		unsigned int i = order == NULL ? 0 : rnd_below(order, N_PEERS);

		while (!plays(i) || next[i] == peer[i].n_planned)
			i = (i + 1) % N_PEERS;
		memset(bytes, 'a' + (int)i, sizeof(bytes));
		solo.tuple.rport = (uint16_t)(FIRST + i);
		solo_send(&solo, &peer[i].seg[next[i]], bytes, peer[i].len[next[i]]);
		next[i]++;
		left--;
	}
}

static void
hear(struct peer *p, const struct solo_seg *out)
{
	const struct sl_seg *seg = &out->seg;

	if (seg->flags & SL_SYN) {
		p->iss = seg->seq;
		p->rcv = seg->seq + 1;
		p->has_iss = true;
	} else if (seg->seq == p->rcv) {
		p->rcv += sl_seg_span(seg);
	}
	p->is_done |= (seg->flags & (SL_FIN | SL_RST)) && p->rcv == seg->seq + sl_seg_span(seg);
	p->n_heard++;
	p->bytes_heard += seg->len;
	hash(&p->heard, &solo.now, sizeof(solo.now));
	hash(&p->heard, &seg->seq, sizeof(seg->seq));
	hash(&p->heard, &seg->ack, sizeof(seg->ack));
	hash(&p->heard, &seg->wnd, sizeof(seg->wnd));
	hash(&p->heard, &seg->flags, sizeof(seg->flags));
	hash(&p->heard, seg->sack, seg->n_sacks * sizeof(seg->sack[0]));
	hash(&p->heard, solo.bytes + out->at, seg->len);
}

static void
hear_all(void)
{
	for (uint32_t i = 0; i < solo.n_out; i++)
		hear(&peer[solo.out[i].rport - FIRST], &solo.out[i]);
	solo_clear(&solo);
}

/* All rounds, of those peers that @plays names. */
static void
play(enum sl_cookies cookies, bool (*plays)(unsigned int), struct rnd *order)
{
	solo_init(&solo, false, &sl_echo, NULL);
	solo.conf.listener[0].tcp.cookies = cookies;
	solo_open(&solo);
	for (unsigned int i = 0; i < N_PEERS; i++)
		peer[i] = (struct peer){ .rnd = { i + 1 },
					 .irs = 0xffff0000u + i * 7777,
					 .snd = 0xffff0000u + i * 7777 };
	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		for (unsigned int i = 0; i < N_PEERS; i++)
			plan_round(&peer[i], i, round);
		send_round(plays, order);
		solo_step(&solo);
		hear_all();
		for (unsigned int ms = 0; ms < ROUND_MS; ms++) { /* timers, each at its time */
			solo_pass(&solo, 1);
			hear_all();
		}
	}
	solo_close(&solo);
}

static bool
all_play(unsigned int i)
{
	return true;
}

static unsigned int only;

static bool
only_one_plays(unsigned int i)
{
	return i == only;
}

static const enum sl_cookies modes[] = { SL_COOKIES_NEVER, SL_COOKIES_ALWAYS };

/* rows: AP4 [v4] */
static void
the_order_of_different_connections_packets_does_not_matter(void **state)
{
	struct peer first[N_PEERS];

	for (unsigned int m = 0; m < 2; m++) {
		play(modes[m], all_play, NULL);
		memcpy(first, peer, sizeof(first));
		for (unsigned int i = 0; i < N_PEERS; i++)
			assert_true(first[i].is_done && first[i].bytes_heard > 3000 &&
				    first[i].n_heard > 20);
		for (uint64_t seed = 1; seed <= N_ORDERS; seed++) {
			struct rnd order = { seed };

			play(modes[m], all_play, &order);
			for (unsigned int i = 0; i < N_PEERS; i++)
				if (peer[i].heard != first[i].heard)
					fail_msg("seed %llu, peer %u", (unsigned long long)seed,
						 i);
		}
	}
}

static void
a_connection_alone_goes_as_it_does_among_others(void **state)
{
	struct peer first[N_PEERS];

	for (unsigned int m = 0; m < 2; m++) {
		play(modes[m], all_play, NULL);
		memcpy(first, peer, sizeof(first));
		for (only = 0; only < N_PEERS; only++) {
			play(modes[m], only_one_plays, NULL);
			assert_int_equal(peer[only].n_heard, first[only].n_heard);
			assert_int_equal(peer[only].heard, first[only].heard);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_different_connections_packets_does_not_matter),
		cmocka_unit_test(a_connection_alone_goes_as_it_does_among_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
