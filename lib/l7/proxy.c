/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proxy - joins each client to a backend, chosen by turns.
 *
 * Two connections on one core, a front and a back, that do the same for each other: bytes
 * are handed on as they lie in their buffers; what the other side's send buffer does not
 * accept stays untaken, so that a slow reader holds its writer; a FIN is handed on behind
 * the last byte and means only that direction. So whoever closes first at one end is seen
 * closing first at the other, and TIME-WAIT stays with the backend whenever it closed first.
 *
 * A front whose backend failed is reset, or shut down and its bytes dropped, as configured.
 */
#include <errno.h>

#include "l7/apps.h"

#define LINGER_MS 5000 /* for a client to close after we had to */

struct side {
	struct sl_ref peer; /* the connection joined to this one */
	uint32_t queued;    /* winding down: bytes not acknowledged when last looked at */
	uint16_t first;     /* front: the backend whose turn it was */
	uint16_t tried;     /* front: backends asked so far */
	bool asked;         /* front: the client spoke last */
	bool up;            /* back: established */
	bool holds;         /* bytes were left untaken */
	bool ended;         /* its FIN came */
	bool passed;        /* ... and was handed on */
};

struct turns {
	uint32_t next;
};

static const struct sl_app back_app;

/* The other side of @c, unless it is gone. */
static struct side *
other_side(struct sl_conn *c, struct sl_conn *other)
{
	struct side *side = sl_conn_state(c);

	return sl_conn_at(c, side->peer, other) ? sl_conn_state(other) : NULL;
}

static void
pass_fin(struct side *from, struct sl_conn *to)
{
	if (from->passed || from->holds)
		return;
	from->passed = true;
	sl_shutdown(to);
}

/* Bytes came either way. The front carries the clock of both. */
static void
note_progress(struct sl_conn *front)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(front);

	sl_timer(front, conf->idle_ms);
}

/* Hand what came on @c over to @other; returns what it accepted. */
static uint32_t
relay(struct sl_conn *c, struct sl_conn *other, const struct sl_chain *in)
{
	struct side *side = sl_conn_state(c);
	uint32_t took = sl_send_chain(other, in, 0, in->bytes);

	side->holds = took < in->bytes;
	if (side->ended)
		pass_fin(side, other);
	return took;
}

static bool
is_worth_another(int rc)
{
	return rc != -ENOMEM && rc != -ESHUTDOWN; /* of our own making: the same everywhere */
}

/* Open a connection to the next backend not yet tried. False when there is none. */
static bool
dial(struct sl_conn *front)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(front);
	struct side *side = sl_conn_state(front);
	uint16_t most = conf->try_next ? conf->n_backends : 1;
	struct side *back_side;
	struct sl_conn back;
	int rc;

	while (side->tried < most) {
		uint16_t i = (side->first + side->tried++) % conf->n_backends;
		struct sl_connect to = { .remote = &conf->backend[i].addr,
					 .rport = conf->backend[i].port,
					 .timeout_ms = conf->connect_ms };

		rc = sl_connect(front, &to, &back);
		if (rc == 0) {
			back_side = sl_conn_state(&back);
			back_side->peer = sl_conn_ref(front);
			side->peer = sl_conn_ref(&back);
			return true;
		}
		if (!is_worth_another(rc))
			return false;
	}
	return false;
}

/* There is no backend, or not any more: the client's bytes have nowhere to go. */
static void
let_go(struct sl_conn *front, bool reset)
{
	if (reset) {
		sl_abort(front);
		return;
	}
	sl_shutdown(front);
	sl_timer(front, LINGER_MS);
	sl_resume(front);
}

/* Each forgets the other, so that the end of one is not taken for news by the other. */
static void
part(struct side *a, struct side *b)
{
	a->peer = (struct sl_ref){ 0 };
	b->peer = (struct sl_ref){ 0 };
}

/*
 * Our FIN is queued and nothing can come that has somewhere to go. As long as bytes leave
 * the peer may take its time; when they stand still, or are all gone, it had enough of it.
 */
static void
wind_down(struct sl_conn *c)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(c);
	struct side *side = sl_conn_state(c);
	uint32_t queued = sl_send_queued(c);

	if (queued == 0) {
		sl_close(c);
	} else if (queued == side->queued) {
		sl_abort(c);
	} else {
		side->queued = queued;
		sl_timer(c, conf->idle_ms ? conf->idle_ms : LINGER_MS);
	}
}

static int
front_open(struct sl_conn *c)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(c);
	struct turns *turns = sl_listener_state(c);
	struct side *side = sl_conn_state(c);

	if (conf->n_backends == 0)
		return -EINVAL;
	side->first = (uint16_t)(turns->next++ % conf->n_backends);
	if (dial(c))
		return 0;
	if (conf->reset_on_error)
		return -EHOSTUNREACH;
	let_go(c, false);
	return 0;
}

