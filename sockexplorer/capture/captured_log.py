"""The rows of a capture file with the face of a session's log; nothing of a frame is kept but its row in the index."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from sockexplorer.capture.index import DIRECTION, OUTBOUND, Index
from sockexplorer.capture.log import Frame
from sockexplorer.capture.origins import Known, Origins, unnamed
from sockexplorer.capture.provenance import Provenance
from sockexplorer.capture.reading import CaptureError, Record
from sockexplorer.core.frames import Flag

Counts = tuple[int, int, int, int]
"""Frames received and sent, bytes received and sent."""


class Rows(Protocol):
    """What rows are read from: a session's log, or a capture file. Rows have numbers for life."""

    @property
    def first(self) -> int:
        """The number of the oldest row."""

    @property
    def end(self) -> int:
        """One more than the number of the newest row."""

    @property
    def reread(self) -> Sequence[int]:
        """The numbers of rows of which anything may have changed since they were looked at, in the order of that."""

    def frame(self, number: int) -> Frame:
        """Read out one row. Raises IndexError."""

    def head(self, number: int, limit: int) -> Frame:
        """As `frame`, with at most ``limit`` bytes of payload where that saves something."""

    def time(self, number: int) -> int:
        """When the row was recorded, ns since the epoch. Raises IndexError."""


class CapturedLog:
    """The rows of an index, from 1 as the frames of the file are counted. ``shown`` makes a frame of a record.

    `steps` indexes the file; rows come meanwhile. Where `vectorised` is true, `origins` are known at its end; those of
    an index that was kept are learnt by it.
    """

    first = 1
    dropped = 0
    """What was dropped was so when it was captured: see the index's ``drops``."""
    unkept = 0
    size = 0
    limit = 0

    def __init__(
        self, index: Index, shown: Callable[[int, Record], Frame], examples: array[int] | None = None,
        counts: Counts | None = None, name: Callable[[Provenance], Known] = unnamed,
    ) -> None:  # fmt: skip
        """``examples`` and ``counts`` come with an index that was kept; ``name`` tells what is shown of an origin."""
        self.index = index
        self.origins = Origins(index, examples, name)
        self.ready = counts is not None
        """Whether everything is known of the file that will be."""
        self.received, self.sent, self.bytes_in, self.bytes_out = counts or (0, 0, 0, 0)
        self._shown = shown
        self._rereads = False
        self._counted = self._tallied = index.count if counts else 0
        self.reread: list[int] = []
        """The numbers of rows whose lines had no end when they were read, each as often as it was read again: what was
        known of it may be otherwise, or the row is gone."""

    @property
    def vectorised(self) -> bool:
        """Whether the file is large enough for looking at many rows at once."""
        return self.index.vectorised

    @property
    def end(self) -> int:
        return self._counted + 1

    def __len__(self) -> int:
        return self._counted

    def steps(self) -> Iterator[float]:
        """Index the file; how much of it is done, from 0 to 1, after each step of some milliseconds."""
        size = max(1, self.index.file.size)
        for at in self.index.steps():
            self._count()
            yield at / size / (2 if self.vectorised else 1)
        if self.vectorised:
            for done in self.origins.steps():
                yield 0.5 + done / max(1, self.index.count) / 2
        self.ready = True

    def grow(self, *, final: bool = False) -> bool:
        """Take in that the file has grown; whether it has, so that `steps` has more to do. See `Index.grow`."""
        if not self.index.grow(final=final):
            return False
        if self.index.walk.rereads and not self._rereads:
            self._tallied -= 1
            out = int(self.index.columns.source[self._tallied] & DIRECTION == OUTBOUND)
            length = self.index.columns.length[self._tallied]
            self._add(-1, -out, -length, -length * out)
            self._rereads = True
        self.ready = False
        return True

    @property
    def counts(self) -> Counts:
        """Frames and bytes so far."""
        return self.received, self.sent, self.bytes_in, self.bytes_out

    def _count(self) -> None:
        begin, end = self._tallied, self.index.count
        columns = self.index.columns
        if self.vectorised:
            from sockexplorer.capture.arrays import numpy

            for first in range(begin, end, 2**20):
                last = min(end, first + 2**20)
                out = numpy.frombuffer(columns.source[first:last], "u4") & DIRECTION == OUTBOUND
                lengths = numpy.frombuffer(columns.length[first:last], "u4")
                every, sent = int(lengths.sum(dtype="u8")), int(lengths.sum(dtype="u8", where=out))
                self._add(last - first, int(numpy.count_nonzero(out)), every, sent)
        else:
            out_rows = [row for row in range(begin, end) if columns.source[row] & DIRECTION == OUTBOUND]
            sent = sum(columns.length[row] for row in out_rows)
            self._add(end - begin, len(out_rows), sum(columns.length[begin:end]), sent)
        self._counted = self._tallied = end
        if self._rereads:
            self._rereads = False
            self.reread.append(begin + 1)

    def _add(self, rows: int, out: int, every: int, sent: int) -> None:
        self.received += rows - out
        self.sent += out
        self.bytes_in += every - sent
        self.bytes_out += sent

    def frame(self, number: int) -> Frame:
        """Read out one row; one that the file no longer has says so. Raises IndexError."""
        if not 1 <= number <= self._counted:
            raise IndexError(number)
        try:
            return self._shown(number, self.index.record(number - 1))
        except CaptureError as error:
            meta = {"event": "error", "text": f"the file was changed since it was opened: {error}"}
            return Frame(number, self.time(number), 0, 0, int(Flag.EVENT | Flag.META), b"", meta)

    def head(self, number: int, limit: int) -> Frame:
        return self.frame(number)

    def time(self, number: int) -> int:
        if not 1 <= number <= self._counted:
            raise IndexError(number)
        return self.index.columns.time[number - 1]

    def since(self, time: int) -> int:
        """The number of the first row that is as late as a time in ns, by halving; rows are taken to be in order."""
        return 1 + bisect_left(self.index.columns.time, time, 0, self._counted)

    def catch_up(self) -> int:
        """No engine writes here: 0 bytes."""
        return 0

    def clear(self) -> None:
        """A file keeps its rows."""

    def close(self) -> None:
        self.index.close()
