/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http - answers GET and HEAD with as many bytes as configured or asked for.
 *
 * A connection is in one phase at a time: reading a head, skipping the body a request
 * brought, sending the answer, or lingering behind our FIN. Bytes that come while an answer
 * is being sent stay untaken, which is all that pipelining needs. A body is skipped by
 * count or not at all: when the end of a request is in doubt or not worth waiting for, the
 * answer is the last one and whatever follows is thrown away unread by the parser.
 *
 * Heads are small and copied, bodies lie in pinned memory and are pointed at.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "l7/apps.h"
#include "l7/http_parse.h"

#define SKIP_MAX  (1u << 20) /* largest request body waited for; above it: 413 */
#define HEAD_ROOM 320        /* bytes of any answer's head, with the text of an error */

enum phase { P_HEAD, P_SKIP, P_SEND, P_LINGER };

struct http {
	struct sl_http_head head;
	uint64_t left;    /* bytes of body not yet queued */
	uint16_t head_at; /* bytes of the answer's head queued */
	uint8_t phase;    /* enum phase */
	bool timed : 1;   /* the timer of this head runs */
	bool served : 1;  /* a request was answered before */
	bool holds : 1;   /* bytes were left untaken */
	bool ended : 1;   /* the client's FIN came */
	bool last : 1;    /* close behind the answer */
};

static_assert(sizeof(struct http) <= 64, "more than a connection has");

/* The head of the usual answer, composed once a listener and core. */
struct http_usual {
	uint32_t bytes;
	char text[HEAD_ROOM];
};

struct text {
	char *at;
	uint32_t n;
};

static void
put(struct text *t, const char *s)
{
	uint32_t n = (uint32_t)strlen(s);

	memcpy(t->at + t->n, s, n);
	t->n += n;
}

static void
put_number(struct text *t, uint64_t number)
{
	char digits[21];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	put(t, digits + i);
}

static const char *
status_line(uint16_t status)
{
	switch (status) {
	case 200:
		return "200 OK";
	case 404:
		return "404 Not Found";
	case 405:
		return "405 Method Not Allowed";
	case 408:
		return "408 Request Timeout";
	case 413:
		return "413 Content Too Large";
	case 414:
		return "414 URI Too Long";
	case 431:
		return "431 Request Header Fields Too Large";
	case 501:
		return "501 Not Implemented";
	case 505:
		return "505 HTTP Version Not Supported";
	default:
		return "400 Bad Request";
	}
}

static uint64_t
body_bytes(const struct sl_http_head *head, const struct sl_http_conf *conf)
{
	return head->marks & SL_HTTP_BYTES ? head->bytes : conf->body_bytes;
}

/* Write the head of the answer to @http's request, and with an error its text. */
static uint32_t
compose(char *to, const struct http *http, const struct sl_http_conf *conf)
{
	const struct sl_http_head *head = &http->head;
	const char *line = status_line(head->status);
	bool good = head->status == 200;
	struct text t = { .at = to };

	put(&t, "HTTP/1.1 ");
	put(&t, line);
	put(&t, "\r\nServer: sluice\r\nContent-Type: text/plain\r\nContent-Length: ");
	put_number(&t, good ? body_bytes(head, conf) : strlen(line) + 1);
	if (head->status == 405)
		put(&t, "\r\nAllow: GET, HEAD");
	if (http->last)
		put(&t, "\r\nConnection: close");
	else if (head->minor == 0)
		put(&t, "\r\nConnection: keep-alive");
	put(&t, "\r\n\r\n");
	if (!good && !(head->marks & SL_HTTP_IS_HEAD)) {
		put(&t, line);
		put(&t, "\n");
	}
	assert(t.n <= HEAD_ROOM);
	return t.n;
}

