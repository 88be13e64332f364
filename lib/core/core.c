/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core - open, close, events and the views an operator has.
 */
#include <errno.h>
#include <string.h>

#include "base/leaf.h"
#include "core/core.h"
#include "tcp/answer.h"
#include "tcp/spans.h"
#include "wire/crowd_leaf.h"

#define STATE_MOST      64u
#define BACKLOG_DEFAULT 1024u
#define BUFFER_MOST     (1u << 30) /* sequence numbers must keep their order */
#define SCALE_MOST      14u

/* The arrays of a core: how long and how wide. */
struct layout {
	uint32_t n_tcb, n_active, n_lent, n_span, n_tw, n_key6, state_bytes;
};

static uint32_t
app_state_bytes(const struct sl_core_conf *conf)
{
	uint32_t most = 0;

	for (uint16_t i = 0; i < conf->n_listeners; i++) {
		const struct sl_app *app = conf->listener[i].app;

		if (app->state_bytes > most)
			most = app->state_bytes;
		if (app->opens != NULL && app->opens->state_bytes > most)
			most = app->opens->state_bytes;
	}
	return (most + 7) & ~7u;
}

static struct layout
layout_of(const struct sl_core_conf *conf)
{
	return (struct layout){
		.n_tcb = conf->connections,
		.n_active = conf->active,
		.n_lent = sl_lent_count(conf->rx_buffers, conf->active),
		.n_span = conf->spans,
		.n_tw = conf->time_wait,
		.n_key6 = conf->ipv6 ? conf->connections + conf->time_wait : 0,
		.state_bytes = app_state_bytes(conf),
	};
}

/* What of a listener makes no sense, or NULL. */
static const char *
wrong_listener(const struct sl_listener_conf *l)
{
	const struct sl_tcp_conf *tcp = &l->tcp;

	if (l->app == NULL)
		return "listener.app: want an application";
	if (l->app->state_bytes > STATE_MOST ||
	    (l->app->opens != NULL && l->app->opens->state_bytes > STATE_MOST))
		return "listener.app.state_bytes: want at most 64";
	if (tcp->rcvbuf == 0 && tcp->rto_min_ms == 0)
		return "listener.tcp: was not filled by sl_tcp_defaults()";
	if (tcp->rcvbuf < 1024 || tcp->rcvbuf > BUFFER_MOST || tcp->rcvbuf_initial < 1024)
		return "listener.tcp.rcvbuf, rcvbuf_initial: want 1024 to 2^30";
	if (tcp->sndbuf < 1024 || tcp->sndbuf > BUFFER_MOST)
		return "listener.tcp.sndbuf: want 1024 to 2^30";
	if (tcp->rto_min_ms == 0 || tcp->rto_max_ms < tcp->rto_min_ms ||
	    tcp->rto_max_ms > SL_TICK_REACH(SL_RESEND_MASK))
		return "listener.tcp.rto_min_ms, rto_max_ms: want 1 or more, in order, and at "
		       "most 17 minutes";
	if (tcp->delayed_ack_ms > SL_TICK_REACH(SL_ACK_MASK))
		return "listener.tcp.delayed_ack_ms: want at most 4 seconds";
	if (tcp->msl_ms == 0 || tcp->ttl == 0)
		return "listener.tcp.msl_ms, ttl: want 1 or more";
	if (tcp->congestion >= SL_CONGESTION_COUNT)
		return "listener.tcp.congestion: want one of enum sl_congestion";
	if (tcp->quick_acks > 7)
		return "listener.tcp.quick_acks: want 0 to 7";
	if (tcp->keepalive_probes > SL_PROBES_MOST)
		return "listener.tcp.keepalive_probes: want at most 100";
	return NULL;
}

