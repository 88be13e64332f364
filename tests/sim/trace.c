/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace - see trace.h.
 */
#include "trace.h"

#include <stdio.h>

#define PORTS 65536

static const char *
flag_names(uint8_t flags)
{
	static char text[8];
	char *p = text;

	if (flags & SL_SYN)
		*p++ = 'S';
	if (flags & SL_FIN)
		*p++ = 'F';
	if (flags & SL_RST)
		*p++ = 'R';
	if (flags & SL_PSH)
		*p++ = 'P';
	if (flags & SL_ACK)
		*p++ = '.';
	*p = '\0';
	return text;
}

static void
print_segment(unsigned int from, unsigned int to, const struct sl_tuple *tuple,
	      const struct sl_seg *seg)
{
	static uint32_t isn[LINK_HOSTS_MAX][PORTS]; /* by sender and the port it sends from */
	uint32_t *mine = &isn[from][tuple->rport], theirs = isn[to][tuple->lport];

	if (seg->flags & SL_SYN)
		*mine = seg->seq;
	fprintf(stderr, "%5u > %-5u %-4s %u:%u(%u)", tuple->rport, tuple->lport,
		flag_names(seg->flags), seg->seq - *mine, seg->seq - *mine + seg->len,
		seg->len);
	if (seg->flags & SL_ACK)
		fprintf(stderr, " ack %u", seg->ack - theirs);
	fprintf(stderr, " win %u", seg->wnd);
	for (uint8_t i = 0; i < seg->n_sacks; i++)
		fprintf(stderr, " sack %u:%u", seg->sack[i].lo - theirs,
			seg->sack[i].hi - theirs);
}

bool
trace_segment(const uint8_t *bytes, size_t len, struct sl_tuple *tuple, struct sl_seg *seg)
{
	struct heapbufs hb;
	struct rte_mbuf *m;
	struct sl_frame frame;
	bool is_segment;

	heapbufs_open(&hb);
	m = heapbufs_packet(&hb, bytes, len, 0);
	is_segment = sl_frame_parse(m, &frame, tuple, seg) == SL_FATE_NONE &&
		     frame.kind == SL_KIND_TCP;
	heapbufs_put(&hb, m);
	heapbufs_close(&hb);
	return is_segment;
}

static const struct link *traced; /* whose argument is the test's own */

static void
trace_frame(void *arg, unsigned int from, unsigned int to, const uint8_t *bytes, size_t len,
	    enum cable_fate fate)
{
	static const char *const said[CABLE_FATES] = { "", " LOST", " DROPPED", " TOO BIG" };
	struct sl_tuple tuple;
	struct sl_seg seg;

	fprintf(stderr, "%12.6f %u->%u ", (double)traced->now / SL_NS_PER_S, from, to);
	if (trace_segment(bytes, len, &tuple, &seg))
		print_segment(from, to, &tuple, &seg);
	else
		fprintf(stderr, "%zu bytes of type %02x%02x", len, bytes[12], bytes[13]);
	fprintf(stderr, "%s\n", said[fate]);
}

void
trace_all(struct link_conf *conf, const struct link *link)
{
	traced = link;
	if (conf->saw == NULL)
		conf->saw = trace_frame;
}
