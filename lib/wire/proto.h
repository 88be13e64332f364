/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proto - sizes and numbers of the protocols on the wire that more than one file needs.
 */
#ifndef SL_WIRE_PROTO_H
#define SL_WIRE_PROTO_H

#include <netinet/in.h>

#include <rte_ether.h>

#define SL_IP4_HDR  20u
#define SL_IP6_HDR  40u
#define SL_TCP_HDR  20u
#define SL_ICMP_HDR 8u
#define SL_ARP_LEN  28u /* for IPv4 over Ethernet */

/* Where TCP begins in a frame without tag and options, and the least that such a frame has. */
#define SL_IP4_TCP       (RTE_ETHER_HDR_LEN + SL_IP4_HDR)
#define SL_IP6_TCP       (RTE_ETHER_HDR_LEN + SL_IP6_HDR)
#define SL_IP4_TCP_LEAST (SL_IP4_TCP + SL_TCP_HDR)

/* Types of ICMP and ICMPv6 messages. */
#define SL_ICMP4_ECHO_REPLY  0
#define SL_ICMP4_UNREACHABLE 3
#define SL_ICMP4_ECHO        8
#define SL_ICMP4_EXCEEDED    11
#define SL_ICMP4_PARAMETER   12
#define SL_ICMP6_UNREACHABLE 1
#define SL_ICMP6_TOO_BIG     2
#define SL_ICMP6_EXCEEDED    3
#define SL_ICMP6_PARAMETER   4
#define SL_ICMP6_ECHO        128
#define SL_ICMP6_ECHO_REPLY  129
#define SL_ND_ROUTER_SOL     133
#define SL_ND_ROUTER_ADV     134
#define SL_ND_SOLICIT        135
#define SL_ND_ADVERT         136
#define SL_ND_REDIRECT       137

#endif
