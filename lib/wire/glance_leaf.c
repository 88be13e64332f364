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

/* As sl_door_hears() of each. Mostly all are for us: that is one comparison in the end. */
INLINE unsigned int
ether_passes(const struct sl_door *door, uint8_t *const *frame)
{
	uint64_t mac = sl_raw64(door->mac), other = 0;
	unsigned int who = 0;

	for (unsigned int i = 0; i < LANES; i++)
		other |= sl_raw64(frame[i]) ^ mac;
	if (likely(other << 15 == 0)) /* and the group bit */
		return ALL;
	for (unsigned int i = 0; i < LANES; i++)
		who |= (unsigned int)sl_door_hears(door, frame[i]) << i;
	return who;
}

/* @bad, and which of two sums does not come out as it must. */
INLINE vec
sums_unlike(vec bad, vec a, vec b)
{
	const uint64_t upper = 0xffff0000ffff0000;
	vec both = high(a + swapped(a)) | ((b + swapped(b)) & all(0xffffffffull << 32));

	both = plus_halves(both, turned16(both));
	return unlike(bad, both & all(upper), all(upper));
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
are_linux(struct fields *f, const vec w[WORDS])
{
	vec bad = all(0);

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

/* A group's headers of TCP and what is around them. */
struct segments {
	vec w[WORDS];
	vec lens;
	vec sum;           /* of the headers, and of the pseudo-header but for addresses */
	bool bare, twenty; /* no options, or as many bytes of them, in all */
};

/* What both families share; returns who has other options. */
INLINE unsigned int
find_tcp(struct fields *f, const struct segments *s)
{
	f->numbers = ordered(s->w[3], 0x0405060702030001ull);
	f->ack = ordered(s->w[4], SWAP32);
	f->small |= right(s->w[4], 40 - FLAGS) & all(0xff << FLAGS);
	f->times = all(0);
	if (s->bare || (s->twenty && are_linux(f, s->w)))
		return 0;
	return find_any_options(f, s->w, s->lens);
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

/* A burst's packets as their buffers tell. The last stands in for who its group lacks. */
struct packets {
	alignas(SL_CACHE_LINE) uint8_t *frame[SL_BURST];
	uint64_t len[SL_BURST]; /* of the frame */
	uint64_t simple;        /* whatever their lengths */
	uint32_t room;          /* SL_SYNACK_MOST, or 0 if some buffer has less */
};

static_assert(offsetof(struct rte_mbuf, refcnt) == offsetof(struct rte_mbuf, data_off) + 2 &&
		      offsetof(struct rte_mbuf, nb_segs) ==
			      offsetof(struct rte_mbuf, data_off) + 4 &&
		      offsetof(struct rte_mbuf, port) ==
			      offsetof(struct rte_mbuf, data_off) + 6,
	      "where the data begins, and who a packet is, are one word");

/* What is not as it must be in a packet alone in a buffer of its own, from @port. */
INLINE uint64_t
oddness(const struct rte_mbuf *m, uint64_t alone)
{
	return (sl_raw64((const void *)&m->data_off) ^ alone) >> 16 |
	       (m->ol_flags & SL_CROWD_ODD);
}

/*
 * As is_simple() in glance.c, but for lengths. Asks memory for the frames. Where a buffer may
 * end with its frame, one too short for what is read of each frame is shown as an empty one.
 */
INLINE void
look_at_buffers(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
		struct packets *p)
{
	static const uint8_t nothing[2 * SL_CACHE_LINE];
	const uint64_t alone = 1ull << 16 | 1ull << 32 | (uint64_t)door->port << 48;
	uint64_t other = 0, flags = 0;
	int32_t spare = 0; /* below 0 if some buffer has too little room */

	for (unsigned int i = 0; i < n; i++) {
		const struct rte_mbuf *m = rx[i];
		uint64_t who = sl_raw64((const void *)&m->data_off);
		uint32_t off = (uint16_t)who;
		uint8_t *frame = (uint8_t *)m->buf_addr + off;

		rte_prefetch0(frame);
		p->frame[i] = frame;
		p->len[i] = m->data_len;
		other |= who ^ alone;
		flags |= m->ol_flags;
		spare |= (int32_t)(m->buf_len - off - SL_SYNACK_MOST);
	}
	for (unsigned int i = 0; spare < 0 && i < n; i++)
		if (p->len[i] < SL_IP4_TCP_LEAST)
			p->frame[i] = (uint8_t *)(uintptr_t)nothing;
	for (unsigned int i = n; i % LANES != 0; i++) {
		p->frame[i] = p->frame[i - 1];
		p->len[i] = p->len[i - 1];
	}
	p->simple = ~0ull;
	p->room = spare < 0 ? 0 : SL_SYNACK_MOST;
	if (likely((other >> 16 | (flags & SL_CROWD_ODD)) == 0))
		return;
	for (unsigned int i = 0; i < n; i++)
		p->simple &= ~((uint64_t)(oddness(rx[i], alone) != 0) << i);
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

/* Copies of frames as far as they go and are looked at, at @from. */
INLINE void
copy_frames(uint8_t (*copy)[128], const uint8_t **from, const uint64_t *len)
{
	memset(copy, 0, LANES * sizeof(copy[0]));
	for (unsigned int i = 0; i < LANES; i++) {
		memcpy(copy[i], from[i], len[i] < sizeof(copy[i]) ? len[i] : sizeof(copy[i]));
		from[i] = copy[i];
	}
}

/*
 * The last two words of headers that begin at @tcp, where some have them. They may lie in a
 * line that nobody has touched: of who has none two others are taken, which are cut off.
 */
INLINE void
take_last(const uint8_t **from, unsigned int tcp, vec lens, vec w[WORDS])
{
	uint64_t len[LANES];

	if (unlikely(among(is(lens, SL_TCP_HDR)) != 0)) {
		store_words(len, lens);
		for (unsigned int i = 0; i < LANES; i++)
			from[i] -= len[i] > SL_TCP_HDR ? 0 : BEFORE;
	}
	take_two(from, tcp + 24, &w[6]);
}

/*
 * The words around the TCP headers, which begin at @tcp, of the frames from the @k-th on; no
 * byte behind those headers, though some are read, if buffers have room. Returns whose header
 * is there and not too long.
 */
INLINE unsigned int
load(const struct packets *p, unsigned int k, unsigned int tcp, struct segments *s)
{
	const vec len = load_words(&p->len[k]);
	const uint8_t *from[LANES];
	uint8_t copy[LANES][128];
	mask shorter, longer;

	for (unsigned int i = 0; i < LANES; i++)
		from[i] = p->frame[k + i];
	if (unlikely(p->room < tcp + SL_TCP_HDR + SL_CROWD_OPTIONS_MOST))
		copy_frames(copy, from, &p->len[k]);
	take_four(from, tcp - BEFORE, s->w);
	take_two(from, tcp + 8, &s->w[4]);
	s->lens = tcp_lens(s->w);
	s->sum = all(RTE_BE16(IPPROTO_TCP)) + left(s->lens, 8);
	shorter = below(len, s->lens + all(tcp));
	s->bare = among(is(s->lens, SL_TCP_HDR)) == ALL;
	s->twenty = false;
	if (s->bare) {
		s->w[5] = low(s->w[5]);
		s->w[6] = s->w[7] = all(0);
		s->sum += sum_of(&s->w[3], 3);
		return ~among(shorter);
	}
	take_last(from, tcp, s->lens, s->w);
	s->twenty = among(is(s->lens, SL_TCP_HDR + 20)) == ALL;
	longer = below(s->lens, all(SL_TCP_HDR));
	if (!s->twenty) {
		cut(s->w, s->lens);
		longer |= below(all(SL_TCP_HDR + SL_CROWD_OPTIONS_MOST), s->lens);
	}
	s->sum += sum_of(&s->w[3], 5);
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
sort(const struct group *g, const struct segments *s, struct fields *f, bool v6,
     unsigned int plain)
{
	const enum sl_crowd_kind syns = v6 ? SL_CROWD_SYN6 : SL_CROWD_SYN4;
	const enum sl_crowd_kind segs = v6 ? SL_CROWD_SEG6 : SL_CROWD_SEG4;
	vec control = right(s->w[4], 40) & all(SL_SYN | SL_ACK | SL_RST | SL_FIN);
	unsigned int syn = plain & among(is(control, SL_SYN)), odd;
	unsigned int seg = plain & ~among(has(control, SL_SYN));

	f->m = g->m;
	f->frame = load_words(&g->p->frame[g->k]);
	f->small = lane_numbers() + all(g->k) /* at */;
	odd = find_tcp(f, s);
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
	struct segments s;
	vec addrs, ip, total, bad;
	struct fields f;

	who &= load(g->p, g->k, SL_IP4_TCP, &s);
	addrs = halves(s.w[2]);
	ip = high(s.w[0]) + halves(s.w[1]) + addrs;
	total = left(s.lens + all(SL_IP4_HDR), 56);
	bad = (s.w[0] & all(same0)) ^ (total | all(0x00450008ull << 16));
	bad = unlike(bad, s.w[1] & all(same1), all((uint64_t)IPPROTO_TCP << 40));
	bad = sums_unlike(bad, ip, s.sum + addrs);
	who &= among(is(bad, 0)) & ether_passes(door, &g->p->frame[g->k]) &
	       addresses4_pass(door, s.w[2]);
	f.addr[0] = s.w[2];
	return sort(g, &s, &f, false, who);
}

/* Those of @who, which say that they are IPv6, that are plain; returns the others. */
INLINE unsigned int
take6(const struct sl_door *door, const struct group *g, unsigned int who)
{
	const uint64_t same = 0xf0 | 0xffffffull << 32; /* version, length, next header */
	uint8_t *const *frame = &g->p->frame[g->k];
	struct segments s;
	struct fields f;
	vec head, bad;

	who &= load(g->p, g->k, SL_IP6_TCP, &s);
	f.addr[0] = words_at(frame, SL_IP6_TCP - 32);
	for (unsigned int i = 0; i < 3; i++)
		f.addr[i + 1] = s.w[i];
	head = words_at(frame, RTE_ETHER_HDR_LEN) & all(same);
	bad = head ^ (all(0x60 | (uint64_t)IPPROTO_TCP << 48) | left(s.lens, 40));
	bad = unlike(bad, fold(s.sum + sum_of(f.addr, 4)), all(0xffff));
	who &= among(is(bad, 0)) & ether_passes(door, frame) & addresses6_pass(door, f.addr);
	return sort(g, &s, &f, true, who);
}

/* Which of the frames from the @k-th on say that they are IPv6. */
INLINE unsigned int
are_six(const struct packets *p, unsigned int k)
{
	vec before_type = words_at(&p->frame[k], 6);

	return among(is(right(before_type, 48), RTE_BE16(RTE_ETHER_TYPE_IPV6)));
}

/* As the first of a group does, so most of it do. */
INLINE bool
says_six(const uint8_t *frame)
{
	uint16_t type;

	memcpy(&type, frame + 12, sizeof(type));
	return type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
}

/* Those of @who that are plain; returns the others. Families are told apart where it matters.
 */
INLINE unsigned int
take(const struct sl_door *door, const struct group *g, unsigned int who)
{
	const bool first_is_six = says_six(g->p->frame[g->k]);
	unsigned int six = first_is_six ? are_six(g->p, g->k) & who : 0;

	if (six != who)
		who = six | (who & take4(door, g, who & ~six));
	if (!first_is_six && who != 0)
		six = are_six(g->p, g->k) & who;
	return six != 0 ? who & (~six | take6(door, g, six)) : who;
}

/* Which of the frames from the @k-th on are short enough. */
INLINE unsigned int
are_short(const struct packets *p, unsigned int k)
{
	return among(below(load_words(&p->len[k]), all(SL_CROWD_FRAME_MOST + 1)));
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
		unsigned int here = n - k < LANES ? (1u << (n - k)) - 1 : ALL;
		unsigned int simple = here & (unsigned int)(p.simple >> k) & are_short(&p, k);
		struct group g = { &p, k, packets_of(rx, k, n - k), crowd, odd };

		if (simple != 0)
			here = (here & ~simple) | take(door, &g, simple);
		others |= (uint64_t)here << k;
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
