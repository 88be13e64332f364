/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timewait - what is left of a connection for 2 MSL (RFC 9293, 3.3.2 and 3.10.7.4).
 *
 * A small record answers what may still come: a repeated FIN and strays by an ACK, never a
 * reset by anything (RFC 1337). A newer SYN (RFC 6191; RFC 1122, 4.2.2.13) is answered from
 * the record in place, with a number above all we sent; only the third segment, which proves
 * that the SYN was not forged, lets a connection replace the record.
 *
 * All records wait about equally long, so they lie in a ring in the order in which they came:
 * no links, no list of free ones, and both ends are memory in sequence. One that ends before
 * its time, because a connection took its place, leaves a hole until the ring comes to it. One
 * whose 2 MSL began again stays where it is until it is the first, and then becomes the last.
 * Since records move, and holes close, nobody may hold an index over the end of a step; within
 * one it happens only after the last lane was looked at.
 */
#include "tcp/answer.h"
#include "tcp/tcp.h"

#define NEW_ISS_GAP 0x20000u /* above the last number sent; RFC 9293, 3.6.1 wants it larger */
#define LATE_MS     4096u    /* a record noticed later than this after its end waits again */

static_assert(SL_LISTENERS_MAX <= 1 << 8, "a record has eight bits for its listener");

static uint32_t
two_msl(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	return 2 * tcp->listener[tw->listener].conf.tcp.msl_ms;
}

void
sl_tw_init(struct sl_tcp *tcp)
{
	uint32_t longest = 0;

	for (uint16_t i = 0; i < tcp->n_listeners; i++)
		if (tcp->listener[i].conf.tcp.msl_ms > longest)
			longest = tcp->listener[i].conf.tcp.msl_ms;
	while ((2 * (uint64_t)longest + LATE_MS) >> tcp->tw_shift > UINT16_MAX)
		tcp->tw_shift++;
}

static uint16_t
clock_of(const struct sl_tcp *tcp)
{
	return (uint16_t)(tcp->tick >> tcp->tw_shift);
}

uint32_t
sl_tw_age_ms(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	return (uint32_t)(uint16_t)(clock_of(tcp) - tw->since) << tcp->tw_shift;
}

/* Age is counted from the beginning of a unit, in which it began somewhere. */
static uint32_t
lasts_ms(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	uint32_t unit = 1u << tcp->tw_shift;

	return (two_msl(tcp, tw) + 2 * (unit - 1)) & ~(unit - 1);
}

static bool
is_hole(const struct sl_tw *tw)
{
	return tw->key.lport == 0;
}

bool
sl_tw_next(const struct sl_tcp *tcp, sl_tick_t *due)
{
	const struct sl_tw *tw = &tcp->tw[tcp->tw_first];
	uint32_t now = tcp->tick & ~((1u << tcp->tw_shift) - 1);

	if (tcp->tw_used == 0)
		return false;
	if (is_hole(tw) || (tw->is & SL_TW_AGAIN)) /* what comes behind may be due */
		*due = tcp->tick;
	else
		*due = now - sl_tw_age_ms(tcp, tw) + lasts_ms(tcp, tw);
	return true;
}

/* The place behind the newest. */
static uint32_t
ring_end(const struct sl_tcp *tcp)
{
	uint64_t end = (uint64_t)tcp->tw_first + tcp->tw_used;

	return (uint32_t)(end >= tcp->n_tw ? end - tcp->n_tw : end);
}

/* The first place is given up. */
static void
ring_advance(struct sl_tcp *tcp)
{
	tcp->tw_first = tcp->tw_first + 1 == tcp->n_tw ? 0 : tcp->tw_first + 1;
	tcp->tw_used--;
}

static void
make_hole(struct sl_tw *tw)
{
	sl_key_clear(&tw->key);
}

static uint64_t
hash_of(const struct sl_tcp *tcp, const struct sl_key *key)
{
	struct sl_tuple tuple;

	sl_tcb_tuple(tcp, key, &tuple);
	return sl_flows_hash(tcp->flows, &tuple);
}

void
sl_tw_free(struct sl_tcp *tcp, uint32_t idx)
{
	struct sl_tw *tw = &tcp->tw[idx];

	assert(!sl_key_is_nobody(&tw->key));
	if (sl_key_is_v6(&tw->key))
		sl_key6_give(tcp, tw->key.remote);
	make_hole(tw);
	sl_uncount(tcp, time_wait);
}

/* The first becomes the last. If the ring is full that is where it lies already. */
static void
send_to_the_end(struct sl_tcp *tcp)
{
	uint32_t from = tcp->tw_first, to;
	struct sl_tw *tw = &tcp->tw[from];

	tw->is &= ~(uint32_t)SL_TW_AGAIN;
	ring_advance(tcp);
	to = ring_end(tcp);
	tcp->tw_used++;
	if (to == from)
		return;
	struct sl_tw *new = &tcp->tw[to];
	const size_t key = sizeof(new->key);

	/* Other cores may be reading the key, so it is written in its own way. */
	memcpy((char *)new + key, (const char *)tw + key, sizeof(*new) - key);
	sl_key_store(&new->key, &tw->key, sizeof(new->key));
	sl_flows_replace(tcp->flows, hash_of(tcp, &tw->key), from | SL_FLOW_TW,
			 to | SL_FLOW_TW);
	make_hole(tw);
}

