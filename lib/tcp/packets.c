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

/* Have packets at hand for this connection, @n of them, and as many for each that waits. */
static void
have_spare(struct sl_tcp *tcp, uint16_t n)
{
	uint32_t most = SL_BURST - tcp->n_spare, want = n * (tcp->output.n + 1);
	struct rte_mbuf **to = tcp->spare + tcp->n_spare;

	if (want > most)
		want = most;
	if (want > n && tcp->bufs->get(tcp->bufs->ctx, SL_POOL_TX, to, want) == 0)
		tcp->n_spare += want;
}

int
sl_tcp_get_to_send(struct sl_tcp *tcp, struct rte_mbuf **m, uint16_t n)
{
	if (tcp->n_spare < n)
		have_spare(tcp, n);
	if (tcp->n_spare >= n) {
		tcp->n_spare -= n;
		memcpy(m, tcp->spare + tcp->n_spare, n * sizeof(*m));
		return 0;
	}
	if (sl_tcp_get(tcp, SL_POOL_TX, m, n) == 0)
		return 0;
	sl_count(tcp, no_buffer);
	return -ENOMEM;
}

void
sl_tcp_sent(struct sl_tcp *tcp)
{
	if (tcp->n_spare > 0)
		tcp->bufs->put(tcp->bufs->ctx, tcp->spare, tcp->n_spare);
	tcp->n_spare = 0;
}

void
sl_tcp_put_all(struct sl_tcp *tcp)
{
	if (tcp->n_done > 0)
		tcp->bufs->put(tcp->bufs->ctx, tcp->done, tcp->n_done);
	tcp->n_done = 0;
}
