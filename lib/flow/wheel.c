/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel - a hierarchical timer wheel over indexes.
 *
 * Four levels of 256 slots, one level for each byte of a tick. An entry lies on the level
 * of the highest byte in which its tick differs from the wheel's, in the slot that this
 * byte names. When the wheel's tick enters that slot, the byte differs no longer and the
 * entry moves to a lower level; on the lowest, it is due. Since bytes are only compared for
 * equality, the wrap of the tick is nothing special.
 *
 * A bit for each slot says whether it holds anything, so time jumps from one slot in use
 * to the next. The slots that the wheel's own tick names are in use only while work on
 * them is unfinished: new entries never go there. That is the whole state of a call that
 * stopped half-way.
 *
 * What lies in a slot is a stack of ids in chunks of a cache line, chained from the top one
 * down. So a new entry goes where the last one went, and what comes up is known a chunk at
 * a time: its ticks are asked for before they are needed, which a list of entries cannot
 * do. An entry in the middle is taken out by moving the top one into its place; where that
 * lay is only written. All this lies apart from the ticks, which are in the records: who arms
 * has the record at hand, and nearly always needs no more.
 *
 * Three bytes for each id tell in which chunk its entry is to be looked for. These and the
 * chunk must come from memory before it can be moved. So one that is armed earlier is moved a
 * few of these later, and before time goes on. Its record's tick is the new one at once, and
 * all but the entry itself is as if it had been moved.
 */
#include <assert.h>
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "flow/chunks.h"
#include "flow/words.h"

enum {
	MOVES_PER_ID = 4, /* entries a call may move to a lower level for each it may return */
};

/* Each slot in use wastes less than a chunk. */
static uint32_t
n_chunks(uint32_t ids)
{
	return ids / SL_CHUNK_IDS + (ids < SL_WHEEL_ALL ? ids : SL_WHEEL_ALL);
}

/* A byte more, for the last one is read as a whole word. */
static size_t
at_bytes(uint32_t ids)
{
	return (size_t)ids * SL_AT_BYTES + 1;
}

size_t
sl_wheel_bytes(uint32_t ids)
{
	return sizeof(struct sl_wheel) + at_bytes(ids) +
	       n_chunks(ids) * sizeof(struct sl_chunk);
}

int
sl_wheel_open(struct sl_wheel **out, struct sl_mem *mem, const struct sl_wheel_conf *conf,
	      sl_tick_t now)
{
	uint32_t ids = conf->ids;
	struct sl_wheel *wheel;

	if (ids == 0 || n_chunks(ids) > SL_CHUNKS_MAX || conf->tick == NULL ||
	    conf->stride < sizeof(sl_tick_t) || conf->stride % sizeof(sl_tick_t) != 0)
		return -EINVAL;

	wheel = sl_mem_take(mem, sizeof(*wheel), SL_CACHE_LINE);
	if (wheel == NULL)
		return -ENOMEM;
	wheel->at = sl_mem_take(mem, at_bytes(ids), SL_CACHE_LINE);
	wheel->n_chunks = n_chunks(ids);
	wheel->chunk = sl_mem_take(mem, wheel->n_chunks * sizeof(*wheel->chunk), SL_CACHE_LINE);
	if (wheel->at == NULL || wheel->chunk == NULL)
		return -ENOMEM;

	wheel->tick = (char *)conf->tick;
	wheel->stride = conf->stride;
	wheel->n_ids = ids;
	wheel->now = now;
	wheel->free = SL_NO_CHUNK;
	for (unsigned int i = 0; i < SL_WHEEL_ALL; i++)
		wheel->top[i] = SL_NOWHERE;
	*out = wheel;
	return 0;
}

static inline void
set_chunk(struct sl_wheel *wheel, uint32_t id, uint32_t chunk)
{
	uint16_t low = rte_cpu_to_le_16((uint16_t)chunk);
	uint8_t *at = sl_wheel_at(wheel, id);

	memcpy(at, &low, sizeof(low));
	at[2] = (uint8_t)(chunk >> 16);
}

