/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glance_leaf - sl_glance() and sl_crowd_same_place() of as many frames at a time as a vector
 * has lanes. What is found is what they find without.
 */
#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "base/leaf.h"
#include "wire/crowd_leaf.h"
#include "wire/lanes.h"

/* What the headers of TCP say of their own lengths. */
INLINE vec
tcp_lens(const vec w[WORDS])
{
	return right(w[4], 34) & all(60);
}

/* As ether_passes() in glance.c. */
INLINE unsigned int
ether_passes(const struct sl_door *door, uint8_t *const *frame)
{
	uint64_t mac;

	memcpy(&mac, door->mac, sizeof(mac));
	return among(is(left(words_at(frame, 0) ^ all(mac), 15), 0)); /* and the group bit */
}

/* @bad, and what is wrong with the sum of TCP; @addrs is the sum of both addresses. */
INLINE vec
tcp_unlike(vec bad, const vec w[WORDS], vec addrs, vec lens)
{
	vec sum = all(RTE_BE16(IPPROTO_TCP)) + addrs + left(lens, 8);

	for (unsigned int i = 3; i < WORDS; i++)
		sum += halves(w[i]);
	return unlike(bad, fold(sum), all(0xffff));
}

/* As sl_door_knows() of sl_door_bit4(). */
INLINE unsigned int
door_knows(const struct sl_door *door, vec addr)
{
	static_assert(SL_DOOR_BITS == 1024, "as many as are looked up");

	return bits_at(door->ours, right(low(times(addr, 0x9e3779b1)), 22));
}

INLINE unsigned int
addresses4_pass(const struct sl_door *door, vec addrs)
{
	vec first = addrs & all(0xff), to = high(addrs);
	mask impossible = below(all(223), first) | is(first, 0) | is(first, 127);
	mask ours = { 0 };

	for (unsigned int i = 0; i < door->n4; i++)
		ours |= is(to, door->addr4[i]);
	return among(ours) & ~(among(impossible) | door_knows(door, addrs));
}

/* The words of the remote address, then those of the local one. */
INLINE unsigned int
addresses6_pass(const struct sl_door *door, const vec addr[4])
{
	vec x = addr[0] ^ addr[1], third = low(addr[1]);
	mask is_low = is(addr[0], 0) & (is(third, 0) | is(third, RTE_BE32(0x0000ffff)));
	mask group = has(addr[0], 0xff), ours = { 0 };

	for (unsigned int i = 0; i < door->n6; i++)
		ours |= is(addr[2], door->addr6[i].q[0]) & is(addr[3], door->addr6[i].q[1]);
	return among(ours) & ~(among(is_low | group) | door_knows(door, x ^ high(x)));
}

/* What is said of each in the arrays of a crowd. */
struct fields {
	vec m, frame, addr[4], numbers, ack;
	vec times; /* TSval, above it TSecr */
	vec small; /* bytes: at, flags, opts, wscale; above them the MSS */
};

/* The bytes of fields.small. */
#define FLAGS  8
#define OPTS   16
#define WSCALE 24
#define MSS    32

/* @opts, and what the words of four bytes with the scale's and the MSS's option say. */
INLINE vec
said(vec opts, vec scale_word, vec mss_word)
{
	vec scale = at_most(right(scale_word, 24), 14);
	vec mss = ordered(mss_word, 0x0706050400010203) & all(0xffff);

	return left(opts, OPTS) | left(scale, WSCALE) | left(mss, MSS);
}

/* Whether all have the options of Linux, as a flood has; then they are noted. */
INLINE bool
are_linux(struct fields *f, const vec w[WORDS], vec lens)
{
	vec bad = lens ^ all(SL_TCP_HDR + 20);

	bad = unlike(bad, w[5] & all(0xffffull << 32), all(0x0402ull << 32));
	bad = unlike(bad, low(w[6]), all(0x0a080204));
	bad = unlike(bad, w[7] & all(0xffffffull << 32), all(0x030301ull << 32));
	if (among(is(bad, 0)) != ALL)
		return false;
	f->times = ordered(high(w[6]) | left(w[7], 32), SWAP32);
	f->small |= said(all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS),
			 high(w[7]), high(w[5]));
	return true;
}

/*
 * The options of systems that we know, words of four bytes from w[5] on. Returns who has
 * others.
 */
