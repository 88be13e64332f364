/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recovery - how losses are found and repaired: what recovery.c, sack.c, rack.c, probe.c and
 * prr.c do for each other, and for what hears, sends and waits.
 */
#ifndef SL_TCP_RECOVERY_H
#define SL_TCP_RECOVERY_H

#include "tcp/tcp.h"

/* --- recovery.c --- */

/* What ack.c sees in an acknowledgement. */
struct sl_news {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t left;      /* sl_recovery_left() before it came */
	uint32_t out;       /* in flight before it came, less those */
	struct sl_sack dup; /* what came twice, says the peer */
	bool has_dup;       /* RFC 2883 */
	bool has_sack;      /* there are blocks, and SACK was agreed */
	bool is_repeat;     /* nothing but the same once more */
	bool is_duplicate;  /* and that means something: RFC 5681, 2 */
};

/* Before spans are freed: all below SEG.ACK is delivered. */
void sl_recovery_delivered(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg);
/* Look for losses once SND.UNA has moved; true if some were found. */
bool sl_recovery_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_seg *seg,
		     const struct sl_news *news);
/* The reordering timer went off; true if what was late is lost now. */
bool sl_recovery_late(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Bytes that left the network, though not acknowledged: SACKed, or by duplicate ACKs. */
uint32_t sl_recovery_left(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
/* Take @s for lost, if it was sent again, too; returns its length. */
uint32_t sl_recovery_lose(struct sl_active *a, struct sl_span *s);
/* Whether congestion control lets another @len bytes go. */
bool sl_recovery_lets(const struct sl_tcp *tcp, const struct sl_tcb *tcb, uint32_t len);
/* The retransmission timer went off: all in flight is doubted. */
void sl_recovery_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* A router dropped what was too big for it: sent again in smaller pieces, no congestion. */
void sl_recovery_too_big(struct sl_tcp *tcp, struct sl_tcb *tcb);
/* Bytes in the network as far as we know (RFC 6675, pipe). */
uint32_t sl_recovery_pipe(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
/* The next span taken for lost and not sent again yet; NULL: none. */
struct sl_span *sl_recovery_lost(const struct sl_tcp *tcp, const struct sl_tcb *tcb);

/* --- sack.c --- */

/* Mark what the blocks of @seg cover whole. */
void sl_sack_take(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		  const struct sl_seg *seg);
/* Whether the first block of @seg is a D-SACK, of @dup; SND.UNA has moved already. */
bool sl_sack_tells_dup(const struct sl_tcb *tcb, const struct sl_seg *seg, struct sl_sack *dup);

/* --- rack.c --- */

/* As below, where it may be the shortest. */
void sl_rack_shorter(struct sl_tcb *tcb, uint32_t rtt_us);

/* A round trip was measured on what was sent once. No sample is yet: less one, that is most. */
static inline void
sl_rack_rtt(struct sl_tcb *tcb, uint32_t rtt_us)
{
	if (unlikely(rtt_us / 16 <= tcb->min_rtt_us16 - 1u))
		sl_rack_shorter(tcb, rtt_us);
}

/* @s was delivered, says @seg; in order of sequence within one ACK. */
void sl_rack_delivered(const struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		       const struct sl_span *s, const struct sl_seg *seg);
/* Mark what is lost, set a->reo_due for what may be; returns the bytes newly lost. */
uint32_t sl_rack_find_lost(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a);
/* RFC 8985, 6.3: what a time-out takes for lost. */
void sl_rack_timeout(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a);
/* A D-SACK came for what we resent: wait longer from now on. */
void sl_rack_resent_in_vain(struct sl_tcb *tcb, struct sl_active *a);
/* A recovery is over: after some, patience shrinks again. */
void sl_rack_recovered(struct sl_tcb *tcb);

/* --- probe.c --- */

/* Of that below, what does not depend on what is in flight: SACK, and no trouble before. */
static inline bool
sl_probe_is_agreed(const struct sl_tcb *tcb)
{
	return (tcb->is & SL_IS_SACK) && tcb->backoff == 0 && !tcb->probe_doubt;
}

/* Whether a tail loss probe may be waited for: bytes are out, and nothing is wrong yet. */
bool sl_probe_may(const struct sl_tcp *tcp, const struct sl_tcb *tcb);
uint32_t sl_probe_ms(const struct sl_tcb *tcb); /* for how long: RFC 8985, 7.2 */
/* It is time: output will send it. False if there is no block to remember it in. */
bool sl_probe_owe(struct sl_tcp *tcp, struct sl_tcb *tcb);
void sl_probe_sent(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, bool is_new);
/* Something stronger took over. @a may be NULL. */
void sl_probe_forget(struct sl_tcb *tcb, struct sl_active *a);
/* What an ACK means for a probe; true if that explains its D-SACK. @a may be NULL. */
bool sl_probe_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
		  const struct sl_news *news);

/* --- prr.c --- */

/* A recovery begins, @flight bytes being out before the ACK that says so. */
void sl_prr_begin(const struct sl_tcb *tcb, struct sl_active *a, uint32_t flight);
/* An ACK delivered bytes; @is_safe if it moved SND.UNA and showed no further loss. */
void sl_prr_ack(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_active *a,
		uint32_t delivered, bool is_safe);
/* A timer found losses, without an ACK: a segment may go. */
void sl_prr_late(const struct sl_tcb *tcb, struct sl_active *a);
void sl_prr_sent(struct sl_active *a, uint32_t bytes);

#endif
