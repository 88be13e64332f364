/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * schema - the table. Defaults are text, taken like the operator's own, so that a default
 * can be nothing he could not have written. Those of tcp: are also sl_tcp_defaults()'s.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sluice/engine.h>

#include "conf/schema.h"
#include "l7/apps.h"

#define K (UINT64_C(1) << 10)
#define G (UINT64_C(1) << 30)
#define S UINT64_C(1000)
#define H (3600 * S)

#define AT(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

#define PORT(name, member) .section = SL_IN_PORT, .key = name, AT(sl_engine_port, member)
#define LISTENER(name, member) \
	.section = SL_IN_LISTENER, .key = name, AT(sl_listener_conf, member)
#define HTTP(name, member)   .section = SL_IN_HTTP, .key = name, AT(sl_http_conf, member)
#define PROXY(name, member)  .section = SL_IN_PROXY, .key = name, AT(sl_proxy_conf, member)
#define TCP(name, member)    .section = SL_IN_TCP, .key = name, AT(sl_tcp_conf, member)
#define ENGINE(name, member) .section = SL_IN_ENGINE, .key = name, AT(sl_engine_conf, member)

#define COUNT(low, high) .kind = SL_KIND_COUNT, .min = low, .max = high
#define BYTES(low, high) .kind = SL_KIND_BYTES, .min = low, .max = high
#define TIME(low, high)  .kind = SL_KIND_TIME, .min = low, .max = high
#define BOOL             .kind = SL_KIND_BOOL
#define WORD(list)       .kind = SL_KIND_WORD, .words = list

