/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cubic - the congestion window of RFC 9438, in integers.
 *
 * Windows are bytes, times milliseconds, and C is 0.4 segments per cubic second, so that a
 * curve rises by MSS * t^3 / 2.5e9. Every product below stays under 2^63: a window is at
 * most 2^30, an MSS below 2^16, a time 2^20 (beyond that the curve has left all bounds).
 *
 * What an ACK adds is divided by the window, of which the inverse is kept: each ACK brings it
 * up to date by Newton's rule, where a division would take as long as the rest of it. Fractions
 * of a byte are carried to the next ACK: that is what one adds where windows are large. Without
 * a block (cc.h) it grows like Reno.
 */
#include "tcp/cc.h"
#include "tcp/tcp.h"

#define TIME_MOST    (1 << 20)
#define C_INVERSE_MS 2500000000u  /* 1 / C, in cubic milliseconds */
#define ONE          (1ull << 48) /* what struct sl_epoch.inverse is a part of */

/* The largest y with y^3 <= @x, which is below 2^63. */
static uint32_t
cube_root(uint64_t x)
{
	uint64_t y = 0;

	for (uint64_t bit = 1 << 20; bit != 0; bit >>= 1) {
		uint64_t z = y | bit;

		if (z * z * z <= x)
			y = z;
	}
	return y;
}

/* W_cubic, @ms into the epoch (4.2, figure 1). */
static uint32_t
curve_at(const struct sl_epoch *e, uint16_t mss, uint32_t ms)
{
	int64_t d = (int64_t)ms - e->now.k_ms;
	uint64_t t = d < 0 ? -d : d, rise;

	if (t > TIME_MOST)
		t = TIME_MOST;
	rise = t * t * t / (C_INVERSE_MS / 1000) * mss / 1000;
	if (d < 0)
		return rise < e->now.w_max ? e->now.w_max - rise : 0;
	return sl_cc_bounded(e->now.w_max + rise);
}

/*
 * Congestion avoidance begins. The curve leads back to where the last loss was; behind a
 * time-out, or when no loss ended slow start, it starts upwards from here (4.8, 4.10).
 */
static void
begin(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_epoch *e)
{
	struct sl_curve *c = &e->now;

	if (e->is_new || c->w_max <= tcb->cwnd)
		c->w_max = tcb->cwnd;
	c->k_ms = cube_root((uint64_t)(c->w_max - tcb->cwnd) * C_INVERSE_MS / tcb->mss);
	c->w_est = tcb->cwnd;
	if (c->w_prior == 0)
		c->w_prior = tcb->cwnd;
	c->began = e->seen = tcp->tick;
	e->is_new = false;
	e->runs = true;
	e->inverse = 0;
	e->carry = 0;
	e->est_carry = 0;
	e->was_empty = false;
}

/* Time in which the window did not bind does not count (4.2, 5.8). */
static void
stop_the_clock(const struct sl_tcp *tcp, struct sl_epoch *e, uint32_t but_ms)
{
	uint32_t ms = tcp->tick - e->seen;

	if (ms > but_ms)
		e->now.began += ms - but_ms;
}

/*
 * The inverse of the window, from what it was when the window was another one: each round
 * doubles the digits that are right. An ACK leaves the window at most half as large again; what
 * is further off was of another course.
 */
static void
invert(const struct sl_tcb *tcb, struct sl_epoch *e)
{
	__int128 off = (__int128)ONE - (__int128)e->inverse * tcb->cwnd;

	if (off > (int64_t)ONE / 2 || off < -(int64_t)ONE / 2) {
		e->inverse = ONE / tcb->cwnd;
		return;
	}
	for (int i = 0; i < 3; i++) {
		off = (int64_t)(ONE - e->inverse * tcb->cwnd);
		e->inverse += (int64_t)((__int128)e->inverse * (int64_t)off >> 48);
	}
}

/* @product by the window: whole bytes; the fraction is added to @carry, in 2^32ths. */
static uint64_t
by_window(const struct sl_epoch *e, uint64_t product, uint32_t *carry)
{
	uint64_t bytes = (uint64_t)((unsigned __int128)product * e->inverse >> 16);

	bytes += *carry;
	*carry = (uint32_t)bytes;
	return bytes >> 32;
}

