/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_rack - what RACK takes for lost is what RFC 8985 says, told by a twin that looks at
 * every segment each time; and how long its patience lasts.
 *
 * Segments are sent, resent and SACKed in random order, acknowledged in theirs, at random
 * times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/recovery.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"

#define SEGMENTS 200u
#define LEN      100u
#define ISS      0xffffe000u /* numbers wrap on the way */

/* One segment, as the twin sees it. */
struct piece {
	uint64_t sent_us;
	bool gone, sacked, lost, again; /* gone: acknowledged */
};

struct world {
	struct rnd rnd;
	struct sl_tcp tcp;
	struct sl_tcb tcb;
	struct sl_active a;
	struct sl_lent lent;
	struct sl_span span[SEGMENTS];

	struct piece piece[SEGMENTS];
	uint32_t n_acked, n_sent, fack; /* fack: behind the highest delivered */
	uint64_t now_us, rack_us, rtt_us, min_us;
	uint32_t rack_end;
	bool knows, reordered;
};

static void
begin(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->rnd.s = seed;
	w->now_us = (1ull << 32) - 300000; /* and so does time */
	w->tcp.span = w->span;
	w->tcp.active = &w->a;
	w->tcp.lent = &w->lent; /* the record's, which leads to the block */
	w->tcb.mss = LEN;
	w->tcb.is = SL_IS_SACK | (seed % 2 ? SL_IS_TS : 0);
	w->tcb.ts_offset = (uint32_t)rnd_u64(&w->rnd);
	w->tcb.reo_mult = seed % 5 * 2;
	w->tcb.srtt_us8 = seed % 3 * 8 * 2000;
	w->tcb.snd_una = w->tcb.snd_nxt = w->a.fack = ISS;
	w->tcb.snd_end = ISS + SEGMENTS * LEN;
	sl_slots_init(&w->tcp.free_span, &w->span[0].next, sizeof(w->span[0]), SEGMENTS);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		sl_slots_get(&w->tcp.free_span);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		w->span[i] = (struct sl_span){ .marks = SL_SPAN_PINNED,
					       .seq = ISS + i * LEN,
					       .len = LEN,
					       .last = SEGMENTS - 1,
					       .next = i + 1 < SEGMENTS ? i + 1 : SL_NO_INDEX };
}

static void
pass(struct world *w, uint32_t us)
{
	w->now_us += us;
	w->tcp.now = w->now_us * 1000;
	w->tcp.now_us = (uint32_t)w->now_us;
	w->tcp.tick = sl_tick(w->tcp.now);
}

static void
send_next(struct world *w)
{
	struct sl_span *s = &w->span[w->n_sent];

	if (w->n_sent == SEGMENTS)
		return;
	s->n_sent = 1;
	s->sent_us = w->tcp.now_us;
	w->piece[w->n_sent++].sent_us = w->now_us;
	w->tcb.span_edge = s->next != SL_NO_INDEX ? s->next : SEGMENTS - 1;
	w->tcb.snd_nxt += LEN;
}

static void
resend_first_lost(struct world *w)
{
	struct sl_span *s = w->a.lost > w->a.resent ? &w->span[w->n_acked] : NULL;

	while (s != NULL && (s->marks & (SL_SPAN_LOST | SL_SPAN_RESENT)) != SL_SPAN_LOST)
		s++;
	if (s == NULL)
		return;
	s->marks |= SL_SPAN_RESENT;
	w->a.resent += LEN;
	s->n_sent += s->n_sent < SL_SPAN_SENT_MOST;
	s->sent_us = w->tcp.now_us;
	w->piece[s - w->span] = (struct piece){ .sent_us = w->now_us, .again = true };
}

/*
 * RFC 8985, 6.2, steps 1 to 3, for a segment newly delivered. @echo_us is when what the ACK
 * echoes was sent, if that says something of this segment.
 */
static void
twin_delivered(struct world *w, uint32_t i, uint64_t echo_us)
{
	struct piece *p = &w->piece[i];
	uint64_t rtt_us = w->now_us - p->sent_us;

	if (i + 1 > w->fack)
		w->fack = i + 1;
	else if (i + 1 < w->fack && !p->again)
		w->reordered = true;
	p->lost = false;
	if (p->again && (rtt_us < w->min_us || echo_us / 1000 < p->sent_us / 1000))
		return;
	if (!p->again && (w->min_us == 0 || rtt_us / 16 * 16 < w->min_us))
		w->min_us = rtt_us < 16 ? 16 : rtt_us / 16 * 16;
	w->rtt_us = rtt_us;
	if (!w->knows || p->sent_us > w->rack_us ||
	    (p->sent_us == w->rack_us && i + 1 > w->rack_end)) {
		w->rack_us = p->sent_us;
		w->rack_end = i + 1;
	}
	w->knows = true;
}

/* Steps 4 and 5. Returns what is lost newly; @wait_us is until the last of what is late. */
static uint32_t
twin_find_lost(struct world *w, uint64_t *wait_us)
{
	uint64_t wnd = (w->tcb.reo_mult + 1) * (w->min_us / 4), srtt = w->tcb.srtt_us8 / 8;
	uint32_t n_sacked = 0, found = 0;

	*wait_us = 0;
	for (uint32_t i = 0; i < w->n_sent; i++)
		n_sacked += w->piece[i].sacked && !w->piece[i].gone;
	if (srtt > 0 && wnd > srtt)
		wnd = srtt;
	if (!w->reordered && (w->a.mode != SL_LOSS_NONE || n_sacked >= 3))
		wnd = 0;
	for (uint32_t i = 0; w->knows && i < w->n_sent; i++) {
		struct piece *p = &w->piece[i];
		bool before = p->sent_us < w->rack_us ||
			      (p->sent_us == w->rack_us && i + 1 < w->rack_end);
		uint64_t due = p->sent_us + w->rtt_us + wnd;

		if (p->gone || p->sacked || p->lost || !before)
			continue;
		if (due <= w->now_us) {
			p->lost = true;
			found += LEN;
		} else if (due - w->now_us > *wait_us) {
			*wait_us = due - w->now_us;
		}
	}
	return found;
}

