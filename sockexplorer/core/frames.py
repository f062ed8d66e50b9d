"""What a batch of frames looks like between engine, client and log: columns of an index, then the bytes.

A frame is one received or sent unit: a datagram, a packet, a read of a stream, or an event of the socket. No object is
made per frame; a batch is five columns of ``count`` little-endian numbers followed by the *spool*:

    time   u64  nanoseconds since the epoch (kernel's clock where it stamps)
    end    u64  where the frame ends in the session's spool, counted from the session's first byte
    length u32  bytes on the wire; more than what was kept when the frame was truncated
    peer   u32  number of a peer that a message named before, 0 for none
    flags  u32  `Flag`

A frame's spool is its payload, then, with `Flag.META`, a JSON object and its length as u32.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from enum import IntFlag
from typing import Any

COLUMNS: tuple[tuple[str, str], ...] = (
    ("time", "Q"), ("end", "Q"), ("length", "I"), ("peer", "I"), ("flags", "I"),
)  # fmt: skip
ROW_BYTES = 28
_META_LENGTH = struct.Struct("<I")


class Flag(IntFlag):
    """What is true of a frame besides its bytes."""

    OUT = 1
    TRUNCATED = 2
    """MSG_TRUNC: the message was longer than the buffer."""
    CONTROL_TRUNCATED = 4
    """MSG_CTRUNC: ancillary data was lost."""
    EVENT = 8
    """No traffic: something that happened to the socket, told in the metadata."""
    META = 16
    END = 32
    """The end of a stream, as a read of no bytes."""
    LOCAL = 64
    """MSG_DONTROUTE beside a CAN frame: it was sent on this host."""
    OWN = 128
    """MSG_CONFIRM beside a CAN frame: this socket sent it, and it is on the bus (CAN_RAW_RECV_OWN_MSGS)."""


Columns = tuple["array[int]", "array[int]", "array[int]", "array[int]", "array[int]"]


def empty_columns() -> Columns:
    """Five empty columns, in the order of `COLUMNS`."""
    return tuple(array(code) for _, code in COLUMNS)  # type: ignore[return-value]


def pack_columns(columns: Columns) -> bytes:
    """The columns as they stand in a batch."""
    if sys.byteorder == "big":
        columns = tuple(array(column.typecode, column) for column in columns)  # type: ignore[assignment]
        for column in columns:
            column.byteswap()
    return b"".join(column.tobytes() for column in columns)


def unpack_columns(body: bytes | memoryview, count: int) -> tuple[Columns, int]:
    """The columns of a batch, and where its spool begins. Raises ValueError for a body that is too short."""
    columns = empty_columns()
    at = 0
    view = memoryview(body)
    if len(view) < count * ROW_BYTES:
        raise ValueError(f"a batch of {count} frames has {len(view)} bytes")
    for column in columns:
        size = column.itemsize * count
        column.frombytes(view[at : at + size])
        if sys.byteorder == "big":
            column.byteswap()
        at += size
    return columns, at


def pack_meta(meta: dict[str, Any]) -> bytes:
    """The tail of a frame's spool that holds its metadata."""
    text = json.dumps(meta, separators=(",", ":")).encode()
    return text + _META_LENGTH.pack(len(text))


def split_meta(spool: bytes | memoryview) -> tuple[bytes, dict[str, Any]]:
    """Payload and metadata of the spool of a frame with `Flag.META`."""
    (length,) = _META_LENGTH.unpack_from(spool, len(spool) - _META_LENGTH.size)
    cut = len(spool) - _META_LENGTH.size - length
    return bytes(spool[:cut]), json.loads(bytes(spool[cut : cut + length]))
