# SPDX-License-Identifier: BSD-3-Clause
"""world - a network with sluice at one end and Linux at the other, for the time of a test.

A World is a network namespace that only this process and its children are in: a veth pair
(or a TAP) whose `client` end is Linux's, with addresses 10.77.0.2 and fd77::2, and whose other
end is a port of the daemon, 10.77.0.1 and fd77::1. The calling thread enters it, so plain
sockets and subprocesses are at the client's end. It vanishes with the last process in it.
"""
import ctypes
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLUICE = pathlib.Path(os.environ.get("SLUICE", ROOT / "build/app/sluice"))
V4, V6 = "10.77.0.1", "fd77::1"
CLIENT4, CLIENT6 = "10.77.0.2", "fd77::2"
CPUS = os.cpu_count()
HAS_SANITIZER = b"__asan_init" in SLUICE.read_bytes() if SLUICE.exists() else False

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def load(name, path):
    """A module from a file without .py."""
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


telemetry = load("sluice_telemetry", ROOT / "config/telemetry")


def sh(*command, timeout=30, **kwargs):
    """Run to the end, with success; what it wrote to stdout."""
    out = run(*command, timeout=timeout, **kwargs)
    assert out.returncode == 0, f"{' '.join(map(str, command))}: {out.returncode}\n{out.stdout}{out.stderr}"
    return out.stdout


def run(*command, timeout=30, **kwargs):
    kwargs.setdefault("text", True)
    return subprocess.run(list(map(str, command)), capture_output=True, timeout=timeout, **kwargs)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end(process, timeout=15):
    """Ask a process of ours to end; insist when it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


class World:
    """The namespace; `with` enters and leaves it."""

    def __init__(self, mtu=1500):
        self.mtu = mtu
        self.processes = []
        self.leftovers = []  # directories that EAL does not remove

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        sh("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for p in reversed(self.processes):
            end(p)
        for path in self.leftovers:
            shutil.rmtree(path, ignore_errors=True)
        libc.setns(self.home, CLONE_NEWNET)
        os.close(self.home)

    def veth(self, queues=1):
        self.pair("client", "sluice", queues)
        self.address_client("client")

    def pair(self, client, sluice, queues=1):
        """A veth whose one end is Linux's and whose other is nobody's but a program's."""
        sh("ip", "link", "add", client, "numtxqueues", queues, "numrxqueues", queues, "type",
           "veth", "peer", "name", sluice, "numtxqueues", queues, "numrxqueues", queues)
        sh("sysctl", "-q", "-w", f"net.ipv6.conf.{sluice}.disable_ipv6=1")
        sh("ethtool", "-K", client, "tx", "off", "tso", "off", "gso", "off")
        sh("ip", "link", "set", sluice, "mtu", self.mtu, "up")

    def bad_wire(self, seed, drop, reorder, duplicate, corrupt=0):
        """As veth(), with lossy.py in between, which is returned; so many of a thousand segments."""
        self.pair("client", "left")
        self.pair("right", "sluice")
        sh("sysctl", "-q", "-w", "net.ipv6.conf.right.disable_ipv6=1")
        sh("ip", "link", "set", "right", "mtu", self.mtu, "up")
        self.address_client("client")
        wire = self.spawn(sys.executable, ROOT / "tests/e2e/lossy.py", "left", "right", seed, drop,
                          reorder, duplicate, corrupt, stdout=subprocess.PIPE)
        assert wire.stdout.readline() == b"ready\n"
        return wire

    def address_client(self, name):
        sh("ip", "address", "add", f"{CLIENT4}/24", "dev", name)
        sh("ip", "address", "add", f"{CLIENT6}/64", "dev", name, "nodad")
        sh("ip", "link", "set", name, "mtu", self.mtu, "up")

    def spawn(self, *command, **kwargs):
        """A server or client in the background, ended with the world."""
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        p = subprocess.Popen(list(map(str, command)), preexec_fn=die_with_parent, **kwargs)
        self.processes.append(p)
        return p


BASIC = """
ports:
  - device: net_af_packet0
    addresses: [10.77.0.1/24, "fd77::1/64"]
listeners:
  - {name: echo,    port: 7,  app: echo}
  - {name: discard, port: 9,  app: discard}
  - {name: chargen, port: 19, app: chargen}
  - {name: web,     port: 80, app: http, body: 1024}
  - {name: front,   port: 8080, app: proxy, backends: ["10.77.0.2:8000"]}
  - {name: front6,  port: 8081, app: proxy, backends: ["[fd77::2]:8000"]}
engine: {connections: 20000, drain: 2s}
"""


