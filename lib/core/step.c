/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step - the machine's one door: packets and time in, packets out. Nine stages over the
 * lanes of a burst; sl_core_step() is their table of contents. What needs no lane never
 * gets one: see strangers.c.
 */
#include <rte_prefetch.h>

#include "core/core.h"
#include "tcp/answer.h"
#include "tcp/timer.h"
#include "wire/common.h"

/* Nothing, but in perf/, which builds this file once more to see what each stage takes. */
#ifndef SL_STAGE_ENDS
#define SL_STAGE_ENDS(name)
#endif

#define EXPIRE_BATCH  64u
#define EXPIRE_ROUNDS 4u /* wheel entries a step looks at: bounded, the rest comes next */
#define REST_MS       (1u << 30)   /* 12 days: ticks further apart than 2^31 have no order */
#define STARVED_NS    SL_NS_PER_MS /* until buffers are asked for again */

#ifndef RECORD_AHEAD    /* perf/ahead varies these two */
#define RECORD_AHEAD 12 /* segments before its own that a record is asked for ... */
#endif
#ifndef SPAN_AHEAD
#define SPAN_AHEAD 5 /* ... and the first of its spans, which the record names */
#endif

static void
end(struct sl_lane *lane, enum sl_fate fate)
{
	lane->fate = fate;
	lane->route = SL_ROUTE_DONE;
}

/* What most frames are, and what is left of them: for us, badly summed, or to be judged. */
static inline enum sl_fate
take_apart(const struct sl_core *core, struct sl_lane *lane)
{
	const struct sl_door *door = core->open_door;
	unsigned int bits = core->tcp.leaf_bits;
	enum sl_fate fate;

	if (likely(sl_frame_common(bits, lane->m, &lane->frame, &lane->tuple, &lane->seg,
				   &fate))) {
		if (unlikely(fate != SL_FATE_NONE))
			return fate;
		if (likely(door != NULL && sl_door_admits4(door, lane->m, &lane->tuple)))
			return SL_FATE_NONE;
	} else {
		fate = sl_frame_parse_any(bits, lane->m, &lane->frame, &lane->tuple,
					  &lane->seg);
		if (fate != SL_FATE_NONE || lane->frame.kind == SL_KIND_ARP)
			return fate;
	}
	return sl_net_accept(core->net, lane->m, &lane->frame, &lane->tuple);
}

/* Take apart and check what came; what is not for us ends here. */
static void
parse(struct sl_core *core, struct rte_mbuf **rx, uint16_t n)
{
	struct sl_tcp *tcp = &core->tcp;
	struct sl_sought *s = &core->sought;
	uint64_t bytes = 0, lanes;
	uint16_t n_sought = 0;

	assert(n <= SL_BURST);
	lanes = sl_strangers_glance(core, rx, n);
	for (uint16_t i = 0; i < n; i++)
		bytes += rx[i]->pkt_len;
	sl_count_n(tcp, rx, n);
	sl_count_n(tcp, rx_bytes, bytes);
	core->lanes = lanes;
	for (uint64_t set = lanes; set != 0; set &= set - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(set);
		struct sl_lane *lane = &core->lane[i];
		enum sl_fate fate;

		sl_lane_open(lane, rx[i]);
		fate = take_apart(core, lane);
		if (unlikely(fate != SL_FATE_NONE)) {
			end(lane, fate);
		} else if (likely(lane->frame.kind == SL_KIND_TCP)) {
			s->tuple[n_sought] = &lane->tuple;
			s->at[n_sought++] = (uint8_t)i;
		}
	}
	s->n = n_sought;
	if (n_sought > 0)
		sl_flows_hash_burst(tcp->flows, tcp->many, s->tuple, s->hash, n_sought);
}

static bool
is_syn(const struct sl_lane *lane)
{
	return (lane->seg.flags & (SL_SYN | SL_ACK)) == SL_SYN;
}

