# SPDX-License-Identifier: BSD-3-Clause
"""Two workers on a port that spreads packets by a hash of its own, which is not ours.

Each connection's packets come to one of two queues by AF_PACKET's hash and belong to one of two
workers by ours: of many connections about half come wrong, all of their packets, and are handed over.
tests/unit/test_crossed.c shows the same with every second packet of each connection.
"""
import concurrent.futures

import world as w
from test_abuse import quiet
from test_streams import through

CONNECTIONS, AT_ONCE, BYTES = 96, 12, 100000


def test_half_of_all_packets_come_to_the_wrong_worker_and_streams_are_equal(own, address):
    sluice = own(workers=2, vdevs=("net_af_packet0,iface=sluice,qpairs=2,framecnt=4096",))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: through(address, 7, BYTES), range(CONNECTIONS)))
    sluice.settled("live")
    stats = quiet(sluice)
    # the share of 96 coins that show heads, six standard deviations of it
    assert 0.2 * stats["rx"] < stats["mis_steered"] < 0.8 * stats["rx"]
    assert sum(sluice.ask("/sluice/fates").values()) == stats["rx"]
    workers = sluice.ask("/sluice/workers")
    assert len(workers) == 2
    for one in workers.values():
        assert one["handed_in"] > 0.1 * stats["rx"] and one["handed_out"] > 0.1 * stats["rx"]
    assert sum(one["handed_in"] for one in workers.values()) == stats["mis_steered"]
    sluice.stop_clean()
