/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * answer - what is answered without a connection: SYNs by a cookie or a half-open
 * connection, cookies that come back, and what is nobody's by a reset.
 *
 * Answers go back the way the packet came, in its buffer if that is ours alone, one packet
 * for one, and never wait for anything: an answer that finds no room is not made.
 */
#include "tcp/answer.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

#define COOKIE_SEEN_MS   3000u  /* data on a tuple that a cookie went to lately is left alone */
#define COOKIE_ACTIVE_MS 64000u /* cookies sent this lately may still come back */

const struct sl_port_conf *
sl_tcp_port(const struct sl_tcp *tcp, uint16_t port)
{
	for (uint8_t i = 0; i < tcp->ports->n_ports; i++) {
		if (tcp->ports->port[i].port == port)
			return &tcp->ports->port[i];
	}
	assert(!"packet of a port we do not have");
	return NULL;
}

uint16_t
sl_tcp_mss_offer(const struct sl_tcp *tcp, const struct sl_tcp_conf *conf, uint16_t port,
		 bool v6)
{
	uint16_t carries = sl_tcp_port(tcp, port)->mtu - (v6 ? 60 : 40);

	return conf->mss != 0 && conf->mss < carries ? conf->mss : carries;
}

struct sl_listener *
sl_tcp_listener_at(struct sl_tcp *tcp, const struct sl_addr *local, uint16_t port)
{
	static const struct sl_addr any;
	uint16_t i = tcp->by_port[port];

	for (; i != SL_NO_LISTENER; i = tcp->listener[i].next) {
		const struct sl_addr *addr = &tcp->listener[i].conf.addr;

		if (sl_addr_eq(addr, &any) || sl_addr_eq(addr, local))
			return &tcp->listener[i];
	}
	return NULL;
}

struct sl_listener *
sl_tcp_listener(struct sl_tcp *tcp, const struct sl_tuple *tuple)
{
	return sl_tcp_listener_at(tcp, &tuple->local, tuple->lport);
}

bool
sl_answer_bare(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_seg_out *seg)
{
	struct rte_mbuf *m = lane->m;
	struct sl_l2 back;

	sl_l2_reply(m, &lane->frame, &back);
	if (!sl_out_has_room(tcp->out))
		return false;
	if (sl_reuse(m)) {
		lane->m = NULL;
	} else if (sl_tcp_get(tcp, SL_POOL_TX, &m, 1) < 0) {
		sl_count(tcp, no_buffer);
		return false;
	}
	seg->offloads = sl_tcp_port(tcp, back.port)->offloads;
	sl_tcp_build(m, &back, &lane->tuple, seg);
	sl_out_put(tcp->out, m);
	return true;
}

bool
sl_answer_reset(struct sl_tcp *tcp, struct sl_lane *lane)
{
	const struct sl_seg *in = &lane->seg;
	struct sl_seg_out seg = { .flags = SL_RST, .ttl = 64 };

	if ((in->flags & SL_RST) || lane->m == NULL || tcp->reset_budget == 0)
		return false;
	if (in->flags & SL_ACK) {
		seg.seq = in->ack;
	} else {
		seg.flags |= SL_ACK;
		seg.ack = in->seq + sl_seg_span(in);
	}
	if (!sl_answer_bare(tcp, lane, &seg))
		return false;
	tcp->reset_budget--;
	sl_count(tcp, reset_out);
	return true;
}

bool
sl_answer_synack(struct sl_tcp *tcp, struct sl_lane *lane, const struct sl_synack *synack)
{
	struct sl_seg_out seg = {
		.seq = synack->iss,
		.ack = synack->irs + 1,
		.flags = SL_SYN | SL_ACK,
		.opts = synack->opts,
		.mss = synack->mss,
		.wscale = synack->scale,
		.wnd = synack->wnd,
		.tsval = synack->tsval,
		.tsecr = synack->tsecr,
		.ttl = synack->ttl,
		.tos = synack->tos,
	};

	if (!sl_answer_bare(tcp, lane, &seg))
		return false;
	sl_count(tcp, synack);
	return true;
}

