/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conf - what TCP can be told: settings, and the listeners they belong to.
 *
 * Times are milliseconds, sizes bytes. Read-only once a core is open.
 */
#ifndef SL_TCP_CONF_H
#define SL_TCP_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define SL_LISTENERS_MAX 256
#define SL_NAME_MAX      32

struct sl_app;

enum sl_cookies {
	SL_COOKIES_AUTO,   /* a backlog of half-open connections, cookies when it is full */
	SL_COOKIES_ALWAYS, /* a SYN allocates nothing */
	SL_COOKIES_NEVER,  /* a full backlog drops SYNs */
};

enum sl_congestion {
	SL_CONGESTION_CUBIC,
	SL_CONGESTION_NEWRENO,
	SL_CONGESTION_COUNT,
};

/* TCP's settings; each listener has its own copy. sl_tcp_defaults() fills it. */
struct sl_tcp_conf {
	/* bytes a connection may hold: received untaken, at most and to begin with; unacked */
	uint32_t rcvbuf, rcvbuf_initial, sndbuf;
	uint32_t msl_ms;                 /* TIME-WAIT lasts twice this */
	uint32_t rto_min_ms, rto_max_ms; /* up to 17 minutes */
	uint32_t delayed_ack_ms;         /* up to 4 seconds */
	uint32_t syn_timeout_ms;         /* an active or half-open handshake is given up */
	uint32_t user_timeout_ms; /* unacknowledged data or FIN: the connection is given up (R2)
				   */
	uint32_t fin_wait_ms;     /* FIN-WAIT-2 after sl_close() */
	uint32_t keepalive_ms;    /* idle before the first probe; 0: off */
	uint32_t keepalive_interval_ms;
	uint16_t keepalive_probes; /* at most 100 */
	uint16_t mss;              /* most we offer and send; 0: what the path carries */
	uint8_t cookies;           /* enum sl_cookies */
	uint8_t quick_acks; /* full segments acknowledged at once, of a slow start; 0 to 7 */
	uint8_t congestion; /* enum sl_congestion */
	uint8_t ttl, tos;
	bool nagle, sack, timestamps, window_scaling;
};

void sl_tcp_defaults(struct sl_tcp_conf *conf);

/* Where connections come from. port 0 listens nowhere: a group for sl_core_connect(). */
struct sl_listener_conf {
	char name[SL_NAME_MAX];
	struct sl_addr addr; /* all zero: any address of ours */
	uint16_t port;
	const struct sl_app *app;
	const void *arg; /* for sl_listener_arg(); outlives the core */
	/* of a core; <sluice/engine.h> divides them among its workers */
	uint32_t connections; /* most at once; 0: as the core's */
	uint32_t backlog;     /* half-open ones before cookies or drops; 0: 1024 */
	struct sl_tcp_conf tcp;
};

struct sl_listener_stats {
	uint64_t syn, cookie_sent, cookie_ok, opened, closed, refused;
	uint64_t live, half_open;
	bool cookie_mode; /* now answering by cookies */
};

#endif
