/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_steer - a connection has one owner, whoever asks and by whatever packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_thash.h>

#include "craft.h"
#include "engine/steer.h"
#include "heapbufs.h"
#include "random.h"

#define WORKERS 5
#define ACK     0x10

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, them[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t no_opts[1];

/* The key of Microsoft's verification suite, zero behind its 40 bytes. */
static const uint8_t suite_key[SL_STEER_KEY_BYTES] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static struct heapbufs hb;
static struct sl_steer steer;

static int
open_bufs(void **state)
{
	heapbufs_open(&hb);
	sl_steer_init(&steer, suite_key, WORKERS, SL_STEER_SLOTS);
	return 0;
}

static int
close_bufs(void **state)
{
	heapbufs_close(&hb);
	return 0;
}

static struct sl_tuple
tuple_of(const char *remote, uint16_t rport, const char *local, uint16_t lport)
{
	struct sl_tuple t = {
		.remote = craft_addr(remote),
		.local = craft_addr(local),
		.rport = rport,
		.lport = lport,
	};

	t.v6 = !sl_addr_is_v4(&t.remote);
	return t;
}

static uint16_t
owner_of(const struct craft *c, uint16_t here)
{
	struct rte_mbuf *m = heapbufs_packet(&hb, c->b, c->len, 0);
	uint16_t owner = sl_steer_owner(&steer, m, here);

	heapbufs_put(&hb, m);
	return owner;
}

static bool
is_for_all(const struct craft *c)
{
	struct rte_mbuf *m = heapbufs_packet(&hb, c->b, c->len, 0);
	bool all = sl_steer_for_all(m, us);

	heapbufs_put(&hb, m);
	return all;
}

static bool
is_home(uint16_t worker, const struct sl_tuple *t)
{
	struct sl_steer_home home = { &steer, worker };

	return sl_steer_is_home(&home, t);
}

static void
the_hash_is_the_one_that_nics_compute(void **state)
{
	struct sl_tuple t = tuple_of("66.9.149.187", 2794, "161.142.100.80", 1766);

	assert_int_equal(sl_steer_hash(&steer, &t), 0x51ccc178);
	t = tuple_of("199.92.111.2", 14230, "65.69.140.83", 4739);
	assert_int_equal(sl_steer_hash(&steer, &t), 0xc626b0ea);
	t = tuple_of("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766);
	assert_int_equal(sl_steer_hash(&steer, &t), 0x40207d3d);
}

/* As DPDK computes it, bit by bit. */
static uint32_t
hash_of_the_library(const uint8_t *key, const struct sl_tuple *t)
{
	unsigned int first = t->v6 ? 0 : 3, n = 0;
	uint32_t in[SL_STEER_WORDS];

	for (unsigned int i = first; i < 4; i++)
		in[n++] = rte_be_to_cpu_32(t->remote.w[i]);
	for (unsigned int i = first; i < 4; i++)
		in[n++] = rte_be_to_cpu_32(t->local.w[i]);
	in[n++] = (uint32_t)t->rport << 16 | t->lport;
	return rte_softrss(in, n, key);
}

static void
fill_randomly(void *to, size_t bytes, struct rnd *r)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)rnd_u64(r);
}

static void
the_hash_is_that_of_the_library_whatever_the_key(void **state)
{
	uint8_t key[SL_STEER_KEY_BYTES];
	struct rnd r = { 22 };
	struct sl_steer s;

	for (unsigned int i = 0; i < 10000; i++) {
		struct sl_tuple t = { .v6 = i & 1 };

		if (i % 100 == 0) {
			fill_randomly(key, sizeof(key), &r);
			sl_steer_init(&s, key, WORKERS, SL_STEER_SLOTS);
		}
		fill_randomly(&t.remote, sizeof(t.remote), &r);
		fill_randomly(&t.local, sizeof(t.local), &r);
		fill_randomly(&t.rport, sizeof(t.rport), &r);
		fill_randomly(&t.lport, sizeof(t.lport), &r);
		assert_int_equal(sl_steer_hash(&s, &t), hash_of_the_library(key, &t));
	}
}