/* A free chunk, on top of the full one at position @top of @slot or the first one there. */
static uint32_t
chunk_get(struct sl_wheel *wheel, uint32_t slot, uint32_t top)
{
	uint32_t c = wheel->free;

	if (c != SL_NO_CHUNK)
		wheel->free = wheel->chunk[c].below;
	else
		c = wheel->n_used++;
	assert(c < wheel->n_chunks);
	wheel->chunk[c].level = slot / SL_WHEEL_SLOTS;
	if (top != SL_NOWHERE) {
		wheel->chunk[c].below = top / SL_CHUNK_WORDS;
	} else {
		wheel->chunk[c].below = SL_NO_CHUNK;
		wheel->in_use[slot / SL_WHEEL_SLOTS][slot % SL_WHEEL_SLOTS / 64] |=
			1ull << slot % 64;
	}
	return c;
}

/* Put @id, which is in no slot and whose tick is @due, where it belongs. */
static void
push(struct sl_wheel *wheel, uint32_t id, sl_tick_t due)
{
	uint32_t slot = sl_wheel_slot_for(wheel, due);
	uint32_t top = wheel->top[slot];

	if (sl_wheel_is_last(top))
		top = chunk_get(wheel, slot, top) * SL_CHUNK_WORDS;
	top++;
	set_chunk(wheel, id, top / SL_CHUNK_WORDS);
	*sl_wheel_id(wheel, top) = id;
	wheel->top[slot] = top;
}

/* Take the last id out of @slot, which is in use. */
static uint32_t
pop(struct sl_wheel *wheel, uint32_t slot)
{
	uint32_t top = wheel->top[slot], c = top / SL_CHUNK_WORDS;
	uint32_t id = *sl_wheel_id(wheel, top);

	if (likely(top % SL_CHUNK_WORDS > 1)) {
		wheel->top[slot] = top - 1;
		return id;
	}

	uint32_t below = wheel->chunk[c].below;

	wheel->chunk[c].below = wheel->free;
	wheel->free = c;
	if (below != SL_NO_CHUNK) {
		wheel->top[slot] = below * SL_CHUNK_WORDS + SL_CHUNK_IDS;
	} else {
		wheel->top[slot] = SL_NOWHERE;
		wheel->in_use[slot / SL_WHEEL_SLOTS][slot % SL_WHEEL_SLOTS / 64] &=
			~(1ull << slot % 64);
	}
	return id;
}

/*
 * Where in @chunk @id is, which is in it. Behind the last one there may be others that have
 * left, @id among them, so the first that is found is right.
 */
static inline uint32_t *
place_in(struct sl_chunk *chunk, uint32_t id)
{
	const uint32_t first_word = 1u; /* that which is no id */
	uint32_t hits = sl_words_match((const uint32_t *)(const void *)chunk, id) & ~first_word;

	assert(hits != 0);
	return (uint32_t *)(void *)chunk + __builtin_ctz(hits);
}

/*
 * Take @id, whose tick is @due, out of wherever it lies: the last one of its slot takes its
 * place. On which level that slot is follows from the tick, unless the slot has been entered
 * and is not empty yet.
 */
static void
pull(struct sl_wheel *wheel, uint32_t id, sl_tick_t due)
{
	uint32_t c = sl_wheel_chunk_of(wheel, id), slot = sl_wheel_slot_for(wheel, due), last;
	uint32_t *place = place_in(&wheel->chunk[c], id);

	if (unlikely(wheel->half_done))
		slot = wheel->chunk[c].level * SL_WHEEL_SLOTS +
		       sl_wheel_byte_of(due, wheel->chunk[c].level);
	last = pop(wheel, slot);
	*place = last;
	set_chunk(wheel, last, c);
}

/* An entry may wait for several moves, each from where the one before leads. */
static void
move_oldest(struct sl_wheel *wheel)
{
	struct sl_move move = *sl_wheel_move(wheel, wheel->first_move++);

	pull(wheel, move.id, move.from);
	push(wheel, move.id, move.to);
}

