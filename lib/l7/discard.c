/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * discard - takes what comes and says nothing (RFC 863), until the client closes.
 */
#include "l7/apps.h"

static void
discard_peer_closed(struct sl_conn *c)
{
	sl_shutdown(c);
}

const struct sl_app sl_discard = {
	.name = "discard",
	.peer_closed = discard_peer_closed,
};
