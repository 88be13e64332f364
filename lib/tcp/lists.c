/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lists - connections that wait: for a callback, to send, for their next hop, to be freed. A
 * connection has one link and a place in one ring, and its bits say where it is.
 */
#include <rte_prefetch.h>

#include "tcp/tcp.h"

void
sl_list_init(struct sl_list *list)
{
	list->head = list->tail = SL_NO_INDEX;
	list->n = 0;
}

/* Append to a list; the caller keeps the flag. */
static void
list_push(struct sl_tcp *tcp, struct sl_list *list, struct sl_tcb *tcb)
{
	uint32_t idx = sl_tcb_idx(tcp, tcb);

	tcb->next = SL_NO_INDEX;
	if (list->tail == SL_NO_INDEX)
		list->head = idx;
	else
		tcp->tcb[list->tail].next = idx;
	list->tail = idx;
	list->n++;
}

static struct sl_tcb *
list_pop(struct sl_tcp *tcp, struct sl_list *list)
{
	struct sl_tcb *tcb;

	if (list->head == SL_NO_INDEX)
		return NULL;
	tcb = &tcp->tcb[list->head];
	list->head = tcb->next;
	if (list->head == SL_NO_INDEX)
		list->tail = SL_NO_INDEX;
	else
		rte_prefetch0(&tcp->tcb[list->head].gen); /* the line of its link */
	list->n--;
	return tcb;
}

/* The place @n behind the first of the ring. */
static uint32_t *
ring_place(const struct sl_tcp *tcp, const struct sl_ring *ring, uint32_t n)
{
	uint32_t at = ring->head + n;

	return &ring->idx[at < tcp->n_tcb ? at : at - tcp->n_tcb];
}

void
sl_tcb_mark(struct sl_tcp *tcp, struct sl_tcb *tcb, uint8_t marks)
{
	tcb->marks |= marks;
	if (tcb->is & SL_IS_IN_DELIVER)
		return;
	tcb->is |= SL_IS_IN_DELIVER;
	*ring_place(tcp, &tcp->deliver, tcp->deliver.n++) = sl_tcb_idx(tcp, tcb);
}

struct sl_tcb *
sl_tcp_pop_deliver(struct sl_tcp *tcp)
{
	struct sl_ring *ring = &tcp->deliver;
	struct sl_tcb *tcb;

	if (ring->n == 0)
		return NULL;
	tcb = &tcp->tcb[*ring_place(tcp, ring, 0)];
	tcb->is &= ~SL_IS_IN_DELIVER;
	ring->n--;
	ring->head = ring->n == 0 || ring->head + 1 == tcp->n_tcb ? 0 : ring->head + 1;
	if (ring->n > 0)
		rte_prefetch0(&tcp->tcb[*ring_place(tcp, ring, 0)].is);
	return tcb;
}

void
sl_tcb_output(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if (tcb->is & (SL_IS_IN_OUTPUT | SL_IS_PARKED | SL_IS_IN_GONE))
		return; /* who is gone has said all, and hangs on this link */
	tcb->is |= SL_IS_IN_OUTPUT;
	tcp->starved = false;
	list_push(tcp, &tcp->output, tcb);
}

struct sl_tcb *
sl_tcp_pop_output(struct sl_tcp *tcp)
{
	struct sl_tcb *tcb = list_pop(tcp, &tcp->output);

	if (tcb != NULL)
		tcb->is &= ~SL_IS_IN_OUTPUT;
	return tcb;
}

void
sl_tcb_park(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	assert(!(tcb->is & (SL_IS_IN_OUTPUT | SL_IS_PARKED)));
	tcb->is |= SL_IS_PARKED;
	list_push(tcp, &tcp->parked, tcb);
}

void
sl_tcp_unpark(struct sl_tcp *tcp)
{
	struct sl_tcb *tcb;

	while ((tcb = list_pop(tcp, &tcp->parked)) != NULL) {
		tcb->is &= ~SL_IS_PARKED;
		sl_tcb_output(tcp, tcb);
	}
}

/* Whether something is still to be said, to the application or the peer. */
static bool
owes_anything(const struct sl_tcb *tcb)
{
	return tcb->marks != 0 ||
	       (tcb->is & (SL_IS_IN_DELIVER | SL_IS_IN_OUTPUT | SL_IS_PARKED));
}

void
sl_tcb_gone(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	if ((tcb->is & SL_IS_IN_GONE) || owes_anything(tcb))
		return;
	tcb->is |= SL_IS_IN_GONE;
	list_push(tcp, &tcp->gone, tcb);
}

struct sl_tcb *
sl_tcp_pop_gone(struct sl_tcp *tcp)
{
	struct sl_tcb *tcb;

	while ((tcb = list_pop(tcp, &tcp->gone)) != NULL) {
		tcb->is &= ~SL_IS_IN_GONE;
		if (!owes_anything(tcb))
			return tcb;
		/* the application woke it up since, so deliver comes to it */
	}
	return NULL;
}