/* Ask for the chunk that the entry of move @i lies in: the position must have come. */
static inline void
ask_for_chunk(const struct sl_wheel *wheel, uint32_t i)
{
	uint32_t c = sl_wheel_chunk_of(wheel, sl_wheel_move(wheel, i)->id);

	rte_prefetch0(&wheel->chunk[c]);
}

static void
move_all(struct sl_wheel *wheel)
{
	uint32_t n = wheel->end_move - wheel->first_move;
	uint32_t n_new = n < SL_MOVES / 2 ? n : SL_MOVES / 2;

	for (uint32_t i = wheel->end_move - n_new; i != wheel->end_move; i++)
		ask_for_chunk(wheel, i);
	while (wheel->first_move != wheel->end_move)
		move_oldest(wheel);
}

/*
 * Let the entry of @id be moved, later than others that wait. Its position is asked for now,
 * and its chunk when half of those have gone.
 */
static inline void
move_later(struct sl_wheel *wheel, uint32_t id, sl_tick_t from, sl_tick_t to)
{
	uint32_t n = wheel->end_move - wheel->first_move;

	rte_prefetch0(sl_wheel_at(wheel, id));
	if (n == SL_MOVES)
		move_oldest(wheel);
	if (n >= SL_MOVES / 2)
		ask_for_chunk(wheel, wheel->end_move - SL_MOVES / 2);
	wheel->move[wheel->end_move++ % SL_MOVES] = (struct sl_move){ id, from, to };
}

void
sl_wheel_arm(struct sl_wheel *wheel, uint32_t id, sl_tick_t due)
{
	sl_tick_t *tick, old;

	assert(id < wheel->n_ids);

	tick = sl_wheel_tick_of(wheel, id);
	old = *tick;
	if (sl_tick_le(due, wheel->now))
		due = wheel->now + 1;
	due += due == 0;
	if (old == 0) {
		*tick = due;
		wheel->n_entries++;
		push(wheel, id, due);
	} else if (sl_tick_lt(due, old)) {
		*tick = due;
		move_later(wheel, id, old, due);
	}
}

/* The slot on @level that the wheel's tick names, if it is in use: else SL_NOWHERE. */
static inline uint32_t
entered(const struct sl_wheel *wheel, unsigned int level)
{
	unsigned int byte = sl_wheel_byte_of(wheel->now, level);

	return wheel->in_use[level][byte / 64] >> byte % 64 & 1 ? level * SL_WHEEL_SLOTS + byte
								: SL_NOWHERE;
}

/* The first slot in use on @level at @from or behind; -1 if there is none. */
static int
slot_from(const struct sl_wheel *wheel, unsigned int level, unsigned int from)
{
	for (unsigned int word = from / 64; word < SL_WHEEL_WORDS; word++) {
		uint64_t bits = wheel->in_use[level][word];

		if (word == from / 64)
			bits &= ~0ull << from % 64;
		if (bits != 0)
			return (int)(word * 64 + (unsigned int)__builtin_ctzll(bits));
	}
	return -1;
}

/*
 * The next tick that names a slot in use. Lower levels are nearer; on each, the slots
 * behind the present one, and on the highest those before it, which are next time round.
 */
static bool
next_stop(const struct sl_wheel *wheel, sl_tick_t *stop)
{
	for (unsigned int level = 0; level < SL_WHEEL_LEVELS; level++) {
		unsigned int shift = 8 * level;
		int slot = slot_from(wheel, level, sl_wheel_byte_of(wheel->now, level) + 1);

		if (slot < 0 && level == SL_WHEEL_LEVELS - 1)
			slot = slot_from(wheel, level, 0);
		if (slot >= 0) {
			/* Two shifts, for all four bytes are too many for one. */
			*stop = ((wheel->now >> shift >> 8 << 8) + (uint32_t)slot) << shift;
			return true;
		}
	}
	return false;
}

static void
prefetch_ticks(const struct sl_wheel *wheel, uint32_t c, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rte_prefetch0(sl_wheel_tick_of(wheel, wheel->chunk[c].id[i]));
}

/*
 * Ask memory for what comes up behind the ids of the chunk at @top: the ticks of the next
 * chunk, and the one after that. If a walk of the slot begins here, @top's own as well.
 */
