/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_streams - whatever a network does to frames, each side hears every byte that the
 * other said, in order and once, and nothing is left of it afterwards.
 *
 * Who sends how much how fast, when it half-closes, and how TCP is set is drawn anew for
 * each seed, and so is how bad the damage is.
 */
#include "sim.h"

#define MS SL_NS_PER_MS

static uint32_t
draw(struct sim *sim, uint32_t least, uint32_t most)
{
	return least + rnd_below(&sim->rnd, most - least + 1);
}

static bool
flip(struct sim *sim)
{
	return rnd_below(&sim->rnd, 2);
}

/* --- damage: each of these makes one cable worse --- */

static void
losses(struct sim *sim, struct cable_conf *cable)
{
	cable->loss_ppm = draw(sim, 1000, 80000);
}

static void
bursts(struct sim *sim, struct cable_conf *cable)
{
	cable->burst_begin_ppm = draw(sim, 1000, 20000);
	cable->burst_end_ppm = draw(sim, 100000, 500000);
	cable->burst_loss_ppm = draw(sim, 300000, 1000000);
	cable->burst_most = 2 * SL_NS_PER_S; /* long before TIME-WAIT is over */
}

static void
duplicates(struct sim *sim, struct cable_conf *cable)
{
	cable->duplicate_ppm = draw(sim, 10000, 300000);
}

static void
reordering(struct sim *sim, struct cable_conf *cable)
{
	cable->jitter = flip(sim) ? draw(sim, 1, 20) * MS : 0;
	cable->late_ppm = draw(sim, 1000, 100000);
	cable->late = draw(sim, 1, 100) * MS;
}

static void
corruption(struct sim *sim, struct cable_conf *cable)
{
	cable->corrupt_ppm = draw(sim, 1000, 80000);
}

static void
narrowness(struct sim *sim, struct cable_conf *cable)
{
	cable->rate = draw(sim, 200, 20000) * 1000ull;
	cable->queue_bytes = draw(sim, 3000, 60000);
}

static void
small_mtu(struct sim *sim, struct cable_conf *cable)
{
	cable->mtu = sim->v6 ? draw(sim, 1280, 1400) : draw(sim, 600, 1400);
	sim->conf.tells_too_big = true;
}

typedef void damage_fn(struct sim *sim, struct cable_conf *cable);

static void
all_of_it(struct sim *sim, struct cable_conf *cable)
{
	static damage_fn *const kinds[] = { losses,     bursts,     duplicates, reordering,
					    corruption, narrowness, small_mtu };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (flip(sim))
			kinds[i](sim, cable);
}

/* --- what is drawn besides --- */

static void
draw_plan(struct sim *sim, struct stream_plan *plan)
{
	plan->send = draw(sim, 0, 3) == 0 ? draw(sim, 0, 3) : draw(sim, 1, 100000);
	plan->copies = flip(sim);
	if (flip(sim)) {
		plan->pause_ms = draw(sim, 1, 100);
		plan->most = draw(sim, 0, 3) == 0 ? draw(sim, 1, 100) : draw(sim, 1000, 60000);
		if (plan->most < 1000 && plan->send > 5000)
			plan->send = 5000;
	}
	if (draw(sim, 0, 3) == 0)
		plan->shut_at = draw(sim, 1, 3000) * MS; /* from the beginning on, for now */
}

/*
 * A client that gets its SYN-ACK twice says where it is. If its first bytes were lost, that
 * bare ACK is no cookie of ours, and it is reset: one of the things a cookie cannot do.
 */
static bool
cookies_are_in_danger(const struct sim *sim)
{
	const struct cable_conf *up = &sim->up[0];
	bool loses = up->loss_ppm | up->burst_begin_ppm | up->corrupt_ppm | up->mtu |
		     (up->queue_bytes != 0);

	return loses && (up->duplicate_ppm | sim->down.duplicate_ppm) != 0;
}

static void
draw_tcp(struct sim *sim, struct sl_tcp_conf *tcp)
{
	static const uint32_t buffers[] = { 2048, 5000, 20000, 100000, 256 * 1024, 1 << 20 };
	static const uint8_t cookies[] = { SL_COOKIES_AUTO, SL_COOKIES_ALWAYS,
					   SL_COOKIES_NEVER };

	tcp->rcvbuf = buffers[draw(sim, 0, 5)];
	tcp->sndbuf = buffers[draw(sim, 0, 5)];
	tcp->cookies = cookies_are_in_danger(sim) ? SL_COOKIES_NEVER : cookies[draw(sim, 0, 2)];
	tcp->delayed_ack_ms = flip(sim) ? 40 : 0;
	tcp->mss = draw(sim, 0, 3) == 0 ? draw(sim, 100, 1460) : 0;
	tcp->nagle = flip(sim);
	tcp->sack = draw(sim, 0, 3) > 0;
	tcp->timestamps = draw(sim, 0, 3) > 0;
	tcp->window_scaling = draw(sim, 0, 3) > 0;
}

