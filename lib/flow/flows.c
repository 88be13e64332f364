/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flows - the connection table.
 *
 * A flow has a home bucket, named by low bits of its hash, and one other, named by home
 * and tag. Each can be computed from the other and the tag, so entries are moved without
 * a look at their records. An entry lies in its home if it can. For those that lie away,
 * home keeps sixteen small counts, chosen by four bits of the tag: zero proves that there
 * is no point in looking further, so nearly every absent flow costs one line.
 *
 * The hash is keyed, or else an attacker could choose tuples that meet in two buckets. It
 * never shows outside, so SipHash-1-3 will do; IPv4 hashes its twelve bytes, not 36.
 */
#include <assert.h>
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "flow/buckets.h"

enum {
	BIG = 200000, /* entries: below, blocks are smaller and less full */
	BUCKETS_MIN = 16,
	BLOCK_MAX = 65536, /* what a tag can tell apart */
	BLOCKS_MIN = 64,   /* before blocks become larger */
	SEARCH_MAX = 256,  /* buckets looked at to make room for one entry */
};

/* How many buckets for how many entries. */
struct shape {
	uint64_t block; /* a smaller table is one block */
	uint64_t load_percent;
};

static uint64_t
holds(const struct shape *shape, uint64_t buckets)
{
	return buckets * SL_TAGS * shape->load_percent / 100;
}

/*
 * A table is made of whole blocks: many, so that little of the last one is left over, but
 * none so small that chance fills one much more than another. What a block can hold beyond
 * its share is nine times the standard deviation of what it gets, or more.
 */
static struct shape
shape_for(uint32_t entries)
{
	bool big = entries >= BIG;
	uint64_t block_min = big ? 4096 : 1024;
	struct shape shape = { .block = BUCKETS_MIN, .load_percent = big ? 95 : 85 };

	while (shape.block < block_min && holds(&shape, shape.block) < entries)
		shape.block *= 2;
	while (shape.block >= block_min && shape.block < BLOCK_MAX &&
	       holds(&shape, 2 * shape.block * BLOCKS_MIN) < entries)
		shape.block *= 2;
	return shape;
}

static uint64_t
n_buckets(uint32_t entries)
{
	struct shape shape = shape_for(entries);
	uint64_t n = shape.block;

	while (holds(&shape, n) < entries)
		n += shape.block;
	return n;
}

size_t
sl_flows_bytes(uint32_t entries)
{
	return sizeof(struct sl_flows) + n_buckets(entries) * sizeof(struct sl_bucket);
}

int
sl_flows_open(struct sl_flows **out, struct sl_mem *mem, const struct sl_flows_conf *conf)
{
	uint64_t n = n_buckets(conf->entries);
	struct sl_flows *flows;

	if (conf->entries == 0 || conf->entries > SL_FLOW_TW || conf->conn == NULL ||
	    conf->conn_stride < sizeof(struct sl_key) || conf->conn_stride % 4 != 0 ||
	    (conf->tw != NULL &&
	     (conf->tw_stride < sizeof(struct sl_key) || conf->tw_stride % 4 != 0)))
		return -EINVAL;

	flows = sl_mem_take(mem, sizeof(*flows), SL_CACHE_LINE);
	if (flows == NULL)
		return -ENOMEM;
	flows->bucket = sl_mem_take(mem, n * sizeof(struct sl_bucket), SL_CACHE_LINE);
	if (flows->bucket == NULL)
		return -ENOMEM;

	flows->n_buckets = n;
	flows->block = shape_for(conf->entries).block - 1;
	flows->hash_key = conf->hash_key;
	flows->records[0] = conf->conn;
	flows->records[1] = conf->tw;
	flows->stride[0] = conf->conn_stride;
	flows->stride[1] = conf->tw_stride;
	flows->key6 = conf->key6;
	flows->n_key6 = conf->n_key6;
	*out = flows;
	return 0;
}

static inline uint32_t
ports(const struct sl_tuple *tuple)
{
	return (uint32_t)tuple->lport << 16 | tuple->rport;
}

