/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world - time, steps and the checks that hold after each of them.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/seq.h"

#define START_NS  (1000 * SL_NS_PER_S)
#define TAI_MS    1700000000000ull
#define TURNS_MAX 2000 /* steps at one moment before we call it spinning */

static bool __attribute__((format(printf, 2, 0)))
complain(struct world *w, const char *fmt, va_list ap)
{
	if (w->why[0] == '\0')
		vsnprintf(w->why, sizeof(w->why), fmt, ap);
	return false;
}

bool
world_wrong(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(w, fmt, ap);
	va_end(ap);
	return false;
}

bool
world_unmet(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->starved)
		return true;
	va_start(ap, fmt);
	complain(w, fmt, ap);
	va_end(ap);
	return false;
}

static void *
zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		abort();
	return p;
}

static void
peer_open(struct world *w, int i)
{
	struct peer *peer = &w->peer[i];

	peer->world = w;
	peer->id = i + 1;
	peer->isn = 1000000u * (i + 1) + w->isn_shift;
	peer->taking = UINT64_MAX;
	peer->ts_clock = 5000;
	peer->ends = (struct ends){
		.v6 = w->v6,
		.our_mac = { 2, 0, 0, 0, 0, 1 },
		.peer_mac = { 2, 0, 0, 0, 0, 0x20 + i },
		.rport = 40000 + i,
		.ours = sl_addr_v4(0x0a4d0001),
		.peer = sl_addr_v4(0x0a4d0020 + i),
	};
	if (w->v6) {
		peer->ends.ours = (struct sl_addr){ .b = { 0xfd, 0x77, [15] = 1 } };
		peer->ends.peer = (struct sl_addr){ .b = { 0xfd, 0x77, [15] = 0x20 + i } };
	}
	peer->out.data = zeroed(STREAM_MAX, 1);
	peer->said = zeroed(STREAM_MAX, 1);
	peer->got.data = zeroed(STREAM_MAX, 1);
	peer->sent.data = zeroed(STREAM_MAX, 1);
	peer->last = zeroed(FRAME_MAX, 1);
}

static void
default_conf(struct sl_core_conf *conf, const struct peer *peer)
{
	struct sl_port_conf *port = &conf->net.port[0];

	conf->connections = 64;
	conf->active = 32;
	conf->time_wait = 32;
	conf->spans = 4096;
	conf->rx_buffers = 4096;
	conf->ipv6 = true;
	conf->secret = (struct sl_prf_key){ { 0x736c756963650001, 0x736c756963650002 } };
	conf->cookie_secret = (struct sl_prf_key){ { 0x736c756963650003, 0x736c756963650004 } };
	conf->tai_ms = TAI_MS;
	conf->net.n_ports = 1;
	conf->net.neighbours = 64;
	conf->net.speaks = true;
	conf->net.key = (struct sl_prf_key){ { 0x736c756963650005, 0x736c756963650006 } };
	memcpy(port->mac, peer->ends.our_mac, 6);
	port->mtu = 1500;
	port->offloads = SL_OFFLOAD_MULTI_SEG;
	port->n_addrs = 1;
	port->addr[0].addr = peer->ends.ours;
	port->addr[0].prefix = peer->ends.v6 ? 64 : 24;
}

struct world *
world_open(bool v6, uint32_t isn_shift)
{
	struct world *w = zeroed(1, sizeof(*w));

	w->v6 = v6;
	w->isn_shift = isn_shift;
	w->room = 4 * SL_BURST;
	w->now = w->start = START_NS;
	w->peer = zeroed(PEERS_MAX, sizeof(*w->peer));
	w->sent = zeroed(QUEUE_MAX, sizeof(*w->sent));
	w->conf = zeroed(1, sizeof(*w->conf));
	for (int i = 0; i < PEERS_MAX; i++)
		peer_open(w, i);
	default_conf(w->conf, &w->peer[0]);
	heapbufs_open(&w->heap);
	arena_open(&w->arena);
	return w;
}