/* The head of the answer: a ready one where it fits, else composed into @room. */
static const char *
answer_head(struct sl_conn *c, const struct http *http, char *room, uint32_t *bytes)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	struct http_usual *usual = sl_listener_state(c);
	bool is_usual = http->head.status == 200 && !(http->head.marks & SL_HTTP_BYTES) &&
			!http->last && http->head.minor > 0;

	if (!is_usual) {
		*bytes = compose(room, http, conf);
		return room;
	}
	if (usual->bytes == 0)
		usual->bytes = compose(usual->text, http, conf);
	*bytes = usual->bytes;
	return usual->text;
}

/* Queue what is missing of the head. True when nothing is. It is the same every time. */
static bool
send_head(struct sl_conn *c, struct http *http)
{
	char room[HEAD_ROOM];
	const char *text;
	uint32_t bytes;

	if (http->head_at == UINT16_MAX)
		return true;
	text = answer_head(c, http, room, &bytes);
	http->head_at += (uint16_t)sl_send(c, text + http->head_at, bytes - http->head_at);
	if (http->head_at < bytes)
		return false;
	http->head_at = UINT16_MAX;
	return true;
}

/* Queue what is missing of the body, which is the pattern from its start, turn after turn. */
static bool
send_body(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	const struct sl_pattern *pattern = &conf->pattern;
	uint64_t done;

	if (http->left == 0)
		return true;
	done = body_bytes(&http->head, conf) - http->left;
	while (http->left > 0) {
		uint32_t at = (uint32_t)(done % pattern->bytes);
		uint32_t piece = pattern->bytes - at;
		uint32_t took;

		if (piece > http->left)
			piece = (uint32_t)http->left;
		took = sl_send_pinned(c, (const char *)pattern->data + at, piece);
		http->left -= took;
		done += took;
		if (took < piece)
			return false;
	}
	return true;
}

/*
 * Nothing more from us. The client's bytes are read and dropped until its FIN, because
 * closing with bytes unread would reset the connection under the answer (RFC 9112, 9.6).
 */
static void
hang_up(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);

	http->phase = P_LINGER;
	http->left = UINT64_MAX;
	sl_shutdown(c);
	sl_timer(c, conf->linger_ms ? conf->linger_ms : 1);
}

static void
next_request(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);

	memset(&http->head, 0, sizeof(http->head));
	http->phase = P_HEAD;
	http->timed = false;
	http->served = true;
	sl_timer(c, conf->idle_ms);
}

/* Send as much of the answer as is accepted; behind its last byte comes what is next. */
static void
push(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);

	if (!send_head(c, http) || !send_body(c, http))
		sl_timer(c, conf->idle_ms); /* for a client that does not read */
	else if (http->last)
		hang_up(c, http);
	else
		next_request(c, http);
}

static void
answer(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	bool has_body = http->head.status == 200 && !(http->head.marks & SL_HTTP_IS_HEAD);

	http->phase = P_SEND;
	http->head_at = 0;
	http->left = has_body ? body_bytes(&http->head, conf) : 0;
	push(c, http);
}

static void
refuse(struct sl_conn *c, struct http *http, uint16_t status)
{
	http->head.status = status;
	http->last = true;
	answer(c, http);
}

/*
 * The head is whole, or wrong. A client that waits for "100 Continue" gets the answer
 * instead, and may send its body or not: so it is the last one (RFC 9110, 10.1.1).
 */
static void
request(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	const struct sl_http_head *head = &http->head;

	http->last = !sl_http_head_keeps(head);
	if (http->last || head->length == 0) {
		answer(c, http);
	} else if (head->length > SKIP_MAX) {
		refuse(c, http, 413);
	} else if (head->marks & SL_HTTP_EXPECTS_100) {
		http->last = true;
		answer(c, http);
	} else {
		http->phase = P_SKIP;
		http->left = head->length;
		sl_timer(c, conf->idle_ms);
	}
}

static uint32_t
skip(struct sl_conn *c, struct http *http, uint32_t n)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);

	if (n > http->left)
		n = (uint32_t)http->left;
	http->left -= n;
	if (http->left == 0)
		answer(c, http);
	else
		sl_timer(c, conf->idle_ms);
	return n;
}