static inline uint64_t
v4_addrs(const struct sl_tuple *tuple)
{
	return (uint64_t)tuple->local.w[3] << 32 | tuple->remote.w[3];
}

uint64_t
sl_flows_hash(const struct sl_flows *flows, const struct sl_tuple *tuple)
{
	const struct sl_addr *r = &tuple->remote, *l = &tuple->local;

	if (tuple->v6) {
		const uint64_t word[4] = { r->q[0], r->q[1], l->q[0], l->q[1] };

		return sl_prf13(&flows->hash_key, word, 4, sl_prf_last(ports(tuple), 36));
	}

	const uint64_t addrs = v4_addrs(tuple);

	return sl_prf13(&flows->hash_key, &addrs, 1, sl_prf_last(ports(tuple), 12));
}

/* Of a key or a tuple, from @rport on. */
static inline uint32_t
both_ports(const uint16_t *rport)
{
	uint32_t both;

	memcpy(&both, rport, sizeof(both));
	return both;
}

static_assert(offsetof(struct sl_key, lport) == offsetof(struct sl_key, rport) + 2 &&
		      offsetof(struct sl_tuple, lport) == offsetof(struct sl_tuple, rport) + 2,
	      "ports are compared as one word");

static inline bool
is_key(const struct sl_flows *flows, const struct sl_key *key, const struct sl_tuple *t)
{
	if (likely(!t->v6))
		return ((key->remote ^ t->remote.w[3]) | (key->local ^ t->local.w[3]) |
			(both_ports(&key->rport) ^ both_ports(&t->rport))) == 0 &&
		       !sl_key_is_v6(key);
	if (!sl_key_is_v6(key) || key->rport != t->rport || key->lport != t->lport)
		return false;

	const struct sl_key6 *six = &flows->key6[key->remote];

	return sl_addr_eq(&six->remote, &t->remote) && sl_addr_eq(&six->local, &t->local);
}

static inline uint32_t
find_in(const struct sl_flows *flows, const struct sl_bucket *b, uint16_t tag,
	const struct sl_tuple *tuple)
{
	for (uint32_t hits = sl_bucket_match(b, tag); hits != 0; hits &= hits - 1) {
		uint32_t idx = sl_bucket_idx(b, (unsigned int)__builtin_ctz(hits));

		if (likely(is_key(flows, sl_flows_key(flows, idx), tuple)))
			return idx;
	}
	return SL_NO_FLOW;
}

static inline uint32_t
find_at(const struct sl_flows *flows, const struct sl_place *at, const struct sl_tuple *tuple)
{
	uint32_t idx = find_in(flows, at->home, at->tag, tuple);

	if (idx == SL_NO_FLOW && sl_bucket_away(at->home, at->tag) > 0)
		idx = find_in(flows, at->other, at->tag, tuple);
	return idx;
}

uint32_t
sl_flows_find(const struct sl_flows *flows, const struct sl_tuple *tuple, uint64_t hash)
{
	struct sl_place at = sl_flows_place(flows, hash);

	return find_at(flows, &at, tuple);
}

/* What is in @b with @tag, the first of them, its @key asked for; or SL_NO_FLOW. */
static inline uint32_t
ask_in(const struct sl_flows *flows, const struct sl_bucket *b, uint16_t tag,
       const struct sl_key **key)
{
	uint32_t hits = sl_bucket_match(b, tag), idx;

	if (hits == 0)
		return SL_NO_FLOW;
	idx = sl_bucket_idx(b, (unsigned int)__builtin_ctz(hits));
	*key = sl_flows_key(flows, idx);
	rte_prefetch0(*key);
	return idx;
}

/*
 * Walks that each find in cache what the one before asked for: home buckets; the records
 * of what matched there, and other buckets; records of what matched in those; the answer.
 * What matched first is nearly always right, and most absent flows match nothing; those
 * that may be away are listed without a branch, which would be a guess.
 */
