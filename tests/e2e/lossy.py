#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""lossy - a bad wire between two interfaces.

    lossy.py LEFT RIGHT SEED DROP REORDER DUPLICATE

Frames go from each to the other. Of a thousand TCP segments each way so many are dropped, overtaken by
the one behind them, or sent twice, by a generator with that seed; everything else goes through. It prints
`ready`, and ends when it is told to.
"""
import random
import select
import socket
import sys

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
WAITS_MOST = 0.005  # seconds that a segment waits to be overtaken


class Wire:
    """One direction."""

    def __init__(self, source, sink, rnd, drop, reorder, duplicate):
        self.source, self.sink, self.rnd = source, sink, rnd
        self.drop = drop
        self.reorder = drop + reorder
        self.duplicate = drop + reorder + duplicate
        self.late = None

    def put(self, frame):
        try:
            self.sink.send(frame)
        except OSError:
            pass  # a full queue is one more loss

    def flush(self):
        if self.late is not None:
            self.put(self.late)
            self.late = None

    def carry(self):
        frame = self.source.recv(1 << 16)
        luck = self.rnd.randrange(1000) if is_tcp(frame) else 1000
        if luck < self.drop:
            return
        if luck < self.reorder and self.late is None:
            self.late = frame
            return
        self.put(frame)
        if self.reorder <= luck < self.duplicate:
            self.put(frame)
        self.flush()


def is_tcp(frame):
    return (frame[12:14] == b"\x08\x00" and frame[23] == 6 or
            frame[12:14] == b"\x86\xdd" and frame[20] == 6)


def tap(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, 3))  # ETH_P_ALL
    return s


def main():
    left, right = tap(sys.argv[1]), tap(sys.argv[2])
    seed, *odds = map(int, sys.argv[3:])
    there = Wire(left, right, random.Random(seed), *odds)
    back = Wire(right, left, random.Random(seed + 1), *odds)
    wires = {left: there, right: back}
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select(list(wires), [], [], WAITS_MOST)
        for s in readable:
            wires[s].carry()
        for s in wires:
            if s not in readable:
                wires[s].flush()


main()
