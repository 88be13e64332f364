/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams - packets from strangers, and whether the engine did with each what it must.
 *
 * Whoever asks is answered: SYN-ACKs are as many as SYNs, sums over the tuples of both are the
 * same, each acknowledges the number that follows from its tuple, and a sample of the cookies
 * comes back and opens connections that work. Whoever is not answered is counted by the engine
 * among those that met the fate which the row is about.
 */
#include "streams.h"

#include <string.h>

#include "bench.h"

#define WIRE_KINDS  4 /* of SYNs */
#define PROOF_EVERY (WINDOW_UNITS / PROOFS_MAX)

/* What a packet becomes, and what it may become: while resets may be sent, by chance. */
static const struct {
	const char *name;
	enum sl_fate fate, other;
} becomes[SENT_KINDS] = {
	[SENT_SYN] = { "SYN", SL_FATE_tcp_syn_cookie, SL_FATE_COUNT },
	[SENT_GUESS] = { "guess", SL_FATE_tcp_cookie_bad, SL_FATE_tcp_input },
	[SENT_GUESS_UNCHECKED] = { "guess", SL_FATE_tcp_cookie_unchecked,
				   SL_FATE_tcp_cookie_bad },
	[SENT_STRAY] = { "stray", SL_FATE_tcp_stray_quiet, SL_FATE_tcp_stray },
	[SENT_SYN_CLOSED] = { "SYN to a closed port", SL_FATE_tcp_stray_quiet,
			      SL_FATE_tcp_closed_port },
	[SENT_ECHO] = { "ping", SL_FATE_icmp_limit, SL_FATE_icmp_echo },
	[SENT_UDP] = { "UDP", SL_FATE_ip_proto, SL_FATE_COUNT },
	[SENT_ARP] = { "ARP", SL_FATE_arp_in, SL_FATE_COUNT },
};

/* A number that looks random for each tuple. */
static uint64_t
mark_of(const struct wire_end *end)
{
	uint64_t x = (uint64_t)end->v6 << 63 | (uint64_t)end->addr << 32 |
		     (uint32_t)end->port << 16 | end->server;

	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 32;
}

/* Who sends what kind of SYN follows from the tuple, too. */
static uint8_t
system_of(const struct stream *s, uint64_t mark)
{
	static const uint8_t system[WIRE_KINDS] = { WIRE_SYN_LINUX, WIRE_SYN_WINDOWS,
						    WIRE_SYN_BSD, WIRE_BARE };

	return s->mixes ? system[mark >> 62] : WIRE_SYN_LINUX;
}

static bool
has_ts(uint8_t system)
{
	return system == WIRE_SYN_LINUX || system == WIRE_SYN_BSD;
}

static struct wire_seg
syn_of(const struct stream *s, uint64_t mark)
{
	return (struct wire_seg){
		.seq = (uint32_t)mark,
		.tsval = (uint32_t)(mark >> 31),
		.wnd = 64240,
		.flags = WIRE_SYN,
		.options = system_of(s, mark),
	};
}

static uint16_t
open_port(struct stream *s)
{
	uint32_t i = s->scatters ? bench_below(&s->peer.random, 1 + STREAM_MORE) : 0;

	return i == 0 ? PORT_SERVER : (uint16_t)(PORT_MORE + i);
}

static uint16_t
closed_port(struct stream *s)
{
	uint16_t port = PORT_CLOSED;

	while (s->scatters) {
		port = (uint16_t)(1 + bench_below(&s->peer.random, UINT16_MAX));
		if (port != PORT_SERVER && (uint16_t)(port - PORT_MORE - 1) >= STREAM_MORE)
			break;
	}
	return port;
}

void
stream_put_syn(struct stream *s, struct rte_mbuf *m)
{
	struct wire_end end = peer_stranger(&s->peer);
	struct wire_seg seg;
	uint64_t mark;

	end.server = open_port(s);
	mark = mark_of(&end);
	seg = syn_of(s, mark);
	wire_put(m, &end, &seg);
	s->asked += mark;
	s->n_sent[SENT_SYN]++;
}

void
stream_put_syn_closed(struct stream *s, struct rte_mbuf *m)
{
	struct wire_end end = peer_stranger(&s->peer);
	struct wire_seg seg;

	end.server = closed_port(s);
	seg = syn_of(s, mark_of(&end));
	wire_put(m, &end, &seg);
	s->n_sent[SENT_SYN_CLOSED]++;
}

