/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * leaf - how wide the vectors may be.
 *
 * A leaf is a file compiled once for each width of vectors, with flags that the rest of the
 * library does without, next to a plain twin that gives the same bits. Which of them a core
 * calls is settled when it opens.
 */
#ifndef SL_BASE_LEAF_H
#define SL_BASE_LEAF_H

/*
 * 512, 256 or 0 for the plain twins: the widest that was compiled and this CPU has, at most
 * @most bits. With @most 0 it is the widest that pays: CPUs whose clock suffers from 512 bits
 * lack VBMI2, which is asked for then though no leaf uses it.
 */
static inline unsigned int
sl_leaf_bits(unsigned int most)
{
#ifdef SL_LEAVES
	if ((most == 0 || most >= 512) && __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
	    (most != 0 || __builtin_cpu_supports("avx512vbmi2")))
		return 512;
	if ((most == 0 || most >= 256) && __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("bmi2"))
		return 256;
#endif
	(void)most;
	return 0;
}

#endif