/* What @listener says to @syn, but for the numbers: options are agreed to, not proposed. */
static struct sl_synack
agree(const struct sl_tcp *tcp, const struct sl_listener *listener, const struct sl_lane *lane)
{
	const struct sl_tcp_conf *conf = &listener->conf.tcp;
	const struct sl_seg *syn = &lane->seg;
	struct sl_synack answer = {
		.irs = syn->seq,
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
	return answer;
}

static void
answer_by_cookie(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener)
{
	struct sl_synack answer = agree(tcp, listener, lane);
	const struct sl_seg *seg = &lane->seg;
	struct sl_cookie_syn syn = {
		.irs = seg->seq,
		.mss = seg->opts & SL_OPT_MSS ? seg->mss : sl_cookie_least_mss(lane->tuple.v6),
		.wscale = answer.opts & SL_OPT_WSCALE ? seg->wscale : SL_COOKIE_NO_SCALE,
		.sack = answer.opts & SL_OPT_SACK_OK,
		.ts = answer.opts & SL_OPT_TS,
		.ts_clock = answer.tsval,
	};
	struct sl_cookie cookie;

	sl_cookie_make(&tcp->cookies, &lane->tuple, &syn, &cookie);
	answer.iss = cookie.isn;
	answer.tsval = cookie.tsval;
	lane->fate = SL_FATE_tcp_syn_cookie;
	if (!sl_answer_synack(tcp, lane, &answer)) {
		lane->fate = SL_FATE_no_buffer;
		return;
	}
	sl_count(tcp, cookie_sent);
	sl_stat_add(listener->stats.cookie_sent, 1);
	tcp->cookie_last = sl_tick_after(tcp->tick, 0);
	tcp->cookie_at[lane->hash & 0xff] = tcp->cookie_last;
}

static void
answer_half_open(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener)
{
	struct sl_synack answer = agree(tcp, listener, lane);
	struct sl_tcb *tcb;

	tcb = sl_tcb_new(tcp, &lane->tuple, lane->hash, listener - tcp->listener,
			 sl_tcp_isn(tcp, &lane->tuple), SL_NO_FLOW);
	if (tcb == NULL) {
		lane->fate = SL_FATE_tcp_open_limit;
		return;
	}
	tcb->ts_offset = sl_tcp_ts_offset(tcp, &lane->tuple);
	lane->slot = sl_tcb_idx(tcp, tcb);
	lane->fate = SL_FATE_tcp_syn_opened;
	sl_tcb_take_syn(tcp, tcb, &lane->seg);
	tcb->rcv_adv = tcb->rcv_nxt + answer.wnd;
	tcb->snd_nxt = tcb->snd_una + 1;
	sl_tcb_event(tcp, tcb, SL_EV_SYN_RCVD);
	sl_timer_resend(tcp, tcb, true);
	answer.iss = tcb->snd_una;
	sl_answer_synack(tcp, lane, &answer); /* if not, the timer does it */
}

void
sl_answer_syn_again(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_tcb *tcb)
{
	struct sl_synack answer = agree(tcp, &tcp->listener[tcb->listener], lane);
	uint32_t edge = tcb->rcv_adv;

	tcb->is &= ~(SL_IS_TS | SL_IS_SACK | SL_IS_SCALED);
	tcb->snd_scale = tcb->rcv_scale = 0;
	sl_tcb_take_syn(tcp, tcb, &lane->seg);
	tcb->rcv_adv = edge;
	if (tcb->path != SL_NO_PATH) /* a resend has opened it: the MSS must fit it again */
		sl_tcb_open_path(tcp, tcb, &lane->tuple.remote, NULL);
	answer.iss = tcb->snd_una;
	answer.tsval = sl_tcb_tsval(tcp, tcb); /* by the clock it has */
	if (sl_answer_synack(tcp, lane, &answer))
		sl_count(tcp, retransmit);
}

bool
sl_may_open_half(const struct sl_listener *listener)
{
	const struct sl_listener_stats *stats = &listener->stats;

	if (listener->conf.tcp.cookies != SL_COOKIES_AUTO)
		return listener->conf.tcp.cookies == SL_COOKIES_NEVER;
	return stats->cookie_mode ? stats->half_open <= listener->backlog / 2
				  : stats->half_open < listener->backlog;
}

bool
sl_answers_by_cookie(struct sl_tcp *tcp, struct sl_listener *listener)
{
	struct sl_listener_stats *stats = &listener->stats;
	bool by_cookie = !sl_may_open_half(listener);

	if (listener->conf.tcp.cookies == SL_COOKIES_AUTO && by_cookie != stats->cookie_mode) {
		__atomic_store_n(&stats->cookie_mode, by_cookie, __ATOMIC_RELAXED);
		if (by_cookie)
			sl_count(tcp, cookie_mode_on);
		else
			sl_count(tcp, cookie_mode_off);
	}
	return by_cookie;
}

void
sl_answer_syn(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener)
{
	sl_stat_add(listener->stats.syn, 1);
	if (tcp->draining) {
		lane->fate = SL_FATE_tcp_draining;
		sl_answer_reset(tcp, lane);
	} else if (sl_answers_by_cookie(tcp, listener)) {
		answer_by_cookie(tcp, lane, listener);
	} else if (listener->stats.half_open >= listener->backlog) {
		lane->fate = SL_FATE_tcp_syn_limit;
		sl_stat_add(listener->stats.refused, 1);
	} else {
		answer_half_open(tcp, lane, listener);
	}
}

struct sl_tcb *
sl_answer_take(struct sl_tcp *tcp, struct sl_lane *lane, uint16_t listener, uint32_t iss,
	       const struct sl_seg *syn, uint32_t ts_offset, uint32_t replaces)
{
	const struct sl_tcp_conf *conf = &tcp->listener[listener].conf.tcp;
	struct sl_tcb *tcb;
	struct sl_l2 came;

	tcb = sl_tcb_new(tcp, &lane->tuple, lane->hash, listener, iss, replaces);
	if (tcb == NULL) {
		lane->fate = SL_FATE_tcp_open_limit;
		sl_stat_add(tcp->listener[listener].stats.refused, 1);
		sl_answer_reset(tcp, lane); /* it believes that it is open */
		return NULL;
	}
	lane->slot = sl_tcb_idx(tcp, tcb);
	tcb->ts_offset = ts_offset;
	sl_tcb_take_syn(tcp, tcb, syn);
	tcb->is |= SL_IS_COOKIE;
	tcb->rcv_adv = tcb->rcv_nxt + sl_tcp_first_window(conf);
	tcb->snd_nxt = tcb->snd_una + 1;
	sl_tcb_event(tcp, tcb, SL_EV_SYN_RCVD);
	sl_l2_reply(lane->m, &lane->frame, &came);
	if (sl_tcb_open_path(tcp, tcb, &lane->tuple.remote, &came) < 0) {
		lane->fate = SL_FATE_no_route;
		sl_answer_reset(tcp, lane); /* it believes that it is open */
		sl_tcb_kill(tcp, tcb, SL_REASON_UNREACHABLE);
		return NULL;
	}
	return tcb;
}

bool
sl_cookies_may_be_out(const struct sl_tcp *tcp)
{
	bool lately = tcp->cookie_last != 0 && tcp->tick - tcp->cookie_last < COOKIE_ACTIVE_MS;
	bool young = tcp->now - tcp->opened_at < COOKIE_ACTIVE_MS * SL_NS_PER_MS;

	return tcp->always_cookies || lately || young;
}

/* Cookies are checked while any may still come back, else a few a millisecond. */
static bool
may_check(struct sl_tcp *tcp)
{
	if (sl_cookies_may_be_out(tcp))
		return true;
	if (tcp->check_budget == 0)
		return false;
	tcp->check_budget--;
	return true;
}

/* The ACK was no cookie of ours. */
static void
not_a_cookie(struct sl_tcp *tcp, struct sl_lane *lane)
{
	sl_tick_t at = tcp->cookie_at[lane->hash & 0xff];

	sl_count(tcp, cookie_bad);
	if (sl_seg_span(&lane->seg) > 0 && at != 0 && tcp->tick - at < COOKIE_SEEN_MS) {
		lane->fate = SL_FATE_tcp_cookie_late;
		return;
	}
	lane->fate = SL_FATE_tcp_cookie_bad;
	sl_answer_reset(tcp, lane);
}

static bool
take_cookie(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener)
{
	const struct sl_seg *seg = &lane->seg;
	uint32_t ts_offset = seg->opts & SL_OPT_TS ? sl_tcp_ts_offset(tcp, &lane->tuple) : 0;
	struct sl_cookie_syn syn;
	struct sl_seg as_syn = { .flags = SL_SYN, .opts = SL_OPT_MSS };

	if (!sl_cookie_check(&tcp->cookies, &lane->tuple, seg->seq, seg->ack,
			     seg->opts & SL_OPT_TS, seg->tsecr, tcp->tick + ts_offset, &syn)) {
		not_a_cookie(tcp, lane);
		return false;
	}
	sl_count(tcp, cookie_ok);
	sl_stat_add(listener->stats.cookie_ok, 1);
	if (tcp->draining) {
		lane->fate = SL_FATE_tcp_draining;
		sl_answer_reset(tcp, lane);
		return false;
	}
	as_syn.seq = seg->seq - 1;
	as_syn.mss = syn.mss;
	as_syn.tsval = seg->tsval;
	as_syn.wnd = seg->wnd;
	if (syn.ts)
		as_syn.opts |= SL_OPT_TS;
	if (syn.sack)
		as_syn.opts |= SL_OPT_SACK_OK;
	if (syn.wscale != SL_COOKIE_NO_SCALE) {
		as_syn.opts |= SL_OPT_WSCALE;
		as_syn.wscale = syn.wscale;
	}
	return sl_answer_take(tcp, lane, listener - tcp->listener, seg->ack - 1, &as_syn,
			      ts_offset, SL_NO_FLOW) != NULL;
}

bool
sl_answer_ack(struct sl_tcp *tcp, struct sl_lane *lane, struct sl_listener *listener)
{
	if (listener->conf.tcp.cookies == SL_COOKIES_NEVER) {
		lane->fate = SL_FATE_tcp_stray;
		if (!sl_answer_reset(tcp, lane))
			lane->fate = SL_FATE_tcp_stray_quiet;
		return false;
	}
	if (!may_check(tcp)) {
		lane->fate = SL_FATE_tcp_cookie_unchecked;
		return false;
	}
	return take_cookie(tcp, lane, listener);
}
