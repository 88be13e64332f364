/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http_parse - the head of an HTTP/1 request, a byte at a time (RFC 9110, 9112).
 *
 * The parser keeps no text, only what it has understood, so it takes every byte it has
 * seen and can stop anywhere: any way to cut a request into pieces gives the same result.
 * It is strict where two readers of one stream might disagree about where a request ends.
 */
#ifndef SL_L7_HTTP_PARSE_H
#define SL_L7_HTTP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#define SL_HTTP_BYTES_MAX (1ull << 40) /* largest N of /bytes/N */

/* What was understood, bits of sl_http_head.marks. */
#define SL_HTTP_IS_GET      0x0001
#define SL_HTTP_IS_HEAD     0x0002
#define SL_HTTP_IS_KNOWN    0x0004 /* a method of RFC 9110, but neither GET nor HEAD */
#define SL_HTTP_ODD_TARGET  0x0008 /* neither a path nor a URL */
#define SL_HTTP_BYTES       0x0010 /* the path is /bytes/N: see bytes */
#define SL_HTTP_NOT_FOUND   0x0020 /* the path begins like that, but there is no such N */
#define SL_HTTP_NOT_1       0x0040 /* major version other than 1 */
#define SL_HTTP_HOST        0x0080
#define SL_HTTP_LENGTH      0x0100 /* Content-Length: see length */
#define SL_HTTP_CODING      0x0200 /* Transfer-Encoding came */
#define SL_HTTP_CHUNKED     0x0400 /* ... and named chunked, once */
#define SL_HTTP_ODD_CODING  0x0800 /* ... and named something else */
#define SL_HTTP_CLOSE       0x1000 /* Connection: close */
#define SL_HTTP_KEEP_ALIVE  0x2000 /* Connection: keep-alive */
#define SL_HTTP_EXPECTS_100 0x4000 /* Expect: 100-continue */

/* All zero at the start of a request. */
struct sl_http_head {
	uint64_t bytes;  /* N of /bytes/N */
	uint64_t length; /* bytes of body that follow the head */
	uint32_t seen;   /* bytes taken so far */
	uint16_t status; /* 0: not whole yet; else the status code it deserves */
	uint16_t marks;  /* SL_HTTP_* */
	uint16_t fits;   /* words that the one being read may still become */
	uint8_t state;   /* where in the grammar we are */
	uint8_t pos;     /* where in a word */
	uint8_t minor;   /* x of HTTP/1.x */
};

/*
 * Take bytes until the head ends, is found wrong, or there are no more; returns how many of
 * the @n were taken. Then @head->status is not zero in the first two cases. A head that is
 * not whole after @max bytes is too long (414, 431).
 */
uint32_t sl_http_head_take(struct sl_http_head *head, const void *data, uint32_t n,
			   uint32_t max);

/* Whether the connection may go on after the answer to the whole @head. */
bool sl_http_head_keeps(const struct sl_http_head *head);

#endif
