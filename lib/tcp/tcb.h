/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcb - what is remembered of a connection.
 *
 * Records of different lifetimes. A struct sl_tcb lives as long as the connection; its first
 * line is all that finding it and seeing whether a segment is in order takes. A struct sl_lent
 * is with it while it is not idle: it holds bytes received, and leads to the two blocks that
 * fewer need. A struct sl_active is borrowed while something is wrong: a gap in what came, a
 * loss to be repaired. A struct sl_epoch is congestion control's, from the first loss on. A
 * struct sl_tw is what is left in TIME-WAIT. Records are reached by index; pools never move or
 * free them, so an index read from the table is always readable, and `gen` tells lives apart.
 */
#ifndef SL_TCP_TCB_H
#define SL_TCP_TCB_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/units.h"
#include "flow/flows.h"
#include "flow/slots.h"
#include "wire/frame.h"

/* What a connection waits for; see sl_timer_due(). */
enum sl_timer_kind {
	SL_TIMER_RESEND, /* SYN, data, FIN again; or a zero-window probe */
	SL_TIMER_ACK,    /* a delayed ACK */
	SL_TIMER_APP,    /* sl_timer() */
	SL_TIMER_LIFE,   /* of an open, keep-alive, FIN-WAIT-2 after a full close: never set */
	SL_TIMER_COUNT,
};

/*
 * What ends with SL_TIMER_RESEND; sl_tcb.resend_for. Behind the two earlier ones the
 * time-out still stands, see timer.c.
 */
enum sl_resend {
	SL_RESEND_TIMEOUT, /* RFC 6298; also a handshake's, and the probes of a closed window */
	SL_RESEND_PROBE,   /* a tail loss probe (RFC 8985, 7) */
	SL_RESEND_LATE,    /* reordered segments become lost ones (RFC 8985, 6.2, step 5) */
};

/* What the application is to be told, bits of sl_tcb.marks. */
#define SL_MARK_OPEN     0x01
#define SL_MARK_DATA     0x02
#define SL_MARK_FIN      0x04
#define SL_MARK_WRITABLE 0x08
#define SL_MARK_TIMER    0x10
#define SL_MARK_CLOSED   0x20
#define SL_MARK_STALLED  0x40

/* Facts of a connection, bits of sl_tcb.is. */
#define SL_IS_ACTIVE       0x0001 /* we opened it */
#define SL_IS_TS           0x0002 /* timestamps agreed */
#define SL_IS_SACK         0x0004 /* SACK agreed */
#define SL_IS_SCALED       0x0008 /* window scaling agreed */
#define SL_IS_NODELAY      0x0010 /* Nagle off */
#define SL_IS_OPEN         0x0020 /* the application has it, and is owed a closed */
#define SL_IS_FIN_IN       0x0040 /* the peer's FIN came in order */
#define SL_IS_CLOSED_APP   0x0080 /* sl_close(): no receiver any more */
#define SL_IS_CLOSE_QUEUED 0x0100 /* closed before it was established */
#define SL_IS_WANTS_ROOM   0x0200 /* a send took less than offered */
#define SL_IS_COOKIE       0x0400 /* made from a cookie: its TSecr is no sample */
#define SL_IS_COUNTED      0x0800 /* half-open, counted as such */
#define SL_IS_IN_DELIVER   0x1000 /* on the list of connections with marks */
#define SL_IS_IN_OUTPUT    0x2000 /* on the list of connections that owe segments */
#define SL_IS_IN_GONE      0x4000 /* on the list settle frees */
#define SL_IS_PARKED       0x8000 /* waits for its next hop to be found */

/* What output owes besides data, ACKs and FIN; bits of sl_tcb.owes. */
#define SL_OWES_SYN   0x1 /* SYN or SYN-ACK */
#define SL_OWES_HEAD  0x2 /* the oldest segment again, whatever the window says */
#define SL_OWES_PROBE 0x4 /* a segment just to hear an ACK: keep-alive */
#define SL_OWES_RST   0x8 /* a reset, then it may be freed */

#define SL_NO_BLOCK SL_NO_INDEX

#define SL_SPAN_BYTES_MOST ((1u << 20) - 1)
#define SL_SPAN_SENT_MOST  15u
#define SL_RESEND_MASK     ((1u << 24) - 1) /* of ticks: up to 17 minutes ahead */
#define SL_ACK_MASK        ((1u << 16) - 1) /* up to 4 seconds */
#define SL_UNACKED_MOST    65535u
#define SL_TS_AGE_S        4096u
#define SL_PROBES_MOST     100u
#define SL_PROBES_RESEND   127u /* none: bytes in flight, whose timer asks the peer */
#define SL_RTT_MOST        ((1u << 28) - 1) /* of srtt_us8 and rttvar_us4 */

