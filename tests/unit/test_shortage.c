/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_shortage - a worker that does not keep up loses SYNs before it loses anything else.
 *
 * All packets come to one worker and belong to the other, whose application has it wait: so
 * they fill the ring between the two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/share.h"
#include "enginerig.h"
#include "wire/frame.h"

#define PORT     7 /* the one that waits */
#define CLOSED   9
#define N_SYNS   (2u * SL_RING_PACKETS)
#define N_OTHERS (SL_RING_PACKETS / 4 - SL_BURST)
#define N_MORE   (2u * SL_BURST)

static atomic_bool waits, released;
static uint64_t lost_syns, lost_others, lost_more;

/* Runs on the worker that is to fall behind. */
static int
wait_here(struct sl_conn *c)
{
	atomic_store(&waits, true);
	while (!atomic_load(&released))
		rig_nap_ms(1);
	return 0;
}

static const struct sl_app waiter = { .name = "waiter", .open = wait_here };

static uint64_t
steered(struct enginerig *rig, uint64_t *lost)
{
	uint64_t handed = 0;

	*lost = 0;
	for (uint16_t i = 0; i < rig->engine->siblings.n; i++) {
		const struct sl_worker_stats *s = &rig->engine->worker[i]->stats;

		handed += __atomic_load_n(&s->handed_out, __ATOMIC_RELAXED);
		*lost += __atomic_load_n(&s->steer_full, __ATOMIC_RELAXED);
	}
	return handed + *lost;
}

/* Whether whatever was handed over has arrived. */
static bool
all_arrived(struct enginerig *rig)
{
	uint64_t lost, in = 0, out = steered(rig, &lost) - lost;

	for (uint16_t i = 0; i < rig->engine->siblings.n; i++)
		in += __atomic_load_n(&rig->engine->worker[i]->stats.handed_in,
				      __ATOMIC_RELAXED);
	return in == out;
}

/* The next port of the host's from @port on whose packets are not the reader's own. */
static uint16_t
foreign(struct enginerig *rig, uint16_t port, uint16_t lport)
{
	uint16_t reader = rig->engine->placement.poller[0][0];
	struct sl_tuple t = { .local = craft_addr("10.0.0.1"),
			      .remote = craft_addr("10.0.0.2"),
			      .lport = lport };

	for (t.rport = port;; t.rport++)
		if (sl_steer_slot(&rig->engine->steer,
				  sl_steer_hash(&rig->engine->steer, &t)) != reader)
			return t.rport;
}

static void
say(struct enginerig *rig, uint16_t from, uint16_t to, uint32_t ack, uint8_t flags)
{
	struct craft c;

	craft_ether(&c, rig->mac, rig_host_mac, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, from, to, flags & SL_SYN ? 1000 : 1001, ack, flags, 8192, "", 0);
	craft_end(&c);
	rig_send(rig, &c, 0);
}

/* @n packets that are not the reader's; how many of them it could not hand over. */
static uint64_t
say_many(struct enginerig *rig, uint32_t n, uint8_t flags)
{
	uint64_t lost = 0, before, sent = steered(rig, &before);
	uint16_t port = 20000;

	for (uint32_t i = 1; i <= n; i++) {
		port = foreign(rig, (uint16_t)(port + 1), CLOSED);
		say(rig, port, CLOSED, 1, flags);
		if (i % SL_BURST != 0 && i != n)
			continue;
		for (int ms = 0; ms < 1000 && steered(rig, &lost) < sent + i; ms++)
			rig_nap_ms(1);
	}
	return lost - before;
}

static bool
is_synack(const uint8_t *f, uint32_t len)
{
	return len >= 54 && f[12] == 8 && f[13] == 0 && f[14 + 9] == 6 &&
	       f[14 + 20 + 13] == (SL_SYN | SL_ACK);
}

static void
host_presses(struct enginerig *rig)
{
	uint16_t port = foreign(rig, 5000, PORT);
	uint8_t f[256];

	rig_ask_for_mac(rig);
	say(rig, port, PORT, 0, SL_SYN);
	if (rig_await(rig, is_synack, f)) {
		uint32_t iss = (uint32_t)f[38] << 24 | (uint32_t)f[39] << 16 |
			       (uint32_t)f[40] << 8 | f[41];

		say(rig, port, PORT, iss + 1, SL_ACK);
	}
	for (int ms = 0; ms < 1000 && !atomic_load(&waits); ms++)
		rig_nap_ms(1);
	lost_syns = say_many(rig, N_SYNS, SL_SYN);
	lost_others = say_many(rig, N_OTHERS, SL_ACK);
	lost_more = say_many(rig, N_MORE, SL_ACK);
	atomic_store(&released, true);
	for (int ms = 0; ms < 1000 && !all_arrived(rig); ms++)
		rig_nap_ms(1);
	say(rig, port, PORT, 0, SL_RST); /* nothing is left that a drain would have to close */
	rig_end(rig);
}

static void
syns_leave_the_last_quarter_of_a_ring_to_others(void **state)
{
	static struct enginerig rig;
	struct sl_listener_conf *l = &rig.conf.listener[0];

	rig_open_rings(&rig, "shortage", 1);
	rig.conf.n_listeners = 1;
	snprintf(l->name, sizeof(l->name), "waiter");
	l->port = PORT;
	l->app = &waiter;
	sl_tcp_defaults(&l->tcp);
	rig.host = host_presses;
	rig_run(&rig);
	rig_close_rings(&rig);

	assert_true(atomic_load(&waits));
	assert_in_range(lost_syns, N_SYNS - SL_RING_PACKETS * 3 / 4 - SL_BURST,
			N_SYNS - SL_RING_PACKETS * 3 / 4 + SL_BURST);
	assert_int_equal(lost_others, 0);
	assert_in_range(lost_more, 1, N_MORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syns_leave_the_last_quarter_of_a_ring_to_others),
	};

	return cmocka_run_group_tests(tests, rig_start_eal, rig_stop_eal);
}
