/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * netrig - the few lines of the core that surround lib/net, and frames of ARP and ND.
 */
#include "netrig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t netrig_us[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t netrig_peer[6] = { 2, 0, 0, 0, 0, 2 };
const uint8_t netrig_other[6] = { 2, 0, 0, 0, 0, 3 };
const uint8_t netrig_broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void
must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "netrig: %s\n", what);
	abort();
}

void
netrig_init(struct netrig *rig)
{
	struct sl_port_conf *port = &rig->conf.port[0];

	memset(rig, 0, sizeof(*rig));
	rig->conf.n_ports = 1;
	rig->conf.neighbours = NETRIG_NEIGHBOURS;
	rig->conf.speaks = true;
	rig->conf.key = (struct sl_prf_key){ { 1, 2 } };
	*port = (struct sl_port_conf){
		.port = 7,
		.mtu = 1500,
		.n_addrs = 3,
		.n_routes = 2,
		.addr = { { craft_addr("10.0.0.1"), 24, 0 },
			  { craft_addr("fd00::1"), 64, 0 },
			  { craft_addr("10.5.0.1"), 24, 5 } },
		.route = { { craft_addr("0.0.0.0"), 0, 0, craft_addr("10.0.0.254") },
			   { craft_addr("::"), 0, 0, craft_addr("fd00::fe") } },
	};
	memcpy(port->mac, netrig_us, 6);
	rig->now = SL_NS_PER_S;
}

void
netrig_open(struct netrig *rig)
{
	heapbufs_open(&rig->hb);
	arena_open(&rig->arena);
	rig->out = (struct sl_out){ .pkt = rig->pkt, .room = 256 };
	must(sl_net_open(&rig->net, &rig->arena.mem, &rig->conf, &rig->hb.bufs, &rig->stats,
			 rig->now) == 0,
	     "sl_net_open() failed");
	must(rig->arena.mem.taken == sl_net_bytes(&rig->conf), "sl_net_bytes() is wrong");
}

void
netrig_open_quiet(struct netrig *rig)
{
	netrig_init(rig);
	netrig_open(rig);
	sl_net_run(rig->net, rig->now, &rig->out);
	netrig_flush(rig);
}

void
netrig_close(struct netrig *rig)
{
	netrig_flush(rig);
	must(sl_net_check(rig->net) == 0, "an invariant is broken");
	heapbufs_close(&rig->hb);
	arena_close(&rig->arena);
}

enum sl_fate
netrig_in_mbuf(struct netrig *rig, struct rte_mbuf *m)
{
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;
	enum sl_fate fate;

	fate = sl_frame_parse(m, &frame, &tuple, &seg);
	if (fate == SL_FATE_NONE && frame.kind != SL_KIND_ARP)
		fate = sl_net_accept(rig->net, m, &frame, &tuple);
	if (fate == SL_FATE_NONE && frame.kind != SL_KIND_TCP)
		fate = sl_net_input(rig->net, rig->now, &m, &frame, &tuple, &rig->out,
				    &rig->error);
	if (m != NULL)
		heapbufs_put(&rig->hb, m);
	must(sl_net_check(rig->net) == 0, "an invariant is broken");
	return fate;
}

enum sl_fate
netrig_in(struct netrig *rig, const struct craft *c)
{
	struct rte_mbuf *m = heapbufs_packet(&rig->hb, c->b, c->len, RTE_PKTMBUF_HEADROOM);

	m->port = rig->conf.port[0].port;
	return netrig_in_mbuf(rig, m);
}

void
netrig_pass(struct netrig *rig, sl_ns_t now)
{
	while (sl_net_next(rig->net) <= now && sl_out_has_room(&rig->out)) {
		rig->now = RTE_MAX(rig->now, sl_net_next(rig->net));
		sl_net_run(rig->net, rig->now, &rig->out);
		must(sl_net_check(rig->net) == 0, "an invariant is broken");
	}
	rig->now = now;
}

size_t
netrig_next(struct netrig *rig, uint8_t *to, size_t room)
{
	struct rte_mbuf *m = rig->pkt[0];
	size_t len;

	if (rig->out.n == 0)
		return 0;
	rig->out.n--;
	memmove(rig->pkt, rig->pkt + 1, rig->out.n * sizeof(m));
	must(m->port == rig->conf.port[0].port, "a frame for no port");
	len = heapbufs_read(m, to, room);
	heapbufs_put(&rig->hb, m);
	return len;
}

static void
dump(const char *name, const uint8_t *p, size_t len)
{
	fprintf(stderr, "%s", name);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%s%02x", i % 16 ? " " : "\n  ", p[i]);
	fprintf(stderr, "\n");
}

int
netrig_sent(struct netrig *rig, const struct craft *c)
{
	static uint8_t got[9600];
	size_t len = netrig_next(rig, got, sizeof(got));

	if (len == c->len && memcmp(got, c->b, len) == 0)
		return 1;
	dump("sent", got, len);
	dump("want", c->b, c->len);
	return 0;
}

unsigned int
netrig_flush(struct netrig *rig)
{
	unsigned int n = rig->out.n;

	rig->hb.bufs.put(rig->hb.bufs.ctx, rig->pkt, rig->out.n);
	rig->out.n = 0;
	return n;
}

void
netrig_arp(struct craft *c, const uint8_t *dst, const uint8_t *src, uint16_t op,
	   const char *sender, const char *target)
{
	static const uint8_t nobody[6];

	craft_ether(c, dst, src, 0, 0x0806);
	craft_hex(c, "0001 0800 0604");
	craft_u16(c, op);
	craft_bytes(c, src, 6);
	craft_addr_bytes(c, sender);
	craft_bytes(c, op == 2 ? dst : nobody, 6);
	craft_addr_bytes(c, target);
}

void
netrig_nd(struct craft *c, const uint8_t *dst, const uint8_t *src, const char *from,
	  const char *to, uint8_t type, uint32_t flags, const char *target, uint8_t opt,
	  const uint8_t *mac)
{
	uint8_t head[4] = { type }, option[2] = { opt, 1 };

	craft_ether(c, dst, src, 0, 0x86dd);
	craft_ip6(c, from, to, 58);
	c->b[c->l3 + 7] = 255;
	craft_bytes(c, head, 4);
	craft_u32(c, flags);
	craft_addr_bytes(c, target);
	if (opt != 0) {
		craft_bytes(c, option, 2);
		craft_bytes(c, mac, 6);
	}
	craft_end(c);
}
