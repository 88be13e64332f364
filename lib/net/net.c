/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net - opening, the door for packets, and the work that is due.
 */
#include "net/net.h"

#include <errno.h>
#include <stddef.h>

#include "net/net_internal.h"

#define MTU_MIN    576
#define MTU_MIN_V6 1280

int
sl_port_find(const struct sl_net *net, uint16_t id)
{
	for (int i = 0; i < net->n_ports; i++)
		if (net->port[i].id == id)
			return i;
	return -1;
}

bool
sl_port_has_vlan(const struct sl_port *port, uint16_t vlan)
{
	return port->vlans[vlan / 64] >> vlan % 64 & 1;
}

struct sl_l2
sl_port_l2(const struct sl_net *net, uint8_t port, uint16_t vlan, const uint8_t *dst)
{
	struct sl_l2 l2 = { .vlan = vlan, .port = net->port[port].id };

	memcpy(l2.dst, dst, 6);
	memcpy(l2.src, net->port[port].mac, 6);
	return l2;
}

struct rte_mbuf *
sl_net_packet(struct sl_net *net)
{
	struct rte_mbuf *m;

	if (net->bufs->get(net->bufs->ctx, SL_POOL_TX, &m, 1) == 0)
		return m;
	sl_net_count(net, SL_CNT_no_buffer);
	return NULL;
}

struct rte_mbuf *
sl_net_answer(const struct sl_net_rx *rx)
{
	struct rte_mbuf *m = *rx->m;

	if (!sl_out_has_room(rx->out))
		return NULL;
	if (!sl_reuse(m))
		return sl_net_packet(rx->net);
	*rx->m = NULL;
	return m;
}

/* Memory: what each array takes, for opening and for the budget alike. */

struct sizes {
	uint32_t selves, hops, neighs, buckets;
};

static struct sizes
sizes_of(const struct sl_net_conf *conf)
{
	struct sizes s = { .selves = sl_self_slots(conf),
			   .hops = sl_hops_max(conf),
			   .neighs = conf->neighbours,
			   .buckets = 1 };

	while (s.buckets < s.neighs)
		s.buckets *= 2;
	return s;
}

size_t
sl_net_bytes(const struct sl_net_conf *conf)
{
	struct sizes s = sizes_of(conf);

	return sizeof(struct sl_net) + conf->n_ports * sizeof(struct sl_port) +
	       s.selves * sizeof(struct sl_self) + s.hops * sizeof(struct sl_hop) +
	       s.neighs * sizeof(struct sl_neigh) + s.buckets * sizeof(uint32_t);
}

static struct sl_net *
take_memory(struct sl_mem *mem, const struct sl_net_conf *conf)
{
	struct sizes s = sizes_of(conf);
	struct sl_net *net = sl_mem_take(mem, sizeof(*net), SL_CACHE_LINE);

	if (net == NULL)
		return NULL;
	net->port = sl_mem_take(mem, conf->n_ports * sizeof(*net->port), SL_CACHE_LINE);
	net->self = sl_mem_take(mem, s.selves * sizeof(*net->self), SL_CACHE_LINE);
	net->hop = sl_mem_take(mem, s.hops * sizeof(*net->hop), SL_CACHE_LINE);
	net->neigh = sl_mem_take(mem, s.neighs * sizeof(*net->neigh), SL_CACHE_LINE);
	net->bucket = sl_mem_take(mem, s.buckets * sizeof(*net->bucket), SL_CACHE_LINE);
	if (net->port == NULL || net->self == NULL || net->hop == NULL || net->neigh == NULL ||
	    net->bucket == NULL)
		return NULL;
	net->self_mask = s.selves - 1;
	net->n_neighs = s.neighs;
	net->bucket_mask = s.buckets - 1;
	return net;
}

static void
add_vlan(struct sl_port *port, uint16_t vlan)
{
	port->vlans[vlan / 64 % 64] |= 1ull << vlan % 64;
}

