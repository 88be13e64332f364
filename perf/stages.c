/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stages - where the cycles of a round go: what stands in bench_parts of bench-stages.
 *
 * A mark costs as much as reading the counter, some thirty cycles a burst and stage: with
 * bursts of 64 half a cycle a packet, so rows here are a little dearer than in bench.
 */
#include "stages.h"

#include <rte_cycles.h>

#include "bench.h"

static uint64_t last;
static bool has_received;

void
stage_ends(enum stage stage)
{
	uint64_t now = rte_rdtsc();

	/* A round steps again when something is due: what lay between was sending. */
	if (stage == STAGE_receive && has_received)
		stage = STAGE_send;
	has_received = true;
	bench_parts.cycles[stage] += now - last;
	last = now;
}

static void
round_begins(uint64_t now)
{
	last = now;
	has_received = false;
}

static void
round_ends(void)
{
	stage_ends(STAGE_send);
}

__attribute__((constructor)) static void
be_the_parts(void)
{
	bench_parts = (struct bench_parts){
		.n = STAGES,
		.name = { "receive", "parse", "find", "strangers", "triage", "answer", "input",
			  "expire", "deliver", "output", "settle", "send" },
		.round_begins = round_begins,
		.round_ends = round_ends,
	};
}
