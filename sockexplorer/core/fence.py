"""Keeping what stands before apart from what follows, for other processors and for the kernel."""

from __future__ import annotations

import threading


class Fence:
    """A barrier for loads and stores of memory that is shared with somebody who does not take our locks.

    Where a processor reorders them, nothing in Python but to release and take a lock keeps them in order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def __call__(self) -> None:
        self._lock.release()
        self._lock.acquire()
