/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_internal - what the files of lib/net share and nobody else sees.
 *
 * self.c knows our own addresses, route.c where others lie, neigh.c the neighbours,
 * resolve.c their states, announce.c, arp.c, nd.c and icmp.c the packets. A path (path.c) is a
 * reference to a neighbour. Ports are indexes into net->port here, not rte_mbuf.port.
 */
#ifndef SL_NET_NET_INTERNAL_H
#define SL_NET_NET_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"
#include "wire/glance.h"

#define SL_RUN_MAX 64 /* most pieces of work of one kind in one sl_net_run() */

struct sl_port {
	uint64_t vlans[4096 / 64]; /* those that an address or a route lives in */
	uint16_t id;               /* rte_mbuf.port */
	uint16_t mtu;
	uint8_t mac[6];
	uint8_t offloads;
};

enum sl_self_kind {
	SL_SELF_NONE, /* an empty slot */
	SL_SELF_OURS,
	SL_SELF_BROADCAST, /* of a subnet of ours */
	SL_SELF_GROUP,     /* an IPv6 group we hear */
};

/* An address that means us, in one port and VLAN. */
struct sl_self {
	struct sl_addr addr;
	sl_ns_t defended_at; /* when last against another host; 0 for never */
	uint16_t vlan;
	uint8_t port;
	uint8_t kind;   /* enum sl_self_kind */
	uint8_t prefix; /* of the 128 bits, IPv4 being mapped */
	bool announce;  /* an announcement is owed */
	bool derived;   /* from the MAC address, not configured */
};

/* Where a destination lies. */
struct sl_hop {
	struct sl_addr net, mask, gateway;
	uint16_t vlan;
	uint8_t port;
	uint8_t prefix; /* of the 128 bits */
	bool onlink;    /* the destination itself is the next hop */
	const struct sl_self *source;
	uint32_t neigh; /* the next hop last found behind it: it may be another now */
};

enum sl_neigh_state {
	SL_NEIGH_FREE,
	SL_NEIGH_INCOMPLETE, /* asked for by broadcast, not known */
	SL_NEIGH_REACHABLE,  /* heard from lately; too long ago is noticed when it is used */
	SL_NEIGH_STALE,      /* known, to be checked when used */
	SL_NEIGH_DELAY,      /* used since: TCP has some seconds to confirm it */
	SL_NEIGH_PROBE,      /* asked directly */
	SL_NEIGH_FAILED,     /* did not answer */
	SL_NEIGH_GIVEN,      /* a MAC address without a next hop's: never asked */
	SL_NEIGH_STATES,
};

/* Lists of neighbours. All in one timed list wait equally long, so the first is due first. */
enum sl_neigh_list {
	SL_LIST_ASK,   /* to be asked now */
	SL_LIST_WAIT,  /* asked, one second to answer */
	SL_LIST_DELAY, /* those in state DELAY */
	SL_LIST_IDLE,  /* not timed: without references, least lately used first */
	SL_LISTS,
	SL_LIST_NONE = SL_LISTS,
};

#define SL_NO_NEIGH SL_NO_PATH

struct sl_link {
	uint32_t prev, next;
};

struct sl_neigh {
	/* what sending reads */
	struct sl_l2 l2;   /* dst is the neighbour's MAC address, once known */
	sl_ns_t confirmed; /* when last known to be alive */
	uint32_t refs;     /* paths */
	uint8_t state;     /* enum sl_neigh_state; assigned only in enter() */
	uint8_t tries;     /* requests since the state began */
	uint8_t list;      /* the timed list it is in, or SL_LIST_NONE */
	uint8_t port;

	struct sl_addr addr; /* of a GIVEN one: its MAC address in the first six bytes */
	sl_ns_t due;         /* in a timed list; with FAILED: when it may be asked again */
	uint32_t hash_next;  /* of a free one: the next free one */
	struct sl_link timed, idle;
};

#define SL_TELL_MAX 64 /* facts waiting for sl_net_tell(); a power of two */

struct sl_net {
	const struct sl_bufs *bufs;
	struct sl_stats *stats;
	struct sl_prf_key key;
	bool speaks;
	uint8_t n_ports;
	struct sl_port *port;

