/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_crossed - connections whose packets come to either of two workers, turn and turn
 * about, while others read what the workers count and hold.
 *
 * The port has two queues and no hash; a worker polls each. The host puts each frame into
 * the other queue than the one before, so that half of all segments of every connection
 * arrive at the wrong worker and are handed over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "enginerig.h"
#include "l7/apps.h"
#include "wire/frame.h"

#define N_CONNS  24 /* of both families */
#define N_ROUNDS 6  /* of a message and its echo on each */
#define BYTES    64
#define ECHO     7

static const uint8_t no_opts[1];

/* The host's end of a connection. */
struct end {
	uint32_t snd, rcv;
	uint16_t port;
	bool v6;
};

static uint16_t turn; /* the queue that gets the next frame */
static uint16_t port_wanted;
static uint32_t flags_wanted, bytes_wanted;
static uint64_t rx, handed_out, handed_in, steered, copied;

static uint32_t
be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Where the TCP header of a frame lies; the frames we look at have one. */
static uint32_t
tcp_at(const uint8_t *f)
{
	return f[12] == 0x86 ? 14 + 40 : 14 + 20;
}

static uint32_t
payload(const uint8_t *f, uint32_t *at)
{
	uint32_t tcp = tcp_at(f), head = (uint32_t)(f[tcp + 12] >> 4) * 4;
	uint32_t ip_bytes = f[12] == 0x86 ? 40u + ((uint32_t)f[18] << 8 | f[19])
					  : (uint32_t)f[16] << 8 | f[17];

	*at = tcp + head;
	return 14 + ip_bytes - *at;
}

static bool
is_wanted(const uint8_t *f, uint32_t len)
{
	bool v4 = f[12] == 8 && f[13] == 0, v6 = f[12] == 0x86;
	uint32_t tcp = tcp_at(f), at;

	if (len < tcp + 20 || !(v4 || v6) || f[v4 ? 14 + 9 : 14 + 6] != 6)
		return false;
	return ((uint32_t)f[tcp + 2] << 8 | f[tcp + 3]) == port_wanted &&
	       (f[tcp + 13] & flags_wanted) == flags_wanted && payload(f, &at) >= bytes_wanted;
}

