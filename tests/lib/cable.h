/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cable - one direction of a network in virtual time, and all that it may do to a frame.
 *
 * A frame waits for its turn in a queue that drops what does not fit, takes its time to
 * be sent, is lost or not, and is away for a while. It may be damaged, come twice, or be
 * late so that others overtake it. Whatever is put in has one fate and is counted:
 *
 *	put + duplicated = lost + too_big + dropped + taken + on its way
 *
 * All is drawn from one seed in the order of the frames.
 */
#ifndef TEST_CABLE_H
#define TEST_CABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "random.h"

#define CABLE_QUEUE_MOST 4096 /* frames that may wait at a sender with a rate */

/* All zero: nothing happens to a frame, and it takes no time. Shares are of a million. */
struct cable_conf {
	sl_ns_t delay;
	sl_ns_t jitter;        /* added at random, 0 to this: frames overtake each other */
	uint64_t rate;         /* bits a second; 0: no limit, and no queue */
	uint32_t queue_bytes;  /* that may wait or be under way out; 0: no limit */
	uint32_t queue_frames; /* the same counted in frames; 0: CABLE_QUEUE_MOST */
	uint32_t loss_ppm;     /* each for itself */

	/* Bursts (Gilbert, Elliott): begun and ended by a frame with these odds, or by time. */
	uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm;
	sl_ns_t burst_most; /* a burst is over then though few frames came; 0: no limit */

	uint32_t duplicate_ppm;
	uint32_t late_ppm; /* come later by @late, in whose time others overtake */
	sl_ns_t late;

	/*
	 * Up to 15 bits in a row are flipped behind the Ethernet header: of a packet's bytes
	 * those that a checksum of IPv4, ICMP or TCP covers, which always shows that. Frames
	 * to groups are spared.
	 */
	uint32_t corrupt_ppm;
	uint32_t mtu; /* bytes of an IP packet that still pass; 0: all do */
};

enum cable_fate {
	CABLE_CARRIED,
	CABLE_LOST,    /* by chance */
	CABLE_DROPPED, /* the queue was full */
	CABLE_TOO_BIG,
	CABLE_FATES,
};

struct cable_frame {
	struct cable_frame *prev, *next;
	sl_ns_t due;
	size_t len;
	uint8_t bytes[];
};

struct cable {
	struct cable_conf conf;
	struct rnd rnd;
	bool in_burst;
	sl_ns_t burst_since;
	uint64_t put, fate[CABLE_FATES], duplicated, late, corrupted, taken;

	/* the queue: when each frame in it has left, and how long it is */
	struct cable_waiting {
		sl_ns_t leaves;
		uint32_t len;
	} * waiting;
	uint32_t first_waiting, n_waiting, bytes_waiting, most_waiting;
	sl_ns_t busy_until;

	struct cable_frame *first, *last; /* on their way, by time of arrival */
};

void cable_open(struct cable *cable, const struct cable_conf *conf, uint64_t seed);
void cable_close(struct cable *cable);

/* Put a copy of a frame in. */
enum cable_fate cable_put(struct cable *cable, sl_ns_t now, const uint8_t *bytes, size_t len);

/* When the next frame arrives; UINT64_MAX: none is on its way. */
static inline sl_ns_t
cable_next(const struct cable *cable)
{
	return cable->first != NULL ? cable->first->due : UINT64_MAX;
}

/* The next frame that has arrived by @now, to be freed by the caller; NULL: none has. */
struct cable_frame *cable_take(struct cable *cable, sl_ns_t now);

#endif
