/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - one core among peers that a fuzz input plays: the step fuzzer's surroundings.
 *
 * The core is small on purpose, so that everything in it runs out. A flow is one peer's
 * end of one connection; it knows what the core last said to it, so that an input can
 * name numbers by what they mean there ("the next byte expected, less one"). Whatever the
 * core sends is taken apart and checked; after each step its invariants are.
 */
#ifndef TEST_FUZZ_WORLD_H
#define TEST_FUZZ_WORLD_H

#include "arena.h"
#include "fuzz.h"
#include "heapbufs.h"

#include "core/core.h"

#define WORLD_FLOWS 8

/* What a flow is for. */
enum world_flow {
	FLOW_ACT,     /* to an application that does what the input says, IPv4 */
	FLOW_ACT6,    /* the same, IPv6 */
	FLOW_HTTP,    /* to http */
	FLOW_PROXY,   /* to the proxy ... */
	FLOW_BACKEND, /* ... whose backend this is */
	FLOW_OPENED,  /* the core opened it; see world_connect() */
	FLOW_ECHO,    /* to echo */
	FLOW_CLOSED,  /* to a port where nobody listens */
};

struct flow {
	struct sl_tuple tuple; /* as the core sees it */
	uint32_t isn;          /* of the peer's next SYN */
	uint32_t mine;         /* behind all that the peer sent */
	uint32_t expected;     /* what the core acknowledged last */
	uint32_t una, nxt;     /* of the core: acknowledged by the peer; behind all it sent */
	uint32_t tsval;        /* the core's last timestamp */
	uint32_t wnd;          /* the core's last window field */
	uint32_t irs, iss;     /* of the last SYNs: peer_says() counts from them */
	bool ts;               /* the core sends timestamps */
};

/* What the acting application does next. */
enum act {
	ACT_NOTHING,
	ACT_SEND,
	ACT_PINNED,
	ACT_SHUTDOWN,
	ACT_CLOSE,
	ACT_ABORT,
	ACT_RESUME,
	ACT_TIMER,
	ACT_NODELAY,
	ACT_CONNECT,
	ACT_SHARE, /* in data only */
	ACT_COUNT,
};

struct world {
	struct fuzz_in in;
	struct sl_core *core;
	struct heapbufs hb;
	struct arena arena;
	sl_ns_t now, stepped; /* when it was stepped last */
	struct flow flow[WORLD_FLOWS];
	struct rte_mbuf *rx[SL_BURST];
	uint16_t n_rx;
	uint64_t n_tx;
	uint16_t mtu;
	bool raw; /* bytes came or went that nobody can tell: streams are not compared */

	bool says;              /* FUZZ_SAY is set: tell on stderr what happens */
	uint8_t mood, mood_arg; /* enum act for the next callback; how much data it takes */
	uint32_t opened, closed;
};

extern const struct sl_app act_app; /* its argument is the world */

void world_open(struct world *w, const uint8_t *data, size_t size);
/* End everything, see that nothing is left behind. */
void world_close(struct world *w);

/* Step with what is queued; take what it sends; check. */
void world_step(struct world *w, uint16_t room);
/* Step as the core asks for it until @until, or until it has had @most of them. */
void world_pass(struct world *w, sl_ns_t until, unsigned int most);

/* Queue a frame; it is the core's with the next step. Steps first if the burst is full. */
void world_queue(struct world *w, struct rte_mbuf *m);
void world_frame(struct world *w, const void *bytes, size_t len, uint8_t shape);

/* The core opens FLOW_OPENED. */
void world_connect(struct world *w, struct sl_conn *c);
/* Do @what on @c; how much is @arg. */
void world_act(struct world *w, struct sl_conn *c, enum act what, uint8_t arg);

/* peer.c: a segment of @flow's as the input says, queued. */
void peer_segment(struct world *w, struct flow *flow);
/* An ICMP error about what the core sent to @flow. */
void peer_icmp(struct world *w, const struct flow *flow);
/* Take a frame from the core: it is well-formed, and @w's flows learn from it. */
void peer_hears(struct world *w, struct rte_mbuf *m);

/* Tell of a segment, as @f's peer counts: from its isn, and from the core's first number. */
void peer_says(const struct world *w, const struct flow *f, char dir, const struct sl_seg *seg);

/* The byte at @seq of every stream of the acting application and of its peers; they repeat
 * themselves after 65536. */
static inline uint8_t
world_byte(uint32_t seq)
{
	seq *= 167;
	return (uint8_t)(seq ^ seq >> 8);
}

#endif
