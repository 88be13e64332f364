/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp - the clocks and budgets of a core's TCP, and the settings it begins with.
 */
#include <string.h>

#include "tcp/tcp.h"

#define RESETS_PER_MS     100u  /* to strangers */
#define CHECKS_PER_MS     100u  /* cookies looked at while none can be out */
#define WALKED_PER_MS     8192u /* pieces behind gaps looked at for a place among them */
#define HOLD_BACK         100u  /* a clock that is ahead loses one part in so many */
#define CHALLENGES_LEAST  4000u /* a second, the whole core ... */
#define CHALLENGES_SPREAD 2000u /* ... plus what nobody can guess (CVE-2016-5696) */

void
sl_tcp_defaults(struct sl_tcp_conf *conf)
{
	*conf = (struct sl_tcp_conf){
		.rcvbuf = 4 * 1024 * 1024,
		.rcvbuf_initial = 64 * 1024,
		.sndbuf = 256 * 1024,
		.msl_ms = 30 * 1000,
		.rto_min_ms = 200,
		.rto_max_ms = 60 * 1000,
		.delayed_ack_ms = 40,
		.quick_acks = 7,
		.syn_timeout_ms = 180 * 1000,
		.user_timeout_ms = 300 * 1000,
		.fin_wait_ms = 60 * 1000,
		.keepalive_ms = 0,
		.keepalive_interval_ms = 75 * 1000,
		.keepalive_probes = 9,
		.mss = 0,
		.cookies = SL_COOKIES_AUTO,
		.congestion = SL_CONGESTION_CUBIC,
		.ttl = 64,
		.tos = 0,
		.nagle = true,
		.sack = true,
		.timestamps = true,
		.window_scaling = true,
	};
}

/*
 * Keys and timestamps follow the wall clock at once where it is ahead of them. Where it is
 * behind, because it was put back or our counter runs fast, they go on, a little more slowly
 * than time does, until it is there. Connections have their own clocks by then.
 */
void
sl_tcp_tai(struct sl_tcp *tcp, uint64_t tai_ms)
{
	uint64_t now_ms = tcp->now / SL_NS_PER_MS, ours = now_ms + tcp->tai_offset_ms;
	uint64_t may = (now_ms - tcp->tai_held_at) / HOLD_BACK;

	if (tai_ms < ours && may < ours - tai_ms) {
		tcp->tai_offset_ms -= may;
		tcp->tai_held_ms += (uint32_t)may;
		tcp->tai_held_at += may * HOLD_BACK;
		return;
	}
	if (tai_ms < ours)
		tcp->tai_held_ms += (uint32_t)(ours - tai_ms);
	tcp->tai_offset_ms = tai_ms - now_ms;
	tcp->tai_held_at = now_ms;
}

void
sl_tcp_clock(struct sl_tcp *tcp, sl_ns_t now)
{
	assert(now >= tcp->now);
	tcp->now = now;
	tcp->tick = sl_tick(now);
	tcp->now_us = (uint32_t)(now / 1000);
	tcp->ts_age = (uint16_t)(now / (SL_TS_AGE_S * SL_NS_PER_S));
	sl_cookie_clock(&tcp->cookies, now / SL_NS_PER_MS + tcp->tai_offset_ms);

	if (tcp->tick != tcp->budget_at) {
		tcp->budget_at = tcp->tick;
		tcp->reset_budget = RESETS_PER_MS;
		tcp->check_budget = CHECKS_PER_MS;
		tcp->walk_budget = WALKED_PER_MS;
	}
	if (tcp->tick - tcp->challenge_at >= 1000) {
		uint64_t draw = sl_prf(&tcp->port_key, &now, sizeof(now));

		tcp->challenge_at = tcp->tick;
		tcp->challenge_budget = CHALLENGES_LEAST + draw % CHALLENGES_SPREAD;
	}
}
