/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ack - what an acknowledgement means (RFC 9293, 3.10.7.4, fifth): bytes freed, a round
 * trip measured, the window moved, losses judged, a FIN done with.
 */
#include <rte_branch_prediction.h>

#include "tcp/recovery.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

/*
 * The round trip of @newest, the last segment that @seg acknowledges, if it was sent once only
 * (Karn); else from the timestamp it echoes, too coarse for the shortest round trip. False: no
 * sample.
 */
static inline bool
measure(const struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
	const struct sl_covered *newest, uint32_t *rtt_us)
{
	uint32_t ms;

	if (newest->is_sample) {
		*rtt_us = tcp->now_us - newest->sent_us;
		sl_rack_rtt(tcb, *rtt_us);
		return true;
	}
	if (!(tcb->is & SL_IS_TS) || !(seg->opts & SL_OPT_TS) || seg->tsecr == 0)
		return false;
	ms = sl_tcb_tsval(tcp, tcb) - seg->tsecr;
	*rtt_us = ms * 1000;
	return ms < 60000;
}

/*
 * RFC 9293, 3.10.7.4: only a newer segment moves the window. Of two that stand at the same
 * place SEG.ACK tells which is; SND.WL2 is at most SND.UNA, and no ACK below that comes here.
 * Returns whether it opened.
 */
static inline bool
update_window(struct sl_tcb *tcb, const struct sl_seg *seg)
{
	bool opened = tcb->wnd == 0 && seg->wnd > 0;

	if (!sl_seq_le(tcb->snd_wl1, seg->seq))
		return false;
	tcb->wnd = seg->wnd;
	tcb->wnd_of_syn = false;
	tcb->snd_wl1 = seg->seq;
	if ((tcb->max_wnd_of_syn || seg->wnd > tcb->max_wnd) &&
	    (uint32_t)seg->wnd << tcb->snd_scale > sl_tcb_max_snd_wnd(tcb)) {
		tcb->max_wnd = seg->wnd;
		tcb->max_wnd_of_syn = false;
	}
	return opened;
}

/* Whether the congestion window was what held us back (RFC 9293; RFC 7661, 4.3). */
static inline bool
used_its_window(const struct sl_tcb *tcb, uint32_t flight)
{
	if (tcb->cwnd < tcb->ssthresh)
		return 2 * flight >= tcb->cwnd;
	return flight + tcb->mss > tcb->cwnd;
}

static inline void
tell_room(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if ((tcb->is & SL_IS_WANTS_ROOM) &&
	    sl_spans_room(tcp, tcb) >= sl_tcb_conf(tcp, tcb)->sndbuf / 4) {
		tcb->is &= ~SL_IS_WANTS_ROOM;
		sl_tcb_mark(tcp, tcb, SL_MARK_WRITABLE);
	}
}

static inline void
take_sample(const struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
	    const struct sl_covered *newest)
{
	uint32_t rtt_us;

	if (measure(tcp, tcb, seg, newest, &rtt_us)) {
		sl_timer_rtt(tcb, rtt_us);
		tcb->backoff = 0; /* not without a sample (RFC 6298, 5.7; Karn) */
	}
}

/* All below @ack has arrived, and the way there is good. */
static inline void
go_on_from(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t ack)
{
	tcb->snd_una = ack;
	tcb->progress = tcp->tick;
	sl_path_confirm(tcp->net, tcp->now, tcb->path);
}

/* Bytes are acknowledged, and no block is lent that could know of a loss. */
static inline void
take_new_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	struct sl_covered newest = sl_spans_free_until(tcp, tcb, seg->ack);

	take_sample(tcp, tcb, seg, &newest);
	go_on_from(tcp, tcb, seg->ack);
}

/* The same where one is: what is judged needs the round trip. */
static void
judge_new_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	struct sl_covered newest = sl_spans_covered(tcp, tcb, seg->ack);

	take_sample(tcp, tcb, seg, &newest);
	sl_recovery_delivered(tcp, tcb, seg);
	sl_spans_free_until(tcp, tcb, seg->ack);
	go_on_from(tcp, tcb, seg->ack);
}

static bool
is_repairing(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);

	return a != NULL && a->mode == SL_LOSS_RECOVERY;
}

