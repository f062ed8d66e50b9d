"""Which rows of a session's log are in sight, and on which line each is: what a filter lets through, up to a pause.

Rows have the numbers of the log, lines count from 0.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from sockexplorer.capture.log import row_numbers

if TYPE_CHECKING:
    from sockexplorer.capture.predicate import Predicate
    from sockexplorer.capture.sifting import Sift
    from sockexplorer.client.session import Session


class VisibleRows:
    """The rows of one session. `sift` and `forget` keep them in line with the log."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.paused_at: int | None = None
        """The row number that is stopped before while it is paused."""
        self.hiding = True
        """Whether rows that do not pass the filter are out of sight; else those that pass are marked."""
        self.matching: array[int] = row_numbers()
        """The numbers of the rows that pass the filter, as far as it has looked."""
        self._predicate: Predicate | None = None
        self._sift: Sift | None = None
        self._looked = 0
        """The first row number that the filter has not looked at."""
        self._reread = 0
        """How many rows that were read again it has taken in."""
        self._first = 0

    def begin(self, session: Session | None, predicate: Predicate | None) -> None:
        """Have the rows of a session, those that the predicate holds for; None lets all through."""
        self.session = session
        self.matching = row_numbers()
        self._predicate = predicate
        self._sift = session.sift(predicate) if session is not None and predicate is not None else None
        self._reread = 0 if session is None else len(session.log.reread)
        self._looked = self._first = session.log.first if session is not None else 0

    # --- the filter ----------------------------------------------------------------------------------------

    @property
    def hides(self) -> bool:
        """Whether there are rows out of sight for a filter."""
        return self._sift is not None and self.hiding

    @property
    def marks(self) -> bool:
        """Whether there is a filter that only marks."""
        return self._sift is not None and not self.hiding

    @property
    def behind(self) -> int:
        """Rows that the filter has still to look at."""
        return max(0, self.end - self._looked) if self._sift is not None else 0

    def sift(self, until: float) -> None:
        """Have the filter look at what it has not seen, until that ``time.monotonic()``. Raises `FilterTooSlow`."""
        if self.session is not None and self._sift is not None and self._predicate is not None:
            if anew := self.session.log.reread[self._reread :]:
                self._look_again(self.session, min(anew), self._predicate)
                self._reread += len(anew)
            number = max(self._looked, self.session.log.first)
            self._looked, matching = self._sift.go_on(number, self.end, until)
            self.matching.extend(matching)

    def _look_again(self, session: Session, number: int, predicate: Predicate) -> None:
        """Have the filter look at the rows from a number on again, so far as it has."""
        if number < self._looked:
            del self.matching[bisect_left(self.matching, number) :]
            self._looked, self._sift = number, session.sift(predicate)

    def knows_line_of(self, number: int) -> bool:
        """Whether `line_of` a row will stay what it is: the filter has found it, or the next in sight."""
        return not self.hides or not self.behind or (len(self.matching) > 0 and self.matching[-1] >= number)

    def matches(self) -> tuple[int, int]:
        """How many rows pass the filter so far, and how many there are."""
        if self.session is None:
            return 0, 0
        return len(self.matching), max(0, self.end - self.session.log.first)

    def is_match(self, number: int) -> bool:
        """Whether the filter lets a row through."""
        at = bisect_left(self.matching, number)
        return at < len(self.matching) and self.matching[at] == number

    def match_beside(self, number: int, step: int) -> int | None:
        """The next row that passes the filter, or the one before where ``step`` is negative; None for none."""
        at = bisect_left(self.matching, number)
        at = at - 1 if step < 0 else at + self.is_match(number)
        return self.matching[at] if 0 <= at < len(self.matching) else None

    def knows_match_beside(self, number: int | None, step: int) -> bool:
        """Whether `match_beside` a row will stay what it is; of None, whether all was looked at."""
        if not self.behind:
            return True
        if number is None:
            return False
        return self._looked >= number if step < 0 else len(self.matching) > 0 and self.matching[-1] > number

    # --- lines ---------------------------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """The number behind the last row; 0 without a session."""
        if self.session is None:
            return 0
        return self.session.log.end if self.paused_at is None else min(self.paused_at, self.session.log.end)

    def line_count(self) -> int:
        """How many rows are in sight."""
        return len(self.matching) if self.hides else max(0, self.end - self._first)

    def line_of(self, number: int) -> int:
        """The line of a row; where it is hidden, of the next in sight."""
        return bisect_left(self.matching, number) if self.hides else number - self._first

    def number_at(self, line: int) -> int | None:
        """The row number at a line, None where there is none."""
        if not 0 <= line < self.line_count():
            return None
        return self.matching[line] if self.hides else self._first + line

    def forget(self, first: int) -> int:
        """Let go of the rows before ``first``, which the log dropped; how many lines are gone."""
        unmatched = bisect_left(self.matching, first)
        gone = unmatched if self.hides else max(0, first - self._first)
        if unmatched:
            del self.matching[:unmatched]
        self._first = max(self._first, first)
        return gone
