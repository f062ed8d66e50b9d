"""Which parts of a spool's file are full: the engine, which fills them, and the client, which frees them, both know.

The file is parted into units of `UNIT` bytes. An engine fills one after the other, and one again when the client has
let go of everything in it: to find, clear and free pages costs several times what it costs to fill them. Where the next
block is not behind the last, a block of `sockexplorer.core.frames.NEXT` says where it is.

Two measures must be told apart: an *offset* is a place in the file, a *position* counts the bytes of all blocks so far.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from sockexplorer.core.frames import HOLES, PAGE

UNIT = 4 * 2**20
MARKED = PAGE - HOLES
"""Units of which the counters' page can say that they were given back."""


def begin_of(unit: int) -> int:
    """The offset of a unit's first byte that blocks may have: the file's first page has the counters."""
    return unit * UNIT or PAGE


class Units:
    """The units that are full, in the order of their filling."""

    def __init__(self) -> None:
        self._current = 0
        self._full: deque[tuple[int, int]] = deque()
        """Each with the position up to which the client has to let go."""

    def went_on(self, offset: int, position: int) -> Iterator[int]:
        """Blocks end at an offset, one behind the other; yields the units that were entered since."""
        while offset >= (self._current + 1) * UNIT:
            self._full.append((self._current, position))
            self._current += 1
            yield self._current

    def jumped(self, offset: int, position: int) -> int:
        """The next block is at an offset, of a unit that was free; that unit."""
        self._full.append((self._current, position))
        self._current = offset // UNIT
        return self._current

    @property
    def used(self) -> set[int]:
        """Those that hold something that is needed, or are being filled."""
        return {self._current, *(unit for unit, _ in self._full)}

    def let_go(self, position: int) -> Iterator[int]:
        """Everything ahead of a position is not needed any more; yields the units that are free by that."""
        while self._full and self._full[0][1] <= position:
            yield self._full.popleft()[0]
