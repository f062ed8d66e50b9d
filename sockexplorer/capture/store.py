"""Where a log's spool is: a file that an engine can share, or memory of this process where there can be none."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Protocol

from sockexplorer.core.frames import PAGE

PIECE = 2**20


class Store(Protocol):
    """Bytes by offset. What lies before `PAGE` are the spool's counters."""

    descriptor: int | None
    """Of the file, for an engine to write into; None where only this process can."""
    counters: memoryview

    @property
    def size(self) -> int:
        """Bytes up to the end, holes included."""

    def read(self, size: int, offset: int) -> bytes: ...
    def view(self, size: int, offset: int) -> memoryview:
        """As `read`, without a copy where that can be: it stands until what is there is given back."""

    def write(self, data: memoryview, offset: int) -> None:
        """Raises OSError."""

    def give_back(self, begin: int, end: int) -> None:
        """Free the memory between two offsets, multiples of `PAGE`; it reads as zeros."""

    def close(self) -> None:
        """Nothing may be read or written afterwards. Called twice, it does nothing."""


class FileStore:
    """A file without a name, in memory or in ``directory``. Raises OSError."""

    def __init__(self, directory: Path | None = None) -> None:
        in_memory = directory is None and hasattr(os, "memfd_create")
        if in_memory:
            descriptor = os.memfd_create("sockexplorer spool")
        else:
            with tempfile.TemporaryFile(dir=directory) as file:
                descriptor = os.dup(file.fileno())
        try:
            os.ftruncate(descriptor, PAGE)
            page = mmap.mmap(descriptor, PAGE)
        except OSError:
            os.close(descriptor)
            raise
        self.descriptor: int | None = descriptor
        self._file = descriptor
        self.counters = memoryview(page).cast("Q")
        # Of a file on a disk, a part that can't be read would be SIGBUS in place of OSError.
        self._mappable = in_memory
        self._map: mmap.mmap | None = None
        self._end = weakref.finalize(self, _let_go, descriptor, page, self.counters)

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def read(self, size: int, offset: int) -> bytes:
        return os.pread(self._file, size, offset)

    def view(self, size: int, offset: int) -> memoryview:
        end = offset + size
        if self._mappable and (self._map is None or len(self._map) < end):
            try:
                # A view that somebody still has keeps an older mapping.
                self._map = mmap.mmap(self._file, self.size, access=mmap.ACCESS_READ)
            except (OSError, OverflowError):  # no address space (RLIMIT_AS), or no descriptor, which a mapping takes
                self._mappable = False
        if self._map is None or len(self._map) < end:
            return memoryview(self.read(size, offset))
        return memoryview(self._map)[offset:end]

    def write(self, data: memoryview, offset: int) -> None:
        done = 0
        while done < len(data):
            done += os.pwrite(self._file, data[done:], offset + done)

    def give_back(self, begin: int, end: int) -> None:
        if sys.platform == "linux":
            # fallocate(2) with FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE; where that can't be, they stay.
            import ctypes

            with contextlib.suppress(OSError, AttributeError):
                fallocate = ctypes.CDLL(None).fallocate
                fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
                fallocate(self._file, 3, begin, end - begin)

    def close(self) -> None:
        self._map = None
        self._end()


def _let_go(descriptor: int, page: mmap.mmap, counters: memoryview) -> None:
    counters.release()
    page.close()
    os.close(descriptor)


class MemoryStore:
    """Pieces of a megabyte, made when they are written to."""

    def __init__(self) -> None:
        self.descriptor: int | None = None
        self.counters = memoryview(bytearray(PAGE)).cast("Q")
        self._pieces: dict[int, bytearray] = {}

    @property
    def size(self) -> int:
        return PIECE * (max(self._pieces, default=-1) + 1)

    def read(self, size: int, offset: int) -> bytes:
        parts = []
        while size > 0:
            index, at = divmod(offset, PIECE)
            part = min(size, PIECE - at)
            piece = self._pieces.get(index)
            parts.append(bytes(part) if piece is None else bytes(memoryview(piece)[at : at + part]))
            size, offset = size - part, offset + part
        return b"".join(parts)

    def view(self, size: int, offset: int) -> memoryview:
        return memoryview(self.read(size, offset))

    def write(self, data: memoryview, offset: int) -> None:
        done = 0
        while done < len(data):
            index, at = divmod(offset + done, PIECE)
            part = min(len(data) - done, PIECE - at)
            piece = self._pieces.get(index)
            if piece is None:
                piece = self._pieces[index] = bytearray(PIECE)
            piece[at : at + part] = data[done : done + part]
            done += part

    def give_back(self, begin: int, end: int) -> None:
        for index in range(begin // PIECE, end // PIECE):
            self._pieces.pop(index, None)

    def close(self) -> None:
        self._pieces.clear()


def files_are_limited() -> bool:
    """Whether files may grow only so far (RLIMIT_FSIZE, ``ulimit -f``): that would hold for a spool as well."""
    import resource

    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
