/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure - senders that never run dry, what comes through of them, and how a figure over
 * many seeds is judged: the mean narrowly, a single seed widely.
 */
#ifndef SIM_MEASURE_H
#define SIM_MEASURE_H

#include "sim.h"

#define MEASURE_BUFFERS (8u << 20) /* more than any window here */

/* A path with @rtt to each server, half of it each way. */
void measure_path(struct sim *sim, sl_ns_t rtt);

/* From @server to the client, without end. */
struct sim_flow *measure_flow(struct sim *sim, unsigned int server,
			      enum sl_congestion congestion);

/* Payload of a full segment, and what a cable carries of those in a second at @rate bits. */
double measure_segment(const struct sim *sim);
double measure_wire_rate(const struct sim *sim, uint64_t rate);

/* Segments a second of each flow that come through in @span, from now on. */
void measure_rates(struct sim *sim, sl_ns_t span, double *rates);

/* A figure over all seeds. */
struct measure {
	double sum, least, most;
	uint32_t n;
};

void measure_add(struct measure *m, double figure);

/* Fails unless each lies between @least and @most and, of 20 seeds or more, their mean between
 * @mean_least and @mean_most. */
void measure_judge(const struct measure *m, const char *what, double mean_least,
		   double mean_most, double least, double most);

/* A line if figures are asked for. */
void measure_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