class Sluice:
    """A running daemon."""

    count = 0

    def __init__(self, world, directory, config=BASIC, vdevs=("net_af_packet0,iface=sluice,framecnt=4096",),
                 workers=1, memory=512, options=(), ready=True):
        Sluice.count += 1
        self.prefix = f"sluice-e2e-{os.getpid()}-{Sluice.count}"
        self.runtime = pathlib.Path("/var/run/dpdk") / self.prefix
        world.leftovers.append(self.runtime)
        self.config = pathlib.Path(directory) / f"sluice{Sluice.count}.yaml"
        self.config.write_text(config)
        self.lines = []
        lcores = ",".join(f"{i}@{i % CPUS}" for i in range(workers))
        command = [SLUICE, "--lcores", lcores, "--no-huge", "-m", memory, "--no-pci",
                   "--file-prefix", self.prefix, "--log-level", "*:error"]
        for vdev in vdevs:
            command += ["--vdev", vdev]
        command += ["--", "--config", self.config, *options]
        self.errors = open(pathlib.Path(directory) / f"stderr{Sluice.count}", "w+")
        self.process = world.spawn(*command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.is_ready = threading.Event()
        self.reader.start()
        if ready:
            self.wait_ready()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("sluice: ready"):
                self.is_ready.set()
        self.is_ready.set()  # or over

    def wait_ready(self, seconds=10):
        assert self.is_ready.wait(seconds) and self.process.poll() is None, self.said()

    def said(self):
        self.errors.seek(0)
        return "\n".join(self.lines) + "\n" + self.errors.read()

    def ask(self, command):
        return telemetry.ask(str(self.runtime / "dpdk_telemetry.v2"), command)

    def stats(self):
        return self.ask("/sluice/stats")

    def settled(self, key="live", value=0, seconds=5):
        """Wait until a gauge has this value; the statistics then."""
        deadline = time.monotonic() + seconds
        while True:
            stats = self.stats()
            if stats[key] == value or time.monotonic() > deadline:
                assert stats[key] == value, (key, stats[key])
                return stats
            time.sleep(0.02)

    def stop(self):
        """SIGTERM and the exit code; everything it said is in lines then."""
        code = end(self.process)
        self.reader.join(5)
        return code

    def stop_clean(self):
        """It must end well: nothing leaked, no sanitizer complaint."""
        assert self.process.poll() is None, f"it died: {self.said()}"
        code = self.stop()
        assert code == 0, f"exit {code}\n{self.said()}"
        assert "Sanitizer" not in self.said() and "runtime error" not in self.said()


def connect(address, port, timeout=10, **options):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.settimeout(timeout)
    for name, value in options.items():
        s.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    s.connect((address, port))
    return s


def ping(address, bytes_=56, count=1, seconds=1):
    """How many of @count echo requests came back with the bytes that were sent."""
    v6 = ":" in address
    proto = socket.getprotobyname("ipv6-icmp" if v6 else "icmp")
    family = socket.AF_INET6 if v6 else socket.AF_INET
    good = 0
    with socket.socket(family, socket.SOCK_RAW, proto) as s:
        s.settimeout(seconds)
        for seq in range(count):
            head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, os.getpid() & 0xffff, seq)
            data = bytes(range(256)) * (bytes_ // 256 + 1)
            out = head + data[:bytes_]
            if not v6:  # in IPv6 the kernel does it
                out = out[:2] + struct.pack("!H", checksum(out)) + out[4:]
            s.sendto(out, (address, 0))
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                try:
                    got = s.recv(65536)
                except TimeoutError:
                    break
                got = got if v6 else got[20:]
                if got[:1] == (b"\x81" if v6 else b"\0") and got[4:] == out[4:]:
                    good += 1
                    break
    return good


def checksum(data):
    """The Internet's, of bytes."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def read_all(s):
    """Everything to the peer's FIN."""
    parts = []
    while part := s.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def read_exactly(s, n):
    parts = []
    while n:
        part = s.recv(min(n, 1 << 16))
        assert part, f"FIN with {n} bytes to come"
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def wait_listening(port, seconds=5):
    """Until something listens there, without connecting: for servers of a single client."""
    deadline = time.monotonic() + seconds
    while f":{port} " not in sh("ss", "-tlnH"):
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        time.sleep(0.05)


def wait_port(address, port, seconds=5):
    """Until something listens there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connect(address, port, 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on {address}:{port}"
            time.sleep(0.05)


def number(pattern, text):
    """The first group of @pattern in @text, as a number without commas."""
    m = re.search(pattern, text)
    assert m, f"no {pattern} in\n{text}"
    return float(m.group(1).replace(",", ""))
