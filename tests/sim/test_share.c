/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_share - two flows, a second apart, from two servers through one bottleneck.
 */
#include "measure.h"

#define MS   SL_NS_PER_MS
#define RATE 6000000ull
#define RTT  (50 * MS)

struct pair {
	double first, second; /* shares of the bottleneck */
};

/* Two flows, the second one begins a second or two behind the first. */
static struct pair
share_a_bottleneck(uint64_t seed, enum sl_congestion first, enum sl_congestion second)
{
	static struct sim sim;
	double rates[2], wire;

	sim_init(&sim, seed);
	measure_path(&sim, RTT);
	for (int i = 0; i < 2; i++) { /* no two paths are quite the same, nor any two moments */
		sim.up[i].delay += rnd_below(&sim.rnd, 2000) * 1000;
		sim.up[i].jitter = MS;
	}
	sim.down.rate = RATE;
	sim.down.queue_bytes = (uint32_t)(RATE * RTT / SL_NS_PER_S / 8);
	measure_flow(&sim, 1, first);
	measure_flow(&sim, 2, second)->waits = true;
	sim_start(&sim);
	sim_pass(&sim, SL_NS_PER_S + rnd_below(&sim.rnd, 1000) * MS);
	sim_connect(&sim, &sim.flow[1]);
	sim_pass(&sim, 10 * SL_NS_PER_S);
	measure_rates(&sim, 50 * SL_NS_PER_S, rates);
	wire = measure_wire_rate(&sim, RATE);
	measure_say("seed %llu: %.3f and %.3f of the bottleneck", (unsigned long long)seed,
		    rates[0] / wire, rates[1] / wire);
	sim_end(&sim);
	return (struct pair){ rates[0] / wire, rates[1] / wire };
}

/* Jain's index: 1 if both have the same, 1/2 if one has all. */
static double
fairness(struct pair p)
{
	double sum = p.first + p.second;

	return sum * sum / (2 * (p.first * p.first + p.second * p.second));
}

static void
check_equals(enum sl_congestion congestion, const char *what)
{
	struct measure fair = { 0 }, used = { 0 };

	for (uint64_t seed = seeds_first(20); seeds_go_on(seed); seed++) {
		struct pair pair = share_a_bottleneck(seed, congestion, congestion);

		measure_add(&fair, fairness(pair));
		measure_add(&used, pair.first + pair.second);
	}
	measure_judge(&fair, what, 0.9, 1, 0.75, 1);
	/* what waited behind a gap when the measuring began is counted when the gap is filled
	 */
	measure_judge(&used, "what they use of the bottleneck", 0.97, 1.002, 0.95, 1.01);
}

static void
two_flows_with_cubic_share_a_bottleneck(void **state)
{
	check_equals(SL_CONGESTION_CUBIC, "fairness of two flows with CUBIC");
}

static void
two_flows_with_newreno_share_a_bottleneck(void **state)
{
	check_equals(SL_CONGESTION_NEWRENO, "fairness of two flows with NewReno");
}

/* CUBIC may take more where its curve is the steeper one, but starves nobody. */
static void
cubic_leaves_newreno_its_living(void **state)
{
	struct measure left = { 0 };

	for (uint64_t seed = seeds_first(20); seeds_go_on(seed); seed++) {
		bool cubic_first = seed & 2;
		struct pair pair = share_a_bottleneck(
			seed, cubic_first ? SL_CONGESTION_CUBIC : SL_CONGESTION_NEWRENO,
			cubic_first ? SL_CONGESTION_NEWRENO : SL_CONGESTION_CUBIC);

		measure_add(&left, cubic_first ? pair.second : pair.first);
	}
	measure_judge(&left, "NewReno's share beside CUBIC", 0.25, 0.6, 0.1, 0.8);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(two_flows_with_cubic_share_a_bottleneck),
		SEEDS_TEST(two_flows_with_newreno_share_a_bottleneck),
		SEEDS_TEST(cubic_leaves_newreno_its_living),
	};

	return seeds_main(argc, argv, tests);
}