/* What an ACK echoes: some moment of the last milliseconds, often one before a resend. */
static uint64_t
echo(struct world *w, struct sl_seg *seg)
{
	uint64_t us = w->now_us - rnd_below(&w->rnd, 20000);

	seg->opts |= SL_OPT_TS;
	seg->tsecr = sl_tick(us * 1000) + w->tcb.ts_offset;
	return w->tcb.is & SL_IS_TS ? us : UINT64_MAX;
}

/* A block, whose echo means nothing: it lies behind a gap. */
static void
sack_some(struct world *w)
{
	uint32_t from = w->n_acked + rnd_below(&w->rnd, w->n_sent - w->n_acked);
	uint32_t to = from + 1 + rnd_below(&w->rnd, 3);
	struct sl_seg seg = { .ack = w->tcb.snd_una, .n_sacks = 1, .opts = SL_OPT_SACK };

	if (to > w->n_sent)
		to = w->n_sent;
	echo(w, &seg);
	seg.sack[0] = (struct sl_sack){ ISS + from * LEN, ISS + to * LEN };
	sl_sack_take(&w->tcp, &w->tcb, &w->a, &seg);
	for (uint32_t i = from; i < to; i++) {
		if (!w->piece[i].sacked)
			twin_delivered(w, i, UINT64_MAX);
		w->piece[i].sacked = true;
	}
}

/* All of the next few. */
static void
acknowledge_some(struct world *w)
{
	uint32_t to = w->n_acked + 1 + rnd_below(&w->rnd, 3);
	struct sl_seg seg = { .ack = ISS + to * LEN };
	uint64_t echo_us = echo(w, &seg);

	if (to > w->n_sent)
		return;
	sl_recovery_delivered(&w->tcp, &w->tcb, &seg);
	sl_spans_free_until(&w->tcp, &w->tcb, seg.ack);
	w->tcb.snd_una = seg.ack;
	for (; w->n_acked < to; w->n_acked++) {
		if (!w->piece[w->n_acked].sacked)
			twin_delivered(w, w->n_acked, echo_us);
		w->piece[w->n_acked].gone = true;
	}
}

static void
agree(struct world *w)
{
	uint64_t wait_us;
	uint32_t twin = twin_find_lost(w, &wait_us);
	sl_tick_t due = wait_us > 0 ? sl_tick((w->now_us + wait_us + 999) * 1000) : 0;

	assert_int_equal(sl_rack_find_lost(&w->tcp, &w->tcb, &w->a), twin);
	assert_int_equal(w->a.reo_due, due);
	for (uint32_t i = w->n_acked; i < w->n_sent; i++) {
		const struct sl_span *s = &w->span[i];
		bool lost = (s->marks & (SL_SPAN_LOST | SL_SPAN_RESENT)) == SL_SPAN_LOST;

		assert_int_equal(lost, w->piece[i].lost);
		assert_int_equal(!!(s->marks & SL_SPAN_SACKED), w->piece[i].sacked);
	}
	assert_int_equal(w->tcb.reo_seen, w->reordered);
	if (twin > 0)
		w->a.mode = SL_LOSS_RECOVERY;
}

/* rows: LR10 LR11 LR13 */
static void
what_is_lost_is_what_the_rfc_says(void **state)
{
	static struct world w;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		begin(&w, seed);
		pass(&w, 0);
		for (uint32_t n = 0; n < 2000; n++) {
			switch (rnd_below(&w.rnd, 8)) {
			case 0:
			case 1:
				send_next(&w);
				break;
			case 2:
				resend_first_lost(&w);
				break;
			case 3:
				if (w.n_sent > w.n_acked)
					sack_some(&w);
				break;
			case 4:
				if (rnd_below(&w.rnd, 4) == 0)
					acknowledge_some(&w);
				break;
			default:
				pass(&w, rnd_below(&w.rnd, 3000));
			}
			agree(&w);
		}
	}
}

/* RFC 8985, 6.2, step 4: once a round trip it grows, and for 16 recoveries. */
static void
patience_grows_once_a_round_trip_and_lasts_16_recoveries(void **state)
{
	static struct world w;

	begin(&w, 5); /* not grown yet */
	pass(&w, 0);
	send_next(&w);
	sl_rack_resent_in_vain(&w.tcb, &w.a);
	sl_rack_resent_in_vain(&w.tcb, &w.a);
	assert_int_equal(w.tcb.reo_mult, 1);
	w.tcb.snd_una = w.tcb.snd_nxt;
	sl_rack_resent_in_vain(&w.tcb, &w.a);
	assert_int_equal(w.tcb.reo_mult, 2);
	for (int n = 0; n < 15; n++)
		sl_rack_recovered(&w.tcb);
	assert_int_equal(w.tcb.reo_mult, 2);
	sl_rack_recovered(&w.tcb);
	assert_int_equal(w.tcb.reo_mult, 0);
	assert_true(w.tcb.reo_seen);
	for (int n = 0; n < 100; n++)
		sl_rack_resent_in_vain(&w.tcb, &w.a);
	assert_int_equal(w.tcb.reo_mult, 15); /* and does not wrap */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lost_is_what_the_rfc_says),
		cmocka_unit_test(patience_grows_once_a_round_trip_and_lasts_16_recoveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