	struct sl_self *self; /* open addressing, at most half full */
	uint32_t self_mask, n_announce;
	/* By sl_door_bit(), the addresses of that table: who has no bit set is not there. */
	uint32_t self_bits[SL_DOOR_BITS / 32];
	uint32_t announce_next; /* slot to look at next */
	sl_ns_t announce_at;    /* not before */

	struct sl_hop *hop; /* longest prefix first */
	uint32_t n_hops;

	struct sl_neigh *neigh;
	uint32_t *bucket;
	uint32_t n_neighs, bucket_mask, free;
	struct sl_link list[SL_LISTS]; /* prev is the last, next the first */
	uint32_t news;

	struct sl_neighbour told[SL_TELL_MAX];
	uint32_t tell_head, tell_tail;

	sl_ns_t echo_paid; /* echo replies sent are paid for until then */
};

/* A packet being taken, for the time of sl_net_input(). */
struct sl_net_rx {
	struct sl_net *net;
	sl_ns_t now;
	struct rte_mbuf **m;
	const struct sl_frame *frame;
	const struct sl_tuple *tuple;
	struct sl_out *out;
	struct sl_icmp_error *error;
	uint8_t port;
};

static inline void
sl_net_count(struct sl_net *net, enum sl_counter counter)
{
	sl_stat_add(net->stats->count[counter], 1);
}

/* net.c */
int sl_port_find(const struct sl_net *net, uint16_t id); /* index or -1 */
bool sl_port_has_vlan(const struct sl_port *port, uint16_t vlan);
struct sl_l2 sl_port_l2(const struct sl_net *net, uint8_t port, uint16_t vlan,
			const uint8_t *dst);
/* An empty packet for an answer or a question; NULL, and counted, if there is none. */
struct rte_mbuf *sl_net_packet(struct sl_net *net);
/* The same, out of the buffer that came if it can be: its bytes are gone then. */
struct rte_mbuf *sl_net_answer(const struct sl_net_rx *rx);

/* self.c */
int sl_self_open(struct sl_net *net, const struct sl_net_conf *conf);
uint32_t sl_self_slots(const struct sl_net_conf *conf);
/* The address @addr of @kind in that port and VLAN, or NULL. */
struct sl_self *sl_self_find(const struct sl_net *net, uint8_t port, uint16_t vlan,
			     const struct sl_addr *addr, enum sl_self_kind kind);
/* Whether @addr is ours, or the broadcast of a subnet of ours, in any port. */
bool sl_self_is_any(const struct sl_net *net, const struct sl_addr *addr);
/* The address of ours from which to ask that port and VLAN for @target, or NULL. */
const struct sl_self *sl_self_for(const struct sl_net *net, uint8_t port, uint16_t vlan,
				  const struct sl_addr *target);
bool sl_self_is_onlink(const struct sl_net *net, uint8_t port, uint16_t vlan,
		       const struct sl_addr *addr);
/* Whether one host could have @addr: no group, broadcast, loopback or nothing at all. */
bool sl_addr_is_host(const struct sl_addr *addr);
/* The group in which @addr is asked for (RFC 4291, 2.7.1). */
struct sl_addr sl_addr_solicited(const struct sl_addr *addr);
/* The 128-bit mask of @prefix bits, and whether @a and @b agree under it. */
struct sl_addr sl_addr_mask(uint8_t prefix);
bool sl_addr_agree(const struct sl_addr *a, const struct sl_addr *b,
		   const struct sl_addr *mask);

/* route.c */
int sl_hops_open(struct sl_net *net, const struct sl_net_conf *conf);
uint32_t sl_hops_max(const struct sl_net_conf *conf);
/*
 * The longest prefix that holds @remote, or NULL: no route, or nobody else's address. Of
 * several as long, the one by which @came (may be NULL) came.
 */
struct sl_hop *sl_hop_find(const struct sl_net *net, const struct sl_addr *remote,
			   const struct sl_l2 *came);
/* Whether another host can have @remote. */
bool sl_addr_is_remote(const struct sl_net *net, const struct sl_addr *remote);

