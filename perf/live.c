/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live - connections: requests on many, whole lives among many.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "floor.h"
#include "streams.h"

#define IN_FLIGHT 4096 /* of connections that the server closes */

static char *response; /* pinned: where the port could read it */
enum { RESPONSE_BYTES = 128 };

struct state {
	uint64_t n_requests;
	uint64_t unused;
};

static_assert(sizeof(struct state) == REQUEST_STATE_BYTES, "the floor has as much for it");

static uint32_t
answer(struct sl_conn *c, const struct sl_chain *in)
{
	struct state *state = sl_conn_state(c);

	state->n_requests++;
	sl_send_pinned(c, response, RESPONSE_BYTES);
	return in->bytes;
}

static uint32_t
answer_and_close(struct sl_conn *c, const struct sl_chain *in)
{
	sl_send_pinned(c, response, RESPONSE_BYTES);
	sl_close(c);
	return in->bytes;
}

const struct sl_app request_app = {
	.name = "keeps",
	.state_bytes = sizeof(struct state),
	.data = answer,
	.peer_closed = sl_close,
};

static const struct sl_app closes = {
	.name = "closes",
	.state_bytes = sizeof(struct state),
	.data = answer_and_close,
};

void
request_expect(struct peer *p)
{
	p->response = response;
	p->n_response = RESPONSE_BYTES;
}

void
request_pin(void)
{
	if (response == NULL)
		response = sl_pin_alloc(RESPONSE_BYTES);
	if (response == NULL)
		bench_fail("no memory for the response");
	for (int i = 0; i < RESPONSE_BYTES; i++)
		response[i] = (char)(i * 31 >> 1);
}

/* Requests on random connections; each acknowledges what was answered before. */
double
request_window(void *arg)
{
	struct peer *p = arg;
	struct world *w = p->world;
	uint64_t cycles = w->cycles, packets = w->packets, n = 0, answers = p->n_segments;

	while (w->packets - packets < WINDOW_UNITS) {
		for (; !world_batch_is_full(w); n++) {
			uint32_t i = peer_pick(p);

			p->conn[i].stage = PEER_REQUEST;
			peer_step(p, i);
		}
		peer_run(p);
	}
	if (p->n_segments - answers != n)
		bench_fail("%lu requests, %lu answers", n, p->n_segments - answers);
	return (double)(w->cycles - cycles) / (double)(w->packets - packets);
}

/* What it takes to give back what the other row sent. */
static double
free_window(void *arg)
{
	struct peer *p = arg;

	peer_free_cost(p);
	request_window(p);
	return peer_free_cost(p);
}

void
group_live(void)
{
	static struct world w;
	static struct peer p;
	static struct stream syn;
	static struct floor f;
	char name[4][32], free_name[48];
	uint32_t n = options.size ? options.size : 1000000;
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "busy_loop", world_busy, &w },
		{ bench_sized(name[0], sizeof(name[0]), "syn_cookie", n), stream_proved_window,
		  &syn },
		{ bench_sized(name[1], sizeof(name[1]), "floor_syn", n), floor_syn, &f },
		{ bench_sized(name[2], sizeof(name[2]), "request", n), request_window, &p },
		{ free_name, free_window, &p },
		{ bench_sized(name[3], sizeof(name[3]), "floor_request", n), floor_request,
		  &f },
	};

	snprintf(free_name, sizeof(free_name), "%s_free", name[2]);
	request_pin();
	/*
	 * Slowed down: whoever's turn comes last waits sixteen times as long as the mean, and
	 * would be sent its answer again.
	 */
	world_open(&w, &(struct world_conf){ .connections = n + 1024,
					     .buffers = 65536 + n / 4,
					     .app = &request_app,
					     .cookies = SL_COOKIES_ALWAYS,
					     .slow = 1 + n / 40000 });
	floor_open(&f, &w, n, n);
	stream_open_syn(&syn, &w, false);
	peer_open(&p, &w, n, false);
	request_expect(&p);
	peer_establish(&p);
	peer_request_all(&p);
	peer_request_all(&p); /* the second gives every one its round trip */
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	world_say_clock(&w, name[2]);
	if (world_count(&w, SL_CNT_live) != n || world_count(&w, SL_CNT_retransmit) > n / 1000)
		bench_fail("%lu live, %lu sent again", world_count(&w, SL_CNT_live),
			   world_count(&w, SL_CNT_retransmit));
	world_close(&w);
}

struct lives {
	struct peer peer;
	void (*step)(struct peer *p, uint32_t i);
	uint64_t ns_each;   /* that pass with each connection that ends */
	uint64_t n_counted; /* connections that ended in batches that count */
};

static void
live_batch(struct lives *l)
{
	struct peer *p = &l->peer;
	uint64_t done = p->n_done;

	while (!world_batch_is_full(p->world))
		l->step(p, peer_pick(p));
	peer_run(p);
	if (!p->world->is_spoilt)
		l->n_counted += p->n_done - done;
	if (l->ns_each > 0)
		world_pass(p->world, l->ns_each * (p->n_done - done));
}

/* Whole lives, each step of a connection at a random moment: cycles per connection. */
static double
lives_window(void *arg)
{
	struct lives *l = arg;
	uint64_t cycles = l->peer.world->cycles, before = l->n_counted;

	while (l->n_counted - before < WINDOW_UNITS)
		live_batch(l);
	return (double)(l->peer.world->cycles - cycles) / (double)(l->n_counted - before);
}

