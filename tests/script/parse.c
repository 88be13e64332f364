/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parse - a line at a time, by hand. A parse function moves lex->p past what it read, or
 * says in lex->why what it wanted; the first complaint stays.
 */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"

struct lex {
	const char *p;
	bool v6;
	const char *why; /* NULL while all is well */
};

static void
complain(struct lex *lex, const char *why)
{
	if (lex->why == NULL)
		lex->why = why;
}

static void
blanks(struct lex *lex)
{
	while (*lex->p == ' ' || *lex->p == '\t')
		lex->p++;
}

static bool
accept(struct lex *lex, const char *s)
{
	size_t n = strlen(s);

	blanks(lex);
	if (strncmp(lex->p, s, n) != 0)
		return false;
	lex->p += n;
	return true;
}

/* As accept(), but a whole word. */
static bool
accept_word(struct lex *lex, const char *s)
{
	const char *before = lex->p;

	if (accept(lex, s) && !isalnum((unsigned char)*lex->p) && *lex->p != '_')
		return true;
	lex->p = before;
	return false;
}

static void
want(struct lex *lex, const char *s, const char *why)
{
	if (!accept(lex, s))
		complain(lex, why);
}

static uint32_t
number(struct lex *lex)
{
	unsigned long long n;
	char *end;

	blanks(lex);
	if (!isdigit((unsigned char)*lex->p)) {
		complain(lex, "want a number");
		return 0;
	}
	n = strtoull(lex->p, &end, 0);
	if (*end == '/' && isdigit((unsigned char)end[1])) {
		unsigned long long v6 = strtoull(end + 1, &end, 0);

		n = lex->v6 ? v6 : n;
	}
	lex->p = end;
	if (n > UINT32_MAX)
		complain(lex, "a number beyond 32 bits");
	return n;
}

bool
script_number(const char *word, bool v6, int64_t *out)
{
	bool minus = *word == '-';
	struct lex lex = { .p = word + minus, .v6 = v6 };

	*out = number(&lex);
	if (minus)
		*out = -*out;
	return lex.why == NULL && *lex.p == '\0';
}

static int64_t
seconds(struct lex *lex)
{
	char *end;
	double s = strtod(lex->p, &end);

	if (end == lex->p || s < 0 || s > 1e8)
		complain(lex, "want a time in seconds");
	lex->p = end;
	return (int64_t)(s * 1e6 + 0.5) * 1000;
}

/* +0.2 or +0.2~0.4 */
static void
time_of(struct lex *lex, struct line *line)
{
	line->until_ns = -1;
	if (!accept(lex, "+"))
		return;
	line->has_time = true;
	line->after_ns = seconds(lex);
	if (*lex->p == '~') {
		lex->p++;
		line->until_ns = seconds(lex);
	}
}

static uint8_t
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static uint8_t
hex_bytes(struct lex *lex, uint8_t *out, uint8_t max)
{
	uint8_t n = 0;

	blanks(lex);
	while (isxdigit((unsigned char)lex->p[0]) && isxdigit((unsigned char)lex->p[1])) {
		if (n == max) {
			complain(lex, "too many bytes");
			return n;
		}
		out[n++] = hex_digit(lex->p[0]) << 4 | hex_digit(lex->p[1]);
		lex->p += 2;
	}
	if (n == 0)
		complain(lex, "want bytes in hex");
	return n;
}

/* One character of a quoted text, escapes undone. */
static char
text_char(struct lex *lex)
{
	char c = *lex->p++;

	if (c != '\\')
		return c;
	c = *lex->p++;
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case '\0':
		lex->p--;
		complain(lex, "a text that does not end");
		return 0;
	default:
		return c;
	}
}

/* "text", the opening quote not yet read. */
static uint16_t
text(struct lex *lex, char *out, uint16_t max)
{
	uint16_t n = 0;

	lex->p++;
	while (*lex->p != '"') {
		if (*lex->p == '\0' || n == max) {
			complain(lex,
				 *lex->p ? "the text is too long" : "want a closing quote");
			return n;
		}
		out[n++] = text_char(lex);
	}
	lex->p++;
	return n;
}

/* Small letters stand for what may be there or not: p for PSH, a for ACK. */
static void
flags(struct lex *lex, struct pkt *pkt)
{
	static const char letters[] = "FSRP.UEW"; /* in the order of the bits */

	blanks(lex);
	if (*lex->p == '-') {
		lex->p++;
		return;
	}
	for (; *lex->p && strchr("FSRP.UEWpa", *lex->p); lex->p++)
		if (*lex->p == 'p')
			pkt->may |= SL_PSH;
		else if (*lex->p == 'a')
			pkt->may |= SL_ACK;
		else
			pkt->flags |= 1 << (strchr(letters, *lex->p) - letters);
	if (pkt->flags == 0 && pkt->may == 0)
		complain(lex, "want flags: S F R P . U E W, or -");
}

static uint32_t
number_or_any(struct lex *lex, bool *any)
{
	*any = accept(lex, "*");
	return *any ? 0 : number(lex);
}

