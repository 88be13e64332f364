/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_goodput - how fast a stream gets through, held against what theory says.
 */
#include "measure.h"
#include "response.h"

#define MS SL_NS_PER_MS

/* What comes of one flow under @down in @seconds, as a share of @expect segments a second. */
static double
share_of(struct sim *sim, uint64_t seed, uint32_t seconds, double expect)
{
	double rate;

	sim_start(sim);
	sim_pass(sim, seconds * SL_NS_PER_S / 3);
	measure_rates(sim, seconds * SL_NS_PER_S, &rate);
	measure_say("seed %llu: %.3f; %llu lost, %llu sent again, %llu time-outs",
		    (unsigned long long)seed, rate / expect,
		    (unsigned long long)(sim->link.host[0].cable.fate[CABLE_LOST] +
					 sim->link.host[0].cable.fate[CABLE_DROPPED]),
		    (unsigned long long)sim_count(sim, 1, retransmit),
		    (unsigned long long)sim_count(sim, 1, rto));
	sim_end(sim);
	return rate / expect;
}

/* One flow through losses at random, against the response function of its algorithm. */
static double
lossy_share(uint64_t seed, enum sl_congestion congestion, uint32_t loss_ppm, sl_ns_t rtt,
	    uint32_t seconds)
{
	static struct sim sim;

	sim_init(&sim, seed);
	if (seconds > 20)
		sim.conf.check_every = 50;
	measure_path(&sim, rtt);
	sim.down.loss_ppm = loss_ppm;
	measure_flow(&sim, 1, congestion);
	return share_of(&sim, seed, seconds, response_rate(congestion, loss_ppm / 1e6, rtt));
}

static void
newreno_gets_its_share_through_one_percent_of_loss(void **state)
{
	struct measure m = { 0 };

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++)
		measure_add(&m, lossy_share(seed, SL_CONGESTION_NEWRENO, 10000, 50 * MS, 15));
	measure_judge(&m, "1 % loss, 50 ms, of NewReno's response function", 0.7, 1.1, 0.4,
		      1.5);
}

/* Where CUBIC is as fast as Reno. */
static void
cubic_gets_its_share_through_one_percent_of_loss(void **state)
{
	struct measure m = { 0 };

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++)
		measure_add(&m, lossy_share(seed, SL_CONGESTION_CUBIC, 10000, 50 * MS, 15));
	measure_judge(&m, "1 % loss, 50 ms, of CUBIC's response function", 0.7, 1.1, 0.4, 1.5);
}

/*
 * Where its curve gives twice what Reno gets. The cores are checked after every 50th step;
 * with hundreds of segments out that would take longer than all else.
 */
static void
cubic_gets_its_share_of_a_long_path(void **state)
{
	struct measure m = { 0 };

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++)
		measure_add(&m, lossy_share(seed, SL_CONGESTION_CUBIC, 300, 200 * MS, 60));
	measure_judge(&m, "0.03 % loss, 200 ms, of CUBIC's response function", 0.7, 1.2, 0.3,
		      2);
}

/* Bursts of 4 in the mean, as many losses as one in a hundred: fewer events, a higher rate. */
static void
bursts_of_losses_cost_less_than_as_many_single_ones(void **state)
{
	struct measure m = { 0 };
	static struct sim sim;

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++) {
		enum sl_congestion congestion =
			seed & 2 ? SL_CONGESTION_CUBIC : SL_CONGESTION_NEWRENO;

		sim_init(&sim, seed);
		measure_path(&sim, 50 * MS);
		sim.down.burst_begin_ppm = 2525;
		sim.down.burst_end_ppm = 250000;
		sim.down.burst_loss_ppm = 1000000;
		sim.down.burst_most = 200 * MS;
		measure_flow(&sim, 1, congestion);
		measure_add(&m,
			    share_of(&sim, seed, 15, response_rate(congestion, 0.01, 50 * MS)));
	}
	measure_judge(&m, "1 % lost in bursts of 4, 50 ms, of what single losses leave", 1.1, 2,
		      0.5, 3);
}

static void
check_bottleneck(enum sl_congestion congestion)
{
	struct measure m = { 0 };
	static struct sim sim;

	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++) {
		sl_ns_t rtt;

		sim_init(&sim, seed);
		sim.down.rate = 2000000 + rnd_below(&sim.rnd, 10000000);
		rtt = (20 + rnd_below(&sim.rnd, 60)) * MS;
		measure_path(&sim, rtt);
		sim.down.queue_bytes = (uint32_t)(sim.down.rate * rtt / SL_NS_PER_S / 8);
		measure_flow(&sim, 1, congestion);
		measure_add(&m,
			    share_of(&sim, seed, 15, measure_wire_rate(&sim, sim.down.rate)));
	}
	measure_judge(&m, "a bottleneck with a queue of one BDP, of its rate", 0.98, 1, 0.85,
		      1.01);
}

static void
newreno_uses_a_clean_bottleneck_to_the_full(void **state)
{
	check_bottleneck(SL_CONGESTION_NEWRENO);
}

static void
cubic_uses_a_clean_bottleneck_to_the_full(void **state)
{
	check_bottleneck(SL_CONGESTION_CUBIC);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(newreno_gets_its_share_through_one_percent_of_loss),
		SEEDS_TEST(cubic_gets_its_share_through_one_percent_of_loss),
		SEEDS_TEST(cubic_gets_its_share_of_a_long_path),
		SEEDS_TEST(bursts_of_losses_cost_less_than_as_many_single_ones),
		SEEDS_TEST(cubic_uses_a_clean_bottleneck_to_the_full),
		SEEDS_TEST(newreno_uses_a_clean_bottleneck_to_the_full),
	};

	return seeds_main(argc, argv, tests);
}
