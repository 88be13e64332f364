/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena - pieces on a list, which lies apart from them: a piece begins and ends where its
 * user's bytes do.
 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

struct arena_piece {
	struct arena_piece *next;
	void *bytes;
};

static void *
take(void *ctx, size_t bytes, size_t align)
{
	struct arena *arena = ctx;
	struct arena_piece *piece;

	if (++arena->n_taken == arena->fail_at)
		return NULL;
	piece = malloc(sizeof(*piece));
	if (piece == NULL)
		return NULL;
	if (posix_memalign(&piece->bytes, align < sizeof(void *) ? sizeof(void *) : align,
			   bytes)) {
		free(piece);
		return NULL;
	}
	memset(piece->bytes, 0, bytes);
	piece->next = arena->first;
	arena->first = piece;
	return piece->bytes;
}

void
arena_open(struct arena *arena)
{
	*arena = (struct arena){ .mem = { .ctx = arena, .take = take } };
}

void
arena_close(struct arena *arena)
{
	while (arena->first != NULL) {
		struct arena_piece *piece = arena->first;

		arena->first = piece->next;
		free(piece->bytes);
		free(piece);
	}
}