/* 1:1001(1000); 1:*(*) for any length, *:*(0) for any place; @ for a number as on the wire */
static void
sequence(struct lex *lex, struct pkt *pkt)
{
	uint32_t end;

	pkt->abs_seq = accept(lex, "@");
	pkt->seq = number_or_any(lex, &pkt->any_seq);
	want(lex, ":", "want FIRST:END(LENGTH)");
	accept(lex, "@");
	end = number_or_any(lex, &pkt->any_len);
	want(lex, "(", "want FIRST:END(LENGTH)");
	if (pkt->any_len && !pkt->any_seq)
		want(lex, "*", "want (*) behind :*");
	else
		pkt->len = number_or_any(lex, &pkt->any_len);
	want(lex, ")", "want FIRST:END(LENGTH)");
	if (!pkt->any_len && !pkt->any_seq && end != pkt->seq + pkt->len)
		complain(lex, "END is not FIRST + LENGTH (SYN and FIN are not counted)");
}

static void
timestamps(struct lex *lex, struct opt *o)
{
	want(lex, "val", "want TS val N ecr N");
	o->a = number_or_any(lex, &o->any_a);
	want(lex, "ecr", "want TS val N ecr N");
	o->last = accept_word(lex, "last");
	if (!o->last)
		o->b = number_or_any(lex, &o->any_b);
}

static void
sack_blocks(struct lex *lex, struct opt *o)
{
	blanks(lex);
	while (isdigit((unsigned char)*lex->p) && o->n < 4) {
		o->block[o->n].lo = number(lex);
		want(lex, ":", "want LO:HI");
		o->block[o->n++].hi = number(lex);
		blanks(lex);
	}
	if (o->n == 0)
		complain(lex, "want sack LO:HI ...");
}

static void
option(struct lex *lex, struct opt *o)
{
	if (accept_word(lex, "mss")) {
		o->kind = OPT_MSS;
		o->a = number_or_any(lex, &o->any_a);
	} else if (accept_word(lex, "wscale")) {
		o->kind = OPT_WSCALE;
		o->a = number_or_any(lex, &o->any_a);
	} else if (accept_word(lex, "sackOK")) {
		o->kind = OPT_SACK_OK;
	} else if (accept_word(lex, "sack")) {
		o->kind = OPT_SACK;
		sack_blocks(lex, o);
	} else if (accept_word(lex, "TS")) {
		o->kind = OPT_TS;
		timestamps(lex, o);
	} else if (accept_word(lex, "nop")) {
		o->kind = OPT_NOP;
	} else if (accept_word(lex, "eol")) {
		o->kind = OPT_EOL;
	} else if (accept_word(lex, "hex")) {
		o->kind = OPT_HEX;
		o->n = hex_bytes(lex, o->hex, sizeof(o->hex));
	} else {
		complain(lex, "want an option: mss, wscale, sackOK, sack, TS, nop, eol, hex");
	}
}

/* The opening < is read. */
static void
options(struct lex *lex, struct pkt *pkt)
{
	pkt->opts_mode = OPTS_LISTED;
	if (accept(lex, "...")) {
		pkt->opts_mode = OPTS_ANY;
		want(lex, ">", "want > behind <...");
		return;
	}
	if (accept(lex, ">"))
		return;
	do {
		if (pkt->n_opts == PKT_OPTS_MAX) {
			complain(lex, "too many options");
			return;
		}
		option(lex, &pkt->opt[pkt->n_opts++]);
	} while (lex->why == NULL && accept(lex, ","));
	want(lex, ">", "want , or > behind an option");
}

static bool
knob_value(struct lex *lex, const char *name, uint16_t *to)
{
	if (!accept_word(lex, name))
		return false;
	want(lex, "=", "want = and a number");
	*to = number(lex);
	return true;
}