void
sl_flows_lookup(const struct sl_flows *flows, const struct sl_tuple *const *tuple,
		const uint64_t *hash, uint32_t *slot, uint16_t n)
{
	const struct sl_bucket *home[SL_BURST], *other[SL_BURST];
	const struct sl_key *key[SL_BURST]; /* of those that are tagged */
	uint16_t tag[SL_BURST];
	uint8_t tagged[SL_BURST], away[SL_BURST];
	unsigned int n_tagged = 0, n_away = 0;

	assert(n <= SL_BURST);

	for (unsigned int i = 0; i < n; i++) {
		home[i] = &flows->bucket[sl_flows_home(flows, hash[i])];
		tag[i] = sl_flows_tag(hash[i]);
		rte_prefetch0(home[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		slot[i] = ask_in(flows, home[i], tag[i], &key[n_tagged]);
		if (slot[i] != SL_NO_FLOW) {
			tagged[n_tagged++] = (uint8_t)i;
		} else {
			away[n_away] = (uint8_t)i;
			n_away += sl_bucket_away(home[i], tag[i]) != 0;
		}
	}
	for (unsigned int k = 0; k < n_away; k++) {
		other[k] = sl_flows_place(flows, hash[away[k]]).other;
		rte_prefetch0(other[k]);
	}
	for (unsigned int k = 0; k < n_away; k++) {
		unsigned int i = away[k];

		slot[i] = ask_in(flows, other[k], tag[i], &key[n_tagged]);
		if (slot[i] != SL_NO_FLOW)
			tagged[n_tagged++] = (uint8_t)i;
	}
	for (unsigned int k = 0; k < n_tagged; k++) {
		unsigned int i = tagged[k];

		if (unlikely(!is_key(flows, key[k], tuple[i])))
			slot[i] = sl_flows_find(flows, tuple[i], hash[i]);
	}
}

void
sl_flows_hash_many(const struct sl_flows *flows, const struct sl_prf_many *many,
		   const uint64_t addr[4][SL_BURST], bool v6, const uint64_t *numbers,
		   uint64_t *hash, uint16_t n)
{
	const uint64_t *const word[4] = { addr[0], addr[1], addr[2], addr[3] };
	uint64_t last[SL_BURST];

	for (unsigned int i = 0; i < (n + SL_PRF_GROUP - 1u) / SL_PRF_GROUP * SL_PRF_GROUP; i++)
		last[i] = sl_prf_last((uint32_t)numbers[i], v6 ? 36 : 12);
	many->hash13(&flows->hash_key, word, v6 ? 4 : 1, last, hash, n);
}

void
sl_flows_ask(const struct sl_flows *flows, const uint64_t *hash, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(sl_flows_place(flows, hash[i]).home);
}

/* Those of a burst that are of one family: what is hashed of each, and its place. */
struct kin {
	alignas(SL_CACHE_LINE) uint64_t addr[4][SL_BURST]; /* of IPv4, the first alone */
	uint64_t last[SL_BURST], out[SL_BURST];
	uint8_t at[SL_BURST];
	uint16_t n;
};

static inline void
four_add(struct kin *four, uint64_t addrs, uint32_t port_pair, uint16_t at)
{
	four->addr[0][four->n] = addrs;
	four->last[four->n] = sl_prf_last(port_pair, 12);
	four->at[four->n++] = (uint8_t)at;
}

static inline void
six_add(struct kin *six, const struct sl_addr *remote, const struct sl_addr *local,
	uint32_t port_pair, uint16_t at)
{
	six->addr[0][six->n] = remote->q[0];
	six->addr[1][six->n] = remote->q[1];
	six->addr[2][six->n] = local->q[0];
	six->addr[3][six->n] = local->q[1];
	six->last[six->n] = sl_prf_last(port_pair, 36);
	six->at[six->n++] = (uint8_t)at;
}

/* Of a burst of @n. What fills up the last group is hashed for nothing, but is something. */
static inline void
kin_hash(const struct sl_flows *flows, const struct sl_prf_many *many, struct kin *kin,
	 unsigned int n_words, uint64_t *hash, uint16_t n)
{
	const uint64_t *const word[4] = { kin->addr[0], kin->addr[1], kin->addr[2],
					  kin->addr[3] };

	if (kin->n == 0)
		return;
	for (uint16_t k = kin->n; k % SL_PRF_GROUP != 0; k++) {
		for (unsigned int w = 0; w < n_words; w++)
			kin->addr[w][k] = 0;
		kin->last[k] = 0;
	}
	many->hash13(&flows->hash_key, word, n_words, kin->last, kin->out, kin->n);
	if (kin->n == n) {
		memcpy(hash, kin->out, n * sizeof(*hash));
		return;
	}
	for (uint16_t k = 0; k < kin->n; k++)
		hash[kin->at[k]] = kin->out[k];
}

void
sl_flows_hash_burst(const struct sl_flows *flows, const struct sl_prf_many *many,
		    const struct sl_tuple *const *tuple, uint64_t *hash, uint16_t n)
{
	struct kin four, six;

	assert(n <= SL_BURST);

	four.n = six.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		const struct sl_tuple *t = tuple[i];

		if (t->v6)
			six_add(&six, &t->remote, &t->local, ports(t), i);
		else
			four_add(&four, v4_addrs(t), ports(t), i);
	}
	kin_hash(flows, many, &four, 1, hash, n);
	kin_hash(flows, many, &six, 4, hash, n);
}

void
sl_flows_hash_keys(const struct sl_flows *flows, const struct sl_prf_many *many,
		   const struct sl_key *const *key, uint64_t *hash, uint16_t n)
{
	struct kin four, six;

	assert(n <= SL_BURST);

	four.n = six.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		const struct sl_key *k = key[i];
		uint32_t port_pair = (uint32_t)k->lport << 16 | k->rport;

		if (sl_key_is_v6(k)) {
			const struct sl_key6 *k6 = &flows->key6[k->remote];

			six_add(&six, &k6->remote, &k6->local, port_pair, i);
		} else {
			four_add(&four, (uint64_t)k->local << 32 | k->remote, port_pair, i);
		}
	}
	kin_hash(flows, many, &four, 1, hash, n);
	kin_hash(flows, many, &six, 4, hash, n);
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(sl_flows_place(flows, hash[i]).home);
}

