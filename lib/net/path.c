/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * path - TCP's view of the network: an index, and what may be asked of it.
 *
 * A path is a reference to the neighbour that is its next hop. All connections through one
 * gateway share it, so what one of them learns serves all.
 */
#include <errno.h>
#include <stddef.h>

#include "net/net_internal.h"

/* Whom to ask for on the way to @remote. */
static const struct sl_addr *
next_addr(const struct sl_hop *hop, const struct sl_addr *remote)
{
	return hop->onlink ? remote : &hop->gateway;
}

/*
 * The neighbour that is the next hop towards @remote by the routes, or SL_NO_NEIGH. Where
 * many come through one gateway it is the one that was found last: nothing is hashed then.
 */
static uint32_t
find_next(const struct sl_net *net, struct sl_hop *hop, const struct sl_addr *remote)
{
	const struct sl_addr *addr = next_addr(hop, remote);

	if (!sl_neigh_is(net, hop->neigh, hop->port, hop->vlan, addr, false))
		hop->neigh = sl_neigh_find(net, hop->port, hop->vlan, addr, false);
	return hop->neigh;
}

/* The same, and a new one if there was none. */
static uint32_t
next_hop(struct sl_net *net, sl_ns_t now, struct sl_hop *hop, const struct sl_addr *remote)
{
	if (find_next(net, hop, remote) == SL_NO_NEIGH)
		hop->neigh = sl_neigh_add(net, now, hop->port, hop->vlan,
					  next_addr(hop, remote), true);
	return hop->neigh;
}

/* What came the same way as we would go tells the next hop's MAC address, if unknown. */
static void
seed(struct sl_net *net, sl_ns_t now, uint32_t idx, const struct sl_l2 *came)
{
	const struct sl_neigh *n = &net->neigh[idx];

	if (came->port == n->l2.port && came->vlan == n->l2.vlan && !sl_neigh_is_known(n))
		sl_neigh_heard(net, now, idx, came->dst, false, true);
}

int
sl_path_open(struct sl_net *net, sl_ns_t now, const struct sl_addr *remote,
	     const struct sl_l2 *came, uint32_t *path)
{
	struct sl_hop *hop = sl_hop_find(net, remote, came);
	int port = hop == NULL && came != NULL ? sl_port_find(net, came->port) : -1;
	uint32_t idx;

	if (hop == NULL && (port < 0 || !sl_addr_is_remote(net, remote))) {
		sl_net_count(net, SL_CNT_no_route);
		return -EHOSTUNREACH;
	}
	idx = hop != NULL ? next_hop(net, now, hop, remote)
			  : sl_neigh_give(net, now, (uint8_t)port, came);
	if (idx == SL_NO_NEIGH)
		return -ENOSPC;
	sl_neigh_hold(net, idx);
	if (came != NULL)
		seed(net, now, idx, came);
	if (net->neigh[idx].state == SL_NEIGH_FAILED)
		sl_neigh_use(net, now, idx);
	*path = idx;
	return 0;
}

int
sl_path_known(struct sl_net *net, const struct sl_addr *remote, uint32_t *path)
{
	struct sl_hop *hop = sl_hop_find(net, remote, NULL);
	uint32_t idx = hop != NULL ? find_next(net, hop, remote) : SL_NO_NEIGH;

	if (idx == SL_NO_NEIGH || !sl_neigh_is_known(&net->neigh[idx]))
		return -ENOENT;
	sl_neigh_hold(net, idx);
	*path = idx;
	return 0;
}

void
sl_path_close(struct sl_net *net, uint32_t path)
{
	sl_neigh_drop(net, path);
}

const struct sl_l2 *
sl_path_l2(struct sl_net *net, sl_ns_t now, uint32_t path)
{
	const struct sl_neigh *n = &net->neigh[path];

	sl_neigh_use(net, now, path);
	return sl_neigh_is_known(n) ? &n->l2 : NULL;
}

bool
sl_path_is_dead(const struct sl_net *net, uint32_t path)
{
	return net->neigh[path].state == SL_NEIGH_FAILED;
}

uint16_t
sl_path_mtu(const struct sl_net *net, uint32_t path)
{
	return net->port[net->neigh[path].port].mtu;
}

uint8_t
sl_path_offloads(const struct sl_net *net, uint32_t path)
{
	return net->port[net->neigh[path].port].offloads;
}

void
sl_path_confirm(struct sl_net *net, sl_ns_t now, uint32_t path)
{
	sl_neigh_confirm(net, now, path);
}
