/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame - bytes by hand, big-endian, one at a time.
 */
#include "frame.h"

#include <string.h>

#include "wire/frame.h"

#define ETH 14

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t
get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t
sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* The sum of the pseudo-header of @n bytes of @proto between the ends. */
static uint32_t
pseudo(const struct ends *e, uint8_t proto, size_t n)
{
	uint8_t tail[6] = { 0, 0, 0, proto };
	size_t from = e->v6 ? 0 : 12;

	put16(tail + 4, n);
	return sum(sum(sum(0, e->ours.b + from, 16 - from), e->peer.b + from, 16 - from), tail,
		   6);
}

static uint8_t *
put_eth(uint8_t *p, const struct ends *e, const struct knobs *k, uint16_t type)
{
	memcpy(p, e->our_mac, 6);
	if (k->group_mac)
		p[0] |= 1;
	memcpy(p + 6, e->peer_mac, 6);
	p += 12;
	if (k->vlan) {
		put16(p, 0x8100);
		put16(p + 2, k->vlan);
		p += 4;
	}
	put16(p, type);
	return p + 2;
}

static uint8_t *
put_ip4(uint8_t *p, const struct ends *e, const struct knobs *k, uint8_t proto, size_t n)
{
	static const uint8_t record_route[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	size_t head = k->ipopts ? 28 : 20;

	memset(p, 0, head);
	p[0] = 0x40 | head / 4;
	put16(p + 2, head + n);
	put16(p + 4, 0x1234);
	put16(p + 6, k->fragment ? 0x2000 : 0x4000);
	p[1] = k->tos;
	p[8] = k->has_ttl ? k->ttl : 64;
	p[9] = proto;
	memcpy(p + 12, e->peer.b + 12, 4);
	memcpy(p + 16, e->ours.b + 12, 4);
	if (k->group_src)
		p[12] = 239;
	if (k->group_dst)
		p[16] = 239;
	if (k->ipopts)
		memcpy(p + 20, record_route, 8);
	put16(p + 10, ~sum(0, p, head) ^ (k->badip ? 0x5555 : 0));
	return p + head;
}

/* One extension header of eight bytes: destination options (padding) or a fragment's. */
static uint8_t *
put_ext(uint8_t *p, const struct knobs *k, uint8_t proto)
{
	static const uint8_t padn[8] = { 0, 0, 1, 4, 0, 0, 0, 0 };
	static const uint8_t first[8] = { 0, 0, 0, 1, 0, 0, 0, 7 };

	memcpy(p, k->fragment ? first : padn, 8);
	p[0] = proto;
	return p + 8;
}

static uint8_t *
put_ip6(uint8_t *p, const struct ends *e, const struct knobs *k, uint8_t proto, size_t n)
{
	bool ext = k->ipopts || k->fragment;

	memset(p, 0, 40);
	put16(p, (k->badip ? 0x5000 : 0x6000) | k->tos << 4);
	put16(p + 4, n + 8 * ext);
	p[6] = !ext ? proto : k->fragment ? 44 : 60;
	p[7] = k->has_ttl ? k->ttl : proto == 58 ? 255 : 64;
	memcpy(p + 8, e->peer.b, 16);
	memcpy(p + 24, e->ours.b, 16);
	if (k->group_src)
		p[8] = 0xff;
	if (k->group_dst)
		p[24] = 0xff;
	return ext ? put_ext(p + 40, k, proto) : p + 40;
}

static uint8_t *
put_ip(uint8_t *p, const struct ends *e, const struct knobs *k, uint8_t proto, size_t n)
{
	return e->v6 ? put_ip6(p, e, k, proto, n) : put_ip4(p, e, k, proto, n);
}

static uint8_t *
put_sack(uint8_t *p, const struct opt *o)
{
	*p++ = 5;
	*p++ = 2 + 8 * o->n;
	for (int i = 0; i < o->n; i++, p += 8) {
		put32(p, o->block[i].lo);
		put32(p + 4, o->block[i].hi);
	}
	return p;
}

static uint8_t *
put_opt(uint8_t *p, const struct opt *o)
{
	switch (o->kind) {
	case OPT_EOL:
	case OPT_NOP:
		*p = o->kind;
		return p + 1;
	case OPT_MSS:
		p[0] = 2;
		p[1] = 4;
		put16(p + 2, o->a);
		return p + 4;
	case OPT_WSCALE:
		p[0] = 3;
		p[1] = 3;
		p[2] = o->a;
		return p + 3;
	case OPT_SACK_OK:
		p[0] = 4;
		p[1] = 2;
		return p + 2;
	case OPT_SACK:
		return put_sack(p, o);
	case OPT_TS:
		p[0] = 8;
		p[1] = 10;
		put32(p + 2, o->a);
		put32(p + 6, o->b);
		return p + 10;
	default:
		memcpy(p, o->hex, o->n);
		return p + o->n;
	}
}

/* Header and options; returns the header's length. The checksum is left zero. */
static size_t
put_tcp(uint8_t *t, const struct ends *e, const struct pkt *p)
{
	uint8_t *end = t + 20;
	size_t head;

	memset(t, 0, 60);
	put16(t, p->knobs.land ? e->lport : e->rport);
	put16(t + 2, e->lport);
	put32(t + 4, p->seq);
	put32(t + 8, p->ack);
	for (int i = 0; i < p->n_opts; i++)
		end = put_opt(end, &p->opt[i]);
	head = (end - t + 3) & ~(size_t)3;
	t[12] = (p->knobs.dataofs ? p->knobs.dataofs : head / 4) << 4;
	if (p->knobs.reserved)
		t[12] |= 0x0f;
	t[13] = p->flags;
	put16(t + 14, p->win);
	put16(t + 18, p->urg);
	return head;
}

size_t
frame_build(uint8_t *out, const struct ends *ends, const struct pkt *p, const uint8_t *payload)
{
	static uint8_t tcp[FRAME_MAX];
	const struct knobs *k = &p->knobs;
	struct ends e = *ends;
	uint8_t *at;
	size_t n;

	if (k->land)
		e.peer = e.ours;
	n = put_tcp(tcp, &e, p);
	memcpy(tcp + n, payload, p->len);
	n += p->len;
	put16(tcp + 16, ~sum(pseudo(&e, 6, n), tcp, n) ^ (k->badsum ? 0x0101 : 0));

	at = put_eth(out, &e, k, e.v6 ? 0x86dd : 0x0800);
	at = put_ip(at, &e, k, 6, n);
	memcpy(at, tcp, n);
	n += at - out;
	if (k->pad && n < 60) {
		memset(out + n, 0xa5, 60 - n);
		n = 60;
	}
	return n - k->cut;
}

/* The options in t[20..head) into @p, NOPs left out. False if their form is wrong. */
static bool
read_options(const uint8_t *t, size_t head, struct pkt *p)
{
	for (size_t i = 20; i < head;) {
		struct opt *o = &p->opt[p->n_opts];
		uint8_t kind = t[i], len;

		if (kind == 0) {
			for (; i < head; i++)
				if (t[i] != 0)
					return false;
			return true;
		}
		if (kind == 1) {
			i++;
			continue;
		}
		if (i + 2 > head || p->n_opts == PKT_OPTS_MAX)
			return false;
		len = t[i + 1];
		if (len < 2 || i + len > head)
			return false;
		memset(o, 0, sizeof(*o));
		if (kind == 2 && len == 4) {
			o->kind = OPT_MSS;
			o->a = get16(t + i + 2);
		} else if (kind == 3 && len == 3) {
			o->kind = OPT_WSCALE;
			o->a = t[i + 2];
		} else if (kind == 4 && len == 2) {
			o->kind = OPT_SACK_OK;
		} else if (kind == 8 && len == 10) {
			o->kind = OPT_TS;
			o->a = get32(t + i + 2);
			o->b = get32(t + i + 6);
		} else if (kind == 5 && len > 2 && len <= 34 && len % 8 == 2) {
			o->kind = OPT_SACK;
			for (; o->n < len / 8; o->n++) {
				o->block[o->n].lo = get32(t + i + 2 + 8 * o->n);
				o->block[o->n].hi = get32(t + i + 6 + 8 * o->n);
			}
		} else {
			return false;
		}
		p->n_opts++;
		i += len;
	}
	return true;
}

static enum frame_what
read_tcp(const uint8_t *t, size_t n, struct ends *e, struct pkt *p, const uint8_t **payload,
	 const char **why)
{
	size_t head = n >= 20 ? t[12] >> 4 << 2 : 0;

	*why = NULL;
	if (head < 20 || head > n)
		*why = "TCP data offset";
	else if (sum(pseudo(e, 6, n), t, n) != 0xffff)
		*why = "TCP checksum";
	else if (t[12] & 0x0f)
		*why = "reserved bits are not zero";
	else if (get16(t + 18) != 0 && !(t[13] & SL_URG))
		*why = "an urgent pointer without URG";
	if (*why != NULL)
		return FRAME_BROKEN;

	e->lport = get16(t);
	e->rport = get16(t + 2);
	memset(p, 0, sizeof(*p));
	p->seq = get32(t + 4);
	p->ack = get32(t + 8);
	p->flags = t[13];
	p->win = get16(t + 14);
	p->has_win = true;
	p->urg = get16(t + 18);
	p->len = n - head;
	*payload = t + head;
	if (!read_options(t, head, p)) {
		*why = "form of the TCP options";
		return FRAME_BROKEN;
	}
	if (!(p->flags & SL_ACK) && p->ack != 0)
		*why = "an acknowledgment number without ACK";
	return *why ? FRAME_BROKEN : FRAME_TCP;
}

static const char *
ip4_wrong(const uint8_t *ip, size_t n)
{
	if (n < 20 || ip[0] != 0x45)
		return "IPv4 version or header length";
	if (get16(ip + 2) != n)
		return "IPv4 total length";
	if (sum(0, ip, 20) != 0xffff)
		return "IPv4 checksum";
	if (ip[8] == 0)
		return "TTL 0";
	if (ip[9] == 6 && get16(ip + 6) != 0x4000)
		return "fragment field is not DF alone";
	if (ip[9] == 6 && get16(ip + 4) != 0)
		return "identification of a DF packet is not 0";
	return NULL;
}

static const char *
ip6_wrong(const uint8_t *ip, size_t n)
{
	if (n < 40 || ip[0] >> 4 != 6)
		return "IPv6 version";
	if (get16(ip + 4) != n - 40)
		return "IPv6 payload length";
	return ip[7] ? NULL : "hop limit 0";
}

static enum frame_what
read_nd(const uint8_t *icmp, size_t n, struct ends *e)
{
	static const struct sl_addr nobody;

	if (n < 24 || icmp[0] != 135 || sl_addr_eq(&e->ours, &nobody))
		return FRAME_OTHER;
	memcpy(e->peer.b, icmp + 8, 16);
	return FRAME_ND_ASK;
}

static enum frame_what
read_arp(const uint8_t *arp, size_t n, struct ends *e)
{
	bool request = n >= 28 && get16(arp + 6) == 1;

	if (!request || memcmp(arp + 14, arp + 24, 4) == 0)
		return FRAME_OTHER; /* a reply, or an announcement */
	e->v6 = false;
	memcpy(e->our_mac, arp + 8, 6);
	e->ours = sl_addr_v4(get32(arp + 14));
	e->peer = sl_addr_v4(get32(arp + 24));
	return FRAME_ARP;
}

/* A TCP segment, and of the header in front of it what scripts may ask for. */
static enum frame_what
read_segment(const uint8_t *ip, size_t n, struct ends *e, struct pkt *p,
	     const uint8_t **payload, const char **why)
{
	size_t head = e->v6 ? 40 : 20;
	enum frame_what what = read_tcp(ip + head, n - head, e, p, payload, why);

	if (what != FRAME_TCP)
		return what;
	p->knobs.tos = e->v6 ? get16(ip) >> 4 & 0xff : ip[1];
	p->knobs.ttl = e->v6 ? ip[7] : ip[8];
	return what;
}

enum frame_what
frame_read(const uint8_t *frame, size_t len, uint16_t mtu, struct ends *ends, struct pkt *p,
	   const uint8_t **payload, const char **why)
{
	const uint8_t *ip = frame + ETH;
	uint16_t type = len >= ETH ? get16(frame + 12) : 0;
	size_t n = len - ETH;

	*why = NULL;
	if (len >= ETH && n > mtu)
		*why = "larger than the MTU";
	else if (type == 0x0806)
		return read_arp(ip, n, ends);
	else if (type == 0x0800)
		*why = ip4_wrong(ip, n);
	else if (type == 0x86dd)
		*why = ip6_wrong(ip, n);
	else
		*why = "Ethernet type";
	if (*why != NULL)
		return FRAME_BROKEN;

	ends->v6 = type == 0x86dd;
	memcpy(ends->peer_mac, frame, 6);
	memcpy(ends->our_mac, frame + 6, 6);
	if (!ends->v6) {
		ends->ours = sl_addr_v4(get32(ip + 12));
		ends->peer = sl_addr_v4(get32(ip + 16));
		return ip[9] == 6 ? read_segment(ip, n, ends, p, payload, why) : FRAME_OTHER;
	}
	memcpy(ends->ours.b, ip + 8, 16);
	memcpy(ends->peer.b, ip + 24, 16);
	if (ip[6] == 58)
		return read_nd(ip + 40, n - 40, ends);
	return ip[6] == 6 ? read_segment(ip, n, ends, p, payload, why) : FRAME_OTHER;
}

static size_t
arp_reply(uint8_t *out, const struct ends *e)
{
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	uint8_t *at = put_eth(out, e, &(struct knobs){ 0 }, 0x0806);

	memcpy(at, head, 8);
	memcpy(at + 8, e->peer_mac, 6);
	memcpy(at + 14, e->peer.b + 12, 4);
	memcpy(at + 18, e->our_mac, 6);
	memcpy(at + 24, e->ours.b + 12, 4);
	return at + 28 - out;
}

size_t
frame_here_i_am(uint8_t *out, const struct ends *e)
{
	static const struct knobs plain;
	uint8_t *at, *na;

	if (!e->v6)
		return arp_reply(out, e);
	at = put_eth(out, e, &plain, 0x86dd);
	na = put_ip6(at, e, &plain, 58, 32);
	memset(na, 0, 32);
	na[0] = 136;
	na[4] = 0x60; /* solicited, override */
	memcpy(na + 8, e->peer.b, 16);
	na[24] = 2;
	na[25] = 1;
	memcpy(na + 26, e->peer_mac, 6);
	put16(na + 2, ~sum(pseudo(e, 58, 32), na, 32));
	return na + 32 - out;
}

/* What both families call the same; 255 where one of them has no such thing. */
static const struct {
	const char *name;
	uint8_t type4, code4, type6, code6;
} icmp_kinds[] = {
	{ "net_unreachable", 3, 0, 1, 0 },   { "host_unreachable", 3, 1, 1, 3 },
	{ "proto_unreachable", 3, 2, 4, 1 }, { "port_unreachable", 3, 3, 1, 4 },
	{ "too_big", 3, 4, 2, 0 },           { "source_route_failed", 3, 5, 1, 5 },
	{ "prohibited", 3, 13, 1, 1 },       { "source_quench", 4, 0, 255, 0 },
	{ "time_exceeded", 11, 0, 3, 0 },    { "parameter_problem", 12, 0, 4, 0 },
};

size_t
frame_icmp(uint8_t *out, const struct ends *e, const struct icmp *icmp, const uint8_t *quoted,
	   size_t quoted_len)
{
	size_t head = e->v6 ? 40 : 20, kind = 0;
	size_t n = 8 + head + (e->v6 ? 20 : 8);
	uint8_t *at, *icmp_at, *tcp;

	while (kind < sizeof(icmp_kinds) / sizeof(icmp_kinds[0]) &&
	       strcmp(icmp_kinds[kind].name, icmp->kind) != 0)
		kind++;
	if (kind == sizeof(icmp_kinds) / sizeof(icmp_kinds[0]) || quoted_len < ETH + n - 8 ||
	    (e->v6 && icmp_kinds[kind].type6 == 255))
		return 0;
	at = put_eth(out, e, &(struct knobs){ 0 }, e->v6 ? 0x86dd : 0x0800);
	icmp_at = put_ip(at, e, &(struct knobs){ 0 }, e->v6 ? 58 : 1, n);
	memset(icmp_at, 0, 8);
	icmp_at[0] = e->v6 ? icmp_kinds[kind].type6 : icmp_kinds[kind].type4;
	icmp_at[1] = e->v6 ? icmp_kinds[kind].code6 : icmp_kinds[kind].code4;
	put16(icmp_at + 6,
	      icmp->mtu); /* both families keep an MTU here, v6 with zeros before */
	memcpy(icmp_at + 8, quoted + ETH, n - 8);
	tcp = icmp_at + 8 + head;
	if (icmp->has_lport)
		put16(tcp, icmp->lport);
	if (icmp->has_seq)
		put32(tcp + 4, icmp->seq);
	put16(icmp_at + 2,
	      ~sum(e->v6 ? pseudo(e, 58, n) : 0, icmp_at, n) ^ (icmp->badsum ? 0x0101 : 0));
	return icmp_at + n - out;
}
