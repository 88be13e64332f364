/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config - what is behind a struct sl_config, and the steps that fill it.
 */
#ifndef SL_CONF_CONFIG_H
#define SL_CONF_CONFIG_H

#include <sluice/engine.h>

#include "conf/complain.h"
#include "conf/tree.h"
#include "l7/apps.h"

struct sl_config {
	struct sl_engine_conf engine;
	char buffers_at[256]; /* engine.buffers_at */
	/* What the listener of the same index has as its application's argument. */
	union {
		struct sl_chargen_conf chargen;
		struct sl_http_conf http;
		struct sl_proxy_conf proxy;
	} arg[SL_LISTENERS_MAX];
};

/* The applications, in the order of the words of `app`. */
extern const struct sl_app *const sl_conf_apps[];

/* Fill @config from @root by the schema. The entry i of a list becomes the entry i of its
 * array. */
void sl_conf_build(struct sl_config *config, const struct sl_node *root,
		   struct sl_complaints *complaints);

/* Complain of values that are good alone but not together. After a build without complaints. */
void sl_conf_cross_check(const struct sl_config *config, const struct sl_node *root,
			 struct sl_complaints *complaints);

/* Note what is good but may not be meant. After a cross-check without complaints. */
void sl_conf_note(const struct sl_config *config, const struct sl_node *root,
		  struct sl_complaints *notes);

#endif
