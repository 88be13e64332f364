/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * glance_leaf - sl_glance() and sl_crowd_same_place() eight at a time, in vectors of 512 bits.
 * What is found is what they find without.
 */
#include "wire/crowd_leaf.h"

#if SL_LEAF_BITS == 512

#include <stddef.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "wire/eight.h"

/* What the headers of TCP say of their own lengths. */
INLINE vec
tcp_lens(const vec w[LANES])
{
	return _mm512_and_si512(_mm512_srli_epi64(w[4], 34), all(60));
}

/* As ether_passes() in glance.c. Nearly always all are for us. */
INLINE __mmask8
ether_passes(const struct sl_door *door, uint8_t *const *frame)
{
	uint64_t mac, wrong[LANES], any = 0;
	unsigned int ours = 0;

	memcpy(&mac, door->mac, sizeof(mac));
	for (unsigned int i = 0; i < LANES; i++) {
		uint64_t dst;

		memcpy(&dst, frame[i], sizeof(dst)); /* and a byte of the source */
		wrong[i] = (dst ^ mac) << 15;
		any |= wrong[i];
	}
	if (likely(any == 0))
		return 0xff;
	for (unsigned int i = 0; i < LANES; i++)
		ours |= (unsigned int)(wrong[i] == 0) << i;
	return (__mmask8)ours;
}

/* @bad, and whatever of @a is not as in @b: many comparisons cost one look in the end. */
INLINE vec
unlike(vec bad, vec a, vec b)
{
	return _mm512_ternarylogic_epi64(bad, a, b, 0xf6);
}

/* @bad, and what is wrong with the sum of TCP; @addrs is the sum of both addresses. */
INLINE vec
tcp_unlike(vec bad, const vec w[LANES], vec addrs, vec lens)
{
	vec sum = plus(all(RTE_BE16(IPPROTO_TCP)), plus(addrs, _mm512_slli_epi64(lens, 8)));

	for (unsigned int i = 3; i < LANES; i++)
		sum = plus(sum, halves(w[i]));
	return unlike(bad, fold(sum), all(0xffff));
}

/* As sl_door_knows() of sl_door_bit4(). */
INLINE __mmask8
door_knows(const struct sl_door *door, vec addr)
{
	vec bit = _mm512_srli_epi64(low(_mm512_mullo_epi32(addr, all(0x9e3779b1))), 22);
	vec word = _mm512_cvtepu32_epi64(
		_mm512_i64gather_epi32(_mm512_srli_epi64(bit, 5), door->ours, 4));

	return _mm512_test_epi64_mask(_mm512_srlv_epi64(word, _mm512_and_si512(bit, all(31))),
				      all(1));
}

INLINE __mmask8
addresses4_pass(const struct sl_door *door, vec addrs)
{
	vec first = _mm512_and_si512(addrs, all(0xff)), to = high(addrs);
	__mmask8 possible = _mm512_cmplt_epu64_mask(first, all(224)) & ~is(first, 0) &
			    ~is(first, 127) & ~door_knows(door, addrs);
	__mmask8 ours = 0;

	for (unsigned int i = 0; i < door->n4; i++)
		ours |= is(to, door->addr4[i]);
	return possible & ours;
}

/* The words of the remote address, then those of the local one. */
INLINE __mmask8
addresses6_pass(const struct sl_door *door, const vec addr[4])
{
	vec x = _mm512_xor_si512(addr[0], addr[1]), third = low(addr[1]);
	__mmask8 is_low = is(addr[0], 0) & (is(third, 0) | is(third, RTE_BE32(0x0000ffff)));
	__mmask8 group = is(_mm512_and_si512(addr[0], all(0xff)), 0xff);
	__mmask8 known = door_knows(door, _mm512_xor_si512(x, high(x))), ours = 0;

	for (unsigned int i = 0; i < door->n6; i++)
		ours |= is(addr[2], door->addr6[i].q[0]) & is(addr[3], door->addr6[i].q[1]);
	return ~(is_low | group | known) & ours;
}

/* What is said of each of eight in the arrays of a crowd. */
struct fields {
	vec m, frame, at, addr[4], numbers, ack, flags;
	vec tsval, tsecr, mss, wscale, opts;
};

