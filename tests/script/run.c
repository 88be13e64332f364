/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run - packet scripts against one core, in virtual time; TAP on stdout.
 *
 *	script-run [--v4|--v6] [--isn-shift N] [--states] [--starve] [--newreno] FILE.pkt ...
 *
 * Each file runs in both families unless told otherwise. --states tells the story as it goes,
 * with the state of our end. --starve runs each script once for every buffer it asks for,
 * with that one refused, and looks only at what must hold whatever happens.
 */
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "parse.h"
#include "world.h"

#define TOLERANCE_NS (2 * SL_NS_PER_MS) /* timers fire on the next tick */

struct options {
	bool v4, v6, states, starve, newreno;
	uint32_t isn_shift;
};

/* A script on its way. */
struct run {
	const char *path;
	const struct options *options;
	struct script script;
	struct world *w;
	sl_ns_t base;            /* when the line before happened */
	unsigned int burst_left; /* < lines to put aside before the next step */
	const char *state;       /* last shown */
	char diff[1200];         /* expected and got, for the report */
};

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t n = 0;
	ssize_t got = -1;

	if (f != NULL) {
		got = getdelim(&text, &n, '\0', f);
		fclose(f);
	}
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Show what was sent that nobody asked for, or instead of what was. */
static void
describe(struct run *r, const struct line *line, const struct sent *got)
{
	size_t at = 0, size = sizeof(r->diff);
	char segment[600];
	struct pkt pkt;

	r->diff[0] = '\0';
	if (line != NULL)
		at = snprintf(r->diff, size, "#   expected  %s\n", line->text);
	if (got == NULL) {
		snprintf(r->diff + at, size - at, "#   got       nothing\n");
		return;
	}
	pkt = got->pkt;
	if (line != NULL && line->pkt.n_text > 0)
		pkt.n_text = pkt.len < 60 ? pkt.len : 60;
	pkt_print(segment, sizeof(segment), &pkt);
	at += snprintf(r->diff + at, size - at, "#   got       %+.3f  ",
		       (double)(int64_t)(got->when - r->base) / SL_NS_PER_S);
	if (got->peer->id != 1)
		at += snprintf(r->diff + at, size - at, "peer %d ", got->peer->id);
	snprintf(r->diff + at, size - at, ">  %s\n", segment);
}

/* Nothing sent before @when may still wait for a line. */
static bool
all_claimed(struct run *r, sl_ns_t when)
{
	struct world *w = r->w;

	if (w->n_claimed == w->n_sent || w->sent[w->n_claimed].when >= when)
		return true;
	if (w->starved) {
		w->n_claimed = w->n_sent;
		return true;
	}
	describe(r, NULL, &w->sent[w->n_claimed]);
	return world_wrong(w, "a segment nobody expected");
}

/* Let the time come to @when, timers due before that having run. */
static bool
arrive(struct run *r, sl_ns_t when)
{
	if (when > r->w->now && !world_until(r->w, when - 1, false))
		return false;
	if (!all_claimed(r, when))
		return false;
	r->w->now = when;
	r->base = when;
	return true;
}

static bool
send_line(struct run *r, const struct line *line)
{
	struct peer *peer = &r->w->peer[line->peer - 1];

	if (!peer_send(peer, &line->pkt))
		return false;
	if (r->burst_left > 1) {
		r->burst_left--;
		return true;
	}
	r->burst_left = 0;
	return world_step(r->w);
}

/* Timestamps of ours count from where the script says. */
static void
relate_ts(struct peer *peer, const struct pkt *want, struct pkt *got)
{
	const struct opt *w = pkt_opt(want, OPT_TS);

	for (int i = 0; i < got->n_opts; i++) {
		struct opt *g = &got->opt[i];

		if (g->kind != OPT_TS)
			continue;
		if (w != NULL && !w->any_a && !peer->has_base) {
			peer->ts_base = g->a - w->a;
			peer->has_base = true;
		}
		g->a -= peer->has_base ? peer->ts_base : 0;
	}
}

static const char *
what_differs(const struct line *line, struct sent *got, sl_ns_t from, sl_ns_t to)
{
	struct peer *peer = got->peer;
	const char *differs;

	if (peer->id != line->peer)
		return "it went to another peer";
	relate_ts(peer, &line->pkt, &got->pkt);
	differs = pkt_differs(&line->pkt, &got->pkt, peer->ts_theirs && peer->ts_ours);
	if (differs != NULL)
		return differs;
	if (line->pkt.newer && !got->pkt.newer)
		return "the new number is not beyond the old ones";
	if (got->when < from)
		return "too early";
	return got->when > to ? "too late" : NULL;
}

