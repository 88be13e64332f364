/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check - what is wrong only in company: addresses that two want, gateways nobody reaches,
 * limits above the limit they share.
 *
 * Each check walks the structs and takes line and value to show from the tree, whose lists
 * have the same order.
 */
#include <string.h>

#include "conf/config.h"
#include "conf/value.h"

struct check {
	const struct sl_engine_conf *conf;
	const struct sl_node *root, *ports, *listeners;
	struct sl_complaints *complaints;
};

#define SAY(check, node, path, ...) \
	sl_complain((check)->complaints, (node)->line, path, sl_node_text(node), __VA_ARGS__)

/* The address inside an entry of addresses, which may be a map. */
static const struct sl_node *
address_node(const struct sl_node *port, unsigned int i)
{
	const struct sl_node *entry = sl_node_at(sl_node_get(port, "addresses"), i);
	const struct sl_node *inner = sl_node_get(entry, "address");

	return inner != NULL ? inner : entry;
}

static bool
is_ours(const struct sl_engine_conf *conf, const struct sl_addr *addr)
{
	for (unsigned int p = 0; p < conf->n_ports; p++)
		for (unsigned int i = 0; i < conf->port[p].n_addrs; i++)
			if (sl_addr_eq(&conf->port[p].addr[i].addr, addr))
				return true;
	return false;
}

static bool
is_link_local(const struct sl_addr *addr)
{
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80;
}

/* Whether a host can have this address: no group, broadcast, loopback or nothing at all. */
static bool
is_host(const struct sl_addr *addr)
{
	static const struct sl_addr none, loop = { .b = { [15] = 1 } };
	uint32_t v4 = sl_addr_to_v4(addr);

	if (sl_addr_is_v4(addr))
		return v4 >> 24 != 0 && v4 >> 24 != 127 && v4 >> 24 < 224;
	return addr->b[0] != 0xff && !sl_addr_eq(addr, &none) && !sl_addr_eq(addr, &loop);
}

