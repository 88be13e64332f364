/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim - see sim.h. Port and listener of flow i are the i-th on either side.
 */
#include "sim.h"

#include <string.h>

#include "core/core.h"
#include "trace.h"

#define CLIENT 0u

void
sim_init(struct sim *sim, uint64_t seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->conf = (struct link_conf){ .seed = seed, .check_every = 1 };
	sim->rnd = (struct rnd){ seed };
	sim->v6 = seed & 1;
	sim->spans = 4096;
	sim->rx_buffers = 8192;
	sim->n_servers = 1;
}

struct sim_flow *
sim_flow(struct sim *sim, unsigned int server)
{
	struct sim_flow *flow = &sim->flow[sim->n_flows++];

	assert_in_range(sim->n_flows, 1, SIM_FLOWS_MAX);
	assert_in_range(server, 1, SIM_SERVERS_MAX);
	if (server > sim->n_servers)
		sim->n_servers = server;
	flow->server = server;
	for (int side = 0; side < SIM_SIDES; side++) {
		struct stream_plan *plan = &flow->plan[side];

		sl_tcp_defaults(&flow->tcp[side]);
		plan->key = (uint32_t)rnd_u64(&sim->rnd);
		plan->link = &sim->link;
		plan->result = &flow->result[side];
	}
	flow->plan[SIM_CLIENT].hears = flow->plan[SIM_SERVER].key;
	flow->plan[SIM_SERVER].hears = flow->plan[SIM_CLIENT].key;
	return flow;
}

/* Host @i is told of all others, so that it need not ask for them through the damage. */
static void
introduce(struct sim *sim, unsigned int i)
{
	for (unsigned int j = 0; j < sim->link.n_hosts; j++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct sl_event event = { .kind = SL_EVENT_NEIGHBOUR };

			event.neighbour.addr = link_addr(j, v6);
			memcpy(event.neighbour.mac, sim->link.host[j].mac, 6);
			event.neighbour.reachable = true;
			if (i != j)
				sl_core_event(sim->link.host[i].core, sim->link.now, &event);
		}
	}
}

static void
join_host(struct sim *sim, unsigned int i)
{
	static struct sl_core_conf conf;

	link_host_conf(&conf, i);
	conf.connections = conf.active = conf.time_wait = 2 * SIM_FLOWS_MAX;
	conf.spans = sim->spans;
	conf.rx_buffers = sim->rx_buffers;
	conf.secret.k[1] = rnd_u64(&sim->rnd); /* sequence numbers begin anywhere */
	for (unsigned int f = 0; f < sim->n_flows; f++) {
		struct sim_flow *flow = &sim->flow[f];
		enum sim_side side = i == CLIENT ? SIM_CLIENT : SIM_SERVER;

		if (i != CLIENT && flow->server != i)
			continue;
		link_listen(&conf, i == CLIENT ? 0 : (uint16_t)(SIM_PORT + f), &stream_app,
			    &flow->plan[side])
			->tcp = flow->tcp[side];
	}
	link_join(&sim->link, &conf);
}

void
sim_start(struct sim *sim)
{
	if (seeds_trace())
		trace_all(&sim->conf, &sim->link);
	link_open(&sim->link, &sim->conf);
	sim->link.now += rnd_u64(&sim->rnd) % (100 * 24 * 3600 * SL_NS_PER_S);
	for (unsigned int i = 0; i <= sim->n_servers; i++) {
		join_host(sim, i);
		link_cable(&sim->link, i, i == CLIENT ? &sim->down : &sim->up[i - 1]);
	}
	for (unsigned int i = 0; i <= sim->n_servers; i++)
		introduce(sim, i);
	for (unsigned int f = 0; f < sim->n_flows; f++)
		if (!sim->flow[f].waits)
			sim_connect(sim, &sim->flow[f]);
}

void
sim_connect(struct sim *sim, const struct sim_flow *flow)
{
	uint16_t f = (uint16_t)(flow - sim->flow);

	assert_int_equal(
		link_connect(&sim->link, CLIENT, f, flow->server, SIM_PORT + f, sim->v6), 0);
}

void
sim_pass(struct sim *sim, sl_ns_t span)
{
	link_run(&sim->link, span, NULL, NULL);
}

static bool
all_are_closed(void *arg)
{
	const struct sim *sim = arg;

	for (unsigned int f = 0; f < sim->n_flows; f++)
		for (int side = 0; side < SIM_SIDES; side++)
			if (sim->flow[f].result[side].closed == 0)
				return false;
	return true;
}

void
sim_until_closed(struct sim *sim, uint32_t seconds)
{
	assert_true(link_run(&sim->link, seconds * SL_NS_PER_S, all_are_closed, sim));
}

static void
assert_heard_all(const struct stream_result *said, const struct stream_result *heard)
{
	assert_int_equal(heard->opened, 1);
	assert_int_equal(heard->closed, 1);
	assert_int_equal(heard->why, SL_REASON_FIN);
	assert_int_equal(heard->peer_closed, 1);
	if (heard->is_wrong)
		fail_msg("a wrong byte at %llu", (unsigned long long)heard->wrong_at);
	assert_int_equal(heard->received, said->sent);
}

void
sim_assert_streams_equal(struct sim *sim)
{
	for (unsigned int f = 0; f < sim->n_flows; f++) {
		const struct stream_result *result = sim->flow[f].result;

		assert_heard_all(&result[SIM_CLIENT], &result[SIM_SERVER]);
		assert_heard_all(&result[SIM_SERVER], &result[SIM_CLIENT]);
	}
}

/*
 * Fates of packets that are not what their sender made them. Of ICMP the addresses are
 * looked at before the checksum.
 */
static uint64_t
refused_as_damaged(const struct sl_stats *stats)
{
	static const enum sl_fate damaged[] = {
		SL_FATE_ip4_bad,      SL_FATE_ip4_checksum, SL_FATE_ip6_bad,
		SL_FATE_ip_fragment,  SL_FATE_ip_proto,     SL_FATE_tcp_bad,
		SL_FATE_tcp_checksum, SL_FATE_icmp_bad,     SL_FATE_nd_bad,
		SL_FATE_ip_not_ours,  SL_FATE_ip_source,
	};
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		n += stats->fate[damaged[i]];
	return n;
}

void
sim_assert_nothing_is_kept(const struct link_host *host)
{
	const struct sl_tcp *tcp = &host->core->tcp;

	assert_int_equal(tcp->stats.count[SL_CNT_live], 0);
	assert_int_equal(tcp->stats.count[SL_CNT_time_wait], 0);
	assert_int_equal(tcp->stats.count[SL_CNT_active], 0);
	assert_int_equal(tcp->stats.count[SL_CNT_kept], 0);
	assert_int_equal(sl_slots_free_count(&tcp->free_span), tcp->n_span);
	assert_int_equal(tcp->n_key6_free, tcp->n_key6);
	assert_int_equal(host->hb.out, 0);
}

void
sim_end(struct sim *sim)
{
	const struct sl_event kill = { .kind = SL_EVENT_KILL };

	for (unsigned int i = 0; i < sim->link.n_hosts && !all_are_closed(sim); i++)
		sl_core_event(sim->link.host[i].core, sim->link.now, &kill);
	sim_pass(sim, 300 * SL_NS_PER_S);
	for (unsigned int i = 0; i < sim->link.n_hosts; i++) {
		const struct link_host *host = &sim->link.host[i];

		sim_assert_nothing_is_kept(host);
		assert_int_equal(refused_as_damaged(sl_core_stats(host->core)),
				 host->cable.corrupted);
	}
	link_close(&sim->link);
}
