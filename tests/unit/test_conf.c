/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_conf - a configuration means what it says, or is refused with a line that helps.
 *
 * Run with the source tree's config/ as its argument, for the files shipped there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/schema.h"
#include "l7/apps.h"

#define PORT   "ports: [{device: net_null0, addresses: [10.0.0.1/24, \"fd00::1/64\"]}]\n"
#define LISTEN "listeners: [{name: e, port: 7, app: echo}]\n"
#define BASE   PORT LISTEN

static const char *config_dir;

/* Parse @text; what was said is in @said. */
static int
parse(const char *text, size_t len, struct sl_config **config, char *said, size_t size)
{
	FILE *errors = fmemopen(said, size, "w");
	int rc;

	said[0] = '\0';
	rc = sl_conf_parse("t.yaml", text, len, config, errors);
	fclose(errors);
	return rc;
}

static struct sl_config *
must_parse(const char *text)
{
	char said[4096];
	struct sl_config *config;

	if (parse(text, strlen(text), &config, said, sizeof(said)) != 0)
		fail_msg("refused: %s", said);
	assert_string_equal(said, "");
	return config;
}

/* @text is refused and @line is among what is said. */
static void
must_refuse(const char *text, const char *line)
{
	char said[16384];
	struct sl_config *config;
	int rc = parse(text, strlen(text), &config, said, sizeof(said));

	if (rc == 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(rc, -EINVAL);
	assert_null(config);
	if (strstr(said, line) == NULL)
		fail_msg("of\n%s\nwas said\n%sand not\n%s", text, said, line);
}

/* @text is accepted, and @says all that is said. */
static void
must_note(const char *text, const char *says)
{
	char said[4096];
	struct sl_config *config;

	assert_int_equal(parse(text, strlen(text), &config, said, sizeof(said)), 0);
	assert_string_equal(said, says);
	sl_conf_free(config);
}

static void
the_least_file_gets_every_default(void **state)
{
	struct sl_config *config = must_parse(BASE);
	const struct sl_engine_conf *c = sl_conf_engine(config);

	assert_int_equal(c->n_ports, 1);
	assert_int_equal(c->port[0].n_addrs, 2);
	assert_int_equal(c->port[0].addr[0].prefix, 24);
	assert_true(c->port[0].rx_checksum);
	assert_false(c->port[0].promiscuous);
	assert_int_equal(c->port[0].steering, SL_STEER_AUTO);
	assert_int_equal(c->n_listeners, 1);
	assert_ptr_equal(c->listener[0].app, &sl_echo);
	assert_int_equal(c->listener[0].tcp.msl_ms, 30000);
	assert_true(c->listener[0].tcp.sack);
	assert_int_equal(c->connections, 200000);
	assert_int_equal(c->active, 25000);
	assert_int_equal(c->time_wait, 200000);
	assert_int_equal(c->drain_ms, 5000);
	assert_false(c->has_cluster_secret);
	sl_conf_free(config);
}

static void
tcp_defaults_are_those_of_the_core(void **state)
{
	struct sl_config *config = must_parse(BASE);
	const struct sl_tcp_conf *got = &sl_conf_engine(config)->listener[0].tcp;
	struct sl_tcp_conf want = { 0 };

	sl_tcp_defaults(&want);
#define SAME(member) assert_int_equal(got->member, want.member)
	SAME(rcvbuf), SAME(rcvbuf_initial), SAME(sndbuf), SAME(msl_ms), SAME(rto_min_ms),
		SAME(rto_max_ms);
	SAME(delayed_ack_ms), SAME(quick_acks), SAME(syn_timeout_ms), SAME(user_timeout_ms),
		SAME(fin_wait_ms);
	SAME(keepalive_ms), SAME(keepalive_interval_ms), SAME(keepalive_probes), SAME(mss);
	SAME(cookies), SAME(congestion), SAME(ttl), SAME(tos), SAME(nagle), SAME(sack),
		SAME(timestamps);
	SAME(window_scaling);
#undef SAME
	sl_conf_free(config);
}

static void
every_default_is_something_one_could_have_written(void **state)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++) {
		const struct sl_field *f = &sl_schema[i];

		assert_non_null(f->says);
		assert_true(f->preset != NULL || f->example != NULL ||
			    f->section == SL_IN_ROOT || f->section == SL_IN_ADDRESS);
		assert_false(f->preset != NULL && f->required);
		assert_ptr_equal(sl_schema_find(f->section, f->key), f);
	}
}

