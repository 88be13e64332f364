/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <sluice/core.h> - the machine itself: packets and time in, packets out.
 *
 * A struct sl_core is one core's whole TCP: table, timers, neighbours, connections and
 * applications. It has no clock, no threads, no randomness and allocates nothing after
 * sl_core_open(): the same configuration and the same sequence of calls give the same
 * bytes, callbacks and counters. All calls on one core come from one thread.
 */
#ifndef SLUICE_CORE_H
#define SLUICE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <sluice/app.h>

#include "base/addr.h"
#include "base/bufs.h"
#include "base/fate.h"
#include "base/mem.h"
#include "base/prf.h"
#include "base/units.h"
#include "net/net.h"
#include "tcp/conf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sl_core_conf {
	uint32_t connections; /* most at once, half-open ones included */
	uint32_t active;      /* connections with gaps in what came, or repairing a loss */
	uint32_t time_wait;   /* TIME-WAIT records; the oldest is retired when full */
	uint32_t spans;       /* pieces of data queued to be sent, all connections together */
	uint32_t rx_buffers;  /* received buffers that may be kept beyond their step */
	bool ipv6;            /* reserve memory for IPv6 connections */
	uint16_t simd_bits; /* widest vectors to be used: 512; 257: 256 with the instructions of
			       AVX-512; 256: AVX2; 1: none; 0: what pays on this CPU */

	struct sl_prf_key secret;        /* this core's own: ISNs, ports, tables */
	struct sl_prf_key cookie_secret; /* shared by all that accept each other's cookies,
					    and so each other's timestamps */
	uint64_t tai_ms; /* wall clock (TAI) at open; SL_EVENT_CLOCK corrects it */

	struct sl_net_conf net;
	uint16_t n_listeners;
	struct sl_listener_conf listener[SL_LISTENERS_MAX];

	/*
	 * Whether packets from @tuple.remote come to this core: lets an active open choose a
	 * port whose answers come home. NULL: all do. Must be a pure function.
	 */
	bool (*is_home)(const void *steer, const struct sl_tuple *tuple);
	const void *steer;
};

/* Everything but packets and time that changes what a core does. */
enum sl_event_kind {
	SL_EVENT_CLOCK,     /* tai_ms: the wall clock now; what follows it never goes back */
	SL_EVENT_NEIGHBOUR, /* neighbour: learnt by another core */
	/*
	 * No new connections from now on. The coming steps close those that are idle, some in
	 * each; the others close when they become so (deadline: KILL follows).
	 */
	SL_EVENT_DRAIN,
	SL_EVENT_KILL, /* the coming steps reset what is left, and count it; DRAIN besides */
};

struct sl_event {
	enum sl_event_kind kind;
	union {
		uint64_t tai_ms;
		struct sl_neighbour neighbour;
	};
};

/*
 * Which member of @conf sl_core_open() would refuse, and its range, as a text to be printed.
 * NULL: none, but perhaps an address, route or MTU of conf->net, which it looks at itself.
 */
const char *sl_core_refuses(const struct sl_core_conf *conf);

/* 0; -EINVAL for a configuration that makes no sense; -ENOMEM. @bufs must outlive the core. */
int sl_core_open(struct sl_core **out, const struct sl_core_conf *conf,
		 const struct sl_bufs *bufs, struct sl_mem *mem, sl_ns_t now);

/* Give every packet back. The memory is the arena's. No callbacks are made. */
void sl_core_close(struct sl_core *core);

/* Memory sl_core_open() would take, by purpose. */
struct sl_budget {
	uint64_t total;
	/* Bytes for each; a half-open one takes what an idle one does. */
	uint32_t idle_v4, idle_v6, active, time_wait_v4, time_wait_v6;
	uint64_t fixed; /* whatever is not per record */
};
void sl_core_budget(const struct sl_core_conf *conf, struct sl_budget *budget);

/*
 * The step. Takes the @n (0 .. SL_BURST) packets of @rx, which are the core's from now on,
 * at the time @now, which never goes back; does all work that is due; puts at most @room
 * packets into @tx, which are the caller's from then on, and returns how many. What finds
 * no room is sent by later steps. An SL_BURST of room at least is wise; 0 is allowed.
 */
uint16_t sl_core_step(struct sl_core *core, sl_ns_t now, struct rte_mbuf **rx, uint16_t n,
		      struct rte_mbuf **tx, uint16_t room);

/*
 * When the core wants to be stepped without packets: @now or earlier if at once; 12 days after
 * the last step at the latest, lest its clocks of 32 bits lose count.
 */
sl_ns_t sl_core_next(const struct sl_core *core);

/* Tell the core something; it takes effect in the order told. */
void sl_core_event(struct sl_core *core, sl_ns_t now, const struct sl_event *event);

/* The next fact the siblings should be told by sl_core_event(); false: none. */
bool sl_core_told(struct sl_core *core, struct sl_event *event);

/* Open a connection from outside any callback; as sl_connect(). @out may be NULL. */
int sl_core_connect(struct sl_core *core, sl_ns_t now, uint16_t listener,
		    const struct sl_connect *to, struct sl_ref *out);

/* The connection @ref names, to be used at @now, between steps, as in a callback. False if
 * gone. */
bool sl_core_conn(struct sl_core *core, sl_ns_t now, struct sl_ref ref, struct sl_conn *out);

/* The connection or TIME-WAIT record of @tuple: its state's name, or NULL; @ref if a
 * connection. */
const char *sl_core_state(struct sl_core *core, const struct sl_tuple *tuple,
			  struct sl_ref *ref);

const struct sl_stats *sl_core_stats(const struct sl_core *core);

const struct sl_listener_stats *sl_core_listener_stats(const struct sl_core *core, uint16_t i);

/* One connection as an operator sees it. */
struct sl_conn_info {
	struct sl_tuple tuple;
	const char *state;
	uint16_t listener;
	bool active; /* opened by us */
	uint32_t send_queued, recv_queued, snd_wnd, rcv_wnd, cwnd, srtt_ms, rto_ms;
};

#define SL_LIST_END UINT32_MAX

/*
 * Up to @n connections from the record *@cursor on, 0 at first; *@cursor moves, and is
 * SL_LIST_END behind the last. Returns how many: may be 0 before the end, since a call looks
 * at some thousands of records at most, however many are empty.
 */
uint32_t sl_core_list(const struct sl_core *core, uint32_t *cursor, struct sl_conn_info *out,
		      uint32_t n);

/* O(n): every invariant of every structure. 0, or -EBADMSG with @why saying which. */
int sl_core_check(const struct sl_core *core, const char **why);

#ifdef __cplusplus
}
#endif

#endif
