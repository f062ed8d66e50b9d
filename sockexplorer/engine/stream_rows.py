"""Bytes of streams on their way into a spool's file, many at once: out of a buffer, in place, or by way of a pipe.

They are cut into rows that a capture file can hold as one packet each.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from sockexplorer.core.frames import HEADER, PAGE, pack_stream, stream_head
from sockexplorer.engine.spool import Spool

MOST_OF_ROW = 252 * 1024
"""Wireshark refuses a file that has more than 262,144 bytes of a packet, with those that stand ahead of the payload."""
MOST = 2**20
"""Bytes of one read, and of one block."""
READS, LEAST = 4, 64 * 1024
"""How many splices make a block at most, and how much room has to be left for another."""
AHEAD = HEADER.size + stream_head(READS + MOST // MOST_OF_ROW)
"""Room for what stands ahead of such a block's payload, and for a block that fills what is left of it."""
_AT_ONCE = getattr(os, "SPLICE_F_NONBLOCK", 0)

Rows = list[tuple[int, int, int]]


class StreamRows:
    """Records what streams give in the ``spool`` of their session."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._window: memoryview | None = None
        self._pipe: tuple[int, int] | None = None
        self._spliced: Rows = []
        """The rows that are in the file and in no block yet."""
        self._reads = self._held = self._begin = 0
        """How many splices they came by, their bytes, and where room was found for the block."""

    @property
    def whole(self) -> bool:
        """Whether there is a file, which `splice` needs."""
        return self._spool.whole

    def add(self, payload: bytes | memoryview, peer: int) -> None:
        """Record many bytes without a copy on the way to the file."""
        self._spool.flush()
        rows = _rows(len(payload), peer)
        self._spool.block(len(rows), pack_stream(rows, _size(rows, len(payload))), payload)

    def window(self, size: int) -> memoryview | None:
        """Memory of the file for ``size`` bytes, `MOST` at most, of which `filled` records as many as came.

        None where none is at hand. Nothing else may be recorded in between.
        """
        self._spool.flush()
        size = min(size, MOST)
        head = stream_head(_count(size))
        with contextlib.suppress(OSError):
            self._spool.find(head + size)
            memory = self._spool.memory(head + size)
            self._window = None if memory is None else memory[head:]
            return self._window
        return None

    def filled(self, count: int, peer: int) -> None:
        """Record the first bytes of the window that was given last."""
        window, self._window = self._window, None
        assert window is not None
        rows = _rows(count, peer)
        head = pack_stream(rows, _size(rows, count))
        if len(rows) == _count(len(window)) and (memory := self._spool.memory(len(head))) is not None:
            memory[:] = head
            self._spool.commit(len(head) + count)
        else:
            self.add(bytes(window[:count]), peer)

    def splice(self, source: int, peer: int, at_most: int = MOST) -> int:
        """Record what a stream's descriptor has, ``at_most`` bytes and as many as a block has room for; 0 at its end.

        They don't pass through this process (splice(2)). Several splices make one block: `finish` has to follow the
        last of them. Raises OSError, BlockingIOError where nothing waits.
        """
        spool, file = self._spool, self._spool.file
        assert file is not None
        if not self._spliced or len(spool):
            spool.flush()
        reading, writing = self._pipe or self._open_pipe()
        count = os.splice(source, writing, min(at_most, MOST - self._held), flags=_AT_ONCE)
        if not count:
            return 0
        done = 0
        rows = _rows(count, peer)
        try:
            if not self._spliced:
                self._begin = spool.find(AHEAD + MOST + PAGE)
            begin = self._begin + AHEAD + self._held
            while done < count:
                done += os.splice(reading, file, count - done, offset_dst=begin + done)
        except OSError as error:
            self._drain(count - done)
            self.finish()
            spool.unkept(len(rows), error)
            return count
        spool.unfinished = self.finish
        self._spliced += rows
        self._held += count
        self._reads += 1
        if self._reads == READS or MOST - self._held < LEAST:
            self.finish()
        return count

    def finish(self) -> None:
        """Make a block of what was spliced, if there is something."""
        rows, held, spool = self._spliced, self._held, self._spool
        if not rows:
            return
        self._spliced, self._held, self._reads = [], 0, 0
        spool.unfinished = None
        # The room for more rows than there are goes to a block without any, and the next payload begins with a page:
        # to fill whole pages is cheaper.
        gap = AHEAD - stream_head(len(rows))
        size = (self._begin + AHEAD + held + AHEAD + PAGE - 1 & -PAGE) - AHEAD - self._begin - gap
        try:
            assert spool.file is not None
            os.pwrite(spool.file, pack_stream((), gap).ljust(gap, b"\0") + pack_stream(rows, size), self._begin)
        except OSError as error:
            spool.unkept(len(rows), error)
            return
        spool.commit(gap + size)

    def close(self) -> None:
        """Close the pipe, if there is one."""
        self.finish()
        for each in self._pipe or ():
            os.close(each)
        self._pipe = None

    def _open_pipe(self) -> tuple[int, int]:
        self._pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._pipe[1], fcntl.F_SETPIPE_SZ, MOST)
        return self._pipe

    def _drain(self, count: int) -> None:
        assert self._pipe is not None
        with contextlib.suppress(OSError):
            while count > 0 and (read := len(os.read(self._pipe[0], count))):
                count -= read


def _count(length: int) -> int:
    """How many rows so many bytes make."""
    return -(-length // MOST_OF_ROW)


def _rows(length: int, peer: int) -> Rows:
    """What one read gave, as rows."""
    now = time.time_ns()
    if length <= MOST_OF_ROW:
        return [(length, now, peer)]
    return [(min(MOST_OF_ROW, length - at), now, peer) for at in range(0, length, MOST_OF_ROW)]


def _size(rows: Rows, length: int) -> int:
    """The bytes of a block with these rows."""
    return (stream_head(len(rows)) + length + 7) & ~7