/* Whether @b holds the tag of what has @hash. */
static inline bool
has_tag(const struct sl_bucket *b, uint64_t hash)
{
	return sl_tags_any((const uint16_t *)(const void *)b, sl_flows_tag(hash)) != 0;
}

/*
 * From the last to the first, so that each bit is put in by a shift. In a full table one in
 * seven may be away: their other buckets, too, are asked for tags. Whoever resembles one costs
 * much more.
 */
uint64_t
sl_flows_resembling(const struct sl_flows *flows, const uint64_t *hash, uint16_t n)
{
	const struct sl_bucket *other[SL_BURST];
	uint8_t away[SL_BURST];
	unsigned int n_away = 0;
	uint64_t found = 0;

	for (uint16_t i = n; i-- > 0;) {
		const struct sl_bucket *home = &flows->bucket[sl_flows_home(flows, hash[i])];

		found = found << 1 | has_tag(home, hash[i]);
		away[n_away] = (uint8_t)i;
		n_away += sl_bucket_may_be_away(home, hash[i]);
	}
	for (unsigned int k = 0; k < n_away; k++) {
		other[k] = sl_flows_place(flows, hash[away[k]]).other;
		rte_prefetch0(other[k]);
	}
	for (unsigned int k = 0; k < n_away; k++)
		found |= (uint64_t)has_tag(other[k], hash[away[k]]) << away[k];
	return found;
}

static inline void
away_add(struct sl_bucket *b, uint16_t tag)
{
	assert(sl_bucket_away(b, tag) < SL_AWAY_MAX);
	b->away += 1ull << sl_bucket_shift(tag);
}

static inline void
away_sub(struct sl_bucket *b, uint16_t tag)
{
	assert(sl_bucket_away(b, tag) > 0);
	b->away -= 1ull << sl_bucket_shift(tag);
}