bool
world_start(struct world *w)
{
	uint16_t port = w->conf->n_listeners ? w->conf->listener[0].port : 0;
	int rc;

	for (int i = 0; i < PEERS_MAX; i++)
		if (w->peer[i].ends.lport == 0)
			w->peer[i].ends.lport = port;
	for (int i = 0; i < w->conf->n_listeners; i++) {
		struct sl_listener_conf *l = &w->conf->listener[i];

		if (l->app != NULL)
			continue; /* one of lib/l7 */
		l->app = &script_app;
		l->arg = &w->peer[0].world;
	}
	rc = sl_core_open(&w->core, w->conf, &w->heap.bufs, &w->arena.mem, w->now);
	if (rc < 0)
		return world_wrong(w, "sl_core_open: %s", strerror(-rc));
	return world_step(w); /* announcements leave */
}

/* FNV-1a. */
static uint64_t
hash_more(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t
hash_packet(const struct rte_mbuf *m)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; m != NULL; m = m->next)
		h = hash_more(h, rte_pktmbuf_mtod(m, const void *), m->data_len);
	return h;
}

/* Lend @m to the wire: it comes back only at the end of the next step. */
static void
launch(struct world *w, struct rte_mbuf *m)
{
	if (w->n_flight == QUEUE_MAX) {
		world_wrong(w, "too many frames in a step");
		heapbufs_put(&w->heap, m);
		return;
	}
	w->flight[w->n_flight++] = (struct flight){ m, hash_packet(m) };
}

/* The first @n frames on the wire have left: were they changed on their way? */
static void
land(struct world *w, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (hash_packet(w->flight[i].m) != w->flight[i].hash)
			world_wrong(w, "a frame was changed after it had been sent");
		heapbufs_put(&w->heap, w->flight[i].m);
	}
	memmove(w->flight, w->flight + n, (w->n_flight - n) * sizeof(w->flight[0]));
	w->n_flight -= n;
}

bool
world_hold(struct world *w, const uint8_t *frame, size_t len, uint16_t split)
{
	struct rte_mbuf *m;

	if (w->n_held == SL_BURST)
		return world_wrong(w, "a burst too large");
	m = split ? heapbufs_chain(&w->heap, frame, len, 128, &split, 2)
		  : heapbufs_packet(&w->heap, frame, len, 128);
	m->port = w->conf->net.port[0].port;
	w->held[w->n_held++] = m;
	return true;
}

/* The peer at these ends; one that knows no port of ours yet learns it. */
static struct peer *
peer_at(struct world *w, const struct ends *ends)
{
	for (int i = 0; i < PEERS_MAX; i++) {
		struct ends *e = &w->peer[i].ends;

		if (!sl_addr_eq(&e->peer, &ends->peer) || e->rport != ends->rport)
			continue;
		if (e->lport == 0)
			e->lport = ends->lport;
		if (e->lport == ends->lport && sl_addr_eq(&e->ours, &ends->ours))
			return &w->peer[i];
	}
	return NULL;
}

/* Answer for the host that the core is looking for, if a peer lives there. */
static void
answer_neighbour(struct world *w, struct ends *asked)
{
	static uint8_t buf[256];

	for (int i = 0; i < PEERS_MAX && !w->deaf; i++) {
		if (!sl_addr_eq(&w->peer[i].ends.peer, &asked->peer))
			continue;
		memcpy(asked->peer_mac, w->peer[i].ends.peer_mac, 6);
		world_hold(w, buf, frame_here_i_am(buf, asked), 0);
		return;
	}
}

