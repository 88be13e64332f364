/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer - which event means what for which timer (RFC 9293, 3.8; RFC 6298).
 *
 * A deadline is as many bits of the tcb as it needs, or follows from what else is there: moving
 * it later or clearing it asks nobody. The wheel holds an entry at or before the earliest; when
 * that comes up, what is due is done and the rest is armed again.
 */
#include "tcp/timer.h"
#include "tcp/recovery.h"
#include "tcp/tcp.h"

#define HALF_OPEN_TRIES 5u /* SYN-ACKs sent again before a passive open is forgotten */
#define R1_RESENDS      3u /* the application hears that nothing gets through (MUST-20) */
#define BACKOFF_MAX     16u
#define STARVED_MS      10u /* until an application is asked to send again */

/* RESEND at @due. */
static void
resend_at(struct sl_tcp *tcp, struct sl_tcb *tcb, sl_tick_t due)
{
	tcb->resend_due = sl_tick_low(due, SL_RESEND_MASK);
	sl_timer_arm(tcp, tcb, due);
}

void
sl_timer_resend_after(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms)
{
	resend_at(tcp, tcb, sl_tick_after(tcp->tick, ms));
}

void
sl_timer_app(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms)
{
	tcb->app_due = sl_tick_after(tcp->tick, ms);
	sl_timer_arm(tcp, tcb, tcb->app_due);
}

void
sl_timer_hold_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms)
{
	tcb->ack_due = sl_tick_low(tcp->tick + ms, SL_ACK_MASK);
}

void
sl_timer_stop(struct sl_tcb *tcb, enum sl_timer_kind kind)
{
	if (kind == SL_TIMER_RESEND)
		tcb->resend_due = 0;
	else if (kind == SL_TIMER_ACK)
		tcb->ack_due = 0;
	else if (kind == SL_TIMER_APP)
		tcb->app_due = 0;
}

/* The time-out @rto_ms, doubled as often as it went off. */
static uint32_t
doubled(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t rto_ms)
{
	uint32_t most = sl_tcb_conf(tcp, tcb)->rto_max_ms;
	uint64_t ms = (uint64_t)rto_ms << tcb->backoff;

	return ms < most ? ms : most;
}

static uint32_t
backed_off(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return doubled(tcp, tcb, sl_tcb_rto_ms(tcp, tcb));
}

/* With nothing queued: the application's last send found no buffer. */
static bool
is_starved(const struct sl_tcb *tcb)
{
	return (tcb->is & SL_IS_WANTS_ROOM) && sl_state_can_send(tcb->state);
}

/*
 * When the time-out would go off: what the deadline means now may stand before it. PROBE is
 * only waited for while nothing was doubled, and hope is what restarts the time-out.
 */
static sl_tick_t
timeout_due(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (tcb->resend_for == SL_RESEND_PROBE)
		return sl_tick_after(tcb->progress, sl_tcb_rto_ms(tcp, tcb));
	if (tcb->resend_for == SL_RESEND_LATE)
		return a != NULL ? a->rto_due : sl_tick_after(tcp->tick, backed_off(tcp, tcb));
	return sl_timer_due(tcp, tcb, SL_TIMER_RESEND);
}

/* What the deadline should mean now. */
static enum sl_resend
resend_for(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a != NULL && a->reo_due != 0)
		return SL_RESEND_LATE;
	return sl_probe_may(tcp, tcb) ? SL_RESEND_PROBE : SL_RESEND_TIMEOUT;
}

/* The one deadline, for what comes first: @rto_due, or what stands before it. */
static void
wait_for(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_resend what, sl_tick_t rto_due)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	sl_tick_t due = rto_due;

	if (what == SL_RESEND_LATE) {
		a->rto_due = rto_due;
		due = a->reo_due;
	} else if (what == SL_RESEND_PROBE) {
		due = sl_tick_after(tcp->tick, sl_probe_ms(tcb));
	}
	if (sl_tick_lt(rto_due, due)) {
		due = rto_due;
		if (what == SL_RESEND_LATE)
			what = SL_RESEND_TIMEOUT;
	}
	tcb->resend_for = what;
	resend_at(tcp, tcb, due);
}

