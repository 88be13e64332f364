/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel - when to look at which record next.
 *
 * A record, known by its id, keeps its own deadlines. The wheel only promises that an id
 * comes up no later than it was armed for; whoever gets it looks at its deadlines, acts on
 * what is due, and arms the next. So moving a deadline later or taking it back needs no
 * call at all, and arming one that the wheel covers already is a load and a compare. An id
 * has at most one entry, whatever is done: one that is too late is moved.
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

/* A wheel for the ids 0 .. @ids - 1 that starts at @now. 0, -EINVAL or -ENOMEM. */
int sl_wheel_open(struct sl_wheel **out, struct sl_mem *mem, uint32_t ids, sl_tick_t now);

/* What sl_wheel_open() takes. */
size_t sl_wheel_bytes(uint32_t ids);

/*
 * See to it that @id comes up at @due or before. What is due already comes up with the
 * next tick.
 */
void sl_wheel_arm(struct sl_wheel *wheel, uint32_t id, sl_tick_t due);

/* Ask memory for what sl_wheel_arm() will look at. */
void sl_wheel_prefetch(const struct sl_wheel *wheel, uint32_t id);

/* Forget @id: its record is being freed. */
void sl_wheel_drop(struct sl_wheel *wheel, uint32_t id);

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
