/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * out - the packets a step has made so far, and how many more may be.
 *
 * A packet in it belongs to whoever called the step. Code that makes packets asks
 * sl_out_has_room() first and keeps what it owes when there is none.
 */
#ifndef SL_BASE_OUT_H
#define SL_BASE_OUT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

struct sl_out {
	struct rte_mbuf **pkt; /* pkt[i]->port is the port it leaves by */
	uint16_t n, room;      /* used and total */
};

static inline bool
sl_out_has_room(const struct sl_out *out)
{
	return out->n < out->room;
}

static inline void
sl_out_put(struct sl_out *out, struct rte_mbuf *m)
{
	assert(sl_out_has_room(out));
	out->pkt[out->n++] = m;
}

static inline void
sl_out_put_all(struct sl_out *out, struct rte_mbuf *const *m, uint16_t n)
{
	assert(out->n + n <= out->room);
	memcpy(out->pkt + out->n, m, n * sizeof(*m));
	out->n += n;
}

#endif
