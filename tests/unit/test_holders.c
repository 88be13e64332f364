/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_holders - many peers that each hold a little for ever: buffers behind gaps, buffers of
 * bytes that nobody takes, blocks.
 *
 * All together they may have nine tenths of the buffers. While they do the others are served;
 * where it lasts some of it is taken from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "siege.h"

#include "l7/apps.h"

#define MOST    200
#define PIECES  60   /* of each holder, at most */
#define FEW     30   /* holders, so many that their pieces are more than ... */
#define BUFFERS 1024 /* ... all of these */

static struct siege_peer holder[MOST];

static void
all_meet(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		siege_meet(&holder[i], SIEGE_PORT, (uint16_t)(31000 + i), 1024, 1460);
}

/* A byte that came before: the answer says where each stands by now. */
static void
all_ask(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		siege_put(&holder[i], 0, 1);
		holder[i].seq = holder[i].acked;
	}
}

static void
all_leave(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		siege_leaves(&holder[i]);
}

/* Single bytes behind gaps, until no more are taken. */
static void
begin_behind_gaps(bool v6)
{
	siege_init(v6, &sl_discard);
	siege.s.conf.rx_buffers = BUFFERS;
	siege_begin();
	all_meet(FEW);
	for (unsigned int i = 0; i < FEW; i++)
		for (unsigned int k = 0; k < PIECES; k++)
			siege_put(&holder[i], 2 + 2 * k, 1);
}

/* Large segments for an application that takes none, a few from each and more from @n_large. */
static void
begin_untaken(bool v6, uint32_t buffers, unsigned int n, unsigned int n_large)
{
	siege_init(v6, &talk_app);
	siege_takes_nothing();
	siege.s.conf.rx_buffers = buffers;
	siege_begin();
	all_meet(n);
	for (unsigned int k = 0; k < PIECES; k++)
		for (unsigned int i = 0; i < (k == 0 ? n : n_large); i++)
			siege_put(&holder[i], 1000 * k, 1000);
}

/* Nine tenths of the buffers are kept, and no more; the friend does not notice. */
static void
what_is_left_serves_the_others(void)
{
	assert_in_range(siege_count(SL_CNT_kept), BUFFERS / 10 * 9,
			BUFFERS / 10 * 9 + SL_BURST);
	for (unsigned int i = 0; i < 300; i++) /* far more than was promised before */
		siege_echoes(&siege.old, 1000);
}

/*
 * Peers that leave a gap open for ever pin what lies behind it. They may have nine tenths of
 * the buffers, all together; the others' windows go on.
 * rows: RX9 AP3 [v4 v6]
 */
static void
gaps_left_open_pin_buffers_but_stop_nobody(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		begin_behind_gaps(v6);
		what_is_left_serves_the_others();
		all_leave(FEW);
		siege_end();
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
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		begin_untaken(v6, BUFFERS, FEW, FEW);
		what_is_left_serves_the_others();
		all_ask(FEW);
		all_leave(FEW);
		siege_end();
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
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		begin_behind_gaps(v6);
		assert_int_equal(siege_count(SL_CNT_pruned), 0);
		siege_wait(10);
		assert_in_range(siege_count(SL_CNT_kept), BUFFERS / 10 * 7, BUFFERS / 10 * 8);
		assert_in_range(siege_count(SL_CNT_pruned), BUFFERS / 10, BUFFERS / 5);
		assert_int_equal(siege_count(SL_CNT_pressure), 0);
		for (unsigned int i = 0; i < FEW; i++) {
			siege_put(&holder[i], 0, 122); /* all of it, from the gap on */
			siege_put(&holder[i], 122, 1); /* no second one waits for its ACK */
			assert_in_range(holder[i].acked - holder[i].seq, 122, 123);
		}
		all_ask(FEW);
		all_leave(FEW);
		siege_end();
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
	enum { FEWER = 256, LARGE = 10 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		uint64_t ended;

		begin_untaken(v6, FEWER, MOST, LARGE);
		assert_true(siege_count(SL_CNT_kept) > FEWER / 10 * 9);
		siege_wait(4);
		assert_int_equal(siege_count(SL_CNT_pressure), 0); /* it may pass */
		siege_wait(10);
		ended = siege_count(SL_CNT_pressure);
		assert_in_range(ended, 1, LARGE);
		assert_true(siege_count(SL_CNT_kept) <= FEWER / 10 * 8);
		siege_wait(60);
		assert_int_equal(siege_count(SL_CNT_pressure), ended);
		siege_echoes(&siege.old, 1000);
		all_ask(MOST);
		all_leave(MOST);
		siege_end();
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
	struct siege_peer *speaks = &holder[0], *silent = &holder[1], late;

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		siege_init(v6, &sl_discard);
		siege.s.conf.active = BLOCKS;
		siege_begin();
		siege_meet(&late, SIEGE_PORT, 32000, 65535, 1460);
		all_meet(BLOCKS);
		for (unsigned int i = 0; i < BLOCKS; i++)
			siege_put(&holder[i], 100, 50);
		siege_put(&late, 100, 50);
		assert_int_equal(siege_count(SL_CNT_ooo_dropped), 1);
		solo_pass(&siege.s, 3000);
		siege_put(speaks, 150, 50);
		solo_pass(&siege.s, 2000);
		siege_put(&late, 100, 50);
		assert_int_equal(siege_count(SL_CNT_ooo_dropped), 1);
		assert_int_equal(siege_count(SL_CNT_pruned), 1);
		siege_put(&late, 0, 100);
		assert_int_equal(late.acked, late.seq + 150);
		siege_put(speaks, 0, 100);
		assert_int_equal(speaks->acked, speaks->seq + 200);
		siege_put(silent, 0, 100); /* its piece is gone, and comes again */
		siege_put(silent, 100, 50);
		assert_int_equal(silent->acked, silent->seq + 150);
		all_ask(BLOCKS);
		all_leave(BLOCKS);
		late.seq = late.acked;
		siege_leaves(&late);
		siege_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_left_open_pin_buffers_but_stop_nobody),
		cmocka_unit_test(bytes_that_nobody_takes_pin_buffers_but_stop_nobody),
		cmocka_unit_test(pieces_behind_gaps_give_way_when_buffers_stay_scarce),
		cmocka_unit_test(the_largest_holders_are_ended_when_buffers_stay_scarce),
		cmocka_unit_test(a_gap_left_open_in_silence_keeps_no_block_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
