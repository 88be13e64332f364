/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * complain - mistakes are collected while the tree is walked in the schema's order, and
 * printed in the file's, which is the order in which somebody mends them.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "conf/complain.h"

/* @text in printable ASCII, at most @max characters of it, and ": "; returns the new end. */
static char *
append_shown(char *to, const char *end, const char *text, int max)
{
	int n = 0;

	for (; *text != '\0' && n < max && to < end - 8; text++, n++)
		*to++ = *text >= ' ' && *text <= '~' ? *text : '?';
	if (*text != '\0')
		to += snprintf(to, end - to, "...");
	if (n == 0)
		to += snprintf(to, end - to, "(empty)");
	return to + snprintf(to, end - to, ": ");
}

/* Whether what was just written to @i had been said before. */
static bool
is_repeated(const struct sl_complaints *c, unsigned int i)
{
	for (unsigned int j = 0; j < i; j++)
		if (c->kept[j].line == c->kept[i].line &&
		    strcmp(c->kept[j].text, c->kept[i].text) == 0)
			return true;
	return false;
}

void
sl_complain(struct sl_complaints *c, unsigned int line, const char *key, const char *value,
	    const char *format, ...)
{
	unsigned int i = c->n;

	if (i >= SL_COMPLAINTS_MAX) {
		c->n++;
		return;
	}

	char *to = c->kept[i].text;
	const char *end = to + sizeof(c->kept[i].text);
	va_list args;

	c->kept[i].line = line;
	if (key != NULL)
		to = append_shown(to, end, key, 80);
	if (value != NULL)
		to = append_shown(to, end, value, 60);
	va_start(args, format);
	vsnprintf(to, end - to, format, args);
	va_end(args);
	c->n += !is_repeated(c, i);
}

void
sl_complaints_print(struct sl_complaints *c, FILE *to)
{
	unsigned int n = c->n < SL_COMPLAINTS_MAX ? c->n : SL_COMPLAINTS_MAX;
	unsigned int printed = 0;

	/* By line, and within a line as found; n is small. */
	for (unsigned int last = 0; printed < n;) {
		unsigned int next = ~0u;

		for (unsigned int i = 0; i < n; i++) {
			unsigned int line = c->kept[i].line;

			if (line == last && line != 0)
				fprintf(to, "%s:%u: %s\n", c->file, line, c->kept[i].text);
			else if (line == last)
				fprintf(to, "%s: %s\n", c->file, c->kept[i].text);
			else if (line > last && line < next)
				next = line;
			printed += line == last;
		}
		last = next;
	}
	if (c->n > n)
		fprintf(to, "%s: and %u more\n", c->file, c->n - n);
}
