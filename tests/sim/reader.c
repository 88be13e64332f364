/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader - see reader.h. Plain and slow: a byte of map for each byte of the stream.
 */
#include "reader.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "craft.h"
#include "netrig.h"
#include "trace.h"

#define MILLION  1000000u
#define PORT     40000
#define AGAIN_NS SL_NS_PER_S /* SYN and FIN are sent again so often */
#define BLOCKS   3u          /* of SACK */

static const char *
text_address(bool v6, unsigned int host, char *text, size_t room)
{
	snprintf(text, room, v6 ? "fd00::%x" : "10.0.0.%u", host + 1);
	return text;
}

/* A run of bytes that are there, at or behind @from. False: there is none. */
static bool
find_run(const struct reader *r, uint32_t from, uint32_t *lo, uint32_t *hi)
{
	while (from < READER_MOST && !r->has[from])
		from++;
	*lo = from;
	while (from < READER_MOST && r->has[from])
		from++;
	*hi = from;
	return *lo < *hi;
}

static uint8_t
put_block(const struct reader *r, uint8_t *opt, uint32_t lo, uint32_t hi)
{
	uint32_t edge[2] = { htonl(r->irs + 1 + lo), htonl(r->irs + 1 + hi) };

	memcpy(opt, edge, sizeof(edge));
	return sizeof(edge);
}

/* The run with the newest piece first, then others from the lowest on (RFC 2018, 4). */
static uint8_t
put_sack(const struct reader *r, uint8_t *opt)
{
	uint32_t at = r->next, first = r->newest, lo, hi, n = 0;
	uint8_t len = 4;

	while (first > r->next && r->has[first - 1])
		first--;
	if (first > r->next && r->has[r->newest] && find_run(r, first, &lo, &hi)) {
		len += put_block(r, opt + len, lo, hi);
		n++;
	}
	while (n < BLOCKS && find_run(r, at, &lo, &hi)) {
		if (n == 0 || lo != first) {
			len += put_block(r, opt + len, lo, hi);
			n++;
		}
		at = hi;
	}
	if (n == 0)
		return 0;
	opt[0] = opt[1] = 1;
	opt[2] = 5;
	opt[3] = (uint8_t)(len - 2);
	return len;
}

static void
send_segment(struct reader *r, uint32_t seq, uint8_t flags, const uint8_t *opt, uint8_t opt_len)
{
	char from[40], to[40];
	bool passed_fin = r->has_fin && r->next == r->fin_at;
	uint32_t ack = flags & SL_ACK ? r->irs + 1 + r->next + passed_fin : 0;
	uint32_t window = flags & SL_SYN ? r->habits.window : r->edge - r->next;
	static struct craft c;

	text_address(r->v6, r->self, from, sizeof(from));
	text_address(r->v6, r->server, to, sizeof(to));
	craft_ether(&c, r->link->host[r->server].mac, r->link->host[r->self].mac, 0,
		    r->v6 ? 0x86dd : 0x0800);
	if (r->v6)
		craft_ip6(&c, from, to, 6);
	else
		craft_ip4(&c, from, to, 6);
	craft_tcp(&c, PORT, r->port, seq, ack, flags, (uint16_t)window, opt, opt_len);
	craft_end(&c);
	link_send(r->link, r->self, c.b, c.len);
}

static void
send_syn(struct reader *r)
{
	const uint8_t opt[8] = { 2,
				 4,
				 (uint8_t)(r->habits.mss >> 8),
				 (uint8_t)r->habits.mss,
				 r->habits.sack ? 4 : 1,
				 r->habits.sack ? 2 : 1,
				 1,
				 1 };

	send_segment(r, r->iss, SL_SYN, opt, sizeof(opt));
	r->again_at = r->link->now + AGAIN_NS;
}

/* Forget what lies behind the first gap, though the server was told that it is here. */
static void
renege(struct reader *r)
{
	memset(r->has + r->next, 0, READER_MOST - r->next);
	r->n_reneged++;
}

/* Say where we are; with our FIN, once the server's is in. */
static void
send_ack(struct reader *r)
{
	bool ends = r->has_fin && r->next == r->fin_at;
	uint8_t opt[4 + 8 * BLOCKS] = { 0 }, opt_len = 0;

	if (r->link->now >= r->paused_until) {
		r->edge = r->next + r->habits.window;
		r->paused_until = 0;
	}
	if (r->habits.sack && !ends)
		opt_len = put_sack(r, opt);
	send_segment(r, r->iss + 1 + r->fin_is_acked,
		     ends && !r->fin_is_acked ? SL_ACK | SL_FIN : SL_ACK, opt, opt_len);
	if (ends && !r->fin_is_acked)
		r->again_at = r->link->now + AGAIN_NS;
	r->n_waiting = 0;
	r->ack_at = UINT64_MAX;
	r->n_acks++;
	if (rnd_below(&r->rnd, MILLION) < r->habits.renege_ppm)
		renege(r);
	if (rnd_below(&r->rnd, MILLION) < r->habits.pause_ppm) {
		r->paused_until = r->link->now +
				  (1 + rnd_below(&r->rnd, r->habits.pause_ms)) * SL_NS_PER_MS;
		r->n_paused++;
	}
}