/* How many of the lanes @set are SYNs. */
static uint64_t
count_syns(struct sl_core *core, uint64_t set)
{
	uint64_t n = 0;

	while (set != 0)
		n += is_syn(sl_core_next_lane(core, &set));
	return n;
}

/* Look up all TCP lanes at once, TIME-WAIT records included. */
static void
find(struct sl_core *core)
{
	struct sl_sought *s = &core->sought;
	uint64_t hits = 0, parsed = core->lanes;
	uint8_t flags = 0;

	sl_strangers_find(core);
	core->bare = core->lanes & ~parsed;
	for (uint64_t set = core->bare; set != 0; set &= set - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(set);

		s->tuple[s->n] = &core->lane[i].tuple;
		s->hash[s->n] = core->lane[i].hash;
		s->at[s->n++] = (uint8_t)i;
	}
	if (s->n > 0)
		sl_flows_lookup(core->tcp.flows, s->tuple, s->hash, s->slot, s->n);
	for (uint16_t k = 0; k < s->n; k++) {
		struct sl_lane *lane = &core->lane[s->at[k]];
		bool hit = s->slot[k] < SL_FLOW_TW;

		lane->hash = s->hash[k];
		lane->slot = s->slot[k];
		hits |= (uint64_t)hit << s->at[k];
		flags |= lane->seg.flags;
	}
	core->hits = hits;
	if (flags & SL_SYN)
		sl_count_n(&core->tcp, syn, count_syns(core, hits));
}

static_assert(SL_NO_FLOW >= SL_FLOW_TW, "less than that is a connection");

/* A segment to a listener, met by no record (RFC 9293, 3.10.7.2). */
static enum sl_lane_route
route_to_listener(struct sl_lane *lane)
{
	switch (lane->seg.flags & (SL_SYN | SL_ACK | SL_RST | SL_FIN)) {
	case SL_SYN:
		return SL_ROUTE_SYN;
	case SL_ACK:
	case SL_ACK | SL_FIN:
		return SL_ROUTE_ACK;
	case SL_SYN | SL_ACK:
	case SL_SYN | SL_ACK | SL_FIN:
		lane->fate = SL_FATE_tcp_stray;
		return SL_ROUTE_RESET;
	default:
		lane->fate = lane->seg.flags & SL_RST ? SL_FATE_tcp_listen_ignored
						      : SL_FATE_tcp_flags;
		return SL_ROUTE_QUIET;
	}
}

static enum sl_lane_route
route_of(struct sl_core *core, struct sl_lane *lane)
{
	if (lane->slot != SL_NO_FLOW)
		return lane->slot & SL_FLOW_TW ? SL_ROUTE_TW : SL_ROUTE_INPUT;
	if (sl_tcp_listener(&core->tcp, &lane->tuple) != NULL)
		return route_to_listener(lane);
	lane->fate = lane->seg.flags & SL_SYN ? SL_FATE_tcp_closed_port : SL_FATE_tcp_stray;
	return SL_ROUTE_RESET;
}

/* One route for each lane that met no connection. */
static void
triage(struct sl_core *core)
{
	core->missed = 0;
	for (uint64_t set = core->lanes & ~core->hits; set != 0; set &= set - 1) {
		struct sl_lane *lane = &core->lane[__builtin_ctzll(set)];

		if (lane->route == SL_ROUTE_DONE)
			continue;
		if (lane->frame.kind == SL_KIND_TCP) {
			sl_count_n(&core->tcp, syn, is_syn(lane));
			lane->route = route_of(core, lane);
		}
		core->missed |= set & -set;
	}
}

