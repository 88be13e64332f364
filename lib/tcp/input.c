/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input - a segment that met its connection: RFC 9293, 3.10.7, in its own order, with the
 * checks of RFC 5961 and the timestamps of RFC 7323. What a connection nearly always gets
 * passes a gate into a short cut, which a test compares with the long way round.
 */
#include <rte_branch_prediction.h>

#include "tcp/answer.h"
#include "tcp/recovery.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

#define CHALLENGE_BURST 3u   /* challenge ACKs at once, a connection ... */
#define CHALLENGE_MS    500u /* ... each earned back in this time (RFC 5961, 7) */
/* RFC 7323, 5.5: in 24 days at the latest, an hour or two earlier. */
#define TS_VOID (24u * 24 * 3600 / SL_TS_AGE_S - 1)

/* Owe an ACK that says where we are. */
static void
owe_ack(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->acks_owed == 0)
		tcb->acks_owed = 1;
	sl_tcb_output(tcp, tcb);
}

/*
 * The time counts up to 65 seconds and then begins anew: what is earned in a longer silence may
 * be less than all, never more.
 */
void
sl_tcb_challenge(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint16_t earned = (uint16_t)(tcp->tick - tcb->challenged) / CHALLENGE_MS;

	if (earned >= tcb->n_challenges) {
		tcb->n_challenges = 0;
		tcb->challenged = tcp->tick;
	} else {
		tcb->n_challenges -= earned;
		tcb->challenged += earned * CHALLENGE_MS;
	}
	if (tcb->n_challenges >= CHALLENGE_BURST || tcp->challenge_budget == 0)
		return;
	tcp->challenge_budget--;
	tcb->n_challenges++;
	sl_count(tcp, challenge_ack);
	owe_ack(tcp, tcb);
}

/*
 * 3.10.7.4, first, table 6: any of the segment's octets, or its mere place, in the window.
 * What a reset brings besides (3.5.3) is not taken and asks for no room.
 */
static bool
is_acceptable(const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t wnd = tcb->rcv_adv - tcb->rcv_nxt;
	uint32_t span = seg->flags & SL_RST ? 0 : sl_seg_span(seg);
	uint32_t first = seg->seq - tcb->rcv_nxt, last = first + span - 1;

	if (span == 0)
		return wnd == 0 ? first == 0 : first < wnd;
	if (wnd == 0)
		return false;
	return first < wnd || last < wnd;
}

/* What we heard last of the peer's time is too long ago to matter. */
static bool
is_void(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return (uint16_t)(tcp->ts_age - tcb->ts_age) >= TS_VOID;
}

/* Older than what we heard last (RFC 7323, 5.2). */
static bool
is_stale(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	return (tcb->is & SL_IS_TS) && (seg->opts & SL_OPT_TS) && !(seg->flags & SL_RST) &&
	       sl_seq_lt(seg->tsval, tcb->ts_recent) && !is_void(tcp, tcb);
}

/*
 * RFC 7323, 4.3: what covers the last ACK we sent brings the timestamp to echo. How far
 * that ACK is behind is counted up to 65535 only, which does no harm: no acceptable segment
 * begins as far below RCV.NXT.
 */
static void
take_timestamp(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	if ((tcb->is & SL_IS_TS) && (seg->opts & SL_OPT_TS) &&
	    sl_seq_le(seg->seq, tcb->rcv_nxt - tcb->unacked) &&
	    (sl_seq_ge(seg->tsval, tcb->ts_recent) || is_void(tcp, tcb))) {
		tcb->ts_recent = seg->tsval;
		tcb->ts_age = tcp->ts_age;
	}
}

/* In SYN-RECEIVED output says nothing but our SYN-ACK: where we are goes back at once. */
static void
tell_half_open(struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);
	struct sl_seg_out seg = {
		.seq = tcb->snd_nxt,
		.ack = tcb->rcv_nxt,
		.wnd = sl_tcp_first_window(conf),
		.flags = SL_ACK,
		.ttl = tcb->ttl,
		.tos = tcb->tos,
	};

	if (tcp->challenge_budget == 0 || lane->m == NULL)
		return;
	if (tcb->is & SL_IS_TS) {
		seg.opts = SL_OPT_TS;
		seg.tsval = sl_tcb_tsval(tcp, tcb);
		seg.tsecr = tcb->ts_recent;
	}
	if (!sl_answer_bare(tcp, lane, &seg))
		return;
	tcp->challenge_budget--;
	sl_count(tcp, challenge_ack);
}

