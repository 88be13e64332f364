/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recv - bytes received: those in order wait for the application, those behind a gap for
 * the gap to fill.
 *
 * Received bytes stay in the packets that brought them. A queue is a list of segments
 * linked by rte_mbuf.next; what waits for an application hangs on a block that is lent to its
 * connection (lent.c). A piece out of order keeps its sequence number in hash.usr, which nobody
 * else uses once a packet was parsed. A newer segment that covers a kept piece whole takes its
 * place; otherwise the bytes that came first win.
 */
#include <string.h>

#include <rte_branch_prediction.h>

#include "tcp/tcp.h"
#include "tcp/timer.h"

#define COMPACT_MARK     0x51u /* packet_type of a buffer of our own that may grow */
#define SMALL_BYTES      512u  /* a segment this small is copied when others wait already */
#define PIECES_FREE      64u   /* pieces out of order, however small */
#define PIECE_BYTES_MEAN 512u  /* beyond that, bytes each must bring on average */

void
sl_tcp_put_kept(struct sl_tcp *tcp, struct rte_mbuf *m)
{
	tcp->n_kept--;
	sl_uncount(tcp, kept);
	sl_tcp_put(tcp, m);
}

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

/* Put one segment behind what waits for the application. */
static void
append_segment(struct sl_tcp *tcp, struct sl_tcb *tcb, struct rte_mbuf *m)
{
	bool pressed = tcp->n_kept > tcp->rx_buffers / 4 * 3;
	struct sl_lent *in = sl_lent_take(tcp, tcb);

	advance(tcb, m->data_len);
	in->bytes += m->data_len;
	if (pressed || (in->head != NULL && m->data_len < SMALL_BYTES)) {
		if (append_copy(in->tail, m)) {
			sl_tcp_put_kept(tcp, m);
			return;
		}
		m = compact(tcp, m);
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
		sl_lent_give(tcp, tcb);
		return;
	}
	m->data_off += bytes;
	m->data_len -= bytes;
	m->pkt_len = m->data_len;
}

static uint32_t
piece_seq(const struct rte_mbuf *m)
{
	return m->hash.usr;
}

static uint32_t
piece_end(const struct rte_mbuf *m)
{
	return m->hash.usr + m->data_len;
}

static void
piece_unlink(struct sl_active *a, struct rte_mbuf *prev, struct rte_mbuf *m)
{
	if (prev == NULL)
		a->ooo_head = m->next;
	else
		prev->next = m->next;
	if (a->ooo_tail == m)
		a->ooo_tail = prev;
	m->next = NULL;
	a->ooo_bytes -= m->data_len;
	a->n_ooo--;
}

static void
piece_link(struct sl_active *a, struct rte_mbuf *prev, struct rte_mbuf *m)
{
	if (prev == NULL) {
		m->next = a->ooo_head;
		a->ooo_head = m;
	} else {
		m->next = prev->next;
		prev->next = m;
	}
	if (a->ooo_tail == prev)
		a->ooo_tail = m;
	a->ooo_bytes += m->data_len;
	a->n_ooo++;
}

/* Keep the piece @m, cut to what is new in it; false if nothing was. */
static bool
piece_insert(struct sl_tcp *tcp, struct sl_active *a, struct rte_mbuf *m)
{
	struct rte_mbuf *prev = NULL, *cur = a->ooo_head;

	if (a->ooo_tail != NULL && sl_seq_ge(piece_seq(m), piece_end(a->ooo_tail))) {
		prev = a->ooo_tail;
		cur = NULL;
	}
	while (cur != NULL && sl_seq_le(piece_end(cur), piece_seq(m))) {
		prev = cur;
		cur = cur->next;
	}
	if (cur != NULL && sl_seq_le(piece_seq(cur), piece_seq(m))) {
		uint32_t cut = piece_end(cur) - piece_seq(m);

		if (cut >= m->data_len)
			return false;
		m->data_off += cut;
		m->data_len -= cut;
		m->pkt_len = m->data_len;
		m->hash.usr += cut;
		prev = cur;
		cur = cur->next;
	}
	while (cur != NULL && sl_seq_le(piece_end(cur), piece_end(m))) {
		struct rte_mbuf *next = cur->next;

		piece_unlink(a, prev, cur);
		sl_tcp_put_kept(tcp, cur);
		cur = next;
	}
	if (cur != NULL && sl_seq_lt(piece_seq(cur), piece_end(m))) {
		m->data_len = piece_seq(cur) - piece_seq(m);
		m->pkt_len = m->data_len;
		if (m->data_len == 0)
			return false;
	}
	piece_link(a, prev, m);
	return true;
}

