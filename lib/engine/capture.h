/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture - every frame in and out of the process, into a pcapng file.
 *
 * A worker copies the frame into a byte ring of its own and goes on; the control thread
 * writes the rings to the file in the order of their times. A worker never waits: what
 * does not fit is counted, and the count is in the ledger.
 */
#ifndef SL_ENGINE_CAPTURE_H
#define SL_ENGINE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/units.h"

#define SL_CAPTURE_IN  1 /* as in the flags of an enhanced packet block */
#define SL_CAPTURE_OUT 2

struct sl_capture;

/* @port[] are the names of the interfaces. 0 or -errno. */
int sl_capture_open(struct sl_capture **out, const char *file, uint16_t n_workers,
		    const char *const *port, uint16_t n_ports, uint64_t wall_at_zero);

/* By @worker, at its time @now: @m went @way through port number @port. */
void sl_capture_take(struct sl_capture *capture, uint16_t worker, uint16_t port, int way,
		     sl_ns_t now, const struct rte_mbuf *m);

/* By the control thread: write what is older than @until. 0 or -errno of the file, once. */
int sl_capture_write(struct sl_capture *capture, sl_ns_t until);

/* Frames that found no room. */
uint64_t sl_capture_lost(const struct sl_capture *capture);

/* Workers have ended: write the rest, close. 0 or -errno if the file is not whole. */
int sl_capture_close(struct sl_capture *capture);

#endif