/* Whether all have the options of Linux, as a flood has; then they are noted. */
INLINE bool
are_linux(struct fields *f, const vec w[LANES], vec lens)
{
	vec bad = _mm512_xor_si512(lens, all(SL_TCP_HDR + 20));

	bad = unlike(bad, _mm512_and_si512(w[5], all(0xffffull << 32)), all(0x0402ull << 32));
	bad = unlike(bad, low(w[6]), all(0x0a080204));
	bad = unlike(bad, _mm512_and_si512(w[7], all(0xffffffull << 32)),
		     all(0x030301ull << 32));
	if (_mm512_test_epi64_mask(bad, bad) != 0)
		return false;
	f->opts = all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS);
	f->tsval = ordered(high(w[6]), SWAP32);
	f->tsecr = ordered(low(w[7]), SWAP32);
	f->mss = ordered(high(w[5]), 0x0706050400010203);
	f->wscale = _mm512_min_epu64(_mm512_srli_epi64(w[7], 56), all(14));
	return true;
}

/*
 * The options of systems that we know, words of four bytes from w[5] on. Returns who has
 * others.
 */
INLINE __mmask8
find_any_options(struct fields *f, const vec w[LANES], vec lens)
{
	const uint64_t three = 0xffffff, scale_is = 0x030301, ts_is = 0x0a080204;
	vec o0 = high(w[5]), o1 = low(w[6]), o2 = high(w[6]), o3 = low(w[7]), o4 = high(w[7]);
	__mmask8 mss = is(_mm512_and_si512(o0, all(0xffff)), 0x0402);
	__mmask8 scale1 = is(_mm512_and_si512(o1, all(three)), scale_is) & mss;
	__mmask8 scale4 = is(_mm512_and_si512(o4, all(three)), scale_is) & mss;
	__mmask8 twelve = is(lens, SL_TCP_HDR + 12), twenty = is(lens, SL_TCP_HDR + 20);
	__mmask8 linux_ones = twenty & scale4 & is(o1, ts_is);
	__mmask8 bsd = twenty & scale1 & is(o2, ts_is);
	__mmask8 windows = twelve & scale1 & is(o2, 0x02040101);
	__mmask8 ts_alone = twelve & is(o0, 0x0a080101);
	vec tsval = _mm512_mask_mov_epi64(_mm512_mask_mov_epi64(o1, linux_ones, o2), bsd, o3);
	vec tsecr = _mm512_mask_mov_epi64(_mm512_mask_mov_epi64(o2, linux_ones, o3), bsd, o4);
	vec scale = _mm512_srli_epi64(_mm512_mask_mov_epi64(o1, linux_ones, o4), 24);
	vec opts = _mm512_maskz_mov_epi64(
		linux_ones | bsd, all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS));

	opts = _mm512_mask_mov_epi64(opts, windows,
				     all(SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK));
	f->opts = _mm512_mask_mov_epi64(opts, ts_alone, all(SL_OPT_TS));
	f->tsval = ordered(tsval, SWAP32);
	f->tsecr = ordered(tsecr, SWAP32);
	f->mss = ordered(o0, 0x0706050400010203);
	f->wscale = _mm512_min_epu64(scale, all(14));
	return ~(linux_ones | bsd | windows | ts_alone | is(lens, SL_TCP_HDR));
}

/* What is said in a bare header, or in many, costs little. */
INLINE __mmask8
find_options(struct fields *f, const vec w[LANES], vec lens)
{
	if (is(lens, SL_TCP_HDR) == 0xff) {
		f->opts = f->tsval = f->tsecr = f->mss = f->wscale = _mm512_setzero_si512();
		return 0;
	}
	return are_linux(f, w, lens) ? 0 : find_any_options(f, w, lens);
}

/* What both families share; returns who has other options. */
INLINE __mmask8
find_tcp(struct fields *f, const vec w[LANES], vec lens)
{
	f->numbers = ordered(w[3], 0x0405060702030001ull);
	f->ack = ordered(w[4], SWAP32);
	f->flags = _mm512_srli_epi64(w[4], 40);
	return find_options(f, w, lens);
}

INLINE void
put_tcp(struct sl_crowd *c, unsigned int k, const struct fields *f)
{
	_mm512_storeu_si512(&c->numbers[k], f->numbers);
	_mm256_storeu_si256((void *)&c->ack[k], _mm512_cvtepi64_epi32(f->ack));
	_mm256_storeu_si256((void *)&c->tsval[k], _mm512_cvtepi64_epi32(f->tsval));
	_mm256_storeu_si256((void *)&c->tsecr[k], _mm512_cvtepi64_epi32(f->tsecr));
	_mm_storeu_si128((void *)&c->mss[k], _mm512_cvtepi64_epi16(f->mss));
	_mm_storel_epi64((void *)&c->wscale[k], _mm512_cvtepi64_epi8(f->wscale));
	_mm_storel_epi64((void *)&c->opts[k], _mm512_cvtepi64_epi8(f->opts));
	_mm_storel_epi64((void *)&c->flags[k], _mm512_cvtepi64_epi8(f->flags));
}

