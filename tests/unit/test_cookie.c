/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cookie - what a SYN said comes back with its ACK, and nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/leaf.h"
#include "random.h"
#include "tcp/cookie.h"
#include "wire/frame.h"

/* Some time in the life of an epoch, when the one before is still good. */
#define EPOCH    55000000ull
#define MIDDLE   (EPOCH * SL_COOKIE_EPOCH_MS + 15000)
#define TS_CLOCK 0x12345678u

static const struct sl_prf_key secret = { { 0x1122334455667788ull, 0x99aabbccddeeff00ull } };

static struct sl_cookie_keys
keys_at(uint64_t tai_ms)
{
	struct sl_cookie_keys keys;

	sl_cookie_keys_init(&keys, &secret);
	sl_cookie_clock(&keys, tai_ms);
	return keys;
}

static struct sl_tuple
tuple_of(bool v6)
{
	struct sl_tuple t = { .rport = 40000, .lport = 443, .v6 = v6 };

	t.remote = v6 ? (struct sl_addr){ .w = { 1, 2, 3, 4 } } : sl_addr_v4(0x0a4d0002);
	t.local = v6 ? (struct sl_addr){ .w = { 5, 6, 7, 8 } } : sl_addr_v4(0x0a4d0001);
	return t;
}

static const struct sl_cookie_syn plain_syn = {
	.irs = 0xfffffffeu,
	.mss = 1460,
	.wscale = 7,
	.sack = true,
	.ts_clock = TS_CLOCK,
};

static const struct sl_cookie_syn ts_syn = {
	.irs = 77,
	.mss = 1460,
	.wscale = 9,
	.sack = true,
	.ts = true,
	.ts_clock = TS_CLOCK,
};

/* Make and check at once, as a client that answers properly sees it. */
static bool
comes_back(const struct sl_cookie_keys *keys, const struct sl_tuple *t,
	   const struct sl_cookie_syn *syn, struct sl_cookie_syn *back)
{
	struct sl_cookie cookie;

	sl_cookie_make(keys, t, syn, &cookie);
	assert_true(syn->ts || cookie.tsval == 0);
	return sl_cookie_check(keys, t, syn->irs + 1, cookie.isn + 1, syn->ts, cookie.tsval,
			       syn->ts_clock, back);
}

static bool
is_safe_scale(uint8_t offered, uint8_t back)
{
	if (offered == SL_COOKIE_NO_SCALE || back == SL_COOKIE_NO_SCALE)
		return offered == back;
	return back <= offered;
}

/* rows: SF2 SF5 */
static void
every_syn_comes_back_rounded_down(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);

	for (unsigned int i = 0; i < 2 * 2 * 2 * 16; i++) {
		struct sl_tuple t = tuple_of(i & 1);
		uint8_t scale = (i >> 3) < 15 ? (uint8_t)(i >> 3) : SL_COOKIE_NO_SCALE;
		struct sl_cookie_syn syn = { .irs = 1000 * i,
					     .wscale = scale,
					     .sack = i & 2,
					     .ts = i & 4,
					     .ts_clock = 700000 * i };
		uint16_t last = 0;

		for (uint32_t mss = SL_COOKIE_MSS_MIN; mss <= 65535; mss += 1 + mss / 200) {
			struct sl_cookie_syn back;

			syn.mss = (uint16_t)mss;
			assert_true(comes_back(&keys, &t, &syn, &back));
			assert_true(back.mss <= mss && back.mss >= last);
			assert_true(back.sack == syn.sack && back.ts == syn.ts);
			assert_true(back.irs == syn.irs);
			assert_true(is_safe_scale(scale, back.wscale));
			assert_true(!syn.ts || back.wscale == scale);
			last = back.mss;
		}
	}
}

/*
 * The last one of each family is not a class, but close to one.
 * rows: SF5
 */
