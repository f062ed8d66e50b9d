"""A capture file as a session shows itself: frames, peers with names, and what payloads say."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sockexplorer.capture.log import Frame
from sockexplorer.capture.provenance import see, socket_of
from sockexplorer.capture.reading import Record
from sockexplorer.capture.recording import ELSEWHERE, TOLD, TRUNCATED
from sockexplorer.client.session import MOST_OF_NAME, Peer
from sockexplorer.core.beside import BEFORE
from sockexplorer.core.family import Family
from sockexplorer.core.frames import Flag
from sockexplorer.core.literal import read_literal
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.decoders import summary
from sockexplorer.decoders.fields import Value, field_values
from sockexplorer.families import find

MOST_PEERS = 100_000
"""Peers that get a number; frames name further ones in their metadata, as an engine's do."""
LONGEST_LITERAL = 1024
TOLD_APART = (*ELSEWHERE, "comments")
"""Metadata that other parts of a file tell."""
DEEPEST = 8
"""How deep a value that came beside a frame may be nested; ancillary data has lists of objects."""


class Peers(dict[int, Peer]):
    """Peers by their numbers, each made when it is asked for: of the thousands of a large file few come in sight."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        """Path and literal of each, by its number less one."""

    def __missing__(self, number: int) -> Peer:
        if not 0 < number <= len(self.told):
            raise KeyError(number)
        path, literal = self.told[number - 1]
        address, name, in_rows = _address(path, literal)
        peer = self[number] = Peer(number, address, literal, name, row_name=in_rows)
        return peer

    def get(self, number: int, default: Any = None) -> Any:
        return self[number] if number in self or 0 < number <= len(self.told) else default


class Opened:
    """What a capture tells of, frame by frame. ``peers`` and the methods are those of a `Session`.

    A frame's metadata has ``socket``: ``inet/udp``, or ``link type 147`` where no family of sockets has such frames.
    """

    def __init__(self) -> None:
        self.peers = Peers()
        self.sockets: set[str] = set()
        """The sockets of the frames so far."""
        self._numbers: dict[tuple[str, str], int] = {}
        self._numbering = threading.Lock()
        self._count = 0

    def frame(self, record: Record, number: int | None = None) -> Frame:
        """The frame that a socket would have given. Never raises: what the file says amiss is shown as it is.

        ``number`` is that of the frame in the file; without it, the next.
        """
        seen, outgoing = see(record), bool(record.outgoing)
        length = record.length + len(seen.payload) - len(record.data)
        meta, rest = _beside(seen.said.meta)
        if record.dropped:
            meta[BEFORE] = record.dropped
        meta["socket"] = socket = socket_of(seen.path, record.interface.link_type)
        self.sockets.add(socket)
        if comments := [*seen.said.rest, *rest]:
            meta["comments"] = comments
        flags = seen.said.flags & (TOLD | TRUNCATED) | Flag.META | (Flag.OUT if outgoing else 0)
        if record.length > len(record.data):
            flags |= Flag.TRUNCATED
        peer = self.number(seen.path, seen.peer)
        if seen.peer is not None and not peer:
            meta["peer"] = seen.peer
        self._count = self._count + 1 if number is None else number
        return Frame(self._count, record.time, max(0, length), peer, int(flags), seen.payload, meta)

    def peer_name(self, number: int) -> str:
        """The shown name of a peer, "" for none."""
        peer = self.peers.get(number)
        return peer.name if peer else ""

    def summary(self, frame: Frame) -> str:
        """One line for a payload that says more than its bytes, "" where they say it best; not escaped."""
        known = protocol_of(str(frame.meta.get("socket", "")))
        peer = self.peers.get(frame.peer)
        if known is None:
            return ""
        return summary(known[0].constant, known[1].name, frame.payload, None if peer is None else peer.address)

    def spoken(self, frame: Frame) -> tuple[Family, Protocol] | None:
        """The family and protocol of a frame, None where no family of sockets has such frames."""
        return protocol_of(str(frame.meta.get("socket", "")))

    def fields(self, frame: Frame) -> dict[str, list[Value]]:
        """What decoders read in a payload, by name."""
        known = protocol_of(str(frame.meta.get("socket", "")))
        peer = self.peers.get(frame.peer)
        if known is None:
            return {}
        return field_values(known[0].constant, known[1].name, frame.payload, None if peer is None else peer.address)

    def service(self, frame: Frame) -> object:
        """The address of a frame's peer, None for none."""
        peer = self.peers.get(frame.peer)
        return None if peer is None else peer.address

    def number(self, path: str, literal: str | None) -> int:
        """The number of a peer, a new one for one that is new; 0 for none, and for what there are too many of.

        Any thread may ask.
        """
        if literal is None or len(literal) > LONGEST_LITERAL:
            return 0
        number = self._numbers.get((path, literal))
        if number is None:
            with self._numbering:
                if len(self._numbers) >= MOST_PEERS:
                    return self._numbers.get((path, literal), 0)
                number = self._numbers.get((path, literal))
                if number is None:
                    self.peers.told.append((path, literal))
                    number = self._numbers[path, literal] = len(self.peers.told)
        return number


def _beside(said: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What came beside a frame; and, as comments, what its file says of that and no recording of ours would."""
    believed, rest = dict[str, Any](), []
    for key, value in said.items():
        if not _plain(value):
            rest.append(f"{key}: …")
        elif key in TOLD_APART or (key == "descriptors" and not isinstance(value, list)):
            rest.append(f"{key}: {value}")
        else:
            believed[key] = value
    return believed, rest


def _plain(value: object, depth: int = 0) -> bool:
    """Whether a value can be written as JSON again, however deep the stack is."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth < DEEPEST and all(_plain(each, depth + 1) for each in inner)
    return not isinstance(value, float) or math.isfinite(value)


@lru_cache(maxsize=256)
def protocol_of(path: str) -> tuple[Family, Protocol] | None:
    """The family and protocol of ``inet/udp``, None where there is no such."""
    if "/" not in path:
        return None
    with contextlib.suppress(KeyError, ValueError):
        return find(path)
    return None


def name_of(path: str, literal: str) -> tuple[object, str]:
    """The address that a literal is, None for what is none; its shown name, escaped."""
    known = protocol_of(path)
    try:
        address = read_literal(literal)
        # No address has a list or the like in it: TypeError.
        hash(address)
    except (ValueError, TypeError):
        return None, escape(literal, MOST_OF_NAME)
    return address, escape(literal if known is None else known[0].text(address), MOST_OF_NAME)


def _address(path: str, literal: str) -> tuple[object, str, str]:
    """As `name_of`, and the name that a row has instead, "" for none."""
    address, name = name_of(path, literal)
    known = None if address is None else protocol_of(path)
    return address, name, "" if known is None else escape(known[0].row_text(address), MOST_OF_NAME)