const char *
sl_core_refuses(const struct sl_core_conf *conf)
{
	const char *why = NULL;

	if (conf->connections == 0 || conf->time_wait == 0 || conf->active == 0)
		return "connections, active, time_wait: want 1 or more of each";
	if ((uint64_t)conf->connections + conf->time_wait >= SL_NO_INDEX)
		return "connections, time_wait: want less than 2^28 - 1 together";
	if (conf->net.n_ports == 0 || conf->net.n_ports > SL_PORTS_MAX ||
	    conf->net.neighbours == 0)
		return "net.n_ports, net.neighbours: want 1 or more";
	if (conf->spans < 16 || conf->spans >= SL_NO_INDEX || conf->rx_buffers < 16)
		return "spans, rx_buffers: want 16 or more";
	if ((uint64_t)conf->rx_buffers + 2ull * conf->active >= SL_NO_INDEX)
		return "rx_buffers, active: too many";
	if (conf->n_listeners > SL_LISTENERS_MAX)
		return "n_listeners: too many";
	for (uint16_t i = 0; i < conf->n_listeners && why == NULL; i++)
		why = wrong_listener(&conf->listener[i]);
	return why;
}

static struct sl_prf_key
derive(const struct sl_prf_key *secret, const char *label)
{
	struct sl_prf_key key;
	uint64_t word = 0;

	memcpy(&word, label, strnlen(label, 7));
	key.k[0] = sl_prf(secret, &word, sizeof(word));
	word |= 1ull << 63;
	key.k[1] = sl_prf(secret, &word, sizeof(word));
	return key;
}

/* All records are free, and linked through what only those in use need otherwise. */
static void
link_free(struct sl_tcp *tcp, const struct layout *l)
{
	sl_slots_init(&tcp->free_tcb, &tcp->tcb->snd_end, sizeof(*tcp->tcb), l->n_tcb);
	sl_slots_init(&tcp->free_active, &tcp->active->owner, sizeof(*tcp->active),
		      l->n_active);
	sl_slots_init(&tcp->free_epoch, &tcp->epoch->owner, sizeof(*tcp->epoch), l->n_active);
	sl_slots_init(&tcp->free_span, &tcp->span->next, sizeof(*tcp->span), l->n_span);
	sl_slots_init(&tcp->free_lent, &tcp->lent->owner, sizeof(*tcp->lent), l->n_lent);
}

/* Take all arrays. False when memory ran out. */
static bool
take_arrays(struct sl_tcp *tcp, struct sl_mem *mem, const struct layout *l)
{
	tcp->tcb = sl_mem_take(mem, (size_t)l->n_tcb * sizeof(*tcp->tcb), SL_CACHE_LINE);
	tcp->active =
		sl_mem_take(mem, (size_t)l->n_active * sizeof(*tcp->active), SL_CACHE_LINE);
	tcp->epoch = sl_mem_take(mem, (size_t)l->n_active * sizeof(*tcp->epoch), SL_CACHE_LINE);
	tcp->round = sl_mem_take(mem, (size_t)l->n_active * sizeof(*tcp->round), SL_CACHE_LINE);
	tcp->span = sl_mem_take(mem, (size_t)l->n_span * sizeof(*tcp->span), SL_CACHE_LINE);
	tcp->lent = sl_mem_take(mem, (size_t)l->n_lent * sizeof(*tcp->lent), SL_CACHE_LINE);
	tcp->tw = sl_mem_take(mem, (size_t)l->n_tw * sizeof(*tcp->tw), SL_CACHE_LINE);
	tcp->key6 =
		sl_mem_take(mem, ((size_t)l->n_key6 + 1) * sizeof(*tcp->key6), SL_CACHE_LINE);
	tcp->app_state = sl_mem_take(mem, (size_t)l->n_tcb * l->state_bytes + 1, SL_CACHE_LINE);
	tcp->deliver.idx =
		sl_mem_take(mem, (size_t)l->n_tcb * sizeof(*tcp->deliver.idx), SL_CACHE_LINE);
	tcp->by_port = sl_mem_take(mem, 65536 * sizeof(*tcp->by_port), SL_CACHE_LINE);
	if (tcp->tcb == NULL || tcp->active == NULL || tcp->epoch == NULL ||
	    tcp->round == NULL || tcp->span == NULL || tcp->lent == NULL || tcp->tw == NULL ||
	    tcp->key6 == NULL || tcp->app_state == NULL || tcp->deliver.idx == NULL ||
	    tcp->by_port == NULL)
		return false;
	link_free(tcp, l);
	tcp->n_tcb = l->n_tcb;
	tcp->n_active = l->n_active;
	tcp->n_lent = l->n_lent;
	tcp->n_span = l->n_span;
	tcp->n_tw = l->n_tw;
	tcp->n_key6 = tcp->n_key6_free = l->n_key6;
	tcp->key6_free = SL_NO_INDEX;
	tcp->app_state_bytes = l->state_bytes;
	for (uint32_t i = 0; i < l->n_tcb; i++) {
		sl_tcb_clear(&tcp->tcb[i]);
		tcp->tcb[i].gen = 1;
	}
	return true;
}

