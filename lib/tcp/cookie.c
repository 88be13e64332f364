/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cookie - making and checking SYN cookies.
 *
 * The sequence number, high bits first:
 *
 *   25  MAC: SipHash-2-4 over addresses, ports, the client's initial number, options,
 *       whether there are timestamps and with them the exact scale and TSval's clock
 *    1  makes the parity of all 32 bits that of the epoch, so that a check knows the key
 *    6  options: SACK, and MSS and window scale coded together; masked
 *
 * TSval with timestamps: 22 bits of our clock; the exact scale in 4 bits, 15 for none,
 * masked; 6 more bits of the MAC.
 *
 * The mask is the same function of the same message without options, so that a check can
 * take it off. Both messages begin alike and share that work. The client's number is
 * hashed, never added: sums would let a late segment, whose two numbers have moved on
 * together, pass for a handshake. A random ACK passes for 64 of 2^32 numbers an epoch,
 * so with 2^-25 while two epochs are valid; with timestamps the 10 low bits of TSecr and
 * its age must also be right.
 */
#include <assert.h>

#include "tcp/cookie.h"
#include "wire/frame.h"

static_assert(SL_COOKIE_LIFE_MS + SL_COOKIE_SKEW_MS < SL_COOKIE_EPOCH_MS,
	      "at most two epochs are good at a time, and they are neighbours");

enum {
	N_SCALES = 5,
	N_PLAIN = 6,     /* MSS classes that go with every scale */
	CODE_JUMBO = 30, /* N_PLAIN * N_SCALES: the two codes left are for jumbo frames */
	SCALE_JUMBO = 3, /* ... with this scale class or the next */
	OPTS_MASK = 63,
	OPTS_SACK = 32,
	SCALE_NONE = 15, /* in the four bits of an exact scale */
	TS_LOW_BITS = 10,
	TS_LAG_MAX = 2048, /* ms that a TSval may lie behind our clock when it is sent */
};

/*
 * Largest class not above the offer. Exact for Ethernet, jumbo frames, the smallest IPv6
 * path and tunnels that many clients sit behind; PPPoE exactly or within 16 bytes.
 */
static const uint16_t mss_class[2][N_PLAIN + 1] = {
	{ SL_COOKIE_MSS_MIN, 536, 1240, 1360, 1436, 1460, 8960 },
	{ SL_COOKIE_MSS_MIN, 536, 1220, 1360, 1432, 1440, 8940 },
};

/*
 * Scales matter here for clients without timestamps. 8 and 7 are what the big systems
 * send. One that scales by less fills most of its 16 bits, so even 0 leaves it 32 kB.
 */
static const uint8_t scale_class[N_SCALES] = { SL_COOKIE_NO_SCALE, 0, 4, 7, 8 };

static unsigned int
mss_class_of(uint16_t mss, bool v6)
{
	unsigned int i = N_PLAIN;

	while (i > 0 && mss_class[v6][i] > mss)
		i--;
	return i;
}

static unsigned int
scale_class_of(uint8_t scale)
{
	unsigned int i = N_SCALES - 1;

	if (scale == SL_COOKIE_NO_SCALE)
		return 0;
	while (i > 1 && scale_class[i] > scale)
		i--;
	return i;
}

/* Five bits of MSS and scale, one of SACK. Every code means something. */
static uint32_t
opts_encode(const struct sl_cookie_syn *syn, bool v6)
{
	unsigned int mss = mss_class_of(syn->mss, v6), scale = scale_class_of(syn->wscale);
	uint32_t code;

	if (mss == N_PLAIN && scale >= SCALE_JUMBO)
		code = CODE_JUMBO + scale - SCALE_JUMBO;
	else
		code = (mss < N_PLAIN ? mss : N_PLAIN - 1) * N_SCALES + scale;
	return code | (syn->sack ? OPTS_SACK : 0);
}

static void
opts_decode(uint32_t opts, bool v6, struct sl_cookie_syn *syn)
{
	uint32_t code = opts & ~(uint32_t)OPTS_SACK;
	bool jumbo = code >= CODE_JUMBO;

	syn->sack = opts & OPTS_SACK;
	syn->mss = mss_class[v6][jumbo ? N_PLAIN : code / N_SCALES];
	syn->wscale = scale_class[jumbo ? code - CODE_JUMBO + SCALE_JUMBO : code % N_SCALES];
}

