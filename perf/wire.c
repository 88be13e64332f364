/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire - frames by hand: Ethernet, IPv4 or IPv6, TCP, and a few others.
 */
#include "wire.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "bench.h"

uint8_t wire_server_mac[6];

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 0x99 };

static const rte_be32_t server4 = RTE_BE32(0x0a000001); /* 10.0.0.1 */
static const uint8_t server6[16] = { 0xfd, [15] = 1 };  /* fd00::1 */
static const uint8_t peer6[16] = { 0x20, 0x01, 0x0d, 0xb8 };

static uint8_t *
room(struct rte_mbuf *m, uint16_t len)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, len);

	if (p == NULL)
		bench_fail("a packet has no room for %u bytes", len);
	return p;
}

static void
put_ether(uint8_t *p, uint16_t type)
{
	struct rte_ether_hdr *eth = (void *)p;

	memcpy(&eth->dst_addr, wire_server_mac, 6);
	memcpy(&eth->src_addr, own_mac, 6);
	eth->ether_type = rte_cpu_to_be_16(type);
}

static void
put_ip4(uint8_t *p, uint32_t from, uint16_t total, uint8_t proto)
{
	struct rte_ipv4_hdr *ip = (void *)p;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(total),
		.fragment_offset = RTE_BE16(0x4000),
		.time_to_live = 64,
		.next_proto_id = proto,
		.src_addr = rte_cpu_to_be_32(from),
		.dst_addr = server4,
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void
put_ip6(uint8_t *p, uint32_t from, uint16_t len, uint8_t proto)
{
	struct rte_ipv6_hdr *ip = (void *)p;
	rte_be32_t last = rte_cpu_to_be_32(from);

	*ip = (struct rte_ipv6_hdr){
		.vtc_flow = RTE_BE32(6u << 28),
		.payload_len = rte_cpu_to_be_16(len),
		.proto = proto,
		.hop_limits = 64,
	};
	memcpy(ip->src_addr, peer6, 12);
	memcpy(ip->src_addr + 12, &last, 4);
	memcpy(ip->dst_addr, server6, 16);
}

static uint8_t *
put_ts(uint8_t *p, const struct wire_seg *s)
{
	rte_be32_t val = rte_cpu_to_be_32(s->tsval), ecr = rte_cpu_to_be_32(s->tsecr);

	p[0] = 8;
	p[1] = 10;
	memcpy(p + 2, &val, 4);
	memcpy(p + 6, &ecr, 4);
	return p + 10;
}

static uint8_t *
put(uint8_t *p, const char *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

/* Returns how many bytes. */
static uint16_t
put_options(uint8_t *at, const struct wire_seg *s)
{
	uint8_t *p = at;

	switch (s->options) {
	case WIRE_TS:
		p = put_ts(put(p, "\1\1", 2), s);
		break;
	case WIRE_SYN_LINUX:
		p = put_ts(put(p, "\2\4\5\xb4\4\2", 6), s);
		p = put(p, "\1\3\3\7", 4);
		break;
	case WIRE_SYN_WINDOWS:
		p = put(p, "\2\4\5\xb4\1\3\3\10\1\1\4\2", 12);
		break;
	case WIRE_SYN_BSD:
		p = put_ts(put(p, "\2\4\5\xb4\1\3\3\6\4\2", 10), s);
		break;
	default:
		break;
	}
	return (uint16_t)(p - at);
}

/* What a port that verifies checksums says of a good packet. */
static void
mark_verified(struct rte_mbuf *m)
{
	if (options.offload)
		m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

void
wire_put(struct rte_mbuf *m, const struct wire_end *end, const struct wire_seg *s)
{
	static const uint16_t options_len[] = { 0, 12, 20, 12, 20 };
	uint16_t l3 = end->v6 ? 40 : 20, head = 20 + options_len[s->options];
	uint8_t *p = room(m, 14 + l3 + head + s->len);
	struct rte_tcp_hdr *tcp = (void *)(p + 14 + l3);

	mark_verified(m);
	put_ether(p, end->v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	*tcp = (struct rte_tcp_hdr){
		.src_port = rte_cpu_to_be_16(end->port),
		.dst_port = rte_cpu_to_be_16(end->server),
		.sent_seq = rte_cpu_to_be_32(s->seq),
		.recv_ack = rte_cpu_to_be_32(s->ack),
		.data_off = (uint8_t)(head / 4 << 4),
		.tcp_flags = s->flags,
		.rx_win = rte_cpu_to_be_16(s->wnd),
	};
	put_options((uint8_t *)(tcp + 1), s);
	if (s->len > 0)
		memcpy((uint8_t *)tcp + head, s->payload, s->len);
	if (end->v6) {
		put_ip6(p + 14, end->addr, head + s->len, 6);
		tcp->cksum = rte_ipv6_udptcp_cksum((void *)(p + 14), tcp);
	} else {
		put_ip4(p + 14, end->addr, l3 + head + s->len, 6);
		tcp->cksum = rte_ipv4_udptcp_cksum((void *)(p + 14), tcp);
	}
}

/* Timestamps where our server writes them: behind two octets, SYN-ACKs behind an MSS. */
static void
get_ts(const struct rte_tcp_hdr *tcp, struct wire_in *in)
{
	const uint8_t *p = (const uint8_t *)(tcp + 1);
	const uint8_t *end = (const uint8_t *)tcp + (tcp->data_off >> 4) * 4;

	in->ts = false;
	while (p + 1 < end && *p != 0) {
		rte_be32_t val;

		if (*p == 1) {
			p++;
			continue;
		}
		if (*p == 8 && p + 10 <= end) {
			memcpy(&val, p + 2, 4);
			in->tsval = rte_be_to_cpu_32(val);
			in->ts = true;
		}
		if (p[1] < 2)
			return;
		p += p[1];
	}
}

bool
wire_get(const struct rte_mbuf *m, struct wire_in *in)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);
	const uint8_t *l3 = (const uint8_t *)(eth + 1);
	const struct rte_tcp_hdr *tcp;
	uint16_t l4_len;
	rte_be32_t to;

	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		const struct rte_ipv4_hdr *ip = (const void *)l3;

		if (ip->next_proto_id != 6)
			return false;
		in->end.v6 = false;
		to = ip->dst_addr;
		l4_len = rte_be_to_cpu_16(ip->total_length) - 20;
		tcp = (const void *)(l3 + 20);
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
		const struct rte_ipv6_hdr *ip = (const void *)l3;

		if (ip->proto != 6)
			return false;
		in->end.v6 = true;
		memcpy(&to, ip->dst_addr + 12, 4);
		l4_len = rte_be_to_cpu_16(ip->payload_len);
		tcp = (const void *)(l3 + 40);
	} else {
		return false;
	}
	in->end.addr = rte_be_to_cpu_32(to);
	in->end.port = rte_be_to_cpu_16(tcp->dst_port);
	in->end.server = rte_be_to_cpu_16(tcp->src_port);
	in->seq = rte_be_to_cpu_32(tcp->sent_seq);
	in->ack = rte_be_to_cpu_32(tcp->recv_ack);
	in->flags = tcp->tcp_flags;
	in->wnd = rte_be_to_cpu_16(tcp->rx_win);
	in->len = l4_len - (tcp->data_off >> 4) * 4;
	in->m = m;
	get_ts(tcp, in);
	return true;
}

bool
wire_brings(const struct wire_in *in, const void *bytes, uint16_t len)
{
	uint16_t l4 = in->end.v6 ? 54 : 34;
	const struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(in->m, const void *, l4);
	uint32_t skip = l4 + (tcp->data_off >> 4) * 4u;
	char copy[2048];
	const void *got;

	if (in->len != len || len > sizeof(copy))
		return false;
	got = rte_pktmbuf_read(in->m, skip, len, copy);
	return got != NULL && memcmp(got, bytes, len) == 0;
}

bool
wire_is_drawn(void)
{
	static _Thread_local uint64_t random = 88172645463325252;

	return (bench_random(&random) >> 32) % WIRE_SAMPLE == 0;
}

/* Whether a port that makes checksums has what it needs for those of @m. */
static bool
is_left_right(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);
	const void *ip = eth + 1;
	bool v6 = eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
	uint64_t want = v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	const struct rte_tcp_hdr *tcp = (const void *)((const uint8_t *)ip + (v6 ? 40 : 20));

	want |= RTE_MBUF_F_TX_TCP_CKSUM;
	if ((m->ol_flags & want) != want || m->l2_len != 14 || m->l3_len != (v6 ? 40 : 20) ||
	    m->l4_len != (tcp->data_off >> 4) * 4)
		return false;
	return tcp->cksum == (v6 ? rte_ipv6_phdr_cksum(ip, 0) : rte_ipv4_phdr_cksum(ip, 0));
}