static int
open_flows(struct sl_tcp *tcp, struct sl_mem *mem, const struct sl_core_conf *conf)
{
	struct sl_flows_conf flows = {
		.entries = conf->connections + conf->time_wait,
		.hash_key = derive(&conf->secret, "flows"),
		.conn = tcp->tcb,
		.conn_stride = sizeof(*tcp->tcb),
		.tw = tcp->tw,
		.tw_stride = sizeof(*tcp->tw),
		.key6 = tcp->key6,
		.n_key6 = tcp->n_key6,
	};

	return sl_flows_open(&tcp->flows, mem, &flows);
}

static int
open_wheel(struct sl_tcp *tcp, struct sl_mem *mem, sl_ns_t now)
{
	struct sl_wheel_conf wheel = {
		.ids = tcp->n_tcb,
		.tick = &tcp->tcb->armed,
		.stride = sizeof(*tcp->tcb),
	};

	return sl_wheel_open(&tcp->wheel, mem, &wheel, sl_tick(now));
}

/* The smallest shift that lets the window field cover the buffer (RFC 7323, 2.3). */
static uint8_t
scale_for(uint32_t rcvbuf)
{
	uint8_t scale = 0;

	while (scale < SCALE_MOST && (65535u << scale) < rcvbuf)
		scale++;
	return scale;
}

static int
open_listener(struct sl_tcp *tcp, struct sl_mem *mem, const struct sl_core_conf *conf,
	      uint16_t i)
{
	struct sl_listener *l = &tcp->listener[i];
	const struct sl_app *app = conf->listener[i].app;

	l->conf = conf->listener[i];
	l->connections = l->conf.connections != 0 ? l->conf.connections : conf->connections;
	l->backlog = l->conf.backlog != 0 ? l->conf.backlog : BACKLOG_DEFAULT;
	l->rcv_scale = scale_for(l->conf.tcp.rcvbuf);
	l->next = SL_NO_LISTENER;
	if (l->conf.tcp.cookies == SL_COOKIES_ALWAYS)
		tcp->always_cookies = true;
	if (app->listener_bytes > 0) {
		l->state = sl_mem_take(mem, app->listener_bytes, SL_CACHE_LINE);
		if (l->state == NULL)
			return -ENOMEM;
	}
	if (l->conf.port != 0) { /* one for a single address goes before one for any */
		static const struct sl_addr any;
		uint16_t *at = &tcp->by_port[l->conf.port];

		while (*at != SL_NO_LISTENER && sl_addr_eq(&l->conf.addr, &any))
			at = &tcp->listener[*at].next;
		l->next = *at;
		*at = i;
	}
	return 0;
}

