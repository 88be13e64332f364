/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine - what the thread of control, telemetry and the public calls share.
 */
#ifndef SL_ENGINE_ENGINE_H
#define SL_ENGINE_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include <sluice/engine.h>

#include "engine/capture.h"
#include "engine/clock.h"
#include "engine/place.h"
#include "engine/port.h"
#include "engine/share.h"
#include "engine/steer.h"
#include "engine/worker.h"

struct sl_engine {
	struct sl_engine_conf conf;
	FILE *report;
	struct sl_clock clock;
	struct sl_steer steer;
	struct sl_share share;
	struct sl_placement placement;
	struct sl_siblings siblings;
	struct sl_worker *worker[SL_WORKERS_MAX];
	struct sl_capture *capture;

	atomic_uint n_stops; /* calls of sl_engine_stop() */
	bool ran, forced;
	uint16_t n_ports;
	struct sl_port port[SL_PORTS_MAX];
};

/* The sum over all workers, what the engine itself counts included. Any thread. */
void sl_engine_stats(const struct sl_engine *engine, struct sl_stats *sum);

/* The thread of control: from ready to the end of the drain. A pthread of struct sl_engine. */
void *sl_control_run(void *engine);

/* Answer under /sluice/ about @engine; NULL: about none, once no answer is under way. */
void sl_telemetry_set(struct sl_engine *engine);

#endif
