"""What a session does while an operation can't be done at once: it waits, it gives up after a time, or it says so.

The three modes are those of ``socket.settimeout()``: None blocks, 0 does not, a number of seconds is a timeout. The
engine's own sockets never block; it waits in its selector, so that every wait can be seen and ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockexplorer.engine.session import Session

Timeout = float | None
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


class Patience:
    """How long the calls of a session wait, and the one that waits for something to come."""

    def __init__(self, session: Session) -> None:
        """Raises ValueError for an endpoint's timeout that ``settimeout()`` refuses."""
        self._session = session
        self.timeout = check(session.endpoint.timeout)
        """As of ``settimeout()``: None blocks, 0 does not, any other number is seconds."""
        self._wait: Wait | None = None

    def set_timeout(self, timeout: object) -> None:
        """From here on, as ``settimeout()``. Raises ValueError for what that refuses."""
        self.timeout = check(timeout)
        self._wait = None
        self._session.changed = True

    def something_came(self) -> None:
        """The call that waits has returned, and is made anew."""
        if self._wait is not None:
            self._wait.again()

    @property
    def call(self) -> str:
        """The call that a program with this socket would be in: ``connect``, ``accept``, ``recv``; "" for none."""
        state = self._session.state
        if state == "connecting":
            return "connect"
        if state == "listening":
            return "accept"
        return "recv" if state in ("bound", "open", "connected") and self._session.operations is None else ""

    def sentence(self) -> str:
        """What is waited for, as a sentence without its end; "" where nothing is."""
        session = self._session
        if messages := len(session.sending.outbox):
            return f"send() waits for room in the peer's queue: {messages} messages"
        if unsent := session.unsent:
            return f"send() waits until the peer reads: {unsent} bytes"
        if self.call == "connect":
            return f"connect() waits for {session.protocol.connect_waits}"
        return "accept() waits for a peer" if self.call == "accept" and not session.connections else ""

    def tick(self) -> float | None:
        """End the wait whose time is over; seconds until it is, None where none will be."""
        call = self.call
        if self.timeout is None or not call:
            return None
        if self._wait is None or self._wait.call != call:
            self._wait = Wait(call)
        due = self._wait.due(self.timeout)
        if due is None or due > 0:
            return due
        self._time_is_over(self._wait, self.timeout)
        return None

    def _time_is_over(self, wait: Wait, timeout: float) -> None:
        session = self._session
        wait.told = True
        if wait.call != "connect":
            session.spool.event("timeout", wait.outcome(timeout))
        elif timeout == 0:
            session.spool.event("waits", "connect() returned at once: BlockingIOError, EINPROGRESS. The kernel goes on")
        else:
            error = TimeoutError(f"timed out after {timeout:g} s, waiting for {session.protocol.connect_waits}")
            session.fail(session.explain("connect", error))
