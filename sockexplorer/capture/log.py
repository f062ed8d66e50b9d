"""The log of one session: every frame it was handed, up to a number of bytes, the oldest dropped first.

Rows are numbered for life, from 0: trimming the log never renumbers a row. No object is kept per frame; a chunk holds
five columns and the bytes behind them, as they came (see `sockexplorer.core.frames`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from typing import Any, NamedTuple

from sockexplorer.core.frames import ROW_BYTES, Columns, Flag, empty_columns, split_meta, unpack_columns

CHUNK_BYTES = 1024 * 1024
DEFAULT_LIMIT = 256 * 2**20


class Frame(NamedTuple):
    """One row, read out. ``time`` in ns since the epoch; ``length`` as on the wire, ``payload`` what was kept."""

    number: int
    time: int
    length: int
    peer: int
    flags: int
    payload: bytes
    meta: dict[str, Any]

    @property
    def outgoing(self) -> bool:
        return bool(self.flags & Flag.OUT)

    @property
    def event(self) -> str:
        """The name of the event that this row tells of, or ""."""
        return str(self.meta.get("event", "")) if self.flags & Flag.EVENT else ""


class Chunk:
    """About a megabyte of consecutive frames."""

    __slots__ = ("columns", "first", "spool", "start")

    def __init__(self, first: int, start: int) -> None:
        self.first = first
        self.start = start
        """Where the chunk begins in the session's spool; ends in the columns count from the spool's beginning."""
        self.columns: Columns = empty_columns()
        self.spool = bytearray()

    @property
    def count(self) -> int:
        return len(self.columns[0])

    @property
    def size(self) -> int:
        """Bytes that the chunk takes."""
        return len(self.spool) + self.count * ROW_BYTES

    def span(self, index: int) -> tuple[int, int]:
        """Where the frame's bytes are in `spool`."""
        ends = self.columns[1]
        begin = ends[index - 1] if index else self.start
        return begin - self.start, ends[index] - self.start


class Log:
    """A bounded log. ``limit`` is in bytes, index included; the newest chunk is always kept."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._chunks: deque[Chunk] = deque()
        self._firsts: list[int] = []
        self.end = 0
        """One more than the number of the newest row."""
        self.size = 0
        """Bytes kept, index included."""
        self.received = 0
        self.sent = 0
        """Frames by direction, since the session began; events are neither."""
        self.bytes_in = 0
        self.bytes_out = 0
        self.dropped = 0
        """Frames that this log no longer has."""

    @property
    def first(self) -> int:
        """The number of the oldest row that is kept."""
        return self._firsts[0] if self._firsts else self.end

    def __len__(self) -> int:
        return self.end - self.first

    def append(self, count: int, start: int, body: bytes | memoryview) -> None:
        """Take a batch. Raises ValueError for a body that does not hold ``count`` frames."""
        columns, at = unpack_columns(body, count)
        spool = memoryview(body)[at:]
        if count and columns[1][-1] - start != len(spool):
            raise ValueError("a batch's spool has another length than its index says")
        if not count:
            return
        chunk = self._chunks[-1] if self._chunks else None
        if chunk is None or chunk.size >= CHUNK_BYTES or chunk.start + len(chunk.spool) != start:
            chunk = Chunk(self.end, start)
            self._chunks.append(chunk)
            self._firsts.append(self.end)
        for kept, new in zip(chunk.columns, columns, strict=True):
            kept.extend(new)
        chunk.spool += spool
        self.end += count
        self.size += len(spool) + count * ROW_BYTES
        self._count(columns)
        self._trim()

    def _count(self, columns: Columns) -> None:
        _, _, lengths, _, flags = columns
        plain = flags.count(0)
        if plain == len(flags):
            self.received += plain
            self.bytes_in += sum(lengths)
            return
        for length, flag in zip(lengths, flags, strict=True):
            if flag & Flag.EVENT:
                continue
            if flag & Flag.OUT:
                self.sent += 1
                self.bytes_out += length
            else:
                self.received += 1
                self.bytes_in += length

    def _trim(self) -> None:
        while self.size > self.limit and len(self._chunks) > 1:
            chunk = self._chunks.popleft()
            del self._firsts[0]
            self.size -= chunk.size
            self.dropped += sum(1 for flag in chunk.columns[4] if not flag & Flag.EVENT)

    def clear(self) -> None:
        """Forget every row; numbers go on. What is cleared by hand is not counted as dropped."""
        self._chunks.clear()
        self._firsts.clear()
        self.size = 0

    def _locate(self, number: int) -> tuple[Chunk, int]:
        if not self.first <= number < self.end:
            raise IndexError(number)
        chunk = self._chunks[bisect_right(self._firsts, number) - 1]
        return chunk, number - chunk.first

    def frame(self, number: int) -> Frame:
        """Read out one row. Raises IndexError for a number that is not kept."""
        chunk, index = self._locate(number)
        begin, end = chunk.span(index)
        times, _, lengths, peers, flags = chunk.columns
        flag = flags[index]
        payload: bytes = bytes(chunk.spool[begin:end])
        meta: dict[str, Any] = {}
        if flag & Flag.META:
            payload, meta = split_meta(payload)
        return Frame(number, times[index], lengths[index], peers[index], flag, payload, meta)

    def head(self, number: int, limit: int) -> Frame:
        """As `frame`, with at most ``limit`` bytes of payload: what a row on the screen needs."""
        chunk, index = self._locate(number)
        begin, end = chunk.span(index)
        flag = chunk.columns[4][index]
        if flag & Flag.META or end - begin <= limit:
            return self.frame(number)
        times, _, lengths, peers, _ = chunk.columns
        payload = bytes(chunk.spool[begin : begin + limit])
        return Frame(number, times[index], lengths[index], peers[index], flag, payload, {})

    def time(self, number: int) -> int:
        """When the row was recorded, ns since the epoch. Raises IndexError."""
        chunk, index = self._locate(number)
        return chunk.columns[0][index]


def row_numbers() -> array[int]:
    """An empty column of row numbers, for views that show some rows only."""
    return array("Q")
