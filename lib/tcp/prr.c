/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prr - during fast recovery, sending follows delivery (RFC 9937).
 *
 * While more is in the network than the new window takes, for each byte delivered a share
 * of one is sent, so that the window shrinks evenly over a round trip; once less is, what
 * was delivered may be replaced, and a segment more for an ACK that says all goes well.
 * What may be sent is an allowance, drawn up with each ACK; nothing else grants one.
 */
#include "tcp/recovery.h"
#include "tcp/tcp.h"

void
sl_prr_begin(const struct sl_tcb *tcb, struct sl_active *a, uint32_t flight)
{
	a->recover_fs = flight > 0 ? flight : 1;
	a->prr_inverse = UINT64_MAX / a->recover_fs;
	a->prr_delivered = 0;
	a->prr_out = 0;
	a->prr_room = tcb->mss; /* a fast retransmission, whatever the shares say */
}

/*
 * @x / recover_fs, rounded down: a repair divides once, when it begins. The product with what
 * it came to is never too large, and too small by one at most.
 */
static uint64_t
by_recover_fs(const struct sl_active *a, uint64_t x)
{
	uint64_t q = (uint64_t)((unsigned __int128)x * a->prr_inverse >> 64);

	return q + (x - q * a->recover_fs >= a->recover_fs);
}

/* RFC 9937, 6: more is out than is to be: its share of what was delivered, rounded up. */
static uint32_t
proportional(const struct sl_active *a, uint32_t target)
{
	uint64_t share = (uint64_t)a->prr_delivered * target + a->recover_fs - 1;
	uint64_t may = by_recover_fs(a, share);

	return may > a->prr_out ? (uint32_t)(may - a->prr_out) : 0;
}

/* Less is out: packets are conserved, or grow as in slow start while ACKs make progress. */
static uint32_t
conserving(const struct sl_tcb *tcb, const struct sl_active *a, uint32_t delivered,
	   uint32_t missing, bool is_safe)
{
	uint32_t owed = a->prr_delivered > a->prr_out ? a->prr_delivered - a->prr_out : 0;
	uint32_t room = owed > delivered ? owed : delivered;

	if (is_safe)
		room += tcb->mss;
	return room < missing ? room : missing;
}

void
sl_prr_ack(const struct sl_tcp *tcp, const struct sl_tcb *tcb, struct sl_active *a,
	   uint32_t delivered, bool is_safe)
{
	uint32_t pipe = sl_recovery_pipe(tcp, tcb), target = tcb->cwnd;

	if (a->recover_fs == 0 || delivered == 0)
		return;
	a->prr_delivered += delivered;
	a->prr_room = pipe > target ? proportional(a, target)
				    : conserving(tcb, a, delivered, target - pipe, is_safe);
	if (a->prr_out == 0 && a->prr_room < tcb->mss)
		a->prr_room = tcb->mss;
}

void
sl_prr_late(const struct sl_tcb *tcb, struct sl_active *a)
{
	if (a->recover_fs > 0 && a->prr_room < tcb->mss)
		a->prr_room = tcb->mss;
}

void
sl_prr_sent(struct sl_active *a, uint32_t bytes)
{
	if (a->recover_fs == 0)
		return;
	a->prr_out += bytes;
	a->prr_room -= bytes < a->prr_room ? bytes : a->prr_room;
}
