/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer - clients by the million.
 */
#include "peer.h"

#include <string.h>

#include <rte_cycles.h>

#include "bench.h"

#define NUMBER_BITS 44 /* 29 of the address, 15 of the port */
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)
#define GEN_BITS    17
#define GEN_MASK    ((1u << GEN_BITS) - 1)
#define FACTOR      0x9e3779b97f5ull /* odd */

const char peer_request[64] = "GET /index.html HTTP/1.1\r\nHost: perf\r\nAccept: */*\r\n\r\n";

/* What undoes a multiplication by an odd number (Newton). */
static uint64_t
inverse(uint64_t x)
{
	uint64_t y = x;

	for (int i = 0; i < 6; i++)
		y *= 2 - x * y;
	return y;
}

static uint64_t
mix(uint64_t x)
{
	x = x * FACTOR & NUMBER_MASK;
	x ^= x >> (NUMBER_BITS / 2);
	x = x * FACTOR & NUMBER_MASK;
	return x ^ x >> (NUMBER_BITS / 2);
}

static uint64_t
unmix(uint64_t x)
{
	x ^= x >> (NUMBER_BITS / 2);
	x = x * inverse(FACTOR) & NUMBER_MASK;
	x ^= x >> (NUMBER_BITS / 2);
	return x * inverse(FACTOR) & NUMBER_MASK;
}

static struct wire_end
end_of(uint64_t number, bool v6)
{
	uint64_t x = mix(number);

	return (struct wire_end){
		.addr = 0x20000000u | (uint32_t)(x >> 15),
		.port = (uint16_t)(0x8000 | (x & 0x7fff)),
		.server = PORT_SERVER,
		.v6 = v6,
	};
}

static uint64_t
number_of(const struct wire_end *end)
{
	return unmix((uint64_t)(end->addr & 0x1fffffff) << 15 | (end->port & 0x7fff));
}

struct wire_end
peer_end(const struct peer *p, uint32_t i)
{
	return end_of((uint64_t)i << GEN_BITS | p->conn[i].gen, p->v6);
}

/* Above all numbers of connections. */
struct wire_end
peer_stranger(struct peer *p)
{
	uint64_t x = bench_random(&p->random) >> (64 - NUMBER_BITS);

	return end_of(x | 1ull << (NUMBER_BITS - 1), p->v6);
}

void
peer_open(struct peer *p, struct world *w, uint32_t n, bool v6)
{
	static uint64_t seed = 88172645463325252;

	*p = (struct peer){ .world = w, .n = n, .v6 = v6, .wnd = 502, .random = seed };
	seed += 0x9e3779b97f4a7c15ull; /* strangers of one peer are not those of another */
	if (n >> (NUMBER_BITS - 1 - GEN_BITS) != 0)
		bench_fail("more connections than numbers");
	p->conn = bench_memory((size_t)n * sizeof(*p->conn));
}

void
peer_send(struct peer *p, uint32_t i, uint8_t flags, const void *payload, uint16_t len)
{
	struct peer_conn *c = &p->conn[i];
	struct wire_end end = peer_end(p, i);
	struct wire_seg seg = {
		.seq = c->seq,
		.ack = flags & WIRE_ACK ? c->ack : 0,
		.tsval = ++p->tsval / 1024 + 1,
		.tsecr = c->tsecr,
		.wnd = p->wnd,
		.len = len,
		.flags = flags,
		.options = flags & WIRE_SYN ? WIRE_SYN_LINUX : WIRE_TS,
		.payload = payload,
	};

	if (flags & WIRE_SYN)
		seg.wnd = 64240;
	c->seq += len + !!(flags & WIRE_SYN) + !!(flags & WIRE_FIN);
	c->n_new = 0;
	wire_put(world_packet(p->world), &end, &seg);
}

/* An answer must come to a connection of ours, from where it stands, to what it sent. */
static void
take(struct peer *p, const struct rte_mbuf *m, const struct wire_in *in)
{
	uint64_t number = number_of(&in->end);
	uint32_t i = (uint32_t)(number >> GEN_BITS);
	struct peer_conn *c;
	bool is_drawn;

	if (i >= p->n)
		bench_fail("an answer to nobody: flags %02x", in->flags);
	c = &p->conn[i];
	if (c->stage == PEER_SYN && !c->is_waiting && !(in->flags & WIRE_RST)) {
		p->n_repeated++; /* sent again before our last ACK came */
		return;
	}
	if ((number & GEN_MASK) != c->gen)
		bench_fail("an answer to a connection gone: flags %02x", in->flags);
	if (in->flags & WIRE_RST)
		bench_fail("connection %u was reset in stage %u", i, c->stage);
	is_drawn = wire_is_drawn();
	if (is_drawn && !wire_is_right(m))
		bench_fail("a wrong checksum");
	if (in->flags & WIRE_SYN)
		c->ack = in->seq;
	if (in->seq != c->ack && (int32_t)(in->seq - c->ack) < 0) {
		p->n_repeated++;
		return;
	}
	if (in->seq != c->ack || (int32_t)(c->seq - in->ack) < 0)
		bench_fail("connection %u, stage %u: flags %02x, seq is off by %d, ack by %d",
			   i, c->stage, in->flags, (int32_t)(in->seq - c->ack),
			   (int32_t)(in->ack - c->seq));
	c->ack += in->len + !!(in->flags & WIRE_SYN) + !!(in->flags & WIRE_FIN);
	if (in->ts)
		c->tsecr = in->tsval;
	if (in->len > 0) {
		if (p->response != NULL && (c->stage != PEER_REQUEST || !c->is_waiting))
			bench_fail("connection %u has a response in stage %u", i, c->stage);
		if (p->response != NULL && in->len != p->n_response)
			bench_fail("connection %u has %u bytes for a response", i, in->len);
		if (p->response != NULL && is_drawn &&
		    !wire_brings(in, p->response, p->n_response))
			bench_fail("connection %u has another response", i);
		c->n_new++;
		p->n_segments++;
	}
	p->answered(p, i, in);
}

