/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parse - the text of a script into its lines. README.md beside this file is the language.
 *
 * A line is a packet (< or >) or words for the runner, with the time since the line before
 * and the peer it is about. A number written 1460/1440 is the first in IPv4 and the
 * second in IPv6, which is why parsing knows the family.
 */
#ifndef SCRIPT_PARSE_H
#define SCRIPT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

#define WORDS_MAX 24
#define PEERS_MAX 16

enum line_kind {
	LINE_WORDS, /* a command or a claim */
	LINE_IN,    /* <  sent to the core */
	LINE_OUT,   /* >  expected from it */
};

struct line {
	unsigned int no; /* in the file, from 1 */
	uint8_t kind;    /* enum line_kind */
	uint8_t peer;    /* from 1 */
	bool has_time;
	int64_t after_ns, until_ns; /* since the line before; until_ns < 0: no range */
	char *text;                 /* as written, comment and margins removed */
	uint8_t n_words;
	char *word[WORDS_MAX]; /* a quoted one keeps its opening quote and loses escapes */
	struct pkt pkt;
};

struct script {
	bool v6;
	unsigned int n_lines;
	struct line *line;
	char why[200]; /* what is wrong, with the line */
};

/* 0, or -EINVAL with script->why. Free in both cases. */
int script_parse(struct script *script, const char *text, bool v6);
void script_free(struct script *script);

/* The whole of @word as a number (1460, 1460/1440) for this family. */
bool script_number(const char *word, bool v6, int64_t *out);

#endif
