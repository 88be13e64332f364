/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_options - the option bytes of a TCP header, held against a second reading of them.
 */
#include <string.h>

#include "fuzz.h"
#include "wire/frame.h"

#define OPTIONS_MAX 40

static uint32_t
be(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* The last well-formed option of @kind and @len; NULL if there is none. */
static const uint8_t *
last_of(const uint8_t *opt, size_t len, uint8_t kind, uint8_t want)
{
	const uint8_t *found = NULL, *end = opt + len;

	while (opt < end && *opt != 0) {
		if (*opt == 1) {
			opt++;
			continue;
		}
		if (end - opt < 2 || opt[1] < 2 || opt[1] > end - opt)
			break;
		if (opt[0] == kind && opt[1] == want)
			found = opt;
		opt += opt[1];
	}
	return found;
}

static void
check_plain(const struct sl_seg *seg, const uint8_t *opt, size_t len)
{
	const uint8_t *mss = last_of(opt, len, 2, 4), *scale = last_of(opt, len, 3, 3);
	const uint8_t *ts = last_of(opt, len, 8, 10);

	fuzz_demand(!!(seg->opts & SL_OPT_MSS) == (mss != NULL));
	fuzz_demand(mss == NULL || seg->mss == be(mss + 2, 2));
	fuzz_demand(!!(seg->opts & SL_OPT_WSCALE) == (scale != NULL));
	fuzz_demand(scale == NULL || seg->wscale == (scale[2] > 14 ? 14 : scale[2]));
	fuzz_demand(!!(seg->opts & SL_OPT_SACK_OK) == (last_of(opt, len, 4, 2) != NULL));
	fuzz_demand(!!(seg->opts & SL_OPT_TS) == (ts != NULL));
	fuzz_demand(seg->tsval == (ts != NULL ? be(ts + 2, 4) : 0));
	fuzz_demand(seg->tsecr == (ts != NULL ? be(ts + 6, 4) : 0));
}

static void
check_sack(const struct sl_seg *seg, const uint8_t *opt, size_t len)
{
	const uint8_t *last = NULL;

	for (uint8_t n = 1; n <= SL_SACKS_MAX; n++) {
		const uint8_t *found = last_of(opt, len, 5, (uint8_t)(2 + 8 * n));

		last = found > last ? found : last;
	}
	fuzz_demand(!!(seg->opts & SL_OPT_SACK) == (last != NULL));
	fuzz_demand(seg->n_sacks == (last != NULL ? (last[1] - 2) / 8 : 0));
	for (uint8_t i = 0; i < seg->n_sacks; i++) {
		fuzz_demand(seg->sack[i].lo == be(last + 2 + 8 * i, 4));
		fuzz_demand(seg->sack[i].hi == be(last + 6 + 8 * i, 4));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < OPTIONS_MAX ? size : OPTIONS_MAX;
	uint8_t *opt = malloc(len > 0 ? len : 1);
	struct sl_seg seg;

	fuzz_demand(opt != NULL);
	memcpy(opt, data, len);
	memset(&seg, 0xa5, sizeof(seg));
	sl_seg_options(&seg, opt, (uint16_t)len);
	check_plain(&seg, opt, len);
	check_sack(&seg, opt, len);
	free(opt);
	return 0;
}