/* Write an entry into an empty way; a reader that sees the tag sees the index. */
static inline void
fill(struct sl_bucket *b, unsigned int way, uint16_t tag, uint32_t idx, bool guest)
{
	b->guests = (b->guests & ~(1u << way)) | (uint32_t)guest << way;
	/* Both pair with the acquires in find_foreign_in(). */
	atomic_store_explicit(&b->idx[way], idx, memory_order_release);
	atomic_store_explicit(&b->tag[way], tag, memory_order_release);
}

/* Tell readers of @b that what they did not find may have been here, or what they found not. */
static inline void
count_version(struct sl_bucket *b)
{
	uint32_t version = atomic_load_explicit(&b->version, memory_order_relaxed);

	/* Pairs with the first loads in sl_flows_find_foreign(), which then see the copy. */
	atomic_store_explicit(&b->version, version + 1, memory_order_release);
}

static inline void
empty(struct sl_bucket *b, unsigned int way)
{
	b->guests &= ~(1u << way);
	/*
	 * Pairs with the acquire in find_foreign_in(): who sees this sees what came before.
	 * Of a move that is the version; a removal counts it afterwards, before a name changes.
	 */
	atomic_store_explicit(&b->tag[way], 0, memory_order_release);
}

/* Move an entry to an empty way of its other bucket. */
static void
move(struct sl_bucket *from, unsigned int way, struct sl_bucket *to, unsigned int to_way)
{
	bool was_guest = from->guests >> way & 1;
	uint16_t tag = sl_bucket_tag(from, way);

	if (was_guest)
		away_sub(to, tag);
	else
		away_add(from, tag);

	fill(to, to_way, tag, sl_bucket_idx(from, way), !was_guest);
	count_version(from);
	empty(from, way);
}

/* A bucket on the way to an empty one: it is entered from @way of the one before. */
struct hop {
	uint32_t bucket;
	int16_t before; /* index of a hop, or -1 */
	uint8_t way;
};

/* Whether the path to hop @i goes through bucket @b. Paths are short. */
static bool
passes(const struct hop *hop, int i, uint32_t b)
{
	for (; i >= 0; i = hop[i].before) {
		if (hop[i].bucket == b)
			return true;
	}
	return false;
}

/* The path to hop @i ends at an empty way of @to: shift everything along, last one first. */
static unsigned int
shift(struct sl_flows *flows, const struct hop *hop, int i, unsigned int way, uint32_t to)
{
	unsigned int to_way =
		(unsigned int)__builtin_ctz(sl_bucket_match(&flows->bucket[to], 0));

	for (;;) {
		move(&flows->bucket[hop[i].bucket], way, &flows->bucket[to], to_way);
		to_way = way;
		if (hop[i].before < 0)
			return to_way;
		to = hop[i].bucket;
		way = hop[i].way;
		i = hop[i].before;
	}
}

/* Whether the entry may leave for its other bucket: its home must be able to count it. */
static bool
may_move(const struct sl_bucket *b, unsigned int way)
{
	bool guest = b->guests >> way & 1;

	return guest || sl_bucket_away(b, sl_bucket_tag(b, way)) < SL_AWAY_MAX;
}

/*
 * Make an empty way in one of the @n_roots full buckets that @hop begins with, by the
 * fewest moves. Breadth first, so the first empty way found is the nearest. Returns the
 * bucket and, in *@way, the way; NULL if there is none within SEARCH_MAX buckets.
 *
 * The first root is the newcomer's home. A path from the second root through it is never
 * taken, because its tail alone would have been found earlier.
 */
static struct sl_bucket *
make_room(struct sl_flows *flows, struct hop *hop, int n_roots, unsigned int *way)
{
	int n = n_roots;

	for (int i = 0; i < n; i++) {
		const struct sl_bucket *b = &flows->bucket[hop[i].bucket];

		for (unsigned int w = 0; w < SL_TAGS; w++) {
			uint32_t to = (uint32_t)sl_flows_other(flows, hop[i].bucket,
							       sl_bucket_tag(b, w));
			int root = i;

			if (!may_move(b, w) || passes(hop, i, to))
				continue;
			if (sl_bucket_match(&flows->bucket[to], 0) == 0) {
				if (n < SEARCH_MAX)
					hop[n++] = (struct hop){ to, (int16_t)i, (uint8_t)w };
				continue;
			}
			while (hop[root].before >= 0)
				root = hop[root].before;
			*way = shift(flows, hop, i, w, to);
			return &flows->bucket[hop[root].bucket];
		}
	}
	return NULL;
}

