"""Where in a shared spool's file the next block goes: behind the last, or where the client has let go of older ones.

Memory that was filled before is at hand: it is written to by way of a mapping, without a call of the kernel. For new
memory the kernel is called: its own writes find pages more cheaply than faults of a mapping do, one by one. See
`sockexplorer.core.units`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
from bisect import insort

from sockexplorer.core.fence import Fence
from sockexplorer.core.frames import HOLES, NEXT_BYTES, PAGE, RELEASED, pack_next
from sockexplorer.core.units import MARKED, UNIT, Units, begin_of
from sockexplorer.engine import ahead

MAPPED = 2**31
"""Bytes that the first mapping covers, of which the file may have few: the rest are holes. Each one that follows covers
twice as many, since with it all pages of the one before have to be found again."""
F_GET_SEALS = 1034
"""fcntl(2): refused for files on disks, whose pages may be missing when a mapping is written to."""
FOUND_AT_ONCE = 4
"""Units whose pages `Places.prepare` finds at once. To clear and map those of one takes as long."""
HURRIED = 8
"""Units that `Places.hurry` has ready: as many as are filled until it is asked again."""


class Places:
    """The places of a file. ``counters`` are the spool's, with what the client says in them."""

    def __init__(self, file: int, counters: memoryview) -> None:
        self._file = file
        self._counters = counters
        self._holes = counters.cast("B")[HOLES:]
        self.offset = self.position = PAGE
        """Where the next block goes, and how many bytes of blocks there were, the counters' page included."""
        self._until = UNIT
        """Where the units end that are being filled."""
        self._units = Units()
        self._new = 1
        """The first unit that was never used."""
        self._free: list[int] = []
        """In order: the first are filled first, as the fewer are in use, the more are in the processor's caches."""
        self._at_hand: set[int] = set()
        """Units whose pages are in the mapping, unless they are marked as holes since."""
        self._found: set[int] = set()
        """Free units whose pages were found and not cleared yet: to write to them by a call is cheaper than that."""
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None
        self._base = 0
        """The mapping's address."""
        self._fence = Fence()
        self.mappable = _in_memory(file)
        """Whether there may be memory at hand: the file is in memory, and could be mapped so far."""
        self._ahead: ahead.Ahead | None = None

    def find(self, size: int) -> None:
        """Have room for a block of ``size`` bytes at ``offset``. Raises OSError where the file takes no more."""
        size = (size + 7) & ~7
        if self.offset + size + NEXT_BYTES <= self._until:
            return
        self._look()
        unit, count = self._units_for(size + NEXT_BYTES)
        if unit * UNIT != self._until:
            try:
                os.pwrite(self._file, pack_next(begin_of(unit)), self.offset)
            except OSError:
                for each in range(unit, unit + count):
                    insort(self._free, each)
                raise
            self.position += NEXT_BYTES
            self.offset = begin_of(unit)
            self._units.jumped(self.offset, self.position)
        self._until = (unit + count) * UNIT

    def _units_for(self, size: int) -> tuple[int, int]:
        """The first of the units that so many bytes go to, and how many there are, one behind the other."""
        free, count = self._free, -(-(size + PAGE) // UNIT)
        for at in range(len(free) - count + 1):
            if free[at + count - 1] == free[at] + count - 1:
                found = free[at]
                del free[at : at + count]
                for unit in range(found, found + count):
                    if unit in self._found:
                        self._found.discard(unit)
                    else:
                        self._have_at_hand(unit)
                return found, count
        found = self._new
        # They may begin in what is left of the last one.
        missing = size - (self._until - self.offset if self._until == found * UNIT else 0)
        count = -(-missing // UNIT)
        self._new += count
        return found, count

    def took(self, size: int) -> None:
        """A block of so many bytes, a multiple of 8, is where there was room for it."""
        self.offset += size
        self.position += size
        for _ in self._units.went_on(self.offset, self.position):
            pass

    @property
    def left(self) -> int:
        """Bytes that blocks may take of the units that are being filled, a multiple of 8."""
        return max(0, self._until - NEXT_BYTES - self.offset) & -8

    @property
    def at_hand(self) -> bool:
        """Whether `memory` is likely to give some for the next block, for which `find` has still to be asked."""
        return self._view is not None and self.offset // UNIT in self._at_hand

    def memory(self, size: int) -> memoryview | None:
        """The memory of the room that was found, where it is at hand: what is written to it is in the file.

        `fence` has to stand between that and the word of it.
        """
        if self._view is None or not self._is_at_hand(size):
            return None
        return self._view[self.offset : self.offset + size]

    def address(self, size: int) -> int | None:
        """Where that memory is."""
        return self._base + self.offset if self._view is not None and self._is_at_hand(size) else None

    def _is_at_hand(self, size: int) -> bool:
        first, last = self.offset // UNIT, (self.offset + size - 1) // UNIT
        return all(unit in self._at_hand for unit in range(first, last + 1))

    def fence(self) -> None:
        """Hold what was written to `memory` ahead of what follows."""
        self._fence()

    @property
    def free(self) -> int:
        """Bytes of the units that are known to be free; `find` may learn of more."""
        return len(self._free) * UNIT

    def prepare(self, wanted: int) -> bool:
        """Find more room ahead of a flood, for a millisecond or two, until ``wanted`` bytes are free and at hand.

        Whether there is more to do. Raises OSError where the file takes no more.
        """
        self._look()
        if self.free < wanted:
            if self._new == 1:
                os.posix_fallocate(self._file, self.offset, UNIT - self.offset)
                self._have_at_hand(0)
            for _ in range(min(FOUND_AT_ONCE, -(-(wanted - self.free) // UNIT))):
                os.posix_fallocate(self._file, self._new * UNIT, UNIT)
                self._found.add(self._new)
                insort(self._free, self._new)
                self._new += 1
        elif self._found and self.mappable:
            first = min(self._found)
            self._found.discard(first)
            self._have_at_hand(first)
        return self.free < wanted or (bool(self._found) and self.mappable)

    def hurry(self) -> None:
        """Have `HURRIED` units at hand as soon as may be, found on another processor: see `ahead.Ahead`."""
        self._look()
        if not self.mappable or not ahead.AVAILABLE:
            return
        while len(self._free) + (self._ahead.waiting if self._ahead else 0) < HURRIED and self._new < MARKED:
            end = (self._new + 1) * UNIT
            try:
                memory = self._mapped(end)
                self._ahead = self._ahead or ahead.Ahead()
            except (OSError, ValueError, OverflowError, RuntimeError):  # the last of a thread that can't be started
                self._map_no_more()
                return
            self._ahead.order(memory, end - UNIT, UNIT)
            self._new += 1

    def close(self) -> None:
        """Let go of the mapping and of the counters."""
        self._holes.release()
        if self._ahead is not None:
            self._ahead.close()
        self._unmap()

    def _unmap(self) -> None:
        if self._view is not None:
            self._view.release()
            self._view = None
        if self._map is not None:
            # A window that somebody still has keeps the mapping until it goes.
            with contextlib.suppress(BufferError):
                self._map.close()
            self._map = None

    def _look(self) -> None:
        """See what the client has let go of, and what was found ahead."""
        released = self._counters[RELEASED]
        # What it gave back is marked, ahead of that word.
        self._fence()
        for unit in self._units.let_go(released):
            insort(self._free, unit)
        for offset, found in self._ahead.answers() if self._ahead else ():
            unit = offset // UNIT
            insort(self._free, unit)
            if found and self.mappable:
                self._at_hand.add(unit)

    def _have_at_hand(self, unit: int) -> None:
        """Have the pages of a unit that was filled before in the mapping; without it goes as well."""
        if not self.mappable or unit >= MARKED:
            return
        if unit in self._at_hand and not self._holes[unit]:
            return
        self._at_hand.discard(unit)
        self._holes[unit] = 0
        try:
            self._mapped((unit + 1) * UNIT).madvise(ahead.MADV_POPULATE_WRITE, unit * UNIT, UNIT)
            self._at_hand.add(unit)
        except (OSError, ValueError, OverflowError, AttributeError):
            self._map_no_more()

    def _map_no_more(self) -> None:
        # No other unit is looked at again from here on, so that none may be taken to be at hand: a write to a hole
        # where the file system is full would be the end of this process.
        self.mappable = False
        self._unmap()

    def _mapped(self, end: int) -> mmap.mmap:
        """The mapping, of the file up to ``end`` at least, and so far that it has hardly to be made again.

        Raises OSError, ValueError or OverflowError.
        """
        if self._map is not None and len(self._map) >= end:
            return self._map
        twice = 0 if self._map is None else 2 * len(self._map)
        size = max(-(-end // MAPPED) * MAPPED, twice, os.fstat(self._file).st_size & -UNIT)
        if os.fstat(self._file).st_size < size:
            os.ftruncate(self._file, size)
        made = mmap.mmap(self._file, size)
        self._unmap()
        self._map, self._view = made, memoryview(made)
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(made))
        return made


def _in_memory(file: int) -> bool:
    try:
        fcntl.fcntl(file, F_GET_SEALS)
    except OSError:
        return False
    return hasattr(mmap.mmap, "madvise")
