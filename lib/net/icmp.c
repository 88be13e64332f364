/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * icmp - echo is answered, errors about TCP are read and classified, the rest is let go.
 *
 * An error changes nothing here: whether it quotes a segment really in flight only TCP
 * can say (RFC 5927). We send no errors of our own, so none about errors either.
 */
#include <stddef.h>

#include "net/net_internal.h"
#include "wire/bytes.h"
#include "wire/cksum.h"
#include "wire/proto.h"
#include "wire/quote.h"

#define TTL         64
#define LOWER_MAX   58u                /* Ethernet, tag and IPv6 */
#define ECHO_EVERY  (1 * SL_NS_PER_MS) /* one echo reply, in the long run, */
#define ECHO_CREDIT 200                /* or so many at once */

static bool
cksum_is_right(const struct rte_mbuf *m, const struct sl_frame *frame,
	       const struct sl_tuple *tuple)
{
	uint16_t sum = 0;

	if (frame->kind == SL_KIND_ICMP6)
		sum = sl_cksum_pseudo(&tuple->remote, &tuple->local, true, IPPROTO_ICMPV6,
				      frame->l4_len);
	return sl_cksum_add_chain(&sum, m, frame->l4, frame->l4_len) && sl_cksum_is_right(sum);
}

/* Whether one more echo reply is within the limit, and pay for it. */
static bool
echo_is_allowed(struct sl_net *net, sl_ns_t now)
{
	sl_ns_t paid = RTE_MAX(net->echo_paid, now);

	if (paid - now > (ECHO_CREDIT - 1) * ECHO_EVERY)
		return false;
	net->echo_paid = paid + ECHO_EVERY;
	return true;
}

/* Whether all of @m is nobody else's, so that its bytes and lengths may be changed. */
static bool
is_alone(const struct rte_mbuf *m)
{
	if (!RTE_MBUF_DIRECT(m))
		return false;
	for (; m != NULL; m = m->next)
		if (rte_mbuf_refcnt_read(m) != 1)
			return false;
	return true;
}

/*
 * Make the received packet itself an echo message without lower headers. False, and
 * nothing changed, if it cannot be: it is shared, a chain the port could not send, or
 * has no room in front. Padding that fills whole segments is not worth the trouble.
 */
static bool
strip_in_place(const struct sl_net_rx *rx)
{
	const struct sl_frame *frame = rx->frame;
	struct rte_mbuf *m = *rx->m;
	uint32_t padding = m->pkt_len - frame->l4 - frame->l4_len;
	bool sendable =
		m->next == NULL || rx->net->port[rx->port].offloads & SL_OFFLOAD_MULTI_SEG;

	if (!sendable || !is_alone(m) || rte_pktmbuf_headroom(m) + frame->l4 < LOWER_MAX ||
	    padding > UINT16_MAX || rte_pktmbuf_trim(m, (uint16_t)padding) < 0)
		return false;
	rte_pktmbuf_adj(m, frame->l4);
	*rx->m = NULL;
	return true;
}

/* A copy of the echo message in a packet of its own; NULL if that is too small or not to be
 * had. */
static struct rte_mbuf *
strip_by_copy(const struct sl_net_rx *rx)
{
	const struct sl_frame *frame = rx->frame;
	struct rte_mbuf *m = sl_net_packet(rx->net);
	uint32_t off = frame->l4, left = frame->l4_len;
	uint8_t *to;

	if (m == NULL)
		return NULL;
	to = (uint8_t *)rte_pktmbuf_append(m, frame->l4_len);
	if (to == NULL) {
		rx->net->bufs->put(rx->net->bufs->ctx, &m, 1);
		return NULL;
	}
	for (const struct rte_mbuf *seg = *rx->m; left > 0; seg = seg->next) {
		uint32_t here = seg->data_len > off ? RTE_MIN(left, seg->data_len - off) : 0;

		memcpy(to, rte_pktmbuf_mtod_offset(seg, const uint8_t *, off), here);
		to += here;
		left -= here;
		off -= RTE_MIN(off, seg->data_len);
	}
	return m;
}

/* The sum anew, since the type changed; in IPv6 it includes the pseudo-header. */
static void
put_cksum(struct rte_mbuf *m, const struct sl_tuple *tuple)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t sum = 0;

	sl_put16(p + 2, 0);
	if (tuple->v6)
		sum = sl_cksum_pseudo(&tuple->local, &tuple->remote, true, IPPROTO_ICMPV6,
				      m->pkt_len);
	sl_cksum_add_chain(&sum, m, 0, m->pkt_len);
	sl_cksum_put(p + 2, sum);
}

