/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_readers - streams to peers whose TCP is not ours and whose habits are odd: seldom or
 * late ACKs, no SACK, SACKs that are taken back, windows that close.
 */
#include <string.h>

#include "reader.h"
#include "sim.h"
#include "trace.h"

#define MS   SL_NS_PER_MS
#define PORT 7

struct run {
	struct link link;
	struct stream_plan plan;
	struct stream_result result;
	struct reader reader;
};

static void
draw_cable(struct rnd *rnd, struct cable_conf *cable)
{
	*cable = (struct cable_conf){ .delay = rnd_below(rnd, 50) * MS };
	if (rnd_below(rnd, 4) == 0)
		return;
	cable->loss_ppm = rnd_below(rnd, 50000);
	cable->duplicate_ppm = rnd_below(rnd, 2) * rnd_below(rnd, 50000);
	cable->corrupt_ppm = rnd_below(rnd, 2) * rnd_below(rnd, 20000);
	cable->late_ppm = rnd_below(rnd, 2) * rnd_below(rnd, 50000);
	cable->late = rnd_below(rnd, 30) * MS;
	if (rnd_below(rnd, 2) == 0) {
		cable->rate = (1 + rnd_below(rnd, 20)) * 1000000ull;
		cable->queue_bytes = 20000 + rnd_below(rnd, 50000);
	}
}

static void
draw_habits(struct rnd *rnd, struct reader_habits *habits)
{
	*habits = (struct reader_habits){
		.ack_every = 1 + rnd_below(rnd, 2) * rnd_below(rnd, 16),
		.ack_delay_ms = rnd_below(rnd, 400),
		.window = (uint16_t)(2000 + rnd_below(rnd, 63000)),
		.mss = (uint16_t)(100 + rnd_below(rnd, 1320)),
		.sack = rnd_below(rnd, 4) > 0,
		.renege_ppm = rnd_below(rnd, 2) * rnd_below(rnd, 100000),
		.pause_ppm = rnd_below(rnd, 2) * rnd_below(rnd, 50000),
		.pause_ms = 1000,
	};
}

static void
open_server(struct run *run, struct rnd *rnd, uint64_t seed)
{
	static struct sl_core_conf conf;
	struct link_conf wire = { .seed = seed, .check_every = 1 };
	struct sl_listener_conf *listener;

	if (seeds_trace())
		trace_all(&wire, &run->link);
	link_open(&run->link, &wire);
	run->plan = (struct stream_plan){ .key = (uint32_t)rnd_u64(rnd),
					  .send = 1 + rnd_below(rnd, 200000),
					  .copies = rnd_below(rnd, 2),
					  .link = &run->link,
					  .result = &run->result };
	link_host_conf(&conf, 0);
	conf.connections = conf.active = conf.time_wait = 4;
	conf.secret.k[1] = rnd_u64(rnd);
	listener = link_listen(&conf, PORT, &stream_app, &run->plan);
	listener->tcp.cookies = SL_COOKIES_NEVER; /* it is the server that speaks */
	listener->tcp.congestion = (uint8_t)rnd_below(rnd, SL_CONGESTION_COUNT);
	link_join(&run->link, &conf);
}

static bool
is_over(void *arg)
{
	const struct run *run = arg;

	return run->result.closed > 0 && reader_is_done(&run->reader);
}

static void
assert_all_was_read(const struct run *run)
{
	assert_int_equal(run->reader.next, run->plan.send);
	for (uint32_t at = 0, n; at < run->plan.send; at += n) {
		const uint8_t *want;

		n = (uint32_t)(run->plan.send - at);
		want = stream_bytes(run->plan.key, at, &n);
		assert_memory_equal(run->reader.byte + at, want, n);
	}
}

/* Returns how often the reader took SACKs back or let its window close. */
static uint32_t
run_once(uint64_t seed)
{
	static struct run run;
	struct rnd rnd = { seed };
	struct reader_habits habits;
	struct cable_conf cable;

	memset(&run.result, 0, sizeof(run.result));
	open_server(&run, &rnd, seed);
	draw_habits(&rnd, &habits);
	reader_open(&run.reader, &run.link, &habits, 0, PORT, seed & 1, seed);
	for (unsigned int i = 0; i < 2; i++) {
		draw_cable(&rnd, &cable);
		link_cable(&run.link, i, &cable);
	}
	assert_true(link_run(&run.link, 3600 * SL_NS_PER_S, is_over, &run));
	assert_int_equal(run.result.why, SL_REASON_FIN);
	assert_all_was_read(&run);
	link_run(&run.link, 300 * SL_NS_PER_S, NULL, NULL);
	sim_assert_nothing_is_kept(&run.link.host[0]);
	link_close(&run.link);
	return run.reader.n_reneged + run.reader.n_paused;
}

static void
streams_reach_readers_of_any_habit(void **state)
{
	uint64_t n = 0, odd = 0;

	for (uint64_t seed = seeds_first(300); seeds_go_on(seed); seed++) {
		odd += run_once(seed);
		n++;
	}
	assert_true(n < 100 || odd > n); /* the habits were had */
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(streams_reach_readers_of_any_habit),
	};

	return seeds_main(argc, argv, tests);
}
