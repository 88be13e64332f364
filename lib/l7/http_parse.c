/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http_parse - a state for each place in the grammar, a short function for each state.
 *
 * Words we care about are recognised while they pass: a bit for each word of a small table
 * that still agrees with the letters so far. Text nobody cares about, most of a request, is
 * run over by its character class alone.
 */
#include "l7/http_parse.h"

#include <string.h>

#define METHOD_MAX 32 /* longer is no method anybody has heard of */

enum state {
	S_START, /* empty lines may come first (RFC 9112, 2.2) */
	S_START_LF,
	S_METHOD,
	S_TARGET, /* its first character */
	S_SCHEME,
	S_AUTHORITY,
	S_PATH,   /* while it agrees with /bytes/ */
	S_NUMBER, /* the N of it */
	S_REST,   /* of the target, whatever it is */
	S_VERSION,
	S_LINE_LF,    /* behind a line's CR */
	S_NAME_FIRST, /* a line's first character */
	S_NAME,
	S_NAME_OTHER, /* a header we do not know */
	S_VALUE,      /* a value we do not care about */
	S_LENGTH,
	S_CONNECTION,
	S_EXPECT,
	S_CODING,
	S_END_LF, /* behind the CR of the empty line */
	S_COUNT,
};

/* Character classes (RFC 9110, 5.5 and 5.6.2; RFC 3986 for targets, generously). */
#define TCHAR  0x1
#define TARGET 0x2
#define VALUE  0x4
#define ALL    (TCHAR | TARGET | VALUE)
#define PUNCT  (TARGET | VALUE)

static const uint8_t class_of[256] = {
	['\t'] = VALUE,       [' '] = VALUE,
	['!'] = ALL,          ['"'] = PUNCT,
	['#' ... '\''] = ALL, ['(' ... ')'] = PUNCT,
	['*' ... '+'] = ALL,  [','] = PUNCT,
	['-' ... '.'] = ALL,  ['/'] = PUNCT,
	['0' ... '9'] = ALL,  [':' ... '@'] = PUNCT,
	['A' ... 'Z'] = ALL,  ['[' ... ']'] = PUNCT,
	['^' ... 'z'] = ALL,  ['{'] = PUNCT,
	['|'] = ALL,          ['}'] = PUNCT,
	['~'] = ALL,          [0x80 ... 0xff] = VALUE,
};

/* The characters that leave a state as it is and mean nothing in it. */
static const uint8_t dull_in[S_COUNT] = {
	[S_REST] = TARGET,
	[S_NAME_OTHER] = TCHAR,
	[S_VALUE] = VALUE,
};

/* Words to recognise; all but methods without regard to case, so written in lower case. */
enum {
	M_GET,
	M_HEAD,
	M_POST,
	M_PUT,
	M_DELETE,
	M_CONNECT,
	M_OPTIONS,
	M_TRACE,
	M_PATCH,
	M_COUNT
};
static const char *const methods[M_COUNT] = { "GET",     "HEAD",    "POST",  "PUT",  "DELETE",
					      "CONNECT", "OPTIONS", "TRACE", "PATCH" };

enum { U_HTTP, U_HTTPS, U_COUNT };
static const char *const schemes[U_COUNT] = { "http://", "https://" };

enum { N_CONNECTION, N_LENGTH, N_EXPECT, N_HOST, N_CODING, N_COUNT };
static const char *const names[N_COUNT] = { "connection", "content-length", "expect", "host",
					    "transfer-encoding" };

enum { W_CLOSE, W_KEEP_ALIVE, W_CHUNKED, W_100, W_COUNT };
static const char *const words[W_COUNT] = { "close", "keep-alive", "chunked", "100-continue" };

#define NO_WORD -1

static void
begin_word(struct sl_http_head *h, enum state state, int n_words)
{
	h->state = state;
	h->fits = (uint16_t)((1u << n_words) - 1);
	h->pos = 0;
}

/* The next letter of a word. A word that fits is longer than what was read of it. */
static void
match(struct sl_http_head *h, const char *const *table, uint8_t ch)
{
	for (uint32_t left = h->fits; left != 0; left &= left - 1) {
		int i = __builtin_ctz(left);

		if ((uint8_t)table[i][h->pos] != ch)
			h->fits &= ~(1u << i);
	}
	if (h->pos < UINT8_MAX)
		h->pos++;
}

