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

#include "tcp/cookie_bits.h"

static_assert(SL_COOKIE_LIFE_MS + SL_COOKIE_SKEW_MS < SL_COOKIE_EPOCH_MS,
	      "at most two epochs are good at a time, and they are neighbours");

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