static void
a_listener_overrides_tcp_for_itself_alone(void **state)
{
	struct sl_config *config = must_parse(
		PORT "tcp: {cookies: always, mss: 1200, dscp: 46}\n"
		     "listeners:\n"
		     "  - {name: a, port: 7, app: echo, mss: 900, keepalive: 2m}\n"
		     "  - {name: b, port: 8, app: discard, nagle: false, backlog: 5}\n");
	const struct sl_listener_conf *l = sl_conf_engine(config)->listener;

	assert_int_equal(l[0].tcp.mss, 900);
	assert_int_equal(l[0].tcp.keepalive_ms, 120000);
	assert_int_equal(l[0].tcp.cookies, SL_COOKIES_ALWAYS);
	assert_int_equal(l[0].tcp.tos, 46 << 2);
	assert_true(l[0].tcp.nagle);
	assert_int_equal(l[1].tcp.mss, 1200);
	assert_int_equal(l[1].tcp.keepalive_ms, 0);
	assert_false(l[1].tcp.nagle);
	assert_int_equal(l[1].backlog, 5);
	sl_conf_free(config);
}

static void
addresses_vlans_routes_and_gateways_find_their_place(void **state)
{
	struct sl_config *config =
		must_parse("ports:\n"
			   "  - device: a\n"
			   "    vlan: 20\n"
			   "    addresses: [10.0.0.1/24, {address: 10.1.0.1/24, vlan: 30}, "
			   "\"fd00::1/64\",\n"
			   "                {address: 10.2.0.1/24, vlan: none}]\n"
			   "    routes: [{to: 10.9.0.0/16, via: 10.1.0.2}]\n"
			   "    gateway: 10.0.0.254\n"
			   "    gateway6: fe80::1\n" LISTEN);
	const struct sl_engine_port *p = &sl_conf_engine(config)->port[0];

	assert_int_equal(p->addr[0].vlan, 20);
	assert_int_equal(p->addr[1].vlan, 30);
	assert_int_equal(p->addr[2].vlan, 20);
	assert_int_equal(p->addr[3].vlan, 0);
	assert_int_equal(p->n_routes, 3);
	assert_int_equal(p->route[0].prefix, 16);
	assert_int_equal(p->route[0].vlan, 30);
	assert_int_equal(sl_addr_to_v4(&p->route[0].gateway), 0x0a010002);
	assert_int_equal(p->route[1].prefix, 0);
	assert_int_equal(p->route[1].vlan, 20);
	assert_true(sl_addr_is_v4(&p->route[1].net));
	assert_false(sl_addr_is_v4(&p->route[2].net));
	assert_int_equal(p->route[2].vlan, 20);
	sl_conf_free(config);
}

static void
applications_get_their_own_settings_and_the_pattern(void **state)
{
	struct sl_config *config = must_parse(
		PORT
		"listeners:\n"
		"  - {name: c, port: 19, app: chargen}\n"
		"  - {name: w, port: 80, app: http, body: 64k, idle_timeout: off}\n"
		"  - {name: f, port: 81, app: proxy, idle_timeout: 1h, on_error: close,\n"
		"     try_next: false, backends: [\"10.0.0.2:8000\", \"[fd00::2]:8001\"]}\n");
	const struct sl_listener_conf *l = sl_conf_engine(config)->listener;
	const struct sl_http_conf *http = l[1].arg;
	const struct sl_proxy_conf *proxy = l[2].arg;

	assert_int_equal(http->body_bytes, 65536);
	assert_int_equal(http->idle_ms, 0);
	assert_int_equal(http->head_max, 8192);
	assert_int_equal(proxy->idle_ms, 3600000);
	assert_false(proxy->reset_on_error);
	assert_false(proxy->try_next);
	assert_int_equal(proxy->n_backends, 2);
	assert_int_equal(proxy->backend[1].port, 8001);
	assert_int_equal(sl_addr_to_v4(&proxy->backend[0].addr), 0x0a000002);

	sl_conf_set_pattern(config, "abc", 3);
	assert_int_equal(http->pattern.bytes, 3);
	assert_int_equal(((const struct sl_chargen_conf *)l[0].arg)->pattern.bytes, 3);
	sl_conf_free(config);
}

