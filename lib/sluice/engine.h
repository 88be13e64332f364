/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <sluice/engine.h> - run the machine on DPDK ports.
 *
 * The caller has called rte_eal_init() and is its main lcore. Every lcore EAL has becomes a
 * worker with its own queue, core and memory, the main lcore while it is in
 * sl_engine_run(); control (signals, statistics, telemetry) is a thread made there.
 */
#ifndef SLUICE_ENGINE_H
#define SLUICE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sluice/core.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SL_DEVICE_MAX 64

enum sl_steering {
	SL_STEER_AUTO,     /* the port's RSS if it can be read back, else software */
	SL_STEER_RSS,      /* trust the port's RSS */
	SL_STEER_SOFTWARE, /* hash every packet, hand it over through rings */
};

struct sl_engine_port {
	char device[SL_DEVICE_MAX];              /* the port's name in EAL */
	uint16_t mtu;                            /* largest IP packet; 0: as the port has it */
	uint16_t rx_descriptors, tx_descriptors; /* 0: 1024 or what the port allows */
	bool promiscuous;
	bool rx_checksum, tx_checksum; /* use the port's where offered */
	uint8_t steering;              /* enum sl_steering */
	uint8_t n_addrs, n_routes;
	struct sl_ifaddr addr[SL_PORT_ADDR_MAX];
	struct sl_route route[SL_PORT_ROUTES_MAX];
};

/*
 * Numbers are for the whole process; workers get equal shares, also of what listeners say of
 * connections and backlog. Each listener's tcp begins with sl_tcp_defaults().
 */
struct sl_engine_conf {
	uint8_t n_ports;
	uint16_t n_listeners;
	struct sl_engine_port port[SL_PORTS_MAX];
	struct sl_listener_conf listener[SL_LISTENERS_MAX];
	uint32_t connections, active, time_wait; /* 1 or more of each */
	uint32_t buffers; /* packets of 2 kB data room (or what the MTU asks) in all pools; 0:
			     derived */
	const char *buffers_at; /* where that was said, as FILE:LINE for complaints, or NULL */
	uint32_t neighbours;    /* 1 or more */
	uint32_t drain_ms;
	uint32_t stats_period_s; /* 0: no periodic line */
	bool has_cluster_secret; /* else the cookie secret is random */
	uint8_t cluster_secret[16];
	const char *capture; /* pcapng file for all that comes in and goes out, or NULL */
};

struct sl_engine;

/*
 * Take ports, memory and workers as @conf says; nothing runs yet. Says on @report (stdout
 * of the daemon; not NULL, and open until sl_engine_close()) one line a port: what was found
 * and chosen. On failure -errno, a sentence on stderr, and nothing is left taken.
 */
int sl_engine_open(struct sl_engine **out, const struct sl_engine_conf *conf, FILE *report);

/*
 * Run until sl_engine_stop() and the end of the drain. Writes `sluice: ready` to the report
 * when every port answers. 0; -EIO if a worker died; -EBUSY if it had to be forced.
 */
int sl_engine_run(struct sl_engine *engine);

/* From any thread or a signal handler. First call drains, a second one forces. */
void sl_engine_stop(struct sl_engine *engine);

/*
 * Stop ports, count what was not given back (the return value: leaked packets), free all.
 * Writes the final ledger to the report if the engine ever ran.
 */
int sl_engine_close(struct sl_engine *engine);

/*
 * Memory that sl_engine_open() would want with @workers workers, said on @to by purpose;
 * needs no EAL. Returns the bytes EAL should have; UINT64_MAX, with a sentence on stderr, if
 * the configuration cannot work at all. Packets take more memory without huge pages.
 */
uint64_t sl_engine_budget(const struct sl_engine_conf *conf, unsigned int workers,
			  bool huge_pages, FILE *to);

/*
 * Zeroed memory for sl_send_pinned(), which ports can read; needs EAL. NULL if there is
 * none. To be freed after the last engine that sent it is closed.
 */
void *sl_pin_alloc(size_t bytes);
void sl_pin_free(void *data);

#ifdef __cplusplus
}
#endif

#endif
