"""The columns of a row of traffic, which a person may choose, and the ways to tell its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from sockexplorer.capture.log import Frame
from sockexplorer.capture.moments import UNTIMED
from sockexplorer.client.heading import said
from sockexplorer.client.protocols import protocol_name
from sockexplorer.client.session import Session
from sockexplorer.core.beside import BEFORE, beside
from sockexplorer.core.frames import Flag
from sockexplorer.core.text import escape
from sockexplorer.ui.clock import clock

TimeMode = Literal["absolute", "relative", "delta"]
TIMES: dict[TimeMode, str] = {
    "absolute": "the time of day",
    "relative": "seconds since the first row",
    "delta": "seconds since the row before in sight",
}
COLUMNS: dict[str, str] = {
    "number": "the row's number, for life",
    "time": "when it was received or sent; from 66 columns on",
    "direction": "← in, → out, ⇠ ⇢ cut short, and signs of events",
    "peer": "the other end, by name where it is known",
    "length": "bytes on the wire; from 52 columns on",
    "protocol": "the protocol; from 100 columns on",
    "summary": "what a decoder says, or the payload",
    "ancillary": "what came beside it, with room: TTL, credentials …",
}
WIDE = 99
"""Cells from which on a row has room: those of a terminal of 100 columns, less the scroll bar."""
LEAST_WIDTHS = {"protocol": WIDE, "time": 65, "length": 51, "number": 37, "peer": 25}
"""Cells from which on a row has a column, for who chose none: the payload has to have room as well."""
EVENT_GLYPH = "•"
LEAST_BESIDE = 12
"""Cells that ancillary data needs to be worth showing."""
BYTES_ONLY = frozenset(("length", "protocol"))
"""Columns that an event has nothing for."""
_EVENT_GLYPHS = {
    "error": "✗", "reset": "✗", "dropped": "⚠", "unkept": "⚠", "unsent": "⚠", "timeout": "⚠", "waits": "…",
    "accepted": "+", "connected": "+", "closed": "○", "option-changed": "≔", "by-number": "#",
}  # fmt: skip
_PROBLEMS = frozenset(("error", "reset"))
_WARNINGS = frozenset(("dropped", "unkept", "unsent", "timeout"))
_CUT = int(Flag.TRUNCATED | Flag.CONTROL_TRUNCATED)
Kind = Literal["problem", "warning", "event", "out", "in"]
KINDS: dict[Kind, tuple[str, str]] = {
    "problem": ("✗", "errors, resets"),
    "warning": ("⚠ ⇠ ⇢", "drops, timeouts, cut short"),
    "event": ("+ ○ ≔ # …", "what else happened to the socket"),
    "out": ("→", "sent"),
    "in": ("←", "received"),
}
"""What a row is, the first that holds: the signs of it, and the words for it."""


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are shown: the way to tell time, and the columns in their order."""

    time: TimeMode = "absolute"
    columns: tuple[str, ...] = tuple(COLUMNS)


Cells = list[tuple[str, Style]]


def row_kind(frame: Frame) -> Kind:
    """What a row is, by which it is coloured where no rule of a person's says otherwise."""
    if event := frame.event:
        return "problem" if event in _PROBLEMS else "warning" if event in _WARNINGS else "event"
    if frame.flags & _CUT:
        return "warning"
    return "out" if frame.outgoing else "in"


def row_sign(frame: Frame) -> str:
    """The sign of what a row is, of one cell."""
    if event := frame.event:
        return _EVENT_GLYPHS.get(event, EVENT_GLYPH)
    if frame.flags & _CUT:
        return "⇢" if frame.outgoing else "⇠"
    return "→" if frame.outgoing else "←"


