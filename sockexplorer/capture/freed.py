"""What a log needs no more of its spool's file: some of it the engine fills again, the rest goes back to the system."""

from __future__ import annotations

from sockexplorer.capture.store import Store
from sockexplorer.core.fence import Fence
from sockexplorer.core.frames import HOLES, RELEASED
from sockexplorer.core.units import MARKED, UNIT, Units, begin_of

KEPT = 192 * 2**20
"""Bytes that were filled and freed, and are there for the engine: to find new pages costs it more than to fill them."""


class Freed:
    """Follows the blocks of a ``store`` as a log takes them in, and lets go of units as the log lets go of blocks."""

    def __init__(self, store: Store, most: int = KEPT) -> None:
        """``most`` is how many bytes are kept for the engine; 0 where none shares the file."""
        self.most = most
        self._store = store
        self._units = Units()
        self._free: set[int] = set()
        """Units that the engine may fill again, as far as it was not seen to have done so."""
        self._fence = Fence()

    def went_on(self, offset: int, position: int) -> None:
        """The blocks that were taken in end at an offset, behind the last one, and at a position."""
        self._free.difference_update(self._units.went_on(offset, position))

    def jumped(self, offset: int, position: int) -> None:
        """The next block is elsewhere."""
        self._free.discard(self._units.jumped(offset, position))

    def let_go(self, position: int) -> None:
        """Nothing ahead of a position is needed any more."""
        counters = self._store.counters
        for unit in self._units.let_go(position):
            if len(self._free) * UNIT < self.most:
                self._free.add(unit)
            else:
                # Ahead of the word that it is free: once the engine knows, it may be filling it.
                self._store.give_back(begin_of(unit), (unit + 1) * UNIT)
                if unit < MARKED:
                    counters.cast("B")[HOLES + unit] = 1
        # What was read of the units, and the marks, come ahead of the word that they are free.
        self._fence()
        counters[RELEASED] = position

    def over(self) -> None:
        """Nobody fills the file any more: what is free in it, or was made ready, goes back to the system."""
        self.most = 0
        self._free.clear()
        used = self._units.used
        for unit in range(-(-self._store.size // UNIT)):
            if unit not in used:
                self._store.give_back(begin_of(unit), (unit + 1) * UNIT)
