/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heapbufs - an mbuf and its bytes are two allocations, so that neither can run into the
 * other unseen.
 */
#include "heapbufs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define ROOM    (RTE_PKTMBUF_HEADROOM + 2048)
#define GARBAGE 0xa5 /* nobody may count on zeros in a fresh packet */

struct packet {
	struct rte_mbuf m;      /* first: the one is cast to the other */
	struct rte_mbuf *owner; /* whose bytes an attached packet shows */
	uint8_t *room;          /* its own bytes */
	enum sl_pool pool;
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static void *
must(void *p)
{
	if (p == NULL)
		die("heapbufs: the test itself is out of memory");
	return p;
}

static struct packet *
packet_of(struct rte_mbuf *m)
{
	return (struct packet *)m;
}

static struct rte_mbuf *
make(struct heapbufs *hb, enum sl_pool pool, uint16_t headroom, uint16_t len)
{
	struct packet *p =
		must(aligned_alloc(SL_CACHE_LINE, RTE_ALIGN(sizeof(*p), SL_CACHE_LINE)));

	memset(p, 0, sizeof(*p));
	p->pool = pool;
	p->room = must(malloc(headroom + len));
	memset(p->room, GARBAGE, headroom + len);
	p->m.buf_addr = p->room;
	p->m.buf_len = headroom + len;
	p->m.data_off = headroom;
	p->m.nb_segs = 1;
	p->m.port = RTE_MBUF_PORT_INVALID;
	rte_mbuf_refcnt_set(&p->m, 1);
	hb->out++;
	hb->n_kept += pool == SL_POOL_RETAIN;
	return &p->m;
}

static int
get(void *ctx, enum sl_pool pool, struct rte_mbuf **m, uint16_t n)
{
	struct heapbufs *hb = ctx;

	hb->n_got++;
	if (hb->n_got == hb->fail_at || (hb->fail_from != 0 && hb->n_got >= hb->fail_from))
		return -ENOMEM;
	if (pool == SL_POOL_RETAIN && hb->kept_most != 0 && hb->n_kept + n > hb->kept_most)
		return -ENOMEM;
	for (uint16_t i = 0; i < n; i++) {
		m[i] = make(hb, pool, ROOM, 0);
		m[i]->data_off = RTE_PKTMBUF_HEADROOM;
	}
	return 0;
}

static void
attach(void *ctx, struct rte_mbuf *m, struct rte_mbuf *owner, const void *data, uint16_t len)
{
	struct packet *p = packet_of(m);

	if (p->pool != SL_POOL_TX || m->pkt_len != 0 || p->owner != NULL || !RTE_MBUF_DIRECT(m))
		die("heapbufs: attach to a packet that is not an empty one of SL_POOL_TX");
	if (owner != NULL)
		rte_mbuf_refcnt_update(owner, 1);
	p->owner = owner;
	m->ol_flags |= owner != NULL ? RTE_MBUF_F_INDIRECT : RTE_MBUF_F_EXTERNAL;
	m->buf_addr = (void *)(uintptr_t)data;
	m->buf_len = len;
	m->data_off = 0;
	m->data_len = len;
	m->pkt_len = len;
}

static void
put_seg(struct heapbufs *hb, struct rte_mbuf *m)
{
	struct packet *p = packet_of(m);

	if (rte_mbuf_refcnt_read(m) == 0)
		die("heapbufs: a packet given back twice");
	if (rte_mbuf_refcnt_update(m, -1) > 0)
		return;
	if (p->owner != NULL)
		put_seg(hb, p->owner);
	hb->n_kept -= p->pool == SL_POOL_RETAIN;
	free(p->room);
	free(p);
	hb->out--;
}

static void
put(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	((struct heapbufs *)ctx)->n_put++;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *seg = m[i], *next;

		for (; seg != NULL; seg = next) {
			next = seg->next;
			put_seg(ctx, seg);
		}
	}
}

void
heapbufs_open(struct heapbufs *hb)
{
	*hb = (struct heapbufs){
		.bufs = { .ctx = hb,
			  .get = get,
			  .attach = attach,
			  .put = put,
			  .put_together = 1 },
	};
}

void
heapbufs_close(struct heapbufs *hb)
{
	if (hb->out != 0)
		die("heapbufs: %u segments were never given back", hb->out);
}

void
heapbufs_fail_nth(struct heapbufs *hb, uint64_t n)
{
	hb->fail_at = hb->n_got + n;
}

struct rte_mbuf *
heapbufs_packet(struct heapbufs *hb, const void *bytes, size_t len, uint16_t headroom)
{
	struct rte_mbuf *m = make(hb, SL_POOL_TX, headroom, (uint16_t)len);

	if (len > 0)
		memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
	return m;
}

struct rte_mbuf *
heapbufs_chain(struct heapbufs *hb, const void *bytes, size_t len, uint16_t headroom,
	       const uint16_t *seg_len, uint16_t n_segs)
{
	const uint8_t *from = bytes;
	struct rte_mbuf *first = NULL, **link = &first;

	for (uint16_t i = 0; i < n_segs; i++) {
		size_t here = i + 1 == n_segs ? len : RTE_MIN((size_t)seg_len[i], len);

		*link = heapbufs_packet(hb, from, here, i == 0 ? headroom : 0);
		link = &(*link)->next;
		from += here;
		len -= here;
	}
	first->nb_segs = n_segs;
	first->pkt_len = (uint32_t)(from - (const uint8_t *)bytes);
	return first;
}

struct rte_mbuf *
heapbufs_external(struct heapbufs *hb, const void *bytes, size_t len)
{
	struct rte_mbuf *m = heapbufs_packet(hb, bytes, len, 0);

	m->ol_flags |= RTE_MBUF_F_EXTERNAL;
	return m;
}

size_t
heapbufs_read(const struct rte_mbuf *m, void *to, size_t room)
{
	uint8_t *p = to;

	for (const struct rte_mbuf *seg = m; seg != NULL && room > 0; seg = seg->next) {
		size_t here = RTE_MIN((size_t)seg->data_len, room);

		memcpy(p, rte_pktmbuf_mtod(seg, const void *), here);
		p += here;
		room -= here;
	}
	return m->pkt_len;
}

void
heapbufs_put(struct heapbufs *hb, struct rte_mbuf *m)
{
	put(hb, &m, 1);
}
