# SPDX-License-Identifier: BSD-3-Clause
"""echo, discard, chargen, closed ports and the ends of connections, against Linux's TCP."""
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

import world as w

MB = 1 << 20
BLOCK = os.urandom(MB)


def piece(offset, length):
    """Bytes [offset, offset + length) of a stream that repeats only after many megabytes."""
    out = bytearray()
    while length:
        turn, at = divmod(offset, MB)
        block = BLOCK[turn % 997:] + BLOCK[:turn % 997]
        part = block[at:at + length]
        out += part
        offset += len(part)
        length -= len(part)
    return bytes(out)


def send_stream(s, total):
    for at in range(0, total, MB):
        s.sendall(piece(at, min(MB, total - at)))
    s.shutdown(socket.SHUT_WR)


def through(address, port, total, pause=None, timeout=60, **options):
    """Send @total bytes and read them back, compared; @pause(bytes) may sleep in between."""
    with w.connect(address, port, timeout, **options) as s:
        sender = threading.Thread(target=send_stream, args=(s, total), daemon=True)
        sender.start()
        at = 0
        while data := s.recv(1 << 18):
            assert data == piece(at, len(data)), f"bytes differ behind {at}"
            at += len(data)
            if pause:
                pause(at)
        assert at == total
        sender.join(timeout)
        assert not sender.is_alive()


def test_echo_returns_what_nc_sends(sluice, address):
    out = w.run("nc", "-N", "-w", 5, address, 7, input="hello\n")
    assert (out.returncode, out.stdout) == (0, "hello\n")


def test_echo_finishes_after_our_fin_and_closes(sluice, address):
    with w.connect(address, 7) as s:
        s.sendall(b"a" * 100000)
        s.shutdown(socket.SHUT_WR)
        assert w.read_all(s) == b"a" * 100000


def test_small_writes_come_back_at_once(sluice, address):
    with w.connect(address, 7) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.monotonic()
        for i in range(200):
            s.sendall(b"%3d" % i)
            assert w.read_exactly(s, 3) == b"%3d" % i
        assert time.monotonic() - begin < 5


def test_discard_takes_everything_and_says_nothing(sluice, address):
    with w.connect(address, 9) as s:
        for at in range(0, 20 * MB, MB):
            s.sendall(BLOCK)
        s.shutdown(socket.SHUT_WR)
        assert w.read_all(s) == b""


def test_chargen_sends_rfc_864_until_we_close(sluice, address):
    with w.connect(address, 19) as s:
        data = w.read_exactly(s, 74 * 95)
        lines = data.split(b"\r\n")
        assert len(lines[0]) == 72
        assert lines[1] == lines[0][1:] + lines[1][-1:]
        s.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + 10
        while s.recv(1 << 18):
            assert time.monotonic() < deadline, "chargen goes on after our FIN"


def test_chargen_waits_for_a_reader_that_sleeps(sluice, address):
    with w.connect(address, 19, SO_RCVBUF=16384) as s:
        time.sleep(1)
        first = w.read_exactly(s, 74 * 2000)
        assert first[:74 * 95] == first[74 * 95:74 * 190]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_closed_port_answers_with_a_reset(sluice, address):
    begin = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        w.connect(address, 4444)
    assert time.monotonic() - begin < 0.5


def test_our_reset_ends_the_connection_there(sluice, address):
    before = sluice.stats()
    s = w.connect(address, 7)
    s.sendall(b"x")
    assert s.recv(1) == b"x"
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    after = sluice.settled("live")
    assert after["reset_in"] == before["reset_in"] + 1


def test_whoever_closes_first_keeps_time_wait(sluice, address):
    # http with Connection: close: sluice sends the first FIN
    before = sluice.stats()["time_wait"]
    with w.connect(address, 80) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        w.read_all(s)
    sluice.settled("live")
    assert sluice.stats()["time_wait"] == before + 1
    # echo: the client's FIN is first
    with w.connect(address, 7) as s:
        s.shutdown(socket.SHUT_WR)
        w.read_all(s)
    sluice.settled("live")
    assert sluice.stats()["time_wait"] == before + 1


def test_ping_is_answered(sluice, address):
    assert w.ping(address, 1000, count=5) == 5


def test_many_connections_one_after_another(sluice, address):
    for i in range(500):
        with w.connect(address, 7) as s:
            s.sendall(b"%d" % i)
            s.shutdown(socket.SHUT_WR)
            assert w.read_all(s) == b"%d" % i
    sluice.settled("live")


def test_every_packet_has_one_fate(sluice):
    sluice.settled("live")
    # both are read at slightly different times: wait for a quiet moment
    for _ in range(50):
        stats, fates, again = sluice.stats(), sluice.ask("/sluice/fates"), sluice.stats()
        if stats["rx"] == again["rx"]:
            break
        time.sleep(0.1)
    assert sum(fates.values()) == stats["rx"]


def test_five_megabytes_come_back(sluice, address):
    through(address, 7, 5 * MB)


@pytest.mark.heavy
@pytest.mark.parametrize("workers", [1, 2])
def test_200_megabytes_come_back_byte_for_byte(own, address, workers):
    sluice = own(workers=workers, vdevs=(f"net_af_packet0,iface=sluice,qpairs={workers},framecnt=4096",))
    through(address, 7, 200 * MB)
    sluice.settled("live")
    sluice.stop_clean()


