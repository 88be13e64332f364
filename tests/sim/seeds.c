/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seeds - which test and which seed is under way is kept here, for whoever has to say it
 * when the program ends in a way that returns to nobody.
 */
#include "seeds.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	const char *program, *test;
	uint64_t from, n; /* of the command line; n 0: as each test says */
	uint64_t first, end, now;
	bool under_way, verbose, trace, tenth;
} seeds = { .from = 1 };

uint64_t
seeds_first(uint64_t quick)
{
	seeds.first = seeds.from;
	if (seeds.tenth)
		quick = (quick + 9) / 10;
	seeds.end = seeds.from + (seeds.n != 0 ? seeds.n : quick);
	return seeds.first;
}

bool
seeds_go_on(uint64_t seed)
{
	seeds.now = seed;
	seeds.under_way = seed < seeds.end;
	return seeds.under_way;
}

bool
seeds_verbose(void)
{
	return seeds.verbose;
}

bool
seeds_trace(void)
{
	return seeds.trace;
}

static void
say_command(void)
{
	char line[512];
	int n;

	if (seeds.test == NULL)
		return;
	if (seeds.under_way)
		n = snprintf(line, sizeof(line),
			     "\n# seed %llu; again: %s --only %s --seed %llu\n",
			     (unsigned long long)seeds.now, seeds.program, seeds.test,
			     (unsigned long long)seeds.now);
	else
		n = snprintf(line, sizeof(line),
			     "\n# again: %s --only %s --from %llu --seeds %llu\n",
			     seeds.program, seeds.test, (unsigned long long)seeds.first,
			     (unsigned long long)(seeds.end - seeds.first));
	if (write(STDERR_FILENO, line, n) < 0)
		_exit(3);
}

/* assert(), or the simulator found a broken invariant. */
static void
on_abort(int signo)
{
	say_command();
	signal(signo, SIG_DFL);
	raise(signo);
}

/* Called by AddressSanitizer before it says what it found. */
void __asan_on_error(void);
void
__asan_on_error(void)
{
	say_command();
}

void
seeds_call(void **state)
{
	const struct seeds_test *test = *state;

	seeds.test = test->name;
	seeds.under_way = false;
	seeds.first = seeds.from;
	seeds.end = seeds.from + 1;
	test->run(state);
	seeds.test = NULL; /* not reached by one that failed */
}

int
seeds_teardown(void **state)
{
	say_command();
	seeds.test = NULL;
	return 0;
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0') {
		fprintf(stderr, "%s: no number: %s\n", seeds.program, text);
		exit(2);
	}
	return n;
}

static void
take_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tenth", no_argument, NULL, '1' },
		{ "seed", required_argument, NULL, 's' },
		{ "from", required_argument, NULL, 'f' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "only", required_argument, NULL, 'o' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "trace", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's') {
			seeds.from = number(optarg);
			seeds.n = 1;
		} else if (c == 'f') {
			seeds.from = number(optarg);
		} else if (c == 'n') {
			seeds.n = number(optarg);
		} else if (c == 'o') {
			cmocka_set_test_filter(optarg);
		} else if (c == 'v') {
			seeds.verbose = true;
		} else if (c == 't') {
			seeds.trace = true;
		} else if (c == '1') {
			seeds.tenth = true;
		} else {
			exit(2);
		}
	}
}

int
seeds_main_of(int argc, char **argv, const struct CMUnitTest *tests, size_t n)
{
	seeds.program = argv[0];
	take_options(argc, argv);
	signal(SIGABRT, on_abort);
	return _cmocka_run_group_tests("sim", tests, n, NULL, NULL);
}