static void
the_common_offers_lose_nothing(void **state)
{
	static const uint16_t offer[2][6] = { { 1460, 8960, 1360, 1436, 536, 1452 },
					      { 1440, 8940, 1360, 1432, 1220, 1420 } };
	struct sl_cookie_keys keys = keys_at(MIDDLE);

	for (unsigned int i = 0; i < 12; i++) {
		struct sl_tuple t = tuple_of(i >= 6);
		struct sl_cookie_syn syn = plain_syn, back;

		syn.mss = offer[i / 6][i % 6];
		for (syn.wscale = 7; syn.wscale <= 8; syn.wscale++) {
			assert_true(comes_back(&keys, &t, &syn, &back));
			assert_int_equal(back.wscale, syn.wscale);
			assert_true(i % 6 == 5 ? back.mss * 100 > syn.mss * 95
					       : back.mss == syn.mss);
		}
	}
}

static void
odd_offers_are_taken_as_the_nearest_sense(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn syn = ts_syn, back;

	syn.mss = 0;
	syn.wscale = 200; /* RFC 7323, 2.3: used as 14 */
	assert_true(comes_back(&keys, &t, &syn, &back));
	assert_int_equal(back.mss, SL_COOKIE_MSS_MIN);
	assert_int_equal(back.wscale, 14);

	/* No scale is not scale 0: the peer that sent none must be sent none. */
	syn = plain_syn;
	syn.wscale = 0;
	assert_true(comes_back(&keys, &t, &syn, &back) && back.wscale == 0);
	syn.wscale = SL_COOKIE_NO_SCALE;
	assert_true(comes_back(&keys, &t, &syn, &back) && back.wscale == SL_COOKIE_NO_SCALE);
}

static void
any_other_field_is_refused(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);

	for (unsigned int k = 0; k < 4; k++) {
		const struct sl_cookie_syn *syn = k & 1 ? &ts_syn : &plain_syn;
		struct sl_tuple t = tuple_of(k & 2), other = t;
		struct sl_cookie_syn back = { .irs = 5 };
		struct sl_cookie c;
		uint32_t seq = syn->irs + 1, ack;

		sl_cookie_make(&keys, &t, syn, &c);
		ack = c.isn + 1;
		for (uint32_t bit = 1; bit != 0; bit <<= 1) {
			assert_false(sl_cookie_check(&keys, &t, seq ^ bit, ack, syn->ts,
						     c.tsval, TS_CLOCK, &back));
			assert_false(sl_cookie_check(&keys, &t, seq, ack ^ bit, syn->ts,
						     c.tsval, TS_CLOCK, &back));
			if (syn->ts)
				assert_false(sl_cookie_check(&keys, &t, seq, ack, true,
							     c.tsval ^ bit, TS_CLOCK, &back));
		}
		for (unsigned int i = 0; i < 36; i++) { /* addresses and ports */
			if (!t.v6 && i < 32 && i % 16 < 12)
				continue;
			((uint8_t *)&other)[i] ^= 0x10;
			assert_false(sl_cookie_check(&keys, &other, seq, ack, syn->ts, c.tsval,
						     TS_CLOCK, &back));
			((uint8_t *)&other)[i] ^= 0x10;
		}
		assert_int_equal(back.irs, 5);
		assert_true(sl_cookie_check(&keys, &t, seq, ack, syn->ts, c.tsval, TS_CLOCK,
					    &back));
	}
}

/*
 * Linux's sum lets this pass: a late segment on a dead tuple comes alive as a ghost.
 * rows: SF10
 */
static void
numbers_that_moved_on_together_are_refused(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn back;
	struct sl_cookie c;

	sl_cookie_make(&keys, &t, &plain_syn, &c);
	for (uint32_t n = 1; n < 100000; n++)
		assert_false(sl_cookie_check(&keys, &t, plain_syn.irs + 1 + n, c.isn + 1 + n,
					     false, 0, TS_CLOCK, &back));
}

static void
timestamps_may_neither_vanish_nor_appear(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn back;
	struct sl_cookie c;

	sl_cookie_make(&keys, &t, &ts_syn, &c);
	assert_false(sl_cookie_check(&keys, &t, ts_syn.irs + 1, c.isn + 1, false, c.tsval,
				     TS_CLOCK, &back));
	sl_cookie_make(&keys, &t, &plain_syn, &c);
	for (uint32_t low = 0; low < 4096; low++)
		assert_false(sl_cookie_check(&keys, &t, plain_syn.irs + 1, c.isn + 1, true,
					     TS_CLOCK - low, TS_CLOCK, &back));
}

