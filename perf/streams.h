/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams - the windows of work that more than one group has rows of.
 */
#ifndef PERF_STREAMS_H
#define PERF_STREAMS_H

#include <sluice/app.h>

#include "peer.h"

/* What strangers send. */
enum stranger {
	SENT_SYN,
	SENT_GUESS,           /* an ACK to a listener that checks it */
	SENT_GUESS_UNCHECKED, /* to one that does not, since no cookie is out */
	SENT_STRAY,           /* an ACK to where nobody listens */
	SENT_SYN_CLOSED,      /* a SYN to there */
	SENT_ECHO,
	SENT_UDP,
	SENT_ARP,
	SENT_KINDS,
};

#define STREAM_MORE 7 /* listeners that SYNs scatter to, beside the one at PORT_SERVER */
#define PROOFS_MAX  64

struct stream;
typedef void stream_put(struct stream *s, struct rte_mbuf *m);

/*
 * A stream of packets from strangers. The numbers of a SYN follow from where it is from and
 * where it goes, so that its answer can be judged without a list of what was sent.
 */
struct stream {
	struct world *world;
	struct peer peer; /* its random numbers */
	stream_put *put;
	bool mixes;        /* SYNs of four systems */
	bool scatters;     /* to many ports, not to one */
	bool is_unchecked; /* ACKs, since no cookie is out */

	/* Of a window: what was sent, what came back, and sums over who asked and who heard. */
	uint64_t n_sent[SENT_KINDS];
	uint64_t n_synacks, n_resets, asked, answered;
	struct wire_in proof[PROOFS_MAX]; /* SYN-ACKs whose cookies go back */
	unsigned int n_proofs;
};

stream_put stream_put_syn, stream_put_syn_closed, stream_put_guess, stream_put_stray;
stream_put stream_put_mix; /* nine SYNs, then something else */

void stream_open(struct stream *s, struct world *w, bool v6, stream_put *put);
void stream_open_syn(struct stream *s, struct world *w, bool v6); /* as Linux sends them */

/*
 * Cycles a packet. Everything sent is accounted for, or it ends; the second gives a sample of
 * the window's cookies back, whose connections answer, and end.
 */
double stream_window(void *stream);
double stream_proved_window(void *stream);

/* Requests on random connections of a peer, answered with pinned memory. */
#define REQUEST_STATE_BYTES 16u
extern const struct sl_app request_app;
void request_pin(void);
void request_expect(struct peer *p); /* and nothing else */
double request_window(void *peer);

#endif
