/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe - the tail loss probe (RFC 8985, 7).
 *
 * When the end of a flight is lost nothing behind it draws an ACK. So after about two round
 * trips of silence a segment goes out, new bytes if there are any, else the last ones again:
 * its ACK, with SACK, lets RACK find what is missing without a time-out.
 *
 * A probe of old bytes may itself repair the loss, and the congestion behind it must not
 * pass unnoticed: unless a D-SACK says that both copies came, the window is reduced once
 * when an ACK passes what the probe ended with (7.4). Until then one bit of the tcb
 * remembers the doubt, so that no block is kept for it.
 */
#include "tcp/recovery.h"
#include "tcp/tcp.h"

#define PROBE_MIN_MS     10u /* below it, timers and the peer's batching are all one would see */
#define PEER_DELAY_MS    200u  /* how long a peer may hold back the ACK of a lone segment */
#define PROBE_UNKNOWN_MS 1000u /* while no round trip was measured */

/* Bytes in flight that are data. */
static uint32_t
data_out(const struct sl_tcb *tcb)
{
	bool fin_is_out = tcb->snd_nxt == tcb->snd_end + 1;

	return tcb->snd_nxt - tcb->snd_una - fin_is_out;
}

bool
sl_probe_may(const struct sl_tcp *tcp, const struct sl_tcb *tcb)
{
	const struct sl_active *a = sl_tcb_active(tcp, tcb);
	bool is_well = a == NULL ||
		       (a->mode == SL_LOSS_NONE && a->sacked == 0 && a->probe == SL_PROBE_NONE);

	return sl_probe_is_agreed(tcb) && sl_state_is_synchronized(tcb->state) &&
	       tcb->wnd > 0 && data_out(tcb) > 0 && is_well;
}

uint32_t
sl_probe_ms(const struct sl_tcb *tcb)
{
	uint32_t ms = (tcb->srtt_us8 / 4 + 999) / 1000;

	if (tcb->srtt_us8 == 0)
		return PROBE_UNKNOWN_MS;
	if (data_out(tcb) <= tcb->mss)
		ms += PEER_DELAY_MS;
	return ms > PROBE_MIN_MS ? ms : PROBE_MIN_MS;
}

bool
sl_probe_owe(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	struct sl_active *a = sl_tcb_borrow(tcp, tcb);

	if (a == NULL)
		return false;
	assert(!tcb->probe_doubt);
	a->probe = SL_PROBE_OWED;
	sl_tcb_output(tcp, tcb);
	return true;
}

void
sl_probe_sent(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a, bool is_new)
{
	a->probe = is_new ? SL_PROBE_NEW : SL_PROBE_AGAIN;
	a->probe_end = tcb->snd_nxt;
	sl_count(tcp, tail_probe);
}

void
sl_probe_forget(struct sl_tcb *tcb, struct sl_active *a)
{
	tcb->probe_doubt = 0;
	if (a != NULL)
		a->probe = SL_PROBE_NONE;
}

/* The probe repaired a loss: one reduction; what was out then is not known any more. */
static void
pay(struct sl_tcp *tcp, struct sl_tcb *tcb)
{
	sl_count(tcp, tail_probe_repair);
	sl_cc_lost(tcp, tcb, tcb->cwnd);
}

/*
 * RFC 8985, 7.4.2, for a doubt about a probe that ended at @end, now that SND.UNA reached it:
 * returns whether it lasts.
 */
static bool
doubt_lasts(struct sl_tcp *tcp, struct sl_tcb *tcb, const struct sl_news *news, uint32_t end)
{
	bool both_came = news->has_dup && (news->dup.hi == end || news->dup.hi + 1 == end);

	if (both_came || (news->is_repeat && !news->has_sack))
		return false;
	if (tcb->snd_una == end)
		return true;
	pay(tcp, tcb);
	return false;
}

bool
sl_probe_ack(struct sl_tcp *tcp, struct sl_tcb *tcb, struct sl_active *a,
	     const struct sl_news *news)
{
	uint32_t end = tcb->snd_una - news->acked;
	bool was_again, explains;

	if (a != NULL && a->probe >= SL_PROBE_NEW) {
		end = a->probe_end;
		if (sl_seq_lt(tcb->snd_una, end))
			return false;
		was_again = a->probe == SL_PROBE_AGAIN;
		a->probe = SL_PROBE_NONE;
	} else {
		was_again = tcb->probe_doubt;
	}
	explains =
		was_again && news->has_dup && (news->dup.hi == end || news->dup.hi + 1 == end);
	tcb->probe_doubt = was_again && doubt_lasts(tcp, tcb, news, end);
	return explains;
}
