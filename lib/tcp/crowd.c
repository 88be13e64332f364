/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crowd - many strangers at once: SYNs answered by cookies, and ACKs that are none.
 *
 * Only what is alike is done here. Whoever needs a connection, a reset, a fresh buffer or a
 * fate of its own is left to answer.c, which says the same of one lane at a time.
 */
#include "tcp/crowd.h"

#include <string.h>

#include <rte_branch_prediction.h>

#include "tcp/answer.h"
#include "wire/synack.h"

/* Of a crowd's buckets: a core waits for about as many lines at once. */
#define ASKED_FIRST 16
#define FEW         3 /* so many cookies are checked faster one by one */

static struct sl_listener *
listener_of(struct sl_tcp *tcp, const struct sl_crowd *c, unsigned int k)
{
	struct sl_addr local = sl_crowd_local(c, k);

	return sl_tcp_listener_at(tcp, &local, sl_crowd_lport(c, k));
}

/* A crowd by where it wants to: of each part, its listener or NULL. */
struct parts {
	unsigned int n;
	struct sl_listener *listener[SL_BURST];
	uint64_t who[SL_BURST];
};

/* Those of @c at whose port somebody listens, at some address. */
static uint64_t
that_knock(const struct sl_tcp *tcp, const struct sl_crowd *c)
{
	uint64_t knock = 0;

	for (unsigned int k = c->n; k-- > 0;)
		knock = knock << 1 | (tcp->by_port[sl_crowd_lport(c, k)] != SL_NO_LISTENER);
	return knock;
}

/* Most crowds want to one place. Where many want to many, each is looked at once, not compared.
 */
static void
split(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who, struct parts *parts)
{
	uint64_t nobody;
	unsigned int first;

	parts->n = 0;
	if (who == 0)
		return;
	if (tcp->foreseen.of == c) {
		parts->listener[0] = tcp->foreseen.listener;
		parts->who[0] = who;
		parts->n = 1;
		return;
	}
	first = (unsigned int)__builtin_ctzll(who);
	if (likely((who & ~sl_crowd_same_place(c, first, tcp->crowd_leaf)) == 0)) {
		parts->listener[0] = listener_of(tcp, c, first);
		parts->who[0] = who;
		parts->n = 1;
		return;
	}
	nobody = who & ~that_knock(tcp, c);
	for (who &= ~nobody; who != 0; who &= who - 1) {
		struct sl_listener *l = listener_of(tcp, c, (unsigned int)__builtin_ctzll(who));
		uint64_t *at;

		if (l == NULL) {
			nobody |= who & -who;
			continue;
		}
		at = &tcp->comes_to[l - tcp->listener];
		if (*at == 0)
			parts->listener[parts->n++] = l;
		*at |= who & -who;
	}
	for (unsigned int i = 0; i < parts->n; i++) {
		struct sl_listener *l = parts->listener[i];
		uint64_t *at = &tcp->comes_to[l - tcp->listener];

		parts->who[i] = *at;
		*at = 0;
	}
	if (nobody != 0) {
		parts->listener[parts->n] = NULL;
		parts->who[parts->n++] = nobody;
	}
}

#define MOVE(array) to->array[n] = c->array[k]

/* A copy of those of @who. What is behind them was written once, too. */
static struct sl_crowd *
pick(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who)
{
	struct sl_crowd *to = &tcp->few;
	unsigned int n = 0;

	to->v6 = c->v6;
	to->room = c->room;
	for (; who != 0; who &= who - 1, n++) {
		unsigned int k = (unsigned int)__builtin_ctzll(who);

		MOVE(at);
		MOVE(m);
		MOVE(frame);
		MOVE(addr[0]);
		if (c->v6) {
			MOVE(addr[1]);
			MOVE(addr[2]);
			MOVE(addr[3]);
		}
		MOVE(numbers);
		MOVE(hash);
		MOVE(ack);
		MOVE(tsval);
		MOVE(tsecr);
		MOVE(mss);
		MOVE(wscale);
		MOVE(opts);
		MOVE(flags);
	}
	to->n = (uint16_t)n;
	return to;
}

