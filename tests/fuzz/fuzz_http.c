/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_http - the head of a request: cut into pieces anyhow, it is understood the same way.
 *
 * The first byte of an input says how long a head may be, the second how the pieces are cut.
 */
#include <string.h>

#include "fuzz.h"
#include "l7/http_parse.h"

/* Take pieces of @cut, one more each time (0: all at once); returns the bytes taken. */
static uint32_t
take(struct sl_http_head *head, const uint8_t *text, uint32_t n, uint32_t max, uint32_t cut)
{
	uint32_t done = 0;

	memset(head, 0, sizeof(*head));
	while (head->status == 0 && done < n) {
		uint32_t left = n - done;
		uint32_t piece = cut > 0 && cut < left ? cut++ : left;
		uint8_t *exact = malloc(piece);
		uint32_t took;

		fuzz_demand(exact != NULL);
		memcpy(exact, text + done, piece);
		took = sl_http_head_take(head, exact, piece, max);
		free(exact);
		fuzz_demand(took <= piece);
		fuzz_demand(took == piece || head->status != 0);
		done += took;
	}
	return done;
}

static void
check(const struct sl_http_head *head, uint32_t took, uint32_t max)
{
	fuzz_demand(head->seen == took);
	fuzz_demand(head->status != 0 || took < max);
	fuzz_demand(head->status == 0 || (head->status >= 200 && head->status < 600));
	fuzz_demand(!(head->marks & SL_HTTP_BYTES) || head->bytes <= SL_HTTP_BYTES_MAX);
	fuzz_demand(head->status != 200 || (head->marks & (SL_HTTP_IS_GET | SL_HTTP_IS_HEAD)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint32_t max = 16 + 16u * fuzz_u8(&in), cut = 1 + fuzz_u8(&in), took;
	struct sl_http_head whole, pieces;

	took = take(&whole, in.p, (uint32_t)in.left, max, 0);
	check(&whole, took, max);
	if (whole.status != 0)
		sl_http_head_keeps(&whole);
	fuzz_demand(take(&pieces, in.p, (uint32_t)in.left, max, cut) == took);
	fuzz_demand(pieces.status == whole.status && pieces.marks == whole.marks &&
		    pieces.bytes == whole.bytes && pieces.length == whole.length &&
		    pieces.minor == whole.minor && pieces.seen == whole.seen);
	return 0;
}
