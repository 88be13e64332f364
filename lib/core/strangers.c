/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strangers - who of a burst is a stranger, and what all strangers hear at once.
 *
 * A flood is many packets of few kinds from senders without a record. Sorted by kind they are
 * answered side by side, without a lane for each, however mixed the burst was. All others get
 * a lane and go through the stages one after the other, in order of arrival.
 *
 * Packets of one connection keep their order: strangers go first, and one whose hash
 * resembles that of a packet with a lane gets a lane, too. If the packet with a lane has found
 * a record, no stranger is of its connection, or it would have resembled that record. Between
 * connections there is no such order: whether a listener answers by cookies, and whether any
 * cookie is out, is as the burst finds it.
 */
#include <string.h>

#include <rte_branch_prediction.h>

#include "core/core.h"
#include "tcp/crowd.h"

static uint64_t
first_bits(unsigned int n)
{
	return n == 0 ? 0 : ~0ull >> (64 - n);
}

static const struct sl_door *
door_of(const struct sl_core *core, uint16_t port)
{
	for (uint16_t i = 0; i < core->n_doors; i++)
		if (core->door[i].port == port)
			return &core->door[i];
	return NULL;
}

/* A lane for entry @k of @c, of which all is known but whether it met somebody. */
static void
open_for(struct sl_core *core, const struct sl_crowd *c, unsigned int k)
{
	struct sl_lane *lane = &core->lane[c->at[k]];

	sl_lane_open(lane, c->m[k]);
	core->lanes |= 1ull << c->at[k];
	sl_crowd_tell(c, k, &lane->frame, &lane->tuple, &lane->seg);
	lane->hash = c->hash[k];
}

static void
open_for_all(struct sl_core *core, const struct sl_crowd *c, uint64_t who)
{
	for (; who != 0; who &= who - 1)
		open_for(core, c, (unsigned int)__builtin_ctzll(who));
}

uint64_t
sl_strangers_glance(struct sl_core *core, struct rte_mbuf **rx, uint16_t n)
{
	core->n_spent = 0;
	core->open_door = n > 0 ? door_of(core, rx[0]->port) : NULL;
	if (likely(core->open_door != NULL))
		return sl_glance(core->open_door, rx, n, core->tcp.crowd_leaf, core->crowd);
	for (unsigned int kind = 0; kind < SL_CROWDS; kind++)
		core->crowd[kind].n = 0;
	return first_bits(n);
}

void
sl_strangers_find(struct sl_core *core)
{
	struct sl_tcp *tcp = &core->tcp;

	tcp->foreseen.of = NULL;
	for (unsigned int kind = 0; kind < SL_CROWDS; kind++) {
		struct sl_crowd *c = &core->crowd[kind];

		if (c->n == 0)
			continue;
		sl_flows_hash_many(tcp->flows, tcp->many, c->addr, c->v6, c->numbers, c->hash,
				   c->n);
		if (kind <= SL_CROWD_SYN6 && c->n > SL_BURST / 2)
			sl_crowd_foresee(tcp, c);
		else
			sl_flows_ask(tcp->flows, c->hash, c->n);
	}
	for (unsigned int kind = 0; kind < SL_CROWDS; kind++) {
		struct sl_crowd *c = &core->crowd[kind];
		uint64_t known = sl_flows_resembling(tcp->flows, c->hash, c->n);

		core->strangers[kind] = first_bits(c->n) & ~known;
		open_for_all(core, c, known);
	}
}

/* Hashes that have been seen, by eleven bits: of a few and a crowd hardly any are alike. */
struct seen {
	bool any;
	uint64_t bits[4][8];
};

/* A line at a time: all at once would be an instruction that takes long to begin. */
static void
see_nobody(struct seen *seen)
{
	for (unsigned int i = 0; i < 4; i++)
		memset(seen->bits[i], 0, sizeof(seen->bits[i]));
}

/*
 * What takes sequence space is met by silence if a cookie went to a like hash, of eight bits
 * then (sl_tcp.cookie_at): a SYN of such a one may not be answered before it, either.
 */
static void
see(struct seen *seen, uint64_t hash, bool takes_space)
{
	uint64_t bit = 1ull << (hash & 63);

	if (!seen->any)
		see_nobody(seen);
	seen->any = true;
	if (!takes_space)
		seen->bits[hash >> 6 & 3][hash >> 8 & 7] |= bit;
	for (unsigned int high = 0; takes_space && high < 8; high++)
		seen->bits[hash >> 6 & 3][high] |= bit;
}

static bool
has_seen(const struct seen *seen, uint64_t hash)
{
	return seen->bits[hash >> 6 & 3][hash >> 8 & 7] >> (hash & 63) & 1;
}

/* Of @who, those that resemble somebody @seen. */
static uint64_t
resembling(const struct seen *seen, const struct sl_crowd *c, uint64_t who)
{
	uint64_t like = 0;

	if (!seen->any)
		return 0;
	for (unsigned int k = 0; k < c->n; k++)
		like |= (uint64_t)has_seen(seen, c->hash[k]) << k;
	return like & who;
}

/* Entries @who of @c are done with but not answered in their buffers. */
static void
spend(struct sl_core *core, const struct sl_crowd *c, uint64_t who)
{
	if (likely(who == first_bits(c->n))) {
		memcpy(&core->spent[core->n_spent], c->m, c->n * sizeof(c->m[0]));
		core->n_spent += c->n;
		return;
	}
	for (; who != 0; who &= who - 1)
		core->spent[core->n_spent++] = c->m[__builtin_ctzll(who)];
}

/* Segments first: one that turns out to be a cookie's has a lane, and may precede a SYN. */
void
sl_strangers_answer(struct sl_core *core)
{
	struct seen seen;
	uint64_t any = 0;

	for (unsigned int kind = 0; kind < SL_CROWDS; kind++)
		any |= core->strangers[kind];
	if (any == 0)
		return;
	seen.any = false;
	for (uint64_t set = core->lanes & ~core->hits; set != 0;) {
		const struct sl_lane *lane = sl_core_next_lane(core, &set);

		if (lane->slot == SL_NO_FLOW && lane->route != SL_ROUTE_DONE &&
		    lane->frame.kind == SL_KIND_TCP)
			see(&seen, lane->hash, sl_seg_span(&lane->seg) > 0);
	}
	for (unsigned int kind = SL_CROWD_SEG4; kind <= SL_CROWD_SEG6; kind++) {
		const unsigned int syns = kind - SL_CROWD_SEG4 + SL_CROWD_SYN4;
		const struct sl_crowd *c = &core->crowd[kind];
		uint64_t who = core->strangers[kind], like, left;

		if (who == 0)
			continue;
		like = resembling(&seen, c, who);
		left = sl_crowd_segments(&core->tcp, c, who & ~like, &core->crowd[syns],
					 core->strangers[syns]);
		left |= like;
		spend(core, c, who & ~left);
		open_for_all(core, c, left);
		for (; left != 0; left &= left - 1) {
			unsigned int k = (unsigned int)__builtin_ctzll(left);

			see(&seen, c->hash[k], c->flags[k] & SL_FIN);
		}
	}
	for (unsigned int kind = SL_CROWD_SYN4; kind <= SL_CROWD_SYN6; kind++) {
		struct sl_crowd *c = &core->crowd[kind];
		uint64_t who = core->strangers[kind], like, left, ended;

		if (who == 0)
			continue;
		like = resembling(&seen, c, who);
		left = sl_crowd_syns(&core->tcp, c, core->open_door, who & ~like, &ended);
		spend(core, c, ended);
		open_for_all(core, c, left | like);
	}
}
