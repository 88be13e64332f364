/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conn - the life of a connection's record: made, marked, ended, freed.
 *
 * A connection that ends stays in the table until settle, since lanes of the same burst
 * may have found it; it is CLOSED or TIME-WAIT meanwhile. It also stays while it owes the
 * application a callback or the peer a reset or an ACK.
 */
#include <errno.h>
#include <string.h>

#include <rte_prefetch.h>

#include "tcp/answer.h"
#include "tcp/spans.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

static_assert(SL_REASON_COUNT <= 16, "sl_tcb.why has four bits");
static_assert(SL_ST_COUNT <= 16, "and so has sl_tcb.state");

#define MSS_FLOOR       64u /* smaller offers are taken as this */
#define MSS_DEFAULT_V4  536u
#define MSS_DEFAULT_V6  1220u
#define TS_OPTION_BYTES 12u
#define RTO_FIRST_US    1000000u /* RFC 6298, 2.1 */
#define RTO_LOST_SYN_US 3000000u /* 5.7 */
#define HEADERS_V4      40u
#define HEADERS_V6      60u
#define SILENCE_MS      4000u /* until an active block may be taken from its owner ... */
#define LOOKED_AT       8u    /* ... who must be among so many */

void
sl_tcb_tuple(const struct sl_tcp *tcp, const struct sl_key *key, struct sl_tuple *tuple)
{
	sl_key_tuple(key, tcp->key6, tuple);
}

/* SipHash-2-4 of a tuple's addresses and ports: of IPv4 twelve bytes, of IPv6 36. */
static uint32_t
prf_of(const struct sl_prf_key *key, const struct sl_tuple *t)
{
	struct sl_prf_state s = sl_prf_begin(key);
	uint32_t ports = (uint32_t)t->lport << 16 | t->rport;

	if (t->v6) {
		sl_prf_add(&s, t->remote.q[0]);
		sl_prf_add(&s, t->remote.q[1]);
		sl_prf_add(&s, t->local.q[0]);
		sl_prf_add(&s, t->local.q[1]);
		return (uint32_t)sl_prf_end(s, sl_prf_last(ports, 36));
	}
	sl_prf_add(&s, (uint64_t)t->local.w[3] << 32 | t->remote.w[3]);
	return (uint32_t)sl_prf_end(s, sl_prf_last(ports, 12));
}

uint32_t
sl_tcp_isn(const struct sl_tcp *tcp, const struct sl_tuple *tuple)
{
	return (uint32_t)(tcp->now / 4000) + prf_of(&tcp->isn_key, tuple);
}

uint32_t
sl_tcp_ts_offset(const struct sl_tcp *tcp, const struct sl_tuple *tuple)
{
	return (uint32_t)tcp->tai_offset_ms + prf_of(&tcp->ts_key, tuple);
}

/*
 * Free lines of key6 are linked through their own first words, so that an IPv6 connection
 * pays for nothing but its addresses. A reader on another core who meets such a word finds
 * nothing there. The line given back last is the next to be taken. Returns its index, or
 * SL_NO_KEY6 if there is none.
 */
static uint32_t
key6_take(struct sl_tcp *tcp)
{
	uint32_t idx = tcp->key6_free;

	if (tcp->n_key6_free == 0)
		return SL_NO_KEY6;
	tcp->n_key6_free--;
	if (idx == SL_NO_INDEX)
		return tcp->key6_fresh++;
	tcp->key6_free = tcp->key6[idx].remote.w[0];
	return idx;
}

void
sl_key6_give(struct sl_tcp *tcp, uint32_t six)
{
	sl_key_store(&tcp->key6[six].remote.w[0], &tcp->key6_free, sizeof(uint32_t));
	tcp->key6_free = six;
	tcp->n_key6_free++;
}

/* Write the key of @tuple, taking a line of key6 for IPv6; false if there is none. */
static bool
key_take(struct sl_tcp *tcp, struct sl_key *key, const struct sl_tuple *tuple)
{
	uint32_t six = SL_NO_KEY6;

	if (tuple->v6) {
		six = key6_take(tcp);
		if (six == SL_NO_KEY6)
			return false;
	}
	sl_key_set(key, tcp->key6, six, tuple);
	return true;
}

static void
key_give(struct sl_tcp *tcp, struct sl_key *key)
{
	if (!sl_key_is_v6(key))
		return;
	assert(!sl_key_is_nobody(key)); /* or it was given back before */
	sl_key6_give(tcp, key->remote);
	sl_key_clear(key);
}