/* Those of @who behind one another, in the places of the first. */
INLINE void
press(struct fields *f, bool v6, __mmask8 who)
{
	f->m = _mm512_maskz_compress_epi64(who, f->m);
	f->frame = _mm512_maskz_compress_epi64(who, f->frame);
	f->at = _mm512_maskz_compress_epi64(who, f->at);
	for (unsigned int i = 0; i < (v6 ? 4 : 1); i++)
		f->addr[i] = _mm512_maskz_compress_epi64(who, f->addr[i]);
	f->numbers = _mm512_maskz_compress_epi64(who, f->numbers);
	f->ack = _mm512_maskz_compress_epi64(who, f->ack);
	f->flags = _mm512_maskz_compress_epi64(who, f->flags);
	f->tsval = _mm512_maskz_compress_epi64(who, f->tsval);
	f->tsecr = _mm512_maskz_compress_epi64(who, f->tsecr);
	f->mss = _mm512_maskz_compress_epi64(who, f->mss);
	f->wscale = _mm512_maskz_compress_epi64(who, f->wscale);
	f->opts = _mm512_maskz_compress_epi64(who, f->opts);
}

/*
 * Those of @who become the last of @c, which has had fewer packets than were looked at, so
 * that there is room for eight. Returns which entries have options to be looked at.
 */
INLINE uint64_t
join(struct sl_crowd *c, struct fields f, bool v6, __mmask8 who, __mmask8 odd)
{
	unsigned int n = c->n;

	if (who == 0)
		return 0;
	if (who != 0xff)
		press(&f, v6, who);
	_mm512_storeu_si512(&c->m[n], f.m);
	_mm512_storeu_si512(&c->frame[n], f.frame);
	_mm_storel_epi64((void *)&c->at[n], _mm512_cvtepi64_epi8(f.at));
	for (unsigned int i = 0; i < (v6 ? 4 : 1); i++)
		_mm512_storeu_si512(&c->addr[i][n], f.addr[i]);
	put_tcp(c, n, &f);
	c->n = (uint16_t)(n + (unsigned int)__builtin_popcount(who));
	return (uint64_t)_pext_u32(odd, who) << n;
}

/* A burst's packets as their buffers tell: what is not simple shows an empty frame. */
struct packets {
	alignas(SL_CACHE_LINE) uint8_t *frame[SL_BURST];
	uint64_t len[SL_BURST]; /* of the frame */
	uint64_t simple;
	uint32_t room;
};

#define LEAST (IP4_TCP + SL_TCP_HDR)

/* As is_simple() in glance.c. Asks memory for the frames. */
INLINE void
look_at_buffers(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
		struct packets *p)
{
	static const uint8_t nothing[2 * SL_CACHE_LINE];
	uint8_t *const none = (uint8_t *)(uintptr_t)nothing;
	uint64_t simple = 0;
	uint32_t room = UINT32_MAX;

	for (unsigned int i = 0; i < n; i++) {
		const struct rte_mbuf *m = rx[i];
		uint32_t off = m->data_off, len = m->data_len, more = m->buf_len - off;
		uint64_t wrong = (rte_mbuf_refcnt_read(m) ^ 1u) | (m->nb_segs ^ 1u) |
				 (m->port ^ (uint32_t)door->port) |
				 (m->ol_flags & SL_CROWD_ODD);
		bool is_simple = (wrong == 0) & (len >= LEAST);
		uint8_t *frame = (uint8_t *)m->buf_addr + off;

		rte_prefetch0(frame);
		p->frame[i] = is_simple ? frame : none;
		p->len[i] = len;
		simple |= (uint64_t)is_simple << i;
		room = more < room ? more : room;
	}
	for (unsigned int i = n; i % LANES != 0; i++) {
		p->frame[i] = none;
		p->len[i] = 0;
	}
	p->simple = simple;
	p->room = room;
}

/* Nothing is left of bytes of w[5] and after that lie behind the header of TCP. */
INLINE void
cut(vec w[LANES], vec lens)
{
	const vec lower = all(0xffffffff);

	w[5] = _mm512_mask_and_epi64(w[5], _mm512_cmplt_epu64_mask(lens, all(24)), w[5], lower);
	w[6] = _mm512_maskz_mov_epi64(_mm512_cmpge_epu64_mask(lens, all(28)), w[6]);
	w[6] = _mm512_mask_and_epi64(w[6], _mm512_cmplt_epu64_mask(lens, all(32)), w[6], lower);
	w[7] = _mm512_maskz_mov_epi64(_mm512_cmpge_epu64_mask(lens, all(36)), w[7]);
	w[7] = _mm512_mask_and_epi64(w[7], _mm512_cmplt_epu64_mask(lens, all(40)), w[7], lower);
}

