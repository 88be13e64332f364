/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command - one small function a word; the tables at the end say which.
 */
#include "command.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "l7/apps.h"

struct call {
	struct world *w;
	struct peer *peer;
	char *const *word; /* word[0] is the command */
	int n;
};

static int64_t
number(const struct call *call, const char *word)
{
	int64_t v = 0;

	if (word == NULL || !script_number(word, call->w->v6, &v))
		world_wrong(call->w, "want a number, not `%s`", word ? word : "nothing");
	return v;
}

static int64_t
number_at(const struct call *call, int i)
{
	return number(call, i < call->n ? call->word[i] : NULL);
}

/* A setting: a number of @size bytes at @offset of some struct. */
struct setting {
	const char *name;
	size_t offset, size;
};

#define TCP(field, name)                                            \
	{                                                           \
		name, offsetof(struct sl_listener_conf, tcp.field), \
			sizeof(((struct sl_tcp_conf *)0)->field)    \
	}
static const struct setting listener_settings[] = {
	TCP(rcvbuf, "rcvbuf"),
	TCP(rcvbuf_initial, "rcvbuf_initial"),
	TCP(sndbuf, "sndbuf"),
	TCP(msl_ms, "msl"),
	TCP(rto_min_ms, "rto_min"),
	TCP(rto_max_ms, "rto_max"),
	TCP(delayed_ack_ms, "delayed_ack"),
	TCP(quick_acks, "quick_acks"),
	TCP(syn_timeout_ms, "syn_timeout"),
	TCP(user_timeout_ms, "user_timeout"),
	TCP(fin_wait_ms, "fin_wait"),
	TCP(keepalive_ms, "keepalive"),
	TCP(keepalive_interval_ms, "keepalive_interval"),
	TCP(keepalive_probes, "keepalive_probes"),
	TCP(mss, "mss"),
	TCP(ttl, "ttl"),
	TCP(tos, "tos"),
	TCP(nagle, "nagle"),
	TCP(sack, "sack"),
	TCP(timestamps, "timestamps"),
	TCP(window_scaling, "wscale"),
	{ "connections", offsetof(struct sl_listener_conf, connections), sizeof(uint32_t) },
	{ "backlog", offsetof(struct sl_listener_conf, backlog), sizeof(uint32_t) },
	{ NULL, 0, 0 },
};

#define CORE(field)                                               \
	{                                                         \
#field, offsetof(struct sl_core_conf, field),     \
			sizeof(((struct sl_core_conf *)0)->field) \
	}
static const struct setting core_settings[] = {
	CORE(connections),
	CORE(active),
	CORE(time_wait),
	CORE(spans),
	CORE(rx_buffers),
	{ "mtu", offsetof(struct sl_core_conf, net.port[0].mtu), sizeof(uint16_t) },
	{ "vlan", offsetof(struct sl_core_conf, net.port[0].addr[0].vlan), sizeof(uint16_t) },
	{ NULL, 0, 0 },
};

static const struct setting end_settings[] = {
	{ "rport", offsetof(struct peer, ends.rport), sizeof(uint16_t) },
	{ "lport", offsetof(struct peer, ends.lport), sizeof(uint16_t) },
	{ "isn", offsetof(struct peer, isn), sizeof(uint32_t) },
	{ NULL, 0, 0 },
};

/* The value behind `=` in @word if @word is @name=value, or NULL. */
static const char *
value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static void
store(void *base, const struct setting *s, int64_t v)
{
	uint8_t *at = (uint8_t *)base + s->offset;

	if (s->size == 1)
		*at = v;
	else if (s->size == 2)
		memcpy(at, &(uint16_t){ v }, 2);
	else
		memcpy(at, &(uint32_t){ v }, 4);
}

static bool
set(const struct call *call, void *base, const struct setting *known, const char *word)
{
	for (; known->name != NULL; known++) {
		const char *value = value_of(word, known->name);

		if (value != NULL) {
			store(base, known, number(call, value));
			return true;
		}
	}
	return world_wrong(call->w, "no such setting: %s", word);
}

