/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cksum_leaf - the sum of many bytes in vectors of 256 or 512 bits. Compiled once for each
 * width, with flags of its own; nothing calls it on a machine that lacks them.
 *
 * A word of 64 bits is added whole, and its upper half once more to another sum. Less the upper
 * halves where they stand too high, and with them where they belong, that is the sum of both
 * halves; that the words' sum overflows does not matter, since the halves' own does not.
 *
 * Headers end at odd places, so a payload's vectors would nearly all lie in two lines. Those of
 * 512 bits are lines of memory instead, the first and the last with what is not ours masked
 * out.
 */
#include "wire/cksum_leaf.h"

#include <assert.h>
#include <string.h>

#include "wire/cksum.h"

#define WORDS (SL_LEAF_BITS / 64)

typedef uint64_t vector __attribute__((vector_size(WORDS * sizeof(uint64_t))));

/* Two sums side by side, so that additions wait less for each other. */
struct sums {
	vector all[2], high[2];
};

static inline void
add(struct sums *s, int i, vector v)
{
	/* from here on a register: else gcc loads it for each addition */
	__asm__("" : "+x"(v));
	s->all[i] += v;
	s->high[i] += v >> 32;
}

static inline uint64_t
together(const struct sums *s)
{
	vector all = s->all[0] + s->all[1], high = s->high[0] + s->high[1];
	uint64_t sum = 0;

	all += high - (high << 32);
	for (int k = 0; k < WORDS; k++)
		sum += all[k];
	return sum;
}

/* One at a time: an array of two is copied by halves through the stack, which waits. */
static inline vector
vector_at(const uint8_t *p)
{
	vector v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline vector
copied(uint8_t *to, const uint8_t *from)
{
	vector v = vector_at(from);

	memcpy(to, &v, sizeof(v));
	return v;
}

/* The last @len bytes, less than a vector: copied, and summed where they lie then. */
static __attribute__((noinline)) uint64_t
copy_rest(uint8_t *to, const uint8_t *from, size_t len)
{
	memcpy(to, from, len);
	return sl_cksum_sum(to, len);
}

static inline uint64_t
copy_summed(uint8_t *to, const uint8_t *from, size_t len)
{
	const size_t both = 2 * sizeof(vector);
	size_t rest = len % sizeof(vector);
	struct sums s = { 0 };
	uint64_t sum;

	for (; len >= both; len -= both, from += both, to += both) {
		add(&s, 0, copied(to, from));
		add(&s, 1, copied(to + sizeof(vector), from + sizeof(vector)));
	}
	if (len >= sizeof(vector)) {
		add(&s, 0, copied(to, from));
		from += sizeof(vector);
		to += sizeof(vector);
	}
	sum = together(&s);
	return rest == 0 ? sum : sum + copy_rest(to, from, rest);
}

#if SL_LEAF_BITS == 512

#include <immintrin.h>

uint64_t
sl_cksum_copy_512(void *to, const void *from, size_t len)
{
	return copy_summed(to, from, len);
}

/* What @mask names of the line at @p; nothing else is read. */
static inline vector
part_of(const uint8_t *p, uint64_t mask)
{
	return (vector)_mm512_maskz_loadu_epi8(mask, p);
}

uint64_t
sl_cksum_sum_512(const void *data, size_t len)
{
	unsigned int before = (uintptr_t)data % sizeof(vector);
	const uint8_t *p = (const uint8_t *)data - before;
	uint64_t first = ~0ull << before;
	size_t left = before + len; /* from @p on */
	struct sums s = { 0 };

	assert(before % 2 == 0 && len >= SL_CKSUM_LONG_512);
	add(&s, 0, part_of(p, first));
	p += sizeof(vector);
	left -= sizeof(vector);
	for (; left >= 2 * sizeof(vector); left -= 2 * sizeof(vector)) {
		add(&s, 0, (vector)_mm512_load_si512(p));
		add(&s, 1, (vector)_mm512_load_si512(p + sizeof(vector)));
		p += 2 * sizeof(vector);
	}
	if (left >= sizeof(vector)) {
		add(&s, 1, (vector)_mm512_load_si512(p));
		p += sizeof(vector);
		left -= sizeof(vector);
	}
	if (left > 0)
		add(&s, 0, part_of(p, ~0ull >> (sizeof(vector) - left)));
	return together(&s);
}

#else

uint64_t
sl_cksum_copy_256(void *to, const void *from, size_t len)
{
	return copy_summed(to, from, len);
}

uint64_t
sl_cksum_sum_256(const void *data, size_t len)
{
	const size_t both = 2 * sizeof(vector);
	const uint8_t *p = data;
	struct sums s = { 0 };

	for (; len >= both; len -= both, p += both) {
		add(&s, 0, vector_at(p));
		add(&s, 1, vector_at(p + sizeof(vector)));
	}
	return together(&s) + sl_cksum_sum(p, len);
}

#endif
