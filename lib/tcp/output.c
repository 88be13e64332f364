/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * output - which segments a connection sends, asked once a connection and step.
 *
 * The only place that does: who has something to say marks what is owed, or queues bytes.
 */
#include "tcp/recovery.h"
#include "tcp/segment.h"
#include "tcp/spans.h"
#include "tcp/timer.h"

#define LESS_MS (10u * 60 * 1000) /* a smaller path MTU is believed (RFC 8201, 4) */

/*
 * The length of the segment that starts with @span: at most @most bytes, cut so that it
 * ends where a piece ends, and of what @only says alone when it resends. 0 if a piece had
 * to be cut and could not be.
 */
static uint32_t
gather(struct sl_sender *s, struct sl_span *span, uint32_t most, uint32_t end_idx, uint8_t mask,
       uint8_t only)
{
	uint32_t len = 0, n = 0;

	for (;;) {
		uint32_t left = most - len;

		if (span->len > left) {
			if (left > 0 && sl_spans_split(s->tcp, s->tcb, span, left))
				len += left;
			return len;
		}
		len += span->len;
		if (++n == SL_PIECES_MOST || len == most || span->next == end_idx ||
		    span->next == SL_NO_INDEX)
			return len;
		span = &s->tcp->span[span->next];
		if ((span->marks & mask) != only)
			return len;
	}
}

/* FIN belongs to the segment that ends at @end: all bytes are queued and it is wanted. */
static uint8_t
fin_at(const struct sl_tcb *tcb, uint32_t end)
{
	return sl_state_fin_pending(tcb->state) && end == tcb->snd_end ? SL_FIN : 0;
}

static bool
fin_is_out(const struct sl_tcb *tcb)
{
	return tcb->snd_nxt == tcb->snd_end + 1;
}

/*
 * Send @len bytes from @span on, as sl_segment_payload(); what lies behind SND.NXT is sent for
 * the first time. The FIN goes with the last byte, if it went before or all else did.
 */
static bool
transmit(struct sl_sender *s, struct sl_span *span, uint32_t len)
{
	struct sl_tcb *tcb = s->tcb;
	uint32_t end = span->seq + len;
	bool is_new = sl_seq_gt(end, tcb->snd_nxt);
	uint8_t fin = is_new || fin_is_out(tcb) ? fin_at(tcb, end) : 0;
	uint8_t push = end == tcb->snd_end ? SL_PSH : 0;
	uint32_t last = sl_spans_last(s->tcp, tcb);

	if (tcb->snd_una == tcb->snd_nxt) { /* the timer, R2 and RFC 5681, 4.1 begin here */
		sl_timer_stop(tcb, SL_TIMER_RESEND);
		if (s->tcp->tick - tcb->progress > sl_tcb_rto_ms(s->tcp, tcb))
			sl_cc_idle(s->tcp, tcb);
		tcb->progress = s->tcp->tick;
	}
	if (len == 0 || !sl_segment_payload(s, span, len, SL_ACK | push | fin))
		return false;
	if (!is_new)
		return true;
	sl_spans_advance(s->tcp, tcb, end, last);
	tcb->snd_nxt = end + !!fin;
	return true;
}

/* A segment once more, from @span on. */
static bool
resend(struct sl_sender *s, struct sl_span *span, uint8_t mask, uint8_t only)
{
	uint32_t len = gather(s, span, sl_segment_room(s), sl_spans_unsent(s->tcb), mask, only);

	if (!transmit(s, span, len))
		return false;
	sl_count(s->tcp, retransmit);
	return true;
}

/* Bytes never sent before, @len of them; the FIN with the last one. */
static bool
send_new(struct sl_sender *s, uint32_t len)
{
	struct sl_span *span = sl_span_at(s->tcp, sl_spans_unsent(s->tcb));

	return transmit(s, span, gather(s, span, len, SL_NO_INDEX, 0, 0));
}

/*
 * The oldest segment in flight, once more. When that is a probe's single byte and the
 * window has opened since, what waited behind it goes along.
 */
