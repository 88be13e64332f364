/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reference - the schema, printed as a configuration that says of every key what it is.
 *
 * What stands there is the default, or an example of what has none; keys that may be left
 * out and have no default are commented out. The whole loads as it is.
 */
#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"

#define WIDTH 92

/* @text as comment lines behind @indent blanks, broken between words. */
static void
print_comment(FILE *to, int indent, const char *text)
{
	while (*text != '\0') {
		size_t len = strlen(text), room = WIDTH - indent;

		if (len > room) {
			len = room;
			while (len > 0 && text[len] != ' ')
				len--;
		}
		fprintf(to, "%*s# %.*s\n", indent, "", (int)len, text);
		text += len;
		text += *text == ' ';
	}
}

/* What @field is, then what is accepted, in whole sentences. */
static void
print_meaning(FILE *to, int indent, const struct sl_field *field)
{
	bool choice = field->kind == SL_KIND_WORD || field->kind == SL_KIND_APP;
	char wants[256], text[512];

	sl_schema_wants(field, wants, sizeof(wants));
	if (!choice && wants[0] >= 'a' && wants[0] <= 'z')
		wants[0] -= 'a' - 'A';
	snprintf(text, sizeof(text), "%s %s%s%s.", field->says, choice ? "One of " : "", wants,
		 field->required ? "; required" : "");
	print_comment(to, indent, text);
}

static void
print_field(FILE *to, int indent, const struct sl_field *field, const char *value)
{
	bool set = value != NULL || field->preset != NULL || field->required;

	if (value == NULL)
		value = field->preset != NULL ? field->preset : field->example;
	print_meaning(to, indent, field);
	fprintf(to, "%*s%s%s: %s\n\n", indent, "", set ? "" : "# ", field->key, value);
}

static void
print_section(FILE *to, int indent, enum sl_section section)
{
	for (unsigned int i = 0; i < sl_schema_rows; i++)
		if (sl_schema[i].section == section)
			print_field(to, indent, &sl_schema[i], NULL);
}

static void
print_heading(FILE *to, const char *key)
{
	print_comment(to, 0, sl_schema_find(SL_IN_ROOT, key)->says);
	fprintf(to, "%s:\n", key);
}

/* Listeners differ by application; one of each that has keys of its own. */
static void
print_listener(FILE *to, const char *name, const char *port, const char *app,
	       enum sl_section own)
{
	fprintf(to, "  -\n");
	fprintf(to, "    name: %s\n    port: %s\n    app: %s\n\n", name, port, app);
	print_section(to, 4, own);
}

void
sl_conf_reference(FILE *to)
{
	print_comment(to, 0,
		      "Every key there is, with its default, or an example where it has none. "
		      "Written by the program from the table it reads configurations with.");
	fputc('\n', to);

	print_heading(to, "ports");
	fprintf(to, "  -\n");
	print_section(to, 4, SL_IN_PORT);

	print_heading(to, "listeners");
	print_comment(to, 2,
		      "Keys of every listener. Any key of tcp: may stand here too and is "
		      "then this listener's own.");
	fprintf(to, "  -\n");
	for (unsigned int i = 0; i < sl_schema_rows; i++)
		if (sl_schema[i].section == SL_IN_LISTENER)
			print_field(to, 4, &sl_schema[i],
				    strcmp(sl_schema[i].key, "app") == 0    ? "echo"
				    : strcmp(sl_schema[i].key, "name") == 0 ? "echo"
				    : strcmp(sl_schema[i].key, "port") == 0 ? "7"
									    : NULL);
	print_comment(to, 2, "More keys of app: http.");
	print_listener(to, "web", "80", "http", SL_IN_HTTP);
	print_comment(to, 2, "More keys of app: proxy.");
	print_listener(to, "front", "8080", "proxy", SL_IN_PROXY);

	print_heading(to, "tcp");
	print_section(to, 2, SL_IN_TCP);
	print_heading(to, "engine");
	print_section(to, 2, SL_IN_ENGINE);
}
