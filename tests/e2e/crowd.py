#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""crowd - many connections to echo held by one process, as told on stdin.

    crowd.py COUNT

Lines: `open ADDRESS` opens all from there, `use` sends eight bytes on each and reads them back, `close` closes
all. Each is answered with `ok`, or with what went wrong.
"""
import errno
import os
import select
import socket
import struct
import sys
import time

SLUICE = ("10.77.0.1", 7)
IP_BIND_ADDRESS_NO_PORT = 24  # the port is chosen at connect: one address reaches all of them
AT_ONCE = 50
SECONDS = 150


class Crowd:
    def __init__(self, n):
        self.n = n
        self.socket = {}
        self.epoll = select.epoll()

    def start_one(self, address):
        s = socket.socket()
        s.setblocking(False)
        s.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        s.bind((address, 0))
        rc = s.connect_ex(SLUICE)
        if rc not in (0, errno.EINPROGRESS):
            raise OSError(rc, os.strerror(rc))
        self.socket[s.fileno()] = s
        self.epoll.register(s, select.EPOLLOUT)

    def open(self, address):
        opened = 0
        deadline = time.monotonic() + SECONDS
        while opened < self.n:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{opened} of {self.n} opened")
            while len(self.socket) < min(self.n, opened + AT_ONCE):
                self.start_one(address)
            for fd, _ in self.epoll.poll(1):
                rc = self.socket[fd].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if rc != 0:
                    raise OSError(rc, os.strerror(rc))
                self.epoll.modify(fd, select.EPOLLIN)
                opened += 1

    def use(self):
        sent = {}
        left = iter(list(self.socket))
        done = 0
        deadline = time.monotonic() + SECONDS
        while done < self.n:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{done} of {self.n} echoed")
            while len(sent) < AT_ONCE and (fd := next(left, None)) is not None:
                sent[fd] = struct.pack("!Q", fd * 7919 + os.getpid())
                self.socket[fd].send(sent[fd])
            for fd, _ in self.epoll.poll(1):
                if self.socket[fd].recv(64) != sent.pop(fd):
                    raise ValueError("other bytes came back")
                done += 1

    def close(self):
        """FIN by FIN, a few at once: a burst of them all would overrun any ring."""
        left = iter(list(self.socket.values()))
        waiting = 0
        while self.socket:
            while waiting < AT_ONCE and (s := next(left, None)) is not None:
                s.shutdown(socket.SHUT_WR)
                waiting += 1
            for fd, _ in self.epoll.poll(1):
                if self.socket[fd].recv(64) != b"":
                    raise ValueError("bytes where the end should be")
                self.epoll.unregister(fd)
                self.socket.pop(fd).close()
                waiting -= 1


def main():
    crowd = Crowd(int(sys.argv[1]))
    for line in sys.stdin:
        try:
            verb, *args = line.split()
            getattr(crowd, verb)(*args)
            print("ok", flush=True)
        except (OSError, ValueError) as why:
            print(why, flush=True)


main()
