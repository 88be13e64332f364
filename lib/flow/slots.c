/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slots - the beginning of the stack, and proving that nothing is in it twice.
 */
#include <errno.h>

#include "flow/slots.h"

void
sl_slots_init(struct sl_slots *slots, uint32_t *link, uint64_t stride, uint32_t n)
{
	assert(n < SL_NO_INDEX && stride % sizeof(*link) == 0);

	*slots = (struct sl_slots){
		.link = (char *)link,
		.stride = stride,
		.top = SL_NO_INDEX,
		.n_free = n,
		.n_max = n,
	};
}

/*
 * Each record has one link, so a list that met one twice would go round and never end: one
 * that ends after as many records as were counted met each once.
 */
int
sl_slots_check(const struct sl_slots *slots)
{
	uint32_t n = slots->n_max - slots->n_used;

	if (slots->n_used > slots->n_max)
		return -EBADMSG;
	for (uint32_t idx = slots->top; idx != SL_NO_INDEX; idx = *sl_slots_link(slots, idx)) {
		if (idx >= slots->n_used || n++ == slots->n_free)
			return -EBADMSG;
	}
	return n == slots->n_free ? 0 : -EBADMSG;
}
