/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * solo - one core and one peer that is played by hand: segments in, time in, segments out.
 *
 * For tests in which the peer does what no TCP would: overlaps, lies, forgets. The core is
 * 10.0.0.1 (fd00::1) and knows the peer, 10.0.0.2 (fd00::2), as a neighbour.
 */
#ifndef TEST_SOLO_H
#define TEST_SOLO_H

#include "arena.h"
#include "heapbufs.h"

#include <sluice/core.h>

#define SOLO_OUT 256

/* A segment the core sent; its payload is at @at of solo.bytes. */
struct solo_seg {
	struct sl_seg seg;
	uint32_t at;
	uint16_t rport; /* whom it is for, by the peer's port */
};

struct solo {
	struct sl_core_conf conf; /* from solo_init(); changes may follow before solo_open() */
	struct sl_core *core;
	struct heapbufs hb;
	struct arena arena;
	sl_ns_t now;
	struct sl_tuple tuple; /* as the core sees the connection */
	uint32_t irs, iss;     /* the peer's first number, and the core's */

	struct rte_mbuf *rx[SL_BURST];
	uint16_t n_rx;
	uint32_t n_out, n_bytes; /* what came out since solo_clear() */
	struct solo_seg out[SOLO_OUT];
	uint8_t bytes[SOLO_OUT * 1460];
	uint64_t frames_in, bytes_in, frames_out, bytes_out; /* ever, of all protocols */
};

/* One listener on port 80 with @app; settings in conf.listener[0].tcp. */
void solo_init(struct solo *s, bool v6, const struct sl_app *app, const void *arg);
void solo_open(struct solo *s);
/* Reset what is left; every packet must come back. */
void solo_close(struct solo *s);

/* Queue a segment of the peer's; the numbers are absolute. */
void solo_send(struct solo *s, const struct sl_seg_out *seg, const void *payload, uint16_t len);
/* Queue any frame of the peer's, as it is. */
void solo_frame(struct solo *s, const void *frame, size_t len);
/* Take a step with what is queued; what comes out is appended to out[]. */
void solo_step(struct solo *s);
/* Step with what is queued, if anything is; then let @ms pass, as the core asks for steps. */
void solo_pass(struct solo *s, uint32_t ms);
void solo_clear(struct solo *s);

/* The peer opens; @syn has options, window and what else its SYN says. Fills in irs, iss. */
void solo_handshake(struct solo *s, uint32_t irs, const struct sl_seg_out *syn);

#endif