static void
a_secret_is_digits_or_a_file_of_them(void **state)
{
	struct sl_config *config =
		must_parse(BASE "engine: {cluster_secret: 000102030405060708090a0b0c0d0EfF}\n");
	char path[] = "/tmp/sluice-test-XXXXXX", text[256];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_true(sl_conf_engine(config)->has_cluster_secret);
	assert_int_equal(sl_conf_engine(config)->cluster_secret[14], 0x0e);
	assert_int_equal(sl_conf_engine(config)->cluster_secret[15], 0xff);
	sl_conf_free(config);

	fputs("ffeeddccbbaa99887766554433221100\n", f);
	fclose(f);
	snprintf(text, sizeof(text), BASE "engine: {cluster_secret: %s}\n", path);
	config = must_parse(text);
	assert_int_equal(sl_conf_engine(config)->cluster_secret[0], 0xff);
	sl_conf_free(config);
	remove(path);
	must_refuse(text, "No such file");
	must_refuse(BASE "engine: {cluster_secret: /dev/null}\n", "it has something else");
	must_refuse(BASE "engine: {cluster_secret: 00112233}\n",
		    "t.yaml:3: engine.cluster_secret: want 32 hexadecimal digits");
}

/* One wrong value, after BASE's two lines. */
static void
numbers_are_strict(void **state)
{
	static const char *const bad[] = { "3e6",
					   "12abc",
					   "0x800",
					   "01024",
					   "+2048",
					   "-2048",
					   "2048.0",
					   "2_048",
					   "2k",
					   "1023",
					   "''",
					   "\" 2048\"",
					   "67108865",
					   "18446744073709551616",
					   "99999999999999999999999" };
	char text[256];

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), BASE "engine: {connections: %s}\n", bad[i]);
		must_refuse(text, ": want a whole number from 1024 to 67108864\n");
	}
	must_refuse(BASE "engine: {connections: 3e6}\n",
		    "t.yaml:3: engine.connections: 3e6: want a whole number from 1024 to "
		    "67108864\n");
	must_refuse(BASE "engine: {connections: [5]}\n", "engine.connections: a list: want");
	must_refuse(BASE "engine:\n  connections:\n", "engine.connections: (empty): want");
}

static void
times_sizes_and_booleans_are_strict(void **state)
{
	must_refuse(BASE "engine: {drain: 5}\n",
		    "want a time (as 200ms, 5s, 2m, 1h) from 1ms to 1h, or off\n");
	must_refuse(BASE "engine: {drain: 0s}\n", "engine.drain: 0s: want");
	must_refuse(BASE "engine: {drain: 5 s}\n", "engine.drain: 5 s: want");
	must_refuse(BASE "engine: {drain: 61m}\n", "engine.drain: 61m: want");
	must_refuse(BASE "engine: {drain: 18446744073709551615h}\n", "engine.drain");
	must_refuse(BASE "tcp: {rcvbuf: 64K}\n",
		    "want bytes (as 4096, 64k, 1M) from 2k to 1G\n");
	must_refuse(BASE "tcp: {rcvbuf: 2G}\n", "tcp.rcvbuf: 2G: want");
	must_refuse(BASE "tcp: {nagle: yes}\n", "tcp.nagle: yes: want true or false\n");
	must_refuse(BASE "tcp: {nagle: True}\n", "tcp.nagle: True: want true or false\n");
	must_refuse(BASE "tcp: {cookies: sometimes}\n", "want auto, always or never\n");
	must_refuse(BASE "tcp: {delayed_ack: 501ms}\n", "from 1ms to 500ms\n");
}