/* clang-format off: a table is read by its columns */
const struct sl_field sl_schema[] = {
	{ .section = SL_IN_ROOT,
	  .key = "ports",
	  .kind = SL_KIND_MAPS,
	  .below = SL_IN_PORT,
	  .required = true,
	  .min = 1,
	  .max = SL_PORTS_MAX,
	  .says = "Where packets come and go." },
	{ .section = SL_IN_ROOT,
	  .key = "listeners",
	  .kind = SL_KIND_MAPS,
	  .below = SL_IN_LISTENER,
	  .required = true,
	  .min = 1,
	  .max = SL_LISTENERS_MAX,
	  .says = "What is served, and by which application." },
	{ .section = SL_IN_ROOT,
	  .key = "tcp",
	  .kind = SL_KIND_MAP,
	  .below = SL_IN_TCP,
	  .says = "TCP for all listeners; a listener may say otherwise for itself." },
	{ .section = SL_IN_ROOT,
	  .key = "engine",
	  .kind = SL_KIND_MAP,
	  .below = SL_IN_ENGINE,
	  .says = "Limits of the whole process; workers get equal shares." },

	{ PORT("device", device), .kind = SL_KIND_DEVICE, .required = true,
	  .example = "net_af_packet0",
	  .says = "The port's name in EAL: of a --vdev without its arguments, or a PCI "
		  "address." },
	{ .section = SL_IN_PORT,
	  .key = "vlan",
	  COUNT(1, 4094),
	  .zero = "none",
	  .preset = "none",
	  .says = "VLAN of this port's addresses and routes that do not name their own." },
	{ .section = SL_IN_PORT,
	  .key = "addresses",
	  .kind = SL_KIND_ADDRESSES,
	  .required = true,
	  .below = SL_IN_ADDRESS,
	  .min = 1,
	  .max = SL_PORT_ADDR_MAX,
	  .example = "[10.77.0.1/24, \"fd77::1/64\"]",
	  .says = "Our addresses here and the subnets they lie in; in place of one, "
		  "{address: 10.1.0.1/24, vlan: 7}. Where subnets of several ports or VLANs "
		  "overlap the longer prefix counts; of equal ones the one that a peer came "
		  "by, else the first." },
	{ .section = SL_IN_PORT,
	  .key = "routes",
	  .kind = SL_KIND_MAPS,
	  .below = SL_IN_ROUTE,
	  .max = SL_PORT_ROUTES_MAX - 2,
	  .example = "[{to: 10.80.0.0/16, via: 10.77.0.253}]",
	  .says = "Static routes." },
	{ .section = SL_IN_PORT,
	  .key = "gateway",
	  .kind = SL_KIND_GATEWAY4,
	  .example = "10.77.0.254",
	  .says = "Where IPv4 goes that no route knows." },
	{ .section = SL_IN_PORT,
	  .key = "gateway6",
	  .kind = SL_KIND_GATEWAY6,
	  .example = "\"fd77::fe\"",
	  .says = "Where IPv6 goes that no route knows." },
	{ PORT("mtu", mtu), COUNT(576, 9676), .zero = "auto", .preset = "auto",
	  .says = "Largest IP packet; auto leaves it as the port has it." },
	{ PORT("rx_descriptors", rx_descriptors), COUNT(32, 32768), .zero = "auto",
	  .preset = "auto",
	  .says = "Length of each receive queue; auto is 1024 or what the port allows." },
	{ PORT("tx_descriptors", tx_descriptors), COUNT(32, 32768), .zero = "auto",
	  .preset = "auto", .says = "Length of each transmit queue." },
	{ PORT("promiscuous", promiscuous), BOOL, .preset = "false",
	  .says = "Hear frames for other MAC addresses too; they are dropped and counted." },
	{ PORT("rx_checksum", rx_checksum), BOOL, .preset = "true",
	  .says = "Let the port verify checksums where it can; else software does." },
	{ PORT("tx_checksum", tx_checksum), BOOL, .preset = "true",
	  .says = "Let the port fill in checksums where it can; else software does." },
	{ PORT("steering", steering), WORD("auto rss software"), .preset = "auto",
	  .says = "How a connection's packets find its worker: the port's RSS, trusted or, "
		  "with "
		  "auto, only if it can be read back; or a hash in software." },

	{ .section = SL_IN_ADDRESS,
	  .key = "address",
	  .kind = SL_KIND_SUBNET,
	  .required = true,
	  .example = "10.1.0.1/24",
	  .says = "The address and the length of its prefix." },
	{ .section = SL_IN_ADDRESS,
	  .key = "vlan",
	  COUNT(1, 4094),
	  .zero = "none",
	  AT(sl_ifaddr, vlan),
	  .says = "VLAN it lives in." },

	{ .section = SL_IN_ROUTE,
	  .key = "to",
	  .kind = SL_KIND_SUBNET,
	  .required = true,
	  AT(sl_route, net),
	  .example = "10.80.0.0/16",
	  .says = "The subnet reached." },
	{ .section = SL_IN_ROUTE,
	  .key = "via",
	  .kind = SL_KIND_ADDR,
	  .required = true,
	  AT(sl_route, gateway),
	  .example = "10.77.0.253",
	  .says = "The neighbour that forwards there; it lies in a subnet of this port." },

	{ LISTENER("name", name), .kind = SL_KIND_NAME, .required = true, .example = "web",
	  .says = "What it is called in statistics." },
	{ LISTENER("port", port), COUNT(1, 65535), .required = true, .example = "80",
	  .says = "TCP port." },
	{ LISTENER("address", addr), .kind = SL_KIND_ADDR, .zero = "any", .preset = "any",
	  .says = "One address of ours to listen on." },
	{ .section = SL_IN_LISTENER,
	  .key = "app",
	  .kind = SL_KIND_APP,
	  .required = true,
	  .words = "echo discard chargen http proxy",
	  .example = "http",
	  .says = "What answers." },
	{ LISTENER("connections", connections), COUNT(1, 67108864), .zero = "auto",
	  .preset = "auto", .says = "Most connections at once; auto is the engine's limit." },
	{ LISTENER("backlog", backlog), COUNT(1, 1048576), .preset = "1024",
	  .says = "Half-open connections before cookies are used or SYNs dropped." },

	{ HTTP("body", body_bytes), BYTES(0, 1024 * G), .preset = "1k",
	  .says = "Length of the answer to any path but /bytes/N." },
	{ HTTP("head_max", head_max), BYTES(256, 64 * K), .preset = "8k",
	  .says = "Longest request line and headers together." },
	{ HTTP("first_byte_timeout", first_byte_ms), TIME(1, H), .zero = "off", .preset = "10s",
	  .says = "From the opening to the first byte of a request." },
	{ HTTP("head_timeout", head_ms), TIME(1, H), .zero = "off", .preset = "10s",
	  .says = "From its first byte to the end of its headers." },
	{ HTTP("idle_timeout", idle_ms), TIME(1, 24 * H), .zero = "off", .preset = "60s",
	  .says = "Between two requests of one connection." },
	{ HTTP("linger", linger_ms), TIME(1, H), .preset = "5s",
	  .says = "After our FIN, for the client to send its own." },

	{ .section = SL_IN_PROXY,
	  .key = "backends",
	  .kind = SL_KIND_BACKENDS,
	  .required = true,
	  .min = 1,
	  .max = SL_BACKENDS_MAX,
	  .example = "[\"10.77.0.2:8000\", \"[fd77::2]:8000\"]",
	  .says = "Where connections are passed on to, in turn." },
	{ PROXY("connect_timeout", connect_ms), TIME(1, H), .preset = "3s",
	  .says = "For a backend to answer." },
	{ PROXY("idle_timeout", idle_ms), TIME(1, 24 * H), .zero = "off", .preset = "5m",
	  .says = "Without a byte either way." },
	{ PROXY("on_error", reset_on_error), WORD("close reset"), .preset = "reset",
	  .says = "What becomes of the client when the backend refuses, is silent or resets." },
	{ PROXY("try_next", try_next), BOOL, .preset = "true",
	  .says = "Try the other backends, each once, when one refuses or is silent." },

	{ TCP("cookies", cookies), WORD("auto always never"), .preset = "auto",
	  .says = "SYN cookies: when the backlog is full, for every SYN, or not at all." },
	{ TCP("rcvbuf", rcvbuf), BYTES(2 * K, G), .preset = "4M",
	  .says = "Most bytes received that a connection may hold; bounds the window." },
	{ TCP("rcvbuf_initial", rcvbuf_initial), BYTES(2 * K, G), .preset = "64k",
	  .says = "What it begins with, rcvbuf at most; doubled when half is taken in an "
		  "RTT." },
	{ TCP("sndbuf", sndbuf), BYTES(2 * K, G), .preset = "256k",
	  .says = "Bytes unacknowledged that a connection may hold." },
	{ TCP("congestion", congestion), WORD("cubic newreno"), .preset = "cubic",
	  .says = "Congestion control: CUBIC (RFC 9438) or NewReno (RFC 5681, 6582)." },
	{ TCP("mss", mss), COUNT(88, 9636), .zero = "auto", .preset = "auto",
	  .says = "Most bytes of a segment, offered and sent; auto is what the path carries." },
	{ TCP("msl", msl_ms), TIME(1, 10 * 60 * S), .preset = "30s",
	  .says = "Longest life of a segment; TIME-WAIT lasts twice this." },
	{ TCP("rto_min", rto_min_ms), TIME(1, 60 * S), .preset = "200ms",
	  .says = "Shortest retransmission time-out." },
	{ TCP("rto_max", rto_max_ms), TIME(S, 10 * 60 * S), .preset = "60s",
	  .says = "Longest retransmission time-out." },
	{ TCP("delayed_ack", delayed_ack_ms), TIME(1, 500), .preset = "40ms",
	  .says = "How long an ACK may wait for company (RFC 1122: at most half a second)." },
	{ TCP("quick_acks", quick_acks), COUNT(1, 7), .zero = "off", .preset = "7",
	  .says = "Full segments, first ones and behind a loss, whose ACK does not wait." },
	{ TCP("syn_timeout", syn_timeout_ms), TIME(100, H), .preset = "3m",
	  .says = "Until a handshake that gets no answer is given up." },
	{ TCP("user_timeout", user_timeout_ms), TIME(S, 24 * H), .preset = "5m",
	  .says = "Until a connection whose bytes are not acknowledged is given up." },
	{ TCP("fin_wait", fin_wait_ms), TIME(S, H), .preset = "60s",
	  .says = "How long a connection closed by us waits for the other side's FIN." },
	{ TCP("keepalive", keepalive_ms), TIME(S, 168 * H), .zero = "off", .preset = "off",
	  .says = "Silence before the first keep-alive probe." },
	{ TCP("keepalive_interval", keepalive_interval_ms), TIME(100, 24 * H), .preset = "75s",
	  .says = "Between two probes." },
	{ TCP("keepalive_probes", keepalive_probes), COUNT(1, 100), .preset = "9",
	  .says = "Probes without an answer before the connection is given up." },
	{ TCP("nagle", nagle), BOOL, .preset = "true",
	  .says = "Hold a small segment back while another is on its way." },
	{ TCP("sack", sack), BOOL, .preset = "true",
	  .says = "Selective acknowledgements (RFC 2018)." },
	{ TCP("timestamps", timestamps), BOOL, .preset = "true",
	  .says = "Timestamps and PAWS (RFC 7323)." },
	{ TCP("window_scaling", window_scaling), BOOL, .preset = "true",
	  .says = "Windows above 64 kB (RFC 7323)." },
	{ TCP("ttl", ttl), COUNT(1, 255), .preset = "64",
	  .says = "TTL or hop limit of what we send." },
	{ TCP("dscp", tos), .kind = SL_KIND_DSCP, .max = 63, .preset = "0",
	  .says = "Differentiated services code point of what we send." },

	{ ENGINE("connections", connections), COUNT(1024, 67108864), .preset = "200000",
	  .says = "Most connections at once, half-open ones included." },
	{ ENGINE("active", active), COUNT(64, 67108864), .zero = "auto", .preset = "auto",
	  .says = "Most connections that repair a loss or hold gaps at once, and most that "
		  "remember one; auto is an eighth of connections." },
	{ ENGINE("time_wait", time_wait), COUNT(1024, 134217728), .zero = "auto",
	  .preset = "auto",
	  .says = "Most connections remembered in TIME-WAIT; auto is as many as "
		  "connections." },
	{ ENGINE("buffers", buffers), COUNT(1024, 67108864), .zero = "auto", .preset = "auto",
	  .says = "Packet buffers in all; auto is derived from the rest." },
	{ ENGINE("neighbours", neighbours), COUNT(16, 1048576), .preset = "4096",
	  .says = "Most neighbours remembered." },
	{ ENGINE("drain", drain_ms), TIME(1, H), .zero = "off", .preset = "5s",
	  .says = "After SIGTERM, how long connections may go on before they are reset." },
	{ ENGINE("cluster_secret", cluster_secret), .kind = SL_KIND_SECRET,
	  .example = "/etc/sluice/secret",
	  .says = "What machines share that accept each other's cookies; random without it." },
};
/* clang-format on */