/* Bytes our application sent, and no others, in their places. */
static void
check_payload(struct peer *peer, const struct pkt *p, const uint8_t *payload)
{
	struct world *w = peer->world;
	uint32_t first = p->seq - 1;

	if (w->conf->listener[0].app != &script_app || p->len == 0)
		return;
	for (uint32_t i = 0; i < p->len; i++) {
		uint32_t at = first + i;
		bool probe = p->len == 1 && sl_seq_lt(p->seq, peer->sent_max); /* any byte */

		if (peer->echo ? at >= peer->got.n : at >= peer->sent.n) {
			if (!probe)
				world_wrong(w,
					    "byte %u was sent before the application wrote it",
					    at + 1);
			return;
		}
		if (payload[i] != (peer->echo ? peer->got : peer->sent).data[at])
			world_wrong(w, "byte %u went out wrong: %02x", at + 1, payload[i]);
	}
}

/* From the wire's numbers to the script's. */
static void
relate(struct peer *peer, struct pkt *p)
{
	if ((p->flags & SL_SYN) && !peer->knows_core_isn) {
		peer->core_isn = p->seq;
		peer->knows_core_isn = true;
		p->newer = peer->had_before && sl_seq_gt(p->seq, peer->old_nxt);
	}
	p->seq -= peer->core_isn;
	if (p->flags & SL_ACK)
		p->ack -= peer->isn;
	for (int i = 0; i < p->n_opts; i++)
		for (int k = 0; p->opt[i].kind == OPT_SACK && k < p->opt[i].n; k++) {
			p->opt[i].block[k].lo -= peer->isn;
			p->opt[i].block[k].hi -= peer->isn;
		}
}

static void
note_sent(struct peer *peer, const struct pkt *p)
{
	uint32_t end = p->seq + p->len + !!(p->flags & SL_SYN) + !!(p->flags & SL_FIN);
	const struct opt *ts = pkt_opt(p, OPT_TS);

	if (!(p->flags & SL_RST) && sl_seq_gt(end, peer->sent_max))
		peer->sent_max = end;
	if (p->flags & SL_SYN)
		peer->ts_ours = ts != NULL;
	if (ts != NULL)
		peer->ts_last = ts->a;
}

static void
take_segment(struct world *w, struct ends *ends, struct pkt *p, const uint8_t *frame,
	     size_t len, const uint8_t *payload)
{
	struct peer *peer = peer_at(w, ends);

	if (peer == NULL) {
		world_wrong(w, "a segment to nobody");
		return;
	}
	if (memcmp(ends->peer_mac, peer->ends.peer_mac, 6) != 0 ||
	    memcmp(ends->our_mac, peer->ends.our_mac, 6) != 0)
		world_wrong(w, "wrong MAC addresses");
	memcpy(peer->last, frame, len);
	peer->last_len = len;
	relate(peer, p);
	check_payload(peer, p, payload);
	memcpy(p->text, payload, p->len < PKT_TEXT_MAX ? p->len : PKT_TEXT_MAX);
	note_sent(peer, p);
	if (w->n_sent == QUEUE_MAX)
		world_wrong(w, "more segments than the runner keeps");
	else
		w->sent[w->n_sent++] = (struct sent){ w->now, peer, *p };
}

/* A frame came out. */
static void
take_frame(struct world *w, struct rte_mbuf *m)
{
	static uint8_t frame[FRAME_MAX];
	size_t len = heapbufs_read(m, frame, sizeof(frame));
	const uint8_t *payload = NULL;
	struct ends ends = { .lport = 0 };
	const char *why;
	struct pkt p;

	w->trace = hash_more(w->trace, &w->now, sizeof(w->now));
	w->trace = hash_more(w->trace, frame, len);
	switch (frame_read(frame, len, w->conf->net.port[0].mtu, &ends, &p, &payload, &why)) {
	case FRAME_TCP:
		take_segment(w, &ends, &p, frame, len, payload);
		break;
	case FRAME_ARP:
	case FRAME_ND_ASK:
		answer_neighbour(w, &ends);
		break;
	case FRAME_BROKEN:
		world_wrong(w, "the core sent a broken frame: %s", why);
		break;
	case FRAME_OTHER:
		break;
	}
	launch(w, m);
}

