/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lent - the small block that a connection has while it is not idle.
 *
 * Most connections have nothing waiting for their application, no gap, no loss, and no memory
 * of one. What that takes is lent with the first of these and given back with the last. One
 * that is out holds a received buffer, or one of the larger blocks. There are as many of them
 * as there may be of these together, so that there is always one: who takes a buffer or a
 * larger block first sees that those are not used up.
 */
#include "tcp/tcp.h"

uint32_t
sl_lent_count(uint32_t rx_buffers, uint32_t n_active)
{
	return rx_buffers + 2 * n_active;
}

struct sl_lent *
sl_lent_take(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_lent *lent = sl_tcb_lent(tcp, tcb);
	uint32_t idx;

	if (lent != NULL)
		return lent;
	idx = sl_slots_get(&tcp->free_lent);
	assert(idx != SL_NO_INDEX);
	tcb->lent = idx;
	lent = &tcp->lent[idx];
	*lent = (struct sl_lent){
		.active = SL_NO_BLOCK,
		.epoch = SL_NO_BLOCK,
		.owner = sl_tcb_idx(tcp, tcb),
	};
	return lent;
}
