/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heapbufs - an mbuf and, behind a fence, its bytes, as a mempool lays them out, so that the
 * helpers of DPDK find the one from the other. The allocation ends where the bytes end.
 */
#include "heapbufs.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "base/units.h"

#define ROOM    (RTE_PKTMBUF_HEADROOM + 2048)
#define GARBAGE 0xa5 /* nobody may count on zeros in a fresh packet */
#define FENCE   60   /* bytes, so that those of the packet begin a line */

struct packet {
	struct rte_mbuf m; /* first: the one is cast to the other */
	enum sl_pool pool;
	uint8_t fence[FENCE]; /* neither side may touch it */
	uint8_t room[];       /* its own bytes */
};

static_assert(sizeof(struct packet) == offsetof(struct packet, room), "bytes follow the fence");

/* Bytes that lie outside all packets, freed with the last that shows them. */
struct outside {
	struct rte_mbuf_ext_shared_info info;
	uint8_t bytes[];
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

static struct packet *
packet_alloc(size_t room)
{
	void *p;

	if (posix_memalign(&p, SL_CACHE_LINE, sizeof(struct packet) + room) != 0)
		p = NULL;
	return must(p);
}

static struct rte_mbuf *
make(struct heapbufs *hb, enum sl_pool pool, uint16_t headroom, uint16_t len)
{
	struct packet *p = packet_alloc(headroom + len);

	memset(p, 0, sizeof(*p));
	memset(p->room, GARBAGE, headroom + len);
	memset(p->fence, GARBAGE, sizeof(p->fence));
	ASAN_POISON_MEMORY_REGION(p->fence, sizeof(p->fence));
	p->pool = pool;
	p->m.priv_size = offsetof(struct packet, room) - sizeof(p->m);
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
put_seg(struct heapbufs *hb, struct rte_mbuf *m)
{
	struct packet *p = packet_of(m);

	if (rte_mbuf_refcnt_read(m) == 0)
		die("heapbufs: a packet given back twice");
	if (rte_mbuf_refcnt_update(m, -1) > 0)
		return;
	if (RTE_MBUF_CLONED(m))
		put_seg(hb, rte_mbuf_from_indirect(m));
	else if (RTE_MBUF_HAS_EXTBUF(m) && rte_mbuf_ext_refcnt_update(m->shinfo, -1) == 0)
		m->shinfo->free_cb(m->buf_addr, m->shinfo->fcb_opaque);
	ASAN_UNPOISON_MEMORY_REGION(p->fence, sizeof(p->fence));
	for (size_t i = 0; i < sizeof(p->fence); i++)
		if (p->fence[i] != GARBAGE)
			die("heapbufs: somebody wrote between an mbuf and its bytes");
	hb->n_kept -= p->pool == SL_POOL_RETAIN;
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
			  .put = put,
			  .put_together = 1,
			  .pinned = &hb->pinned },
	};
	rte_mbuf_ext_refcnt_set(&hb->pinned, 1);
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

static void
outside_free(void *addr, void *opaque)
{
	free(opaque);
}

struct rte_mbuf *
heapbufs_external(struct heapbufs *hb, const void *bytes, size_t len)
{
	struct rte_mbuf *m = make(hb, SL_POOL_TX, 0, 0);
	struct outside *o = must(malloc(sizeof(*o) + len));

	o->info = (struct rte_mbuf_ext_shared_info){ .free_cb = outside_free, .fcb_opaque = o };
	rte_mbuf_ext_refcnt_set(&o->info, 1);
	if (len > 0)
		memcpy(o->bytes, bytes, len);
	rte_pktmbuf_attach_extbuf(m, o->bytes, RTE_BAD_IOVA, (uint16_t)len, &o->info);
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
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