/* A shift above 14 is used as 14 (RFC 7323, 2.3). */
static uint32_t
exact_encode(uint8_t scale)
{
	if (scale == SL_COOKIE_NO_SCALE)
		return SCALE_NONE;
	return scale < 14 ? scale : 14;
}

void
sl_cookie_keys_init(struct sl_cookie_keys *keys, const struct sl_prf_key *secret)
{
	*keys = (struct sl_cookie_keys){ .secret = *secret,
					 .epoch = { UINT64_MAX, UINT64_MAX } };
}

/* See to it that the key of @epoch is there. The label keeps other uses of the secret apart. */
static void
derive(struct sl_cookie_keys *keys, uint64_t epoch)
{
	unsigned int p = epoch & 1;

	if (keys->epoch[p] == epoch)
		return;
	for (uint64_t i = 0; i < 2; i++) {
		const uint64_t word[3] = { 0x3165696b6f6f63ull, epoch, i }; /* "cookie1" */

		keys->key[p].k[i] = sl_prf_words(&keys->secret, word, 3);
	}
	keys->epoch[p] = epoch;
}

/*
 * Good are the epochs of L ago and of s ahead. They cover the present one, which is one of
 * the two because L + s < T.
 */
void
sl_cookie_clock(struct sl_cookie_keys *keys, uint64_t tai_ms)
{
	uint64_t past, ahead;

	if (tai_ms < keys->tai_ms)
		return;
	keys->tai_ms = tai_ms;

	past = (tai_ms > SL_COOKIE_LIFE_MS ? tai_ms - SL_COOKIE_LIFE_MS : 0) /
	       SL_COOKIE_EPOCH_MS;
	ahead = (tai_ms + SL_COOKIE_SKEW_MS) / SL_COOKIE_EPOCH_MS;
	derive(keys, past);
	derive(keys, ahead);
	for (unsigned int p = 0; p < 2; p++)
		keys->valid[p] = keys->epoch[p] == past || keys->epoch[p] == ahead;
	keys->now = tai_ms / SL_COOKIE_EPOCH_MS & 1;
}

/* The beginning that all messages about one handshake share. */
struct sealed {
	struct sl_prf_state state;
	size_t len;
};

static inline struct sealed
seal_begin(const struct sl_prf_key *key, const struct sl_tuple *t, uint32_t irs)
{
	struct sealed s = { .state = sl_prf_begin(key), .len = t->v6 ? 40 : 16 };

	if (t->v6) {
		sl_prf_add(&s.state, t->remote.q[0]);
		sl_prf_add(&s.state, t->remote.q[1]);
		sl_prf_add(&s.state, t->local.q[0]);
		sl_prf_add(&s.state, t->local.q[1]);
	} else {
		sl_prf_add(&s.state, (uint64_t)t->local.w[3] << 32 | t->remote.w[3]);
	}
	sl_prf_add(&s.state, (uint64_t)irs << 32 | (uint32_t)t->lport << 16 | t->rport);
	return s;
}

/* The end of a message: seven bytes that begin with what it is for. */
enum { END_MASK = 1, END_MAC = 2 };

static inline uint64_t
mask_rest(bool ts)
{
	return END_MASK | (uint64_t)ts << 8;
}

/* @exact and @clock are 0 without timestamps; @clock is TSval's upper 22 bits. */
static inline uint64_t
mac_rest(bool ts, uint32_t opts, uint32_t exact, uint32_t clock)
{
	return END_MAC | (uint64_t)ts << 8 | (uint64_t)opts << 16 | (uint64_t)exact << 24 |
	       (uint64_t)clock << 32;
}

static inline uint64_t
seal_mask(const struct sealed *s, bool ts)
{
	return sl_prf_end(s->state, sl_prf_last(mask_rest(ts), s->len + 7));
}

static inline uint64_t
seal_mac(const struct sealed *s, bool ts, uint32_t opts, uint32_t exact, uint32_t clock)
{
	return sl_prf_end(s->state, sl_prf_last(mac_rest(ts, opts, exact, clock), s->len + 7));
}