static bool
expect_line(struct run *r, const struct line *line)
{
	struct world *w = r->w;
	sl_ns_t at = r->base + line->after_ns;
	sl_ns_t from = line->after_ns > (int64_t)TOLERANCE_NS ? at - TOLERANCE_NS : r->base;
	sl_ns_t to = (line->until_ns < 0 ? at : r->base + line->until_ns) + TOLERANCE_NS;
	struct sent *got;
	const char *differs;

	if (w->starved) {
		r->base = at;
		w->n_claimed = w->n_sent;
		return at < w->now || world_until(w, at, false);
	}
	if (!world_until(w, to, true))
		return false;
	got = w->n_claimed < w->n_sent ? &w->sent[w->n_claimed] : NULL;
	differs = got ? what_differs(line, got, from, to) : "nothing was sent";
	if (differs != NULL) {
		describe(r, line, got);
		return world_wrong(w, "%s", differs);
	}
	w->n_claimed++;
	r->base = got->when;
	return true;
}

/*
 * Words: done at their moment, and the core runs behind them. What they claim is looked
 * at when everything due by then has happened; what is quiet must be so to the end.
 */
static bool
word_line(struct run *r, const struct line *line)
{
	struct world *w = r->w;
	bool quiet = strcmp(line->word[0], "quiet") == 0;

	if (!world_step(w)) /* an application acts at the time of the last step */
		return false;
	if (strcmp(line->word[0], "burst") == 0) {
		int64_t n = 0;

		if (line->n_words != 2 || !script_number(line->word[1], w->v6, &n))
			return world_wrong(w, "burst N");
		r->burst_left = n;
		return true;
	}
	if (!command_run(w, line)) {
		if (quiet)
			describe(r, NULL, &w->sent[w->n_claimed]);
		return false;
	}
	return world_step(w);
}

static void
tell(struct run *r, const struct line *line)
{
	struct sl_tuple tuple = peer_tuple(&r->w->peer[0]);
	const char *state = r->w->core ? sl_core_state(r->w->core, &tuple, NULL) : NULL;
	bool changed = r->w->core && (state == NULL) != (r->state == NULL);

	if (state != NULL && r->state != NULL)
		changed = strcmp(state, r->state) != 0;
	if (changed)
		printf("# %8.3f  %-62s %s\n", (double)(r->w->now - r->w->start) / SL_NS_PER_S,
		       line->text, state ? state : "(nothing kept)");
	else
		printf("# %8.3f  %s\n", (double)(r->w->now - r->w->start) / SL_NS_PER_S,
		       line->text);
	r->state = state;
}

static bool
one_line(struct run *r, const struct line *line)
{
	struct world *w = r->w;

	if (w->core == NULL && command_is_setting(line))
		return command_run(w, line);
	if (w->core == NULL) {
		if (w->conf->n_listeners == 0)
			return world_wrong(w, "want `listen PORT` or `group` first");
		if (!world_start(w))
			return false;
	}
	if (line->kind == LINE_OUT)
		return expect_line(r, line);
	if (!arrive(r, r->base + line->after_ns))
		return false;
	return line->kind == LINE_IN ? send_line(r, line) : word_line(r, line);
}

/* At the end nothing may be left over that no line has claimed. */
static bool
nothing_left(struct run *r)
{
	struct world *w = r->w;

	if (!world_until(w, w->now, false) || !all_claimed(r, UINT64_MAX))
		return false;
	for (unsigned int i = 0; i < w->n_events && !w->starved; i++)
		if (w->event[i].what == APP_CLOSED && !w->event[i].claimed)
			return world_wrong(w, "the application was told: closed");
	for (int i = 0; i < PEERS_MAX && !w->starved; i++)
		if (w->peer[i].got.n != w->peer[i].asked && !w->peer[i].echo)
			return world_wrong(w, "the application got %u bytes more",
					   w->peer[i].got.n - w->peer[i].asked);
	return true;
}

/* Run the script once. True if all went well; else the reason is in r->w->why. */
static bool
play(struct run *r, unsigned int *line_no)
{
	for (unsigned int i = 0; i < r->script.n_lines; i++) {
		const struct line *line = &r->script.line[i];

		*line_no = line->no;
		if (!one_line(r, line))
			return false;
		if (r->options->states)
			tell(r, line);
	}
	return r->w->core == NULL ? world_wrong(r->w, "an empty script") : nothing_left(r);
}

/* What became of the packets so far: often says why nothing came back. */
static void
print_fates(const struct world *w)
{
	const struct sl_stats *stats = w->core ? sl_core_stats(w->core) : NULL;

	if (stats == NULL || stats->count[SL_CNT_rx] == 0)
		return;
	printf("#   packets  ");
	for (int i = 0; i < SL_FATE_COUNT; i++)
		if (stats->fate[i] != 0)
			printf(" %s %llu", sl_fate_name(i), (unsigned long long)stats->fate[i]);
	printf("\n");
}

/* What a run left behind besides its verdict. */
struct outcome {
	uint64_t asked; /* buffers */
	uint64_t trace; /* hash of every frame sent, and when */
};

