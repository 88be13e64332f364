/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cable - the queue is a ring of the moments at which frames have left it, which are known
 * when a frame is put in; it needs no events of its own. What is on its way is a list by
 * arrival, to whose end nearly all frames go.
 */
#include "cable.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION    1000000u
#define ETHER_LEN  14u
#define TYPE_IP4   0x0800
#define TYPE_IP6   0x86dd
#define BURST_BITS 15u /* any pattern in so many bits in a row changes the sum of RFC 1071 */

static bool
happens(struct cable *cable, uint32_t ppm)
{
	return ppm > 0 && rnd_below(&cable->rnd, MILLION) < ppm;
}

void
cable_open(struct cable *cable, const struct cable_conf *conf, uint64_t seed)
{
	*cable = (struct cable){ .conf = *conf, .rnd = { seed } };
}

void
cable_close(struct cable *cable)
{
	struct cable_frame *frame;

	while ((frame = cable_take(cable, UINT64_MAX)) != NULL)
		free(frame);
	free(cable->waiting);
	cable->waiting = NULL;
}

static void *
must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "cable: out of memory\n");
		abort();
	}
	return p;
}

/* Forget what has left the queue by @now. */
static void
drain(struct cable *cable, sl_ns_t now)
{
	while (cable->n_waiting > 0) {
		struct cable_waiting *w = &cable->waiting[cable->first_waiting];

		if (w->leaves > now)
			return;
		cable->bytes_waiting -= w->len;
		cable->first_waiting = (cable->first_waiting + 1) % CABLE_QUEUE_MOST;
		cable->n_waiting--;
	}
}

/* Stand in the queue. False: it is full; else *@leaves is when the last bit is sent. */
static bool
wait_for_turn(struct cable *cable, sl_ns_t now, size_t len, sl_ns_t *leaves)
{
	const struct cable_conf *conf = &cable->conf;
	uint32_t frames = conf->queue_frames != 0 ? conf->queue_frames : CABLE_QUEUE_MOST;
	sl_ns_t begins = cable->busy_until > now ? cable->busy_until : now;

	if (conf->rate == 0) {
		*leaves = now;
		return true;
	}
	if (cable->waiting == NULL)
		cable->waiting = must(calloc(CABLE_QUEUE_MOST, sizeof(*cable->waiting)));
	drain(cable, now);
	if (cable->n_waiting >= frames ||
	    (conf->queue_bytes != 0 && cable->bytes_waiting + len > conf->queue_bytes))
		return false;
	*leaves = begins + len * 8 * SL_NS_PER_S / conf->rate;
	cable->busy_until = *leaves;
	cable->waiting[(cable->first_waiting + cable->n_waiting++) % CABLE_QUEUE_MOST] =
		(struct cable_waiting){ .leaves = *leaves, .len = (uint32_t)len };
	cable->bytes_waiting += len;
	if (cable->bytes_waiting > cable->most_waiting)
		cable->most_waiting = cable->bytes_waiting;
	return true;
}

/* A frame may begin or end a burst before its own lot is drawn. */
static bool
is_lost(struct cable *cable, sl_ns_t now)
{
	const struct cable_conf *conf = &cable->conf;

	if (conf->burst_most != 0 && now - cable->burst_since > conf->burst_most)
		cable->in_burst = false;
	if (happens(cable, cable->in_burst ? conf->burst_end_ppm : conf->burst_begin_ppm)) {
		cable->in_burst = !cable->in_burst;
		cable->burst_since = now;
	}
	if (cable->in_burst && happens(cable, conf->burst_loss_ppm))
		return true;
	return happens(cable, conf->loss_ppm);
}

static uint16_t
type_of(const uint8_t *bytes)
{
	return (uint16_t)(bytes[12] << 8 | bytes[13]);
}

static bool
is_too_big(const struct cable *cable, const uint8_t *bytes, size_t len)
{
	bool ip = type_of(bytes) == TYPE_IP4 || type_of(bytes) == TYPE_IP6;

	return ip && cable->conf.mtu != 0 && len - ETHER_LEN > cable->conf.mtu;
}

/* Where bits may be flipped so that a checksum tells: not in all of IPv6's own header. */
static size_t
covered_from(const uint8_t *bytes)
{
	return type_of(bytes) == TYPE_IP4 ? ETHER_LEN : ETHER_LEN + 8;
}

static void
flip_bits(struct cable *cable, uint8_t *bytes, size_t len)
{
	size_t from = covered_from(bytes);
	uint32_t bits = (uint32_t)(len - from) * 8 - BURST_BITS;
	uint32_t at = rnd_below(&cable->rnd, bits);
	uint32_t pattern = 1 + rnd_below(&cable->rnd, (1u << BURST_BITS) - 1);

	for (uint32_t i = 0; i < BURST_BITS; i++)
		bytes[from + (at + i) / 8] ^= (pattern >> i & 1) << (7 - (at + i) % 8);
	cable->corrupted++;
}

/* A frame to a group may be refused before anyone looks into it. */
static bool
may_be_corrupted(const uint8_t *bytes, size_t len)
{
	bool ip = type_of(bytes) == TYPE_IP4 || type_of(bytes) == TYPE_IP6;

	return ip && !(bytes[0] & 1) && len >= covered_from(bytes) + 20;
}

/* Send a copy off, to arrive when it may. */
static void
send_off(struct cable *cable, sl_ns_t due, const uint8_t *bytes, size_t len)
{
	struct cable_frame *frame = must(malloc(sizeof(*frame) + len));
	struct cable_frame *before = cable->last;

	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	if (may_be_corrupted(bytes, len) && happens(cable, cable->conf.corrupt_ppm))
		flip_bits(cable, frame->bytes, len);
	if (cable->conf.jitter > 0)
		due += rnd_u64(&cable->rnd) % (cable->conf.jitter + 1);
	if (happens(cable, cable->conf.late_ppm)) {
		due += cable->conf.late;
		cable->late++;
	}
	frame->due = due;
	while (before != NULL && before->due > due)
		before = before->prev;
	frame->prev = before;
	frame->next = before ? before->next : cable->first;
	*(frame->next ? &frame->next->prev : &cable->last) = frame;
	*(before ? &before->next : &cable->first) = frame;
}

static enum cable_fate
carry(struct cable *cable, sl_ns_t now, const uint8_t *bytes, size_t len)
{
	sl_ns_t leaves;

	if (is_too_big(cable, bytes, len))
		return CABLE_TOO_BIG;
	if (!wait_for_turn(cable, now, len, &leaves))
		return CABLE_DROPPED;
	if (is_lost(cable, now))
		return CABLE_LOST;
	send_off(cable, leaves + cable->conf.delay, bytes, len);
	if (happens(cable, cable->conf.duplicate_ppm)) {
		send_off(cable, leaves + cable->conf.delay, bytes, len);
		cable->duplicated++;
	}
	return CABLE_CARRIED;
}

enum cable_fate
cable_put(struct cable *cable, sl_ns_t now, const uint8_t *bytes, size_t len)
{
	enum cable_fate fate = carry(cable, now, bytes, len);

	cable->put++;
	cable->fate[fate]++;
	return fate;
}

struct cable_frame *
cable_take(struct cable *cable, sl_ns_t now)
{
	struct cable_frame *frame = cable->first;

	if (frame == NULL || frame->due > now)
		return NULL;
	cable->first = frame->next;
	*(frame->next ? &frame->next->prev : &cable->last) = NULL;
	cable->taken++;
	return frame;
}