/* What @seg acknowledges and repeats, before anything is done about it. */
static struct sl_news
look_at(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una, left = sl_recovery_left(tcp, tcb);
	bool bare = seg->len == 0 && !(seg->flags & (SL_SYN | SL_FIN));
	struct sl_news news = {
		.acked = seg->ack - tcb->snd_una,
		.left = left,
		.out = flight > left ? flight - left : 0,
		.has_sack = (tcb->is & SL_IS_SACK) && seg->n_sacks > 0,
	};

	news.is_repeat = news.acked == 0 && bare && tcb->wnd > 0 &&
			 (uint32_t)seg->wnd << tcb->snd_scale == sl_tcb_snd_wnd(tcb);
	news.is_duplicate = news.is_repeat && flight > 0;
	return news;
}

/* Nearly no ACK does: where nothing is lost, late or in doubt, it has no more to say. */
static bool
concerns_losses(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_news *news)
{
	return sl_tcb_has_active(tcp, tcb) | news->has_sack | news->is_duplicate |
	       tcb->probe_doubt | tcb->dup_acks;
}

void
sl_tcb_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	bool fin_acked = sl_state_fin_pending(tcb->state) && seg->ack == tcb->snd_end + 1;
	bool repairing = is_repairing(tcp, tcb), opened, found = false, used;
	struct sl_news news;

	if (sl_seq_lt(seg->ack, tcb->snd_una))
		return; /* old; its window is older still */
	news = look_at(tcp, tcb, seg);
	if (news.acked > 0 && sl_tcb_has_active(tcp, tcb))
		judge_new_ack(tcp, tcb, seg);
	else if (news.acked > 0)
		take_new_ack(tcp, tcb, seg);
	opened = update_window(tcb, seg);
	if ((tcb->wnd == 0 || opened) && tcb->state != SL_ST_FIN_WAIT_2)
		tcb->progress = tcp->tick; /* it answers probes: no time-out (MUST-37) */
	news.has_dup = news.has_sack && sl_sack_tells_dup(tcb, seg, &news.dup);
	if (concerns_losses(tcp, tcb, &news))
		found = sl_recovery_ack(tcp, tcb, seg, &news);
	repairing |= is_repairing(tcp, tcb); /* the first and the last ACK of it count, too */

	used = used_its_window(tcb, flight);
	if (news.acked > 0 && !repairing && (used || sl_tcb_has_epoch(tcp, tcb)))
		sl_cc_acked(tcp, tcb, news.acked, used);
	if (opened && tcb->snd_una != tcb->snd_nxt && news.acked == 0)
		tcb->owes |= SL_OWES_HEAD; /* the probe's byte was not taken */
	if (opened)
		tcb->backoff = 0;
	if (tcb->owes != 0 || sl_tcb_has_unsent(tcb))
		sl_tcb_output(tcp, tcb);
	tell_room(tcp, tcb);
	sl_timer_resend(tcp, tcb, news.acked > 0 || opened || found);
	if (news.acked > 0 && tcp->draining)
		sl_tcb_mark(tcp, tcb, 0); /* deliver looks whether it is idle now */
	if (fin_acked)
		sl_tcb_event(tcp, tcb, SL_EV_FIN_ACKED);
}

/* Whether @seg acknowledges all there was to send, no FIN among it, and nobody waits for room.
 */
static inline bool
is_all(const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	return seg->ack == tcb->snd_end && tcb->state == SL_ST_ESTABLISHED &&
	       !(tcb->is & SL_IS_WANTS_ROOM);
}

/*
 * As sl_tcb_ack(), which a test compares this with, where nothing is wrong and nothing owed.
 * With bytes acknowledged all that is often left to do is nothing; what repeats an ACK, or
 * opens a window, is looked at as any other.
 */
void
sl_tcb_ack_ordinary(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t acked = seg->ack - tcb->snd_una;
	bool fin_acked, used;

	if (unlikely(acked == 0 || tcb->wnd == 0)) {
		sl_tcb_ack(tcp, tcb, seg);
		return;
	}
	used = used_its_window(tcb, tcb->snd_nxt - tcb->snd_una);
	take_new_ack(tcp, tcb, seg);
	update_window(tcb, seg);
	if (used || sl_tcb_has_epoch(tcp, tcb))
		sl_cc_acked(tcp, tcb, acked, used);
	if (tcp->draining)
		sl_tcb_mark(tcp, tcb, 0);
	if (is_all(tcb, seg)) {
		sl_timer_rest(tcb);
		return;
	}
	fin_acked = sl_state_fin_pending(tcb->state) && seg->ack == tcb->snd_end + 1;
	if (sl_tcb_has_unsent(tcb))
		sl_tcb_output(tcp, tcb);
	tell_room(tcp, tcb);
	sl_timer_resend(tcp, tcb, true);
	if (fin_acked)
		sl_tcb_event(tcp, tcb, SL_EV_FIN_ACKED);
}
