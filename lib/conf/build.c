/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * build - the tree becomes structs, a section at a time: defaults first, then what the file
 * says, row by row of the schema, then a look for keys that no row knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "conf/config.h"
#include "conf/schema.h"
#include "conf/value.h"

#define KEYS_MAX_SHOWN 512
#define PATH_MAX_SHOWN 160

struct build {
	struct sl_config *config;
	struct sl_complaints *complaints;
};

/* A map of the document on its way into a struct. */
struct place {
	const struct sl_node *map;
	char path[96]; /* how the operator would name it; empty for the document */
};

const struct sl_app *const sl_conf_apps[] = { &sl_echo, &sl_discard, &sl_chargen, &sl_http,
					      &sl_proxy };

static void
name_key(const struct place *place, const char *key, char *path)
{
	snprintf(path, PATH_MAX_SHOWN, "%.79s%s%.79s", place->path, place->path[0] ? "." : "",
		 key);
}

/* @entry is not what @field accepts. */
static void
complain_of(struct build *b, const struct place *place, const struct sl_field *field,
	    const struct sl_node *entry)
{
	char path[PATH_MAX_SHOWN], wants[256];

	name_key(place, field->key, path);
	sl_schema_wants(field, wants, sizeof(wants));
	sl_complain(b->complaints, entry->line, path, sl_node_text(entry), "want %s", wants);
}

static void
preset(enum sl_section section, void *base)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++)
		if (sl_schema[i].section == section && sl_schema[i].preset != NULL)
			sl_value_take(&sl_schema[i], sl_schema[i].preset, base);
}

static void
fill_plain(struct build *b, const struct place *place, const struct sl_field *field, void *base)
{
	const struct sl_node *entry = sl_node_get(place->map, field->key);

	if (entry == NULL)
		return;
	if (entry->kind != SL_NODE_SCALAR || !sl_value_take(field, entry->text, base))
		complain_of(b, place, field, entry);
}

/* Take the plain values of @section from @place into the struct at @base, and miss those
 * required. */
static void
fill(struct build *b, const struct place *place, enum sl_section section, void *base)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++) {
		const struct sl_field *field = &sl_schema[i];
		char path[PATH_MAX_SHOWN], wants[256];

		if (field->section != section)
			continue;
		if (field->kind < SL_KIND_BUILT)
			fill_plain(b, place, field, base);
		if (!field->required || sl_node_get(place->map, field->key) != NULL)
			continue;
		name_key(place, field->key, path);
		sl_schema_wants(field, wants, sizeof(wants));
		sl_complain(b->complaints, place->map->line, path, NULL, "missing: want %s",
			    wants);
	}
}

/* How many letters must change to make @b of @a. Long words are not worth the work. */
static unsigned int
distance(const char *a, const char *b)
{
	enum { LONG = 32 };
	unsigned int row[LONG + 1];
	size_t len = strlen(b);

	if (strlen(a) > LONG || len > LONG)
		return LONG;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned int change = diagonal + (a[i - 1] != b[j - 1]);
			unsigned int shift = RTE_MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = RTE_MIN(change, shift);
		}
	}
	return row[len];
}

static const char *
nearest_key(uint32_t sections, const char *key)
{
	unsigned int best = 1 + strlen(key) / 3;
	const char *nearest = NULL;

	for (unsigned int i = 0; i < sl_schema_rows; i++) {
		unsigned int d;

		if ((sections >> sl_schema[i].section & 1) == 0)
			continue;
		d = distance(key, sl_schema[i].key);
		if (d <= best && (nearest == NULL || d < best)) {
			best = d;
			nearest = sl_schema[i].key;
		}
	}
	return nearest;
}

static bool
is_known(uint32_t sections, const char *key)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++)
		if ((sections >> sl_schema[i].section & 1) &&
		    strcmp(sl_schema[i].key, key) == 0)
			return true;
	return false;
}

