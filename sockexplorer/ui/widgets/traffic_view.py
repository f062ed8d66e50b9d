"""How the rows of a session look: only what is in sight is read from the log and drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.color import Color
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from sockexplorer.capture.moments import UNTIMED
from sockexplorer.client.session import Session
from sockexplorer.ui.columns import Look, row_cells
from sockexplorer.ui.rules import COLOURS, SIGNS, Painter, Rule, colour_of
from sockexplorer.ui.widgets.session_rows import SessionRows

HEAD_BYTES = 4096
"""How much of a payload a row may look at."""
MOST_UNTIMED = 1000
"""Rows without a time ahead of the one that seconds count from."""
MATCH_GLYPH = "▌"
"""Stands before a row that passes a filter that hides nothing."""


class TrafficView(SessionRows):
    """`SessionRows` as a person has chosen to see them: columns, times, bookmarks, colours."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "traffic--in", "traffic--out", "traffic--event", "traffic--warning", "traffic--problem", "traffic--muted",
        "traffic--text", "traffic--match",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Details", id="show-details")]

    class RuleTooSlow(Message):
        """A colour rule was given up: rows took it too long."""

        def __init__(self, rule: Rule) -> None:
            super().__init__()
            self.rule = rule

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose" and not self.line_count():
            return False  # no row has details
        return super().check_action(action, parameters)

    def __init__(self) -> None:
        super().__init__("traffic-view")
        self.look = Look()
        self._began: dict[int, int] = {}
        """The time of the first row of each session, which may be gone from the log."""
        self._bookmarks: dict[int, set[int]] = {}
        self.rules: tuple[Rule, ...] = ()
        self._painter: Painter | None = None
        self._given_up: set[Rule] = set()
        self._reread = 0

    def show(self, session: Session | None) -> None:
        """Show another session's rows, from its end."""
        self._painter = self._painter_of(session)
        super().show(session)

    def catch_up(self) -> None:
        if self.session is not None and self.session.number not in self._began and len(log := self.session.log):
            times = map(log.time, range(log.first, min(log.end, log.first + MOST_UNTIMED)))
            self._began[self.session.number] = next((each for each in times if each != UNTIMED), UNTIMED)
        if self.session is not None and len(self.session.log.reread) != self._reread:
            self._reread, self._painter = len(self.session.log.reread), self._painter_of(self.session)
        super().catch_up()

    @property
    def began(self) -> int:
        """The time of the first row of the session, from which seconds count, in ns since the epoch."""
        return 0 if self.session is None else self._began.get(self.session.number, 0)

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
        self.jump_to(self.rows.line_of(target))
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
        self._painter = self._painter_of(self.session)
        self.refresh()

    def _painter_of(self, session: Session | None) -> Painter | None:
        if not self.rules or session is None:
            return None
        return Painter(self.rules, session, self._give_up, without=self._given_up)

    def _give_up(self, rule: Rule) -> None:
        self._given_up.add(rule)
        self.post_message(self.RuleTooSlow(rule))

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
            colour: Style = self._once(kind, lambda: self._colour(kind))
            return colour
        return self.tone(f"traffic--{kind}")

    def _colour(self, kind: str) -> Style:
        ground = self.rich_style.bgcolor
        return Style(color=self.readable(colour_of(kind, own=ground is None or ground.triplet is None)))
