/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_spans - a piece of what is to be sent says where its bytes lie: in a buffer of ours, in
 * one that came, in memory that was pinned; as a whole, cut in two, and less what was
 * acknowledged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "solo.h"
#include "tcp/spans.h"

#define MSS 1000u

static uint8_t pinned[3 * MSS];
static const struct sl_seg_out syn = { .wnd = 65535, .mss = MSS, .opts = SL_OPT_MSS };

static int
open_pinned(struct sl_conn *c)
{
	sl_send_pinned(c, pinned, sizeof(pinned));
	return 0;
}

static uint32_t
answer_copy(struct sl_conn *c, const struct sl_chain *in)
{
	sl_send(c, "abcdef", 6);
	sl_send(c, "ghi", 3);
	return in->bytes;
}

static uint32_t
answer_share(struct sl_conn *c, const struct sl_chain *in)
{
	sl_send_chain(c, in, 2, in->bytes - 2);
	return in->bytes;
}

static const struct sl_app pins = { .name = "pins", .open = open_pinned };
static const struct sl_app copies = { .name = "copies", .data = answer_copy };
static const struct sl_app shares = { .name = "shares", .data = answer_share };

/* The peer has sent @sent bytes before, and got @acked of ours. */
static void
peer_says(struct solo *s, uint32_t sent, uint32_t acked, const char *text)
{
	struct sl_seg_out seg = { .seq = s->irs + 1 + sent,
				  .ack = s->iss + 1 + acked,
				  .flags = SL_ACK,
				  .wnd = 65535 };

	solo_send(s, &seg, text, (uint16_t)strlen(text));
	solo_step(s);
}

static void
open_one(struct solo *s, const struct sl_app *app)
{
	solo_init(s, false, app, NULL);
	s->conf.listener[0].tcp.nagle = false;
	solo_open(s);
	solo_handshake(s, 1000, &syn);
}

/* Piece @n of the only connection; NULL: it has not so many. */
static const struct sl_span *
piece(const struct solo *s, uint32_t n)
{
	const struct sl_tcp *tcp = &s->core->tcp;
	const struct sl_span *p = sl_span_at(tcp, tcp->tcb[0].span_head);

	while (p != NULL && n-- > 0)
		p = sl_span_at(tcp, p->next);
	return p;
}

static void
pinned_memory_is_cut_where_segments_end(void **state)
{
	static struct solo s;

	open_one(&s, &pins);
	for (uint32_t i = 0; i < 3; i++) {
		assert_null(sl_span_owner(piece(&s, i)));
		assert_ptr_equal(sl_span_data(piece(&s, i)), pinned + i * MSS);
		assert_int_equal(piece(&s, i)->len, MSS);
	}
	assert_null(piece(&s, 3));
	solo_close(&s);
}

static void
what_is_acknowledged_in_part_begins_behind_it(void **state)
{
	static struct solo s;

	open_one(&s, &pins);
	peer_says(&s, 0, MSS + 1, "");
	assert_ptr_equal(sl_span_data(piece(&s, 0)), pinned + MSS + 1);
	assert_int_equal(piece(&s, 0)->len, MSS - 1);
	solo_close(&s);

	open_one(&s, &copies);
	peer_says(&s, 0, 0, "x");
	peer_says(&s, 1, 2, "");
	assert_memory_equal(sl_span_data(piece(&s, 0)), "cdefghi", 7);
	assert_int_equal(piece(&s, 0)->len, 7);
	solo_close(&s);
}

static void
copies_share_a_buffer_of_ours_until_it_is_sent(void **state)
{
	static struct solo s;
	const struct sl_span *first, *second;

	open_one(&s, &copies);
	peer_says(&s, 0, 0, "x");
	first = piece(&s, 0);
	assert_int_equal(first->len, 9);
	assert_true(first->marks & SL_SPAN_OWN);
	assert_memory_equal(sl_span_data(first), "abcdefghi", 9);
	peer_says(&s, 1, 0, "y");
	second = piece(&s, 1);
	assert_int_equal(first->len, 9); /* it may be on its way: nothing is added */
	assert_ptr_not_equal(sl_span_owner(second), sl_span_owner(first));
	assert_memory_equal(sl_span_data(second), "abcdefghi", 9);
	solo_close(&s);
}

static void
bytes_that_came_are_sent_from_the_buffer_they_lie_in(void **state)
{
	static struct solo s;
	const struct sl_span *p;

	open_one(&s, &shares);
	peer_says(&s, 0, 0, "hello");
	p = piece(&s, 0);
	assert_false(p->marks & (SL_SPAN_OWN | SL_SPAN_PINNED));
	assert_int_equal(p->len, 3);
	assert_memory_equal(sl_span_data(p), "llo", 3);
	assert_int_equal(s.core->tcp.n_kept, 1);
	peer_says(&s, 5, 3, "");
	assert_null(piece(&s, 0));
	assert_int_equal(s.core->tcp.n_kept, 0);
	solo_close(&s);
}

/* The first one not sent says which the last is; while all are sent the record does. */
static void
the_last_piece_is_known_whether_or_not_all_were_sent(void **state)
{
	static struct solo s;
	const struct sl_tcp *tcp;
	const struct sl_tcb *tcb;
	struct sl_seg_out small = { .flags = SL_ACK, .wnd = MSS };

	open_one(&s, &copies);
	tcp = &s.core->tcp;
	tcb = &tcp->tcb[0];
	small.seq = s.irs + 1;
	small.ack = s.iss + 1;
	small.wnd = 0;
	for (uint32_t i = 0; i < 3; i++) { /* no room for the answers */
		solo_send(&s, &small, "z", 1);
		solo_step(&s);
		small.seq++;
	}
	assert_int_equal(sl_spans_unsent(tcb), tcb->span_head);
	assert_null(piece(&s, 1)); /* all went into one buffer */
	assert_int_equal(piece(&s, 0)->len, 27);
	peer_says(&s, 3, 0, "");
	assert_int_equal(sl_spans_unsent(tcb), SL_NO_INDEX);
	assert_ptr_equal(sl_span_at(tcp, sl_spans_last(tcp, tcb)), piece(&s, 0));
	peer_says(&s, 3, 0, "z");
	assert_ptr_equal(sl_span_at(tcp, sl_spans_last(tcp, tcb)), piece(&s, 1));
	peer_says(&s, 4, 36, "");
	assert_int_equal(sl_spans_last(tcp, tcb), SL_NO_INDEX);
	solo_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinned_memory_is_cut_where_segments_end),
		cmocka_unit_test(what_is_acknowledged_in_part_begins_behind_it),
		cmocka_unit_test(copies_share_a_buffer_of_ours_until_it_is_sent),
		cmocka_unit_test(bytes_that_came_are_sent_from_the_buffer_they_lie_in),
		cmocka_unit_test(the_last_piece_is_known_whether_or_not_all_were_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
