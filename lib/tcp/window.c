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
	uint32_t room;     /* left in it */
	uint32_t promised; /* bytes that may come already */
};

static inline struct space
space_of(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	uint32_t size = sl_tcb_rcvbuf(tcp, tcb), unread = sl_tcb_unread(tcp, tcb);

	return (struct space){
		.size = size,
		.room = unread < size ? size - unread : 0,
		.promised = tcb->rcv_adv - tcb->rcv_nxt,
	};
}

/* What could be promised now: more by a step at least, or what is already. */
static inline uint32_t
to_promise(const struct sl_tcp *tcp, const struct sl_tcb *tcb, const struct space *s)
{
	uint32_t room = s->room, most = 65535u << tcb->rcv_scale;
	uint32_t half = s->size / 2, step = half < tcb->mss ? half : tcb->mss;

	if (unlikely(sl_tcp_is_scarce(tcp))) {
		uint32_t kept = s->size - sl_tcp_share(tcp, tcb, s->size);

		room = room > kept ? room - kept : 0;
	}
	if (room > most)
		room = most;
	return room < s->promised + step ? s->promised : room;
}

/*
 * What is @promised, in units of the shift: never less than that, so that the right edge
 * stays. But a peer that sends crumbs and is not read would push the edge on by rounding
 * alone; beyond some units it is rounded down, as RFC 7323, 2.4 allows. What was promised
 * is taken all the same.
 */
static inline uint32_t
in_units(uint32_t promised, uint32_t room, uint8_t scale)
{
	uint32_t up = (promised + (1u << scale) - 1) >> scale;
	uint32_t field = up <= (room >> scale) + ROUNDED_UP_MOST ? up : promised >> scale;

	return field < 65535 ? field : 65535;
}

uint16_t
sl_tcb_window(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct space s = space_of(tcp, tcb);
	uint32_t promised = to_promise(tcp, tcb, &s), scale = tcb->rcv_scale;
	uint32_t field = in_units(promised, s.room, scale), said = field << scale;

	tcb->rcv_adv = tcb->rcv_nxt + (said > promised ? said : promised);
	return (uint16_t)field;
}

bool
sl_tcb_window_opened(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	struct space s = space_of(tcp, tcb);
	uint32_t half = s.size / 2;
	uint32_t worth = half < 2u * tcb->mss ? half : 2u * tcb->mss;

	return s.promised < half && to_promise(tcp, tcb, &s) - s.promised >= worth &&
	       sl_state_can_receive(tcb->state);
}
