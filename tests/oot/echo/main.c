/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Run echo.c on port 7 of 10.77.0.1, on any DPDK port:
 *
 *	./echo -l 0 --no-huge -m 256 --no-pci --vdev net_af_packet0,iface=veth0
 *
 * The port is the one whose name is given with -DDEVICE, net_af_packet0 without.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <sluice/engine.h>

#ifndef DEVICE
#define DEVICE "net_af_packet0"
#endif

extern const struct sl_app echo;

static struct sl_engine *engine;
static struct sl_engine_conf conf = {
	.n_ports = 1,
	.port = { { .device = DEVICE, .n_addrs = 1, .addr = { { .prefix = 24 } } } },
	.n_listeners = 1,
	.listener = { { .name = "echo", .port = 7, .app = &echo } },
	.connections = 1000,
	.active = 250,
	.time_wait = 1000,
	.neighbours = 256,
	.drain_ms = 1000,
};

static void
on_signal(int sig)
{
	sl_engine_stop(engine);
}

int
main(int argc, char **argv)
{
	int rc, leaked;

	if (rte_eal_init(argc, argv) < 0)
		return EXIT_FAILURE;
	conf.port[0].addr[0].addr = sl_addr_v4(0x0a4d0001);
	sl_tcp_defaults(&conf.listener[0].tcp);
	if (sl_engine_open(&engine, &conf, stdout) < 0)
		return EXIT_FAILURE;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	rc = sl_engine_run(engine);
	leaked = sl_engine_close(engine);
	rte_eal_cleanup();
	return rc == 0 && leaked == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
