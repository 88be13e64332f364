/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer - what the peers send and hear. Numbers are chosen by code, most codes being the
 * edges of what the core should take; zero is nearly always the ordinary thing.
 */
#include <string.h>

#include "wire/build.h"
#include "world.h"

#define PEER_ROOM   2048
#define PAYLOAD_MAX 1440u

static const uint8_t us[6] = { 2, 0, 0, 0, 0, 1 }, them[6] = { 2, 0, 0, 0, 0, 2 };

static uint32_t
choose_seq(struct world *w, const struct flow *f, uint8_t code)
{
	switch (code & 15) {
	case 0:
		return f->expected;
	case 1:
		return f->mine;
	case 2:
		return f->expected - 1;
	case 3:
		return f->expected + 1;
	case 4:
		return f->expected + 100;
	case 5:
		return f->expected + 1460;
	case 6:
		return f->expected - 1460;
	case 7:
		return f->expected + f->wnd;
	case 8:
		return f->expected + f->wnd - 1;
	case 9:
		return f->isn;
	case 10:
		return f->expected + (1u << 31);
	case 11:
		return f->mine - 1;
	case 12:
		return f->expected - 100;
	case 13:
		return f->expected + fuzz_u8(&w->in);
	case 14:
		return f->expected + fuzz_u16(&w->in);
	default:
		return f->isn + 1;
	}
}

static uint32_t
choose_ack(struct world *w, const struct flow *f, uint8_t code)
{
	switch (code & 7) {
	case 0:
		return f->nxt;
	case 1:
		return f->una;
	case 2:
		return f->una + (f->nxt - f->una) / 2;
	case 3:
		return f->nxt - 1;
	case 4:
		return f->nxt + 1;
	case 5:
		return f->una + fuzz_u16(&w->in);
	case 6:
		return f->una - 1 - fuzz_u8(&w->in);
	default:
		return f->nxt + (1u << 31);
	}
}

static uint16_t
choose_len(struct world *w, uint8_t code)
{
	static const uint16_t lens[] = {
		0, 1, 2, 10, 100, 536, 700, 1000, 1400, 1428, 1440, 3
	};

	code &= 15;
	return code < RTE_DIM(lens) ? lens[code] : fuzz_u16(&w->in) % PAYLOAD_MAX;
}

static uint16_t
choose_wnd(struct world *w, uint8_t code)
{
	static const uint16_t wnds[] = { 65535, 0, 1, 100, 1460, 4096, 30000 };

	code &= 7;
	return code < RTE_DIM(wnds) ? wnds[code] : fuzz_u16(&w->in);
}

/* Options that @seg carries, beside the timestamps a flow goes on with once it has them. */
static void
choose_options(struct world *w, const struct flow *f, struct sl_seg_out *seg, uint8_t code)
{
	seg->opts = code & (SL_OPT_MSS | SL_OPT_WSCALE | SL_OPT_SACK_OK | SL_OPT_TS);
	if (seg->opts & SL_OPT_MSS)
		seg->mss = (uint16_t)(fuzz_u8(&w->in) * 16);
	if (seg->opts & SL_OPT_WSCALE)
		seg->wscale = fuzz_u8(&w->in) & 15;
	seg->tsval = (uint32_t)(w->now / SL_NS_PER_MS);
	seg->tsecr = f->tsval;
	if (code & 0x20) {
		seg->tsval -= fuzz_u8(&w->in);
		seg->tsecr -= fuzz_u8(&w->in);
	}
	if (code & 0x40) {
		seg->n_sacks = 1 + fuzz_u8(&w->in) % 3;
		seg->opts |= SL_OPT_SACK;
		for (uint8_t i = 0; i < seg->n_sacks; i++) {
			seg->sack[i].lo = f->una + 61u * fuzz_u8(&w->in);
			seg->sack[i].hi = seg->sack[i].lo + 61u * fuzz_u8(&w->in);
			if (sl_seq_gt(seg->sack[i].hi, f->nxt) && !(code & 0x80))
				seg->sack[i].hi = f->nxt;
		}
	}
}