/* Bring connections to every stage alike. */
static void
spread(struct lives *l)
{
	struct peer *p = &l->peer;

	for (unsigned int stage = 0; stage + 1 < PEER_STAGES; stage++)
		for (uint32_t i = 0; i < p->n; i++) {
			if (i % PEER_STAGES > stage)
				l->step(p, i);
			if (world_batch_is_full(p->world) || i + 1 == p->n)
				peer_run(p);
		}
}

/*
 * Of five stages three have a record with the server, or @recorded, so of five clients as many
 * are live. A record lies cold between any two packets of its connection. With very many of
 * them a connection's turn comes so seldom that its timer would go off: time is slowed down.
 */
static void
measure_lives(uint8_t cookies, unsigned int recorded, const char *suffix)
{
	static struct world w;
	static struct lives l = { .step = peer_step };
	static struct floor_lives f;
	uint32_t n = options.size ? options.size : 1000000;
	uint32_t clients = (n + recorded - 1) / recorded * PEER_STAGES,
		 most = n + n / 16 + 1024;
	char size[32], name[48], live[64], floor_name[48];
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "busy_loop", world_busy, &w },
		{ name, lives_window, &l },
		{ bench_sized(floor_name, sizeof(floor_name), "floor_connection", n),
		  floor_life, &f },
		{ "floor_cookie", floor_cookie, &w },
	};
	/* the floors are those of lives with cookies */
	const unsigned int without = cookies == SL_COOKIES_ALWAYS ? 0 : 2;

	snprintf(name, sizeof(name), "%s%s", bench_sized(size, sizeof(size), "connection", n),
		 suffix);
	request_pin();
	world_open(&w, &(struct world_conf){ .connections = most,
					     .app = &request_app,
					     .cookies = cookies,
					     .backlog = n,
					     .slow = 1 + n / 50000 });
	peer_open(&l.peer, &w, clients, false);
	request_expect(&l.peer);
	if (without == 0)
		floor_lives_open(&f, &w, most, clients, 0);
	spread(&l);
	bench_rows(row, sizeof(row) / sizeof(row[0]) - without);
	snprintf(live, sizeof(live), "%.40s_live", name);
	bench_figure(live, "count", (double)world_count(&w, SL_CNT_live));
	world_say_clock(&w, name);
	if (cookies == SL_COOKIES_AUTO && world_count(&w, SL_CNT_cookie_sent) > 0)
		bench_fail("%lu cookies", world_count(&w, SL_CNT_cookie_sent));
	if (world_count(&w, SL_CNT_retransmit) > l.peer.n_done / 1000)
		bench_fail("%lu sent again", world_count(&w, SL_CNT_retransmit));
	world_close(&w);
}

void
group_connection(void)
{
	measure_lives(SL_COOKIES_ALWAYS, 3, "");
}

/* The default: no cookie while there is room for who is half-open, who then has a record, too.
 */
void
group_connection_auto(void)
{
	measure_lives(SL_COOKIES_AUTO, 4, "_auto");
}

/*
 * TIME-WAIT lasts 60 s, in which as many connections end as there are to be records. With less
 * than a million it lasts as much less: that long would be a connection's life else, and
 * cookies older than they may be.
 */
void
group_server_close(void)
{
	static struct world w;
	static struct lives l = { .step = peer_step_server_closes };
	static struct floor_lives f;
	uint32_t n = options.size ? options.size : 1000000;
	uint32_t msl_ms = n < 1000000 ? RTE_MAX(30 * n / 1000, 1u) : 30000;
	char name[40], live[64], floor_name[48];
	const struct bench_row row[] = {
		{ "macswap_loop", world_macswap, &w },
		{ "busy_loop", world_busy, &w },
		{ bench_sized(name, sizeof(name), "connection_server_close", n), lives_window,
		  &l },
		{ bench_sized(floor_name, sizeof(floor_name), "floor_connection_server_close",
			      n),
		  floor_life, &f },
	};

	request_pin();
	world_open(&w, &(struct world_conf){ .connections = 2 * IN_FLIGHT,
					     .time_wait = n + n / 8,
					     .app = &closes,
					     .cookies = SL_COOKIES_ALWAYS,
					     .msl_ms = msl_ms,
					     .rto_min_ms = 10000, /* it is set on by hand, */
					     .slow = 1000 });     /* far between two turns */
	peer_open(&l.peer, &w, IN_FLIGHT, false);
	request_expect(&l.peer);
	floor_lives_open(&f, &w, 2 * IN_FLIGHT, IN_FLIGHT, n + n / 8);
	l.ns_each = 2 * SL_NS_PER_MS * msl_ms / n;
	while (l.peer.n_done < n + n / 4)
		live_batch(&l);
	bench_rows(row, sizeof(row) / sizeof(row[0]));
	snprintf(live, sizeof(live), "%.40s_time_wait", name);
	bench_figure(live, "count", (double)world_count(&w, SL_CNT_time_wait));
	world_say_clock(&w, name);
	if (world_count(&w, SL_CNT_time_wait_retired) > 0)
		bench_fail("TIME-WAIT records were retired");
	world_close(&w);
}