/* The script once, with the @starve-th buffer refused (0: none). */
static bool
once(struct run *r, uint64_t starve, struct outcome *outcome)
{
	unsigned int line_no = 0;
	bool good;

	r->w = world_open(r->script.v6, r->options->isn_shift);
	r->w->starved = starve != 0;
	r->w->newreno = r->options->newreno;
	r->w->heap.fail_at = starve;
	r->base = r->w->now;
	r->burst_left = 0;
	r->state = NULL;
	r->diff[0] = '\0';
	good = play(r, &line_no);
	if (!good) {
		printf("# %s:%u: %s\n%s", r->path, line_no, r->w->why, r->diff);
		print_fates(r->w);
	}
	*outcome = (struct outcome){ r->w->heap.n_got, r->w->trace };
	if (!world_close(r->w) && good) {
		printf("# %s: at the end: %s\n", r->path, r->w->why);
		good = false;
	}
	if (!good && starve)
		printf("# with buffer %llu refused\n", (unsigned long long)starve);
	world_free(r->w);
	return good;
}

/* Once for its claims, once more for the same bytes (replay), and starved if asked to. */
static bool
play_all(struct run *r)
{
	struct outcome first, again;

	if (!once(r, 0, &first))
		return false;
	if (r->options->states)
		return true;
	if (!once(r, 0, &again))
		return false;
	if (first.trace != again.trace) {
		printf("# %s: the second run sent other bytes, or at other times\n", r->path);
		return false;
	}
	for (uint64_t n = 1; r->options->starve && n <= first.asked; n++)
		if (!once(r, n, &again))
			return false;
	return true;
}

/* only v4, only v6: the first line of what one family alone has. */
static bool
is_for_other_family(const struct script *s)
{
	const struct line *first = &s->line[0];

	return s->n_lines > 0 && first->n_words == 2 && strcmp(first->word[0], "only") == 0 &&
	       strcmp(first->word[1], s->v6 ? "v6" : "v4") != 0;
}

static bool
run_file(const char *path, const struct options *options, bool v6, bool *skipped)
{
	struct run r = { .path = path, .options = options };
	char *text = read_file(path);
	bool good;

	*skipped = false;
	if (text == NULL) {
		printf("# cannot read %s\n", path);
		return false;
	}
	good = script_parse(&r.script, text, v6) == 0;
	if (!good)
		printf("# %s: %s\n", path, r.script.why);
	else if (!(*skipped = is_for_other_family(&r.script)))
		good = play_all(&r);
	script_free(&r.script);
	free(text);
	return good;
}

/* seed/three-way-handshake out of a path. */
static void
name_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *from = path;

	for (const char *p = path; slash != NULL && p < slash; p++)
		if (*p == '/')
			from = p + 1;
	snprintf(out, size, "%.*s", (int)strcspn(from, "."), from);
}

static bool
run_both(const char *path, const struct options *options, int *number)
{
	bool good = true;
	char name[200];

	name_of(path, name, sizeof(name));
	for (int v6 = 0; v6 < 2; v6++) {
		bool ok, skipped;

		if (v6 ? !options->v6 : !options->v4)
			continue;
		if (options->states)
			printf("# --- %s, IPv%c\n", name, v6 ? '6' : '4');
		ok = run_file(path, options, v6, &skipped);
		printf("%s %d - %s v%c\n", ok ? "ok" : "not ok", ++*number, name,
		       v6 ? '6' : '4');
		fflush(stdout);
		good &= ok;
	}
	return good;
}

static int
usage(const char *name)
{
	fprintf(stderr,
		"usage: %s [--v4|--v6] [--isn-shift N] [--states] [--starve] [--newreno] "
		"FILE.pkt ...\n",
		name);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "v4", no_argument, NULL, '4' },
		{ "v6", no_argument, NULL, '6' },
		{ "isn-shift", required_argument, NULL, 'i' },
		{ "states", no_argument, NULL, 's' },
		{ "starve", no_argument, NULL, 'f' },
		{ "newreno", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .v4 = true, .v6 = true };
	int c, number = 0;
	bool good = true;

	while ((c = getopt_long(argc, argv, "46i:sfn", known, NULL)) != -1) {
		if (c == '4')
			options.v6 = false;
		else if (c == '6')
			options.v4 = false;
		else if (c == 'i')
			options.isn_shift = strtoul(optarg, NULL, 0);
		else if (c == 's')
			options.states = true;
		else if (c == 'f')
			options.starve = true;
		else if (c == 'n')
			options.newreno = true;
		else
			return usage(argv[0]);
	}
	if (optind == argc)
		return usage(argv[0]);
	printf("1..%d\n", (argc - optind) * (options.v4 + options.v6));
	for (int i = optind; i < argc; i++)
		good &= run_both(argv[i], &options, &number);
	return good ? 0 : 1;
}
