/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture - rings of bytes and blocks of pcapng.
 *
 * The library that DPDK has for this stamps packets by its own reading of the clock, which
 * came out hours off here, and wants an mbuf for each frame; a block is twenty lines.
 * (IETF draft-ietf-opsawg-pcapng: section, interface and enhanced packet blocks.)
 */
#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capture.h"

#define RING_BYTES (4u << 20) /* a power of two */
#define SNAP_BYTES 65535u

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define OPTION_FLAGS    2u
#define OPTION_NAME     2u
#define OPTION_TSRESOL  9u
#define LINK_ETHERNET   1u

/* What precedes each frame in a ring. */
struct record {
	sl_ns_t when;
	uint32_t bytes; /* kept */
	uint32_t frame; /* on the wire */
	uint16_t port, way;
	uint32_t pad;
};

struct ring {
	alignas(SL_CACHE_LINE) atomic_uint head; /* bytes ever written; the worker's */
	atomic_ullong lost;
	alignas(SL_CACHE_LINE) atomic_uint tail; /* bytes ever read; the control thread's */
	uint8_t *bytes;
};

struct sl_capture {
	FILE *file;
	int error;
	uint64_t wall_at_zero;
	uint16_t n_workers;
	uint8_t *frame; /* one, while it is written */
	struct ring ring[];
};

static void
copy_in(struct ring *r, uint32_t at, const void *from, uint32_t n)
{
	uint32_t off = at & (RING_BYTES - 1);
	uint32_t first = n < RING_BYTES - off ? n : RING_BYTES - off;

	memcpy(r->bytes + off, from, first);
	memcpy(r->bytes, (const uint8_t *)from + first, n - first);
}

static void
copy_out(const struct ring *r, uint32_t at, void *to, uint32_t n)
{
	uint32_t off = at & (RING_BYTES - 1);
	uint32_t first = n < RING_BYTES - off ? n : RING_BYTES - off;

	memcpy(to, r->bytes + off, first);
	memcpy((uint8_t *)to + first, r->bytes, n - first);
}

void
sl_capture_take(struct sl_capture *capture, uint16_t worker, uint16_t port, int way,
		sl_ns_t now, const struct rte_mbuf *m)
{
	struct ring *r = &capture->ring[worker];
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	/* pairs with the release in write_one(): the bytes there have been read */
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	uint32_t bytes = m->pkt_len < SNAP_BYTES ? m->pkt_len : SNAP_BYTES;
	struct record rec = { now, bytes, m->pkt_len, port, (uint16_t)way, 0 };
	uint32_t at = head + (uint32_t)sizeof(rec), left = bytes;

	if (RING_BYTES - (head - tail) < sizeof(rec) + bytes) {
		atomic_fetch_add_explicit(&r->lost, 1, memory_order_relaxed);
		return;
	}
	copy_in(r, head, &rec, sizeof(rec));
	for (; m != NULL && left > 0; m = m->next) {
		uint32_t n = m->data_len < left ? m->data_len : left;

		copy_in(r, at, rte_pktmbuf_mtod(m, const void *), n);
		at += n;
		left -= n;
	}
	/* pairs with the acquire in oldest(): record and frame are whole */
	atomic_store_explicit(&r->head, at, memory_order_release);
}

static void
put32(struct sl_capture *c, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, c->file);
}

static void
put_option(struct sl_capture *c, uint16_t code, const void *value, uint16_t len)
{
	static const uint8_t zero[4];

	put32(c, (uint32_t)len << 16 | code); /* host order: the section header says which */
	fwrite(value, len, 1, c->file);
	fwrite(zero, 1, -len & 3u, c->file);
}

static void
put_section(struct sl_capture *c)
{
	put32(c, BLOCK_SECTION);
	put32(c, 28);
	put32(c, 0x1a2b3c4d);
	put32(c, 1);          /* version 1.0 */
	put32(c, UINT32_MAX); /* length not known */
	put32(c, UINT32_MAX);
	put32(c, 28);
}

static void
put_interface(struct sl_capture *c, const char *name)
{
	uint16_t len = (uint16_t)strlen(name);
	uint32_t whole = 20 + 4 + ((len + 3u) & ~3u) + 8 + 4;
	uint8_t nanoseconds = 9;

	put32(c, BLOCK_INTERFACE);
	put32(c, whole);
	put32(c, LINK_ETHERNET);
	put32(c, SNAP_BYTES);
	put_option(c, OPTION_NAME, name, len);
	put_option(c, OPTION_TSRESOL, &nanoseconds, 1);
	put32(c, 0); /* end of options */
	put32(c, whole);
}

