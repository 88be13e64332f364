/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp - one core's TCP: its records, lists and clocks, and who may do what to them.
 *
 * The files of this layer each do one thing to a connection:
 *   conn.c      make, find, mark, end and free it; the one place that assigns a state
 *   input.c     a segment that met a connection (RFC 9293, 3.10.7)
 *   ack.c       what an acknowledgement means: spans freed, RTT, losses
 *   recv.c      bytes received: in order, out of order
 *   window.c    how many more may come
 *   grow.c      how large a receive buffer has grown
 *   relief.c    who gives way when received buffers stay scarce
 *   lent.c      the small block of a connection that is not idle
 *   spans.c     bytes to be sent
 *   recovery.c  losses: what was lost, how a repair begins and ends, time-outs
 *   sack.c      what the peer's SACK blocks say
 *   rack.c      what is lost, told by when it was sent
 *   probe.c     the tail loss probe
 *   prr.c       how much is sent during a repair
 *   timer.c     what each timer means, and every re-arming
 *   output.c    which segments a connection sends
 *   segment.c   the only maker of them
 *   packets.c   packets had and given back, many at once
 *   answer.c    answers that need no connection: SYN-ACKs, resets, cookies back in
 *   crowd.c     the same for many at once that are alike
 *   timewait.c  what is left of a connection for 2 MSL
 *   cc.c        which congestion control, and what all of them share
 *   cubic.c, newreno.c   two of them
 *   epoch.c     what that remembers between two losses
 */
#ifndef SL_TCP_TCP_H
#define SL_TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bufs.h"
#include "base/fate.h"
#include "base/out.h"
#include "base/prf.h"
#include "base/seq.h"
#include "base/units.h"
#include "flow/flows.h"
#include "flow/slots.h"
#include "flow/wheel.h"
#include "net/net.h"
#include "sluice/app.h"
#include "tcp/cc.h"
#include "tcp/conf.h"
#include "tcp/cookie.h"
#include "tcp/state.h"
#include "tcp/tcb.h"
#include "wire/glance.h"

#define SL_NO_LISTENER 0xffff
#define SL_CLOCK_US    1000u /* how fine timers are: G of RFC 6298 */

/* One packet on its way through a step. */
struct sl_lane {
	struct rte_mbuf *m; /* NULL once somebody kept it or answered in it */
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;
	uint64_t hash;
	uint32_t slot; /* connection, TIME-WAIT record (SL_FLOW_TW), or SL_NO_FLOW */
	uint8_t route; /* enum sl_lane_route of lib/core */
	uint8_t fate;  /* enum sl_fate */
};

struct sl_listener {
	struct sl_listener_conf conf;
	struct sl_listener_stats stats;
	void *state;   /* of the application, on this core */
	uint16_t next; /* the next listener on the same port */
	uint8_t rcv_scale;
	uint32_t connections, backlog; /* limits */
};

/* Connections waiting for something, first come first served, linked through the tcb. */
struct sl_list {
	uint32_t head, tail, n;
};

/* The same in a ring with a place for each; an empty one begins at its first place again. */
struct sl_ring {
	uint32_t *idx;
	uint32_t head, n;
};

/* Empty packets, had at once for all who will need some; see packets.c. */
struct sl_stock {
	struct rte_mbuf *m[SL_BURST];
	uint16_t n;
};

/* Received buffers stay scarce, and who could give way; see relief.c. */
struct sl_relief {
	bool is_scarce; /* from nine tenths on, until it is eight */
	sl_tick_t since;
	uint32_t at; /* where the walk over all connections is */
	uint32_t piecemeal, most_pieces, holder, most_bytes;
};

struct sl_tcp {
	sl_ns_t now;
	sl_tick_t tick;  /* now, in milliseconds */
	uint16_t ts_age; /* now, SL_TS_AGE_S each */
	uint32_t now_us; /* now, in microseconds, wraps */
	struct sl_out *out;
	const struct sl_bufs *bufs;
	struct sl_stats stats;
	struct sl_net *net;
	struct sl_flows *flows;
	struct sl_wheel *wheel;
	const struct sl_net_conf *ports;

