"""A capture file that is looked at in any order: mapped for what goes through all of it, read for a single record."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
from pathlib import Path

from sockexplorer.capture.reading import Window

FIRST_PIECE = 4096


class MappedFile:
    """A regular file as it was when it was opened, or `extend` was called. Raises OSError, also for what is no regular
    file.

    A mapping whose file is cut off under it kills the process that touches it (SIGBUS, mmap(2)). `whole` is to be
    asked before each stretch; single records are read with pread(2), which comes back short instead.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(self._fd)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            self.size = found.st_size
            self.mtime_ns, self.ctime_ns = found.st_mtime_ns, found.st_ctime_ns
            self.mapping = mmap.mmap(self._fd, self.size, access=mmap.ACCESS_READ) if self.size else None
        except BaseException:
            os.close(self._fd)
            raise

    def whole(self) -> bool:
        """Whether the file still has every byte that it had."""
        return os.fstat(self._fd).st_size >= self.size

    def extend(self) -> bool:
        """Take in what the file has grown by; whether it has."""
        found = os.fstat(self._fd)
        if found.st_size <= self.size:
            return False
        # Who looks at the mapping that there was keeps it.
        self.mapping = mmap.mmap(self._fd, found.st_size, access=mmap.ACCESS_READ)
        self.size, self.mtime_ns, self.ctime_ns = found.st_size, found.st_mtime_ns, found.st_ctime_ns
        return True

    def read(self, offset: int, size: int) -> bytes:
        """These bytes, fewer at the end."""
        return os.pread(self._fd, min(size, self.size - offset), offset) if offset < self.size else b""

    def window(self, offset: int) -> Window:
        """The file from a byte on."""
        at, piece = offset, FIRST_PIECE

        def read(size: int) -> bytes:
            nonlocal at, piece
            part = self.read(at, min(size, piece))
            at, piece = at + len(part), piece * 4
            return part

        return Window(read, offset)

    def mapped_window(self, offset: int) -> Window:
        """As `window`, by way of the mapping: for many short records. Ask `whole` before."""
        return _MappedWindow(self, offset)

    def close(self) -> None:
        """Let go of it. A mapping that numpy still looks at goes with the last array."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self.mapping is not None:
            with contextlib.suppress(BufferError):
                self.mapping.close()
            self.mapping = None


class _MappedWindow(Window):
    def __init__(self, file: MappedFile, offset: int) -> None:
        super().__init__(lambda size: b"", offset)
        self._mapping, self._size = file.mapping, file.size

    def more(self) -> bool:
        self.record = self.offset
        return self.offset < self._size

    def peek(self, size: int) -> bytes:
        return b"" if self._mapping is None else self._mapping[self.offset : self.offset + size]

    def take(self, size: int) -> bytes:
        found = self.peek(size)
        if len(found) < size:
            raise self.torn(len(found))
        self.offset += size
        return found
