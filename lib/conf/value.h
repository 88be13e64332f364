/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value - text to number, time, address: strictly, or not at all.
 *
 * None of these skips blanks, guesses a base or stops early: the whole text is the value.
 */
#ifndef SL_CONF_VALUE_H
#define SL_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/schema.h"

/* Take @text as a plain value (a kind below SL_KIND_BUILT) into the struct at @base. */
bool sl_value_take(const struct sl_field *field, const char *text, void *base);

/* A whole decimal number up to @max, without sign or leading zero. */
bool sl_value_number(const char *text, uint64_t max, uint64_t *out);

/* The place of @text among space-separated @words, or -1. */
int sl_value_word(const char *words, const char *text);

bool sl_value_addr(const char *text, struct sl_addr *out);
/* An address and its prefix: "10.0.0.1/24". */
bool sl_value_subnet(const char *text, struct sl_addr *addr, uint8_t *prefix);
/* An address and a port: "10.0.0.1:80", "[fd00::1]:80". */
bool sl_value_endpoint(const char *text, struct sl_addr *addr, uint16_t *port);
/* 32 hexadecimal digits. */
bool sl_value_hex16(const char *text, uint8_t out[16]);

/* Whether @a and @b have their first @prefix bits (of their family's length) in common. */
bool sl_addr_matches(const struct sl_addr *a, const struct sl_addr *b, uint8_t prefix);

#endif