/*
 * The timer runs while something is in flight (RFC 6298, 5.1, 5.2), and while something
 * waits with nothing in flight: only a closed window does that, and it must be probed
 * (RFC 9293, 3.8.6.1). An application that found no buffer to put its bytes into has no ACK
 * to wait for either: it is told to try again.
 */
void
sl_timer_resend(struct sl_tcp *tcp, struct sl_tcb *tcb, bool restart)
{
	bool in_flight = tcb->snd_una != tcb->snd_nxt;
	bool runs = tcb->resend_due != 0;
	enum sl_resend what;

	if (!in_flight && !sl_tcb_has_unsent(tcb)) {
		tcb->resend_for = SL_RESEND_TIMEOUT;
		if (!is_starved(tcb))
			sl_timer_stop(tcb, SL_TIMER_RESEND);
		else if (!runs)
			sl_timer_resend_after(tcp, tcb, STARVED_MS);
		return;
	}
	if (!restart && runs && !sl_tcb_has_active(tcp, tcb) &&
	    tcb->resend_for != SL_RESEND_LATE)
		return; /* it runs, and nothing happened */
	if (!restart && !runs && !in_flight)
		tcb->progress =
			tcp->tick; /* R2 begins with the waiting, not when it last spoke */
	what = resend_for(tcp, tcb);
	if (restart || !runs)
		wait_for(tcp, tcb, what, sl_tick_after(tcp->tick, backed_off(tcp, tcb)));
	else if (what == SL_RESEND_LATE || what != tcb->resend_for)
		wait_for(tcp, tcb, what, timeout_due(tcp, tcb));
}

void
sl_timer_sent(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->resend_due != 0 && tcb->resend_for == SL_RESEND_PROBE &&
	    sl_probe_may(tcp, tcb))
		wait_for(tcp, tcb, SL_RESEND_PROBE, timeout_due(tcp, tcb));
	else
		sl_timer_resend(tcp, tcb, false);
}

/* What sl_timer_sent() does of it. */
void
sl_timer_begin(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t rto_ms)
{
	sl_tick_t due = sl_tick_after(tcp->tick, doubled(tcp, tcb, rto_ms)), probe_due;
	enum sl_resend what = SL_RESEND_TIMEOUT;

	assert(tcb->resend_due == 0 && !sl_tcb_has_active(tcp, tcb));
	if (sl_probe_is_agreed(tcb)) {
		what = SL_RESEND_PROBE;
		probe_due = sl_tick_after(tcp->tick, sl_probe_ms(tcb));
		if (sl_tick_lt(probe_due, due))
			due = probe_due;
	}
	tcb->resend_for = what;
	resend_at(tcp, tcb, due);
}

static uint32_t
at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

/*
 * RFC 6298, 2.2 and 2.3, in scaled integers. A round trip of more than 33 seconds is too long
 * for SRTT, and what it has more goes on counting as variation: so the time-out is longer than
 * it all the same, up to five minutes.
 */
void
sl_timer_rtt_extreme(struct sl_tcb *tcb, uint32_t rtt_us)
{
	rtt_us = at_most(rtt_us > 0 ? rtt_us : 1, SL_RTT_MOST);
	if (tcb->srtt_us8 == 0) {
		tcb->srtt_us8 = at_most(rtt_us, SL_RTT_MOST / 8) * 8;
		tcb->rttvar_us4 = at_most(rtt_us * 2, SL_RTT_MOST);
	} else {
		int32_t err = (int32_t)(rtt_us - tcb->srtt_us8 / 8);
		uint32_t dev = err < 0 ? -err : err;

		tcb->rttvar_us4 =
			at_most(tcb->rttvar_us4 + dev - tcb->rttvar_us4 / 4, SL_RTT_MOST);
		tcb->srtt_us8 = at_most(tcb->srtt_us8 + err, SL_RTT_MOST);
	}
}

/* The peer's FIN is all that can come, and there is nobody left to wait for it. */
static bool
is_orphan(const struct sl_tcb *tcb)
{
	return tcb->state == SL_ST_FIN_WAIT_2 && (tcb->is & SL_IS_CLOSED_APP);
}

