"""Messages that the kernel has no room for yet: tried again until it takes them, or until their time is over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sockexplorer.engine.failure import Failure
from sockexplorer.engine.patience import RETRY_SECONDS, Timeout

Send = Callable[[], int]
Done = Callable[[int | Failure], None]
"""Called once with the bytes that were taken, or with why none were."""
LIMIT = 10_000
"""Messages that may wait; whoever sends more is refused."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    send: Send
    explain: Callable[[OSError], Failure]
    done: Done
    since: float


class Outbox:
    """The waiting messages of one session, in the order that they were given."""

    def __init__(self) -> None:
        self._messages: deque[_Waiting] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, send: Send, explain: Callable[[OSError], Failure], done: Done) -> None:
        """Try ``send`` again later; ``explain`` is for what it raises then."""
        self._messages.append(_Waiting(send, explain, done, time.monotonic()))

    def flush(self, timeout: Timeout) -> float | None:
        """Send what the kernel takes; what is over its ``timeout`` fails. Seconds until the next try, None for none."""
        while self._messages:
            first = self._messages[0]
            try:
                outcome: int | Failure = first.send()
            except BlockingIOError:
                if timeout is None or time.monotonic() - first.since < timeout:
                    return RETRY_SECONDS
                error = TimeoutError(f"timed out after {timeout:g} s: the peer's queue is full")
                outcome = first.explain(error)
            except OSError as error:
                outcome = first.explain(error)
            self._messages.popleft()
            first.done(outcome)
        return None

    def give_up(self, failure: Failure) -> None:
        """Tell everyone who waits that nothing will be sent any more."""
        while self._messages:
            self._messages.popleft().done(failure)
