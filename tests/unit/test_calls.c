/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_calls - an application may call anything from anywhere, and is told of each end once.
 *
 * Two hosts run an application that does what it is told in its callbacks: a pair of calls
 * in one of them, for all pairs and callbacks; or anything at random, to itself and to
 * others, over a wire that loses and reorders. Each connection has a page in a ledger,
 * which is where the promises of <sluice/app.h> are held against what happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "link.h"
#include "random.h"

#define MINUTE    (60 * SL_NS_PER_S)
#define LIVES_MAX 4096u

enum when {
	WHEN_OPEN,
	WHEN_DATA,
	WHEN_WRITABLE,
	WHEN_PEER_CLOSED,
	WHEN_TIMER,
	WHEN_CLOSED,
	N_WHEN
};

enum call {
	CALL_SEND,
	CALL_SEND_ALL, /* more than there is room for */
	CALL_SEND_CHAIN,
	CALL_SHUTDOWN,
	CALL_CLOSE,
	CALL_ABORT,
	CALL_TIMER,
	CALL_RESUME,
	CALL_NODELAY,
	CALL_CONNECT,
	CALL_REFUSE, /* or take nothing */
	N_CALLS,
};

/* One connection as the application knows it. */
struct life {
	unsigned int host;
	struct sl_ref ref;
	bool given; /* open returned 0, or the connect did */
	bool opened, closed, refused;
	bool done[N_WHEN]; /* the pair was called there */
};

static struct life life[LIVES_MAX];
static uint32_t n_lives;
static struct link link;

/* What is called: a pair in one callback, or, with random.s, anything. */
static struct plan {
	bool is_random;
	enum when when;
	enum call first, second;
	struct rnd rnd;
	bool happened; /* the callback of the pair came */
} plan;

struct state {
	uint32_t id; /* of its life, plus 1 */
};

static void act(struct sl_conn *c, enum when when, const struct sl_chain *in, bool *takes);

static struct life *
life_of(struct sl_conn *c)
{
	struct state *state = sl_conn_state(c);

	if (state->id == 0) {
		assert_true(n_lives < LIVES_MAX);
		state->id = ++n_lives;
		life[state->id - 1] =
			(struct life){ .ref = sl_conn_ref(c),
				       .host = *(const unsigned int *)sl_listener_arg(c) };
	}
	return &life[state->id - 1];
}

/* A callback on a connection that is there and was not told its end. */
static struct life *
told(struct sl_conn *c)
{
	struct life *l = life_of(c);

	assert_true(l->given);
	assert_false(l->closed);
	return l;
}

static int
on_open(struct sl_conn *c)
{
	struct life *l = life_of(c);
	bool takes = true;

	assert_false(l->opened || l->closed || l->refused);
	l->opened = l->given = true;
	sl_timer(c, 20);
	act(c, WHEN_OPEN, NULL, &takes);
	if (takes)
		return 0;
	l->given = false;
	l->refused = true;
	return -1;
}

static uint32_t
on_data(struct sl_conn *c, const struct sl_chain *in)
{
	bool takes = true;

	assert_true(told(c)->opened);
	assert_true(in->bytes > 0);
	act(c, WHEN_DATA, in, &takes);
	if (plan.is_random && rnd_below(&plan.rnd, 4) == 0)
		return UINT32_MAX; /* says too much: it took all */
	return takes ? in->bytes : 0;
}

static void
on_writable(struct sl_conn *c)
{
	bool takes;

	assert_true(told(c)->opened);
	act(c, WHEN_WRITABLE, NULL, &takes);
}

static void
on_peer_closed(struct sl_conn *c)
{
	bool takes;

	assert_true(told(c)->opened);
	act(c, WHEN_PEER_CLOSED, NULL, &takes);
	if (!plan.is_random)
		sl_close(c);
}

static void
on_timer(struct sl_conn *c)
{
	bool takes;

	told(c);
	act(c, WHEN_TIMER, NULL, &takes);
}

static void
on_closed(struct sl_conn *c, enum sl_reason why)
{
	bool takes;

	(void)told(c);
	act(c, WHEN_CLOSED, NULL, &takes);
	life_of(c)->closed = true;
	assert_true(why < SL_REASON_COUNT);
}

static const struct sl_app caller = {
	.name = "caller",
	.state_bytes = sizeof(struct state),
	.opens = &caller,
	.open = on_open,
	.data = on_data,
	.writable = on_writable,
	.peer_closed = on_peer_closed,
	.timer = on_timer,
	.closed = on_closed,
};

static void
open_another(struct sl_conn *c)
{
	unsigned int host = *(const unsigned int *)sl_listener_arg(c);
	struct sl_addr own, to;
	struct sl_conn made;
	uint16_t port;

	sl_conn_local(c, &own, &port);
	to = link_addr(!host, !sl_addr_is_v4(&own));
	if (n_lives + 2 < LIVES_MAX &&
	    sl_connect(c, &(struct sl_connect){ .remote = &to, .rport = 7 }, &made) == 0)
		life_of(&made)->given = true;
}

static void
call(struct sl_conn *c, enum call what, const struct sl_chain *in, bool *takes)
{
	static const uint8_t bytes[70000];

	switch (what) {
	case CALL_SEND:
		sl_send(c, bytes, 100);
		break;
	case CALL_SEND_ALL:
		assert_true(sl_send(c, bytes, sizeof(bytes)) < sizeof(bytes));
		break;
	case CALL_SEND_CHAIN:
		if (in != NULL)
			sl_send_chain(c, in, 0, in->bytes);
		break;
	case CALL_SHUTDOWN:
		sl_shutdown(c);
		break;
	case CALL_CLOSE:
		sl_close(c);
		break;
	case CALL_ABORT:
		sl_abort(c);
		break;
	case CALL_TIMER:
		sl_timer(c, 5);
		break;
	case CALL_RESUME:
		sl_resume(c);
		break;
	case CALL_NODELAY:
		sl_nodelay(c, true);
		break;
	case CALL_CONNECT:
		open_another(c);
		break;
	default:
		*takes = false;
		break;
	}
}

