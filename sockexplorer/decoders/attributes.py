"""Netlink attributes: ``struct nlattr``, a length, a type, and the data. Source: netlink(7), <linux/netlink.h>."""

from __future__ import annotations

import struct
from collections.abc import Iterator

TYPE = 0x3FFF
"""NLA_TYPE_MASK: the two bits above tell nesting and byte order."""


def attributes(payload: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The (type, start, end) of each, padding aside; stops at the first malformed one."""
    while at + 4 <= end:
        length, kind = struct.unpack_from("=HH", payload, at)
        if length < 4 or at + length > end:
            return
        yield kind & TYPE, at, at + length
        at += (length + 3) & ~3


def text(data: bytes) -> str:
    """A string attribute, not escaped."""
    return data.rstrip(b"\0").decode("utf-8", "backslashreplace")
