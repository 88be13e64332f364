/* SPDX-License-Identifier: BSD-3-Clause */
/* echo - a whole application: what comes goes back, as fast as it is taken. */
#include <sluice/app.h>

static uint32_t
data(struct sl_conn *c, const struct sl_chain *in)
{
	uint32_t took = sl_send_chain(c, in, 0, in->bytes);
	bool *holds = sl_conn_state(c);

	*holds = took < in->bytes; /* what was not taken is offered again */
	if (!*holds && sl_conn_peer_closed(c))
		sl_shutdown(c);
	return took;
}

static void
peer_closed(struct sl_conn *c)
{
	if (!*(bool *)sl_conn_state(c))
		sl_shutdown(c);
}

const struct sl_app echo = {
	.name = "my-echo",
	.state_bytes = sizeof(bool),
	.data = data,
	.writable = sl_resume,
	.peer_closed = peer_closed,
};