static inline uint32_t
lay_isn(uint64_t mac, uint64_t mask, uint32_t opts, uint32_t parity)
{
	uint32_t isn = (uint32_t)mac << 7 | ((opts ^ (uint32_t)mask) & OPTS_MASK);

	return isn | ((uint32_t)__builtin_parity(isn) ^ parity) << 6;
}

static inline uint32_t
lay_tsval(uint64_t mac, uint64_t mask, uint32_t exact, uint32_t clock)
{
	uint32_t masked = (exact ^ (uint32_t)(mask >> 8)) & 15;

	return clock << TS_LOW_BITS | masked << 6 | (uint32_t)(mac >> 58);
}

void
sl_cookie_make(const struct sl_cookie_keys *keys, const struct sl_tuple *tuple,
	       const struct sl_cookie_syn *syn, struct sl_cookie *out)
{
	struct sealed s = seal_begin(&keys->key[keys->now], tuple, syn->irs);
	uint64_t mask = seal_mask(&s, syn->ts), mac;
	uint32_t opts = opts_encode(syn, tuple->v6);
	uint32_t exact = syn->ts ? exact_encode(syn->wscale) : 0;
	/* Less one unit of what is not carried: the low bits must not lead past the clock. */
	uint32_t clock = syn->ts ? (syn->ts_clock - (1u << TS_LOW_BITS)) >> TS_LOW_BITS : 0;

	assert(keys->valid[keys->now]);

	mac = seal_mac(&s, syn->ts, opts, exact, clock);
	out->isn = lay_isn(mac, mask, opts, keys->now);
	out->tsval = syn->ts ? lay_tsval(mac, mask, exact, clock) : 0;
}

/*
 * Whether @tsecr is the TSval of a cookie no older than its life. A sibling's clock, which
 * may be ahead of ours, may have made it.
 */
static bool
is_fresh(uint32_t tsecr, uint32_t ts_clock)
{
	uint32_t age = ts_clock + SL_COOKIE_SKEW_MS - tsecr;

	return age <= SL_COOKIE_SKEW_MS + SL_COOKIE_LIFE_MS + TS_LAG_MAX;
}

/* Take the mask off, seal what was found again, and compare all of it. */
bool
sl_cookie_check(const struct sl_cookie_keys *keys, const struct sl_tuple *tuple, uint32_t seq,
		uint32_t ack, bool has_ts, uint32_t tsecr, uint32_t ts_clock,
		struct sl_cookie_syn *syn)
{
	uint32_t isn = ack - 1, irs = seq - 1;
	uint32_t p = (uint32_t)__builtin_parity(isn);
	uint32_t clock = has_ts ? tsecr >> TS_LOW_BITS : 0;
	uint32_t opts, exact;
	uint64_t mask, mac;
	struct sealed s;

	if (!keys->valid[p] || (has_ts && !is_fresh(tsecr, ts_clock)))
		return false;

	s = seal_begin(&keys->key[p], tuple, irs);
	mask = seal_mask(&s, has_ts);
	opts = (isn ^ (uint32_t)mask) & OPTS_MASK;
	exact = has_ts ? (tsecr >> 6 ^ (uint32_t)(mask >> 8)) & 15 : 0;
	mac = seal_mac(&s, has_ts, opts, exact, clock);
	if (lay_isn(mac, mask, opts, p) != isn)
		return false;
	if (has_ts && lay_tsval(mac, mask, exact, clock) != tsecr)
		return false;

	*syn = (struct sl_cookie_syn){ .irs = irs, .ts = has_ts, .ts_clock = ts_clock };
	opts_decode(opts, tuple->v6, syn);
	if (has_ts)
		syn->wscale = exact == SCALE_NONE ? SL_COOKIE_NO_SCALE : (uint8_t)exact;
	return true;
}

/* The words of addresses that messages about a handshake begin with; the numbers follow. */
static unsigned int
address_words(const struct sl_cookie_batch *b, const uint64_t *word[4])
{
	unsigned int n = b->v6 ? 4 : 1;

	for (unsigned int w = 0; w < n; w++)
		word[w] = b->addr[w];
	return n;
}

