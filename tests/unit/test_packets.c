/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_packets - packets that are put together: few calls for many, nothing lost, nothing put
 * twice, and nobody but who counts the calls can tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "random.h"
#include "solo.h"

#define ANSWER_MOST 6000u
#define LIVES       400
#define ROUNDS      60

static uint8_t bytes[ANSWER_MOST];

/* Takes all, and answers with as many copied bytes as the first two say. */
static uint32_t
copies(struct sl_conn *c, const struct sl_chain *in)
{
	uint8_t n[2] = { 0 };

	sl_chain_copy(in, 0, n, sizeof(n));
	sl_nodelay(c, true);
	sl_send(c, bytes, (n[0] << 8 | n[1]) % ANSWER_MOST);
	return in->bytes;
}

/* Sends back what came, in the buffers that brought it. */
static uint32_t
shares(struct sl_conn *c, const struct sl_chain *in)
{
	return sl_send_chain(c, in, 0, in->bytes);
}

static const struct sl_app copier = { .name = "copier", .data = copies };
static const struct sl_app sharer = { .name = "sharer", .data = shares };

static void
open_solo(struct solo *s, const struct sl_app *app, uint16_t put_together)
{
	solo_init(s, false, app, NULL);
	s->conf.listener[0].tcp.cookies = SL_COOKIES_ALWAYS;
	s->conf.net.port[0].offloads = SL_OFFLOAD_MULTI_SEG;
	solo_open(s);
	s->hb.bufs.put_together = put_together;
}

/* The peer says @len bytes, the first of them @word, and acknowledges all that came. */
static void
say(struct solo *s, uint16_t word, uint16_t len)
{
	const struct sl_tcb *tcb = &s->core->tcp.tcb[0];
	uint8_t payload[1400] = { (uint8_t)(word >> 8), (uint8_t)word };
	struct sl_seg_out seg = {
		.seq = tcb->rcv_nxt, .ack = tcb->snd_nxt, .flags = SL_ACK | SL_PSH, .wnd = 60000
	};

	solo_send(s, &seg, payload, len);
}