bool
wire_is_right(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);
	const void *ip = eth + 1;

	if (memcmp(&eth->dst_addr, own_mac, 6) != 0 ||
	    memcmp(&eth->src_addr, wire_server_mac, 6) != 0)
		return false;
	if (options.offload)
		return is_left_right(m);
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return rte_ipv6_udptcp_cksum_mbuf_verify(m, ip, 54) == 0;
	return rte_raw_cksum(ip, 20) == 0xffff &&
	       rte_ipv4_udptcp_cksum_mbuf_verify(m, ip, 34) == 0;
}

static bool
answer_arp(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);
	struct rte_arp_hdr *arp = (void *)(eth + 1);
	rte_be32_t asked = arp->arp_data.arp_tip;

	if (arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) || asked == server4 ||
	    arp->arp_data.arp_sip != server4)
		return false; /* an announcement or a question about itself */
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	memcpy(&arp->arp_data.arp_sha, own_mac, 6);
	arp->arp_data.arp_sip = asked;
	memcpy(&eth->dst_addr, wire_server_mac, 6);
	memcpy(&eth->src_addr, own_mac, 6);
	return true;
}

/* A solicitation is 24 bytes and an option of 8; the advertisement has the same size. */
static bool
answer_nd(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);
	struct rte_ipv6_hdr *ip = (void *)(eth + 1);
	uint8_t *nd = (uint8_t *)(ip + 1);
	uint16_t sum;

	if (ip->proto != 58 || nd[0] != 135 || m->data_len < 14 + 40 + 32 ||
	    memcmp(nd + 8, server6, 16) == 0)
		return false;
	memcpy(ip->dst_addr, ip->src_addr, 16);
	memcpy(ip->src_addr, nd + 8, 16);
	nd[0] = 136;
	nd[2] = nd[3] = 0;
	nd[4] = 0x60; /* solicited, override */
	nd[24] = 2;   /* target link-layer address */
	nd[25] = 1;
	memcpy(nd + 26, own_mac, 6);
	sum = rte_ipv6_udptcp_cksum(ip, nd);
	memcpy(nd + 2, &sum, 2);
	memcpy(&eth->dst_addr, wire_server_mac, 6);
	memcpy(&eth->src_addr, own_mac, 6);
	return true;
}