static bool
set_cookies(const struct call *call, struct sl_listener_conf *l, const char *value)
{
	static const char *const modes[] = { [SL_COOKIES_AUTO] = "auto",
					     [SL_COOKIES_ALWAYS] = "always",
					     [SL_COOKIES_NEVER] = "never" };

	for (int i = 0; i < 3; i++)
		if (strcmp(value, modes[i]) == 0) {
			l->tcp.cookies = i;
			return true;
		}
	return world_wrong(call->w, "cookies are auto, always or never");
}

static bool
set_congestion(const struct call *call, struct sl_listener_conf *l, const char *value)
{
	static const char *const names[] = {
		[SL_CONGESTION_CUBIC] = "cubic", [SL_CONGESTION_NEWRENO] = "newreno"
	};

	for (int i = 0; i < SL_CONGESTION_COUNT; i++)
		if (strcmp(value, names[i]) == 0) {
			l->tcp.congestion = i;
			return true;
		}
	return world_wrong(call->w, "cc is cubic or newreno");
}

/* One of the applications of lib/l7 instead of the script's own. */
static bool
set_app(const struct call *call, struct sl_listener_conf *l, const char *value)
{
	static char lines[8192];
	static struct sl_http_conf http = { .body_bytes = 100, .head_max = 1000 };
	static struct sl_chargen_conf chargen;

	http.pattern.data = chargen.pattern.data = lines;
	http.pattern.bytes = chargen.pattern.bytes = sl_pattern_fill(lines, sizeof(lines));
	if (strcmp(value, "echo") == 0) {
		l->app = &sl_echo;
	} else if (strcmp(value, "discard") == 0) {
		l->app = &sl_discard;
	} else if (strcmp(value, "chargen") == 0) {
		l->app = &sl_chargen;
		l->arg = &chargen;
	} else if (strcmp(value, "http") == 0) {
		l->app = &sl_http;
		l->arg = &http;
	} else if (strcmp(value, "script") != 0) {
		return world_wrong(call->w, "no such application");
	}
	return true;
}

static bool
listen_on(const struct call *call, uint16_t port, int first)
{
	struct sl_core_conf *conf = call->w->conf;
	struct sl_listener_conf *l = &conf->listener[conf->n_listeners++];

	memset(l, 0, sizeof(*l));
	memcpy(l->name, "script", 7);
	l->port = port;
	l->backlog = 16;
	sl_tcp_defaults(&l->tcp);
	if (call->w->newreno)
		l->tcp.congestion = SL_CONGESTION_NEWRENO;
	for (int i = first; i < call->n; i++) {
		const char *cookies = value_of(call->word[i], "cookies");
		const char *app = value_of(call->word[i], "app");
		const char *cc = value_of(call->word[i], "cc");
		bool good = cookies != NULL ? set_cookies(call, l, cookies)
			    : app != NULL   ? set_app(call, l, app)
			    : cc != NULL    ? set_congestion(call, l, cc)
					    : set(call, l, listener_settings, call->word[i]);

		if (!good)
			return false;
	}
	return true;
}

/* listen PORT [cookies=auto|always|never] [setting=N ...] */
static bool
do_listen(const struct call *call)
{
	return listen_on(call, number_at(call, 1), 2);
}

/* group [setting=N ...]: what connections we open are configured with */
static bool
do_group(const struct call *call)
{
	return listen_on(call, 0, 1);
}

static bool
do_core(const struct call *call)
{
	for (int i = 1; i < call->n; i++)
		if (!set(call, call->w->conf, core_settings, call->word[i]))
			return false;
	return true;
}

/* peer N ends [rport=] [lport=] [isn=] [host=PEER: the same machine as that one] */
static bool
do_ends(const struct call *call)
{
	for (int i = 1; i < call->n; i++) {
		const char *host = value_of(call->word[i], "host");

		if (host != NULL) {
			const struct peer *other = &call->w->peer[number(call, host) - 1];

			call->peer->ends.peer = other->ends.peer;
			memcpy(call->peer->ends.peer_mac, other->ends.peer_mac, 6);
		} else if (!set(call, call->peer, end_settings, call->word[i])) {
			return false;
		}
	}
	return true;
}

/* only v4|v6: run.c has looked at it */
static bool
do_only(const struct call *call)
{
	return true;
}

/* deaf [off]: nobody answers ARP and neighbour discovery */
static bool
do_deaf(const struct call *call)
{
	call->w->deaf = call->n == 1;
	return true;
}

