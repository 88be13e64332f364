/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_flags - every byte of flags at every state, and the flags that matter with numbers
 * good, early, old and wild.
 *
 * What becomes of the connection, and what is answered, is held against RFC 9293, 3.10.7
 * with RFC 5961, written down once more here as one reads it: a few conditions and no code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "tcp/state.h"
#include "wire/frame.h"
#include "world.h"

/* How a state is reached, and the numbers then, counted from the two first ones. */
struct stage {
	enum sl_state state;
	const char *script;
	uint32_t rcv_nxt, snd_una, snd_nxt;
};

#define SYN  "< S 0:0(0) win 65535 <mss 1000>\n"
#define OPEN SYN "< . 1:1(0) ack 1\n+0 app send 10\n"
#define SHUT OPEN "+0 app shutdown\n"

static const struct stage stages[] = {
	{ SL_ST_CLOSED, "", 0, 0, 0 }, /* no listener there */
	{ SL_ST_LISTEN, "", 0, 0, 0 },
	{ SL_ST_SYN_SENT, "+0 connect\n", 0, 0, 1 },
	{ SL_ST_SYN_RECEIVED, SYN, 1, 0, 1 },
	{ SL_ST_ESTABLISHED, OPEN, 1, 1, 11 },
	{ SL_ST_FIN_WAIT_1, SHUT, 1, 1, 12 },
	{ SL_ST_FIN_WAIT_2, SHUT "< . 1:1(0) ack 12\n", 1, 12, 12 },
	{ SL_ST_CLOSE_WAIT, OPEN "< F. 1:1(0) ack 1\n", 2, 1, 11 },
	{ SL_ST_CLOSING, SHUT "< F. 1:1(0) ack 1\n", 2, 1, 12 },
	{ SL_ST_LAST_ACK, OPEN "< F. 1:1(0) ack 1\n+0 app shutdown\n", 2, 1, 12 },
	{ SL_ST_TIME_WAIT, SHUT "< . 1:1(0) ack 12\n< F. 1:1(0) ack 12\n", 2, 12, 12 },
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

/* Where a segment stands: at what is expected, a little later, at the SYN, before, far. */
enum place { EXACT, EARLY, FIRST, OLD, FAR, N_PLACES };
/* What it acknowledges: nothing new, all, less than before, the unsent, the long forgotten. */
enum acks { NOTHING_NEW, ALL, LESS, FUTURE, ANCIENT, N_ACKS };

struct shot {
	uint8_t flags;
	enum place place;
	enum acks acks;
	uint32_t len;
};

enum answer { SILENCE, AN_ACK, A_RESET, A_SYN_ACK, WHATEVER };

struct verdict {
	enum sl_state state; /* SL_ST_CLOSED: nothing is left */
	enum answer answer;
};

static const struct verdict gone = { SL_ST_CLOSED, SILENCE };

static struct verdict
stays(const struct stage *at, enum answer answer)
{
	bool none = at->state == SL_ST_CLOSED || at->state == SL_ST_LISTEN;

	return (struct verdict){ none ? SL_ST_CLOSED : at->state, answer };
}

/* 3.10.7.1 and 3.10.7.2. A SYN with a FIN is nobody's way to open. */
static struct verdict
without_connection(const struct stage *at, const struct shot *s)
{
	bool fin = s->flags & SL_FIN, syn = s->flags & SL_SYN;

	if (s->flags & SL_RST)
		return stays(at, SILENCE);
	if (at->state == SL_ST_CLOSED || (s->flags & SL_ACK))
		return stays(at, A_RESET);
	if (syn && !fin)
		return (struct verdict){ SL_ST_SYN_RECEIVED, A_SYN_ACK };
	return stays(at, SILENCE);
}

/* 3.10.7.3. */
static struct verdict
in_syn_sent(const struct stage *at, const struct shot *s)
{
	bool ack = s->flags & SL_ACK, rst = s->flags & SL_RST;

	if (ack && s->acks != ALL)
		return stays(at, rst ? SILENCE : A_RESET);
	if (rst)
		return ack ? gone : stays(at, SILENCE);
	if (!(s->flags & SL_SYN) || (s->flags & SL_FIN))
		return stays(at, SILENCE);
	return ack ? (struct verdict){ SL_ST_ESTABLISHED, AN_ACK }
		   : (struct verdict){ SL_ST_SYN_RECEIVED, A_SYN_ACK };
}

/* Table 6, our window being open: does the segment touch it? */
static bool
is_acceptable(const struct stage *at, const struct shot *s)
{
	bool syn_fin = s->flags & (SL_SYN | SL_FIN);

	switch (s->place) {
	case EXACT:
	case EARLY:
		return true;
	case FIRST: /* before it by the SYN and perhaps the FIN; bytes reach into it */
		return !(s->flags & SL_RST) && s->len + syn_fin > at->rcv_nxt;
	default:
		return false;
	}
}

/* 3.10.7.4, fifth to eighth, the segment being one to be heard. */
static struct verdict
heard(const struct stage *at, const struct shot *s)
{
	enum sl_state state = at->state;
	uint32_t seq = s->place == EXACT ? at->rcv_nxt : 0; /* else it is at the SYN */
	bool in_order = s->place != EARLY && seq + s->len >= at->rcv_nxt;
	bool can_receive;

	if (s->acks == ALL && state == SL_ST_FIN_WAIT_1)
		state = SL_ST_FIN_WAIT_2;
	else if (s->acks == ALL && state == SL_ST_CLOSING)
		return (struct verdict){ SL_ST_TIME_WAIT, WHATEVER };
	else if (s->acks == ALL && state == SL_ST_LAST_ACK)
		return (struct verdict){ SL_ST_CLOSED, WHATEVER };
	else if (state == SL_ST_SYN_RECEIVED)
		state = SL_ST_ESTABLISHED;
	can_receive = state == SL_ST_ESTABLISHED || state == SL_ST_FIN_WAIT_1 ||
		      state == SL_ST_FIN_WAIT_2;
	if (can_receive && (s->flags & SL_FIN) && in_order)
		state = state == SL_ST_ESTABLISHED  ? SL_ST_CLOSE_WAIT
			: state == SL_ST_FIN_WAIT_1 ? SL_ST_CLOSING
						    : SL_ST_TIME_WAIT;
	return (struct verdict){ state, WHATEVER };
}

/* 3.10.7.4, in its order. */
static struct verdict
with_connection(const struct stage *at, const struct shot *s)
{
	bool half_open = at->state == SL_ST_SYN_RECEIVED;
	bool rst = s->flags & SL_RST, syn = s->flags & SL_SYN, ack = s->flags & SL_ACK;

	if (half_open && syn && !rst && !ack && s->place == FIRST)
		return stays(at, A_SYN_ACK);
	if (!is_acceptable(at, s))
		return stays(at, rst ? SILENCE : AN_ACK);
	if (rst)
		return s->place == EXACT ? gone : stays(at, AN_ACK);
	if (syn)
		return stays(at, AN_ACK);
	if (!ack)
		return stays(at, SILENCE);
	if (half_open && s->acks != ALL)
		return stays(at, A_RESET);
	if (s->acks == FUTURE || s->acks == ANCIENT)
		return stays(at, AN_ACK);
	return heard(at, s);
}

static struct verdict
verdict_on(const struct stage *at, const struct shot *s)
{
	switch (at->state) {
	case SL_ST_CLOSED:
	case SL_ST_LISTEN:
		return without_connection(at, s);
	case SL_ST_SYN_SENT:
		return in_syn_sent(at, s);
	case SL_ST_TIME_WAIT: /* nothing ends it; RFC 1337 */
		return stays(at, s->flags & SL_RST ? SILENCE : WHATEVER);
	default:
		return with_connection(at, s);
	}
}

static void
play(struct world *w, struct peer *peer, const char *text)
{
	struct script script;

	assert_int_equal(script_parse(&script, text, w->v6), 0);
	for (unsigned int i = 0; i < script.n_lines; i++) {
		struct line *line = &script.line[i];

		line->peer = peer->id;
		if (line->kind == LINE_IN)
			assert_true(peer_send(peer, &line->pkt));
		else
			assert_true(command_run(w, line));
		assert_true(world_step(w));
	}
	script_free(&script);
	w->n_claimed = w->n_sent;
}

static uint32_t
number_of(const struct stage *at, enum place place)
{
	switch (place) {
	case EXACT:
		return at->rcv_nxt;
	case EARLY:
		return at->rcv_nxt + 5;
	case OLD:
		return at->rcv_nxt - 1000;
	case FAR:
		return at->rcv_nxt + 500000;
	default:
		return 0;
	}
}

static uint32_t
ack_of(const struct stage *at, enum acks acks)
{
	switch (acks) {
	case NOTHING_NEW:
		return at->snd_una;
	case ALL:
		return at->snd_nxt;
	case LESS:
		return at->snd_una - 5;
	case FUTURE:
		return at->snd_nxt + 1;
	default:
		return at->snd_una - 70000;
	}
}

static void
fire(struct peer *peer, const struct stage *at, const struct shot *s)
{
	struct pkt pkt = {
		.flags = s->flags,
		.opts_mode = OPTS_LISTED,
		.seq = number_of(at, s->place),
		.ack = s->flags & SL_ACK ? ack_of(at, s->acks) : 0,
		.len = s->len,
	};

	/* A SYN that begins elsewhere than the peer's numbers: its bytes would be others. */
	if (at->state == SL_ST_SYN_SENT && (s->flags & SL_SYN) && s->place != EXACT)
		pkt.len = 0;
	assert_true(peer_send(peer, &pkt));
	if (!world_step(peer->world))
		fail_msg("%s", peer->world->why);
}

static enum answer
answer_seen(const struct world *w)
{
	uint8_t flags;

	if (w->n_sent == w->n_claimed)
		return SILENCE;
	flags = w->sent[w->n_claimed].pkt.flags;
	return flags & SL_RST ? A_RESET : flags & SL_SYN ? A_SYN_ACK : AN_ACK;
}

static void
judge(struct world *w, struct peer *peer, const struct stage *at, const struct shot *s)
{
	struct sl_tuple tuple = peer_tuple(peer);
	const char *is = sl_core_state(w->core, &tuple, NULL);
	struct verdict want = verdict_on(at, s);
	const char *state = want.state == SL_ST_CLOSED ? "none" : sl_state_name(want.state);
	enum answer got = answer_seen(w);

	if (strcmp(is != NULL ? is : "none", state) == 0 &&
	    (want.answer == WHATEVER || want.answer == got))
		return;
	fail_msg("IPv%d, %s, flags %02x, place %d, acks %d, %u bytes: "
		 "state %s, not %s; answer %d, not %d",
		 w->v6 ? 6 : 4, sl_state_name(at->state), s->flags, s->place, s->acks, s->len,
		 is, state, got, want.answer);
}

static struct world *
new_world(const struct stage *at, bool v6)
{
	static const char settings[] = "listen 80 cookies=never rcvbuf=60000\n";
	struct world *w = world_open(v6, 0);
	struct script script;

	assert_int_equal(script_parse(&script, settings, v6), 0);
	assert_true(command_run(w, &script.line[0]));
	script_free(&script);
	for (int i = 0; i < PEERS_MAX; i++)
		w->peer[i].ends.lport = at->state == SL_ST_CLOSED ? 81 : 80;
	assert_true(world_start(w));
	return w;
}

/* Sixteen connections share a world: the making of one takes longer than the shot. */
struct range {
	const struct stage *at;
	struct world *w;
	int used;
	bool v6;
};

static void
end_range(struct range *r)
{
	if (r->w == NULL)
		return;
	if (!world_close(r->w))
		fail_msg("%s", r->w->why);
	world_free(r->w);
	r->w = NULL;
}

static void
shoot(struct range *r, const struct shot *s)
{
	struct peer *peer;

	if (r->w == NULL || r->used == PEERS_MAX) {
		end_range(r);
		r->w = new_world(r->at, r->v6);
		r->used = 0;
	}
	peer = &r->w->peer[r->used++];
	play(r->w, peer, r->at->script);
	fire(peer, r->at, s);
	judge(r->w, peer, r->at, s);
}

/* rows: OC16 OC5 OC6 [v4 v6] */
static void
every_byte_of_flags_at_every_state(void **state)
{
	for (size_t i = 0; i < 2 * N_STAGES; i++) {
		struct range r = { .at = &stages[i / 2], .v6 = i % 2 };

		for (int flags = 0; flags < 256; flags++)
			shoot(&r, &(struct shot){ (uint8_t)flags, EXACT, ALL, 0 });
		end_range(&r);
	}
}

static void
shoot_from(struct range *r, enum place place, enum acks acks)
{
	for (int flags = 0; flags < 16; flags++) {
		struct shot s = { .flags = (uint8_t)(flags & 7), place, acks, 0 };

		if (flags & 8)
			s.flags |= SL_ACK;
		shoot(r, &s);
		s.len = 10;
		shoot(r, &s);
	}
}

/* rows: SG9 SG10 BA1 BA2 BA3 OC7 OC8 OC11 CL1 CL2 CL3 [v4 v6] */
static void
the_flags_that_matter_with_numbers_good_early_old_and_wild(void **state)
{
	for (size_t i = 0; i < 2 * N_STAGES; i++) {
		struct range r = { .at = &stages[i / 2], .v6 = i % 2 };

		for (int place = 0; place < N_PLACES; place++)
			for (int acks = 0; acks < N_ACKS; acks++)
				shoot_from(&r, place, acks);
		end_range(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_of_flags_at_every_state),
		cmocka_unit_test(the_flags_that_matter_with_numbers_good_early_old_and_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