static bool
resend_head(struct sl_sender *s, struct sl_span *head)
{
	struct sl_tcb *tcb = s->tcb;
	uint32_t most = sl_segment_room(s), wnd = sl_tcb_snd_wnd(tcb);

	if (tcb->snd_nxt - tcb->snd_una != 1 || wnd <= 1)
		return resend(s, head, 0, 0);
	sl_count(s->tcp, retransmit);
	if (most > wnd)
		most = wnd;
	return transmit(s, head, gather(s, head, most, SL_NO_INDEX, 0, 0));
}

/*
 * Nothing is in flight and the timer went off: at least an octet asks whether the window is
 * open (RFC 9293, 3.8.6.1), and what there is room for goes, however little (3.8.6.2.1).
 */
static bool
send_probe(struct sl_sender *s)
{
	const struct sl_tcb *tcb = s->tcb;
	uint32_t len = sl_segment_room(s), unsent = tcb->snd_end - tcb->snd_nxt;
	uint32_t wnd = sl_tcb_snd_wnd(tcb);

	if (len > unsent)
		len = unsent;
	if (len > wnd)
		len = wnd;
	return send_new(s, len > 0 ? len : 1);
}

/* The oldest segment, whatever the windows say; a probe if nothing is in flight. */
static bool
send_head(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	struct sl_span *head = sl_span_at(s->tcp, tcb->span_head);
	bool sent;

	if (tcb->snd_una == tcb->snd_nxt && !sl_tcb_has_unsent(tcb))
		return true;
	if (tcb->snd_una == tcb->snd_nxt && head != NULL) {
		sent = send_probe(s);
	} else if (tcb->snd_una == tcb->snd_nxt) {
		sent = sl_segment_bare(s, tcb->snd_nxt, SL_FIN | SL_ACK);
		if (sent)
			tcb->snd_nxt++;
	} else if (head != NULL && sl_seq_lt(head->seq, tcb->snd_nxt)) {
		sent = resend_head(s, head);
	} else {
		sent = sl_segment_bare(s, tcb->snd_end, SL_FIN | SL_ACK);
		if (sent)
			sl_count(s->tcp, retransmit);
	}
	return sent;
}

/*
 * A tail loss probe (RFC 8985, 7.3), whatever the congestion window says: new bytes if there
 * are any and the peer takes them, else the last segment once more.
 */
static bool
send_tail(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	struct sl_active *a = sl_tcb_active(s->tcp, tcb);
	struct sl_span *last = sl_span_at(s->tcp, tcb->span_head);
	uint32_t room = sl_segment_room(s), unsent = tcb->snd_end - tcb->snd_nxt;
	uint32_t len = unsent < room ? unsent : room;
	uint32_t next = sl_spans_unsent(tcb);
	bool is_new =
		next != SL_NO_INDEX && tcb->snd_nxt - tcb->snd_una + len <= sl_tcb_snd_wnd(tcb);

	if (last == NULL || next == tcb->span_head) {
		a->probe = SL_PROBE_NONE; /* nothing is out any more, or a FIN alone */
		return true;
	}
	while (last->next != next &&
	       sl_seq_gt(tcb->snd_nxt, last->seq + room + fin_is_out(tcb)))
		last = &s->tcp->span[last->next];
	if (!(is_new ? send_new(s, len) : resend(s, last, 0, 0)))
		return false;
	sl_probe_sent(s->tcp, tcb, a, is_new);
	return true;
}

/*
 * How many new bytes may go in one segment now; 0: none, wait. Sender's silly window
 * avoidance and Nagle, RFC 9293, 3.8.6.2.1 and 3.7.4.
 */
static uint32_t
may_send(const struct sl_sender *s)
{
	const struct sl_tcb *tcb = s->tcb;
	uint32_t room = sl_segment_room(s), unsent = tcb->snd_end - tcb->snd_nxt;
	uint32_t in_flight = tcb->snd_nxt - tcb->snd_una, wnd = sl_tcb_snd_wnd(tcb);
	uint32_t usable = wnd > in_flight ? wnd - in_flight : 0;
	uint32_t len = unsent < room ? unsent : room;
	bool eager = (tcb->is & SL_IS_NODELAY) || sl_state_fin_pending(tcb->state);
	bool all, half;

	if (len > usable)
		len = usable;
	if (len == 0 || !sl_recovery_lets(s->tcp, tcb, len))
		return 0;
	all = len == unsent && (eager || in_flight == 0);
	half = len >= sl_tcb_max_snd_wnd(tcb) / 2 && (eager || in_flight == 0);
	return len == room || all || half ? len : 0;
}