/* neigh.c: the table */
#define SL_NEIGH_TRIES 3
void sl_neighs_open(struct sl_net *net);
uint32_t sl_neigh_find(const struct sl_net *net, uint8_t port, uint16_t vlan,
		       const struct sl_addr *addr, bool given);
/* Whether that would find @idx, which may be anybody's, nobody's or SL_NO_NEIGH. */
bool sl_neigh_is(const struct sl_net *net, uint32_t idx, uint8_t port, uint16_t vlan,
		 const struct sl_addr *addr, bool given);
/*
 * An entry without a state, for its caller to give it one; SL_NO_NEIGH when there is none,
 * and nobody without references who could make room, or @evicts does not want him to.
 */
uint32_t sl_neigh_make(struct sl_net *net, uint8_t port, const struct sl_l2 *l2,
		       const struct sl_addr *addr, bool given, bool evicts);
void sl_neigh_hold(struct sl_net *net, uint32_t idx);
void sl_neigh_drop(struct sl_net *net, uint32_t idx);
/* Put @idx into the timed list @list, to be due at @due; SL_LIST_NONE into none. */
void sl_neigh_wait(struct sl_net *net, uint32_t idx, enum sl_neigh_list list, sl_ns_t due);
/* The first of the timed list @list if it is due, else SL_NO_NEIGH. */
uint32_t sl_neigh_due(const struct sl_net *net, enum sl_neigh_list list, sl_ns_t now);
int sl_neighs_check(const struct sl_net *net);

/* resolve.c: their states */
/*
 * A new neighbour, asked for at once unless something is heard of it first; or SL_NO_NEIGH.
 * @evicts: one without references may make room.
 */
uint32_t sl_neigh_add(struct sl_net *net, sl_ns_t now, uint8_t port, uint16_t vlan,
		      const struct sl_addr *addr, bool evicts);
/* One that needs no asking, by its MAC address. */
uint32_t sl_neigh_give(struct sl_net *net, sl_ns_t now, uint8_t port, const struct sl_l2 *l2);
bool sl_neigh_is_known(const struct sl_neigh *n);

/*
 * Something said that @idx has the address @mac (NULL: it did not say). @solicited: it is an
 * answer, so the way there and back works; @overrides: an address known is replaced
 * (RFC 4861, 7.2.5; what ARP says maps to it).
 */
void sl_neigh_heard(struct sl_net *net, sl_ns_t now, uint32_t idx, const uint8_t *mac,
		    bool solicited, bool overrides);
/* An answer to nobody's question on this core: perhaps a sibling asked. */
void sl_neigh_overheard(struct sl_net *net, uint8_t port, uint16_t vlan,
			const struct sl_addr *addr, const uint8_t *mac);
void sl_neigh_use(struct sl_net *net, sl_ns_t now, uint32_t idx);
void sl_neigh_confirm(struct sl_net *net, sl_ns_t now, uint32_t idx);
void sl_neighs_run(struct sl_net *net, sl_ns_t now, struct sl_out *out);
sl_ns_t sl_neighs_next(const struct sl_net *net);

/* announce.c */
void sl_announce(struct sl_net *net, sl_ns_t now, struct sl_self *self);
/* Another host claims @self: count it, and defend the address if that is not too often. */
void sl_announce_conflict(struct sl_net *net, sl_ns_t now, struct sl_self *self);
void sl_announce_run(struct sl_net *net, sl_ns_t now, struct sl_out *out);

/* arp.c, nd.c: the packets; @m is empty with full headroom and ends up ready to be sent */
void sl_arp_build_request(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *from,
			  const struct sl_addr *target, const uint8_t *mac);
void sl_nd_build_solicit(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *from,
			 const struct sl_addr *target, const uint8_t *mac);
void sl_nd_build_unasked(struct sl_net *net, struct rte_mbuf *m, const struct sl_self *self);
enum sl_fate sl_arp_input(const struct sl_net_rx *rx);
enum sl_fate sl_nd_input(const struct sl_net_rx *rx);

/* icmp.c */
enum sl_fate sl_icmp_input(const struct sl_net_rx *rx);

#endif
