/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flowrig - tuples that share most of their bytes, as those of one server's clients do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flowrig.h"

static struct sl_tuple
nth_tuple(uint32_t i)
{
	struct sl_tuple t = { .rport = (uint16_t)(i * 7), .lport = i % 3 ? 80 : 443 };

	t.v6 = i & 1;
	if (t.v6) {
		t.remote = (struct sl_addr){ .w = { 0x20, i % 5, 0, i / 3 } };
		t.local = (struct sl_addr){ .w = { 0x20, 0, i % 11, 1 } };
	} else {
		t.remote = sl_addr_v4(0x0a000000 + i);
		t.local = sl_addr_v4(0xc0000201);
	}
	return t;
}

void
flowrig_open(struct flowrig *w, uint32_t entries, uint32_t n, uint64_t seed)
{
	struct sl_mem *mem = &w->heap.mem;
	struct sl_flows_conf conf = { .entries = entries,
				      .conn_stride = sizeof(struct flowrig_record),
				      .tw_stride = sizeof(struct flowrig_record) };

	arena_open(&w->heap);
	w->rnd.s = seed;
	w->n = n;
	conf.conn = w->conn = sl_mem_take(mem, n * sizeof(*w->conn), 64);
	conf.tw = w->tw = sl_mem_take(mem, n * sizeof(*w->tw), 64);
	conf.n_key6 = 2 * n;
	conf.key6 = w->key6 = sl_mem_take(mem, 2 * n * sizeof(*w->key6), 64);
	w->tuple = sl_mem_take(mem, n * sizeof(*w->tuple), 64);
	w->slot = sl_mem_take(mem, n * sizeof(*w->slot), 64);
	sl_slots_init(&w->conn_free, &w->conn->link, sizeof(*w->conn), n);
	sl_slots_init(&w->tw_free, &w->tw->link, sizeof(*w->tw), n);
	conf.hash_key = (struct sl_prf_key){ { rnd_u64(&w->rnd), rnd_u64(&w->rnd) } };
	assert_int_equal(sl_flows_open(&w->flows, mem, &conf), 0);
	for (uint32_t i = 0; i < n; i++) {
		w->tuple[i] = nth_tuple(i);
		w->slot[i] = SL_NO_FLOW;
	}
}

void
flowrig_close(struct flowrig *w)
{
	arena_close(&w->heap);
}

uint64_t
flowrig_hash(const struct flowrig *w, uint32_t t)
{
	return sl_flows_hash(w->flows, &w->tuple[t]);
}

uint32_t
flowrig_take(struct flowrig *w, uint32_t t, bool tw)
{
	uint32_t idx = sl_slots_get(tw ? &w->tw_free : &w->conn_free);
	uint32_t six = w->tuple[t].v6 ? idx + (tw ? w->n : 0) : SL_NO_KEY6;

	assert_true(idx != SL_NO_INDEX);
	sl_key_set(tw ? &w->tw[idx].key : &w->conn[idx].key, w->key6, six, &w->tuple[t]);
	return tw ? idx | SL_FLOW_TW : idx;
}

void
flowrig_give(struct flowrig *w, uint32_t idx)
{
	sl_slots_put(idx & SL_FLOW_TW ? &w->tw_free : &w->conn_free, idx & ~SL_FLOW_TW);
}

int
flowrig_insert(struct flowrig *w, uint32_t t)
{
	uint32_t idx = flowrig_take(w, t, false);
	int rc = sl_flows_insert(w->flows, flowrig_hash(w, t), idx);

	if (rc == 0)
		w->slot[t] = idx;
	else
		flowrig_give(w, idx);
	return rc;
}