static void
tsval_is_behind_the_clock_and_must_come_back_fresh(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t = tuple_of(true);
	struct sl_cookie_syn syn = ts_syn, back;
	struct rnd r = { 1 };

	for (int i = 0; i < 20000; i++) {
		struct sl_cookie c;
		uint32_t clock = (uint32_t)rnd_u64(&r), ack, seq, last, first;

		syn.irs = (uint32_t)rnd_u64(&r);
		syn.ts_clock = clock;
		sl_cookie_make(&keys, &t, &syn, &c);
		assert_in_range(clock - c.tsval, 1, 2047);
		seq = syn.irs + 1;
		ack = c.isn + 1;
		/* 30 s, however far TSval was behind; a sibling is 1 s ahead at most */
		last = c.tsval + SL_COOKIE_LIFE_MS + 2048;
		first = c.tsval - SL_COOKIE_SKEW_MS;
		assert_true(sl_cookie_check(&keys, &t, seq, ack, true, c.tsval, last, &back));
		assert_true(sl_cookie_check(&keys, &t, seq, ack, true, c.tsval, first, &back));
		assert_false(
			sl_cookie_check(&keys, &t, seq, ack, true, c.tsval, last + 1, &back));
		assert_false(
			sl_cookie_check(&keys, &t, seq, ack, true, c.tsval, first - 1, &back));
	}
}

/*
 * Made at any moment of an epoch: good for 30 s at least, refused after 62 s.
 * rows: SF4
 */
static void
keys_change_but_not_too_soon(void **state)
{
	struct sl_tuple t = tuple_of(false);

	for (uint64_t made = 0; made < 2 * SL_COOKIE_EPOCH_MS; made += 250) {
		uint64_t start = EPOCH * SL_COOKIE_EPOCH_MS + made;
		struct sl_cookie_keys keys = keys_at(start);
		struct sl_cookie_syn back;
		struct sl_cookie c;
		uint64_t last = 0;

		sl_cookie_make(&keys, &t, &plain_syn, &c);
		for (uint64_t age = 0; age <= 200000; age += 500) {
			sl_cookie_clock(&keys, start + age);
			if (sl_cookie_check(&keys, &t, plain_syn.irs + 1, c.isn + 1, false, 0,
					    TS_CLOCK, &back)) {
				assert_true(last == age - 500 || age == 0);
				last = age;
			}
		}
		/* the epoch it was made in, and 30 s more */
		assert_int_equal(last, (SL_COOKIE_EPOCH_MS - made % SL_COOKIE_EPOCH_MS +
					SL_COOKIE_LIFE_MS - 1) /
					       500 * 500);
	}
}

static void
parity_tells_neighbouring_epochs_apart(void **state)
{
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn syn = plain_syn;
	unsigned int n_two = 0;

	for (uint64_t ms = 0; ms < 2 * SL_COOKIE_EPOCH_MS; ms += 100) {
		struct sl_cookie_keys keys = keys_at(EPOCH * SL_COOKIE_EPOCH_MS + ms);
		struct sl_cookie c;

		syn.irs = (uint32_t)ms;
		sl_cookie_make(&keys, &t, &syn, &c);
		assert_int_equal(__builtin_parity(c.isn), ms / SL_COOKIE_EPOCH_MS & 1);
		n_two += keys.valid[0] & keys.valid[1];
		if (keys.valid[0] && keys.valid[1])
			assert_true(keys.epoch[0] + 1 == keys.epoch[1] ||
				    keys.epoch[1] + 1 == keys.epoch[0]);
	}
	assert_in_range(n_two, 610, 630); /* 31 s of 32 */
}

static void
the_clock_does_not_go_back(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE), same = keys;

	sl_cookie_clock(&keys, MIDDLE - 100000);
	assert_memory_equal(&keys, &same, sizeof(keys));
}

static void
nothing_is_good_before_the_clock_is_known(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE), fresh;
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn back;
	struct sl_cookie c;

	sl_cookie_make(&keys, &t, &plain_syn, &c);
	sl_cookie_keys_init(&fresh, &secret);
	assert_false(sl_cookie_check(&fresh, &t, plain_syn.irs + 1, c.isn + 1, false, 0,
				     TS_CLOCK, &back));
}

