"""A large capture file by its index, as the explorer has it: what a filter lets through and what statistics count,
with few frames made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.column_sift import ColumnSift
from sockexplorer.capture.file_statistics import ColumnStatistics, FileStatistics
from sockexplorer.capture.index import Index
from sockexplorer.capture.predicate import Compiled, FilterError
from sockexplorer.capture.reading import CaptureError, Torn
from sockexplorer.capture.sifting import Sift
from sockexplorer.capture.statistics import KINDS
from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.client.file_session import known
from sockexplorer.client.finding import filter_of

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.pcapng_kept import Kept
    from sockexplorer.capture.reading import Record
    from sockexplorer.capture.statistics import Statistics
    from sockexplorer.client.opened import Opened

TURN_SECONDS = 0.05
"""How long it looks before who waits has a turn."""


class Indexed:
    """A file and its index. All may raise OSError, `CaptureError`, `Failed` and `Stopped`."""

    def __init__(self, path: Path, opened: Opened, stop: Stop) -> None:
        self._stop, self._opened = stop, opened
        self._index = Index(path)
        self._log = CapturedLog(
            self._index, lambda number, record: opened.frame(record, number), name=partial(known, opened)
        )
        try:
            self._take_in()
            # Of a log the last line may have no end, and be a frame.
            if self._index.kind == "candump" and isinstance(self._index.error, Torn) and self._log.grow(final=True):
                self._take_in()
        except BaseException:
            self.close()
            raise
        self.size, self.drops = self._index.file.size, self._index.drops

    def _take_in(self) -> None:
        for _ in self._log.steps():
            self._look_at_time()

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def frames(
        self, expression: str, first: int, keep: Callable[[Kept], None]
    ) -> Iterator[tuple[Record, Frame] | None]:
        """Those that a filter lets through, from the number ``first`` on, each with its record; None after each turn.

        ``keep`` is given what a copy has to keep ahead of the frame that comes next.
        """
        sift = self._sift(expression)
        offset, end = self._index.columns.offset, self._log.end
        behind = offset[first - 2]
        beside = ((at, kept) for at, kept in self._index.beside() if at > behind)
        waiting = next(beside, None)
        while first < end:
            self._look_at_file()
            try:
                first, numbers = sift.go_on(first, end, time.monotonic() + TURN_SECONDS)
            except FilterError as error:
                raise Failed(f"--filter: {error}") from None
            for number in numbers:
                self._look_at_time()
                record = self._index.record(number - 1)
                while waiting is not None and waiting[0] < offset[number - 1]:
                    keep(waiting[1])
                    waiting = next(beside, None)
                yield record, self._log.frame(number)
            self._look_at_time()
            yield None
        for _, kept in () if waiting is None else chain((waiting,), beside):
            keep(kept)
        self._end()

    def counts(self, kind: Callable[[Frame], str]) -> Iterator[Statistics]:
        """All frames, counted: the same counts after each turn. ``kind`` is what one is counted as."""
        if self._log.vectorised:
            counts: Statistics = ColumnStatistics(self._log, kind, lambda each: each.path.startswith(KINDS))
        else:
            counts = FileStatistics(self._log, kind)
        while counts.behind:
            self._look_at_file()
            counts.go_on(TURN_SECONDS)
            yield counts
            self._look_at_time()
        self._end()

    def _sift(self, expression: str) -> Sift:
        predicate = filter_of(expression, self._opened)
        assert isinstance(predicate, Compiled)
        if self._log.vectorised:
            return ColumnSift(self._log, predicate, predicate.test)
        return Sift(self._log, predicate)

    def _look_at_time(self) -> None:
        if self._stop.due:
            raise Stopped

    def _look_at_file(self) -> None:
        # A mapping must not be looked at where its file was cut off.
        if not self._index.file.whole():
            raise CaptureError(self._index.file.size, "the file was cut off while it was read")

    def _end(self) -> None:
        if self._index.error is not None:
            raise self._index.error