/* The word that was read, now that it has ended. */
static int
matched(const struct sl_http_head *h, const char *const *table)
{
	for (uint32_t left = h->fits; left != 0; left &= left - 1) {
		int i = __builtin_ctz(left);

		if (table[i][h->pos] == '\0')
			return i;
	}
	return NO_WORD;
}

static uint8_t
lower(uint8_t ch)
{
	return ch >= 'A' && ch <= 'Z' ? ch + ('a' - 'A') : ch;
}

static bool
is_digit(uint8_t ch)
{
	return ch >= '0' && ch <= '9';
}

static bool
ends_line(uint8_t ch)
{
	return ch == '\r' || ch == '\n';
}

static void
fail(struct sl_http_head *h, uint16_t status)
{
	h->status = status;
}

/* A CR must be followed by LF; a bare LF ends a line as well (RFC 9112, 2.2). */
static void
end_line(struct sl_http_head *h, uint8_t ch)
{
	h->state = ch == '\r' ? S_LINE_LF : S_NAME_FIRST;
}

static void
expect_lf(struct sl_http_head *h, uint8_t ch, enum state then)
{
	if (ch != '\n')
		fail(h, 400);
	h->state = then;
}

static void
take_method(struct sl_http_head *h, uint8_t ch)
{
	int which;

	if (class_of[ch] & TCHAR) {
		if (h->pos == METHOD_MAX)
			fail(h, 501);
		match(h, methods, ch);
		return;
	}
	if (ch != ' ' || h->pos == 0) {
		fail(h, 400);
		return;
	}

	which = matched(h, methods);
	h->marks |= which == M_GET     ? SL_HTTP_IS_GET
		    : which == M_HEAD  ? SL_HTTP_IS_HEAD
		    : which != NO_WORD ? SL_HTTP_IS_KNOWN
				       : 0;
	h->state = S_TARGET;
}

static void
take_start(struct sl_http_head *h, uint8_t ch)
{
	if (ch == '\r') {
		h->state = S_START_LF;
	} else if (ch != '\n') {
		begin_word(h, S_METHOD, M_COUNT);
		take_method(h, ch);
	}
}

/* A character of the target that has no meaning here; a space ends it. */
static void
take_rest(struct sl_http_head *h, uint8_t ch)
{
	if (ch == ' ') {
		h->state = S_VERSION;
		h->pos = 0;
	} else if (class_of[ch] & TARGET) {
		h->state = S_REST;
	} else {
		fail(h, 400); /* HTTP/0.9 too */
	}
}

static void
take_scheme(struct sl_http_head *h, uint8_t ch)
{
	match(h, schemes, lower(ch));
	if (h->fits == 0) {
		h->marks |= SL_HTTP_ODD_TARGET;
		take_rest(h, ch);
	} else if (matched(h, schemes) != NO_WORD) {
		h->state = S_AUTHORITY;
	}
}

static void
take_target(struct sl_http_head *h, uint8_t ch)
{
	if (ch == '/') {
		h->state = S_PATH;
		h->pos = 1;
	} else if (ch == ' ') {
		fail(h, 400);
	} else {
		begin_word(h, S_SCHEME, U_COUNT);
		take_scheme(h, ch);
	}
}

static void
take_authority(struct sl_http_head *h, uint8_t ch)
{
	if (ch == '/') {
		h->state = S_PATH;
		h->pos = 1;
	} else if (ch == '?' || !(class_of[ch] & TARGET)) {
		take_rest(h, ch);
	}
}

static void
take_path(struct sl_http_head *h, uint8_t ch)
{
	static const char prefix[] = "/bytes/";

	if (ch != (uint8_t)prefix[h->pos]) {
		take_rest(h, ch);
		return;
	}
	h->pos++;
	if (prefix[h->pos] == '\0') {
		h->state = S_NUMBER;
		h->marks |= SL_HTTP_BYTES;
		h->pos = 0;
	}
}

static void
take_number(struct sl_http_head *h, uint8_t ch)
{
	if (is_digit(ch)) {
		h->bytes = h->bytes * 10 + (ch - '0');
		h->pos = 1;
		if (h->bytes <= SL_HTTP_BYTES_MAX)
			return;
		h->marks |= SL_HTTP_NOT_FOUND; /* and stop counting before it wraps */
		h->bytes = 0;
		h->state = S_REST;
		return;
	}
	if (h->pos == 0 || (ch != ' ' && ch != '?'))
		h->marks |= SL_HTTP_NOT_FOUND;
	take_rest(h, ch);
}