/* Whether no bit of @addr is set behind its first @prefix ones. */
static bool
ends_with_zeros(const struct sl_addr *addr, unsigned int prefix)
{
	for (unsigned int bit = prefix; bit < 128; bit++)
		if (addr->b[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

/*
 * Whether @a is its subnet's own or broadcast address, which no host has: in IPv6 any of its
 * routers (RFC 4291, 2.6.1), but for links of two (RFC 6164).
 */
static bool
is_edge(const struct sl_ifaddr *a)
{
	uint32_t host = a->prefix < 31 ? UINT32_MAX >> a->prefix : 0;
	uint32_t v4 = sl_addr_to_v4(&a->addr);

	if (!sl_addr_is_v4(&a->addr))
		return a->prefix < 127 && ends_with_zeros(&a->addr, a->prefix);
	return host != 0 && ((v4 & host) == 0 || (v4 & host) == host);
}

static bool
is_on_link(const struct sl_engine_port *port, const struct sl_addr *addr)
{
	for (unsigned int i = 0; i < port->n_addrs; i++)
		if (sl_addr_matches(&port->addr[i].addr, addr, port->addr[i].prefix))
			return true;
	return is_link_local(addr);
}

static bool
is_reachable(const struct sl_engine_conf *conf, const struct sl_addr *addr)
{
	for (unsigned int p = 0; p < conf->n_ports; p++) {
		const struct sl_engine_port *port = &conf->port[p];

		for (unsigned int i = 0; i < port->n_addrs; i++)
			if (sl_addr_matches(&port->addr[i].addr, addr, port->addr[i].prefix))
				return true;
		for (unsigned int i = 0; i < port->n_routes; i++)
			if (sl_addr_matches(&port->route[i].net, addr, port->route[i].prefix))
				return true;
	}
	return false;
}

static bool
has_family(const struct sl_engine_conf *conf, bool v4)
{
	for (unsigned int p = 0; p < conf->n_ports; p++)
		for (unsigned int i = 0; i < conf->port[p].n_addrs; i++)
			if (sl_addr_is_v4(&conf->port[p].addr[i].addr) == v4)
				return true;
	return false;
}

static void
check_address(struct check *c, unsigned int p, unsigned int i)
{
	const struct sl_ifaddr *a = &c->conf->port[p].addr[i];
	const struct sl_node *node = address_node(sl_node_at(c->ports, p), i);
	bool v6 = !sl_addr_is_v4(&a->addr);
	char path[64];

	snprintf(path, sizeof(path), "ports[%u].addresses[%u]", p, i);
	if (!is_host(&a->addr) || is_edge(a))
		SAY(c, node, path, "want an address that a host can have");
	if (v6 && c->conf->port[p].mtu != 0 && c->conf->port[p].mtu < 1280)
		SAY(c, node, path, "IPv6 needs an mtu of 1280 or more on its port");

	for (unsigned int q = 0; q <= p; q++) {
		unsigned int n = q < p ? c->conf->port[q].n_addrs : i;

		for (unsigned int j = 0; j < n; j++) {
			if (!sl_addr_eq(&a->addr, &c->conf->port[q].addr[j].addr))
				continue;
			SAY(c, node, path, "already given in line %u",
			    address_node(sl_node_at(c->ports, q), j)->line);
			return;
		}
	}
}

static void
check_next_hop(struct check *c, unsigned int p, const struct sl_addr *via,
	       const struct sl_node *node, const char *path)
{
	if (!is_host(via) || is_ours(c->conf, via))
		SAY(c, node, path, "want the address of another host");
	else if (!is_on_link(&c->conf->port[p], via))
		SAY(c, node, path, "want an address within a subnet of this port's addresses");
}

/* Whether no bit of @route's subnet lies behind its prefix. */
static bool
is_subnet(const struct sl_route *route)
{
	unsigned int bits = route->prefix + (sl_addr_is_v4(&route->net) ? 96 : 0);

	for (unsigned int i = bits; i < 128; i++)
		if (route->net.b[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

static void
check_route(struct check *c, unsigned int p, unsigned int i)
{
	const struct sl_engine_port *port = &c->conf->port[p];
	const struct sl_node *list = sl_node_get(sl_node_at(c->ports, p), "routes");
	const struct sl_node *node = sl_node_at(list, i);
	const struct sl_route *route = &port->route[i];
	char path[64];

	snprintf(path, sizeof(path), "ports[%u].routes[%u].to", p, i);
	if (!is_subnet(route))
		SAY(c, sl_node_get(node, "to"), path, "has bits set behind its prefix");
	for (unsigned int j = 0; j < i; j++)
		if (route->prefix == port->route[j].prefix &&
		    sl_addr_eq(&route->net, &port->route[j].net))
			SAY(c, sl_node_get(node, "to"), path, "already given in line %u",
			    sl_node_at(list, j)->line);

	snprintf(path, sizeof(path), "ports[%u].routes[%u].via", p, i);
	if (sl_addr_is_v4(&route->net) != sl_addr_is_v4(&route->gateway))
		SAY(c, sl_node_get(node, "via"), path,
		    "want an address of the same family as to:");
	else
		check_next_hop(c, p, &route->gateway, sl_node_get(node, "via"), path);
}

static void
check_gateway(struct check *c, unsigned int p, const char *key, bool v4)
{
	const struct sl_engine_port *port = &c->conf->port[p];
	const struct sl_node *node = sl_node_get(sl_node_at(c->ports, p), key);
	const struct sl_node *list = sl_node_get(sl_node_at(c->ports, p), "routes");
	char path[64];

	snprintf(path, sizeof(path), "ports[%u].%s", p, key);
	for (unsigned int i = list != NULL ? list->n : 0; node != NULL && i < port->n_routes;
	     i++)
		if (sl_addr_is_v4(&port->route[i].gateway) == v4)
			check_next_hop(c, p, &port->route[i].gateway, node, path);
}

static void
check_port(struct check *c, unsigned int p)
{
	const struct sl_engine_port *port = &c->conf->port[p];
	const struct sl_node *node = sl_node_at(c->ports, p);
	const struct sl_node *routes = sl_node_get(node, "routes");
	char path[64];

	snprintf(path, sizeof(path), "ports[%u].device", p);
	for (unsigned int q = 0; q < p; q++)
		if (strcmp(port->device, c->conf->port[q].device) == 0)
			SAY(c, sl_node_get(node, "device"), path, "already given in line %u",
			    sl_node_get(sl_node_at(c->ports, q), "device")->line);
	for (unsigned int i = 0; i < port->n_addrs; i++)
		check_address(c, p, i);
	for (unsigned int i = 0; routes != NULL && i < routes->n; i++)
		check_route(c, p, i);
	check_gateway(c, p, "gateway", true);
	check_gateway(c, p, "gateway6", false);
}

static void
check_twins(struct check *c, unsigned int l)
{
	const struct sl_listener_conf *a = &c->conf->listener[l];
	const struct sl_node *node = sl_node_at(c->listeners, l);
	char path[64];

	for (unsigned int k = 0; k < l; k++) {
		const struct sl_listener_conf *b = &c->conf->listener[k];
		unsigned int line = sl_node_at(c->listeners, k)->line;

		snprintf(path, sizeof(path), "listeners[%u].name", l);
		if (strcmp(a->name, b->name) == 0)
			SAY(c, sl_node_get(node, "name"), path,
			    "the listener in line %u has it", line);
		snprintf(path, sizeof(path), "listeners[%u].port", l);
		if (a->port == b->port && sl_addr_eq(&a->addr, &b->addr))
			SAY(c, sl_node_get(node, "port"), path,
			    "the listener in line %u has this port and address", line);
	}
}

static void
check_backends(struct check *c, unsigned int l)
{
	const struct sl_proxy_conf *proxy = c->conf->listener[l].arg;
	const struct sl_node *list = sl_node_get(sl_node_at(c->listeners, l), "backends");
	char path[64];

	for (unsigned int i = 0; i < proxy->n_backends; i++) {
		const struct sl_addr *addr = &proxy->backend[i].addr;
		const struct sl_node *node = sl_node_at(list, i);
		bool v4 = sl_addr_is_v4(addr);

		snprintf(path, sizeof(path), "listeners[%u].backends[%u]", l, i);
		if (!is_host(addr) || is_ours(c->conf, addr))
			SAY(c, node, path, "want the address of another host");
		else if (!has_family(c->conf, v4))
			SAY(c, node, path, "no port has an %s address to speak from",
			    v4 ? "IPv4" : "IPv6");
		else if (!is_reachable(c->conf, addr))
			SAY(c, node, path, "no port's subnets, routes or gateway lead there");
	}
}

/* A pair may be split between tcp: and a listener; the line shown is the nearer one's. */
static void
check_tcp(struct check *c, unsigned int l, const char *prefix)
{
	const struct sl_tcp_conf *tcp = &c->conf->listener[l].tcp;
	const struct sl_node *map = sl_node_at(c->listeners, l);
	const struct sl_node *node = sl_node_get(map, "rto_min");
	char path[64];

	if (tcp->rto_min_ms <= tcp->rto_max_ms)
		return;
	if (node == NULL)
		node = sl_node_get(map, "rto_max");
	if (node == NULL) {
		map = sl_node_get(c->root, "tcp");
		prefix = "tcp";
		node = sl_node_get(map, "rto_min");
	}
	if (node == NULL)
		node = sl_node_get(map, "rto_max");
	snprintf(path, sizeof(path), "%.40s.%s", prefix, node->key);
	SAY(c, node, path, "want rto_min (%ums) at most rto_max (%ums)", tcp->rto_min_ms,
	    tcp->rto_max_ms);
}

static void
check_listener(struct check *c, unsigned int l)
{
	const struct sl_listener_conf *listener = &c->conf->listener[l];
	const struct sl_node *node = sl_node_at(c->listeners, l);
	static const struct sl_addr any;
	char path[64];

	check_twins(c, l);
	snprintf(path, sizeof(path), "listeners[%u].address", l);
	if (!sl_addr_eq(&listener->addr, &any) && !is_ours(c->conf, &listener->addr))
		SAY(c, sl_node_get(node, "address"), path,
		    "want an address of a port here, or any");
	snprintf(path, sizeof(path), "listeners[%u].connections", l);
	if (listener->connections > c->conf->connections)
		SAY(c, sl_node_get(node, "connections"), path,
		    "want at most engine.connections, %u", c->conf->connections);
	snprintf(path, sizeof(path), "listeners[%u]", l);
	check_tcp(c, l, path);
	if (listener->app == &sl_proxy)
		check_backends(c, l);
}

static void
check_engine(struct check *c)
{
	const struct sl_node *active = sl_node_get(sl_node_get(c->root, "engine"), "active");

	if (active != NULL && c->conf->active > c->conf->connections)
		SAY(c, active, "engine.active", "want at most engine.connections, %u",
		    c->conf->connections);
}

/*
 * Two links with one subnet are two ways into one network, or a mistake; routers refuse it,
 * hosts do as we do. In either case somebody should know whose subnet counts.
 */
static void
note_overlaps(struct check *c, unsigned int p, unsigned int i)
{
	const struct sl_ifaddr *a = &c->conf->port[p].addr[i];
	const struct sl_node *node = address_node(sl_node_at(c->ports, p), i), *other;
	char path[64];

	snprintf(path, sizeof(path), "ports[%u].addresses[%u]", p, i);
	for (unsigned int q = 0; q <= p; q++) {
		unsigned int n = q < p ? c->conf->port[q].n_addrs : i;

		for (unsigned int j = 0; j < n; j++) {
			const struct sl_ifaddr *b = &c->conf->port[q].addr[j];
			bool same_link = q == p && a->vlan == b->vlan;
			uint8_t shorter = a->prefix < b->prefix ? a->prefix : b->prefix;

			if (same_link || is_link_local(&a->addr) ||
			    !sl_addr_matches(&a->addr, &b->addr, shorter))
				continue;
			other = address_node(sl_node_at(c->ports, q), j);
			SAY(c, node, path,
			    "note: overlaps with %s of line %u on another link: %s",
			    sl_node_text(other), other->line,
			    a->prefix != b->prefix
				    ? "the longer prefix is taken"
				    : "peers are answered the way they came, and what we "
				      "open leaves by that one");
			return;
		}
	}
}

static struct check
begin(const struct sl_config *config, const struct sl_node *root,
      struct sl_complaints *complaints)
{
	return (struct check){
		.conf = &config->engine,
		.root = root,
		.ports = sl_node_get(root, "ports"),
		.listeners = sl_node_get(root, "listeners"),
		.complaints = complaints,
	};
}

void
sl_conf_note(const struct sl_config *config, const struct sl_node *root,
	     struct sl_complaints *notes)
{
	struct check c = begin(config, root, notes);

	for (unsigned int p = 0; p < c.conf->n_ports; p++)
		for (unsigned int i = 0; i < c.conf->port[p].n_addrs; i++)
			note_overlaps(&c, p, i);
}

void
sl_conf_cross_check(const struct sl_config *config, const struct sl_node *root,
		    struct sl_complaints *complaints)
{
	struct check c = begin(config, root, complaints);

	for (unsigned int p = 0; p < c.conf->n_ports; p++)
		check_port(&c, p);
	for (unsigned int l = 0; l < c.conf->n_listeners; l++)
		check_listener(&c, l);
	check_engine(&c);
}
