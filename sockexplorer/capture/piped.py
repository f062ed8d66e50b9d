"""A capture that comes through a pipe, or is compressed, kept in a file without a name, so that it can be looked at in
any order."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import tempfile
import time
from pathlib import Path

from sockexplorer.capture.reading import CaptureError
from sockexplorer.capture.unpacking import Unpacking

PIECE = 2**20
ROOM = 2**20
"""What a pipe is made to hold while what came is looked at, where the system allows it: fs.pipe-max-size, pipe(7)."""
MOST_AT_ONCE = 16 * 2**20
"""Bytes after which what came is shown."""
LEFT_FREE, PART_LEFT_FREE = 256 * 2**20, 20
"""So many bytes of the disk, or one part in so many of a small one, are left free by what is unpacked: a small file may
hold more than any disk has room for."""


class Piped:
    """What is read from ``descriptor``, which it closes, unpacked where it is gzip. Raises OSError where there can be
    no file.

    The descriptor is that of a pipe, a FIFO, a socket or a file; opening a FIFO with O_NONBLOCK does not wait for a
    writer.
    """

    def __init__(self, descriptor: int, directory: Path | None = None) -> None:
        self._descriptor = descriptor
        # A capture program that has to wait loses what comes meanwhile.
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, ROOM)
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLIN)
        self._unpacking = Unpacking()
        found = os.fstat(descriptor)
        self._size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        self.ended = False
        """Whether nothing more will come."""

    @property
    def path(self) -> Path:
        """Where the file can be opened while it is there."""
        return Path(f"/dev/fd/{self._file.fileno()}")

    @property
    def source(self) -> Path:
        """Where it comes from, as a link to it, until `hang_up`."""
        return Path(f"/dev/fd/{self._descriptor}")

    @property
    def is_file(self) -> bool:
        """Whether it comes from a regular file, all of which is there."""
        return self._size > 0

    def reads(self, found: os.stat_result) -> bool:
        """Whether a file is the one that is still to be taken from."""
        return self._descriptor >= 0 and os.path.samestat(found, os.fstat(self._descriptor))

    @property
    def progress(self) -> float:
        """How much of a regular file was taken, from 0 to 1."""
        return min(1.0, self._unpacking.done / self._size) if self._size else 1.0

    @property
    def fault(self) -> CaptureError | None:
        """Why not all of it could be unpacked."""
        return self._unpacking.fault

    def pump(self, seconds: float) -> bool:
        """Keep what comes in so much time; whether there was anything. Raises OSError, such as for a full disk."""
        deadline, kept = time.monotonic() + seconds, 0
        if self._unpacking.packed:
            self._look_for_room()
        while not self.ended and kept < MOST_AT_ONCE and (left := deadline - time.monotonic()) >= 0:
            if part := self._unpacking.take(PIECE):
                kept += len(part)
                self._write(part)
            elif self.fault is not None:
                self.ended = True
            elif not self._feed(left):
                break
        return kept > 0

    def _feed(self, seconds: float) -> bool:
        """Have more to unpack, or know that there is none; False where nothing came in so much time."""
        if not self._ready.poll(seconds * 1000):
            return False
        try:
            data = os.read(self._descriptor, PIECE)
        except BlockingIOError:
            return True
        self._unpacking.feed(data)
        if not data:
            # What was held back tells by now whether it is all.
            self._write(self._unpacking.take(PIECE))
            self.ended = True
        return True

    def _look_for_room(self) -> None:
        found = os.fstatvfs(self._file.fileno())
        if found.f_bavail * found.f_frsize < min(LEFT_FREE, found.f_blocks * found.f_frsize // PART_LEFT_FREE):
            raise OSError(errno.ENOSPC, "the disk is nearly full")

    def _write(self, part: bytes) -> None:
        done = 0
        while done < len(part):
            done += os.write(self._file.fileno(), memoryview(part)[done:])

    def hang_up(self) -> None:
        """Let go of the pipe: who still writes into it hears of that."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Let go of the file as well."""
        self.hang_up()
        self._file.close()
