# SPDX-License-Identifier: BSD-3-Clause
"""Linux's TCP with one thing or another switched off, on odd links, and through a bad wire.

Each time a few megabytes go through echo, http and proxy, and must be the bytes that were sent.
"""
import socket

import pytest

import world as w
from test_proxy import FRONT, Backend, echo
from test_streams import MB, through

TIMESTAMPS, SACK, SCALE, ECN = 1, 2, 4, 8  # tcpi_options

SETTINGS = {
    "as-it-comes": ({}, TIMESTAMPS | SACK | SCALE),
    "no-timestamps": ({"timestamps": "0"}, SACK | SCALE),
    "no-sack": ({"sack": "0"}, TIMESTAMPS | SCALE),
    "no-scaling": ({"window_scaling": "0"}, TIMESTAMPS | SACK),
    "bare": ({"timestamps": "0", "sack": "0", "window_scaling": "0"}, 0),
    "asks-for-ecn": ({"ecn": "1"}, TIMESTAMPS | SACK | SCALE),
    "tiny-buffers": ({"rmem": "4096 8192 16384", "wmem": "4096 8192 16384"}, TIMESTAMPS | SACK | SCALE),
    "reno": ({"congestion_control": "reno"}, TIMESTAMPS | SACK | SCALE),
}


@pytest.fixture(params=SETTINGS, scope="module")
def linux(request, net):
    """Linux set as one of SETTINGS says, in the namespace alone; what is agreed upon then."""
    settings, agreed = SETTINGS[request.param]
    before = {}
    for name, value in settings.items():
        path = f"/proc/sys/net/ipv4/tcp_{name}"
        with open(path) as f:
            before[path] = f.read()
        with open(path, "w") as f:
            f.write(value)
    yield agreed
    for path, value in before.items():
        with open(path, "w") as f:
            f.write(value)


def lines():
    """RFC 864, as http's bodies have it, for ever."""
    ring = bytes(range(32, 127))
    return b"".join((ring + ring)[i:i + 72] + b"\r\n" for i in range(95))


PERIOD = lines()


def fetch(address, n):
    """@n bytes from http, compared."""
    with w.connect(address, 80, 60) as s:
        s.sendall(b"GET /bytes/%d HTTP/1.0\r\n\r\n" % n)
        head, _, body = w.read_all(s).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.") and b" 200 " in head.splitlines()[0]
    assert len(body) == n
    assert body == (PERIOD * (n // len(PERIOD) + 1))[:n]


def all_three(sluice, address, n):
    """Through echo, http and proxy."""
    through(address, 7, n)
    fetch(address, n)
    behind = w.CLIENT6 if ":" in address else w.CLIENT4
    with Backend(echo, behind):
        through(address, FRONT[behind], n)
    sluice.settled("live", 0, 15)


def agreed_upon(s):
    """The options that both ends use, as Linux sees it."""
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & 15


def test_linux_gets_its_bytes_whatever_it_is_told_to_leave_out(sluice, linux, address):
    """rows: OC1 OC2 WS1 TS1 LR1"""
    with w.connect(address, 7) as s:
        assert agreed_upon(s) == linux
    all_three(sluice, address, 2 * MB)


@pytest.mark.parametrize("cookies", ["always", "never"])
def test_linux_without_timestamps_gets_on_with_either_handshake(own, address, cookies):
    """rows: SF5 WS1"""
    sluice = own(config=w.BASIC + f"tcp: {{cookies: {cookies}}}\n")
    with open("/proc/sys/net/ipv4/tcp_timestamps", "w") as f:
        f.write("0")
    with w.connect(address, 7) as s:
        assert agreed_upon(s) == SACK | SCALE
    all_three(sluice, address, MB)
    sluice.stop_clean()


def test_a_client_on_a_link_of_576_bytes(own):
    """IPv4 alone goes over one. rows: OP7"""
    sluice = own()
    w.sh("ip", "link", "set", "client", "mtu", 576)
    all_three(sluice, w.V4, MB)
    sluice.stop_clean()


@pytest.mark.parametrize("mtu, ring", [(1280, ""), (9000, ",framesz=16384,blocksz=65536")])
def test_links_of_1280_and_of_9000_bytes(tmp_path, address, mtu, ring):
    """rows: OP7"""
    config = w.BASIC.replace("device: net_af_packet0", f"device: net_af_packet0\n    mtu: {mtu}")
    with w.World(mtu=mtu) as world:
        world.veth()
        sluice = w.Sluice(world, tmp_path, config, (f"net_af_packet0,iface=sluice{ring}",))
        all_three(sluice, address, 2 * MB)
        sluice.stop_clean()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_wire_that_loses_turns_round_and_doubles(tmp_path, address, seed):
    with w.World() as world:
        world.bad_wire(seed, drop=5, reorder=10, duplicate=5)
        sluice = w.Sluice(world, tmp_path)
        all_three(sluice, address, MB // 2)
        assert sluice.stats()["out_of_order"] > 0
        sluice.stop_clean()
