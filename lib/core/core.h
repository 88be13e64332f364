/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core - what a struct sl_core is, for the files of this layer.
 */
#ifndef SL_CORE_CORE_H
#define SL_CORE_CORE_H

#include "sluice/core.h"
#include "tcp/tcp.h"
#include "wire/glance.h"

/* Where triage sends a lane. */
enum sl_lane_route {
	SL_ROUTE_DONE,  /* it has its fate */
	SL_ROUTE_NET,   /* ARP, ICMP, neighbour discovery */
	SL_ROUTE_INPUT, /* its connection was found late; who is in hits needs no route */
	SL_ROUTE_TW,    /* its TIME-WAIT record was found */
	SL_ROUTE_SYN,   /* a SYN to a listener */
	SL_ROUTE_ACK,   /* maybe a cookie coming back */
	SL_ROUTE_RESET, /* nobody's */
	SL_ROUTE_QUIET, /* nobody's, and not worth an answer */
};

/* What of a burst is looked up in the table, side by side. */
struct sl_sought {
	uint16_t n;
	uint8_t at[SL_BURST]; /* whose lane */
	const struct sl_tuple *tuple[SL_BURST];
	uint64_t hash[SL_BURST];
	uint32_t slot[SL_BURST];
};

struct sl_core {
	struct sl_tcp tcp;
	struct sl_net_conf net_conf;
	struct sl_net *net;
	uint32_t net_news; /* as of the last step */
	sl_ns_t stepped;   /* when that was */
	uint16_t n_doors;
	struct sl_door door[SL_PORTS_MAX];

	/* The burst: packets with a lane, bit i for packet i, and those that need none. */
	uint64_t lanes;
	uint64_t hits, missed; /* of those, who met a connection, and who is to be answered */
	uint64_t bare;         /* and who came from a crowd: no payload, nothing unusual */
	uint64_t strangers[SL_CROWDS];    /* bit k: entry k of the crowd met no record */
	const struct sl_door *open_door;  /* of the crowds */
	struct rte_mbuf *spent[SL_BURST]; /* done with; given back in the end */
	uint16_t n_spent;
	struct sl_sought sought;
	struct sl_lane lane[SL_BURST];
	struct sl_crowd crowd[SL_CROWDS];
};

/* Of the lanes named in @set, bit i for lane i, the next one; for loops that empty @set. */
static inline struct sl_lane *
sl_core_next_lane(struct sl_core *core, uint64_t *set)
{
	unsigned int i = (unsigned int)__builtin_ctzll(*set);

	*set &= *set - 1;
	return &core->lane[i];
}

/*
 * strangers.c. Sort the burst into crowds; what is in none is to have a lane: bit i for rx[i].
 */
uint64_t sl_strangers_glance(struct sl_core *core, struct rte_mbuf **rx, uint16_t n);
/* Hash the crowds; those who may have a record get lanes. */
void sl_strangers_find(struct sl_core *core);
/* Answer the others, as far as they are alike; the rest get lanes, and have missed. */
void sl_strangers_answer(struct sl_core *core);

/*
 * order.c. Which of the hits are taken one after the other: kind by kind, with payload or
 * unusual, bare FINs, bare ACKs, and each in order of arrival. All of a connection are in one.
 */
#define SL_KINDS 3
void sl_core_order(const struct sl_core *core, uint64_t kind[SL_KINDS]);

/* A lane for the packet @m, its fate open. */
static inline void
sl_lane_open(struct sl_lane *lane, struct rte_mbuf *m)
{
	lane->m = m;
	lane->slot = SL_NO_FLOW;
	lane->fate = SL_FATE_NONE;
	lane->route = SL_ROUTE_NET;
}

/* deliver.c: make the callbacks that are due; each connection once. */
void sl_core_deliver(struct sl_core *core);

static inline struct sl_conn
sl_core_handle(struct sl_core *core, struct sl_tcb *tcb)
{
	return (struct sl_conn){ .core = core, .tcb = tcb, .idx = sl_tcb_idx(&core->tcp, tcb) };
}

#endif
