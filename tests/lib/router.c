/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * router - has the last address but one of the networks of link.h.
 */
#include "router.h"

#include <arpa/inet.h>

#define ETHER_LEN 14u
#define QUOTE4    28u   /* of the datagram: its header and 8 bytes (RFC 792) */
#define QUOTE6    1232u /* as much as fits into 1280 bytes (RFC 4443, 2.4) */

static const uint8_t router_mac[6] = { 2, 0, 0, 0, 0, 254 };

static void
too_big4(struct craft *out, const uint8_t *frame, uint16_t mtu)
{
	char to[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, frame + ETHER_LEN + 12, to, sizeof(to));
	craft_ether(out, frame + 6, router_mac, 0, 0x0800);
	craft_ip4(out, "10.0.0.254", to, 1);
	craft_hex(out, "0304 0000 0000");
	craft_u16(out, mtu);
	craft_bytes(out, frame + ETHER_LEN, QUOTE4);
	craft_end(out);
}

static void
too_big6(struct craft *out, const uint8_t *frame, size_t len, uint16_t mtu)
{
	char to[INET6_ADDRSTRLEN];
	size_t quote = len - ETHER_LEN < QUOTE6 ? len - ETHER_LEN : QUOTE6;

	inet_ntop(AF_INET6, frame + ETHER_LEN + 8, to, sizeof(to));
	craft_ether(out, frame + 6, router_mac, 0, 0x86dd);
	craft_ip6(out, "fd00::fe", to, 58);
	craft_hex(out, "0200 0000 0000");
	craft_u16(out, mtu);
	craft_bytes(out, frame + ETHER_LEN, quote);
	craft_end(out);
}

bool
router_too_big(struct craft *out, const uint8_t *frame, size_t len, uint16_t mtu)
{
	uint8_t version = frame[ETHER_LEN] >> 4;

	if ((frame[0] & 1) || len < ETHER_LEN + QUOTE4)
		return false;
	if (version == 4)
		too_big4(out, frame, mtu);
	else if (version == 6)
		too_big6(out, frame, len, mtu);
	return version == 4 || version == 6;
}