void
peer_says(const struct world *w, const struct flow *f, char dir, const struct sl_seg *seg)
{
	static const char letters[] = "FSRP.UEC";
	char flags[9] = "";
	uint32_t mine = dir == '<' ? f->irs : f->iss, other = dir == '<' ? f->iss : f->irs;

	if (!w->says)
		return;
	for (int i = 0, n = 0; i < 8; i++)
		if (seg->flags >> i & 1)
			flags[n++] = letters[i];
	fprintf(stderr, "%.6f flow %ld  %c %s %u:%u(%u) ack %u win %u",
		(double)w->now / SL_NS_PER_S, (long)(f - w->flow), dir, flags, seg->seq - mine,
		seg->seq - mine + seg->len, seg->len, seg->ack - other, seg->wnd);
	if (seg->opts & SL_OPT_MSS)
		fprintf(stderr, " mss %u", seg->mss);
	if (seg->opts & SL_OPT_WSCALE)
		fprintf(stderr, " wscale %u", seg->wscale);
	if (seg->opts & SL_OPT_TS)
		fprintf(stderr, " ts %u %u", seg->tsval, seg->tsecr);
	for (uint8_t i = 0; i < seg->n_sacks; i++)
		fprintf(stderr, " sack %u:%u", seg->sack[i].lo - other,
			seg->sack[i].hi - other);
	fprintf(stderr, "\n");
}

static struct sl_tuple
turned(const struct sl_tuple *t)
{
	return (struct sl_tuple){
		.local = t->remote,
		.remote = t->local,
		.lport = t->rport,
		.rport = t->lport,
		.v6 = t->v6,
	};
}

static void
send_segment(struct world *w, struct flow *f, const struct sl_seg_out *seg, uint16_t len,
	     uint8_t shape)
{
	struct sl_l2 l2 = { .port = 0 };
	struct sl_tuple tuple = turned(&f->tuple);
	uint8_t payload[PAYLOAD_MAX], frame[PEER_ROOM];
	struct rte_mbuf *m;
	size_t n;
	struct sl_seg said = { .seq = seg->seq,
			       .ack = seg->ack,
			       .wnd = seg->wnd,
			       .len = len,
			       .flags = seg->flags,
			       .opts = seg->opts,
			       .mss = seg->mss,
			       .wscale = seg->wscale,
			       .tsval = seg->tsval,
			       .tsecr = seg->tsecr,
			       .n_sacks = seg->n_sacks };

	memcpy(said.sack, seg->sack, sizeof(said.sack));
	peer_says(w, f, '<', &said);
	memcpy(l2.dst, us, 6);
	memcpy(l2.src, them, 6);
	for (uint16_t i = 0; i < len; i++)
		payload[i] = world_byte(seg->seq + !!(seg->flags & SL_SYN) + i);
	m = heapbufs_packet(&w->hb, payload, len, RTE_PKTMBUF_HEADROOM);
	sl_tcp_build(m, &l2, &tuple, seg);
	n = heapbufs_read(m, frame, sizeof(frame));
	heapbufs_put(&w->hb, m);
	world_frame(w, frame, n, shape);
}

/*
 * Six bytes and what they ask for: flags; seq and shape; ack, window and whether options
 * follow; length. A SYN without ACK counts from the flow's isn, which then moves on.
 */
void
peer_segment(struct world *w, struct flow *f)
{
	uint8_t flags = fuzz_u8(&w->in), where = fuzz_u8(&w->in), says = fuzz_u8(&w->in);
	uint8_t size = fuzz_u8(&w->in);
	struct sl_seg_out seg = { .flags = flags, .ttl = 64 };
	uint16_t len;

	seg.seq = choose_seq(w, f, where);
	seg.ack = flags & SL_ACK ? choose_ack(w, f, says) : 0;
	seg.wnd = choose_wnd(w, says >> 3);
	len = choose_len(w, size);
	if (says & 0x80) {
		choose_options(w, f, &seg, fuzz_u8(&w->in));
	} else if (f->ts && !(flags & SL_RST)) {
		seg.opts = SL_OPT_TS;
		seg.tsval = (uint32_t)(w->now / SL_NS_PER_MS);
		seg.tsecr = f->tsval;
	}
	if ((flags & (SL_SYN | SL_ACK)) == SL_SYN && (where & 15) == 0)
		seg.seq = f->isn;
	if (flags & SL_SYN) {
		f->isn = f->irs = seg.seq;
		f->ts = false;
		f->mine = seg.seq;
	}
	if (sl_seq_gt(seg.seq + len + !!(flags & SL_SYN) + !!(flags & SL_FIN), f->mine))
		f->mine = seg.seq + len + !!(flags & SL_SYN) + !!(flags & SL_FIN);
	if ((flags & SL_ACK) && sl_seq_gt(seg.ack, f->una) && sl_seq_le(seg.ack, f->nxt))
		f->una = seg.ack;

	send_segment(w, f, &seg, len, where >> 4);
}

static size_t
put(uint8_t *to, size_t at, const void *bytes, size_t n)
{
	memcpy(to + at, bytes, n);
	return at + n;
}