	struct sl_tcb *tcb;
	struct sl_active *active;
	struct sl_epoch *epoch; /* n_active of them, too */
	struct sl_round *round; /* and of these */
	struct sl_lent *lent;   /* one for whatever a connection may have one for */
	struct sl_span *span;
	struct sl_tw *tw;
	struct sl_key6 *key6;
	uint8_t *app_state; /* state_bytes for each tcb */
	uint32_t app_state_bytes;
	uint32_t n_tcb, n_active, n_lent, n_span, n_tw, n_key6;
	struct sl_slots free_tcb, free_active, free_epoch, free_span, free_lent;
	uint32_t key6_free, key6_fresh; /* given back last; never used from here on */
	uint32_t n_key6_free;
	uint32_t epoch_hand;  /* whose epoch is looked at next when none is free */
	uint32_t active_hand; /* and whose active block */

	struct sl_ring deliver;
	struct sl_list output, parked;
	struct sl_list gone; /* who ended and owes nothing: settle frees them */
	bool starved;        /* what is on output waits for buffers, not for room */
	struct sl_stock stock[SL_POOL_COUNT]; /* none but while packets are taken from it */
	struct rte_mbuf *done[SL_BURST];      /* segments of nobody's, to be put at once */
	uint16_t n_done;
	uint32_t tw_first, tw_used; /* TIME-WAIT records lie in a ring, by age */
	uint8_t tw_shift;           /* their clock: the tick without so many bits */

	struct sl_listener listener[SL_LISTENERS_MAX];
	uint16_t n_listeners;
	uint16_t *by_port; /* the first listener on each port, or SL_NO_LISTENER */

	struct sl_prf_key isn_key, port_key; /* this core's own */
	struct sl_prf_key ts_key;            /* shared, as cookies are */
	uint32_t ts_base;       /* TAI less now at open, in ms: siblings' timestamps agree */
	uint64_t n_ports_drawn; /* makes each draw of a source port another */
	const struct sl_prf_many *many; /* the leaves of this machine */
	const struct sl_cookie_many *cookie_many;
	const struct sl_crowd_leaf *crowd_leaf;
	uint16_t leaf_bits; /* how wide vectors may be: sl_leaf_bits() */
	struct sl_cookie_keys cookies;
	uint64_t tai_offset_ms;   /* TAI is now plus this, as last told */
	sl_tick_t cookie_at[256]; /* when a cookie last went out to this hash byte; 0: never */
	sl_tick_t cookie_last;    /* when any did; 0: never */
	sl_ns_t opened_at;

	uint32_t reset_budget, check_budget; /* left in this millisecond */
	uint32_t walk_budget;                /* as well: pieces behind gaps */
	uint32_t challenge_budget;           /* left in this second */
	sl_tick_t budget_at, challenge_at;   /* when they were filled */

	const struct sl_tcb *offering; /* whose data callback is running */
	uint32_t rx_buffers;           /* most received buffers kept ... */
	uint32_t scarce_from;          /* ... and nine tenths of them */
	uint32_t n_kept;
	struct sl_relief relief;
	bool always_cookies; /* some listener always answers by cookies */
	bool draining;
	bool by_the_book; /* a test wants no short way, for what comes or goes */

	bool (*is_home)(const void *steer, const struct sl_tuple *tuple);
	const void *steer;

	struct sl_crowd few; /* those of a crowd that crowd.c deals with by themselves */
};

#define sl_count_n(tcp, name, n) sl_stat_add((tcp)->stats.count[SL_CNT_##name], n)
#define sl_count(tcp, name)      sl_count_n(tcp, name, 1)
#define sl_uncount(tcp, name)    sl_count_n(tcp, name, -1ull)

static inline uint32_t
sl_tcb_idx(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return (uint32_t)(tcb - tcp->tcb);
}

static inline const struct sl_tcp_conf *
sl_tcb_conf(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return &tcp->listener[tcb->listener].conf.tcp;
}

/* The application of a connection: of its listener, or what that one opens. */
static inline const struct sl_app *
sl_tcb_app(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_app *app = tcp->listener[tcb->listener].conf.app;

	return tcb->is & SL_IS_ACTIVE ? app->opens : app;
}

static inline struct sl_lent *
sl_tcb_lent(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcb->lent == SL_NO_BLOCK ? NULL : &tcp->lent[tcb->lent];
}

static inline bool
sl_tcb_has_active(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcb->lent != SL_NO_BLOCK && tcp->lent[tcb->lent].active != SL_NO_BLOCK;
}

static inline struct sl_active *
sl_tcb_active(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return sl_tcb_has_active(tcp, tcb) ? &tcp->active[tcp->lent[tcb->lent].active] : NULL;
}

