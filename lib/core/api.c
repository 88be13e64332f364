/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * api - the functions of <sluice/app.h>: what an application may do to a connection.
 */
#include <errno.h>
#include <string.h>

#include "core/core.h"
#include "tcp/spans.h"
#include "tcp/timer.h"

void *
sl_conn_state(struct sl_conn *c)
{
	struct sl_tcp *tcp = &c->core->tcp;

	return tcp->app_state + (size_t)c->idx * tcp->app_state_bytes;
}

void *
sl_listener_state(struct sl_conn *c)
{
	return c->core->tcp.listener[c->tcb->listener].state;
}

const void *
sl_listener_arg(struct sl_conn *c)
{
	return c->core->tcp.listener[c->tcb->listener].conf.arg;
}

struct sl_ref
sl_conn_ref(const struct sl_conn *c)
{
	return (struct sl_ref){ .idx = c->idx, .gen = c->tcb->gen };
}

bool
sl_conn_at(const struct sl_conn *c, struct sl_ref ref, struct sl_conn *out)
{
	struct sl_tcp *tcp = &c->core->tcp;
	struct sl_tcb *tcb;

	if (ref.gen == 0 || ref.idx >= tcp->n_tcb)
		return false;
	tcb = &tcp->tcb[ref.idx];
	if (tcb->gen != ref.gen || !(tcb->is & SL_IS_OPEN))
		return false;
	*out = sl_core_handle(c->core, tcb);
	return true;
}

bool
sl_core_conn(struct sl_core *core, sl_ns_t now, struct sl_ref ref, struct sl_conn *out)
{
	struct sl_conn any = { .core = core };

	sl_tcp_clock(&core->tcp, now);
	return sl_conn_at(&any, ref, out);
}

uint32_t
sl_send(struct sl_conn *c, const void *data, uint32_t len)
{
	return sl_spans_copy(&c->core->tcp, c->tcb, data, len);
}

uint32_t
sl_send_chain(struct sl_conn *c, const struct sl_chain *in, uint32_t offset, uint32_t len)
{
	uint32_t there = offset < in->bytes ? in->bytes - offset : 0;

	return sl_spans_share(&c->core->tcp, c->tcb, in, offset, len < there ? len : there);
}

uint32_t
sl_send_pinned(struct sl_conn *c, const void *data, uint32_t len)
{
	return sl_spans_pin(&c->core->tcp, c->tcb, data, len);
}

uint32_t
sl_send_room(const struct sl_conn *c)
{
	return sl_spans_room(&c->core->tcp, c->tcb);
}

uint32_t
sl_send_queued(const struct sl_conn *c)
{
	const struct sl_tcb *tcb = c->tcb;

	return sl_seq_gt(tcb->snd_end, tcb->snd_una) ? tcb->snd_end - tcb->snd_una : 0;
}

void
sl_resume(struct sl_conn *c)
{
	if (sl_tcb_unread(&c->core->tcp, c->tcb) > 0)
		sl_tcb_mark(&c->core->tcp, c->tcb, SL_MARK_DATA);
}

void
sl_shutdown(struct sl_conn *c)
{
	sl_tcb_shutdown(&c->core->tcp, c->tcb);
}

void
sl_close(struct sl_conn *c)
{
	sl_tcb_close(&c->core->tcp, c->tcb);
}

void
sl_abort(struct sl_conn *c)
{
	sl_tcb_abort(&c->core->tcp, c->tcb, SL_REASON_ABORTED);
}

void
sl_timer(struct sl_conn *c, uint32_t ms)
{
	if (!(c->tcb->is & SL_IS_OPEN))
		return;
	if (ms == 0)
		sl_timer_stop(c->tcb, SL_TIMER_APP);
	else
		sl_timer_app(&c->core->tcp, c->tcb, ms);
}

void
sl_nodelay(struct sl_conn *c, bool nodelay)
{
	if (nodelay)
		c->tcb->is |= SL_IS_NODELAY;
	else
		c->tcb->is &= ~SL_IS_NODELAY;
	if (nodelay && sl_tcb_has_unsent(c->tcb))
		sl_tcb_output(&c->core->tcp, c->tcb);
}

