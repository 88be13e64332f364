/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_conf - any text is a configuration, or every mistake in it is told with its line.
 */
#include <string.h>

#include "conf/conf.h"
#include "fuzz.h"

/* Each complaint is one line that begins with the file's name. */
static void
check_complaints(const char *text, size_t len)
{
	static const char name[] = "fuzz.yaml";
	const char *end = text + len;

	fuzz_demand(len > 0);
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		fuzz_demand(line_end != NULL);
		fuzz_demand((size_t)(line_end - text) > sizeof(name) &&
			    strncmp(text, name, sizeof(name) - 1) == 0);
		text = line_end + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_config *config = NULL;
	char *said = NULL;
	size_t said_len = 0;
	FILE *errors = open_memstream(&said, &said_len);
	int rc;

	fuzz_demand(errors != NULL);
	rc = sl_conf_parse("fuzz.yaml", (const char *)data, size, &config, errors);
	fclose(errors);
	fuzz_demand(rc <= 0 && (rc == 0) == (config != NULL));
	if (rc < 0) {
		check_complaints(said, said_len);
	} else {
		fuzz_demand(said_len == 0);
		fuzz_demand(sl_conf_engine(config) != NULL);
		sl_conf_free(config);
	}
	free(said);
	return 0;
}
