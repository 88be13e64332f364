#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""lossy - a bad wire between two interfaces.

    lossy.py LEFT RIGHT SEED DROP REORDER DUPLICATE [CORRUPT]

Frames go from each to the other. Of a thousand TCP segments each way so many are dropped, overtaken by
the one behind them, sent twice, or have a bit turned behind the Ethernet header, by a generator with that
seed; everything else goes through. It prints `ready`, and when it is told to end, what it did.
"""
import random
import select
import signal
import socket
import sys

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
WAITS_MOST = 0.005  # seconds that a segment waits to be overtaken
ETHERNET = 14


class Wire:
    """One direction."""

    def __init__(self, source, sink, rnd, drop, reorder, duplicate, corrupt=0):
        self.source, self.sink, self.rnd = source, sink, rnd
        self.drop = drop
        self.reorder = drop + reorder
        self.duplicate = self.reorder + duplicate
        self.corrupt = self.duplicate + corrupt
        self.late = None
        self.did = dict.fromkeys(("carried", "dropped", "overtaken", "doubled", "damaged", "overrun"), 0)

    def put(self, frame):
        try:
            self.sink.send(frame)
            self.did["carried"] += 1
        except OSError:
            self.did["overrun"] += 1  # a full queue is one more loss

    def flush(self):
        if self.late is not None:
            self.put(self.late)
            self.late = None

    def carry(self):
        frame = self.source.recv(1 << 16)
        luck = self.rnd.randrange(1000) if is_tcp(frame) else 1000
        if luck < self.drop:
            self.did["dropped"] += 1
            return
        if luck < self.reorder and self.late is None:
            self.did["overtaken"] += 1
            self.late = frame
            return
        if self.duplicate <= luck < self.corrupt:
            self.did["damaged"] += 1
            frame = damaged(frame, self.rnd)
        self.put(frame)
        if self.reorder <= luck < self.duplicate:
            self.did["doubled"] += 1
            self.put(frame)
        self.flush()


def damaged(frame, rnd):
    bit = rnd.randrange(8 * ETHERNET, 8 * len(frame))
    return frame[:bit // 8] + bytes([frame[bit // 8] ^ 1 << bit % 8]) + frame[bit // 8 + 1:]


def is_tcp(frame):
    return (frame[12:14] == b"\x08\x00" and frame[23:24] == b"\6" or
            frame[12:14] == b"\x86\xdd" and frame[20:21] == b"\6")


def tap(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, 3))  # ETH_P_ALL
    return s


def tell(wires):
    for way, wire in zip(("there", "back"), wires):
        print(f"{way}:", ", ".join(f"{n} {what}" for what, n in wire.did.items()), flush=True)
    sys.exit(0)


def main():
    left, right = tap(sys.argv[1]), tap(sys.argv[2])
    seed, *odds = map(int, sys.argv[3:])
    there = Wire(left, right, random.Random(seed), *odds)
    back = Wire(right, left, random.Random(seed + 1), *odds)
    wires = {left: there, right: back}
    signal.signal(signal.SIGTERM, lambda *_: tell((there, back)))
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select(list(wires), [], [], WAITS_MOST)
        for s in readable:
            wires[s].carry()
        for s in wires:
            if s not in readable:
                wires[s].flush()


main()
