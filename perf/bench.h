/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench - rows, windows, and the lines that are printed about them.
 *
 * A row is something that is done in windows of at least 10^4 units. All rows of a group
 * run interleaved, a window of each in turn, so that rivals meet the same noise. Each row
 * becomes one line of JSON on stdout; perf/run collects them.
 */
#ifndef PERF_BENCH_H
#define PERF_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_UNITS 10000u

struct options {
	unsigned int windows; /* at least 20 count */
	unsigned int burst;   /* most packets an iteration finds */
	uint32_t size;        /* of groups that have one */
	unsigned int slow;    /* time goes slower by so much again */
	bool huge;            /* whether there are huge pages */
	bool offload;         /* the port verifies and makes checksums, as it says */
	const char *row;      /* only this one, for a profiler; NULL: all */
	const char *handicap; /* made so many times as slow, which the guard must see */
	unsigned int times;
	bool is_handicapped; /* the row of the moment is */
};
extern struct options options;

struct bench_row {
	const char *name;
	/* Do one window: cycles per unit. */
	double (*window)(void *arg);
	void *arg;
};

/* Run all @n rows interleaved and print their lines. */
void bench_rows(const struct bench_row *row, unsigned int n);

/*
 * Of what parts a round consists, and how many cycles went into each so far. There are none
 * but in bench-stages (stages.c), where a row is followed by one of each of its parts.
 */
#define PARTS_MAX 16
struct bench_parts {
	unsigned int n;
	const char *name[PARTS_MAX];
	uint64_t cycles[PARTS_MAX];
	void (*round_begins)(uint64_t now);
	void (*round_ends)(void);
};
extern struct bench_parts bench_parts;

/* Print the line of what was derived from @windows windows. */
void bench_line(const char *name, const char *unit, double min, double median,
		unsigned int windows);

/* Print the line of a figure that was counted, not timed. */
void bench_figure(const char *name, const char *unit, double value);

/* Say on stderr what is wrong with the answers, and end with failure. */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a row at size @n is called: WHAT_4k, WHAT_1m. Returns @name, which has room for @room.
 */
const char *bench_sized(char *name, size_t room, const char *what, uint32_t n);

/* Zeroed memory on huge pages, transparent ones, or it ends. Never given back. */
void *bench_memory(size_t bytes);

/* xorshift64*: good enough to pick and to mix, the same each time. */
static inline uint64_t
bench_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* A number below @n. */
static inline uint32_t
bench_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((bench_random(state) >> 32) * n >> 32);
}

/* The groups, one a process: what main.c knows by name. */
void group_syn(void);
void group_syn_auto(void);
void group_live(void);
void group_connection(void);
void group_connection_auto(void);
void group_server_close(void);
void group_bulk(void);
void group_avoid(void);
void group_bytes(void);
void group_held(void);
void group_table(void);
void group_timer(void);
void group_cores(void);
void group_burst(void);

#endif
