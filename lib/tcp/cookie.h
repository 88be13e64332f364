/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cookie - SYN-RECEIVED kept by the client: what a SYN said, sealed into the SYN-ACK.
 *
 * The ACK that completes a handshake brings back our sequence number and, with timestamps,
 * our TSval. Both are a pure function of the SYN and of a key that changes with time, so a
 * SYN allocates nothing, and every core, a restarted process and a sibling machine with the
 * same secret accept each other's cookies. This is a cluster's wire contract: whoever
 * changes a bit of it changes the label that keys are derived with.
 */
#ifndef SL_TCP_COOKIE_H
#define SL_TCP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prf.h"
#include "base/prf_many.h"

#define SL_COOKIE_EPOCH_MS 32000u /* T: how long a key seals */
#define SL_COOKIE_LIFE_MS  30000u /* L: how long a cookie is good at least */
#define SL_COOKIE_SKEW_MS  1000u  /* s: how far a sibling's clock may be ahead; L + s < T */
#define SL_COOKIE_NO_SCALE 255
#define SL_COOKIE_MSS_MIN  64 /* an offer below it counts as this */

/* The keys of the two epochs that may be good now; an epoch's place is its parity. */
struct sl_cookie_keys {
	struct sl_prf_key secret; /* the cluster's */
	uint64_t tai_ms;          /* the clock's last reading */
	uint64_t epoch[2];        /* which epoch key[] is derived for */
	struct sl_prf_key key[2];
	bool valid[2]; /* whether its cookies are accepted */
	uint8_t now;   /* the place of the epoch that new cookies are made in */
};

/* What is told about a SYN, and known again when its cookie comes back. */
struct sl_cookie_syn {
	uint32_t irs;   /* the client's initial sequence number */
	uint16_t mss;   /* as offered, or the family's default; comes back rounded down */
	uint8_t wscale; /* SL_COOKIE_NO_SCALE: none; exact with timestamps, else rounded down */
	bool sack, ts;  /* whether permitted, and whether timestamps were there */
	/*
	 * Our timestamp clock for this tuple, in ms. What is to survive a restart or reach a
	 * sibling needs a clock, and an offset for the tuple, that they share.
	 */
	uint32_t ts_clock;
};

/* What a SYN without the option offers (RFC 9293, 3.7.1). */
static inline uint16_t
sl_cookie_least_mss(bool v6)
{
	return v6 ? 1220 : 536;
}

struct sl_cookie {
	uint32_t isn;
	uint32_t tsval; /* 0 without timestamps */
};

/* No epoch is valid until sl_cookie_clock() has been called. */
void sl_cookie_keys_init(struct sl_cookie_keys *keys, const struct sl_prf_key *secret);

/* It is @tai_ms now: change keys when it is time to. A clock that goes back is ignored. */
void sl_cookie_clock(struct sl_cookie_keys *keys, uint64_t tai_ms);

/*
 * The sequence number, and TSval, that the answer to @syn carries. TSval is behind
 * @syn->ts_clock by 1 to 2047 ms, so what is sent later from that clock never goes back.
 */
void sl_cookie_make(const struct sl_cookie_keys *keys, const struct sl_tuple *tuple,
		    const struct sl_cookie_syn *syn, struct sl_cookie *out);

/*
 * Many SYNs, or ACKs, of one family: addresses in words as sl_flows_hash() takes them; ports
 * and above them the sequence number. Arrays of SL_BURST entries, as sl_prf_many wants them.
 */
struct sl_cookie_batch {
	bool v6;
	const uint64_t (*addr)[SL_BURST];
	const uint64_t *numbers;
	const uint8_t *opts; /* SL_OPT_*: in the segment, of a SYN those agreed to */
	/* Where those have SL_OPT_TS: low halves that with @clock are each one's ts_clock. */
	const uint64_t *offset;
	uint32_t clock;
};

struct sl_cookie_many {
	/* sl_cookie_make() of @n SYNs; what was not offered is said in @b->opts. */
	void (*make)(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
		     const struct sl_cookie_batch *b, const uint16_t *mss,
		     const uint8_t *wscale, uint32_t *isn, uint32_t *tsval, unsigned int n);
	/* sl_cookie_check() of @n ACKs: bit i says that the i-th is good. What it said is not
	 * kept. */
	uint64_t (*check)(const struct sl_cookie_keys *keys, const struct sl_prf_many *many,
			  const struct sl_cookie_batch *b, const uint32_t *ack,
			  const uint32_t *tsecr, unsigned int n);
};

/* As sl_prf_many_for(). */
const struct sl_cookie_many *sl_cookie_many_for(unsigned int leaf);

/* The leaves, for sl_cookie_many_for() alone. */
extern const struct sl_cookie_many sl_cookie_many_256, sl_cookie_many_256vl, sl_cookie_many_512;

/*
 * Whether the segment of @tuple with these fields, from the header as they are, answers a
 * cookie of ours; then *@syn is what its SYN said. @ts_clock is our timestamp clock for the
 * tuple, @tsecr means nothing without @has_ts. *@syn stays as it was otherwise.
 */
bool sl_cookie_check(const struct sl_cookie_keys *keys, const struct sl_tuple *tuple,
		     uint32_t seq, uint32_t ack, bool has_ts, uint32_t tsecr, uint32_t ts_clock,
		     struct sl_cookie_syn *syn);

#endif