/* room N: packets a step may make */
static bool
do_room(const struct call *call)
{
	call->w->room = number_at(call, 1);
	return true;
}

static int
errno_named(const char *name)
{
	static const struct {
		const char *name;
		int rc;
	} names[] = { { "EADDRNOTAVAIL", -EADDRNOTAVAIL },
		      { "EHOSTUNREACH", -EHOSTUNREACH },
		      { "ENOMEM", -ENOMEM },
		      { "EINVAL", -EINVAL },
		      { "ESHUTDOWN", -ESHUTDOWN } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].rc;
	return 1;
}

/* connect [timeout=MS] [to=group] [fails ERROR] */
static bool
do_connect(const struct call *call)
{
	struct peer *peer = call->peer;
	struct sl_addr remote = peer->ends.peer;
	struct sl_connect to = { .remote = &remote,
				 .rport = peer->ends.rport,
				 .lport = peer->ends.lport };
	int want = 0, rc;

	for (int i = 1; i < call->n; i++) {
		const char *timeout = value_of(call->word[i], "timeout");

		if (timeout != NULL)
			to.timeout_ms = number(call, timeout);
		else if (strcmp(call->word[i], "to=group") == 0)
			remote.b[call->w->v6 ? 0 : 12] = call->w->v6 ? 0xff : 239;
		else if (strcmp(call->word[i], "to=nowhere") == 0)
			remote.b[call->w->v6 ? 1 : 13] ^= 0x40;
		else if (strcmp(call->word[i], "fails") == 0 && i + 1 < call->n)
			want = errno_named(call->word[++i]);
		else
			return world_wrong(call->w, "connect what? `%s`", call->word[i]);
	}
	rc = sl_core_connect(call->w->core, call->w->now, 0, &to, &peer->ref);
	if (rc != want)
		return world_unmet(call->w, "sl_core_connect: %s",
				   rc ? strerror(-rc) : "worked");
	peer->open = rc == 0;
	return true;
}

static bool
do_app(const struct call *call)
{
	if (call->n < 2)
		return world_wrong(call->w, "app what?");
	if (app_is_command(call->word + 1, call->n - 1))
		return app_do(call->peer, call->word + 1, call->n - 1);
	return app_claim(call->peer, call->word + 1, call->n - 1);
}

/* state NAME|none */
static bool
do_state(const struct call *call)
{
	struct sl_tuple tuple = peer_tuple(call->peer);
	const char *is = sl_core_state(call->w->core, &tuple, NULL);
	const char *want = call->n == 2 ? call->word[1] : "";

	if (strcmp(is ? is : "none", want) == 0)
		return true;
	return world_unmet(call->w, "the state is %s", is ? is : "none");
}

static bool
claim_count(const struct call *call, const char *name, uint64_t is, int64_t want)
{
	return (int64_t)is == want || world_unmet(call->w, "%s is %lld", name, (long long)is);
}

/* counter NAME N */
static bool
do_counter(const struct call *call)
{
	for (int i = 0; i < SL_CNT_COUNT && call->n == 3; i++)
		if (strcmp(call->word[1], sl_counter_name(i)) == 0)
			return claim_count(call, call->word[1],
					   sl_core_stats(call->w->core)->count[i],
					   number_at(call, 2));
	return world_wrong(call->w, "no such counter");
}

/* fate NAME N */
static bool
do_fate(const struct call *call)
{
	for (int i = 0; i < SL_FATE_COUNT && call->n == 3; i++)
		if (strcmp(call->word[1], sl_fate_name(i)) == 0)
			return claim_count(call, call->word[1],
					   sl_core_stats(call->w->core)->fate[i],
					   number_at(call, 2));
	return world_wrong(call->w, "no such fate");
}

/* live N */
static bool
do_live(const struct call *call)
{
	return claim_count(call, "live", sl_core_stats(call->w->core)->count[SL_CNT_live],
			   number_at(call, 1));
}

static bool
do_quiet(const struct call *call)
{
	return call->w->n_claimed == call->w->n_sent ||
	       world_unmet(call->w, "%u segments were sent",
			   call->w->n_sent - call->w->n_claimed);
}

