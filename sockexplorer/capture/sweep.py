"""Going through a log a little at a time, so that whoever asks stays awake."""

from __future__ import annotations

import time
from collections.abc import Callable

from sockexplorer.capture.log import Frame, Log

LOOK_AT_CLOCK = 0x3F
"""The clock is looked at once in so many rows."""


class Sweep:
    """Hands each row of a log to ``take`` once, the oldest first; rows that come later come later."""

    def __init__(self, log: Log, take: Callable[[Frame], None]) -> None:
        self._log = log
        self._take = take
        self.next = log.first
        """The first row that was not looked at."""

    @property
    def behind(self) -> int:
        """How many rows are still to be looked at."""
        return self._log.end - max(self.next, self._log.first)

    def go_on(self, seconds: float) -> bool:
        """Go on for about so long; whether there was anything new."""
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