/* Say where we are, so that whoever is real can show it. */
static void
challenge(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	if (tcb->state == SL_ST_SYN_RECEIVED)
		tell_half_open(tcp, tcb, lane);
	else
		sl_tcb_challenge(tcp, tcb);
}

/*
 * Whether @seg is a reset at our right edge, just outside of the window. That is where Linux
 * puts it when what fills the window is still on its way or was dropped, and it comes once: who
 * means it answers a challenge with a reset that is right (RFC 5961, 3.2). Ignored, it would
 * leave a connection that has nothing to send to live for ever.
 */
static bool
resets_at_the_edge(const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	return (seg->flags & SL_RST) && seg->seq == tcb->rcv_adv &&
	       tcb->state != SL_ST_SYN_RECEIVED;
}

/* Not acceptable: say where we are, unless that could go on for ever between two of us. */
static void
refuse(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	sl_count(tcp, unacceptable);
	if (seg->flags & SL_RST) {
		if (resets_at_the_edge(tcb, seg))
			sl_tcb_challenge(tcp, tcb);
		return;
	}
	if (sl_seg_span(seg) > 0 && !(seg->flags & SL_SYN) &&
	    tcb->state != SL_ST_SYN_RECEIVED) {
		sl_count(tcp, dup_ack_out);
		sl_tcb_note_repeat(tcp, tcb, seg);
		owe_ack(tcp, tcb);
	} else {
		challenge(tcp, tcb, lane);
	}
}

/*
 * Whether @seg stands at our right edge with a good ACK. Table 6 does not take it in, but
 * its ACK must be heard when the window is closed (3.10.7.4), and is as good when the peer
 * has filled a window of which we still miss a part.
 */
static bool
acks_at_the_edge(const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	return seg->seq == tcb->rcv_adv && tcb->state != SL_ST_SYN_RECEIVED &&
	       (seg->flags & (SL_SYN | SL_RST | SL_ACK)) == SL_ACK &&
	       sl_seq_between(tcb->snd_una, seg->ack, tcb->snd_nxt);
}

/* The hop is alive and so is the peer: nobody needs to be probed. */
static void
heard_from(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	tcb->heard = tcp->tick;
	if (tcb->n_probes != 0)
		sl_timer_answered(tcp, tcb);
}

/*
 * 3.10.7.4, first: the sequence number. False: the segment is done with. A SYN passes on
 * without a timestamp, to be challenged: a peer that restarted may not speak of one.
 */
static bool
check_sequence(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	if ((tcb->is & SL_IS_TS) && !(seg->opts & SL_OPT_TS) &&
	    !(seg->flags & (SL_RST | SL_SYN)))
		return false; /* RFC 7323, 3.2: quietly */
	if (is_stale(tcp, tcb, seg)) {
		sl_count(tcp, paws);
		refuse(tcp, tcb, lane);
		return false;
	}
	if (is_acceptable(tcb, seg))
		return true;
	if (acks_at_the_edge(tcb, seg)) {
		heard_from(tcp, tcb);
		take_timestamp(tcp, tcb, seg);
		sl_tcb_ack(tcp, tcb, seg);
		if (sl_tcb_has_ended(tcb) || sl_seg_span(seg) == 0)
			return false;
	}
	refuse(tcp, tcb, lane);
	return false;
}

/* 3.10.7.4, second, with RFC 5961, 3.2: only the exact number kills. */
static void
take_reset(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	bool refused = tcb->state == SL_ST_SYN_RECEIVED && (tcb->is & SL_IS_ACTIVE);

	if (lane->seg.seq != tcb->rcv_nxt) {
		challenge(tcp, tcb, lane);
		return;
	}
	sl_count(tcp, reset_in);
	sl_tcb_kill(tcp, tcb, refused ? SL_REASON_REFUSED : SL_REASON_RESET);
}

/*
 * The round trip of our SYN, unless it was sent twice or was a cookie. It may well be the
 * shortest of all; what ticks may have added is taken off then.
 */
static void
measure_syn(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t ms = tcp->tick - tcb->progress;

	if (tcb->backoff > 0 || (tcb->is & SL_IS_COOKIE))
		return;
	sl_timer_rtt(tcb, ms * 1000);
	if (ms > 1)
		sl_rack_rtt(tcb, (ms - 1) * 1000);
}

