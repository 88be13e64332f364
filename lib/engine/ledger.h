/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ledger - counters as a person reads them: the line of a period, the table at the end.
 */
#ifndef SL_ENGINE_LEDGER_H
#define SL_ENGINE_LEDGER_H

#include <stdint.h>
#include <stdio.h>

#include "base/fate.h"

/* Add the words of @from, another thread's, to @sum. */
void sl_stats_add(struct sl_stats *sum, const struct sl_stats *from);

/* The columns of sl_ledger_line(). */
void sl_ledger_head(FILE *to);

/*
 * What happened between @then and @now, @seconds apart: rates, what there is now, and what was
 * lost for want of time or room, with the @missed packets that ports had nowhere to put.
 */
void sl_ledger_line(FILE *to, const struct sl_stats *then, const struct sl_stats *now,
		    uint64_t missed, double seconds);

/* Every counter and fate that is not zero, the sum of fates, and the buffers. */
void sl_ledger_table(FILE *to, const struct sl_stats *stats, uint64_t buffers, uint64_t leaked);

#endif
