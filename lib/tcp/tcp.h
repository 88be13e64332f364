/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp - one core's TCP: its records, lists and clocks, and who may do what to them.
 *
 * The files of this layer each do one thing to a connection:
 *   conn.c      make, end and free it; the one place that assigns a state
 *   lists.c     who waits for what
 *   input.c     a segment that met a connection (RFC 9293, 3.10.7)
 *   ack.c       what an acknowledgement means: spans freed, RTT, losses
 *   recv.c      bytes received, and the FIN behind them
 *   pieces.c    those that lie behind a gap
 *   window.c    how many more may come
 *   grow.c      how large a receive buffer has grown
 *   relief.c    who gives way when received buffers stay scarce
 *   drain.c     the end of all connections
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

/* All connections are to end, and how far that is; see drain.c. */
struct sl_drain {
	bool kills;        /* they are reset; else closed when idle */
	uint32_t at, left; /* the record looked at next; how many still are to be */
};

/* Cookies of a crowd that are made before it is known whether all of it gets them. */
struct sl_foreseen {
	const struct sl_crowd *of; /* NULL: of none */
	struct sl_listener *listener;
	struct sl_synack_each each;
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
	/* Of a crowd, who comes to which; 0 but while it is sorted. */
	uint64_t comes_to[SL_LISTENERS_MAX];

	struct sl_prf_key isn_key, port_key; /* this core's own */
	struct sl_prf_key ts_key;            /* shared, as cookies are */
	uint64_t n_ports_drawn;              /* makes each draw of a source port another */
	const struct sl_prf_many *many;      /* the leaves of this machine */
	const struct sl_cookie_many *cookie_many;
	const struct sl_crowd_leaf *crowd_leaf;
	uint16_t leaf_bits; /* how wide vectors may be: sl_leaf_bits() */
	struct sl_cookie_keys cookies;
	/* TAI is now plus this, in ms, as far as we follow what we are told: siblings agree on
	 * cookies' keys and, by the low half, on timestamps. See sl_tcp_tai(). */
	uint64_t tai_offset_ms, tai_held_at;
	uint32_t tai_held_ms;     /* how far we were held back in all */
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
	struct sl_drain drain;
	bool always_cookies; /* some listener always answers by cookies */
	bool draining;       /* nobody new is taken, and who is idle is closed */
	bool by_the_book;    /* a test wants no short way, for what comes or goes */

	bool (*is_home)(const void *steer, const struct sl_tuple *tuple);
	const void *steer;

