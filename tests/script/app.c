/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * app - an application that does what the script says and remembers what it was told.
 *
 * It takes all data unless told to hold, checks every byte against what the peer wrote,
 * and complains when the core breaks the order of callbacks that <sluice/app.h> promises.
 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

static const char *const reasons[SL_REASON_COUNT] = {
	[SL_REASON_FIN] = "fin",
	[SL_REASON_RESET] = "reset",
	[SL_REASON_REFUSED] = "refused",
	[SL_REASON_TIMEOUT] = "timeout",
	[SL_REASON_UNREACHABLE] = "unreachable",
	[SL_REASON_ABORTED] = "aborted",
	[SL_REASON_KILLED] = "killed",
	[SL_REASON_PRESSURE] = "pressure",
};

static const char *const whats[APP_WHATS] = {
	[APP_OPENED] = "opened",   [APP_WRITABLE] = "writable",
	[APP_STALLED] = "stalled", [APP_PEER_CLOSED] = "peer_closed",
	[APP_TIMER] = "timer",     [APP_CLOSED] = "closed",
};

static struct world *
world_of(struct sl_conn *c)
{
	return *(struct world *const *)sl_listener_arg(c);
}

static struct peer *
peer_of(struct sl_conn *c)
{
	struct world *w = world_of(c);
	struct sl_addr addr;
	uint16_t port;

	sl_conn_remote(c, &addr, &port);
	for (int i = 0; i < PEERS_MAX; i++)
		if (w->peer[i].ends.rport == port && sl_addr_eq(&w->peer[i].ends.peer, &addr))
			return &w->peer[i];
	world_wrong(w, "a callback about a connection with nobody");
	return &w->peer[0];
}

static void
remember(struct peer *peer, enum app_what what, enum sl_reason why)
{
	struct world *w = peer->world;

	if (what != APP_OPENED && !peer->open)
		world_wrong(w, "%s was called on a connection that is not open", whats[what]);
	if (w->n_events == EVENTS_MAX)
		world_wrong(w, "too many callbacks");
	else
		w->event[w->n_events++] =
			(struct event){ .peer = peer->id, .what = what, .reason = why };
}

static bool do_words(struct peer *peer, struct sl_conn *c, char *const *word, int n);

static void
obey(struct peer *peer, struct sl_conn *c, const char *when)
{
	for (int i = 0; i < peer->n_rules; i++)
		if (strcmp(peer->rule[i].when, when) == 0)
			do_words(peer, c, peer->rule[i].word, peer->rule[i].n_words);
}

static bool
refuses(const struct peer *peer)
{
	for (int i = 0; i < peer->n_rules; i++)
		if (strcmp(peer->rule[i].when, "open") == 0 &&
		    strcmp(peer->rule[i].word[0], "refuse") == 0)
			return true;
	return false;
}

static int
on_open(struct sl_conn *c)
{
	struct peer *peer = peer_of(c);

	if (refuses(peer))
		return -1;
	if (peer->opened)
		world_wrong(peer->world, "open was called twice");
	peer->ref = sl_conn_ref(c);
	peer->open = peer->opened = true;
	remember(peer, APP_OPENED, 0);
	obey(peer, c, "open");
	return 0;
}

/* Copy what is new of @in and hold it against what the peer wrote. */
static void
take_down(struct peer *peer, const struct sl_chain *in)
{
	uint32_t fresh = in->bytes - peer->offered;
	struct stream *got = &peer->got;

	if (in->bytes < peer->offered || got->n + fresh > STREAM_MAX) {
		world_wrong(peer->world, "data was offered %u bytes, %u of them old", in->bytes,
			    peer->offered);
		return;
	}
	if (sl_chain_copy(in, peer->offered, got->data + got->n, fresh) != fresh)
		world_wrong(peer->world, "the chain is shorter than it says");
	for (uint32_t i = got->n; i < got->n + fresh; i++) {
		uint8_t right = peer->said[i] ? peer->out.data[i] : pattern_in(i);

		if (got->data[i] != right)
			world_wrong(peer->world,
				    "byte %u reached the application as %02x, not %02x", i + 1,
				    got->data[i], right);
	}
	got->n += fresh;
}

