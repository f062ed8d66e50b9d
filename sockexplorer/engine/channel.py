"""The engine's end of the stream to its client: what waits to be sent, and what comes, descriptors included."""

from __future__ import annotations

import os
import selectors
import socket
import stat
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from sockexplorer.core import wire

READ_BYTES = WRITE_BYTES = 2**20
"""Of one call."""
LAST_SECONDS = 0.5
"""How long the client may take for the last words."""


class Channel:
    """A stream of two descriptors, which may be one socket's; they stay the caller's. See `core.wire`."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.incoming = incoming
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)
        self.queue = bytearray()
        """What waits for the client."""
        self._decoder = wire.Decoder()
        # Only a UNIX socket carries descriptors: a client that starts us itself hands its spools over.
        self._carrier = socket.socket(fileno=os.dup(incoming)) if _is_unix(incoming) else None
        self._descriptors: deque[int] = deque()
        # One of its own, so that a selector may wait for both ways of one socket apart.
        self._outgoing = os.dup(outgoing)
        self._waits_for_room = False

    def watch(self, selector: selectors.BaseSelector, key: str) -> None:
        """Have a selector tell, with ``key`` as its data, when there is room, as long as something waits for that."""
        if bool(self.queue) == self._waits_for_room:
            return
        self._waits_for_room = not self._waits_for_room
        if self._waits_for_room:
            selector.register(self._outgoing, selectors.EVENT_WRITE, key)
        else:
            selector.unregister(self._outgoing)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Queue a message."""
        self.queue += wire.encode(header, body)

    def drain(self, *, last: bool = False) -> bool:
        """Hand over what the client takes, all of it where these are the ``last`` words; False when it is gone."""
        deadline = time.monotonic() + LAST_SECONDS
        while self.queue:
            try:
                sent = os.write(self._outgoing, memoryview(self.queue)[:WRITE_BYTES])
            except (BlockingIOError, InterruptedError):
                if not last or time.monotonic() > deadline:
                    return True
                time.sleep(0.005)
                continue
            except OSError:
                self.queue.clear()
                return False
            del self.queue[:sent]
        return True

    def messages(self) -> Iterator[wire.Message]:
        """What came and is whole. Raises `wire.WireError` for what is no message, EOFError when the client is gone."""
        try:
            data = self._read()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            raise EOFError("the client is gone")
        yield from self._decoder.feed(data)

    def descriptor(self, header: dict[str, Any]) -> int | None:
        """The descriptor that came with a message, None where another program lost it on the way."""
        return self._descriptors.popleft() if header.get("descriptors") and self._descriptors else None

    def close(self) -> None:
        """Let go of the stream, and of descriptors that nobody has asked for."""
        while self._descriptors:
            os.close(self._descriptors.popleft())
        if self._carrier is not None:
            self._carrier.close()
        os.close(self._outgoing)

    def _read(self) -> bytes:
        if self._carrier is None:
            return os.read(self.incoming, READ_BYTES)
        data, descriptors, _, _ = socket.recv_fds(self._carrier, READ_BYTES, 16, socket.MSG_CMSG_CLOEXEC)
        self._descriptors.extend(descriptors)
        return data


def _is_unix(descriptor: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        return sock.family == socket.AF_UNIX