static void
answer_by_net(struct sl_core *core, struct sl_lane *lane)
{
	struct sl_tcp *tcp = &core->tcp;
	struct sl_icmp_error error;
	uint32_t slot;

	lane->fate = sl_net_input(core->net, tcp->now, &lane->m, &lane->frame, &lane->tuple,
				  tcp->out, &error);
	if (lane->fate != SL_FATE_icmp_error)
		return;
	slot = sl_flows_find(tcp->flows, &error.tuple, sl_flows_hash(tcp->flows, &error.tuple));
	if (slot == SL_NO_FLOW || (slot & SL_FLOW_TW) ||
	    !sl_tcb_icmp(tcp, &tcp->tcb[slot], &error))
		lane->fate = SL_FATE_icmp_unmatched;
}

static void
answer_by_reset(struct sl_core *core, struct sl_lane *lane)
{
	if (!sl_answer_reset(&core->tcp, lane))
		lane->fate = SL_FATE_tcp_stray_quiet;
}

/* A connection that ended earlier in this step; its record is still in the table. */
static void
met_the_dead(struct sl_core *core, struct sl_lane *lane)
{
	lane->fate = SL_FATE_tcp_gone;
	if (!(lane->seg.flags & SL_SYN)) /* a new SYN comes again, and finds the table clear */
		sl_answer_reset(&core->tcp, lane);
}

static void
input_lane(struct sl_core *core, struct sl_lane *lane)
{
	struct sl_tcp *tcp = &core->tcp;
	struct sl_tcb *tcb = &tcp->tcb[lane->slot];

	if (tcb->state == SL_ST_CLOSED)
		met_the_dead(core, lane);
	else
		sl_tcb_segment(tcp, tcb, lane);
}

/* What one lane without a connection gets. One that has made its own is its first input. */
static void
answer_lane(struct sl_core *core, struct sl_lane *lane)
{
	struct sl_tcp *tcp = &core->tcp;
	bool made = false;

	switch (lane->route) {
	case SL_ROUTE_NET:
		answer_by_net(core, lane);
		break;
	case SL_ROUTE_SYN:
		sl_answer_syn(tcp, lane, sl_tcp_listener(tcp, &lane->tuple));
		break;
	case SL_ROUTE_ACK:
		made = sl_answer_ack(tcp, lane, sl_tcp_listener(tcp, &lane->tuple));
		break;
	case SL_ROUTE_TW:
		made = sl_tw_segment(tcp, lane);
		break;
	case SL_ROUTE_RESET:
		answer_by_reset(core, lane);
		break;
	case SL_ROUTE_QUIET:
		break;
	default:
		return;
	}
	lane->route = SL_ROUTE_DONE;
	if (made)
		sl_tcb_third(tcp, &tcp->tcb[lane->slot], lane);
}

/* Eight bits of hashes, of those who got a connection in this step. */
struct made {
	uint64_t bits[4];
};

static bool
resembles_one_made(const struct made *made, uint64_t hash)
{
	return made->bits[hash >> 6 & 3] >> (hash & 63) & 1;
}

static void
remember_made(struct made *made, uint64_t hash)
{
	made->bits[hash >> 6 & 3] |= 1ull << (hash & 63);
}

/*
 * Answer what needs no connection. A lane that was missed may belong to a connection that
 * a lane before it has made: what resembles such a one is looked up again. The segment that
 * makes a connection is taken by it here and now, while all of it is at hand; others of that
 * burst come later, since they were behind it.
 */
static void
answer(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;
	struct made made = { 0 };

	for (uint64_t set = core->missed; set != 0; set &= set - 1) {
		struct sl_lane *lane = &core->lane[__builtin_ctzll(set)];
		uint64_t live = tcp->stats.count[SL_CNT_live];
		bool missed = lane->route >= SL_ROUTE_TW;

		if (missed && resembles_one_made(&made, lane->hash)) {
			lane->slot = sl_flows_find(tcp->flows, &lane->tuple, lane->hash);
			lane->route = route_of(core, lane);
			if (lane->route == SL_ROUTE_INPUT)
				core->hits |= set & -set;
		}
		answer_lane(core, lane);
		if (tcp->stats.count[SL_CNT_live] != live)
			remember_made(&made, lane->hash);
	}
}

