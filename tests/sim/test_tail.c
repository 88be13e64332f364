/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tail - the end of a response is lost, and nothing behind it draws an ACK: a probe
 * repairs it (RFC 8985, 7), not the retransmission timer.
 */
#include "measure.h"
#include "trace.h"

#define MS SL_NS_PER_MS

/* Loses the last segments of the server's response, the first time they are sent. */
struct thief {
	const struct link *link;
	uint32_t bytes, lose; /* of the response; segments to be lost */
	uint32_t isn, highest;
	uint32_t n_lost, n_sent; /* segments with new bytes */
	uint32_t mss;
	sl_ns_t last_sent_at; /* when the last byte was first sent */
};

static bool
take_tail(void *arg, unsigned int from, const uint8_t *frame, size_t len)
{
	struct thief *t = arg;
	struct sl_tuple tuple;
	struct sl_seg seg;
	uint32_t end;

	if (from != 1 || !trace_segment(frame, len, &tuple, &seg))
		return true;
	if (seg.flags & SL_SYN)
		t->isn = seg.seq;
	end = seg.seq - t->isn - 1 + seg.len;
	if ((seg.flags & SL_SYN) || seg.len == 0 || end <= t->highest)
		return true;
	t->highest = end;
	t->n_sent++;
	if (end == t->bytes)
		t->last_sent_at = t->link->now;
	if (end + (t->lose - 1) * t->mss < t->bytes)
		return true;
	t->n_lost++;
	return false;
}

/*
 * A response of some segments whose last one to three are lost. A probe goes out two round
 * trips behind the last ACK (which may be a delayed one; when a lone segment is left out the
 * probe waits for that, too) and repairs the last segment. Its SACK shows the others, and PRR
 * lets them go one a round trip.
 */
static void
respond(uint64_t seed)
{
	static struct sim sim;
	static struct thief thief;
	struct sim_flow *flow;
	sl_ns_t rtt, took;
	uint32_t most_ms;

	sim_init(&sim, seed);
	rtt = (5 + rnd_below(&sim.rnd, 95)) * MS;
	measure_path(&sim, rtt);
	thief = (struct thief){ .link = &sim.link,
				.lose = 1 + rnd_below(&sim.rnd, 3),
				.mss = (uint32_t)measure_segment(&sim) };
	thief.bytes = thief.lose * thief.mss + 1 + rnd_below(&sim.rnd, 10000);
	sim.conf.lets = take_tail;
	sim.conf.arg = &thief;
	flow = sim_flow(&sim, 1);
	flow->tcp[SIM_SERVER].cookies = SL_COOKIES_NEVER; /* which bring no round trip */
	flow->plan[SIM_CLIENT].send = 100;
	flow->plan[SIM_CLIENT].stays = true;
	flow->plan[SIM_SERVER].send = thief.bytes;
	flow->plan[SIM_SERVER].answers_at = 100;
	flow->plan[SIM_SERVER].stays = seed & 2; /* else the FIN is in the tail */
	flow->plan[SIM_CLIENT].stays = !(seed & 2);
	sim_start(&sim);
	sim_until_closed(&sim, 100);
	sim_assert_streams_equal(&sim);
	assert_true(thief.n_lost > 0);
	took = flow->result[SIM_CLIENT].last_at - thief.last_sent_at;
	most_ms = (uint32_t)((3 + thief.lose) * rtt / MS) + 50 + (thief.lose == 1 ? 200 : 0);
	measure_say("seed %llu: RTT %llu ms, %u of %u segments lost, repaired in %llu ms of %u",
		    (unsigned long long)seed, (unsigned long long)(rtt / MS), thief.n_lost,
		    thief.n_sent, (unsigned long long)(took / MS), most_ms);
	assert_int_equal(sim_count(&sim, 1, rto), 0);
	assert_true(sim_count(&sim, 1, tail_probe) > 0);
	assert_true(took <= most_ms * MS);
	sim_end(&sim);
}

static void
a_lost_tail_is_repaired_by_a_probe_and_not_by_a_time_out(void **state)
{
	for (uint64_t seed = seeds_first(200); seeds_go_on(seed); seed++)
		respond(seed);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SEEDS_TEST(a_lost_tail_is_repaired_by_a_probe_and_not_by_a_time_out),
	};

	return seeds_main(argc, argv, tests);
}
