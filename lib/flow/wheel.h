/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel - when to look at which record next.
 *
 * A record, known by its id, keeps its own deadlines. The wheel only promises that an id
 * comes up no later than it was armed for; whoever gets it looks at its deadlines, acts on
 * what is due, and arms the next. So moving a deadline later or taking it back needs no
 * call at all. An id has at most one entry, whatever is done: one that is too late is moved.
 *
 * The tick of a record's entry lies in the record, for all to read and for the wheel to
 * write; 0 is none. So arming what the wheel covers already is a compare in a line that the
 * caller has at hand, and the wheel, for which a record is a number, keeps no copy. A record
 * that ends is not taken out: its tick stays, and the next life of the record is served by
 * the same entry, or finds nothing due when that comes up.
 *
 * Ticks are milliseconds and wrap. A deadline lies less than 2^31 ticks (24 days) after
 * the last call of sl_wheel_expire(), which is made at least that often. A deadline of 0,
 * which means "not set" elsewhere, is taken as 1.
 */
#ifndef SL_FLOW_WHEEL_H
#define SL_FLOW_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/units.h"

struct sl_wheel;

struct sl_wheel_conf {
	uint32_t ids;    /* records, known as 0 .. ids - 1 */
	sl_tick_t *tick; /* of record 0; all are 0 */
	uint32_t stride; /* bytes from one record's to the next one's */
};

/* A wheel for those records that starts at @now. 0, -EINVAL or -ENOMEM. */
int sl_wheel_open(struct sl_wheel **out, struct sl_mem *mem, const struct sl_wheel_conf *conf,
		  sl_tick_t now);

/* What sl_wheel_open() takes. */
size_t sl_wheel_bytes(uint32_t ids);

/* Whether a record whose tick is @tick comes up at @due or before without being armed. */
static inline bool
sl_wheel_covers(sl_tick_t tick, sl_tick_t due)
{
	return tick != 0 && sl_tick_le(tick, due);
}

/*
 * See to it that @id comes up at @due or before. What is due already comes up with the
 * next tick.
 */
void sl_wheel_arm(struct sl_wheel *wheel, uint32_t id, sl_tick_t due);

/*
 * Up to @max ids whose entries came due by @now, the earliest first; the entries are gone.
 * An id may come up with nothing due. The work of a call is bounded by @max: what
 * is left comes with the next call, and until then sl_wheel_next() says that it is due. A
 * call may return 0 and still have left something.
 */
uint16_t sl_wheel_expire(struct sl_wheel *wheel, sl_tick_t now, uint32_t *ids, uint16_t max);

/*
 * The tick at which there is work, never later than the earliest entry; false if there is
 * no entry. A far one is approached in up to four steps, at each of which expiring brings
 * nothing but the next one nearer.
 */
bool sl_wheel_next(const struct sl_wheel *wheel, sl_tick_t *due);

/* Entries now, at most one for each id. */
uint32_t sl_wheel_count(const struct sl_wheel *wheel);

/* Whether every invariant holds: 0 or -EBADMSG. O(n). */
int sl_wheel_check(const struct sl_wheel *wheel);

#endif