static void
take_version(struct sl_http_head *h, uint8_t ch)
{
	static const char shape[] = "HTTP/1.1"; /* digits stand for any digit */
	bool fits;

	if (shape[h->pos] == '\0') {
		if (!ends_line(ch))
			fail(h, 400);
		else if (h->marks & SL_HTTP_NOT_1)
			fail(h, 505);
		end_line(h, ch);
		return;
	}

	fits = is_digit((uint8_t)shape[h->pos]) ? is_digit(ch) : ch == (uint8_t)shape[h->pos];
	if (!fits)
		fail(h, 400);
	if (h->pos == 5 && ch != '1')
		h->marks |= SL_HTTP_NOT_1;
	if (h->pos == 7)
		h->minor = ch - '0';
	h->pos++;
}

/* What a header that must come once says the second time is not to be believed. */
static void
begin_once(struct sl_http_head *h, uint16_t mark, enum state state)
{
	if (h->marks & mark)
		fail(h, 400);
	h->marks |= mark;
	begin_word(h, state, 0);
}

static void
begin_value(struct sl_http_head *h)
{
	switch (matched(h, names)) {
	case N_CONNECTION:
		begin_word(h, S_CONNECTION, W_COUNT);
		break;
	case N_LENGTH:
		begin_once(h, SL_HTTP_LENGTH, S_LENGTH);
		break;
	case N_EXPECT:
		begin_word(h, S_EXPECT, W_COUNT);
		break;
	case N_HOST:
		begin_once(h, SL_HTTP_HOST, S_VALUE);
		break;
	case N_CODING:
		h->marks |= SL_HTTP_CODING;
		begin_word(h, S_CODING, W_COUNT);
		break;
	default:
		h->state = S_VALUE;
	}
}

/* No space is allowed before the colon (RFC 9112, 5.1). */
static void
take_name(struct sl_http_head *h, uint8_t ch)
{
	if (class_of[ch] & TCHAR) {
		match(h, names, lower(ch));
		if (h->fits == 0)
			h->state = S_NAME_OTHER;
	} else if (ch == ':' && h->pos > 0) {
		begin_value(h);
	} else {
		fail(h, 400);
	}
}

static void
take_name_other(struct sl_http_head *h, uint8_t ch)
{
	if (ch == ':')
		h->state = S_VALUE;
	else if (!(class_of[ch] & TCHAR))
		fail(h, 400);
}

static void
take_value(struct sl_http_head *h, uint8_t ch)
{
	if (ends_line(ch))
		end_line(h, ch);
	else if (!(class_of[ch] & VALUE))
		fail(h, 400);
}

/* Digits and nothing else, with space around: no list, no sign (RFC 9112, 6.3). */
static void
take_length(struct sl_http_head *h, uint8_t ch)
{
	enum { BEFORE, INSIDE, BEHIND };

	if (is_digit(ch) && h->pos != BEHIND && h->length < UINT64_MAX / 10 - 1) {
		h->length = h->length * 10 + (ch - '0');
		h->pos = INSIDE;
	} else if (ch == ' ' || ch == '\t') {
		h->pos = h->pos == BEFORE ? BEFORE : BEHIND;
	} else if (ends_line(ch) && h->pos != BEFORE) {
		end_line(h, ch);
	} else {
		fail(h, 400);
	}
}

static void
end_word(struct sl_http_head *h)
{
	int which = matched(h, words);

	if (h->state == S_CONNECTION) {
		h->marks |= which == W_CLOSE        ? SL_HTTP_CLOSE
			    : which == W_KEEP_ALIVE ? SL_HTTP_KEEP_ALIVE
						    : 0;
	} else if (h->state == S_EXPECT) {
		h->marks |= which == W_100 ? SL_HTTP_EXPECTS_100 : 0;
	} else {
		bool first = !(h->marks & SL_HTTP_CHUNKED);

		h->marks |= which == W_CHUNKED && first ? SL_HTTP_CHUNKED : SL_HTTP_ODD_CODING;
	}
}

/* A list of words. A space ends one as a comma does: more words, but none is missed. */
static void
take_words(struct sl_http_head *h, uint8_t ch)
{
	bool ends = ch == ',' || ch == ' ' || ch == '\t' || ends_line(ch);

	if (ends) {
		if (h->pos > 0)
			end_word(h);
		begin_word(h, h->state, W_COUNT);
		if (ends_line(ch))
			end_line(h, ch);
	} else if (class_of[ch] & VALUE) {
		match(h, words, lower(ch));
	} else {
		fail(h, 400);
	}
}

