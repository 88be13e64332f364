/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sluice - the daemon: arguments, signals and exit codes around <sluice/engine.h>.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <sluice/engine.h>

#include "conf/conf.h"
#include "l7/apps.h"

#define PATTERN_BYTES  65536
#define EAL_NO_HUGE_MB 64 /* what EAL takes by --no-huge without -m */

enum exit_code { GOOD = 0, FAILED = 1, USAGE = 2, FORCED = 3 };

struct options {
	const char *config, *capture;
	long stats_period; /* seconds, -1: as configured */
	bool check, help, version;
	unsigned int workers; /* for --check: as many as EAL would make */
	uint64_t memory_mb;   /* EAL's -m, for --check; 0: not given */
	bool no_huge;         /* and its --no-huge */
};

/* The engine that signals stop: set before the handler is, cleared after it is gone. */
static struct sl_engine *_Atomic running;

static void
on_signal(int signal_number)
{
	struct sl_engine *engine = atomic_load_explicit(&running, memory_order_relaxed);

	if (engine != NULL)
		sl_engine_stop(engine);
}

static void
usage(FILE *to)
{
	fputs("usage: sluice [EAL arguments] -- --config FILE [options]\n"
	      "\n"
	      "  --config FILE           what to do, in YAML\n"
	      "  --check                 check the file, print the memory it wants, and end\n"
	      "  --stats-period SECONDS  print a line of statistics each period; 0: none\n"
	      "  --capture FILE          write every packet in and out to a pcapng file\n"
	      "  --help                  this text\n"
	      "  --version               the version\n"
	      "\n"
	      "EAL arguments choose cores, memory and ports, for example\n"
	      "  -l 0 --no-huge -m 1024 --no-pci --vdev net_af_packet0,iface=veth0\n"
	      "\n"
	      "SIGINT, SIGTERM, SIGHUP, SIGUSR1 end it when connections are closed or the "
	      "drain is\n"
	      "over; a second signal ends it at once.\n"
	      "Exit codes: 0 good, 1 could not start or lost buffers, 2 usage or "
	      "configuration,\n"
	      "3 forced by a second signal.\n",
	      to);
}

/* Where our own arguments begin: behind `--`, or at once if there is none. */
static int
own_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return 0;
}

/*
 * How many lcores a list of EAL's names: `0,2`, `0-3`, and with CPUs as `(0-3)@0,5@1`. What
 * stands behind an @ says where they run and adds none.
 */
static unsigned int
count_lcores(const char *list)
{
	unsigned int n = 0;
	bool group = false, cpus = false;

	for (const char *c = list; *c != '\0';) {
		char *end;
		long from = strtol(c, &end, 10), to = from;

		if (end == c) { /* punctuation */
			group = *c == '(' || (group && *c != ')');
			cpus = *c == '@' || (cpus && (group || *c != ','));
			c++;
			continue;
		}
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (!cpus)
			n += to >= from ? (unsigned int)(to - from + 1) : 1;
		c = end;
	}
	return n > 0 ? n : 1;
}

/* The value if @argv[0] is @name with one: `-l 0`, `-l0`, `--lcores 0` or `--lcores=0`. */
static const char *
value_of(char **argv, const char *name)
{
	size_t len = strlen(name);
	bool is_long = name[1] == '-';

	if (strncmp(argv[0], name, len) != 0)
		return NULL;
	if (argv[0][len] == '\0')
		return argv[1] != NULL ? argv[1] : "";
	if (is_long)
		return argv[0][len] == '=' ? argv[0] + len + 1 : NULL;
	return argv[0] + len;
}

/* How many bits are set in a mask in hexadecimal, as EAL's -c has it. */
static unsigned int
count_bits(const char *mask)
{
	unsigned int n = 0;

	mask += mask[0] == '0' && (mask[1] | 0x20) == 'x' ? 2 : 0;
	for (char digit[2] = { *mask }; *mask != '\0'; digit[0] = *++mask)
		n += (unsigned int)__builtin_popcountl(strtoul(digit, NULL, 16));
	return n > 0 ? n : 1;
}

/* The CPUs that this process may use, which are EAL's lcores where nothing else is said. */
static unsigned int
count_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n > 0 ? (unsigned int)n : 1;
}

/* What EAL's arguments say about workers and memory, as far as --check wants to know. */
static void
peek_at_eal(struct options *o, int argc, char **argv)
{
	o->workers = count_cpus();
	for (int i = 1; i < argc; i++) {
		const char *cores = value_of(argv + i, "-l"), *mb = value_of(argv + i, "-m");
		const char *mask = value_of(argv + i, "-c");

		if (cores == NULL)
			cores = value_of(argv + i, "--lcores");
		if (cores != NULL)
			o->workers = count_lcores(cores);
		else if (mask != NULL)
			o->workers = count_bits(mask);
		if (mb != NULL)
			o->memory_mb = strtoull(mb, NULL, 10);
		o->no_huge |= strcmp(argv[i], "--no-huge") == 0;
	}
	if (o->no_huge && o->memory_mb == 0)
		o->memory_mb = EAL_NO_HUGE_MB;
}

static bool
parse_seconds(const char *text, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= 0 && *out <= 86400;
}

