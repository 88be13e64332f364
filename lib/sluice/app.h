/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <sluice/app.h> - write an application on sluice.
 *
 * An application is a const table of callbacks. They run to completion on the core that
 * owns the connection, one at a time, never re-entered: a callback may call any function
 * of this header on its own connection or on another of the same core, also close or
 * abort it; whatever that causes is called back later. Nothing here blocks or takes locks.
 *
 * A struct sl_conn is good until the callback it was given to returns. What outlives a
 * callback is a struct sl_ref, turned back by sl_conn_at(). Lengths are bytes, times are
 * milliseconds, ports are in host order.
 */
#ifndef SLUICE_APP_H
#define SLUICE_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sl_core;
struct sl_tcb;
struct sl_addr; /* <sluice/core.h> has it */

/* A connection, for the time of a callback. The members are the library's. */
struct sl_conn {
	struct sl_core *core;
	struct sl_tcb *tcb;
	uint32_t idx;
};

/* A connection, for as long as you like: it may be gone, never another one. */
struct sl_ref {
	uint32_t idx, gen; /* all zero: no connection */
};

/*
 * Bytes received, in order: @bytes of them, the first at @offset of @first's data. They are
 * the library's, and good until the callback returns; sl_send_chain() takes references.
 */
struct sl_chain {
	const struct rte_mbuf *first; /* linked by rte_mbuf.next */
	uint32_t offset;
	uint32_t bytes;
};

/* Why a connection ended. */
enum sl_reason {
	SL_REASON_FIN,         /* closed in order from both sides */
	SL_REASON_RESET,       /* the peer reset it */
	SL_REASON_REFUSED,     /* the peer answered our SYN with a reset */
	SL_REASON_TIMEOUT,     /* no answer: to our SYN, data, FIN or keep-alive */
	SL_REASON_UNREACHABLE, /* no route, no neighbour, or a hard ICMP error to our SYN */
	SL_REASON_ABORTED,     /* sl_abort(), or sl_close() with bytes still coming in */
	SL_REASON_KILLED,      /* the core was told to end it: drain deadline */
	SL_REASON_PRESSURE,    /* it held most received bytes while buffers were scarce */
	SL_REASON_COUNT,
};

struct sl_app {
	const char *name;

	uint32_t state_bytes;    /* of sl_conn_state(), zeroed before open; at most 64 */
	uint32_t listener_bytes; /* of sl_listener_state(), zeroed at start, one a listener and
				    core */

	/* The application of connections opened with sl_connect(), or NULL if it opens none. */
	const struct sl_app *opens;

	/*
	 * The connection is established (either role). Non-zero refuses it: it is reset and
	 * closed is not called, also if it is one of sl_connect(). Called before anything else
	 * is.
	 */
	int (*open)(struct sl_conn *c);

	/*
	 * Bytes came: the whole of what is queued. Returns how many were taken, from the
	 * front (more than there are: all); the rest is offered again together with new
	 * bytes or after sl_resume(). Untaken bytes hold the receive window, and behind a FIN
	 * they hold back closed: who takes none, nor closes nor aborts, keeps the connection.
	 */
	uint32_t (*data)(struct sl_conn *c, const struct sl_chain *in);

	/* Room in the send buffer again, after a send took less than offered. */
	void (*writable)(struct sl_conn *c);

	/* The peer sent FIN and all its bytes were offered. We may go on sending. */
	void (*peer_closed)(struct sl_conn *c);

	/*
	 * What we sent was sent again three times without an answer (RFC 9293, SHLD-9). TCP
	 * goes on until tcp.user_timeout; the application may give up sooner.
	 */
	void (*stalled)(struct sl_conn *c);

	/* The time given to sl_timer() is over. */
	void (*timer)(struct sl_conn *c);

	/*
	 * Whether nothing is under way, so that a drain may close the connection now. Asked
	 * only while no bytes wait in either direction; NULL: then there is nothing.
	 */
	bool (*is_idle)(struct sl_conn *c);

	/*
	 * The end: the last callback, exactly one for each open that returned 0 and for each
	 * sl_connect() that returned 0 and was never established.
	 */
	void (*closed)(struct sl_conn *c, enum sl_reason why);
};

/* Any callback may be NULL: open NULL takes each connection, data NULL all bytes. */

/* This connection's own @state_bytes, at a multiple of 8. */
void *sl_conn_state(struct sl_conn *c);
/* This listener's own @listener_bytes on this core. */
void *sl_listener_state(struct sl_conn *c);
/* The argument given with the listener: shared by all cores, read-only. */
const void *sl_listener_arg(struct sl_conn *c);

