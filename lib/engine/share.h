/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share - how the numbers of a process become those of its workers and ports.
 *
 * Pure arithmetic, used for the start and for --check, which has no EAL.
 */
#ifndef SL_ENGINE_SHARE_H
#define SL_ENGINE_SHARE_H

#include <stdint.h>

#include <sluice/core.h>
#include <sluice/engine.h>

/* what a frame has around its IP packet: Ethernet header, one VLAN tag, FCS */
#define SL_FRAME_EXTRA 22u

/* Data room of a buffer that holds any frame of a port with this MTU. */
uint32_t sl_room_bytes(uint16_t mtu);

/*
 * Most that lies in the ring by which a worker gets packets from its siblings, plus one: about
 * as many as in a queue of a port. A port's buffers have to last for all rings full of them.
 */
#define SL_RING_PACKETS 1024

/* What is out in queues, rings and caches before anything useful is done. */
struct sl_floor {
	uint32_t rx[SL_PORTS_MAX]; /* of each port's receive buffers */
	uint32_t tx;               /* of each worker's buffers to send */
};

struct sl_share {
	uint32_t total;               /* packets in all pools */
	uint32_t rx;                  /* in each port's pool */
	uint32_t pool[SL_POOL_COUNT]; /* in each worker's pools */
	uint32_t keep;                /* received ones that each core may keep */
	uint32_t minimum;             /* the smallest total that works */
};

/* A port's, whose queues hold @queued buffers. */
uint32_t sl_rx_floor(uint32_t queued, uint16_t n_workers);

/* The floor of ports that have a queue for each worker and what descriptors were asked for. */
void sl_floor_guess(const struct sl_engine_conf *conf, uint16_t n_workers,
		    struct sl_floor *out);

/* 0, or -EINVAL if conf->buffers is less than out->minimum. */
int sl_share_buffers(const struct sl_engine_conf *conf, uint16_t n_workers,
		     const struct sl_floor *floor, struct sl_share *out);

/* Say on stderr that conf->buffers is less than that. */
void sl_share_complain(const struct sl_engine_conf *conf, uint16_t n_workers,
		       const struct sl_share *share);

/*
 * Fill in @out what the configuration says: numbers, listeners, addresses. What has to be
 * found out (secrets, clock, MAC addresses, the ports' numbers, steering) is left zero.
 */
void sl_share_core(const struct sl_engine_conf *conf, uint16_t n_workers,
		   const struct sl_share *share, struct sl_core_conf *out);

#endif
