"""Lines on stdout for a verb that goes on: each is out at once, a reader who left ends the verb, one who is slow never
keeps it from stopping. A pipe with a name is written to in the same way."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
import time
import weakref
from contextlib import nullcontext

from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped

PIECE = 4096
"""A pipe that select calls writable takes so much without blocking (PIPE_BUF)."""
LARGE = 2**20
"""Bytes of a write that takes what there is room for."""
WAIT = 0.05
"""Seconds that one look takes at whether there is room, once the time is over."""


class Gone(Exception):
    """Nobody reads any more what is written."""


class Writer:
    """Writes to a descriptor, unbuffered. ``stop`` says when a write that waits has to be given up."""

    def __init__(self, stop: Stop, fd: int, name: str) -> None:
        self._stop = stop
        self._fd, self._piece = fd, PIECE
        self._name = name
        self._may_block = os.isatty(fd)
        """Whether a piece may block though select said that it would not."""
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            self._have_own_end()
        self.taken = 0
        """Bytes of the last `write` that are out."""
        self._taken_at = 0.0
        """When something was taken last."""

    def write(self, data: bytes) -> None:
        """Write all of it. Raises `Gone`, `Stopped`, or `Failed` when the disk is full."""
        self.taken = 0
        view = memoryview(data)
        while self.taken < len(data):
            if not select.select([], [self._fd], [], self._stop.patience or WAIT)[1]:
                if self._stop.late(self._taken_at):
                    raise Stopped
                continue
            try:
                with self._stop.interruptible() if self._may_block else nullcontext():
                    self.taken += os.write(self._fd, view[self.taken : self.taken + self._piece])
                self._taken_at = time.monotonic()
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Gone from None
            except OSError as error:
                raise Failed(f"{self._name} can't be written: {error.strerror}") from None

    def _have_own_end(self) -> None:
        """Open a pipe's end once more, where nothing blocks: what others have of it must not be changed."""
        with contextlib.suppress(OSError):
            self._fd = os.open(f"/proc/self/fd/{self._fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._fd)
            self._piece = LARGE

    def take_back(self, size: int) -> bool:
        """Cut off the last bytes that were written. False where nothing is: where that is no file that ends there."""
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode) or os.lseek(self._fd, 0, os.SEEK_CUR) != found.st_size:
            return False
        os.ftruncate(self._fd, os.lseek(self._fd, -size, os.SEEK_CUR))
        return True

    def check(self) -> None:
        """Raise `Gone` when the reader has left, without writing anything."""
        poll = select.poll()
        poll.register(self._fd, 0)
        if poll.poll(0):
            raise Gone


class Output:
    """Standard output, unbuffered. ``stop`` says when a write that waits has to be given up."""

    def __init__(self, stop: Stop) -> None:
        self._encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.flush()
        self.writer: Writer | None = None
        """None where stdout is no file, but an object of Python's."""
        try:
            self.writer = Writer(stop, sys.stdout.fileno(), "stdout")
        except (io.UnsupportedOperation, AttributeError, ValueError):
            self._taken = 0

    @property
    def taken(self) -> int:
        """Bytes of the last `write` that are out."""
        return self._taken if self.writer is None else self.writer.taken

    def encode(self, text: str) -> bytes:
        """The text in the encoding of stdout, with escapes for what that lacks."""
        return text.encode(self._encoding, "backslashreplace")

    def write(self, data: bytes) -> None:
        """Write lines. Raises `Gone`, `Stopped`, or `Failed` when the disk is full."""
        if self.writer is not None:
            self.writer.write(data)
            return
        sys.stdout.write(data.decode(self._encoding))
        sys.stdout.flush()
        self._taken = len(data)

    def take_back(self, size: int) -> bool:
        """As of `Writer`."""
        return self.writer is not None and self.writer.take_back(size)

    def check(self) -> None:
        """Raise `Gone` when the reader has left, without writing anything."""
        if self.writer is not None:
            self.writer.check()