/* The FIN by itself, for the first time. */
static bool
send_fin(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;

	if (tcb->snd_una == tcb->snd_nxt)
		tcb->progress = s->tcp->tick;
	if (!sl_segment_bare(s, tcb->snd_nxt, SL_FIN | SL_ACK))
		return false;
	tcb->snd_nxt++;
	return true;
}

/* Losses first, then new data, as far as the windows go. False: out of room or packets. */
static bool
send_data(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	struct sl_span *lost;
	uint32_t len;

	while ((lost = sl_recovery_lost(s->tcp, tcb)) != NULL) {
		uint32_t room = sl_segment_room(s);

		if (!sl_recovery_lets(s->tcp, tcb, lost->len < room ? lost->len : room))
			return true;
		if (!resend(s, lost, SL_SPAN_LOST | SL_SPAN_RESENT, SL_SPAN_LOST))
			return false;
	}
	while (sl_spans_unsent(tcb) != SL_NO_INDEX && (len = may_send(s)) > 0) {
		if (!send_new(s, len))
			return false;
	}
	if (sl_state_fin_pending(tcb->state) && tcb->snd_nxt == tcb->snd_end)
		return send_fin(s);
	return true;
}

static bool
send_syn(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	uint8_t flags = tcb->state == SL_ST_SYN_SENT ? SL_SYN : SL_SYN | SL_ACK;
	bool again = tcb->snd_nxt != tcb->snd_una;

	if (!sl_segment_bare(s, tcb->snd_una, flags))
		return false;
	if (flags & SL_ACK)
		sl_count(s->tcp, synack);
	if (again)
		sl_count(s->tcp, retransmit);
	tcb->snd_nxt = tcb->snd_una + 1;
	return true;
}

/*
 * Where a segment without bytes stands: at what comes next, but not beyond the window, where
 * the peer takes neither an ACK nor a reset (RFC 9293, 3.10.7.4, first). The byte that asked
 * whether the window is open lies there until it is acknowledged.
 */
static uint32_t
bare_seq(const struct sl_tcb *tcb)
{
	return sl_seq_min(tcb->snd_nxt, tcb->snd_una + sl_tcb_snd_wnd(tcb));
}

/* Where new bytes may go, those that were queued before a close among them. */
#define SENDING                                                                      \
	(1u << SL_ST_ESTABLISHED | 1u << SL_ST_CLOSE_WAIT | 1u << SL_ST_FIN_WAIT_1 | \
	 1u << SL_ST_CLOSING | 1u << SL_ST_LAST_ACK)

/*
 * Whether nothing is in flight, nothing was lost, and nothing owed but an ACK. Then neither
 * Nagle nor the congestion window keeps back what there is to say, which may be little enough
 * for a short way: for each of these, what send_owed() asks has its answers.
 */
static bool
is_quiet(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	bool open = SENDING >> tcb->state & 1;
	bool quiet = tcb->snd_nxt == tcb->snd_una;
	bool alone = (tcb->owes == 0) & (tcb->acks_owed <= 1);

	return (open & quiet & alone) && !sl_tcb_has_active(tcp, tcb);
}

/*
 * Whether all that a quiet one has to say is one piece that waits: the answer to a request,
 * with a FIN behind it or none. The receiver's window has room for all of it, and an ACK that
 * is owed goes along. Then transmit() is what is left.
 */
static bool
has_answer(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t len = tcb->snd_end - tcb->snd_nxt;
	bool some = len - 1 < SL_BUFFER_MOST; /* behind a FIN it is -1 */
	bool fits = (len <= tcb->mss) & (len <= sl_tcb_snd_wnd(tcb));

	return (some & fits) && tcp->span[tcb->span_edge].len == len;
}

/*
 * What transmit() and the timer behind it do with the piece that has_answer() found, where all
 * they ask is known.
 */
