/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader - a client with a TCP of its own, written apart from the library's, that reads a
 * stream and has habits: it acknowledges seldom or late, knows SACK or not, takes back what
 * it has SACKed (RFC 2018, 8), and lets its window close for a while.
 *
 * It opens, says nothing, closes when the server has, and stores what it gets.
 */
#ifndef SIM_READER_H
#define SIM_READER_H

#include "link.h"

#define READER_MOST 400000u /* bytes of a stream */

struct reader_habits {
	uint32_t ack_every;    /* segments in order; a gap is told of at once */
	uint32_t ack_delay_ms; /* until fewer are acknowledged */
	uint16_t window, mss;
	bool sack;
	uint32_t renege_ppm; /* of its ACKs: behind those all kept out of order is forgotten */
	uint32_t pause_ppm;  /* of its ACKs: behind those the window's edge stays for a while */
	uint32_t pause_ms;
};

struct reader {
	struct reader_habits habits;
	struct link *link;
	unsigned int self, server; /* hosts */
	uint16_t port;             /* of the server */
	bool v6;
	struct rnd rnd;

	bool is_open, has_fin, fin_is_acked;
	uint32_t iss, irs;
	uint32_t next, edge, fin_at; /* offsets in the stream */
	uint32_t newest;             /* offset of the last piece that came */
	uint32_t n_waiting;          /* segments in order not acknowledged yet */
	sl_ns_t ack_at, again_at, paused_until;
	uint32_t n_reneged, n_paused, n_acks;
	uint8_t has[READER_MOST]; /* whether the byte there is */
	uint8_t byte[READER_MOST];
};

/* Join @link as a peer and open a connection to @port of @server. */
void reader_open(struct reader *r, struct link *link, const struct reader_habits *habits,
		 unsigned int server, uint16_t port, bool v6, uint64_t seed);

/* Whether all came, the end included, and the server knows that we have ended, too. */
bool reader_is_done(const struct reader *r);

#endif
