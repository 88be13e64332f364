/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timewait - what is left of a connection for 2 MSL (RFC 9293, 3.3.2 and 3.10.7.4).
 *
 * A record of one line answers what may still come: a repeated FIN and strays by an ACK,
 * never a reset by anything (RFC 1337). A newer SYN (RFC 6191; RFC 1122, 4.2.2.13) is
 * answered from the record in place, with a number above all we sent; only the third
 * segment, which proves that the SYN was not forged, lets a connection replace the record.
 * All records wait equally long, so the oldest is the first to go.
 */
#include "tcp/tcp.h"

#define NEW_ISS_GAP 0x20000u /* above the last number sent; RFC 9293, 3.6.1 wants it larger */

static void
unlink_age(struct sl_tcp *tcp, uint32_t idx)
{
	struct sl_tw *tw = &tcp->tw[idx];

	if (tw->prev == SL_NO_INDEX)
		tcp->tw_oldest = tw->next;
	else
		tcp->tw[tw->prev].next = tw->next;
	if (tw->next == SL_NO_INDEX)
		tcp->tw_newest = tw->prev;
	else
		tcp->tw[tw->next].prev = tw->prev;
}

static void
link_newest(struct sl_tcp *tcp, uint32_t idx)
{
	struct sl_tw *tw = &tcp->tw[idx];

	tw->since = tcp->tick;
	tw->next = SL_NO_INDEX;
	tw->prev = tcp->tw_newest;
	if (tcp->tw_newest == SL_NO_INDEX)
		tcp->tw_oldest = idx;
	else
		tcp->tw[tcp->tw_newest].next = idx;
	tcp->tw_newest = idx;
}

void
sl_tw_free(struct sl_tcp *tcp, uint32_t idx, bool in_table)
{
	struct sl_tw *tw = &tcp->tw[idx];
	struct sl_tuple tuple;

	if (in_table) {
		sl_tcb_tuple(tcp, &tw->key, &tuple);
		sl_flows_remove(tcp->flows, sl_flows_hash(tcp->flows, &tuple),
				idx | SL_FLOW_TW);
	}
	if (tw->key.v6 != 0)
		sl_slots_put(&tcp->free_key6, tw->key.v6 - 1);
	tw->key.v6 = 0;
	unlink_age(tcp, idx);
	sl_slots_put(&tcp->free_tw, idx);
	sl_uncount(tcp, time_wait);
}

static uint32_t
two_msl(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	return 2 * tcp->listener[tw->listener].conf.tcp.msl_ms;
}

void
sl_tw_expire(struct sl_tcp *tcp, uint32_t max)
{
	while (max-- > 0 && tcp->tw_oldest != SL_NO_INDEX) {
		struct sl_tw *tw = &tcp->tw[tcp->tw_oldest];

		if (tcp->tick - tw->since < two_msl(tcp, tw))
			return;
		sl_tw_free(tcp, tcp->tw_oldest, true);
	}
}

/* A free record; if there is none the oldest gives way. */
static uint32_t
take_record(struct sl_tcp *tcp)
{
	uint32_t idx = sl_slots_get(&tcp->free_tw);

	if (idx == SL_NO_INDEX) {
		sl_tw_free(tcp, tcp->tw_oldest, true);
		sl_count(tcp, time_wait_retired);
		idx = sl_slots_get(&tcp->free_tw);
	}
	return idx;
}

void
sl_tw_enter(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t idx = take_record(tcp);
	struct sl_tw *tw = &tcp->tw[idx];
	struct sl_tuple tuple;
	bool replaced;

	sl_tcb_tuple(tcp, &tcb->key, &tuple);
	*tw = (struct sl_tw){
		.key = tw->key, /* other cores may be reading it: written below, in its own way
				 */
		.snd_nxt = tcb->snd_nxt,
		.rcv_nxt = tcb->rcv_nxt,
		.ts_recent = tcb->ts_recent,
		.ts_offset = tcb->ts_offset,
		.rcv_wnd = sl_tcb_window(tcp, tcb, false),
		.listener = tcb->listener,
		.is_ts = !!(tcb->is & SL_IS_TS),
	};
	sl_key_store(&tw->key, &tcb->key, sizeof(tw->key));
	tcb->key.v6 = 0; /* the record owns that line now */
	replaced = sl_flows_replace(tcp->flows, sl_flows_hash(tcp->flows, &tuple),
				    sl_tcb_idx(tcp, tcb), idx | SL_FLOW_TW);
	assert(replaced);
	(void)replaced;
	link_newest(tcp, idx);
	sl_count(tcp, time_wait);
}

/* Say where we are. Bare ACKs are answered within the challenge budget only. */
static void
answer_ack(struct sl_tcp *tcp, struct sl_lane *lane, const struct sl_tw *tw)
{
	struct sl_seg_out seg = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = SL_ACK,
		.wnd = tw->rcv_wnd,
		.ttl = tcp->listener[tw->listener].conf.tcp.ttl,
		.tos = tcp->listener[tw->listener].conf.tcp.tos,
	};

	if (sl_seg_span(&lane->seg) == 0) {
		if (tcp->challenge_budget == 0)
			return;
		tcp->challenge_budget--;
	}
	if (tw->is_ts) {
		seg.opts = SL_OPT_TS;
		seg.tsval = tcp->tick + tw->ts_offset;
		seg.tsecr = tw->ts_recent;
	}
	sl_answer_bare(tcp, lane, &seg);
}

