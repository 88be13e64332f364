/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree - a YAML document, small and plain: maps, lists and scalars, each with its line.
 *
 * Only what a configuration needs is let in: one document, no anchors, aliases or tags, keys
 * that are plain text and come once, a bounded depth and size. Scalars stay text; what they
 * mean is for the schema to say.
 */
#ifndef SL_CONF_TREE_H
#define SL_CONF_TREE_H

#include <stddef.h>

#include "conf/complain.h"

#define SL_TREE_DEPTH 6
#define SL_TREE_NODES 65536
#define SL_TREE_KEYS  128 /* in one map */

enum sl_node_kind { SL_NODE_SCALAR, SL_NODE_LIST, SL_NODE_MAP };

struct sl_node {
	enum sl_node_kind kind;
	unsigned int line; /* of its key if it has one; the first is 1 */
	char *key;         /* in a map: the key; else NULL */
	char *text;        /* of a scalar, without NUL bytes inside; else NULL */
	struct sl_node *first, *last, *next;
	unsigned int n; /* entries */
};

/* NULL after complaining. */
struct sl_node *sl_tree_parse(struct sl_complaints *complaints, const char *text, size_t len);
void sl_tree_free(struct sl_node *node);

/* The entry of map @node with this key, or NULL; also if @node is NULL or no map. */
const struct sl_node *sl_node_get(const struct sl_node *node, const char *key);
/* The entry @i of @node, or NULL. */
const struct sl_node *sl_node_at(const struct sl_node *node, unsigned int i);
/* A scalar's text, or a word for what it is instead. */
const char *sl_node_text(const struct sl_node *node);

#endif
