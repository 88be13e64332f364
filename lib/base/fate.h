/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fate - the names of what becomes of packets (fates.def) and of other things worth
 * counting (counters.def).
 *
 * One writer, the core that owns the struct; other threads read single words, each
 * of which is exact though the set may be a few packets apart.
 */
#ifndef SL_BASE_FATE_H
#define SL_BASE_FATE_H

#include <stdint.h>

enum sl_fate {
	SL_FATE_NONE, /* not decided yet; no packet may leave a step with it */
#define SL_FATE(name, text) SL_FATE_##name,
#include "base/fates.def"
#undef SL_FATE
	SL_FATE_COUNT,
};

enum sl_counter {
#define SL_COUNTER(name, text) SL_CNT_##name,
#include "base/counters.def"
#undef SL_COUNTER
	SL_CNT_COUNT,
};

struct sl_stats {
	uint64_t fate[SL_FATE_COUNT];
	uint64_t count[SL_CNT_COUNT];
};

/*
 * A counter has one writer and may be read on other cores, word by word: so each word is
 * written whole. Pairs with the relaxed loads of those who read it.
 */
#define sl_stat_add(word, n) __atomic_store_n(&(word), (word) + (n), __ATOMIC_RELAXED)

/* Static strings: the key in telemetry and the sentence for a person. */
const char *sl_fate_name(enum sl_fate fate);
const char *sl_fate_text(enum sl_fate fate);
const char *sl_counter_name(enum sl_counter counter);
const char *sl_counter_text(enum sl_counter counter);

#endif