struct sl_ref sl_conn_ref(const struct sl_conn *c);
/* The connection @ref names, on the core of @c, into @out. False if it is gone. */
bool sl_conn_at(const struct sl_conn *c, struct sl_ref ref, struct sl_conn *out);

/*
 * Queue bytes to be sent. Each returns how many were accepted, 0 to @len: less when the
 * send buffer (tcp.sndbuf) or buffers ran out, then writable is called once there is room;
 * 0 after sl_shutdown(), sl_close() or the end of the connection. sl_send() copies.
 * sl_send_chain() shares received bytes, @offset into @in. sl_send_pinned() only points:
 * the memory must outlive the core and be memory the port can read, as sl_pin_alloc()
 * of <sluice/engine.h> gives.
 */
uint32_t sl_send(struct sl_conn *c, const void *data, uint32_t len);
uint32_t sl_send_chain(struct sl_conn *c, const struct sl_chain *in, uint32_t offset,
		       uint32_t len);
uint32_t sl_send_pinned(struct sl_conn *c, const void *data, uint32_t len);

/* Bytes a send would accept now, and bytes accepted but not yet acknowledged. */
uint32_t sl_send_room(const struct sl_conn *c);
uint32_t sl_send_queued(const struct sl_conn *c);

/* Offer what the application left untaken again, after this callback. */
void sl_resume(struct sl_conn *c);

/* No more to send: FIN follows the last byte (half-close, RFC 9293, 3.6). */
void sl_shutdown(struct sl_conn *c);

/*
 * Done in both directions: FIN follows the last byte; bytes already untaken, or coming
 * later, make it a reset (RFC 9293, 3.6.1, SHLD-3; RFC 1122, 4.2.2.13).
 */
void sl_close(struct sl_conn *c);

/* Reset now; what is queued is lost. */
void sl_abort(struct sl_conn *c);

/*
 * Call timer in @ms, less than 2^31; 0 cancels. One a connection; setting it again replaces
 * it, and the end of the connection cancels it.
 */
void sl_timer(struct sl_conn *c, uint32_t ms);

/* Whether small writes wait for an ACK (Nagle, RFC 9293, 3.7.4); begins as configured. */
void sl_nodelay(struct sl_conn *c, bool nodelay);

/*
 * The type of service or traffic class (RFC 2474: DSCP in its upper six bits), and the time
 * to live or hop limit, of what is sent from now on (RFC 9293, 3.9.1, MUST-48, MUST-49);
 * they begin as configured. A @ttl of 0 changes nothing. In TIME-WAIT answers are as
 * configured again.
 */
void sl_tos(struct sl_conn *c, uint8_t tos);
void sl_ttl(struct sl_conn *c, uint8_t ttl);

/* Where an active open goes. */
struct sl_connect {
	const struct sl_addr *remote; /* IPv4-mapped for IPv4 */
	const struct sl_addr *local;  /* NULL: chosen by the route */
	uint16_t rport;
	uint16_t lport;      /* 0: a random free one whose return traffic comes to this core */
	uint32_t timeout_ms; /* of the handshake; 0: as configured */
};

/*
 * Open a connection to elsewhere on this core, with the listener of @c and the application
 * its app->opens names. On 0, @out is the new connection, in SYN-SENT, its state zeroed.
 * -EADDRNOTAVAIL no port free towards there, -EHOSTUNREACH no route, -ENOMEM connections
 * at their limit, -EINVAL a group, broadcast or impossible address, or one to open from that
 * is not ours, or no app->opens,
 * -ESHUTDOWN while draining.
 */
int sl_connect(struct sl_conn *c, const struct sl_connect *to, struct sl_conn *out);

/* What is known of a connection. @addr and @port are not NULL. */
void sl_conn_remote(const struct sl_conn *c, struct sl_addr *addr, uint16_t *port);
void sl_conn_local(const struct sl_conn *c, struct sl_addr *addr, uint16_t *port);
bool sl_conn_peer_closed(const struct sl_conn *c);       /* its FIN came */
const char *sl_conn_state_name(const struct sl_conn *c); /* "ESTABLISHED", ... */

/* Copy @len bytes from @offset of @in; returns how many there were. */
uint32_t sl_chain_copy(const struct sl_chain *in, uint32_t offset, void *to, uint32_t len);

/* The contiguous bytes at @offset of @in: how many, and where. 0 at the end. */
uint32_t sl_chain_at(const struct sl_chain *in, uint32_t offset, const void **data);

const char *sl_reason_name(enum sl_reason why);

#ifdef __cplusplus
}
#endif

#endif