/* Take from the @n bytes at @data what the phase wants; 0 while an answer is on its way. */
static uint32_t
take(struct sl_conn *c, struct http *http, const void *data, uint32_t n)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	uint32_t took;

	switch ((enum phase)http->phase) {
	case P_HEAD:
		took = sl_http_head_take(&http->head, data, n, conf->head_max);
		if (http->head.status != 0)
			request(c, http);
		return took;
	case P_SKIP:
		return skip(c, http, n);
	case P_LINGER:
		return n;
	case P_SEND:
		break;
	}
	return 0;
}

/* Take from one piece of what came until it is used up or an answer is in the way. */
static uint32_t
take_piece(struct sl_conn *c, struct http *http, const char *data, uint32_t n)
{
	uint32_t at = 0;

	while (at < n && http->phase != P_SEND)
		at += take(c, http, data + at, n - at);
	return at;
}

/* The client's FIN came and nothing is left to read: what is unfinished never will be. */
static void
no_more_input(struct sl_conn *c, struct http *http)
{
	bool begun = http->phase == P_SKIP || http->head.seen > 0;

	if (http->phase == P_SEND || http->phase == P_LINGER)
		return;
	if (begun)
		refuse(c, http, 400);
	else
		hang_up(c, http);
}

static int
http_open(struct sl_conn *c)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);

	if (conf->pattern.bytes == 0)
		return -EINVAL;
	sl_timer(c, conf->first_byte_ms);
	return 0;
}

static uint32_t
http_data(struct sl_conn *c, const struct sl_chain *in)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	struct http *http = sl_conn_state(c);
	uint32_t at = 0, n;
	const void *data;

	while (http->phase != P_SEND && (n = sl_chain_at(in, at, &data)) > 0)
		at += take_piece(c, http, data, n);
	http->holds = at < in->bytes;

	if (http->phase == P_HEAD && http->head.seen > 0 && !http->timed) {
		http->timed = true;
		sl_timer(c, conf->head_ms);
	}
	if (http->ended && !http->holds)
		no_more_input(c, http);
	return at;
}

static void
http_writable(struct sl_conn *c)
{
	struct http *http = sl_conn_state(c);

	if (http->phase != P_SEND)
		return;
	push(c, http);
	if (http->phase == P_SEND)
		return;
	if (http->holds)
		sl_resume(c);
	else if (http->ended)
		no_more_input(c, http);
}

static void
http_peer_closed(struct sl_conn *c)
{
	struct http *http = sl_conn_state(c);

	http->ended = true;
	if (!http->holds)
		no_more_input(c, http);
}

/*
 * Lingering took its time. A client that is still reading the answer is left to it, as long
 * as it gets on; one that stands still for the idle time is not.
 */
static void
linger_on(struct sl_conn *c, struct http *http)
{
	const struct sl_http_conf *conf = sl_listener_arg(c);
	uint32_t queued = sl_send_queued(c);

	if (queued == 0 || conf->linger_ms == 0) {
		sl_close(c);
	} else if (queued == http->left && conf->idle_ms > 0) {
		sl_abort(c);
	} else {
		http->left = queued;
		sl_timer(c, conf->idle_ms ? conf->idle_ms : conf->linger_ms);
	}
}

static void
http_timer(struct sl_conn *c)
{
	struct http *http = sl_conn_state(c);
	bool idle = http->served && http->head.seen == 0;

	switch ((enum phase)http->phase) {
	case P_HEAD:
		if (idle)
			hang_up(c, http);
		else
			refuse(c, http, 408);
		break;
	case P_SKIP:
		refuse(c, http, 408);
		break;
	case P_SEND:
		sl_abort(c);
		break;
	case P_LINGER:
		linger_on(c, http);
		break;
	}
}

const struct sl_app sl_http = {
	.name = "http",
	.state_bytes = sizeof(struct http),
	.listener_bytes = sizeof(struct http_usual),
	.open = http_open,
	.data = http_data,
	.writable = http_writable,
	.peer_closed = http_peer_closed,
	.timer = http_timer,
};