/* Our SYN is acknowledged: the connection is there. */
static void
enter_established(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	measure_syn(tcp, tcb);
	tcb->snd_una = seg->ack;
	if (tcb->owes & SL_OWES_SYN) { /* it would have acknowledged the peer's, too */
		tcb->owes &= ~SL_OWES_SYN;
		owe_ack(tcp, tcb);
	}
	sl_tcb_event(tcp, tcb, SL_EV_SYN_ACKED);
	sl_timer_stop(tcb, SL_TIMER_RESEND);
	if (tcb->is & SL_IS_CLOSE_QUEUED) {
		tcb->is &= ~SL_IS_CLOSE_QUEUED;
		sl_tcb_shutdown(tcp, tcb);
	}
	if (sl_tcb_has_unsent(tcb))
		sl_tcb_output(tcp, tcb);
}

/* The same by the third segment, whose window counts. */
static void
open_by(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	enter_established(tcp, tcb, seg);
	tcb->wnd = tcb->max_wnd = seg->wnd;
	tcb->wnd_of_syn = tcb->max_wnd_of_syn = false;
	tcb->snd_wl1 = seg->seq;
}

/* 3.10.7.4, fifth, in SYN-RECEIVED. False: the segment is done with. */
static bool
ack_of_syn(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	struct sl_seg *seg = &lane->seg;
	struct sl_l2 came;

	if (seg->ack != tcb->snd_nxt) {
		sl_answer_reset(tcp, lane);
		return false;
	}
	if (tcb->path == SL_NO_PATH) { /* it hears us: its way in is our way out */
		sl_l2_reply(lane->m, &lane->frame, &came);
		if (sl_tcb_open_path(tcp, tcb, &lane->tuple.remote, &came) < 0) {
			sl_answer_reset(tcp, lane); /* it believes that it is open */
			sl_tcb_kill(tcp, tcb, SL_REASON_UNREACHABLE);
			return false;
		}
	}
	open_by(tcp, tcb, seg);
	take_timestamp(tcp, tcb, seg);
	return true;
}

/*
 * 3.10.7.4, fifth: the ACK field. False: the segment is done with. What lies behind
 * SND.UNA by more than the peer's largest window was never an answer to us (RFC 5961, 5.2).
 */
static bool
take_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	if (!(seg->flags & SL_ACK))
		return false;
	if (tcb->state == SL_ST_SYN_RECEIVED)
		return ack_of_syn(tcp, tcb, lane);
	if (!sl_seq_between(tcb->snd_una - sl_tcb_max_snd_wnd(tcb), seg->ack, tcb->snd_nxt)) {
		sl_tcb_challenge(tcp, tcb);
		return false;
	}
	take_timestamp(tcp, tcb, seg);
	sl_tcb_ack(tcp, tcb, seg);
	return tcb->state != SL_ST_CLOSED && tcb->state != SL_ST_TIME_WAIT;
}

/* 3.10.7.3: an answer to our SYN, or the peer's own. */
static void
in_syn_sent(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	struct sl_seg *seg = &lane->seg;
	bool acks = seg->flags & SL_ACK;

	if (acks && seg->ack != tcb->snd_nxt) {
		sl_answer_reset(tcp, lane);
		return;
	}
	if (seg->flags & SL_RST) {
		if (acks) {
			sl_count(tcp, refused);
			sl_tcb_kill(tcp, tcb, SL_REASON_REFUSED);
		}
		return;
	}
	if (!(seg->flags & SL_SYN) || (seg->flags & SL_FIN))
		return;
	sl_tcb_take_syn(tcp, tcb, seg);
	tcb->rcv_adv =
		tcb->rcv_nxt + sl_tcp_first_window(sl_tcb_conf(tcp, tcb)); /* as our SYN said */
	/* The path is there already; it fits the MSS. */
	if (sl_tcb_open_path(tcp, tcb, &lane->tuple.remote, NULL) < 0)
		return;
	if (!acks) {
		sl_tcb_event(tcp, tcb, SL_EV_SYN_RCVD);
		tcb->owes |= SL_OWES_SYN;
		sl_tcb_output(tcp, tcb);
		return;
	}
	enter_established(tcp, tcb, seg);
	owe_ack(tcp, tcb);
	seg->seq++;
	seg->flags &= ~SL_SYN;
	if (seg->len > 0)
		sl_tcb_receive(tcp, tcb, lane);
}

/*
 * In SYN-RECEIVED the peer's SYN may come again: our SYN-ACK was lost, or both opened at
 * once and this one acknowledges ours. True: the segment is done with.
 */
