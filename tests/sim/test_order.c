/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_order - frames that overtake each other are not lost, and little is sent again.
 */
#include "measure.h"

#define MS SL_NS_PER_MS

/* Of a stream through @late_ppm of frames late by @late: segments sent again for each late one.
 */
static double
again_for_late(uint64_t seed, uint32_t late_ppm, sl_ns_t late)
{
	static struct sim sim;
	struct sim_flow *flow;
	double ratio;

	sim_init(&sim, seed);
	measure_path(&sim, 50 * MS);
	sim.down.rate = 20000000;
	sim.down.late_ppm = late_ppm;
	sim.down.late = late;
	flow = measure_flow(&sim, 1, SL_CONGESTION_CUBIC);
	flow->plan[SIM_SERVER].send = 3000000;
	sim_start(&sim);
	sim_until_closed(&sim, 300);
	sim_assert_streams_equal(&sim);
	ratio = (double)sim_count(&sim, 1, retransmit) / (double)sim.link.host[0].cable.late;
	measure_say(
		"seed %llu: %llu late, %llu sent again, %llu time-outs, %.3f s",
		(unsigned long long)seed, (unsigned long long)sim.link.host[0].cable.late,
		(unsigned long long)sim_count(&sim, 1, retransmit),
		(unsigned long long)sim_count(&sim, 1, rto),
		(double)(flow->result[SIM_CLIENT].last_at - flow->result[SIM_CLIENT].first_at) /
			SL_NS_PER_S);
	assert_int_equal(sim_count(&sim, 1, rto), 0);
	sim_end(&sim);
	return ratio;
}

static void
frames_a_little_late_are_hardly_sent_again(void **state)
{
	struct measure m = { 0 };

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++)
		measure_add(&m, again_for_late(seed, 20000, 5 * MS));
	measure_judge(&m, "segments sent again for each that was late", 0, 0.1, 0, 0.5);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(frames_a_little_late_are_hardly_sent_again),
	};

	return seeds_main(argc, argv, tests);
}