/*
 * Bytes to be sent or waiting for their ACK: @len of them. Where they lie is one word, for
 * addresses of user space have 48 bits: the buffer that has them and how far behind its
 * beginning, or of pinned memory the address. See sl_span_owner(), sl_span_data().
 */
struct sl_span {
	uint64_t where;
	uint32_t seq;
	uint32_t len : 20;
	uint32_t n_sent : 4; /* times sent, stops at SL_SPAN_SENT_MOST */
	uint32_t marks : 8;  /* SL_SPAN_* */
	union {
		uint32_t sent_us; /* when last sent */
		uint32_t last;    /* of the first one not sent yet: the last of all */
	};
	uint32_t next; /* SL_NO_INDEX at the end */
};

static_assert(sizeof(struct sl_span) == 24, "each connection that was answered has one");

#define SL_SPAN_SACKED 0x01 /* the peer has it (until a time-out doubts it) */
#define SL_SPAN_LOST   0x02 /* taken for lost */
#define SL_SPAN_RESENT 0x04 /* sent again since it was taken for lost */
#define SL_SPAN_OWN    0x08 /* in a SL_POOL_RETAIN buffer of our own */
#define SL_SPAN_PINNED 0x10 /* in memory that nobody has to give back */

/* How a connection repairs losses; sl_active.mode. */
enum sl_loss_mode {
	SL_LOSS_NONE,     /* nothing known to be lost */
	SL_LOSS_RECOVERY, /* fast recovery (RFC 6582, RFC 8985, RFC 9937) */
	SL_LOSS_TIMEOUT,  /* after a retransmission time-out */
};

/* The one tail loss probe that may be out; sl_active.probe. */
enum sl_probe {
	SL_PROBE_NONE,
	SL_PROBE_OWED,  /* output will send it */
	SL_PROBE_NEW,   /* out, of bytes not sent before */
	SL_PROBE_AGAIN, /* out, of bytes sent before */
};

/* Borrowed while there are gaps or losses. */
struct sl_active {
	alignas(SL_CACHE_LINE) struct rte_mbuf *ooo_head;
	struct rte_mbuf *ooo_tail; /* pieces out of order, by sequence, never overlapping */
	uint32_t ooo_bytes;
	uint16_t n_ooo;
	uint8_t n_recent;
	bool has_fin; /* the peer's FIN lies behind a gap, at fin_seq */
	uint32_t fin_seq;
	uint32_t owner;                      /* index of the tcb */
	struct sl_sack recent[SL_SACKS_MAX]; /* newest first (RFC 2018, 4) */

	alignas(SL_CACHE_LINE) uint32_t recover; /* SND.NXT when the repair began */
	uint32_t sacked, lost, resent;           /* bytes so marked */
	uint32_t dup_bytes; /* without SACK: what duplicate ACKs say has left the network */
	uint8_t mode;       /* enum sl_loss_mode */
	uint8_t probe;      /* enum sl_probe */
	uint16_t full_mss;  /* before a router asked for less; 0: none did */
	sl_tick_t less_at;  /* when one last did */
	bool has_dup;       /* bytes came twice, @dup, and the peer was not told (RFC 2883) */
	bool has_rack;      /* the next three are known */
	uint32_t rack_us, rack_end; /* of the last sent that was delivered: when, and its end */
	uint32_t rack_rtt_us;       /* and how long that took (RFC 8985, 5.2) */
	uint32_t fack;              /* behind the highest byte delivered */
	sl_tick_t reo_due;          /* what is late now will be lost; 0: nothing is late */
	sl_tick_t rto_due;          /* the time-out behind SL_RESEND_LATE */
	uint32_t probe_end;         /* SND.NXT behind the probe */
	uint32_t dsack_round;       /* SND.NXT when a D-SACK last counted */
	bool in_dsack_round;        /* SND.UNA has not reached that */
	bool may_undo;              /* the time-out may have been a mistake */
	uint32_t timeout_tsval;     /* our timestamp when it went off */

	alignas(SL_CACHE_LINE) uint32_t recover_fs; /* RFC 9937: out at the start; 0: no PRR */
	uint32_t prr_delivered, prr_out;            /* bytes since then */
	uint32_t prr_room;                          /* what may be sent before the next ACK */
	uint64_t prr_inverse;                       /* (2^64 - 1) / recover_fs, rounded down */
	struct sl_sack dup;
};