static void
unknown_and_repeated_keys_are_refused(void **state)
{
	must_refuse(BASE "engine: {conections: 5000}\n",
		    "t.yaml:3: engine.conections: unknown key: did you mean connections?\n");
	must_refuse(BASE "frobnicate: 1\n",
		    "t.yaml:3: frobnicate: unknown key: want one of ports, listeners, tcp, "
		    "engine\n");
	must_refuse(BASE "tpc: {}\n", "t.yaml:3: tpc: unknown key: did you mean tcp?\n");
	must_refuse(BASE "tcp: {}\n\ntcp: {}\n", "t.yaml:5: tcp: already given in line 3\n");
	must_refuse(PORT "listeners: [{name: e, port: 7, app: echo, body: 5}]\n",
		    "listeners[0].body: is for app: http alone\n");
	must_refuse(PORT "listeners: [{name: e, port: 7, app: http, try_next: true}]\n",
		    "listeners[0].try_next: is for app: proxy alone\n");
	must_refuse(BASE "<<: {}\n",
		    "<<: unknown key: want one of ports, listeners, tcp, engine\n");
}

static void
what_is_missing_is_named(void **state)
{
	must_refuse("", "t.yaml: empty: want at least ports: and listeners:\n");
	must_refuse("# nothing\n---\n...\n", "want");
	must_refuse("~\n", "want a map with ports: and listeners:\n");
	must_refuse("[]\n", "t.yaml:1: a list: want a map with");
	must_refuse(PORT, "t.yaml:1: listeners: missing: want a list of at most 256 maps\n");
	must_refuse(LISTEN, "t.yaml:1: ports: missing: want");
	must_refuse(PORT "listeners: []\n",
		    "listeners: an empty list: want at least one entry\n");
	must_refuse(PORT "listeners: 5\n", "listeners: 5: want a list of at most 256 maps\n");
	must_refuse(PORT "listeners: [5]\n", "listeners[0]: 5: want a map of keys\n");
	must_refuse(PORT "listeners: [{name: e, port: 7}]\n",
		    "listeners[0].app: missing: want echo, discard, chargen, http or proxy\n");
	must_refuse(PORT "listeners: [{name: p, port: 7, app: proxy}]\n",
		    "listeners[0].backends: missing: want");
	must_refuse("ports: [{device: a}]\n" LISTEN, "ports[0].addresses: missing: want");
	must_refuse(BASE "tcp: 5\n", "t.yaml:3: tcp: 5: want a map of keys\n");
}

static void
yaml_beyond_plain_values_is_refused(void **state)
{
	must_refuse("a: &x 5\n", "t.yaml:1: anchors (&name) are not known here");
	must_refuse("a: *x\n", "t.yaml:1: aliases (*name) are not known here");
	must_refuse("a: !!int 5\n", "t.yaml:1: tags (!name) are not known here");
	must_refuse("a: !x {b: c}\n", "tags (!name) are not known here");
	must_refuse("[a]: 5\n", "a key is a word");
	must_refuse("a: [[[[[[[[[[[[\n", "nested deeper");
	must_refuse(BASE "---\n" BASE, "t.yaml:3: a second document; want one\n");
	must_refuse("a: {b\n", "t.yaml:2: not YAML: ");
	must_refuse("a: \"\\0\"\n", "a NUL byte inside a value");
	must_refuse("a: \xff\xff\n", "not text in UTF-8");
	must_refuse("a:\n\t- b\n", "t.yaml:2: not YAML: ");
}