/* A restarted process or another machine, its clock up to a second apart; and a stranger. */
static void
a_sibling_with_the_secret_accepts_and_a_stranger_does_not(void **state)
{
	const struct sl_prf_key other = { { secret.k[0] ^ 1, secret.k[1] } };
	struct sl_tuple t = tuple_of(true);

	for (uint64_t ms = 0; ms < SL_COOKIE_EPOCH_MS; ms += 50) {
		uint64_t now = EPOCH * SL_COOKIE_EPOCH_MS + ms;
		struct sl_cookie_keys here = keys_at(now), behind = keys_at(now - 1000),
				      ahead = keys_at(now + 1000), stranger;
		struct sl_cookie_syn back;
		struct sl_cookie c;
		uint32_t seq = ts_syn.irs + 1;

		sl_cookie_keys_init(&stranger, &other);
		sl_cookie_clock(&stranger, now);
		sl_cookie_make(&here, &t, &ts_syn, &c);
		assert_true(sl_cookie_check(&behind, &t, seq, c.isn + 1, true, c.tsval,
					    TS_CLOCK - 1000, &back));
		assert_true(sl_cookie_check(&ahead, &t, seq, c.isn + 1, true, c.tsval,
					    TS_CLOCK + 1000, &back));
		assert_false(sl_cookie_check(&stranger, &t, seq, c.isn + 1, true, c.tsval,
					     TS_CLOCK, &back));
	}
}

/*
 * The wire contract: these bits must never change without a new label for the keys. They
 * were computed by a second implementation, byte by byte from the description.
 */
static void
the_bits_are_those_of_the_contract(void **state)
{
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t4 = tuple_of(false), t6 = tuple_of(true);
	struct sl_cookie c;

	sl_cookie_make(&keys, &t4, &plain_syn, &c);
	assert_int_equal(c.isn, 0x0d52a179);
	sl_cookie_make(&keys, &t6, &ts_syn, &c);
	assert_int_equal(c.isn, 0x93124f54);
	assert_int_equal(c.tsval, 0x12345037);
}

/*
 * At any time 64 numbers of 2^32 are right for an epoch: with two epochs 2^-25. Here 2^22
 * guesses for one tuple and 2^22 for changing ones; 0.25 hits are expected.
 * rows: SF3
 */
static void
a_random_ack_passes_once_in_two_to_the_25(void **state)
{
	struct sl_cookie_keys keys = keys_at(EPOCH * SL_COOKIE_EPOCH_MS + 1000);
	struct sl_cookie_syn back;
	struct rnd r = { 2 };
	unsigned int n_plain = 0, n_ts = 0;

	assert_true(keys.valid[0] && keys.valid[1]);
	for (int i = 0; i < 1 << 23; i++) {
		struct sl_tuple t = tuple_of(false);
		uint64_t x = rnd_u64(&r);

		if (i & 1)
			t.rport = (uint16_t)rnd_u64(&r);
		n_plain += sl_cookie_check(&keys, &t, (uint32_t)x, (uint32_t)(x >> 32), false,
					   0, TS_CLOCK, &back);
		if (i % 8 == 0)
			n_ts += sl_cookie_check(&keys, &t, (uint32_t)x, (uint32_t)(x >> 32),
						true, TS_CLOCK - rnd_below(&r, 32000), TS_CLOCK,
						&back);
	}
	print_message("# %u of 2^23 random ACKs passed where 2^-25 lets 1/4 of one pass; with "
		      "timestamps %u of 2^20\n",
		      n_plain, n_ts);
	assert_true(n_plain <= 3);
	assert_int_equal(n_ts, 0);
}

/* The other half of the count: for one handshake, each of the 64 codes is one number. */
static void
sixty_four_numbers_are_right_for_an_epoch(void **state)
{
	static const uint16_t mss[2][7] = { { 64, 536, 1240, 1360, 1436, 1460, 8960 },
					    { 64, 536, 1220, 1360, 1432, 1440, 8940 } };
	static const uint8_t scale[5] = { SL_COOKIE_NO_SCALE, 0, 4, 7, 8 };
	struct sl_cookie_keys keys = keys_at(MIDDLE);

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct sl_tuple t = tuple_of(v6);
		uint32_t isn[70];
		unsigned int n = 0;

		for (unsigned int i = 0; i < 70; i++) {
			struct sl_cookie_syn syn = { .mss = mss[v6][i / 10],
						     .wscale = scale[i / 2 % 5],
						     .sack = i & 1 };
			struct sl_cookie c;
			unsigned int k = 0;

			sl_cookie_make(&keys, &t, &syn, &c);
			while (k < n && isn[k] != c.isn)
				k++;
			isn[k] = c.isn;
			n += k == n;
		}
		assert_int_equal(n, 64); /* jumbo frames go with two scales of the five */
	}
}

