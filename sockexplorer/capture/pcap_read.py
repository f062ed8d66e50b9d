"""Reading pcap of either byte order, in microseconds or nanoseconds. Source: draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sockexplorer.capture import directions
from sockexplorer.capture.reading import LONGEST, Interface, Record, Window, sane

FCS_TOLD, FCS_UNIT = 1 << 26, 16
"""Beside the link type: whether its upper four bits tell the length of a check sequence, and their unit in bits."""
LAST_OLD = 3
"""The minor version up to which writers had the two lengths of a record the wrong way round: savefile.c of libpcap."""
SECOND = 1_000_000_000
ORDERS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\xc3\xd4": (">", 1000), b"\xa1\xb2\x3c\x4d": (">", 1),
}  # fmt: skip
"""Byte order and nanoseconds of a fraction's unit, by the first four bytes."""


def begins(magic: bytes) -> bool:
    """Whether a capture that begins so is pcap."""
    return magic in ORDERS


@dataclass(frozen=True, slots=True)
class Header:
    """What a file's header says: the byte order of ``struct``, nanoseconds of a fraction's unit, the interface."""

    order: str
    scale: int
    interface: Interface
    old: bool = False
    """Whether it is of a version in whose records the two lengths may stand the other way round."""

    def record(self, window: Window) -> Record:
        """The next frame. Raises `CaptureError`."""
        seconds, fraction, kept, length = struct.unpack(f"{self.order}4I", window.take(16))
        if self.old and kept > length:
            kept, length = length, kept
        if kept > LONGEST:
            raise window.damaged(f"a frame of {kept} bytes: more than {LONGEST} is taken for damage")
        data = window.take(kept)
        time = sane(seconds * SECOND + fraction * self.scale)
        return Record(
            self.interface, time, max(length, kept), data, directions.outgoing(self.interface.link_type, data)
        )  # fmt: skip


def header(window: Window) -> Header:
    """Read the file's header. Raises `CaptureError`."""
    order, scale = ORDERS[window.take(4)]
    major, minor, _, _, _, link = struct.unpack(f"{order}HHiIII", window.take(20))
    if major != 2:
        raise window.damaged(f"version {major} of pcap, where only 2 is known")
    fcs = (link >> 28) * FCS_UNIT if link & FCS_TOLD else None
    return Header(order, scale, Interface(link & 0xFFFF, fcs=fcs), minor <= LAST_OLD)


def records(window: Window) -> Iterator[Record]:
    """The frames. Raises `CaptureError`."""
    head = header(window)
    while window.more():
        yield head.record(window)
