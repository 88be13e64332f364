# SPDX-License-Identifier: BSD-3-Clause
"""proxy between Linux's client and Linux's servers."""
import queue
import socket
import struct
import threading
import time

import pytest

import world as w
from test_streams import MB, piece, through


class Backend:
    """A server by hand: @talk(connection) for each connection, in a thread."""

    def __init__(self, talk, address=w.CLIENT4, port=8000):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(1024)
        self.talk = talk
        self.served = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            self.served += 1
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        with c:
            try:
                c.settimeout(60)
                self.talk(c)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def echo(c):
    while data := c.recv(1 << 18):
        c.sendall(data)


def reset(c):
    c.recv(1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


FRONT = {w.CLIENT4: 8080, w.CLIENT6: 8081}


@pytest.mark.parametrize("behind", [w.CLIENT4, w.CLIENT6], ids=["to-ipv4", "to-ipv6"])
def test_bytes_go_through_both_ways(sluice, address, behind):
    with Backend(echo, behind):
        through(address, FRONT[behind], 5 * MB)
    sluice.settled("live")


def test_half_close_goes_through_both_ways(sluice):
    def talk(c):
        got = w.read_all(c)  # to the client's FIN
        c.sendall(b"got %d" % len(got))
    with Backend(talk):
        with w.connect(w.V4, 8080) as s:
            s.sendall(b"x" * 100000)
            s.shutdown(socket.SHUT_WR)
            assert w.read_all(s) == b"got 100000"

    def talk_first(c):
        c.sendall(b"all I say")
        c.shutdown(socket.SHUT_WR)
        heard.put(w.read_all(c))
    heard = queue.Queue()
    with Backend(talk_first):
        with w.connect(w.V4, 8080) as s:
            assert w.read_all(s) == b"all I say"
            time.sleep(0.1)
            s.sendall(b"and still I talk")
            s.shutdown(socket.SHUT_WR)
            assert heard.get(timeout=10) == b"and still I talk"
            sluice.settled("live")


def test_a_backend_that_refuses_resets_the_client(sluice):
    begin = time.monotonic()
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        with w.connect(w.V4, 8080) as s:
            s.sendall(b"x")
            assert s.recv(1) != b"", "a FIN, not a reset"
    assert time.monotonic() - begin < 2
    sluice.settled("live")


def test_a_backend_that_resets_in_mid_stream_resets_the_client(sluice):
    with Backend(reset):
        with pytest.raises(ConnectionResetError):
            with w.connect(w.V4, 8080) as s:
                s.sendall(b"x")
                s.recv(1)
    sluice.settled("live")


def test_a_client_that_resets_ends_the_backend(sluice):
    ended = threading.Event()

    def talk(c):
        try:
            while c.recv(4096):
                pass
        finally:
            ended.set()
    with Backend(talk):
        s = w.connect(w.V4, 8080)
        s.sendall(b"x")
        time.sleep(0.2)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        assert ended.wait(2)
    sluice.settled("live")


def test_backends_take_turns_and_the_dead_one_is_passed_over(own):
    config = w.BASIC.replace('["10.77.0.2:8000"]',
                             '["10.77.0.2:8000", "10.77.0.2:8001", "10.77.0.2:8002"]')
    sluice = own(config=config)
    with Backend(echo, port=8000) as a, Backend(echo, port=8002) as b:
        for _ in range(12):
            through(w.V4, 8080, 1000)
        assert a.served + b.served == 12 and min(a.served, b.served) >= 4
    sluice.settled("live")
    sluice.stop_clean()


def test_a_configured_close_is_a_fin(own):
    sluice = own(config=w.BASIC.replace("app: proxy,", "app: proxy, on_error: close,"))
    with w.connect(w.V4, 8080) as s:
        assert w.read_all(s) == b""
    sluice.settled("live")
    sluice.stop_clean()


@pytest.mark.heavy
@pytest.mark.parametrize("workers", [1, 2])
def test_200_megabytes_through_proxy_byte_for_byte(own, address, workers):
    sluice = own(workers=workers, vdevs=(f"net_af_packet0,iface=sluice,qpairs={workers},framecnt=4096",))
    behind = w.CLIENT6 if ":" in address else w.CLIENT4
    with Backend(echo, behind):
        through(address, FRONT[behind], 200 * MB)
    sluice.settled("live")
    sluice.stop_clean()


@pytest.mark.heavy
def test_200_megabytes_to_a_backend_that_reads_slowly(own):
    got = []

    def slow(c):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        at = 0
        while data := c.recv(1 << 18):
            if data != piece(at, len(data)):
                got.append(f"bytes differ behind {at}")
                return
            if at // (20 * MB) != (at + len(data)) // (20 * MB):
                time.sleep(0.3)
            at += len(data)
        got.append(at)
        c.sendall(b"thanks")
    sluice = own()
    with Backend(slow):
        with w.connect(w.V4, 8080, 60) as s:
            for at in range(0, 200 * MB, MB):
                s.sendall(piece(at, MB))
            s.shutdown(socket.SHUT_WR)
            assert w.read_all(s) == b"thanks"
    assert got == [200 * MB]
    sluice.settled("live")
    sluice.stop_clean()
