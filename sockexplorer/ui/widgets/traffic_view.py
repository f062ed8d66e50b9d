"""The rows of one session: only what is in sight is read from the log and drawn."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from sockexplorer.capture.filter import FilterTooSlow, Predicate
from sockexplorer.capture.log import Frame, row_numbers
from sockexplorer.client.hub import Session
from sockexplorer.core.frames import Flag
from sockexplorer.core.text import escape, preview
from sockexplorer.ui.clock import clock
from sockexplorer.ui.widgets.lines import LineView

MATCH_SECONDS = 0.012
"""How long one tick may go through frames for the filter, so that keys are answered meanwhile."""
HEAD_BYTES = 4096
"""How much of a payload a row may look at."""
EVENT_GLYPH = "•"
MATCH_GLYPH = "▌"
"""Stands before a row that passes a filter that hides nothing."""


class TrafficView(LineView):
    """Follows the end unless the person scrolls up; pauses; shows what the filter lets through."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "traffic--in", "traffic--out", "traffic--event", "traffic--problem", "traffic--muted",
        "traffic--match",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Details", id="show-details")]

    class TooSlow(Message):
        """The filter was given up: a frame took it too long."""

        def __init__(self, error: FilterTooSlow) -> None:
            super().__init__()
            self.error = error

    class Followed(Message):
        """Following was switched by moving."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose" and not self.line_count():
            return False  # no row has details
        return super().check_action(action, parameters)

    def __init__(self) -> None:
        super().__init__(id="traffic-view")
        self.session: Session | None = None
        self.following = True
        self.paused_at: int | None = None
        """The row number that the view stops before while it is paused."""
        self.hiding = True
        """Whether rows that do not pass the filter are out of sight; else those that pass are marked."""
        self._predicate: Predicate | None = None
        self._matching: array[int] = row_numbers()
        self._looked = 0
        """The first row number that the filter has not looked at."""
        self._first = 0
        self._seen = (-1, -1)

    # --- which rows ----------------------------------------------------------------------------------------

    def show(self, session: Session | None) -> None:
        """Show another session's rows, from its end."""
        self.session = session
        self.following, self.paused_at = True, None
        self._restart()

    def set_filter(self, predicate: Predicate | None) -> None:
        """Show only rows that the predicate holds for; None shows all."""
        number = self.number_at(self.cursor)
        self._predicate = predicate
        self._restart()
        if not self.following and number is not None and not self._hides:
            self.move_to(self._line_of(number))

    @property
    def filtered(self) -> bool:
        """Whether there is a filter."""
        return self._predicate is not None

    @property
    def _hides(self) -> bool:
        return self._predicate is not None and self.hiding

    def set_hiding(self, hiding: bool) -> None:
        """Hide what the filter leaves out, or only mark what it lets through; the cursor stays on its row."""
        number = self.number_at(self.cursor)
        self.hiding = hiding
        self._seen = (-1, -1)
        if number is not None:
            following = self.following
            self.set_reactive(LineView.cursor, max(0, min(self._line_of(number), self.line_count() - 1)))
            self.lines_changed()
            self.show_cursor_line()
            self.following = following
        self.catch_up()

    def matches(self) -> tuple[int, int]:
        """How many rows pass the filter so far, and how many there are."""
        if self.session is None:
            return 0, 0
        return len(self._matching), max(0, self._end - self.session.log.first)

    def is_match(self, number: int) -> bool:
        """Whether the filter lets a row through."""
        at = bisect_left(self._matching, number)
        return at < len(self._matching) and self._matching[at] == number

    def go_to_match(self, step: int) -> bool:
        """Go to the next row that passes the filter, or the one before; whether there is one."""
        number = self.number_at(self.cursor)
        if number is None:
            return False
        at = bisect_left(self._matching, number)
        at = at - 1 if step < 0 else at + self.is_match(number)
        if not 0 <= at < len(self._matching):
            return False
        self.move_to(self._line_of(self._matching[at]))
        return True

    def _line_of(self, number: int) -> int:
        """The line of a row; where it is hidden, of the next in sight."""
        return bisect_left(self._matching, number) if self._hides else number - self._first

    def _restart(self) -> None:
        self._matching = row_numbers()
        self._looked = self._first = self.session.log.first if self.session else 0
        self._seen = (-1, -1)
        self.set_reactive(LineView.cursor, 0)
        self.catch_up()

    @property
    def behind(self) -> int:
        """Rows that the filter has still to look at."""
        return max(0, self._end - self._looked) if self._predicate and self.session else 0

    @property
    def _end(self) -> int:
        assert self.session is not None
        return self.session.log.end if self.paused_at is None else min(self.paused_at, self.session.log.end)

    def line_count(self) -> int:
        if self.session is None:
            return 0
        if self._hides:
            return len(self._matching)
        return max(0, self._end - self._first)

    def number_at(self, index: int) -> int | None:
        """The row number at a line."""
        if self.session is None or not 0 <= index < self.line_count():
            return None
        return self._matching[index] if self._hides else self._first + index

    def current(self) -> Frame | None:
        """The frame under the cursor."""
        number = self.number_at(self.cursor)
        if number is None or self.session is None:
            return None
        try:
            return self.session.log.frame(number)
        except IndexError:
            return None

    def catch_up(self) -> None:
        """Take in what the log got since the last time; called at the refresh rate, never per frame."""
        if self.session is None:
            if self._seen != (0, 0):
                self._seen = (0, 0)
                self.lines_changed()
            return
        log = self.session.log
        if self._predicate is not None:
            self._match()
        seen = (log.end, len(self._matching))
        trimmed = self._forget(log.first)
        if seen == self._seen and not trimmed:
            return
        self._seen = seen
        self.lines_changed()
        if self.following and self.paused_at is None and self.line_count():
            self.cursor = self.line_count() - 1
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    def _forget(self, first: int) -> bool:
        """Let go of rows that the log dropped, without moving what is in sight."""
        unmatched = bisect_left(self._matching, first)
        gone = unmatched if self._hides else max(0, first - self._first)
        if unmatched:
            del self._matching[:unmatched]
        self._first = max(self._first, first)
        if not gone:
            return False
        self.set_reactive(LineView.cursor, max(0, self.cursor - gone))
        if not self.following:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, immediate=True, force=True)
        return True

    def _match(self) -> None:
        assert self.session is not None
        assert self._predicate is not None
        log, matching, predicate = self.session.log, self._matching, self._predicate
        number, end = max(self._looked, log.first), self._end
        deadline = time.monotonic() + MATCH_SECONDS
        while number < end:
            try:
                matched = predicate(log.frame(number))
            except FilterTooSlow as error:
                self.post_message(self.TooSlow(error))
                self.set_filter(None)
                return
            if matched:
                matching.append(number)
            number += 1
            if not number & 0x3F and time.monotonic() > deadline:
                break
        self._looked = number

    # --- moving --------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        was = self.following
        self.following = index >= self.line_count() - 1
        super().move_to(index)
        if was != self.following:
            self.post_message(self.Followed())

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        # The wheel and the scroll bar move the view without the cursor: at the end it follows again.
        if self.following and new < old and new < self.max_scroll_y - 1:
            self.following = False
            self.post_message(self.Followed())

    def set_following(self, follow: bool) -> None:
        """Follow the end, or stay."""
        self.following = follow
        if follow:
            self.paused_at = None
            self._seen = (-1, -1)
            self.catch_up()

    def pause(self, pause: bool) -> None:
        """Stop at what is there; frames go on into the log."""
        self.paused_at = self.session.log.end if pause and self.session else None
        self._seen = (-1, -1)
        self.catch_up()

    # --- drawing -------------------------------------------------------------------------------------------

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        number = self.number_at(index)
        assert self.session is not None
        try:
            frame = self.session.log.head(number if number is not None else -1, HEAD_BYTES)
        except IndexError:
            return [("", Style())]
        marked = self._predicate is not None and not self.hiding
        if not marked:
            return self.row(frame, self.session, width)
        match = self.is_match(frame.number)
        cells = self.row(frame, self.session, width - len(MATCH_GLYPH))
        if not match:
            return [(" " * len(MATCH_GLYPH), Style()), *cells]
        background = Style(bgcolor=self.get_component_rich_style("traffic--match").bgcolor)
        return [(MATCH_GLYPH, self.tone("traffic--match")), *((text, style + background) for text, style in cells)]

    def row(self, frame: Frame, session: Session, width: int) -> list[tuple[str, Style]]:
        """The columns of a row: number, time, direction, peer, length, preview."""
        muted = self.tone("traffic--muted")
        wide = width >= 100
        peer_width = min(28 if wide else 21, max(9, session.longest_name))
        name = session.peer_name(frame.peer)
        head = f"{frame.number:>{7 if wide else 6}} {clock(frame.time, 6 if wide else 3)} "
        peer = f" {_cut(name, peer_width):<{peer_width}} "
        if frame.event:
            kind = "problem" if frame.event in ("error", "reset", "dropped") else "event"
            style = self.tone(f"traffic--{kind}")
            glyph = {"error": "✗", "reset": "✗", "dropped": "⚠"}.get(frame.event, EVENT_GLYPH)
            cells: list[tuple[str, Style]] = [(head, muted), (glyph, style), (peer, muted), ("       ", muted)]
            return [*cells, (_fit(_event_text(frame), cells, width), style)]
        style = self.tone(f"traffic--{'out' if frame.outgoing else 'in'}")
        marks = _marks(frame)
        cells = [
            (head, muted),
            ("→" if frame.outgoing else "←", style),
            (peer, style),
            (f"{frame.length:>6} ", muted),
            (marks, self.tone("traffic--problem")),
        ]
        if not frame.length:
            return [*cells, ("(empty)", muted)]
        return [*cells, (_fit(_said(frame, session, width), cells, width), Style())]


