/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_open - what a connection begins with: addresses, ports, first numbers, timestamps.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link.h"
#include "solo.h"

#define N_OPENS 200u

static const struct sl_app quiet = { .name = "quiet", .opens = &quiet };

/* A core that also has a second address of the family. */
static void
open_two_homed(struct solo *s, bool v6, struct sl_addr *second)
{
	struct sl_port_conf *port = &s->conf.net.port[0];

	solo_init(s, v6, &quiet, NULL);
	*second = link_addr(0, v6);
	second->b[15] = 99;
	port->addr[port->n_addrs].addr = *second;
	port->addr[port->n_addrs++].prefix = v6 ? 64 : 24;
	s->conf.connections = N_OPENS;
	solo_open(s);
}

static int
connect_from(struct solo *s, const struct sl_addr *local, uint16_t lport)
{
	struct sl_connect to = {
		.remote = &s->tuple.remote, .rport = 443, .local = local, .lport = lport
	};

	return sl_core_connect(s->core, s->now, 0, &to, NULL);
}

/* The local end of the connection listed at @at. */
static struct sl_tuple
tuple_at(struct solo *s, uint32_t at)
{
	struct sl_conn_info info;

	assert_int_equal(sl_core_list(s->core, &at, &info, 1), 1);
	return info.tuple;
}

static void
a_list_looks_at_some_thousand_records_at_a_time(void **state)
{
	static struct solo s;
	struct sl_conn_info info[4];
	uint32_t cursor = 0, found = 0, calls = 0;
	struct sl_addr second;

	open_two_homed(&s, false, &second);
	solo_close(&s);
	s.conf.connections = 20000;
	solo_open(&s);
	for (int i = 0; i < 3; i++)
		assert_int_equal(connect_from(&s, &second, 0), 0);
	while (cursor != SL_LIST_END) {
		found += sl_core_list(s.core, &cursor, info, 4);
		calls++;
	}
	assert_int_equal(found, 3);
	assert_in_range(calls, 3, 20);
	assert_int_equal(sl_core_list(s.core, &cursor, info, 4), 0);
	assert_int_equal(cursor, SL_LIST_END);
	solo_close(&s);
}

/* rows: OC14 [v4 v6] */
static void
the_address_to_open_from_may_be_chosen_among_ours(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_addr second, other;
		struct sl_tuple tuple;

		open_two_homed(&s, v6, &second);
		assert_int_equal(connect_from(&s, &second, 0), 0);
		tuple = tuple_at(&s, 0);
		assert_true(sl_addr_eq(&tuple.local, &second));
		other = link_addr(0, !v6);
		assert_int_equal(connect_from(&s, &other, 0), -EINVAL); /* another family */
		other = link_addr(7, v6);
		assert_int_equal(connect_from(&s, &other, 0), -EINVAL); /* somebody else's */
		other = second;
		other.b[v6 ? 0 : 12] = v6 ? 0xff : 239;
		assert_int_equal(connect_from(&s, &other, 0), -EINVAL); /* a group */
		solo_close(&s);
	}
}

/* rows: OC14 [v4 v6] */
static void
nobody_is_opened_to_at_a_group_or_broadcast_address(void **state)
{
	static const uint8_t nowhere4[][4] = {
		{ 239, 1, 2, 3 }, { 255, 255, 255, 255 }, { 0, 0, 0, 0 }, { 10, 0, 0, 255 }
	};
	static struct solo s;

	for (size_t i = 0; i < RTE_DIM(nowhere4); i++) {
		solo_init(&s, false, &quiet, NULL);
		solo_open(&s);
		memcpy(s.tuple.remote.b + 12, nowhere4[i], 4);
		assert_true(connect_from(&s, NULL, 0) < 0);
		memcpy(s.tuple.remote.b + 12, (uint8_t[]){ 10, 0, 0, 2 }, 4);
		solo_close(&s);
	}
	solo_init(&s, true, &quiet, NULL);
	solo_open(&s);
	s.tuple.remote.b[0] = 0xff;
	assert_int_equal(connect_from(&s, NULL, 0), -EINVAL);
	memset(&s.tuple.remote, 0, sizeof(s.tuple.remote));
	assert_int_equal(connect_from(&s, NULL, 0), -EINVAL);
	s.tuple.remote = link_addr(1, true);
	solo_close(&s);
}

