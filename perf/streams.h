/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams - the windows of work that more than one group has rows of.
 */
#ifndef PERF_STREAMS_H
#define PERF_STREAMS_H

#include <sluice/app.h>

#include "peer.h"

/* A stream of packets from strangers. */
struct stream {
	struct world *world;
	struct peer peer; /* its random numbers and, for proofs, its connections */
	void (*put)(struct stream *s, struct rte_mbuf *m);
	bool answered; /* each packet by a SYN-ACK */
	uint64_t n_in, n_out;
};

/* SYNs as Linux sends them. */
void stream_open_syn(struct stream *s, struct world *w, bool v6);
double stream_window(void *stream);

/* Requests on random connections of a peer, answered with pinned memory. */
#define REQUEST_STATE_BYTES 16u
extern const struct sl_app request_app;
void request_pin(void);
double request_window(void *peer);

#endif
