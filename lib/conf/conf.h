/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conf - a YAML file becomes what the engine runs.
 *
 * One table (schema.c) says of every key its type, range, default and meaning; parsing,
 * defaults, complaints and the printed reference all come from it. A mistake is told once,
 * with file, line, key, value and what would be accepted, and nothing is guessed.
 */
#ifndef SL_CONF_CONF_H
#define SL_CONF_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sluice/engine.h>

struct sl_config;

/*
 * Read @path into a new configuration. 0; or -errno with one line on @errors for each
 * mistake (the first twenty), and *@out is NULL: -EINVAL for a mistake in the file. What is
 * good but may not be meant has a line there, too.
 */
int sl_conf_load(const char *path, struct sl_config **out, FILE *errors);

/* The same from memory; @name stands for the file's in complaints. */
int sl_conf_parse(const char *name, const char *text, size_t len, struct sl_config **out,
		  FILE *errors);

/* What was configured; lives as long as @config. */
const struct sl_engine_conf *sl_conf_engine(const struct sl_config *config);

/*
 * Tell every listener that sends made-up bytes where they are: @bytes at @data, memory that
 * every port can read and that outlives the engine. Before the engine is opened.
 */
void sl_conf_set_pattern(struct sl_config *config, const void *data, uint32_t bytes);

void sl_conf_free(struct sl_config *config);

/* Every key with type, range, default and meaning, as YAML that loads. */
void sl_conf_reference(FILE *to);

#endif
