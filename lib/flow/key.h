/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key - who a record belongs to: the first 12 bytes of every connection and TIME-WAIT record.
 *
 * An IPv4 connection is named by these alone. An IPv6 one keeps its two addresses in an
 * array of struct sl_key6 beside the records, so that IPv4 does not pay for them: not even
 * for a word that tells the two apart, since no IPv4 address of ours is 0.0.0.0.
 *
 * The owning core writes keys while others may be comparing them, hence the atomic stores;
 * records never change their type. A key is written while its record is not in the table, so
 * who has seen halves of two names will see that the entry left (flows_foreign.c).
 */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

#define SL_NO_KEY6 0xffffffffu

struct sl_key {
	uint32_t remote; /* IPv4: w[3], network order; IPv6: index of the struct sl_key6 */
	uint32_t local;  /* IPv4: w[3], never 0; IPv6: 0 */
	uint16_t rport, lport; /* host order; both 0 in what is nobody's */
};

struct sl_key6 {
	struct sl_addr remote, local;
};

static inline bool
sl_key_is_v6(const struct sl_key *key)
{
	return key->local == 0;
}

/*
 * Store @bytes, a multiple of 4, word by word. A release pairs with the acquire in
 * sl_key_equals(): who sees a new word of a record sees why it was free to be reused.
 */
static inline void
sl_key_store(void *to, const void *from, size_t bytes)
{
	_Atomic uint32_t *word = to;
	uint32_t value;

	for (size_t i = 0; i < bytes / sizeof(value); i++) {
		memcpy(&value, (const char *)from + i * sizeof(value), sizeof(value));
		atomic_store_explicit(&word[i], value, memory_order_release);
	}
}

/* Whether @bytes at @shared, which the owner may be writing, are those at @want. */
static inline bool
sl_key_equals(const void *shared, const void *want, size_t bytes)
{
	const _Atomic uint32_t *word = shared;
	uint32_t value;

	for (size_t i = 0; i < bytes / sizeof(value); i++) {
		memcpy(&value, (const char *)want + i * sizeof(value), sizeof(value));
		/* Pairs with the release in sl_key_store(). */
		if (atomic_load_explicit(&word[i], memory_order_acquire) != value)
			return false;
	}
	return true;
}

/* Write the name of @tuple into @key, and for IPv6 into @key6[@six]; for IPv4 @six is none. */
static inline void
sl_key_set(struct sl_key *key, struct sl_key6 *key6, uint32_t six, const struct sl_tuple *tuple)
{
	struct sl_key new = {
		.remote = tuple->remote.w[3],
		.local = tuple->local.w[3],
		.rport = tuple->rport,
		.lport = tuple->lport,
	};

	if (six != SL_NO_KEY6) {
		new.remote = six;
		new.local = 0;
	}
	assert(tuple->v6 == sl_key_is_v6(&new));
	sl_key_store(key, &new, sizeof(new));
	if (six != SL_NO_KEY6) {
		sl_key_store(&key6[six].remote, &tuple->remote, sizeof(tuple->remote));
		sl_key_store(&key6[six].local, &tuple->local, sizeof(tuple->local));
	}
}

static inline bool
sl_key_is_nobody(const struct sl_key *key)
{
	return key->local == 0 && key->rport == 0 && key->lport == 0;
}

/* Let @key name nobody. */
static inline void
sl_key_clear(struct sl_key *key)
{
	static const struct sl_key nobody;

	sl_key_store(key, &nobody, sizeof(nobody));
}

/*
 * Write the tuple that @key, together with the array @key6, stands for. On the owning core.
 * Written in place and in the words it is read by: a copy as a whole would wait for each.
 */
static inline void
sl_key_tuple(const struct sl_key *key, const struct sl_key6 *key6, struct sl_tuple *tuple)
{
	tuple->rport = key->rport;
	tuple->lport = key->lport;
	tuple->v6 = sl_key_is_v6(key);
	memset(tuple->pad, 0, sizeof(tuple->pad));
	if (sl_key_is_v6(key)) {
		tuple->remote = key6[key->remote].remote;
		tuple->local = key6[key->remote].local;
		return;
	}
	tuple->remote.q[0] = tuple->local.q[0] = 0;
	tuple->remote.w[2] = tuple->local.w[2] = RTE_BE32(0x0000ffff);
	tuple->remote.w[3] = key->remote;
	tuple->local.w[3] = key->local;
}

#endif
