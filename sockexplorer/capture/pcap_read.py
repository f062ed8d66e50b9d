"""Reading pcap of either byte order, in microseconds or nanoseconds. Source: draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sockexplorer.capture.reading import LONGEST, Interface, Record, Window, sane

SECOND = 1_000_000_000
ORDERS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\xc3\xd4": (">", 1000), b"\xa1\xb2\x3c\x4d": (">", 1),
}  # fmt: skip
"""Byte order and nanoseconds of a fraction's unit, by the first four bytes."""


def begins(magic: bytes) -> bool:
    """Whether a capture that begins so is pcap."""
    return magic in ORDERS


def records(window: Window) -> Iterator[Record]:
    """The frames. Raises `CaptureError`."""
    order, scale = ORDERS[window.take(4)]
    major, _, _, _, _, link = struct.unpack(f"{order}HHiIII", window.take(20))
    if major != 2:
        raise window.damaged(f"version {major} of pcap, where only 2 is known")
    # The upper bits tell of a frame check sequence.
    interface = Interface(link & 0xFFFF)
    while window.more():
        seconds, fraction, kept, length = struct.unpack(f"{order}4I", window.take(16))
        if kept > LONGEST:
            raise window.damaged(f"a frame of {kept} bytes: more than {LONGEST} is taken for damage")
        data = window.take(kept)
        yield Record(interface, sane(seconds * SECOND + fraction * scale), max(length, kept), data)
