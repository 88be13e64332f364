/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * solo - the core is checked after each step.
 */
#include "solo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "wire/build.h"

#define FRAME_MAX 1600

static const uint8_t them[6] = { 2, 0, 0, 0, 0, 2 };

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "solo: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void
solo_init(struct solo *s, bool v6, const struct sl_app *app, const void *arg)
{
	memset(s, 0, sizeof(*s));
	s->now = SL_NS_PER_S;
	s->tuple = (struct sl_tuple){ .local = link_addr(0, v6),
				      .remote = link_addr(1, v6),
				      .lport = 80,
				      .rport = 40000,
				      .v6 = v6 };
	link_host_conf(&s->conf, 0);
	link_listen(&s->conf, 80, app, arg);
}

/* The peer answers no questions: it is told of instead, so that it never gets stale. */
static void
introduce_peer(struct solo *s)
{
	struct sl_event learnt = { .kind = SL_EVENT_NEIGHBOUR };

	learnt.neighbour.addr = s->tuple.remote;
	memcpy(learnt.neighbour.mac, them, sizeof(them));
	learnt.neighbour.reachable = true;
	sl_core_event(s->core, s->now, &learnt);
}

void
solo_open(struct solo *s)
{
	int rc;

	heapbufs_open(&s->hb);
	arena_open(&s->arena);
	rc = sl_core_open(&s->core, &s->conf, &s->hb.bufs, &s->arena.mem, s->now);
	if (rc < 0)
		die("does not open: %s", strerror(-rc));
	solo_pass(s, 0);
	solo_clear(s);
}

void
solo_close(struct solo *s)
{
	struct sl_event kill = { .kind = SL_EVENT_KILL };

	s->hb.fail_at = s->hb.fail_from = 0;
	solo_step(s);
	sl_core_event(s->core, s->now, &kill);
	solo_pass(s, 100);
	sl_core_close(s->core);
	heapbufs_close(&s->hb);
	arena_close(&s->arena);
}

static void
queue(struct solo *s, struct rte_mbuf *m)
{
	s->frames_in++;
	s->bytes_in += m->pkt_len;
	s->rx[s->n_rx++] = m;
}

void
solo_send(struct solo *s, const struct sl_seg_out *seg, const void *payload, uint16_t len)
{
	const struct sl_tuple *t = &s->tuple;
	struct sl_tuple turned = { .local = t->remote,
				   .remote = t->local,
				   .lport = t->rport,
				   .rport = t->lport,
				   .v6 = t->v6 };
	struct sl_seg_out out = *seg;
	struct sl_l2 l2 = { .port = 0 };
	struct rte_mbuf *m;

	if (s->n_rx == SL_BURST)
		solo_step(s);
	out.ttl = 64;
	memcpy(l2.dst, s->conf.net.port[0].mac, sizeof(l2.dst));
	memcpy(l2.src, them, sizeof(l2.src));
	m = heapbufs_packet(&s->hb, payload, len, RTE_PKTMBUF_HEADROOM);
	sl_tcp_build(m, &l2, &turned, &out);
	queue(s, m);
}

void
solo_frame(struct solo *s, const void *frame, size_t len)
{
	struct rte_mbuf *m;

	if (s->n_rx == SL_BURST)
		solo_step(s);
	m = heapbufs_packet(&s->hb, frame, len, RTE_PKTMBUF_HEADROOM);
	m->port = 0;
	queue(s, m);
}

/* Remember what a segment said. */
static void
take(struct solo *s, struct rte_mbuf *sent)
{
	uint8_t frame[FRAME_MAX];
	size_t len = heapbufs_read(sent, frame, sizeof(frame));
	struct solo_seg *out = &s->out[s->n_out];
	struct sl_frame parsed;
	struct sl_tuple tuple;
	struct rte_mbuf *m;

	heapbufs_put(&s->hb, sent);
	s->frames_out++;
	s->bytes_out += len;
	if (len > sizeof(frame) || s->n_out == SOLO_OUT)
		die("the core said too much");
	m = heapbufs_packet(&s->hb, frame, len, 0);
	if (sl_frame_parse(m, &parsed, &tuple, &out->seg) != SL_FATE_NONE)
		die("the core sent what it would not take");
	if (parsed.kind == SL_KIND_TCP) {
		out->at = s->n_bytes;
		out->rport = tuple.lport;
		memcpy(s->bytes + s->n_bytes, frame + parsed.payload, out->seg.len);
		s->n_bytes += out->seg.len;
		s->n_out++;
	}
	heapbufs_put(&s->hb, m);
}

void
solo_step(struct solo *s)
{
	struct rte_mbuf *tx[2 * SL_BURST];
	const char *why = "";
	uint16_t n = sl_core_step(s->core, s->now, s->rx, s->n_rx, tx, 2 * SL_BURST);

	s->n_rx = 0;
	for (uint16_t i = 0; i < n; i++)
		take(s, tx[i]);
	if (sl_core_check(s->core, &why) != 0)
		die("at %.3f s: %s", (double)s->now / SL_NS_PER_S, why);
}

void
solo_pass(struct solo *s, uint32_t ms)
{
	sl_ns_t end = s->now + ms * SL_NS_PER_MS, next;

	introduce_peer(s);
	if (s->n_rx > 0)
		solo_step(s);
	while ((next = sl_core_next(s->core)) <= end) {
		s->now = next > s->now ? next : s->now;
		solo_step(s);
	}
	s->now = end;
}

void
solo_clear(struct solo *s)
{
	s->n_out = 0;
	s->n_bytes = 0;
}

void
solo_handshake(struct solo *s, uint32_t irs, const struct sl_seg_out *syn)
{
	struct sl_seg_out out = *syn;

	s->irs = irs;
	out.seq = irs;
	out.flags = SL_SYN;
	solo_clear(s);
	solo_send(s, &out, NULL, 0);
	solo_step(s);
	if (s->n_out != 1 || s->out[0].seg.flags != (SL_SYN | SL_ACK))
		die("no SYN-ACK");
	s->iss = s->out[0].seg.seq;
	out = (struct sl_seg_out){ .seq = irs + 1,
				   .ack = s->iss + 1,
				   .flags = SL_ACK,
				   .wnd = syn->wnd,
				   .opts = syn->opts & SL_OPT_TS,
				   .tsval = syn->tsval,
				   .tsecr = s->out[0].seg.tsval };
	solo_send(s, &out, NULL, 0);
	solo_step(s);
}