void
sl_tos(struct sl_conn *c, uint8_t tos)
{
	c->tcb->tos = tos;
}

void
sl_ttl(struct sl_conn *c, uint8_t ttl)
{
	if (ttl > 0)
		c->tcb->ttl = ttl;
}

static int
connect_from(struct sl_core *core, uint16_t listener, const struct sl_connect *to,
	     struct sl_conn *out)
{
	struct sl_tcb *tcb;
	int rc;

	if (core->tcp.listener[listener].conf.app->opens == NULL)
		return -EINVAL;
	rc = sl_tcp_connect(&core->tcp, listener, to, &tcb);
	if (rc == 0)
		*out = sl_core_handle(core, tcb);
	return rc;
}

int
sl_connect(struct sl_conn *c, const struct sl_connect *to, struct sl_conn *out)
{
	return connect_from(c->core, c->tcb->listener, to, out);
}

int
sl_core_connect(struct sl_core *core, sl_ns_t now, uint16_t listener,
		const struct sl_connect *to, struct sl_ref *out)
{
	struct sl_conn c;
	int rc;

	if (listener >= core->tcp.n_listeners)
		return -EINVAL;
	sl_tcp_clock(&core->tcp, now);
	rc = connect_from(core, listener, to, &c);
	if (rc == 0 && out != NULL)
		*out = sl_conn_ref(&c);
	return rc;
}

static struct sl_tuple
tuple_of(const struct sl_conn *c)
{
	struct sl_tuple tuple;

	sl_tcb_tuple(&c->core->tcp, &c->tcb->key, &tuple);
	return tuple;
}

void
sl_conn_remote(const struct sl_conn *c, struct sl_addr *addr, uint16_t *port)
{
	struct sl_tuple tuple = tuple_of(c);

	*addr = tuple.remote;
	*port = tuple.rport;
}

void
sl_conn_local(const struct sl_conn *c, struct sl_addr *addr, uint16_t *port)
{
	struct sl_tuple tuple = tuple_of(c);

	*addr = tuple.local;
	*port = tuple.lport;
}

bool
sl_conn_peer_closed(const struct sl_conn *c)
{
	return c->tcb->is & SL_IS_FIN_IN;
}

const char *
sl_conn_state_name(const struct sl_conn *c)
{
	return sl_state_name(c->tcb->state);
}

uint32_t
sl_chain_at(const struct sl_chain *in, uint32_t offset, const void **data)
{
	const struct rte_mbuf *m = in->first;
	uint32_t left = offset < in->bytes ? in->bytes - offset : 0;

	offset += in->offset;
	while (left > 0 && offset >= m->data_len) {
		offset -= m->data_len;
		m = m->next;
	}
	if (left == 0)
		return 0;
	*data = rte_pktmbuf_mtod_offset(m, const void *, offset);
	return left < m->data_len - offset ? left : m->data_len - offset;
}

uint32_t
sl_chain_copy(const struct sl_chain *in, uint32_t offset, void *to, uint32_t len)
{
	uint32_t done = 0, n;
	const void *data;

	while (done < len && (n = sl_chain_at(in, offset + done, &data)) > 0) {
		if (n > len - done)
			n = len - done;
		memcpy((uint8_t *)to + done, data, n);
		done += n;
	}
	return done;
}

const char *
sl_reason_name(enum sl_reason why)
{
	static const char *const names[SL_REASON_COUNT] = {
		[SL_REASON_FIN] = "fin",
		[SL_REASON_RESET] = "reset",
		[SL_REASON_REFUSED] = "refused",
		[SL_REASON_TIMEOUT] = "timeout",
		[SL_REASON_UNREACHABLE] = "unreachable",
		[SL_REASON_ABORTED] = "aborted",
		[SL_REASON_KILLED] = "killed",
		[SL_REASON_PRESSURE] = "pressure",
	};

	return names[why];
}
