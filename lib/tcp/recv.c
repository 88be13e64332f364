/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recv - bytes received: those in order wait for the application, those behind a gap for
 * the gap to fill (pieces.c), and the FIN for all of them.
 *
 * Received bytes stay in the packets that brought them. A queue is a list of segments
 * linked by rte_mbuf.next; what waits for an application hangs on a block that is lent to its
 * connection (lent.c).
 */
#include <string.h>

#include <rte_branch_prediction.h>

#include "tcp/tcp.h"
#include "tcp/timer.h"

#define COMPACT_MARK 0x51u /* packet_type of a buffer of our own that may grow */
#define SMALL_BYTES  512u  /* a segment this small is copied when others wait already */

/* Of the segment @m the @len bytes from @skip on, which are kept from now on. */
static inline void
keep(struct sl_tcp *tcp, struct rte_mbuf *m, uint32_t skip, uint32_t len)
{
	m->data_off += skip;
	m->data_len = len;
	m->pkt_len = len;
	m->packet_type = 0;
	tcp->n_kept++;
	sl_count(tcp, kept);
}

/*
 * Take the packet of @lane apart: a list of segments holding the @len bytes from @skip of
 * its payload on, each counted as kept. What holds no byte of them is given back.
 */
static struct rte_mbuf *
take_payload(struct sl_tcp *tcp, struct sl_lane *lane, uint32_t skip, uint32_t len)
{
	struct rte_mbuf *m = lane->m, *head = NULL, **end = &head;

	skip += lane->frame.payload;
	lane->m = NULL;
	while (m != NULL) {
		struct rte_mbuf *next = m->next;
		uint32_t cut = skip < m->data_len ? skip : m->data_len;
		uint32_t n = m->data_len - cut;

		skip -= cut;
		if (n > len)
			n = len;
		len -= n;
		m->next = NULL;
		m->nb_segs = 1;
		if (n == 0) {
			sl_tcp_put(tcp, m);
		} else {
			keep(tcp, m, cut, n);
			*end = m;
			end = &m->next;
		}
		m = next;
	}
	return head;
}

/* Copy the bytes of @m behind those of @tail; false if they do not fit there. */
static bool
append_copy(struct rte_mbuf *tail, const struct rte_mbuf *m)
{
	if (tail == NULL || tail->packet_type != COMPACT_MARK ||
	    rte_mbuf_refcnt_read(tail) != 1 || rte_pktmbuf_tailroom(tail) < m->data_len)
		return false;
	memcpy(rte_pktmbuf_append(tail, m->data_len), rte_pktmbuf_mtod(m, void *), m->data_len);
	return true;
}

/* A buffer of our own with the bytes of @m, which is given back; @m itself if there is none. */
static struct rte_mbuf *
compact(struct sl_tcp *tcp, struct rte_mbuf *m)
{
	struct rte_mbuf *own;

	if (sl_tcp_get(tcp, SL_POOL_RETAIN, &own, 1) < 0)
		return m;
	own->packet_type = COMPACT_MARK;
	own->next = NULL;
	if (!append_copy(own, m)) { /* more than a buffer of ours holds: a jumbo frame */
		sl_tcp_put(tcp, own);
		return m;
	}
	tcp->n_kept++;
	sl_count(tcp, kept);
	sl_tcp_put_kept(tcp, m);
	sl_count(tcp, compacted);
	return own;
}

/* The next @n of the peer's numbers have come. */
static void
advance(struct sl_tcb *tcb, uint32_t n)
{
	uint32_t unacked = tcb->unacked + n;

	tcb->rcv_nxt += n;
	tcb->unacked = unacked < SL_UNACKED_MOST ? unacked : SL_UNACKED_MOST;
}

/* The bytes of @m where they take less room: NULL if behind those of @tail, @m given back. */
static __rte_noinline struct rte_mbuf *
squeeze(struct sl_tcp *tcp, struct rte_mbuf *tail, struct rte_mbuf *m)
{
	if (!append_copy(tail, m))
		return compact(tcp, m);
	sl_tcp_put_kept(tcp, m);
	return NULL;
}

/* Put one segment behind what waits for the application. */
static inline void
append_segment(struct sl_tcp *tcp, struct sl_tcb *tcb, struct rte_mbuf *m)
{
	bool pressed = tcp->n_kept > tcp->rx_buffers / 4 * 3;
	struct sl_lent *in = sl_lent_take(tcp, tcb);
	uint32_t len = m->data_len;

	advance(tcb, len);
	in->bytes += len;
	if (unlikely(pressed || (len < SMALL_BYTES && in->head != NULL))) {
		m = squeeze(tcp, in->tail, m);
		if (m == NULL)
			return;
	}
	if (in->head == NULL)
		in->head = m;
	else
		in->tail->next = m;
	in->tail = m;
}

static void
append_list(struct sl_tcp *tcp, struct sl_tcb *tcb, struct rte_mbuf *m)
{
	while (m != NULL) {
		struct rte_mbuf *next = m->next;

		m->next = NULL;
		append_segment(tcp, tcb, m);
		m = next;
	}
	sl_tcb_mark(tcp, tcb, SL_MARK_DATA);
}

