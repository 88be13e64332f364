/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * burst - what a packet costs in bursts of 1 to 64, and how long a lone one takes.
 *
 * All sizes take turns in one process. A lone packet's row is not a mean but a percentile
 * over the rounds of a window, each of which found one packet: how long it is from the poll
 * that finds it to the answer's being with the port.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "streams.h"

#define CONNS 4096
#define SIZES 7 /* 1, 2, 4 ... 64 */

enum work { SYN, REQUEST, LOOP, WORKS };

struct sized {
	unsigned int burst;
	double (*window)(void *arg);
	void *arg;
};

struct lone {
	double (*window)(void *arg);
	void *arg;
	struct world *world;
	unsigned int percent;
};

static double
sized_window(void *arg)
{
	struct sized *s = arg;
	unsigned int usual = options.burst;
	double cost;

	options.burst = s->burst;
	cost = s->window(s->arg);
	options.burst = usual;
	return cost;
}

static int
by_cycles(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
lone_window(void *arg)
{
	static uint32_t sample[2 * WINDOW_UNITS];
	struct lone *l = arg;
	struct sized one = { 1, l->window, l->arg };
	struct world *w = l->world;

	w->sample = sample;
	w->n_sampled = 0;
	w->sample_max = sizeof(sample) / sizeof(sample[0]);
	sized_window(&one);
	w->sample = NULL;
	if (w->n_sampled == 0)
		bench_fail("no round was sampled");
	qsort(sample, w->n_sampled, sizeof(sample[0]), by_cycles);
	return sample[(uint64_t)w->n_sampled * l->percent / 100];
}

void
group_burst(void)
{
	static const char *const work[WORKS] = { "syn_cookie_v4", "request_4k",
						 "macswap_loop" };
	static struct world w;
	static struct stream syn;
	static struct peer peer;
	static struct sized sized[WORKS * SIZES];
	static char name[WORKS * SIZES][40];
	struct lone lone[] = { { stream_window, &syn, &w, 50 },
			       { stream_window, &syn, &w, 99 },
			       { request_window, &peer, &w, 50 },
			       { request_window, &peer, &w, 99 } };
	struct bench_row row[WORKS * SIZES + 4] = {
		{ "lone_syn_p50", lone_window, &lone[0] },
		{ "lone_syn_p99", lone_window, &lone[1] },
		{ "lone_request_p50", lone_window, &lone[2] },
		{ "lone_request_p99", lone_window, &lone[3] },
	};
	double (*const window[WORKS])(void *) = { stream_window, request_window,
						  world_macswap };
	void *const arg[WORKS] = { &syn, &peer, &w };

	for (unsigned int i = 0; i < WORKS * SIZES; i++) {
		enum work k = i / SIZES;

		sized[i] = (struct sized){ 1u << i % SIZES, window[k], arg[k] };
		snprintf(name[i], sizeof(name[i]), "%s_burst_%u", work[k], sized[i].burst);
		row[4 + i] = (struct bench_row){ name[i], sized_window, &sized[i] };
	}
	request_pin();
	world_open(&w, &(struct world_conf){ .connections = 2 * CONNS,
					     .app = &request_app,
					     .cookies = SL_COOKIES_ALWAYS });
	stream_open_syn(&syn, &w, false);
	peer_open(&peer, &w, CONNS, false);
	request_expect(&peer);
	peer_establish(&peer);
	peer_request_all(&peer);
	peer_request_all(&peer); /* the second gives every one its round trip */
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_say_clock(&w, "burst");
	if (world_count(&w, SL_CNT_retransmit) > CONNS / 1000)
		bench_fail("%lu sent again", world_count(&w, SL_CNT_retransmit));
	world_close(&w);
}