/* How long nothing was heard when the next keep-alive is due. */
static uint32_t
patience_ms(const struct sl_tcp_conf *conf, const struct sl_tcb *tcb)
{
	return conf->keepalive_ms + tcb->n_probes * conf->keepalive_interval_ms;
}

/*
 * LIFE is not set but follows from the state. It moves nearer only where arm_life() is called.
 */
static sl_tick_t
life_due(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);

	if (sl_tcb_has_ended(tcb))
		return 0;
	if (!sl_state_is_synchronized(tcb->state))
		return tcb->opens_by;
	if (is_orphan(tcb))
		return sl_tick_after(tcb->progress, conf->fin_wait_ms);
	if (conf->keepalive_ms == 0 || tcb->n_probes == SL_PROBES_RESEND)
		return 0;
	return sl_tick_after(tcb->heard, patience_ms(conf, tcb));
}

sl_tick_t
sl_timer_due(const struct sl_tcp *tcp, const struct sl_tcb *tcb, enum sl_timer_kind kind)
{
	switch (kind) {
	case SL_TIMER_RESEND:
		return sl_tick_of_low(tcp->tick, tcb->resend_due, SL_RESEND_MASK);
	case SL_TIMER_ACK:
		return sl_tick_of_low(tcp->tick, tcb->ack_due, SL_ACK_MASK);
	case SL_TIMER_APP:
		return tcb->app_due;
	default:
		return life_due(tcp, tcb);
	}
}

static void
arm_life(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	sl_tick_t due = life_due(tcp, tcb);

	if (due != 0)
		sl_timer_arm(tcp, tcb, due);
}

void
sl_timer_life(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (is_orphan(tcb))
		tcb->progress = tcp->tick; /* nothing is in flight or will be */
	arm_life(tcp, tcb);
}

void
sl_timer_opens_by(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ms)
{
	tcb->opens_by = sl_tick_after(tcp->tick, ms);
	arm_life(tcp, tcb);
}

void
sl_timer_answered(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	tcb->n_probes = 0;
	arm_life(tcp, tcb);
}

static void
back_off(struct sl_tcb *tcb)
{
	if (tcb->backoff < BACKOFF_MAX)
		tcb->backoff++;
}

/*
 * A handshake without answer: again, or given up. For who came to us, and may be a forgery, no
 * neighbour is looked for: if it is no forgery its own SYN comes again, and is answered the way
 * it came.
 */
static void
expire_syn(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	bool forget = tcb->is & SL_IS_ACTIVE ? tcp->tick - tcb->progress >=
						       sl_tcb_conf(tcp, tcb)->syn_timeout_ms
					     : tcb->backoff >= HALF_OPEN_TRIES;
	struct sl_tuple tuple;

	if (forget) {
		sl_count(tcp, timed_out);
		sl_tcb_kill(tcp, tcb, SL_REASON_TIMEOUT);
		return;
	}
	back_off(tcb);
	sl_tcb_tuple(tcp, &tcb->key, &tuple);
	if (tcb->path != SL_NO_PATH || sl_tcb_find_path(tcp, tcb, &tuple.remote)) {
		tcb->owes |= SL_OWES_SYN;
		sl_tcb_output(tcp, tcb);
	}
	sl_timer_resend(tcp, tcb, true);
}

/*
 * What stood before the time-out is due; true if that was all. Without a block for a probe
 * the time-out is waited for.
 */
static bool
expire_early(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	enum sl_resend what = tcb->resend_for;
	sl_tick_t rto_due = timeout_due(tcp, tcb);
	bool restart;

	if (what == SL_RESEND_TIMEOUT)
		return false;
	if (what == SL_RESEND_LATE)
		restart = sl_tcb_has_active(tcp, tcb) && sl_recovery_late(tcp, tcb);
	else
		restart = tcb->wnd > 0 && sl_probe_owe(tcp, tcb);
	tcb->resend_for = SL_RESEND_TIMEOUT;
	if (!restart && sl_tick_le(rto_due, tcp->tick))
		return false;
	wait_for(tcp, tcb, SL_RESEND_TIMEOUT, rto_due);
	if (what == SL_RESEND_LATE || restart)
		sl_timer_resend(tcp, tcb, restart);
	return true;
}

