/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chargen - sends lines of text for as long as they are read (RFC 864).
 *
 * The bytes lie in pinned memory and are only pointed at, so the send buffer is kept full
 * at no cost but headers. What the client sends is thrown away; its FIN ends the stream.
 */
#include <errno.h>

#include "l7/apps.h"

struct chargen {
	uint32_t at; /* next byte of the pattern */
};

/* Offer the pattern, turn after turn, until the send buffer takes less than offered. */
static void
fill(struct sl_conn *c)
{
	const struct sl_chargen_conf *conf = sl_listener_arg(c);
	struct chargen *gen = sl_conn_state(c);
	uint32_t offered, took;

	do {
		offered = conf->pattern.bytes - gen->at;
		took = sl_send_pinned(c, (const char *)conf->pattern.data + gen->at, offered);
		gen->at = (gen->at + took) % conf->pattern.bytes;
	} while (took == offered);
}

static int
chargen_open(struct sl_conn *c)
{
	const struct sl_chargen_conf *conf = sl_listener_arg(c);

	if (conf->pattern.bytes == 0)
		return -EINVAL;
	fill(c);
	return 0;
}

static void
chargen_peer_closed(struct sl_conn *c)
{
	sl_shutdown(c);
}

const struct sl_app sl_chargen = {
	.name = "chargen",
	.state_bytes = sizeof(struct chargen),
	.open = chargen_open,
	.writable = fill,
	.peer_closed = chargen_peer_closed,
};
