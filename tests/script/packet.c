/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet - print segments in script notation and compare them.
 */
#include "packet.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/frame.h"

struct text {
	char *p;
	size_t left;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left)
		n = t->left ? (int)t->left - 1 : 0;
	t->p += n;
	t->left -= n;
}

const struct opt *
pkt_opt(const struct pkt *p, enum opt_kind kind)
{
	for (int i = 0; i < p->n_opts; i++)
		if (p->opt[i].kind == kind)
			return &p->opt[i];
	return NULL;
}

static void
put_flags(struct text *t, uint8_t flags)
{
	static const struct {
		uint8_t bit;
		char letter;
	} names[] = { { SL_SYN, 'S' }, { SL_FIN, 'F' }, { SL_RST, 'R' }, { SL_PSH, 'P' },
		      { SL_URG, 'U' }, { SL_ECE, 'E' }, { SL_CWR, 'W' }, { SL_ACK, '.' } };

	if (flags == 0)
		put(t, "-");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].bit)
			put(t, "%c", names[i].letter);
}

static void
put_opt(struct text *t, const struct opt *o)
{
	switch (o->kind) {
	case OPT_EOL:
		put(t, "eol");
		break;
	case OPT_NOP:
		put(t, "nop");
		break;
	case OPT_MSS:
		put(t, "mss %u", o->a);
		break;
	case OPT_WSCALE:
		put(t, "wscale %u", o->a);
		break;
	case OPT_SACK_OK:
		put(t, "sackOK");
		break;
	case OPT_TS:
		put(t, "TS val %u ecr %u", o->a, o->b);
		break;
	case OPT_SACK:
		put(t, "sack");
		for (int i = 0; i < o->n; i++)
			put(t, " %u:%u", o->block[i].lo, o->block[i].hi);
		break;
	default:
		put(t, "hex ");
		for (int i = 0; i < o->n; i++)
			put(t, "%02x", o->hex[i]);
	}
}

static void
put_text(struct text *t, const struct pkt *p)
{
	if (p->n_text == 0)
		return;
	put(t, " \"");
	for (int i = 0; i < p->n_text; i++) {
		if (p->text[i] == '\r')
			put(t, "\\r");
		else if (p->text[i] == '\n')
			put(t, "\\n");
		else if (p->text[i] == '"' || p->text[i] == '\\')
			put(t, "\\%c", p->text[i]);
		else
			put(t, "%c", isprint((unsigned char)p->text[i]) ? p->text[i] : '?');
	}
	put(t, "\"");
}

void
pkt_print(char *buf, size_t size, const struct pkt *p)
{
	struct text t = { buf, size };

	put_flags(&t, p->flags);
	put(&t, " %u:%u(%u)", p->seq, p->seq + p->len, p->len);
	if (p->flags & SL_ACK)
		put(&t, " ack %u", p->ack);
	if (p->has_win)
		put(&t, " win %u", p->win);
	if (p->flags & SL_URG)
		put(&t, " urg %u", p->urg);
	if (p->opts_mode == OPTS_ANY)
		put(&t, " <...>");
	for (int i = 0; i < p->n_opts; i++) {
		put(&t, i ? "," : " <");
		put_opt(&t, &p->opt[i]);
	}
	if (p->n_opts > 0)
		put(&t, ">");
	put_text(&t, p);
}

static bool
same_sack(const struct opt *want, const struct opt *got)
{
	if (want->n != got->n)
		return false;
	for (int i = 0; i < want->n; i++)
		if (want->block[i].lo != got->block[i].lo ||
		    want->block[i].hi != got->block[i].hi)
			return false;
	return true;
}

/* A TSval counts milliseconds, so it may be as late as the packet itself. */
static bool
same_ts(const struct opt *want, const struct opt *got)
{
	bool val = want->any_a || got->a - want->a + 2 <= 4;
	bool ecr = want->any_b || got->b == want->b;

	return val && ecr;
}

static bool
same_opt(const struct opt *want, const struct opt *got)
{
	switch (want->kind) {
	case OPT_SACK:
		return same_sack(want, got);
	case OPT_TS:
		return same_ts(want, got);
	case OPT_SACK_OK:
		return true;
	default:
		return want->any_a || want->a == got->a;
	}
}

static const char *
listed_differ(const struct pkt *want, const struct pkt *got)
{
	int n = 0;

	for (int i = 0; i < want->n_opts; i++) {
		const struct opt *w = &want->opt[i];
		const struct opt *g = pkt_opt(got, w->kind);

		if (w->kind == OPT_NOP || w->kind == OPT_EOL)
			continue;
		if (g == NULL)
			return "an option is missing";
		if (!same_opt(w, g))
			return "an option's value";
		n++;
	}
	return n == got->n_opts ? NULL : "an option too many";
}

static const char *
usual_differ(const struct pkt *got, bool ts)
{
	bool has = pkt_opt(got, OPT_TS) != NULL;

	if (got->flags & SL_SYN)
		return NULL;
	if (got->n_opts > has)
		return "an option too many";
	if (ts != has && !(got->flags & SL_RST))
		return ts ? "timestamps are missing" : "timestamps nobody agreed on";
	return NULL;
}

const char *
pkt_differs(const struct pkt *want, const struct pkt *got, bool ts)
{
	if ((want->flags | want->may) != (got->flags | want->may))
		return "flags";
	if (want->seq != got->seq && !want->any_seq)
		return "sequence number";
	if (want->len != got->len && !want->any_len)
		return "length";
	if ((got->flags & SL_ACK) && !want->any_ack && want->ack != got->ack)
		return "acknowledgment number";
	if (want->has_win && want->win != got->win)
		return "window";
	if (want->knobs.has_tos && want->knobs.tos != got->knobs.tos)
		return "type of service";
	if (want->knobs.has_ttl && want->knobs.ttl != got->knobs.ttl)
		return "hop limit";
	if ((want->flags & SL_URG) && want->urg != got->urg)
		return "urgent pointer";
	if (want->n_text > got->len || memcmp(want->text, got->text, want->n_text) != 0)
		return "payload";
	if (want->opts_mode == OPTS_ANY)
		return NULL;
	return want->opts_mode == OPTS_LISTED ? listed_differ(want, got)
					      : usual_differ(got, ts);
}