static void
values_that_clash_are_refused(void **state)
{
	must_refuse(PORT "listeners:\n  - {name: a, port: 7, app: echo}\n"
			 "  - {name: b, port: 7, app: discard}\n",
		    "t.yaml:4: listeners[1].port: 7: the listener in line 3 has this port and");
	must_refuse(
		PORT
		"listeners: [{name: a, port: 7, app: echo}, {name: a, port: 8, app: echo}]\n",
		"listeners[1].name: a: the listener in line 2 has it\n");
	must_refuse(PORT "listeners: [{name: a, port: 0, app: echo}]\n",
		    "listeners[0].port: 0: want a whole number from 1 to 65535\n");
	must_refuse(PORT "listeners: [{name: a, port: 7, app: echo, address: 10.0.0.9}]\n",
		    "listeners[0].address: 10.0.0.9: want an address of a port here, or any\n");
	must_refuse(PORT "listeners: [{name: a b, port: 7, app: echo}]\n",
		    "name: a b: want 1 to 31");
	must_refuse(BASE "engine: {connections: 2000, active: 3000}\n",
		    "engine.active: 3000: want at most engine.connections, 2000\n");
	must_refuse(PORT "engine: {connections: 2000}\n"
			 "listeners: [{name: a, port: 7, app: echo, connections: 2001}]\n",
		    "listeners[0].connections: 2001: want at most engine.connections, 2000\n");
	must_refuse(BASE "tcp: {rto_min: 20s, rto_max: 10s}\n",
		    "tcp.rto_min: 20s: want rto_min (20000ms) at most rto_max (10000ms)\n");
	must_refuse(PORT "tcp: {rto_max: 10s}\nlisteners: [{name: a, port: 7, app: echo, "
			 "rto_min: 20s}]\n",
		    "t.yaml:3: listeners[0].rto_min: 20s: want");
	must_refuse("ports: [{device: a, addresses: [10.0.0.1/8]}, {device: a, addresses: "
		    "[11.0.0.1/8]}]\n" LISTEN,
		    "ports[1].device: a: already given in line 1\n");
}

/* Of every two links; on one it is what a second address is. */
static void
subnets_that_overlap_are_noted(void **state)
{
	must_note("ports:\n"
		  "  - {device: a, addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/25]}\n"
		  "  - {device: b, addresses: [10.0.1.1/24, \"fd00::1/64\", \"fe80::1/64\"]}\n"
		  "  - {device: c, addresses: [\"fe80::2/64\", \"fd00:0:0:1::1/64\"]}\n" LISTEN,
		  "");
	must_note(
		"ports:\n"
		"  - {device: a, addresses: [10.0.0.1/24]}\n"
		"  - {device: b, addresses: [10.0.0.2/24]}\n" LISTEN,
		"t.yaml:3: ports[1].addresses[0]: 10.0.0.2/24: note: overlaps with "
		"10.0.0.1/24 of line 2 on another link: peers are answered the way they came, "
		"and what we open leaves by that one\n");
	must_note("ports:\n"
		  "  - device: a\n"
		  "    addresses:\n"
		  "    - \"fd00::1/64\"\n"
		  "    - {address: \"fd00::2/48\", vlan: 7}\n" LISTEN,
		  "t.yaml:5: ports[0].addresses[1]: fd00::2/48: note: overlaps with fd00::1/64 "
		  "of line 4 on another link: the longer prefix is taken\n");
}

static void
addresses_that_cannot_work_are_refused(void **state)
{
	static const struct {
		const char *port, *line;
	} bad[] = {
		{ "addresses: [10.0.0.1]", "addresses: 10.0.0.1: want an address with prefix" },
		{ "addresses: [10.0.0.1/33]", "addresses: 10.0.0.1/33: want" },
		{ "addresses: [10.0.0/24]", "addresses: 10.0.0/24: want" },
		{ "addresses: [10.0.0.1/024]", "want" },
		{ "addresses: [\"fd00::1/129\"]", "want" },
		{ "addresses: [\"::ffff:10.0.0.1/120\"]", "want" },
		{ "addresses: [10.0.0.0/24]", "want an address that a host can have" },
		{ "addresses: [10.0.0.255/24]", "want an address that a host can have" },
		{ "addresses: [\"fd00::/64\"]", "want an address that a host can have" },
		{ "addresses: [127.0.0.1/8]", "want an address that a host can have" },
		{ "addresses: [224.0.0.1/24]", "want an address that a host can have" },
		{ "addresses: [\"ff02::1/64\"]", "want an address that a host can have" },
		{ "addresses: [10.0.0.1/24, 10.0.0.1/16]",
		  "addresses[1]: 10.0.0.1/16: already given" },
		{ "addresses: [10.0.0.1/24], gateway: 10.0.1.1",
		  "gateway: 10.0.1.1: want an address within a subnet of this port's "
		  "addresses" },
		{ "addresses: [10.0.0.1/24], gateway: 10.0.0.1",
		  "want the address of another host" },
		{ "addresses: [10.0.0.1/24], gateway: \"fd00::1\"", "want an IPv4 address" },
		{ "addresses: [10.0.0.1/24], gateway6: \"fd00::1\"", "want an address within" },
		{ "addresses: [10.0.0.1/24], routes: [{to: 10.9.0.1/16, via: 10.0.0.2}]",
		  "routes[0].to: 10.9.0.1/16: has bits set behind its prefix" },
		{ "addresses: [10.0.0.1/24], routes: [{to: 10.9.0.0/16, via: 10.2.0.2}]",
		  "routes[0].via: 10.2.0.2: want an address within" },
		{ "addresses: [10.0.0.1/24], routes: [{to: \"fd09::/16\", via: 10.0.0.2}]",
		  "want an address of the same family" },
		{ "addresses: [10.0.0.1/24], routes: [{to: 10.9.0.0/16}]",
		  "via: missing: want" },
		{ "addresses: [10.0.0.1/24], mtu: 100", "mtu: 100: want" },
		{ "addresses: [\"fd00::1/64\"], mtu: 1000", "IPv6 needs an mtu of 1280" },
		{ "addresses: [{vlan: 5}]", "addresses[0].address: missing" },
		{ "addresses: [{address: 10.0.0.1/24, vlan: 4095}]", "vlan: 4095: want" },
	};
	char text[512];

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "ports: [{device: a, %s}]\n" LISTEN, bad[i].port);
		must_refuse(text, bad[i].line);
	}
}

