/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_frame - the frame parser, the steering and the quotes of ICMP errors on any bytes, in
 * a buffer of any shape that ends where they end.
 *
 * The first two bytes of an input say how the frame lies in memory and what the port
 * claims of it; a claim of good checksums opens what lies behind them.
 */
#include <string.h>

#include "fuzz.h"
#include "heapbufs.h"
#include "wire/frame.h"
#include "wire/quote.h"

#define FRAME_MAX 9600

static struct rte_mbuf *
shaped(struct heapbufs *hb, struct fuzz_in *in)
{
	uint8_t shape = fuzz_u8(in), claim = fuzz_u8(in);
	uint16_t cut[2] = { 14, 40 };
	struct rte_mbuf *m;

	if (in->left > FRAME_MAX)
		in->left = FRAME_MAX;
	switch (shape & 3) {
	case 0:
		m = heapbufs_packet(hb, in->p, in->left, 128);
		break;
	case 1:
		cut[0] = shape >> 2;
		m = heapbufs_chain(hb, in->p, in->left, 0, cut, 2);
		break;
	case 2:
		cut[0] = 54 + (shape >> 2);
		m = heapbufs_chain(hb, in->p, in->left, 128, cut, 3);
		break;
	default:
		m = heapbufs_external(hb, in->p, in->left);
		break;
	}
	if (claim & 1)
		m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	if (claim & 2)
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (claim & 4) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = claim << 5;
	}
	return m;
}

/* What was found lies inside the packet, in order. */
static void
check_layers(const struct rte_mbuf *m, const struct sl_frame *frame)
{
	fuzz_demand(frame->kind != SL_KIND_NONE && frame->kind <= SL_KIND_ICMP6);
	fuzz_demand(frame->l3 == 14 || frame->l3 == 18);
	fuzz_demand(frame->vlan < 4096);
	if (frame->kind == SL_KIND_ARP)
		return;
	fuzz_demand(frame->l4 > frame->l3 && frame->l4 <= m->data_len);
	fuzz_demand((uint32_t)frame->l4 + frame->l4_len <= m->pkt_len);
}

static void
check_tcp(const struct rte_mbuf *m, const struct sl_frame *frame, const struct sl_tuple *tuple,
	  const struct sl_seg *seg)
{
	struct sl_tuple steered;

	fuzz_demand(frame->payload >= frame->l4 + 20 && frame->payload <= m->data_len);
	fuzz_demand((uint32_t)frame->payload + seg->len == (uint32_t)frame->l4 + frame->l4_len);
	fuzz_demand(seg->n_sacks <= SL_SACKS_MAX);
	memset(&steered, 0, sizeof(steered));
	fuzz_demand(sl_frame_steer(m, &steered));
	fuzz_demand(sl_addr_eq(&steered.local, &tuple->local) &&
		    sl_addr_eq(&steered.remote, &tuple->remote) &&
		    steered.lport == tuple->lport && steered.rport == tuple->rport);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct sl_frame frame;
	struct sl_tuple tuple;
	struct sl_seg seg;
	struct heapbufs hb;
	struct rte_mbuf *m;
	enum sl_fate fate;
	uint32_t seq;

	heapbufs_open(&hb);
	m = shaped(&hb, &in);
	memset(&tuple, 0, sizeof(tuple));
	memset(&seg, 0, sizeof(seg));
	fate = sl_frame_parse(m, &frame, &tuple, &seg);
	if (fate != SL_FATE_NONE) {
		fuzz_demand(fate < SL_FATE_COUNT && frame.kind == SL_KIND_NONE);
		sl_frame_steer(m, &tuple);
	} else {
		check_layers(m, &frame);
		if (frame.kind == SL_KIND_TCP)
			check_tcp(m, &frame, &tuple, &seg);
		else if (frame.kind != SL_KIND_ARP)
			sl_quote_parse(m, &frame, &tuple, &seq);
	}
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
	return 0;
}