/* A request of each of @n connections in one burst; each answer has @len bytes. */
static void
ask_all(struct solo *s, uint16_t n, uint16_t len)
{
	const uint8_t request[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	for (uint16_t i = 0; i < n; i++) {
		const struct sl_tcb *tcb = &s->core->tcp.tcb[i];
		const struct sl_seg_out seg = {
			.seq = tcb->rcv_nxt, .ack = tcb->snd_nxt, .flags = SL_ACK, .wnd = 60000
		};

		s->tuple.rport = tcb->key.rport;
		solo_send(s, &seg, request, sizeof(request));
	}
	solo_clear(s);
	solo_step(s);
}

static void
a_burst_needs_few_calls_however_many_packets(void **state)
{
	const struct sl_seg_out syn = { .wnd = 60000, .opts = SL_OPT_MSS, .mss = 1460 };
	const uint16_t n = 32;
	static struct solo s;
	uint64_t n_got, n_put;

	open_solo(&s, &copier, SL_BURST);
	for (uint16_t i = 0; i < n; i++) {
		s.tuple.rport = 40000 + i;
		solo_handshake(&s, 1000, &syn);
	}
	n_got = s.hb.n_got;
	ask_all(&s, n, 100);
	assert_int_equal(s.n_out, n);
	assert_int_equal(s.hb.n_got - n_got, 2); /* to keep the bytes in, and to send them */
	assert_int_equal(s.hb.out, n);

	n_put = s.hb.n_put;
	ask_all(&s, n, 0);
	assert_int_equal(s.hb.out, 0);
	assert_int_equal(s.hb.n_put - n_put, 1 + 2 * s.n_out); /* the rig puts two for each */
	solo_close(&s);
}

static void
many_bytes_are_copied_into_packets_had_at_once(void **state)
{
	const struct sl_seg_out syn = { .wnd = 60000, .opts = SL_OPT_MSS, .mss = 1460 };
	static struct solo s;
	uint64_t n_got;

	open_solo(&s, &copier, SL_BURST);
	solo_handshake(&s, 1000, &syn);
	n_got = s.hb.n_got;
	ask_all(&s, 1, ANSWER_MOST - 1);
	assert_int_equal(s.hb.n_kept, 3);
	assert_int_equal(s.hb.n_got - n_got, 1 + s.n_out); /* and one to send each segment */
	solo_close(&s);
}

static void
a_pool_is_not_empty_while_anything_waits_to_be_put_there(void **state)
{
	const struct sl_seg_out syn = { .wnd = 60000, .opts = SL_OPT_MSS, .mss = 1460 };
	static struct solo s;

	open_solo(&s, &copier, SL_BURST);
	s.hb.kept_most = 3;
	solo_handshake(&s, 1000, &syn);
	for (int i = 0; i < 10;
	     i++) { /* its ACK frees three buffers, its bytes ask for three */
		say(&s, ANSWER_MOST - 1, 100);
		solo_clear(&s);
		solo_step(&s);
		assert_int_equal(s.core->tcp.tcb[0].snd_end - s.core->tcp.tcb[0].snd_una,
				 ANSWER_MOST - 1);
		solo_pass(&s, 1);
	}
	assert_int_equal(s.hb.n_kept, 3);
	assert_int_equal(sl_core_stats(s.core)->count[SL_CNT_no_buffer], 0);
	solo_close(&s);
}

static void
a_shared_buffer_is_put_by_the_last_who_has_it(void **state)
{
	struct rte_mbuf *m, *again;
	struct sl_out out = { 0 };
	static struct solo s;
	struct sl_tcp *tcp;

	open_solo(&s, &copier, SL_BURST);
	tcp = &s.core->tcp;
	assert_int_equal(sl_tcp_get(tcp, SL_POOL_RETAIN, &m, 1), 0);
	rte_mbuf_refcnt_update(m, 1);
	again = m;
	tcp->out = &out; /* as in a step */
	sl_tcp_put(tcp, m);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(tcp->n_done, 0);
	sl_tcp_put(tcp, again);
	assert_int_equal(tcp->n_done, 1);
	assert_int_equal(s.hb.out, 1);
	sl_tcp_put_all(tcp);
	assert_int_equal(s.hb.out, 0);
	tcp->out = NULL;
	solo_close(&s);
}

static void
between_steps_none_waits_for_others(void **state)
{
	static struct solo s;
	struct rte_mbuf *m;
	struct sl_tcp *tcp;

	open_solo(&s, &copier, SL_BURST);
	tcp = &s.core->tcp;
	assert_int_equal(sl_tcp_get(tcp, SL_POOL_RETAIN, &m, 1), 0);
	sl_tcp_put(tcp, m);
	assert_int_equal(s.hb.out, 0);
	assert_int_equal(tcp->n_done, 0);
	solo_close(&s);
}

static void
a_core_that_closes_leaves_nothing_waiting(void **state)
{
	const struct sl_seg_out syn = { .wnd = 60000, .opts = SL_OPT_MSS, .mss = 1460 };
	static struct solo s;

	open_solo(&s, &copier, SL_BURST);
	solo_handshake(&s, 1000, &syn);
	say(&s, ANSWER_MOST - 1, 100);
	solo_step(&s);
	assert_int_equal(s.hb.n_kept, 3);
	sl_core_close(s.core);
	heapbufs_close(&s.hb);
	arena_close(&s.arena);
}

/* Bursts, acknowledged or not, with gaps or not, to both; the peer closes in the end, or not.
 */
static void
live(uint64_t seed)
{
	const struct sl_seg_out syn = { .wnd = 60000, .opts = SL_OPT_MSS, .mss = 1460 };
	const struct sl_app *app = seed % 2 ? &copier : &sharer;
	static struct solo rig[2];
	struct rnd r = { seed };

	for (int i = 0; i < 2; i++) {
		open_solo(&rig[i], app, i == 0 ? 1 : 2 + seed % (SL_BURST - 1));
		solo_handshake(&rig[i], 1000, &syn);
	}
	for (int round = 0; round < ROUNDS; round++) {
		const struct sl_tcb *tcb = &rig[0].core->tcp.tcb[0];
		uint32_t seq = tcb->rcv_nxt, burst = rnd_below(&r, 12);

		for (int i = 0; i < 2; i++)
			solo_clear(&rig[i]);
		while (burst-- > 0) {
			uint32_t flight = tcb->snd_nxt - tcb->snd_una;
			uint16_t len = (uint16_t)rnd_below(&r, sizeof(bytes) / 5);
			struct sl_seg_out seg = {
				.seq = seq + rnd_below(&r, 5) * (rnd_below(&r, 8) == 0),
				.ack = tcb->snd_una + rnd_below(&r, flight + 1),
				.flags = SL_ACK | (rnd_below(&r, 400) == 0 ? SL_FIN : 0),
				.wnd = 60000,
			};

			seq += rnd_below(&r, 6) ? len : 0;
			for (int i = 0; i < 2; i++)
				solo_send(&rig[i], &seg, bytes, len);
		}
		for (int i = 0; i < 2; i++)
			solo_pass(&rig[i], 1 + seed % 40);
		assert_int_equal(rig[0].hb.out, rig[1].hb.out);
		assert_int_equal(rig[0].n_out, rig[1].n_out);
		assert_int_equal(rig[0].n_bytes, rig[1].n_bytes);
		assert_memory_equal(&rig[0].core->tcp.stats, &rig[1].core->tcp.stats,
				    sizeof(rig[0].core->tcp.stats));
	}
	for (int i = 0; i < 2; i++)
		solo_close(&rig[i]);
}

static void
between_steps_as_much_is_out_as_if_nothing_ever_waited(void **state)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (uint64_t seed = 1; seed <= LIVES; seed++)
		live(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_needs_few_calls_however_many_packets),
		cmocka_unit_test(many_bytes_are_copied_into_packets_had_at_once),
		cmocka_unit_test(a_pool_is_not_empty_while_anything_waits_to_be_put_there),
		cmocka_unit_test(a_shared_buffer_is_put_by_the_last_who_has_it),
		cmocka_unit_test(between_steps_none_waits_for_others),
		cmocka_unit_test(a_core_that_closes_leaves_nothing_waiting),
		cmocka_unit_test(between_steps_as_much_is_out_as_if_nothing_ever_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
