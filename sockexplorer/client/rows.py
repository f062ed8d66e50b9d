"""Frames as lines: a JSON object each, or a line for people with a hex dump below where that is wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sockexplorer.capture.moments import UNTIMED
from sockexplorer.client.heading import said
from sockexplorer.core.frames import Flag
from sockexplorer.core.payload import hex_lines
from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

SECOND = 1_000_000_000
NO_CLOCK = "-".ljust(15)
"""Stands for the time of a frame of which the capture has none."""
# Plain numbers: combining members of an IntFlag costs more than all the rest of a line.
TRUNCATED, CONTROL_TRUNCATED = int(Flag.TRUNCATED), int(Flag.CONTROL_TRUNCATED)
LOCAL, OWN = int(Flag.LOCAL), int(Flag.OWN)
BESIDE = int(Flag.META | Flag.CONTROL_TRUNCATED | Flag.LOCAL | Flag.OWN)
INTERNAL = ("peer", "event", "text", "failure", "socket")
"""Metadata that is told elsewhere, not ancillary data."""


@lru_cache(maxsize=8)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@lru_cache(maxsize=8)
def _local(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


def stamp(moment: int) -> str:
    """ISO 8601 in UTC, with nanoseconds; "" for no time."""
    if moment == UNTIMED:
        return ""
    return f"{_utc(moment // SECOND)}.{moment % SECOND:09d}Z"


def peer_literal(session: Session | Opened, frame: Frame) -> str | None:
    """The peer's address as a Python literal, None where the frame has none."""
    peer = session.peers.get(frame.peer)
    literal = peer.literal if peer else frame.meta.get("peer")
    return None if literal in (None, "None") else str(literal)


def ancillary(frame: Frame) -> dict[str, Any] | None:
    """What came beside the payload, as JSON values; ``truncated`` when some of it was lost."""
    if not frame.flags & BESIDE:
        return None
    meta = {key: value for key, value in frame.meta.items() if key not in INTERNAL}
    if frame.flags & CONTROL_TRUNCATED:
        meta["truncated"] = True
    if frame.flags & (LOCAL | OWN):
        meta["sent_by"] = "this socket" if frame.flags & OWN else "this host"
    return meta or None


@lru_cache(maxsize=1024)
def _quoted(text: str | None) -> str:
    return json.dumps(text)


def as_json(number: int, session: Session | Opened, frame: Frame, fields: dict[str, Any] | None = None) -> str:
    """The frame as one line of JSON, all ASCII; ``fields`` are what decoders read, None where nobody asked."""
    # Spelled out: json.dumps() of a new dictionary takes three times as long, and a flood has a line for each frame.
    beside = ancillary(frame)
    return (
        f'{{"n": {number}, "time": {_quoted(stamp(frame.time) or None)}, "dir": "{"out" if frame.outgoing else "in"}", '
        f'"peer": {_quoted(peer_literal(session, frame))}, "length": {frame.length}, '
        f'"payload": "{frame.payload.hex()}", "truncated": {"true" if frame.flags & TRUNCATED else "false"}, '
        f'"ancillary": {"null" if beside is None else json.dumps(beside)}{_of_file(frame)}'
        + ("}" if fields is None else f', "fields": {json.dumps(fields)}}}')
    )


def _of_file(frame: Frame) -> str:
    """What a frame of a capture file has besides: ``socket``."""
    return f', "socket": {json.dumps(frame.meta["socket"])}' if "socket" in frame.meta else ""


def as_text(session: Session | Opened, frame: Frame, width: int | None = None) -> str:
    """The frame as one safe line, cut to ``width``: time, direction, peer, length, what it says or a preview."""
    moment = f"{_local(frame.time // SECOND)}.{frame.time % SECOND // 1000:06d}" if frame.time != UNTIMED else NO_CLOCK
    name = session.peer_name(frame.peer) or escape(frame.meta.get("peer", "-"))
    if "socket" in frame.meta:
        name = f"{escape(frame.meta['socket'])} {name}"
    cut = " (cut)" if frame.flags & TRUNCATED else ""
    beside = ancillary(frame)
    if frame.flags & LOCAL and beside is not None and not frame.flags & OWN:
        # On a virtual bus it is true of every frame: people need no word for it.
        del beside["sent_by"]
    extra = "" if not beside else f"  {escape(json.dumps(beside, ensure_ascii=False))}"
    line = f"{moment}  {'→' if frame.outgoing else '←'}  {name}  {frame.length:>5}{cut}  {said(session, frame)}{extra}"
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def dump(frame: Frame) -> Iterator[str]:
    """The payload as rows of a hex dump."""
    for offset, digits, text in hex_lines(frame.payload):
        yield f"    {offset:04x}  {digits}  {text}"