static void
backends_that_cannot_be_reached_are_refused(void **state)
{
	static const struct {
		const char *backend, *line;
	} bad[] = {
		{ "10.0.0.2", "want an address and a port" },
		{ "10.0.0.2:0", "want an address and a port" },
		{ "10.0.0.2:65536", "want an address and a port" },
		{ "fd00::2:80", "want an address and a port" },
		{ "[10.0.0.2]:80", "want an address and a port" },
		{ "example.com:80", "want an address and a port" },
		{ "10.0.0.1:80", "backends[0]: 10.0.0.1:80: want the address of another host" },
		{ "[fd00::2]:80", "no port has an IPv6 address to speak from" },
		{ "10.0.1.2:80", "no port's subnets, routes or gateway lead there" },
	};
	char text[512];

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
			 "ports: [{device: a, addresses: [10.0.0.1/24]}]\n"
			 "listeners: [{name: p, port: 80, app: proxy, backends: [\"%s\"]}]\n",
			 bad[i].backend);
		must_refuse(text, bad[i].line);
	}
}

static void
every_mistake_is_told_once_in_the_order_of_lines(void **state)
{
	char said[16384], *second;
	struct sl_config *config;
	const char *text = "ports: [{device: a, addresses: [10.0.0.1/24]}]\n"
			   "listeners: [{name: a, port: 99999, app: echo}]\n"
			   "tcp: {mss: 5}\n"
			   "engine: {drain: x}\n";

	assert_int_equal(parse(text, strlen(text), &config, said, sizeof(said)), -EINVAL);
	assert_memory_equal(said, "t.yaml:2: listeners[0].port", 27);
	second = strchr(said, '\n') + 1;
	assert_memory_equal(second, "t.yaml:3: tcp.mss", 17);
	assert_memory_equal(strchr(second, '\n') + 1, "t.yaml:4: engine.drain", 22);
}

