/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer - the clients: many connections, each with little memory, all checking.
 *
 * A connection's address and port are its number and its generation, passed through a
 * permutation of 44 bits: every new one is a fresh tuple that looks random, and an answer
 * names the connection it belongs to. Every answer's numbers are compared with what they
 * must be, the checksums of one in WIRE_SAMPLE; a mistake ends the bench.
 */
#ifndef PERF_PEER_H
#define PERF_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"
#include "world.h"

/* What a connection does next. */
enum peer_stage { PEER_SYN, PEER_ACK, PEER_REQUEST, PEER_FIN, PEER_LAST, PEER_STAGES };

struct peer_conn {
	uint32_t seq;   /* of our next byte */
	uint32_t ack;   /* the server's next byte */
	uint32_t tsecr; /* the server's last timestamp */
	uint32_t gen : 17;
	uint32_t stage : 4;
	uint32_t is_waiting : 1; /* for an answer */
	uint32_t n_new : 8;      /* segments with bytes since our last ACK */
};

struct peer {
	struct world *world;
	struct peer_conn *conn;
	uint32_t n;
	bool v6;
	uint16_t wnd;
	uint64_t random;
	uint32_t tsval;
	uint64_t n_done;     /* connections that went through all stages */
	uint64_t n_segments; /* of them with bytes */
	uint64_t n_repeated; /* of them those that came before */
	/* What each request is answered with, in one segment; none: bytes, however many. */
	const char *response;
	uint16_t n_response;
	/* What it takes to give back what was sent: cycles, and how many packets. */
	uint64_t free_cycles, n_freed;
	/* Called for each right answer; moves the connection on. */
	void (*answered)(struct peer *p, uint32_t i, const struct wire_in *in);
};

/* @n connections, none of them there yet. */
void peer_open(struct peer *p, struct world *w, uint32_t n, bool v6);

/* Send a segment of connection @i, with timestamps; numbers move on. */
void peer_send(struct peer *p, uint32_t i, uint8_t flags, const void *payload, uint16_t len);

/* Hand over what was sent, and take the answers. */
void peer_run(struct peer *p);
/* The same; how many segments with bytes came, 0 if the batch does not count. */
uint64_t peer_segments(struct peer *p);

/* Take the answers. */
void peer_take_answers(struct peer *p);

/* Cycles a packet for giving back what was sent, since it was last asked. */
double peer_free_cost(struct peer *p);

/* A connection that is not waiting for an answer, at random. */
uint32_t peer_pick(struct peer *p);

/* The tuple of the moment of connection @i; and a random one that is none's. */
struct wire_end peer_end(const struct peer *p, uint32_t i);
struct wire_end peer_stranger(struct peer *p);

/* The next segment of connection @i in a life that the client ends, or the server. */
void peer_step(struct peer *p, uint32_t i);
void peer_step_server_closes(struct peer *p, uint32_t i);

/* Bring every connection to PEER_REQUEST. */
void peer_establish(struct peer *p);

/* One request of every connection, in order; answered. */
void peer_request_all(struct peer *p);

extern const char peer_request[64];

#endif