static inline bool
sl_tcb_has_epoch(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcb->lent != SL_NO_BLOCK && tcp->lent[tcb->lent].epoch != SL_NO_BLOCK;
}

/* Bytes received in order and not taken yet. */
static inline uint32_t
sl_tcb_unread(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_lent *lent = sl_tcb_lent(tcp, tcb);

	return lent == NULL ? 0 : lent->bytes;
}

/* Bytes or a FIN queued and never sent yet. */
static inline bool
sl_tcb_has_unsent(const struct sl_tcb *tcb)
{
	return sl_seq_lt(tcb->snd_nxt, tcb->snd_end) ||
	       (sl_state_fin_pending(tcb->state) && tcb->snd_nxt == tcb->snd_end);
}

/* Nothing more will happen to it: it waits to be freed or to become a TIME-WAIT record. */
static inline bool
sl_tcb_has_ended(const struct sl_tcb *tcb)
{
	return tcb->state == SL_ST_CLOSED || tcb->state == SL_ST_TIME_WAIT;
}

/* Our timestamp clock for a connection: milliseconds plus its own offset (RFC 7323, 5.4). */
static inline uint32_t
sl_tcb_tsval(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcp->tick + tcb->ts_offset;
}

/* SND.WND: bytes the peer takes from SND.UNA on. */
static inline uint32_t
sl_tcb_snd_wnd(const struct sl_tcb *tcb)
{
	return (uint32_t)tcb->wnd << (tcb->wnd_of_syn ? 0 : tcb->snd_scale);
}

/* MAX.SND.WND: the most they ever were. */
static inline uint32_t
sl_tcb_max_snd_wnd(const struct sl_tcb *tcb)
{
	return (uint32_t)tcb->max_wnd << (tcb->max_wnd_of_syn ? 0 : tcb->snd_scale);
}

/*
 * The retransmission time-out before it is doubled (RFC 6298, 2.3): SRTT + max(G, 4 * RTTVAR)
 * within its bounds. Until there is a sample RTTVAR alone says what it begins with.
 */
static inline uint32_t
sl_tcb_rto_ms(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);
	uint32_t var = tcb->rttvar_us4, us, ms;

	us = tcb->srtt_us8 / 8 + (var > SL_CLOCK_US ? var : SL_CLOCK_US);
	ms = (us + 999) / 1000;
	if (tcb->srtt_us8 == 0)
		return ms;
	if (ms < conf->rto_min_ms)
		return conf->rto_min_ms;
	return ms < conf->rto_max_ms ? ms : conf->rto_max_ms;
}

/* The window of a SYN, which is never scaled. */
static inline uint16_t
sl_tcp_first_window(const struct sl_tcp_conf *conf)
{
	uint32_t room =
		conf->rcvbuf < conf->rcvbuf_initial ? conf->rcvbuf : conf->rcvbuf_initial;

	return room < 65535 ? room : 65535;
}

/* Bytes that may lie here untaken by now; it only grows (grow.c). */
static inline uint32_t
sl_tcb_rcvbuf(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);
	uint64_t grown = (uint64_t)conf->rcvbuf_initial << tcb->rcv_grown;

	return grown < conf->rcvbuf ? grown : conf->rcvbuf;
}

/* Nine tenths of the received buffers that may be kept are. */
static inline bool
sl_tcp_is_scarce(const struct sl_tcp *tcp)
{
	return tcp->n_kept > tcp->scarce_from;
}

/*
 * Of the @most bytes that a connection may hold in received buffers, its share while those
 * are scarce: a segment, or a sixteenth of what is left. Whoever pins the rest, the bytes
 * of those whose application or peer keeps up go on.
 */
static inline uint32_t
sl_tcp_share(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t most)
{
	uint32_t left = tcp->n_kept < tcp->rx_buffers ? tcp->rx_buffers - tcp->n_kept : 0;
	uint64_t share = (uint64_t)tcb->mss * (left > 16 ? left / 16 : 1);

	return sl_tcp_is_scarce(tcp) && share < most ? (uint32_t)share : most;
}

/* Bring the clocks and budgets to @now; called once a step, before anything else. */
void sl_tcp_clock(struct sl_tcp *tcp, sl_ns_t now);

/* --- conn.c --- */

/* A record that is nobody's: all but its key and generation. */
void sl_tcb_clear(struct sl_tcb *tcb);

