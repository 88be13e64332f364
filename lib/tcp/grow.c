/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grow - how large a receive buffer a connection has earned.
 *
 * Buffers begin small and double whenever the application took half of one within a round
 * trip: whoever sends that fast needs twice as much to go on growing (dynamic right-sizing).
 * Who sends slowly or is not read stays as he is; nothing ever shrinks, so the right edge
 * does not move back. The scale in our SYN covers the most from the beginning.
 *
 * The round under way is not in the connection's record: few receive in bulk at once. It is
 * kept in a table of places, each for whoever comes first, and left to another when it has
 * not been used for a while. Who finds his place taken waits for it with the buffer he has.
 */
#include "tcp/tcp.h"

#define UNKNOWN  UINT16_MAX
#define ABSENCE  4000u /* ms until a place may be taken from its owner */
#define RTT_MOST 60000u

static struct sl_round *
place_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t spread = sl_tcb_idx(tcp, tcb) * 2654435761u;

	return &tcp->round[(uint64_t)spread * tcp->n_active >> 32];
}

static bool
is_ours(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_round *r)
{
	return r->owner == sl_tcb_idx(tcp, tcb) && r->gen == (uint16_t)tcb->gen;
}

/* Behind the last byte that the application took. */
static uint32_t
taken_by(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return tcb->rcv_nxt - sl_tcb_unread(tcp, tcb);
}

static void
begin(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_round *r, uint32_t taken)
{
	r->owner = sl_tcb_idx(tcp, tcb);
	r->gen = (uint16_t)tcb->gen;
	r->taken = taken;
	r->began = tcp->tick;
}

/*
 * The round trip in milliseconds, at least 1: from the timestamp that @seg echoes, which a
 * sender in a hurry does at once; else as our own bytes measured it. UNKNOWN: neither.
 */
static uint32_t
round_trip(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct sl_seg *seg)
{
	uint32_t ms = sl_tcb_tsval(tcp, tcb) - seg->tsecr;

	if ((tcb->is & SL_IS_TS) && (seg->opts & SL_OPT_TS) && ms < RTT_MOST)
		return ms > 0 ? ms : 1;
	ms = tcb->srtt_us8 / 8000;
	if (tcb->srtt_us8 == 0 || ms >= RTT_MOST)
		return UNKNOWN;
	return ms > 0 ? ms : 1;
}

/* The round of @tcb is over, after @ms, or nobody knows how long one takes. */
static __rte_noinline void
end(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_round *r, uint32_t ms, uint32_t rtt)
{
	uint32_t taken = taken_by(tcp, tcb), copied = taken - r->taken;
	uint32_t buf = sl_tcb_rcvbuf(tcp, tcb);

	if (r->rtt_ms == UNKNOWN && copied >= buf && ms > 0 && ms < RTT_MOST)
		r->rtt_ms = ms; /* no more than it takes to receive a whole buffer */
	if (r->rtt_ms == UNKNOWN || ms < r->rtt_ms)
		return;
	if ((uint64_t)copied * r->rtt_ms >= (uint64_t)buf / 2 * ms)
		tcb->rcv_grown++;
	begin(tcp, tcb, r, taken);
	if (rtt != UNKNOWN)
		r->rtt_ms = rtt;
}

void
sl_tcb_earn(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg)
{
	struct sl_round *r = place_of(tcp, tcb);
	uint32_t ms = tcp->tick - r->began, rtt = round_trip(tcp, tcb, seg);

	if (!is_ours(tcp, tcb, r)) {
		if (r->began != 0 && ms < ABSENCE)
			return;
		begin(tcp, tcb, r, taken_by(tcp, tcb));
		r->rtt_ms = rtt;
		return;
	}
	if (r->rtt_ms > rtt)
		r->rtt_ms = rtt;
	if (ms >= r->rtt_ms || r->rtt_ms == UNKNOWN)
		end(tcp, tcb, r, ms, rtt);
}