/* The source ports of N_OPENS connections of a core with the secret @secret. */
static void
draw_ports(bool v6, uint64_t secret, uint16_t *port)
{
	static struct solo s;

	solo_init(&s, v6, &quiet, NULL);
	s.conf.secret.k[0] = secret;
	s.conf.connections = N_OPENS;
	solo_open(&s);
	for (uint32_t i = 0; i < N_OPENS; i++) {
		assert_int_equal(connect_from(&s, NULL, 0), 0);
		port[i] = tuple_at(&s, i).lport;
	}
	solo_close(&s);
}

/* rows: OC19 [v4 v6] */
static void
source_ports_are_drawn_at_random(void **state)
{
	static uint16_t a[N_OPENS], b[N_OPENS];

	for (int v6 = 0; v6 < 2; v6++) {
		unsigned int near = 0, high = 0, same = 0;

		draw_ports(v6, 1, a);
		draw_ports(v6, 2, b);
		for (uint32_t i = 0; i < N_OPENS; i++) {
			assert_true(a[i] >= 10000);
			near += i > 0 && abs(a[i] - a[i - 1]) < 500;
			high += a[i] >= 10000 + (65536 - 10000) / 2;
			same += a[i] == b[i];
			for (uint32_t k = 0; k < i; k++)
				assert_int_not_equal(a[i], a[k]);
		}
		assert_in_range(near, 0, 15); /* one in 55 comes near by chance */
		assert_in_range(high, N_OPENS / 2 - 40, N_OPENS / 2 + 40);
		assert_in_range(same, 0, 2);
	}
}

/* rows: OC19 [v4 v6] */
static void
a_port_that_is_taken_or_listened_on_is_not_drawn(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		solo_init(&s, v6, &quiet, NULL);
		solo_open(&s);
		assert_int_equal(connect_from(&s, NULL, 20000), 0);
		assert_int_equal(connect_from(&s, NULL, 20000), -EADDRNOTAVAIL);
		solo_close(&s);
	}
}

/* What the SYN-ACK to a SYN with timestamps, from @rport, says. */
static struct sl_seg
answer_to_syn(struct solo *s, uint16_t rport)
{
	struct sl_seg_out syn = { .seq = 1000,
				  .flags = SL_SYN,
				  .wnd = 65535,
				  .opts = SL_OPT_TS | SL_OPT_MSS,
				  .mss = 1400,
				  .tsval = 7 };

	s->tuple.rport = rport;
	solo_clear(s);
	solo_send(s, &syn, NULL, 0);
	solo_step(s);
	assert_int_equal(s->n_out, 1);
	assert_int_equal(s->out[0].seg.flags, SL_SYN | SL_ACK);
	return s->out[0].seg;
}

static void
forget(struct solo *s)
{
	struct sl_seg_out rst = { .seq = 1001, .flags = SL_RST };

	solo_send(s, &rst, NULL, 0);
	solo_step(s);
}

static void
open_listener(struct solo *s, bool v6, uint64_t secret)
{
	solo_init(s, v6, &quiet, NULL);
	s->conf.listener[0].tcp.cookies = SL_COOKIES_NEVER;
	s->conf.secret.k[0] = secret;
	s->conf.cookie_secret.k[0] = secret;
	solo_open(s);
}

/* Whether two numbers are unlike: none of both halves near the other's. */
static bool
unlike(uint32_t a, uint32_t b)
{
	return a - b + 0x100000 > 0x200000;
}

/* rows: TS9 IS1 [v4 v6] */
static void
numbers_and_clocks_of_two_tuples_or_two_secrets_are_unrelated(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_seg one, next, other;

		open_listener(&s, v6, 11);
		one = answer_to_syn(&s, 5000);
		next = answer_to_syn(&s, 5001);
		solo_close(&s);
		open_listener(&s, v6, 12);
		other = answer_to_syn(&s, 5000);
		solo_close(&s);
		assert_true(unlike(one.seq, next.seq) && unlike(one.seq, other.seq));
		assert_true(unlike(one.tsval, next.tsval) && unlike(one.tsval, other.tsval));
	}
}

