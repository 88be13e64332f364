/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - one core, the wire it hangs on, and the peers at the far end, in virtual time.
 *
 * Time stands still but in world_until(). Every step is followed by the checks that hold
 * always: sl_core_check(), received = the sum of fates, and for each frame that came out
 * the rules of frame.h. The first thing that is wrong ends the script: world->why.
 */
#ifndef SCRIPT_WORLD_H
#define SCRIPT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/core.h>

#include "arena.h"
#include "frame.h"
#include "heapbufs.h"
#include "packet.h"
#include "parse.h"

#define STREAM_MAX (1u << 17)
#define EVENTS_MAX 4096
#define RULES_MAX  8
#define QUEUE_MAX  8192

/* A stream of bytes in one direction, from its first byte on. */
struct stream {
	uint8_t *data; /* STREAM_MAX bytes */
	uint32_t n;
};

/* What the application of a peer's connection was told. */
enum app_what {
	APP_OPENED,
	APP_WRITABLE,
	APP_STALLED,
	APP_PEER_CLOSED,
	APP_TIMER,
	APP_CLOSED,
	APP_WHATS,
};

/* The script's words for an application's callback: on data echo. */
struct rule {
	const char *when;
	char *const *word;
	int n_words;
};

/* The far end of one connection, and what our application knows of it. */
struct peer {
	struct world *world;
	uint8_t id;
	struct ends ends;

	/* the wire */
	uint32_t isn, core_isn; /* theirs, ours */
	bool knows_core_isn;
	uint32_t sent_max; /* beyond the highest relative number we saw from the core */
	uint32_t old_nxt;  /* the same of the incarnation before, as on the wire */
	bool had_before;
	bool ts_theirs, ts_ours;    /* seen in a SYN of that side */
	bool sack_theirs, has_base; /* ts_base is known */
	uint32_t ts_base, ts_last;  /* our TSval the script calls 0; the last seen */
	uint32_t ts_clock;          /* their TSval now, less the milliseconds of world.now */
	struct stream out;          /* what they wrote; where not written, the pattern */
	uint8_t *said;              /* one a byte of out: the script gave it as text */
	uint8_t *last;              /* the last frame the core sent here, for ICMP to quote */
	size_t last_len;

	/* the application */
	struct sl_ref ref;
	bool open, opened;
	uint64_t taking; /* bytes data may still take */
	struct stream got, sent;
	uint32_t offered; /* of them offered before and not taken */
	uint32_t asked;   /* of got: what the script has claimed */
	bool echo;
	struct rule rule[RULES_MAX];
	int n_rules;
};

struct event {
	uint8_t peer, what; /* enum app_what */
	uint8_t reason;     /* of APP_CLOSED */
	bool claimed;
};

/* A segment the core sent. */
struct sent {
	sl_ns_t when;
	struct peer *peer;
	struct pkt pkt; /* numbers relative, but for timestamps */
};

/* A frame lent to the wire: its bytes must not change while it is on its way. */
struct flight {
	struct rte_mbuf *m;
	uint64_t hash;
};

struct world {
	bool v6, deaf; /* deaf: nobody answers ARP and ND */
	bool newreno;  /* what listeners have that do not say */
	bool starved;  /* buffers fail on purpose: what comes out is not compared */
	uint16_t room; /* of a step */
	uint32_t isn_shift;
	struct sl_core_conf *conf;
	struct sl_core *core;
	struct heapbufs heap;
	struct arena arena;
	sl_ns_t now, start;
	struct peer *peer; /* PEERS_MAX of them */

	struct rte_mbuf *held[SL_BURST]; /* to go into the next step */
	uint16_t n_held;
	struct flight flight[QUEUE_MAX];
	unsigned int n_flight;
	struct sent *sent;              /* QUEUE_MAX of them */
	unsigned int n_sent, n_claimed; /* sent[n_claimed..n_sent) wait for a line */
	struct event event[EVENTS_MAX];
	unsigned int n_events;
	uint64_t trace; /* hash of all that came out and when */

	char why[600];
};

/* An empty world with default configuration; nothing runs before world_start(). */
struct world *world_open(bool v6, uint32_t isn_shift);
bool world_start(struct world *w);
/* Give all back. False if something was missing: world->why, free with world_free(). */
bool world_close(struct world *w);
void world_free(struct world *w);

/* Complain; returns false. Only the first complaint is kept. */
bool world_wrong(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for what only the script claims: forgiven, and true, in a starved world. */
bool world_unmet(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Let the time pass up to and including @until, or only until something is sent. */
bool world_until(struct world *w, sl_ns_t until, bool stop_at_sent);

/*
 * Put a frame aside, to go into the next step with the others put aside. With a non-zero
 * @split the mbuf is a chain.
 */
bool world_hold(struct world *w, const uint8_t *frame, size_t len, uint16_t split);
/* Run the core at the present moment, with what was put aside. */
bool world_step(struct world *w);

/* Put aside @p, whose numbers are relative, as sent by @peer. */
bool peer_send(struct peer *peer, const struct pkt *p);
bool peer_icmp(struct peer *peer, const struct icmp *icmp);
/* Forget what was learnt of the tuple: a new incarnation, from @isn on. */
void peer_renew(struct peer *peer, uint32_t isn);
struct sl_tuple peer_tuple(const struct peer *peer);

/* The byte at @i of what a peer sends, or of what our application sends. */
uint8_t pattern_in(uint32_t i);
uint8_t pattern_out(uint32_t i);

/* app.c: the application that does what the script says. */
extern const struct sl_app script_app;
/* Do @word[0..n) on the connection of @peer, between steps. */
bool app_do(struct peer *peer, char *const *word, int n);
/* Whether what the script claims of the application is so. */
bool app_claim(struct peer *peer, char *const *word, int n);
/* Is @word[0..n) a command of app_do()? `timer 500` is one, `timer` is a claim. */
bool app_is_command(char *const *word, int n);

#endif
