/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_step - the whole machine through its one door. An input is a configuration (two
 * bytes) and a row of things that happen: segments, time, what an application does, events,
 * room that is short, buffers that run out. sl_core_check() says whether all is well.
 */
#include "world.h"

/* What a row's first byte says; the rest of that byte is its flow or its amount. */
enum happening {
	HAPPENS_SEGMENT,
	HAPPENS_SEGMENT_AND_STEP,
	HAPPENS_STEP,
	HAPPENS_TIME,
	HAPPENS_ACT,
	HAPPENS_MOOD,
	HAPPENS_EVENT,
	HAPPENS_RARE,
};

/*
 * Nobody stepped meanwhile; but a core is stepped before ticks lose their order, which is
 * long after it asked for it.
 */
static void
jump(struct world *w, uint64_t ms)
{
	if ((w->now - w->stepped) / SL_NS_PER_MS + ms >= 1u << 31)
		world_step(w, SL_BURST);
	w->now += ms * SL_NS_PER_MS;
}

static void
pass_time(struct world *w, uint8_t how)
{
	static const uint64_t ms[] = { 1, 10, 41, 210, 1100, 4000, 61000, 125000 };
	static const uint64_t jump_ms[] = { 1, 200, 1000, 30000, 3600000, 2000000000ull };

	if (how < RTE_DIM(ms))
		world_pass(w, w->now + ms[how] * SL_NS_PER_MS, 200);
	else if (how < 8 + RTE_DIM(jump_ms))
		jump(w, jump_ms[how - 8]);
	else
		w->now += (how - 13) * 1000u;
}

static void
act(struct world *w, uint8_t which)
{
	const struct flow *f = &w->flow[which % WORLD_FLOWS];
	bool ours = f == &w->flow[FLOW_ACT] || f == &w->flow[FLOW_ACT6] ||
		    f == &w->flow[FLOW_OPENED];
	uint8_t what = fuzz_u8(&w->in), arg = fuzz_u8(&w->in);
	struct sl_conn c;
	struct sl_ref ref;

	if (w->says)
		fprintf(stderr, "  act %u arg %u\n", what % ACT_COUNT, arg);
	if (f == &w->flow[FLOW_CLOSED]) {
		world_connect(w, NULL);
		return;
	}
	if (ours && sl_core_state(w->core, &f->tuple, &ref) != NULL &&
	    sl_core_conn(w->core, w->now, ref, &c))
		world_act(w, &c, what % ACT_COUNT, arg);
}

static void
event(struct world *w, uint8_t which)
{
	struct sl_event e = { .kind = SL_EVENT_NEIGHBOUR };
	uint8_t arg;

	switch (which & 7) {
	case 0:
	case 1:
		e.neighbour.addr = w->flow[which & 1 ? FLOW_ACT6 : FLOW_ACT].tuple.remote;
		e.neighbour.mac[0] = 2;
		e.neighbour.mac[5] = 2;
		arg = fuzz_u8(&w->in);
		e.neighbour.reachable = arg & 1;
		e.neighbour.unasked = arg & 2;
		e.neighbour.solicited = arg & 4;
		break;
	case 2:
		e.kind = SL_EVENT_CLOCK;
		e.tai_ms = 1700000000000ull + w->now / SL_NS_PER_MS + fuzz_u16(&w->in);
		break;
	case 3:
		e.kind = SL_EVENT_DRAIN;
		break;
	case 4:
		e.kind = SL_EVENT_KILL;
		break;
	default:
		while (sl_core_told(w->core, &e))
			;
		return;
	}
	sl_core_event(w->core, w->now, &e);
}

/* Bytes as they are; what it does to streams nobody can say. */
static void
raw_frame(struct world *w)
{
	size_t len = fuzz_u8(&w->in);

	if (len > w->in.left)
		len = w->in.left;
	w->raw = true;
	world_frame(w, w->in.p, len, (uint8_t)len);
	w->rx[w->n_rx - 1]->ol_flags |=
		RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	w->in.p += len;
	w->in.left -= len;
}

static void
rare(struct world *w, uint8_t which)
{
	switch (which & 3) {
	case 0:
		peer_icmp(w, &w->flow[fuzz_u8(&w->in) % WORLD_FLOWS]);
		break;
	case 1:
		raw_frame(w);
		break;
	case 2:
		heapbufs_fail_nth(&w->hb, 1 + (which >> 2));
		break;
	default:
		w->hb.fail_from = w->hb.fail_from != 0 ? 0 : w->hb.n_got + 1 + (which >> 2);
		break;
	}
}

static void
happen(struct world *w)
{
	static const uint16_t rooms[] = { SL_BURST, 0, 1, 2, 3, 5, 8, 32 };
	static const char *const names[] = {
		"segment", "segment and step", "step", "time", "act", "mood", "event", "rare"
	};
	uint8_t what = fuzz_u8(&w->in), rest = what >> 3;

	if (w->says)
		fprintf(stderr, "%.6f %s %u\n", (double)w->now / SL_NS_PER_S, names[what & 7],
			rest);
	switch ((enum happening)(what & 7)) {
	case HAPPENS_SEGMENT:
		peer_segment(w, &w->flow[rest % WORLD_FLOWS]);
		break;
	case HAPPENS_SEGMENT_AND_STEP:
		peer_segment(w, &w->flow[rest % WORLD_FLOWS]);
		world_step(w, SL_BURST);
		break;
	case HAPPENS_STEP:
		world_step(w, rooms[rest & 7]);
		break;
	case HAPPENS_TIME:
		pass_time(w, rest);
		break;
	case HAPPENS_ACT:
		act(w, rest);
		break;
	case HAPPENS_MOOD:
		w->mood = rest % (ACT_COUNT + 1);
		w->mood_arg = fuzz_u8(&w->in);
		break;
	case HAPPENS_EVENT:
		event(w, rest);
		break;
	case HAPPENS_RARE:
		rare(w, rest);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	world_open(&w, data, size);
	while (w.in.left > 0)
		happen(&w);
	world_close(&w);
	return 0;
}
