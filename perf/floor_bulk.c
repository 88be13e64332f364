/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor_bulk - the lines and sums of full segments, in and out.
 *
 * What comes in is summed, every second becomes its ACK in its own buffer, the others are given
 * back. What goes out is summed, too, and shown by a packet behind one with the headers; of two
 * such the first is the ACK that came. A burst is handed over at a time, and given back when it
 * was sent: a pool's cache holds all packets there are, and none comes from memory.
 */
#include <string.h>

#include <rte_prefetch.h>
#include <rte_tcp.h>

#include "bench.h"
#include "core/core.h"
#include "floor.h"
#include "wire/cksum.h"

#define ADDRESSES 26 /* of IPv4, at the end of its header: where a pseudo-header begins */
#define TCP       34
#define HEADERS   66 /* of all layers, with timestamps */

static const struct wire_seg *
next_segment(void *arg)
{
	struct floor_bulk *b = arg;

	b->seg.payload = b->bytes;
	b->seg.len = FLOOR_SEGMENT;
	return &b->seg;
}

static const struct wire_seg *
next_ack(void *arg)
{
	struct floor_bulk *b = arg;

	b->seg.len = 0;
	return &b->seg;
}

/* The next streams: their buckets are read, their records asked for. */
static void
find(struct floor_bulk *b, uint32_t *id, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		id[i] = b->stream;
		b->stream = b->stream + 1 == b->streams ? 0 : b->stream + 1;
		rte_prefetch0(floor_bucket(&b->floor, id[i]));
	}
	for (uint16_t i = 0; i < n; i++) {
		id[i] += floor_read(floor_bucket(&b->floor, id[i]));
		rte_prefetch0(floor_record(&b->floor, id[i]));
		rte_prefetch0(floor_record(&b->floor, id[i]) + SL_CACHE_LINE);
	}
}

/* Whether the checksum of @m is right: addresses and all behind them, and what they leave out.
 */
static bool
is_right(const struct floor_bulk *b, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, ADDRESSES);
	uint16_t len = m->data_len - TCP;
	uint64_t rest = rte_cpu_to_be_16(len) + RTE_BE16(IPPROTO_TCP);

	return sl_cksum_is_right(
		sl_cksum_fold(rest + sl_cksum_sum_by(b->floor.world->core->tcp.leaf_bits, p,
						     (size_t)len + TCP - ADDRESSES)));
}

static uint16_t
receive(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor_bulk *b = arg;
	struct rte_mbuf *back[LOOP_BURST];
	uint32_t id[LOOP_BURST];
	uint16_t n_acks = 0, n_back = 0;

	find(b, id, n);
	for (uint16_t i = 0; i < n; i++) {
		char *record = floor_record(&b->floor, id[i]);

		b->n_wrong += !is_right(b, m[i]);
		floor_change(record);
		floor_change(record + SL_CACHE_LINE);
		if (i % 2 == 0) {
			back[n_back++] = m[i];
			continue;
		}
		m[i]->data_len = HEADERS;
		m[i]->pkt_len = HEADERS;
		m[n_acks++] = m[i];
	}
	rte_pktmbuf_free_bulk(back, n_back);
	return n_acks;
}

/* Put the next bytes behind the headers @m, by means of @shows. */
static void
attach(const struct floor_bulk *b, struct rte_mbuf *m, struct rte_mbuf *shows, uint32_t at)
{
	const struct sl_tcp *tcp = &b->floor.world->core->tcp;
	const char *data = b->bytes + at;
	struct rte_tcp_hdr *header = rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, TCP);
	uint64_t sum = sl_cksum_sum_by(tcp->leaf_bits, data, FLOOR_SEGMENT);

	sl_bufs_attach(tcp->bufs, shows, NULL, data, FLOOR_SEGMENT);
	m->next = shows;
	m->nb_segs = 2;
	m->pkt_len = HEADERS + FLOOR_SEGMENT;
	sl_cksum_put((uint8_t *)&header->cksum, sl_cksum_fold(sum));
}

/* A packet with the headers of @m. */
static struct rte_mbuf *
twin(const struct rte_mbuf *m, struct rte_mbuf *other)
{
	memcpy(rte_pktmbuf_mtod(other, void *), rte_pktmbuf_mtod(m, const void *), HEADERS);
	other->data_len = HEADERS;
	return other;
}

/* All streams are at the same place. */
static uint32_t
move_on(struct floor_bulk *b)
{
	if (b->stream == 0)
		b->at = (b->at + 2 * FLOOR_SEGMENT) % (b->n_bytes - 2 * FLOOR_SEGMENT);
	return b->at;
}

static uint16_t
answer(void *arg, struct rte_mbuf **m, uint16_t n)
{
	struct floor_bulk *b = arg;
	const struct floor *f = &b->floor;
	struct rte_mbuf *fresh[3 * LOOP_BURST];
	uint32_t id[LOOP_BURST], at = move_on(b);

	find(b, id, n);
	if (rte_pktmbuf_alloc_bulk(f->world->pool, fresh, 3u * n) != 0)
		bench_fail("no packets to send");
	for (uint16_t i = 0; i < n; i++) {
		char *record = floor_record(f, id[i]);

		id[i] += floor_change(record) + floor_change(record + SL_CACHE_LINE);
		rte_prefetch0(floor_span(f, id[i]));
		rte_prefetch0(floor_state(f, id[i]));
	}
	for (uint16_t i = n; i-- > 0;) {
		struct rte_mbuf *first = m[i], **own = &fresh[3 * i];

		floor_change(floor_span(f, id[i]));
		floor_change(floor_state(f, id[i]));
		m[2 * i + 1] = twin(first, own[0]);
		m[2 * i] = first;
		attach(b, m[2 * i], own[1], at);
		attach(b, m[2 * i + 1], own[2], at + FLOOR_SEGMENT);
	}
	return 2 * n;
}

double
floor_rx(void *arg)
{
	struct floor_bulk *b = arg;
	const struct world_loop loop = { .next = next_segment,
					 .turn = receive,
					 .arg = b,
					 .packets = 1,
					 .batch = LOOP_BURST };
	double cost = world_loop(b->floor.world, &loop);

	if (b->n_wrong > 0)
		bench_fail("%lu segments of the floor have a wrong checksum", b->n_wrong);
	return cost;
}

double
floor_tx(void *arg)
{
	struct floor_bulk *b = arg;
	const struct world_loop loop = {
		.next = next_ack, .turn = answer, .arg = b, .packets = 0.5, .batch = LOOP_BURST
	};

	return world_loop(b->floor.world, &loop);
}

void
floor_bulk_open(struct floor_bulk *b, struct world *w, uint32_t streams, const char *bytes,
		uint32_t n_bytes)
{
	*b = (struct floor_bulk){
		.bytes = bytes,
		.n_bytes = n_bytes,
		.streams = streams,
		.seg = { .flags = WIRE_ACK, .options = WIRE_TS, .wnd = 502 },
	};
	floor_open(&b->floor, w, streams, streams);
}