/* Any connection of this core that was ever seen; half of them are gone, which is the point. */
static bool
some_other(struct sl_conn *c, struct sl_conn *out)
{
	const struct life *mine = life_of(c);
	const struct life *l = &life[rnd_below(&plan.rnd, n_lives)];

	return l->host == mine->host && sl_conn_at(c, l->ref, out);
}

static void
act_at_random(struct sl_conn *c, const struct sl_chain *in, bool *takes)
{
	uint32_t n = rnd_below(&plan.rnd, 4);

	for (uint32_t i = 0; i < n; i++) {
		enum call what = rnd_below(&plan.rnd, N_CALLS);
		bool ignored;
		struct sl_conn other;

		if (what == CALL_CONNECT && rnd_below(&plan.rnd, 4) != 0)
			continue;
		if (what == CALL_ABORT && rnd_below(&plan.rnd, 3) != 0)
			continue;
		if (rnd_below(&plan.rnd, 3) == 0 && some_other(c, &other))
			call(&other, what, NULL, &ignored);
		else
			call(c, what, in, takes);
	}
}

/* The pair goes to the server's first connection, once; the rest just lives and ends. */
static void
act(struct sl_conn *c, enum when when, const struct sl_chain *in, bool *takes)
{
	struct life *l = life_of(c);

	if (plan.is_random) {
		act_at_random(c, in, takes);
		return;
	}
	if (when == WHEN_OPEN && l->host == 1)
		call(c, CALL_SEND, NULL, takes);
	if (when == WHEN_OPEN && l->host == 0 && plan.when == WHEN_WRITABLE)
		call(c, CALL_SEND_ALL, NULL, takes);
	if (when == WHEN_TIMER && l->host == 1)
		sl_shutdown(c);
	if (l->host != 0 || when != plan.when || l->done[when])
		return;
	l->done[when] = plan.happened = true;
	call(c, plan.first, in, takes);
	call(c, plan.second, in, takes);
}

static const unsigned int host_number[2] = { 0, 1 };

static void
open_hosts(const struct link_conf *wire)
{
	static struct sl_core_conf conf;

	n_lives = 0;
	link_open(&link, wire);
	for (unsigned int i = 0; i < 2; i++) {
		link_host_conf(&conf, i);
		link_listen(&conf, 7, &caller, &host_number[i])->tcp.sndbuf = 20000;
		link_join(&link, &conf);
	}
}

static void
start(unsigned int from, bool v6)
{
	struct sl_addr to = link_addr(!from, v6);
	struct sl_connect connect = { .remote = &to, .rport = 7 };
	struct sl_core *core = link.host[from].core;
	struct sl_ref ref;
	struct sl_conn c;

	if (sl_core_connect(core, link.now, 0, &connect, &ref) < 0)
		return;
	assert_true(sl_core_conn(core, link.now, ref, &c));
	life_of(&c)->given = true;
}

/* Whatever lives is killed; then every life that was given has ended, and no other. */
static void
end_all(void)
{
	struct sl_event kill = { .kind = SL_EVENT_KILL };

	for (unsigned int i = 0; i < 2; i++)
		sl_core_event(link.host[i].core, link.now, &kill);
	link_run(&link, MINUTE, NULL, NULL);
	for (uint32_t i = 0; i < n_lives; i++) {
		struct sl_conn c;

		assert_int_equal(life[i].given, life[i].closed);
		assert_false(
			sl_core_conn(link.host[life[i].host].core, link.now, life[i].ref, &c));
	}
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(link_count(&link, i, live), 0);
		assert_int_equal(link_count(&link, i, kept), 0);
		assert_int_equal(link_count(&link, i, active), 0);
	}
	link_close(&link);
}

/* rows: AP1 AP2 [v4 v6] */
static void
any_two_calls_may_be_made_in_any_callback(void **state)
{
	static const struct link_conf wire = { .cable.delay = 50000, .seed = 3 };
	unsigned int happened = 0;

	for (unsigned int i = 0; i < 2 * N_WHEN * N_CALLS * N_CALLS; i++) {
		unsigned int pair = i / 2 / N_WHEN;

		plan = (struct plan){ .when = i / 2 % N_WHEN,
				      .first = pair % N_CALLS,
				      .second = pair / N_CALLS };
		open_hosts(&wire);
		start(1, i % 2);
		link_run(&link, SL_NS_PER_S, NULL, NULL);
		happened += plan.happened;
		end_all();
	}
	assert_int_equal(happened, 2 * N_WHEN * N_CALLS * N_CALLS);
}

/* rows: AP1 AP2 CL9 [v4 v6] */
static void
whatever_applications_do_each_end_is_told_once(void **state)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		const struct link_conf wire = { .cable.delay = 2 * SL_NS_PER_MS,
						.cable.jitter = 3 * SL_NS_PER_MS,
						.cable.loss_ppm = 30000,
						.seed = seed };

		plan = (struct plan){ .is_random = true, .rnd = { seed } };
		open_hosts(&wire);
		for (unsigned int i = 0; i < 20; i++)
			start(i % 2, i / 2 % 2);
		link_run(&link, MINUTE / 4, NULL, NULL);
		assert_true(n_lives >= 20);
		end_all();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_two_calls_may_be_made_in_any_callback),
		cmocka_unit_test(whatever_applications_do_each_end_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