/*
 * Ask memory for all that input, deliver and output will touch of a connection: its other
 * lines (the first came with the comparison of keys) and its application's.
 */
static void
prefetch_record(const struct sl_tcp *tcp, uint32_t slot)
{
	const struct sl_tcb *tcb = &tcp->tcb[slot];

	rte_prefetch0(&tcb->gen);
	rte_prefetch0(tcp->app_state + (size_t)slot * tcp->app_state_bytes);
}

/* What waits for its ACK, and what is lent, now that the record's own lines are there. */
static void
prefetch_rest(const struct sl_tcp *tcp, uint32_t slot)
{
	uint32_t span = tcp->tcb[slot].span_head, lent = tcp->tcb[slot].lent;

	if (lent != SL_NO_BLOCK)
		rte_prefetch0(&tcp->lent[lent]);
	if (span != SL_NO_INDEX) { /* one in four lies in two lines */
		rte_prefetch0(&tcp->span[span]);
		rte_prefetch0(&tcp->span[span].next);
	}
}

/*
 * The state machine, for each connection in order of arrival: answer() has taken the first
 * segment of who was made in this step. Memory is asked while segments before are being worked
 * on: all of a burst at once would only wait for each other in the core's few line buffers.
 */
static void
input(struct sl_core *core)
{
	const struct sl_tcp *tcp = &core->tcp;
	struct sl_lane *hit[SL_BURST];
	uint64_t kind[SL_KINDS];
	int n = 0;

	if (core->hits == 0)
		return;
	sl_core_order(core, kind);
	for (unsigned int k = 0; k < SL_KINDS; k++)
		while (kind[k] != 0)
			hit[n++] = sl_core_next_lane(core, &kind[k]);
	for (int i = 0; i < RECORD_AHEAD && i < n; i++)
		prefetch_record(tcp, hit[i]->slot);
	for (int i = 0; i < SPAN_AHEAD && i < n; i++)
		prefetch_rest(tcp, hit[i]->slot);
	for (int i = 0; i < n; i++) {
		if (i + RECORD_AHEAD < n)
			prefetch_record(tcp, hit[i + RECORD_AHEAD]->slot);
		if (i + SPAN_AHEAD < n)
			prefetch_rest(tcp, hit[i + SPAN_AHEAD]->slot);
		input_lane(core, hit[i]);
	}
}

/* Timers that came due, in bounded number. */
static void
expire(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;
	uint32_t ids[EXPIRE_BATCH];

	for (uint32_t round = 0; round < EXPIRE_ROUNDS; round++) {
		uint16_t n = sl_wheel_expire(tcp->wheel, tcp->tick, ids, EXPIRE_BATCH);

		for (uint16_t i = 0; i < n; i++) {
			rte_prefetch0(&tcp->tcb[ids[i]].key);
			rte_prefetch0(&tcp->tcb[ids[i]].gen);
		}
		for (uint16_t i = 0; i < n; i++)
			sl_timer_expire(tcp, ids[i]);
		if (n == 0)
			break;
	}
	sl_tw_expire(tcp, EXPIRE_BATCH);
	sl_net_run(core->net, tcp->now, tcp->out);
	if (core->net_news != sl_net_news(core->net)) {
		core->net_news = sl_net_news(core->net);
		sl_tcp_unpark(tcp);
	}
}

/* Segments of connections, each once, as far as there is room. */
static void
output(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;

	for (uint32_t n = tcp->output.n; n > 0 && sl_out_has_room(tcp->out); n--) {
		struct sl_tcb *tcb = sl_tcp_pop_output(tcp);

		if (!sl_tcb_send(tcp, tcb))
			sl_tcb_output(tcp, tcb);
		else if (sl_tcb_has_ended(tcb))
			sl_tcb_gone(tcp, tcb);
	}
	sl_tcp_unstock(tcp, SL_POOL_TX);
	tcp->starved = tcp->output.n > 0 && sl_out_has_room(tcp->out);
}

