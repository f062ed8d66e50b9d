"""A capture that comes through a pipe, kept in a file without a name, so that it can be looked at in any order."""

from __future__ import annotations

import os
import select
import tempfile
import time
from pathlib import Path

PIECE = 2**20
MOST_AT_ONCE = 16 * 2**20
"""Bytes after which what came is shown."""


class Piped:
    """What is read from ``descriptor``, which it closes. Raises OSError where there can be no file.

    The descriptor is that of a pipe, a FIFO or a socket; opening a FIFO with O_NONBLOCK does not wait for a writer.
    """

    def __init__(self, descriptor: int, directory: Path | None = None) -> None:
        self._descriptor = descriptor
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLIN)
        self.ended = False
        """Whether nothing more will come."""

    @property
    def path(self) -> Path:
        """Where the file can be opened while it is there."""
        return Path(f"/dev/fd/{self._file.fileno()}")

    def pump(self, seconds: float) -> bool:
        """Keep what comes in so much time; whether there was anything. Raises OSError, such as for a full disk."""
        deadline, kept = time.monotonic() + seconds, 0
        while not self.ended and kept < MOST_AT_ONCE:
            left = deadline - time.monotonic()
            if left < 0 or not self._ready.poll(left * 1000):
                break
            try:
                part = os.read(self._descriptor, PIECE)
            except BlockingIOError:
                continue
            self.ended = not part
            kept += len(part)
            self._write(part)
        return kept > 0

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