/* Counting up, as a SYN flood may: each bit is one half of the time, and no two agree. */
static void
bits_look_like_those_of_a_coin(void **state)
{
	const int n = 1 << 16;
	struct sl_cookie_keys keys = keys_at(MIDDLE);
	struct sl_tuple t = tuple_of(false);
	struct sl_cookie_syn syn = ts_syn;
	int ones[42] = { 0 }, same[42] = { 0 };
	uint64_t before = 0;

	for (int i = 0; i < n; i++) {
		struct sl_cookie c;
		uint64_t bits;

		syn.irs = (uint32_t)i;
		sl_cookie_make(&keys, &t, &syn, &c);
		bits = (uint64_t)(c.tsval & 1023) << 32 | c.isn;
		for (unsigned int b = 0; b < 42; b++) {
			ones[b] += bits >> b & 1;
			same[b] += ~(bits ^ before) >> b & 1;
		}
		before = bits;
	}
	for (unsigned int b = 0; b < 42; b++) { /* five standard deviations of 128 */
		assert_in_range(ones[b], n / 2 - 640, n / 2 + 640);
		assert_in_range(same[b], n / 2 - 640, n / 2 + 640);
	}
}

#define CROWD_CLOCK 0xdeadbeefu /* which with each one's offset wraps, or not */

struct crowd {
	uint64_t addr[4][SL_BURST], numbers[SL_BURST], offset[SL_BURST];
	uint32_t isn[SL_BURST], tsval[SL_BURST], ack[SL_BURST];
	uint32_t tsecr[SL_BURST];
	uint16_t mss[SL_BURST];
	uint8_t wscale[SL_BURST], opts[SL_BURST];
	struct sl_tuple tuple[SL_BURST];
	struct sl_cookie_syn syn[SL_BURST];
};

static void
draw_syn(struct rnd *r, struct crowd *c, unsigned int i, bool v6)
{
	struct sl_tuple *t = &c->tuple[i];
	struct sl_cookie_syn *s = &c->syn[i];

	*t = tuple_of(v6);
	t->remote.w[3] = (uint32_t)rnd_u64(r);
	t->rport = (uint16_t)rnd_u64(r);
	c->addr[0][i] = v6 ? t->remote.q[0] : (uint64_t)t->local.w[3] << 32 | t->remote.w[3];
	c->addr[1][i] = t->remote.q[1];
	c->addr[2][i] = t->local.q[0];
	c->addr[3][i] = t->local.q[1];
	c->offset[i] = rnd_u64(r);
	c->mss[i] = (uint16_t)(rnd_u64(r) >> rnd_below(r, 16));
	c->wscale[i] = (uint8_t)rnd_below(r, 15);
	c->opts[i] = (uint8_t)rnd_u64(r);
	*s = (struct sl_cookie_syn){
		.irs = (uint32_t)rnd_u64(r),
		.mss = c->opts[i] & SL_OPT_MSS ? c->mss[i] : sl_cookie_least_mss(v6),
		.wscale = c->opts[i] & SL_OPT_WSCALE ? c->wscale[i] : SL_COOKIE_NO_SCALE,
		.sack = c->opts[i] & SL_OPT_SACK_OK,
		.ts = c->opts[i] & SL_OPT_TS,
		.ts_clock = CROWD_CLOCK + (uint32_t)c->offset[i],
	};
	c->numbers[i] = (uint64_t)s->irs << 32 | (uint32_t)t->lport << 16 | t->rport;
}