static uint32_t
on_data(struct sl_conn *c, const struct sl_chain *in)
{
	struct peer *peer = peer_of(c);
	uint32_t take = in->bytes;

	if (!peer->open || in->bytes == 0)
		world_wrong(peer->world, "data was called with nothing, or too early or late");
	take_down(peer, in);
	if (take > peer->taking)
		take = peer->taking;
	if (peer->echo)
		take = sl_send_chain(c, in, 0, take);
	if (peer->taking != UINT64_MAX)
		peer->taking -= take;
	peer->offered = in->bytes - take;
	obey(peer, c, "data");
	return take;
}

static void
on_writable(struct sl_conn *c)
{
	struct peer *peer = peer_of(c);

	remember(peer, APP_WRITABLE, 0);
	if (peer->echo)
		sl_resume(c);
	obey(peer, c, "writable");
}

static void
on_stalled(struct sl_conn *c)
{
	struct peer *peer = peer_of(c);

	remember(peer, APP_STALLED, 0);
	obey(peer, c, "stalled");
}

static void
on_peer_closed(struct sl_conn *c)
{
	struct peer *peer = peer_of(c);

	remember(peer, APP_PEER_CLOSED, 0);
	obey(peer, c, "peer_closed");
}

static void
on_timer(struct sl_conn *c)
{
	struct peer *peer = peer_of(c);

	remember(peer, APP_TIMER, 0);
	obey(peer, c, "timer");
}

static void
on_closed(struct sl_conn *c, enum sl_reason why)
{
	struct peer *peer = peer_of(c);

	remember(peer, APP_CLOSED, why);
	obey(peer, c, "closed");
	peer->open = false;
}

const struct sl_app script_app = {
	.name = "script",
	.state_bytes = 8,
	.opens = &script_app,
	.open = on_open,
	.data = on_data,
	.writable = on_writable,
	.stalled = on_stalled,
	.peer_closed = on_peer_closed,
	.timer = on_timer,
	.closed = on_closed,
};

/* A number of this family, or @otherwise where the word is missing. */
static int64_t
number_at(struct peer *peer, char *const *word, int n, int i, int64_t otherwise)
{
	int64_t v = otherwise;

	if (i < n && !script_number(word[i], peer->world->v6, &v))
		world_wrong(peer->world, "want a number, not `%s`", word[i]);
	return v;
}

/* The bytes meant by word @i: a number, or a text's length. */
static uint32_t
amount(struct peer *peer, char *const *word, int n, int i)
{
	if (i < n && word[i][0] == '"')
		return strlen(word[i] + 1);
	return number_at(peer, word, n, i, 0);
}

/* send N|"text" [accepts M] */
static bool
do_send(struct peer *peer, struct sl_conn *c, char *const *word, int n)
{
	struct stream *sent = &peer->sent;
	uint32_t len, wanted, took;

	if (n < 2)
		return world_wrong(peer->world, "send what?");
	len = amount(peer, word, n, 1);
	wanted = n == 4 ? number_at(peer, word, n, 3, 0) : len;
	if (sent->n + len > STREAM_MAX)
		return world_wrong(peer->world, "more than the runner keeps");
	for (uint32_t i = 0; i < len; i++)
		sent->data[sent->n + i] =
			word[1][0] == '"' ? (uint8_t)word[1][1 + i] : pattern_out(sent->n + i);
	took = sl_send(c, sent->data + sent->n, len);
	sent->n += took;
	if (took != wanted)
		return world_unmet(peer->world, "sl_send accepted %u of %u", took, len);
	return true;
}

static bool
do_rule(struct peer *peer, char *const *word, int n)
{
	if (n < 3 || peer->n_rules == RULES_MAX)
		return world_wrong(peer->world, "want: on WHEN COMMAND ...");
	peer->rule[peer->n_rules++] =
		(struct rule){ .when = word[1], .word = word + 2, .n_words = n - 2 };
	return true;
}

static bool
do_words(struct peer *peer, struct sl_conn *c, char *const *word, int n)
{
	if (strcmp(word[0], "send") == 0)
		return do_send(peer, c, word, n);
	if (strcmp(word[0], "hold") == 0)
		peer->taking = 0;
	else if (strcmp(word[0], "take") == 0) {
		peer->taking = n > 1 ? (uint64_t)number_at(peer, word, n, 1, 0) : UINT64_MAX;
		sl_resume(c);
	} else if (strcmp(word[0], "echo") == 0)
		peer->echo = true;
	else if (strcmp(word[0], "shutdown") == 0)
		sl_shutdown(c);
	else if (strcmp(word[0], "close") == 0)
		sl_close(c);
	else if (strcmp(word[0], "abort") == 0)
		sl_abort(c);
	else if (strcmp(word[0], "timer") == 0)
		sl_timer(c, number_at(peer, word, n, 1, 0));
	else if (strcmp(word[0], "nodelay") == 0)
		sl_nodelay(c, n < 2 || strcmp(word[1], "off") != 0);
	else if (strcmp(word[0], "tos") == 0)
		sl_tos(c, number_at(peer, word, n, 1, 0));
	else if (strcmp(word[0], "ttl") == 0)
		sl_ttl(c, number_at(peer, word, n, 1, 0));
	return true;
}