const unsigned int sl_schema_rows = sizeof(sl_schema) / sizeof(sl_schema[0]);

const struct sl_field *
sl_schema_find(enum sl_section section, const char *key)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++)
		if (sl_schema[i].section == section && strcmp(sl_schema[i].key, key) == 0)
			return &sl_schema[i];
	return NULL;
}

static int
say_bytes(char *text, size_t size, uint64_t bytes)
{
	static const char unit[] = " kMGT";
	unsigned int i = 0;

	while (bytes >= K && bytes % K == 0 && i < 3) {
		bytes /= K;
		i++;
	}
	return snprintf(text, size, i > 0 ? "%" PRIu64 "%c" : "%" PRIu64, bytes, unit[i]);
}

static int
say_time(char *text, size_t size, uint64_t ms)
{
	if (ms % S != 0 || ms == 0)
		return snprintf(text, size, "%" PRIu64 "ms", ms);
	if (ms % H == 0)
		return snprintf(text, size, "%" PRIu64 "h", ms / H);
	if (ms % (60 * S) == 0)
		return snprintf(text, size, "%" PRIu64 "m", ms / (60 * S));
	return snprintf(text, size, "%" PRIu64 "s", ms / S);
}

/* "auto rss software" as "auto, rss or software". */
static void
say_words(char *text, size_t size, const char *words)
{
	const char *last = strrchr(words, ' ');
	size_t used = 0;

	for (const char *c = words; *c != '\0' && used + 6 < size; c++) {
		if (*c == ' ')
			used += sprintf(text + used, "%s", c == last ? " or " : ", ");
		else
			text[used++] = *c;
	}
	text[used] = '\0';
}