/* Put the record into the table, in the place of @replaces if that is one. */
static bool
table_enter(struct sl_tcp *tcp, uint32_t idx, uint64_t hash, uint32_t replaces)
{
	if (replaces == SL_NO_FLOW)
		return sl_flows_insert(tcp->flows, hash, idx) == 0;
	if (!sl_flows_replace(tcp->flows, hash, replaces, idx))
		return false;
	sl_tw_free(tcp, replaces & ~SL_FLOW_TW);
	return true;
}

/* A record that is nobody's, key apart. */
static const struct sl_tcb blank = {
	.state = SL_ST_CLOSED,
	.lent = SL_NO_BLOCK,
	.span_head = SL_NO_INDEX,
	.span_edge = SL_NO_INDEX,
	.rttvar_us4 = RTO_FIRST_US,
	.path = SL_NO_PATH,
	.next = SL_NO_INDEX,
};

/*
 * Each line by itself: at once it becomes an instruction that takes long to begin. And as a
 * copy: fields written into what was just cleared by wider stores would wait for these.
 */
void
sl_tcb_clear(struct sl_tcb *tcb)
{
	size_t behind_key = sizeof(tcb->key); /* other cores may be reading that */
	const char *from = (const char *)&blank;
	char *to = (char *)tcb;
	uint32_t gen = tcb->gen;
	sl_tick_t armed = tcb->armed; /* what the wheel has of an old life serves the new one */

	memcpy(to + behind_key, from + behind_key, SL_CACHE_LINE - behind_key);
	memcpy(to + SL_CACHE_LINE, from + SL_CACHE_LINE, sizeof(*tcb) - SL_CACHE_LINE);
	tcb->gen = gen;
	tcb->armed = armed;
}

/* Ask memory for the record that will be taken next, if it was anybody's before. */
static void
prefetch_free(const struct sl_tcp *tcp)
{
	uint32_t idx = tcp->free_tcb.top;
	const struct sl_tcb *tcb;

	if (idx == SL_NO_INDEX)
		return;
	tcb = &tcp->tcb[idx];
	rte_prefetch0(&tcb->key);
	rte_prefetch0(&tcb->gen);
}

struct sl_tcb *
sl_tcb_new(struct sl_tcp *tcp, const struct sl_tuple *tuple, uint64_t hash, uint16_t listener,
	   uint32_t iss, uint32_t replaces)
{
	struct sl_listener *l = &tcp->listener[listener];
	struct sl_tcb *tcb;
	uint32_t idx;

	if (sl_slots_free_count(&tcp->free_tcb) == 0) {
		sl_count(tcp, no_connection);
		return NULL;
	}
	if (l->stats.live >= l->connections) {
		sl_count(tcp, listener_limit);
		return NULL;
	}
	idx = sl_slots_get(&tcp->free_tcb);
	prefetch_free(tcp);
	tcb = &tcp->tcb[idx];
	sl_tcb_clear(tcb);
	if (!key_take(tcp, &tcb->key, tuple))
		goto no_room;
	if (!table_enter(tcp, idx, hash, replaces)) {
		key_give(tcp, &tcb->key);
		goto no_room;
	}

	tcb->listener = listener;
	tcb->ttl = l->conf.tcp.ttl;
	tcb->tos = l->conf.tcp.tos;
	tcb->snd_una = tcb->snd_nxt = iss;
	tcb->snd_end = iss + 1;
	tcb->quick_acks = l->conf.tcp.quick_acks;
	tcb->progress = tcp->tick;
	if (!l->conf.tcp.nagle)
		tcb->is |= SL_IS_NODELAY;
	if (tcp->app_state_bytes > 0)
		memset(tcp->app_state + (size_t)idx * tcp->app_state_bytes, 0,
		       tcp->app_state_bytes);
	sl_stat_add(l->stats.live, 1);
	sl_count(tcp, live);
	return tcb;

no_room:
	sl_slots_put(&tcp->free_tcb, idx);
	sl_count(tcp, no_connection);
	return NULL;
}

/* The payload that fits beside the options every segment of this connection carries. */
static uint16_t
mss_with_options(const struct sl_tcb *tcb, uint32_t mss)
{
	if (tcb->is & SL_IS_TS)
		mss -= TS_OPTION_BYTES;
	return mss < MSS_FLOOR - TS_OPTION_BYTES ? MSS_FLOOR - TS_OPTION_BYTES : mss;
}

