/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command - lines of words: what a script sets, does and claims besides packets.
 */
#ifndef SCRIPT_COMMAND_H
#define SCRIPT_COMMAND_H

#include <stdbool.h>

#include "parse.h"
#include "world.h"

/* Whether @line is about the configuration, so that it comes before the core is opened. */
bool command_is_setting(const struct line *line);

/* Do what @line says, at the present moment. False: world->why. */
bool command_run(struct world *w, const struct line *line);

#endif
