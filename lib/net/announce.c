/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * announce - telling the link which addresses are ours: at start, and again when another
 * host claims one (RFC 5227, 2.3 and 2.4; RFC 4861, 7.2.6).
 *
 * Configured addresses are used at once, not asked for first, so a conflict is something
 * to be reported and, not more often than every ten seconds, answered.
 */
#include "net/net_internal.h"

#define DEFEND_NS (10 * SL_NS_PER_S)
#define RETRY_NS  (1 * SL_NS_PER_S) /* when there was no buffer */

void
sl_announce(struct sl_net *net, sl_ns_t now, struct sl_self *self)
{
	if (self->announce)
		return;
	self->announce = true;
	if (net->n_announce++ == 0)
		net->announce_at = now;
}

void
sl_announce_conflict(struct sl_net *net, sl_ns_t now, struct sl_self *self)
{
	sl_net_count(net, SL_CNT_address_conflict);
	if (self->defended_at != 0 && now - self->defended_at < DEFEND_NS)
		return;
	self->defended_at = RTE_MAX(now, 1u);
	sl_announce(net, now, self);
}

/* The next address for which an announcement is owed; there is one. */
static struct sl_self *
next_owed(struct sl_net *net)
{
	for (;;) {
		struct sl_self *self = &net->self[net->announce_next];

		net->announce_next = (net->announce_next + 1) & net->self_mask;
		if (self->announce)
			return self;
	}
}

void
sl_announce_run(struct sl_net *net, sl_ns_t now, struct sl_out *out)
{
	for (int i = 0; i < SL_RUN_MAX; i++) {
		struct rte_mbuf *m;
		struct sl_self *self;

		if (net->n_announce == 0 || net->announce_at > now || !sl_out_has_room(out))
			return;
		m = sl_net_packet(net);
		if (m == NULL) {
			net->announce_at = now + RETRY_NS;
			return;
		}
		self = next_owed(net);
		self->announce = false;
		net->n_announce--;
		if (sl_addr_is_v4(&self->addr))
			sl_arp_build_request(net, m, self, &self->addr, NULL);
		else
			sl_nd_build_unasked(net, m, self);
		sl_out_put(out, m);
	}
}
