/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cc - congestion control: how much may be in the network.
 *
 * A listener names its algorithm (enum sl_congestion), which alone writes cwnd and ssthresh of
 * a tcb, and what it remembers between two losses, a struct sl_epoch. Loss detection lives in
 * recovery.c and only reports here.
 */
#ifndef SL_TCP_CC_H
#define SL_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct sl_tcp;
struct sl_tcb;
struct sl_epoch;

/* Established; the initial window (RFC 6928), 1 MSS if the SYN had to be resent. */
void sl_cc_open(struct sl_tcp *tcp, struct sl_tcb *tcb, bool syn_was_resent);
/*
 * @acked new bytes were acknowledged outside any repair. Unless the window was @used, the
 * application or the peer sets the pace, and it does not grow.
 */
void sl_cc_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used);
/* A loss was noticed; @flight bytes were outstanding. Once a window. */
void sl_cc_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
/* The timer went off; @flight as above, or 0: again for what was cut for already. */
void sl_cc_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
/*
 * The last loss or time-out turned out to be none: all is as it was before it, if that was
 * remembered and no later one followed (RFC 5682, RFC 4015).
 */
void sl_cc_undo(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Nothing was sent for longer than an RTO (RFC 5681, 4.1). */
void sl_cc_idle(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* The same by algorithm: CUBIC (RFC 9438), and NewReno (RFC 5681, RFC 6582). */
void sl_cubic_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used);
void sl_cubic_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
void sl_cubic_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
void sl_cubic_undo(struct sl_tcp *tcp, struct sl_tcb *tcb);
void sl_cubic_idle(struct sl_tcp *tcp, struct sl_tcb *tcb);
void sl_newreno_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used);
void sl_newreno_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
void sl_newreno_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);

/* What algorithms share. */

#define SL_CWND_MAX ((1u << 28) - 1) /* what cwnd and ssthresh have bits for */

static inline uint32_t
sl_cc_bounded(uint64_t bytes)
{
	return bytes < SL_CWND_MAX ? (uint32_t)bytes : SL_CWND_MAX;
}

/* RFC 6928, 2. */
uint32_t sl_cc_initial_window(const struct sl_tcb *tcb);
/* RFC 5681, 4.1: back to the initial window, if it was larger. */
void sl_cc_restart(struct sl_tcb *tcb);
/* Slow start adds what was acknowledged, two segments an ACK at most (RFC 3465). */
void sl_cc_slow_start(struct sl_tcb *tcb, uint32_t acked);
/* Congestion avoidance without memory: of one MSS a window, this ACK's part. */
void sl_cc_avoid(struct sl_tcb *tcb, uint32_t acked);
/* Give the windows back that the block remembers; false if it does not. */
bool sl_cc_undo_cut(struct sl_tcp *tcp, struct sl_tcb *tcb);

/*
 * The block of @tcb, or NULL if it has none. sl_epoch_take() finds one, zeroed, if need be
 * that of a connection at rest; none is there while all are at work, and the algorithm does
 * without. sl_epoch_give() gives it back.
 */
struct sl_epoch *sl_epoch_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
struct sl_epoch *sl_epoch_take(struct sl_tcp *tcp, struct sl_tcb *tcb);
void sl_epoch_give(struct sl_tcp *tcp, struct sl_tcb *tcb);

#endif
