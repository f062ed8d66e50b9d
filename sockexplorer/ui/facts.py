"""One frame as a tree of fields: what the socket itself told of it, then what a decoder reads in its bytes.

The tree is a list in the order of display, each fact with its depth. A fact that was read from bytes says which bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sockexplorer.capture.log import Frame
from sockexplorer.capture.moments import UNTIMED
from sockexplorer.client.session import Peer, Session
from sockexplorer.core.beside import BEFORE, control
from sockexplorer.core.frames import Flag
from sockexplorer.core.text import escape
from sockexplorer.decoders import decode
from sockexplorer.ui.clock import clock, date

Kind = Literal["", "warning", "advice"]
VALUE_CHARACTERS = 2000
"""How much of a value is kept: the hex dump has the rest."""

MOST_UNFOLDED = 8
"""Parts of a part of a message that are in sight at first: an interface has dozens of counters."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the tree. ``name`` and ``value`` are escaped; ``start`` up to ``end`` are its bytes of ``data``."""

    depth: int
    name: str
    value: str
    data: bytes = b""
    start: int = 0
    end: int = 0
    kind: Kind = ""
    folded: bool = False
    """Whether what is beneath it is out of sight at first."""

    @property
    def has_bytes(self) -> bool:
        """Whether it was read from bytes that the dump can show."""
        return 0 <= self.start < self.end <= len(self.data)


def fact_at(facts: Sequence[Fact], data: bytes, offset: int) -> int | None:
    """The index of the narrowest fact that was read from a byte; of equals the deepest; None where none was."""
    best: tuple[int, int] | None = None
    found = None
    for index, each in enumerate(facts):
        if each.data is data and each.has_bytes and each.start <= offset < each.end:
            rank = each.start - each.end, each.depth
            if best is None or rank > best:
                best, found = rank, index
    return found


def facts_of(frame: Frame, session: Session) -> list[Fact]:
    """Everything that is known of a frame of a session. Never raises, whatever the bytes."""
    facts = [Fact(0, "frame", f"{frame.number}   {_direction(frame)}"), *_times(frame, session)]
    peer = session.peers.get(frame.peer)
    if peer is not None:
        # Peers without an address are told apart by what they are called here.
        called = f"   {peer.name}" if peer.literal == "''" else ""
        facts.append(Fact(0, "peer", escape(peer.literal, VALUE_CHARACTERS) + called, folded=True))
        facts += _sockaddr(peer, frame, session)
    elif "peer" in frame.meta:
        facts.append(Fact(0, "peer", escape(str(frame.meta["peer"]), VALUE_CHARACTERS)))
    kept = len(frame.payload)
    facts.append(Fact(0, "length", f"{frame.length}" + (f", {kept} kept" if kept != frame.length else "")))
    facts += _flags(frame, session)
    facts += _ancillary(frame)
    if not frame.event:
        facts += _decoded(frame, session)
    return facts


def _direction(frame: Frame) -> str:
    if frame.event:
        return escape(frame.event)
    return "→ sent" if frame.outgoing else "← received"


def _times(frame: Frame, session: Session) -> Iterator[Fact]:
    if frame.time == UNTIMED:
        yield Fact(0, "time", "none: the file has no time for it")
        return
    yield Fact(0, "time", clock(frame.time, 9), folded=True)
    yield Fact(1, "date", date(frame.time))
    yield Fact(1, "epoch", f"{frame.time // 1_000_000_000}.{frame.time % 1_000_000_000:09d}")
    log = session.log
    before = log.time(frame.number - 1) if log.first < frame.number < log.end else UNTIMED
    if before != UNTIMED:
        yield Fact(1, "delta", f"{(frame.time - before) / 1e9:.9f} s")


