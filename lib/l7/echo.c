/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo - returns what comes, byte for byte (RFC 862).
 *
 * What the send buffer does not accept stays untaken, so a client that sends without
 * reading is held by its own window. After the client's FIN the rest goes back, then ours.
 */
#include "l7/apps.h"

struct echo {
	bool holds; /* bytes were left untaken */
};

static uint32_t
echo_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct echo *echo = sl_conn_state(c);
	uint32_t took = sl_send_chain(c, in, 0, in->bytes);

	echo->holds = took < in->bytes;
	if (!echo->holds && sl_conn_peer_closed(c))
		sl_shutdown(c);
	return took;
}

static void
echo_writable(struct sl_conn *c)
{
	sl_resume(c);
}

static void
echo_peer_closed(struct sl_conn *c)
{
	struct echo *echo = sl_conn_state(c);

	if (!echo->holds)
		sl_shutdown(c);
}

const struct sl_app sl_echo = {
	.name = "echo",
	.state_bytes = sizeof(struct echo),
	.data = echo_data,
	.writable = echo_writable,
	.peer_closed = echo_peer_closed,
};