static void
put_packet(struct sl_capture *c, const struct record *rec)
{
	uint32_t whole = 32 + ((rec->bytes + 3) & ~3u) + 8 + 4, way = rec->way;
	uint64_t when = c->wall_at_zero + rec->when;

	put32(c, BLOCK_PACKET);
	put32(c, whole);
	put32(c, rec->port);
	put32(c, (uint32_t)(when >> 32));
	put32(c, (uint32_t)when);
	put32(c, rec->bytes);
	put32(c, rec->frame);
	memset(c->frame + rec->bytes, 0, 4);
	fwrite(c->frame, (rec->bytes + 3) & ~3u, 1, c->file);
	put_option(c, OPTION_FLAGS, &way, sizeof(way));
	put32(c, 0);
	put32(c, whole);
}

/* The ring whose next frame is oldest, and that frame's record; NULL if all are empty. */
static struct ring *
oldest(struct sl_capture *c, struct record *rec)
{
	struct ring *best = NULL;

	for (uint16_t i = 0; i < c->n_workers; i++) {
		struct ring *r = &c->ring[i];
		uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
		struct record mine;

		/* pairs with the release in sl_capture_take() */
		if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
			continue;
		copy_out(r, tail, &mine, sizeof(mine));
		if (best == NULL || mine.when < rec->when) {
			best = r;
			*rec = mine;
		}
	}
	return best;
}

static void
write_one(struct sl_capture *c, struct ring *r, const struct record *rec)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t size = (uint32_t)sizeof(*rec) + rec->bytes;

	copy_out(r, tail + (uint32_t)sizeof(*rec), c->frame, rec->bytes);
	put_packet(c, rec);
	/* pairs with the acquire in sl_capture_take() */
	atomic_store_explicit(&r->tail, tail + size, memory_order_release);
}

int
sl_capture_write(struct sl_capture *capture, sl_ns_t until)
{
	struct record rec = { 0 };
	struct ring *r;

	while ((r = oldest(capture, &rec)) != NULL && rec.when < until)
		write_one(capture, r, &rec);
	if ((fflush(capture->file) != 0 || ferror(capture->file)) && capture->error == 0) {
		capture->error = errno ? -errno : -EIO;
		return capture->error;
	}
	return 0;
}

uint64_t
sl_capture_lost(const struct sl_capture *capture)
{
	uint64_t lost = 0;

	for (uint16_t i = 0; i < capture->n_workers; i++)
		lost += atomic_load_explicit(&capture->ring[i].lost, memory_order_relaxed);
	return lost;
}

static void
release(struct sl_capture *c)
{
	for (uint16_t i = 0; i < c->n_workers; i++)
		free(c->ring[i].bytes);
	free(c->frame);
	free(c);
}

int
sl_capture_open(struct sl_capture **out, const char *file, uint16_t n_workers,
		const char *const *port, uint16_t n_ports, uint64_t wall_at_zero)
{
	size_t size = sizeof(struct sl_capture) + n_workers * sizeof(struct ring);
	struct sl_capture *c = aligned_alloc(SL_CACHE_LINE, (size + 63) & ~(size_t)63);
	bool whole;

	if (c == NULL)
		return -ENOMEM;
	memset(c, 0, size);
	c->wall_at_zero = wall_at_zero;
	c->n_workers = n_workers;
	c->frame = malloc(SNAP_BYTES + 4);
	whole = c->frame != NULL;
	for (uint16_t i = 0; i < n_workers; i++) {
		c->ring[i].bytes = malloc(RING_BYTES);
		whole &= c->ring[i].bytes != NULL;
	}
	if (!whole) {
		release(c);
		return -ENOMEM;
	}
	c->file = fopen(file, "wb");
	if (c->file == NULL) {
		int rc = -errno;

		release(c);
		return rc;
	}

	put_section(c);
	for (uint16_t i = 0; i < n_ports; i++)
		put_interface(c, port[i]);
	*out = c;
	return 0;
}

int
sl_capture_close(struct sl_capture *capture)
{
	int rc;

	sl_capture_write(capture, UINT64_MAX);
	rc = capture->error;
	if (fclose(capture->file) != 0 && rc == 0)
		rc = -errno;
	release(capture);
	return rc;
}
