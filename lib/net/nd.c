/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nd - neighbour discovery of IPv6 (RFC 4861, 4862): solicitations and advertisements.
 *
 * Routes come from the configuration, so router advertisements and redirects are read by
 * nobody. What is malformed by the RFC's rules (7.1.1, 7.1.2) is dropped before anything
 * is learnt from it; hop limit 255 is the proof that it comes from this link.
 */
#include <assert.h>
#include <stddef.h>

#include "net/net_internal.h"
#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/proto.h"

#define ND_HDR    24u /* up to the options: type, code, checksum, flags, target */
#define OPT_LEN   8u  /* of a link-layer address of Ethernet */
#define HOP_LIMIT 255

#define OPT_SOURCE 1
#define OPT_TARGET 2

#define FLAG_SOLICITED 0x40000000u
#define FLAG_OVERRIDE  0x20000000u

static const struct sl_addr all_nodes = { .b = { 0xff, 2, [15] = 1 } };

/* A solicitation or an advertisement, checked. */
struct nd {
	uint32_t flags;
	struct sl_addr target;
	const uint8_t *mac; /* the link-layer address in it that fits its type, or NULL */
};

static bool
is_group(const struct sl_addr *a)
{
	return a->b[0] == 0xff;
}

static bool
is_unspecified(const struct sl_addr *a)
{
	return (a->q[0] | a->q[1]) == 0;
}

static void
group_mac(uint8_t *mac, const struct sl_addr *group)
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->b + 12, 4);
}

/* The message @type about @target with our MAC address as the option @opt, from @src to @dst.
 */
static void
build(struct sl_net *net, struct rte_mbuf *m, const struct sl_l2 *l2, uint8_t type,
      uint32_t flags, const struct sl_addr *target, uint8_t opt, const struct sl_addr *src,
      const struct sl_addr *dst)
{
	struct sl_tuple tuple = { .local = *src, .remote = *dst, .v6 = 1 };
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, ND_HDR + OPT_LEN);
	uint16_t sum;

	assert(p != NULL);
	sl_put32(p, (uint32_t)type << 24);
	sl_put32(p + 4, flags);
	memcpy(p + 8, target, 16);
	p[24] = opt;
	p[25] = OPT_LEN / 8;
	memcpy(p + 26, l2->src, 6);
	sum = sl_cksum_pseudo(src, dst, true, IPPROTO_ICMPV6, ND_HDR + OPT_LEN);
	sl_cksum_put(p + 2, sl_cksum_add(sum, p, ND_HDR + OPT_LEN));
	sl_ip_build(m, l2, &tuple, IPPROTO_ICMPV6, HOP_LIMIT, 0);
	sl_net_count(net, SL_CNT_nd_out);
}

void
sl_nd_build_solicit(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *from,
		    const struct sl_addr *target, const uint8_t *mac)
{
	struct sl_addr dst = mac != NULL ? *target : sl_addr_solicited(target);
	uint8_t group[6];
	struct sl_l2 l2;

	group_mac(group, &dst);
	l2 = sl_port_l2(net, from->port, from->vlan, mac != NULL ? mac : group);
	build(net, m, &l2, SL_ND_SOLICIT, 0, target, OPT_SOURCE, &from->addr, &dst);
}

void
sl_nd_build_unasked(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *self)
{
	uint8_t group[6];
	struct sl_l2 l2;

	group_mac(group, &all_nodes);
	l2 = sl_port_l2(net, self->port, self->vlan, group);
	build(net, m, &l2, SL_ND_ADVERT, FLAG_OVERRIDE, &self->addr, OPT_TARGET, &self->addr,
	      &all_nodes);
}

/* The options @opt[0..@len): well formed, and the MAC address in the one called @wanted. */
static bool
parse_options(const uint8_t *opt, uint32_t len, uint8_t wanted, const uint8_t **mac)
{
	*mac = NULL;
	while (len > 0) {
		uint32_t here;

		if (len < 8 || opt[1] == 0)
			return false;
		here = opt[1] * 8u;
		if (here > len)
			return false;
		if (opt[0] == wanted && here == OPT_LEN)
			*mac = opt + 2;
		opt += here;
		len -= here;
	}
	return *mac == NULL || !((*mac)[0] & 1);
}

/* The checks common to both messages; the whole of it must lie in the first segment. */
static bool
parse(const struct sl_net_rx *rx, struct nd *nd, uint8_t wanted)
{
	const struct sl_frame *frame = rx->frame;
	const uint8_t *p = rte_pktmbuf_mtod_offset(*rx->m, const uint8_t *, frame->l4);

	if (frame->ttl != HOP_LIMIT || p[1] != 0 || frame->l4_len < ND_HDR ||
	    frame->l4 + frame->l4_len > (*rx->m)->data_len)
		return false;
	nd->flags = sl_get32(p + 4);
	memcpy(&nd->target, p + 8, 16);
	return !is_group(&nd->target) &&
	       parse_options(p + ND_HDR, frame->l4_len - ND_HDR, wanted, &nd->mac);
}

/*
 * Answer the one who asks, by the way his question came. He who has no address yet, and
 * asks whether ours is free (RFC 4862), is answered through the group of all nodes.
 */
