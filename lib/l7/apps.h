/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * apps - the applications shipped with the library, and what each is configured with.
 *
 * A configuration is given as sl_listener_conf.arg; it is read-only and shared by all
 * cores. @pattern is memory the port can read (sl_send_pinned()), the same for all.
 */
#ifndef SL_L7_APPS_H
#define SL_L7_APPS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/app.h>

#include "base/addr.h"

extern const struct sl_app sl_echo;    /* returns what comes; arg NULL */
extern const struct sl_app sl_discard; /* takes what comes; arg NULL */
extern const struct sl_app sl_chargen; /* RFC 864 lines until the peer closes */
extern const struct sl_app sl_http;
extern const struct sl_app sl_proxy;

/* Bytes to send from, over and over: @bytes of them at @data. */
struct sl_pattern {
	const void *data;
	uint32_t bytes;
};

/* Fill @data with the lines of RFC 864, a whole number of turns; returns the bytes used. */
uint32_t sl_pattern_fill(void *data, uint32_t bytes);

struct sl_chargen_conf {
	struct sl_pattern pattern;
};

struct sl_http_conf {
	struct sl_pattern pattern;
	uint64_t body_bytes;    /* of the answer to any path but /bytes/N */
	uint32_t head_max;      /* most bytes of request line and headers: 431, 414 */
	uint32_t first_byte_ms; /* from open to the first byte; 0: no limit */
	uint32_t head_ms;       /* from the first byte to the empty line: 408 */
	uint32_t idle_ms;       /* between requests of a kept connection */
	uint32_t linger_ms;     /* after our FIN, to let the client close */
};

#define SL_BACKENDS_MAX 64

struct sl_proxy_conf {
	uint16_t n_backends;
	struct {
		struct sl_addr addr;
		uint16_t port;
	} backend[SL_BACKENDS_MAX];
	uint32_t connect_ms; /* a backend that does not answer */
	uint32_t idle_ms;    /* no byte either way; 0: no limit */
	bool reset_on_error; /* backend refused, silent or reset: reset the client, else close
			      */
	bool try_next;       /* backend refused or silent: try the next before giving up */
};

#endif