static enum sl_fate
answer_echo(const struct sl_net_rx *rx)
{
	const struct sl_tuple *tuple = rx->tuple;
	struct rte_mbuf *m = *rx->m;
	struct sl_l2 back;

	sl_l2_reply(m, rx->frame, &back);
	if (sl_self_find(rx->net, rx->port, rx->frame->vlan, &tuple->local, SL_SELF_OURS) ==
	    NULL)
		return SL_FATE_icmp_ignored; /* asked of a group */
	if (!echo_is_allowed(rx->net, rx->now))
		return SL_FATE_icmp_limit;
	if (!sl_out_has_room(rx->out))
		return SL_FATE_no_buffer;
	if (!strip_in_place(rx))
		m = strip_by_copy(rx);
	if (m == NULL)
		return SL_FATE_no_buffer;

	*rte_pktmbuf_mtod(m, uint8_t *) = tuple->v6 ? SL_ICMP6_ECHO_REPLY : SL_ICMP4_ECHO_REPLY;
	put_cksum(m, tuple);
	sl_ip_build(m, &back, tuple, tuple->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, TTL,
		    rx->frame->tos & 0xfc); /* the class is echoed, ECN is not */
	sl_net_count(rx->net, SL_CNT_icmp_out);
	sl_out_put(rx->out, m);
	return SL_FATE_icmp_echo;
}

/* RFC 1122, 4.2.3.9: port and protocol unreachable are final; so is "forbidden" (RFC 5461). */
static void
classify4(struct sl_icmp_error *e, uint32_t rest)
{
	static const uint32_t hard = 1 << 2 | 1 << 3 | 1 << 9 | 1 << 10 | 1 << 13;

	e->what = SL_ICMP_SOFT;
	if (e->type != SL_ICMP4_UNREACHABLE)
		return;
	if (e->code == 4) {
		e->what = SL_ICMP_TOO_BIG;
		e->mtu = rest & 0xffff; /* RFC 1191, 4 */
	} else if (e->code < 16 && (hard >> e->code & 1)) {
		e->what = SL_ICMP_HARD;
	}
}

/* The same of ICMPv6: forbidden, port unreachable, next header unknown (RFC 4443). */
static void
classify6(struct sl_icmp_error *e, uint32_t rest)
{
	e->what = SL_ICMP_SOFT;
	if (e->type == SL_ICMP6_TOO_BIG) {
		e->what = SL_ICMP_TOO_BIG;
		e->mtu = rest;
	} else if ((e->type == SL_ICMP6_UNREACHABLE && (e->code == 1 || e->code == 4)) ||
		   (e->type == SL_ICMP6_PARAMETER && e->code == 1)) {
		e->what = SL_ICMP_HARD;
	}
}

static enum sl_fate
take_error(const struct sl_net_rx *rx)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(*rx->m, const uint8_t *, rx->frame->l4);
	struct sl_icmp_error *e = rx->error;

	*e = (struct sl_icmp_error){ .type = p[0], .code = p[1] };
	if (!sl_quote_parse(*rx->m, rx->frame, &e->tuple, &e->seq))
		return SL_FATE_icmp_unmatched;
	if ((e->tuple.v6 && sl_addr_is_v4(&e->tuple.local)) ||
	    !sl_net_has(rx->net, &e->tuple.local))
		return SL_FATE_icmp_unmatched;
	if (rx->frame->kind == SL_KIND_ICMP4)
		classify4(e, sl_get32(p + 4));
	else
		classify6(e, sl_get32(p + 4));
	return SL_FATE_icmp_error;
}

static enum sl_fate
take4(const struct sl_net_rx *rx, uint8_t type)
{
	switch (type) {
	case SL_ICMP4_ECHO:
		return answer_echo(rx);
	case SL_ICMP4_UNREACHABLE:
	case SL_ICMP4_EXCEEDED:
	case SL_ICMP4_PARAMETER:
		return take_error(rx);
	default: /* source quench and redirect among them (RFC 6633) */
		return SL_FATE_icmp_ignored;
	}
}

static enum sl_fate
take6(const struct sl_net_rx *rx, uint8_t type)
{
	if (type >= SL_ND_ROUTER_SOL && type <= SL_ND_REDIRECT)
		return sl_nd_input(rx);
	if (type == SL_ICMP6_ECHO)
		return answer_echo(rx);
	if (type >= SL_ICMP6_UNREACHABLE && type <= SL_ICMP6_PARAMETER)
		return take_error(rx);
	return SL_FATE_icmp_ignored;
}

enum sl_fate
sl_icmp_input(const struct sl_net_rx *rx)
{
	uint8_t type = *rte_pktmbuf_mtod_offset(*rx->m, const uint8_t *, rx->frame->l4);

	if (!cksum_is_right(*rx->m, rx->frame, rx->tuple))
		return SL_FATE_icmp_bad;
	return rx->frame->kind == SL_KIND_ICMP4 ? take4(rx, type) : take6(rx, type);
}
