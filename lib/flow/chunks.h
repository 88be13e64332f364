/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chunks - the inside of the timer wheel, for the files that make it up.
 */
#ifndef SL_FLOW_CHUNKS_H
#define SL_FLOW_CHUNKS_H

#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include <rte_byteorder.h>

#include "flow/wheel.h"

#ifndef SL_MOVES   /* perf/ahead varies it */
#define SL_MOVES 8 /* that may wait; a power of two */
#endif

enum {
	SL_WHEEL_LEVELS = 4,
	SL_WHEEL_SLOTS = 256, /* of a level */
	SL_WHEEL_WORDS = SL_WHEEL_SLOTS / 64,
	SL_WHEEL_ALL = SL_WHEEL_LEVELS * SL_WHEEL_SLOTS,
	SL_CHUNK_IDS = 15,
	SL_CHUNK_WORDS = 16, /* a position is the word's in all chunks */
	SL_AT_BYTES = 3,     /* a chunk's number */
};

#define SL_NOWHERE  0xffffffffu /* ends a chunk, as the last word of a full one does */
#define SL_NO_CHUNK 0x3fffffffu

#define SL_CHUNKS_MAX 0xffffffu /* what those bytes tell apart */

/* Some of the ids in a slot; all chunks but the top one of a slot are full. */
struct sl_chunk {
	uint32_t below : 30; /* the next one down, or SL_NO_CHUNK; free: the next free one */
	uint32_t level : 2;  /* of the slot; which one it is there, each id's tick says */
	uint32_t id[SL_CHUNK_IDS];
};
static_assert(sizeof(struct sl_chunk) == SL_CACHE_LINE, "a chunk is a line");

/* An entry that has yet to be moved. */
struct sl_move {
	uint32_t id;
	sl_tick_t from, to; /* as what it lies in its slot, and where it belongs */
};

struct sl_wheel {
	char *tick; /* of record 0: when its entry is due, or 0: it has none */
	uint64_t stride;
	uint8_t *at; /* SL_AT_BYTES for each id that has an entry: the chunk where it lies */
	struct sl_chunk *chunk;
	uint32_t n_chunks;
	uint32_t free;   /* the chunk given back last, or SL_NO_CHUNK */
	uint32_t n_used; /* chunks from here on were never used */
	uint32_t n_ids;
	uint32_t n_entries;
	sl_tick_t now;                 /* everything before it has come up */
	bool half_done;                /* a call stopped half-way */
	uint32_t first_move, end_move; /* those that wait, oldest first; both wrap */
	struct sl_move move[SL_MOVES];
	alignas(SL_CACHE_LINE) uint64_t in_use[SL_WHEEL_LEVELS][SL_WHEEL_WORDS];
	uint32_t top[SL_WHEEL_ALL]; /* position of the last id of each slot, or SL_NOWHERE */
};

/* The id at @position, which is not the first word of a chunk. */
static inline uint32_t *
sl_wheel_id(const struct sl_wheel *wheel, uint32_t position)
{
	return (uint32_t *)(void *)wheel->chunk + position;
}

/* Whether there is no room behind @position in its chunk, or no chunk. */
static inline bool
sl_wheel_is_last(uint32_t position)
{
	return position % SL_CHUNK_WORDS == SL_CHUNK_WORDS - 1;
}

/* The tick of @id, in its record. */
static inline sl_tick_t *
sl_wheel_tick_of(const struct sl_wheel *wheel, uint32_t id)
{
	return (sl_tick_t *)(void *)(wheel->tick + id * wheel->stride);
}

static inline unsigned int
sl_wheel_byte_of(sl_tick_t tick, unsigned int level)
{
	return tick >> (8 * level) & (SL_WHEEL_SLOTS - 1);
}

static inline uint8_t *
sl_wheel_at(const struct sl_wheel *wheel, uint32_t id)
{
	return wheel->at + (size_t)id * SL_AT_BYTES;
}

/* The chunk where the entry of @id lies. One byte too many is read; that is there. */
static inline uint32_t
sl_wheel_chunk_of(const struct sl_wheel *wheel, uint32_t id)
{
	uint32_t chunk;

	memcpy(&chunk, sl_wheel_at(wheel, id), sizeof(chunk));
	return rte_le_to_cpu_32(chunk) & SL_CHUNKS_MAX;
}

static inline const struct sl_move *
sl_wheel_move(const struct sl_wheel *wheel, uint32_t i)
{
	return &wheel->move[i % SL_MOVES];
}

/* The slot for @due at the wheel's present tick; the tick itself is level 0. */
static inline uint32_t
sl_wheel_slot_for(const struct sl_wheel *wheel, sl_tick_t due)
{
	unsigned int bit = 31 ^ (unsigned int)__builtin_clz((due ^ wheel->now) | 1);
	unsigned int level = bit / 8;

	return level * SL_WHEEL_SLOTS + sl_wheel_byte_of(due, level);
}

#endif