/* Without timestamps, as who guesses would do: one 25-bit MAC is all there is to find. */
static void
put_ack(struct stream *s, struct rte_mbuf *m, uint16_t port)
{
	struct wire_end end = peer_stranger(&s->peer);
	uint64_t numbers = bench_random(&s->peer.random);
	struct wire_seg seg = {
		.seq = (uint32_t)numbers,
		.ack = (uint32_t)(numbers >> 32),
		.wnd = 502,
		.flags = WIRE_ACK,
	};

	end.server = port;
	wire_put(m, &end, &seg);
}

void
stream_put_guess(struct stream *s, struct rte_mbuf *m)
{
	put_ack(s, m, open_port(s));
	s->n_sent[s->is_unchecked ? SENT_GUESS_UNCHECKED : SENT_GUESS]++;
}

void
stream_put_stray(struct stream *s, struct rte_mbuf *m)
{
	put_ack(s, m, closed_port(s));
	s->n_sent[SENT_STRAY]++;
}

void
stream_put_mix(struct stream *s, struct rte_mbuf *m)
{
	if (bench_below(&s->peer.random, 10) != 0) {
		stream_put_syn(s, m);
		return;
	}
	switch (bench_below(&s->peer.random, 5)) {
	case 0:
		wire_put_echo(m, peer_stranger(&s->peer).addr);
		s->n_sent[SENT_ECHO]++;
		break;
	case 1:
		wire_put_udp(m, peer_stranger(&s->peer).addr);
		s->n_sent[SENT_UDP]++;
		break;
	case 2:
		wire_put_arp(m);
		s->n_sent[SENT_ARP]++;
		break;
	case 3:
		stream_put_guess(s, m);
		break;
	default:
		stream_put_stray(s, m);
		break;
	}
}

static void
take_synack(struct stream *s, const struct wire_in *in)
{
	uint64_t mark = mark_of(&in->end);
	uint8_t system = system_of(s, mark);

	if (in->ack != (uint32_t)mark + 1 || in->len != 0 || in->ts != has_ts(system))
		bench_fail("a SYN-ACK to %08x port %u does not fit its SYN", in->end.addr,
			   in->end.port);
	s->answered += mark;
	if (s->n_synacks++ % PROOF_EVERY == 0 && s->n_proofs < PROOFS_MAX)
		s->proof[s->n_proofs++] = *in;
}

static void
take_answers(struct stream *s)
{
	struct rte_mbuf *m[64];
	uint16_t n;

	while ((n = world_sent(s->world, m, 64)) > 0) {
		for (uint16_t i = 0; i < n; i++) {
			struct wire_in in;

			if (!wire_get(m[i], &in))
				continue;
			if (wire_is_drawn() && !wire_is_right(m[i]))
				bench_fail("a wrong checksum");
			if ((in.flags & ~WIRE_PSH) == (WIRE_SYN | WIRE_ACK))
				take_synack(s, &in);
			s->n_resets += (in.flags & WIRE_RST) != 0;
		}
		rte_pktmbuf_free_bulk(m, n);
	}
}

static uint64_t
met(const struct stream *s, const struct sl_stats *before, enum sl_fate fate)
{
	return fate == SL_FATE_COUNT
		       ? 0
		       : sl_core_stats(s->world->core)->fate[fate] - before->fate[fate];
}

/* What has been met since @before that is not among what @kind may meet: for a message. */
static const char *
met_besides(const struct stream *s, const struct sl_stats *before, unsigned int kind)
{
	for (unsigned int fate = 0; fate < SL_FATE_COUNT; fate++)
		if (fate != becomes[kind].fate && fate != becomes[kind].other &&
		    met(s, before, fate) > 0)
			return sl_fate_text(fate);
	return "nothing else";
}