static inline bool
send_answer(const struct sl_sender *s)
{
	struct sl_tcp *tcp = s->tcp;
	struct sl_tcb *tcb = s->tcb;
	struct sl_span *span = &tcp->span[tcb->span_edge];
	uint32_t len = span->len, rto_ms = sl_tcb_rto_ms(tcp, tcb);
	bool attach = len > SL_COPY_MOST && (s->offloads & SL_OFFLOAD_MULTI_SEG);
	struct rte_mbuf *m;
	uint64_t sum;
	uint8_t fin;

	sl_timer_stop(tcb, SL_TIMER_RESEND);
	if (unlikely(tcp->tick - tcb->progress > rto_ms))
		sl_cc_idle(tcp, tcb);
	tcb->progress = tcp->tick;
	if (attach) {
		uint64_t of_piece; /* in memory, as the sum of what is copied need not be */

		m = sl_segment_attached(tcp, s->offloads, span, len, 1, &of_piece);
		sum = of_piece;
	} else {
		m = sl_segment_packet(tcp);
	}
	if (unlikely(m == NULL))
		return false;
	if (!attach) {
		sum = sl_segment_copy(s, m, 0, sl_span_data(span), len);
		m->data_len = len;
		m->pkt_len = len;
	}
	span->n_sent = 1;
	span->sent_us = tcp->now_us;
	fin = fin_at(tcb, tcb->snd_end);
	sl_segment_plain(s, m, tcb->snd_nxt, SL_ACK | SL_PSH | fin, sum);
	tcb->snd_nxt = tcb->snd_end + !!fin;
	sl_timer_begin(tcp, tcb, rto_ms);
	return true;
}

/* Whether all there is to say is a FIN: as above, send_fin() is what is left. */
static bool
is_lone_fin(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	bool ends = sl_state_fin_pending(tcb->state) & (tcb->snd_nxt == tcb->snd_end);
	bool lossless = !sl_tcb_has_active(tcp, tcb);
	bool alone = (tcb->owes == 0) & (tcb->acks_owed <= 1) &
		     (sl_spans_unsent(tcb) == SL_NO_INDEX);

	return ends & lossless & alone;
}

/*
 * Whether a quiet one that has no bytes to send wants to send nothing else either: then all it
 * may have to say is an ACK, and no timer runs but for that.
 */
static bool
is_content(const struct sl_tcb *tcb)
{
	return !sl_state_fin_pending(tcb->state) && !(tcb->is & SL_IS_WANTS_ROOM);
}

static bool
send_ack(const struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	bool done = tcb->acks_owed == 0 || sl_segment_bare(s, tcb->snd_nxt, SL_ACK);

	sl_timer_rest(tcb);
	sl_timer_await_ack(s->tcp, tcb);
	return done;
}

/* Everything owed, in the order in which it matters. */
static bool
send_owed(struct sl_sender *s)
{
	struct sl_tcb *tcb = s->tcb;
	const struct sl_active *a = sl_tcb_active(s->tcp, tcb);
	bool gaps = a != NULL && a->n_ooo > 0;

	if (tcb->owes & SL_OWES_RST) {
		if (!sl_segment_bare(s, bare_seq(tcb), SL_RST | SL_ACK))
			return false;
		sl_count(s->tcp, reset_out);
		tcb->owes = 0;
		return true;
	}
	if (tcb->owes & SL_OWES_SYN) {
		if (!send_syn(s))
			return false;
		tcb->owes &= ~SL_OWES_SYN;
	}
	if (!sl_state_is_synchronized(tcb->state))
		return true;
	while (gaps && tcb->acks_owed > 0) { /* duplicates count only without data */
		if (!sl_segment_bare(s, bare_seq(tcb), SL_ACK))
			return false;
		sl_count(s->tcp, dup_ack_out);
	}
	if (tcb->owes & SL_OWES_HEAD) {
		if (!send_head(s))
			return false;
		tcb->owes &= ~SL_OWES_HEAD;
	}
	if (a != NULL && a->probe == SL_PROBE_OWED && !send_tail(s))
		return false;
	if (!send_data(s))
		return false;
	if (tcb->owes & SL_OWES_PROBE) { /* KA2: a byte the peer has acknowledged, without it */
		if (!sl_segment_bare(s, tcb->snd_nxt - 1, SL_ACK))
			return false;
		sl_count(s->tcp, probe);
		tcb->owes &= ~SL_OWES_PROBE;
	}
	if (tcb->acks_owed > 0 && !sl_segment_bare(s, bare_seq(tcb), SL_ACK))
		return false;
	return true;
}