/*
 * The words around the TCP headers, which begin at @tcp, of the frames from the @k-th on; no
 * byte behind those headers. Returns whose header is there and not too long, and in *@lens
 * what they say of their lengths.
 */
INLINE __mmask8
load(const struct packets *p, unsigned int k, unsigned int tcp, vec w[LANES], vec *lens)
{
	const vec most = all(tcp - BEFORE + 64), len = _mm512_load_si512(&p->len[k]);
	const vec lack = _mm512_sub_epi64(most, _mm512_min_epu64(len, most));
	__mmask8 fits = 0xff;
	uint64_t mask[LANES];
	vec need;

	_mm512_storeu_si512(mask, _mm512_srlv_epi64(all(~0ull), lack));
	for (unsigned int i = 0; i < LANES; i++)
		w[i] = _mm512_maskz_loadu_epi8(mask[i], p->frame[k + i] + tcp - BEFORE);
	turn(w);
	*lens = tcp_lens(w);
	need = plus(*lens, all(tcp));
	if (_mm512_cmpeq_epi64_mask(need, len) != 0xff) {
		cut(w, *lens);
		fits = _mm512_cmpge_epu64_mask(len, need);
	}
	return fits & _mm512_cmple_epu64_mask(_mm512_sub_epi64(*lens, all(SL_TCP_HDR)),
					      all(SL_CROWD_OPTIONS_MOST));
}

/* The packets from the @k-th on, and where those that are plain go. */
struct eight {
	const struct packets *p;
	unsigned int k;
	vec m;
	struct sl_crowd *crowd;
	uint64_t *odd;
};

/* Those of @plain join the crowds of their family. Returns who has none. */
INLINE __mmask8
sort(const struct eight *e, const vec w[LANES], vec lens, struct fields *f, bool v6,
     __mmask8 plain)
{
	const enum sl_crowd_kind syns = v6 ? SL_CROWD_SYN6 : SL_CROWD_SYN4;
	const enum sl_crowd_kind segs = v6 ? SL_CROWD_SEG6 : SL_CROWD_SEG4;
	vec control = _mm512_and_si512(_mm512_srli_epi64(w[4], 40),
				       all(SL_SYN | SL_ACK | SL_RST | SL_FIN));
	__mmask8 syn = plain & is(control, SL_SYN), odd;
	__mmask8 seg = plain & _mm512_testn_epi64_mask(control, all(SL_SYN));

	f->m = e->m;
	f->frame = _mm512_load_si512(&e->p->frame[e->k]);
	f->at = plus(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), all(e->k));
	odd = find_tcp(f, w, lens);
	e->odd[syns] |= join(&e->crowd[syns], *f, v6, syn, odd);
	e->odd[segs] |= join(&e->crowd[segs], *f, v6, seg, odd);
	return ~(syn | seg);
}

/* Those of @who that are IPv4 and plain; returns the others. */
INLINE __mmask8
take4(const struct sl_door *door, const struct eight *e, __mmask8 who)
{
	const uint64_t same0 = 0xffff00ffffff0000ull; /* type, length of headers, of all */
	const uint64_t same1 = 0xffull << 40 | (uint64_t)RTE_BE16(0x3fff) << 16;
	vec w[LANES], lens, addrs, ip, total, bad;
	struct fields f;

	who &= load(e->p, e->k, IP4_TCP, w, &lens);
	addrs = halves(w[2]);
	ip = plus(high(w[0]), plus(halves(w[1]), addrs));
	total = _mm512_slli_epi64(plus(lens, all(SL_IP4_HDR)), 56);
	bad = _mm512_xor_si512(_mm512_and_si512(w[0], all(same0)),
			       _mm512_or_si512(total, all(0x00450008ull << 16)));
	bad = unlike(bad, _mm512_and_si512(w[1], all(same1)), all((uint64_t)IPPROTO_TCP << 40));
	bad = unlike(bad, fold(ip), all(0xffff));
	bad = tcp_unlike(bad, w, addrs, lens);
	who &= _mm512_testn_epi64_mask(bad, bad) & ether_passes(door, &e->p->frame[e->k]) &
	       addresses4_pass(door, w[2]);
	f.addr[0] = w[2];
	return sort(e, w, lens, &f, false, who);
}