/* The keys of @sections with commas between; cut where @size ends. */
static void
list_keys(uint32_t sections, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < sl_schema_rows && len < size; i++)
		if (sections >> sl_schema[i].section & 1)
			len += snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "",
					sl_schema[i].key);
}

static void
complain_of_unknown(struct build *b, const struct place *place, uint32_t sections,
		    const struct sl_node *entry)
{
	const char *nearest = nearest_key(sections, entry->key);
	bool in_listener = sections >> SL_IN_LISTENER & 1;
	char path[PATH_MAX_SHOWN], known[KEYS_MAX_SHOWN];

	name_key(place, entry->key, path);
	list_keys(sections, known, sizeof(known));
	if (in_listener && sl_schema_find(SL_IN_HTTP, entry->key) != NULL)
		sl_complain(b->complaints, entry->line, path, NULL, "is for app: http alone");
	else if (in_listener && sl_schema_find(SL_IN_PROXY, entry->key) != NULL)
		sl_complain(b->complaints, entry->line, path, NULL, "is for app: proxy alone");
	else if (nearest != NULL)
		sl_complain(b->complaints, entry->line, path, NULL,
			    "unknown key: did you mean %s?", nearest);
	else
		sl_complain(b->complaints, entry->line, path, NULL,
			    "unknown key: want one of %s", known);
}

/* Every key in @place is one of @sections, a bit for each enum sl_section. */
static void
refuse_unknown(struct build *b, const struct place *place, uint32_t sections)
{
	for (const struct sl_node *e = place->map->first; e != NULL; e = e->next)
		if (!is_known(sections, e->key))
			complain_of_unknown(b, place, sections, e);
}

#define BIT(section) (1u << (section))

/* @entry, given for @field, as a list within its limits; or NULL, complaining unless absent. */
static const struct sl_node *
need_list(struct build *b, const struct place *place, const struct sl_field *field)
{
	const struct sl_node *entry = sl_node_get(place->map, field->key);

	if (entry == NULL)
		return NULL;
	if (entry->kind == SL_NODE_LIST && entry->n >= field->min && entry->n <= field->max)
		return entry;
	if (entry->kind != SL_NODE_LIST || entry->n > field->max) {
		complain_of(b, place, field, entry);
	} else {
		char path[PATH_MAX_SHOWN];

		name_key(place, field->key, path);
		sl_complain(b->complaints, entry->line, path, "an empty list",
			    "want at least one entry");
	}
	return NULL;
}

/* The place of @entry, number @i of the list that @field is; false after complaining. */
static bool
enter(struct build *b, const struct place *place, const struct sl_field *field,
      const struct sl_node *entry, unsigned int i, struct place *inner)
{
	char path[PATH_MAX_SHOWN];

	name_key(place, field->key, path);
	snprintf(inner->path, sizeof(inner->path), "%.80s[%u]", path, i);
	inner->map = entry;
	if (entry->kind == SL_NODE_MAP)
		return true;
	sl_complain(b->complaints, entry->line, inner->path, sl_node_text(entry),
		    "want a map of keys");
	return false;
}

/* One of addresses: a scalar, or a map with its own VLAN. */
static void
take_address(struct build *b, const struct place *port, const struct sl_field *list,
	     const struct sl_node *entry, unsigned int i, struct sl_ifaddr *to)
{
	const struct sl_field *field = sl_schema_find(SL_IN_ADDRESS, "address");
	const struct sl_node *text = entry;
	struct place place;

	if (entry->kind != SL_NODE_SCALAR) {
		if (!enter(b, port, list, entry, i, &place))
			return;
		fill(b, &place, SL_IN_ADDRESS, to);
		refuse_unknown(b, &place, BIT(SL_IN_ADDRESS));
		text = sl_node_get(entry, field->key);
		if (text == NULL)
			return;
	}
	if (text->kind != SL_NODE_SCALAR ||
	    !sl_value_subnet(text->text, &to->addr, &to->prefix)) {
		char wants[256], path[PATH_MAX_SHOWN];

		name_key(port, list->key, path);
		sl_schema_wants(field, wants, sizeof(wants));
		sl_complain(b->complaints, text->line, path, sl_node_text(text), "want %s",
			    wants);
	}
}

