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
 * Entries 2 * id and 2 * id + 1 belong to an id. Their ticks lie apart from their links,
 * eight ids to a cache line, for sl_wheel_arm() nearly always needs the ticks alone.
 */
#include <assert.h>
#include <errno.h>
#include <stdalign.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "flow/wheel.h"

enum {
	LEVELS = 4,
	SLOTS = 256,
	WORDS = SLOTS / 64,
	MOVES_PER_ID = 4, /* entries a call may move to a lower level for each it may return */
};

#define NIL     0xffffffffu
#define AT_HEAD 0x80000000u /* in prev: this is the first of the slot in the other bits */
#define IDS_MAX (AT_HEAD / 2)

struct link {
	uint32_t next, prev;
};

struct sl_wheel {
	sl_tick_t *due; /* of each entry; 0: it is not in the wheel */
	struct link *link;
	uint32_t n_ids;
	uint32_t n_entries;
	sl_tick_t now; /* everything before it has come up */
	alignas(SL_CACHE_LINE) uint64_t in_use[LEVELS][WORDS];
	uint32_t head[LEVELS * SLOTS];
};

size_t
sl_wheel_bytes(uint32_t ids)
{
	size_t entry = sizeof(sl_tick_t) + sizeof(struct link);

	return sizeof(struct sl_wheel) + 2 * (size_t)ids * entry;
}

int
sl_wheel_open(struct sl_wheel **out, struct sl_mem *mem, uint32_t ids, sl_tick_t now)
{
	struct sl_wheel *wheel;

	if (ids == 0 || ids >= IDS_MAX)
		return -EINVAL;

	wheel = sl_mem_take(mem, sizeof(*wheel), SL_CACHE_LINE);
	if (wheel == NULL)
		return -ENOMEM;
	wheel->due = sl_mem_take(mem, 2 * (size_t)ids * sizeof(*wheel->due), SL_CACHE_LINE);
	wheel->link = sl_mem_take(mem, 2 * (size_t)ids * sizeof(*wheel->link), SL_CACHE_LINE);
	if (wheel->due == NULL || wheel->link == NULL)
		return -ENOMEM;

	wheel->n_ids = ids;
	wheel->now = now;
	for (unsigned int i = 0; i < LEVELS * SLOTS; i++)
		wheel->head[i] = NIL;
	*out = wheel;
	return 0;
}

static inline unsigned int
byte_of(sl_tick_t tick, unsigned int level)
{
	return tick >> (8 * level) & (SLOTS - 1);
}

/* The slot for @due at the wheel's present tick; the tick itself is level 0. */
static inline uint32_t
slot_for(const struct sl_wheel *wheel, sl_tick_t due)
{
	unsigned int level = (31 - (unsigned int)__builtin_clz((due ^ wheel->now) | 1)) / 8;

	return level * SLOTS + byte_of(due, level);
}

static void
link_in(struct sl_wheel *wheel, uint32_t entry, sl_tick_t due)
{
	uint32_t slot = slot_for(wheel, due);
	uint32_t next = wheel->head[slot];

	wheel->due[entry] = due;
	wheel->link[entry] = (struct link){ .next = next, .prev = AT_HEAD | slot };
	if (next != NIL)
		wheel->link[next].prev = entry;
	wheel->head[slot] = entry;
	wheel->in_use[slot / SLOTS][slot % SLOTS / 64] |= 1ull << slot % 64;
}

static void
link_out(struct sl_wheel *wheel, uint32_t entry)
{
	struct link link = wheel->link[entry];

	if (link.next != NIL)
		wheel->link[link.next].prev = link.prev;
	if (!(link.prev & AT_HEAD)) {
		wheel->link[link.prev].next = link.next;
		return;
	}

	uint32_t slot = link.prev & ~AT_HEAD;

	wheel->head[slot] = link.next;
	if (link.next == NIL)
		wheel->in_use[slot / SLOTS][slot % SLOTS / 64] &= ~(1ull << slot % 64);
}