@pytest.mark.heavy
def test_200_megabytes_come_back_to_a_slow_reader(own, address):
    sluice = own()
    pauses = iter(range(20 * MB, 200 * MB, 20 * MB))
    mark = [next(pauses)]

    def pause(at):
        if at >= mark[0]:
            mark[0] = next(pauses, 1 << 40)
            time.sleep(0.3)
    through(address, 7, 200 * MB, pause, SO_RCVBUF=65536)
    sluice.settled("live")
    sluice.stop_clean()


@pytest.mark.parametrize("mtu, ring", [(1280, ""), (9000, ",framesz=16384,blocksz=65536")])
def test_other_mtus(tmp_path, address, mtu, ring):
    with w.World(mtu=mtu) as world:
        world.veth()
        sluice = w.Sluice(world, tmp_path, config=w.BASIC.replace(
            "device: net_af_packet0", f"device: net_af_packet0\n    mtu: {mtu}"),
            vdevs=(f"net_af_packet0,iface=sluice{ring}",))
        through(address, 7, 3 * MB)
        assert w.ping(address, mtu - 100) == 1
        sluice.stop_clean()


def tagged(vlan, target):
    """An ARP request for @target, with a VLAN tag; the VLAN of the answer, or None."""
    mine = bytes.fromhex(w.sh("ip", "-o", "link", "show", "client").split("ether ")[1].split()[0]
                         .replace(":", ""))
    sender = target[:-1] + b"\x02"
    arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mine + sender + bytes(6) + target
    frame = b"\xff" * 6 + mine + struct.pack("!HHH", 0x8100, vlan, 0x0806) + arp
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as s:
        s.bind(("client", 3))
        s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag, taken off by the kernel
        s.settimeout(0.5)
        s.send(frame.ljust(64, b"\0"))
        try:
            while True:
                data, aux, _, _ = s.recvmsg(2048, 256)
                if data[6:12] != mine and data[28:32] == target:
                    return struct.unpack_from("=IIIHHHH", aux[0][2])[5] & 0xfff
                if data[6:12] != mine and data[12:14] == b"\x81\0" and data[32:36] == target:
                    return struct.unpack_from("!H", data, 14)[0] & 0xfff
        except TimeoutError:
            return None


def test_a_vlan_of_ours_is_answered_within_it_and_another_is_not(own):
    config = w.BASIC.replace("10.77.0.1/24,", "10.77.0.1/24, {address: 10.78.0.1/24, vlan: 5},")
    sluice = own(config=config)
    through(w.V4, 7, MB)
    assert tagged(5, socket.inet_aton("10.78.0.1")) == 5
    before = sluice.ask("/sluice/fates")["vlan_unknown"]
    assert tagged(6, socket.inet_aton("10.78.0.1")) is None
    assert sluice.ask("/sluice/fates")["vlan_unknown"] == before + 1
    sluice.stop_clean()


def tap(world, tmp_path):
    """sluice on a TAP, whose interface is Linux's end."""
    sluice = w.Sluice(world, tmp_path, config=w.BASIC.replace("net_af_packet0", "net_tap0"),
                      vdevs=("net_tap0,iface=tap0",), ready=False)
    deadline = time.monotonic() + 5
    while "tap0" not in w.sh("ip", "-o", "link"):
        assert time.monotonic() < deadline, sluice.said()
        time.sleep(0.05)
    sluice.wait_ready()
    world.address_client("tap0")
    return sluice


def test_a_tap_works_as_well(tmp_path, address):
    with w.World() as world:
        sluice = tap(world, tmp_path)
        through(address, 7, 5 * MB)
        assert w.ping(address, 1400) == 1
        sluice.settled("live")
        sluice.stop_clean()


def test_cookies_alone_serve_connections_of_both_families(own, address):
    sluice = own(config=w.BASIC + "tcp: {cookies: always}\n")
    through(address, 7, MB)
    stats = sluice.settled("live")
    assert stats["cookie_sent"] >= 1 and stats["cookie_ok"] >= 1
    assert stats["half_open"] == 0
    sluice.stop_clean()


def test_a_link_that_goes_and_comes_back_goes_on(own):
    sluice = own()
    with w.connect(w.V4, 7) as s:
        s.sendall(b"before")
        assert w.read_exactly(s, 6) == b"before"
        w.sh("ip", "link", "set", "sluice", "down")
        s.sendall(b"during")
        time.sleep(0.5)
        w.sh("ip", "link", "set", "sluice", "up")
        w.sh("ip", "address", "replace", f"{w.CLIENT4}/24", "dev", "client")
        assert w.read_exactly(s, 6) == b"during"
    sluice.settled("live")
    sluice.stop_clean()


def test_nc_is_unmodified_in_its_default_way_too(sluice):
    p = subprocess.Popen(["nc", w.V4, "7"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        p.stdin.write(b"line\n")
        p.stdin.flush()
        assert p.stdout.readline() == b"line\n"
    finally:
        p.kill()
        p.communicate()


def test_another_host_with_our_address_is_reported_and_changes_nothing(own):
    sluice = own()
    mine = bytes.fromhex(w.sh("ip", "-o", "link", "show", "client").split("ether ")[1].split()[0]
                         .replace(":", ""))
    ours = socket.inet_aton(w.V4)
    claim = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mine + ours + bytes(6) + ours
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("client", 0x806))
        s.send((b"\xff" * 6 + mine + b"\x08\x06" + claim).ljust(60, b"\0"))
    assert sluice.settled("address_conflict", 1)
    deadline = time.monotonic() + 5
    while "another host claims an address of ours" not in sluice.said():
        assert time.monotonic() < deadline, sluice.said()
        time.sleep(0.05)
    through(w.V4, 7, MB)
    sluice.settled("live")
    sluice.stop_clean()
