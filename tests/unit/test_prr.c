/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_prr - what an ACK lets go during a repair is the share that RFC 9937 says, to the byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "tcp/recovery.h"
#include "tcp/tcp.h"

/* Just what proportional rate reduction sees of TCP. */
struct repair {
	struct sl_tcp tcp;
	struct sl_tcb tcb;
	struct sl_active active;
	struct sl_lent lent;
};

/* @flight bytes are out; the window is cut to @target. */
static void
begin(struct repair *r, uint32_t flight, uint32_t target, uint16_t mss)
{
	memset(r, 0, sizeof(*r));
	r->tcp.tcb = &r->tcb;
	r->tcp.lent = &r->lent;
	r->tcp.active = &r->active;
	r->lent.epoch = SL_NO_BLOCK;
	r->tcb.mss = mss;
	r->tcb.snd_nxt = flight;
	r->tcb.cwnd = target;
	sl_prr_begin(&r->tcb, &r->active, flight);
}

static uint64_t
rounded_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* Deliver and send until no more is out than the window takes. */
static void
share_out(struct repair *r, struct rnd *rnd, uint32_t flight)
{
	struct sl_active *a = &r->active;
	uint64_t delivered = 0, sent = 0;

	for (int n = 0; n < 50; n++) {
		uint32_t pipe = flight - delivered + sent;
		uint32_t now = 1 + rnd_below(rnd, pipe - r->tcb.cwnd);
		uint64_t may;

		delivered += now;
		r->tcb.snd_una = r->tcb.snd_nxt - (pipe - now);
		if (pipe - now <= r->tcb.cwnd)
			return;
		sl_prr_ack(&r->tcp, &r->tcb, a, now, true);
		may = rounded_up(delivered * r->tcb.cwnd, flight);
		may = may > sent ? may - sent : 0;
		if (sent == 0 && may < r->tcb.mss)
			may = r->tcb.mss;
		assert_int_equal(a->prr_room, may);
		if (may > 0) {
			may = 1 + rnd_below(rnd, (uint32_t)may);
			sl_prr_sent(a, (uint32_t)may);
			sent += may;
		}
		if (flight - delivered + sent <= r->tcb.cwnd)
			return;
	}
}

/* rows: LR17 */
static void
its_share_is_rounded_up_to_the_byte_whatever_was_out(void **state)
{
	struct rnd rnd = { .s = 17 };

	for (int n = 0; n < 20000; n++) {
		struct repair r;
		uint32_t flight = 2 + ((uint32_t)rnd_u64(&rnd) >> (2 + rnd_below(&rnd, 29)));
		uint32_t target = 1 + rnd_below(&rnd, flight - 1);

		if (n % 4 == 0)
			flight = 2u << rnd_below(&rnd, 29);
		if (target >= flight)
			target = flight - 1;
		if (target > SL_CWND_MAX)
			target = SL_CWND_MAX;
		begin(&r, flight, target, 1448);
		share_out(&r, &rnd, flight);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_share_is_rounded_up_to_the_byte_whatever_was_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