/* Grow @block to all kept bytes that it touches. */
static void
grow_to_island(const struct sl_active *a, struct sl_sack *block)
{
	uint32_t lo = 0, hi = 0;
	bool any = false;

	for (const struct rte_mbuf *m = a->ooo_head; m != NULL; m = m->next) {
		if (any && piece_seq(m) == hi) {
			hi = piece_end(m);
			continue;
		}
		if (any && sl_seq_le(block->lo, hi))
			break; /* the one that ends here is it */
		lo = piece_seq(m);
		hi = piece_end(m);
		any = true;
	}
	if (any && sl_seq_le(lo, block->hi) && sl_seq_le(block->lo, hi)) {
		block->lo = sl_seq_min(lo, block->lo);
		block->hi = sl_seq_max(hi, block->hi);
	}
}

/*
 * The block @lo..@hi is the newest; what it touches grows together (RFC 2018, 4). Only
 * with as many blocks as we remember may there be pieces that none of them covers; then
 * they are looked at, unless it is known that none @touches.
 */
static void
remember_sack(struct sl_active *a, uint32_t lo, uint32_t hi, bool touches)
{
	struct sl_sack kept[SL_SACKS_MAX];
	uint8_t n = 0;

	if (touches && a->n_recent == SL_SACKS_MAX) {
		struct sl_sack block = { lo, hi };

		grow_to_island(a, &block);
		lo = block.lo;
		hi = block.hi;
	}
	for (uint8_t i = 0; i < a->n_recent; i++) {
		const struct sl_sack *s = &a->recent[i];
		bool apart = sl_seq_lt(hi, s->lo) || sl_seq_gt(lo, s->hi);

		if (apart) {
			kept[n++] = *s;
		} else {
			lo = sl_seq_min(lo, s->lo);
			hi = sl_seq_max(hi, s->hi);
		}
	}
	a->recent[0] = (struct sl_sack){ lo, hi };
	a->n_recent = 1;
	for (uint8_t i = 0; i < n && a->n_recent < SL_SACKS_MAX; i++)
		a->recent[a->n_recent++] = kept[i];
}

static void
forget_sacks_until(struct sl_active *a, uint32_t rcv_nxt)
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < a->n_recent; i++) {
		if (sl_seq_gt(a->recent[i].lo, rcv_nxt))
			a->recent[n++] = a->recent[i];
	}
	a->n_recent = n;
}

