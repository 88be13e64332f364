/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deliver - all callbacks, in the order in which things happened to a connection: open,
 * data, the peer's FIN, room, the timer, the end.
 *
 * A callback may do anything to any connection of the core. It only sets marks: what it
 * causes is delivered in a later step, sent by output, freed by settle.
 */
#include <rte_branch_prediction.h>

#include "core/core.h"
#include "tcp/timer.h"

/* False if the application refused it. */
static bool
tell_open(struct sl_core *core, const struct sl_app *app, struct sl_conn *c)
{
	struct sl_tcp *tcp = &core->tcp;

	c->tcb->is |= SL_IS_OPEN;
	if (app->open == NULL || app->open(c) == 0)
		return true;
	c->tcb->is &= ~SL_IS_OPEN;
	c->tcb->marks = 0;
	sl_timer_stop(c->tcb, SL_TIMER_APP);
	sl_count(tcp, app_refused);
	sl_stat_add(tcp->listener[c->tcb->listener].stats.refused, 1);
	sl_tcb_abort(tcp, c->tcb, SL_REASON_ABORTED);
	return false;
}

static void
tell_data(struct sl_core *core, const struct sl_app *app, struct sl_conn *c)
{
	struct sl_tcp *tcp = &core->tcp;
	struct sl_tcb *tcb = c->tcb;
	const struct sl_lent *lent = sl_tcb_lent(tcp, tcb);
	struct sl_chain in = { 0 };
	uint32_t taken;

	if (lent == NULL || lent->bytes == 0)
		return;
	in.first = lent->head;
	in.bytes = taken = lent->bytes;
	if (app->data != NULL) {
		tcp->offering = tcb;
		taken = app->data(c, &in);
		tcp->offering = NULL;
	}
	sl_tcb_taken(tcp, tcb, taken < in.bytes ? taken : in.bytes);
	if ((tcb->is & SL_IS_CLOSED_APP) && sl_tcb_unread(tcp, tcb) > 0)
		sl_tcb_abort(tcp, tcb, SL_REASON_ABORTED); /* closed with bytes unread */
	if (sl_tcb_window_opened(tcp, tcb)) {
		if (tcb->acks_owed == 0)
			tcb->acks_owed = 1;
		sl_tcb_output(tcp, tcb);
	}
}

/*
 * Whether the application may be called before closed: also when the connection came to
 * an orderly end while bytes were left untaken.
 */
static bool
is_alive(const struct sl_tcb *tcb)
{
	return (tcb->is & SL_IS_OPEN) &&
	       (tcb->state != SL_ST_CLOSED || tcb->why == SL_REASON_FIN);
}

/* The end waits until the application took or gave up what came before it. */
static void
tell_closed(const struct sl_core *core, const struct sl_app *app, struct sl_conn *c)
{
	struct sl_tcb *tcb = c->tcb;

	if (!(tcb->is & SL_IS_OPEN))
		return;
	if (tcb->why == SL_REASON_FIN && sl_tcb_unread(&core->tcp, tcb) > 0 &&
	    !(tcb->is & SL_IS_CLOSED_APP)) {
		tcb->marks |= SL_MARK_CLOSED; /* comes up again with sl_resume() */
		return;
	}
	tcb->is &= ~SL_IS_OPEN;
	sl_timer_stop(tcb, SL_TIMER_APP);
	if (app->closed != NULL)
		app->closed(c, tcb->why);
}

/* While draining, a connection with nothing under way is closed (SL_EVENT_DRAIN). */
static void
close_if_idle(struct sl_core *core, const struct sl_app *app, struct sl_conn *c)
{
	const struct sl_tcb *tcb = c->tcb;
	bool open = tcb->state == SL_ST_ESTABLISHED || tcb->state == SL_ST_CLOSE_WAIT;

	if (open && tcb->snd_una == tcb->snd_end && sl_tcb_unread(&core->tcp, tcb) == 0 &&
	    (app->is_idle == NULL || app->is_idle(c)))
		sl_tcb_close(&core->tcp, c->tcb);
}

/* Whatever @marks says, in order. */
static __rte_noinline void
tell_all(struct sl_core *core, const struct sl_app *app, struct sl_conn *c, uint8_t marks)
{
	struct sl_tcb *tcb = c->tcb;
	bool receives = !(tcb->is & SL_IS_CLOSED_APP);

	if ((marks & SL_MARK_OPEN) && tcb->state != SL_ST_CLOSED && !tell_open(core, app, c))
		return;
	if ((marks & SL_MARK_DATA) && is_alive(tcb) && receives)
		tell_data(core, app, c);
	if ((marks & SL_MARK_FIN) && is_alive(tcb) && receives && app->peer_closed != NULL)
		app->peer_closed(c);
	if ((marks & SL_MARK_WRITABLE) && is_alive(tcb) && app->writable != NULL)
		app->writable(c);
	if ((marks & SL_MARK_STALLED) && is_alive(tcb) && app->stalled != NULL)
		app->stalled(c);
	if ((marks & SL_MARK_TIMER) && is_alive(tcb) && app->timer != NULL)
		app->timer(c);
	if (core->tcp.draining && is_alive(tcb))
		close_if_idle(core, app, c);
	if (marks & SL_MARK_CLOSED)
		tell_closed(core, app, c);
}

static void
tell(struct sl_core *core, struct sl_tcb *tcb)
{
	const struct sl_app *app = sl_tcb_app(&core->tcp, tcb);
	struct sl_conn c = sl_core_handle(core, tcb);
	uint8_t marks = tcb->marks;

	tcb->marks = 0;
	if (likely(marks == SL_MARK_DATA && !core->tcp.draining)) { /* most, by one question */
		if (is_alive(tcb) && !(tcb->is & SL_IS_CLOSED_APP))
			tell_data(core, app, &c);
	} else {
		tell_all(core, app, &c, marks);
	}
	if (sl_tcb_has_ended(tcb))
		sl_tcb_gone(&core->tcp, tcb);
	else if (!(tcb->is & SL_IS_IN_OUTPUT))
		sl_timer_await_ack(&core->tcp, tcb);
}

void
sl_core_deliver(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;

	for (uint32_t n = tcp->deliver.n; n > 0; n--)
		tell(core, sl_tcp_pop_deliver(tcp));
	sl_tcp_unstock(tcp, SL_POOL_RETAIN);
}
