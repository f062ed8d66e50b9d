"""Reading streams: a row for each read, of as many bytes as came, up to a bound.

What comes in bulk goes from the socket to the spool without passing through this process, where no ancillary data can
be lost by it.
"""

from __future__ import annotations

import select
import socket
import time
from itertools import starmap

from sockexplorer.core.frames import Flag
from sockexplorer.engine import ancillary, recvmmsg
from sockexplorer.engine.spool import Spool

READ_BYTES = 256 * 1024
LARGE = 32 * 1024
"""Bytes of a read that get a block of their own."""
WAIT_SECONDS = 0.002
ROUNDS = 16
"""Reads in a row at most, so that one stream never keeps the others waiting."""


class StreamReader:
    """Reads one stream, whose peer is always the same.

    ``ancillary_data`` is whether there may be some; ``bulk`` whether its bytes may be spliced (splice(2)).
    """

    def __init__(self, sock: socket.socket, spool: Spool, peer: int, *, ancillary_data: bool, bulk: bool) -> None:
        self.sock = sock
        self.spool = spool
        self.peer = peer
        self._control_bytes = 2048 if ancillary_data else 0
        self._bulk = bulk and spool.whole
        self._buffer = bytearray(READ_BYTES)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._much = False
        """Whether the last read was a large one: more may be on its way."""

    def read(self) -> bool:
        """Take what waits, within bounds. False at the end of the stream. Raises OSError."""
        until = 0.0
        for _ in range(ROUNDS):
            try:
                length = self._splice() if self._much and self._bulk else self._receive()
            except (BlockingIOError, InterruptedError):
                if not self._much:
                    return True
                # In the midst of much the next comes sooner than the engine has looked at everything else.
                until = until or time.monotonic() + WAIT_SECONDS
                left = until - time.monotonic()
                if left > 0 and self._poll.poll(left * 1000):
                    continue
                self._much = False
                return True
            if not length:
                return False
            if length < LARGE:
                return True
        return True

    def _receive(self) -> int:
        if self._control_bytes:
            length, messages, raw_flags, _ = self.sock.recvmsg_into(
                [self._buffer], self._control_bytes, recvmmsg.MSG_CMSG_CLOEXEC
            )
            meta = ancillary.read(starmap(_control, messages)).meta
        else:
            length, raw_flags, meta = self.sock.recv_into(self._buffer), 0, {}
        if length:
            flags = int(Flag.CONTROL_TRUNCATED) if raw_flags & recvmmsg.MSG_CTRUNC else 0
            payload = memoryview(self._buffer)[:length]
            if length >= LARGE and not meta and not flags:
                self.spool.large(payload, self.peer)
            else:
                self.spool.add(bytes(payload), flags, self.peer, meta=meta)
        self._much = length >= LARGE
        return length

    def _splice(self) -> int:
        length = self.spool.splice(self.sock.fileno(), self.peer)
        self._much = length >= LARGE
        return length


def _control(level: int, kind: int, data: bytes) -> ancillary.Control:
    return level, kind, data
