/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace - a line on stderr for each frame, for whoever looks into a seed that failed.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "link.h"
#include "wire/frame.h"

/* What a frame says, if it is a whole segment of TCP. */
bool trace_segment(const uint8_t *frame, size_t len, struct sl_tuple *tuple,
		   struct sl_seg *seg);

/*
 * Print all frames of @link, whose configuration this is, unless it looks at them itself.
 * Numbers count from each side's SYN.
 */
void trace_all(struct link_conf *conf, const struct link *link);

#endif