void
sl_tcb_take_syn(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *syn)
{
	const struct sl_tcp_conf *conf = sl_tcb_conf(tcp, tcb);
	uint32_t mss = sl_key_is_v6(&tcb->key) ? MSS_DEFAULT_V6 : MSS_DEFAULT_V4;

	if (conf->timestamps && (syn->opts & SL_OPT_TS)) {
		tcb->is |= SL_IS_TS;
		tcb->ts_recent = syn->tsval;
		tcb->ts_age = tcp->ts_age;
	}
	if (conf->sack && (syn->opts & SL_OPT_SACK_OK))
		tcb->is |= SL_IS_SACK;
	if (conf->window_scaling && (syn->opts & SL_OPT_WSCALE)) {
		tcb->is |= SL_IS_SCALED;
		tcb->snd_scale = syn->wscale;
		tcb->rcv_scale = tcp->listener[tcb->listener].rcv_scale;
	}
	if (syn->opts & SL_OPT_MSS)
		mss = syn->mss;
	if (conf->mss != 0 && mss > conf->mss)
		mss = conf->mss;
	if (mss < MSS_FLOOR)
		mss = MSS_FLOOR;
	tcb->mss = mss_with_options(tcb, mss);

	tcb->rcv_nxt = syn->seq + 1;
	tcb->unacked = 0;
	tcb->rcv_adv = tcb->rcv_nxt;
	tcb->wnd = tcb->max_wnd = syn->wnd;
	tcb->wnd_of_syn = tcb->max_wnd_of_syn = true;
	tcb->snd_wl1 = syn->seq;
}

/* What the path carries is the most that a segment has. */
static void
fit_path(const struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	uint32_t carries = sl_path_mtu(tcp->net, tcb->path) -
			   (sl_key_is_v6(&tcb->key) ? HEADERS_V6 : HEADERS_V4);

	carries = mss_with_options(tcb, carries);
	if (tcb->mss > carries)
		tcb->mss = carries;
}

int
sl_tcb_open_path(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_addr *remote,
		 const struct sl_l2 *came)
{
	uint32_t path;
	int rc;

	if (tcb->path == SL_NO_PATH) {
		rc = sl_path_open(tcp->net, tcp->now, remote, came, &path);
		if (rc < 0) {
			sl_count(tcp, no_route);
			return rc;
		}
		tcb->path = path;
	}
	fit_path(tcp, tcb);
	return 0;
}

bool
sl_tcb_find_path(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_addr *remote)
{
	uint32_t path;

	if (sl_path_known(tcp->net, remote, &path) < 0)
		return false;
	tcb->path = path;
	fit_path(tcp, tcb);
	return true;
}

static void
count_half_open(struct sl_tcp *tcp, struct sl_tcb *tcb, bool on)
{
	struct sl_listener_stats *stats = &tcp->listener[tcb->listener].stats;

	if (on == !!(tcb->is & SL_IS_COUNTED))
		return;
	tcb->is ^= SL_IS_COUNTED;
	if (on) {
		sl_count(tcp, half_open);
		sl_stat_add(stats->half_open, 1);
	} else {
		sl_uncount(tcp, half_open);
		sl_stat_add(stats->half_open, -1ull);
	}
}

/* The application has the connection; one that does not care is not called. */
static void
give_to_app(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	const struct sl_app *app = sl_tcb_app(tcp, tcb);

	if (app->open == NULL && app->closed == NULL && !tcp->draining && !tcp->by_the_book)
		tcb->is |= SL_IS_OPEN;
	else
		sl_tcb_mark(tcp, tcb, SL_MARK_OPEN);
}

static void
enter_established(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	count_half_open(tcp, tcb, false);
	if (tcb->is & SL_IS_ACTIVE)
		sl_count(tcp, opened_active);
	else
		sl_count(tcp, opened_passive);
	sl_stat_add(tcp->listener[tcb->listener].stats.opened, 1);
	sl_cc_open(tcp, tcb, tcb->backoff > 0);
	if (tcb->backoff > 0 && tcb->srtt_us8 == 0)
		tcb->rttvar_us4 = RTO_LOST_SYN_US;
	tcb->backoff = 0;
	tcb->heard = tcb->progress = tcp->tick;
	give_to_app(tcp, tcb);
	sl_timer_life(tcp, tcb);
}

/*
 * Whether the application has closed, waits for no callback, not of its timer either, and wants
 * none at the end. It is asked only where the peer's last ACK ends the connection: nothing is
 * owed then.
 */
static bool
is_forgotten(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return (tcb->is & SL_IS_CLOSED_APP) && tcb->marks == 0 && tcb->app_due == 0 &&
	       !tcp->by_the_book && sl_tcb_app(tcp, tcb)->closed == NULL;
}