	struct sl_crowd few; /* those of a crowd that crowd.c deals with by themselves */
	struct sl_foreseen foreseen;
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

/* Something was taken out of @lent: it goes back if that was the last; see lent.c. */
static inline void
sl_lent_give(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_lent *lent)
{
	if (lent->bytes > 0 || (lent->active & lent->epoch) != SL_NO_BLOCK)
		return; /* two that are none */
	sl_slots_put(&tcp->free_lent, tcb->lent);
	tcb->lent = SL_NO_BLOCK;
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

/* What all our timestamp clocks are made of, but for the offset of a tuple. */
static inline uint32_t
sl_tcp_ts_clock(const struct sl_tcp *tcp)
{
	return tcp->tick + (uint32_t)tcp->tai_offset_ms;
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
/* The wall clock says @tai_ms. Our keys and timestamps go after it, and never back. */
void sl_tcp_tai(struct sl_tcp *tcp, uint64_t tai_ms);

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
/* The same for a half-open one, whose peer has proved nothing: if the way is known already. */
bool sl_tcb_find_path(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_addr *remote);

void sl_tcb_tuple(const struct sl_tcp *tcp, const struct sl_key *key, struct sl_tuple *tuple);

/* Borrow the block of a connection with gaps or losses; NULL if none is left, counted. */
struct sl_active *sl_tcb_borrow(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Give it back if nothing is wrong any more. */
void sl_tcb_unborrow(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* Free what settle may free: moves to TIME-WAIT or gives the record back. */
void sl_tcb_settle(struct sl_tcp *tcp);

/* The first sequence number for @tuple (RFC 6528), and its timestamp offset (RFC 7323, 5.4). */
uint32_t sl_tcp_isn(const struct sl_tcp *tcp, const struct sl_tuple *tuple);
uint32_t sl_tcp_ts_offset(const struct sl_tcp *tcp, const struct sl_tuple *tuple);

/* The line @six of key6 is nobody's any more. */
void sl_key6_give(struct sl_tcp *tcp, uint32_t six);

/* --- lists.c --- */

void sl_tcb_mark(struct sl_tcp *tcp, struct sl_tcb *tcb, uint8_t marks); /* to be delivered */
void sl_tcb_output(struct sl_tcp *tcp, struct sl_tcb *tcb);              /* owes segments */
/* It has ended. Settle frees it, if it owes nothing: else who pays the last debt calls again.
 */
void sl_tcb_gone(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Off to wait until some next hop is found; comes back through output. */
void sl_tcb_park(struct sl_tcp *tcp, struct sl_tcb *tcb);

void sl_list_init(struct sl_list *list);
/* The next connection that owes the application or the network something; NULL: none. */
struct sl_tcb *sl_tcp_pop_deliver(struct sl_tcp *tcp);
struct sl_tcb *sl_tcp_pop_output(struct sl_tcp *tcp);
/* The next that ended and owes nothing: it may be freed. */
struct sl_tcb *sl_tcp_pop_gone(struct sl_tcp *tcp);

/* Whether the path became known for those that wait for one: back to output. */
void sl_tcp_unpark(struct sl_tcp *tcp);

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

/* Drop the pieces behind gaps, and speak of them no more. */
void sl_tcb_prune(struct sl_tcp *tcp, struct sl_tcb *tcb);

/* --- pieces.c --- */

/* Whether what begins at @seq may be kept, and looked for a place for. */
bool sl_pieces_may_keep(struct sl_tcp *tcp, const struct sl_active *a, uint32_t seq);
/* Keep the list @m of segments, @len bytes from @seq on; false if nothing in them was new. */
bool sl_pieces_keep(struct sl_tcp *tcp, struct sl_active *a, struct rte_mbuf *m, uint32_t seq,
		    uint32_t len);
/* Of @lo..@hi, the first run of bytes that is kept already; false: none is. */
bool sl_pieces_find(const struct sl_active *a, uint32_t lo, uint32_t hi, struct sl_sack *run);
/* A segment that begins at @rcv_nxt, which is the caller's now; NULL: what is next lacks. */
struct rte_mbuf *sl_pieces_take(struct sl_tcp *tcp, struct sl_active *a, uint32_t rcv_nxt);
/* Nothing below @rcv_nxt is told of by SACK any more. */
void sl_pieces_passed(struct sl_active *a, uint32_t rcv_nxt);
/* Whether bytes behind @seq are kept. */
bool sl_pieces_go_beyond(const struct sl_active *a, uint32_t seq);
/* Give all of them back, and forget a FIN behind them. */
void sl_pieces_drop(struct sl_tcp *tcp, struct sl_active *a);

/* --- window.c --- */

/* The window field of the next segment, not a SYN's; what it promises becomes rcv_adv. */
uint16_t sl_tcb_window(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Whether the application took enough that the peer should hear of it now. */
bool sl_tcb_window_opened(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* --- relief.c --- */

/* If received buffers have been scarce for long, somebody gives way; called once a step. */
void sl_tcp_relieve(struct sl_tcp *tcp);

/* --- drain.c --- */

#define SL_DRAIN_STEP 256u /* most connections closed or reset in a step */

/* Nobody new; who is idle is closed, or else, if it @kills, everybody reset: in later steps. */
void sl_tcp_drain(struct sl_tcp *tcp, bool kills);
/* Whether the next step goes on with that. */
bool sl_tcp_drains_now(const struct sl_tcp *tcp);
/* Go on with it; called once a step. */
void sl_tcp_drain_on(struct sl_tcp *tcp);

/* --- grow.c --- */

/* Bytes of @seg are received in order: see whether the buffer has earned to be larger. */
void sl_tcb_earn(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);

/* --- lent.c --- */

/* The block of a connection that is about to have something in it: there is always one. */
struct sl_lent *sl_lent_take(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* How many blocks that takes, with so many received buffers, and larger blocks of either kind.
 */
uint32_t sl_lent_count(uint32_t rx_buffers, uint32_t n_active);

/* --- output.c --- */

/* Send what @tcb owes, as far as room goes, some of which there is; false: it owes more. */
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

/* The same for a buffer that came and was kept, or a reference to one. */
static inline void
sl_tcp_put_kept(struct sl_tcp *tcp, struct rte_mbuf *m)
{
	tcp->n_kept--;
	sl_uncount(tcp, kept);
	sl_tcp_put(tcp, m);
}

#endif
