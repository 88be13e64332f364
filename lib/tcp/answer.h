/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * answer - answers that need no connection (answer.c), and what is left of one in TIME-WAIT
 * (timewait.c).
 */
#ifndef SL_TCP_ANSWER_H
#define SL_TCP_ANSWER_H

#include "tcp/tcp.h"

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
/* The listener for a local end, a tuple's for the second, or NULL. */
struct sl_listener *sl_tcp_listener_at(struct sl_tcp *tcp, const struct sl_addr *local,
				       uint16_t port);
struct sl_listener *sl_tcp_listener(struct sl_tcp *tcp, const struct sl_tuple *tuple);
/* Whether @listener answers by cookies now; auto does above its backlog, until half is free. */
bool sl_answers_by_cookie(struct sl_tcp *tcp, struct sl_listener *listener);
/* The contrary, asked without consequences. */
bool sl_may_open_half(const struct sl_listener *listener);
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