/* What a port does with packets that have left. */
static void
give_back(struct peer *p, struct rte_mbuf **m, uint16_t n)
{
	uint64_t before = rte_rdtsc();

	rte_pktmbuf_free_bulk(m, n);
	p->free_cycles += rte_rdtsc() - before;
	p->n_freed += n;
}

void
peer_take_answers(struct peer *p)
{
	struct rte_mbuf *m[64];
	uint16_t n;

	while ((n = world_sent(p->world, m, 64)) > 0) {
		uint16_t rest = 0;

		for (uint16_t i = 0; i < n; i++) {
			struct wire_in in;

			if (wire_get(m[i], &in))
				take(p, m[i], &in);
			else if (wire_answer_neighbour(m[i])) {
				if (rte_ring_enqueue(p->world->in, m[i]) == 0)
					continue; /* comes with the next burst */
			}
			m[rest++] = m[i];
		}
		give_back(p, m, rest);
	}
}

void
peer_run(struct peer *p)
{
	long before = world_preemptions();
	uint64_t cycles = p->free_cycles, n = p->n_freed;

	world_run(p->world);
	peer_take_answers(p);
	if (world_preemptions() != before) {
		p->free_cycles = cycles;
		p->n_freed = n;
	}
}

uint64_t
peer_segments(struct peer *p)
{
	uint64_t before = p->n_segments;

	peer_run(p);
	return p->world->is_spoilt ? 0 : p->n_segments - before;
}

double
peer_free_cost(struct peer *p)
{
	double cost = (double)p->free_cycles / (double)p->n_freed;

	p->free_cycles = p->n_freed = 0;
	return cost;
}

uint32_t
peer_pick(struct peer *p)
{
	uint32_t i;

	do
		i = bench_below(&p->random, p->n);
	while (p->conn[i].is_waiting);
	return i;
}

/* What every stage but the last waits for moves the connection on when it has come whole. */
static void
stage_answered(struct peer *p, uint32_t i, const struct wire_in *in)
{
	struct peer_conn *c = &p->conn[i];
	bool whole = true;

	if (c->stage == PEER_SYN)
		whole = in->flags & WIRE_SYN;
	else if (c->stage == PEER_REQUEST)
		whole = in->len > 0;
	else if (c->stage == PEER_FIN)
		whole = in->flags & WIRE_FIN;
	if (!c->is_waiting || !whole || in->ack != c->seq)
		return;
	c->is_waiting = false;
	c->stage++;
}

static void
begin(struct peer *p, uint32_t i)
{
	struct peer_conn *c = &p->conn[i];

	c->seq = (uint32_t)bench_random(&p->random);
	c->tsecr = 0;
	p->answered = stage_answered;
	peer_send(p, i, WIRE_SYN, NULL, 0);
	c->is_waiting = true;
}

static void
end(struct peer *p, uint32_t i)
{
	p->conn[i].gen++;
	p->conn[i].stage = PEER_SYN;
	p->n_done++;
}

void
peer_step(struct peer *p, uint32_t i)
{
	struct peer_conn *c = &p->conn[i];

	switch (c->stage) {
	case PEER_SYN:
		begin(p, i);
		break;
	case PEER_ACK:
		peer_send(p, i, WIRE_ACK, NULL, 0);
		c->stage = PEER_REQUEST;
		break;
	case PEER_REQUEST:
		peer_send(p, i, WIRE_ACK | WIRE_PSH, peer_request, sizeof(peer_request));
		c->is_waiting = true;
		break;
	case PEER_FIN:
		peer_send(p, i, WIRE_ACK | WIRE_FIN, NULL, 0);
		c->is_waiting = true;
		break;
	default:
		peer_send(p, i, WIRE_ACK, NULL, 0);
		end(p, i);
		break;
	}
}

/* The response and the server's FIN may be one segment or two; our FIN acknowledges both. */
static void
server_closed_answered(struct peer *p, uint32_t i, const struct wire_in *in)
{
	struct peer_conn *c = &p->conn[i];

	if (c->stage == PEER_SYN) {
		stage_answered(p, i, in);
	} else if (c->stage == PEER_REQUEST && (in->flags & WIRE_FIN)) {
		if (c->n_new == 0)
			bench_fail("connection %u was closed without a response", i);
		c->is_waiting = false;
		c->stage = PEER_FIN;
	} else if (c->stage == PEER_FIN && in->ack == c->seq) {
		c->is_waiting = false;
		end(p, i);
	}
}

void
peer_step_server_closes(struct peer *p, uint32_t i)
{
	peer_step(p, i);
	p->answered = server_closed_answered;
}

void
peer_establish(struct peer *p)
{
	for (enum peer_stage s = PEER_SYN; s <= PEER_ACK; s++)
		for (uint32_t i = 0; i < p->n; i++) {
			peer_step(p, i);
			if (world_batch_is_full(p->world) || i + 1 == p->n)
				peer_run(p);
		}
	world_idle(p->world);
}

void
peer_request_all(struct peer *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		p->conn[i].stage = PEER_REQUEST;
		peer_step(p, i);
		if (world_batch_is_full(p->world) || i + 1 == p->n)
			peer_run(p);
	}
	for (uint32_t i = 0; i < p->n; i++)
		if (p->conn[i].stage != PEER_FIN)
			bench_fail("connection %u has no answer", i);
}