/* rows: TS9 IS1 TW6 [v4 v6] */
static void
numbers_and_clock_of_one_tuple_go_on(void **state)
{
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		struct sl_seg first, again;

		open_listener(&s, v6, 11);
		first = answer_to_syn(&s, 5000);
		forget(&s);
		solo_pass(&s, 10000);
		again = answer_to_syn(&s, 5000);
		assert_int_equal(again.seq - first.seq, 10000 * 250); /* a number in 4 us */
		assert_int_equal(again.tsval - first.tsval, 10000);
		solo_close(&s);
	}
}

/* Whoever is challenged in the first second of a core's clock gets its answer. */
static void
budgets_are_full_from_the_first_moment(void **state)
{
	static struct solo s;
	struct sl_seg_out stray = { .seq = 5, .ack = 6, .flags = SL_ACK };

	for (int v6 = 0; v6 < 2; v6++) {
		solo_init(&s, v6, &quiet, NULL);
		s.now = 0;
		s.conf.listener[0].tcp.cookies = SL_COOKIES_NEVER;
		solo_open(&s);
		s.tuple.lport = 81;
		solo_send(&s, &stray, NULL, 0);
		solo_step(&s);
		assert_int_equal(s.n_out, 1);
		assert_int_equal(s.out[0].seg.flags, SL_RST);
		s.tuple.lport = 80;
		answer_to_syn(&s, 5000);
		solo_clear(&s);
		stray = (struct sl_seg_out){ .seq = 900000, .flags = SL_SYN };
		solo_send(&s, &stray, NULL, 0);
		solo_step(&s);
		assert_int_equal(s.n_out, 1);
		assert_int_equal(s.out[0].seg.flags, SL_ACK);
		solo_close(&s);
		stray = (struct sl_seg_out){ .seq = 5, .ack = 6, .flags = SL_ACK };
	}
}

/* Where return traffic comes home: the answer to every choice of a source port. */
static bool
comes_home(const void *steer, const struct sl_tuple *tuple)
{
	const uint16_t *every = steer;

	return *every != 0 && tuple->lport % *every == 0;
}

/* A port is not taken whose answers would go elsewhere; if there is none, that is said. */
static void
without_a_source_port_an_open_says_so(void **state)
{
	static const uint16_t none = 0, some = 16;
	static struct solo s;

	for (int v6 = 0; v6 < 2; v6++) {
		solo_init(&s, v6, &quiet, NULL);
		s.conf.is_home = comes_home;
		s.conf.steer = &none;
		solo_open(&s);
		assert_int_equal(connect_from(&s, NULL, 0), -EADDRNOTAVAIL);
		assert_int_equal(sl_core_stats(s.core)->count[SL_CNT_no_port], 1);
		assert_int_equal(sl_core_stats(s.core)->count[SL_CNT_live], 0);
		solo_close(&s);

		solo_init(&s, v6, &quiet, NULL);
		s.conf.is_home = comes_home;
		s.conf.steer = &some;
		solo_open(&s);
		for (uint32_t i = 0; i < 20; i++) {
			assert_int_equal(connect_from(&s, NULL, 0), 0);
			assert_int_equal(tuple_at(&s, i).lport % some, 0);
		}
		solo_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_looks_at_some_thousand_records_at_a_time),
		cmocka_unit_test(the_address_to_open_from_may_be_chosen_among_ours),
		cmocka_unit_test(nobody_is_opened_to_at_a_group_or_broadcast_address),
		cmocka_unit_test(source_ports_are_drawn_at_random),
		cmocka_unit_test(a_port_that_is_taken_or_listened_on_is_not_drawn),
		cmocka_unit_test(numbers_and_clocks_of_two_tuples_or_two_secrets_are_unrelated),
		cmocka_unit_test(numbers_and_clock_of_one_tuple_go_on),
		cmocka_unit_test(budgets_are_full_from_the_first_moment),
		cmocka_unit_test(without_a_source_port_an_open_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