static int
open_tcp(struct sl_core *core, const struct sl_core_conf *conf, struct sl_mem *mem, sl_ns_t now)
{
	struct sl_tcp *tcp = &core->tcp;
	struct layout layout = layout_of(conf);
	int rc;

	if (!take_arrays(tcp, mem, &layout))
		return -ENOMEM;
	memset(tcp->by_port, 0xff, 65536 * sizeof(*tcp->by_port));
	rc = open_flows(tcp, mem, conf);
	if (rc == 0)
		rc = open_wheel(tcp, mem, now);
	for (uint16_t i = 0; rc == 0 && i < conf->n_listeners; i++)
		rc = open_listener(tcp, mem, conf, i);
	if (rc < 0)
		return rc;
	tcp->n_listeners = conf->n_listeners;
	sl_list_init(&tcp->output);
	sl_list_init(&tcp->parked);
	sl_list_init(&tcp->gone);
	sl_tw_init(tcp);
	tcp->isn_key = derive(&conf->secret, "isn");
	tcp->port_key = derive(&conf->secret, "port");
	tcp->ts_key = derive(&conf->cookie_secret, "ts");
	tcp->tai_held_at = now / SL_NS_PER_MS;
	tcp->tai_offset_ms = conf->tai_ms - tcp->tai_held_at;
	sl_cookie_keys_init(&tcp->cookies, &conf->cookie_secret);
	tcp->many = sl_prf_many_for(sl_leaf_bits(conf->simd_bits));
	tcp->leaf_bits = (uint16_t)sl_leaf_bits(conf->simd_bits);
	tcp->crowd_leaf = sl_crowd_leaf_for(tcp->leaf_bits);
	tcp->cookie_many = sl_cookie_many_for(sl_leaf_bits(conf->simd_bits));
	tcp->opened_at = now;
	tcp->rx_buffers = conf->rx_buffers;
	tcp->scarce_from = conf->rx_buffers / 10 * 9;
	tcp->is_home = conf->is_home;
	tcp->steer = conf->steer;
	return 0;
}

int
sl_core_open(struct sl_core **out, const struct sl_core_conf *conf, const struct sl_bufs *bufs,
	     struct sl_mem *mem, sl_ns_t now)
{
	struct sl_core *core;
	int rc;

	if (sl_core_refuses(conf) != NULL)
		return -EINVAL;
	core = sl_mem_take(mem, sizeof(*core), SL_CACHE_LINE);
	if (core == NULL)
		return -ENOMEM;
	core->tcp.bufs = bufs;
	core->net_conf = conf->net;
	core->tcp.ports = &core->net_conf;
	rc = open_tcp(core, conf, mem, now);
	if (rc == 0)
		rc = sl_net_open(&core->net, mem, &core->net_conf, bufs, &core->tcp.stats, now);
	if (rc < 0)
		return rc;
	core->tcp.net = core->net;
	core->n_doors = core->net_conf.n_ports;
	for (uint16_t i = 0; i < core->n_doors; i++)
		sl_net_door(core->net, core->net_conf.port[i].port, &core->door[i]);
	core->net_news = sl_net_news(core->net);
	core->tcp.now = core->stepped = now;
	core->tcp.budget_at = sl_tick(now) - 1; /* budgets are filled at once */
	core->tcp.challenge_at = sl_tick(now) - 1000;
	sl_tcp_clock(&core->tcp, now);
	*out = core;
	return 0;
}

void
sl_core_close(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;

	for (uint32_t i = 0; i < tcp->n_tcb; i++) {
		sl_tcb_drop_received(tcp, &tcp->tcb[i]);
		sl_spans_free_all(tcp, &tcp->tcb[i]);
	}
	sl_tcp_put_all(tcp);
}

void
sl_core_budget(const struct sl_core_conf *conf, struct sl_budget *budget)
{
	struct layout l = layout_of(conf);
	uint64_t entries = (uint64_t)l.n_tcb + l.n_tw;
	uint64_t table = sl_flows_bytes(l.n_tcb + l.n_tw), wheel = sl_wheel_bytes(l.n_tcb);
	uint32_t key6 = sizeof(struct sl_key6);
	uint64_t record =
		sizeof(struct sl_tcb) + sizeof(*((struct sl_ring *)0)->idx) + l.state_bytes;
	uint64_t listeners = 0;

	for (uint16_t i = 0; i < conf->n_listeners; i++)
		listeners += conf->listener[i].app->listener_bytes;
	budget->idle_v4 = record + table / entries + wheel / l.n_tcb;
	budget->idle_v6 = budget->idle_v4 + key6;
	budget->active =
		sizeof(struct sl_active) + sizeof(struct sl_epoch) + sizeof(struct sl_round);
	budget->time_wait_v4 = sizeof(struct sl_tw) + table / entries;
	budget->time_wait_v6 = budget->time_wait_v4 + key6;
	budget->fixed = sizeof(struct sl_core) + 65536 * sizeof(uint16_t) + listeners +
			sl_net_bytes(&conf->net) + (uint64_t)l.n_span * sizeof(struct sl_span) +
			(uint64_t)l.n_lent * sizeof(struct sl_lent);
	budget->total = budget->fixed + table + wheel + l.n_tcb * record +
			(uint64_t)l.n_active * budget->active +
			(uint64_t)l.n_tw * sizeof(struct sl_tw) + (uint64_t)l.n_key6 * key6;
}

