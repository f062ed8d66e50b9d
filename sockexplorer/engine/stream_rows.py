"""Bytes of streams on their way into a spool's file, many at once: out of a buffer, in place, or by way of a pipe.

They are cut into rows that a capture file can hold as one packet each.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from functools import cached_property

from sockexplorer.core.frames import PAGE, pack_stream, stream_head
from sockexplorer.core.units import UNIT
from sockexplorer.engine.spool import Spool

MOST_OF_ROW = 252 * 1024
"""Wireshark refuses a file that has more than 262,144 bytes of a packet, with those that stand ahead of the payload."""
MOST = 2**20
"""Bytes of one splice."""
MOST_OF_WINDOW = UNIT - 2 * PAGE
"""Bytes of the largest window, with what stands ahead of its payload: about a unit of the file."""
ALONE = stream_head(1, MOST_OF_ROW)
"""Bytes ahead of the payload of one row."""
_AT_ONCE = getattr(os, "SPLICE_F_NONBLOCK", 0)


class StreamRows:
    """Records what streams give in the ``spool`` of their session."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._ahead = 0
        """Bytes ahead of the payload in the window that was given last, as many as one that fills it takes."""
        self._pipe: tuple[int, int] | None = None

    @cached_property
    def buffer(self) -> bytearray:
        """What streams are read into, one for all of them: a session reads one at a time."""
        return bytearray(MOST_OF_ROW)

    def add(self, payload: bytes | memoryview, peer: int) -> None:
        """Record many bytes without a copy on the way to the file."""
        self._spool.flush()
        self._spool.block(_rows(len(payload)), _head(len(payload), peer), payload)

    def window(self, size: int) -> memoryview | None:
        """Memory of the file for ``size`` bytes or fewer, but no less than `MOST_OF_ROW`; `filled` records them.

        None where none is at hand. Nothing else may be recorded in between.
        """
        spool = self._spool
        spool.flush()
        # A unit is filled to its end, where that is worth a read.
        most = spool.left if spool.left >= MOST_OF_ROW + ALONE else MOST_OF_WINDOW
        size = min(size, most - stream_head(most, MOST_OF_ROW))
        self._ahead = stream_head(size, MOST_OF_ROW)
        with contextlib.suppress(OSError):
            spool.find(self._ahead + size)
            memory = spool.memory(self._ahead + size)
            return None if memory is None else memory[self._ahead :]
        return None

    def filled(self, count: int, peer: int) -> None:
        """Record the first ``count`` bytes of the window that was given last."""
        memory, head = self._spool.memory(self._ahead + count), _head(count, peer)
        assert memory is not None
        if len(head) != self._ahead:
            memory[len(head) : len(head) + count] = memory[self._ahead :]
        memory[: len(head)] = head
        self._spool.commit(len(head) + count)

    def splice(self, source: int, peer: int, at_most: int = MOST) -> int:
        """Record what a stream's descriptor has, ``at_most`` and `MOST` bytes; how many, 0 at its end.

        They don't pass through this process (splice(2)). Raises OSError, BlockingIOError where nothing waits.
        """
        spool, file = self._spool, self._spool.file
        assert file is not None
        spool.flush()
        reading, writing = self._pipe or self._open_pipe()
        count = os.splice(source, writing, min(at_most, MOST), flags=_AT_ONCE)
        if not count:
            return 0
        done, head = 0, stream_head(count, MOST_OF_ROW)
        try:
            offset = spool.find(head + count + PAGE)
            # The next one's payload is to begin with a page: to fill whole pages is cheaper.
            size = (offset + head + count + ALONE + PAGE - 1 & -PAGE) - ALONE - offset
            os.pwrite(file, pack_stream(count, MOST_OF_ROW, time.time_ns(), peer, size), offset)
            while done < count:
                done += os.splice(reading, file, count - done, offset_dst=offset + head + done)
        except OSError as error:
            self._drain(count - done)
            spool.unkept(_rows(count), error)
            return count
        spool.commit(size)
        return count

    def close(self) -> None:
        """Close the pipe, if there is one."""
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


def _rows(length: int) -> int:
    return -(-length // MOST_OF_ROW)


def _head(length: int, peer: int) -> bytes:
    size = (stream_head(length, MOST_OF_ROW) + length + 7) & ~7
    return pack_stream(length, MOST_OF_ROW, time.time_ns(), peer, size)
