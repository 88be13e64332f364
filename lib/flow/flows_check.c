/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flows_check - whether a connection table holds every promise it makes to itself.
 */
#include <errno.h>

#include "flow/buckets.h"

/* One number for one unit of one count of a bucket; sums of these compare multisets. */
static uint64_t
count_unit(const struct sl_flows *flows, uint64_t home, unsigned int shift_bits)
{
	return sl_prf13(&flows->hash_key, &home, 1, sl_prf_last(shift_bits, 16));
}

/* Check one entry; if it is a guest, add what its home must have counted to *@away. */
static int
check_entry(const struct sl_flows *flows, uint64_t b, unsigned int way, uint64_t *away)
{
	const struct sl_bucket *bucket = &flows->bucket[b];
	uint32_t idx = sl_bucket_idx(bucket, way);
	bool guest = bucket->guests >> way & 1;
	struct sl_tuple tuple;
	uint64_t hash, home;

	sl_key_tuple(sl_flows_key(flows, idx), flows->key6, &tuple);
	hash = sl_flows_hash(flows, &tuple);
	home = sl_flows_home(flows, hash);
	if (sl_bucket_tag(bucket, way) != sl_flows_tag(hash))
		return -EBADMSG;
	if (b != (guest ? sl_flows_other(flows, home, sl_flows_tag(hash)) : home))
		return -EBADMSG;
	if (sl_flows_find(flows, &tuple, hash) != idx) /* or another has the same key */
		return -EBADMSG;
	if (guest)
		*away += count_unit(flows, home, sl_bucket_shift(sl_flows_tag(hash)));
	return 0;
}

int
sl_flows_check(const struct sl_flows *flows)
{
	uint64_t away = 0, counted = 0;
	uint32_t n = 0;

	for (uint64_t b = 0; b < flows->n_buckets; b++) {
		const struct sl_bucket *bucket = &flows->bucket[b];

		for (unsigned int w = 0; w < SL_TAGS; w++) {
			if (sl_bucket_tag(bucket, w) == 0) {
				if (bucket->guests >> w & 1)
					return -EBADMSG;
				continue;
			}
			if (check_entry(flows, b, w, &away) < 0)
				return -EBADMSG;
			n++;
		}
		for (unsigned int s = 0; bucket->away != 0 && s < 64; s += SL_AWAY_BITS)
			counted += (bucket->away >> s & SL_AWAY_MAX) * count_unit(flows, b, s);
	}
	return n == flows->n_entries && away == counted ? 0 : -EBADMSG;
}
