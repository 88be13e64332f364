/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * neigh - who has which MAC address, and how we came to believe it (RFC 4861, 7.3; ARP's
 * cache is the same machine with other packets).
 *
 * The table is bounded. Strangers may fill it only with neighbours nobody uses; those
 * are the first to go when one is needed that somebody does use. A state that waits is in
 * a list in which all wait equally long, so timers cost nothing but looking at the first.
 * That a reachable neighbour was not heard of for long is noticed when it is used.
 */
#include <errno.h>
#include <stddef.h>

#include "net/net_internal.h"

#define REACHABLE_NS   (30 * SL_NS_PER_S) /* RFC 4861, 10 */
#define ANSWER_NS      (1 * SL_NS_PER_S)
#define DELAY_NS       (5 * SL_NS_PER_S)
#define HOLD_DOWN_NS   (3 * SL_NS_PER_S) /* a failed one is left alone */
#define TRIES          3
#define SIBLING_DELAYS 3 /* a core that does not speak waits for the one that does */

static bool
state_is_known(uint8_t state)
{
	return state == SL_NEIGH_REACHABLE || state == SL_NEIGH_STALE ||
	       state == SL_NEIGH_DELAY || state == SL_NEIGH_PROBE || state == SL_NEIGH_GIVEN;
}

bool
sl_neigh_is_known(const struct sl_neigh *n)
{
	return state_is_known(n->state);
}

/* Lists: a neighbour's link is one of two, by the list. */

static struct sl_link *
link_of(struct sl_net *net, enum sl_neigh_list list, uint32_t idx)
{
	return list == SL_LIST_IDLE ? &net->neigh[idx].idle : &net->neigh[idx].timed;
}

static void
list_append(struct sl_net *net, enum sl_neigh_list list, uint32_t idx)
{
	struct sl_link *ends = &net->list[list], *link = link_of(net, list, idx);

	*link = (struct sl_link){ .prev = ends->prev, .next = SL_NO_NEIGH };
	if (ends->prev == SL_NO_NEIGH)
		ends->next = idx;
	else
		link_of(net, list, ends->prev)->next = idx;
	ends->prev = idx;
}

static void
list_remove(struct sl_net *net, enum sl_neigh_list list, uint32_t idx)
{
	struct sl_link *ends = &net->list[list], *link = link_of(net, list, idx);

	if (link->prev == SL_NO_NEIGH)
		ends->next = link->next;
	else
		link_of(net, list, link->prev)->next = link->next;
	if (link->next == SL_NO_NEIGH)
		ends->prev = link->prev;
	else
		link_of(net, list, link->next)->prev = link->prev;
}

/* Put @idx into the timed list @list, to be due at @due; SL_LIST_NONE into none. */
static void
wait_in(struct sl_net *net, uint32_t idx, enum sl_neigh_list list, sl_ns_t due)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (n->list != SL_LIST_NONE)
		list_remove(net, n->list, idx);
	n->list = list;
	n->due = due;
	if (list != SL_LIST_NONE)
		list_append(net, list, idx);
}

/* The first of the timed list @list if it is due, else SL_NO_NEIGH. */
static uint32_t
first_due(const struct sl_net *net, enum sl_neigh_list list, sl_ns_t now)
{
	uint32_t idx = net->list[list].next;

	return idx != SL_NO_NEIGH && net->neigh[idx].due <= now ? idx : SL_NO_NEIGH;
}

/* The one place that changes a state; what a state waits for begins here. */
static void
enter(struct sl_net *net, sl_ns_t now, uint32_t idx, enum sl_neigh_state state)
{
	struct sl_neigh *n = &net->neigh[idx];
	bool was_known = state_is_known(n->state);

	n->state = state;
	n->tries = 0;
	if (state == SL_NEIGH_REACHABLE)
		n->confirmed = now;

	if (state == SL_NEIGH_INCOMPLETE || state == SL_NEIGH_PROBE)
		wait_in(net, idx, SL_LIST_ASK, now);
	else if (state == SL_NEIGH_DELAY)
		wait_in(net, idx, SL_LIST_DELAY,
			now + (net->speaks ? 1 : SIBLING_DELAYS) * DELAY_NS);
	else
		wait_in(net, idx, SL_LIST_NONE, now + HOLD_DOWN_NS);

	if (was_known != state_is_known(state) || state == SL_NEIGH_FAILED)
		net->news++;
}

