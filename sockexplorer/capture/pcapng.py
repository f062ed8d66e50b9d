"""Writing pcapng: whole blocks as bytes, so that whoever writes them out can keep them whole.

Source: draft-ietf-opsawg-pcapng. Blocks are little-endian, times are in nanoseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

SECTION, INTERFACE, SIMPLE, NAMES, STATISTICS, PACKET = 0x0A0D0D0A, 1, 3, 4, 5, 6
OBSOLETE_PACKET = 2
ORDER = 0x1A2B3C4D
END, COMMENT = 0, 1
SHB_OS, SHB_APPLICATION = 3, 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FCSLEN, IF_TSOFFSET = 2, 3, 9, 13, 14
EPB_FLAGS, EPB_DROPCOUNT = 2, 4
ISB_RECEIVED, ISB_DROPPED = 4, 5
INBOUND, OUTBOUND, DIRECTION = 1, 2, 3
"""The direction, in the lowest two bits of EPB_FLAGS."""
APPLICATION = "sockexplorer"
"""How the application's name begins in a file of ours."""
LONGEST_TEXT = 0xFFFC
MOST = 2**64 - 1
"""Frames that can be told of; those of several interfaces that are one in a copy may be more."""
_HEAD, _OPTION, _LENGTH = struct.Struct("<II"), struct.Struct("<HH"), struct.Struct("<I")
_COUNT = struct.Struct("<Q")
_SECTION, _INTERFACE = struct.Struct("<IHHq"), struct.Struct("<HHI")
_PACKET, _STATISTICS = struct.Struct("<7I"), struct.Struct("<3I")


def block(kind: int, body: bytes) -> bytes:
    """A whole block: type, length, body, length."""
    padding = bytes(-len(body) % 4)
    length = len(body) + len(padding) + 12
    return b"".join((_HEAD.pack(kind, length), body, padding, _LENGTH.pack(length)))


def option(code: int, value: bytes) -> bytes:
    """An option, padded to four bytes."""
    return _OPTION.pack(code, len(value)) + value + bytes(-len(value) % 4)


def text(code: int, value: str) -> bytes:
    """An option that holds text, cut where an option ends."""
    raw = value.encode("utf-8", "backslashreplace")
    if len(raw) > LONGEST_TEXT:
        raw = raw[:LONGEST_TEXT].decode("utf-8", "ignore").encode()
    return option(code, raw)


def options(*parts: bytes) -> bytes:
    """Options and their end; nothing where there are none."""
    found = b"".join(parts)
    return found and found + _OPTION.pack(END, 0)


def section(application: str, system: str, comments: Iterable[str] = ()) -> bytes:
    """The block that begins a section: an order mark, version 1.0, an unknown length."""
    told = (text(COMMENT, each) for each in comments)
    return block(
        SECTION,
        _SECTION.pack(ORDER, 1, 0, -1) + options(*told, text(SHB_OS, system), text(SHB_APPLICATION, application)),
    )


def interface(
    link_type: int, name: str = "", description: str = "", comments: Iterable[str] = (), fcs: int | None = None,
    snaplen: int = 0, more: bytes = b"",
) -> bytes:  # fmt: skip
    """What the packets that name it have in common: a link type, nanoseconds, bits of a frame check sequence, how much
    is kept of each at most, and ``more`` options."""
    told = [text(COMMENT, each) for each in comments]
    told += [text(code, value) for code, value in ((IF_NAME, name), (IF_DESCRIPTION, description)) if value]
    told.append(option(IF_TSRESOL, b"\x09"))
    if fcs is not None:
        told.append(option(IF_FCSLEN, bytes((fcs,))))
    return block(INTERFACE, _INTERFACE.pack(link_type, 0, snaplen) + options(*told, more))


def packet(
    number: int, time: int, parts: tuple[bytes, ...], length: int, outgoing: bool | None, comments: Sequence[str] = (),
    flags: int = 0, dropped: int | None = None, more: bytes = b"",
) -> bytes:  # fmt: skip
    """A frame of the interface of that number. ``time`` in ns since the epoch, ``length`` that on the wire.

    ``outgoing`` is None where the direction is not known; ``flags`` are the other bits of EPB_FLAGS; ``dropped``
    frames were lost ahead of this one; ``more`` are further options.
    """
    kept = sum(map(len, parts))
    told = packet_options(outgoing, comments, flags, dropped, more)
    size = 32 + kept + (padding := -kept % 4) + len(told)
    head = _PACKET.pack(
        PACKET, size, number, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF, kept, min(max(kept, length), 0xFFFFFFFF)
    )
    return b"".join((head, *parts, bytes(padding), told, _LENGTH.pack(size)))


def simple(length: int, data: bytes) -> bytes:
    """A frame without a time, of the section's first interface, of whose bytes that keeps all of these."""
    return block(SIMPLE, _LENGTH.pack(length) + data)


def packet_options(
    outgoing: bool | None, comments: Sequence[str] = (), flags: int = 0, dropped: int | None = None, more: bytes = b""
) -> bytes:
    """The options of a frame: its direction with other flags, its comments, how many frames were lost ahead of it, and
    ``more``."""
    told = _DIRECTIONS[outgoing]
    if flags:
        told = options(option(EPB_FLAGS, _LENGTH.pack(flags | _CODES[outgoing])))
    if comments or more or dropped is not None:
        lost = b"" if dropped is None else option(EPB_DROPCOUNT, _COUNT.pack(dropped))
        told = options(*(text(COMMENT, each) for each in comments), told[:_DIRECTION_BYTES], lost, more)
    return told


_DIRECTION_BYTES = 8
_CODES = {None: 0, False: INBOUND, True: OUTBOUND}
_DIRECTIONS = {each: options(option(EPB_FLAGS, _LENGTH.pack(code))) if code else b"" for each, code in _CODES.items()}
"""The options of a frame without comments."""


def statistics(number: int, time: int, received: int, dropped: int) -> bytes:
    """How many frames an interface gave and dropped until ``time``."""
    counts = ((ISB_RECEIVED, received), (ISB_DROPPED, dropped))
    told = [option(code, _COUNT.pack(min(value, MOST))) for code, value in counts]
    head = _STATISTICS.pack(number, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF)
    return block(STATISTICS, head + options(*told))
