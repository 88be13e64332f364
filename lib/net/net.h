/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net - who is where: our addresses, neighbours, routes; ARP, ND and ICMP.
 *
 * One struct sl_net a core. It gives TCP a path index: the next hop, its MAC address and
 * MTU. What one core learns it tells the others through the core's events, so that an
 * answer may arrive at any of them. Replies to a SYN do not come here at all: they go back
 * the way the SYN came (sl_l2_reply).
 *
 * RFC 826, 5227 (ARP), 4861 (ND), 792 and 1122 (ICMP), 4443 (ICMPv6), 5927 (ICMP and TCP).
 */
#ifndef SL_NET_NET_H
#define SL_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bufs.h"
#include "base/fate.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/prf.h"
#include "base/units.h"
#include "wire/build.h"
#include "wire/frame.h"

#define SL_PORTS_MAX     16
#define SL_PORT_ADDR_MAX 32
#define SL_NO_PATH       0xffffffu /* paths are named by 24 bits */

/* One address of ours and the subnet it lies in. */
struct sl_ifaddr {
	struct sl_addr addr;
	uint8_t prefix; /* bits of the family's own length: 0..32, 0..128 */
	uint16_t vlan;  /* VLAN it lives in, 0 for untagged */
};

struct sl_route {
	struct sl_addr net; /* IPv4-mapped for IPv4 */
	uint8_t prefix;     /* bits of the family's own length */
	uint16_t vlan;
	struct sl_addr gateway;
};

#define SL_PORT_ROUTES_MAX 32

/* A port as the core sees it. */
struct sl_port_conf {
	uint16_t port; /* rte_mbuf.port of its packets */
	uint8_t mac[6];
	uint16_t mtu;     /* largest IP packet */
	uint8_t offloads; /* SL_OFFLOAD_* on the way out */
	uint8_t n_addrs, n_routes;
	struct sl_ifaddr addr[SL_PORT_ADDR_MAX];
	struct sl_route route[SL_PORT_ROUTES_MAX]; /* a default gateway has prefix 0 */
};

struct sl_net_conf {
	uint8_t n_ports;
	struct sl_port_conf port[SL_PORTS_MAX];
	uint32_t neighbours; /* most neighbours remembered */
	bool speaks;         /* this core announces our addresses and probes stale neighbours */
	struct sl_prf_key key; /* for every table a stranger can fill */
};

/* A neighbour learnt, changed or lost: told to the other cores of the process. */
struct sl_neighbour {
	struct sl_addr addr;
	uint16_t port, vlan;
	uint8_t mac[6];
	bool reachable; /* false: stopped answering */
	bool solicited; /* he answered a question: reachable, not merely heard of */
	bool unasked; /* nobody asked on the core that heard it: serves only who waits for it */
};

enum sl_icmp_what {
	SL_ICMP_SOFT,    /* report, never abort (RFC 1122 4.2.3.9, RFC 5927) */
	SL_ICMP_HARD,    /* ends a connection that is not synchronized yet */
	SL_ICMP_TOO_BIG, /* path MTU (RFC 1191, RFC 8201) */
};

/* An ICMP error that quotes a TCP segment from one of our addresses. */
struct sl_icmp_error {
	struct sl_tuple tuple; /* as seen from here */
	uint32_t seq;          /* of the quoted segment */
	uint32_t mtu;          /* with SL_ICMP_TOO_BIG; 0 if the router did not say */
	uint8_t what;          /* enum sl_icmp_what */
	uint8_t type, code;
};

struct sl_net;
struct sl_door; /* wire/glance.h */

/* 0 or -ENOMEM, -EINVAL. @bufs and @stats must outlive the net. */
int sl_net_open(struct sl_net **out, struct sl_mem *mem, const struct sl_net_conf *conf,
		const struct sl_bufs *bufs, struct sl_stats *stats, sl_ns_t now);
size_t sl_net_bytes(const struct sl_net_conf *conf);

/* Whether a frame with this destination address, on this port and VLAN, is for us. */
bool sl_net_is_ours(const struct sl_net *net, uint16_t port, uint16_t vlan,
		    const struct sl_addr *addr);

