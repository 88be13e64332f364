/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * open - active opens: a source port is drawn, a SYN is owed (RFC 9293, 3.10.1; RFC 6056).
 *
 * A port is taken if its tuple is free, or in TIME-WAIT with timestamps on both sides and
 * more than a second old (RFC 6191), and if the answers to it come to this core.
 */
#include <errno.h>
#include <string.h>

#include "tcp/answer.h"
#include "tcp/tcp.h"
#include "tcp/timer.h"

#define PORT_FIRST 10000u
#define PORT_COUNT (65536u - PORT_FIRST)
#define PORT_TRIES 512u /* 99 % of the ports taken: one in 170 opens finds none */

static bool
is_a_host(const struct sl_addr *a)
{
	static const struct sl_addr none;

	if (sl_addr_is_v4(a)) {
		uint32_t v4 = sl_addr_to_v4(a);

		return v4 >> 24 != 0 && v4 >> 28 < 14; /* 0/8, groups, reserved, broadcast */
	}
	return a->b[0] != 0xff && !sl_addr_eq(a, &none);
}

/* Whether a tuple found in TIME-WAIT may be opened again. */
static bool
may_reuse(const struct sl_tcp *tcp, const struct sl_tcp_conf *conf, uint32_t slot)
{
	const struct sl_tw *tw = &tcp->tw[slot & ~SL_FLOW_TW];

	return (slot & SL_FLOW_TW) && (tw->is & SL_TW_TS) && conf->timestamps &&
	       sl_tw_age_ms(tcp, tw) > 1000;
}

/* Whether the tuple may be opened; @slot is then the TIME-WAIT record in its way, if any. */
static bool
is_free(const struct sl_tcp *tcp, const struct sl_tcp_conf *conf, const struct sl_tuple *tuple,
	uint32_t *slot)
{
	if (tcp->is_home != NULL && !tcp->is_home(tcp->steer, tuple))
		return false;
	*slot = sl_flows_find(tcp->flows, tuple, sl_flows_hash(tcp->flows, tuple));
	return *slot == SL_NO_FLOW || may_reuse(tcp, conf, *slot);
}

/*
 * Draw a source port: RFC 6056, algorithm 5 in spirit, each try drawn anew. A port that
 * one of our listeners answers on is left alone.
 */
static int
draw_port(struct sl_tcp *tcp, const struct sl_tcp_conf *conf, struct sl_tuple *tuple,
	  uint32_t *slot)
{
	for (uint32_t i = 0; i < PORT_TRIES; i++) {
		uint64_t draw =
			sl_prf(&tcp->port_key, &tcp->n_ports_drawn, sizeof(tcp->n_ports_drawn));

		tcp->n_ports_drawn++;
		tuple->lport = PORT_FIRST + draw % PORT_COUNT;
		if (tcp->by_port[tuple->lport] == SL_NO_LISTENER &&
		    is_free(tcp, conf, tuple, slot))
			return 0;
	}
	sl_count(tcp, no_port);
	return -EADDRNOTAVAIL;
}

static int
choose_tuple(struct sl_tcp *tcp, const struct sl_tcp_conf *conf, const struct sl_connect *to,
	     struct sl_tuple *tuple, uint32_t *slot)
{
	int rc;

	memset(tuple, 0, sizeof(*tuple));
	tuple->remote = *to->remote;
	tuple->rport = to->rport;
	tuple->v6 = !sl_addr_is_v4(to->remote);
	if (to->local != NULL) {
		tuple->local = *to->local;
		if (sl_addr_is_v4(to->local) == tuple->v6 || !sl_net_has(tcp->net, to->local))
			return -EINVAL;
	} else {
		rc = sl_net_source(tcp->net, to->remote, &tuple->local);
		if (rc < 0) {
			sl_count(tcp, no_route);
			return rc;
		}
	}
	if (to->lport == 0)
		return draw_port(tcp, conf, tuple, slot);
	tuple->lport = to->lport;
	return is_free(tcp, conf, tuple, slot) ? 0 : -EADDRNOTAVAIL;
}

/* RFC 9293, 3.4.3: a number above all that the last incarnation sent. */
static uint32_t
first_number(const struct sl_tcp *tcp, const struct sl_tuple *tuple, uint32_t slot)
{
	uint32_t iss = sl_tcp_isn(tcp, tuple);

	if (slot != SL_NO_FLOW) {
		uint32_t last = tcp->tw[slot & ~SL_FLOW_TW].snd_nxt;

		if (sl_seq_le(iss, last))
			iss = last + 1;
	}
	return iss;
}

int
sl_tcp_connect(struct sl_tcp *tcp, uint16_t listener, const struct sl_connect *to,
	       struct sl_tcb **out)
{
	const struct sl_tcp_conf *conf = &tcp->listener[listener].conf.tcp;
	struct sl_tuple tuple;
	struct sl_tcb *tcb;
	uint32_t slot = SL_NO_FLOW;
	int rc;

	if (tcp->draining)
		return -ESHUTDOWN;
	if (to->remote == NULL || to->rport == 0 || !is_a_host(to->remote))
		return -EINVAL;
	rc = choose_tuple(tcp, conf, to, &tuple, &slot);
	if (rc < 0)
		return rc;
	tcb = sl_tcb_new(tcp, &tuple, sl_flows_hash(tcp->flows, &tuple), listener,
			 first_number(tcp, &tuple, slot), slot);
	if (tcb == NULL)
		return -ENOMEM;
	tcb->ts_offset = sl_tcp_ts_offset(tcp, &tuple);
	tcb->is |= SL_IS_ACTIVE | SL_IS_OPEN;
	sl_tcb_event(tcp, tcb, SL_EV_OPEN_ACTIVE);
	rc = sl_tcb_open_path(tcp, tcb, &tuple.remote, NULL);
	if (rc < 0) {
		tcb->is &= ~SL_IS_OPEN; /* refused at the call: no callback */
		sl_tcb_kill(tcp, tcb, SL_REASON_UNREACHABLE);
		return rc;
	}
	tcb->owes = SL_OWES_SYN;
	sl_timer_resend_after(tcp, tcb, sl_tcb_rto_ms(tcp, tcb));
	if (to->timeout_ms > 0)
		sl_timer_opens_by(tcp, tcb, to->timeout_ms);
	sl_tcb_output(tcp, tcb);
	*out = tcb;
	return 0;
}