static uint32_t
front_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct side *side = sl_conn_state(c);
	struct sl_conn back;
	struct side *back_side = other_side(c, &back);

	if (back_side == NULL) {
		side->holds = false;
		return in->bytes;
	}
	if (!back_side->up) {
		side->holds = true;
		return 0;
	}
	note_progress(c);
	side->asked = true;
	return relay(c, &back, in);
}

static void
front_peer_closed(struct sl_conn *c)
{
	struct side *side = sl_conn_state(c);
	struct sl_conn back;
	struct side *back_side = other_side(c, &back);

	side->ended = true;
	if (back_side != NULL && back_side->up)
		pass_fin(side, &back);
}

static void
front_timer(struct sl_conn *c)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(c);
	struct side *side = sl_conn_state(c);
	struct sl_conn back;
	struct side *back_side = other_side(c, &back);

	if (back_side == NULL || (side->passed && back_side->passed)) {
		wind_down(c);
		return;
	}
	part(side, back_side);
	sl_abort(&back);
	let_go(c, conf->reset_on_error);
}

static void
front_closed(struct sl_conn *c, enum sl_reason why)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(c);
	struct side *side = sl_conn_state(c);
	struct sl_conn back;
	struct side *back_side = other_side(c, &back);

	if (back_side == NULL)
		return;
	part(side, back_side);
	if (why == SL_REASON_FIN && !side->passed)
		sl_close(&back); /* a drain closed the front; nobody told the backend yet */
	else if (why == SL_REASON_FIN)
		sl_timer(&back, conf->idle_ms);
	else
		sl_abort(&back);
}

static int
back_open(struct sl_conn *c)
{
	struct side *side = sl_conn_state(c);
	struct sl_conn front;
	struct side *front_side = other_side(c, &front);

	if (front_side == NULL)
		return -ECONNABORTED;
	side->up = true;
	note_progress(&front);
	if (front_side->holds)
		sl_resume(&front);
	else if (front_side->ended)
		pass_fin(front_side, c);
	return 0;
}

static uint32_t
back_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct sl_conn front;
	struct side *front_side = other_side(c, &front);

	if (front_side == NULL)
		return in->bytes;
	note_progress(&front);
	front_side->asked = false;
	return relay(c, &front, in);
}

static void
back_peer_closed(struct sl_conn *c)
{
	struct side *side = sl_conn_state(c);
	struct sl_conn front;

	side->ended = true;
	if (other_side(c, &front) != NULL)
		pass_fin(side, &front);
}

/*
 * A backend that never answered may have a successor. One that reset the connection after
 * its FIN was handed on has said all it had to say: the client may still read that.
 */
static void
back_closed(struct sl_conn *c, enum sl_reason why)
{
	const struct sl_proxy_conf *conf = sl_listener_arg(c);
	struct side *side = sl_conn_state(c);
	struct sl_conn front;
	struct side *front_side = other_side(c, &front);

	if (front_side == NULL)
		return;
	part(side, front_side);
	if (why == SL_REASON_FIN)
		return;
	if (!side->up && dial(&front))
		return;
	let_go(&front, conf->reset_on_error && !side->passed);
}

/*
 * For a drain: a pair is idle when the backend spoke last, which is what it looks like
 * between two requests of nearly every protocol. The back follows when the front closes.
 */
static bool
front_is_idle(struct sl_conn *c)
{
	const struct side *side = sl_conn_state(c);

	return !side->asked;
}

static bool
back_is_idle(struct sl_conn *c)
{
	return false;
}

/* Room on one side lets the other hand on what it holds. */
static void
side_writable(struct sl_conn *c)
{
	struct sl_conn other;

	if (other_side(c, &other) != NULL)
		sl_resume(&other);
}

static const struct sl_app back_app = {
	.name = "proxy-back",
	.state_bytes = sizeof(struct side),
	.open = back_open,
	.data = back_data,
	.writable = side_writable,
	.peer_closed = back_peer_closed,
	.timer = wind_down,
	.is_idle = back_is_idle,
	.closed = back_closed,
};

const struct sl_app sl_proxy = {
	.name = "proxy",
	.state_bytes = sizeof(struct side),
	.listener_bytes = sizeof(struct turns),
	.opens = &back_app,
	.open = front_open,
	.data = front_data,
	.writable = side_writable,
	.peer_closed = front_peer_closed,
	.timer = front_timer,
	.is_idle = front_is_idle,
	.closed = front_closed,
};
