/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * self - which addresses mean us.
 *
 * Every packet asks this, so all of it is one small table found by hash: our addresses,
 * the broadcasts of their subnets (nobody's source), and the IPv6 groups we hear. It is
 * filled once, from the configuration; a stranger adds nothing and so needs no keyed hash.
 */
#include <assert.h>
#include <errno.h>

#include <rte_ether.h>

#include "net/net_internal.h"
#include "wire/bytes.h"
#include "wire/glance.h"
#include "wire/proto.h"

#define SELVES_PER_ADDR 5 /* itself, its group, a link-local one, its group, all nodes */
#define LINK_LOCAL_BITS 64
#define V4_BITS         96 /* of an IPv4-mapped address before the IPv4 one */

static const struct sl_addr all_nodes = { .b = { 0xff, 2, [15] = 1 } };

struct sl_addr
sl_addr_mask(uint8_t prefix)
{
	struct sl_addr mask;

	for (int i = 0; i < 16; i++, prefix -= RTE_MIN(prefix, 8))
		mask.b[i] = prefix >= 8 ? 0xff : (uint8_t)(0xff00 >> prefix);
	return mask;
}

bool
sl_addr_agree(const struct sl_addr *a, const struct sl_addr *b, const struct sl_addr *mask)
{
	return (((a->q[0] ^ b->q[0]) & mask->q[0]) | ((a->q[1] ^ b->q[1]) & mask->q[1])) == 0;
}

struct sl_addr
sl_addr_solicited(const struct sl_addr *addr)
{
	struct sl_addr group = { .b = { 0xff, 2, [11] = 1, [12] = 0xff } };

	memcpy(group.b + 13, addr->b + 13, 3);
	return group;
}

bool
sl_addr_is_host(const struct sl_addr *addr)
{
	if (sl_addr_is_v4(addr)) {
		uint32_t v4 = sl_addr_to_v4(addr);

		/* not 0/8, not 127/8, not a group nor what is reserved above them */
		return v4 >> 24 != 0 && v4 >> 24 != 127 && v4 < 0xe0000000u;
	}
	/* not a group; not ::, ::1 or an IPv4-compatible one */
	return addr->b[0] != 0xff && !(addr->q[0] == 0 && addr->w[2] == 0);
}

static uint32_t
home_slot(const struct sl_net *net, const struct sl_addr *addr)
{
	uint64_t h =
		(addr->q[0] ^ (addr->q[1] << 32 | addr->q[1] >> 32)) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(h >> 32) & net->self_mask;
}

struct sl_self *
sl_self_find(const struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *addr,
	     enum sl_self_kind kind)
{
	for (uint32_t i = home_slot(net, addr);; i = (i + 1) & net->self_mask) {
		struct sl_self *self = &net->self[i];

		if (self->kind == SL_SELF_NONE)
			return NULL;
		if (self->kind == kind && self->port == port && self->vlan == vlan &&
		    sl_addr_eq(&self->addr, addr))
			return self;
	}
}

static uint32_t
bit_of(const struct sl_addr *addr)
{
	return sl_addr_is_v4(addr) ? sl_door_bit4(addr->w[3]) : sl_door_bit6(addr);
}

/*
 * Whether @addr stands in the table with a kind from @lowest to @highest. Nearly nobody does,
 * and for a stranger's address it is chance whether its slots are empty: a bit says it first.
 */
static bool
stands(const struct sl_net *net, const struct sl_addr *addr, enum sl_self_kind lowest,
       enum sl_self_kind highest)
{
	uint32_t bit = bit_of(addr);

	if (!(net->self_bits[bit / 32] >> bit % 32 & 1))
		return false;
	for (uint32_t i = home_slot(net, addr);; i = (i + 1) & net->self_mask) {
		const struct sl_self *self = &net->self[i];

		if (self->kind == SL_SELF_NONE)
			return false;
		if (self->kind >= lowest && self->kind <= highest &&
		    sl_addr_eq(&self->addr, addr))
			return true;
	}
}

bool
sl_self_is_any(const struct sl_net *net, const struct sl_addr *addr)
{
	return stands(net, addr, SL_SELF_OURS, SL_SELF_BROADCAST);
}

bool
sl_net_has(const struct sl_net *net, const struct sl_addr *addr)
{
	return stands(net, addr, SL_SELF_OURS, SL_SELF_OURS);
}

const struct sl_self *
sl_self_for(const struct sl_net *net, uint8_t port, uint16_t vlan, const struct sl_addr *target)
{
	const struct sl_self *best = NULL;
	int best_score = -1;

	for (uint32_t i = 0; i <= net->self_mask; i++) {
		const struct sl_self *self = &net->self[i];
		struct sl_addr mask;
		int score;

		if (self->kind != SL_SELF_OURS || self->port != port || self->vlan != vlan ||
		    sl_addr_is_v4(&self->addr) != sl_addr_is_v4(target))
			continue;
		mask = sl_addr_mask(self->prefix);
		score = sl_addr_agree(&self->addr, target, &mask) ? self->prefix : 0;
		if (score > best_score) {
			best = self;
			best_score = score;
		}
	}
	return best;
}

bool
sl_self_is_onlink(const struct sl_net *net, uint8_t port, uint16_t vlan,
		  const struct sl_addr *addr)
{
	const struct sl_self *self = sl_self_for(net, port, vlan, addr);
	struct sl_addr mask;

	if (self == NULL)
		return false;
	mask = sl_addr_mask(self->prefix);
	return sl_addr_agree(&self->addr, addr, &mask);
}

bool
sl_net_is_ours(const struct sl_net *net, uint16_t port, uint16_t vlan,
	       const struct sl_addr *addr)
{
	int idx = sl_port_find(net, port);

	return idx >= 0 && sl_self_find(net, (uint8_t)idx, vlan, addr, SL_SELF_OURS) != NULL;
}

/* Put @self into the table; -EEXIST if it is there. */
static int
add(struct sl_net *net, const struct sl_self *self)
{
	uint32_t i = home_slot(net, &self->addr), bit = bit_of(&self->addr);

	if (sl_self_find(net, self->port, self->vlan, &self->addr, self->kind) != NULL)
		return -EEXIST;
	while (net->self[i].kind != SL_SELF_NONE)
		i = (i + 1) & net->self_mask;
	net->self[i] = *self;
	net->self_bits[bit / 32] |= 1u << bit % 32;
	return 0;
}

/* What else is ours because @self is: a broadcast, or the groups of IPv6. */
static void
add_companions(struct sl_net *net, const struct sl_self *self)
{
	struct sl_self more = { .port = self->port, .vlan = self->vlan };

	if (sl_addr_is_v4(&self->addr)) {
		struct sl_addr mask = sl_addr_mask(self->prefix);

		if (self->prefix > V4_BITS + 30) /* RFC 3021: /31 has no broadcast */
			return;
		more.kind = SL_SELF_BROADCAST;
		more.addr = self->addr;
		more.addr.w[3] |= ~mask.w[3];
		add(net, &more);
		return;
	}
	more.kind = SL_SELF_GROUP;
	more.addr = sl_addr_solicited(&self->addr);
	add(net, &more);
	more.addr = all_nodes;
	add(net, &more);
}

/* The link-local address a MAC address gives (RFC 4291, appendix A). */
static struct sl_addr
link_local(const uint8_t *mac)
{
	return (struct sl_addr){ .b = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1],
					mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] } };
}