void
sl_core_event(struct sl_core *core, sl_ns_t now, const struct sl_event *event)
{
	struct sl_tcp *tcp = &core->tcp;

	sl_tcp_clock(tcp, now);
	switch (event->kind) {
	case SL_EVENT_CLOCK:
		sl_tcp_tai(tcp, event->tai_ms);
		break;
	case SL_EVENT_NEIGHBOUR:
		sl_net_learn(core->net, now, &event->neighbour);
		break;
	case SL_EVENT_DRAIN:
		sl_tcp_drain(tcp, false);
		break;
	case SL_EVENT_KILL:
		sl_tcp_drain(tcp, true);
		break;
	}
}

bool
sl_core_told(struct sl_core *core, struct sl_event *event)
{
	event->kind = SL_EVENT_NEIGHBOUR;
	return sl_net_tell(core->net, &event->neighbour);
}

const struct sl_stats *
sl_core_stats(const struct sl_core *core)
{
	return &core->tcp.stats;
}

const struct sl_listener_stats *
sl_core_listener_stats(const struct sl_core *core, uint16_t i)
{
	return i < core->tcp.n_listeners ? &core->tcp.listener[i].stats : NULL;
}

const char *
sl_core_state(struct sl_core *core, const struct sl_tuple *tuple, struct sl_ref *ref)
{
	struct sl_tcp *tcp = &core->tcp;
	uint32_t slot = sl_flows_find(tcp->flows, tuple, sl_flows_hash(tcp->flows, tuple));

	if (ref != NULL)
		*ref = (struct sl_ref){ 0 };
	if (slot == SL_NO_FLOW)
		return NULL;
	if (slot & SL_FLOW_TW)
		return sl_state_name(SL_ST_TIME_WAIT);
	if (ref != NULL)
		*ref = (struct sl_ref){ .idx = slot, .gen = tcp->tcb[slot].gen };
	return sl_state_name(tcp->tcb[slot].state);
}

/* Records looked at in a call: all of a large table would keep packets waiting for 60 ms. */
#define LIST_STEP 4096u

static void
describe(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_conn_info *info)
{
	*info = (struct sl_conn_info){
		.state = sl_state_name(tcb->state),
		.listener = tcb->listener,
		.active = tcb->is & SL_IS_ACTIVE,
		.send_queued =
			sl_seq_gt(tcb->snd_end, tcb->snd_una) ? tcb->snd_end - tcb->snd_una : 0,
		.recv_queued = sl_tcb_unread(tcp, tcb),
		.snd_wnd = sl_tcb_snd_wnd(tcb),
		.rcv_wnd = tcb->rcv_adv - tcb->rcv_nxt,
		.cwnd = tcb->cwnd,
		.srtt_ms = tcb->srtt_us8 / 8000,
		.rto_ms = sl_tcb_rto_ms(tcp, tcb),
	};
	sl_tcb_tuple(tcp, &tcb->key, &info->tuple);
}

uint32_t
sl_core_list(const struct sl_core *core, uint32_t *cursor, struct sl_conn_info *out, uint32_t n)
{
	const struct sl_tcp *tcp = &core->tcp;
	uint32_t found = 0, at = *cursor;

	for (uint32_t i = 0; i < LIST_STEP && at < tcp->n_tcb && found < n; i++, at++) {
		if (tcp->tcb[at].state != SL_ST_CLOSED)
			describe(tcp, &tcp->tcb[at], &out[found++]);
	}
	*cursor = at < tcp->n_tcb ? at : SL_LIST_END;
	return found;
}