/* Hundreds of mistakes, and control characters in what is shown. */
static void
complaints_are_bounded_and_printable(void **state)
{
	char *text = malloc(1 << 20), said[32768];
	size_t n = sprintf(text, PORT "listeners:\n");
	struct sl_config *config;

	for (int i = 0; i < 250; i++)
		n += sprintf(text + n, "  - {name: \"\\x1b[2J\\n%d\", port: 7, app: echo}\n",
			     i);
	assert_int_equal(parse(text, n, &config, said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "t.yaml: and 230 more\n"));
	for (const char *c = said; *c != '\0'; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	free(text);
}

static char *
read_config(const char *name)
{
	char path[512], *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", config_dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void
shipped_configurations_load(void **state)
{
	static const char *const name[] = { "sluice.yaml", "small.yaml", "routed.yaml",
					    "reference.yaml" };

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		struct sl_config *config;
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", config_dir, name[i]);
		assert_int_equal(sl_conf_load(path, &config, stderr), 0);
		sl_conf_free(config);
	}
}

static void
the_reference_in_the_tree_is_the_one_printed(void **state)
{
	char *want = calloc(1, 65536), *got = read_config("reference.yaml");
	FILE *f = fmemopen(want, 65535, "w");

	sl_conf_reference(f);
	fclose(f);
	if (strcmp(want, got) != 0)
		fail_msg("renew it: build/tests/unit/conf-reference > config/reference.yaml");
	free(want);
	free(got);
}

static void
a_file_that_cannot_be_read_is_named(void **state)
{
	char said[256];
	struct sl_config *config;
	FILE *errors = fmemopen(said, sizeof(said), "w");

	assert_int_equal(sl_conf_load("/nowhere/x.yaml", &config, errors), -ENOENT);
	assert_int_equal(sl_conf_load("/", &config, errors), -EISDIR);
	fclose(errors);
	assert_string_equal(said, "/nowhere/x.yaml: No such file or directory\n"
				  "/: Is a directory\n");
}

/* Parse and forget; only the sanitizers and the asserts inside judge. */
static void
swallow(const char *text, size_t len)
{
	char said[32768], *exact = malloc(len + (len == 0));
	struct sl_config *config;

	memcpy(exact, text, len);
	if (parse(exact, len, &config, said, sizeof(said)) == 0)
		sl_conf_free(config);
	else
		assert_true(said[0] != '\0');
	free(exact);
}

static void
every_truncation_ends_well(void **state)
{
	static const char *const name[] = { "sluice.yaml", "routed.yaml" };

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		char *text = read_config(name[i]);

		for (size_t len = 0; len <= strlen(text); len++)
			swallow(text, len);
		free(text);
	}
}

static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

static void
random_damage_ends_well(void **state)
{
	static const char spice[] = "{}[]:,&*!|>'\"%@`#-? \n\t\\0a";
	char *good = read_config("routed.yaml");
	size_t len = strlen(good);
	uint64_t seed = 1;

	for (int round = 0; round < 1500; round++) {
		char *text = strdup(good);

		for (uint32_t n = 1 + next_random(&seed) % 4; n > 0; n--) {
			bool any = next_random(&seed) % 4 == 0;

			text[next_random(&seed) % len] =
				any ? (char)next_random(&seed)
				    : spice[next_random(&seed) % (sizeof(spice) - 1)];
		}
		swallow(text, len);
		free(text);
	}
	for (int round = 0; round < 1500; round++) {
		char noise[64];
		size_t n = next_random(&seed) % sizeof(noise);

		for (size_t i = 0; i < n; i++)
			noise[i] = round % 2 ? (char)next_random(&seed)
					     : spice[next_random(&seed) % (sizeof(spice) - 1)];
		swallow(noise, n);
	}
	free(good);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_file_gets_every_default),
		cmocka_unit_test(tcp_defaults_are_those_of_the_core),
		cmocka_unit_test(every_default_is_something_one_could_have_written),
		cmocka_unit_test(a_listener_overrides_tcp_for_itself_alone),
		cmocka_unit_test(addresses_vlans_routes_and_gateways_find_their_place),
		cmocka_unit_test(applications_get_their_own_settings_and_the_pattern),
		cmocka_unit_test(a_secret_is_digits_or_a_file_of_them),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(times_sizes_and_booleans_are_strict),
		cmocka_unit_test(unknown_and_repeated_keys_are_refused),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(yaml_beyond_plain_values_is_refused),
		cmocka_unit_test(values_that_clash_are_refused),
		cmocka_unit_test(subnets_that_overlap_are_noted),
		cmocka_unit_test(addresses_that_cannot_work_are_refused),
		cmocka_unit_test(backends_that_cannot_be_reached_are_refused),
		cmocka_unit_test(every_mistake_is_told_once_in_the_order_of_lines),
		cmocka_unit_test(complaints_are_bounded_and_printable),
		cmocka_unit_test(shipped_configurations_load),
		cmocka_unit_test(the_reference_in_the_tree_is_the_one_printed),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(every_truncation_ends_well),
		cmocka_unit_test(random_damage_ends_well),
	};

	config_dir = argc > 1 ? argv[1] : "config";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