static void
take_out(struct sl_wheel *wheel, uint32_t entry)
{
	link_out(wheel, entry);
	wheel->due[entry] = 0;
	wheel->n_entries--;
}

/* Whether one of the two entries at @pair is there and at or before @due. */
static inline bool
covers(const sl_tick_t *pair, sl_tick_t due)
{
	bool first = pair[0] != 0 && sl_tick_le(pair[0], due);
	bool second = pair[1] != 0 && sl_tick_le(pair[1], due);

	return first | second;
}

/* Of two entries that are both too late the nearer moves: the farther may still be right. */
static void
arm(struct sl_wheel *wheel, uint32_t id, sl_tick_t due)
{
	const sl_tick_t *pair = &wheel->due[2 * id];
	uint32_t entry = 2 * id + (pair[0] != 0);

	if (pair[0] != 0 && pair[1] != 0) {
		entry = 2 * id + sl_tick_lt(pair[1], pair[0]);
		link_out(wheel, entry);
	} else {
		wheel->n_entries++;
	}
	link_in(wheel, entry, due);
}

void
sl_wheel_arm(struct sl_wheel *wheel, uint32_t id, sl_tick_t due)
{
	const sl_tick_t *pair = &wheel->due[2 * id];

	assert(id < wheel->n_ids);

	if (likely(covers(pair, due)))
		return;

	if (sl_tick_le(due, wheel->now))
		due = wheel->now + 1;
	due += due == 0;
	if (!covers(pair, due))
		arm(wheel, id, due);
}

void
sl_wheel_prefetch(const struct sl_wheel *wheel, uint32_t id)
{
	rte_prefetch0(&wheel->due[2 * id]);
}

void
sl_wheel_drop(struct sl_wheel *wheel, uint32_t id)
{
	assert(id < wheel->n_ids);

	for (uint32_t entry = 2 * id; entry < 2 * id + 2; entry++) {
		if (wheel->due[entry] != 0)
			take_out(wheel, entry);
	}
}

/* The slot on @level that the wheel's tick names, if it is in use: else NIL. */
static inline uint32_t
entered(const struct sl_wheel *wheel, unsigned int level)
{
	unsigned int byte = byte_of(wheel->now, level);

	return wheel->in_use[level][byte / 64] >> byte % 64 & 1 ? level * SLOTS + byte : NIL;
}

