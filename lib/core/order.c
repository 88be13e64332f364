/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order - the segments of a burst that met connections, sorted by kind.
 *
 * Requests, the ACKs of responses and FINs go three ways through the state machine, in deliver
 * and in output. As they come, each would be a guess for the branches of those behind it; so
 * all of a kind are taken one after the other. Segments of one connection keep their order:
 * those that resemble, by hash, a segment of a kind before theirs are taken with that kind.
 */
#include "core/core.h"

/* Hashes that have been seen, by ten bits. */
struct seen {
	uint64_t bits[16];
};

static inline void
see(struct seen *seen, uint64_t hash)
{
	seen->bits[hash >> 6 & 15] |= 1ull << (hash & 63);
}

static inline uint64_t
has_seen(const struct seen *seen, uint64_t hash)
{
	return seen->bits[hash >> 6 & 15] >> (hash & 63) & 1;
}

/* The FINs among lanes @set. */
static uint64_t
fins_of(const struct sl_core *core, uint64_t set)
{
	uint64_t fins = 0;

	for (; set != 0; set &= set - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(set);

		fins |= (uint64_t)((core->lane[i].seg.flags & SL_FIN) != 0) << i;
	}
	return fins;
}

/* What of @later may be of a connection in @first is to be taken with it. */
static void
keep_together(const struct sl_core *core, uint64_t *first, uint64_t *later)
{
	struct seen seen = { 0 };
	uint64_t like = 0;

	if (*first == 0 || *later == 0)
		return;
	for (uint64_t set = *first; set != 0; set &= set - 1)
		see(&seen, core->lane[__builtin_ctzll(set)].hash);
	for (uint64_t set = *later; set != 0; set &= set - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(set);

		like |= has_seen(&seen, core->lane[i].hash) << i;
	}
	*first |= like;
	*later &= ~like;
}

void
sl_core_order(const struct sl_core *core, uint64_t kind[SL_KINDS])
{
	uint64_t later = core->hits & core->bare;

	kind[0] = core->hits & ~later;
	keep_together(core, &kind[0], &later);
	kind[1] = fins_of(core, later);
	kind[2] = later & ~kind[1];
	keep_together(core, &kind[1], &kind[2]);
}