/* The eight bytes at @offset of each frame. */
INLINE vec
words_at(uint8_t *const *frame, unsigned int offset)
{
	long long x[LANES];

	for (unsigned int i = 0; i < LANES; i++)
		memcpy(&x[i], frame[i] + offset, sizeof(x[i]));
	return _mm512_set_epi64(x[7], x[6], x[5], x[4], x[3], x[2], x[1], x[0]);
}

/* Those of @who, which say that they are IPv6, that are plain; returns the others. */
INLINE __mmask8
take6(const struct sl_door *door, const struct eight *e, __mmask8 who)
{
	const uint64_t same = 0xf0 | 0xffffffull << 32; /* version, length, next header */
	uint8_t *const *frame = &e->p->frame[e->k];
	vec w[LANES], lens, sum, head, bad;
	struct fields f;

	who &= load(e->p, e->k, IP6_TCP, w, &lens);
	f.addr[0] = words_at(frame, IP6_TCP - 32);
	for (unsigned int i = 0; i < 3; i++)
		f.addr[i + 1] = w[i];
	sum = plus(plus(halves(f.addr[0]), halves(w[0])), plus(halves(w[1]), halves(w[2])));
	head = _mm512_and_si512(words_at(frame, RTE_ETHER_HDR_LEN), all(same));
	bad = _mm512_xor_si512(head, _mm512_or_si512(all(0x60 | (uint64_t)IPPROTO_TCP << 48),
						     _mm512_slli_epi64(lens, 40)));
	bad = tcp_unlike(bad, w, sum, lens);
	who &= _mm512_testn_epi64_mask(bad, bad) & ether_passes(door, frame) &
	       addresses6_pass(door, f.addr);
	return sort(e, w, lens, &f, true, who);
}

/* Which of the frames from the @k-th on say that they are IPv6. */
INLINE __mmask8
are_six(const struct packets *p, unsigned int k)
{
	unsigned int six = 0;

	for (unsigned int i = 0; i < LANES; i++) {
		uint16_t type;

		memcpy(&type, p->frame[k + i] + 12, sizeof(type));
		six |= (unsigned int)(type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) << i;
	}
	return (__mmask8)six;
}

uint64_t
sl_glance_512(const struct sl_door *door, struct rte_mbuf **rx, unsigned int n,
	      struct sl_crowd crowd[SL_CROWDS], uint64_t odd[SL_CROWDS])
{
	struct packets p;
	uint64_t others = 0;

	look_at_buffers(door, rx, n, &p);
	for (unsigned int kind = 0; kind < SL_CROWDS; kind++)
		crowd[kind].room = p.room;
	for (unsigned int k = 0; k < n; k += LANES) {
		unsigned int there = n - k < LANES ? n - k : LANES;
		__mmask8 here = (__mmask8)first_bytes(there), left = here;
		__mmask8 simple = here & (__mmask8)(p.simple >> k), six;
		struct eight e = { &p, k, _mm512_maskz_loadu_epi64(here, &rx[k]), crowd, odd };

		simple &= _mm512_cmple_epu64_mask(_mm512_load_si512(&p.len[k]),
						  all(SL_CROWD_FRAME_MOST));
		if (simple != 0) {
			six = are_six(&p, k) & simple;
			if (six != simple)
				left &= take4(door, &e, simple & ~six);
			if (six != 0)
				left &= take6(door, &e, six);
		}
		others |= (uint64_t)left << k;
	}
	return others;
}

/* Eight at a time; those behind the last mean nothing, and are taken off in the end. */
uint64_t
sl_crowd_same_place_512(const struct sl_crowd *c, unsigned int k)
{
	const vec port = all(0xffff0000u);
	const vec number = all(c->numbers[k]);
	uint64_t same = 0;

	for (unsigned int i = 0; i < c->n; i += LANES) {
		vec other = _mm512_and_si512(
			_mm512_xor_si512(_mm512_loadu_si512(&c->numbers[i]), number), port);

		if (c->v6) {
			other = _mm512_or_si512(
				other, _mm512_xor_si512(_mm512_loadu_si512(&c->addr[2][i]),
							all(c->addr[2][k])));
			other = _mm512_or_si512(
				other, _mm512_xor_si512(_mm512_loadu_si512(&c->addr[3][i]),
							all(c->addr[3][k])));
		} else {
			other = _mm512_or_si512(
				other, high(_mm512_xor_si512(_mm512_loadu_si512(&c->addr[0][i]),
							     all(c->addr[0][k]))));
		}
		same |= (uint64_t)is(other, 0) << i;
	}
	return same & first_bytes(c->n);
}

#endif
