/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cksum_leaf - sums of many bytes in wide vectors; for sl_cksum_sum_by() alone.
 */
#ifndef SL_WIRE_CKSUM_LEAF_H
#define SL_WIRE_CKSUM_LEAF_H

#include <stddef.h>
#include <stdint.h>

/* As sl_cksum_sum_long(). Nothing outside of the @len bytes is made anything of. */
uint64_t sl_cksum_sum_256(const void *p, size_t len);
/* @p must be even, and @len SL_CKSUM_LONG_512 or more. */
uint64_t sl_cksum_sum_512(const void *p, size_t len);
/* The sum of @len bytes that are copied from @from to @to. */
uint64_t sl_cksum_copy_256(void *to, const void *from, size_t len);
uint64_t sl_cksum_copy_512(void *to, const void *from, size_t len);

#endif
