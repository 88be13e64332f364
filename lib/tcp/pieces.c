/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pieces - bytes received behind a gap: where each lies, and what SACK tells of them.
 *
 * A piece is a segment that keeps its sequence number in hash.usr, which nobody else uses once
 * a packet was parsed. Pieces never overlap. A newer segment that covers a kept piece whole
 * takes its place; otherwise the bytes that came first win.
 */
#include "tcp/tcp.h"

#define PIECES_FREE      64u  /* pieces out of order, however small */
#define PIECE_BYTES_MEAN 512u /* beyond that, bytes each must bring on average */

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

void
sl_pieces_passed(struct sl_active *a, uint32_t rcv_nxt)
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < a->n_recent; i++) {
		if (sl_seq_gt(a->recent[i].lo, rcv_nxt))
			a->recent[n++] = a->recent[i];
	}
	a->n_recent = n;
}

bool
sl_pieces_find(const struct sl_active *a, uint32_t lo, uint32_t hi, struct sl_sack *run)
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

bool
sl_pieces_may_keep(struct sl_tcp *tcp, const struct sl_active *a, uint32_t seq)
{
	bool dense = a->n_ooo < PIECES_FREE + a->ooo_bytes / PIECE_BYTES_MEAN;

	return dense && !sl_tcp_is_scarce(tcp) && (!needs_walk(a, seq) || may_walk(tcp, a));
}

bool
sl_pieces_keep(struct sl_tcp *tcp, struct sl_active *a, struct rte_mbuf *m, uint32_t seq,
	       uint32_t len)
{
	bool walks = needs_walk(a, seq), kept = false;
	uint32_t at = seq;

	while (m != NULL) {
		struct rte_mbuf *next = m->next;
		uint32_t n = m->data_len;

		m->next = NULL;
		m->hash.usr = at;
		at += n;
		if (piece_insert(tcp, a, m))
			kept = true;
		else
			sl_tcp_put_kept(tcp, m);
		m = next;
	}
	remember_sack(a, seq, seq + len, walks);
	return kept;
}

struct rte_mbuf *
sl_pieces_take(struct sl_tcp *tcp, struct sl_active *a, uint32_t rcv_nxt)
{
	struct rte_mbuf *m;

	while ((m = a->ooo_head) != NULL && sl_seq_le(piece_seq(m), rcv_nxt)) {
		uint32_t cut = rcv_nxt - piece_seq(m);

		piece_unlink(a, NULL, m);
		if (cut < m->data_len) {
			m->data_off += cut;
			m->data_len -= cut;
			m->pkt_len = m->data_len;
			return m;
		}
		sl_tcp_put_kept(tcp, m);
	}
	return NULL;
}

bool
sl_pieces_go_beyond(const struct sl_active *a, uint32_t seq)
{
	return a->ooo_tail != NULL && sl_seq_lt(seq, piece_end(a->ooo_tail));
}

void
sl_pieces_drop(struct sl_tcp *tcp, struct sl_active *a)
{
	struct rte_mbuf *m;

	while ((m = a->ooo_head) != NULL) {
		piece_unlink(a, NULL, m);
		sl_tcp_put_kept(tcp, m);
	}
	a->n_recent = 0;
	a->has_fin = false;
}
