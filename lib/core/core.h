/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core - what a struct sl_core is, for the files of this layer.
 */
#ifndef SL_CORE_CORE_H
#define SL_CORE_CORE_H

#include "sluice/core.h"
#include "tcp/tcp.h"

/* Where triage sends a lane. */
enum sl_lane_route {
	SL_ROUTE_DONE,  /* it has its fate */
	SL_ROUTE_NET,   /* ARP, ICMP, neighbour discovery */
	SL_ROUTE_INPUT, /* its connection was found */
	SL_ROUTE_TW,    /* its TIME-WAIT record was found */
	SL_ROUTE_SYN,   /* a SYN to a listener */
	SL_ROUTE_ACK,   /* maybe a cookie coming back */
	SL_ROUTE_RESET, /* nobody's */
	SL_ROUTE_QUIET, /* nobody's, and not worth an answer */
};

struct sl_core {
	struct sl_tcp tcp;
	struct sl_net_conf net_conf;
	struct sl_net *net;
	uint32_t net_news; /* as of the last step */
	uint16_t n_lanes;
	uint64_t n_in, n_fated; /* received = sum of fates, asserted */
	struct sl_lane lane[SL_BURST];
};

/* deliver.c: make the callbacks that are due; each connection once. */
void sl_core_deliver(struct sl_core *core);

/* The application of a connection: of its listener, or what that one opens. */
const struct sl_app *sl_core_app(const struct sl_core *core, const struct sl_tcb *tcb);

static inline struct sl_conn
sl_core_handle(struct sl_core *core, struct sl_tcb *tcb)
{
	return (struct sl_conn){ .core = core, .tcb = tcb, .idx = sl_tcb_idx(&core->tcp, tcb) };
}

#endif