INLINE unsigned int
find_any_options(struct fields *f, const vec w[WORDS], vec lens)
{
	const uint64_t three = 0xffffff, scale_is = 0x030301, ts_is = 0x0a080204;
	vec o0 = high(w[5]), o1 = low(w[6]), o2 = high(w[6]), o3 = low(w[7]), o4 = high(w[7]);
	mask mss = is(o0 & all(0xffff), 0x0402);
	mask scale1 = is(o1 & all(three), scale_is) & mss;
	mask scale4 = is(o4 & all(three), scale_is) & mss;
	mask twelve = is(lens, SL_TCP_HDR + 12), twenty = is(lens, SL_TCP_HDR + 20);
	mask linux_ones = twenty & scale4 & is(o1, ts_is);
	mask bsd = twenty & scale1 & is(o2, ts_is);
	mask windows = twelve & scale1 & is(o2, 0x02040101);
	mask ts_alone = twelve & is(o0, 0x0a080101);
	vec tsval = where(bsd, o3, where(linux_ones, o2, o1));
	vec tsecr = where(bsd, o4, where(linux_ones, o3, o2));
	vec opts = only(linux_ones | bsd,
			all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS));

	opts = where(windows, all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK), opts);
	opts = where(ts_alone, all(SL_OPT_TS), opts);
	f->times = only(linux_ones | bsd | ts_alone, ordered(tsval | left(tsecr, 32), SWAP32));
	f->small |= said(opts, where(linux_ones, o4, o1), o0);
	return ~among(linux_ones | bsd | windows | ts_alone | is(lens, SL_TCP_HDR));
}

/* What is said in a bare header, or in many, costs little. */
INLINE unsigned int
find_options(struct fields *f, const vec w[WORDS], vec lens)
{
	if (among(is(lens, SL_TCP_HDR)) == ALL) {
		f->times = all(0);
		return 0;
	}
	return are_linux(f, w, lens) ? 0 : find_any_options(f, w, lens);
}

/* What both families share; returns who has other options. */
INLINE unsigned int
find_tcp(struct fields *f, const vec w[WORDS], vec lens)
{
	f->numbers = ordered(w[3], 0x0405060702030001ull);
	f->ack = ordered(w[4], SWAP32);
	f->small |= right(w[4], 40 - FLAGS) & all(0xff << FLAGS);
	return find_options(f, w, lens);
}

/* Those of @who behind one another, in the places of the first. */
INLINE void
press(struct fields *f, bool v6, unsigned int who)
{
	f->m = pressed(f->m, who);
	f->frame = pressed(f->frame, who);
	for (unsigned int i = 0; i < (v6 ? 4 : 1); i++)
		f->addr[i] = pressed(f->addr[i], who);
	f->numbers = pressed(f->numbers, who);
	f->ack = pressed(f->ack, who);
	f->times = pressed(f->times, who);
	f->small = pressed(f->small, who);
}

/*
 * Those of @who become the last of @c, which has had fewer packets than were looked at, so
 * that there is room for a vector. Returns which entries have options to be looked at.
 */
INLINE uint64_t
join(struct sl_crowd *c, struct fields f, bool v6, unsigned int who, unsigned int odd)
{
	unsigned int n = c->n;
	uint8_t *const small[4] = { &c->at[n], &c->flags[n], &c->opts[n], &c->wscale[n] };

	if (who == 0)
		return 0;
	if (who != ALL)
		press(&f, v6, who);
	store_words(&c->m[n], f.m);
	store_words(&c->frame[n], f.frame);
	for (unsigned int i = 0; i < (v6 ? 4 : 1); i++)
		store_words(&c->addr[i][n], f.addr[i]);
	store_words(&c->numbers[n], f.numbers);
	store_lower(&c->ack[n], f.ack);
	store_halves(&c->tsval[n], &c->tsecr[n], f.times);
	store_small(small, &c->mss[n], f.small);
	c->n = (uint16_t)(n + (unsigned int)__builtin_popcount(who));
	return (uint64_t)_pext_u32(odd, who) << n;
}

/* A burst's packets as their buffers tell: what is not simple shows an empty frame. */
struct packets {
	alignas(SL_CACHE_LINE) uint8_t *frame[SL_BURST];
	uint64_t len[SL_BURST]; /* of the frame */
	uint64_t simple;
	uint32_t room; /* SL_SYNACK_MOST, or 0 if some buffer has less */
};

static_assert(offsetof(struct rte_mbuf, refcnt) == offsetof(struct rte_mbuf, data_off) + 2 &&
		      offsetof(struct rte_mbuf, nb_segs) ==
			      offsetof(struct rte_mbuf, data_off) + 4 &&
		      offsetof(struct rte_mbuf, port) ==
			      offsetof(struct rte_mbuf, data_off) + 6,
	      "where the data begins, and who a packet is, are one word");