/* The first is over, or gives way: the table, where it lies under @hash, forgets it. */
static void
retire_first(struct sl_tcp *tcp, uint64_t hash)
{
	sl_flows_remove(tcp->flows, hash, tcp->tw_first | SL_FLOW_TW);
	sl_tw_free(tcp, tcp->tw_first);
	ring_advance(tcp);
}

static bool
is_over(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	return !is_hole(tw) && !(tw->is & SL_TW_AGAIN) &&
	       sl_tw_age_ms(tcp, tw) >= lasts_ms(tcp, tw);
}

/* Those at the front that are over, at most @max, found in the table at once; how many. */
static uint32_t
expire_burst(struct sl_tcp *tcp, uint32_t max)
{
	const struct sl_key *key[SL_BURST];
	uint64_t hash[SL_BURST];
	uint32_t at = tcp->tw_first;
	uint16_t n = 0;

	max = RTE_MIN(RTE_MIN(max, tcp->tw_used), (uint32_t)SL_BURST);
	for (; n < max && is_over(tcp, &tcp->tw[at]); n++) {
		key[n] = &tcp->tw[at].key;
		at = at + 1 == tcp->n_tw ? 0 : at + 1;
	}
	if (n == 0)
		return 0;
	sl_flows_hash_keys(tcp->flows, tcp->many, key, hash, n);
	for (uint16_t i = 0; i < n; i++)
		retire_first(tcp, hash[i]);
	return n;
}

void
sl_tw_expire(struct sl_tcp *tcp, uint32_t max)
{
	while (max > 0 && tcp->tw_used > 0) {
		const struct sl_tw *tw = &tcp->tw[tcp->tw_first];
		uint32_t n = expire_burst(tcp, max);

		max -= RTE_MAX(n, 1u);
		if (n > 0)
			continue;
		if (is_hole(tw))
			ring_advance(tcp);
		else if (tw->is & SL_TW_AGAIN)
			send_to_the_end(tcp);
		else
			return;
	}
}

/* A free record; if there is none the first gives way. */
static uint32_t
take_record(struct sl_tcp *tcp)
{
	uint32_t idx;

	if (tcp->tw_used == tcp->n_tw) {
		const struct sl_tw *first = &tcp->tw[tcp->tw_first];

		if (is_hole(first)) {
			ring_advance(tcp);
		} else {
			retire_first(tcp, hash_of(tcp, &first->key));
			sl_count(tcp, time_wait_retired);
		}
	}
	idx = ring_end(tcp);
	tcp->tw_used++;
	return idx;
}

void
sl_tw_enter(struct sl_tcp *tcp, struct sl_tcb *tcb, uint64_t hash)
{
	uint32_t idx = take_record(tcp);
	struct sl_tw *tw = &tcp->tw[idx];
	bool replaced;

	/* not as a whole: other cores may be reading the key, which is written in its own way
	 */
	sl_key_store(&tw->key, &tcb->key, sizeof(tw->key));
	tw->snd_nxt = tcb->snd_nxt;
	tw->rcv_nxt = tcb->rcv_nxt;
	tw->ts_recent = tcb->ts_recent;
	tw->since = clock_of(tcp);
	tw->listener = tcb->listener;
	tw->is = (tcb->is & SL_IS_TS ? SL_TW_TS : 0) |
		 (tcb->is & SL_IS_SCALED ? SL_TW_SCALED : 0);
	replaced = sl_flows_replace(tcp->flows, hash, sl_tcb_idx(tcp, tcb), idx | SL_FLOW_TW);
	assert(replaced);
	(void)replaced;
	if (sl_key_is_v6(&tcb->key))
		sl_key_clear(&tcb->key); /* the record owns that line now */
	sl_count(tcp, time_wait);
}

/* As a connection whose buffer is empty would say it. */
static uint16_t
window_of(const struct sl_tcp *tcp, const struct sl_tw *tw)
{
	const struct sl_listener *l = &tcp->listener[tw->listener];
	uint32_t wnd = l->conf.tcp.rcvbuf >> (tw->is & SL_TW_SCALED ? l->rcv_scale : 0);

	return wnd < 65535 ? wnd : 65535;
}

/*
 * The connection had a clock of its own, which was not held back as ours may have been since:
 * it may have been ahead by no more. Of what it said the peer's echo tells.
 */