/* The VLAN that the neighbour @via of @port lives in: that of the address it is on-link with.
 */
static uint16_t
vlan_towards(const struct sl_engine_port *port, const struct sl_addr *via, uint16_t otherwise)
{
	for (unsigned int i = 0; i < port->n_addrs; i++)
		if (sl_addr_matches(&port->addr[i].addr, via, port->addr[i].prefix))
			return port->addr[i].vlan;
	return otherwise;
}

static void
take_addresses(struct build *b, const struct place *place, struct sl_engine_port *port,
	       uint16_t vlan)
{
	const struct sl_field *field = sl_schema_find(SL_IN_PORT, "addresses");
	const struct sl_node *list = need_list(b, place, field);

	for (unsigned int i = 0; list != NULL && i < list->n; i++) {
		port->addr[i].vlan = vlan;
		take_address(b, place, field, sl_node_at(list, i), i, &port->addr[i]);
		port->n_addrs++;
	}
}

static void
take_route(struct build *b, const struct place *place, struct sl_route *route)
{
	const struct sl_field *to = sl_schema_find(SL_IN_ROUTE, "to");
	const struct sl_node *subnet = sl_node_get(place->map, "to");

	fill(b, place, SL_IN_ROUTE, route);
	refuse_unknown(b, place, BIT(SL_IN_ROUTE));
	if (subnet == NULL)
		return;
	if (subnet->kind != SL_NODE_SCALAR ||
	    !sl_value_subnet(subnet->text, &route->net, &route->prefix))
		complain_of(b, place, to, subnet);
}

static void
take_routes(struct build *b, const struct place *place, struct sl_engine_port *port,
	    uint16_t vlan)
{
	const struct sl_field *field = sl_schema_find(SL_IN_PORT, "routes");
	const struct sl_node *list = need_list(b, place, field);

	for (unsigned int i = 0; list != NULL && i < list->n; i++) {
		struct sl_route *route = &port->route[port->n_routes++];
		struct place inner;

		if (!enter(b, place, field, sl_node_at(list, i), i, &inner))
			continue;
		take_route(b, &inner, route);
		route->vlan = vlan_towards(port, &route->gateway, vlan);
	}
}

/* A gateway is a route to everywhere in its family. */
static void
take_gateway(struct build *b, const struct place *place, const char *key, bool v4,
	     struct sl_engine_port *port, uint16_t vlan)
{
	const struct sl_field *field = sl_schema_find(SL_IN_PORT, key);
	const struct sl_node *entry = sl_node_get(place->map, key);
	struct sl_route *route = &port->route[port->n_routes];

	if (entry == NULL)
		return;
	if (entry->kind != SL_NODE_SCALAR || !sl_value_addr(entry->text, &route->gateway) ||
	    sl_addr_is_v4(&route->gateway) != v4) {
		complain_of(b, place, field, entry);
		return;
	}
	route->net = v4 ? sl_addr_v4(0) : (struct sl_addr){ 0 };
	route->prefix = 0;
	route->vlan = vlan_towards(port, &route->gateway, vlan);
	port->n_routes++;
}

static void
take_port(struct build *b, const struct place *place, struct sl_engine_port *port)
{
	struct sl_ifaddr like = { .vlan = 0 }; /* for the port's own VLAN */
	const struct sl_node *vlan = sl_node_get(place->map, "vlan");

	preset(SL_IN_PORT, port);
	fill(b, place, SL_IN_PORT, port);
	refuse_unknown(b, place, BIT(SL_IN_PORT));
	if (vlan != NULL && vlan->kind == SL_NODE_SCALAR)
		sl_value_take(sl_schema_find(SL_IN_ADDRESS, "vlan"), vlan->text, &like);
	take_addresses(b, place, port, like.vlan);
	take_routes(b, place, port, like.vlan);
	take_gateway(b, place, "gateway", true, port, like.vlan);
	take_gateway(b, place, "gateway6", false, port, like.vlan);
}

