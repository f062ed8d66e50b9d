"""The spool of a session: what its engine records and its client reads, in one file that both have open.

A frame is one received or sent unit: a datagram, a packet, a read of a stream, or an event of the socket. No object is
made per frame, and no message is sent per frame. The file begins with a page of u64 counters (`COMMITTED` …); from
`PAGE` on there are blocks, each ``header | columns | payload | padding to 8 bytes``, all little-endian:

    kind     u32  `ROWS`, `RING`, `PEERS` or `NEXT`
    count    u32  frames of the block
    payload  u64  bytes behind the columns
    size     u64  bytes of the block, header and padding included; a multiple of 8
    received, sent          u32  frames by direction; events are neither
    bytes_in, bytes_out     u64  their bytes on the wire

A block of `ROWS` has five columns of ``count`` numbers:

    time   u64  nanoseconds since the epoch (kernel's clock where it stamps)
    end    u32  where the frame ends in the block's payload
    length u32  bytes on the wire; more than what was kept when the frame was truncated
    peer   u32  number of a peer that a block of `PEERS` named before, 0 for none
    flags  u32  `Flag`

A frame's part of the payload is what it carried, then, with `Flag.META`, a JSON object and its length as u32. A block
of `RING` is one of the kernel's own, as `sockexplorer.core.tpacket` walks it, and has no columns; one of `PEERS` is a
JSON list of peers; one of `NEXT` is an u64, where in the file the next block is (see `sockexplorer.core.units`). Behind
ssh the same blocks travel in messages, and the client writes the file.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from enum import IntFlag
from typing import Any, NamedTuple

COLUMNS: tuple[tuple[str, str], ...] = (
    ("time", "Q"), ("end", "I"), ("length", "I"), ("peer", "I"), ("flags", "I"),
)  # fmt: skip
ROW_BYTES = 24
PAGE = 4096
COMMITTED, SEEN, UNKEPT, RELEASED = range(4)
"""Counters, as indices of u64 in the first page. Bytes are those of all blocks so far, this page included.

The engine says how many are written, and how many frames the file had no room for; the client how many it has read, and
up to where it needs none any more."""
HOLES = 2048
"""Where in the first page a byte of each of the file's first units is: 1 when the client gave it back to the system."""
ROWS, RING, PEERS, NEXT = 1, 2, 3, 4
HEADER = struct.Struct("<IIQQIIQQ")
SIZE = 3
"""Which of a header's numbers is the block's size."""
_ROW = struct.Struct(HEADER.format + "".join(code for _, code in COLUMNS))
_OFFSET = struct.Struct("<Q")
NEXT_BYTES = HEADER.size + _OFFSET.size
_META_LENGTH = struct.Struct("<I")
_BIG = sys.byteorder == "big"


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


class Traffic(NamedTuple):
    """Frames and their bytes on the wire by direction; events are neither."""

    received: int = 0
    sent: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class Header(NamedTuple):
    """The header of a block."""

    kind: int
    frames: int
    payload: int
    size: int
    traffic: Traffic

    @property
    def begin(self) -> int:
        """Where the payload begins in the block."""
        return HEADER.size + (self.frames * ROW_BYTES if self.kind == ROWS else 0)


def empty_columns() -> Columns:
    """Five empty columns, in the order of `COLUMNS`."""
    return tuple(array(code) for _, code in COLUMNS)  # type: ignore[return-value]


def pack_columns(columns: Columns) -> bytes:
    """The columns as they stand in a block."""
    if _BIG:
        columns = tuple(array(column.typecode, column) for column in columns)  # type: ignore[assignment]
        for column in columns:
            column.byteswap()
    return b"".join(column.tobytes() for column in columns)


def unpack_columns(body: bytes | memoryview, count: int) -> Columns:
    """The columns that stand at the beginning of ``body``. Raises ValueError where it is too short for them."""
    columns = empty_columns()
    at = 0
    view = memoryview(body)
    if len(view) < count * ROW_BYTES:
        raise ValueError(f"a block of {count} frames has {len(view)} bytes")
    for column in columns:
        size = column.itemsize * count
        column.frombytes(view[at : at + size])
        if _BIG:
            column.byteswap()
        at += size
    return columns


