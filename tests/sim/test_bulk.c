/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bulk - a stream of a million segments through losses, duplicates, damage and frames
 * that overtake each other.
 *
 * The cores are checked after every 1000th step: after each it would take minutes. What
 * goes wrong only once in so many segments shows in the bytes.
 */
#include <time.h>

#include "measure.h"

#define MS       SL_NS_PER_MS
#define SEGMENTS 1000000ull

static void
a_million_segments_arrive_through_damage(void **state)
{
	static struct sim sim;

	for (uint64_t seed = seeds_first(1); seeds_go_on(seed); seed++) {
		clock_t before = clock();
		struct sim_flow *flow;

		sim_init(&sim, seed);
		sim.conf.check_every = 1000;
		measure_path(&sim, 4 * MS);
		sim.down.rate = 1000000000;
		sim.down.queue_bytes = 500000;
		sim.down.loss_ppm = sim.up[0].loss_ppm = 1000;
		sim.down.duplicate_ppm = sim.down.corrupt_ppm = 500;
		sim.down.late_ppm = 1000;
		sim.down.late = MS;
		flow = measure_flow(&sim, 1, SL_CONGESTION_CUBIC);
		flow->plan[SIM_SERVER].send = SEGMENTS * (uint64_t)measure_segment(&sim);
		sim_start(&sim);
		sim_until_closed(&sim, 3600);
		sim_assert_streams_equal(&sim);
		assert_true(sim.link.host[0].cable.put >= SEGMENTS);
		assert_true(sim.link.host[0].cable.fate[CABLE_LOST] > SEGMENTS / 2000);
		measure_say(
			"seed %llu: %llu frames in %.1f s, %llu sent again, %llu time-outs; "
			"%.1f s of CPU",
			(unsigned long long)seed,
			(unsigned long long)sim.link.host[0].cable.put,
			(double)(flow->result[SIM_CLIENT].last_at -
				 flow->result[SIM_CLIENT].first_at) /
				SL_NS_PER_S,
			(unsigned long long)sim_count(&sim, 1, retransmit),
			(unsigned long long)sim_count(&sim, 1, rto),
			(double)(clock() - before) / CLOCKS_PER_SEC);
		sim_end(&sim);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(a_million_segments_arrive_through_damage),
	};

	return seeds_main(argc, argv, tests);
}