/* What Reno would have, were it as fair with 0.7 as it is with 0.5 (4.3, figure 4). */
static void
grow_estimate(const struct sl_tcb *tcb, struct sl_epoch *e, uint32_t acked)
{
	bool slower = e->now.w_est < e->now.w_prior; /* alpha is 9/17, else 1 */
	uint64_t product = (uint64_t)tcb->mss * acked;

	if (slower)
		product = product * 9 / 17;
	e->now.w_est = sl_cc_bounded(e->now.w_est + by_window(e, product, &e->est_carry));
}

/* Towards where the curve is a round trip from now, half as much again at most (4.2, 4.4). */
static void
follow_curve(struct sl_tcb *tcb, struct sl_epoch *e, uint32_t ms, uint32_t acked)
{
	uint32_t target = curve_at(e, tcb->mss, ms + tcb->srtt_us8 / 8000);
	uint32_t most = tcb->cwnd + tcb->cwnd / 2;

	if (target > most)
		target = most;
	if (target <= tcb->cwnd)
		return;
	tcb->cwnd = sl_cc_bounded(
		tcb->cwnd + by_window(e, (uint64_t)(target - tcb->cwnd) * acked, &e->carry));
}

static void
avoid(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked)
{
	struct sl_epoch *e = sl_epoch_take(tcp, tcb);
	uint32_t ms;

	if (e == NULL) {
		sl_cc_avoid(tcb, acked);
		return;
	}
	if (!e->runs)
		begin(tcp, tcb, e);
	if (e->was_empty)
		stop_the_clock(tcp, e, tcb->srtt_us8 / 8000);
	e->was_empty = tcb->snd_una == tcb->snd_nxt;
	e->seen = tcp->tick;

	if (acked > tcb->cwnd)
		acked = tcb->cwnd;
	ms = tcp->tick - e->now.began;
	invert(tcb, e);
	grow_estimate(tcb, e, acked);
	if (curve_at(e, tcb->mss, ms) < e->now.w_est) { /* 4.3 */
		if (tcb->cwnd < e->now.w_est)
			tcb->cwnd = e->now.w_est;
	} else {
		follow_curve(tcb, e, ms, acked);
	}
}

void
sl_cubic_acked(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t acked, bool used)
{
	struct sl_epoch *e = sl_epoch_of(tcp, tcb);

	if (used && tcb->cwnd < tcb->ssthresh) {
		sl_cc_slow_start(tcb, acked);
	} else if (used) {
		avoid(tcp, tcb, acked);
	} else if (e != NULL) {
		stop_the_clock(tcp, e, 0);
		e->was_empty = false;
		e->seen = tcp->tick;
	}
}

/* 4.6 and 4.7: ssthresh is 0.7 of what was out; a window that shrinks makes room at once. */
static void
cut(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	struct sl_epoch *e = sl_epoch_take(tcp, tcb);
	uint32_t two = 2u * tcb->mss, most = (uint64_t)flight * 7 / 10;

	if (e != NULL) {
		e->old = e->now;
		e->ran = e->runs;
		e->was_new = e->is_new;
		e->old_cwnd = tcb->cwnd;
		e->old_ssthresh = tcb->ssthresh;
		e->now.w_prior = tcb->cwnd;
		e->now.w_max =
			tcb->cwnd < e->now.w_max ? (uint64_t)tcb->cwnd * 17 / 20 : tcb->cwnd;
		e->runs = false;
	}
	tcb->ssthresh = sl_cc_bounded(most > two ? most : two);
}

void
sl_cubic_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	cut(tcp, tcb, flight);
	tcb->cwnd = tcb->ssthresh;
}

void
sl_cubic_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, uint32_t flight)
{
	struct sl_epoch *e;

	if (flight > 0)
		cut(tcp, tcb, flight);
	tcb->cwnd = tcb->mss;
	e = sl_epoch_of(tcp, tcb);
	if (e != NULL) {
		e->runs = false;
		e->is_new = true;
	}
}

/* 4.9. */
void
sl_cubic_undo(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_epoch *e = sl_epoch_of(tcp, tcb);

	if (!sl_cc_undo_cut(tcp, tcb))
		return;
	e->now = e->old;
	e->inverse = 0;
	e->runs = e->ran;
	e->is_new = e->was_new;
}

/* Slow start begins anew; what the last loss said is still the best that is known. */
void
sl_cubic_idle(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_epoch *e = sl_epoch_of(tcp, tcb);

	if (e != NULL)
		e->runs = false;
	sl_cc_restart(tcb);
}