bool
app_is_command(char *const *word, int n)
{
	static const char *const names[] = { "send",     "hold",  "take",  "echo",
					     "shutdown", "close", "abort", "timer",
					     "nodelay",  "tos",   "ttl",   "on" };

	if (n == 1 && strcmp(word[0], "timer") == 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(word[0], names[i]) == 0)
			return true;
	return false;
}

bool
app_do(struct peer *peer, char *const *word, int n)
{
	struct sl_conn c;
	bool early = strcmp(word[0], "hold") == 0 || strcmp(word[0], "echo") == 0;

	if (strcmp(word[0], "on") == 0)
		return do_rule(peer, word, n);
	if (sl_core_conn(peer->world->core, peer->world->now, peer->ref, &c))
		return do_words(peer, &c, word, n);
	if (early) /* kept for the connection to come */
		return do_words(peer, NULL, word, n);
	return world_unmet(peer->world, "the application has no connection to %s", word[0]);
}

/* The first callback of the kind that no line has claimed yet, or NULL. */
static struct event *
unclaimed(struct peer *peer, int what)
{
	struct world *w = peer->world;

	for (unsigned int i = 0; i < w->n_events; i++)
		if (w->event[i].peer == peer->id && !w->event[i].claimed &&
		    (what < 0 || w->event[i].what == what))
			return &w->event[i];
	return NULL;
}

static bool
claim_event(struct peer *peer, char *const *word, int n)
{
	struct event *e;
	int what = 0;

	while (what < APP_WHATS && strcmp(whats[what], word[0]) != 0)
		what++;
	if (what == APP_WHATS)
		return world_wrong(peer->world, "the runner knows no `app %s`", word[0]);
	e = unclaimed(peer, what);
	if (e == NULL)
		return world_unmet(peer->world, "the application was not told: %s", word[0]);
	e->claimed = true;
	if (what == APP_CLOSED && n > 1 && strcmp(word[1], reasons[e->reason]) != 0)
		return world_unmet(peer->world, "closed for another reason: %s",
				   reasons[e->reason]);
	return true;
}

/* data N: so many bytes since the last claim; "text": these. */
static bool
claim_data(struct peer *peer, char *const *word, int n)
{
	uint32_t fresh = peer->got.n - peer->asked;
	const uint8_t *at = peer->got.data + peer->asked;
	bool is_text = word[0][0] == '"';
	uint32_t want = amount(peer, word, n, !is_text);

	if (fresh != want || peer->world->starved)
		return world_unmet(peer->world, "the application got %u bytes, not %u", fresh,
				   want);
	peer->asked += want;
	if (is_text && memcmp(word[0] + 1, at, want) != 0)
		return world_unmet(peer->world, "the application got other bytes: \"%.*s\"",
				   (int)want, (const char *)at);
	return true;
}

static bool
claim_quiet(struct peer *peer)
{
	struct event *e = unclaimed(peer, -1);

	if (peer->got.n != peer->asked)
		return world_unmet(peer->world, "the application got %u bytes",
				   peer->got.n - peer->asked);
	return e == NULL ||
	       world_unmet(peer->world, "the application was told: %s", whats[e->what]);
}

static bool
claim_queued(struct peer *peer, char *const *word, int n)
{
	struct sl_conn c;
	uint32_t queued;

	if (!sl_core_conn(peer->world->core, peer->world->now, peer->ref, &c))
		return world_unmet(peer->world, "the connection is gone");
	queued = sl_send_queued(&c);
	return queued == number_at(peer, word, n, 1, 0) ||
	       world_unmet(peer->world, "%u bytes are queued", queued);
}

bool
app_claim(struct peer *peer, char *const *word, int n)
{
	if (strcmp(word[0], "data") == 0 || word[0][0] == '"')
		return claim_data(peer, word, n);
	if (strcmp(word[0], "quiet") == 0)
		return claim_quiet(peer);
	if (strcmp(word[0], "queued") == 0)
		return claim_queued(peer, word, n);
	return claim_event(peer, word, n);
}
