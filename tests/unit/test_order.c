/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_order - segments are sorted by kind, those of a connection stay in order of arrival.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "random.h"
#include "solo.h"

#define SPREAD 0x9e3779b97f4a7c15ull

static struct sl_core core;
static struct solo solo;

static uint32_t
take_all(struct sl_conn *c, const struct sl_chain *in)
{
	return in->bytes;
}

static const struct sl_app sink = { .name = "sink", .data = take_all };

/* A burst of lanes, all of which met connections. */
static void
draw_burst(struct rnd *r, uint32_t n_hashes)
{
	core.hits = core.bare = 0;
	for (unsigned int i = 0; i < SL_BURST; i++) {
		core.lane[i].hash = n_hashes > 0 ? rnd_below(r, n_hashes) * SPREAD : i;
		core.lane[i].seg.flags = SL_ACK | (rnd_below(r, 3) == 0 ? SL_FIN : 0);
		core.hits |= (uint64_t)(rnd_below(r, 8) > 0) << i;
		core.bare |= (uint64_t)rnd_below(r, 2) << i;
	}
}

static uint64_t
fins(void)
{
	uint64_t set = 0;

	for (unsigned int i = 0; i < SL_BURST; i++)
		set |= (uint64_t)(core.lane[i].seg.flags / SL_FIN & 1) << i;
	return set;
}

static void
what_has_payload_comes_first_then_fins_then_acks(void **state)
{
	struct rnd r = { 1 };
	uint64_t kind[SL_KINDS];

	for (unsigned int round = 0; round < 1000; round++) {
		draw_burst(&r, 0); /* no hash twice, nor one that resembles it */
		sl_core_order(&core, kind);
		assert_int_equal(kind[0], core.hits & ~core.bare);
		assert_int_equal(kind[1], core.hits & core.bare & fins());
		assert_int_equal(kind[2], core.hits & core.bare & ~fins());
	}
}

static int
kind_of(const uint64_t kind[SL_KINDS], unsigned int i)
{
	for (int k = 0; k < SL_KINDS; k++)
		if (kind[k] >> i & 1)
			return k;
	return -1;
}

static void
all_of_a_connection_are_of_one_kind(void **state)
{
	struct rnd r = { 2 };
	uint64_t kind[SL_KINDS];

	for (unsigned int round = 0; round < 10000; round++) {
		draw_burst(&r, 1 + rnd_below(&r, 100));
		sl_core_order(&core, kind);
		assert_int_equal(kind[0] | kind[1] | kind[2], core.hits);
		assert_int_equal(kind[0] ^ kind[1] ^ kind[2], core.hits); /* each in one */
		for (unsigned int i = 0; i < SL_BURST; i++)
			for (unsigned int k = 0; k < i; k++)
				if ((core.hits >> i & core.hits >> k & 1) &&
				    core.lane[i].hash == core.lane[k].hash)
					assert_int_equal(kind_of(kind, i), kind_of(kind, k));
	}
}

static void
send(uint32_t offset, uint8_t flags, uint16_t len)
{
	struct sl_seg_out seg = {
		.seq = solo.irs + 1 + offset,
		.ack = solo.iss + 1,
		.flags = flags,
		.wnd = 1000,
	};

	solo_send(&solo, &seg, "bytes", len);
}

/* A reset and bytes, in one burst. */
static void
hear_both(bool reset_first)
{
	const struct sl_seg_out syn = { .wnd = 1000, .flags = SL_SYN };

	solo_init(&solo, false, &sink, NULL);
	solo_open(&solo);
	solo_handshake(&solo, 1000, &syn);
	solo_clear(&solo);
	if (reset_first)
		send(0, SL_RST, 0);
	send(0, SL_ACK, 5);
	if (!reset_first)
		send(5, SL_RST, 0);
	solo_step(&solo);
}

static void
a_bare_segment_that_arrived_before_its_bytes_is_taken_before_them(void **state)
{
	hear_both(true);
	assert_int_equal(sl_core_stats(solo.core)->fate[SL_FATE_tcp_gone], 1); /* the bytes */
	assert_int_equal(solo.n_out, 1);
	assert_int_equal(solo.out[0].seg.flags, SL_RST);
	solo_close(&solo);

	hear_both(false);
	assert_int_equal(sl_core_stats(solo.core)->fate[SL_FATE_tcp_gone], 0);
	assert_int_equal(solo.n_out, 0);
	solo_close(&solo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_payload_comes_first_then_fins_then_acks),
		cmocka_unit_test(all_of_a_connection_are_of_one_kind),
		cmocka_unit_test(
			a_bare_segment_that_arrived_before_its_bytes_is_taken_before_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