static bool
knob_switch(struct lex *lex, struct pkt *pkt)
{
	struct knobs *k = &pkt->knobs;
	const struct {
		const char *name;
		bool *to;
	} switches[] = {
		{ "badsum", &k->badsum },
		{ "badip", &k->badip },
		{ "pad", &k->pad },
		{ "group_mac", &k->group_mac },
		{ "group_dst", &k->group_dst },
		{ "group_src", &k->group_src },
		{ "ipopts", &k->ipopts },
		{ "reserved", &k->reserved },
		{ "fragment", &k->fragment },
		{ "land", &k->land },
		{ "newer", &pkt->newer },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (accept_word(lex, switches[i].name))
			return *switches[i].to = true;
	return false;
}

/* {badsum,vlan=5}; the opening brace is read. */
static void
knobs(struct lex *lex, struct pkt *pkt)
{
	struct knobs *k = &pkt->knobs;
	uint16_t dataofs = 0;

	do {
		if (knob_value(lex, "tos", &k->tos))
			k->has_tos = true;
		else if (knob_value(lex, "ttl", &k->ttl))
			k->has_ttl = true;
		else if (!knob_switch(lex, pkt) && !knob_value(lex, "vlan", &k->vlan) &&
			 !knob_value(lex, "split", &k->split) &&
			 !knob_value(lex, "cut", &k->cut) &&
			 !knob_value(lex, "dataofs", &dataofs))
			complain(lex, "no such knob");
	} while (lex->why == NULL && accept(lex, ","));
	want(lex, "}", "want , or } behind a knob");
	k->dataofs = dataofs;
}

static void
packet(struct lex *lex, struct pkt *pkt)
{
	if (accept(lex, "{"))
		knobs(lex, pkt);
	flags(lex, pkt);
	sequence(lex, pkt);
	if (accept_word(lex, "ack")) {
		pkt->abs_ack = accept(lex, "@");
		pkt->ack = number_or_any(lex, &pkt->any_ack);
		if (!((pkt->flags | pkt->may) & SL_ACK))
			complain(lex, "ack without the flag .");
	} else if (pkt->may & SL_ACK) {
		pkt->any_ack = true;
	} else if (pkt->flags & SL_ACK) {
		complain(lex, "want ack N with the flag .");
	}
	pkt->has_win = accept_word(lex, "win");
	if (pkt->has_win)
		pkt->win = number(lex);
	if (accept_word(lex, "urg"))
		pkt->urg = number(lex);
	if (accept(lex, "<"))
		options(lex, pkt);
	blanks(lex);
	if (*lex->p == '"')
		pkt->n_text = text(lex, pkt->text, sizeof(pkt->text));
	blanks(lex);
	if (*lex->p != '\0')
		complain(lex, "something behind the packet");
	if (pkt->n_text > pkt->len && !pkt->any_len)
		complain(lex, "more text than the packet has bytes");
}

static void
words(struct lex *lex, struct line *line)
{
	char buf[PKT_TEXT_MAX + 2];

	for (blanks(lex); *lex->p != '\0' && lex->why == NULL; blanks(lex)) {
		size_t n;

		if (line->n_words == WORDS_MAX) {
			complain(lex, "too many words");
			return;
		}
		if (*lex->p == '"') {
			buf[0] = '"';
			n = 1 + text(lex, buf + 1, PKT_TEXT_MAX);
		} else {
			n = strcspn(lex->p, " \t");
			if (n > PKT_TEXT_MAX) {
				complain(lex, "a word too long");
				return;
			}
			memcpy(buf, lex->p, n);
			lex->p += n;
		}
		buf[n] = '\0';
		line->word[line->n_words++] = strdup(buf);
	}
}

static void
one_line(struct lex *lex, struct line *line)
{
	time_of(lex, line);
	line->peer = 1;
	if (accept_word(lex, "peer")) {
		line->peer = number(lex);
		if (line->peer < 1 || line->peer > PEERS_MAX)
			complain(lex, "want a peer from 1 to 16");
	}
	if (accept(lex, ">")) {
		line->kind = LINE_OUT;
	} else if (accept(lex, "<")) {
		line->kind = accept_word(lex, "icmp") ? LINE_WORDS : LINE_IN;
		if (line->kind == LINE_WORDS)
			line->word[line->n_words++] = strdup("icmp");
	}
	if (line->kind == LINE_WORDS)
		words(lex, line);
	else
		packet(lex, &line->pkt);
}

/* @text without comment and margins, as a string of its own; NULL if nothing is left. */
static char *
bare(const char *from, size_t n)
{
	bool quoted = false;
	size_t end = 0;

	while (n > 0 && isspace((unsigned char)*from)) {
		from++;
		n--;
	}
	for (size_t i = 0; i < n && (quoted || from[i] != '#'); i++) {
		if (from[i] == '"')
			quoted = !quoted;
		if (!isspace((unsigned char)from[i]))
			end = i + 1;
	}
	return end ? strndup(from, end) : NULL;
}

int
script_parse(struct script *script, const char *from, bool v6)
{
	unsigned int no = 0;

	memset(script, 0, sizeof(*script));
	script->v6 = v6;
	while (*from != '\0') {
		size_t n = strcspn(from, "\n");
		char *line_text = bare(from, n);
		struct lex lex = { .p = line_text, .v6 = v6 };
		struct line *line;

		from += n + (from[n] == '\n');
		no++;
		if (line_text == NULL)
			continue;
		script->line = reallocarray(script->line, script->n_lines + 1, sizeof(*line));
		line = &script->line[script->n_lines++];
		*line = (struct line){ .no = no, .text = line_text };
		one_line(&lex, line);
		if (lex.why != NULL) {
			snprintf(script->why, sizeof(script->why), "line %u: %s, at `%.40s`",
				 no, lex.why, lex.p);
			return -EINVAL;
		}
	}
	return 0;
}

void
script_free(struct script *script)
{
	for (unsigned int i = 0; i < script->n_lines; i++) {
		for (int k = 0; k < script->line[i].n_words; k++)
			free(script->line[i].word[k]);
		free(script->line[i].text);
	}
	free(script->line);
	script->line = NULL;
	script->n_lines = 0;
}