/* Of @lo..@hi, the first run of bytes that is kept already; false: none is. */
static bool
find_kept(const struct sl_active *a, uint32_t lo, uint32_t hi, struct sl_sack *run)
{
	bool any = false;

	if (a->ooo_tail == NULL || sl_seq_ge(lo, piece_end(a->ooo_tail)))
		return false;
	for (const struct rte_mbuf *m = a->ooo_head; m != NULL; m = m->next) {
		if (sl_seq_le(piece_end(m), lo))
			continue;
		if (sl_seq_ge(piece_seq(m), any ? run->hi + 1 : hi))
			break;
		if (!any)
			run->lo = sl_seq_max(piece_seq(m), lo);
		run->hi = sl_seq_min(piece_end(m), hi);
		any = true;
		if (run->hi == hi)
			break;
	}
	return any;
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

/*
 * Whether bytes from @seq on find their place, and the block that tells of them, only by a
 * walk: not if they come behind all others, and join a block that is remembered or none.
 */
static bool
needs_walk(const struct sl_active *a, uint32_t seq)
{
	uint32_t end;

	if (a->ooo_tail == NULL)
		return false;
	end = piece_end(a->ooo_tail);
	if (seq != end || a->n_recent < SL_SACKS_MAX)
		return sl_seq_lt(seq, end);
	for (uint8_t i = 0; i < a->n_recent; i++) {
		if (a->recent[i].hi == end)
			return false;
	}
	return true;
}

/* A peer may leave thousands of pieces here, and have them walked through by every segment. */
static bool
may_walk(struct sl_tcp *tcp, const struct sl_active *a)
{
	if (a->n_ooo <= PIECES_FREE)
		return true;
	if (tcp->walk_budget == 0)
		return false;
	tcp->walk_budget -= a->n_ooo < tcp->walk_budget ? a->n_ooo : tcp->walk_budget;
	return true;
}

static bool
may_keep_piece(struct sl_tcp *tcp, const struct sl_active *a, uint32_t seq)
{
	bool dense = a->n_ooo < PIECES_FREE + a->ooo_bytes / PIECE_BYTES_MEAN;

	return dense && !sl_tcp_is_scarce(tcp) && (!needs_walk(a, seq) || may_walk(tcp, a));
}

/* Bytes behind a gap: kept if there is room for them, and told of by SACK. */
static void
receive_behind_gap(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_lane *lane, uint32_t seq,
		   uint32_t len)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);
	struct rte_mbuf *m;
	struct sl_sack dup = { 0 };
	bool kept = false, walks;

	if (a == NULL || !may_keep_piece(tcp, a, seq)) {
		sl_count(tcp, ooo_dropped);
		sl_tcb_unborrow(tcp, tcb);
		return;
	}
	walks = needs_walk(a, seq);
	if (find_kept(a, seq, seq + len, &dup))
		note_dup(tcp, tcb, dup);
	m = take_payload(tcp, lane, seq - lane->seg.seq, len);
	while (m != NULL) {
		struct rte_mbuf *next = m->next;
		uint32_t n = m->data_len;

		m->next = NULL;
		m->hash.usr = seq;
		seq += n;
		if (piece_insert(tcp, a, m))
			kept = true;
		else
			sl_tcp_put_kept(tcp, m);
		m = next;
	}
	if (kept)
		sl_count(tcp, out_of_order);
	remember_sack(a, seq - len, seq, walks);
}

/* Pieces that the gap no longer holds back move to the application's queue. */
static void
close_gap(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a)
{
	struct rte_mbuf *m;

	while ((m = a->ooo_head) != NULL && sl_seq_le(piece_seq(m), tcb->rcv_nxt)) {
		uint32_t cut = tcb->rcv_nxt - piece_seq(m);

		piece_unlink(a, NULL, m);
		if (cut >= m->data_len) {
			sl_tcp_put_kept(tcp, m);
			continue;
		}
		m->data_off += cut;
		m->data_len -= cut;
		m->pkt_len = m->data_len;
		append_segment(tcp, tcb, m);
	}
	forget_sacks_until(a, tcb->rcv_nxt);
}

static void
drop_pieces(struct sl_tcp *tcp, struct sl_active *a)
{
	struct rte_mbuf *m;

	while ((m = a->ooo_head) != NULL) {
		piece_unlink(a, NULL, m);
		sl_tcp_put_kept(tcp, m);
	}
	a->n_recent = 0;
	a->has_fin = false;
}

void
sl_tcb_prune(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL)
		return;
	sl_count_n(tcp, pruned, a->n_ooo);
	drop_pieces(tcp, a);
	sl_tcb_unborrow(tcp, tcb);
}

void
sl_tcb_drop_received(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	sl_tcb_taken(tcp, tcb, sl_tcb_unread(tcp, tcb));
	if (a != NULL)
		drop_pieces(tcp, a);
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
		drop_pieces(tcp, a); /* nothing can follow a FIN */
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
	if (tcb->quick_acks == 0 || len < tcb->mss)
		return false;
	tcb->quick_acks--;
	return true;
}

/* An ACK at once, or @may_wait until there is another reason to send something. */
static inline void
acknowledge(struct sl_tcp *tcp, struct sl_tcb *tcb, bool may_wait)
{
	uint32_t ms = sl_tcb_conf(tcp, tcb)->delayed_ack_ms;

	if (!may_wait || ms == 0) {
		owe_ack(tcp, tcb, false);
	} else if (tcb->ack_due == 0) {
		sl_timer_hold_ack(tcp, tcb, ms);
		sl_tcb_output(tcp, tcb);
	}
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
	bool denies = a->ooo_tail != NULL && sl_seq_lt(seq, piece_end(a->ooo_tail));

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