/*
 * The timestamp offset of each that has timestamps, in low halves, as sl_tcp_ts_offset() makes
 * them but for their base.
 */
static void
ts_offsets(const struct sl_tcp *tcp, const struct sl_crowd *c, const uint8_t *opts,
	   uint64_t *offset)
{
	const uint64_t *const word[4] = { c->addr[0], c->addr[1], c->addr[2], c->addr[3] };
	uint64_t last[SL_BURST];
	struct sl_prf_states states;
	uint8_t any = 0;

	for (unsigned int k = 0; k < c->n; k++) {
		last[k] = sl_prf_last((uint32_t)c->numbers[k], c->v6 ? 36 : 12);
		any |= opts[k];
	}
	if (!(any & SL_OPT_TS))
		return;
	tcp->many->begin(&tcp->ts_key, NULL, word, c->v6 ? 4 : 1, &states, c->n);
	tcp->many->end(&states, last, offset, c->n);
}

/* Of the options offered, what the listener agrees to. */
static uint8_t
agreeable(const struct sl_tcp_conf *conf)
{
	uint8_t opts = SL_OPT_MSS;

	if (conf->window_scaling)
		opts |= SL_OPT_WSCALE;
	if (conf->sack)
		opts |= SL_OPT_SACK_OK;
	if (conf->timestamps)
		opts |= SL_OPT_TS;
	return opts;
}

/* The cookies of @c, SYNs to which @opts are agreed. */
static void
make_cookies(const struct sl_tcp *tcp, const struct sl_crowd *c, const uint8_t *opts,
	     const uint64_t *offset, struct sl_synack_each *each)
{
	const struct sl_cookie_batch batch = { c->v6, c->addr, c->numbers,
					       opts,  offset,  sl_tcp_ts_clock(tcp) };

	tcp->cookie_many->make(&tcp->cookies, tcp->many, &batch, c->mss, c->wscale, each->isn,
			       each->tsval, c->n);
}

/* Who is called by all of @c, if that seems to answer by cookies; or NULL. */
static struct sl_listener *
answers_all(struct sl_tcp *tcp, const struct sl_crowd *c)
{
	const uint64_t who = ~0ull >> (SL_BURST - c->n);
	struct sl_listener *listener;

	if (tcp->draining || sl_crowd_same_place(c, 0, tcp->crowd_leaf) != who)
		return NULL;
	listener = listener_of(tcp, c, 0);
	return listener != NULL && !sl_may_open_half(listener) ? listener : NULL;
}

void
sl_crowd_foresee(struct sl_tcp *tcp, const struct sl_crowd *c)
{
	const uint16_t first = RTE_MIN(c->n, ASKED_FIRST);
	struct sl_foreseen *f = &tcp->foreseen;
	uint8_t opts[SL_BURST], agreed;
	uint64_t offset[SL_BURST];

	sl_flows_ask(tcp->flows, c->hash, first);
	f->listener = answers_all(tcp, c);
	if (f->listener == NULL) {
		sl_flows_ask(tcp->flows, c->hash + first, c->n - first);
		return;
	}
	agreed = agreeable(&f->listener->conf.tcp);
	for (unsigned int k = 0; k < SL_BURST; k++)
		opts[k] = c->opts[k] & agreed;
	ts_offsets(tcp, c, opts, offset);
	sl_flows_ask(tcp->flows, c->hash + first, c->n - first);
	make_cookies(tcp, c, opts, offset, &f->each);
	f->of = c;
}

/* Whether the cookies of @who of @c, who call @listener, are made; then they are the first. */
static bool
take_foreseen(struct sl_foreseen *f, const struct sl_crowd *c,
	      const struct sl_listener *listener, uint64_t who)
{
	if (f->of != c || f->listener != listener)
		return false;
	f->of = NULL; /* none of others' is left */
	if (who == ~0ull >> (SL_BURST - c->n))
		return true;
	for (unsigned int n = 0; who != 0; who &= who - 1, n++) {
		unsigned int k = (unsigned int)__builtin_ctzll(who);

		f->each.isn[n] = f->each.isn[k];
		f->each.tsval[n] = f->each.tsval[k];
	}
	return true;
}