static enum sl_fate
answer(const struct sl_net_rx *rx, const struct nd *nd)
{
	const struct sl_addr target = nd->target;
	struct sl_addr dst = rx->tuple->remote;
	uint32_t flags = FLAG_SOLICITED | FLAG_OVERRIDE;
	struct rte_mbuf *m;
	struct sl_l2 l2;

	sl_l2_reply(*rx->m, rx->frame, &l2);
	memcpy(l2.src, rx->net->port[rx->port].mac, 6);
	if (nd->mac != NULL)
		memcpy(l2.dst, nd->mac, 6);
	if (is_unspecified(&dst)) {
		flags = FLAG_OVERRIDE;
		dst = all_nodes;
		group_mac(l2.dst, &all_nodes);
	}
	m = sl_net_answer(rx);
	if (m == NULL)
		return SL_FATE_no_buffer;
	build(rx->net, m, &l2, SL_ND_ADVERT, flags, &target, OPT_TARGET, &target, &dst);
	sl_out_put(rx->out, m);
	return SL_FATE_nd_in;
}

/* What a solicitation says of its sender (RFC 4861, 7.2.3). */
static void
learn_asker(const struct sl_net_rx *rx, const struct nd *nd)
{
	const struct sl_addr *asker = &rx->tuple->remote;
	struct sl_net *net = rx->net;
	uint16_t vlan = rx->frame->vlan;
	uint32_t idx;

	if (nd->mac == NULL || is_unspecified(asker))
		return;
	idx = sl_neigh_find(net, rx->port, vlan, asker, false);
	if (idx == SL_NO_NEIGH && sl_self_is_onlink(net, rx->port, vlan, asker))
		idx = sl_neigh_add(net, rx->now, rx->port, vlan, asker, false);
	if (idx != SL_NO_NEIGH)
		sl_neigh_heard(net, rx->now, idx, nd->mac, false, true);
}

static bool
came_from_us(const struct sl_net_rx *rx)
{
	const uint8_t *eth = rte_pktmbuf_mtod(*rx->m, const uint8_t *);

	return memcmp(eth + 6, rx->net->port[rx->port].mac, 6) == 0;
}

static enum sl_fate
take_solicit(const struct sl_net_rx *rx)
{
	const struct sl_tuple *tuple = rx->tuple;
	bool nobody = is_unspecified(&tuple->remote);
	struct sl_self *claimed;
	struct sl_addr group;
	struct nd nd;

	if (!parse(rx, &nd, OPT_SOURCE))
		return SL_FATE_nd_bad;
	group = sl_addr_solicited(&nd.target);
	if (nobody && (nd.mac != NULL || !sl_addr_eq(&tuple->local, &group)))
		return SL_FATE_nd_bad;
	if (came_from_us(rx))
		return SL_FATE_nd_ignored;
	claimed =
		sl_self_find(rx->net, rx->port, rx->frame->vlan, &tuple->remote, SL_SELF_OURS);
	if (claimed != NULL) {
		sl_announce_conflict(rx->net, rx->now, claimed);
		return SL_FATE_nd_in;
	}
	if (sl_self_find(rx->net, rx->port, rx->frame->vlan, &nd.target, SL_SELF_OURS) == NULL)
		return SL_FATE_nd_ignored;
	learn_asker(rx, &nd);
	return answer(rx, &nd);
}

static enum sl_fate
take_advert(const struct sl_net_rx *rx)
{
	struct sl_net *net = rx->net;
	uint16_t vlan = rx->frame->vlan;
	struct sl_self *claimed;
	bool solicited;
	uint32_t idx;
	struct nd nd;

	if (!parse(rx, &nd, OPT_TARGET))
		return SL_FATE_nd_bad;
	solicited = nd.flags & FLAG_SOLICITED;
	if (solicited && is_group(&rx->tuple->local))
		return SL_FATE_nd_bad;
	if (came_from_us(rx))
		return SL_FATE_nd_ignored;
	claimed = sl_self_find(net, rx->port, vlan, &nd.target, SL_SELF_OURS);
	if (claimed != NULL) {
		sl_announce_conflict(net, rx->now, claimed);
		return SL_FATE_nd_in;
	}
	idx = sl_neigh_find(net, rx->port, vlan, &nd.target, false);
	if (idx != SL_NO_NEIGH) {
		sl_neigh_heard(net, rx->now, idx, nd.mac, solicited, nd.flags & FLAG_OVERRIDE);
		return SL_FATE_nd_in;
	}
	if (solicited && nd.mac != NULL)
		sl_neigh_overheard(net, rx->port, vlan, &nd.target, nd.mac);
	return SL_FATE_nd_ignored;
}

/* The checksum was verified by sl_icmp_input(). */
enum sl_fate
sl_nd_input(const struct sl_net_rx *rx)
{
	switch (*rte_pktmbuf_mtod_offset(*rx->m, const uint8_t *, rx->frame->l4)) {
	case SL_ND_SOLICIT:
		return take_solicit(rx);
	case SL_ND_ADVERT:
		return take_advert(rx);
	default:
		return SL_FATE_nd_ignored;
	}
}