/*
 * Nothing is timed any more but the application, which may be taking its time with what
 * came; nobody is half-open; the application hears of it.
 */
static void
enter_end(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_event_tcp event)
{
	count_half_open(tcp, tcb, false);
	sl_timer_stop(tcb, SL_TIMER_RESEND);
	sl_timer_stop(tcb, SL_TIMER_ACK);
	if (tcb->state != SL_ST_CLOSED || event != SL_EV_FIN_ACKED || !is_forgotten(tcp, tcb)) {
		sl_tcb_mark(tcp, tcb, SL_MARK_CLOSED);
		return;
	}
	tcb->is &= ~SL_IS_OPEN;
	sl_tcb_gone(tcp, tcb);
}

void
sl_tcb_event(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_event_tcp event)
{
	enum sl_state next = sl_state_next(tcb->state, event);

	assert(next != SL_ST_NONE);
	tcb->state = next;
	switch (next) {
	case SL_ST_SYN_SENT:
	case SL_ST_SYN_RECEIVED:
		if (!(tcb->is & SL_IS_COOKIE)) /* whose third segment is here already */
			count_half_open(tcp, tcb, true);
		break;
	case SL_ST_ESTABLISHED:
		enter_established(tcp, tcb);
		break;
	case SL_ST_FIN_WAIT_2:
		sl_timer_life(tcp, tcb);
		break;
	case SL_ST_TIME_WAIT:
	case SL_ST_CLOSED:
		enter_end(tcp, tcb, event);
		break;
	default:
		break;
	}
}

/* The application gives up bytes it left untaken; nothing holds its closed back now. */
static void
tell_the_end(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->is & SL_IS_OPEN)
		sl_tcb_mark(tcp, tcb, SL_MARK_CLOSED);
}

void
sl_tcb_kill(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_reason why)
{
	if (sl_tcb_has_ended(tcb))
		return;
	tcb->why = why;
	sl_tcb_event(tcp, tcb, SL_EV_KILLED);
}

void
sl_tcb_abort(struct sl_tcp *tcp, struct sl_tcb *tcb, enum sl_reason why)
{
	bool peer_knows = tcb->state != SL_ST_SYN_SENT;

	if (sl_tcb_has_ended(tcb)) {
		tcb->is |= SL_IS_CLOSED_APP;
		tell_the_end(tcp, tcb);
		return;
	}
	sl_tcb_kill(tcp, tcb, why);
	if (peer_knows) {
		tcb->owes = SL_OWES_RST;
		sl_tcb_output(tcp, tcb);
	}
}

void
sl_tcb_shutdown(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	switch (tcb->state) {
	case SL_ST_SYN_SENT:
	case SL_ST_SYN_RECEIVED:
		tcb->is |= SL_IS_CLOSE_QUEUED; /* taken once it is established */
		break;
	case SL_ST_ESTABLISHED:
	case SL_ST_CLOSE_WAIT:
		sl_tcb_event(tcp, tcb, SL_EV_CLOSE);
		sl_tcb_output(tcp, tcb);
		break;
	default:
		break; /* closed already */
	}
}

void
sl_tcb_close(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	bool again = tcb->is & SL_IS_CLOSED_APP;

	tcb->is |= SL_IS_CLOSED_APP;
	if (sl_tcb_has_ended(tcb)) {
		tell_the_end(tcp, tcb);
		return;
	}
	if (tcb->state == SL_ST_SYN_SENT) {
		sl_tcb_kill(tcp, tcb, SL_REASON_ABORTED);
		return;
	}
	if (sl_tcb_unread(tcp, tcb) > 0 && tcp->offering != tcb) {
		sl_tcb_abort(tcp, tcb, SL_REASON_ABORTED);
		return;
	}
	sl_tcb_shutdown(tcp, tcb);
	if (!again) /* an orphan's time runs already */
		sl_timer_life(tcp, tcb);
}

/*
 * All blocks are out. Somebody may have opened a gap only to leave it open, or told us of a
 * narrow path and gone: who was silent for long gives up what can be done without. His
 * pieces come again (RFC 2018, 8), and his segments stay small.
 */
static void
look_for_block(struct sl_tcp *tcp)
{
	for (uint32_t i = 0; i < LOOKED_AT && sl_slots_free_count(&tcp->free_active) == 0;
	     i++) {
		struct sl_active *a = &tcp->active[tcp->active_hand];
		struct sl_tcb *owner = &tcp->tcb[a->owner];

		tcp->active_hand =
			tcp->active_hand + 1 < tcp->n_active ? tcp->active_hand + 1 : 0;
		if (a->mode != SL_LOSS_NONE || tcp->tick - owner->heard < SILENCE_MS)
			continue;
		a->full_mss = 0;
		sl_tcb_prune(tcp, owner);
	}
}