/*
 * Answer all of @c as @listener does: SYNs that find room in @out and in their own buffers,
 * whose cookies may be @made.
 */
static void
answer_by_cookies(struct sl_tcp *tcp, struct sl_crowd *c, const struct sl_door *door,
		  struct sl_listener *listener, bool made)
{
	const struct sl_tcp_conf *conf = &listener->conf.tcp;
	const sl_tick_t now = sl_tick_after(tcp->tick, 0);
	const uint16_t n = c->n;
	struct sl_synack_terms terms = {
		.mss = sl_tcp_mss_offer(tcp, conf, door->port, c->v6),
		.wnd = sl_tcp_first_window(conf),
		.scale = listener->rcv_scale,
		.ttl = conf->ttl,
		.tos = conf->tos,
		.offloads = sl_tcp_port(tcp, door->port)->offloads,
	};
	struct sl_synack_each each;
	uint64_t offset[SL_BURST];

	if (!made) {
		ts_offsets(tcp, c, c->opts, offset);
		make_cookies(tcp, c, c->opts, offset, &each);
	}
	sl_synacks_build(c, door, &terms, made ? &tcp->foreseen.each : &each, tcp->crowd_leaf);

	tcp->cookie_last = now;
	for (unsigned int k = 0; k < n; k++)
		tcp->cookie_at[c->hash[k] & 0xff] = now;
	sl_out_put_all(tcp->out, c->m, n);
	sl_stat_add(tcp->stats.fate[SL_FATE_tcp_syn_cookie], n);
	sl_count_n(tcp, syn, n);
	sl_count_n(tcp, synack, n);
	sl_count_n(tcp, cookie_sent, n);
}

/* Whether two listeners answer alike, so that whose SYN it is makes no difference. */
static bool
say_the_same(const struct sl_listener *a, const struct sl_listener *b)
{
	const struct sl_tcp_conf *x = &a->conf.tcp, *y = &b->conf.tcp;

	return agreeable(x) == agreeable(y) && x->mss == y->mss &&
	       sl_tcp_first_window(x) == sl_tcp_first_window(y) &&
	       a->rcv_scale == b->rcv_scale && x->ttl == y->ttl && x->tos == y->tos;
}

/* Those of @who whose answers fit: each into its own buffer, all together into @out. */
static uint64_t
that_fit(const struct sl_tcp *tcp, struct sl_crowd *c, uint64_t who, uint8_t agreed)
{
	unsigned int room = tcp->out->room - tcp->out->n;
	uint64_t fit = 0;

	if (likely(c->room >= SL_SYNACK_MOST && room >= c->n))
		return who;
	for (; who != 0 && room > 0; who &= who - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(who);
		const struct rte_mbuf *m = c->m[k];

		if (m->data_off + sl_synack_bytes(c->v6, c->opts[k] & agreed) > m->buf_len)
			continue;
		fit |= 1ull << k;
		room--;
	}
	return fit;
}

static void
end_all(struct sl_tcp *tcp, enum sl_fate fate, uint64_t who)
{
	sl_stat_add(tcp->stats.fate[fate], (unsigned int)__builtin_popcountll(who));
}

/* Keep of @parts who is answered by cookies. Returns the others, but for those that end. */
static uint64_t
choose(struct sl_tcp *tcp, struct parts *parts, uint64_t *ended)
{
	unsigned int n = 0;
	uint64_t left = 0;

	*ended = 0;
	for (unsigned int i = 0; i < parts->n; i++) {
		struct sl_listener *listener = parts->listener[i];
		uint64_t who = parts->who[i];

		if (listener == NULL && tcp->reset_budget == 0) {
			end_all(tcp, SL_FATE_tcp_stray_quiet, who);
			sl_count_n(tcp, syn, (unsigned int)__builtin_popcountll(who));
			*ended = who;
		} else if (listener == NULL || tcp->draining ||
			   !sl_answers_by_cookie(tcp, listener)) {
			left |= who;
		} else {
			parts->listener[n] = listener;
			parts->who[n++] = who;
		}
	}
	parts->n = n;
	return left;
}