/* Facts for the other cores. What nobody here asked for may not crowd out the rest. */
static void
tell(struct sl_net *net, const struct sl_neighbour *fact)
{
	uint32_t n = net->tell_head - net->tell_tail;

	if (n >= (fact->unasked ? SL_TELL_MAX / 2 : SL_TELL_MAX))
		return;
	net->told[net->tell_head++ % SL_TELL_MAX] = *fact;
}

static void
tell_of(struct sl_net *net, const struct sl_neigh *n, bool reachable)
{
	struct sl_neighbour fact = {
		.addr = n->addr, .port = n->l2.port, .vlan = n->l2.vlan, .reachable = reachable
	};

	memcpy(fact.mac, n->l2.dst, 6);
	tell(net, &fact);
}

bool
sl_net_tell(struct sl_net *net, struct sl_neighbour *fact)
{
	if (net->tell_tail == net->tell_head)
		return false;
	*fact = net->told[net->tell_tail++ % SL_TELL_MAX];
	return true;
}

void
sl_neigh_overheard(struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
		   const uint8_t *mac)
{
	struct sl_neighbour fact = { .addr = *addr,
				     .port = net->port[port].id,
				     .vlan = vlan,
				     .reachable = true,
				     .unasked = true };

	memcpy(fact.mac, mac, 6);
	tell(net, &fact);
}

/* The hash. */

static uint32_t
bucket_of(const struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
	  bool given)
{
	uint64_t last = port | (uint64_t)vlan << 8 | (uint64_t)given << 24;

	return (uint32_t)sl_prf13(&net->key, addr->q, 2, last) & net->bucket_mask;
}

static uint32_t
own_bucket(const struct sl_net *net, const struct sl_neigh *n)
{
	return bucket_of(net, n->port, n->l2.vlan, &n->addr, n->state == SL_NEIGH_GIVEN);
}

uint32_t
sl_neigh_find(const struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
	      bool given)
{
	uint32_t idx = net->bucket[bucket_of(net, port, vlan, addr, given)];

	for (; idx != SL_NO_NEIGH; idx = net->neigh[idx].hash_next) {
		const struct sl_neigh *n = &net->neigh[idx];

		if (n->port == port && n->l2.vlan == vlan && sl_addr_eq(&n->addr, addr) &&
		    (n->state == SL_NEIGH_GIVEN) == given)
			return idx;
	}
	return SL_NO_NEIGH;
}

static void
unhash(struct sl_net *net, uint32_t idx)
{
	uint32_t *link = &net->bucket[own_bucket(net, &net->neigh[idx])];

	while (*link != idx)
		link = &net->neigh[*link].hash_next;
	*link = net->neigh[idx].hash_next;
}

static void
release(struct sl_net *net, uint32_t idx)
{
	struct sl_neigh *n = &net->neigh[idx];

	unhash(net, idx);
	list_remove(net, SL_LIST_IDLE, idx);
	wait_in(net, idx, SL_LIST_NONE, 0);
	*n = (struct sl_neigh){ .state = SL_NEIGH_FREE,
				.list = SL_LIST_NONE,
				.hash_next = net->free };
	net->free = idx;
}

void
sl_neighs_open(struct sl_net *net)
{
	for (int i = 0; i < SL_LISTS; i++)
		net->list[i] = (struct sl_link){ SL_NO_NEIGH, SL_NO_NEIGH };
	for (uint32_t i = 0; i <= net->bucket_mask; i++)
		net->bucket[i] = SL_NO_NEIGH;
	net->free = SL_NO_NEIGH;
	for (uint32_t i = net->n_neighs; i-- > 0;) {
		net->neigh[i].list = SL_LIST_NONE;
		net->neigh[i].hash_next = net->free;
		net->free = i;
	}
}