/* Whether the address is ours at any port. */
bool sl_net_has(const struct sl_net *net, const struct sl_addr *addr);

/*
 * What sl_net_accept() asks of TCP segments without a VLAN tag at the port @id, in the form
 * that many are asked at once. A port that we do not have lets nothing in.
 */
void sl_net_door(const struct sl_net *net, uint16_t id, struct sl_door *door);

/*
 * SL_FATE_NONE if a packet from and to these may be let in: destination MAC ours or a group
 * we hear, VLAN known, source address possible (not a group, not broadcast, not unspecified,
 * not ours), destination ours. For ICMPv6 the solicited-node groups of our addresses count.
 */
enum sl_fate sl_net_accept(const struct sl_net *net, const struct rte_mbuf *m,
			   const struct sl_frame *frame, const struct sl_tuple *tuple);

/*
 * Take an ARP, ICMP or ICMPv6 packet that sl_frame_parse() and (but for ARP) sl_net_accept()
 * let in, and say its fate. May answer through @out, in the buffer that came if it can: then
 * *@m becomes NULL; otherwise *@m stays the caller's. With fate SL_FATE_icmp_error, *@error is
 * what was said and the caller finds the connection.
 */
enum sl_fate sl_net_input(struct sl_net *net, sl_ns_t now, struct rte_mbuf **m,
			  const struct sl_frame *frame, const struct sl_tuple *tuple,
			  struct sl_out *out, struct sl_icmp_error *error);

/* Work that is due: resolution, ageing, announcements. Bounded per call; the rest waits. */
void sl_net_run(struct sl_net *net, sl_ns_t now, struct sl_out *out);

/* When sl_net_run() has something to do next; UINT64_MAX for never. */
sl_ns_t sl_net_next(const struct sl_net *net);

/* A fact from another core. */
void sl_net_learn(struct sl_net *net, sl_ns_t now, const struct sl_neighbour *fact);

/* The next fact for other cores; false when there is none. */
bool sl_net_tell(struct sl_net *net, struct sl_neighbour *fact);

/*
 * The path to @remote. @came is how the packets of that peer reach us once it has proved
 * that it hears us (a right cookie, a finished handshake), or NULL: it seeds an unknown next
 * hop as STALE, and it is the path where there is no route. One reference is taken.
 * 0, -EHOSTUNREACH without a route, -ENOSPC when all entries are in use.
 */
int sl_path_open(struct sl_net *net, sl_ns_t now, const struct sl_addr *remote,
		 const struct sl_l2 *came, uint32_t *path);
/*
 * The same for one who has proved nothing: only to a next hop that is known already. Nobody is
 * asked for and nobody makes room for it. 0 or -ENOENT.
 */
int sl_path_known(struct sl_net *net, const struct sl_addr *remote, uint32_t *path);
void sl_path_close(struct sl_net *net, uint32_t path);

/*
 * How to reach the path's next hop now, or NULL while it is unknown: then resolution runs,
 * and sl_net_news() changes when it ends, either way. Using a stale entry starts its check.
 */
const struct sl_l2 *sl_path_l2(struct sl_net *net, sl_ns_t now, uint32_t path);
bool sl_path_is_dead(const struct sl_net *net, uint32_t path); /* resolution failed */
uint16_t sl_path_mtu(const struct sl_net *net, uint32_t path);
uint8_t sl_path_offloads(const struct sl_net *net, uint32_t path);

/* The peer's TCP made progress: its next hop is alive (RFC 4861, 7.3.1). */
void sl_path_confirm(struct sl_net *net, sl_ns_t now, uint32_t path);

/* A number that changes when any path became usable or dead. */
uint32_t sl_net_news(const struct sl_net *net);

/* The address we speak from towards @remote: longest prefix, else the route's port. 0 or
 * -EHOSTUNREACH. */
int sl_net_source(const struct sl_net *net, const struct sl_addr *remote,
		  struct sl_addr *local);

/* O(n): every invariant. 0 or -EBADMSG. */
int sl_net_check(const struct sl_net *net);

#endif