/*
 * What the whole head deserves. Doubts about where the request ends come first: they must
 * end the connection, not merely the request.
 */
static uint16_t
verdict(const struct sl_http_head *h)
{
	uint16_t has = h->marks;

	if ((has & SL_HTTP_CODING) && (h->minor == 0 || (has & SL_HTTP_LENGTH)))
		return 400; /* RFC 9112, 6.1 */
	if ((has & SL_HTTP_CODING) && !(has & (SL_HTTP_CHUNKED | SL_HTTP_ODD_CODING)))
		return 400;
	if (h->minor > 0 && !(has & SL_HTTP_HOST))
		return 400; /* RFC 9112, 3.2 */
	if (has & SL_HTTP_ODD_CODING)
		return 501;
	if (has & SL_HTTP_IS_KNOWN)
		return 405;
	if (!(has & (SL_HTTP_IS_GET | SL_HTTP_IS_HEAD)))
		return 501;
	if (has & SL_HTTP_ODD_TARGET)
		return 400;
	return has & SL_HTTP_NOT_FOUND ? 404 : 200;
}

static void
take_name_first(struct sl_http_head *h, uint8_t ch)
{
	if (ch == '\r') {
		h->state = S_END_LF;
	} else if (ch == '\n') {
		h->status = verdict(h);
	} else {
		begin_word(h, S_NAME, N_COUNT); /* refuses space, so folded lines as well */
		take_name(h, ch);
	}
}

static void
take_end_lf(struct sl_http_head *h, uint8_t ch)
{
	h->status = ch == '\n' ? verdict(h) : 400;
}

static void
take_byte(struct sl_http_head *h, uint8_t ch)
{
	switch ((enum state)h->state) {
	case S_START:
		return take_start(h, ch);
	case S_START_LF:
		return expect_lf(h, ch, S_START);
	case S_METHOD:
		return take_method(h, ch);
	case S_TARGET:
		return take_target(h, ch);
	case S_SCHEME:
		return take_scheme(h, ch);
	case S_AUTHORITY:
		return take_authority(h, ch);
	case S_PATH:
		return take_path(h, ch);
	case S_NUMBER:
		return take_number(h, ch);
	case S_REST:
		return take_rest(h, ch);
	case S_VERSION:
		return take_version(h, ch);
	case S_LINE_LF:
		return expect_lf(h, ch, S_NAME_FIRST);
	case S_NAME_FIRST:
		return take_name_first(h, ch);
	case S_NAME:
		return take_name(h, ch);
	case S_NAME_OTHER:
		return take_name_other(h, ch);
	case S_VALUE:
		return take_value(h, ch);
	case S_LENGTH:
		return take_length(h, ch);
	case S_CONNECTION:
	case S_EXPECT:
	case S_CODING:
		return take_words(h, ch);
	case S_END_LF:
		return take_end_lf(h, ch);
	case S_COUNT:
		break;
	}
}

static uint32_t
run_over(const struct sl_http_head *h, const uint8_t *data, uint32_t n)
{
	uint8_t dull = dull_in[h->state];
	uint32_t i = 0;

	while (i < n && (class_of[data[i]] & dull))
		i++;
	return i;
}

static uint16_t
too_long(const struct sl_http_head *h)
{
	if (h->state < S_TARGET)
		return 400;
	return h->state <= S_VERSION ? 414 : 431;
}

uint32_t
sl_http_head_take(struct sl_http_head *head, const void *data, uint32_t n, uint32_t max)
{
	const uint8_t *byte = data;
	uint32_t room = max > head->seen ? max - head->seen : 0;
	uint32_t most = n < room ? n : room;
	uint32_t i = 0;

	while (i < most && head->status == 0) {
		i += run_over(head, byte + i, most - i);
		if (i < most)
			take_byte(head, byte[i++]);
	}
	head->seen += i;
	if (head->status == 0 && head->seen >= max)
		head->status = too_long(head);
	return i;
}

bool
sl_http_head_keeps(const struct sl_http_head *head)
{
	bool ends_known = head->status == 200 || head->status == 404;
	bool wanted = head->minor > 0 ? !(head->marks & SL_HTTP_CLOSE)
				      : (head->marks & (SL_HTTP_KEEP_ALIVE | SL_HTTP_CLOSE)) ==
						SL_HTTP_KEEP_ALIVE;

	return ends_known && wanted && !(head->marks & SL_HTTP_CODING);
}
