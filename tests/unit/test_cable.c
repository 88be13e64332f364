/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cable - the network that simulations run on does to frames what it was told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cable.h"
#include "craft.h"
#include "heapbufs.h"
#include "router.h"
#include "wire/frame.h"

#define MS   SL_NS_PER_MS
#define MANY 200000

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, them[6] = { 2, 0, 0, 0, 0, 2 };

/* Take one frame, which must arrive at @at and be @len long. */
static void
take(struct cable *cable, sl_ns_t at, size_t len)
{
	struct cable_frame *frame;

	assert_int_equal(cable_next(cable), at);
	assert_null(cable_take(cable, at - 1));
	frame = cable_take(cable, at);
	assert_non_null(frame);
	assert_int_equal(frame->len, len);
	free(frame);
}

static void
a_frame_is_sent_at_the_rate_and_then_away_for_the_delay(void **state)
{
	const struct cable_conf conf = { .delay = 20 * MS, .rate = 8000000 };
	const uint8_t bytes[2000] = { 0 };
	struct cable cable;

	cable_open(&cable, &conf, 1);
	assert_int_equal(cable_next(&cable), UINT64_MAX);
	cable_put(&cable, 5 * MS, bytes, 1000); /* a byte a microsecond */
	cable_put(&cable, 5 * MS, bytes, 2000); /* waits for the first */
	cable_put(&cable, 10 * MS, bytes, 500); /* finds an idle sender */
	take(&cable, 26 * MS, 1000);
	take(&cable, 28 * MS, 2000);
	take(&cable, 30 * MS + MS / 2, 500);
	assert_null(cable_take(&cable, UINT64_MAX));
	cable_close(&cable);
}

static void
a_full_queue_drops_what_comes(void **state)
{
	struct cable_conf conf = { .rate = 8000000, .queue_bytes = 3000 };
	const uint8_t bytes[1000] = { 0 };
	struct cable cable;

	for (int by_frames = 0; by_frames < 2; by_frames++) {
		if (by_frames)
			conf = (struct cable_conf){ .rate = 8000000, .queue_frames = 3 };
		cable_open(&cable, &conf, 1);
		for (int i = 0; i < 3; i++)
			assert_int_equal(cable_put(&cable, MS, bytes, 1000), CABLE_CARRIED);
		assert_int_equal(cable_put(&cable, MS, bytes, 1000), CABLE_DROPPED);
		assert_int_equal(cable_put(&cable, 2 * MS - 1, bytes, 1000), CABLE_DROPPED);
		assert_int_equal(cable_put(&cable, 2 * MS, bytes, 1000), CABLE_CARRIED);
		assert_int_equal(cable_put(&cable, 2 * MS, bytes, 1000), CABLE_DROPPED);
		for (int i = 2; i <= 5; i++)
			take(&cable, (sl_ns_t)i * MS, 1000);
		assert_int_equal(cable_put(&cable, 90 * MS, bytes, 1000), CABLE_CARRIED);
		assert_int_equal(cable.fate[CABLE_DROPPED], 3);
		assert_int_equal(cable.most_waiting, 3000);
		cable_close(&cable);
	}
}

/* Put many frames in, a second apart, and take them out. */
static void
pour(struct cable *cable, const struct cable_conf *conf, uint64_t seed)
{
	const uint8_t bytes[60] = { 0 };
	struct cable_frame *frame;

	cable_open(cable, conf, seed);
	for (uint64_t i = 1; i <= MANY; i++) {
		cable_put(cable, i * SL_NS_PER_S, bytes, sizeof(bytes));
		while ((frame = cable_take(cable, i * SL_NS_PER_S)) != NULL)
			free(frame);
	}
	while ((frame = cable_take(cable, UINT64_MAX)) != NULL)
		free(frame);
	assert_int_equal(cable->put, MANY);
	assert_int_equal(cable->taken, MANY + cable->duplicated - cable->fate[CABLE_LOST]);
	cable_close(cable);
}

static void
losses_and_duplicates_are_as_frequent_as_asked(void **state)
{
	const struct cable_conf conf = { .loss_ppm = 10000, .duplicate_ppm = 20000 };
	struct cable cable;

	for (uint64_t seed = 0; seed < 5; seed++) {
		pour(&cable, &conf, seed);
		assert_in_range(cable.fate[CABLE_LOST], MANY / 100 * 9 / 10,
				MANY / 100 * 11 / 10);
		assert_in_range(cable.duplicated, MANY / 50 * 9 / 10, MANY / 50 * 11 / 10);
	}
}

/* A burst lasts 4 frames in the mean, every 200th frame begins one; half of its frames go. */
static void
bursts_are_as_long_and_as_rare_as_asked(void **state)
{
	const struct cable_conf conf = { .burst_begin_ppm = 5000,
					 .burst_end_ppm = 250000,
					 .burst_loss_ppm = 500000 };
	const uint64_t expect = MANY * 5000ull / 255000 / 2;
	const uint8_t bytes[60] = { 0 };
	uint64_t n_lost = 0, n_behind = 0;
	enum cable_fate last = CABLE_CARRIED;
	struct cable cable;

	cable_open(&cable, &conf, 3);
	for (uint64_t i = 1; i <= MANY; i++) {
		enum cable_fate fate = cable_put(&cable, i, bytes, sizeof(bytes));

		n_lost += fate == CABLE_LOST;
		n_behind += fate == CABLE_LOST && last == CABLE_LOST;
		last = fate;
		free(cable_take(&cable, i));
	}
	cable_close(&cable);
	assert_in_range(n_lost, expect * 9 / 10, expect * 11 / 10);
	/* behind a lost one the burst goes on in 3 of 4 cases, and takes each second */
	assert_in_range(n_behind, n_lost * 3 / 8 * 9 / 10, n_lost * 3 / 8 * 11 / 10);
}