uint64_t
sl_crowd_syns(struct sl_tcp *tcp, struct sl_crowd *c, const struct sl_door *door, uint64_t who,
	      uint64_t *ended)
{
	struct parts parts;
	uint64_t left;

	split(tcp, c, who, &parts);
	left = choose(tcp, &parts, ended);
	for (unsigned int i = 0, next; i < parts.n; i = next) {
		struct sl_listener *listener = parts.listener[i];
		uint8_t agreed = agreeable(&listener->conf.tcp);
		uint64_t all = parts.who[i], fit;
		struct sl_crowd *those;
		bool made;

		for (next = i + 1; next < parts.n; next++) {
			if (!say_the_same(listener, parts.listener[next]))
				break;
			all |= parts.who[next];
		}
		fit = that_fit(tcp, c, all, agreed);
		left |= all & ~fit;
		if (fit == 0)
			continue;
		those = __builtin_popcountll(fit) < c->n ? pick(tcp, c, fit) : c;
		for (unsigned int k = 0; k < those->n; k++)
			those->opts[k] &= agreed;
		made = take_foreseen(&tcp->foreseen, c, listener, fit);
		answer_by_cookies(tcp, those, door, listener, made);
		for (unsigned int k = i; k < next; k++) {
			struct sl_listener_stats *stats = &parts.listener[k]->stats;
			int n = __builtin_popcountll(fit & parts.who[k]);

			sl_stat_add(stats->syn, (unsigned int)n);
			sl_stat_add(stats->cookie_sent, (unsigned int)n);
		}
	}
	return left;
}

/*
 * Those of @who that look like the end of a handshake. What takes sequence space may be met by
 * silence for another reason, see not_a_cookie().
 */
static uint64_t
acks_among(const struct sl_crowd *c, uint64_t who)
{
	const uint8_t matter = SL_ACK | SL_RST | SL_FIN;
	uint8_t other = 0;
	uint64_t acks = 0;

	for (unsigned int k = 0; k < c->n; k++)
		other |= c->flags[k] ^ SL_ACK;
	if (likely((other & matter) == 0))
		return who;
	for (; who != 0; who &= who - 1) {
		uint8_t flags = c->flags[__builtin_ctzll(who)];

		if ((flags & matter) == SL_ACK)
			acks |= who & -who;
	}
	return acks;
}

/* The same one by one. */
static uint64_t
bad_among_few(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who)
{
	uint64_t bad = 0;

	for (; who != 0; who &= who - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(who);
		bool has_ts = c->opts[k] & SL_OPT_TS;
		struct sl_cookie_syn syn;
		struct sl_tuple tuple;
		uint32_t clock;

		sl_crowd_tuple(c, k, &tuple);
		clock = has_ts ? tcp->tick + sl_tcp_ts_offset(tcp, &tuple) : 0;
		if (!sl_cookie_check(&tcp->cookies, &tuple, (uint32_t)(c->numbers[k] >> 32),
				     c->ack[k], has_ts, c->tsecr[k], clock, &syn))
			bad |= who & -who;
	}
	return bad;
}

/* Those of @who that carry no cookie of ours. */
static uint64_t
bad_cookies(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who)
{
	uint64_t offset[SL_BURST];
	const struct sl_cookie_batch batch = { c->v6,   c->addr, c->numbers,
					       c->opts, offset,  sl_tcp_ts_clock(tcp) };

	ts_offsets(tcp, c, c->opts, offset);
	return who & ~tcp->cookie_many->check(&tcp->cookies, tcp->many, &batch, c->ack,
					      c->tsecr, c->n);
}