/* An entry taken, hashed and in @state; without references yet. */
static uint32_t
make(struct sl_net *net, sl_ns_t now, uint8_t port, const struct sl_l2 *l2,
     const struct sl_addr *addr, enum sl_neigh_state state, bool evicts)
{
	uint32_t idx, *bucket;

	if (net->free == SL_NO_NEIGH && evicts && net->list[SL_LIST_IDLE].next != SL_NO_NEIGH)
		release(net, net->list[SL_LIST_IDLE].next);
	idx = net->free;
	if (idx == SL_NO_NEIGH) {
		sl_net_count(net, SL_CNT_neighbour_full);
		return SL_NO_NEIGH;
	}

	struct sl_neigh *n = &net->neigh[idx];

	net->free = n->hash_next;
	n->l2 = *l2;
	n->addr = *addr;
	n->port = port;
	enter(net, now, idx, state);
	list_append(net, SL_LIST_IDLE, idx);
	bucket = &net->bucket[own_bucket(net, n)];
	n->hash_next = *bucket;
	*bucket = idx;
	return idx;
}

uint32_t
sl_neigh_add(struct sl_net *net, sl_ns_t now, uint8_t port, uint16_t vlan,
	     const struct sl_addr *addr, bool evicts)
{
	static const uint8_t nobody[6];
	struct sl_l2 l2 = sl_port_l2(net, port, vlan, nobody);

	return make(net, now, port, &l2, addr, SL_NEIGH_INCOMPLETE, evicts);
}

uint32_t
sl_neigh_give(struct sl_net *net, sl_ns_t now, uint8_t port, const struct sl_l2 *l2)
{
	struct sl_l2 ours = sl_port_l2(net, port, l2->vlan, l2->dst);
	struct sl_addr addr = { .q = { 0, 0 } };
	uint32_t idx;

	memcpy(addr.b, l2->dst, 6);
	idx = sl_neigh_find(net, port, l2->vlan, &addr, true);
	if (idx != SL_NO_NEIGH)
		return idx;
	return make(net, now, port, &ours, &addr, SL_NEIGH_GIVEN, true);
}

/* The first address of a neighbour, or the first after it had failed. */
static void
learn_first(struct sl_net *net, sl_ns_t now, uint32_t idx, const uint8_t *mac, bool solicited)
{
	memcpy(net->neigh[idx].l2.dst, mac, 6);
	sl_net_count(net, SL_CNT_neighbour_learnt);
	enter(net, now, idx, solicited ? SL_NEIGH_REACHABLE : SL_NEIGH_STALE);
}

/* RFC 4861, 7.2.5. True if it was worth telling. */
static bool
take_word(struct sl_net *net, sl_ns_t now, uint32_t idx, const uint8_t *mac, bool solicited,
	  bool overrides)
{
	struct sl_neigh *n = &net->neigh[idx];
	bool same = mac == NULL || memcmp(mac, n->l2.dst, 6) == 0;
	uint8_t before = n->state;

	if (!sl_neigh_is_known(n)) {
		if (mac == NULL)
			return false;
		learn_first(net, now, idx, mac, solicited);
		return true;
	}
	if (!same && !overrides) {
		if (n->state == SL_NEIGH_REACHABLE)
			enter(net, now, idx, SL_NEIGH_STALE);
		return false;
	}
	if (!same)
		memcpy(n->l2.dst, mac, 6);
	if (solicited)
		enter(net, now, idx, SL_NEIGH_REACHABLE);
	else if (!same)
		enter(net, now, idx, SL_NEIGH_STALE);
	return !same || (solicited && before != SL_NEIGH_REACHABLE);
}

void
sl_neigh_heard(struct sl_net *net, sl_ns_t now, uint32_t idx, const uint8_t *mac,
	       bool solicited, bool overrides)
{
	if (take_word(net, now, idx, mac, solicited, overrides))
		tell_of(net, &net->neigh[idx], true);
}

/*
 * A sibling's word: it makes an entry only if the sibling has one, and another MAC address
 * than ours is believed but checked. That it lost a neighbour makes us check ours.
 */
