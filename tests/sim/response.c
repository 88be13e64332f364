/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * response - RFC 9438, 5.1, and the square root of Mathis et al. (1997).
 */
#include "response.h"

#include <math.h>

/* Segments in flight in the mean: Reno's, each byte acknowledged being counted. */
static double
reno_window(double loss)
{
	return sqrt(3 / (2 * loss));
}

/* CUBIC's, which is never below that. */
static double
cubic_window(double loss, double rtt)
{
	const double c = 0.4, beta = 0.7;
	double window = pow(c * (3 + beta) / (4 * (1 - beta)), 0.25) * pow(rtt / loss, 0.75);

	return fmax(window, reno_window(loss));
}

double
response_rate(enum sl_congestion congestion, double loss, sl_ns_t rtt)
{
	double s = (double)rtt / SL_NS_PER_S;
	double window =
		congestion == SL_CONGESTION_CUBIC ? cubic_window(loss, s) : reno_window(loss);

	return window * (1 - loss) / s;
}