/* False, with a sentence on stderr, if the arguments make no sense. */
static bool
parse(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "stats-period", required_argument, NULL, 's' },
		{ "capture", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 's':
			if (parse_seconds(optarg, &o->stats_period))
				break;
			fprintf(stderr, "sluice: --stats-period: %s: want 0 to 86400, whole\n",
				optarg);
			return false;
		case 'w':
			o->capture = optarg;
			break;
		case 'h':
			o->help = true;
			return true;
		case 'v':
			o->version = true;
			return true;
		default:
			fputs("sluice: EAL's arguments stand before ours and end with `--`\n",
			      stderr);
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sluice: %s: not an option; EAL's arguments end with `--`\n",
			argv[optind]);
		return false;
	}
	if (o->config == NULL)
		fputs("sluice: --config FILE is missing\n", stderr);
	return o->config != NULL;
}

/* Memory this host could give, in bytes; UINT64_MAX if it does not say. */
static uint64_t
host_memory(void)
{
	char line[128];
	unsigned long long kb;
	uint64_t bytes = UINT64_MAX;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemTotal: %llu kB", &kb) == 1)
			bytes = (uint64_t)kb << 10;
	if (f != NULL)
		fclose(f);
	return bytes;
}

/* What the same would take by --no-huge, where packets take more. */
static void
print_without_huge(const struct options *o, const struct sl_engine_conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *nowhere = open_memstream(&text, &size);

	if (nowhere == NULL)
		return;
	printf("  without huge pages (--no-huge) -m %" PRIu64 " or more\n",
	       sl_engine_budget(conf, o->workers, false, nowhere) >> 20);
	fclose(nowhere);
	free(text);
}

static int
check(const struct options *o, const struct sl_engine_conf *conf)
{
	uint64_t want = sl_engine_budget(conf, o->workers, !o->no_huge, stdout);
	uint64_t have = o->memory_mb ? o->memory_mb << 20 : host_memory();

	if (want == UINT64_MAX)
		return USAGE;
	if (!o->no_huge)
		print_without_huge(o, conf);
	if (want > have) {
		fprintf(stderr,
			"%s: does not fit: %s %" PRIu64 " MiB; want %" PRIu64 ", or less in "
			"engine.connections\n",
			o->config, o->memory_mb ? "EAL has" : "the host has", have >> 20,
			want >> 20);
		return USAGE;
	}
	printf("%s: good\n", o->config);
	return GOOD;
}

/* Bytes that http and chargen send, where ports can read them. */
static void *
make_pattern(struct sl_config *config)
{
	void *data = sl_pin_alloc(PATTERN_BYTES);

	if (data != NULL)
		sl_conf_set_pattern(config, data, sl_pattern_fill(data, PATTERN_BYTES));
	return data;
}

static int
run(const struct sl_engine_conf *conf)
{
	struct sigaction action = { .sa_handler = on_signal }, before;
	struct sl_engine *engine;
	int rc, leaked;

	if (sl_engine_open(&engine, conf, stdout) != 0)
		return FAILED;
	atomic_store_explicit(&running, engine, memory_order_relaxed);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL); /* a soft stop, to who knows HAProxy */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL); /* the terminal is gone, and no nohup */
	rc = sl_engine_run(engine);
	atomic_store_explicit(&running, NULL, memory_order_relaxed);
	leaked = sl_engine_close(engine);

	if (rc == -EBUSY)
		return FORCED;
	return rc != 0 || leaked != 0 ? FAILED : GOOD;
}

/* EAL is up: everything that needs it. */
static int
serve(struct sl_config *config, const struct options *o)
{
	struct sl_engine_conf *conf = malloc(sizeof(*conf));
	void *pattern = make_pattern(config);
	int code = FAILED;

	if (conf == NULL || pattern == NULL) {
		fputs("sluice: no memory: give EAL more with -m\n", stderr);
	} else {
		*conf = *sl_conf_engine(config);
		conf->capture = o->capture;
		if (o->stats_period >= 0)
			conf->stats_period_s = (uint32_t)o->stats_period;
		code = run(conf);
	}
	sl_pin_free(pattern);
	free(conf);
	return code;
}

static int
start(struct options *o, int eal_argc, char **eal_argv)
{
	struct sl_config *config;
	int code;

	if (sl_conf_load(o->config, &config, stderr) != 0)
		return USAGE;
	if (o->check) {
		code = check(o, sl_conf_engine(config));
	} else if (rte_eal_init(eal_argc, eal_argv) < 0) {
		fprintf(stderr,
			"sluice: EAL does not start%s%s; with huge pages --in-memory needs the "
			"least, without them --no-huge -m 1024; a second process needs a "
			"--file-prefix of its own; config/doctor -- ARGUMENTS says more\n",
			rte_errno != 0 ? ": " : "",
			rte_errno != 0 ? rte_strerror(rte_errno) : "");
		code = FAILED;
	} else {
		code = serve(config, o);
		rte_eal_cleanup();
	}
	sl_conf_free(config);
	return code;
}

int
main(int argc, char **argv)
{
	struct options o = { .stats_period = -1 };
	int own = own_arguments(argc, argv);
	int eal_argc = own > 0 ? own : 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN); /* whoever read our reports may go */
	for (int i = 1; i < eal_argc; i++)
		o.help |= strcmp(argv[i], "--help") == 0;
	for (int i = 1; i < eal_argc; i++)
		o.version |= strcmp(argv[i], "--version") == 0;
	peek_at_eal(&o, eal_argc, argv);

	argv[own] = argv[0]; /* getopt names the program by it */
	if (!o.help && !o.version && !parse(&o, argc - own, argv + own)) {
		usage(stderr);
		return USAGE;
	}
	if (o.help) {
		usage(stdout);
		return GOOD;
	}
	if (o.version) {
		puts("sluice " SLUICE_VERSION);
		return GOOD;
	}
	argv[eal_argc] = NULL;
	return start(&o, eal_argc, argv);
}