/* Also a port without addresses hears untagged frames, so that they are called by their fate.
 */
static int
open_port(struct sl_net *net, const struct sl_port_conf *pc)
{
	struct sl_port *port = &net->port[net->n_ports];
	bool v6 = false;

	if (pc->n_addrs > SL_PORT_ADDR_MAX || pc->n_routes > SL_PORT_ROUTES_MAX ||
	    (pc->mac[0] & 1) || sl_port_find(net, pc->port) >= 0)
		return -EINVAL;
	port->id = pc->port;
	port->mtu = pc->mtu;
	port->offloads = pc->offloads;
	memcpy(port->mac, pc->mac, 6);
	if (pc->n_addrs == 0)
		add_vlan(port, 0);
	for (uint8_t i = 0; i < pc->n_addrs; i++) {
		add_vlan(port, pc->addr[i].vlan);
		v6 |= !sl_addr_is_v4(&pc->addr[i].addr);
	}
	net->n_ports++;
	return pc->mtu < (v6 ? MTU_MIN_V6 : MTU_MIN) ? -EINVAL : 0;
}

int
sl_net_open(struct sl_net **out, struct sl_mem *mem, const struct sl_net_conf *conf,
	    const struct sl_bufs *bufs, struct sl_stats *stats, sl_ns_t now)
{
	struct sl_net *net;

	if (conf->n_ports == 0 || conf->n_ports > SL_PORTS_MAX || conf->neighbours == 0 ||
	    conf->neighbours >= SL_NO_PATH)
		return -EINVAL;
	net = take_memory(mem, conf);
	if (net == NULL)
		return -ENOMEM;
	net->bufs = bufs;
	net->stats = stats;
	net->key = conf->key;
	net->speaks = conf->speaks;
	for (uint8_t p = 0; p < conf->n_ports; p++)
		if (open_port(net, &conf->port[p]) < 0)
			return -EINVAL;
	if (sl_self_open(net, conf) < 0 || sl_hops_open(net, conf) < 0)
		return -EINVAL;
	sl_neighs_open(net);
	if (net->speaks)
		for (uint32_t i = 0; i <= net->self_mask; i++)
			if (net->self[i].kind == SL_SELF_OURS)
				sl_announce(net, now, &net->self[i]);
	*out = net;
	return 0;
}

enum sl_fate
sl_net_input(struct sl_net *net, sl_ns_t now, struct rte_mbuf **m, const struct sl_frame *frame,
	     const struct sl_tuple *tuple, struct sl_out *out, struct sl_icmp_error *error)
{
	int port = sl_port_find(net, (*m)->port);
	struct sl_net_rx rx = { .net = net,
				.now = now,
				.m = m,
				.frame = frame,
				.tuple = tuple,
				.out = out,
				.error = error,
				.port = (uint8_t)port };

	if (port < 0)
		return SL_FATE_eth_not_ours;
	return frame->kind == SL_KIND_ARP ? sl_arp_input(&rx) : sl_icmp_input(&rx);
}

void
sl_net_run(struct sl_net *net, sl_ns_t now, struct sl_out *out)
{
	sl_announce_run(net, now, out);
	sl_neighs_run(net, now, out);
}

sl_ns_t
sl_net_next(const struct sl_net *net)
{
	sl_ns_t next = sl_neighs_next(net);

	return net->n_announce > 0 ? RTE_MIN(next, net->announce_at) : next;
}

uint32_t
sl_net_news(const struct sl_net *net)
{
	return net->news;
}

int
sl_net_check(const struct sl_net *net)
{
	uint32_t n_announce = 0;

	for (uint32_t i = 0; i <= net->self_mask; i++)
		n_announce += net->self[i].announce;
	if (n_announce != net->n_announce || net->tell_head - net->tell_tail > SL_TELL_MAX)
		return -EBADMSG;
	return sl_neighs_check(net);
}