void
sl_cookie_make_many(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
		    const struct sl_cookie_batch *b, const uint16_t *mss, const uint8_t *wscale,
		    uint32_t *isn, uint32_t *tsval, unsigned int n)
{
	uint64_t for_mask[SL_BURST], for_mac[SL_BURST], mask[SL_BURST], mac[SL_BURST];
	uint32_t opts[SL_BURST], exact[SL_BURST], clock[SL_BURST];
	const uint64_t *word[5];
	unsigned int n_words = address_words(b, word);
	size_t len = 8 * (n_words + 1) + 7;
	struct sl_prf_states states;

	assert(keys->valid[keys->now] && n <= SL_BURST);

	for (unsigned int i = 0; i < n; i++) {
		bool ts = b->opts[i] & SL_OPT_TS;
		struct sl_cookie_syn syn = {
			.mss = b->opts[i] & SL_OPT_MSS ? mss[i] : sl_cookie_least_mss(b->v6),
			.wscale = b->opts[i] & SL_OPT_WSCALE ? wscale[i] : SL_COOKIE_NO_SCALE,
			.sack = b->opts[i] & SL_OPT_SACK_OK,
		};

		opts[i] = opts_encode(&syn, b->v6);
		exact[i] = ts ? exact_encode(syn.wscale) : 0;
		clock[i] = ts ? (b->ts_clock[i] - (1u << TS_LOW_BITS)) >> TS_LOW_BITS : 0;
		for_mask[i] = sl_prf_last(mask_rest(ts), len);
		for_mac[i] = sl_prf_last(mac_rest(ts, opts[i], exact[i], clock[i]), len);
	}
	word[n_words] = b->numbers;
	many->begin(&keys->key[keys->now], NULL, word, n_words + 1, &states, n);
	many->end(&states, for_mask, mask, n);
	many->end(&states, for_mac, mac, n);
	for (unsigned int i = 0; i < n; i++) {
		isn[i] = lay_isn(mac[i], mask[i], opts[i], keys->now);
		tsval[i] = lay_tsval(mac[i], mask[i], exact[i], clock[i]);
	}
}

uint64_t
sl_cookie_check_many(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
		     const struct sl_cookie_batch *b, const uint32_t *ack,
		     const uint32_t *tsecr, unsigned int n)
{
	uint64_t irs[SL_BURST], last[SL_BURST], mask[SL_BURST], mac[SL_BURST];
	uint64_t place[SL_BURST] = { 0 };
	uint32_t opts[SL_BURST], exact[SL_BURST], clock[SL_BURST];
	const uint64_t *word[5];
	unsigned int n_words = address_words(b, word);
	size_t len = 8 * (n_words + 1) + 7;
	struct sl_prf_states states;
	uint64_t good = 0;

	assert(n <= SL_BURST);

	for (unsigned int i = 0; i < n; i++) {
		irs[i] = b->numbers[i] - (1ull << 32);
		place[i] = (uint64_t)__builtin_parity(ack[i] - 1);
		last[i] = sl_prf_last(mask_rest(b->opts[i] & SL_OPT_TS), len);
	}
	word[n_words] = irs;
	many->begin(keys->key, place, word, n_words + 1, &states, n);
	many->end(&states, last, mask, n);
	for (unsigned int i = 0; i < n; i++) {
		bool ts = b->opts[i] & SL_OPT_TS;

		opts[i] = ((ack[i] - 1) ^ (uint32_t)mask[i]) & OPTS_MASK;
		exact[i] = ts ? (tsecr[i] >> 6 ^ (uint32_t)(mask[i] >> 8)) & 15 : 0;
		clock[i] = ts ? tsecr[i] >> TS_LOW_BITS : 0;
		last[i] = sl_prf_last(mac_rest(ts, opts[i], exact[i], clock[i]), len);
	}
	many->end(&states, last, mac, n);
	for (unsigned int i = 0; i < n; i++) {
		bool ts = b->opts[i] & SL_OPT_TS;
		bool right =
			lay_isn(mac[i], mask[i], opts[i], (uint32_t)place[i]) == ack[i] - 1;

		if (right && ts)
			right = is_fresh(tsecr[i], b->ts_clock[i]) &&
				lay_tsval(mac[i], mask[i], exact[i], clock[i]) == tsecr[i];
		good |= (uint64_t)(right && keys->valid[place[i]]) << i;
	}
	return good;
}
