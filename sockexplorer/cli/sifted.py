"""What a filter lets through of a large capture file: its index is asked, as in the explorer, and few frames are
made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.column_sift import ColumnSift
from sockexplorer.capture.index import Index
from sockexplorer.capture.predicate import Compiled, FilterError
from sockexplorer.capture.reading import CaptureError
from sockexplorer.capture.sifting import Sift
from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.client.file_session import known
from sockexplorer.client.finding import filter_of

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.pcapng_kept import Kept
    from sockexplorer.capture.reading import Record
    from sockexplorer.client.opened import Opened

TURN_SECONDS = 0.05
"""How long it looks before who waits has a turn."""


class Sifted:
    """The frames of a file that a filter lets through. Raises OSError, `CaptureError`, `Failed` and `Stopped`."""

    def __init__(self, path: Path, opened: Opened, expression: str, stop: Stop) -> None:
        self._stop = stop
        self._index = Index(path)
        try:
            self._log = CapturedLog(
                self._index, lambda number, record: opened.frame(record, number), name=partial(known, opened)
            )
            for _ in self._log.steps():
                self._look_at_time()
            predicate = filter_of(expression, opened)
        except BaseException:
            self.close()
            raise
        assert isinstance(predicate, Compiled)
        vectorised = self._log.vectorised
        self._sift = ColumnSift(self._log, predicate, predicate.test) if vectorised else Sift(self._log, predicate)
        self.size, self.drops = self._index.file.size, self._index.drops

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def frames(self, first: int, keep: Callable[[Kept], None]) -> Iterator[tuple[Record, Frame] | None]:
        """Those from the number ``first`` on, each with its record; None after each turn.

        ``keep`` is given what a copy has to keep ahead of the frame that comes next.
        """
        offset, end = self._index.columns.offset, self._log.end
        behind = offset[first - 2]
        beside = ((at, kept) for at, kept in self._index.beside() if at > behind)
        waiting = next(beside, None)
        while first < end:
            first, numbers = self._go_on(first, end)
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
        if self._index.error is not None:
            raise self._index.error

    def _go_on(self, first: int, end: int) -> tuple[int, Iterator[int]]:
        # A mapping must not be looked at where its file was cut off.
        if not self._index.file.whole():
            raise CaptureError(self._index.columns.offset[first - 1], "the file was cut off while it was read")
        try:
            number, found = self._sift.go_on(first, end, time.monotonic() + TURN_SECONDS)
        except FilterError as error:
            raise Failed(f"--filter: {error}") from None
        return number, iter(found)

    def _look_at_time(self) -> None:
        if self._stop.due:
            raise Stopped
