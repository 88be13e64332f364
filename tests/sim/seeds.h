/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seeds - a test that is the same run over many seeds, and a command line to choose them.
 *
 *	for (uint64_t seed = seeds_first(100); seeds_go_on(seed); seed++)
 *		run(seed);
 *
 * Whatever ends a run that was not done, an assertion of the test's, of the engine's or a
 * sanitizer's, says the seed and the command that runs it again.
 */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The first seed of a test that goes over @quick of them, unless the command line knows better.
 */
uint64_t seeds_first(uint64_t quick);

/* Whether @seed is still one of them; it is what is spoken of from now on. */
bool seeds_go_on(uint64_t seed);

/* Whether figures, and whether all segments are to be printed. */
bool seeds_verbose(void);
bool seeds_trace(void);

struct seeds_test {
	const char *name;
	void (*run)(void **state);
};

#define SEEDS_TEST(f)                                                      \
	{                                                                  \
#f, seeds_call, NULL, seeds_teardown, &(struct seeds_test) \
		{                                                          \
#f, f                                              \
		}                                                          \
	}
void seeds_call(void **state);
int seeds_teardown(void **state);

/* Options: --tenth (of the seeds of each test), --seed N, --from N, --seeds N, --only NAME,
 * --verbose, --trace. Returns main()'s value. */
#define seeds_main(argc, argv, tests) \
	seeds_main_of(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))
int seeds_main_of(int argc, char **argv, const struct CMUnitTest *tests, size_t n);

#endif