struct sl_active *
sl_tcb_borrow(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);
	uint32_t idx;

	if (a != NULL)
		return a;
	if (sl_slots_free_count(&tcp->free_active) == 0)
		look_for_block(tcp);
	idx = sl_slots_get(&tcp->free_active);
	if (idx == SL_NO_INDEX) {
		sl_count(tcp, no_active_block);
		return NULL;
	}
	sl_lent_take(tcp, tcb)->active = idx;
	a = &tcp->active[idx];
	memset(a, 0, sizeof(*a));
	a->owner = sl_tcb_idx(tcp, tcb);
	a->fack = tcb->snd_una;
	sl_count(tcp, active);
	return a;
}

static void
active_give(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_lent *lent = sl_tcb_lent(tcp, tcb);

	sl_slots_put(&tcp->free_active, lent->active);
	lent->active = SL_NO_BLOCK;
	sl_lent_give(tcp, tcb, lent);
	sl_uncount(tcp, active);
}

void
sl_tcb_unborrow(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_active(tcp, tcb);

	if (a == NULL || a->n_ooo > 0 || a->has_fin || a->mode != SL_LOSS_NONE ||
	    a->sacked > 0 || a->dup_bytes > 0 || a->has_dup || a->reo_due != 0 ||
	    a->probe != SL_PROBE_NONE || a->in_dsack_round || a->full_mss != 0)
		return;
	assert(a->lost == 0 && a->resent == 0);
	active_give(tcp, tcb);
}

/* All that hangs on the record goes; the record itself and its key stay. */
static void
release_holdings(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	sl_tcb_drop_received(tcp, tcb);
	sl_spans_free_all(tcp, tcb);
	sl_epoch_give(tcp, tcb);
	if (sl_tcb_has_active(tcp, tcb))
		active_give(tcp, tcb);
	if (tcb->path != SL_NO_PATH) {
		sl_path_close(tcp->net, tcb->path);
		tcb->path = SL_NO_PATH;
	}
}

/* Settle frees @tcb: the table forgets it or keeps a TIME-WAIT record in its place. */
static void
tcb_free(struct sl_tcp *tcp, struct sl_tcb *tcb, uint64_t hash)
{
	struct sl_listener_stats *stats = &tcp->listener[tcb->listener].stats;
	uint32_t idx = sl_tcb_idx(tcp, tcb);

	release_holdings(tcp, tcb);
	if (tcb->state == SL_ST_TIME_WAIT) {
		sl_tw_enter(tcp, tcb, hash);
	} else {
		sl_flows_remove(tcp->flows, hash, idx);
		key_give(tcp, &tcb->key);
	}
	/*
	 * What the wheel holds of the record stays: it comes up with nothing due, or serves
	 * the next connection here, which then need not be entered.
	 */
	sl_timer_stop(tcb, SL_TIMER_RESEND);
	sl_timer_stop(tcb, SL_TIMER_ACK);
	sl_timer_stop(tcb, SL_TIMER_APP);
	tcb->gen++;
	tcb->state = SL_ST_CLOSED; /* the one assignment besides sl_tcb_event(): it is free */
	tcb->is = 0;
	sl_stat_add(stats->live, -1ull);
	sl_stat_add(stats->closed, 1);
	sl_uncount(tcp, live);
	sl_count(tcp, closed);
	sl_slots_put(&tcp->free_tcb, idx);
}

/* Free a burst of those that are gone: found in the table at once. */
static void
free_burst(struct sl_tcp *tcp)
{
	const struct sl_key *key[SL_BURST];
	struct sl_tcb *free[SL_BURST], *tcb;
	uint64_t hash[SL_BURST];
	uint16_t n = 0;

	while (n < SL_BURST && (tcb = sl_tcp_pop_gone(tcp)) != NULL) {
		key[n] = &tcb->key;
		free[n++] = tcb;
	}
	if (n == 0)
		return;
	sl_flows_hash_keys(tcp->flows, tcp->many, key, hash, n);
	for (uint16_t i = 0; i < n; i++)
		tcb_free(tcp, free[i], hash[i]);
}

void
sl_tcb_settle(struct sl_tcp *tcp)
{
	while (tcp->gone.n > 0)
		free_burst(tcp);
}
