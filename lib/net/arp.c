/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arp - RFC 826 with the conflicts of RFC 5227.
 *
 * Whoever speaks ARP updates what is known of him; new entries are made only for one who
 * asks for us, since he is about to talk to us. An answer nobody asked for makes none.
 */
#include <assert.h>
#include <stddef.h>

#include "net/net_internal.h"
#include "wire/bytes.h"
#include "wire/proto.h"

#define OP_REQUEST 1
#define OP_REPLY   2

#define ETHERNET_IPV4 0x00010800u /* hardware and protocol type */
#define LENGTHS       0x0604      /* of their addresses */

static const uint8_t nobody[6];
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

struct arp {
	uint16_t op;
	uint8_t sender_mac[6];
	struct sl_addr sender, target;
};

static void
build(struct sl_net *net, struct rte_mbuf *m, const struct sl_l2 *l2, uint16_t op,
      const struct sl_addr *sender, const uint8_t *target_mac, const struct sl_addr *target)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, SL_ARP_LEN);

	assert(p != NULL);
	sl_put32(p, ETHERNET_IPV4);
	sl_put16(p + 4, LENGTHS);
	sl_put16(p + 6, op);
	memcpy(p + 8, l2->src, 6);
	memcpy(p + 14, &sender->w[3], 4);
	memcpy(p + 18, target_mac, 6);
	memcpy(p + 24, &target->w[3], 4);
	sl_ether_build(m, l2, RTE_ETHER_TYPE_ARP);
	sl_net_count(net, SL_CNT_arp_out);
}

/* To everybody, or to @mac if not NULL. Asking for one's own address announces it. */
void
sl_arp_build_request(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *from,
		     const struct sl_addr *target, const uint8_t *mac)
{
	struct sl_l2 l2 =
		sl_port_l2(net, from->port, from->vlan, mac != NULL ? mac : broadcast);

	build(net, m, &l2, OP_REQUEST, &from->addr, nobody, target);
}

static bool
parse(const struct rte_mbuf *m, uint16_t off, struct arp *arp)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);

	if (off + SL_ARP_LEN > m->data_len || sl_get32(p) != ETHERNET_IPV4 ||
	    sl_get16(p + 4) != LENGTHS)
		return false;
	arp->op = sl_get16(p + 6);
	memcpy(arp->sender_mac, p + 8, 6);
	arp->sender = sl_addr_v4(sl_get32(p + 14));
	arp->target = sl_addr_v4(sl_get32(p + 24));
	return !(arp->sender_mac[0] & 1) && memcmp(arp->sender_mac, nobody, 6) != 0;
}

static enum sl_fate
answer(const struct sl_net_rx *rx, const struct arp *arp)
{
	struct sl_l2 l2 = sl_port_l2(rx->net, rx->port, rx->frame->vlan, arp->sender_mac);
	struct rte_mbuf *m = sl_net_answer(rx);

	if (m == NULL)
		return SL_FATE_no_buffer;
	build(rx->net, m, &l2, OP_REPLY, &arp->target, arp->sender_mac, &arp->sender);
	sl_out_put(rx->out, m);
	return SL_FATE_arp_in;
}

/* The sender's own addresses, which every ARP packet carries. Returns his entry, if any. */
static uint32_t
merge_sender(const struct sl_net_rx *rx, const struct arp *arp, bool for_us, bool direct)
{
	struct sl_net *net = rx->net;
	uint16_t vlan = rx->frame->vlan;
	bool reply = arp->op == OP_REPLY;
	uint32_t idx = sl_neigh_find(net, rx->port, vlan, &arp->sender, false);

	if (idx == SL_NO_NEIGH && for_us && !reply &&
	    sl_self_is_onlink(net, rx->port, vlan, &arp->sender))
		idx = sl_neigh_add(net, rx->now, rx->port, vlan, &arp->sender, false);
	if (idx != SL_NO_NEIGH)
		sl_neigh_heard(net, rx->now, idx, arp->sender_mac, reply && direct, true);
	else if (reply && direct && for_us)
		sl_neigh_overheard(net, rx->port, vlan, &arp->sender, arp->sender_mac);
	return idx;
}

enum sl_fate
sl_arp_input(const struct sl_net_rx *rx)
{
	const struct sl_port *port = &rx->net->port[rx->port];
	const uint8_t *dst = rte_pktmbuf_mtod(*rx->m, const uint8_t *);
	bool direct = memcmp(dst, port->mac, 6) == 0;
	bool for_us, probe;
	struct sl_self *claimed;
	struct arp arp;
	uint32_t idx = SL_NO_NEIGH;

	if (!direct && memcmp(dst, broadcast, 6) != 0)
		return SL_FATE_eth_not_ours;
	if (!sl_port_has_vlan(port, rx->frame->vlan))
		return SL_FATE_vlan_unknown;
	if (!parse(*rx->m, rx->frame->l3, &arp))
		return SL_FATE_arp_bad;
	if (memcmp(arp.sender_mac, port->mac, 6) == 0)
		return SL_FATE_arp_ignored; /* our own, come back */

	claimed = sl_self_find(rx->net, rx->port, rx->frame->vlan, &arp.sender, SL_SELF_OURS);
	if (claimed != NULL) {
		sl_announce_conflict(rx->net, rx->now, claimed);
		return SL_FATE_arp_in;
	}
	probe = sl_addr_to_v4(&arp.sender) == 0; /* RFC 5227: asks before taking an address */
	if (arp.op != OP_REQUEST && arp.op != OP_REPLY)
		return SL_FATE_arp_ignored;
	if (!probe && (!sl_addr_is_host(&arp.sender) || sl_self_is_any(rx->net, &arp.sender)))
		return SL_FATE_arp_bad;

	for_us = sl_self_find(rx->net, rx->port, rx->frame->vlan, &arp.target, SL_SELF_OURS);
	if (!probe)
		idx = merge_sender(rx, &arp, for_us, direct);
	if (for_us && arp.op == OP_REQUEST)
		return answer(rx, &arp);
	return idx != SL_NO_NEIGH ? SL_FATE_arp_in : SL_FATE_arp_ignored;
}
