/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packets - had and given back, many at once where a burst needs many.
 *
 * What waits here to be given back is no less there to be had: before a pool is said to be
 * empty, it goes back.
 */
#include <errno.h>
#include <string.h>

#include "tcp/tcp.h"

#define ROOM 2048u /* bytes that a packet of SL_POOL_RETAIN holds at least */

int
sl_tcp_get(struct sl_tcp *tcp, enum sl_pool pool, struct rte_mbuf **m, uint16_t n)
{
	if (tcp->bufs->get(tcp->bufs->ctx, pool, m, n) == 0)
		return 0;
	if (tcp->n_done == 0)
		return -ENOMEM;
	sl_tcp_put_all(tcp);
	return tcp->bufs->get(tcp->bufs->ctx, pool, m, n);
}

/* Have packets at hand, @n of them for somebody now and as many for each of @n_others. */
static void
stock_up(struct sl_tcp *tcp, enum sl_pool pool, uint16_t n, uint32_t n_others)
{
	struct sl_stock *s = &tcp->stock[pool];
	uint32_t most = SL_BURST - s->n;
	uint32_t want = n_others < most ? n * (n_others + 1) : most;

	if (want > most)
		want = most;
	if (want > 1 && want >= n &&
	    tcp->bufs->get(tcp->bufs->ctx, pool, s->m + s->n, (uint16_t)want) == 0)
		s->n += want;
}

int
sl_tcp_get_to_send(struct sl_tcp *tcp, struct rte_mbuf **m, uint16_t n)
{
	struct sl_stock *s = &tcp->stock[SL_POOL_TX];

	if (s->n < n && tcp->output.n > 0)
		stock_up(tcp, SL_POOL_TX, n, tcp->output.n);
	if (s->n >= n) {
		s->n -= n;
		memcpy(m, s->m + s->n, n * sizeof(*m));
		return 0;
	}
	if (sl_tcp_get(tcp, SL_POOL_TX, m, n) == 0)
		return 0;
	sl_count(tcp, no_buffer);
	return -ENOMEM;
}

struct rte_mbuf *
sl_tcp_get_to_keep(struct sl_tcp *tcp, uint32_t bytes)
{
	struct sl_stock *s = &tcp->stock[SL_POOL_RETAIN];
	uint32_t n = (bytes + ROOM - 1) / ROOM;
	struct rte_mbuf *m;

	if (s->n == 0 && tcp->out != NULL)
		stock_up(tcp, SL_POOL_RETAIN, n < SL_BURST ? n : SL_BURST, tcp->deliver.n);
	if (s->n > 0)
		return s->m[--s->n];
	if (sl_tcp_get(tcp, SL_POOL_RETAIN, &m, 1) == 0)
		return m;
	sl_count(tcp, no_buffer);
	return NULL;
}

void
sl_tcp_unstock(struct sl_tcp *tcp, enum sl_pool pool)
{
	struct sl_stock *s = &tcp->stock[pool];

	if (s->n > 0)
		tcp->bufs->put(tcp->bufs->ctx, s->m, s->n);
	s->n = 0;
}

void
sl_tcp_put_all(struct sl_tcp *tcp)
{
	if (tcp->n_done > 0)
		tcp->bufs->put(tcp->bufs->ctx, tcp->done, tcp->n_done);
	tcp->n_done = 0;
}
