# SPDX-License-Identifier: BSD-3-Clause
"""veth - two namespaces and a veth between them: a server's end and a client's.

The server's end is Linux's, or a port of sluice: the same interface either way, one after
the other. The server has one CPU and the client another; what the kernel does to receive is
done on the CPU of the end that receives (rps_cpus). Nothing leaves the two namespaces.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import host

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
SERVER_CPU, CLIENT_CPU = 0, min(1, (os.cpu_count() or 1) - 1)
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)

NGINX = """
daemon off; worker_processes 1; user root; pid {home}/{name}.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  client_body_temp_path {home}/body; default_type application/octet-stream;
  server {{ {listen} root {home}/www; }}
}}
"""
# Each proxy has a port of the backend for itself: its TIME-WAIT outlives a turn, and would meet
# SYNs of the same addresses and ports with another stack's clock.
BACKEND = {"haproxy": 8000, "haproxy by frames": 8001, "sluice": 8002}
HAPROXY = """
global
  maxconn 8192
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 10.77.0.1:8080
  server backend 10.77.0.2:{backend}
"""
SLUICE = """
ports:
  - {{device: net_af_packet0, addresses: [10.77.0.1/24], gateway: 10.77.0.2}}
listeners:
  - {{name: web, port: 80, app: http}}
  - {{name: front, port: 8080, app: proxy, backends: ["10.77.0.2:{backend}"]}}
tcp: {{cookies: {cookies}}}
engine: {{connections: 65536, drain: 1s}}
"""


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


class Veth:
    """Both namespaces, for the time of `with`."""

    def __init__(self, sizes):
        self.name = f"sluice-perf-{os.getpid()}"
        self.ns = {end: f"{self.name}-{end}" for end in ("server", "client")}
        self.sizes = sizes  # of files under /bytes/
        self.running = []

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sluice-perf-"))
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for p in list(self.running):
            self.end(p)
        for ns in self.ns.values():
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(pathlib.Path("/var/run/dpdk") / self.name, ignore_errors=True)

    def _make(self):
        (self.home / "www/bytes").mkdir(parents=True)
        for n in self.sizes:
            (self.home / f"www/bytes/{n}").write_bytes(b"x" * n)
        for ns in self.ns.values():
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ip", "-n", self.ns["client"], "link", "add", "client", "type", "veth", "peer",
            "name", "server", "netns", self.ns["server"])
        # A sluice has no device below it that would make the client's checksums.
        self.run("client", "ethtool", "-K", "client", "tx", "off", "tso", "off", "gso", "off")
        for end, cpu in (("server", SERVER_CPU), ("client", CLIENT_CPU)):
            self.run(end, "sh", "-c",
                     f"echo {1 << cpu:x} >/sys/class/net/{end}/queues/rx-0/rps_cpus")
            run("ip", "-n", self.ns[end], "link", "set", end, "up")
        self.run("server", "sysctl", "-q", "-w", "net.ipv6.conf.server.disable_ipv6=1")
        run("ip", "-n", self.ns["client"], "address", "add", f"{CLIENT}/24", "dev", "client")
        self.mac = run("ip", "-n", self.ns["server"], "-o", "link", "show", "dev",
                       "server").split("link/ether ")[1].split()[0]

    def run(self, end, *command):
        return run("ip", "netns", "exec", self.ns[end], *command)

    def spawn(self, end, *command, nice=-15, **kwargs):
        """Start a program at one end, on the CPU of that end, ahead of what else runs there."""
        cpu = SERVER_CPU if end == "server" else CLIENT_CPU

        def before():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.nice(nice)
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        p = subprocess.Popen(["ip", "netns", "exec", self.ns[end], "taskset", "-c", str(cpu),
                              *map(str, command)], preexec_fn=before, text=True, **kwargs)
        self.running.append(p)
        return p

    def end(self, p):
        if p.poll() is None:
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.running.remove(p)

    def wait_for(self, p, address, port):
        """Until it answers a request."""
        for _ in range(100):
            if p.poll() is not None:
                break
            got = subprocess.run(["ip", "netns", "exec", self.ns["client"], "curl", "-s",
                                  "--max-time", "1", "-o", "/dev/null",
                                  f"http://{address}:{port}/bytes/64"], capture_output=True)
            if got.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"nothing answers on {address}:{port}")

    def nginx(self, end, address, *ports):
        conf = self.home / f"nginx-{end}.conf"
        listen = " ".join(f"listen {address}:{port};" for port in ports)
        conf.write_text(NGINX.format(home=self.home, name=f"nginx-{end}", listen=listen))
        return self.spawn(end, "nginx", "-e", "stderr", "-p", self.home, "-c", conf)

    def haproxy(self, backend):
        conf = self.home / "haproxy.cfg"
        conf.write_text(HAPROXY.format(backend=backend))
        return self.spawn("server", "haproxy", "-db", "-f", conf)

    def sluice(self, cookies):
        conf = self.home / "sluice.yaml"
        conf.write_text(SLUICE.format(cookies=cookies, backend=BACKEND["sluice"]))
        return self.spawn("server", os.path.join(host.BUILD, "app", "sluice"), "-l", SERVER_CPU,
                          "--no-huge", "-m", 1024, "--no-pci", "--file-prefix", self.name,
                          "--log-level", "*:error", "--vdev",
                          "net_af_packet0,iface=server,framecnt=4096", "--", "--config", conf)


class AsLinux:
    """The server's end with Linux's TCP: nginx, and haproxy before a backend at the client."""

    def __init__(self, veth, proxies=True, offloads=True):
        self.veth, self.proxies, self.offloads, self.started = veth, proxies, offloads, []

    def offload(self, on):
        """Whether packets of up to 64 kB cross the veth whole and unsummed, as it has it."""
        word = "on" if on else "off"
        self.veth.run("server", "ethtool", "-K", "server", "tx", word, "tso", word, "gso", word)

    def __enter__(self):
        v, ns = self.veth, self.veth.ns["server"]
        self.offload(self.offloads)
        run("ip", "-n", ns, "address", "add", f"{SERVER}/24", "dev", "server")
        run("ip", "-n", ns, "route", "add", "default", "via", CLIENT)
        v.run("server", "sysctl", "-q", "-w", "net.ipv4.tcp_syncookies=1")
        self.started.append(v.nginx("server", SERVER, 80))
        v.wait_for(self.started[0], SERVER, 80)
        if self.proxies:
            name = "haproxy" if self.offloads else "haproxy by frames"
            self.started.append(v.haproxy(BACKEND[name]))
            v.wait_for(self.started[1], SERVER, 8080)
        return self

    def __exit__(self, *_):
        for p in self.started:
            self.veth.end(p)
        run("ip", "-n", self.veth.ns["server"], "address", "flush", "dev", "server")
        self.offload(True)


class AsSluice:
    """The server's end with sluice."""

    def __init__(self, veth, cookies="auto", proxies=True):
        self.veth, self.cookies, self.proxies = veth, cookies, proxies

    def __enter__(self):
        self.started = self.veth.sluice(self.cookies)
        self.veth.wait_for(self.started, SERVER, 80)
        if self.proxies:
            self.veth.wait_for(self.started, SERVER, 8080)
        return self

    def __exit__(self, *_):
        self.veth.end(self.started)
