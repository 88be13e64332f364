/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench - one group of rows, in a process of its own. perf/run calls it.
 *
 *   bench GROUP [--windows N] [--size N] [--burst N] [--row NAME] [--memory MB] [--huge]
 *               [--simd BITS] [--offload] [--handicap NAME [--times N]] [--slow FACTOR]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_vect.h>

#include "bench.h"

static const struct {
	const char *name;
	void (*run)(void);
	bool two; /* lcores */
} group[] = {
	{ "syn", group_syn, false },
	{ "syn_auto", group_syn_auto, false },
	{ "live", group_live, false },
	{ "connection", group_connection, false },
	{ "connection_auto", group_connection_auto, false },
	{ "server_close", group_server_close, false },
	{ "bulk", group_bulk, false },
	{ "avoid", group_avoid, false },
	{ "bytes", group_bytes, false },
	{ "held", group_held, false },
	{ "table", group_table, false },
	{ "timer", group_timer, false },
	{ "cores", group_cores, true },
	{ "burst", group_burst, false },
};

#define GROUPS (sizeof(group) / sizeof(group[0]))

static unsigned int simd_bits; /* 0: what the CPU and EAL allow */

static _Noreturn void
usage(void)
{
	fputs("usage: bench GROUP [--windows N] [--size N] [--burst N] [--row NAME] [--memory "
	      "MB] [--huge] [--simd BITS] [--offload] [--handicap NAME [--times N]]\n"
	      "             [--slow FACTOR]\n"
	      "groups:",
	      stderr);
	for (unsigned int i = 0; i < GROUPS; i++)
		fprintf(stderr, " %s", group[i].name);
	fputc('\n', stderr);
	exit(2);
}

static unsigned int
number(const char *text, unsigned int least, unsigned int most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < least || n > most)
		usage();
	return (unsigned int)n;
}

static unsigned int
parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "windows", required_argument, NULL, 'w' },
		{ "size", required_argument, NULL, 's' },
		{ "burst", required_argument, NULL, 'b' },
		{ "memory", required_argument, NULL, 'm' },
		{ "row", required_argument, NULL, 'r' },
		{ "huge", no_argument, NULL, 'h' },
		{ "simd", required_argument, NULL, 'v' },
		{ "offload", no_argument, NULL, 'o' },
		{ "handicap", required_argument, NULL, 'c' },
		{ "times", required_argument, NULL, 'x' },
		{ "slow", required_argument, NULL, 't' },
		{ 0 },
	};
	unsigned int memory = 512;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'w')
			options.windows = number(optarg, 1, 100000);
		else if (c == 's')
			options.size = number(optarg, 1000, 64000000);
		else if (c == 'b')
			options.burst = number(optarg, 1, 64);
		else if (c == 'm')
			memory = number(optarg, 64, 1u << 20);
		else if (c == 'r')
			options.row = optarg;
		else if (c == 'h')
			options.huge = true;
		else if (c == 'v')
			simd_bits = number(optarg, 64, 512);
		else if (c == 'o')
			options.offload = true;
		else if (c == 'c')
			options.handicap = optarg;
		else if (c == 'x')
			options.times = number(optarg, 1, 100);
		else if (c == 't')
			options.slow = number(optarg, 1, 10000);
		else
			usage();
	}
	if (optind != argc - 1)
		usage();
	return memory;
}

static void
start_eal(const char *program, unsigned int memory, bool two)
{
	char line[256], simd[48] = "";
	char *args[24];
	int n = 0;

	if (simd_bits != 0)
		snprintf(simd, sizeof(simd), "--force-max-simd-bitwidth=%u", simd_bits);
	snprintf(line, sizeof(line),
		 "%s -l %s %s %u --no-pci --no-telemetry --log-level *:error %s", program,
		 two ? "0,1" : "0",
		 options.huge ? "--in-memory -m" : "--no-huge --no-shconf -m", memory, simd);
	for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
		args[n++] = word;
	if (rte_eal_init(n, args) < 0)
		bench_fail("EAL does not start with %u MB", memory);
}

int
main(int argc, char **argv)
{
	unsigned int memory = parse(argc, argv);

	for (unsigned int i = 0; i < GROUPS; i++) {
		if (strcmp(group[i].name, argv[optind]) != 0)
			continue;
		start_eal(argv[0], memory, group[i].two);
		group[i].run();
		rte_eal_cleanup();
		return EXIT_SUCCESS;
	}
	usage();
}