void
sl_net_learn(struct sl_net *net, sl_ns_t now, const struct sl_neighbour *fact)
{
	int port = sl_port_find(net, fact->port);
	uint32_t idx;

	if (port < 0)
		return;
	idx = sl_neigh_find(net, (uint8_t)port, fact->vlan, &fact->addr, false);
	if (idx == SL_NO_NEIGH && fact->reachable && !fact->unasked)
		idx = sl_neigh_add(net, now, (uint8_t)port, fact->vlan, &fact->addr, false);
	if (idx == SL_NO_NEIGH)
		return;

	struct sl_neigh *n = &net->neigh[idx];
	bool same = memcmp(n->l2.dst, fact->mac, 6) == 0;

	if (fact->reachable)
		take_word(net, now, idx, fact->mac, same || !sl_neigh_is_known(n), true);
	else if (n->state == SL_NEIGH_REACHABLE && same)
		enter(net, now, idx, SL_NEIGH_STALE);
}

/* References. */

void
sl_neigh_hold(struct sl_net *net, uint32_t idx)
{
	if (net->neigh[idx].refs++ == 0)
		list_remove(net, SL_LIST_IDLE, idx);
}

void
sl_neigh_drop(struct sl_net *net, uint32_t idx)
{
	assert(net->neigh[idx].refs > 0);
	if (--net->neigh[idx].refs == 0)
		list_append(net, SL_LIST_IDLE, idx);
}

void
sl_neigh_use(struct sl_net *net, sl_ns_t now, uint32_t idx)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (n->state == SL_NEIGH_REACHABLE && now - n->confirmed >= REACHABLE_NS)
		enter(net, now, idx, SL_NEIGH_STALE);
	if (n->state == SL_NEIGH_STALE)
		enter(net, now, idx, SL_NEIGH_DELAY);
	else if (n->state == SL_NEIGH_FAILED && n->due <= now)
		enter(net, now, idx, SL_NEIGH_INCOMPLETE);
}

void
sl_neigh_confirm(struct sl_net *net, sl_ns_t now, uint32_t idx)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (n->state == SL_NEIGH_REACHABLE)
		n->confirmed = now;
	else if (sl_neigh_is_known(n) && n->state != SL_NEIGH_GIVEN)
		enter(net, now, idx, SL_NEIGH_REACHABLE);
}

/* What is due. */

/*
 * Nobody answered. One that was asked directly and is in use gets one more round by
 * broadcast, since it may have another MAC address now.
 */
static void
give_up(struct sl_net *net, sl_ns_t now, uint32_t idx)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (n->state == SL_NEIGH_PROBE && n->refs > 0) {
		enter(net, now, idx, SL_NEIGH_INCOMPLETE);
		return;
	}
	sl_net_count(net, SL_CNT_neighbour_failed);
	tell_of(net, n, false);
	enter(net, now, idx, SL_NEIGH_FAILED);
}

/* Ask for @idx. Without a buffer the question waits as if it had been asked, uncounted. */
static void
ask(struct sl_net *net, sl_ns_t now, uint32_t idx, struct sl_out *out)
{
	struct sl_neigh *n = &net->neigh[idx];
	const struct sl_self *from = sl_self_for(net, n->port, n->l2.vlan, &n->addr);
	const uint8_t *mac = n->state == SL_NEIGH_PROBE ? n->l2.dst : NULL;
	struct rte_mbuf *m;

	if (from == NULL) {
		n->tries = TRIES;
		give_up(net, now, idx);
		return;
	}
	m = sl_net_packet(net);
	if (m != NULL) {
		if (sl_addr_is_v4(&n->addr))
			sl_arp_build_request(net, m, from, &n->addr, mac);
		else
			sl_nd_build_solicit(net, m, from, &n->addr, mac);
		sl_out_put(out, m);
		n->tries++;
	}
	wait_in(net, idx, SL_LIST_WAIT, now + ANSWER_NS);
}

