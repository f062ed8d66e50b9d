"""When a verb that goes on has to stop: a signal, or its time is over."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 0.5
"""Seconds for what had come before it was time to stop."""
LONGEST = 5.0
"""Seconds for a reader who takes what had come, but slowly."""


class Stopped(Exception):
    """Raised where a write would block on after it was time to stop."""


class Stop:
    """Signals are noted, and act where the verb looks; within `interruptible` they raise `Stopped`.

    A signal that was ignored when we started (``nohup``, a shell's background job) stays ignored.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.signal = 0
        """The signal that came, 0 for none."""
        self._due_since: float | None = None
        """When it was first seen that it is time to stop."""
        self._blocking = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def within(self, seconds: float) -> None:
        """Make it time to stop in so many seconds."""
        self.deadline = time.monotonic() + seconds

    @property
    def due(self) -> bool:
        """Whether it is time to stop."""
        return bool(self.signal) or (self.deadline is not None and time.monotonic() >= self.deadline)

    def late(self, taken: float) -> bool:
        """Whether what waits to be written has to be given up: it has been time to stop for longer than `GRACE`, and
        nobody took anything meanwhile; or for longer than `LONGEST`.

        ``taken`` is when somebody took something last, as of time.monotonic().
        """
        if not self.due:
            return False
        now = time.monotonic()
        if self._due_since is None:
            self._due_since = now
        return now - max(self._due_since, taken) >= GRACE or now - self._due_since >= LONGEST

    @property
    def patience(self) -> float:
        """How long one wait may take, in seconds."""
        left = 0.1 if self.deadline is None else self.deadline - time.monotonic()
        return max(0.0, min(0.1, left))

    def status(self, interrupted: int = 130) -> int:
        """The exit status after a signal: 128 and its number, ``interrupted`` for Ctrl-C; 0 without one."""
        if not self.signal:
            return 0
        return interrupted if self.signal == signal.SIGINT else 128 + self.signal

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Around a call that may block. Raises `Stopped` when a signal comes meanwhile."""
        self._blocking = True
        try:
            yield
        finally:
            self._blocking = False

    def _caught(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        if self._blocking:
            raise Stopped