/* All of each kind met what they may, and nearly all of a row of one kind what it is about. */
static void
judge(const struct stream *s, const struct sl_stats *before, uint64_t n)
{
	uint64_t resets =
		world_count(s->world, SL_CNT_reset_out) - before->count[SL_CNT_reset_out];

	for (unsigned int kind = 0; kind < SENT_KINDS; kind++) {
		uint64_t sent = s->n_sent[kind], right = met(s, before, becomes[kind].fate);

		if (sent == 0)
			continue;
		if (right + met(s, before, becomes[kind].other) != sent ||
		    (sent == n && right < n / 4 * 3))
			bench_fail("%lu of kind %s, of which %lu became \"%s\"; besides: %s",
				   sent, becomes[kind].name, right,
				   sl_fate_text(becomes[kind].fate),
				   met_besides(s, before, kind));
	}
	if (s->n_synacks != s->n_sent[SENT_SYN] || s->answered != s->asked)
		bench_fail("%lu SYNs, %lu answers, not all to who asked", s->n_sent[SENT_SYN],
			   s->n_synacks);
	if (s->n_resets != resets)
		bench_fail("%lu resets came, %lu went", s->n_resets, resets);
}

double
stream_window(void *arg)
{
	struct stream *s = arg;
	struct world *w = s->world;
	struct sl_stats before = *sl_core_stats(w->core);
	uint64_t cycles = w->cycles, packets = w->packets, n = 0;

	memset(s->n_sent, 0, sizeof(s->n_sent));
	s->n_synacks = s->n_resets = s->asked = s->answered = 0;
	s->n_proofs = 0;
	while (w->packets - packets < WINDOW_UNITS) {
		for (; !world_batch_is_full(w); n++)
			s->put(s, world_packet(w));
		world_run(w);
		take_answers(s);
	}
	judge(s, &before, n);
	return (double)(w->cycles - cycles) / (double)(w->packets - packets);
}

static void
send_back(struct stream *s, const struct wire_in *cookie, uint8_t flags, uint16_t sent)
{
	uint64_t mark = mark_of(&cookie->end);
	struct wire_seg seg = syn_of(s, mark);

	seg.options = has_ts(seg.options) ? WIRE_TS : WIRE_BARE;
	seg.seq = cookie->ack + sent;
	seg.ack = cookie->seq + 1;
	seg.tsecr = cookie->tsval;
	seg.wnd = 502;
	seg.flags = flags;
	if (flags & WIRE_PSH) {
		seg.payload = peer_request;
		seg.len = sizeof(peer_request);
	}
	wire_put(world_packet(s->world), &cookie->end, &seg);
}

/* How many of the cookies that came back were answered as a connection answers. */
static unsigned int
take_responses(struct stream *s)
{
	unsigned int n = 0;
	struct rte_mbuf *m;

	while (world_sent(s->world, &m, 1) > 0) {
		struct wire_in in;

		for (unsigned int i = 0; wire_get(m, &in) && i < s->n_proofs; i++) {
			const struct wire_in *cookie = &s->proof[i];

			n += in.len > 0 && mark_of(&in.end) == mark_of(&cookie->end) &&
			     in.seq == cookie->seq + 1 && in.ts == cookie->ts &&
			     in.ack == cookie->ack + sizeof(peer_request) && wire_is_right(m);
		}
		rte_pktmbuf_free(m);
	}
	return n;
}

static void
prove(struct stream *s)
{
	struct world *w = s->world;
	uint64_t ok = world_count(w, SL_CNT_cookie_ok), live = world_count(w, SL_CNT_live);
	unsigned int n = s->n_proofs, answers;

	for (unsigned int i = 0; i < n; i++) {
		send_back(s, &s->proof[i], WIRE_ACK, 0);
		send_back(s, &s->proof[i], WIRE_ACK | WIRE_PSH, 0);
	}
	world_run(w);
	answers = take_responses(s);
	for (unsigned int i = 0; i < n; i++)
		send_back(s, &s->proof[i], WIRE_RST, sizeof(peer_request));
	world_run(w);
	take_responses(s);
	if (world_count(w, SL_CNT_cookie_ok) != ok + n || answers != n ||
	    world_count(w, SL_CNT_live) != live)
		bench_fail("of %u cookies that came back %lu were taken, %u worked, %ld stay",
			   n, world_count(w, SL_CNT_cookie_ok) - ok, answers,
			   (long)(world_count(w, SL_CNT_live) - live));
}

double
stream_proved_window(void *arg)
{
	double cost = stream_window(arg);

	prove(arg);
	return cost;
}

void
stream_open(struct stream *s, struct world *w, bool v6, stream_put *put)
{
	memset(s, 0, sizeof(*s));
	peer_open(&s->peer, w, 64, v6);
	s->world = w;
	s->put = put;
}

void
stream_open_syn(struct stream *s, struct world *w, bool v6)
{
	stream_open(s, w, v6, stream_put_syn);
}