void
sl_tcb_taken(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t bytes)
{
	struct sl_lent *in = sl_tcb_lent(tcp, tcb);
	struct rte_mbuf *m;

	assert(bytes <= sl_tcb_unread(tcp, tcb));
	if (in == NULL)
		return;
	in->bytes -= bytes;
	while ((m = in->head) != NULL && bytes >= m->data_len) {
		bytes -= m->data_len;
		in->head = m->next;
		m->next = NULL;
		sl_tcp_put_kept(tcp, m);
	}
	if (m == NULL) {
		in->tail = NULL;
		sl_lent_give(tcp, tcb, in);
		return;
	}
	m->data_off += bytes;
	m->data_len -= bytes;
	m->pkt_len = m->data_len;
}

/* @lo..@hi came a second time: the first block of the next ACK says so (RFC 2883, 4). */
static void
note_dup(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_sack dup)
{
	struct sl_active *a;

	if (!(tcb->is & SL_IS_SACK) || (a = sl_tcb_borrow(tcp, tcb)) == NULL)
		return;
	a->dup = dup;
	a->has_dup = true;
	sl_count(tcp, dup_in);
}

void
sl_tcb_note_repeat(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t end = sl_seq_min(seg->seq + seg->len, tcb->rcv_nxt);
	struct sl_sack dup = { seg->seq, end };

	/* what lies further back than any window of ours was never sent to us */
	if (sl_seq_lt(dup.lo, dup.hi) && tcb->rcv_nxt - dup.lo <= 65535u << tcb->rcv_scale)
		note_dup(tcp, tcb, dup);
}

/* Bytes behind a gap: kept if there is room for them, and told of by SACK. */
static void
receive_behind_gap(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane, uint32_t seq,
		   uint32_t len)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);
	struct sl_sack dup = { 0 };
	struct rte_mbuf *m;

	if (a == NULL || !sl_pieces_may_keep(tcp, a, seq)) {
		sl_count(tcp, ooo_dropped);
		sl_tcb_unborrow(tcp, tcb);
		return;
	}
	if (sl_pieces_find(a, seq, seq + len, &dup))
		note_dup(tcp, tcb, dup);
	m = take_payload(tcp, lane, seq - lane->seg.seq, len);
	if (sl_pieces_keep(tcp, a, m, seq, len))
		sl_count(tcp, out_of_order);
}

/* Pieces that the gap no longer holds back move to the application's queue. */
static void
close_gap(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	struct rte_mbuf *m;

	while ((m = sl_pieces_take(tcp, a, tcb->rcv_nxt)) != NULL)
		append_segment(tcp, tcb, m);
	sl_pieces_passed(a, tcb->rcv_nxt);
}

void
sl_tcb_prune(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL)
		return;
	sl_count_n(tcp, pruned, a->n_ooo);
	sl_pieces_drop(tcp, a);
	sl_tcb_unborrow(tcp, tcb);
}

void
sl_tcb_drop_received(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	sl_tcb_taken(tcp, tcb, sl_tcb_unread(tcp, tcb));
	if (a != NULL)
		sl_pieces_drop(tcp, a);
}

static void
owe_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, bool one_more)
{
	if (tcb->acks_owed == 0 || (one_more && tcb->acks_owed < 15))
		tcb->acks_owed++;
	sl_tcb_output(tcp, tcb);
}

/* 3.10.7.4, eighth: the peer has no more to send. */
static void
receive_fin(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	advance(tcb, 1);
	tcb->rcv_adv = sl_seq_max(tcb->rcv_adv, tcb->rcv_nxt);
	tcb->is |= SL_IS_FIN_IN;
	if (a != NULL)
		sl_pieces_drop(tcp, a); /* nothing can follow a FIN */
	sl_tcb_mark(tcp, tcb, SL_MARK_FIN);
	owe_ack(tcp, tcb, false);
	sl_tcb_event(tcp, tcb, SL_EV_FIN_RCVD);
}

/*
 * Whether @len bytes are worth a look at the buffer's size: full segments are, and only as
 * long as there is something to be had and our scale can say it.
 */
static bool
may_earn(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t len)
{
	uint32_t buf;

	if (len < tcb->mss / 2)
		return false;
	buf = sl_tcb_rcvbuf(tcp, tcb);
	return buf < sl_tcb_conf(tcp, tcb)->rcvbuf && buf < 65535u << tcb->rcv_scale;
}

/*
 * Whether the peer is likely to be in slow start, and waits for this ACK to send more: at
 * the beginning, and behind a loss (RFC 5681, 4.2 asks for no less than every second one).
 */
static bool
is_awaited(struct sl_tcb *tcb, uint32_t len)
{
	if (len < tcb->mss || tcb->quick_acks == 0)
		return false;
	tcb->quick_acks--;
	return true;
}

/*
 * An ACK at once, or @may_wait until there is another reason to send something. The application
 * is going to be told of what is acknowledged.
 */
