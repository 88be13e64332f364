/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream - an application that sends bytes nobody can mistake, checks each one that comes,
 * and writes, reads and half-closes at the pace it is told.
 *
 * The plan is the listener's argument: one connection, one plan. The bytes are a window on
 * random ones that begins where the plan's key says; the other end's plan has it as `hears`.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/app.h>

#include "base/units.h"
#include "random.h"

struct link;

/* What came of it. */
struct stream_result {
	uint32_t opened, peer_closed, closed;
	enum sl_reason why;
	uint64_t sent, received; /* bytes accepted to be sent; bytes come */
	bool is_wrong;           /* a byte was not what it had to be: the one at wrong_at */
	uint64_t wrong_at;
	sl_ns_t first_at, last_at; /* when bytes first and last came */
	struct rnd rnd;
	uint32_t may_read; /* bytes, of a reader with a pace */
};

struct stream_plan {
	uint32_t key, hears;
	uint64_t send;       /* bytes */
	uint64_t answers_at; /* sends only once so many bytes came */
	uint32_t pause_ms;   /* at random up to this between turns; 0: no pace at all */
	uint32_t most;       /* bytes written, and read, in a turn at most */
	sl_ns_t shut_at;     /* closes its side then, whatever was sent; 0: behind all bytes */
	bool stays;          /* closes not before the other side does */
	bool copies;         /* what it sends; else it is only pointed at */
	const struct link *link; /* whose clock it is */
	struct stream_result *result;
};

extern const struct sl_app stream_app;

/* The bytes from @at on of the stream with @key; *@n of them lie there, at most. */
const uint8_t *stream_bytes(uint32_t key, uint64_t at, uint32_t *n);

#endif
