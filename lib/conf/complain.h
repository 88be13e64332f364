/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * complain - mistakes found in a configuration, told in the order of their lines.
 */
#ifndef SL_CONF_COMPLAIN_H
#define SL_CONF_COMPLAIN_H

#include <stdio.h>

#define SL_COMPLAINTS_MAX 20

struct sl_complaints {
	const char *file;
	unsigned int n; /* found, also beyond those kept */
	struct {
		unsigned int line;
		char text[640]; /* holds a list of the keys of a listener */
	} kept[SL_COMPLAINTS_MAX];
};

/*
 * `file:line: key: value: what would be accepted`. @key and @value may be NULL; both are
 * made printable and cut when long. Line 0 is left out.
 */
void sl_complain(struct sl_complaints *c, unsigned int line, const char *key, const char *value,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

void sl_complaints_print(struct sl_complaints *c, FILE *to);

#endif