static void
a_late_frame_is_overtaken_and_jitter_has_its_bound(void **state)
{
	const struct cable_conf conf = {
		.delay = 10 * MS, .jitter = MS, .late_ppm = 100000, .late = 5 * MS
	};
	uint8_t bytes[60] = { 0 };
	struct cable_frame *frame;
	sl_ns_t before = 0;
	uint32_t n_overtaken = 0;
	struct cable cable;

	cable_open(&cable, &conf, 9);
	for (uint32_t i = 0; i < 1000; i++) {
		memcpy(bytes, &i, sizeof(i));
		cable_put(&cable, i * 2 * MS, bytes, sizeof(bytes));
	}
	for (uint32_t want = 0; (frame = cable_take(&cable, UINT64_MAX)) != NULL;) {
		uint32_t i;

		memcpy(&i, frame->bytes, sizeof(i));
		assert_true(frame->due >= before);
		assert_in_range(frame->due - i * 2 * MS, 10 * MS, 16 * MS);
		n_overtaken += i < want;
		want = i + 1 > want ? i + 1 : want;
		before = frame->due;
		free(frame);
	}
	assert_in_range(n_overtaken, cable.late - 3,
			cable.late); /* nobody overtakes the last */
	assert_in_range(cable.late, 70, 130);
	cable_close(&cable);
}

static void
craft_segment(struct craft *c, bool v6)
{
	uint8_t payload[100];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	craft_ether(c, us, them, 0, v6 ? 0x86dd : 0x0800);
	if (v6)
		craft_ip6(c, "fd00::2", "fd00::1", 6);
	else
		craft_ip4(c, "10.0.0.2", "10.0.0.1", 6);
	craft_tcp(c, 4000, 80, 1, 2, 0x18, 100, NULL, 0);
	craft_bytes(c, payload, sizeof(payload));
	craft_end(c);
}

static enum sl_fate
parsed(struct heapbufs *hb, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = heapbufs_packet(hb, bytes, len, 0);
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;
	enum sl_fate fate = sl_frame_parse(m, &frame, &tuple, &seg);

	heapbufs_put(hb, m);
	return fate;
}

/* rows: SG2 [v4 v6] */
static void
no_damage_passes_for_a_segment(void **state)
{
	const struct cable_conf conf = { .corrupt_ppm = 1000000 };
	struct heapbufs hb;
	struct cable cable;
	struct craft c;

	heapbufs_open(&hb);
	for (int v6 = 0; v6 < 2; v6++) {
		craft_segment(&c, v6);
		assert_int_equal(parsed(&hb, c.b, c.len), SL_FATE_NONE);
		cable_open(&cable, &conf, v6);
		for (int i = 0; i < MANY; i++) {
			struct cable_frame *frame;

			cable_put(&cable, 1, c.b, c.len);
			frame = cable_take(&cable, 1);
			assert_memory_not_equal(frame->bytes, c.b, c.len);
			assert_int_not_equal(parsed(&hb, frame->bytes, frame->len),
					     SL_FATE_NONE);
			free(frame);
		}
		assert_int_equal(cable.corrupted, MANY);
		cable_close(&cable);
	}
	heapbufs_close(&hb);
}

static void
what_exceeds_the_mtu_is_lost_and_a_router_can_say_so(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const uint16_t ip_len = v6 ? 160 : 140;
		struct cable_conf conf = { .mtu = ip_len };
		struct cable cable;
		struct craft c, icmp;
		struct heapbufs hb;

		craft_segment(&c, v6);
		cable_open(&cable, &conf, 1);
		assert_int_equal(cable_put(&cable, 1, c.b, c.len), CABLE_CARRIED);
		cable.conf.mtu--;
		assert_int_equal(cable_put(&cable, 1, c.b, c.len), CABLE_TOO_BIG);
		cable_close(&cable);

		assert_true(router_too_big(&icmp, c.b, c.len, ip_len - 1));
		assert_memory_equal(icmp.b, c.b + 6, 6); /* to whoever sent it */
		heapbufs_open(&hb);
		assert_int_equal(parsed(&hb, icmp.b, icmp.len), SL_FATE_NONE);
		heapbufs_close(&hb);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_sent_at_the_rate_and_then_away_for_the_delay),
		cmocka_unit_test(a_full_queue_drops_what_comes),
		cmocka_unit_test(losses_and_duplicates_are_as_frequent_as_asked),
		cmocka_unit_test(bursts_are_as_long_and_as_rare_as_asked),
		cmocka_unit_test(a_late_frame_is_overtaken_and_jitter_has_its_bound),
		cmocka_unit_test(no_damage_passes_for_a_segment),
		cmocka_unit_test(what_exceeds_the_mtu_is_lost_and_a_router_can_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
