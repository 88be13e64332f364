/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * siege - what friend and foe do, by hand; cmocka says what became of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "l7/apps.h"
#include "link.h"
#include "siege.h"

struct siege siege;

uint64_t
siege_count(enum sl_counter counter)
{
	return sl_core_stats(siege.s.core)->count[counter];
}

uint64_t
siege_fate(enum sl_fate fate)
{
	return sl_core_stats(siege.s.core)->fate[fate];
}

struct siege_gauges
siege_gauges(void)
{
	return (struct siege_gauges){
		.live = siege_count(SL_CNT_live),
		.half_open = siege_count(SL_CNT_half_open),
		.time_wait = siege_count(SL_CNT_time_wait),
		.active = siege_count(SL_CNT_active),
		.kept = siege_count(SL_CNT_kept),
		.buffers = siege.s.hb.out,
	};
}

void
siege_moved_nothing(const struct siege_gauges *before)
{
	struct siege_gauges now = siege_gauges();

	assert_memory_equal(before, &now, sizeof(now));
}

void
siege_meet(struct siege_peer *p, uint16_t lport, uint16_t rport, uint16_t wnd, uint16_t mss)
{
	struct solo *s = &siege.s;
	struct sl_seg_out syn = { .opts = SL_OPT_MSS | SL_OPT_SACK_OK, .mss = mss, .wnd = wnd };

	s->tuple.remote = link_addr(1, s->tuple.v6);
	s->tuple.lport = lport;
	s->tuple.rport = rport;
	solo_handshake(s, (uint32_t)rnd_u64(&siege.rnd), &syn);
	*p = (struct siege_peer){ .tuple = s->tuple, .seq = s->irs + 1, .ack = s->iss + 1 };
	solo_clear(s);
}

void
siege_echoes(struct siege_peer *p, uint16_t len)
{
	struct solo *s = &siege.s;
	struct sl_seg_out seg = { .seq = p->seq, .ack = p->ack, .flags = SL_ACK | SL_PSH };
	uint8_t bytes[1460];

	for (uint16_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(p->seq + i);
	s->tuple = p->tuple;
	seg.wnd = 65535;
	solo_clear(s);
	solo_send(s, &seg, bytes, len);
	solo_step(s);
	assert_int_equal(s->n_bytes, len);
	assert_memory_equal(s->bytes, bytes, len);
	p->seq += len;
	p->ack += len;
	assert_int_equal(s->out[s->n_out - 1].seg.ack, p->seq);
	siege_acks(p);
	solo_step(s);
	solo_clear(s);
}

void
siege_acks(const struct siege_peer *p)
{
	struct sl_seg_out ack = { p->seq, p->ack, .flags = SL_ACK, .wnd = 65535 };

	siege.s.tuple = p->tuple;
	solo_send(&siege.s, &ack, NULL, 0);
}

void
siege_leaves(const struct siege_peer *p)
{
	struct sl_seg_out rst = { .seq = p->seq, .flags = SL_RST };

	siege.s.tuple = p->tuple;
	solo_send(&siege.s, &rst, NULL, 0);
	solo_step(&siege.s);
	solo_clear(&siege.s);
}

void
siege_init(bool v6, const struct sl_app *app)
{
	memset(&siege, 0, sizeof(siege));
	siege.rnd.s = 9;
	siege.plan.result = &siege.result;
	solo_init(&siege.s, v6, app, &siege.plan);
	link_listen(&siege.s.conf, SIEGE_ECHO, &sl_echo, NULL);
	siege.s.conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
	siege.s.conf.listener[1].tcp.cookies = SL_COOKIES_ALWAYS;
}

void
siege_takes_nothing(void)
{
	siege.plan.read_most = 1;
	siege.plan.read_ms = 1000000;
	siege.plan.fin = TALK_FIN_NEVER;
}

void
siege_begin(void)
{
	solo_open(&siege.s);
	siege_meet(&siege.old, SIEGE_ECHO, 30000, 65535, 1460);
	siege_echoes(&siege.old, 10);
}

void
siege_end(void)
{
	struct siege_peer newcomer;

	siege_echoes(&siege.old, 1000);
	siege_meet(&newcomer, SIEGE_ECHO, 30001, 65535, 1460);
	siege_echoes(&newcomer, 1000);
	siege_leaves(&newcomer);
	siege_leaves(&siege.old);
	solo_pass(&siege.s, 1000);
	assert_int_equal(siege_count(SL_CNT_live), 0);
	assert_int_equal(siege_count(SL_CNT_active), 0);
	assert_int_equal(siege_count(SL_CNT_kept), 0);
	assert_int_equal(siege.s.hb.out, 0);
	talk_result_reset(&siege.result);
	solo_close(&siege.s);
}

void
siege_step_one_for_one(void)
{
	struct solo *s = &siege.s;
	uint64_t frames = s->frames_out, bytes = s->bytes_out;
	uint32_t n = s->n_rx, len;

	assert_int_equal(n, 1);
	len = s->rx[0]->pkt_len;
	solo_step(s);
	assert_true(s->frames_out - frames <= n);
	assert_true(s->bytes_out - bytes <= (len > 60 ? len : 60) + 4);
	solo_clear(s);
	s->now += 20000; /* 50,000 packets a second */
}

void
siege_put(struct siege_peer *p, uint32_t at, uint16_t len)
{
	static const uint8_t zeros[1460];
	struct sl_seg_out seg = { p->seq + at, p->ack, .flags = SL_ACK, .wnd = 65535 };

	siege.s.tuple = p->tuple;
	solo_send(&siege.s, &seg, zeros, len);
	solo_step(&siege.s);
	if (siege.s.n_out > 0)
		p->acked = siege.s.out[siege.s.n_out - 1].seg.ack;
	solo_clear(&siege.s);
}

void
siege_wait(unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds * 10; i++) {
		siege.s.tuple = siege.old.tuple;
		solo_pass(&siege.s, 100);
		solo_step(&siege.s);
		solo_clear(&siege.s);
	}
}
