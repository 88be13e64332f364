/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel_check - whether a timer wheel holds every promise it makes to itself.
 */
#include <errno.h>

#include "flow/chunks.h"

/* A bit for each of 64 slots from @slot on that holds anything. */
static uint64_t
slots_used(const struct sl_wheel *wheel, uint32_t slot)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < 64; i++)
		used |= (uint64_t)(wheel->top[slot + i] != SL_NOWHERE) << i;
	return used;
}

/* As what the entry of @id lies in its slot: behind the last move that waits, as its tick. */
static sl_tick_t
lies_as(const struct sl_wheel *wheel, uint32_t id, uint32_t first_move)
{
	for (uint32_t i = first_move; i != wheel->end_move; i++) {
		if (sl_wheel_move(wheel, i)->id == id)
			return sl_wheel_move(wheel, i)->from;
	}
	return *sl_wheel_tick_of(wheel, id);
}

/* Check the id at position @at of @slot. */
static bool
is_right(const struct sl_wheel *wheel, uint32_t slot, uint32_t at)
{
	unsigned int level = slot / SL_WHEEL_SLOTS, byte = slot % SL_WHEEL_SLOTS;
	uint32_t id = *sl_wheel_id(wheel, at);
	sl_tick_t due = id < wheel->n_ids ? lies_as(wheel, id, wheel->first_move) : 0;
	/* Unfinished work: all bytes from this level up are the wheel's. */
	bool entered_now = (due ^ wheel->now) >> (8 * level) == 0;

	return due != 0 && !sl_tick_lt(due, wheel->now) &&
	       sl_wheel_chunk_of(wheel, id) == at / SL_CHUNK_WORDS &&
	       byte == sl_wheel_byte_of(due, level) &&
	       (entered_now || slot == sl_wheel_slot_for(wheel, due));
}

/* Check all of @slot, which is in use; count its ids into *@n and its chunks into *@chunks. */
static int
check_slot(const struct sl_wheel *wheel, uint32_t slot, uint32_t *n, uint32_t *chunks)
{
	uint32_t c = wheel->top[slot] / SL_CHUNK_WORDS;
	uint32_t in_chunk = wheel->top[slot] % SL_CHUNK_WORDS;

	for (; c != SL_NO_CHUNK; c = wheel->chunk[c].below) {
		if (c >= wheel->n_used || ++*chunks > wheel->n_used || in_chunk == 0 ||
		    wheel->chunk[c].level != slot / SL_WHEEL_SLOTS)
			return -EBADMSG;
		for (uint32_t i = 1; i <= in_chunk; i++) {
			if (!is_right(wheel, slot, c * SL_CHUNK_WORDS + i))
				return -EBADMSG;
		}
		*n += in_chunk;
		in_chunk = SL_CHUNK_IDS;
	}
	return 0;
}

/* Each move that waits is to an earlier tick, from which the next one of its id leads on. */
static int
check_moves(const struct sl_wheel *wheel)
{
	if (wheel->end_move - wheel->first_move > SL_MOVES)
		return -EBADMSG;
	for (uint32_t i = wheel->first_move; i != wheel->end_move; i++) {
		const struct sl_move *move = sl_wheel_move(wheel, i);

		if (move->id >= wheel->n_ids || !sl_tick_lt(move->to, move->from) ||
		    move->to != lies_as(wheel, move->id, i + 1))
			return -EBADMSG;
	}
	return 0;
}

int
sl_wheel_check(const struct sl_wheel *wheel)
{
	uint32_t held = 0, set = 0, chunks = 0;

	if (check_moves(wheel) < 0)
		return -EBADMSG;
	for (uint32_t word = 0; word < SL_WHEEL_LEVELS * SL_WHEEL_WORDS; word++) {
		uint64_t used = slots_used(wheel, word * 64);

		if (used != wheel->in_use[word / SL_WHEEL_WORDS][word % SL_WHEEL_WORDS])
			return -EBADMSG;
		for (; used != 0; used &= used - 1) {
			uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(used);

			if (check_slot(wheel, slot, &held, &chunks) < 0)
				return -EBADMSG;
		}
	}
	for (uint32_t c = wheel->free; c != SL_NO_CHUNK; c = wheel->chunk[c].below) {
		if (c >= wheel->n_used || ++chunks > wheel->n_used)
			return -EBADMSG;
	}
	for (uint32_t id = 0; id < wheel->n_ids; id++)
		set += *sl_wheel_tick_of(wheel, id) != 0;
	return held == wheel->n_entries && set == held && chunks == wheel->n_used ? 0
										  : -EBADMSG;
}
