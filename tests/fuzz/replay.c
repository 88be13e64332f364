/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay - a fuzz target without libFuzzer: each file named, or in a directory named, goes
 * through the target once. What it found once, every build and sanitizer looks at again.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned int n_done;

static void
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (file == NULL || fstat(fileno(file), &st) != 0) {
		perror(path);
		exit(1);
	}
	data = malloc(st.st_size > 0 ? (size_t)st.st_size
				     : 1); /* exact: ASan watches its end */
	if (data == NULL || fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	n_done++;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay_directory(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, is_visible, alphasort);

	if (n < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
		replay_file(name);
		free(entry[i]);
	}
	free(entry);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			replay_directory(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("%u inputs\n", n_done);
	return n_done > 0 ? 0 : 1;
}