static void
prefetch_below(const struct sl_wheel *wheel, uint32_t top, bool first)
{
	uint32_t c = top / SL_CHUNK_WORDS;
	uint32_t below = wheel->chunk[c].below;

	if (first)
		prefetch_ticks(wheel, c, top % SL_CHUNK_WORDS);
	if (below == SL_NO_CHUNK)
		return;
	prefetch_ticks(wheel, below, SL_CHUNK_IDS);
	if (wheel->chunk[below].below != SL_NO_CHUNK)
		rte_prefetch0(&wheel->chunk[wheel->chunk[below].below]);
}

/* The next id of @slot in a walk that takes out all of them; *@chunk is SL_NOWHERE to begin
 * with. */
static inline uint32_t
pop_next(struct sl_wheel *wheel, uint32_t slot, uint32_t *chunk)
{
	uint32_t top = wheel->top[slot];

	if (top / SL_CHUNK_WORDS != *chunk) {
		prefetch_below(wheel, top, *chunk == SL_NOWHERE);
		*chunk = top / SL_CHUNK_WORDS;
	}
	return pop(wheel, slot);
}

/* Move what lies in @slot, which time has entered, to lower levels; false if out of @moves. */
static bool
spread(struct sl_wheel *wheel, uint32_t slot, uint32_t *moves)
{
	uint32_t chunk = SL_NOWHERE;

	while (wheel->top[slot] != SL_NOWHERE) {
		uint32_t id;

		if ((*moves)-- == 0)
			return false;
		id = pop_next(wheel, slot, &chunk);
		push(wheel, id, *sl_wheel_tick_of(wheel, id));
	}
	return true;
}

/* Finish the slots that the wheel's tick names: false if out of moves or of room in @ids. */
static bool
finish_tick(struct sl_wheel *wheel, uint32_t *moves, uint32_t *ids, uint16_t *n, uint16_t max)
{
	uint32_t slot, chunk = SL_NOWHERE;

	for (unsigned int level = SL_WHEEL_LEVELS - 1; level > 0; level--) {
		slot = entered(wheel, level);
		if (slot != SL_NOWHERE && !spread(wheel, slot, moves))
			return false;
	}

	slot = entered(wheel, 0);
	while (slot != SL_NOWHERE && wheel->top[slot] != SL_NOWHERE) {
		if (*n == max)
			return false;
		ids[*n] = pop_next(wheel, slot, &chunk);
		*sl_wheel_tick_of(wheel, ids[*n]) = 0;
		wheel->n_entries--;
		(*n)++;
	}
	return true;
}

uint16_t
sl_wheel_expire(struct sl_wheel *wheel, sl_tick_t now, uint32_t *ids, uint16_t max)
{
	uint32_t moves = MOVES_PER_ID * (uint32_t)max;
	uint16_t n = 0;
	bool done;

	move_all(wheel);
	while ((done = finish_tick(wheel, &moves, ids, &n, max)) &&
	       sl_tick_lt(wheel->now, now)) {
		sl_tick_t stop;

		if (!next_stop(wheel, &stop) || stop - wheel->now > now - wheel->now)
			stop = now;
		wheel->now = stop;
	}
	wheel->half_done = !done;
	return n;
}

/* sl_wheel_next() for entries that lie where they belong. */
static bool
next_in_slots(const struct sl_wheel *wheel, sl_tick_t *due)
{
	for (unsigned int level = 0; level < SL_WHEEL_LEVELS; level++) {
		if (entered(wheel, level) != SL_NOWHERE) {
			*due = wheel->now;
			return true;
		}
	}
	return next_stop(wheel, due);
}

bool
sl_wheel_next(const struct sl_wheel *wheel, sl_tick_t *due)
{
	if (!next_in_slots(wheel, due))
		return false;
	for (uint32_t i = wheel->first_move; i != wheel->end_move; i++) {
		sl_tick_t to = sl_wheel_move(wheel, i)->to;

		if (sl_tick_lt(to, *due))
			*due = to;
	}
	return true;
}

uint32_t
sl_wheel_count(const struct sl_wheel *wheel)
{
	return wheel->n_entries;
}
