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

struct options options = { .windows = 24, .burst = 64, .slow = 1, .times = 2 };
struct bench_parts bench_parts;

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

/* Sort the windows' values and print their line. */
static void
print_row(const char *name, double *value)
{
	unsigned int n = options.windows;

	qsort(value, n, sizeof(*value), by_value);
	bench_line(name, "cycles", value[0], value[n / 2], n);
}

/* A window, and what each part has of it: as much as it has of the cycles of all parts. */
static void
run_window(const struct bench_row *row, double *value, double *part)
{
	uint64_t before[PARTS_MAX], all = 0;

	options.is_handicapped =
		options.handicap != NULL && strcmp(options.handicap, row->name) == 0;
	memcpy(before, bench_parts.cycles, sizeof(before));
	*value = row->window(row->arg);
	for (unsigned int i = 0; i < bench_parts.n; i++)
		all += bench_parts.cycles[i] - before[i];
	for (unsigned int i = 0; all > 0 && i < bench_parts.n; i++)
		part[i * options.windows] =
			*value * (double)(bench_parts.cycles[i] - before[i]) / (double)all;
}

static void
print_parts(const struct bench_row *row, double *part)
{
	char name[96];

	for (unsigned int i = 0; i < bench_parts.n; i++) {
		double *value = part + i * options.windows;

		snprintf(name, sizeof(name), "%s_stage_%s", row->name, bench_parts.name[i]);
		if (value[0] > 0) /* the macswap loop has no rounds */
			print_row(name, value);
	}
}

void
bench_rows(const struct bench_row *row, unsigned int n)
{
	size_t each = (size_t)options.windows * (1 + bench_parts.n);
	double *value;

	for (unsigned int r = 0; options.row != NULL && r < n; r++)
		if (strcmp(options.row, row[r].name) == 0) {
			row += r;
			n = 1;
		}
	value = calloc(n * each, sizeof(*value));
	if (value == NULL)
		bench_fail("no memory");
	for (unsigned int r = 0; r < n; r++)
		row[r].window(row[r].arg); /* not counted: caches, branches, page tables */
	for (unsigned int w = 0; w < options.windows; w++)
		for (unsigned int r = 0; r < n; r++) {
			double *v = value + r * each + w;

			run_window(&row[r], v, v + options.windows);
		}
	for (unsigned int r = 0; r < n; r++) {
		print_row(row[r].name, value + r * each);
		print_parts(&row[r], value + r * each + options.windows);
	}
	free(value);
}

void
bench_figure(const char *name, const char *unit, double value)
{
	bench_line(name, unit, value, value, 1);
}

const char *
bench_sized(char *name, size_t room, const char *what, uint32_t n)
{
	if (n >= 1000000)
		snprintf(name, room, "%s_%um", what, n / 1000000);
	else
		snprintf(name, room, "%s_%uk", what, n / 1000);
	return name;
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
