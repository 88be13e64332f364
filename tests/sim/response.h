/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * response - what congestion control gets through losses at random, by theory.
 */
#ifndef SIM_RESPONSE_H
#define SIM_RESPONSE_H

#include "base/units.h"
#include "tcp/conf.h"

/* Segments a second that come through a path with @rtt where a share of @loss is lost. */
double response_rate(enum sl_congestion congestion, double loss, sl_ns_t rtt);

#endif
