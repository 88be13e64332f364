# SPDX-License-Identifier: BSD-3-Clause
"""http, asked by curl and by hand."""
import socket
import time

import pytest

import world as w


def url(address, path="/", port=80):
    return f"http://{'[' + address + ']' if ':' in address else address}:{port}{path}"


def curl(*args, **kwargs):
    return w.sh("curl", "--silent", "--show-error", "--max-time", 10, *args, **kwargs)


def ask(address, text, port=80):
    """Send @text, read to the FIN."""
    with w.connect(address, port) as s:
        s.sendall(text.encode() if isinstance(text, str) else text)
        return w.read_all(s)


def bodies(data):
    """The answers in @data: a list of (status, body)."""
    answers = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        length = next(int(h.split(b":")[1]) for h in head.split(b"\r\n")
                      if h.lower().startswith(b"content-length:"))
        answers.append((int(head.split()[1]), data[:length]))
        data = data[length:]
    return answers


def test_curl_gets_a_page(sluice, address):
    before = sluice.stats()
    assert len(curl(url(address), text=False)) == 1024
    after = sluice.settled("live")
    assert after["opened_passive"] == before["opened_passive"] + 1
    assert after["closed"] == before["closed"] + 1
    assert after["reset_in"] == before["reset_in"] and after["reset_out"] == before["reset_out"]


@pytest.mark.parametrize("n", [0, 1, 1447, 1448, 1449, 65535, 65536, 1000000, 10000000])
def test_bytes_n_returns_n(sluice, address, n):
    out = curl(url(address, f"/bytes/{n}"), "--output", "/dev/null", "--write-out",
               "%{http_code} %{size_download}")
    assert out == f"200 {n}"


def test_head_has_a_length_and_no_body(sluice, address):
    out = curl("--head", url(address)).lower()
    assert out.startswith("http/1.1 200") and "content-length: 1024" in out


def test_one_connection_serves_many_requests(sluice, address):
    before = sluice.stats()["opened_passive"]
    out = curl(*[url(address)] * 20, *["-o", "/dev/null"] * 20, "--write-out", "%{num_connects} ")
    assert out.split() == ["1"] + ["0"] * 19
    assert sluice.stats()["opened_passive"] == before + 1


def test_pipelined_requests_are_answered_in_order(sluice, address):
    ask_for = "".join(f"GET /bytes/{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(1, 101))
    got = bodies(ask(address, ask_for + "GET /bytes/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    assert [len(b) for _, b in got] == [*range(1, 101), 7]
    assert all(status == 200 for status, _ in got)


@pytest.mark.parametrize("request_text", [
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
])
def test_our_fin_is_right_behind_the_body(sluice, address, request_text):
    begin = time.monotonic()
    assert bodies(ask(address, request_text))[0][0] == 200
    assert time.monotonic() - begin < 1


def test_http_1_0_keep_alive_is_kept(sluice, address):
    with w.connect(address, 80) as s:
        for _ in range(3):
            s.sendall(b"GET /bytes/5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            data = b""
            while not data.endswith(b"\r\n\r\n") and len(data.partition(b"\r\n\r\n")[2]) < 5:
                data += s.recv(4096)
            assert bodies(data)[0][0] == 200


def test_a_request_may_come_a_byte_at_a_time(sluice, address):
    with w.connect(address, 80) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /bytes/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        assert [len(b) for _, b in bodies(w.read_all(s))] == [3]


@pytest.mark.parametrize("text, status", [
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
    ("nonsense\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
    ("GET /" + "a" * 9000 + " HTTP/1.1\r\n\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 9000 + "\r\n\r\n", 431),
    ("GET / HTTP/3.0\r\n\r\n", 505),
])
def test_a_bad_request_is_told_why(sluice, address, text, status):
    assert ask(address, text).split()[1] == str(status).encode()


def test_a_silent_client_is_told_408_or_let_go(own):
    own(config=w.BASIC.replace("body: 1024",
                               "body: 1024, first_byte_timeout: 300ms, head_timeout: 500ms"))
    begin = time.monotonic()
    with w.connect(w.V4, 80) as s:
        w.read_all(s)
        assert 0.2 < time.monotonic() - begin < 2
    begin = time.monotonic()
    with w.connect(w.V4, 80) as s:
        s.sendall(b"GET / HTTP/1.1\r\n")
        assert w.read_all(s).split()[1] == b"408"
        assert 0.4 < time.monotonic() - begin < 2
