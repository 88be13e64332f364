/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_cookie - what a connection's cookie costs: made and checked, of 64 at a time.
 *
 * Whoever keeps nothing of a SYN must seal it, and must know the seal again. The other floors
 * are of lines; this is work, and all of it that a life cannot do without is this.
 */
#include <string.h>

#include <rte_cycles.h>

#include "bench.h"
#include "core/core.h"
#include "floor.h"

struct crowd {
	uint64_t addr[1][SL_BURST]; /* both of IPv4's */
	uint64_t syn[SL_BURST], ack[SL_BURST];
};

static void
pick(struct crowd *c)
{
	static uint64_t random = 88172645463325252;

	for (int i = 0; i < SL_BURST; i++) {
		c->addr[0][i] = bench_random(&random);
		c->syn[i] = bench_random(&random);
		c->ack[i] = c->syn[i] + (1ull << 32); /* sequence numbers are above the ports */
	}
}

/* Cycles for the cookies of @c, made and brought back. */
static uint64_t
make_and_check(const struct sl_tcp *tcp, const struct crowd *c)
{
	const uint64_t offset[SL_BURST] = { 0 };
	uint32_t isn[SL_BURST], tsval[SL_BURST];
	uint16_t mss[SL_BURST];
	uint8_t opts[SL_BURST], wscale[SL_BURST];
	struct sl_cookie_batch b = {
		.addr = c->addr,
		.numbers = c->syn,
		.opts = opts,
		.offset = offset,
		.clock = 1u << 20,
	};
	uint64_t before, good;

	for (int i = 0; i < SL_BURST; i++)
		mss[i] = 1460;
	memset(wscale, 7, sizeof(wscale));
	memset(opts, SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS, sizeof(opts));
	before = rte_rdtsc();
	tcp->cookie_many->make(&tcp->cookies, tcp->many, &b, mss, wscale, isn, tsval, SL_BURST);
	for (int i = 0; i < SL_BURST; i++)
		isn[i]++; /* is acknowledged */
	b.numbers = c->ack;
	good = tcp->cookie_many->check(&tcp->cookies, tcp->many, &b, isn, tsval, SL_BURST);
	before = rte_rdtsc() - before;
	if (good != UINT64_MAX)
		bench_fail("cookies just made are not known again: %016lx are", good);
	return before;
}

double
floor_cookie(void *arg)
{
	struct world *w = arg;
	uint64_t cycles = 0, n = 0;
	struct crowd crowd;

	while (n < WINDOW_UNITS) {
		long preempted = world_preemptions();
		uint64_t took;

		pick(&crowd);
		took = make_and_check(&w->core->tcp, &crowd);
		if (world_preemptions() == preempted) {
			cycles += took;
			n += SL_BURST;
		}
	}
	return (double)cycles / (double)n;
}
