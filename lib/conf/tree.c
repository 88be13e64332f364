/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree - built from libyaml's events, which carry the lines that complaints need.
 *
 * The builder keeps a stack of open maps and lists as deep as the depth limit, so that no
 * input can make it recurse; the first event it does not like ends it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "conf/tree.h"

struct builder {
	struct sl_complaints *complaints;
	yaml_parser_t yaml;
	struct sl_node *root;
	struct sl_node *open[SL_TREE_DEPTH]; /* the innermost is open[depth - 1] */
	unsigned int depth, nodes, documents;
	char *key; /* of the map entry whose value comes next, ours until it does */
	unsigned int key_line;
	bool done;
};

static unsigned int
line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

static bool
refuse(struct builder *b, const yaml_event_t *event, const char *what)
{
	sl_complain(b->complaints, line_of(event), NULL, NULL, "%s", what);
	return false;
}

static struct sl_node *
innermost(struct builder *b)
{
	return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

/* Hang a new node where the next one belongs. NULL after complaining. */
static struct sl_node *
add_node(struct builder *b, const yaml_event_t *event, enum sl_node_kind kind)
{
	struct sl_node *in = innermost(b);
	struct sl_node *node = NULL;

	if (b->nodes++ < SL_TREE_NODES)
		node = calloc(1, sizeof(*node));
	if (node == NULL) {
		refuse(b, event, "the file is too large");
		return NULL;
	}
	node->kind = kind;
	node->line = b->key != NULL ? b->key_line : line_of(event);
	node->key = b->key;
	b->key = NULL;

	if (in == NULL)
		b->root = node;
	else if (in->first == NULL)
		in->first = node;
	else
		in->last->next = node;
	if (in != NULL) {
		in->last = node;
		in->n++;
	}
	return node;
}

static bool
awaits_key(struct builder *b)
{
	struct sl_node *in = innermost(b);

	return in != NULL && in->kind == SL_NODE_MAP && b->key == NULL;
}

static bool
take_collection(struct builder *b, const yaml_event_t *event, enum sl_node_kind kind)
{
	struct sl_node *node;

	if (awaits_key(b))
		return refuse(
			b, event,
			"a key is a word, not a list or a map; what holds a [ is quoted, as in "
			"\"[2001:db8::1]:80\"");
	if (b->depth == SL_TREE_DEPTH)
		return refuse(b, event, "nested deeper than any configuration is");
	node = add_node(b, event, kind);
	if (node == NULL)
		return false;
	b->open[b->depth++] = node;
	return true;
}

static bool
take_key(struct builder *b, const yaml_event_t *event, char *text)
{
	const struct sl_node *same = sl_node_get(innermost(b), text);

	b->key = text;
	b->key_line = line_of(event);
	if (innermost(b)->n == SL_TREE_KEYS)
		return refuse(b, event, "more keys than any configuration has");
	if (same == NULL)
		return true;
	sl_complain(b->complaints, line_of(event), text, NULL, "already given in line %u",
		    same->line);
	return false;
}

static bool
take_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct sl_node *node;
	char *text;

	if (memchr(value, '\0', len) != NULL)
		return refuse(b, event, "a NUL byte inside a value");
	text = strndup(value, len);
	if (text == NULL)
		return refuse(b, event, "the file is too large");
	if (awaits_key(b))
		return take_key(b, event, text);

	node = add_node(b, event, SL_NODE_SCALAR);
	if (node == NULL) {
		free(text);
		return false;
	}
	node->text = text;
	return true;
}

static const char *
anchor_or_tag(const yaml_event_t *event)
{
	const void *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not known here: write the value";
	default:
		break;
	}
	if (anchor != NULL)
		return "anchors (&name) are not known here: write the value where it is used";
	if (tag != NULL)
		return "tags (!name) are not known here";
	return NULL;
}

/* False to stop: after a complaint, or at the end with b->done. */
static bool
take_event(struct builder *b, const yaml_event_t *event)
{
	const char *odd = anchor_or_tag(event);

	if (odd != NULL)
		return refuse(b, event, odd);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++ > 0)
			return refuse(b, event, "a second document; want one");
		return true;
	case YAML_SCALAR_EVENT:
		return take_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return take_collection(b, event, SL_NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return take_collection(b, event, SL_NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return false;
	default:
		return true;
	}
}

static void
complain_of_syntax(struct builder *b)
{
	const yaml_parser_t *yaml = &b->yaml;
	unsigned int line = yaml->problem_mark.line + 1;

	if (yaml->error == YAML_READER_ERROR)
		sl_complain(b->complaints, 0, NULL, NULL, "not text in UTF-8: %s at byte %zu",
			    yaml->problem, yaml->problem_offset);
	else if (yaml->error == YAML_MEMORY_ERROR)
		sl_complain(b->complaints, 0, NULL, NULL, "out of memory");
	else
		sl_complain(b->complaints, line, NULL, NULL, "not YAML: %s%s%s",
			    yaml->context != NULL ? yaml->context : "",
			    yaml->context != NULL ? ", " : "",
			    yaml->problem != NULL ? yaml->problem : "unreadable");
}

struct sl_node *
sl_tree_parse(struct sl_complaints *complaints, const char *text, size_t len)
{
	struct builder b = { .complaints = complaints };
	bool more = true;

	if (!yaml_parser_initialize(&b.yaml)) {
		sl_complain(complaints, 0, NULL, NULL, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&b.yaml, (const unsigned char *)text, len);
	while (more) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b.yaml, &event)) {
			complain_of_syntax(&b);
			break;
		}
		more = take_event(&b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&b.yaml);
	free(b.key);

	if (b.done && b.root == NULL)
		sl_complain(complaints, 0, NULL, NULL,
			    "empty: want at least ports: and listeners:");
	if (b.done && b.root != NULL)
		return b.root;
	sl_tree_free(b.root);
	return NULL;
}

/* As deep as the tree, which the builder bounds. */
void
sl_tree_free(struct sl_node *node)
{
	if (node == NULL)
		return;
	for (struct sl_node *entry = node->first, *next; entry != NULL; entry = next) {
		next = entry->next;
		sl_tree_free(entry);
	}
	free(node->key);
	free(node->text);
	free(node);
}

const struct sl_node *
sl_node_get(const struct sl_node *node, const char *key)
{
	if (node == NULL || node->kind != SL_NODE_MAP)
		return NULL;
	for (const struct sl_node *entry = node->first; entry != NULL; entry = entry->next)
		if (strcmp(entry->key, key) == 0)
			return entry;
	return NULL;
}

const struct sl_node *
sl_node_at(const struct sl_node *node, unsigned int i)
{
	const struct sl_node *entry = node != NULL ? node->first : NULL;

	while (entry != NULL && i-- > 0)
		entry = entry->next;
	return entry;
}

const char *
sl_node_text(const struct sl_node *node)
{
	if (node->kind == SL_NODE_SCALAR)
		return node->text;
	return node->kind == SL_NODE_LIST ? "a list" : "a map";
}
