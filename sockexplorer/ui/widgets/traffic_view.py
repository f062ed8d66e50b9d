"""The rows of one session: only what is in sight is read from the log and drawn."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.color import Color
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterTooSlow, Predicate
from sockexplorer.client.session import Session
from sockexplorer.ui.columns import Look, row_cells
from sockexplorer.ui.rules import COLOURS, SIGNS, Painter, Rule, colour_of
from sockexplorer.ui.visible_rows import VisibleRows
from sockexplorer.ui.widgets.lines import LineView

MATCH_SECONDS = 0.012
"""How long one tick may go through frames for the filter, so that keys are answered meanwhile."""
HEAD_BYTES = 4096
"""How much of a payload a row may look at."""
MATCH_GLYPH = "▌"
"""Stands before a row that passes a filter that hides nothing."""


class TrafficView(LineView):
    """Follows the end unless the person scrolls up; pauses; shows what the filter lets through."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "traffic--in", "traffic--out", "traffic--event", "traffic--warning", "traffic--problem", "traffic--muted",
        "traffic--text", "traffic--match",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Details", id="show-details")]

    class TooSlow(Message):
        """The filter was given up: a frame took it too long."""

        def __init__(self, error: FilterTooSlow) -> None:
            super().__init__()
            self.error = error

    class RuleTooSlow(Message):
        """A colour rule was given up: rows took it too long."""

        def __init__(self, rule: Rule) -> None:
            super().__init__()
            self.rule = rule

    class Followed(Message):
        """Following was switched by moving."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose" and not self.line_count():
            return False  # no row has details
        return super().check_action(action, parameters)

    def __init__(self) -> None:
        super().__init__(id="traffic-view")
        self.session: Session | None = None
        self.rows = VisibleRows()
        self.following = True
        self._predicate: Predicate | None = None
        self._place: int | None = None
        """The row that the person was at before other rows came in sight; None where they moved since."""
        self._placed = True
        """Whether the cursor is on that row, or as near as it gets."""
        self._seen = (-1, -1)
        self.look = Look()
        self._began: dict[int, int] = {}
        """The time of the first row of each session, which may be gone from the log."""
        self._bookmarks: dict[int, set[int]] = {}
        self.rules: tuple[Rule, ...] = ()
        self._painter: Painter | None = None
        self._given_up: set[Rule] = set()

    # --- which rows ----------------------------------------------------------------------------------------

    def show(self, session: Session | None) -> None:
        """Show another session's rows, from its end."""
        self.session = session
        # What was captured is read from its beginning.
        self.following, self.rows.paused_at = session is None or session.live, None
        self._place = None
        self._repaint()
        self._restart()

    def set_filter(self, predicate: Predicate | None) -> None:
        """Show only rows that the predicate holds for; None shows all. The cursor stays on its row, or near it."""
        self._keep_place()
        self._predicate = predicate
        self._restart()

    @property
    def filtered(self) -> bool:
        """Whether there is a filter."""
        return self._predicate is not None

    def set_hiding(self, hiding: bool) -> None:
        """Hide what the filter leaves out, or only mark what it lets through; the cursor stays on its row."""
        self._keep_place()
        self.rows.hiding = hiding
        self._seen = (-1, -1)
        self.catch_up()

    def go_to_match(self, step: int) -> bool:
        """Go to the next row that passes the filter, or the one before; whether there is one."""
        number = self.number_at(self.cursor)
        match = None if number is None else self.rows.match_beside(number, step)
        if match is None:
            return False
        self.move_to(self.rows.line_of(match))
        return True

    def go_to(self, number: int) -> bool:
        """Go to a row, or to the next in sight where it is hidden; whether it is in sight."""
        self.move_to(min(self.rows.line_of(number), self.line_count() - 1))
        return self.number_at(self.cursor) == number

    @property
    def began(self) -> int:
        """The time of the first row of the session, from which seconds count, in ns since the epoch."""
        return 0 if self.session is None else self._began.get(self.session.number, 0)

    def _restart(self) -> None:
        self.rows.begin(self.session, self._predicate)
        self._seen = (-1, -1)
        self.set_reactive(LineView.cursor, 0)
        self.catch_up()

    def line_count(self) -> int:
        return self.rows.line_count()

    def number_at(self, index: int) -> int | None:
        """The row number at a line."""
        return self.rows.number_at(index)

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
        if self.session.number not in self._began and len(log):
            self._began[self.session.number] = log.time(log.first)
        self._sift()
        seen = (log.end, len(self.rows.matching))
        trimmed = self._forget(log.first)
        changed, self._seen = seen != self._seen or trimmed, seen
        if changed:
            self.lines_changed()
            self._go_to_end()
        self._go_to_place()

    @property
    def _goes_along(self) -> bool:
        """Whether the cursor is on the last row, whatever comes."""
        return self.following and self.rows.paused_at is None

    def _go_to_end(self) -> None:
        if self._goes_along and self.line_count():
            self.cursor = self.line_count() - 1
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    def _keep_place(self) -> None:
        """Before other rows come in sight: remember which row the person is at, until they move."""
        if self._place is None:
            self._place = self.number_at(self.cursor)
        self._placed = False

    def _go_to_place(self) -> None:
        """Put the cursor on the row that the person was at, or near it: the filter may not have looked there yet."""
        if self._goes_along:
            self._place = None
        if self._place is not None and not self._placed:
            self.cursor = self.rows.line_of(self._place)
            self.show_cursor_line()
            self._placed = self.rows.has_looked_at(self._place)

    def on_resize(self) -> None:
        # Several changes of size may come as one, and rows that were in sight between them with it.
        self._go_to_end()

    def _forget(self, first: int) -> bool:
        """Let go of rows that the log dropped, without moving what is in sight."""
        gone = self.rows.forget(first)
        if not gone:
            return False
        self.set_reactive(LineView.cursor, max(0, self.cursor - gone))
        if not self._goes_along:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, immediate=True, force=True)
        return True

    def _sift(self) -> None:
        try:
            self.rows.sift(time.monotonic() + MATCH_SECONDS)
        except FilterTooSlow as error:
            self.post_message(self.TooSlow(error))
            self.set_filter(None)

    # --- bookmarks and columns -----------------------------------------------------------------------------

    @property
    def bookmarks(self) -> set[int]:
        """The numbers of the rows of this session that the person marked; those that are gone as well."""
        return self._bookmarks.get(self.session.number, set()) if self.session else set()

    def switch_bookmark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        number = self.number_at(self.cursor)
        if self.session is not None and number is not None:
            self._bookmarks.setdefault(self.session.number, set()).__ixor__({number})
            self.refresh()

    def go_to_bookmark(self, step: int) -> bool:
        """Go to the next bookmark, or the one before, round the ends; whether there is one in sight."""
        number = self.number_at(self.cursor)
        shown = sorted(each for each in self.bookmarks if self.number_at(self.rows.line_of(each)) == each)
        if number is None or not shown:
            return False
        if step > 0:
            target = next((each for each in shown if each > number), shown[0])
        else:
            target = next((each for each in reversed(shown) if each < number), shown[-1])
        self.move_to(self.rows.line_of(target))
        return True

    def set_look(self, look: Look) -> None:
        """Show other columns, or time in another way."""
        self.look = look
        self.refresh()

    # --- colour rules --------------------------------------------------------------------------------------

    def set_rules(self, rules: tuple[Rule, ...]) -> None:
        """Colour rows by other rules; what was given up is tried again."""
        self.rules = rules
        self._given_up.clear()
        self._repaint()
        self.refresh()

    def _repaint(self) -> None:
        self._painter = None
        if self.rules and self.session is not None:
            self._painter = Painter(self.rules, self.session, self._give_up, without=self._given_up)

    def _give_up(self, rule: Rule) -> None:
        self._given_up.add(rule)
        self.post_message(self.RuleTooSlow(rule))

    # --- moving --------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        was = self.following
        self.following = index >= self.line_count() - 1
        self._place = None
        super().move_to(index)
        if was != self.following:
            self.post_message(self.Followed())

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        # The wheel and the scroll bar move the view without the cursor.
        if self.following and new < old and new < self.max_scroll_y - 1 and not self._in_sight:
            self.following = False
            self.post_message(self.Followed())

    def set_following(self, follow: bool) -> None:
        """Follow the end, or stay."""
        self.following = follow
        if follow:
            self.rows.paused_at = None
            self._seen = (-1, -1)
            self.catch_up()

    def stay(self) -> None:
        """Follow the end no more, so that the cursor stays on its row."""
        if self.following:
            self.following = False
            self.post_message(self.Followed())

    def pause(self, pause: bool) -> None:
        """Stop at what is there; frames go on into the log."""
        self.rows.paused_at = self.session.log.end if pause and self.session else None
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
        since = self._since(index, frame.time) if self.look.time != "absolute" else 0
        gutter = self._gutter(frame.number)
        rule = self._painter.rule_of(frame.number) if self._painter else -1
        colour = self.rules[rule].colour if rule >= 0 else ""
        sign = [(SIGNS[rule] if colour else " ", self._tone(colour or "muted"))] if self.rules else []
        marks = len(gutter) + len(sign)
        cells = row_cells(
            frame, self.session, width - marks, self.look, since, self._tone, colour, marks=marks
        )  # fmt: skip
        cells = [*sign, *cells]
        if not gutter:
            return cells
        if self.rows.hiding or self.few_colours or not self.rows.is_match(frame.number):
            return [(gutter, self.tone("traffic--match")), *cells]
        background = Style(bgcolor=self.get_component_rich_style("traffic--match").bgcolor)
        cells.append((" " * width, Style()))
        return [(gutter, self.tone("traffic--match")), *((text, style + background) for text, style in cells)]

    def _gutter(self, number: int) -> str:
        """What stands before a row: whether it is bookmarked, and whether it passes a filter that only marks."""
        marks = self.bookmarks
        gutter = ("◆" if number in marks else " ") if marks else ""
        if self.rows.marks:
            gutter += MATCH_GLYPH if self.rows.is_match(number) else " "
        return gutter

    def _since(self, index: int, time: int) -> int:
        """What a relative time counts from: the first row that was seen, or the row above."""
        assert self.session is not None
        if self.look.time == "relative":
            return self._began.get(self.session.number, time)
        before = self.number_at(index - 1)
        try:
            return time if before is None else self.session.log.time(before)
        except IndexError:
            return time

    def backgrounds(self) -> tuple[Color | None, ...]:
        if self.few_colours:
            return super().backgrounds()
        return *super().backgrounds(), self.get_component_rich_style("traffic--match").bgcolor

    def _tone(self, kind: str) -> Style:
        if kind in COLOURS:
            ground = self.rich_style.bgcolor
            return Style(color=self.readable(colour_of(kind, own=ground is None or ground.triplet is None)))
        return self.tone(f"traffic--{kind}")
