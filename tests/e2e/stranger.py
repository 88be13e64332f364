# SPDX-License-Identifier: BSD-3-Clause
"""stranger - frames to sluice past Linux's TCP: from anywhere, of any kind."""
import errno
import random
import socket
import struct
import time

import world as w

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
FLAGS = {
    "syn": SYN, "ack": ACK, "rst": RST, "fin": FIN, "syn-fin": SYN | FIN, "christmas-tree": FIN | PSH | URG,
    "null": 0, "all": 63, "syn-ack": SYN | ACK, "syn-rst": SYN | RST, "data": PSH | ACK,
}


def open_link(name):
    return w.sh("ip", "-o", "link", "show", "dev", name).split("link/ether ")[1].split()[0]


def neighbour():
    assert w.ping(w.V4) == 1
    return w.sh("ip", "neigh", "show", w.V4).split("lladdr ")[1].split()[0]


class Raw:
    """Frames to sluice, of any kind, from the client's end."""

    def __init__(self, address):
        self.v6 = ":" in address
        self.family = socket.AF_INET6 if self.v6 else socket.AF_INET
        self.us = socket.inet_pton(self.family, address)
        macs = [bytes.fromhex(m.replace(":", "")) for m in (neighbour(), open_link("client"))]
        self.eth = b"".join(macs) + (b"\x86\xdd" if self.v6 else b"\x08\x00")
        self.rnd = random.Random(5)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("client", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def stranger(self):
        """Somebody in the networks that are there for tests."""
        n = self.rnd.getrandbits(17)
        if self.v6:
            return bytes.fromhex("200100020000") + struct.pack("!QH", n, 1)
        return struct.pack("!I", 0xc6120000 | n)

    def ip(self, source, proto, payload, fragment=0):
        if self.v6:
            if fragment:
                payload = struct.pack("!BBHI", proto, 0, fragment & 0x1fff, 7) + payload
                proto = 44
            return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + source + self.us + payload
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, proto, 0) + source + self.us
        return head[:10] + struct.pack("!H", w.checksum(head)) + head[12:] + payload

    def tcp(self, flags, port, source=None, sport=None, data=b"", seq=None, fragment=0):
        source = source or self.stranger()
        sport = sport or self.rnd.randint(1024, 65535)
        seq = self.rnd.getrandbits(32) if seq is None else seq
        seg = struct.pack("!HHIIBBHHH", sport, port, seq, self.rnd.getrandbits(32), 0x50, flags, 1024, 0, 0) + data
        pseudo = source + self.us + (struct.pack("!II", len(seg), 6) if self.v6
                                     else struct.pack("!HH", 6, len(seg)))
        seg = seg[:16] + struct.pack("!H", w.checksum(pseudo + seg)) + seg[18:]
        return self.eth + self.ip(source, 6, seg, fragment)

    def send(self, frames, rounds=1):
        """All of them, @rounds times, not faster than a ring of the daemon takes; the bytes allowed back."""
        for _ in range(rounds):
            for i, frame in enumerate(frames):
                try:
                    self.socket.send(frame)
                except OSError as e:
                    if e.errno != errno.ENOBUFS:
                        raise
                if i % 64 == 63:
                    time.sleep(0.002)
        return rounds * sum(max(60, len(f)) + 4 for f in frames)