/* As is_simple() in glance.c, and none is too long. Asks memory for the frames. */
INLINE void
look_at_buffers(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
		struct packets *p)
{
	static const uint8_t nothing[2 * SL_CACHE_LINE];
	uint8_t *const none = (uint8_t *)(uintptr_t)nothing;
	const uint64_t alone = 1ull << 16 | 1ull << 32 | (uint64_t)door->port << 48;
	uint64_t simple = 0;
	int32_t spare = 0; /* below 0 if some buffer has too little room */

	for (unsigned int i = 0; i < n; i++) {
		const struct rte_mbuf *m = rx[i];
		uint32_t len = m->data_len, off;
		uint64_t who, wrong;
		uint8_t *frame;
		bool is_simple;

		memcpy(&who, &m->data_off, sizeof(who));
		off = (uint16_t)who;
		wrong = (who ^ alone) >> 16 | (m->ol_flags & SL_CROWD_ODD);
		is_simple = (wrong == 0) &
			    (len - SL_IP4_TCP_LEAST <= SL_CROWD_FRAME_MOST - SL_IP4_TCP_LEAST);
		frame = (uint8_t *)m->buf_addr + off;
		rte_prefetch0(frame);
		p->frame[i] = is_simple ? frame : none;
		p->len[i] = len;
		simple |= (uint64_t)is_simple << i;
		spare |= (int32_t)(m->buf_len - off - SL_SYNACK_MOST);
	}
	for (unsigned int i = n; i % LANES != 0; i++) {
		p->frame[i] = none;
		p->len[i] = 0;
	}
	p->simple = simple;
	p->room = spare < 0 ? 0 : SL_SYNACK_MOST;
}

/* Nothing is left of what lies behind the headers of TCP, whose lengths are multiples of 4. */
INLINE void
cut(vec w[WORDS], vec lens)
{
	vec twice = lens | left(lens, 32);

	w[5] = where_above(w[5], twice, all(16 | 20ull << 32));
	w[6] = where_above(w[6], twice, all(24 | 28ull << 32));
	w[7] = where_above(w[7], twice, all(32 | 36ull << 32));
}

/*
 * The words around the TCP headers, which begin at @tcp, of the frames from the @k-th on; no
 * byte behind those headers. Returns whose header is there and not too long, and in *@lens
 * what they say of their lengths.
 */
INLINE unsigned int
load(const struct packets *p, unsigned int k, unsigned int tcp, vec w[WORDS], vec *lens)
{
	const vec len = load_words(&p->len[k]);
	mask shorter, longer;

	take_words(&p->frame[k], &p->len[k], tcp - BEFORE, p->room, w);
	*lens = tcp_lens(w);
	cut(w, *lens);
	shorter = below(*lens, all(SL_TCP_HDR)) | below(len, *lens + all(tcp));
	longer = below(all(SL_TCP_HDR + SL_CROWD_OPTIONS_MOST), *lens);
	return ~among(shorter | longer);
}

/* The packets from the @k-th on, and where those that are plain go. */
struct group {
	const struct packets *p;
	unsigned int k;
	vec m;
	struct sl_crowd *crowd;
	uint64_t *odd;
};

/* Those of @plain join the crowds of their family. Returns who has none. */
INLINE unsigned int
sort(const struct group *g, const vec w[WORDS], vec lens, struct fields *f, bool v6,
     unsigned int plain)
{
	const enum sl_crowd_kind syns = v6 ? SL_CROWD_SYN6 : SL_CROWD_SYN4;
	const enum sl_crowd_kind segs = v6 ? SL_CROWD_SEG6 : SL_CROWD_SEG4;
	vec control = right(w[4], 40) & all(SL_SYN | SL_ACK | SL_RST | SL_FIN);
	unsigned int syn = plain & among(is(control, SL_SYN)), odd;
	unsigned int seg = plain & ~among(has(control, SL_SYN));

	f->m = g->m;
	f->frame = load_words(&g->p->frame[g->k]);
	f->small = lane_numbers() + all(g->k) /* at */;
	odd = find_tcp(f, w, lens);
	g->odd[syns] |= join(&g->crowd[syns], *f, v6, syn, odd);
	g->odd[segs] |= join(&g->crowd[segs], *f, v6, seg, odd);
	return ~(syn | seg);
}

