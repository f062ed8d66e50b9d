"""Where a recording goes: a file that holds whole blocks whatever happens."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from sockexplorer.capture.bulk import Whole

MOST_PARTS = 1024
"""Blocks, or runs of them, that are written without being joined."""
LEAST = 12
"""Bytes of a block."""
Sink = Callable[[Sequence[Whole]], None]
"""Takes blocks, or runs of whole blocks, which may change when it has returned."""


class Full(Exception):
    """The file took no more. The message says why; ``kept`` of the batch's blocks and runs are in it, whole.

    Of the run that follows those, ``more`` blocks are in it as well. ``frames`` are those that the file holds, where
    who wrote counted them.
    """

    def __init__(self, message: str, kept: int, frames: int | None = None, more: int = 0) -> None:
        super().__init__(message)
        self.kept = kept
        self.more = more
        self.frames = frames


def pieces(blocks: Sequence[Whole]) -> list[bytes | memoryview]:
    """What a sink was given, piece by piece."""
    return [piece for each in blocks for piece in (each if isinstance(each, tuple) else (each,))]


def size(block: Whole) -> int:
    """Bytes of a block or run."""
    return sum(map(len, block)) if isinstance(block, tuple) else len(block)


class FileSink:
    """A file that holds whole blocks whatever happens: what can't be written whole is cut off again.

    Each batch is one write(2): a process that is killed leaves the batches that were written. While the sink is open
    the file is locked (flock(2)), so that nobody repairs what is still growing.

    Raises FileExistsError for a file that has something in it, unless it is to be overwritten; OSError.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        # Traffic is for its owner's eyes.
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(self._fd)
            self.regular = stat.S_ISREG(found.st_mode)
            if self.regular:
                if found.st_size and not overwrite:
                    raise FileExistsError(errno.EEXIST, "there is a file with something in it", str(path))
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._fd, 0)
        except BaseException:
            os.close(self._fd)
            raise
        self._end = 0
        """Where the last whole block ends."""

    def __call__(self, blocks: Sequence[Whole]) -> None:
        """Write a batch. Raises `Full`."""
        total, done, parts = sum(map(size, blocks)), 0, pieces(blocks)
        try:
            if len(parts) <= MOST_PARTS:
                done = os.writev(self._fd, parts)
            if done < total:
                data = memoryview(b"".join(parts))
                while done < total:
                    done += os.write(self._fd, data[done:])
        except OSError as error:
            kept, more, length = whole(blocks, done)
            self._end += length
            if self.regular:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._end)
            raise Full(f"{self.path}: {error.strerror}", kept, more=more) from None
        self._end += total

    @property
    def removed(self) -> bool:
        """Whether somebody removed the file meanwhile, so that nobody will ever read it."""
        return self.regular and not os.fstat(self._fd).st_nlink

    def fileno(self) -> int:
        """The descriptor, for who writes to a file that is no regular one in another way."""
        return self._fd

    def close(self) -> None:
        os.close(self._fd)


def whole(blocks: Sequence[Whole], done: int) -> tuple[int, int, int]:
    """How many blocks and runs are in the first ``done`` bytes, less than all have, and how many blocks of the run that
    follows; and the bytes of them all."""
    ends = [0, *accumulate(map(size, blocks))]
    kept = bisect_right(ends, done) - 1
    more, length = _whole_of_run(blocks[kept], done - ends[kept])
    return kept, more, ends[kept] + length


def _whole_of_run(run: Whole, room: int) -> tuple[int, int]:
    """How many blocks of a run are in its first bytes, whole, and how many bytes those have."""
    data, count, at = b"".join(pieces([run])), 0, 0
    while at + LEAST <= room:
        # The second word of a block of pcapng is its length; no text has so small a number there.
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if not LEAST <= length <= room - at:
            break
        count, at = count + 1, at + length
    return count, at