bool
wire_answer_neighbour(struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, void *);

	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return answer_arp(m);
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return answer_nd(m);
	return false;
}

void
wire_put_echo(struct rte_mbuf *m, uint32_t addr)
{
	uint8_t *p = room(m, 14 + 20 + 64);
	struct rte_icmp_hdr *icmp = (void *)(p + 34);

	put_ether(p, RTE_ETHER_TYPE_IPV4);
	put_ip4(p + 14, addr, 84, 1);
	memset(icmp, 0, 64);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REQUEST;
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, 64);
}

void
wire_put_udp(struct rte_mbuf *m, uint32_t addr)
{
	uint8_t *p = room(m, 14 + 20 + 30);
	struct rte_udp_hdr *udp = (void *)(p + 34);

	put_ether(p, RTE_ETHER_TYPE_IPV4);
	put_ip4(p + 14, addr, 50, 17);
	memset(udp, 0, 30);
	udp->dgram_len = RTE_BE16(30);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum((void *)(p + 14), udp);
}

void
wire_put_arp(struct rte_mbuf *m)
{
	uint8_t *p = room(m, 60);
	struct rte_arp_hdr *arp = (void *)(p + 14);

	memset(p, 0, 60);
	put_ether(p, RTE_ETHER_TYPE_ARP);
	memset(p, 0xff, 6);
	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = 6;
	arp->arp_plen = 4;
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REQUEST);
	memcpy(&arp->arp_data.arp_sha, own_mac, 6);
	arp->arp_data.arp_sip = RTE_BE32(0x0a0000fe);
	arp->arp_data.arp_tip = server4;
}
