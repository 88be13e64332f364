/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * route - where a destination lies: on a link of ours, or behind a gateway.
 *
 * Subnets and configured routes make one array, longest prefix first, so that the first
 * that agrees is the answer. It is short (a port has a few of each) and asked once for
 * each connection, not for each packet.
 */
#include <errno.h>

#include "net/net_internal.h"

#define V4_BITS 96

static uint8_t
bits_of(const struct sl_addr *family, uint8_t prefix)
{
	return sl_addr_is_v4(family) ? prefix + V4_BITS : prefix;
}

uint32_t
sl_hops_max(const struct sl_net_conf *conf)
{
	uint32_t n = 1;

	for (uint8_t p = 0; p < conf->n_ports; p++)
		n += 2 * conf->port[p].n_addrs + conf->port[p].n_routes;
	return n;
}

/* Keep the order: longest prefix first, a link of ours before a gateway, else as they came. */
static void
insert(struct sl_net *net, struct sl_hop hop)
{
	uint32_t i = net->n_hops++;

	hop.mask = sl_addr_mask(hop.prefix);
	hop.neigh = SL_NO_NEIGH;
	for (; i > 0; i--) {
		const struct sl_hop *before = &net->hop[i - 1];

		if (before->prefix > hop.prefix ||
		    (before->prefix == hop.prefix && (before->onlink || !hop.onlink)))
			break;
		net->hop[i] = *before;
	}
	net->hop[i] = hop;
}

static void
insert_link(struct sl_net *net, const struct sl_self *self)
{
	insert(net, (struct sl_hop){ .net = self->addr,
				     .prefix = self->prefix,
				     .onlink = true,
				     .port = self->port,
				     .vlan = self->vlan,
				     .source = self });
}

/* No gateway, written as an address of zeros of either family, means the link itself. */
static bool
is_nothing(const struct sl_addr *a)
{
	return a->q[0] == 0 && (a->q[1] == 0 || (sl_addr_is_v4(a) && a->w[3] == 0));
}

/*
 * The address to speak from through @hop: one that shares a subnet with the gateway, else
 * the first configured; a link-local one, which nobody behind a gateway could answer, last.
 */
static const struct sl_self *
source_of(const struct sl_net *net, const struct sl_port_conf *pc, const struct sl_hop *hop)
{
	const struct sl_addr *near = hop->onlink ? &hop->net : &hop->gateway;
	const struct sl_self *best = NULL;
	int best_score = 0;

	for (uint8_t i = 0; i < pc->n_addrs; i++) {
		const struct sl_ifaddr *a = &pc->addr[i];
		struct sl_addr mask = sl_addr_mask(bits_of(&a->addr, a->prefix));
		bool local = a->addr.b[0] == 0xfe && (a->addr.b[1] & 0xc0) == 0x80;
		int score = local ? 1 : sl_addr_agree(&a->addr, near, &mask) ? 3 : 2;

		if (a->vlan != hop->vlan ||
		    sl_addr_is_v4(&a->addr) != sl_addr_is_v4(&hop->net) || score <= best_score)
			continue;
		best = sl_self_find(net, hop->port, a->vlan, &a->addr, SL_SELF_OURS);
		best_score = score;
	}
	return best;
}

static int
insert_route(struct sl_net *net, uint8_t port, const struct sl_port_conf *pc,
	     const struct sl_route *route)
{
	bool v4 = sl_addr_is_v4(&route->net);
	struct sl_hop hop = { .net = route->net,
			      .gateway = route->gateway,
			      .prefix = bits_of(&route->net, route->prefix),
			      .onlink = is_nothing(&route->gateway),
			      .port = port,
			      .vlan = route->vlan };

	if (route->prefix > (v4 ? 32 : 128) || route->vlan > 4094)
		return -EINVAL;
	if (!hop.onlink &&
	    (sl_addr_is_v4(&hop.gateway) != v4 || !sl_addr_is_host(&hop.gateway) ||
	     sl_self_is_any(net, &hop.gateway)))
		return -EINVAL;
	hop.source = source_of(net, pc, &hop);
	if (hop.source == NULL)
		return -EINVAL;
	insert(net, hop);
	return 0;
}

/* Links in the order of the configuration, which the table of self.c does not keep. */
int
sl_hops_open(struct sl_net *net, const struct sl_net_conf *conf)
{
	for (uint8_t p = 0; p < conf->n_ports; p++) {
		const struct sl_port_conf *pc = &conf->port[p];

		for (uint8_t i = 0; i < pc->n_addrs; i++)
			insert_link(net, sl_self_find(net, p, pc->addr[i].vlan,
						      &pc->addr[i].addr, SL_SELF_OURS));
		for (uint8_t i = 0; i < pc->n_routes; i++)
			if (insert_route(net, p, pc, &pc->route[i]) < 0)
				return -EINVAL;
	}
	for (uint32_t i = 0; i <= net->self_mask; i++) {
		const struct sl_self *self = &net->self[i];

		if (self->kind == SL_SELF_OURS && self->derived)
			insert_link(net, self);
	}
	return 0;
}

bool
sl_addr_is_remote(const struct sl_net *net, const struct sl_addr *remote)
{
	return sl_addr_is_host(remote) && !sl_self_is_any(net, remote);
}

static bool
goes_back(const struct sl_net *net, const struct sl_hop *hop, const struct sl_l2 *came)
{
	return came == NULL ||
	       (net->port[hop->port].id == came->port && hop->vlan == came->vlan);
}

/* Link-local prefixes are the same in every port: there only @came knows which is meant. */
struct sl_hop *
sl_hop_find(const struct sl_net *net, const struct sl_addr *remote, const struct sl_l2 *came)
{
	bool v4 = sl_addr_is_v4(remote);
	struct sl_hop *best = NULL;

	if (!sl_addr_is_remote(net, remote))
		return NULL;
	for (uint32_t i = 0; i < net->n_hops; i++) {
		struct sl_hop *hop = &net->hop[i];

		if (best != NULL && hop->prefix < best->prefix)
			break;
		if (sl_addr_is_v4(&hop->net) != v4 ||
		    !sl_addr_agree(&hop->net, remote, &hop->mask))
			continue;
		if (goes_back(net, hop, came))
			return hop;
		if (best == NULL)
			best = hop;
	}
	return best;
}

int
sl_net_source(const struct sl_net *net, const struct sl_addr *remote, struct sl_addr *local)
{
	const struct sl_hop *hop = sl_hop_find(net, remote, NULL);

	if (hop == NULL)
		return -EHOSTUNREACH;
	*local = hop->source->addr;
	return 0;
}