static void
say(struct enginerig *rig, struct end *e, uint8_t flags, const void *bytes, uint32_t len)
{
	struct craft c;

	craft_ether(&c, rig->mac, rig_host_mac, 0, e->v6 ? 0x86dd : 0x0800);
	if (e->v6)
		craft_ip6(&c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(&c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(&c, e->port, ECHO, e->snd, flags & SL_ACK ? e->rcv : 0, flags, 8192, no_opts,
		  0);
	craft_bytes(&c, bytes, len);
	craft_end(&c);
	rig_send(rig, &c, turn);
	turn = !turn;
	e->snd += len + (flags & (SL_SYN | SL_FIN) ? 1 : 0);
}

/* What comes back on @e with @flags and at least @bytes; false after a while. */
static bool
hear(struct enginerig *rig, const struct end *e, uint32_t flags, uint32_t bytes, uint8_t *f)
{
	port_wanted = e->port;
	flags_wanted = flags;
	bytes_wanted = bytes;
	return rig_await(rig, is_wanted, f);
}

static bool
open_one(struct enginerig *rig, struct end *e)
{
	uint8_t f[256];

	say(rig, e, SL_SYN, NULL, 0);
	if (!hear(rig, e, SL_SYN | SL_ACK, 0, f))
		return false;
	e->rcv = be32_at(f + tcp_at(f) + 4) + 1;
	say(rig, e, SL_ACK, NULL, 0);
	return true;
}

static bool
echo_one(struct enginerig *rig, struct end *e, uint8_t what)
{
	uint8_t bytes[BYTES], f[256];
	uint32_t at;

	memset(bytes, what, sizeof(bytes));
	say(rig, e, SL_ACK | SL_PSH, bytes, BYTES);
	if (!hear(rig, e, SL_ACK, BYTES, f) || payload(f, &at) != BYTES ||
	    be32_at(f + tcp_at(f) + 4) != e->rcv || memcmp(f + at, bytes, BYTES) != 0)
		return false;
	e->rcv += BYTES;
	say(rig, e, SL_ACK, NULL, 0);
	return true;
}

static bool
close_one(struct enginerig *rig, struct end *e)
{
	uint8_t f[256];

	say(rig, e, SL_FIN | SL_ACK, NULL, 0);
	if (!hear(rig, e, SL_FIN | SL_ACK, 0, f))
		return false;
	e->rcv++;
	say(rig, e, SL_ACK, NULL, 0);
	return true;
}

/* A neighbour's answer concerns all workers: whoever gets it copies it to the others. */
static void
be_a_neighbour(struct enginerig *rig)
{
	static const char *const answer = "0001 0800 0604 0002 020000000099 0a000002";
	struct craft c;

	for (uint16_t queue = 0; queue < RIG_QUEUES; queue++) {
		craft_ether(&c, rig->mac, rig_host_mac, 0, 0x0806);
		craft_hex(&c, answer);
		craft_bytes(&c, rig->mac, 6);
		craft_hex(&c, "0a000001");
		rig_send(rig, &c, queue);
	}
}

/* Ask each worker for a page of its connections, as telemetry does; how many there are. */
static unsigned int
count_pages(struct enginerig *rig)
{
	unsigned int n = 0;

	for (uint16_t i = 0; i < rig->engine->siblings.n; i++) {
		struct sl_page *page = &rig->engine->worker[i]->page;

		page->cursor = 0;
		/* pairs with the acquire in fill_page() */
		atomic_store_explicit(&page->state, SL_PAGE_ASKED, memory_order_release);
		for (unsigned int ms = 0; ms < 1000; ms++) {
			/* pairs with the release in fill_page() */
			if (atomic_load_explicit(&page->state, memory_order_acquire) ==
			    SL_PAGE_FILLED)
				break;
			rig_nap_ms(1);
		}
		n += page->n;
	}
	return n;
}

static void
take_counts(struct enginerig *rig)
{
	struct sl_stats stats;

	sl_engine_stats(rig->engine, &stats);
	rx = stats.count[SL_CNT_rx];
	steered = stats.count[SL_CNT_mis_steered];
	handed_out = handed_in = copied = 0;
	for (uint16_t i = 0; i < rig->engine->siblings.n; i++) {
		const struct sl_worker_stats *w = &rig->engine->worker[i]->stats;

		handed_out += __atomic_load_n(&w->handed_out, __ATOMIC_RELAXED);
		handed_in += __atomic_load_n(&w->handed_in, __ATOMIC_RELAXED);
		copied += __atomic_load_n(&w->copied, __ATOMIC_RELAXED);
	}
}

static void
host_talks(struct enginerig *rig)
{
	static struct end end[N_CONNS];

	rig_ask_for_mac(rig);
	for (uint16_t i = 0; i < N_CONNS; i++) {
		end[i] = (struct end){ .snd = 1000u * i, .port = 7000 + i, .v6 = i & 1 };
		rig->n_answers += open_one(rig, &end[i]);
	}
	be_a_neighbour(rig);
	for (uint8_t round = 0; round < N_ROUNDS; round++)
		for (uint16_t i = 0; i < N_CONNS; i++) {
			rig->n_answers += echo_one(rig, &end[i], (uint8_t)(round + i));
			take_counts(rig); /* a reader beside control's */
		}
	rig->n_answers += count_pages(rig);
	for (uint16_t i = 0; i < N_CONNS; i++)
		rig->n_answers += close_one(rig, &end[i]);
	take_counts(rig);
	for (int ms = 0; ms < 1000 && handed_in != handed_out; ms++) {
		rig_nap_ms(1); /* the last ACK is on its way between the workers */
		take_counts(rig);
	}
	rig_end(rig);
}

/* Streams are equal, pages and counters can be read, and half of the segments crossed. */
static void
every_second_segment_comes_to_the_wrong_worker_and_nobody_notices(void **state)
{
	static struct enginerig rig;
	struct sl_listener_conf *l = &rig.conf.listener[0];

	rig_open_rings(&rig, "crossed", 2);
	rig.conf.n_listeners = 1;
	snprintf(l->name, sizeof(l->name), "echo");
	l->port = ECHO;
	l->app = &sl_echo;
	sl_tcp_defaults(&l->tcp);
	rig.host = host_talks;
	rig_run(&rig);
	rig_close_rings(&rig);

	/* MAC; opened, echoed, seen in a page, closed */
	assert_int_equal(rig.n_answers, 1 + N_CONNS * (1 + N_ROUNDS + 1 + 1));
	assert_in_range(rx, N_CONNS * (2 + 2 * N_ROUNDS), 4 * N_CONNS * (2 + 2 * N_ROUNDS));
	assert_int_equal(handed_out, handed_in);
	assert_int_equal(copied, 2);
	assert_int_equal(steered, handed_out);
	assert_in_range(steered, rx * 45 / 100, rx * 55 / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_second_segment_comes_to_the_wrong_worker_and_nobody_notices),
	};

	return cmocka_run_group_tests(tests, rig_start_eal, rig_stop_eal);
}
