"""Which rows a filter lets through."""

from __future__ import annotations

import time
from array import array

from sockexplorer.capture.captured_log import Rows
from sockexplorer.capture.log import row_numbers
from sockexplorer.capture.predicate import Predicate


class Sift:
    """Asks a predicate of row after row. `go_on` may raise what the predicate raises."""

    def __init__(self, rows: Rows, predicate: Predicate) -> None:
        self._rows = rows
        self._predicate = predicate

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        """Go on with the rows from ``number`` until ``deadline``, as of time.monotonic(): the first that was not looked
        at, and the numbers of those that pass.
        """
        matching = row_numbers()
        while number < end:
            if self._predicate(self._rows.frame(number)):
                matching.append(number)
            number += 1
            # After each: one row may take a regular expression as long as all others together.
            if time.monotonic() > deadline:
                break
        return number, matching
