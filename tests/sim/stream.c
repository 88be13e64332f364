/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream - see stream.h. The random bytes repeat after more than any window holds.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"

#define PERIOD 4194301u /* a prime: the bytes that repeat begin at no round number */
#define PIECE  65536u

static const uint8_t *
random_bytes(void)
{
	static uint8_t bytes[PERIOD];
	static struct rnd rnd;

	if (rnd.s == 0) {
		for (uint32_t i = 0; i < PERIOD; i++)
			bytes[i] = (uint8_t)rnd_u64(&rnd);
	}
	return bytes;
}

const uint8_t *
stream_bytes(uint32_t key, uint64_t at, uint32_t *n)
{
	uint32_t from = (uint32_t)((at + key) % PERIOD);

	if (*n > PERIOD - from)
		*n = PERIOD - from;
	return random_bytes() + from;
}

static const struct stream_plan *
plan_of(struct sl_conn *c)
{
	return sl_listener_arg(c);
}

static bool
may_begin(const struct stream_plan *plan)
{
	return plan->result->received >= plan->answers_at;
}

static void
maybe_shut(struct sl_conn *c)
{
	const struct stream_plan *plan = plan_of(c);
	bool all = plan->result->sent == plan->send && may_begin(plan);
	bool may = !plan->stays || plan->result->peer_closed > 0;
	bool late = plan->shut_at != 0 && plan->link->now >= plan->shut_at;
	bool *is_shut = sl_conn_state(c);

	if (((all && may) || late) && !*is_shut) {
		*is_shut = true;
		sl_shutdown(c);
	}
}

/* Send at most @most bytes more. False: no more were accepted, or there are none. */
static bool
send_some(struct sl_conn *c, uint32_t most)
{
	const struct stream_plan *plan = plan_of(c);
	struct stream_result *result = plan->result;
	uint64_t left = plan->send - result->sent;
	uint32_t n = left < most ? (uint32_t)left : most, took;
	const uint8_t *bytes = stream_bytes(plan->key, result->sent, &n);

	if (n == 0 || !may_begin(plan))
		return false;
	took = plan->copies ? sl_send(c, bytes, n) : sl_send_pinned(c, bytes, n);
	result->sent += took;
	return took == n;
}

static void
stream_writable(struct sl_conn *c)
{
	bool *is_shut = sl_conn_state(c);

	if (plan_of(c)->pause_ms != 0 || *is_shut)
		return;
	while (send_some(c, PIECE))
		;
	maybe_shut(c);
}

static void
arm(struct sl_conn *c)
{
	const struct stream_plan *plan = plan_of(c);

	if (plan->pause_ms != 0)
		sl_timer(c, 1 + rnd_below(&plan->result->rnd, plan->pause_ms));
}

/* A turn of one with a pace: write some, read some. */
static void
stream_timer(struct sl_conn *c)
{
	const struct stream_plan *plan = plan_of(c);
	bool *is_shut = sl_conn_state(c);

	if (!*is_shut)
		send_some(c, 1 + rnd_below(&plan->result->rnd, plan->most));
	maybe_shut(c);
	plan->result->may_read = 1 + rnd_below(&plan->result->rnd, plan->most);
	sl_resume(c);
	arm(c);
}

static int
stream_open(struct sl_conn *c)
{
	const struct stream_plan *plan = plan_of(c);

	plan->result->opened++;
	plan->result->rnd = (struct rnd){ plan->key };
	arm(c);
	stream_writable(c);
	return 0;
}

static void
check_bytes(const struct stream_plan *plan, const uint8_t *data, uint32_t len)
{
	struct stream_result *result = plan->result;

	while (len > 0) {
		uint32_t n = len;
		const uint8_t *want = stream_bytes(plan->hears, result->received, &n);

		if (memcmp(data, want, n) != 0 && !result->is_wrong) {
			result->is_wrong = true;
			result->wrong_at = result->received;
			while (data[result->wrong_at - result->received] ==
			       want[result->wrong_at - result->received])
				result->wrong_at++;
		}
		result->received += n;
		data += n;
		len -= n;
	}
}

static uint32_t
stream_data(struct sl_conn *c, const struct sl_chain *in)
{
	const struct stream_plan *plan = plan_of(c);
	struct stream_result *result = plan->result;
	uint32_t want = in->bytes, at = 0, n;
	const void *data;

	if (plan->pause_ms != 0 && want > result->may_read)
		want = result->may_read;
	result->may_read -= plan->pause_ms != 0 ? want : 0;
	if (result->received == 0)
		result->first_at = plan->link->now;
	result->last_at = plan->link->now;
	while (at < want && (n = sl_chain_at(in, at, &data)) > 0) {
		n = n < want - at ? n : want - at;
		check_bytes(plan, data, n);
		at += n;
	}
	stream_writable(c); /* an answer may be due */
	return at;
}

static void
stream_peer_closed(struct sl_conn *c)
{
	plan_of(c)->result->peer_closed++;
	maybe_shut(c);
}

static void
stream_closed(struct sl_conn *c, enum sl_reason why)
{
	plan_of(c)->result->closed++;
	plan_of(c)->result->why = why;
}

const struct sl_app stream_app = {
	.name = "stream",
	.state_bytes = sizeof(bool),
	.opens = &stream_app,
	.open = stream_open,
	.data = stream_data,
	.writable = stream_writable,
	.peer_closed = stream_peer_closed,
	.timer = stream_timer,
	.closed = stream_closed,
};
