/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * act - an application that does in each callback what the input last asked for, once;
 * it checks that callbacks come in their order and that bytes come in theirs.
 */
#include <string.h>

#include "world.h"

#define PINNED 65536u /* bytes after which a stream repeats itself */

struct act_state {
	struct world *w;
	uint32_t next; /* number of the byte that comes next */
	bool opened, closed, peer_closed;
};

static struct world *
world_of(struct sl_conn *c)
{
	return (struct world *)(uintptr_t)sl_listener_arg(c);
}

/* Memory from which any stretch of a stream can be sent. */
static const uint8_t *
pinned_at(uint32_t seq)
{
	static uint8_t bytes[2 * PINNED];
	static bool filled;

	for (uint32_t i = 0; i < sizeof(bytes) && !filled; i++)
		bytes[i] = world_byte(i);
	filled = true;
	return bytes + seq % PINNED;
}

static void
send_copied(struct sl_conn *c, uint32_t n)
{
	uint8_t bytes[255 * 20];

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = world_byte(c->tcb->snd_end + i);
	sl_send(c, bytes, n);
}

void
world_act(struct world *w, struct sl_conn *c, enum act what, uint8_t arg)
{
	switch (what) {
	case ACT_SEND:
		send_copied(c, arg < 128 ? arg : arg * 20u);
		break;
	case ACT_PINNED:
		sl_send_pinned(c, pinned_at(c->tcb->snd_end), arg * 40u);
		break;
	case ACT_SHUTDOWN:
		sl_shutdown(c);
		break;
	case ACT_CLOSE:
		sl_close(c);
		break;
	case ACT_ABORT:
		sl_abort(c);
		break;
	case ACT_RESUME:
		sl_resume(c);
		break;
	case ACT_TIMER:
		sl_timer(c, arg * 10u);
		break;
	case ACT_NODELAY:
		sl_nodelay(c, arg & 1);
		break;
	case ACT_CONNECT:
		world_connect(w, c);
		break;
	default:
		break;
	}
	fuzz_demand(sl_send_room(c) <= 1u << 20);
}

/* The one thing asked for, in whatever callback comes first. */
static void
in_mood(struct sl_conn *c)
{
	struct world *w = world_of(c);
	enum act what = w->mood % ACT_COUNT;

	w->mood = ACT_NOTHING;
	world_act(w, c, what, w->mood_arg);
}

static int
act_open(struct sl_conn *c)
{
	struct act_state *s = sl_conn_state(c);
	struct world *w = world_of(c);

	fuzz_demand(!s->opened && !s->closed);
	s->opened = true;
	s->w = w;
	s->next = c->tcb->rcv_nxt - sl_tcb_unread(&c->core->tcp, c->tcb) -
		  !!(c->tcb->is & SL_IS_FIN_IN);
	w->opened++;
	if (w->mood == ACT_COUNT) { /* refuse */
		w->mood = ACT_NOTHING;
		w->opened--;
		return -1;
	}
	in_mood(c);
	return 0;
}

static uint32_t
check_bytes(struct act_state *s, const struct sl_chain *in, uint32_t want)
{
	uint32_t at = 0, n;
	const void *data;

	while (at < want && (n = sl_chain_at(in, at, &data)) > 0) {
		n = n < want - at ? n : want - at;
		for (uint32_t i = 0; i < n && !s->w->raw; i++)
			fuzz_demand(((const uint8_t *)data)[i] == world_byte(s->next + at + i));
		at += n;
	}
	fuzz_demand(at == want);
	return at;
}

static uint32_t
act_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct act_state *s = sl_conn_state(c);
	struct world *w = world_of(c);
	uint32_t most = w->mood_arg & 0x80 ? w->mood_arg & 0x7f : UINT32_MAX;
	uint32_t want = in->bytes < most ? in->bytes : most;

	fuzz_demand(s->opened && !s->closed && in->bytes > 0);
	if (w->mood == ACT_SHARE && !w->raw) {
		w->mood = ACT_NOTHING;
		w->raw = true; /* echoed bytes are not at their own numbers */
		sl_send_chain(c, in, w->mood_arg & 7, want);
	}
	want = check_bytes(s, in, want);
	s->next += want;
	in_mood(c);
	return want;
}

static void
act_peer_closed(struct sl_conn *c)
{
	struct act_state *s = sl_conn_state(c);

	fuzz_demand(s->opened && !s->closed && !s->peer_closed);
	s->peer_closed = true;
	in_mood(c);
}

static void
act_any(struct sl_conn *c)
{
	struct act_state *s = sl_conn_state(c);

	fuzz_demand(!s->closed);
	in_mood(c);
}

static void
act_closed(struct sl_conn *c, enum sl_reason why)
{
	struct act_state *s = sl_conn_state(c);
	struct world *w = world_of(c);

	fuzz_demand(!s->closed && why < SL_REASON_COUNT);
	fuzz_demand(sl_reason_name(why) != NULL);
	s->closed = true;
	if (s->opened)
		w->closed++;
	in_mood(c);
}

const struct sl_app act_app = {
	.name = "act",
	.state_bytes = sizeof(struct act_state),
	.opens = &act_app,
	.open = act_open,
	.data = act_data,
	.writable = act_any,
	.peer_closed = act_peer_closed,
	.timer = act_any,
	.closed = act_closed,
};
