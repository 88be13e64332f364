/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * schema - what may stand in a configuration: one row for every key.
 *
 * A row's offset is into the struct of its section, so that a plain value needs no code of
 * its own. Rows whose kind is at or behind SL_KIND_BUILT are put together by build.c.
 */
#ifndef SL_CONF_SCHEMA_H
#define SL_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a key stands, and the struct it is about. */
enum sl_section {
	SL_IN_ROOT,
	SL_IN_PORT,     /* struct sl_engine_port */
	SL_IN_ADDRESS,  /* struct sl_ifaddr */
	SL_IN_ROUTE,    /* struct sl_route */
	SL_IN_LISTENER, /* struct sl_listener_conf */
	SL_IN_HTTP,     /* struct sl_http_conf */
	SL_IN_PROXY,    /* struct sl_proxy_conf */
	SL_IN_TCP,      /* struct sl_tcp_conf */
	SL_IN_ENGINE,   /* struct sl_engine_conf */
};

enum sl_value_kind {
	SL_KIND_COUNT, /* a whole number */
	SL_KIND_BYTES, /* with k, M or G for powers of 1024 */
	SL_KIND_TIME,  /* in ms, s, m or h; kept in milliseconds */
	SL_KIND_BOOL,
	SL_KIND_WORD, /* one of words, kept as its place among them */
	SL_KIND_DSCP, /* a number, kept as the TOS byte */
	SL_KIND_NAME,
	SL_KIND_DEVICE,
	SL_KIND_ADDR, /* one address */
	SL_KIND_BUILT,
	SL_KIND_MAP = SL_KIND_BUILT, /* a section of its own */
	SL_KIND_MAPS,                /* a list of them */
	SL_KIND_ADDRESSES,           /* a list of addresses with prefix, or of maps */
	SL_KIND_SUBNET,
	SL_KIND_GATEWAY4,
	SL_KIND_GATEWAY6,
	SL_KIND_APP,
	SL_KIND_BACKENDS,
	SL_KIND_SECRET,
};

struct sl_field {
	uint8_t section; /* enum sl_section */
	uint8_t kind;    /* enum sl_value_kind */
	uint8_t below;   /* of a map or list of maps: the section of its keys */
	bool required;
	const char *key;
	uint32_t offset, size; /* where a plain value goes */
	uint64_t min, max;     /* of a number; of a list, entries */
	const char *zero;      /* the word for 0, which is then the only way to say it */
	const char *words;     /* of a choice, separated by spaces */
	const char *preset;    /* the default, or NULL */
	const char *example;   /* for the reference, of what has no default */
	const char *says;
};

extern const struct sl_field sl_schema[];
extern const unsigned int sl_schema_rows;

/* The row of @key in @section, or NULL. */
const struct sl_field *sl_schema_find(enum sl_section section, const char *key);

/* What is accepted for @field, in words, into @text. */
void sl_schema_wants(const struct sl_field *field, char *text, size_t size);

#endif
