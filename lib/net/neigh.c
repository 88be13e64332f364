/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * neigh - the table of neighbours: bounded, found by keyed hash, listed by what they wait for.
 *
 * Strangers may fill it only with neighbours nobody uses; those are the first to go when
 * one is needed that somebody does use. All in one timed list wait equally long, so timers
 * cost nothing but a look at its first.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "net/net_internal.h"

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

void
sl_neigh_wait(struct sl_net *net, uint32_t idx, enum sl_neigh_list list, sl_ns_t due)
{
	struct sl_neigh *n = &net->neigh[idx];

	if (n->list != SL_LIST_NONE)
		list_remove(net, n->list, idx);
	n->list = list;
	n->due = due;
	if (list != SL_LIST_NONE)
		list_append(net, list, idx);
}

uint32_t
sl_neigh_due(const struct sl_net *net, enum sl_neigh_list list, sl_ns_t now)
{
	uint32_t idx = net->list[list].next;

	return idx != SL_NO_NEIGH && net->neigh[idx].due <= now ? idx : SL_NO_NEIGH;
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

static bool
answers_to(const struct sl_neigh *n, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
	   bool given)
{
	return n->port == port && n->l2.vlan == vlan && sl_addr_eq(&n->addr, addr) &&
	       (n->state == SL_NEIGH_GIVEN) == given;
}

uint32_t
sl_neigh_find(const struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
	      bool given)
{
	uint32_t idx = net->bucket[bucket_of(net, port, vlan, addr, given)];

	for (; idx != SL_NO_NEIGH; idx = net->neigh[idx].hash_next) {
		if (answers_to(&net->neigh[idx], port, vlan, addr, given))
			return idx;
	}
	return SL_NO_NEIGH;
}

bool
sl_neigh_is(const struct sl_net *net, uint32_t idx, uint8_t port, uint16_t vlan,
	    const struct sl_addr *addr, bool given)
{
	const struct sl_neigh *n;

	if (idx >= net->n_neighs)
		return false;
	n = &net->neigh[idx];
	return n->state != SL_NEIGH_FREE && answers_to(n, port, vlan, addr, given);
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
	sl_neigh_wait(net, idx, SL_LIST_NONE, 0);
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

uint32_t
sl_neigh_make(struct sl_net *net, uint8_t port, const struct sl_l2 *l2,
	      const struct sl_addr *addr, bool given, bool evicts)
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
	list_append(net, SL_LIST_IDLE, idx);
	bucket = &net->bucket[bucket_of(net, port, l2->vlan, addr, given)];
	n->hash_next = *bucket;
	*bucket = idx;
	return idx;
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
		return asks && n->tries <= SL_NEIGH_TRIES;
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