/*
 * Make a connection for @tuple, in CLOSED, in the table, with initial send number @iss.
 * NULL if there is no room anywhere; then it is counted and nothing is left behind.
 * @replaces is a TIME-WAIT record that gives way, or SL_NO_FLOW. Where timestamps may be
 * spoken of, sl_tcb.ts_offset is the caller's to set.
 */
struct sl_tcb *sl_tcb_new(struct sl_tcp *tcp, const struct sl_tuple *tuple, uint64_t hash,
			  uint16_t listener, uint32_t iss, uint32_t replaces);

/* Take the peer's SYN: its number, MSS, and what of its options we agree to. */
void sl_tcb_take_syn(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *syn);

/* Make the event happen: the only place that assigns a state. */
void sl_tcb_event(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_event_tcp event);

/* The connection is over for @why: the application is told, and settle frees it. */
void sl_tcb_kill(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_reason why);

/* As sl_tcb_kill(), sending a reset first. */
void sl_tcb_abort(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_reason why);

/* The application has no more to send: FIN will follow the last byte. */
void sl_tcb_shutdown(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* The application has no more interest at all: sl_close(). */
void sl_tcb_close(struct sl_tcp *tcp, struct sl_tcb *tcb);

/*
 * Find the way to the peer, @remote, and fit the MSS to it. @came is how its packets reach
 * us, once it has proved that it hears us, or NULL. 0, -EHOSTUNREACH, -ENOSPC.
 */
int sl_tcb_open_path(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_addr *remote,
		     const struct sl_l2 *came);

void sl_tcb_mark(struct sl_tcp *tcp, struct sl_tcb *tcb, uint8_t marks); /* to be delivered */
void sl_tcb_output(struct sl_tcp *tcp, struct sl_tcb *tcb);              /* owes segments */
/* It has ended. Settle frees it, if it owes nothing: else who pays the last debt calls again.
 */
void sl_tcb_gone(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Off to wait until some next hop is found; comes back through output. */
void sl_tcb_park(struct sl_tcp *tcp, struct sl_tcb *tcb);

void sl_tcb_tuple(const struct sl_tcp *tcp, const struct sl_key *key, struct sl_tuple *tuple);

/* Borrow the block of a connection with gaps or losses; NULL if none is left, counted. */
struct sl_active *sl_tcb_borrow(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Give it back if nothing is wrong any more. */
void sl_tcb_unborrow(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* Free what settle may free: moves to TIME-WAIT or gives the record back. */
void sl_tcb_settle(struct sl_tcp *tcp);

void sl_list_init(struct sl_list *list);
/* The next connection that owes the application or the network something; NULL: none. */
struct sl_tcb *sl_tcp_pop_deliver(struct sl_tcp *tcp);
struct sl_tcb *sl_tcp_pop_output(struct sl_tcp *tcp);

/* Whether the path became known for those that wait for one: back to output. */
void sl_tcp_unpark(struct sl_tcp *tcp);

/* The first sequence number for @tuple (RFC 6528), and its timestamp offset (RFC 7323, 5.4). */
uint32_t sl_tcp_isn(const struct sl_tcp *tcp, const struct sl_tuple *tuple);
uint32_t sl_tcp_ts_offset(const struct sl_tcp *tcp, const struct sl_tuple *tuple);

/* The line @six of key6 is nobody's any more. */
void sl_key6_give(struct sl_tcp *tcp, uint32_t six);

/* --- open.c --- */

/* Open a connection of @listener's to elsewhere; as sl_connect(). @tcb on 0. */
int sl_tcp_connect(struct sl_tcp *tcp, uint16_t listener, const struct sl_connect *to,
		   struct sl_tcb **tcb);

/* --- input.c --- */

/* A segment that met its connection, which is not CLOSED. The lane's packet may be kept. */
void sl_tcb_segment(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane);
/* The same for the segment that made its connection (sl_answer_take()). */
void sl_tcb_third(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane);

/* An ICMP error about a segment of the connection; returns whether it was taken. */
bool sl_tcb_icmp(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_icmp_error *error);

/* Send an ACK to challenge what may be forged, within limits (RFC 5961, 7). */
void sl_tcb_challenge(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* --- ack.c --- */

/* Take SEG.ACK, which lies in SND.UNA .. SND.NXT, with SACK and window. */
void sl_tcb_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);
/* The same of an ordinary segment: nothing is wrong with the connection, and no SACK came. */
void sl_tcb_ack_ordinary(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);

/* --- recv.c --- */

/* Take the bytes of a segment that is the next and fits whole; there is no gap. */
void sl_tcb_receive_next(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane);
/* Take the FIN that is next. */
void sl_tcb_receive_fin(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Take the bytes and the FIN of an acceptable segment. */
void sl_tcb_receive(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane);
/* The bytes of @seg that lie below RCV.NXT came again: the next ACK says so (RFC 2883). */
void sl_tcb_note_repeat(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);
/* The application took @bytes from the front of what is queued. */
void sl_tcb_taken(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t bytes);
/* Drop all that was received and not taken. */
void sl_tcb_drop_received(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* A received buffer of ours is given back, or a reference to it is taken. */
void sl_tcp_put_kept(struct sl_tcp *tcp, struct rte_mbuf *m);

/* Drop the pieces behind gaps, and speak of them no more. */
void sl_tcb_prune(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* --- window.c --- */

/* The window field of the next segment, not a SYN's; what it promises becomes rcv_adv. */
uint16_t sl_tcb_window(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Whether the application took enough that the peer should hear of it now. */
bool sl_tcb_window_opened(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* --- relief.c --- */

/* If received buffers have been scarce for long, somebody gives way; called once a step. */
void sl_tcp_relieve(struct sl_tcp *tcp);

/* --- grow.c --- */

/* Bytes of @seg are received in order: see whether the buffer has earned to be larger. */
void sl_tcb_earn(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);

/* --- lent.c --- */

/* The block of a connection that is about to have something in it: there is always one. */
struct sl_lent *sl_lent_take(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Something was taken out: the block goes back if that was the last. */
void sl_lent_give(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* How many blocks that takes, with so many received buffers, and larger blocks of either kind.
 */
uint32_t sl_lent_count(uint32_t rx_buffers, uint32_t n_active);

/* --- spans.c --- */

/* Queue bytes; return how many were accepted. See sl_send() and its sisters. */
uint32_t sl_spans_copy(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len);
uint32_t sl_spans_share(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_chain *in,
			uint32_t offset, uint32_t len);
uint32_t sl_spans_pin(struct sl_tcp *tcp, struct sl_tcb *tcb, const void *data, uint32_t len);
uint32_t sl_spans_room(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* What is told of the last span that an ACK covers whole. */
struct sl_covered {
	bool is_sample;   /* it was sent once, and not SACKed before */
	uint32_t sent_us; /* when */
};

/* Free all below @ack, which lies in snd_una .. snd_nxt; spans may be cut. */
struct sl_covered sl_spans_free_until(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ack);
/* What that would tell, and nothing is freed yet. */
struct sl_covered sl_spans_covered(const struct sl_tcp *tcp, const struct sl_tcb *tcb,
				   uint32_t ack);
void sl_spans_free_all(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Make @span end after @len bytes; false if no span is left for the rest. */
bool sl_spans_split(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_span *span, uint32_t len);

/* All that is queued and lies below @end has been sent; @last is what was the last before. */
void sl_spans_advance(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t end, uint32_t last);

/* The first one never sent, or SL_NO_INDEX. */
static inline uint32_t
sl_spans_unsent(const struct sl_tcb *tcb)
{
	return sl_seq_lt(tcb->snd_nxt, tcb->snd_end) ? tcb->span_edge : SL_NO_INDEX;
}

/* The last one, or SL_NO_INDEX. */
static inline uint32_t
sl_spans_last(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t unsent = sl_spans_unsent(tcb);

	return unsent == SL_NO_INDEX ? tcb->span_edge : tcp->span[unsent].last;
}

static inline struct sl_span *
sl_span_at(const struct sl_tcp *tcp, uint32_t idx)
{
	return idx == SL_NO_INDEX ? NULL : &tcp->span[idx];
}

#define SL_SPAN_OFFSET_BITS 16

/* Whose buffer the bytes lie in; NULL: in pinned memory. */
static inline struct rte_mbuf *
sl_span_owner(const struct sl_span *s)
{
	uint64_t at = s->where >> SL_SPAN_OFFSET_BITS;

	return s->marks & SL_SPAN_PINNED ? NULL : (struct rte_mbuf *)(uintptr_t)at;
}

static inline const uint8_t *
sl_span_data(const struct sl_span *s)
{
	const struct rte_mbuf *owner = sl_span_owner(s);

	if (owner == NULL)
		return (const uint8_t *)(uintptr_t)(s->where >> SL_SPAN_OFFSET_BITS);
	return (const uint8_t *)owner->buf_addr + (uint16_t)s->where;
}

/* --- recovery.c --- */

/* What ack.c sees in an acknowledgement. */
struct sl_news {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t left;      /* sl_recovery_left() before it came */
	uint32_t out;       /* in flight before it came, less those */
	struct sl_sack dup; /* what came twice, says the peer */
	bool has_dup;       /* RFC 2883 */
	bool has_sack;      /* there are blocks, and SACK was agreed */
	bool is_repeat;     /* nothing but the same once more */
	bool is_duplicate;  /* and that means something: RFC 5681, 2 */
};

/* Before spans are freed: all below SEG.ACK is delivered. */
void sl_recovery_delivered(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);
/* Look for losses once SND.UNA has moved; true if some were found. */
bool sl_recovery_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
		     const struct sl_news *news);
/* The reordering timer went off; true if what was late is lost now. */
bool sl_recovery_late(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Bytes that left the network, though not acknowledged: SACKed, or by duplicate ACKs. */
uint32_t sl_recovery_left(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
/* Take @s for lost, if it was sent again, too; returns its length. */
uint32_t sl_recovery_lose(struct sl_active *a, struct sl_span *s);
/* Whether congestion control lets another @len bytes go. */
bool sl_recovery_lets(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t len);
/* The retransmission timer went off: all in flight is doubted. */
void sl_recovery_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* A router dropped what was too big for it: sent again in smaller pieces, no congestion. */
void sl_recovery_too_big(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Bytes in the network as far as we know (RFC 6675, pipe). */
uint32_t sl_recovery_pipe(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
/* The next span taken for lost and not sent again yet; NULL: none. */
struct sl_span *sl_recovery_lost(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* As far as we know it is in the network: neither SACKed nor lost and not sent again. */
static inline bool
sl_span_is_out(const struct sl_span *s)
{
	uint8_t marks = s->marks & (SL_SPAN_SACKED | SL_SPAN_LOST | SL_SPAN_RESENT);

	return marks == 0 || marks == (SL_SPAN_LOST | SL_SPAN_RESENT);
}

/* --- sack.c --- */

/* Mark what the blocks of @seg cover whole. */
void sl_sack_take(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		  const struct sl_seg *seg);
/* Whether the first block of @seg is a D-SACK, of @dup; SND.UNA has moved already. */
bool sl_sack_tells_dup(const struct sl_tcb *tcb, const struct sl_seg *seg, struct sl_sack *dup);

/* --- rack.c --- */

/* A round trip was measured on what was sent once. */
void sl_rack_rtt(struct sl_tcb *tcb, uint32_t rtt_us);
/* @s was delivered, says @seg; in order of sequence within one ACK. */
void sl_rack_delivered(const struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		       const struct sl_span *s, const struct sl_seg *seg);
/* Mark what is lost, set a->reo_due for what may be; returns the bytes newly lost. */
uint32_t sl_rack_find_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a);
/* RFC 8985, 6.3: what a time-out takes for lost. */
void sl_rack_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a);
/* A D-SACK came for what we resent: wait longer from now on. */
void sl_rack_resent_in_vain(struct sl_tcb *tcb, struct sl_active *a);
/* A recovery is over: after some, patience shrinks again. */
void sl_rack_recovered(struct sl_tcb *tcb);

/* --- probe.c --- */

/* Of that below, what does not depend on what is in flight: SACK, and no trouble before. */
static inline bool
sl_probe_is_agreed(const struct sl_tcb *tcb)
{
	return (tcb->is & SL_IS_SACK) && tcb->backoff == 0 && !tcb->probe_doubt;
}

/* Whether a tail loss probe may be waited for: bytes are out, and nothing is wrong yet. */
bool sl_probe_may(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
uint32_t sl_probe_ms(const struct sl_tcb *tcb); /* for how long: RFC 8985, 7.2 */
/* It is time: output will send it. False if there is no block to remember it in. */
bool sl_probe_owe(struct sl_tcp *tcp, struct sl_tcb *tcb);
void sl_probe_sent(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, bool is_new);
/* Something stronger took over. @a may be NULL. */
void sl_probe_forget(struct sl_tcb *tcb, struct sl_active *a);
/* What an ACK means for a probe; true if that explains its D-SACK. @a may be NULL. */
bool sl_probe_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		  const struct sl_news *news);

/* --- prr.c --- */

/* A recovery begins, @flight bytes being out before the ACK that says so. */
void sl_prr_begin(const struct sl_tcb *tcb, struct sl_active *a, uint32_t flight);
/* An ACK delivered bytes; @is_safe if it moved SND.UNA and showed no further loss. */
void sl_prr_ack(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_active *a,
		uint32_t delivered, bool is_safe);
/* A timer found losses, without an ACK: a segment may go. */
void sl_prr_late(const struct sl_tcb *tcb, struct sl_active *a);
void sl_prr_sent(struct sl_active *a, uint32_t bytes);

/* --- timer.c --- */

/*
 * The record is looked at by @due: without a look at the wheel, if it has an entry before.
 * One that is later is moved, so what the wheel has is at most one a record.
 */
static inline void
sl_timer_arm(struct sl_tcp *tcp, struct sl_tcb *tcb, sl_tick_t due)
{
	if (!sl_wheel_covers(tcb->armed, due))
		sl_wheel_arm(tcp->wheel, sl_tcb_idx(tcp, tcb), due);
}

void sl_timer_resend_after(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
void sl_timer_app(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* An ACK may wait so long; output arms it, if nothing goes out in this step that says as much.
 */
void sl_timer_hold_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* Nothing is in flight, nothing waits to be, and nobody waits for room. */
static inline void
sl_timer_rest(struct sl_tcb *tcb)
{
	tcb->resend_due = 0;
	tcb->resend_for = SL_RESEND_TIMEOUT;
}

/* LIFE follows from the state: stopping it does nothing. */
void sl_timer_stop(struct sl_tcb *tcb, enum sl_timer_kind kind);
/* When it goes off; 0: it does not run. */
sl_tick_t sl_timer_due(const struct sl_tcp *tcp, const struct sl_tcb *tcb,
		       enum sl_timer_kind kind);
/* The resend timer as RFC 6298, 5 and RFC 8985 want it, after anything was sent or
 * acknowledged. */
void sl_timer_resend(struct sl_tcp *tcp, struct sl_tcb *tcb, bool restart);
/* Bytes went out for the first time: a tail loss probe waits for the last of them. */
void sl_timer_sent(struct sl_tcp *tcp, struct sl_tcb *tcb);
/*
 * The same, where they fit one segment, nothing was in flight before, RESEND stands and nothing
 * is wrong; @rto_ms is sl_tcb_rto_ms().
 */
void sl_timer_begin(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t rto_ms);
/* A round trip was measured. */
void sl_timer_rtt(struct sl_tcb *tcb, uint32_t rtt_us);
/* The wheel says that something of @idx may be due. */
void sl_timer_expire(struct sl_tcp *tcp, uint32_t idx);
/* LIFE, according to the state entered or what the application has done. */
void sl_timer_life(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* An open fails after @ms. */
void sl_timer_opens_by(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms);
/* A peer that was probed is alive. */
void sl_timer_answered(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* --- output.c --- */

/* Send what @tcb owes, as far as room goes; false if something is still owed. */
bool sl_tcb_send(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* --- packets.c --- */

/* @n empty packets into @m and 0, or none and -ENOMEM. */
int sl_tcp_get(struct sl_tcp *tcp, enum sl_pool pool, struct rte_mbuf **m, uint16_t n);
/* As that, to send them; what others will send that wait for output is had with them. */
int sl_tcp_get_to_send(struct sl_tcp *tcp, struct rte_mbuf **m, uint16_t n);
/*
 * One to keep copied bytes in, of which there are @bytes yet, or NULL, a lack counted. In a
 * step packets for all of them are had with it, and for those others that wait for callbacks.
 */
struct rte_mbuf *sl_tcp_get_to_keep(struct sl_tcp *tcp, uint32_t bytes);
/* Nobody takes any more from the stock of @pool in this step: what is left goes back. */
void sl_tcp_unstock(struct sl_tcp *tcp, enum sl_pool pool);
/* Give back what sl_tcp_put() has left. */
void sl_tcp_put_all(struct sl_tcp *tcp);

/*
 * Give back one reference to one segment, leaving what it links to alone. A buffer that nobody
 * else has waits here for others, at most until the step ends. To whoever counts references
 * it is gone at once.
 */
static inline void
sl_tcp_put(struct sl_tcp *tcp, struct rte_mbuf *m)
{
	assert(rte_mbuf_refcnt_read(m) > 0);
	if (rte_mbuf_refcnt_read(m) > 1) {
		if (rte_mbuf_refcnt_update(m, -1) > 0)
			return;
		rte_mbuf_refcnt_set(m, 1); /* the others let go meanwhile */
	}
	m->next = NULL;
	tcp->done[tcp->n_done++] = m;
	if (tcp->n_done >= tcp->bufs->put_together || tcp->out == NULL)
		sl_tcp_put_all(tcp); /* also between steps: the next may be long in coming */
}

/* --- answer.c --- */

/* A SYN to nobody's connection: answered by cookie or by a half-open connection. */
void sl_answer_syn(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener);
/*
 * Another segment to nobody's connection. True if it made one from a cookie, now in
 * lane->slot, and is to be taken by it; else the lane has its fate.
 */
bool sl_answer_ack(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener);
/*
 * A reset as RFC 9293, 3.10.7.1 wants it, in the buffer that came. False if none went out:
 * a reset is never answered by one, and there is a budget.
 */
bool sl_answer_reset(struct sl_tcp *tcp, struct sl_lane *lane);
/*
 * The SYN-ACK of a half-open connection again, in the buffer of the repeated SYN, whose
 * options are the ones that count from now on: a client may have given some up.
 */
void sl_answer_syn_again(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_tcb *tcb);
/*
 * A connection in SYN-RECEIVED from a SYN that was answered by a cookie or a TIME-WAIT
 * record, now that the third segment has come in @lane; it is in lane->slot. NULL if there
 * is no room; then the lane has its fate. @ts_offset is sl_tcp_ts_offset() if @syn has a
 * timestamp.
 */
struct sl_tcb *sl_answer_take(struct sl_tcp *tcp, struct sl_lane *lane, uint16_t listener,
			      uint32_t iss, const struct sl_seg *syn, uint32_t ts_offset,
			      uint32_t replaces);
/* The listener for the tuple's local end, or NULL. */
struct sl_listener *sl_tcp_listener(struct sl_tcp *tcp, const struct sl_tuple *tuple);
/* Whether @listener answers by cookies now; auto does above its backlog, until half is free. */
bool sl_answers_by_cookie(struct sl_tcp *tcp, struct sl_listener *listener);
/* Whether cookies that went out may still come back: then every ACK is checked. */
bool sl_cookies_may_be_out(const struct sl_tcp *tcp);

/* What a SYN-ACK says; made by answer.c in the buffer that came. */
struct sl_synack {
	uint32_t iss, irs, tsval, tsecr;
	uint16_t mss, wnd;
	uint8_t opts, scale, ttl, tos;
};
/* True if it went out (lane->m is NULL then). */
bool sl_answer_synack(struct sl_tcp *tcp, struct sl_lane *lane, const struct sl_synack *synack);
/* An ACK or another bare segment, the way @lane came. True if it went out. */
bool sl_answer_bare(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_seg_out *seg);
/* What was said of the port that packets name @port. */
const struct sl_port_conf *sl_tcp_port(const struct sl_tcp *tcp, uint16_t port);
/* The MSS we offer on a port: what its MTU carries (RFC 9293, 3.7.1). */
uint16_t sl_tcp_mss_offer(const struct sl_tcp *tcp, const struct sl_tcp_conf *conf,
			  uint16_t port, bool v6);

/* --- timewait.c --- */

/* Make the connection a TIME-WAIT record in the table, under @hash; it may be freed then. */
void sl_tw_enter(struct sl_tcp *tcp, struct sl_tcb *tcb, uint64_t hash);
/* A segment that met a record. True if it made a connection, as sl_answer_ack() does. */
bool sl_tw_segment(struct sl_tcp *tcp, struct sl_lane *lane);
/* An empty ring; listeners and n_tw are there. */
void sl_tw_init(struct sl_tcp *tcp);
/* Milliseconds since TIME-WAIT began. */
uint32_t sl_tw_age_ms(const struct sl_tcp *tcp, const struct sl_tw *tw);
/* When the oldest record will be over; false if there is none. */
bool sl_tw_next(const struct sl_tcp *tcp, sl_tick_t *due);
/* The table has forgotten the record, or knows another in its place. */
void sl_tw_free(struct sl_tcp *tcp, uint32_t idx);
/* Free what is over; looks at @max records at most. */
void sl_tw_expire(struct sl_tcp *tcp, uint32_t max);

#endif
