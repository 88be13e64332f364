/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pmtu - the path takes smaller packets than the ends believe, from the beginning or
 * from some moment on, and a router says so or does not.
 */
#include "measure.h"

#define MS SL_NS_PER_MS

static void
open_path(struct sim *sim, uint64_t seed, bool told)
{
	struct sim_flow *flow;

	sim_init(sim, seed);
	sim->conf.tells_too_big = told;
	measure_path(sim, 40 * MS);
	sim->down.rate = 10000000;
	sim->down.queue_bytes = 50000;
	flow = measure_flow(sim, 1, SL_CONGESTION_CUBIC);
	flow->plan[SIM_SERVER].send = 8000000;
	sim_start(sim);
}

static uint32_t
draw_mtu(struct sim *sim)
{
	return sim->v6 ? 1280 + rnd_below(&sim->rnd, 200) : 552 + rnd_below(&sim->rnd, 900);
}

/*
 * Nothing is lost but what was under way: one flight, which goes again at once and without
 * a penalty. rows: PM1 PM3 [v4 v6]
 */
static void
a_path_that_shrinks_is_followed_at_once(void **state)
{
	static struct sim sim;

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++) {
		struct cable_conf down;
		uint64_t too_big, time_outs;
		double rate;

		open_path(&sim, seed, true);
		sim_pass(&sim, (3000 + rnd_below(&sim.rnd, 1000)) * MS);
		time_outs = sim_count(&sim, 1, rto);
		down = sim.down;
		down.mtu = draw_mtu(&sim);
		link_cable(&sim.link, 0, &down);
		sim_pass(&sim, 100 * MS);
		too_big = sim.link.host[0].cable.fate[CABLE_TOO_BIG];
		assert_true(too_big > 0);
		measure_rates(&sim, 1000 * MS, &rate);
		time_outs = sim_count(&sim, 1, rto) - time_outs;
		measure_say("seed %llu: MTU %u, %llu too big, then %.0f segments a second and "
			    "%llu time-outs",
			    (unsigned long long)seed, down.mtu, (unsigned long long)too_big,
			    rate, (unsigned long long)time_outs);

		assert_int_equal(time_outs, 0);
		assert_true(rate > 0.8 * measure_wire_rate(&sim, down.rate));
		sim_until_closed(&sim, 60);
		sim_assert_streams_equal(&sim);
		assert_int_equal(sim.link.host[0].cable.fate[CABLE_TOO_BIG], too_big);
		sim_end(&sim);
	}
}

/* Nobody looks for what still passes (that would be RFC 4821), but nothing is lost for good. */
static void
a_black_hole_that_says_nothing_is_waited_out(void **state)
{
	static struct sim sim;

	for (uint64_t seed = seeds_first(30); seeds_go_on(seed); seed++) {
		struct cable_conf down;
		double rate;

		open_path(&sim, seed, false);
		sim_pass(&sim, (3000 + rnd_below(&sim.rnd, 1000)) * MS);
		down = sim.down;
		down.mtu = draw_mtu(&sim);
		link_cable(&sim.link, 0, &down);
		sim_pass(&sim, 200 * MS);
		measure_rates(&sim, (1000 + rnd_below(&sim.rnd, 20000)) * MS, &rate);
		assert_true(rate == 0);
		link_cable(&sim.link, 0, &sim.down);
		sim_until_closed(&sim, 120);
		sim_assert_streams_equal(&sim);
		sim_end(&sim);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(a_path_that_shrinks_is_followed_at_once),
		SEEDS_TEST(a_black_hole_that_says_nothing_is_waited_out),
	};

	return seeds_main(argc, argv, tests);
}