static bool
syn_again(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	struct sl_seg *seg = &lane->seg;

	if (!(seg->flags & SL_SYN) || (seg->flags & SL_RST) || seg->seq != tcb->rcv_nxt - 1)
		return false;
	if (seg->flags & SL_ACK) {
		if (tcb->is & SL_IS_ACTIVE) {
			seg->seq++;
			seg->flags &= ~SL_SYN;
		}
		return false;
	}
	if (tcb->is & SL_IS_ACTIVE) {
		tcb->owes |= SL_OWES_SYN;
		sl_tcb_output(tcp, tcb);
	} else {
		sl_answer_syn_again(tcp, lane, tcb);
	}
	return true;
}

/* In TIME-WAIT for the rest of this step: later ones meet the record (timewait.c). */
static void
in_time_wait(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	if (sl_seg_span(seg) > 0 || seg->seq != tcb->rcv_nxt)
		refuse(tcp, tcb, lane);
}

/* Where an ACK that brings nothing means the same: both SYNs are exchanged, not yet all. */
#define TALKING                                                                      \
	(1u << SL_ST_ESTABLISHED | 1u << SL_ST_FIN_WAIT_1 | 1u << SL_ST_FIN_WAIT_2 | \
	 1u << SL_ST_CLOSE_WAIT | 1u << SL_ST_CLOSING | 1u << SL_ST_LAST_ACK)

static_assert(SL_OPT_TS % SL_IS_TS == 0, "one is the other, shifted");

/* Nothing is asked or awaited of the peer, nothing owed to it but bytes and their ACK. */
static inline bool
is_calm(const struct sl_tcb *tcb)
{
	return tcb->dup_acks == 0 && tcb->owes == 0 && !tcb->wnd_of_syn && tcb->n_probes == 0 &&
	       !tcb->probe_doubt;
}

/*
 * Whether @seg is what an established connection nearly always gets: the next bytes, or none,
 * with room for them, acknowledging something sensible; or the FIN behind them, or an ACK
 * alone while it is being closed. Anything else, correct or not, goes the long way round
 * through the steps of the RFC. What must be equal is one word that is zero.
 */
static inline bool
is_ordinary(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t span = seg->len + (seg->flags & SL_FIN);
	uint32_t timed = (tcb->is & SL_IS_TS) * (SL_OPT_TS / SL_IS_TS);
	uint32_t other = (seg->seq ^ tcb->rcv_nxt) | (seg->opts ^ timed) |
			 ((seg->flags & ~(uint32_t)(SL_PSH | SL_FIN)) ^ SL_ACK);

	return other == 0 && is_calm(tcb) && span <= tcb->rcv_adv - tcb->rcv_nxt &&
	       (span == 0 ? TALKING >> tcb->state & 1 : tcb->state == SL_ST_ESTABLISHED) &&
	       sl_seq_between(tcb->snd_una, seg->ack, tcb->snd_nxt) &&
	       (timed == 0 || !sl_seq_lt(seg->tsval, tcb->ts_recent)) && /* PAWS */
	       !sl_tcb_has_active(tcp, tcb) && !sl_tcp_is_scarce(tcp);
}

static_assert(SL_FIN == 1, "it counts as a byte");

/*
 * Whether the ACK field and the window of @seg say nothing new: all we sent was acknowledged
 * before, nothing waits, and nobody waits for room.
 */
static inline bool
says_nothing(const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	return tcb->snd_una == tcb->snd_nxt && tcb->snd_nxt == tcb->snd_end &&
	       seg->wnd == tcb->wnd && seg->wnd > 0 && sl_seq_le(tcb->snd_wl1, seg->seq) &&
	       !(tcb->is & SL_IS_WANTS_ROOM) &&
	       !sl_state_fin_pending(tcb->state); /* a FIN may be owed by nobody's list */
}

/*
 * The same as the long way round makes of an ordinary segment; a test holds them together. Its
 * timestamp was found to be one to echo if it covers our last ACK, as take_timestamp() asks:
 * what is next does if all before it is acknowledged.
 */
static inline void
take_ordinary(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	tcb->heard = tcp->tick;
	if (seg->opts != 0 && tcb->unacked == 0) {
		tcb->ts_recent = seg->tsval;
		tcb->ts_age = tcp->ts_age;
	}
	if (says_nothing(tcb, seg)) {
		tcb->snd_wl1 = seg->seq;
		sl_timer_rest(tcb);
	} else {
		sl_tcb_ack_ordinary(tcp, tcb, seg);
	}
	if (seg->len > 0)
		sl_tcb_receive_next(tcp, tcb, lane);
	if (seg->flags & SL_FIN)
		sl_tcb_receive_fin(tcp, tcb);
}

