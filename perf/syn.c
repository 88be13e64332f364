/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * syn - what needs no connection: SYNs answered by cookies, ACKs that are no cookies,
 * strays; on an empty table and on one with a million connections.
 */
#include "bench.h"
#include "streams.h"

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	static const char response[64] = "HTTP/1.1 200 OK";

	sl_send(c, response, sizeof(response));
	return in->bytes;
}

static const struct sl_app app = { .name = "answer", .data = answer, .peer_closed = sl_close };

void
group_syn(void)
{
	static struct world w;
	static struct stream s[8];
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "busy_loop", world_busy, &w },
		{ "syn_cookie_v4", stream_proved_window, &s[0] },
		{ "syn_cookie_mix", stream_proved_window, &s[1] },
		{ "syn_cookie_mix_one_port", stream_proved_window, &s[2] },
		{ "syn_cookie_v6", stream_proved_window, &s[3] },
		{ "bogus_ack_checked", stream_window, &s[4] },
		{ "stray", stream_window, &s[5] },
		{ "stray_one_port", stream_window, &s[6] },
		{ "syn_closed", stream_window, &s[7] },
	};

	world_open(&w, &(struct world_conf){ .connections = 4096,
					     .app = &app,
					     .cookies = SL_COOKIES_ALWAYS,
					     .more_listeners = STREAM_MORE });
	stream_open_syn(&s[0], &w, false);
	stream_open(&s[1], &w, false, stream_put_mix);
	stream_open(&s[2], &w, false, stream_put_mix);
	stream_open_syn(&s[3], &w, true);
	stream_open(&s[4], &w, false, stream_put_guess);
	stream_open(&s[5], &w, false, stream_put_stray);
	stream_open(&s[6], &w, false, stream_put_stray);
	stream_open(&s[7], &w, false, stream_put_syn_closed);
	s[1].mixes = s[2].mixes = true;
	s[1].scatters = s[5].scatters = s[7].scatters = true;
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_close(&w);
}

/* No cookie is out, none was for long: ACKs beyond the budget are not looked at. */
void
group_syn_auto(void)
{
	static struct world w;
	static struct stream s;
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "busy_loop", world_busy, &w },
		{ "bogus_ack_budget", stream_window, &s },
	};

	world_open(&w, &(struct world_conf){
			       .connections = 4096, .app = &app, .cookies = SL_COOKIES_AUTO });
	stream_open(&s, &w, false, stream_put_guess);
	s.is_unchecked = true;
	world_pass(&w, 120 * SL_NS_PER_S);
	world_idle(&w);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_close(&w);
}