/* A VLAN that speaks IPv6 has a link-local address, be it configured or not. */
static void
add_link_local(struct sl_net *net, uint8_t port, uint16_t vlan)
{
	struct sl_self self = { .addr = link_local(net->port[port].mac),
				.port = port,
				.vlan = vlan,
				.kind = SL_SELF_OURS,
				.prefix = LINK_LOCAL_BITS,
				.derived = true };

	if (sl_self_is_onlink(net, port, vlan, &self.addr) || add(net, &self) < 0)
		return;
	add_companions(net, &self);
}

static int
add_configured(struct sl_net *net, uint8_t port, const struct sl_ifaddr *a)
{
	bool v4 = sl_addr_is_v4(&a->addr);
	struct sl_self self = { .addr = a->addr,
				.port = port,
				.vlan = a->vlan,
				.kind = SL_SELF_OURS,
				.prefix = v4 ? a->prefix + V4_BITS : a->prefix };

	if (!sl_addr_is_host(&a->addr) || a->vlan > 4094 || a->prefix > (v4 ? 32 : 128) ||
	    add(net, &self) < 0)
		return -EINVAL;
	add_companions(net, &self);
	return 0;
}

uint32_t
sl_self_slots(const struct sl_net_conf *conf)
{
	uint32_t n = 1, slots = 2;

	for (uint8_t p = 0; p < conf->n_ports; p++)
		n += conf->port[p].n_addrs * SELVES_PER_ADDR;
	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

int
sl_self_open(struct sl_net *net, const struct sl_net_conf *conf)
{
	for (uint8_t p = 0; p < conf->n_ports; p++) {
		const struct sl_port_conf *pc = &conf->port[p];

		for (uint8_t i = 0; i < pc->n_addrs; i++)
			if (add_configured(net, p, &pc->addr[i]) < 0)
				return -EINVAL;
		for (uint8_t i = 0; i < pc->n_addrs; i++)
			if (!sl_addr_is_v4(&pc->addr[i].addr))
				add_link_local(net, p, pc->addr[i].vlan);
	}
	return 0;
}

/*
 * The groups of Ethernet carry only neighbour discovery and what else ICMPv6 sends to
 * groups of IPv6; a TCP segment that came so is not for us, whatever its IP address.
 */
static bool
mac_passes(const struct sl_port *port, const uint8_t *dst, const struct sl_frame *frame,
	   const struct sl_addr *local)
{
	if (!(dst[0] & 1))
		return memcmp(dst, port->mac, 6) == 0;
	return frame->kind == SL_KIND_ICMP6 && local->b[0] == 0xff && dst[0] == 0x33 &&
	       dst[1] == 0x33 && memcmp(dst + 2, local->b + 12, 4) == 0;
}

/*
 * Neighbour discovery alone may come from no address at all, which is how an address is
 * asked for before it is taken, or from one of ours, which is how a conflict shows.
 */
static bool
source_passes(const struct sl_net *net, const struct rte_mbuf *m, const struct sl_frame *frame,
	      const struct sl_tuple *tuple)
{
	const struct sl_addr *a = &tuple->remote;
	bool group_mac = rte_pktmbuf_mtod(m, const uint8_t *)[6] & 1;
	uint8_t type = *rte_pktmbuf_mtod_offset(m, const uint8_t *, frame->l4);

	if (group_mac || (tuple->v6 && sl_addr_is_v4(a)))
		return false;
	if (frame->kind == SL_KIND_ICMP6 && type == SL_ND_SOLICIT && (a->q[0] | a->q[1]) == 0)
		return true;
	if (!sl_addr_is_host(a))
		return false;
	if (frame->kind == SL_KIND_ICMP6 && (type == SL_ND_SOLICIT || type == SL_ND_ADVERT))
		return true;
	return !sl_self_is_any(net, a);
}

static bool
destination_passes(const struct sl_net *net, uint8_t port, const struct sl_frame *frame,
		   const struct sl_tuple *tuple)
{
	const struct sl_addr *a = &tuple->local;

	if (tuple->v6 && sl_addr_is_v4(a))
		return false;
	if (sl_self_find(net, port, frame->vlan, a, SL_SELF_OURS) != NULL)
		return true;
	return frame->kind == SL_KIND_ICMP6 &&
	       sl_self_find(net, port, frame->vlan, a, SL_SELF_GROUP) != NULL;
}

enum sl_fate
sl_net_accept(const struct sl_net *net, const struct rte_mbuf *m, const struct sl_frame *frame,
	      const struct sl_tuple *tuple)
{
	const uint8_t *dst = rte_pktmbuf_mtod(m, const uint8_t *);
	int port = sl_port_find(net, m->port);

	if (port < 0 || !mac_passes(&net->port[port], dst, frame, &tuple->local))
		return SL_FATE_eth_not_ours;
	if (!sl_port_has_vlan(&net->port[port], frame->vlan))
		return SL_FATE_vlan_unknown;
	if (!source_passes(net, m, frame, tuple))
		return SL_FATE_ip_source;
	if (!destination_passes(net, (uint8_t)port, frame, tuple))
		return SL_FATE_ip_not_ours;
	return SL_FATE_NONE;
}

/* Nobody may send from it; it is to be looked at closely. */
static void
forbid(struct sl_door *door, const struct sl_addr *addr)
{
	uint32_t bit = bit_of(addr);

	door->ours[bit / 32] |= 1u << bit % 32;
}

static void
admit(struct sl_door *door, const struct sl_addr *addr)
{
	if (sl_addr_is_v4(addr))
		door->addr4[door->n4++] = addr->w[3];
	else
		door->addr6[door->n6++] = *addr;
	assert(door->n4 <= SL_DOOR_ADDRS && door->n6 <= SL_DOOR_ADDRS);
}

void
sl_net_door(const struct sl_net *net, uint16_t id, struct sl_door *door)
{
	int port = sl_port_find(net, id);

	*door = (struct sl_door){ .port = id };
	if (port < 0 || !sl_port_has_vlan(&net->port[port], 0))
		return;
	memcpy(door->mac, net->port[port].mac, 6);
	for (uint32_t i = 0; i <= net->self_mask; i++) {
		const struct sl_self *self = &net->self[i];

		if (self->kind == SL_SELF_OURS || self->kind == SL_SELF_BROADCAST)
			forbid(door, &self->addr);
		if (self->kind == SL_SELF_OURS && self->port == port && self->vlan == 0)
			admit(door, &self->addr);
	}
}