def _fit(text: str, cells: list[tuple[str, Style]], width: int) -> str:
    """Cut a text to what the cells before it leave of the line, so that it shows that there is more."""
    room = max(8, width - sum(cell_len(each) for each, _ in cells))
    return text if cell_len(text) <= room else f"{set_cell_size(text, room - 1)}…"


def _said(frame: Frame, session: Session, width: int) -> str:
    """One line for a payload: what a decoder makes of it, else the bytes."""
    text = session.summary(frame)
    return escape(text, width) if text else preview(frame.payload, max(16, width))


def _event_text(frame: Frame) -> str:
    text = escape(str(frame.meta.get("text", frame.event)))
    failure = frame.meta.get("failure")
    what = escape(str(failure.get("what", ""))) if isinstance(failure, dict) else ""
    return f"{text}: {what}" if what else text


def _marks(frame: Frame) -> str:
    marks = ""
    if frame.flags & Flag.TRUNCATED:
        marks += "[cut] "
    if frame.flags & Flag.CONTROL_TRUNCATED:
        marks += "[ancillary lost] "
    if descriptors := frame.meta.get("descriptors"):
        marks += f"[{len(descriptors)} descriptor{'s' if len(descriptors) > 1 else ''}] "
    return marks


def _cut(text: str, width: int) -> str:
    """Keep both ends of a name: the port is at the end."""
    if len(text) <= width:
        return text
    keep = (width - 1) // 2
    return f"{text[:keep]}…{text[-(width - 1 - keep) :]}"
