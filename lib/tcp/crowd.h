/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd - what is said to many strangers at once.
 */
#ifndef SL_TCP_CROWD_H
#define SL_TCP_CROWD_H

#include "tcp/tcp.h"
#include "wire/glance.h"

/*
 * Ask memory for where those of @c, SYNs, may lie in the table, and meanwhile make their
 * cookies if it looks as if all of it will be answered by them. @c may then be answered in the
 * same step, or not.
 */
void sl_crowd_foresee(struct sl_tcp *tcp, const struct sl_crowd *c);

/*
 * Answer those of @who, SYNs of @c that met no record, whose listener answers by cookies: in
 * the buffers they came in, counted, their fate told. Those in @*ended end here without a
 * word, as strays do. Returns the others, untouched.
 */
uint64_t sl_crowd_syns(struct sl_tcp *tcp, struct sl_crowd *c, const struct sl_door *door,
		       uint64_t who, uint64_t *ended);

/*
 * Of @who, segments without SYN of @c that met no record, those that end here without a word:
 * ACKs that are no cookies and are not reset, strays beyond the budget for resets. Their fates
 * are counted; the packets stay the caller's. Returns the others, and what may be behind one
 * that opens a connection: another of @who, or one of @callers, SYNs in @syns.
 */
uint64_t sl_crowd_segments(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who,
			   const struct sl_crowd *syns, uint64_t callers);

#endif
