/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conf - from a file's bytes to a configuration, in three passes: tree, build, cross-check.
 * The second and third run only on what the one before found good.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/config.h"

#define FILE_MAX (1u << 20)

/* What is wrong with the buffers is known only where there are ports and workers. */
static void
remember_buffers(struct sl_config *config, const char *file, const struct sl_node *root)
{
	const struct sl_node *node = sl_node_get(sl_node_get(root, "engine"), "buffers");

	if (node == NULL)
		return;
	snprintf(config->buffers_at, sizeof(config->buffers_at), "%s:%u", file, node->line);
	config->engine.buffers_at = config->buffers_at;
}

int
sl_conf_parse(const char *name, const char *text, size_t len, struct sl_config **out,
	      FILE *errors)
{
	struct sl_complaints *complaints = calloc(1, sizeof(*complaints));
	struct sl_config *config = calloc(1, sizeof(*config));
	struct sl_node *root = NULL;
	int rc = -ENOMEM;

	*out = NULL;
	if (complaints == NULL || config == NULL)
		goto out;

	complaints->file = name;
	if (len > FILE_MAX)
		sl_complain(complaints, 0, NULL, NULL, "want at most %u bytes", FILE_MAX);
	else
		root = sl_tree_parse(complaints, text, len);
	if (root != NULL) {
		sl_conf_build(config, root, complaints);
		remember_buffers(config, name, root);
	}
	if (complaints->n == 0)
		sl_conf_cross_check(config, root, complaints);
	rc = complaints->n == 0 ? 0 : -EINVAL;
	if (rc == 0)
		sl_conf_note(config, root, complaints);
	sl_complaints_print(complaints, errors);

out:
	sl_tree_free(root);
	free(complaints);
	if (rc == 0)
		*out = config;
	else
		free(config);
	return rc;
}

/* The whole of @path into fresh memory; one byte more than allowed tells that it is too long.
 */
static int
read_file(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	int rc = 0;

	if (fd < 0)
		return -errno;
	*len = 0;
	*text = malloc(FILE_MAX + 1);
	if (*text == NULL)
		rc = -ENOMEM;
	while (rc == 0 && *len <= FILE_MAX) {
		n = read(fd, *text + *len, FILE_MAX + 1 - *len);
		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (n == 0)
			break;
		*len += n > 0 ? n : 0;
	}
	close(fd);
	if (rc < 0)
		free(*text);
	return rc;
}

int
sl_conf_load(const char *path, struct sl_config **out, FILE *errors)
{
	char *text = NULL;
	size_t len = 0;
	int rc = read_file(path, &text, &len);

	*out = NULL;
	if (rc < 0) {
		fprintf(errors, "%s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = sl_conf_parse(path, text, len, out, errors);
	free(text);
	return rc;
}

const struct sl_engine_conf *
sl_conf_engine(const struct sl_config *config)
{
	return &config->engine;
}

void
sl_conf_set_pattern(struct sl_config *config, const void *data, uint32_t bytes)
{
	struct sl_pattern pattern = { .data = data, .bytes = bytes };

	for (unsigned int i = 0; i < config->engine.n_listeners; i++) {
		if (config->engine.listener[i].app == &sl_chargen)
			config->arg[i].chargen.pattern = pattern;
		else if (config->engine.listener[i].app == &sl_http)
			config->arg[i].http.pattern = pattern;
	}
}

void
sl_conf_free(struct sl_config *config)
{
	free(config);
}
