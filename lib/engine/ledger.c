/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ledger - tables of counters.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "engine/ledger.h"

void
sl_stats_add(struct sl_stats *sum, const struct sl_stats *from)
{
	for (int i = 0; i < SL_FATE_COUNT; i++)
		sum->fate[i] += __atomic_load_n(&from->fate[i], __ATOMIC_RELAXED);
	for (int i = 0; i < SL_CNT_COUNT; i++)
		sum->count[i] += __atomic_load_n(&from->count[i], __ATOMIC_RELAXED);
}

/* A column: growth per second of a counter, or its value. */
static const struct {
	enum sl_counter counter;
	bool rate;
	const char *head;
} column[] = {
	{ SL_CNT_rx, true, "rx/s" },
	{ SL_CNT_tx, true, "tx/s" },
	{ SL_CNT_syn, true, "syn/s" },
	{ SL_CNT_cookie_sent, true, "cookies/s" },
	{ SL_CNT_opened_passive, true, "opened/s" },
	{ SL_CNT_opened_active, true, "connected/s" },
	{ SL_CNT_closed, true, "closed/s" },
	{ SL_CNT_retransmit, true, "resent/s" },
	{ SL_CNT_live, false, "live" },
	{ SL_CNT_half_open, false, "half-open" },
	{ SL_CNT_time_wait, false, "time-wait" },
};

#define COLUMNS (sizeof(column) / sizeof(column[0]))

/* For want of time, buffers or room; SYNs that made way for others are among them. */
static uint64_t
lost(const struct sl_stats *s)
{
	return s->fate[SL_FATE_steer_full] + s->fate[SL_FATE_no_buffer] +
	       s->fate[SL_FATE_no_room] + s->count[SL_CNT_tx_dropped];
}

void
sl_ledger_head(FILE *to)
{
	for (unsigned int i = 0; i < COLUMNS; i++)
		fprintf(to, "%12s", column[i].head);
	fprintf(to, "%12s\n", "lost/s");
}

void
sl_ledger_line(FILE *to, const struct sl_stats *then, const struct sl_stats *now,
	       uint64_t missed, double seconds)
{
	for (unsigned int i = 0; i < COLUMNS; i++) {
		uint64_t a = then->count[column[i].counter], b = now->count[column[i].counter];

		if (column[i].rate)
			fprintf(to, "%12.0f", (double)(b - a) / seconds);
		else
			fprintf(to, "%12" PRIu64, b);
	}
	fprintf(to, "%12.0f\n", (double)(lost(now) - lost(then) + missed) / seconds);
}

static void
row(FILE *to, const char *name, uint64_t value, const char *text)
{
	if (value != 0)
		fprintf(to, "  %-24s %16" PRIu64 "  %s\n", name, value, text);
}

void
sl_ledger_table(FILE *to, const struct sl_stats *stats, uint64_t buffers, uint64_t leaked)
{
	uint64_t sum = 0;

	fputs("counters\n", to);
	for (int i = 0; i < SL_CNT_COUNT; i++)
		row(to, sl_counter_name(i), stats->count[i], sl_counter_text(i));
	fputs("fates of received packets\n", to);
	for (int i = SL_FATE_NONE + 1; i < SL_FATE_COUNT; i++) {
		row(to, sl_fate_name(i), stats->fate[i], sl_fate_text(i));
		sum += stats->fate[i];
	}
	fprintf(to, "  %-24s %16" PRIu64 "  %s\n", "sum of fates", sum,
		sum == stats->count[SL_CNT_rx] ? "= rx" : "DIFFERS FROM rx");
	fprintf(to, "buffers: %" PRIu64 ", %" PRIu64 " leaked\n", buffers, leaked);
}
