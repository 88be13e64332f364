/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload - a port that says it verifies and makes checksums, where a ring can do neither.
 *
 * The linker puts these in front of DPDK's own (--wrap in meson.build). The peer marks what it
 * sends as verified, as a port would have (wire.c), and checks that an answer holds what a
 * port needs to fill in the rest: its flags, its lengths, the pseudo-header's sum.
 */
#include <rte_ethdev.h>

#include "bench.h"

#define RX_SUMS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_SUMS (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

int __real_rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info);
int __wrap_rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info);
int __real_rte_eth_dev_configure(uint16_t port, uint16_t n_rx, uint16_t n_tx,
				 const struct rte_eth_conf *conf);
int __wrap_rte_eth_dev_configure(uint16_t port, uint16_t n_rx, uint16_t n_tx,
				 const struct rte_eth_conf *conf);

int
__wrap_rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info)
{
	int rc = __real_rte_eth_dev_info_get(port, info);

	if (rc == 0 && options.offload) {
		info->rx_offload_capa |= RX_SUMS;
		info->tx_offload_capa |= TX_SUMS;
	}
	return rc;
}

int
__wrap_rte_eth_dev_configure(uint16_t port, uint16_t n_rx, uint16_t n_tx,
			     const struct rte_eth_conf *conf)
{
	struct rte_eth_conf c = *conf;

	if (options.offload) {
		c.rxmode.offloads &= ~RX_SUMS;
		c.txmode.offloads &= ~TX_SUMS;
	}
	return __real_rte_eth_dev_configure(port, n_rx, n_tx, &c);
}
