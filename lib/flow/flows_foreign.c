/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flows_foreign - looking into a connection table from a core that does not own it.
 *
 * No locks, no counting of readers: a reader that stalls blocks nobody. The rules both
 * sides keep are in buckets.h.
 */
#include "flow/buckets.h"

/*
 * Words of two names of a record may be mixed in what is seen; the versions will tell. An IPv4
 * address taken for an index is at least within bounds.
 */
static bool
is_key_foreign(const struct sl_flows *flows, uint32_t idx, const struct sl_tuple *t)
{
	const struct sl_key *key = sl_flows_key(flows, idx);
	const _Atomic uint32_t *word = (const void *)key;
	struct sl_key want = { .remote = t->remote.w[3],
			       .local = t->local.w[3],
			       .rport = t->rport,
			       .lport = t->lport };

	if (!t->v6)
		return !sl_key_is_v6(&want) && sl_key_equals(key, &want, sizeof(want));
	/* Pairs with the release in sl_key_store(). */
	want.remote = atomic_load_explicit(&word[0], memory_order_acquire);
	want.local = 0;
	/* The second look at it: an index that was an address meanwhile leads nowhere. */
	if (want.remote >= flows->n_key6 || !sl_key_equals(key, &want, sizeof(want)))
		return false;
	return sl_key_equals(&flows->key6[want.remote].remote, &t->remote, sizeof(t->remote)) &&
	       sl_key_equals(&flows->key6[want.remote].local, &t->local, sizeof(t->local));
}

static uint32_t
find_foreign_in(const struct sl_flows *flows, const struct sl_bucket *b, uint16_t tag,
		const struct sl_tuple *tuple)
{
	for (unsigned int w = 0; w < SL_TAGS; w++) {
		uint32_t idx;

		/* Pairs with the releases in fill(): a tag seen brings its index and key. */
		if (atomic_load_explicit(&b->tag[w], memory_order_acquire) != tag)
			continue;
		/* Pairs with the releases in fill() and sl_flows_replace(). */
		idx = atomic_load_explicit(&b->idx[w], memory_order_acquire);
		if (is_key_foreign(flows, idx, tuple))
			return idx;
	}
	return SL_NO_FLOW;
}

/*
 * Why an answer is true when the versions stood still.
 *
 * A miss: say the flow moved from one bucket to the other while we looked and we saw it in
 * neither. Then we saw its old way cleared or reused, by an acquire, so we also see the version
 * that was counted before. If that count had been there at our first load, that load would
 * have shown us the copy, too. A record renamed under us is the same: its new key was stored,
 * by releases, after the count, and that after the index of the record that took its place.
 *
 * A hit: say the key was compared while the record got another name. Before its first new
 * word was stored the entry had left the table, and where it left a count was made, after the
 * way was cleared or had got another index. Who sees the word sees the count; and if our
 * first load had seen it, we would not have found the entry there. It may have moved before
 * it left, so both versions are asked.
 */
uint32_t
sl_flows_find_foreign(const struct sl_flows *flows, const struct sl_tuple *tuple, uint64_t hash)
{
	struct sl_place at = sl_flows_place(flows, hash);
	uint32_t home, other, idx;

	for (;;) {
		/* Pairs with the release in count_version(). */
		home = atomic_load_explicit(&at.home->version, memory_order_acquire);
		other = atomic_load_explicit(&at.other->version, memory_order_acquire);

		idx = find_foreign_in(flows, at.home, at.tag, tuple);
		if (idx == SL_NO_FLOW)
			idx = find_foreign_in(flows, at.other, at.tag, tuple);

		/* Behind the acquires above, so no older than what they saw. */
		if (atomic_load_explicit(&at.home->version, memory_order_relaxed) == home &&
		    atomic_load_explicit(&at.other->version, memory_order_relaxed) == other)
			return idx;
	}
}