static uint16_t
sum(const uint8_t *p, size_t n, uint32_t start)
{
	uint32_t s = start;

	for (size_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void
set16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
set32(uint8_t *p, uint32_t v)
{
	set16(p, v >> 16);
	set16(p + 2, v);
}

/* An error from a router, IPv4 only: type, code and MTU by the input. */
void
peer_icmp(struct world *w, const struct flow *f)
{
	static const uint8_t head[20] = { 0x45, 0, 0, 56, 0, 0, 0x40, 0, 64, 1 };
	static const uint8_t quoted[20] = { 0x45, 0, 5, 220, 0, 0, 0x40, 0, 64, 6 };
	uint8_t frame[14 + 56] = { 0 }, *ip = frame + 14, *icmp = ip + 20, *quote = icmp + 8;
	uint8_t code = fuzz_u8(&w->in), where = fuzz_u8(&w->in);
	uint32_t seq = where & 1 ? choose_ack(w, f, where >> 1) : f->una;

	if (f->tuple.v6)
		return;
	put(frame, 0, us, 6);
	put(frame, 6, them, 6);
	set16(frame + 12, 0x0800);
	put(ip, 0, head, 20);
	put(ip, 12, f->tuple.remote.b + 12, 4);
	put(ip, 16, f->tuple.local.b + 12, 4);
	set16(ip + 10, sum(ip, 20, 0));
	icmp[0] = code & 0x80 ? 11 : 3;
	icmp[1] = code & 15;
	set16(icmp + 6, (code & 0x70) * 20u);
	put(quote, 0, quoted, 20);
	put(quote, 12, f->tuple.local.b + 12, 4);
	put(quote, 16, f->tuple.remote.b + 12, 4);
	set16(quote + 10, sum(quote, 20, 0));
	set16(quote + 20, f->tuple.lport);
	set16(quote + 22, f->tuple.rport);
	set32(quote + 24, seq);
	set16(icmp + 2, sum(icmp, 36, 0));
	world_frame(w, frame, sizeof(frame), 0);
}

static struct flow *
flow_of(struct world *w, const struct sl_tuple *seen)
{
	for (int i = 0; i < WORLD_FLOWS; i++) {
		struct flow *f = &w->flow[i];
		bool any_port = i == FLOW_BACKEND || i == FLOW_OPENED;

		if (f->tuple.rport == seen->lport && f->tuple.v6 == seen->v6 &&
		    (any_port || f->tuple.lport == seen->rport))
			return f;
	}
	return NULL;
}

static void
flow_learns(struct flow *f, const struct sl_tuple *seen, const struct sl_seg *seg)
{
	uint32_t end = seg->seq + sl_seg_span(seg);

	f->tuple.lport = seen->rport;
	f->wnd = seg->wnd;
	if (seg->flags & SL_RST)
		return;
	f->ts = seg->opts & SL_OPT_TS;
	if (f->ts)
		f->tsval = seg->tsval;
	if (seg->flags & SL_ACK)
		f->expected = seg->ack;
	else if (seg->flags & SL_SYN)
		f->expected = f->isn;
	if (seg->flags & SL_SYN) {
		f->iss = seg->seq;
		f->una = seg->seq;
		f->nxt = end;
	} else if (sl_seq_gt(end, f->nxt)) {
		f->nxt = end;
	}
}

/* The acting application's bytes are where they belong. */
static void
check_stream(const struct world *w, const struct flow *f, const struct sl_seg *seg,
	     const uint8_t *bytes)
{
	long which = f - w->flow;

	if (w->raw)
		return;
	if (which != FLOW_ACT && which != FLOW_ACT6 && which != FLOW_OPENED)
		return;
	for (uint16_t i = 0; i < seg->len; i++)
		fuzz_demand(bytes[i] == world_byte(seg->seq + i));
}

void
peer_hears(struct world *w, struct rte_mbuf *sent)
{
	uint8_t bytes[PEER_ROOM];
	size_t len = heapbufs_read(sent, bytes, sizeof(bytes));
	struct sl_frame frame;
	struct sl_tuple seen;
	struct sl_seg seg;
	struct rte_mbuf *m;
	struct flow *f;

	fuzz_demand(len >= 14 && len <= 14u + w->mtu);
	fuzz_demand(memcmp(bytes + 6, us, 6) == 0);
	heapbufs_put(&w->hb, sent);
	m = heapbufs_packet(&w->hb, bytes, len, 0);
	fuzz_demand(sl_frame_parse(m, &frame, &seen, &seg) == SL_FATE_NONE);
	if (frame.kind == SL_KIND_TCP) {
		f = flow_of(w, &seen);
		if (f != NULL) {
			check_stream(w, f, &seg, bytes + frame.payload);
			flow_learns(f, &seen, &seg);
			peer_says(w, f, '>', &seg);
		}
	}
	heapbufs_put(&w->hb, m);
}