/* The first slot in use on @level at @from or behind; -1 if there is none. */
static int
slot_from(const struct sl_wheel *wheel, unsigned int level, unsigned int from)
{
	for (unsigned int word = from / 64; word < WORDS; word++) {
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
	for (unsigned int level = 0; level < LEVELS; level++) {
		unsigned int shift = 8 * level;
		int slot = slot_from(wheel, level, byte_of(wheel->now, level) + 1);

		if (slot < 0 && level == LEVELS - 1)
			slot = slot_from(wheel, level, 0);
		if (slot >= 0) {
			/* Two shifts, for all four bytes are too many for one. */
			*stop = ((wheel->now >> shift >> 8 << 8) + (uint32_t)slot) << shift;
			return true;
		}
	}
	return false;
}

/* What comes behind @entry in its slot is next: ask memory for it. */
static inline void
prefetch_next(const struct sl_wheel *wheel, uint32_t entry)
{
	uint32_t next = wheel->link[entry].next;

	if (next != NIL) {
		rte_prefetch0(&wheel->link[next]);
		rte_prefetch0(&wheel->due[next]);
	}
}

/* Move what lies in @slot, which time has entered, to lower levels; false if out of @moves. */
static bool
spread(struct sl_wheel *wheel, uint32_t slot, uint32_t *moves)
{
	while (wheel->head[slot] != NIL) {
		uint32_t entry = wheel->head[slot];

		if ((*moves)-- == 0)
			return false;
		prefetch_next(wheel, entry);
		link_out(wheel, entry);
		link_in(wheel, entry, wheel->due[entry]);
	}
	return true;
}

/* Finish the slots that the wheel's tick names: false if out of moves or of room in @ids. */
static bool
finish_tick(struct sl_wheel *wheel, uint32_t *moves, uint32_t *ids, uint16_t *n, uint16_t max)
{
	uint32_t slot;

	for (unsigned int level = LEVELS - 1; level > 0; level--) {
		slot = entered(wheel, level);
		if (slot != NIL && !spread(wheel, slot, moves))
			return false;
	}

	slot = entered(wheel, 0);
	while (slot != NIL && wheel->head[slot] != NIL) {
		uint32_t entry = wheel->head[slot];

		if (*n == max)
			return false;
		prefetch_next(wheel, entry);
		take_out(wheel, entry);
		ids[(*n)++] = entry / 2;
	}
	return true;
}

uint16_t
sl_wheel_expire(struct sl_wheel *wheel, sl_tick_t now, uint32_t *ids, uint16_t max)
{
	uint32_t moves = MOVES_PER_ID * (uint32_t)max;
	uint16_t n = 0;

	while (finish_tick(wheel, &moves, ids, &n, max) && sl_tick_lt(wheel->now, now)) {
		sl_tick_t stop;

		if (!next_stop(wheel, &stop) || stop - wheel->now > now - wheel->now)
			stop = now;
		wheel->now = stop;
	}
	return n;
}

bool
sl_wheel_next(const struct sl_wheel *wheel, sl_tick_t *due)
{
	for (unsigned int level = 0; level < LEVELS; level++) {
		if (entered(wheel, level) != NIL) {
			*due = wheel->now;
			return true;
		}
	}
	return next_stop(wheel, due);
}

uint32_t
sl_wheel_count(const struct sl_wheel *wheel)
{
	return wheel->n_entries;
}

/* A bit for each of 64 slots from @slot on that holds anything. */
static uint64_t
slots_used(const struct sl_wheel *wheel, uint32_t slot)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < 64; i++)
		used |= (uint64_t)(wheel->head[slot + i] != NIL) << i;
	return used;
}

/* Check what is linked from @slot and count it into *@n. */
static int
check_slot(const struct sl_wheel *wheel, uint32_t slot, uint32_t *n)
{
	unsigned int level = slot / SLOTS, byte = slot % SLOTS;
	uint32_t prev = AT_HEAD | slot;

	for (uint32_t e = wheel->head[slot]; e != NIL; e = wheel->link[e].next) {
		sl_tick_t due = e < 2 * wheel->n_ids ? wheel->due[e] : 0;
		/* Unfinished work: all bytes from this level up are the wheel's. */
		bool entered_now = (due ^ wheel->now) >> (8 * level) == 0;

		if (due == 0 || sl_tick_lt(due, wheel->now) || wheel->link[e].prev != prev)
			return -EBADMSG;
		if (byte != byte_of(due, level) ||
		    !(entered_now || slot == slot_for(wheel, due)))
			return -EBADMSG;
		if (++*n > wheel->n_entries)
			return -EBADMSG;
		prev = e;
	}
	return 0;
}

int
sl_wheel_check(const struct sl_wheel *wheel)
{
	uint32_t linked = 0, set = 0;

	for (uint32_t word = 0; word < LEVELS * WORDS; word++) {
		uint64_t used = slots_used(wheel, word * 64);

		if (used != wheel->in_use[word / WORDS][word % WORDS])
			return -EBADMSG;
		for (; used != 0; used &= used - 1) {
			uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(used);

			if (check_slot(wheel, slot, &linked) < 0)
				return -EBADMSG;
		}
	}
	for (uint32_t entry = 0; entry < 2 * wheel->n_ids; entry++)
		set += wheel->due[entry] != 0;
	return linked == wheel->n_entries && set == linked ? 0 : -EBADMSG;
}
