"""Which rows of a large capture file a filter lets through: columns are asked of many rows at once, and what they can't
tell, of each by itself.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left

from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.column_answers import ColumnAnswers
from sockexplorer.capture.log import row_numbers
from sockexplorer.capture.predicate import Predicate, Test
from sockexplorer.capture.sifting import Sift

SLICE_ROWS, SLICE_LOTS, SLICE_BYTES = 2**18, 2**14, 4 * 2**20
"""How much is looked at together: rows, rows in lots, and bytes of the file where payloads are searched."""


class ColumnSift(Sift):
    """A `Sift` of a large capture file. Rows wait until their origins are known."""

    def __init__(self, log: CapturedLog, predicate: Predicate, test: Test) -> None:
        super().__init__(log, predicate)
        self._log = log
        self._answers = ColumnAnswers(log, test)
        self._waiting: list[int] = []
        """Rows of the slice up to `_until` that are to be asked of the predicate, the last first."""
        self._certain, self._told_certain = row_numbers(), 0
        """Rows of it that pass for certain, and how many of them were told."""
        self._until = 0

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        matching = row_numbers()
        known = self._log.origins.rows
        while number < end:
            if self._until <= number and not self._look(number, end, known, deadline):
                break
            number = self._ask(deadline, matching)
            if time.monotonic() > deadline:
                break
        return number, matching

    def _look(self, number: int, end: int, known: int, deadline: float) -> bool:
        """Have the columns answer for the next slice; whether they know that far. Origins are ``known`` of so many
        rows."""
        from sockexplorer.capture.arrays import numpy

        answers, first = self._answers, number - 1
        last = min(end - 1, first + SLICE_ROWS, known if answers.needs_origin else end)
        if last > first and answers.searches:
            last = min(last, self._within(first, last))
        if answers.asks_heads:
            last = min(last, first + SLICE_LOTS)
        if last <= first or not (answers.ask_names(deadline) and answers.learn(first, last, deadline)):
            return False
        yes, no = answers.of(first, last)
        rows = numpy.flatnonzero(~no) + number
        certain = yes[rows - number]
        self._waiting = rows[~certain][::-1].tolist()
        self._certain, self._told_certain = row_numbers(), 0
        self._certain.frombytes(rows[certain].astype("u8").tobytes())
        self._until = last + 1
        return True

    def _within(self, first: int, last: int) -> int:
        """The row after those that begin within `SLICE_BYTES` of the first."""
        offset = self._log.index.columns.offset
        while last - first > 1 and offset[last - 1] - offset[first] > SLICE_BYTES:
            last = first + (last - first) // 2
        return last

    def _ask(self, deadline: float, matching: array[int]) -> int:
        """Ask the predicate of rows that columns can't tell; the first that is not known then."""
        while self._waiting:
            number = self._waiting.pop()
            self._tell(number, matching)
            if self._predicate(self._rows.frame(number)):
                matching.append(number)
            if time.monotonic() > deadline:
                break
        known = self._waiting[-1] if self._waiting else self._until
        self._tell(known, matching)
        return known

    def _tell(self, end: int, matching: array[int]) -> None:
        """Hand on what passes for certain of the rows ahead of one."""
        at = bisect_left(self._certain, end, self._told_certain)
        matching.extend(self._certain[self._told_certain : at])
        self._told_certain = at


def rows_of(log: CapturedLog, peer: int) -> array[int]:
    """The numbers of the rows with the peer of a number; what is of no known origin is among them."""
    from sockexplorer.capture.arrays import numpy

    table = numpy.array([True, *(each.number == peer for each in log.origins.named)])
    numbers, column = row_numbers(), log.index.columns.origin
    for first in range(0, log.index.count, SLICE_ROWS):
        part = numpy.frombuffer(column[first : min(log.index.count, first + SLICE_ROWS)], "u4")
        numbers.frombytes((numpy.flatnonzero(table[part]) + (first + 1)).astype("u8").tobytes())
    return numbers
