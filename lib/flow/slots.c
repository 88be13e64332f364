/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slots - filling the stack, and proving that nothing is in it twice.
 */
#include <errno.h>

#include "flow/slots.h"

#define SEEN 0x80000000u /* lent by the store's words, which are indexes below 2^31 */

void
sl_slots_init(struct sl_slots *slots, uint32_t *store, uint32_t n)
{
	assert(n < SEEN);

	*slots = (struct sl_slots){ .store = store, .n_free = n, .n_max = n };
	for (uint32_t i = 0; i < n; i++)
		store[i] = n - 1 - i;
}

/* Word i of the store gets the mark if index i is free; a word marked already is a double. */
int
sl_slots_check(struct sl_slots *slots)
{
	uint32_t *store = slots->store;
	int rc = 0;

	if (slots->n_free > slots->n_max)
		return -EBADMSG;

	for (uint32_t i = 0; i < slots->n_free; i++) {
		uint32_t idx = store[i] & ~SEEN;

		if (idx >= slots->n_max || (store[idx] & SEEN)) {
			rc = -EBADMSG;
			break;
		}
		store[idx] |= SEEN;
	}

	for (uint32_t i = 0; i < slots->n_max; i++)
		store[i] &= ~SEEN;
	return rc;
}