/* A segment that comes in on port pair @rport, 80. */
static void
segment(struct craft *c, bool v6, uint16_t rport)
{
	craft_ether(c, us, them, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(c, rport, 80, 1, 2, ACK, 512, no_opts, 0);
	craft_end(c);
}

static void
one_worker_is_home_and_gets_the_segments(void **state)
{
	bool seen[WORKERS] = { false };
	struct craft c;

	for (unsigned int i = 0; i < 400; i++) {
		bool v6 = i & 1;
		uint16_t rport = (uint16_t)(1024 + 77 * i), homes = 0, owner;
		struct sl_tuple t = v6 ? tuple_of("fd00::2", rport, "fd00::1", 80)
				       : tuple_of("10.0.0.2", rport, "10.0.0.1", 80);

		segment(&c, v6, rport);
		owner = owner_of(&c, 0);
		assert_int_equal(owner, owner_of(&c, 3)); /* wherever it landed */
		assert_true(is_home(owner, &t));
		for (uint16_t w = 0; w < WORKERS; w++)
			homes += is_home(w, &t);
		assert_int_equal(homes, 1);
		seen[owner] = true;
	}
	for (uint16_t w = 0; w < WORKERS; w++)
		assert_true(seen[w]);
}

/* An ICMP error that quotes what we sent from port 80 to @rport. */
static void
icmp_error(struct craft *c, bool v6, uint16_t rport)
{
	craft_ether(c, us, them, 0, v6 ? 0x86dd : 0x0800);
	if (v6) {
		craft_ip6(c, "fd00::ff", "fd00::1", 58);
		craft_hex(c, "0100 0000 00000000"); /* destination unreachable */
		craft_hex(c, "60000000 0014 06 40");
		craft_addr_bytes(c, "fd00::1");
		craft_addr_bytes(c, "fd00::2");
	} else {
		craft_ip4(c, "10.0.0.254", "10.0.0.1", 1);
		craft_hex(c, "0301 0000 00000000");
		craft_hex(c, "4500 0028 0000 4000 4006 0000");
		craft_addr_bytes(c, "10.0.0.1");
		craft_addr_bytes(c, "10.0.0.2");
	}
	craft_u16(c, 80);
	craft_u16(c, rport);
	craft_hex(c, "00000001 00000002 5010 0200 0000 0000");
	craft_end(c);
}

static void
an_icmp_error_goes_to_the_owner_of_what_it_quotes(void **state)
{
	struct craft c;

	for (unsigned int i = 0; i < 100; i++) {
		bool v6 = i & 1;
		uint16_t rport = (uint16_t)(1024 + 77 * i);
		struct sl_tuple t = v6 ? tuple_of("fd00::2", rport, "fd00::1", 80)
				       : tuple_of("10.0.0.2", rport, "10.0.0.1", 80);

		icmp_error(&c, v6, rport);
		assert_true(is_home(owner_of(&c, i % WORKERS), &t));
	}
}

static void
what_is_about_no_connection_stays_where_it_landed(void **state)
{
	struct craft c;

	craft_ether(&c, us, them, 0, 0x0800);
	craft_ip4(&c, "10.0.0.2", "10.0.0.1", 1);
	craft_hex(&c, "0800 0000 1234 0001");
	craft_end(&c);
	for (uint16_t w = 0; w < WORKERS; w++)
		assert_int_equal(owner_of(&c, w), w);
}

static void
answers_about_neighbours_are_for_all_and_questions_are_not(void **state)
{
	for (uint16_t vlan = 0; vlan < 2; vlan++) {
		struct craft c;

		craft_ether(&c, us, them, vlan, 0x0806);
		craft_hex(&c, "0001 0800 0604 0002");
		craft_hex(&c, "020000000002 0a000002 020000000001 0a000001");
		assert_true(is_for_all(&c));

		craft_ether(&c, us, them, vlan, 0x0806);
		craft_hex(&c, "0001 0800 0604 0001");
		craft_hex(&c, "020000000002 0a000002 000000000000 0a000001");
		assert_false(is_for_all(&c));

		craft_ether(&c, us, them, vlan, 0x86dd);
		craft_ip6(&c, "fd00::2", "fd00::1", 58);
		craft_hex(&c, "8800 0000 60000000");
		craft_addr_bytes(&c, "fd00::2");
		craft_end(&c);
		assert_true(is_for_all(&c));
		c.b[5]++; /* another host's */
		assert_false(is_for_all(&c));
		c.b[0] |= 1; /* a group's */
		assert_true(is_for_all(&c));
		c.b[c.l4] = 0x87; /* a solicitation */
		assert_false(is_for_all(&c));
	}
}

static void
nothing_is_read_behind_the_end_of_a_cut_frame(void **state)
{
	struct craft c;

	craft_ether(&c, us, them, 7, 0x0806);
	craft_hex(&c, "0001 0800 0604 0002");
	craft_hex(&c, "020000000002 0a000002 020000000001 0a000001");
	while (c.len-- > 0)
		assert_false(is_for_all(&c));

	craft_ether(&c, us, them, 7, 0x86dd);
	craft_ip6(&c, "fd00::2", "fd00::1", 58);
	craft_end(&c);
	while (c.len-- > 0)
		assert_false(is_for_all(&c));
}

static void
a_small_table_steers_like_its_copies_in_a_bigger_one(void **state)
{
	struct sl_steer small;

	sl_steer_init(&small, suite_key, WORKERS, 64);
	for (uint32_t hash = 0; hash < 1024; hash++)
		assert_int_equal(sl_steer_slot(&small, hash), (hash & 63) % WORKERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_the_one_that_nics_compute),
		cmocka_unit_test(the_hash_is_that_of_the_library_whatever_the_key),
		cmocka_unit_test(one_worker_is_home_and_gets_the_segments),
		cmocka_unit_test(an_icmp_error_goes_to_the_owner_of_what_it_quotes),
		cmocka_unit_test(what_is_about_no_connection_stays_where_it_landed),
		cmocka_unit_test(answers_about_neighbours_are_for_all_and_questions_are_not),
		cmocka_unit_test(nothing_is_read_behind_the_end_of_a_cut_frame),
		cmocka_unit_test(a_small_table_steers_like_its_copies_in_a_bigger_one),
	};

	return cmocka_run_group_tests(tests, open_bufs, close_bufs);
}