/*
 * Find an empty way for a flow: at home, in its other bucket, or after moving others. The
 * other bucket is out of the question if home cannot count one more.
 */
static struct sl_bucket *
room_for(struct sl_flows *flows, const struct sl_place *at, unsigned int *way)
{
	bool countable = sl_bucket_away(at->home, at->tag) < SL_AWAY_MAX;
	struct hop hop[SEARCH_MAX];
	uint32_t free_ways = sl_bucket_match(at->home, 0);
	struct sl_bucket *b = at->home;

	if (free_ways == 0 && countable) {
		b = at->other;
		free_ways = sl_bucket_match(b, 0);
	}
	if (likely(free_ways != 0)) {
		*way = (unsigned int)__builtin_ctz(free_ways);
		return b;
	}

	hop[0] = (struct hop){ (uint32_t)(at->home - flows->bucket), -1, 0 };
	hop[1] = (struct hop){ (uint32_t)(at->other - flows->bucket), -1, 0 };
	return make_room(flows, hop, countable ? 2 : 1, way);
}

int
sl_flows_insert(struct sl_flows *flows, uint64_t hash, uint32_t idx)
{
	struct sl_place at = sl_flows_place(flows, hash);
	unsigned int way;
	struct sl_bucket *b;

	assert(idx != SL_NO_FLOW);

	b = room_for(flows, &at, &way);
	if (b == NULL)
		return -ENOSPC;
	if (b == at.other)
		away_add(at.home, at.tag);
	fill(b, way, at.tag, idx, b == at.other);
	flows->n_entries++;
	return 0;
}

/* The bucket and way that hold @idx under @hash, without a look at its record. */
static struct sl_bucket *
locate(const struct sl_flows *flows, const struct sl_place *at, uint32_t idx, unsigned int *way)
{
	struct sl_bucket *const pair[2] = { at->home, at->other };

	for (unsigned int i = 0; i < 2; i++) {
		for (uint32_t hits = sl_bucket_match(pair[i], at->tag); hits != 0;
		     hits &= hits - 1) {
			*way = (unsigned int)__builtin_ctz(hits);
			if (sl_bucket_idx(pair[i], *way) == idx)
				return pair[i];
		}
	}
	return NULL;
}

bool
sl_flows_remove(struct sl_flows *flows, uint64_t hash, uint32_t idx)
{
	struct sl_place at = sl_flows_place(flows, hash);
	unsigned int way;
	struct sl_bucket *b = locate(flows, &at, idx, &way);

	if (b == NULL)
		return false;
	if (b == at.other)
		away_sub(at.home, at.tag);
	empty(b, way);
	count_version(b); /* behind that: whoever begins with this count finds the way empty */
	flows->n_entries--;
	return true;
}

/*
 * The version tells a reader, who compared the old record after it had got another name,
 * to look again. It is counted behind the new index: whoever begins with that count must
 * see the new record, and not find the old one renamed with nothing counted any more.
 */
bool
sl_flows_replace(struct sl_flows *flows, uint64_t hash, uint32_t old_idx, uint32_t new_idx)
{
	struct sl_place at = sl_flows_place(flows, hash);
	unsigned int way;
	struct sl_bucket *b = locate(flows, &at, old_idx, &way);

	assert(new_idx != SL_NO_FLOW);

	if (b == NULL)
		return false;
	/* Pairs with the acquire in find_foreign_in(). */
	atomic_store_explicit(&b->idx[way], new_idx, memory_order_release);
	count_version(b);
	return true;
}

uint32_t
sl_flows_count(const struct sl_flows *flows)
{
	return flows->n_entries;
}
