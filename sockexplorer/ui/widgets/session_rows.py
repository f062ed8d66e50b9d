"""Which rows of a session are in sight, and which the cursor is on, whatever comes, goes and is filtered."""

from __future__ import annotations

import time

from textual.message import Message

from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterTooSlow, Predicate
from sockexplorer.client.session import Session
from sockexplorer.ui.slices import slice_seconds
from sockexplorer.ui.visible_rows import VisibleRows
from sockexplorer.ui.widgets.lines import LineView


class SessionRows(LineView):
    """Follows the end unless the person scrolls up; pauses; has what the filter lets through. Subclasses draw rows."""

    class TooSlow(Message):
        """The filter was given up: a frame took it too long."""

        def __init__(self, error: FilterTooSlow) -> None:
            super().__init__()
            self.error = error

    class NoMatch(Message):
        """Nothing further passes the filter: the person is at the last row, or the first."""

    def __init__(self, identifier: str) -> None:
        super().__init__(id=identifier)
        self.session: Session | None = None
        self.rows = VisibleRows()
        self.following = True
        self._predicate: Predicate | None = None
        self._place: int | None = None
        """The row that the person was at before other rows came in sight; None where they moved since."""
        self._placed = True
        """Whether the cursor is on that row, or as near as it gets."""
        self._steps = 0
        """How many rows that pass the filter to go on, or back: it has not looked so far yet."""
        self._seen: tuple[int, int, int] | None = None

    # --- which rows ----------------------------------------------------------------------------------------

    def show(self, session: Session | None) -> None:
        """Show another session's rows, from its end."""
        self.session = session
        # What was captured is read from its beginning.
        self.following, self.rows.paused_at = session is None or session.live, None
        self._place = None
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
        self._seen = None
        self.catch_up()

    def go_to_match(self, step: int) -> None:
        """Go to the next row that passes the filter, or the one before, as soon as the filter has looked so far."""
        self._steps += step
        self._go_to_match()

    def _go_to_match(self) -> None:
        while steps := self._steps:
            step = 1 if steps > 0 else -1
            number = self.number_at(self.cursor) if self._placed or self._place is None else self._place
            if not self.rows.knows_match_beside(number, step):
                return
            match = None if number is None else self.rows.match_beside(number, step)
            if match is None:
                self._steps = 0
                self.post_message(self.NoMatch())
                return
            self.jump_to(self.rows.line_of(match))
            self._steps = steps - step
            # The last line that is known is not the end yet.
            self.following = self.following and not self.rows.behind

    def go_to(self, number: int) -> bool:
        """Go to a row, or to the next in sight where it is hidden; whether it is in sight, as far as is known."""
        self.jump_to(min(self.rows.line_of(number), self.line_count() - 1))
        if not self.rows.knows_line_of(number):
            self._place, self._placed, self.following = number, False, False
            return True
        return self.number_at(self.cursor) == number

    def _restart(self) -> None:
        self.rows.begin(self.session, self._predicate)
        self._seen = None
        self._steps = 0
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

    @property
    def end(self) -> int:
        """One more than the number of the newest row that `catch_up` has taken in; 0 where all is to be drawn anew."""
        return self._seen[0] if self._seen else 0

    def catch_up(self) -> None:
        """Take in what the log got since the last time; called at the refresh rate, never per frame."""
        if self.session is None:
            if self._seen is None:
                self._seen = 0, 0, 0
                self.lines_changed()
            return
        log = self.session.log
        self._sift()
        seen = log.end, len(self.rows.matching), len(log.reread)
        trimmed = self._forget(log.first)
        changed, self._seen = seen != self._seen or trimmed, seen
        if changed:
            self.lines_changed()
            self._go_to_end()
        self._go_to_place()
        self._go_to_match()

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
            self._placed = self.rows.knows_line_of(self._place)

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
            self.rows.sift(time.monotonic() + slice_seconds(self, self.session))
        except FilterTooSlow as error:
            self.post_message(self.TooSlow(error))
            self.set_filter(None)

    # --- moving --------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        self.following = index >= self.line_count() - 1
        self._place, self._steps = None, 0
        super().move_to(index)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        # The wheel and the scroll bar move the view without the cursor.
        if self.following and new < old and new < self.max_scroll_y - 1 and not self._in_sight:
            self.following = False

    def on_mouse_scroll_down(self) -> None:
        self.call_later(self._follow_from_end)

    def on_scroll_to(self) -> None:
        self.call_later(self._follow_from_end)

    def _follow_from_end(self) -> None:
        """Who went to the end with the mouse follows it, as with a key."""
        lives = self.session is not None and self.session.live and self.rows.paused_at is None
        if lives and not self.following and self.scroll_y >= self.max_scroll_y > 0:
            self.set_following(True)

    def set_following(self, follow: bool) -> None:
        """Follow the end, or stay."""
        self.following = follow
        if follow:
            self.rows.paused_at = None
            self._seen = None
            self.catch_up()

    def stay(self) -> None:
        """Follow the end no more, so that the cursor stays on its row."""
        self.following = False

    def pause(self, pause: bool) -> None:
        """Stop at what is there; frames go on into the log."""
        self.rows.paused_at = self.session.log.end if pause and self.session else None
        self._seen = None
        self.catch_up()