void
sl_neighs_run(struct sl_net *net, sl_ns_t now, struct sl_out *out)
{
	uint32_t idx;

	for (int i = 0; i < SL_RUN_MAX; i++) {
		idx = first_due(net, SL_LIST_DELAY, now);
		if (idx == SL_NO_NEIGH)
			break;
		enter(net, now, idx, net->neigh[idx].refs ? SL_NEIGH_PROBE : SL_NEIGH_STALE);
	}
	for (int i = 0; i < SL_RUN_MAX; i++) {
		idx = first_due(net, SL_LIST_WAIT, now);
		if (idx == SL_NO_NEIGH)
			break;
		if (net->neigh[idx].tries >= TRIES)
			give_up(net, now, idx);
		else
			wait_in(net, idx, SL_LIST_ASK, now);
	}
	for (int i = 0; i < SL_RUN_MAX && sl_out_has_room(out); i++) {
		idx = first_due(net, SL_LIST_ASK, now);
		if (idx == SL_NO_NEIGH)
			break;
		ask(net, now, idx, out);
	}
}

sl_ns_t
sl_neighs_next(const struct sl_net *net)
{
	sl_ns_t next = UINT64_MAX;

	for (int list = SL_LIST_ASK; list <= SL_LIST_DELAY; list++) {
		uint32_t idx = net->list[list].next;

		if (idx != SL_NO_NEIGH)
			next = RTE_MIN(next, net->neigh[idx].due);
	}
	return next;
}

/* Invariants. */

/* The list @list is well linked, holds only those that say so, and is ordered by time. */
static bool
list_holds(const struct sl_net *net, enum sl_neigh_list list, uint32_t *n_seen)
{
	uint32_t before = SL_NO_NEIGH, idx = net->list[list].next;
	sl_ns_t due = 0;

	for (; idx != SL_NO_NEIGH; idx = net->neigh[idx].timed.next) {
		const struct sl_neigh *n = &net->neigh[idx];

		if (++*n_seen > net->n_neighs || n->list != list || n->timed.prev != before ||
		    n->due < due)
			return false;
		before = idx;
		due = n->due;
	}
	return net->list[list].prev == before;
}

static bool
idle_holds(const struct sl_net *net, uint32_t n_idle)
{
	uint32_t before = SL_NO_NEIGH, idx = net->list[SL_LIST_IDLE].next;

	for (; idx != SL_NO_NEIGH; idx = net->neigh[idx].idle.next) {
		const struct sl_neigh *n = &net->neigh[idx];

		if (n_idle-- == 0 || n->refs != 0 || n->state == SL_NEIGH_FREE ||
		    n->idle.prev != before)
			return false;
		before = idx;
	}
	return n_idle == 0 && net->list[SL_LIST_IDLE].prev == before;
}

/* Whether the state of @n is in a list just when it waits for something. */
static bool
state_holds(const struct sl_neigh *n)
{
	bool asks = n->list == SL_LIST_ASK || n->list == SL_LIST_WAIT;

	if (n->state == SL_NEIGH_INCOMPLETE || n->state == SL_NEIGH_PROBE)
		return asks && n->tries <= TRIES;
	if (n->state == SL_NEIGH_DELAY)
		return n->list == SL_LIST_DELAY;
	return n->state < SL_NEIGH_STATES && n->list == SL_LIST_NONE;
}

int
sl_neighs_check(const struct sl_net *net)
{
	uint32_t n_free = 0, n_idle = 0, n_timed = 0, n_waiting = 0;

	for (uint32_t i = 0; i < net->n_neighs; i++) {
		const struct sl_neigh *n = &net->neigh[i];

		n_free += n->state == SL_NEIGH_FREE;
		n_idle += n->state != SL_NEIGH_FREE && n->refs == 0;
		n_waiting += n->list != SL_LIST_NONE;
		if (!state_holds(n))
			return -EBADMSG;
		if (n->state != SL_NEIGH_FREE &&
		    sl_neigh_find(net, n->port, n->l2.vlan, &n->addr,
				  n->state == SL_NEIGH_GIVEN) != i)
			return -EBADMSG;
	}
	for (uint32_t i = net->free; i != SL_NO_NEIGH; i = net->neigh[i].hash_next)
		if (n_free-- == 0 || net->neigh[i].state != SL_NEIGH_FREE)
			return -EBADMSG;
	for (int list = SL_LIST_ASK; list <= SL_LIST_DELAY; list++)
		if (!list_holds(net, list, &n_timed))
			return -EBADMSG;
	return n_free == 0 && n_timed == n_waiting && idle_holds(net, n_idle) ? 0 : -EBADMSG;
}
