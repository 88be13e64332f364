/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cc - congestion control: how much may be in the network.
 *
 * An algorithm is a const table; it alone writes cwnd, ssthresh and cc_acked of a tcb.
 * Loss detection lives in recovery.c and only reports here.
 */
#ifndef SL_TCP_CC_H
#define SL_TCP_CC_H

#include <stdint.h>

struct sl_tcp;
struct sl_tcb;

struct sl_cc {
	const char *name;
	/* Established; the initial window (RFC 6928), 1 MSS if the SYN had to be resent. */
	void (*open)(struct sl_tcp *tcp, struct sl_tcb *tcb, int syn_was_resent);
	/* @acked new bytes were acknowledged outside any repair, the window having been used.
	 */
	void (*acked)(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked);
	/* A loss was noticed; @flight bytes were outstanding. Once a window. */
	void (*lost)(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
	/* The retransmission timer went off; @flight as above. */
	void (*timeout)(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight);
	/* Nothing was sent for longer than an RTO (RFC 5681, 4.1). */
	void (*idle)(struct sl_tcp *tcp, struct sl_tcb *tcb);
};

extern const struct sl_cc sl_cc_newreno; /* RFC 5681, RFC 6582 */

#endif
