"""Messages between a client and its engine, over any byte stream: a header in JSON and raw bytes.

On the stream a message is ``u32 header length, u32 body length`` (little-endian), the header as UTF-8 JSON, the body.
No I/O here: `encode` gives bytes, `Decoder` takes whatever arrived and gives whole messages.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

PREFIX = struct.Struct("<II")
MAX_HEADER = 16 * 2**20
MAX_BODY = 256 * 2**20
VERSION = 1


class WireError(Exception):
    """The stream carries something that is no message: the other side is not ours, or it broke."""


class Message(NamedTuple):
    """One message. ``body`` is empty for most."""

    header: dict[str, Any]
    body: bytes


def encode(header: dict[str, Any], body: bytes | bytearray | memoryview = b"") -> bytes:
    """The bytes of one message."""
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
    return b"".join((PREFIX.pack(len(text), len(body)), text, body))


class Decoder:
    """Collects bytes and yields the messages that are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that belong to a message not yet whole."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Message]:
        """Take more bytes; yield what they complete. Raises `WireError`."""
        self._buffer += data
        at = 0
        buffer = self._buffer
        try:
            while len(buffer) - at >= PREFIX.size:
                header_length, body_length = PREFIX.unpack_from(buffer, at)
                if header_length > MAX_HEADER or body_length > MAX_BODY:
                    raise WireError("the other end does not speak sockexplorer's protocol")
                end = at + PREFIX.size + header_length + body_length
                if len(buffer) < end:
                    break
                middle = at + PREFIX.size + header_length
                try:
                    header = json.loads(bytes(buffer[at + PREFIX.size : middle]))
                except (ValueError, RecursionError) as error:
                    raise WireError(f"a message has no readable header: {error}") from None
                if not isinstance(header, dict):
                    raise WireError("a message's header is no object")
                message = Message(header, bytes(buffer[middle:end]))
                # Before the yield: a consumer that raises must not meet the same message again.
                at = end
                yield message
        finally:
            del buffer[:at]