/* The ACK to a cookie, two in three of them wrong somehow: late, forged, without its echo. */
static void
draw_ack(struct rnd *r, struct crowd *c, unsigned int i, const struct sl_cookie *cookie)
{
	uint32_t seq = c->syn[i].irs + 1;

	c->ack[i] = cookie->isn + 1;
	c->tsecr[i] = cookie->tsval;
	switch (rnd_below(r, 6)) {
	case 0:
		c->ack[i] ^= 1u << rnd_below(r, 32);
		break;
	case 1:
		c->tsecr[i] ^= 1u << rnd_below(r, 32);
		break;
	case 2:
		c->offset[i] += SL_COOKIE_LIFE_MS + rnd_below(r, 5000);
		break;
	case 3:
		seq++;
		break;
	default:
		break;
	}
	c->numbers[i] = (uint64_t)seq << 32 | (uint32_t)c->numbers[i];
}

/* What many are told is what each would be told alone, and so it is when they come back. */
static void
many_are_sealed_and_checked_as_each_alone(void **state)
{
	static const unsigned int most[] = { 1, SL_LEAF_256, SL_LEAF_256VL, SL_LEAF_512 };
	struct rnd r = { 77 };
	static struct crowd c;

	for (unsigned int round = 0; round < 600; round++) {
		unsigned int bits = sl_leaf_bits(most[round % 4]);
		const struct sl_prf_many *many = sl_prf_many_for(bits);
		const struct sl_cookie_many *seals = sl_cookie_many_for(bits);
		struct sl_cookie_keys made = keys_at(MIDDLE + rnd_below(&r, 30000));
		struct sl_cookie_keys keys = made;
		unsigned int n = 1 + rnd_below(&r, SL_BURST);
		bool v6 = rnd_below(&r, 2);
		const struct sl_cookie_batch b = { v6,     c.addr,   c.numbers,
						   c.opts, c.offset, CROWD_CLOCK };
		uint64_t good;

		for (unsigned int i = 0; i < n; i++)
			draw_syn(&r, &c, i, v6);
		seals->make(&made, many, &b, c.mss, c.wscale, c.isn, c.tsval, n);
		sl_cookie_clock(&keys, made.tai_ms + rnd_below(&r, 40000));
		for (unsigned int i = 0; i < n; i++) {
			struct sl_cookie want;

			sl_cookie_make(&made, &c.tuple[i], &c.syn[i], &want);
			assert_int_equal(c.isn[i], want.isn);
			if (c.syn[i].ts)
				assert_int_equal(c.tsval[i], want.tsval);
			draw_ack(&r, &c, i, &want);
		}
		good = seals->check(&keys, many, &b, c.ack, c.tsecr, n);
		for (unsigned int i = 0; i < n; i++) {
			struct sl_cookie_syn back;
			bool want = sl_cookie_check(&keys, &c.tuple[i],
						    (uint32_t)(c.numbers[i] >> 32), c.ack[i],
						    c.syn[i].ts, c.tsecr[i],
						    CROWD_CLOCK + (uint32_t)c.offset[i], &back);

			assert_int_equal(good >> i & 1, want);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_syn_comes_back_rounded_down),
		cmocka_unit_test(the_common_offers_lose_nothing),
		cmocka_unit_test(odd_offers_are_taken_as_the_nearest_sense),
		cmocka_unit_test(any_other_field_is_refused),
		cmocka_unit_test(numbers_that_moved_on_together_are_refused),
		cmocka_unit_test(timestamps_may_neither_vanish_nor_appear),
		cmocka_unit_test(tsval_is_behind_the_clock_and_must_come_back_fresh),
		cmocka_unit_test(keys_change_but_not_too_soon),
		cmocka_unit_test(parity_tells_neighbouring_epochs_apart),
		cmocka_unit_test(the_clock_does_not_go_back),
		cmocka_unit_test(nothing_is_good_before_the_clock_is_known),
		cmocka_unit_test(a_sibling_with_the_secret_accepts_and_a_stranger_does_not),
		cmocka_unit_test(the_bits_are_those_of_the_contract),
		cmocka_unit_test(a_random_ack_passes_once_in_two_to_the_25),
		cmocka_unit_test(sixty_four_numbers_are_right_for_an_epoch),
		cmocka_unit_test(bits_look_like_those_of_a_coin),
		cmocka_unit_test(many_are_sealed_and_checked_as_each_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
