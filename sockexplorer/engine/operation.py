"""An algorithm's accepted socket: what is sent to it comes back as a result, at once.

Source: Linux' crypto/userspace-if.rst, crypto/af_alg.c and algif_*.c. Such a socket is not watched: the kernel calls it
readable even where a read would wait for more input.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Any

from sockexplorer.core.family import Family
from sockexplorer.core.frames import Flag
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.failure import Failure, explain, simple
from sockexplorer.engine.peers import Peers
from sockexplorer.engine.spool import Spool

Control = list[tuple[int, int, bytes]]
"""Ancillary data: (level, type, data)."""

PIECE = 32 * 1024
"""Bytes of a message that are handed over together: a cipher's socket takes about 64 KiB before it wants to be read."""
LONGEST = 2**20
MSG_MORE = 0x8000


class Operations:
    """The accepted socket of a bound algorithm, and another one after each failure, which leaves it half fed."""

    def __init__(self, sock: socket.socket, family: Family, protocol: Protocol, spool: Spool, peers: Peers) -> None:
        self._bound = sock
        self._family = family
        self._protocol = protocol
        self._spool = spool
        self._peers = peers
        self._sock: socket.socket | None = None
        self._peer = 0

    @property
    def connected(self) -> list[int]:
        """The peer number that stands for the accepted socket, as a connection's does."""
        return [] if self._sock is None else [self._peer]

    def accept(self, address: object) -> None:
        """Have a socket that computes with the algorithm at ``address``. Raises `Failure`: it wants a key, say."""
        if self._sock is not None:
            return
        try:
            self._sock, _ = self._bound.accept()
        except OSError as error:
            raise explain(self._family, self._protocol, "accept", error) from None
        self._sock.setblocking(False)
        self._peer = self._peers.add(object(), address, connection=True)
        self._spool.event("accepted", f"accepted a socket that computes {self._family.text(address)}", self._peer)

    def compute(self, data: bytes, values: Mapping[str, Any]) -> int:
        """Send a message with its fields, read the result, record both. Bytes taken. Raises `Failure`."""
        try:
            return self._compute(data, values)
        except Failure:
            self.close("the operation failed: the next message gets another socket")
            raise

    def close(self, why: str = "") -> None:
        """Let go of the accepted socket, if there is one; ``why`` is told as an event."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
            if why:
                self._spool.event("closed", why, self._peer)

    def _compute(self, data: bytes, values: Mapping[str, Any]) -> int:
        said = {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
        meta = {"fields": said} if said else None
        wanted = values.get("read")
        if self._protocol.name == "rng":
            self._spool.add(b"", Flag.OUT, self._peer, meta=meta)
            self._record(self._read(wanted if isinstance(wanted, int) else 0))
            return 0
        if len(data) > LONGEST:
            raise simple("send", f"{len(data)} bytes are more than one message may have", f"send at most {LONGEST}")
        control = self._family.ancillary(self._protocol, values)
        whole = self._protocol.name == "aead"
        result = self._at_once(data, control, meta) if whole else self._stream(data, control, meta)
        if not isinstance(wanted, int):
            self._record(result)
            return len(data)
        self._record(result[:wanted], len(result))
        if wanted > len(result) and self._protocol.name != "hash":
            text = f"a blocking recv({wanted}) would wait here for ever: the result has {len(result)} bytes"
            self._spool.event("waits", text, self._peer)
        return len(data)

    def _stream(self, data: bytes, control: Control, meta: dict[str, Any] | None) -> bytes:
        """A hash takes any length, a cipher gives its text back piece by piece."""
        result = bytearray()
        cipher = self._protocol.name == "skcipher"
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)] or [b""]
        for number, piece in enumerate(pieces, 1):
            more = MSG_MORE if number < len(pieces) else 0
            if self._send(piece, control if number == 1 else [], more) < len(piece):
                raise simple("send", "the kernel took a part of the message only", "send less at once")
            if not more:
                self._spool.add(data, Flag.OUT, self._peer, meta=meta)
            if cipher and piece:
                result += self._read(len(piece))
        return bytes(result) if cipher else self._read(512)

    def _at_once(self, data: bytes, control: Control, meta: dict[str, Any] | None) -> bytes:
        """An AEAD needs all of the message before it says anything."""
        taken = self._send(data, control, 0)
        if taken < len(data):
            raise simple("send", f"the kernel takes {taken} bytes of an AEAD's message at once", "send less at once")
        self._spool.add(data, Flag.OUT, self._peer, meta=meta)
        return self._read(len(data) + 512)

    def _send(self, data: bytes, control: Control, flags: int) -> int:
        assert self._sock is not None
        try:
            return self._sock.sendmsg([data], control, flags)
        except OSError as error:
            raise explain(self._family, self._protocol, "send", error) from None

    def _read(self, length: int) -> bytes:
        assert self._sock is not None
        try:
            return self._sock.recv(length)
        except BlockingIOError as error:
            what = OSError(errno.EAGAIN, "the kernel waits for more input before it gives a result")
            raise explain(self._family, self._protocol, "read", what) from error
        except OSError as error:
            raise explain(self._family, self._protocol, "read", error) from None

    def _record(self, result: bytes, length: int | None = None) -> None:
        cut = Flag.TRUNCATED if length is not None and length > len(result) else Flag(0)
        self._spool.add(result, cut, self._peer, length)
