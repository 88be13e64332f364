/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stages - included in front of lib/core/step.c when it is built for bench-stages: at the end
 * of each stage the counter is read, and what went by since the last time is the stage's.
 */
#ifndef PERF_STAGES_H
#define PERF_STAGES_H

enum stage {
	STAGE_receive,
	STAGE_parse,
	STAGE_find,
	STAGE_strangers,
	STAGE_triage,
	STAGE_answer,
	STAGE_input,
	STAGE_expire,
	STAGE_deliver,
	STAGE_output,
	STAGE_settle,
	STAGE_send,
	STAGES,
};

void stage_ends(enum stage stage);

#define SL_STAGE_ENDS(name) stage_ends(STAGE_##name)

#endif