/* CUBIC's course since congestion avoidance began, names as in RFC 9438, 4.1; bytes. */
struct sl_curve {
	uint32_t w_max;   /* where the last loss was, or a little below; 0: none yet */
	uint32_t w_prior; /* cwnd_prior: the window before the last cut */
	uint32_t w_est;   /* what Reno would have */
	uint32_t k_ms;
	sl_tick_t began; /* later by all the time that does not count */
};

/*
 * What congestion control remembers between two losses (cc.h): kept from the first one on,
 * until the connection ends or another one needs it more.
 */
struct sl_epoch {
	alignas(SL_CACHE_LINE) uint32_t owner; /* index of the tcb */
	sl_tick_t seen;                        /* when bytes were last acknowledged */
	uint64_t inverse;   /* CUBIC: of the window, in 2^48ths; 0: not known */
	uint32_t carry;     /* towards the next increase; CUBIC: a fraction, in 2^32ths */
	uint32_t est_carry; /* as carry, of w_est */
	struct sl_curve now;
	bool was_empty : 1;           /* nothing was in flight when bytes were last seen */
	bool runs : 1, ran : 1;       /* now is under way; old was */
	bool is_new : 1, was_new : 1; /* it will begin behind a time-out */

	/* before the last cut */
	alignas(SL_CACHE_LINE) uint32_t old_cwnd, old_ssthresh; /* old_cwnd 0: there was none */
	struct sl_curve old;
};

static_assert(offsetof(struct sl_epoch, old_cwnd) == SL_CACHE_LINE,
	      "an ACK needs a line of the congestion epoch");

/* A round trip's worth of bulk that somebody receives; see grow.c. */
struct sl_round {
	uint32_t owner; /* index of the tcb, and its generation */
	uint16_t gen;
	uint16_t rtt_ms;
	uint32_t taken;  /* what the application had taken when it began */
	sl_tick_t began; /* 0: nobody's yet */
};

/*
 * What a connection has only while it is not idle, so that an idle one has one index in place
 * of all this; see lent.c.
 */
struct sl_lent {
	/* what came in order and the application has not taken (recv.c) */
	alignas(SL_CACHE_LINE / 2) struct rte_mbuf *head;
	struct rte_mbuf *tail; /* segments, linked by next */
	uint32_t bytes;
	uint32_t active; /* the struct sl_active borrowed, or SL_NO_BLOCK */
	uint32_t epoch;  /* the struct sl_epoch held, or SL_NO_BLOCK */
	uint32_t owner;  /* index of the tcb */
};

static_assert(sizeof(struct sl_lent) == SL_CACHE_LINE / 2, "what is lent lies in one line");

/*
 * Two lines, and no bit of them is left. What is stored often has words, halves and bytes of
 * its own; beside an index, a window or a round trip of 28 bits lies what seldom changes.
 */
struct sl_tcb {
	/* line 0: who, and receiving in order */
	alignas(SL_CACHE_LINE) struct sl_key key;
	uint32_t rcv_nxt;
	uint32_t rcv_adv; /* right edge promised to the peer; never moves back */
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_end; /* behind the last byte queued: where the FIN goes */
	uint32_t snd_wl1; /* SEG.SEQ of the last window update */
	uint32_t ts_recent;
	union {
		sl_tick_t heard;    /* when a segment last came: begins keep-alive */
		sl_tick_t opens_by; /* until there was a handshake, when it fails; 0: never */
	};
	uint32_t lent : SL_INDEX_BITS; /* the struct sl_lent while it is not idle, or
					  SL_NO_BLOCK */
	uint32_t state : 4;            /* enum sl_state; assigned only in sl_tcb_event() */
	uint16_t is;                   /* SL_IS_* */
	uint16_t mss;                  /* largest payload we send, options already taken off */
	uint16_t wnd;                  /* SEG.WND as it came: see sl_tcb_snd_wnd() */
	uint16_t max_wnd;              /* of the largest window there ever was */
	uint16_t unacked; /* how far our last ACK is behind RCV.NXT, SL_UNACKED_MOST at most */
	uint16_t ts_age;  /* when ts_recent was taken, SL_TS_AGE_S each: ticks wrap too soon */
	uint8_t dup_acks : 4;    /* in a row */
	uint8_t owes : 4;        /* SL_OWES_* */
	uint8_t marks : 7;       /* SL_MARK_* */
	uint8_t wnd_of_syn : 1;  /* wnd is a SYN's, which is never scaled (RFC 7323, 2.2) */
	uint8_t n_probes : 7;    /* keep-alives not answered, or SL_PROBES_RESEND */
	uint8_t probe_doubt : 1; /* a probe that ended at SND.UNA may have repaired a loss */
	uint8_t listener;

