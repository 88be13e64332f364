/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * window - how many more bytes a peer may send, and when it is worth telling it of more.
 *
 * What is promised is never taken back: rcv_adv, the right edge, only moves on, and in whole
 * steps (RFC 9293, 3.8.6.2.2). All that a window follows from is looked at once; every segment
 * that we send says one.
 */
#include <rte_branch_prediction.h>

#include "tcp/tcp.h"

#define ROUNDED_UP_MOST 64u /* units of the shift that windows may exceed the buffer by */

/* What a window follows from. */
struct space {
	uint32_t size;     /* of the buffer */
	uint32_t unread;   /* bytes in it */
	uint32_t promised; /* bytes that may come already */
};

static inline struct space
space_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	return (struct space){
		.size = sl_tcb_rcvbuf(tcp, tcb),
		.unread = sl_tcb_unread(tcp, tcb),
		.promised = tcb->rcv_adv - tcb->rcv_nxt,
	};
}

/* How far the right edge could move now. */
static inline uint32_t
edge_gain(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct space *s)
{
	uint32_t may = s->size, most = 65535u << tcb->rcv_scale, room;
	uint32_t half = s->size / 2, step = half < tcb->mss ? half : tcb->mss;

	if (unlikely(sl_tcp_is_scarce(tcp)))
		may = sl_tcp_share(tcp, tcb, may);
	room = s->unread < may ? may - s->unread : 0;
	if (room > most)
		room = most;
	return room < s->promised + step ? 0 : room - s->promised;
}

/*
 * What is promised, in units of the shift: never less than that, so that the right edge
 * stays. But a peer that sends crumbs and is not read would push the edge on by rounding
 * alone; beyond some units it is rounded down, as RFC 7323, 2.4 allows. What was promised
 * is taken all the same.
 */
static inline uint32_t
in_units(const struct space *s, uint8_t scale)
{
	uint32_t up = (s->promised + (1u << scale) - 1) >> scale;
	uint32_t room = s->unread < s->size ? s->size - s->unread : 0;
	uint32_t most = room + (ROUNDED_UP_MOST << scale);
	uint32_t field = up << scale <= most ? up : s->promised >> scale;

	return field < 65535 ? field : 65535;
}

uint16_t
sl_tcb_window(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct space s = space_of(tcp, tcb);
	uint8_t scale = tcb->rcv_scale;
	uint32_t field;

	s.promised += edge_gain(tcp, tcb, &s);
	field = in_units(&s, scale);
	tcb->rcv_adv = tcb->rcv_nxt + sl_seq_max(s.promised, field << scale);
	return (uint16_t)field;
}

bool
sl_tcb_window_opened(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	struct space s = space_of(tcp, tcb);
	uint32_t half = s.size / 2;
	uint32_t worth = half < 2u * tcb->mss ? half : 2u * tcb->mss;

	return s.promised < half && edge_gain(tcp, tcb, &s) >= worth &&
	       sl_state_can_receive(tcb->state);
}