static uint32_t
tsval_of(const struct sl_tcp *tcp, const struct sl_lane *lane)
{
	uint32_t ours = tcp->tick + sl_tcp_ts_offset(tcp, &lane->tuple);
	uint32_t ahead = lane->seg.tsecr - ours;

	return (lane->seg.opts & SL_OPT_TS) && ahead <= tcp->tai_held_ms ? ours + ahead : ours;
}

/* Say where we are. Bare ACKs are answered within the challenge budget only. */
static void
answer_ack(struct sl_tcp *tcp, struct sl_lane *lane, const struct sl_tw *tw)
{
	struct sl_seg_out seg = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = SL_ACK,
		.wnd = window_of(tcp, tw),
		.ttl = tcp->listener[tw->listener].conf.tcp.ttl,
		.tos = tcp->listener[tw->listener].conf.tcp.tos,
	};

	if (sl_seg_span(&lane->seg) == 0) {
		if (tcp->challenge_budget == 0)
			return;
		tcp->challenge_budget--;
	}
	if (tw->is & SL_TW_TS) {
		seg.opts = SL_OPT_TS;
		seg.tsval = tsval_of(tcp, lane);
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
		if (!(tw->is & SL_TW_TS) || sl_seq_gt(seg->tsval, tw->ts_recent))
			return true;
		if (seg->tsval != tw->ts_recent)
			return false;
	}
	return sl_seq_gt(seg->seq, tw->rcv_nxt);
}

/* What the SYN said and what of it was agreed to, @opts: until the third segment comes. */
static void
remember_syn(struct sl_tw *tw, const struct sl_seg *syn, uint8_t opts)
{
	tw->new_irs = (uint16_t)syn->seq;
	tw->new_mss = syn->opts & SL_OPT_MSS ? RTE_MAX(syn->mss / SL_TW_MSS_UNIT, 1u) : 0;
	tw->new_scale = opts & SL_OPT_WSCALE ? syn->wscale : SL_TW_NO_SCALE;
	tw->is &= ~(uint32_t)(SL_TW_NEW_SACK | SL_TW_NEW_TS);
	tw->is |= SL_TW_NEW | (opts & SL_OPT_SACK_OK ? SL_TW_NEW_SACK : 0) |
		  (opts & SL_OPT_TS ? SL_TW_NEW_TS : 0);
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

	if (conf->window_scaling)
		answer.opts |= syn->opts & SL_OPT_WSCALE;
	if (conf->sack)
		answer.opts |= syn->opts & SL_OPT_SACK_OK;
	if (conf->timestamps && (syn->opts & SL_OPT_TS)) {
		answer.opts |= SL_OPT_TS;
		answer.tsval = tcp->tick + sl_tcp_ts_offset(tcp, &lane->tuple);
		answer.tsecr = syn->tsval;
	}
	remember_syn(tw, syn, answer.opts);
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
	bool has_mss = tw->new_mss != 0, scales = tw->new_scale != SL_TW_NO_SCALE;
	struct sl_seg syn = {
		.seq = lane->seg.seq - 1,
		.flags = SL_SYN,
		.opts = (has_mss ? SL_OPT_MSS : 0) | (scales ? SL_OPT_WSCALE : 0) |
			(tw->is & SL_TW_NEW_SACK ? SL_OPT_SACK_OK : 0) |
			(tw->is & SL_TW_NEW_TS ? SL_OPT_TS : 0),
		.mss = (uint16_t)(tw->new_mss * SL_TW_MSS_UNIT),
		.wscale = scales ? tw->new_scale : 0,
		.tsval = lane->seg.tsval,
		.wnd = lane->seg.wnd,
	};

	return listener != NULL && !tcp->draining &&
	       sl_answer_take(tcp, lane, listener - tcp->listener, tw->snd_nxt + NEW_ISS_GAP,
			      &syn,
			      syn.opts & SL_OPT_TS ? sl_tcp_ts_offset(tcp, &lane->tuple) : 0,
			      idx | SL_FLOW_TW) != NULL;
}

bool
sl_tw_segment(struct sl_tcp *tcp, struct sl_lane *lane)
{
	uint32_t idx = lane->slot & ~SL_FLOW_TW;
	struct sl_tw *tw = &tcp->tw[idx];
	const struct sl_seg *seg = &lane->seg;
	struct sl_listener *listener;
	bool third = (tw->is & SL_TW_NEW) &&
		     (seg->flags & (SL_ACK | SL_SYN | SL_RST)) == SL_ACK &&
		     seg->ack == tw->snd_nxt + NEW_ISS_GAP + 1 &&
		     (uint16_t)(seg->seq - 1) == tw->new_irs &&
		     (!(tw->is & SL_TW_NEW_TS) || (seg->opts & SL_OPT_TS));

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
		tw->since = clock_of(tcp);
		tw->is |= SL_TW_AGAIN;
	}
	if (sl_seg_span(seg) > 0 || seg->seq != tw->rcv_nxt || seg->ack != tw->snd_nxt)
		answer_ack(tcp, lane, tw);
	return false;
}