/* Keep what lies in the window. Returns whether it was the next, and nothing but that. */
static bool
store(struct reader *r, const uint8_t *payload, uint32_t at, uint32_t len)
{
	bool in_order = at == r->next && at + len <= r->edge;

	for (uint32_t i = 0; i < len; i++) {
		uint32_t o = at + i;

		if (o < r->next || o >= r->edge)
			continue;
		assert(o < READER_MOST);
		r->has[o] = 1;
		r->byte[o] = payload[i];
	}
	r->newest = at;
	while (r->next < READER_MOST && r->has[r->next])
		r->next++;
	return in_order && r->next == at + len;
}

static void
take_segment(struct reader *r, const struct sl_seg *seg, const uint8_t *payload)
{
	uint32_t at = seg->seq - r->irs - 1;
	bool in_order;

	if (seg->flags & SL_RST) {
		fprintf(stderr, "reader: reset\n");
		abort();
	}
	if (seg->flags & SL_SYN) {
		r->irs = seg->seq;
		r->is_open = true;
		r->again_at = UINT64_MAX;
		send_ack(r);
		return;
	}
	if ((seg->flags & SL_ACK) && seg->ack == r->iss + 2) {
		r->fin_is_acked = true;
		r->again_at = UINT64_MAX;
	}
	if (seg->len == 0 && !(seg->flags & SL_FIN)) {
		if (at != r->next && !r->has_fin) /* a probe: RFC 9293, 3.8.4 */
			send_ack(r);
		return;
	}
	in_order = store(r, payload, at, seg->len);
	if ((seg->flags & SL_FIN) && at + seg->len <= r->edge) {
		r->has_fin = true;
		r->fin_at = at + seg->len;
	}
	r->n_waiting++;
	if (!in_order || r->has_fin || r->n_waiting >= r->habits.ack_every)
		send_ack(r);
	else if (r->ack_at == UINT64_MAX)
		r->ack_at = r->link->now + r->habits.ack_delay_ms * SL_NS_PER_MS;
}

/* Whoever asks for our address by ARP or neighbour discovery is told. */
static void
answer_neighbour(struct reader *r, const uint8_t *frame, size_t len)
{
	const uint8_t *mac = r->link->host[r->self].mac;
	char us[40], them[40];
	static struct craft c;
	bool arp = frame[12] == 8 && frame[13] == 6;
	bool nd = len > 54 && frame[12] == 0x86 && frame[20] == 58 && frame[54] == 135;

	text_address(nd, r->self, us, sizeof(us));
	text_address(nd, r->server, them, sizeof(them));
	if (arp && frame[21] == 1)
		netrig_arp(&c, frame + 6, mac, 2, us, them);
	else if (nd)
		netrig_nd(&c, frame + 6, mac, us, them, 136, 0x60000000, us, 2, mac);
	else
		return;
	link_send(r->link, r->self, c.b, c.len);
}

static void
reader_frame(void *arg, const uint8_t *frame, size_t len)
{
	struct reader *r = arg;
	struct sl_tuple tuple;
	struct sl_seg seg;

	if (trace_segment(frame, len, &tuple, &seg))
		take_segment(r, &seg, frame + len - seg.len);
	else
		answer_neighbour(r, frame, len);
}

/* A window that was let close is opened when the pause is over. */
static sl_ns_t
reopens_at(const struct reader *r)
{
	bool waits = r->is_open && !r->has_fin && r->paused_until != 0;

	return waits ? r->paused_until : UINT64_MAX;
}

static sl_ns_t
reader_next(const void *arg)
{
	const struct reader *r = arg;
	sl_ns_t at = r->ack_at < r->again_at ? r->ack_at : r->again_at;
	sl_ns_t reopens = reopens_at(r);

	return at < reopens ? at : reopens;
}

static void
reader_timer(void *arg)
{
	struct reader *r = arg;
	sl_ns_t now = r->link->now;

	if (!r->is_open && r->again_at <= now)
		send_syn(r);
	else if (r->again_at <= now || r->ack_at <= now || reopens_at(r) <= now)
		send_ack(r);
}

/* Whoever comes from the same link has asked for the server's address before, and is known. */
static void
be_known(const struct reader *r)
{
	struct sl_event event = { .kind = SL_EVENT_NEIGHBOUR };

	event.neighbour.addr = link_addr(r->self, r->v6);
	memcpy(event.neighbour.mac, r->link->host[r->self].mac, 6);
	event.neighbour.reachable = event.neighbour.solicited = true;
	sl_core_event(r->link->host[r->server].core, r->link->now, &event);
}

void
reader_open(struct reader *r, struct link *link, const struct reader_habits *habits,
	    unsigned int server, uint16_t port, bool v6, uint64_t seed)
{
	const struct link_peer peer = {
		.frame = reader_frame, .next = reader_next, .timer = reader_timer, .arg = r
	};

	memset(r, 0, sizeof(*r));
	r->habits = *habits;
	r->link = link;
	r->server = server;
	r->port = port;
	r->v6 = v6;
	r->rnd = (struct rnd){ seed };
	r->iss = (uint32_t)rnd_u64(&r->rnd);
	r->edge = habits->window;
	r->ack_at = UINT64_MAX;
	r->again_at = link->now;
	r->self = link_join_peer(link, &peer);
	be_known(r);
}

bool
reader_is_done(const struct reader *r)
{
	return r->has_fin && r->next == r->fin_at && r->fin_is_acked;
}