	/* line 1: sending and time */
	alignas(SL_CACHE_LINE) uint32_t gen;
	uint32_t ts_offset; /* of our timestamps (RFC 7323, 5.4) */
	sl_tick_t armed;    /* when the wheel's entry is due; 0: it has none */
	sl_tick_t app_due;  /* 0: not set, here and below */
	sl_tick_t progress; /* when bytes in flight last saw hope: begins R2; or an orphan's
			       FIN-WAIT-2 */
	uint32_t resend_due : 24; /* of SL_RESEND_MASK */
	uint32_t ttl : 8;         /* of what we send, as tos */
	uint32_t path : 24;       /* of lib/net, or SL_NO_PATH */
	uint32_t tos : 8;
	uint32_t span_head : SL_INDEX_BITS; /* all of them; oldest first */
	uint32_t reo_mult : 4;              /* the reordering window grew so often */
	uint32_t span_edge : SL_INDEX_BITS; /* the first not sent yet, or the last: spans.c */
	uint32_t resend_for : 2;       /* enum sl_resend: what the resend timer waits for */
	uint32_t n_challenges : 2;     /* sent and not earned back */
	uint32_t next : SL_INDEX_BITS; /* of output, parked or gone; SL_NO_INDEX: the last */
	uint32_t quick_acks : 3;       /* full segments that will be acknowledged at once */
	uint32_t max_wnd_of_syn : 1;   /* as wnd_of_syn */
	uint32_t cwnd : 28;            /* bytes; this and ssthresh are written by cc.h's */
	uint32_t snd_scale : 4;        /* the peer's shift: of the windows it sends */
	uint32_t ssthresh : 28;
	uint32_t rcv_scale : 4; /* ours */
	uint32_t srtt_us8 : 28; /* smoothed RTT, eighths of a microsecond; 0: none yet */
	uint32_t acks_owed : 4;
	uint32_t rttvar_us4 : 28; /* its variation, quarters: see sl_tcb_rto_ms() */
	uint32_t why : 4;         /* enum sl_reason, once it ends */
	uint16_t ack_due;         /* of SL_ACK_MASK */
	uint16_t min_rtt_us16;    /* the shortest round trip, 16 us each; 0: none yet */
	uint16_t challenged; /* until when challenge ACKs were earned back; a tick's low bits */
	uint16_t backoff : 5;     /* times the resend timer was doubled */
	uint16_t rcv_grown : 5;   /* times the receive buffer has doubled */
	uint16_t reo_persist : 5; /* recoveries until reo_mult is forgotten */
	uint16_t reo_seen : 1;    /* reordering happens (RFC 8985, 5.3) */
};

static_assert(offsetof(struct sl_tcb, gen) == SL_CACHE_LINE, "receiving outgrew its line");
static_assert(sizeof(struct sl_tcb) == 2 * SL_CACHE_LINE, "an idle connection owns two lines");

#define SL_TW_TS       0x01 /* timestamps were agreed */
#define SL_TW_SCALED   0x02 /* window scaling was */
#define SL_TW_AGAIN    0x04 /* 2 MSL began again: it has not its place by age */
#define SL_TW_NEW      0x08 /* a SYN was answered from here; what it said: */
#define SL_TW_NEW_SACK 0x10
#define SL_TW_NEW_TS   0x20

#define SL_TW_NO_SCALE 15u
#define SL_TW_MSS_UNIT 4u

/* What is left of a connection for 2 MSL; see timewait.c. */
struct sl_tw {
	struct sl_key key; /* of nobody while its lport is 0 */
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent;
	uint16_t since;   /* TIME-WAIT began, or began again; in units of sl_tcp.tw_shift */
	uint16_t new_irs; /* of the SYN that may take over (RFC 6191), the low half */
	uint32_t listener : 8;
	uint32_t new_mss : 14;  /* in units of SL_TW_MSS_UNIT */
	uint32_t new_scale : 4; /* its shift, or SL_TW_NO_SCALE */
	uint32_t is : 6;        /* SL_TW_* */
};

static_assert(sizeof(struct sl_tw) == 32, "TIME-WAIT has many and each is small");

#endif
