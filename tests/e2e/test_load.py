# SPDX-License-Identifier: BSD-3-Clause
"""Many connections, full tables, and a SYN storm over established connections."""
import errno
import random
import resource
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

import world as w
from stranger import neighbour, open_link


class Storm:
    """SYNs from random sources to one port of sluice, until the end of `with`."""

    def __init__(self, port, rate=20000):
        self.rate = rate
        self.sent = 0
        self.over = threading.Event()
        mine = bytes.fromhex(open_link("client").replace(":", ""))
        theirs = bytes.fromhex(neighbour().replace(":", ""))
        self.eth = theirs + mine + b"\x08\x00"
        self.port = port
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.raw.bind(("client", 0))

    def frame(self, rnd):
        src = struct.pack("!I", 0xc6120000 | rnd.getrandbits(17))  # 198.18.0.0/15: for tests
        dst = socket.inet_aton(w.V4)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 44, rnd.getrandbits(16), 0, 64, 6, 0) + src + dst
        ip = ip[:10] + struct.pack("!H", w.checksum(ip)) + ip[12:]
        tcp = struct.pack("!HHIIBBHHHBBH", rnd.randint(1024, 65535), self.port,
                          rnd.getrandbits(32), 0, 0x60, 2, 64240, 0, 0, 2, 4, 1460)
        total = w.checksum(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp)
        return self.eth + ip + tcp[:16] + struct.pack("!H", total) + tcp[18:]

    def blow(self):
        rnd = random.Random(1)
        frames = [self.frame(rnd) for _ in range(5000)]
        begin = time.monotonic()
        while not self.over.is_set():
            for f in frames[self.sent % 5000:self.sent % 5000 + 50]:
                try:
                    self.raw.send(f)
                except OSError as e:
                    if e.errno != errno.ENOBUFS:
                        raise
                self.sent += 1
            ahead = self.sent / self.rate - (time.monotonic() - begin)
            if ahead > 0:
                time.sleep(ahead)

    def __enter__(self):
        self.thread = threading.Thread(target=self.blow, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.raw.close()


@pytest.mark.parametrize("cookies", ["always", "auto"])
def test_a_syn_storm_leaves_the_established_working(own, cookies):
    sluice = own(config=w.BASIC + f"tcp: {{cookies: {cookies}}}\n")
    with w.connect(w.V4, 7) as s:
        live = sluice.stats()["live"]
        with Storm(80) as storm:
            for _ in range(100):
                s.sendall(b"y" * 1000)
                assert w.read_exactly(s, 1000) == b"y" * 1000
                time.sleep(0.01)
            # a newcomer gets in as well
            with w.connect(w.V4, 80) as c:
                c.sendall(b"GET /bytes/10 HTTP/1.0\r\n\r\n")
                assert len(w.read_all(c).partition(b"\r\n\r\n")[2]) == 10
        assert storm.sent > 5000
        stats = sluice.stats()
        assert stats["cookie_sent"] > 0
        if cookies == "always":
            assert stats["half_open"] == 0
            assert stats["live"] <= live + 1
        s.sendall(b"after")
        assert w.read_exactly(s, 5) == b"after"
    sluice.stop_clean()


def test_a_full_table_refuses_counts_and_recovers(own):
    sluice = own(config=w.BASIC.replace("connections: 20000", "connections: 1024"))
    kept, refused = [], 0
    for _ in range(1100):
        try:
            kept.append(w.connect(w.V4, 7, timeout=0.2))
            kept[-1].sendall(b"x")
            assert kept[-1].recv(1) == b"x"
        except OSError:
            refused += 1
            if refused > 10:
                break
    assert refused > 0 and len(kept) >= 1000
    stats, fates = sluice.stats(), sluice.ask("/sluice/fates")
    assert stats["live"] <= 1024
    assert (stats["no_connection"] + stats["listener_limit"] + fates["tcp_syn_limit"]
            + fates["tcp_open_limit"]) > 0
    for s in kept:
        s.close()
    sluice.settled("live", 0, 10)
    with w.connect(w.V4, 7) as s:
        s.sendall(b"again")
        assert w.read_exactly(s, 5) == b"again"
    sluice.settled("live")
    sluice.stop_clean()


class Crowds:
    """Processes that share @n connections, each within the files a process may have."""

    def __init__(self, world, n):
        each = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100
        self.processes = []
        for i in range(-(-n // each)):
            count = min(each, n - i * each)
            self.processes.append(world.spawn(
                sys.executable, w.ROOT / "tests/e2e/crowd.py", count, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True))

    def all(self, command, arguments=None):
        for i, p in enumerate(self.processes):
            p.stdin.write(f"{command} {arguments[i] if arguments else ''}\n")
            p.stdin.flush()
        assert [p.stdout.readline().strip() for p in self.processes] == ["ok"] * len(self.processes)


@pytest.mark.heavy
@pytest.mark.parametrize("storm", [False, True], ids=["calm", "syn-storm"])
def test_100000_connections_are_held_and_used_at_once(own, storm):
    n = 100000
    sluice = own(config=w.BASIC.replace("connections: 20000", "connections: 120000"), memory=1024,
                 vdevs=("net_af_packet0,iface=sluice,framecnt=4096",))
    w.sh("sysctl", "-q", "-w", "net.ipv4.ip_local_port_range=1024 65535")
    crowds = Crowds(own.world, n)
    for turn in range(2):
        # other addresses each time: those of before have their ports in TIME-WAIT
        addresses = [f"10.77.0.{20 * (turn + 1) + i}" for i in range(len(crowds.processes))]
        for a in addresses:
            w.sh("ip", "address", "add", f"{a}/24", "dev", "client")
        crowds.all("open", addresses)
        sluice.settled("live", n)
        crowds.all("use")
        if storm:
            with Storm(80):
                crowds.all("use")
        crowds.all("close")
        # the storm's half-open ones, whom nobody answers, live as long as a handshake may
        sluice.settled("live", 0, 80 if storm else 30)
    sluice.stop_clean()