/*
 * What it acknowledges and where it begins is right, its timestamp is the one to echo and the
 * way back is known, or there would be no connection.
 */
void
sl_tcb_third(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;

	if (tcp->by_the_book) {
		sl_tcb_segment(tcp, tcb, lane);
		return;
	}
	assert((seg->flags & (SL_SYN | SL_ACK | SL_RST)) == SL_ACK);
	assert(seg->seq == tcb->rcv_nxt && seg->ack == tcb->snd_nxt);
	assert(!(tcb->is & SL_IS_TS) || seg->tsval == tcb->ts_recent);
	lane->fate = SL_FATE_tcp_input;
	open_by(tcp, tcb, seg);
	if (seg->len > 0 || (seg->flags & SL_FIN))
		sl_tcb_receive(tcp, tcb, lane);
}

/* All that a segment may be, in the order of the RFC. */
static __rte_noinline void
take_by_the_book(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;
	bool of_syn = seg->flags & SL_SYN;

	if (tcb->state == SL_ST_SYN_SENT) {
		in_syn_sent(tcp, tcb, lane);
		return;
	}
	if (tcb->state == SL_ST_TIME_WAIT) {
		in_time_wait(tcp, tcb, lane);
		return;
	}
	if (tcb->state == SL_ST_SYN_RECEIVED && syn_again(tcp, tcb, lane))
		return;

	if (!check_sequence(tcp, tcb, lane)) /* first */
		return;
	if (seg->flags & SL_RST) { /* second; third, security, is no more */
		take_reset(tcp, tcb, lane);
		return;
	}
	if (seg->flags & SL_SYN) { /* fourth, RFC 5961, 4.2 */
		challenge(tcp, tcb, lane);
		return;
	}
	if (tcb->state != SL_ST_SYN_RECEIVED)
		heard_from(tcp, tcb);
	if (!take_ack(tcp, tcb, lane)) /* fifth */
		return;
	if (of_syn) /* of a SYN-ACK to our own: both opened */
		tcb->wnd_of_syn = tcb->max_wnd_of_syn = true;
	/* sixth: urgent data stays in line */
	if (seg->len > 0 || (seg->flags & SL_FIN))
		sl_tcb_receive(tcp, tcb, lane); /* seventh and eighth */
}

void
sl_tcb_segment(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	lane->fate = SL_FATE_tcp_input;
	if (likely(is_ordinary(tcp, tcb, &lane->seg) && !tcp->by_the_book))
		take_ordinary(tcp, tcb, lane);
	else
		take_by_the_book(tcp, tcb, lane);
}

/* A router carries no more than @mss: so it is, until sl_tcb_send() forgets it. */
static void
shrink(struct sl_tcp *tcp, struct sl_tcb *tcb, uint16_t mss)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);

	if (a != NULL) { /* else for the rest of the connection's life */
		if (a->full_mss == 0)
			a->full_mss = tcb->mss;
		a->less_at = tcp->tick;
	}
	tcb->mss = mss;
	sl_recovery_too_big(tcp, tcb);
}

/* RFC 5927: what a router says is believed only of a segment that is in flight. */
bool
sl_tcb_icmp(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_icmp_error *error)
{
	bool in_flight = tcb->snd_una != tcb->snd_nxt &&
			 sl_seq_between(tcb->snd_una, error->seq, tcb->snd_nxt - 1);
	uint32_t headers = (sl_key_is_v6(&tcb->key) ? 60 : 40) + (tcb->is & SL_IS_TS ? 12 : 0);
	uint32_t floor = sl_key_is_v6(&tcb->key) ? 1280 : 552;
	uint32_t mtu = error->mtu > floor ? error->mtu : floor;

	if (!in_flight)
		return false;
	switch (error->what) {
	case SL_ICMP_HARD:
		if (!sl_state_is_synchronized(tcb->state))
			sl_tcb_kill(tcp, tcb, SL_REASON_UNREACHABLE);
		break;
	case SL_ICMP_TOO_BIG:
		if (mtu - headers < tcb->mss)
			shrink(tcp, tcb, mtu - headers);
		break;
	default:
		break; /* soft: the timers go on */
	}
	return true;
}
