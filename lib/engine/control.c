/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control - the thread beside the workers: ready, clock, links, periods, the drain.
 *
 * It reads single words of a live worker and writes nothing of it: whatever it wants done
 * is an event in the worker's mailbox.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "engine/ledger.h"

#define ROUND_NS   (10 * SL_NS_PER_MS)
#define LINK_NS    (100 * SL_NS_PER_MS)
#define CLOCK_NS   SL_NS_PER_S
#define SETTLE_NS  (20 * SL_NS_PER_MS) /* last ACKs leave after the last connection */
#define KILL_NS    SL_NS_PER_S         /* in which nobody ends: no more will */
#define HEAD_EVERY 20                  /* lines between two headings */

struct control {
	struct sl_engine *engine;
	sl_ns_t next_link, next_clock, next_line, last_line;
	uint64_t conflicts; /* seen so far */
	unsigned int n_lines;
	struct sl_stats before;
};

static void
nap(sl_ns_t ns)
{
	struct timespec ts = { (time_t)(ns / SL_NS_PER_S), (long)(ns % SL_NS_PER_S) };

	nanosleep(&ts, NULL);
}

/* A full mailbox empties within a round of its worker, unless the worker is dead. */
static void
tell_all(struct sl_engine *e, const struct sl_event *event)
{
	for (uint16_t i = 0; i < e->siblings.n; i++)
		for (unsigned int tries = 0; tries < 100; tries++) {
			if (sl_worker_tell(e->worker[i], event))
				break;
			nap(SL_NS_PER_MS);
		}
}

static void
tell_clock(struct sl_engine *e)
{
	struct sl_event event = { .kind = SL_EVENT_CLOCK };

	event.tai_ms = sl_wall_ns(CLOCK_TAI) / SL_NS_PER_MS;
	tell_all(e, &event);
}

static void
look_at_links(struct sl_engine *e)
{
	for (uint16_t p = 0; p < e->n_ports; p++)
		if (sl_port_link(&e->port[p]))
			fprintf(stderr, "sluice: port %s: link %s\n", e->conf.port[p].device,
				atomic_load_explicit(&e->port[p].up, memory_order_relaxed)
					? "up"
					: "down");
}

/* Whose address it is, the neighbours of this network know; here is that it happened. */
static void
look_at_conflicts(struct control *c)
{
	struct sl_stats stats;
	uint64_t n;

	sl_engine_stats(c->engine, &stats);
	n = stats.count[SL_CNT_address_conflict];
	if (n != c->conflicts)
		fprintf(stderr,
			"sluice: another host claims an address of ours (address_conflict: "
			"%" PRIu64 ")\n",
			n);
	c->conflicts = n;
}

/* By all ports, since this was asked last. */
static uint64_t
missed(struct sl_engine *e)
{
	uint64_t sum = 0;

	for (uint16_t p = 0; p < e->n_ports; p++)
		sum += sl_port_missed(&e->port[p]);
	return sum;
}

/* A line, and when the next one is due: whole periods from the start, however late we are. */
static void
print_line(struct control *c, sl_ns_t now)
{
	struct sl_engine *e = c->engine;
	sl_ns_t period = e->conf.stats_period_s * SL_NS_PER_S;
	struct sl_stats stats;

	sl_engine_stats(e, &stats);
	if (c->n_lines++ % HEAD_EVERY == 0)
		sl_ledger_head(e->report);
	sl_ledger_line(e->report, &c->before, &stats, missed(e),
		       (double)(now - c->last_line) / (double)SL_NS_PER_S);
	fflush(e->report);
	c->before = stats;
	c->last_line = now;
	c->next_line += period;
	if (c->next_line <= now)
		c->next_line = now + period;
}

static void
do_what_is_due(struct control *c)
{
	struct sl_engine *e = c->engine;
	sl_ns_t now = sl_clock_now(&e->clock);

	if (now >= c->next_link) {
		look_at_links(e);
		c->next_link = now + LINK_NS;
	}
	if (now >= c->next_clock) {
		tell_clock(e);
		look_at_conflicts(c);
		c->next_clock = now + CLOCK_NS;
	}
	if (e->conf.stats_period_s != 0 && now >= c->next_line)
		print_line(c, now);
	/* What workers were copying a moment ago is left for the next time. */
	if (e->capture != NULL && sl_capture_write(e->capture, now - ROUND_NS / 2) != 0)
		fprintf(stderr, "sluice: capture: %s: cannot be written\n", e->conf.capture);
}

static unsigned int
stops(const struct sl_engine *e)
{
	return atomic_load_explicit(&e->n_stops, memory_order_relaxed);
}

static uint64_t
live(const struct sl_engine *e)
{
	struct sl_stats stats;

	sl_engine_stats(e, &stats);
	return stats.count[SL_CNT_live];
}

/* Go on until less than @n are alive, @limit is over, or somebody loses patience. */
static void
wait_for_fewer(struct control *c, uint64_t n, sl_ns_t limit)
{
	struct sl_engine *e = c->engine;
	sl_ns_t end = sl_clock_now(&e->clock) + limit;

	while (live(e) >= n && sl_clock_now(&e->clock) < end && stops(e) < 2) {
		nap(SL_NS_PER_MS);
		do_what_is_due(c);
	}
}

/* The workers reset whoever is left, some in a step: go on while they get fewer. */
static void
wait_while_fewer(struct control *c)
{
	uint64_t n = live(c->engine), fewest;

	do {
		fewest = n;
		wait_for_fewer(c, fewest, KILL_NS);
		n = live(c->engine);
	} while (n > 0 && n < fewest && stops(c->engine) < 2);
}

static void
drain(struct control *c)
{
	struct sl_engine *e = c->engine;
	struct sl_event event = { .kind = SL_EVENT_DRAIN };

	fprintf(e->report, "sluice: draining, %" PRIu64 " connections live, at most %g s\n",
		live(e), e->conf.drain_ms / 1e3);
	fflush(e->report);
	tell_all(e, &event);
	nap(SETTLE_NS); /* everybody has read it */
	wait_for_fewer(c, 1, e->conf.drain_ms * SL_NS_PER_MS);
	if (live(e) > 0 && stops(e) < 2) {
		event.kind = SL_EVENT_KILL;
		tell_all(e, &event);
		wait_while_fewer(c);
	}
	if (stops(e) < 2)
		nap(SETTLE_NS);
}

static bool
all_run(struct sl_engine *e)
{
	return atomic_load_explicit(&e->siblings.n_running, memory_order_relaxed) ==
	       e->siblings.n;
}

void *
sl_control_run(void *engine)
{
	struct sl_engine *e = engine;
	struct control c = { .engine = e };
	sl_ns_t now;

	while (!all_run(e))
		nap(SL_NS_PER_MS);
	fputs("sluice: ready\n", e->report);
	fflush(e->report);

	now = sl_clock_now(&e->clock);
	c.last_line = now;
	missed(e); /* a port may have counted before we came */
	c.next_line = now + e->conf.stats_period_s * SL_NS_PER_S;
	while (stops(e) == 0) {
		nap(ROUND_NS);
		do_what_is_due(&c);
	}
	drain(&c);
	e->forced = stops(e) >= 2;
	atomic_store_explicit(&e->siblings.halt, true, memory_order_relaxed);
	return NULL;
}
