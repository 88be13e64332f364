/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * talk - see talk.h. The one timer of a connection paces either reading or writing.
 */
#include "talk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096

struct talk {
	uint64_t sent, received;
	bool reading_waits, writing_waits;
	bool ended, shut;
};

static uint8_t
pattern_at(uint64_t i)
{
	return (uint8_t)((i * 2654435761u) >> 13 ^ i);
}

static uint64_t
plan_bytes(const struct talk_plan *plan)
{
	return plan->text != NULL && plan->send == 0 ? strlen(plan->text) : plan->send;
}

static void
maybe_fin(struct sl_conn *c, struct talk *talk)
{
	const struct talk_plan *plan = sl_listener_arg(c);
	bool all_sent = talk->sent == plan_bytes(plan);
	bool wants = plan->fin_at > 0               ? talk->received >= plan->fin_at
		     : plan->fin == TALK_FIN_BEHIND ? all_sent
		     : plan->fin == TALK_FIN_AFTER  ? all_sent && talk->ended
						    : false;

	if (wants && !talk->shut) {
		talk->shut = true;
		sl_shutdown(c);
	}
}

/* Send the next at most @most bytes; returns whether all were accepted. */
static bool
send_piece(struct sl_conn *c, struct talk *talk, uint32_t most)
{
	const struct talk_plan *plan = sl_listener_arg(c);
	uint64_t left = plan_bytes(plan) - talk->sent;
	uint32_t n = left < most ? (uint32_t)left : most;
	uint8_t piece[PIECE];
	uint32_t took;

	for (uint32_t i = 0; i < n; i++)
		piece[i] = plan->text != NULL ? (uint8_t)plan->text[talk->sent + i]
					      : pattern_at(talk->sent + i);
	took = sl_send(c, piece, n);
	talk->sent += took;
	plan->result->sent += took;
	return took == n;
}

static void
talk_write(struct sl_conn *c)
{
	const struct talk_plan *plan = sl_listener_arg(c);
	struct talk *talk = sl_conn_state(c);
	uint64_t all = plan_bytes(plan);

	if (plan->write_ms > 0 && talk->sent < all && !talk->writing_waits) {
		send_piece(c, talk, 1);
		talk->writing_waits = true;
		sl_timer(c, plan->write_ms);
	}
	if (plan->write_ms == 0)
		while (talk->sent < all && send_piece(c, talk, PIECE))
			;
	maybe_fin(c, talk);
}

static int
talk_open(struct sl_conn *c)
{
	const struct talk_plan *plan = sl_listener_arg(c);

	assert(plan->read_ms == 0 || plan->write_ms == 0);
	plan->result->opened++;
	if (plan->write_ms > 0)
		sl_nodelay(c, true);
	talk_write(c);
	return 0;
}

static void
check_byte(const struct talk_plan *plan, uint64_t at, uint8_t byte)
{
	struct talk_result *result = plan->result;

	if (plan->got_room == 0) {
		result->wrong += byte != pattern_at(at);
		return;
	}
	if (result->got == NULL) {
		result->got = calloc(1, plan->got_room + 1);
		assert(result->got != NULL);
	}
	if (at < plan->got_room)
		result->got[at] = (char)byte;
}

static uint32_t
talk_data(struct sl_conn *c, const struct sl_chain *in)
{
	const struct talk_plan *plan = sl_listener_arg(c);
	struct talk *talk = sl_conn_state(c);
	uint32_t want = in->bytes, at = 0, n;
	const void *data;

	if (talk->reading_waits)
		return 0;
	if (plan->read_ms > 0) {
		want = want < plan->read_most ? want : plan->read_most;
		talk->reading_waits = true;
		sl_timer(c, plan->read_ms);
	}
	while (at < want && (n = sl_chain_at(in, at, &data)) > 0) {
		for (uint32_t i = 0; i < n && at < want; i++, at++)
			check_byte(plan, talk->received++, ((const uint8_t *)data)[i]);
	}
	plan->result->received += at;
	if (plan->abort_at > 0 && talk->received >= plan->abort_at)
		sl_abort(c);
	else
		maybe_fin(c, talk);
	return at;
}

static void
talk_timer(struct sl_conn *c)
{
	struct talk *talk = sl_conn_state(c);

	if (talk->writing_waits) {
		talk->writing_waits = false;
		talk_write(c);
	}
	if (talk->reading_waits) {
		talk->reading_waits = false;
		sl_resume(c);
	}
}

static void
talk_peer_closed(struct sl_conn *c)
{
	const struct talk_plan *plan = sl_listener_arg(c);
	struct talk *talk = sl_conn_state(c);

	plan->result->peer_closed++;
	talk->ended = true;
	maybe_fin(c, talk);
}

static void
talk_closed(struct sl_conn *c, enum sl_reason why)
{
	const struct talk_plan *plan = sl_listener_arg(c);

	plan->result->closed++;
	plan->result->why = why;
}

const struct sl_app talk_app = {
	.name = "talk",
	.state_bytes = sizeof(struct talk),
	.opens = &talk_app,
	.open = talk_open,
	.data = talk_data,
	.writable = talk_write,
	.peer_closed = talk_peer_closed,
	.timer = talk_timer,
	.closed = talk_closed,
};

void
talk_result_reset(struct talk_result *result)
{
	free(result->got);
	*result = (struct talk_result){ 0 };
}
