"""Lines on stdout for a verb that goes on: each is out at once, a reader who left ends the verb, one who is slow never
keeps it from stopping."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import nullcontext

from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped

PIECE = 4096
"""A pipe that select calls writable takes so much without blocking (PIPE_BUF)."""


class Gone(Exception):
    """Nobody reads stdout any more."""


class Output:
    """Standard output, unbuffered. ``stop`` says when a write that waits has to be given up."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._encoding = sys.stdout.encoding or "utf-8"
        self.taken = 0
        """Bytes of the last `write` that are out."""
        sys.stdout.flush()
        self._fd: int | None
        self._may_block = sys.stdout.isatty()
        """Whether a piece may block though select said that it would not."""
        try:
            self._fd = sys.stdout.fileno()
        except (io.UnsupportedOperation, AttributeError, ValueError):
            self._fd = None

    def encode(self, text: str) -> bytes:
        """The text in the encoding of stdout, with escapes for what that lacks."""
        return text.encode(self._encoding, "backslashreplace")

    def write(self, data: bytes) -> None:
        """Write lines. Raises `Gone`, `Stopped`, or `Failed` when the disk is full."""
        self.taken = 0
        if self._fd is None:
            sys.stdout.write(data.decode(self._encoding))
            sys.stdout.flush()
            self.taken = len(data)
        while self._fd is not None and self.taken < len(data):
            if not select.select([], [self._fd], [], self._stop.patience)[1]:
                if self._stop.due:
                    raise Stopped
                continue
            try:
                with self._stop.interruptible() if self._may_block else nullcontext():
                    self.taken += os.write(self._fd, data[self.taken : self.taken + PIECE])
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Gone from None
            except OSError as error:
                raise Failed(f"stdout can't be written: {error.strerror}") from None

    def check(self) -> None:
        """Raise `Gone` when the reader has left, without writing anything."""
        if self._fd is None:
            return
        poll = select.poll()
        poll.register(self._fd, 0)
        if poll.poll(0):
            raise Gone
