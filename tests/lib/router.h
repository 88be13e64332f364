/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * router - what a hop on the way says of a packet that it could not forward.
 */
#ifndef TEST_ROUTER_H
#define TEST_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "craft.h"

/*
 * To the sender of @frame: it is too big, @mtu bytes still pass (RFC 1191, RFC 8201). False
 * if one does not speak of such a frame.
 */
bool router_too_big(struct craft *out, const uint8_t *frame, size_t len, uint16_t mtu);

#endif
