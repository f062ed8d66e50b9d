"""Going through a log a little at a time, so that whoever asks stays awake."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from sockexplorer.capture.log import Frame, Log, row_numbers

if TYPE_CHECKING:
    from sockexplorer.capture.sifting import Sift

LOOK_AT_CLOCK = 0x3F
"""The clock is looked at once in so many rows."""


class Sweep:
    """Hands each row of a log to ``take`` once, the oldest first; rows that come later come later."""

    def __init__(self, log: Log, take: Callable[[Frame], None], numbers: array[int] | None = None) -> None:
        """``numbers``: only these rows, of a log that gets no more."""
        self._numbers = numbers
        self._log = log
        self._take = take
        self.next = log.first
        """The first row that was not looked at."""

    @property
    def behind(self) -> int:
        """How many rows are still to be looked at."""
        if self._numbers is not None:
            return len(self._numbers) - bisect_left(self._numbers, self.next)
        return self._log.end - max(self.next, self._log.first)

    def go_on(self, seconds: float) -> bool:
        """Go on for about so long; whether there was anything new."""
        if self._numbers is not None:
            return self._go_on_with(self._numbers, time.monotonic() + seconds)
        number, end = max(self.next, self._log.first), self._log.end
        deadline = time.monotonic() + seconds
        began = number
        while number < end:
            self._take(self._log.frame(number))
            number += 1
            if not number & LOOK_AT_CLOCK and time.monotonic() > deadline:
                break
        self.next = number
        return number > began

    def _go_on_with(self, numbers: array[int], deadline: float) -> bool:
        begin = bisect_left(numbers, self.next)
        for asked, at in enumerate(range(begin, len(numbers)), 1):
            self._take(self._log.frame(numbers[at]))
            self.next = numbers[at] + 1
            if not asked & LOOK_AT_CLOCK and time.monotonic() > deadline:
                break
        return begin < len(numbers)


class SiftedSweep:
    """A `Sweep` of the rows that a sift lets through, which finds them faster than they can be read. ``take`` gets the
    numbers of some at a time, of which the log may have dropped the first."""

    def __init__(self, log: Log, take: Callable[[array[int]], None], sift: Sift) -> None:
        self._log = log
        self._take = take
        self._sift = sift
        self._found = row_numbers()
        self._handed = 0
        """How many of these rows were handed on."""
        self._next = log.first

    @property
    def behind(self) -> int:
        """How many rows are still to be looked at."""
        return self._log.end - max(self._next, self._log.first) + len(self._found) - self._handed

    def go_on(self, seconds: float) -> bool:
        """Go on for about so long; whether there was anything new."""
        deadline, began = time.monotonic() + seconds, self.behind
        while True:
            while self._handed < len(self._found):
                some = self._found[self._handed : self._handed + LOOK_AT_CLOCK + 1]
                self._handed += len(some)
                self._take(some)
                if time.monotonic() > deadline:
                    return True
            number, end = max(self._next, self._log.first), self._log.end
            if number >= end:
                break
            self._next, self._found = self._sift.go_on(number, end, deadline)
            self._handed = 0
            if not self._found and (self._next == number or time.monotonic() > deadline):
                break
        return self.behind != began