def block_size(kind: int, count: int, payload: int) -> int:
    """The bytes of a block at least, padding included."""
    return (HEADER.size + (count * ROW_BYTES if kind == ROWS else 0) + payload + 7) & ~7


def pack_header(kind: int, count: int, payload: int, traffic: Traffic) -> bytes:
    """The header of a block with so many bytes of payload."""
    return HEADER.pack(kind, count, payload, block_size(kind, count, payload), *traffic)


def stream_head(length: int, most: int) -> int:
    """The bytes ahead of the payload in a block of a stream's rows, of ``most`` bytes each."""
    return HEADER.size + ROW_BYTES * max(1, -(-length // most))


def pack_stream(length: int, most: int, time: int, peer: int, size: int) -> bytes:
    """The header and the columns of a block of ``size`` bytes with ``length`` received ones, in rows of ``most``."""
    if length <= most:
        return _ROW.pack(ROWS, 1, length, size, 1, 0, length, 0, time, length, length, peer, 0)
    ends = array("I", [*range(most, length, most), length])
    count = len(ends)
    lengths = array("I", [most]) * count
    lengths[-1] = length - most * (count - 1)
    columns = array("Q", [time]) * count, ends, lengths, array("I", [peer]) * count, array("I", [0]) * count
    return HEADER.pack(ROWS, count, length, size, count, 0, length, 0) + pack_columns(columns)


def pack_next(offset: int) -> bytes:
    """The block that says where the next one is."""
    return pack_header(NEXT, 0, _OFFSET.size, Traffic()) + _OFFSET.pack(offset)


def next_offset(body: bytes) -> int:
    """What a block of `NEXT` says behind its header. Raises ValueError for what is no place for a block."""
    (offset,) = _OFFSET.unpack(body)
    if not PAGE <= offset < 2**62 or offset & 7:
        raise ValueError(f"there can be no block at {offset}")
    return int(offset)


def header_fields(data: bytes | memoryview, room: int) -> tuple[int, ...]:
    """The eight numbers of the header at the beginning of ``data``, of a block that may have at most ``room`` bytes.

    Raises ValueError for what is none.
    """
    if len(data) < HEADER.size:
        raise ValueError("a block's header is cut off")
    fields: tuple[int, ...] = HEADER.unpack_from(data)
    kind, count, payload, size, received, sent, _, _ = fields
    if not ROWS <= kind <= NEXT or size & 7 or not block_size(kind, count, payload) <= size <= room:
        raise ValueError(f"this is no block of a spool: kind {kind}, {count} frames, {size} of {room} bytes")
    if kind == NEXT and (count or payload != _OFFSET.size):
        raise ValueError(f"a block that says where the next one is has {count} frames, {payload} bytes")
    if received + sent > count:
        raise ValueError(f"a block of {count} frames claims {received + sent}")
    return fields


def unpack_header(data: bytes | memoryview, room: int) -> Header:
    """As `header_fields`, by name."""
    kind, count, payload, size, *traffic = header_fields(data, room)
    return Header(kind, count, payload, size, Traffic(*traffic))


def pack_meta(meta: dict[str, Any]) -> bytes:
    """The tail of a frame's part of the payload that holds its metadata."""
    text = json.dumps(meta, separators=(",", ":")).encode()
    return text + _META_LENGTH.pack(len(text))


def split_meta(part: bytes | memoryview) -> tuple[bytes, dict[str, Any]]:
    """What a frame with `Flag.META` carried, and its metadata."""
    (length,) = _META_LENGTH.unpack_from(part, len(part) - _META_LENGTH.size)
    cut = len(part) - _META_LENGTH.size - length
    return bytes(part[:cut]), json.loads(bytes(part[cut : cut + length]))
