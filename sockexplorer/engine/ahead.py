"""Finds memory for what comes next in a thread of its own, while the engine fills what was found before.

To find and clear pages takes longer than to fill them. A stream that comes as fast as it is read keeps the engine's
processor busy with both, and leaves another one idle.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections import deque
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

MADV_POPULATE_WRITE = 23
"""madvise(2), Linux 5.14: finds the pages of a mapping, and fails where a write to one would raise SIGBUS."""

Order = tuple[ctypes.Array[ctypes.c_char], int]


class Ahead:
    """Pages of a file's mapping, found in the order in which they were asked for."""

    def __init__(self) -> None:
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._found: deque[tuple[int, bool]] = deque()
        self.waiting = 0
        """Orders whose answer was not taken yet."""
        Thread(target=self._work, daemon=True).start()

    def order(self, memory: mmap.mmap, offset: int, size: int) -> None:
        """Find the pages of so many bytes. The mapping stays until that is done, whoever closes it."""
        self.waiting += 1
        self._orders.put(((ctypes.c_char * size).from_buffer(memory, offset), offset))

    def answers(self) -> Iterator[tuple[int, bool]]:
        """The offsets of orders that are done, and whether their pages are there."""
        while self._found:
            self.waiting -= 1
            yield self._found.popleft()

    def close(self) -> None:
        """End the thread, when it has done what it was asked for."""
        self._orders.put(None)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            window, offset = order
            # ctypes lets the engine go on meanwhile; mmap.madvise() would not.
            failed = madvise(ctypes.addressof(window), len(window), MADV_POPULATE_WRITE)
            self._found.append((offset, not failed))
            # What waits for the next order must keep no mapping.
            del window, order


def _find_madvise() -> Any:
    function = ctypes.CDLL(None).madvise
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return function


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


try:
    madvise = _find_madvise()
except (OSError, AttributeError):
    madvise = None
AVAILABLE = madvise is not None and _processors() > 1
