/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table - goodput against loss, for each algorithm of congestion control, beside what its
 * response function says. Printed for whoever wants to see it; nothing is judged here.
 */
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "response.h"

#define MS      SL_NS_PER_MS
#define SEEDS   10
#define SECONDS 60

/* Segments a second, the mean over some seeds. */
static double
mean_rate(enum sl_congestion congestion, uint32_t loss_ppm, sl_ns_t rtt)
{
	static struct sim sim;
	double sum = 0, rate;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		sim_init(&sim, seed * 2); /* IPv4 */
		sim.conf.check_every = 0;
		measure_path(&sim, rtt);
		sim.down.loss_ppm = loss_ppm;
		measure_flow(&sim, 1, congestion);
		sim_start(&sim);
		sim_pass(&sim, SECONDS * SL_NS_PER_S / 3);
		measure_rates(&sim, SECONDS * SL_NS_PER_S, &rate);
		sim_end(&sim);
		sum += rate;
	}
	return sum / SEEDS;
}

static void
print_row(uint32_t loss_ppm, sl_ns_t rtt)
{
	printf("%7.3f %% %6llu ms", loss_ppm / 1e4, (unsigned long long)(rtt / MS));
	for (int i = 0; i < SL_CONGESTION_COUNT; i++) {
		double rate = mean_rate(i, loss_ppm, rtt);
		double expect = response_rate(i, loss_ppm / 1e6, rtt);

		printf("  %9.2f %9.2f %5.2f", rate * 1448 * 8 / 1e6, expect * 1448 * 8 / 1e6,
		       rate / expect);
	}
	printf("\n");
}

int
main(void)
{
	static const uint32_t loss_ppm[] = { 300, 1000, 3000, 10000, 30000, 100000 };
	static const sl_ns_t rtt[] = { 10 * MS, 50 * MS, 200 * MS };

	printf("goodput in Mbit/s: seen, by the response function, ratio; "
	       "%d seeds of %d s\n\n%32s%27s\n",
	       SEEDS, SECONDS, "CUBIC", "NewReno");
	for (size_t r = 0; r < RTE_DIM(rtt); r++)
		for (size_t l = 0; l < RTE_DIM(loss_ppm); l++)
			print_row(loss_ppm[l], rtt[r]);
	return 0;
}