static bool
check_all(struct world *w)
{
	const struct sl_stats *stats = sl_core_stats(w->core);
	const char *why = "no reason given";
	uint64_t fates = 0;

	if (sl_core_check(w->core, &why) != 0)
		world_wrong(w, "sl_core_check: %s", why);
	for (int i = SL_FATE_NONE + 1; i < SL_FATE_COUNT; i++)
		fates += stats->fate[i];
	if (stats->fate[SL_FATE_NONE] != 0 || fates != stats->count[SL_CNT_rx])
		world_wrong(w, "%llu packets received, %llu have a fate",
			    (unsigned long long)stats->count[SL_CNT_rx],
			    (unsigned long long)fates);
	return w->why[0] == '\0';
}

bool
world_step(struct world *w)
{
	struct rte_mbuf *tx[4 * SL_BURST];

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		unsigned int flying = w->n_flight;
		uint16_t n_rx = w->n_held, n;
		struct rte_mbuf *rx[SL_BURST];

		memcpy(rx, w->held, n_rx * sizeof(rx[0]));
		w->n_held = 0;
		n = sl_core_step(w->core, w->now, rx, n_rx, tx, w->room);
		for (uint16_t i = 0; i < n; i++)
			take_frame(w, tx[i]);
		land(w, flying);
		if (!check_all(w))
			return false;
		if (n < w->room && w->n_held == 0 && sl_core_next(w->core) > w->now)
			return true;
	}
	return world_wrong(w, "the core spins: always something due at once");
}

bool
world_until(struct world *w, sl_ns_t until, bool stop_at_sent)
{
	while (!(stop_at_sent && w->n_claimed < w->n_sent)) {
		sl_ns_t next = sl_core_next(w->core);

		if (next > until || w->now > until)
			break;
		if (next > w->now)
			w->now = next;
		if (!world_step(w))
			return false;
	}
	if (!(stop_at_sent && w->n_claimed < w->n_sent) && w->now < until)
		w->now = until;
	return true;
}

uint8_t
pattern_in(uint32_t i)
{
	return i * 7 + (i >> 8) * 31 + 1;
}

uint8_t
pattern_out(uint32_t i)
{
	return i * 5 + (i >> 8) * 17 + 128;
}

/* The bytes of @p, and note down those the script gave in words: the first copy counts. */
static bool
fill_payload(struct peer *peer, const struct pkt *p, uint8_t *payload)
{
	uint32_t first = p->seq - !(p->flags & SL_SYN);

	for (uint32_t i = 0; i < p->len; i++) {
		uint32_t at = first + i;
		bool in_words = i < p->n_text, kept = at < STREAM_MAX;

		if (kept && in_words && !peer->said[at]) {
			peer->said[at] = 1;
			peer->out.data[at] = p->text[i];
		}
		payload[i] = in_words                 ? (uint8_t)p->text[i]
			     : kept && peer->said[at] ? peer->out.data[at]
						      : pattern_in(at);
	}
	return p->len <= 65000 || world_wrong(peer->world, "a packet too large");
}

static void
add_usual_timestamps(struct peer *peer, struct pkt *p)
{
	static const struct opt nop = { .kind = OPT_NOP };
	sl_ns_t ms = (peer->world->now - peer->world->start) / SL_NS_PER_MS;

	p->opt[0] = p->opt[1] = nop;
	p->opt[2] = (struct opt){ .kind = OPT_TS, .a = peer->ts_clock + ms, .last = true };
	p->n_opts = 3;
}

/* What a SYN of the peer's says about options, for the segments to come. */
static void
note_syn(struct peer *peer, const struct pkt *p)
{
	const struct opt *ts = pkt_opt(p, OPT_TS);

	peer->ts_theirs = ts != NULL;
	if (ts != NULL)
		peer->ts_clock = ts->a - (peer->world->now - peer->world->start) / SL_NS_PER_MS;
}

