/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote - reading somebody's copy of the head of one of our packets.
 *
 * We send IPv6 without extension headers, so a quote that has some is not of ours. The
 * quoted lengths and checksum may have been rewritten on the way: nothing here needs them.
 */
#include "wire/quote.h"

#include "wire/bytes.h"
#include "wire/proto.h"

#define TCP_QUOTED   8u     /* ports and sequence number */
#define IP4_FRAG_OFF 0x1fff /* in units of eight bytes */

static bool
is_error(uint8_t kind, uint8_t type)
{
	if (kind == SL_KIND_ICMP4)
		return type == SL_ICMP4_UNREACHABLE || type == SL_ICMP4_EXCEEDED ||
		       type == SL_ICMP4_PARAMETER;
	if (kind == SL_KIND_ICMP6)
		return type >= SL_ICMP6_UNREACHABLE && type <= SL_ICMP6_PARAMETER;
	return false;
}

/* The bytes of the quoted IP header if TCP follows at once, else 0. */
static uint16_t
quoted_ip4(const uint8_t *ip, uint32_t len, struct sl_tuple *tuple)
{
	uint16_t head;

	if (len < SL_IP4_HDR || ip[0] >> 4 != 4 || ip[9] != IPPROTO_TCP)
		return 0;
	head = (ip[0] & 15) * 4;
	if (head < SL_IP4_HDR || (sl_get16(ip + 6) & IP4_FRAG_OFF) != 0)
		return 0;
	tuple->local = sl_addr_v4(sl_get32(ip + 12));
	tuple->remote = sl_addr_v4(sl_get32(ip + 16));
	return head;
}

static uint16_t
quoted_ip6(const uint8_t *ip, uint32_t len, struct sl_tuple *tuple)
{
	if (len < SL_IP6_HDR || ip[0] >> 4 != 6 || ip[6] != IPPROTO_TCP)
		return 0;
	memcpy(&tuple->local, ip + 8, 16);
	memcpy(&tuple->remote, ip + 24, 16);
	tuple->v6 = 1;
	return SL_IP6_HDR;
}

bool
sl_quote_parse(const struct rte_mbuf *m, const struct sl_frame *frame, struct sl_tuple *tuple,
	       uint32_t *seq)
{
	const uint8_t *icmp = rte_pktmbuf_mtod_offset(m, const uint8_t *, frame->l4);
	const uint8_t *ip = icmp + SL_ICMP_HDR;
	uint32_t here = RTE_MIN((uint32_t)frame->l4_len, (uint32_t)m->data_len - frame->l4);
	uint32_t len = here - SL_ICMP_HDR; /* the parser saw to it that the header is there */
	uint16_t head;

	if (!is_error(frame->kind, icmp[0]))
		return false;

	*tuple = (struct sl_tuple){ .v6 = 0 };
	head = frame->kind == SL_KIND_ICMP4 ? quoted_ip4(ip, len, tuple)
					    : quoted_ip6(ip, len, tuple);
	if (head == 0 || head + TCP_QUOTED > len)
		return false;
	tuple->lport = sl_get16(ip + head);
	tuple->rport = sl_get16(ip + head + 2);
	*seq = sl_get32(ip + head + 4);
	return true;
}
