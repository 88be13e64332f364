/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * leaf - which vectors there are.
 *
 * A leaf is a file compiled once for each kind of vectors, with flags that the rest of the
 * library does without, next to a plain twin that gives the same bits. Which of them a core
 * calls is settled when it opens. The kinds are AVX2, the instructions of AVX-512 for vectors
 * of 256 bits, and those for 512.
 */
#ifndef SL_BASE_LEAF_H
#define SL_BASE_LEAF_H

#include <stdbool.h>

/* Kinds by their bits, in order; each means the widths below as well. */
enum {
	SL_LEAF_256 = 256,
	SL_LEAF_256VL = 257, /* and rotations, masks, twice the registers */
	SL_LEAF_512 = 512,
};

/* In a leaf, what it makes of @name is called by this. */
#define SL_LEAF_OF(name)           SL_LEAF_JOINED(name, SL_LEAF)
#define SL_LEAF_JOINED(name, leaf) SL_LEAF_PASTED(name, leaf)
#define SL_LEAF_PASTED(name, leaf) name##_##leaf

/*
 * One of those kinds, or 0 for the plain twins: the last that was compiled and this CPU has, at
 * most @most. With @most 0 it is the last that pays: CPUs whose clock suffers from 512 bits
 * lack VBMI2, which is asked for then though no leaf uses it.
 */
static inline unsigned int
sl_leaf_bits(unsigned int most)
{
#ifdef SL_LEAVES
	bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
	bool avx512 = bits && __builtin_cpu_supports("avx512f") &&
		      __builtin_cpu_supports("avx512bw") &&
		      __builtin_cpu_supports("avx512vl") &&
		      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");

	if (avx512 &&
	    (most >= SL_LEAF_512 || (most == 0 && __builtin_cpu_supports("avx512vbmi2"))))
		return SL_LEAF_512;
	if (avx512 && (most == 0 || most >= SL_LEAF_256VL))
		return SL_LEAF_256VL;
	if (bits && (most == 0 || most >= SL_LEAF_256) && __builtin_cpu_supports("avx2"))
		return SL_LEAF_256;
#endif
	(void)most;
	return 0;
}

#endif
