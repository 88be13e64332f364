# SPDX-License-Identifier: BSD-3-Clause
"""Strangers and ill-meaning peers on a real wire: see lib/THREATS.md for what each may take.

The frames are written here and sent past Linux's TCP. tests/unit/test_abuse.c shows the same
and more in virtual time; here it is the daemon, its rings and its pools.
"""
import socket
import struct
import time

import pytest

import world as w
from stranger import FLAGS, SYN, Raw

GAUGES = ("live", "half_open", "time_wait", "active", "kept")


def echoes(s, n=1000):
    """The friend is served, within a second."""
    s.settimeout(1)
    s.sendall(b"y" * n)
    assert w.read_exactly(s, n) == b"y" * n


def served(address):
    """A newcomer is, within a second."""
    with w.connect(address, 80, 1) as s:
        s.sendall(b"GET /bytes/10 HTTP/1.0\r\nConnection: close\r\n\r\n")
        assert len(w.read_all(s).partition(b"\r\n\r\n")[2]) == 10


def quiet(sluice):
    """The statistics once nothing comes or goes."""
    before = sluice.stats()
    for _ in range(50):
        time.sleep(0.02)
        stats = sluice.stats()
        if stats["rx"] == before["rx"] and stats["tx"] == before["tx"]:
            return stats
        before = stats
    return before


@pytest.fixture(scope="module")
def sluice(net, tmp_path_factory):
    daemon = w.Sluice(net, tmp_path_factory.mktemp("sluice"), w.BASIC + "tcp: {cookies: always}\n")
    yield daemon
    daemon.settled("live", 0, 10)
    daemon.stop_clean()


def flood(sluice, address, make, rounds=5, n=400):
    """Frames of make(raw), and what must hold meanwhile and afterwards."""
    with Raw(address) as raw, w.connect(address, 7) as friend:
        echoes(friend)
        before = quiet(sluice)
        allowed = raw.send([make(raw) for _ in range(n)], rounds)
        after = quiet(sluice)
        got = after["rx"] - before["rx"]
        assert got >= n
        assert {g: after[g] for g in GAUGES} == {g: before[g] for g in GAUGES}
        assert after["tx"] - before["tx"] <= got
        assert after["tx_bytes"] - before["tx_bytes"] <= allowed
        echoes(friend)
    served(address)
    sluice.settled("live")
    return before, after


@pytest.mark.parametrize("kind", FLAGS)
def test_a_flood_leaves_nothing_and_gets_no_more_than_it_brings(sluice, address, kind):
    """rows: OC16 SF1 SF6"""
    data = b"z" * 100 if kind == "data" else b""
    flood(sluice, address, lambda raw: raw.tcp(FLAGS[kind], raw.rnd.choice((80, 4444)), data=data))


def test_nobody_can_be_made_to_talk_to_himself(sluice, address):
    """rows: SG14"""
    flood(sluice, address, lambda raw: raw.tcp(SYN, 80, source=raw.us, sport=80))


def test_fragments_are_refused(sluice):
    """IPv4's are held back below net_af_packet, where a kernel puts datagrams together."""
    before = sluice.ask("/sluice/fates")["ip_fragment"]
    flood(sluice, w.V6, lambda raw: raw.tcp(SYN, 80, fragment=1))
    assert sluice.ask("/sluice/fates")["ip_fragment"] > before


@pytest.mark.parametrize("kind", ["rst", "syn", "data", "fin", "ack"])
def test_blind_segments_leave_a_connection_alone(sluice, address, kind):
    """rows: BA1 BA2 BA3"""
    with Raw(address) as raw, w.connect(address, 7) as friend:
        host, port = friend.getsockname()[:2]
        source = socket.inet_pton(raw.family, host)
        echoes(friend)
        raw.send([raw.tcp(FLAGS[kind], 7, source, port, b"evil" if kind == "data" else b"")
                  for _ in range(500)], 2)
        echoes(friend)
    sluice.settled("live")


def test_clients_that_never_read_hold_their_share_and_stop_nobody(own, address):
    """What they pin is scarce by then: the friend is slower, but served. rows: RX10"""
    sluice = own(config=w.BASIC.replace("drain: 2s", "drain: 2s, buffers: 8192"))
    with w.connect(address, 7) as friend:
        echoes(friend)
        before = quiet(sluice)
        mute = [w.connect(address, 7) for _ in range(60)]
        for s in mute:
            s.setblocking(False)
        for _ in range(30):
            for s in mute:
                try:
                    s.send(b"m" * (1 << 16))
                except BlockingIOError:
                    pass
            time.sleep(0.01)
        assert sluice.stats()["kept"] > 1000
        for _ in range(10):
            echoes(friend)
        served(address)
        for s in mute:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        sluice.settled("live", before["live"])
        sluice.settled("kept", before["kept"])
        echoes(friend)
    sluice.settled("live")
    sluice.stop_clean()
