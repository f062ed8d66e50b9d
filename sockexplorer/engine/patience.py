"""What a session does while an operation can't be done at once: it waits, it gives up after a time, or it says so.

The three modes are those of ``socket.settimeout()``: None blocks, 0 does not, a number of seconds is a timeout. The
engine's own sockets never block; it waits in its selector, so that every wait can be seen and ended.
"""

from __future__ import annotations

import time

Timeout = float | None
FOR_EVER = "for as long as it takes"
RETRY_SECONDS = 0.02
"""How often a message that does not fit is tried again: poll(2) says nothing of the queue of an unconnected peer."""


def check(timeout: object) -> Timeout:
    """The timeout that a value stands for. Raises ValueError for what ``settimeout()`` refuses."""
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 <= timeout <= 1e9:
        raise ValueError(f"{timeout!r} is no timeout: None, 0 or a number of seconds")
    return float(timeout)


class Wait:
    """One call that waits, such as ``accept()``: since when, and whether its end was told already."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.since = time.monotonic()
        self.told = False

    def again(self) -> None:
        """Something came: the call returned, and is made anew."""
        self.since = time.monotonic()
        self.told = False

    def due(self, timeout: Timeout) -> float | None:
        """Seconds until the call gives up (0 and below: now); None where it waits on or has told."""
        if timeout is None or self.told:
            return None
        return self.since + timeout - time.monotonic()

    def outcome(self, timeout: float) -> str:
        """What Python raises at the end of the wait, as a sentence for the log."""
        if timeout == 0:
            return f"{self.call}() would block: BlockingIOError, EAGAIN. It is called again when something is there"
        return f"{self.call}() timed out after {timeout:g} s: TimeoutError. It is called again"
