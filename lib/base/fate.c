/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fate - names and sentences, generated from the .def files.
 */
#include "base/fate.h"

struct named {
	const char *name, *text;
};

static const struct named fates[SL_FATE_COUNT] = {
	[SL_FATE_NONE] = { "none", "not decided" },
#define SL_FATE(name, text) [SL_FATE_##name] = { #name, text },
#include "base/fates.def"
#undef SL_FATE
};

static const struct named counters[SL_CNT_COUNT] = {
#define SL_COUNTER(name, text) [SL_CNT_##name] = { #name, text },
#include "base/counters.def"
#undef SL_COUNTER
};

const char *
sl_fate_name(enum sl_fate fate)
{
	return fates[fate].name;
}

const char *
sl_fate_text(enum sl_fate fate)
{
	return fates[fate].text;
}

const char *
sl_counter_name(enum sl_counter counter)
{
	return counters[counter].name;
}

const char *
sl_counter_text(enum sl_counter counter)
{
	return counters[counter].text;
}