static inline void
acknowledge(struct sl_tcp *tcp, struct sl_tcb *tcb, bool may_wait)
{
	uint32_t ms = sl_tcb_conf(tcp, tcb)->delayed_ack_ms;

	if (!may_wait || ms == 0)
		owe_ack(tcp, tcb, false);
	else if (tcb->ack_due == 0)
		sl_timer_hold_ack(tcp, tcb, ms);
}

/* Bytes in order. The first may wait for company before it is acknowledged, no second one. */
static void
receive_in_order(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane, uint32_t skip,
		 uint32_t len)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	bool filled = a != NULL && a->n_ooo > 0;
	bool second = tcb->unacked != 0, quick = is_awaited(tcb, len);

	if (may_earn(tcp, tcb, len))
		sl_tcb_earn(tcp, tcb, &lane->seg);
	append_list(tcp, tcb, take_payload(tcp, lane, skip, len));
	if (filled) {
		close_gap(tcp, tcb, a);
		tcb->quick_acks = sl_tcb_conf(tcp, tcb)->quick_acks;
	}
	acknowledge(tcp, tcb, !filled && !second && !quick);
}

/* As receive_in_order() where there is no gap, for a packet that lies in one buffer. */
void
sl_tcb_receive_next(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	uint32_t len = lane->seg.len;
	bool second = tcb->unacked != 0, quick;
	struct rte_mbuf *m = lane->m;

	if (unlikely(m->next != NULL)) {
		receive_in_order(tcp, tcb, lane, 0, len);
		return;
	}
	quick = is_awaited(tcb, len);
	if (may_earn(tcp, tcb, len))
		sl_tcb_earn(tcp, tcb, &lane->seg);
	lane->m = NULL;
	keep(tcp, m, lane->frame.payload, len);
	append_segment(tcp, tcb, m);
	sl_tcb_mark(tcp, tcb, SL_MARK_DATA);
	acknowledge(tcp, tcb, !second && !quick);
}

void
sl_tcb_receive_fin(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	receive_fin(tcp, tcb);
	sl_tcb_unborrow(tcp, tcb);
}

/* Where the peer's stream ends if we know: behind a gap its FIN waits. False: not known. */
static bool
knows_end(const struct sl_active *a, uint32_t *end)
{
	if (a == NULL || !a->has_fin)
		return false;
	*end = a->fin_seq;
	return true;
}

/* Remember a FIN behind a gap; the first one counts, and none that denies bytes we hold. */
static void
keep_fin(struct sl_active *a, uint32_t seq)
{
	bool denies = sl_pieces_go_beyond(a, seq);

	if (a->has_fin || denies)
		return;
	a->has_fin = true;
	a->fin_seq = seq;
}

void
sl_tcb_receive(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane)
{
	const struct sl_seg *seg = &lane->seg;
	uint32_t seq = seg->seq, end = seg->seq + seg->len, last;
	bool fin = seg->flags & SL_FIN;
	struct sl_active *a;

	if (!sl_state_can_receive(tcb->state))
		return; /* its FIN came; there is nothing behind it */
	if (sl_seq_gt(end, tcb->rcv_adv)) {
		end = tcb->rcv_adv;
		fin = false;
	}
	if (knows_end(sl_tcb_active(tcp, tcb), &last) && sl_seq_gt(end, last)) {
		end = last; /* nothing lies behind a FIN */
		fin = false;
		seq = sl_seq_min(seq, end);
	}
	if (sl_seq_lt(seq, tcb->rcv_nxt))
		seq = sl_seq_min(tcb->rcv_nxt, end);
	if (end != seq && (tcb->is & SL_IS_CLOSED_APP)) {
		sl_tcb_abort(tcp, tcb, SL_REASON_ABORTED); /* nobody is left to read it */
		return;
	}
	if (end != seq && (tcp->n_kept >= tcp->rx_buffers ||
			   (sl_tcp_is_scarce(tcp) &&
			    sl_tcb_unread(tcp, tcb) >= sl_tcp_share(tcp, tcb, UINT32_MAX)))) {
		sl_count(tcp, no_buffer); /* not acknowledged: the peer will send it again */
		owe_ack(tcp, tcb, false);
		return;
	}
	if (sl_seq_lt(seg->seq, tcb->rcv_nxt))
		sl_tcb_note_repeat(tcp, tcb, seg);
	if (end != seq && seq == tcb->rcv_nxt) {
		receive_in_order(tcp, tcb, lane, seq - seg->seq, end - seq);
	} else if (end != seq) {
		receive_behind_gap(tcp, tcb, lane, seq, end - seq);
		owe_ack(tcp, tcb, !(tcb->is & SL_IS_SACK));
	}

	a = sl_tcb_active(tcp, tcb);
	if (fin && end == tcb->rcv_nxt) {
		receive_fin(tcp, tcb);
	} else if (fin && sl_seq_gt(end, tcb->rcv_nxt)) {
		a = sl_tcb_borrow(tcp, tcb);
		if (a != NULL)
			keep_fin(a, end);
		owe_ack(tcp, tcb, false);
	} else if (a != NULL && a->has_fin && a->fin_seq == tcb->rcv_nxt) {
		receive_fin(tcp, tcb);
	}
	sl_tcb_unborrow(tcp, tcb);
}
