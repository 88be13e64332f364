/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote - the TCP segment an ICMP error is about.
 *
 * An error carries the first bytes of the packet that caused it: its IP header and at
 * least eight bytes more (RFC 792), which for TCP are the ports and the sequence number.
 */
#ifndef SL_WIRE_QUOTE_H
#define SL_WIRE_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/addr.h"
#include "wire/frame.h"

/*
 * The segment quoted by the ICMP packet @m, whose layers are @frame: its connection in
 * @tuple as the one who sent the segment sees it, and its sequence number in @seq. False
 * if @m is no error, or quotes no TCP, or a later fragment, or too little.
 */
bool sl_quote_parse(const struct rte_mbuf *m, const struct sl_frame *frame,
		    struct sl_tuple *tuple, uint32_t *seq);

#endif
