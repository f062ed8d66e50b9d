"""What a copy of a pcapng keeps as it is, without knowing what it says: blocks beside frames, options of interfaces
and frames.

A copy is little-endian: numbers of a file of the other order are turned round, as far as it is known where they are.
Source: draft-ietf-opsawg-pcapng, draft-richardson-opsawg-pcapng-extras.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sockexplorer.capture import pcapng

JOURNAL, SECRETS, CUSTOM = 9, 10, 0x00000BAD
"""Blocks with an entry of systemd's journal, with secrets of TLS and its like, and of somebody's own; 0x40000BAD is
such a one that is not to be copied."""
KINDS = (pcapng.NAMES, JOURNAL, SECRETS, CUSTOM)
CUSTOM_OPTIONS, NOT_TO_BE_COPIED = (2988, 2989), (19372, 19373)
_CUSTOM = dict.fromkeys(CUSTOM_OPTIONS, "I")
OF_INTERFACE = {8: "Q", 10: "I", 16: "Q", 17: "Q", **_CUSTOM}
"""Options of an interface that begin with a number: speeds, the time zone, whose own it is."""
OF_FRAME = {5: "Q", 6: "I", 7: "xQ", **_CUSTOM}
"""Those of a frame: its number in all captures of it, the queue it came by, a verdict on it behind the byte that says
who gave it."""
VERDICT, OF_HARDWARE = 7, b"\0"
"""A verdict that hardware gave is no number."""


class Kept(NamedTuple):
    """A block of a section, whole. ``ours`` and ``of_section`` are those of the section's interfaces."""

    ours: bool
    of_section: tuple[str, ...]
    block: bytes


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of `KINDS` as it stands in a copy. Raises ValueError, struct.error where it is not as it should be."""
    if order == ">":
        if kind == pcapng.NAMES:
            body = b"".join(_turned_names(body))
        elif kind == SECRETS:
            what, size = struct.unpack_from(">II", body)
            end = 8 + size + -size % 4
            if end > len(body):
                raise ValueError(f"secrets of {size} bytes are longer than their block")
            body = struct.pack("<II", what, size) + body[8:end] + b"".join(_turned_list(body, end, 0))
        elif kind == CUSTOM:
            body = struct.pack("<I", *struct.unpack_from(">I", body)) + body[4:]
    elif kind == CUSTOM and len(body) < 4:
        raise ValueError("a custom block without the number of who has made it")
    return pcapng.block(kind, body)


def options(order: str, told: Iterable[tuple[int, bytes]], numbers: Mapping[int, str]) -> bytes:
    """Options as they stand in a copy, without an end. ``numbers`` are `OF_INTERFACE` or `OF_FRAME`."""
    return b"".join(pcapng.option(*_turned(order, numbers, *each)) for each in told if each[0] not in NOT_TO_BE_COPIED)


def _turned(order: str, numbers: Mapping[int, str], code: int, value: bytes) -> tuple[int, bytes]:
    layout = None if code == VERDICT and value.startswith(OF_HARDWARE) else numbers.get(code)
    if order != ">" or layout is None or len(value) < (end := struct.calcsize(f"={layout}")):
        return code, value
    start = layout.count("x")
    return code, value[:start] + value[start:end][::-1] + value[end:]


def _turned_names(body: bytes) -> Iterator[bytes]:
    """The records of a block of names up to their end, then its options: both are numbers of what and how long."""
    end = 0
    for part in _turned_list(body, 0, 0):
        end += len(part)
        yield part
    yield from _turned_list(body, end, 0)


def _turned_list(body: bytes, at: int, end: int) -> Iterator[bytes]:
    """What stands in a list, up to what has the number ``end``."""
    while at + 4 <= len(body):
        code, size = struct.unpack_from(">HH", body, at)
        stop = at + 4 + size + -size % 4
        if stop > len(body):
            raise ValueError(f"{size} bytes are more than their block has")
        yield struct.pack("<HH", code, size) + body[at + 4 : stop]
        at = stop
        if code == end:
            return
