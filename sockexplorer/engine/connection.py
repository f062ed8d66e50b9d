"""One connected stream or sequence of packets: its reader, and what waits to be sent."""

from __future__ import annotations

import errno
import socket
import time

from sockexplorer.core.frames import Flag
from sockexplorer.engine.failure import simple
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.streams import StreamReader

SEND_QUEUE = 64 * 2**20
"""Bytes that may wait for a stream's peer before sending is refused."""
SEND_PIECE = 2**20


class Connection:
    """A connection of ``connect`` or ``accept``; its peer has a number of its own."""

    def __init__(self, sock: socket.socket, peer: int, reader: MessageReader | StreamReader) -> None:
        self.sock = sock
        self.peer = peer
        self.reader = reader
        self.unsent = bytearray()
        """What a stream's peer has not taken yet."""
        self.progress = 0.0
        """When it last took something of that, by the monotonic clock."""

    def send_whole(self, data: bytes, spool: Spool) -> int:
        """Send a message in one piece, or not at all; record it. Bytes taken. Raises OSError."""
        sent = self.sock.send(data)
        spool.add(data[:sent], Flag.OUT, self.peer, len(data))
        return sent

    def send(self, data: bytes, spool: Spool, *, wait: bool) -> int:
        """Send to a stream, and record what was sent. Bytes taken.

        With ``wait`` the rest is queued and goes when the peer reads. Raises OSError, or `Failure` for a full queue.
        """
        if len(self.unsent) + len(data) > SEND_QUEUE:
            raise simple("send", "the peer does not read: 64 MiB wait already", "let it read, or close")
        sent = 0
        if not self.unsent:
            try:
                sent = self.sock.send(data)
            except (BlockingIOError, InterruptedError):
                if not wait:
                    raise
        elif not wait:
            raise BlockingIOError(errno.EAGAIN, "what was sent before is not yet read")
        if sent:
            spool.add(data[:sent], Flag.OUT, self.peer)
        if not wait:
            return sent
        if not self.unsent:
            self.progress = time.monotonic()
        self.unsent += data[sent:]
        return len(data)

    def send_on(self, spool: Spool) -> None:
        """Send more of what waits, now that the peer takes it."""
        try:
            sent = self.sock.send(memoryview(self.unsent)[:SEND_PIECE])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            # The reader meets the same error and tells it.
            self.give_up(spool)
            return
        self.progress = time.monotonic()
        spool.add(bytes(self.unsent[:sent]), Flag.OUT, self.peer)
        del self.unsent[:sent]

    def give_up(self, spool: Spool) -> None:
        """Tell what was accepted from the person and never sent."""
        if lost := len(self.unsent):
            self.unsent.clear()
            spool.event("unsent", f"{lost} bytes were accepted but not sent", self.peer, count=lost)
