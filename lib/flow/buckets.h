/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buckets - the inside of the connection table, for the files that make it up.
 *
 * Readers on other cores. A way is read tag first; a tag of 0 is an empty way. The owner
 * moves an entry by writing the copy, counting up the version of the bucket it leaves,
 * and only then clearing the way. One that leaves the table is cleared first and counted
 * then, before its record may get another name. A reader loads the versions of both buckets,
 * looks into both, and believes what it saw only if the versions are still the same. All stores
 * that a reader may see are releases and all its loads are acquires, keys included; on x86
 * either is a plain move. What is away and who is a guest is the owner's alone.
 */
#ifndef SL_FLOW_BUCKETS_H
#define SL_FLOW_BUCKETS_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/units.h"
#include "flow/flows.h"
#include "flow/tags.h"

enum {
	SL_AWAY_BITS = 4, /* of one count of those away */
	SL_AWAY_MAX = (1 << SL_AWAY_BITS) - 1,
};

struct sl_bucket {
	alignas(SL_CACHE_LINE) _Atomic uint16_t tag[SL_TAGS]; /* 0: the way is empty */
	_Atomic uint32_t idx[SL_TAGS];
	uint64_t away;            /* entries at home here that lie in their other bucket */
	_Atomic uint32_t version; /* of what left: moved, replaced, removed */
	uint32_t guests;          /* bit w: the entry in way w has its home elsewhere */
};
static_assert(sizeof(struct sl_bucket) == SL_CACHE_LINE, "a bucket is one line");

struct sl_flows {
	uint64_t n_buckets;
	uint64_t block; /* buckets of a block - 1; both places of a flow lie in one block */
	struct sl_bucket *bucket;
	struct sl_prf_key hash_key;
	const char *records[2]; /* connections, TIME-WAIT */
	uint64_t stride[2];
	const struct sl_key6 *key6;
	uint32_t n_key6;
	uint32_t n_entries;
};

/* Where a flow may lie. */
struct sl_place {
	struct sl_bucket *home, *other;
	uint16_t tag;
};

/* The home of what has @hash: its low half, as a share of all buckets. */
static inline uint64_t
sl_flows_home(const struct sl_flows *flows, uint64_t hash)
{
	return (uint64_t)(uint32_t)hash * flows->n_buckets >> 32;
}

/*
 * The other bucket of what lies in bucket @b with @tag, whichever of its two @b is. The
 * distance is odd, so the two differ, and they are of one block.
 */
static inline uint64_t
sl_flows_other(const struct sl_flows *flows, uint64_t b, uint16_t tag)
{
	return b ^ ((tag | 1u) & flows->block);
}

static inline uint16_t
sl_flows_tag(uint64_t hash)
{
	uint16_t tag = hash >> 48;

	return tag + (tag == 0);
}

static inline struct sl_place
sl_flows_place(const struct sl_flows *flows, uint64_t hash)
{
	uint64_t home = sl_flows_home(flows, hash);
	uint16_t tag = sl_flows_tag(hash);

	return (struct sl_place){ .home = &flows->bucket[home],
				  .other = &flows->bucket[sl_flows_other(flows, home, tag)],
				  .tag = tag };
}

/* What only the owner calls needs no order with its own stores. */
static inline uint16_t
sl_bucket_tag(const struct sl_bucket *b, unsigned int way)
{
	return atomic_load_explicit(&b->tag[way], memory_order_relaxed);
}

static inline uint32_t
sl_bucket_idx(const struct sl_bucket *b, unsigned int way)
{
	return atomic_load_explicit(&b->idx[way], memory_order_relaxed);
}

static inline uint32_t
sl_bucket_match(const struct sl_bucket *b, uint16_t tag)
{
	return sl_tags_match((const uint16_t *)(const void *)b, tag);
}

static inline unsigned int
sl_bucket_shift(uint16_t tag)
{
	return (tag >> (16 - SL_AWAY_BITS)) * SL_AWAY_BITS;
}

/* How many entries that resemble @tag and are at home in @b lie in their other bucket. */
static inline unsigned int
sl_bucket_away(const struct sl_bucket *b, uint16_t tag)
{
	return b->away >> sl_bucket_shift(tag) & SL_AWAY_MAX;
}

/* Whether what has @hash, at home in @b, may lie in its other bucket. */
static inline bool
sl_bucket_may_be_away(const struct sl_bucket *b, uint64_t hash)
{
	/* Where sl_bucket_shift() of its tag leads, of which these are the high bits, too. */
	const uint64_t count = b->away >> (hash >> (64 - SL_AWAY_BITS)) * SL_AWAY_BITS;

	return (count & SL_AWAY_MAX) != 0;
}

static inline const struct sl_key *
sl_flows_key(const struct sl_flows *flows, uint32_t idx)
{
	uint32_t tw = idx >> 31;

	return (const void *)(flows->records[tw] + (idx & ~SL_FLOW_TW) * flows->stride[tw]);
}

#endif