/* The same, in the way that takes least. */
static uint64_t
bad_among(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who)
{
	const struct sl_crowd *few;
	uint64_t bad = 0, bad_few;

	if (__builtin_popcountll(who) <= FEW)
		return bad_among_few(tcp, c, who);
	if (__builtin_popcountll(who) == c->n)
		return bad_cookies(tcp, c, who);
	few = pick(tcp, c, who);
	bad_few = bad_cookies(tcp, few, (1ull << few->n) - 1);
	for (; who != 0; who &= who - 1, bad_few >>= 1)
		if (bad_few & 1)
			bad |= who & -who;
	return bad;
}

/* Nine bits of hashes. */
struct hashes {
	uint64_t bits[8];
};

static void
note(struct hashes *h, uint64_t hash)
{
	h->bits[hash >> 6 & 7] |= 1ull << (hash & 63);
}

static bool
has_noted(const struct hashes *h, uint64_t hash)
{
	return h->bits[hash >> 6 & 7] >> (hash & 63) & 1;
}

/*
 * Those of @bad that came behind one of @others and resemble it: if that opens a connection
 * they are its input. A flood has no others.
 */
static uint64_t
behind_others(const struct sl_crowd *c, uint64_t bad, uint64_t others)
{
	struct hashes before;
	uint64_t behind = 0;

	if (bad == 0 || others == 0)
		return 0;
	before = (struct hashes){ 0 };
	for (uint64_t rest = (bad | others) & -(others & -others); rest != 0;
	     rest &= rest - 1) {
		uint64_t hash = c->hash[__builtin_ctzll(rest)], one = rest & -rest;

		if (others & one)
			note(&before, hash);
		else if (has_noted(&before, hash))
			behind |= one;
	}
	return behind;
}

/* Those of @who that resemble one of @callers, and may be behind it. */
static uint64_t
that_call(const struct sl_crowd *c, uint64_t who, const struct sl_crowd *syns, uint64_t callers)
{
	struct hashes calling = { 0 };
	uint64_t like = 0;

	for (; callers != 0; callers &= callers - 1)
		note(&calling, syns->hash[__builtin_ctzll(callers)]);
	for (; who != 0; who &= who - 1)
		if (has_noted(&calling, c->hash[__builtin_ctzll(who)]))
			like |= who & -who;
	return like;
}

/*
 * Segments to @listener. Of its ACKs that resemble no caller all are checked or none: with a
 * budget, or while resets may be sent, what becomes of one depends on those before it.
 */
static uint64_t
end_acks(struct sl_tcp *tcp, const struct sl_crowd *c, const struct sl_listener *listener,
	 uint64_t who, const struct sl_crowd *syns, uint64_t callers)
{
	uint64_t acks = acks_among(c, who), bad;

	if (listener->conf.tcp.cookies == SL_COOKIES_NEVER)
		return who;
	if (callers != 0 && sl_may_open_half(listener))
		acks &= ~that_call(c, acks, syns, callers);
	if (acks == 0)
		return who;
	if (!sl_cookies_may_be_out(tcp)) {
		if (tcp->check_budget > 0)
			return who;
		end_all(tcp, SL_FATE_tcp_cookie_unchecked, acks);
		return who & ~acks;
	}
	if (tcp->reset_budget > 0)
		return who;
	bad = bad_among(tcp, c, acks);
	bad &= ~behind_others(c, bad, who & ~bad);
	end_all(tcp, SL_FATE_tcp_cookie_bad, bad);
	sl_count_n(tcp, cookie_bad, (unsigned int)__builtin_popcountll(bad));
	return who & ~bad;
}

uint64_t
sl_crowd_segments(struct sl_tcp *tcp, const struct sl_crowd *c, uint64_t who,
		  const struct sl_crowd *syns, uint64_t callers)
{
	uint64_t left = 0;
	struct parts parts;

	split(tcp, c, who, &parts);
	for (unsigned int i = 0; i < parts.n; i++) {
		uint64_t same = parts.who[i];

		if (parts.listener[i] != NULL) {
			left |= end_acks(tcp, c, parts.listener[i], same, syns, callers);
		} else if (tcp->reset_budget == 0) {
			end_all(tcp, SL_FATE_tcp_stray_quiet, same);
		} else {
			left |= same;
		}
	}
	return left;
}
