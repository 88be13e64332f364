/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure - see measure.h.
 */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>

#define HEADERS4 66u /* Ethernet to TCP with timestamps */
#define HEADERS6 86u
#define MEAN_OF  20u /* fewer seeds have no mean to speak of */
#define MTU      1514u

void
measure_path(struct sim *sim, sl_ns_t rtt)
{
	sim->down.delay = rtt / 2;
	for (int i = 0; i < SIM_SERVERS_MAX; i++)
		sim->up[i].delay = rtt / 2;
}

struct sim_flow *
measure_flow(struct sim *sim, unsigned int server, enum sl_congestion congestion)
{
	struct sim_flow *flow = sim_flow(sim, server);

	flow->tcp[SIM_SERVER].congestion = congestion;
	flow->plan[SIM_SERVER].send = UINT64_MAX;
	for (int side = 0; side < SIM_SIDES; side++)
		flow->tcp[side].sndbuf = flow->tcp[side].rcvbuf = MEASURE_BUFFERS;
	return flow;
}

double
measure_segment(const struct sim *sim)
{
	return MTU - (sim->v6 ? HEADERS6 : HEADERS4);
}

double
measure_wire_rate(const struct sim *sim, uint64_t rate)
{
	return (double)rate / 8 / MTU;
}

void
measure_rates(struct sim *sim, sl_ns_t span, double *rates)
{
	uint64_t before[SIM_FLOWS_MAX];

	for (unsigned int f = 0; f < sim->n_flows; f++)
		before[f] = sim->flow[f].result[SIM_CLIENT].received;
	sim_pass(sim, span);
	for (unsigned int f = 0; f < sim->n_flows; f++) {
		const struct stream_result *result = &sim->flow[f].result[SIM_CLIENT];

		assert_false(result->is_wrong);
		rates[f] = (double)(result->received - before[f]) / measure_segment(sim) /
			   ((double)span / SL_NS_PER_S);
	}
}

void
measure_add(struct measure *m, double figure)
{
	m->sum += figure;
	m->least = m->n == 0 || figure < m->least ? figure : m->least;
	m->most = m->n == 0 || figure > m->most ? figure : m->most;
	m->n++;
}

void
measure_judge(const struct measure *m, const char *what, double mean_least, double mean_most,
	      double least, double most)
{
	double mean = m->sum / m->n;

	measure_say("%s: %.3f in the mean, %.3f to %.3f, %u seeds", what, mean, m->least,
		    m->most, m->n);
	if (m->least < least || m->most > most)
		fail_msg("%s: a seed has %.3f, another %.3f", what, m->least, m->most);
	if (m->n >= MEAN_OF && (mean < mean_least || mean > mean_most))
		fail_msg("%s: %.3f in the mean", what, mean);
}

void
measure_say(const char *format, ...)
{
	va_list args;

	if (!seeds_verbose())
		return;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}
