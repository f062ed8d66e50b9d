"""Reading pcapng, ours and others', of either byte order. Source: draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sockexplorer.capture import directions, pcapng, pcapng_kept
from sockexplorer.capture.moments import UNTIMED
from sockexplorer.capture.pcapng_kept import Kept
from sockexplorer.capture.reading import LONGEST, Drops, Interface, Record, Window, sane

MOST_INTERFACES = 65536
SHORTEST = {
    pcapng.SECTION: 28,
    pcapng.INTERFACE: 20,
    pcapng.PACKET: 32,
    pcapng.SIMPLE: 16,
    pcapng.OBSOLETE_PACKET: 32,
    pcapng.STATISTICS: 24,
}
"""Bytes of the shortest block of a kind, the two lengths included."""
SECOND = 1_000_000_000
KNOWN = (
    pcapng.COMMENT, pcapng.IF_NAME, pcapng.IF_DESCRIPTION, pcapng.IF_TSRESOL, pcapng.IF_FCSLEN, pcapng.IF_TSOFFSET,
)  # fmt: skip
"""Options of an interface that are read: a copy has its own."""
UNKNOWN = 0xFFFF
"""The count of drops in an obsolete block of a frame where there is none."""


@dataclass(frozen=True, slots=True)
class Clocked:
    """An interface with its clock: ticks a second, and seconds to add."""

    interface: Interface
    resolution: int
    offset: int

    def time(self, high: int, low: int) -> int:
        """Nanoseconds since the epoch."""
        return sane((high << 32 | low) * SECOND // self.resolution + self.offset * SECOND)


def begins(magic: bytes) -> bool:
    """Whether a capture that begins so is pcapng."""
    return magic == b"\x0a\x0d\x0d\x0a"


class Section:
    """What a section's blocks have in common: their byte order, who wrote them, comments, the interfaces so far."""

    def __init__(self, order: str, ours: bool, comments: tuple[str, ...] = ()) -> None:
        self.order = order
        self.ours = ours
        self.comments = comments
        self.interfaces: list[Clocked] = []

    def unpack(self, layout: str, data: bytes, at: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, data, at)

    def options(self, data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """The options from ``at`` on. Raises ValueError for one that is longer than the block."""
        while at + 4 <= len(data):
            code, length = self.unpack("HH", data, at)
            if code == pcapng.END:
                return
            at += 4
            if at + length > len(data):
                raise ValueError(f"option {code} of {length} bytes is longer than its block")
            yield code, data[at : at + length]
            at += (length + 3) & ~3


class Reader:
    """Goes through the blocks of every section, one a step."""

    def __init__(self, drops: Drops, keep: Callable[[Kept], None] | None = None) -> None:
        """``keep`` is given the blocks that a copy has to keep."""
        self.keep = keep
        self.section = Section("<", False)
        self.sections = 0
        self.drops = drops
        """Where counts of drops are put."""
        self.lost: dict[tuple[int, int], int] = {}
        """What the frames so far tell to have been lost ahead of them, by the keys of `Drops`."""

    def step(self, window: Window) -> Record | None:
        """Read the next block: its frame, or None for a block without. Raises `CaptureError`."""
        kind, body, self.section = _block(window, self.section)
        section = self.section
        try:
            if kind == pcapng.SECTION:
                self.sections += 1
                told = list(section.options(body, 16))
                section.ours = any(
                    code == pcapng.SHB_APPLICATION and value.startswith(pcapng.APPLICATION.encode())
                    for code, value in told
                )
                section.comments = _comments(told)
            elif kind == pcapng.INTERFACE:
                section.interfaces.append(_interface(section, body))
            elif kind == pcapng.STATISTICS:
                number, dropped = _dropped(section, body)
                if dropped is not None:
                    key = self.sections, number
                    self.drops[key] = section.interfaces[number].interface, max(dropped, self.lost.get(key, 0))
            elif kind in pcapng_kept.KINDS:
                if self.keep is not None and (kept := kept_of(section, kind, body)) is not None:
                    self.keep(kept)
            else:
                record = frame_of(section, kind, body)
                if record is not None and record.dropped:
                    (number,) = section.unpack("I" if kind == pcapng.PACKET else "H", body)
                    self.lose(self.drops, number, record.dropped)
                return record
        except (ValueError, struct.error) as error:
            raise window.damaged(str(error)) from None
        return None

    def lose(self, drops: Drops, number: int, count: int) -> None:
        """Count frames of the interface of that number, which were lost ahead of one."""
        key = self.sections, number
        self.lost[key] = self.lost.get(key, 0) + count
        interface = self.section.interfaces[number].interface
        drops[key] = interface, max(drops.get(key, (interface, 0))[1], self.lost[key])


def records(window: Window, drops: Drops, keep: Callable[[Kept], None] | None = None) -> Iterator[Record]:
    """The frames of every section. Raises `CaptureError`."""
    reader = Reader(drops, keep)
    while window.more():
        record = reader.step(window)
        if record is not None:
            yield record


def kept_of(section: Section, kind: int, body: bytes) -> Kept | None:
    """A block as a copy keeps it; None for one that is not as it should be, which says nothing of frames."""
    try:
        return Kept(section.ours, section.comments, pcapng_kept.block(section.order, kind, body))
    except (ValueError, struct.error):
        return None


def frame_of(section: Section, kind: int, body: bytes) -> Record | None:
    """The frame of a block, None where a block of this kind has none. Raises ValueError, struct.error."""
    if kind in (pcapng.PACKET, pcapng.OBSOLETE_PACKET):
        return _packet(section, kind, body)
    if kind == pcapng.SIMPLE:
        return _simple(section, body)
    return None


def _block(window: Window, section: Section) -> tuple[int, bytes, Section]:
    """Kind and body of the next block, and the section that it is in: a new one, where it begins one."""
    head = window.take(8)
    if begins(head[:4]):
        mark = window.peek(4)
        if mark not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
            if len(mark) < 4:
                window.take(4)
            raise window.damaged(f"the order mark of a section is {mark.hex(' ')}, not 1a 2b 3c 4d or the reverse")
        section = Section("<" if mark[:1] == b"\x4d" else ">", False)
    kind, length = section.unpack("II", head)
    if kind == pcapng.SECTION and not begins(head[:4]):
        raise window.damaged("a section begins with the bytes of its type reversed")
    if not length:
        raise window.damaged_or_zeros(f"block of type {kind:#x} with a length of 0")
    shortest = SHORTEST.get(kind, 12)
    if length % 4 or not shortest <= length <= LONGEST:
        raise window.damaged(
            f"block of type {kind:#x} with a length of {length}: it has to be a multiple of 4 from {shortest} "
            f"to {LONGEST}"
        )
    body = window.take(length - 12)
    if section.unpack("I", trailer := window.take(4)) != (length,):
        reason = f"a block of {length} bytes ends with {trailer.hex(' ')}, not with its length"
        raise window.damaged_or_zeros(reason) if trailer == bytes(4) else window.damaged(reason)
    if kind == pcapng.SECTION and (major := section.unpack("H", body, 4)[0]) != 1:
        raise window.damaged(f"version {major} of pcapng, where only 1 is known")
    return kind, body, section


def _interface(section: Section, body: bytes) -> Clocked:
    if len(section.interfaces) >= MOST_INTERFACES:
        raise ValueError(f"more than {MOST_INTERFACES} interfaces")
    link_type, _, snaplen = section.unpack("HHI", body)
    name = description = ""
    resolution, offset, fcs = 1_000_000, 0, None
    told, more = list(section.options(body, 8)), []
    for code, value in told:
        if code == pcapng.IF_NAME:
            name = _text(value)
        elif code == pcapng.IF_DESCRIPTION:
            description = _text(value)
        elif code == pcapng.IF_TSRESOL and len(value) == 1:
            resolution = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == pcapng.IF_FCSLEN and len(value) == 1:
            fcs = value[0]
        elif code == pcapng.IF_TSOFFSET and len(value) == 8:
            (offset,) = section.unpack("q", value)
        elif code not in KNOWN:
            more.append((code, value))
    interface = Interface(
        link_type, name, description, section.ours or is_path(name), _comments(told), section.comments, fcs, snaplen,
        pcapng_kept.options(section.order, more, pcapng_kept.OF_INTERFACE),
    )  # fmt: skip
    return Clocked(interface, resolution, offset)


def is_path(name: str) -> bool:
    """Whether an interface's name is a FAMILY/PROTOCOL. mergecap puts its own name on what it makes of recordings of
    ours, and keeps those of their interfaces; no interface of Linux has a slash in its name (dev_valid_name())."""
    if "/" not in name:
        return False
    from sockexplorer.families import find

    try:
        find(name)
    except (KeyError, ValueError):
        return False
    return True


def _packet(section: Section, kind: int, body: bytes) -> Record:
    if kind == pcapng.PACKET:
        number, high, low, kept, length = section.unpack("5I", body)
        dropped = None
    else:
        number, lost, high, low, kept, length = section.unpack("HH4I", body)
        dropped = lost if lost != UNKNOWN else None
    if number >= len(section.interfaces):
        raise ValueError(f"a frame of interface {number}, of {len(section.interfaces)} that were told of")
    if kept > len(body) - 20:
        raise ValueError(f"a frame of {kept} bytes in a block that has room for {len(body) - 20}")
    outgoing, comments, flags, others = None, list[str](), 0, list[tuple[int, bytes]]()
    for code, value in section.options(body, 20 + ((kept + 3) & ~3)):
        if code == pcapng.COMMENT:
            comments.append(_text(value))
        elif code == pcapng.EPB_FLAGS and len(value) == 4:
            (flags,) = section.unpack("I", value)
            outgoing = {pcapng.INBOUND: False, pcapng.OUTBOUND: True}.get(flags & pcapng.DIRECTION)
        elif code == pcapng.EPB_DROPCOUNT and len(value) == 8:
            (dropped,) = section.unpack("Q", value)
        else:
            others.append((code, value))
    more = pcapng_kept.options(section.order, others, pcapng_kept.OF_FRAME) if others else b""
    clocked, data = section.interfaces[number], body[20 : 20 + kept]
    if outgoing is None:
        outgoing = directions.outgoing(clocked.interface.link_type, data)
    time, flags = clocked.time(high, low), flags & ~pcapng.DIRECTION
    return Record(clocked.interface, time, max(length, kept), data, outgoing, tuple(comments), flags, dropped, more)


def _simple(section: Section, body: bytes) -> Record:
    if not section.interfaces:
        raise ValueError("a frame before any interface was told of")
    clocked = section.interfaces[0]
    (length,) = section.unpack("I", body)
    kept = min(length, clocked.interface.snaplen or length)
    if kept > len(body) - 4:
        raise ValueError(f"a frame of {kept} bytes in a block that has room for {len(body) - 4}")
    data = body[4 : 4 + kept]
    return Record(clocked.interface, UNTIMED, length, data, directions.outgoing(clocked.interface.link_type, data))


def _dropped(section: Section, body: bytes) -> tuple[int, int | None]:
    """Number of an interface, and how many frames it dropped, None where that is not said."""
    (number,) = section.unpack("I", body)
    if number >= len(section.interfaces):
        raise ValueError(f"statistics of interface {number}, of {len(section.interfaces)} that were told of")
    for code, value in section.options(body, 12):
        if code == pcapng.ISB_DROPPED and len(value) == 8:
            return number, section.unpack("Q", value)[0]
    return number, None


def _comments(options: list[tuple[int, bytes]]) -> tuple[str, ...]:
    return tuple(_text(value) for code, value in options if code == pcapng.COMMENT)


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")
