"""Keeping what stands before apart from what follows, for other processors and for the kernel."""

from __future__ import annotations

import threading


class Fence:
    """A barrier for loads and stores of memory that is shared with somebody who does not take our locks.

    Where a processor reorders them, only releasing and taking a lock, of all that Python has, holds them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def __call__(self) -> None:
        self._lock.release()
        self._lock.acquire()