/* Those of @who that are IPv4 and plain; returns the others. */
INLINE unsigned int
take4(const struct sl_door *door, const struct group *g, unsigned int who)
{
	const uint64_t same0 = 0xffff00ffffff0000ull; /* type, length of headers, of all */
	const uint64_t same1 = 0xffull << 40 | (uint64_t)RTE_BE16(0x3fff) << 16;
	vec w[WORDS], lens, addrs, ip, total, bad;
	struct fields f;

	who &= load(g->p, g->k, SL_IP4_TCP, w, &lens);
	addrs = halves(w[2]);
	ip = high(w[0]) + halves(w[1]) + addrs;
	total = left(lens + all(SL_IP4_HDR), 56);
	bad = (w[0] & all(same0)) ^ (total | all(0x00450008ull << 16));
	bad = unlike(bad, w[1] & all(same1), all((uint64_t)IPPROTO_TCP << 40));
	bad = unlike(bad, fold(ip), all(0xffff));
	bad = tcp_unlike(bad, w, addrs, lens);
	who &= among(is(bad, 0)) & ether_passes(door, &g->p->frame[g->k]) &
	       addresses4_pass(door, w[2]);
	f.addr[0] = w[2];
	return sort(g, w, lens, &f, false, who);
}

/* Those of @who, which say that they are IPv6, that are plain; returns the others. */
INLINE unsigned int
take6(const struct sl_door *door, const struct group *g, unsigned int who)
{
	const uint64_t same = 0xf0 | 0xffffffull << 32; /* version, length, next header */
	uint8_t *const *frame = &g->p->frame[g->k];
	vec w[WORDS], lens, sum, head, bad;
	struct fields f;

	who &= load(g->p, g->k, SL_IP6_TCP, w, &lens);
	f.addr[0] = words_at(frame, SL_IP6_TCP - 32);
	for (unsigned int i = 0; i < 3; i++)
		f.addr[i + 1] = w[i];
	sum = halves(f.addr[0]) + halves(w[0]) + halves(w[1]) + halves(w[2]);
	head = words_at(frame, RTE_ETHER_HDR_LEN) & all(same);
	bad = head ^ (all(0x60 | (uint64_t)IPPROTO_TCP << 48) | left(lens, 40));
	bad = tcp_unlike(bad, w, sum, lens);
	who &= among(is(bad, 0)) & ether_passes(door, frame) & addresses6_pass(door, f.addr);
	return sort(g, w, lens, &f, true, who);
}

/* Which of the frames from the @k-th on say that they are IPv6. */
INLINE unsigned int
are_six(const struct packets *p, unsigned int k)
{
	vec before_type = words_at(&p->frame[k], 6);

	return among(is(right(before_type, 48), RTE_BE16(RTE_ETHER_TYPE_IPV6)));
}

/* The packets from the @k-th on, of which there are @n or more than lanes. */
INLINE vec
packets_of(struct rte_mbuf **rx, unsigned int k, unsigned int n)
{
	struct rte_mbuf *some[LANES] = { NULL };

	if (n >= LANES)
		return load_words(&rx[k]);
	for (unsigned int i = 0; i < n; i++)
		some[i] = rx[k + i];
	return load_words(some);
}

uint64_t
SL_LEAF_OF(sl_glance)(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
		      struct sl_crowd crowd[SL_CROWDS], uint64_t odd[SL_CROWDS])
{
	struct packets p;
	uint64_t others = 0;

	look_at_buffers(door, rx, n, &p);
	for (unsigned int kind = 0; kind < SL_CROWDS; kind++)
		crowd[kind].room = p.room;
	for (unsigned int k = 0; k < n; k += LANES) {
		unsigned int here = n - k < LANES ? (1u << (n - k)) - 1 : ALL, left_over = here;
		unsigned int simple = here & (unsigned int)(p.simple >> k), six;
		struct group g = { &p, k, packets_of(rx, k, n - k), crowd, odd };

		if (simple != 0) {
			six = are_six(&p, k) & simple;
			if (six != simple)
				left_over &= take4(door, &g, simple & ~six);
			if (six != 0)
				left_over &= take6(door, &g, six);
		}
		others |= (uint64_t)left_over << k;
	}
	return others;
}

/* Those behind the last mean nothing, and are taken off in the end. */
uint64_t
SL_LEAF_OF(sl_crowd_same_place)(const struct sl_crowd *c, unsigned int k)
{
	const vec port = all(0xffff0000u), number = all(c->numbers[k]);
	uint64_t same = 0;

	for (unsigned int i = 0; i < c->n; i += LANES) {
		vec other = (load_words(&c->numbers[i]) ^ number) & port;

		if (c->v6) {
			other = unlike(other, load_words(&c->addr[2][i]), all(c->addr[2][k]));
			other = unlike(other, load_words(&c->addr[3][i]), all(c->addr[3][k]));
		} else {
			other |= high(load_words(&c->addr[0][i]) ^ all(c->addr[0][k]));
		}
		same |= (uint64_t)among(is(other, 0)) << i;
	}
	return same & ~0ull >> (SL_BURST - c->n);
}