/*
 * The next hop does not answer: a handshake fails, others wait for their timers, which ask
 * for it again. An ACK that was owed counts as sent and lost: what it was for comes again,
 * and owes another.
 */
static void
path_is_dead(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	tcb->owes = 0;
	tcb->acks_owed = 0;
	tcb->unacked = 0;
	sl_segment_forget_repeat(tcp, tcb);
	sl_probe_forget(tcb, sl_tcb_active(tcp, tcb));
	sl_timer_stop(tcb, SL_TIMER_ACK);
	if (tcb->state == SL_ST_SYN_SENT || tcb->state == SL_ST_SYN_RECEIVED)
		sl_tcb_kill(tcp, tcb, SL_REASON_UNREACHABLE);
	else if (!sl_tcb_has_ended(tcb))
		sl_timer_resend(tcp, tcb, false);
}

/* What a router asked for ten minutes ago may be over: the larger size is tried again. */
static void
forget_less(const struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL || a->full_mss == 0 || tcp->tick - a->less_at < LESS_MS)
		return;
	tcb->mss = a->full_mss;
	a->full_mss = 0;
}

/* The next hop is not known: those for whom it is worth it wait until it is. */
static void
send_nowhere(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (sl_path_is_dead(tcp->net, tcb->path) || tcb->state == SL_ST_CLOSED)
		path_is_dead(tcp, tcb);
	else
		sl_tcb_park(tcp, tcb);
}

/* What is to be done to the timers once @tcb, whose SND.NXT was @before, has sent. */
static void
wait_on(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t before)
{
	if (tcb->snd_nxt != before)
		sl_timer_sent(tcp, tcb);
	else
		sl_timer_resend(tcp, tcb, false);
	sl_timer_await_ack(tcp, tcb);
}

/* Whatever is owed, by the long way, but for a FIN alone. */
static __rte_noinline bool
send_any(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_l2 *l2, uint8_t offloads)
{
	struct sl_put_model model = { .end = NULL };
	struct sl_sender s = { tcp, tcb, l2, offloads, tcp->by_the_book ? NULL : &model };
	uint32_t before = tcb->snd_nxt;
	bool done;

	if (is_lone_fin(tcp, tcb) && !tcp->by_the_book) {
		done = send_fin(&s);
	} else {
		forget_less(tcp, tcb);
		done = send_owed(&s);
	}
	if (sl_tcb_has_active(tcp, tcb))
		sl_tcb_unborrow(tcp, tcb);
	if (!sl_tcb_has_ended(tcb))
		wait_on(tcp, tcb, before);
	return done;
}

bool
sl_tcb_send(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	const struct sl_l2 *l2;
	uint8_t offloads;

	assert(sl_out_has_room(tcp->out));
	if (unlikely(tcb->path == SL_NO_PATH)) {
		tcb->owes = 0; /* half-open: answered the way it came, never from here */
		tcb->acks_owed = 0;
		return true;
	}
	if (unlikely(tcb->state == SL_ST_CLOSED) && !(tcb->owes & SL_OWES_RST))
		return true;
	l2 = sl_path_l2(tcp->net, tcp->now, tcb->path);
	if (unlikely(l2 == NULL)) {
		send_nowhere(tcp, tcb);
		return true;
	}
	offloads = sl_path_offloads(tcp->net, tcb->path);
	if (!is_quiet(tcp, tcb) || tcp->by_the_book)
		return send_any(tcp, tcb, l2, offloads);
	if (tcb->snd_nxt == tcb->snd_end && is_content(tcb))
		return send_ack(&(struct sl_sender){ tcp, tcb, l2, offloads, NULL });
	if (tcb->snd_nxt == tcb->snd_end || !has_answer(tcp, tcb))
		return send_any(tcp, tcb, l2, offloads);
	if (likely(send_answer(&(struct sl_sender){ tcp, tcb, l2, offloads, NULL })))
		return true;
	wait_on(tcp, tcb, tcb->snd_nxt);
	return false;
}
