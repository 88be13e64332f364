/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * talk - the application at the other end of a test: sends what its plan says, reads as
 * fast or slowly as it says, and notes what happened.
 *
 * It listens (the plan is the listener's argument) or connects. Without a text it sends a
 * pattern that does not repeat within any window, and checks that the same pattern comes.
 */
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/app.h>

enum talk_fin {
	TALK_FIN_BEHIND, /* right behind the last byte */
	TALK_FIN_AFTER,  /* only once the peer's came */
	TALK_FIN_NEVER,
};

/* What came of all connections with one plan. */
struct talk_result {
	uint32_t opened, peer_closed, closed;
	enum sl_reason why; /* of the last one closed */
	uint64_t sent, received;
	uint64_t wrong; /* bytes that were not the pattern's */
	char *got;      /* with a plan's got_room: what came, a string */
};

struct talk_plan {
	const char *text;            /* to send instead of the pattern */
	uint64_t send;               /* bytes of either; 0 with a text: all of it */
	uint32_t write_ms;           /* a byte every so often; 0: all as soon as accepted */
	uint32_t read_most, read_ms; /* take at most so much, every so often; 0: all at once */
	uint32_t got_room; /* keep so many bytes of what comes instead of checking them */
	enum talk_fin fin;
	uint64_t fin_at;   /* FIN as soon as so many bytes came; 0: see fin */
	uint64_t abort_at; /* reset as soon as so many bytes came; 0: never */
	struct talk_result *result;
};

extern const struct sl_app talk_app;

/* Forget what was noted. */
void talk_result_reset(struct talk_result *result);

#endif