def row_cells(
    frame: Frame, session: Session, width: int, look: Look, since: int, tone: Callable[[str], Style], rule: str = "", *,
    marks: int = 0,
) -> Cells:  # fmt: skip
    """The cells of a row, ``width`` cells wide. ``since`` is the time (ns) that a relative or delta time counts from.

    ``marks`` are cells of the line that stand before them. ``tone`` gives the style of a `Kind`, of ``text`` and
    ``muted``, and of the colour of a ``rule`` that matched.
    """
    whole = width + marks
    wide = whole >= WIDE
    glyph = row_sign(frame)
    muted, style = tone("muted"), tone(rule or row_kind(frame))
    text_style = style if rule or frame.event else tone("text" if frame.length else "muted")
    cells: Cells = []
    for column in look.columns:
        if look.columns == tuple(COLUMNS) and whole < LEAST_WIDTHS.get(column, 0):
            continue
        if frame.event and (column in BYTES_ONLY or (column == "peer" and not session.peer_in_rows(frame.peer))):
            # What it says has their room.
            continue
        if column == "number":
            cells.append((f"{frame.number:>{7 if wide else 6}} ", muted))
        elif column == "time":
            cells.append((f"{time_text(frame.time, look.time, since, wide=wide)} ", muted))
        elif column == "direction":
            cells.append((f"{glyph} ", style))
        elif column == "peer":
            most = 28 if wide else 21 if whole >= LEAST_WIDTHS["time"] else 15
            room = min(most, max(9, session.longest_name))
            cells.append((name_column(session.peer_in_rows(frame.peer), room), muted if frame.event else style))
        elif column == "length":
            cells.append((f"{frame.length:>6} ", muted))
        elif column == "protocol":
            cells.append((f"{protocol_name(session, frame):<8.8} ", muted))
        elif column == "summary":
            with_beside = "ancillary" in look.columns
            cells += _summary(frame, session, cells, width, text_style, tone, wide=wide, with_beside=with_beside)
    return cells


def time_text(time: int, mode: TimeMode, since: int, *, wide: bool) -> str:
    """The time of a row in as many cells as the width has for it."""
    if mode == "absolute":
        return clock(time, 6 if wide else 3)
    cells = 15 if wide else 12
    return "-".rjust(cells) if UNTIMED in (time, since) else f"{(time - since) / 1e9:>{cells}.6f}"


def _summary(
    frame: Frame, session: Session, before: Cells, width: int, style: Style, tone: Callable[[str], Style], *,
    wide: bool, with_beside: bool,
) -> Cells:  # fmt: skip
    marks = "" if frame.event else _marks(frame)
    room = max(8, width - sum(cell_len(text) for text, _ in before) - cell_len(marks))
    if frame.event:
        return [(_fit(_event_text(frame), room), style)]
    cells = [(marks, tone("warning"))] if marks else []
    payload = said(session, frame, max(16, width)) if frame.length else "(empty)"
    more = escape(beside(frame.meta), width) if with_beside and frame.meta else ""
    if more:
        # The payload comes first: what is beside it gets what is left, and a third of the room where there is much.
        most = max(room // 3 if wide else 0, room - cell_len(payload))
        more = f"  ‹{_fit(more, most - 4)}›" if most >= LEAST_BESIDE else ""
    cells.append((_fit(payload, room - cell_len(more)), style))
    return [*cells, (more, tone("muted"))] if more else cells


def _fit(text: str, room: int) -> str:
    """Cut a text to the cells that are left of the line, so that it shows that there is more."""
    return text if cell_len(text) <= room else f"{set_cell_size(text, room - 1)}…"


def _event_text(frame: Frame) -> str:
    text = escape(str(frame.meta.get("text", frame.event)))
    failure = frame.meta.get("failure")
    what = escape(str(failure.get("what", ""))) if isinstance(failure, dict) else ""
    return f"{text}: {what}" if what else text


def _marks(frame: Frame) -> str:
    marks = f"[{frame.meta[BEFORE]} dropped before] " if isinstance(frame.meta.get(BEFORE), int) else ""
    if frame.flags & Flag.TRUNCATED:
        marks += "[cut] "
    if frame.flags & Flag.CONTROL_TRUNCATED:
        marks += "[ancillary lost] "
    if descriptors := frame.meta.get("descriptors"):
        marks += f"[{len(descriptors)} descriptor{'s' if len(descriptors) > 1 else ''}] "
    return marks


def both_ends(text: str, width: int) -> str:
    """Keep both ends of a name in so many cells: the port is at the end."""
    if cell_len(text) <= width:
        return text
    keep = (width - 1) // 2
    head, tail = set_cell_size(text, keep), text[-(width - 1 - keep) :]
    while cell_len(tail) > width - 1 - keep:
        tail = tail[1:]
    return f"{head}…{tail}"


def name_column(text: str, width: int) -> str:
    """A name in a column of just so many cells, cut in its middle, and the space behind it."""
    return f"{set_cell_size(both_ends(text, width), width)} "