static void
take_backends(struct build *b, const struct place *place, struct sl_proxy_conf *proxy)
{
	const struct sl_field *field = sl_schema_find(SL_IN_PROXY, "backends");
	const struct sl_node *list = need_list(b, place, field);

	for (unsigned int i = 0; list != NULL && i < list->n; i++) {
		const struct sl_node *entry = sl_node_at(list, i);
		struct sl_addr *addr = &proxy->backend[i].addr;
		char path[PATH_MAX_SHOWN];

		proxy->n_backends++;
		if (entry->kind == SL_NODE_SCALAR &&
		    sl_value_endpoint(entry->text, addr, &proxy->backend[i].port))
			continue;
		name_key(place, field->key, path);
		sl_complain(b->complaints, entry->line, path, sl_node_text(entry),
			    "want an address and a port, as 192.0.2.1:80 or [2001:db8::1]:80");
	}
}

/* Which application a listener has; -1 after complaining. */
static int
take_app(struct build *b, const struct place *place)
{
	const struct sl_field *field = sl_schema_find(SL_IN_LISTENER, "app");
	const struct sl_node *entry = sl_node_get(place->map, field->key);
	int app = -1;

	if (entry == NULL)
		return -1; /* missed by fill() */
	if (entry->kind == SL_NODE_SCALAR)
		app = sl_value_word(field->words, entry->text);
	if (app < 0)
		complain_of(b, place, field, entry);
	return app;
}

static void
take_listener(struct build *b, const struct place *place, unsigned int i,
	      const struct sl_tcp_conf *tcp)
{
	struct sl_listener_conf *listener = &b->config->engine.listener[i];
	uint32_t sections = BIT(SL_IN_LISTENER) | BIT(SL_IN_TCP);
	int app = take_app(b, place);

	preset(SL_IN_LISTENER, listener);
	fill(b, place, SL_IN_LISTENER, listener);
	listener->tcp = *tcp;
	fill(b, place, SL_IN_TCP, &listener->tcp);
	if (app < 0)
		return; /* which other keys are right is not known */

	listener->app = sl_conf_apps[app];
	if (listener->app == &sl_chargen) {
		listener->arg = &b->config->arg[i];
	} else if (listener->app == &sl_http) {
		listener->arg = &b->config->arg[i];
		sections |= BIT(SL_IN_HTTP);
		preset(SL_IN_HTTP, &b->config->arg[i].http);
		fill(b, place, SL_IN_HTTP, &b->config->arg[i].http);
	} else if (listener->app == &sl_proxy) {
		listener->arg = &b->config->arg[i];
		sections |= BIT(SL_IN_PROXY);
		preset(SL_IN_PROXY, &b->config->arg[i].proxy);
		fill(b, place, SL_IN_PROXY, &b->config->arg[i].proxy);
		take_backends(b, place, &b->config->arg[i].proxy);
	}
	refuse_unknown(b, place, sections);
}

/* Digits from a file, which may end in a newline. 0 or -errno. */
static int
read_secret(const char *path, uint8_t secret[16])
{
	char text[34] = "";
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, text, sizeof(text));
	close(fd);
	if (n == 33 && text[32] == '\n')
		text[--n] = '\0';
	return n == 32 && sl_value_hex16(text, secret) ? 0 : -EINVAL;
}

