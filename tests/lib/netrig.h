/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * netrig - a struct sl_net with hand-made frames going in and what it sends coming out.
 *
 * The net has one port, 7: 10.0.0.1/24 and fd00::1/64 untagged with gateways .254 and ::fe,
 * 10.5.0.1/24 in VLAN 5. Its MAC address is netrig_us; netrig_peer is somebody else's.
 */
#ifndef TEST_NETRIG_H
#define TEST_NETRIG_H

#include "arena.h"
#include "craft.h"
#include "heapbufs.h"
#include "net/net.h"

#define NETRIG_LINK_LOCAL "fe80::ff:fe00:1"
#define NETRIG_NEIGHBOURS 8

extern const uint8_t netrig_us[6], netrig_peer[6], netrig_other[6], netrig_broadcast[6];

struct netrig {
	struct sl_net_conf conf;
	struct sl_net *net;
	struct heapbufs hb;
	struct arena arena;
	struct sl_stats stats;
	sl_ns_t now;
	struct rte_mbuf *pkt[256];
	struct sl_out out; /* netrig_next() takes from it */
	struct sl_icmp_error error;
};

/* conf as said above; changes may follow before netrig_open(). */
void netrig_init(struct netrig *rig);
void netrig_open(struct netrig *rig);
void netrig_open_quiet(struct netrig *rig); /* conf.speaks, announcements already sent */
/* Every invariant, every packet given back. */
void netrig_close(struct netrig *rig);

/* Take a frame as the core would: parse, accept, input. Gives back what is left of it. */
enum sl_fate netrig_in(struct netrig *rig, const struct craft *c);
enum sl_fate netrig_in_mbuf(struct netrig *rig, struct rte_mbuf *m);

/* Let the time pass to @now, in steps of what is due. */
void netrig_pass(struct netrig *rig, sl_ns_t now);

/* The next frame sent, copied to @to; its length, 0 if there is none. */
size_t netrig_next(struct netrig *rig, uint8_t *to, size_t room);
/* Whether the next frame sent is just @c. */
int netrig_sent(struct netrig *rig, const struct craft *c);
/* Drop what was sent; how many it was. */
unsigned int netrig_flush(struct netrig *rig);

/* Frames. @dst and @src are MAC addresses of Ethernet, and of the sender inside. */
void netrig_arp(struct craft *c, const uint8_t *dst, const uint8_t *src, uint16_t op,
		const char *sender, const char *target);
/* A neighbour message with the option @opt (1 source, 2 target, 0 none) saying @mac. */
void netrig_nd(struct craft *c, const uint8_t *dst, const uint8_t *src, const char *from,
	       const char *to, uint8_t type, uint32_t flags, const char *target, uint8_t opt,
	       const uint8_t *mac);

#endif
