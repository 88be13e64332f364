/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pattern - the text of RFC 864: lines of 72 characters, each starting one character
 * further round the ring of the 95 printable ones. After 95 lines it begins again.
 */
#include "l7/apps.h"

#define RING       95
#define LINE_CHARS 72
#define LINE_BYTES (LINE_CHARS + 2)
#define TURN_BYTES (RING * LINE_BYTES)

static void
write_line(char *to, uint32_t first)
{
	for (uint32_t i = 0; i < LINE_CHARS; i++)
		to[i] = (char)(' ' + (first + i) % RING);
	to[LINE_CHARS] = '\r';
	to[LINE_CHARS + 1] = '\n';
}

uint32_t
sl_pattern_fill(void *data, uint32_t bytes)
{
	uint32_t lines = bytes / TURN_BYTES * RING;

	for (uint32_t i = 0; i < lines; i++)
		write_line((char *)data + i * LINE_BYTES, i % RING);
	return lines * LINE_BYTES;
}
