/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flows - the connection table: from a tuple to the index of its record.
 *
 * A cuckoo table of 64-byte buckets with eight ways. It holds tags and indexes only; keys
 * stay in the records and are read only where a tag matches. It never takes memory after
 * it is opened and holds the number of entries it was opened for.
 *
 * One core, the owner, does everything. Others may call sl_flows_hash() and
 * sl_flows_find_foreign(), whose answer is a hint.
 */
#ifndef SL_FLOW_FLOWS_H
#define SL_FLOW_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/prf.h"
#include "base/prf_many.h"
#include "flow/key.h"

#define SL_NO_FLOW 0xffffffffu
#define SL_FLOW_TW 0x80000000u /* set: index of a TIME-WAIT record; clear: of a connection */

struct sl_flows;

struct sl_flows_conf {
	uint32_t entries; /* connections and TIME-WAIT records together */
	struct sl_prf_key hash_key;
	const void *conn; /* arrays of records, each beginning with a struct sl_key */
	uint32_t conn_stride;
	const void *tw;
	uint32_t tw_stride;
	const struct sl_key6 *key6;
	uint32_t n_key6;
};

/* 0, -EINVAL for a configuration that makes no sense, -ENOMEM when @mem is exhausted. */
int sl_flows_open(struct sl_flows **out, struct sl_mem *mem, const struct sl_flows_conf *conf);

/* What sl_flows_open() takes for that many entries. */
size_t sl_flows_bytes(uint32_t entries);

uint64_t sl_flows_hash(const struct sl_flows *flows, const struct sl_tuple *tuple);

/*
 * sl_flows_hash() of @n tuples of one family: their addresses in words as there, IPv4 in the
 * first alone, and in the low halves of @numbers lport << 16 | rport. Arrays as sl_prf_many
 * wants them.
 */
void sl_flows_hash_many(const struct sl_flows *flows, const struct sl_prf_many *many,
			const uint64_t addr[4][SL_BURST], bool v6, const uint64_t *numbers,
			uint64_t *hash, uint16_t n);

/* Ask memory for where those with these hashes may lie. */
void sl_flows_ask(const struct sl_flows *flows, const uint64_t *hash, uint16_t n);

/* sl_flows_hash() of @n tuples, at most SL_BURST, those of a family side by side. */
void sl_flows_hash_burst(const struct sl_flows *flows, const struct sl_prf_many *many,
			 const struct sl_tuple *const *tuple, uint64_t *hash, uint16_t n);

/* The same of @n keys, written already; asks memory for where they may lie. */
void sl_flows_hash_keys(const struct sl_flows *flows, const struct sl_prf_many *many,
			const struct sl_key *const *key, uint64_t *hash, uint16_t n);

/* Bit i: hash[i] resembles something in the table, look it up; else it is not there. */
uint64_t sl_flows_resembling(const struct sl_flows *flows, const uint64_t *hash, uint16_t n);

/*
 * Find @n tuples at once, at most SL_BURST, whose hashes are @hash; slot[i] becomes what
 * tuple[i] was inserted with, or SL_NO_FLOW.
 */
void sl_flows_lookup(const struct sl_flows *flows, const struct sl_tuple *const *tuple,
		     const uint64_t *hash, uint32_t *slot, uint16_t n);

uint32_t sl_flows_find(const struct sl_flows *flows, const struct sl_tuple *tuple,
		       uint64_t hash);

/*
 * Insert the record @idx, whose key is written already and not in the table yet. 0, or
 * -ENOSPC with nothing changed: only beyond the entries the table was opened for does
 * that happen with a chance worth naming.
 */
int sl_flows_insert(struct sl_flows *flows, uint64_t hash, uint32_t idx);

/* Whether @idx was there; it is gone now, and only now may its key be written. */
bool sl_flows_remove(struct sl_flows *flows, uint64_t hash, uint32_t idx);

/*
 * Let @new_idx, written already with the same key, take the place of @old_idx, whose key may
 * be written from now on.
 */
bool sl_flows_replace(struct sl_flows *flows, uint64_t hash, uint32_t old_idx,
		      uint32_t new_idx);

uint32_t sl_flows_count(const struct sl_flows *flows);

/* Whether every invariant holds: 0 or -EBADMSG. Touches every record. */
int sl_flows_check(const struct sl_flows *flows);

/*
 * Find from a core that does not own the table. A flow that stays in the table is found,
 * whatever moves around it, and what is found bore that name while we looked. It may be gone
 * by the time it is used: records keep their type, so copy what you need, check it, and let the
 * owner have the last word.
 */
uint32_t sl_flows_find_foreign(const struct sl_flows *flows, const struct sl_tuple *tuple,
			       uint64_t hash);

#endif