def _sockaddr(peer: Peer, frame: Frame, session: Session) -> Iterator[Fact]:
    spoken = session.spoken(frame)
    if spoken is None:
        return
    family, protocol = spoken
    try:
        sockaddr = family.pack(protocol, peer.address)
        layout = family.layout(protocol, sockaddr)
        rows = layout.rows(sockaddr)
    except (ValueError, TypeError, OSError, KeyError, IndexError, OverflowError, struct.error):
        return  # an address without a form in bytes, such as a name that was looked up
    size = len(sockaddr)
    yield Fact(1, "sockaddr", f"{layout.name}, {size} bytes", sockaddr, 0, size)
    for row in rows:
        value = escape(f"{row.value} · {row.meaning}", VALUE_CHARACTERS)
        yield Fact(2, escape(row.name), value, sockaddr, row.offset, row.offset + row.size)


def _flags(frame: Frame, session: Session) -> Iterator[Fact]:
    if frame.flags & Flag.TRUNCATED and session.state == "file" and frame.length > len(frame.payload):
        yield Fact(0, "cut", "the file has only its beginning", kind="warning")
    elif frame.flags & Flag.TRUNCATED:
        yield Fact(0, "MSG_TRUNC", "the message was longer than the buffer", kind="warning")
    if frame.flags & Flag.CONTROL_TRUNCATED:
        yield Fact(0, "MSG_CTRUNC", "ancillary data was lost", kind="warning")
    if frame.flags & Flag.OWN:
        yield Fact(0, "MSG_CONFIRM", "this socket sent it: the frame is on the bus")
    elif frame.flags & Flag.LOCAL:
        yield Fact(0, "MSG_DONTROUTE", "it was sent on this host")
    if frame.flags & Flag.END:
        yield Fact(0, "end", "the other end has no more to say")


def _ancillary(frame: Frame) -> Iterator[Fact]:
    for key, value in frame.meta.items():
        if key == "descriptors" and isinstance(value, list):
            for each in value:
                yield Fact(0, "descriptors", f"{escape(str(each), VALUE_CHARACTERS)} (closed)")
        elif key == "control" and isinstance(value, list):
            for each in value:
                name = escape(str(each.get("name", "")), VALUE_CHARACTERS) if isinstance(each, dict) else "control"
                said = control(each) if isinstance(each, dict) else str(each)
                yield Fact(0, name, escape(said, VALUE_CHARACTERS))
        elif key == "credentials" and isinstance(value, dict):
            yield Fact(0, "credentials", escape(" ".join(f"{name} {number}" for name, number in value.items())))
        elif key == "failure" and isinstance(value, dict):
            yield Fact(0, "means", escape(str(value.get("what", "")), VALUE_CHARACTERS))
            for fix in value.get("fixes", ()):
                yield Fact(0, "▸", escape(str(fix), VALUE_CHARACTERS), kind="advice")
        elif key == BEFORE:
            yield Fact(0, "dropped before", escape(f"{value} frames", VALUE_CHARACTERS), kind="warning")
        elif key not in ("event", "connection", "peer"):
            yield from _nested(0, str(key), value)


def _nested(depth: int, name: str, value: Any) -> Iterator[Fact]:
    if isinstance(value, dict) and value:
        yield Fact(depth, escape(name), "")
        for key, each in value.items():
            yield from _nested(depth + 1, str(key), each)
    else:
        yield Fact(depth, escape(name), escape(str(value), VALUE_CHARACTERS))


def _decoded(frame: Frame, session: Session) -> Iterable[Fact]:
    data = frame.payload
    spoken = session.spoken(frame)
    family, protocol = ("", "") if spoken is None else (spoken[0].constant, spoken[1].name)
    root = decode(family, protocol, data, session.service(frame))
    said = escape(root.value, VALUE_CHARACTERS)
    alone = root.children[0] if len(root.children) == 1 else None
    if not said or (alone is not None and root.value == f"{alone.name} {alone.value}".rstrip()):
        # What a single message says stands on the next line.
        said = f"{len(data)} byte{'s' * (len(data) != 1)}"
    yield Fact(0, escape(root.name), said, data, root.start, root.end)
    for depth, node in root.walk():
        value = escape(node.value, VALUE_CHARACTERS)
        place = max(0, node.start), min(node.end, len(data))
        folded = depth > 0 and len(node.children) > MOST_UNFOLDED
        yield Fact(depth + 1, escape(node.name), value, data, *place, folded=folded)