static const char *
say_kind(const struct sl_field *field, char *scratch, size_t size)
{
	char low[24], high[24];

	switch ((enum sl_value_kind)field->kind) {
	case SL_KIND_COUNT:
	case SL_KIND_DSCP:
		snprintf(scratch, size, "a whole number from %" PRIu64 " to %" PRIu64,
			 field->min, field->max);
		return scratch;
	case SL_KIND_BYTES:
		say_bytes(low, sizeof(low), field->min);
		say_bytes(high, sizeof(high), field->max);
		snprintf(scratch, size, "bytes (as 4096, 64k, 1M) from %s to %s", low, high);
		return scratch;
	case SL_KIND_TIME:
		say_time(low, sizeof(low), field->min);
		say_time(high, sizeof(high), field->max);
		snprintf(scratch, size, "a time (as 200ms, 5s, 2m, 1h) from %s to %s", low,
			 high);
		return scratch;
	case SL_KIND_MAPS:
		snprintf(scratch, size, "a list of at most %" PRIu64 " maps", field->max);
		return scratch;
	case SL_KIND_WORD:
	case SL_KIND_APP:
		say_words(scratch, size, field->words);
		return scratch;
	case SL_KIND_ADDRESSES:
		snprintf(scratch, size, "a list of at most %" PRIu64 " addresses with prefix",
			 field->max);
		return scratch;
	case SL_KIND_BACKENDS:
		snprintf(scratch, size,
			 "a list of at most %" PRIu64 " of 192.0.2.1:80 or [2001:db8::1]:80",
			 field->max);
		return scratch;
	case SL_KIND_BOOL:
		return "true or false";
	case SL_KIND_NAME:
		return "1 to 31 letters, digits, - and _";
	case SL_KIND_DEVICE:
		return "1 to 63 printable characters without spaces";
	case SL_KIND_ADDR:
		return "an address";
	case SL_KIND_SUBNET:
		return "an address with prefix, as 10.0.0.1/24 or fd00::1/64";
	case SL_KIND_GATEWAY4:
		return "an IPv4 address";
	case SL_KIND_GATEWAY6:
		return "an IPv6 address";
	case SL_KIND_SECRET:
		return "32 hexadecimal digits or the absolute path of a file with them";
	case SL_KIND_MAP:
		return "a map of keys";
	}
	return "something else";
}

void
sl_schema_wants(const struct sl_field *field, char *text, size_t size)
{
	char scratch[160];
	const char *kind = say_kind(field, scratch, sizeof(scratch));

	if (field->zero != NULL)
		snprintf(text, size, "%s, or %s", kind, field->zero);
	else
		snprintf(text, size, "%s", kind);
}
