"""When Python's garbage collector goes through everything: when nobody types.

A full pass over the widgets and what is cached for drawing takes a tenth of a second, and while a flood is drawn one
would be due every second. Passes over young objects take no time worth mention and stay as they are.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

BETWEEN_SECONDS = 10.0
"""Seconds from one full pass to the next, at least."""
REST_SECONDS = 1.0
"""How long nobody must have pressed anything before one begins."""
LONGEST_SECONDS = 120.0
"""Who types on and on gets one all the same: what waits to be freed is memory."""
_NEVER = 2**31 - 1


class Collector:
    """Times the full passes of one application. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pressed = self._passed = clock()
        self._before: tuple[int, int, int] | None = None

    def begin(self) -> None:
        """From here on full passes wait for `tick`. What exists now stays: no pass goes through it."""
        gc.freeze()
        gc.enable()
        if self._before is None:
            self._before = gc.get_threshold()
            gc.set_threshold(*self._before[:2], _NEVER)

    def pressed(self) -> None:
        """Somebody pressed a key or a button of the mouse."""
        self._pressed = self._clock()

    @property
    def rests(self) -> bool:
        """Whether nobody has pressed anything for a while."""
        return self._clock() - self._pressed >= REST_SECONDS

    def tick(self) -> bool:
        """Make a full pass if it is time for one; whether it was."""
        now = self._clock()
        waited = now - self._passed
        if waited < BETWEEN_SECONDS or (not self.rests and waited < LONGEST_SECONDS):
            return False
        gc.collect()
        self._passed = self._clock()
        return True

    def end(self) -> None:
        """Leave the collector as it was."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            self._before = None