static void
unrelate(struct peer *peer, struct pkt *p)
{
	if (!p->abs_seq)
		p->seq += peer->isn;
	if ((p->flags & SL_ACK) && !p->abs_ack)
		p->ack += peer->core_isn;
	for (int i = 0; i < p->n_opts; i++) {
		struct opt *o = &p->opt[i];

		for (int k = 0; o->kind == OPT_SACK && k < o->n; k++) {
			o->block[k].lo += peer->core_isn;
			o->block[k].hi += peer->core_isn;
		}
		if (o->kind == OPT_TS && o->last)
			o->b = peer->ts_last;
		else if (o->kind == OPT_TS && peer->has_base)
			o->b += peer->ts_base;
	}
}

bool
peer_send(struct peer *peer, const struct pkt *as_written)
{
	static uint8_t frame[FRAME_MAX], payload[FRAME_MAX];
	struct pkt p = *as_written;

	if (p.flags & SL_SYN)
		note_syn(peer, &p);
	else if (p.opts_mode == OPTS_USUAL && peer->ts_theirs && peer->ts_ours)
		add_usual_timestamps(peer, &p);
	if (!p.has_win)
		p.win = 65535;
	if (!fill_payload(peer, &p, payload))
		return false;
	unrelate(peer, &p);
	return world_hold(peer->world, frame, frame_build(frame, &peer->ends, &p, payload),
			  p.knobs.split);
}

bool
peer_icmp(struct peer *peer, const struct icmp *icmp)
{
	static uint8_t frame[FRAME_MAX];
	struct icmp as_sent = *icmp;
	size_t n;

	as_sent.seq += peer->core_isn;
	n = frame_icmp(frame, &peer->ends, &as_sent, peer->last, peer->last_len);
	if (n == 0)
		return world_unmet(peer->world, "no ICMP `%s` here, or nothing to quote",
				   icmp->kind);
	return world_hold(peer->world, frame, n, 0);
}

void
peer_renew(struct peer *peer, uint32_t isn)
{
	peer->had_before = peer->knows_core_isn;
	peer->old_nxt = peer->core_isn + peer->sent_max;
	peer->isn = isn;
	peer->knows_core_isn = peer->has_base = peer->opened = peer->open = false;
	peer->core_isn = peer->sent_max = peer->offered = peer->asked = 0;
	peer->out.n = peer->got.n = peer->sent.n = 0;
	memset(peer->said, 0, STREAM_MAX);
}

struct sl_tuple
peer_tuple(const struct peer *peer)
{
	const struct ends *e = &peer->ends;

	return (struct sl_tuple){ .remote = e->peer,
				  .local = e->ours,
				  .rport = e->rport,
				  .lport = e->lport,
				  .v6 = e->v6 };
}

/* A connection that is gone must have said so. */
static void
check_ends(struct world *w)
{
	for (int i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &w->peer[i];
		struct sl_conn c;

		if (peer->open && !sl_core_conn(w->core, w->now, peer->ref, &c))
			world_wrong(w,
				    "peer %d: the connection is gone and closed was not called",
				    peer->id);
	}
}

bool
world_close(struct world *w)
{
	if (w->core != NULL) {
		check_ends(w);
		sl_core_close(w->core);
	}
	w->core = NULL;
	land(w, w->n_flight);
	for (uint16_t i = 0; i < w->n_held; i++)
		heapbufs_put(&w->heap, w->held[i]);
	w->n_held = 0;
	if (w->heap.out != 0)
		world_wrong(w, "%u buffers did not come back", w->heap.out);
	return w->why[0] == '\0';
}

void
world_free(struct world *w)
{
	for (int i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &w->peer[i];

		free(peer->out.data);
		free(peer->said);
		free(peer->got.data);
		free(peer->sent.data);
		free(peer->last);
	}
	arena_close(&w->arena);
	free(w->peer);
	free(w->sent);
	free(w->conf);
	free(w);
}
