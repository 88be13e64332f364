/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * resolve - how we come to believe that a neighbour has a MAC address (RFC 4861, 7.3; ARP's
 * cache is the same machine with other packets).
 *
 * The states are those of the RFC, with two more for what has failed and what needs no
 * asking. That a reachable neighbour was not heard of for long is noticed when it is used,
 * so that TCP's progress confirms it with one store.
 */
#include <stddef.h>

#include <rte_branch_prediction.h>

#include "net/net_internal.h"

#define REACHABLE_NS   (30 * SL_NS_PER_S) /* RFC 4861, 10 */
#define ANSWER_NS      (1 * SL_NS_PER_S)
#define DELAY_NS       (5 * SL_NS_PER_S)
#define HOLD_DOWN_NS   (3 * SL_NS_PER_S) /* a failed one is left alone */
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
		sl_neigh_wait(net, idx, SL_LIST_ASK, now);
	else if (state == SL_NEIGH_DELAY)
		sl_neigh_wait(net, idx, SL_LIST_DELAY,
			      now + (net->speaks ? 1 : SIBLING_DELAYS) * DELAY_NS);
	else
		sl_neigh_wait(net, idx, SL_LIST_NONE, now + HOLD_DOWN_NS);

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
		.addr = n->addr,
		.port = n->l2.port,
		.vlan = n->l2.vlan,
		.reachable = reachable,
		.solicited = n->state == SL_NEIGH_REACHABLE,
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
				     .solicited = true,
				     .unasked = true };

	memcpy(fact.mac, mac, 6);
	tell(net, &fact);
}

uint32_t
sl_neigh_add(struct sl_net *net, sl_ns_t now, uint8_t port, uint16_t vlan,
	     const struct sl_addr *addr, bool evicts)
{
	static const uint8_t nobody[6];
	struct sl_l2 l2 = sl_port_l2(net, port, vlan, nobody);
	uint32_t idx = sl_neigh_make(net, port, &l2, addr, false, evicts);

	if (idx != SL_NO_NEIGH)
		enter(net, now, idx, SL_NEIGH_INCOMPLETE);
	return idx;
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
	idx = sl_neigh_make(net, port, &ours, &addr, true, true);
	if (idx != SL_NO_NEIGH)
		enter(net, now, idx, SL_NEIGH_GIVEN);
	return idx;
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
 * than ours is believed but checked, as is one that the sibling only heard of. That it lost a
 * neighbour makes us check ours.
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
	bool agrees = same || !sl_neigh_is_known(n);

	if (fact->reachable)
		take_word(net, now, idx, fact->mac, fact->solicited && agrees, true);
	else if (n->state == SL_NEIGH_REACHABLE && same)
		enter(net, now, idx, SL_NEIGH_STALE);
}

void
sl_neigh_use(struct sl_net *net, sl_ns_t now, uint32_t idx)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (likely(n->state == SL_NEIGH_REACHABLE)) {
		if (likely(now - n->confirmed < REACHABLE_NS))
			return;
		enter(net, now, idx, SL_NEIGH_STALE);
	}
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
		n->tries = SL_NEIGH_TRIES;
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
	sl_neigh_wait(net, idx, SL_LIST_WAIT, now + ANSWER_NS);
}

void
sl_neighs_run(struct sl_net *net, sl_ns_t now, struct sl_out *out)
{
	uint32_t idx;

	for (int i = 0; i < SL_RUN_MAX; i++) {
		idx = sl_neigh_due(net, SL_LIST_DELAY, now);
		if (idx == SL_NO_NEIGH)
			break;
		enter(net, now, idx, net->neigh[idx].refs ? SL_NEIGH_PROBE : SL_NEIGH_STALE);
	}
	for (int i = 0; i < SL_RUN_MAX; i++) {
		idx = sl_neigh_due(net, SL_LIST_WAIT, now);
		if (idx == SL_NO_NEIGH)
			break;
		if (net->neigh[idx].tries >= SL_NEIGH_TRIES)
			give_up(net, now, idx);
		else
			sl_neigh_wait(net, idx, SL_LIST_ASK, now);
	}
	for (int i = 0; i < SL_RUN_MAX && sl_out_has_room(out); i++) {
		idx = sl_neigh_due(net, SL_LIST_ASK, now);
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