static void
draw_flow(struct sim *sim)
{
	struct sim_flow *flow = sim_flow(sim, 1);

	for (int side = 0; side < SIM_SIDES; side++) {
		draw_plan(sim, &flow->plan[side]);
		draw_tcp(sim, &flow->tcp[side]);
	}
}

static void
shut_at_from_now_on(struct sim *sim)
{
	for (unsigned int f = 0; f < sim->n_flows; f++)
		for (int side = 0; side < SIM_SIDES; side++)
			if (sim->flow[f].plan[side].shut_at != 0)
				sim->flow[f].plan[side].shut_at += sim->link.now;
}

/* All that can be seen of a run from outside. */
struct watch {
	const struct link *link;
	uint64_t hash, n_frames;
	struct sl_stats stats[2];
};

static void
watch_frame(void *arg, unsigned int from, unsigned int to, const uint8_t *frame, size_t len,
	    enum cable_fate fate)
{
	struct watch *watch = arg;
	struct rnd mix = { watch->hash ^ watch->link->now ^ from << 8 ^ to << 4 ^ fate };

	watch->hash = rnd_u64(&mix);
	for (size_t i = 0; i < len; i++)
		watch->hash = (watch->hash ^ frame[i]) * 0x100000001b3ull;
	watch->n_frames++;
}

static void
run_once(uint64_t seed, damage_fn *damage, struct watch *watch)
{
	static struct sim sim;

	sim_init(&sim, seed);
	if (watch != NULL) {
		watch->link = &sim.link;
		sim.conf.saw = watch_frame;
		sim.conf.arg = watch;
	}
	sim.down.delay = draw(&sim, 0, 100) * MS;
	sim.up[0].delay = draw(&sim, 0, 100) * MS;
	damage(&sim, &sim.down);
	damage(&sim, &sim.up[0]);
	for (uint32_t n = draw(&sim, 1, 3); n > 0; n--)
		draw_flow(&sim);
	sim_start(&sim);
	shut_at_from_now_on(&sim);
	sim_until_closed(&sim, 6 * 3600); /* some read a byte now and then */
	sim_assert_streams_equal(&sim);
	if (watch != NULL)
		for (int i = 0; i < 2; i++)
			watch->stats[i] = *sl_core_stats(sim.link.host[i].core);
	sim_end(&sim);
}

static void
run_seeds(uint64_t quick, damage_fn *damage)
{
	for (uint64_t seed = seeds_first(quick); seeds_go_on(seed); seed++)
		run_once(seed, damage, NULL);
}

static void
streams_are_equal_whatever_is_lost(void **state)
{
	run_seeds(100, losses);
}

static void
streams_are_equal_through_bursts_of_losses(void **state)
{
	run_seeds(100, bursts);
}

static void
streams_are_equal_when_frames_come_twice(void **state)
{
	run_seeds(100, duplicates);
}

/* rows: RX2 [v4 v6] */
static void
streams_are_equal_when_frames_overtake_each_other(void **state)
{
	run_seeds(100, reordering);
}

/* As many packets are refused as were damaged: sim_end(). rows: SG2 [v4 v6] */
static void
streams_are_equal_and_no_damaged_byte_goes_up(void **state)
{
	run_seeds(100, corruption);
}

static void
streams_are_equal_through_a_narrow_cable_with_a_short_queue(void **state)
{
	run_seeds(100, narrowness);
}

/* rows: PM1 [v4 v6] */
static void
streams_are_equal_over_a_path_of_small_packets(void **state)
{
	run_seeds(100, small_mtu);
}

static void
streams_are_equal_under_any_of_it_together(void **state)
{
	run_seeds(200, all_of_it);
}

/* rows: AP4 [v4 v6] */
static void
one_seed_is_one_run(void **state)
{
	static struct watch first, second;

	for (uint64_t seed = seeds_first(20); seeds_go_on(seed); seed++) {
		first = second = (struct watch){ 0 };
		run_once(seed, all_of_it, &first);
		run_once(seed, all_of_it, &second);
		assert_true(first.n_frames > 10);
		assert_int_equal(first.n_frames, second.n_frames);
		assert_int_equal(first.hash, second.hash);
		assert_memory_equal(first.stats, second.stats, sizeof(first.stats));
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(streams_are_equal_whatever_is_lost),
		SEEDS_TEST(streams_are_equal_through_bursts_of_losses),
		SEEDS_TEST(streams_are_equal_when_frames_come_twice),
		SEEDS_TEST(streams_are_equal_when_frames_overtake_each_other),
		SEEDS_TEST(streams_are_equal_and_no_damaged_byte_goes_up),
		SEEDS_TEST(streams_are_equal_through_a_narrow_cable_with_a_short_queue),
		SEEDS_TEST(streams_are_equal_over_a_path_of_small_packets),
		SEEDS_TEST(streams_are_equal_under_any_of_it_together),
		SEEDS_TEST(one_seed_is_one_run),
	};

	return seeds_main(argc, argv, tests);
}