static void
take_secret(struct build *b, const struct place *place)
{
	const struct sl_field *field = sl_schema_find(SL_IN_ENGINE, "cluster_secret");
	const struct sl_node *entry = sl_node_get(place->map, field->key);
	struct sl_engine_conf *engine = &b->config->engine;
	int rc;

	if (entry == NULL)
		return;
	if (entry->kind == SL_NODE_SCALAR && entry->text[0] == '/') {
		rc = read_secret(entry->text, engine->cluster_secret);
		if (rc < 0)
			sl_complain(b->complaints, entry->line, "engine.cluster_secret",
				    entry->text, "want a file with 32 hexadecimal digits: %s",
				    rc == -EINVAL ? "it has something else" : strerror(-rc));
	} else if (entry->kind != SL_NODE_SCALAR ||
		   !sl_value_hex16(entry->text, engine->cluster_secret)) {
		/* Nobody's secret belongs in a log. */
		sl_complain(
			b->complaints, entry->line, "engine.cluster_secret", NULL,
			"want 32 hexadecimal digits or the absolute path of a file with them");
	}
	engine->has_cluster_secret = true;
}

/* A section of the document that may be left out. */
static bool
enter_section(struct build *b, const struct sl_node *root, const char *key, struct place *place)
{
	static const struct sl_node nothing = { .kind = SL_NODE_MAP };
	const struct sl_node *entry = sl_node_get(root, key);

	place->map = entry != NULL && entry->kind == SL_NODE_MAP ? entry : &nothing;
	snprintf(place->path, sizeof(place->path), "%s", key);
	if (entry != NULL && entry->kind != SL_NODE_MAP)
		sl_complain(b->complaints, entry->line, key, sl_node_text(entry),
			    "want a map of keys");
	return entry != NULL;
}

static void
take_engine(struct build *b, const struct sl_node *root)
{
	struct sl_engine_conf *engine = &b->config->engine;
	struct place place;

	enter_section(b, root, "engine", &place);
	preset(SL_IN_ENGINE, engine);
	fill(b, &place, SL_IN_ENGINE, engine);
	refuse_unknown(b, &place, BIT(SL_IN_ENGINE));
	take_secret(b, &place);

	if (engine->active == 0)
		engine->active = RTE_MAX(engine->connections / 8, 1024u);
	if (engine->time_wait == 0)
		engine->time_wait = engine->connections;
}

static void
take_ports(struct build *b, const struct place *root)
{
	const struct sl_field *field = sl_schema_find(SL_IN_ROOT, "ports");
	const struct sl_node *list = need_list(b, root, field);

	for (unsigned int i = 0; list != NULL && i < list->n; i++) {
		struct place place;

		if (enter(b, root, field, sl_node_at(list, i), i, &place))
			take_port(b, &place, &b->config->engine.port[i]);
		b->config->engine.n_ports++;
	}
}

static void
take_listeners(struct build *b, const struct place *root, const struct sl_tcp_conf *tcp)
{
	const struct sl_field *field = sl_schema_find(SL_IN_ROOT, "listeners");
	const struct sl_node *list = need_list(b, root, field);

	for (unsigned int i = 0; list != NULL && i < list->n; i++) {
		struct place place;

		if (enter(b, root, field, sl_node_at(list, i), i, &place))
			take_listener(b, &place, i, tcp);
		b->config->engine.n_listeners++;
	}
}

void
sl_conf_build(struct sl_config *config, const struct sl_node *root,
	      struct sl_complaints *complaints)
{
	struct build b = { .config = config, .complaints = complaints };
	struct place document = { .map = root }, tcp_place;
	struct sl_tcp_conf tcp = { 0 };

	if (root->kind != SL_NODE_MAP) {
		sl_complain(complaints, root->line, NULL, sl_node_text(root),
			    "want a map with ports: and listeners:");
		return;
	}
	fill(&b, &document, SL_IN_ROOT, NULL);
	refuse_unknown(&b, &document, BIT(SL_IN_ROOT));

	enter_section(&b, root, "tcp", &tcp_place);
	preset(SL_IN_TCP, &tcp);
	fill(&b, &tcp_place, SL_IN_TCP, &tcp);
	refuse_unknown(&b, &tcp_place, BIT(SL_IN_TCP));

	take_engine(&b, root);
	take_ports(&b, &document);
	take_listeners(&b, &document, &tcp);
}