/* Free what ended, give back what nobody kept, count what came and went. */
static void
settle(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;
	uint64_t bytes = 0, n_input = 0;

	sl_tcb_settle(tcp);
	for (uint64_t set = core->lanes; set != 0;) {
		struct sl_lane *lane = sl_core_next_lane(core, &set);

		assert(lane->fate != SL_FATE_NONE);
		if (lane->fate == SL_FATE_tcp_input) /* most: in a register */
			n_input++;
		else
			sl_stat_add(tcp->stats.fate[lane->fate], 1);
		if (lane->m != NULL)
			core->spent[core->n_spent++] = lane->m;
	}
	sl_stat_add(tcp->stats.fate[SL_FATE_tcp_input], n_input);
	if (core->n_spent > 0)
		tcp->bufs->put(tcp->bufs->ctx, core->spent, core->n_spent);
	sl_tcp_put_all(tcp);
	for (uint16_t i = 0; i < tcp->out->n; i++)
		bytes += tcp->out->pkt[i]->pkt_len;
	sl_count_n(tcp, tx, tcp->out->n);
	sl_count_n(tcp, tx_bytes, bytes);
}

uint16_t
sl_core_step(struct sl_core *core, sl_ns_t now, struct rte_mbuf **rx, uint16_t n,
	     struct rte_mbuf **tx, uint16_t room)
{
	struct sl_out out = { .pkt = tx, .room = room };

	SL_STAGE_ENDS(receive);
	core->tcp.out = &out;
	sl_tcp_clock(&core->tcp, now);
	core->stepped = now;
	parse(core, rx, n);
	SL_STAGE_ENDS(parse);
	find(core);
	SL_STAGE_ENDS(find);
	sl_strangers_answer(core);
	SL_STAGE_ENDS(strangers);
	triage(core);
	SL_STAGE_ENDS(triage);
	answer(core);
	SL_STAGE_ENDS(answer);
	input(core);
	SL_STAGE_ENDS(input);
	sl_tcp_relieve(&core->tcp);
	expire(core);
	sl_tcp_drain_on(&core->tcp);
	SL_STAGE_ENDS(expire);
	sl_core_deliver(core);
	SL_STAGE_ENDS(deliver);
	output(core);
	SL_STAGE_ENDS(output);
	settle(core);
	SL_STAGE_ENDS(settle);
	core->tcp.out = NULL;
	return out.n;
}

/* The moment at which the millisecond @tick begins, seen from now. */
static sl_ns_t
moment(const struct sl_tcp *tcp, sl_tick_t tick)
{
	uint64_t ms = tcp->now / SL_NS_PER_MS + (int64_t)(int32_t)(tick - tcp->tick);

	return ms * SL_NS_PER_MS;
}

sl_ns_t
sl_core_next(const struct sl_core *core)
{
	const struct sl_tcp *tcp = &core->tcp;
	sl_ns_t next = sl_net_next(core->net), at;
	sl_ns_t latest = core->stepped + REST_MS * SL_NS_PER_MS;
	sl_tick_t tick;

	next = next < latest ? next : latest;
	if (tcp->deliver.n > 0 || tcp->gone.n > 0 || (tcp->output.n > 0 && !tcp->starved) ||
	    sl_tcp_drains_now(tcp))
		return tcp->now;
	if (tcp->starved && tcp->now + STARVED_NS < next)
		next = tcp->now + STARVED_NS;
	if (sl_wheel_next(tcp->wheel, &tick)) {
		at = moment(tcp, tick);
		next = at < next ? at : next;
	}
	if (sl_tw_next(tcp, &tick)) {
		at = moment(tcp, tick);
		next = at < next ? at : next;
	}
	return next;
}