/* Data or FIN without ACK, or a window that stays closed. */
static void
expire_resend(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t most = sl_tcb_conf(tcp, tcb)->user_timeout_ms;
	bool probing = tcb->wnd == 0 || tcb->snd_una == tcb->snd_nxt;

	if (!sl_state_is_synchronized(tcb->state)) {
		expire_syn(tcp, tcb);
		return;
	}
	if (tcb->snd_una == tcb->snd_nxt && !sl_tcb_has_unsent(tcb)) {
		if (is_starved(tcb))
			sl_tcb_mark(tcp, tcb, SL_MARK_WRITABLE);
		tcb->is &= ~SL_IS_WANTS_ROOM;
		return;
	}
	if (most > 0 && tcp->tick - tcb->progress >= most) {
		sl_count(tcp, timed_out);
		sl_tcb_abort(tcp, tcb, SL_REASON_TIMEOUT);
		return;
	}
	if (expire_early(tcp, tcb))
		return;
	if (probing) {
		sl_count(tcp, probe);
	} else {
		sl_count(tcp, rto);
		sl_recovery_timeout(tcp, tcb);
	}
	back_off(tcb);
	if (!probing && tcb->backoff == R1_RESENDS)
		sl_tcb_mark(tcp, tcb, SL_MARK_STALLED); /* SHLD-9 */
	tcb->owes |= SL_OWES_HEAD;
	sl_tcb_output(tcp, tcb);
	sl_timer_resend(tcp, tcb, true);
}

static void
expire_ack(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->acks_owed == 0)
		tcb->acks_owed = 1;
	sl_tcb_output(tcp, tcb);
}

/*
 * RFC 9293, 3.8.4: one unanswered probe is not death. A core that came late to this one waits
 * for its answer as long as for any other.
 */
static void
expire_keepalive(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);

	if (tcb->n_probes >= conf->keepalive_probes) {
		sl_count(tcp, timed_out);
		sl_tcb_abort(tcp, tcb, SL_REASON_TIMEOUT);
		return;
	}
	if (tcb->snd_una != tcb->snd_nxt) {
		tcb->n_probes = SL_PROBES_RESEND;
		return;
	}
	tcb->heard = tcp->tick - patience_ms(conf, tcb);
	tcb->n_probes++;
	tcb->owes |= SL_OWES_PROBE;
	sl_tcb_output(tcp, tcb);
}

static void
expire_life(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (is_orphan(tcb) || !sl_state_is_synchronized(tcb->state)) {
		sl_count(tcp, timed_out);
		sl_tcb_kill(tcp, tcb, SL_REASON_TIMEOUT);
	} else {
		expire_keepalive(tcp, tcb);
	}
}

static void
expire_kind(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_timer_kind kind)
{
	switch (kind) {
	case SL_TIMER_RESEND:
		expire_resend(tcp, tcb);
		break;
	case SL_TIMER_ACK:
		expire_ack(tcp, tcb);
		break;
	case SL_TIMER_LIFE:
		expire_life(tcp, tcb);
		break;
	case SL_TIMER_APP:
		sl_tcb_mark(tcp, tcb, SL_MARK_TIMER);
		break;
	default:
		break;
	}
}

void
sl_timer_expire(struct sl_tcp *tcp, uint32_t idx)
{
	struct sl_tcb *tcb = &tcp->tcb[idx];
	sl_tick_t first = 0, due;

	for (int i = 0; i < SL_TIMER_COUNT; i++) {
		due = sl_timer_due(tcp, tcb, i);
		if (due != 0 && sl_tick_le(due, tcp->tick)) {
			sl_timer_stop(tcb, i);
			expire_kind(tcp, tcb, i);
		}
	}
	for (int i = 0; i < SL_TIMER_COUNT; i++) {
		due = sl_timer_due(tcp, tcb, i);
		if (due != 0 && (first == 0 || sl_tick_lt(due, first)))
			first = due;
	}
	if (first != 0)
		sl_timer_arm(tcp, tcb, first);
}