/*
 * RFC 6191, 2: newer by its timestamp if both have one, else by its number. One with a
 * timestamp after a connection without is always good: PAWS refuses what is left of that.
 */
static bool
is_newer_syn(const struct sl_tw *tw, const struct sl_seg *seg, bool we_use_ts)
{
	if (we_use_ts && (seg->opts & SL_OPT_TS)) {
		if (!tw->is_ts || sl_seq_gt(seg->tsval, tw->ts_recent))
			return true;
		if (seg->tsval != tw->ts_recent)
			return false;
	}
	return sl_seq_gt(seg->seq, tw->rcv_nxt);
}

/* Answer the SYN of a new incarnation and remember in the record what it said. */
static void
answer_syn(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_tw *tw,
	   const struct sl_listener *listener)
{
	const struct sl_tcp_conf *conf = &listener->conf.tcp;
	const struct sl_seg *syn = &lane->seg;
	struct sl_synack answer = {
		.irs = syn->seq,
		.iss = tw->snd_nxt + NEW_ISS_GAP,
		.opts = SL_OPT_MSS,
		.mss = sl_tcp_mss_offer(tcp, conf, lane->m->port, lane->tuple.v6),
		.scale = listener->rcv_scale,
		.wnd = sl_tcp_first_window(conf),
		.ttl = conf->ttl,
		.tos = conf->tos,
	};

	tw->has_new = true;
	tw->new_iss = answer.iss;
	tw->new_irs = syn->seq;
	tw->new_mss = syn->mss;
	tw->new_scale = syn->wscale;
	if (conf->window_scaling)
		answer.opts |= syn->opts & SL_OPT_WSCALE;
	if (conf->sack)
		answer.opts |= syn->opts & SL_OPT_SACK_OK;
	if (conf->timestamps && (syn->opts & SL_OPT_TS)) {
		answer.opts |= SL_OPT_TS;
		answer.tsval = tcp->tick + tw->ts_offset;
		answer.tsecr = syn->tsval;
	}
	tw->new_opts = (answer.opts & ~SL_OPT_MSS) | (syn->opts & SL_OPT_MSS);
	sl_answer_synack(tcp, lane, &answer);
}

/*
 * The third segment of the new incarnation: it was no forgery. It has the timestamps that were
 * agreed to, or the connection made for it would not take it (RFC 7323, 3.2) and would never
 * be more than half open.
 */
static bool
take_over(struct sl_tcp *tcp, struct sl_lane *lane, uint32_t idx)
{
	const struct sl_tw *tw = &tcp->tw[idx];
	struct sl_listener *listener = sl_tcp_listener(tcp, &lane->tuple);
	struct sl_seg syn = {
		.seq = tw->new_irs,
		.flags = SL_SYN,
		.opts = tw->new_opts,
		.mss = tw->new_mss,
		.wscale = tw->new_scale,
		.tsval = lane->seg.tsval,
		.wnd = lane->seg.wnd,
	};

	return listener != NULL && !tcp->draining &&
	       sl_answer_take(tcp, lane, listener - tcp->listener, tw->new_iss, &syn,
			      idx | SL_FLOW_TW) != NULL;
}

bool
sl_tw_segment(struct sl_tcp *tcp, struct sl_lane *lane)
{
	uint32_t idx = lane->slot & ~SL_FLOW_TW;
	struct sl_tw *tw = &tcp->tw[idx];
	const struct sl_seg *seg = &lane->seg;
	struct sl_listener *listener;
	bool third = tw->has_new && (seg->flags & (SL_ACK | SL_SYN | SL_RST)) == SL_ACK &&
		     seg->ack == tw->new_iss + 1 && seg->seq == tw->new_irs + 1 &&
		     (!(tw->new_opts & SL_OPT_TS) || (seg->opts & SL_OPT_TS));

	lane->fate = SL_FATE_tcp_time_wait;
	if (seg->flags & SL_RST)
		return false; /* RFC 1337 */
	if (third)
		return take_over(tcp, lane, idx);
	listener = sl_tcp_listener(tcp, &lane->tuple);
	if ((seg->flags & (SL_SYN | SL_ACK | SL_FIN)) == SL_SYN && listener != NULL &&
	    !tcp->draining && is_newer_syn(tw, seg, listener->conf.tcp.timestamps)) {
		answer_syn(tcp, lane, tw, listener);
		return false;
	}
	if ((seg->flags & SL_FIN) && seg->seq + sl_seg_span(seg) == tw->rcv_nxt &&
	    sl_seq_le(seg->ack, tw->snd_nxt)) { /* our last ACK was lost: 2 MSL begin again */
		unlink_age(tcp, idx);
		link_newest(tcp, idx);
	}
	if (sl_seg_span(seg) > 0 || seg->seq != tw->rcv_nxt || seg->ack != tw->snd_nxt)
		answer_ack(tcp, lane, tw);
	return false;
}