/* new [isn=N|+N]: the tuple again, by another connection of the peer's */
static bool
do_new(const struct call *call)
{
	const char *isn = call->n > 1 ? value_of(call->word[1], "isn") : NULL;
	bool later = isn != NULL && *isn == '+';
	uint32_t n = isn == NULL ? call->peer->isn + 1000000 : number(call, isn + later);

	peer_renew(call->peer, later ? call->peer->isn + n : n);
	return true;
}

/* < icmp KIND [mtu=N] [seq=N] [lport=N] [badsum] */
static bool
do_icmp(const struct call *call)
{
	struct icmp icmp = { .mtu = 0 };
	const char *value;

	if (call->n < 2 || strlen(call->word[1]) >= sizeof(icmp.kind))
		return world_wrong(call->w, "icmp what?");
	strcpy(icmp.kind, call->word[1]);
	for (int i = 2; i < call->n; i++) {
		if ((value = value_of(call->word[i], "mtu")) != NULL) {
			icmp.mtu = number(call, value);
		} else if ((value = value_of(call->word[i], "seq")) != NULL) {
			icmp.seq = number(call, value);
			icmp.has_seq = true;
		} else if ((value = value_of(call->word[i], "lport")) != NULL) {
			icmp.lport = number(call, value);
			icmp.has_lport = true;
		} else if (strcmp(call->word[i], "badsum") == 0) {
			icmp.badsum = true;
		} else {
			return world_wrong(call->w, "icmp has no `%s`", call->word[i]);
		}
	}
	return peer_icmp(call->peer, &icmp);
}

/* raw HEX: a frame as it is */
static bool
do_raw(const struct call *call)
{
	const char *hex = call->n == 2 ? call->word[1] : "";
	uint8_t frame[PKT_TEXT_MAX];
	char byte[3] = "";
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		memcpy(byte, hex, 2);
		frame[n++] = strtoul(byte, NULL, 16);
	}
	return world_hold(call->w, frame, n, 0);
}

/* event drain|kill|clock MS|met: the peer is known as a neighbour */
static bool
do_event(const struct call *call)
{
	struct sl_event event = { .kind = SL_EVENT_DRAIN };
	const char *what = call->n > 1 ? call->word[1] : "";

	if (strcmp(what, "kill") == 0)
		event.kind = SL_EVENT_KILL;
	else if (strcmp(what, "clock") == 0) {
		event.kind = SL_EVENT_CLOCK;
		event.tai_ms = call->w->conf->tai_ms + number_at(call, 2);
	} else if (strcmp(what, "met") == 0) {
		event.kind = SL_EVENT_NEIGHBOUR;
		event.neighbour.addr = call->peer->ends.peer;
		memcpy(event.neighbour.mac, call->peer->ends.peer_mac, 6);
		event.neighbour.reachable = true;
	} else if (strcmp(what, "drain") != 0)
		return world_wrong(call->w, "event drain, kill, clock or met");
	sl_core_event(call->w->core, call->w->now, &event);
	return true;
}

struct command {
	const char *name;
	bool (*run)(const struct call *call);
};

static const struct command settings[] = {
	{ "listen", do_listen }, { "group", do_group }, { "core", do_core },
	{ "ends", do_ends },     { "only", do_only },   { NULL, NULL },
};

static const struct command commands[] = {
	{ "connect", do_connect }, { "app", do_app },     { "state", do_state },
	{ "counter", do_counter }, { "fate", do_fate },   { "live", do_live },
	{ "quiet", do_quiet },     { "new", do_new },     { "icmp", do_icmp },
	{ "raw", do_raw },         { "event", do_event }, { "deaf", do_deaf },
	{ "only", do_only },       { "room", do_room },   { NULL, NULL },
};

static const struct command *
find(const struct command *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

bool
command_is_setting(const struct line *line)
{
	return line->kind == LINE_WORDS && find(settings, line->word[0]) != NULL;
}

bool
command_run(struct world *w, const struct line *line)
{
	struct call call = { w, &w->peer[line->peer - 1], line->word, line->n_words };
	const struct command *c = find(w->core ? commands : settings, line->word[0]);

	if (c == NULL)
		return world_wrong(w, "the runner knows no `%s`, or not here", line->word[0]);
	return c->run(&call) && w->why[0] == '\0';
}
