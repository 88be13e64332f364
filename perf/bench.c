/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench - windows in turn, minimum and median of each row.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (2u << 20)

struct options options = { .windows = 24, .burst = 64 };

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
bench_line(const char *name, const char *unit, double min, double median, unsigned int windows)
{
	printf("{\"name\": \"%s\", \"unit\": \"%s\", \"min\": %.2f, \"median\": %.2f, "
	       "\"windows\": %u}\n",
	       name, unit, min, median, windows);
	fflush(stdout);
}

void
bench_rows(const struct bench_row *row, unsigned int n)
{
	double *value = malloc((size_t)n * options.windows * sizeof(*value));

	for (unsigned int r = 0; options.row != NULL && r < n; r++)
		if (strcmp(options.row, row[r].name) == 0) {
			row += r;
			n = 1;
		}
	if (value == NULL)
		bench_fail("no memory");
	for (unsigned int r = 0; r < n; r++)
		row[r].window(row[r].arg); /* not counted: caches, branches, page tables */
	for (unsigned int w = 0; w < options.windows; w++)
		for (unsigned int r = 0; r < n; r++)
			value[r * options.windows + w] = row[r].window(row[r].arg);
	for (unsigned int r = 0; r < n; r++) {
		double *v = value + r * options.windows;

		qsort(v, options.windows, sizeof(*v), by_value);
		bench_line(row[r].name, "cycles", v[0], v[options.windows / 2],
			   options.windows);
	}
	free(value);
}

void
bench_figure(const char *name, const char *unit, double value)
{
	bench_line(name, unit, value, value, 1);
}

void *
bench_memory(size_t bytes)
{
	size_t whole = (bytes + 2 * HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	char *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_fail("no memory for %zu bytes", bytes);
	madvise(p, whole, MADV_HUGEPAGE);
	return p + (HUGE_PAGE - (size_t)p % HUGE_PAGE) % HUGE_PAGE;
}

void
bench_fail(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}
