"""A capture file as a session: its rows are those of the file, its peers those that the file names.

A file that another program is writing, and what comes through a pipe, grows while it is shown; of a compressed file
what was unpacked so far is shown.
"""

from __future__ import annotations

import contextlib
import os
from array import array
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, cast

from sockexplorer.capture import sidecar
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.column_sift import ColumnSift, rows_of
from sockexplorer.capture.file_statistics import ColumnStatistics, FileStatistics
from sockexplorer.capture.index import VECTORISED_BYTES, Index
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.origins import Known
from sockexplorer.capture.piped import Piped
from sockexplorer.capture.predicate import Compiled, Predicate
from sockexplorer.capture.provenance import Provenance
from sockexplorer.capture.reading import CaptureError, Record, Torn
from sockexplorer.capture.sifting import Sift
from sockexplorer.capture.statistics import KINDS, Statistics
from sockexplorer.client.heading import has_headings
from sockexplorer.client.indexing import Indexing
from sockexplorer.client.opened import Opened, name_of, protocol_of
from sockexplorer.client.protocols import name_by_address
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.decoders import has_decoder, has_fields
from sockexplorer.decoders.fields import HEADS, Value
from sockexplorer.families import find

FALLBACK = "packet/raw"
"""What is said about a file of which no family of sockets has the frames."""
NO_INDEX = "SOCKEXPLORER_NO_INDEX"
"""Set in the environment, it has no index kept or looked for."""


class Pipe(NamedTuple):
    """A descriptor of a pipe's reading end, or of a compressed file, and what that is called. A session that is made of
    it closes it."""

    descriptor: int
    name: str


class FileSession(Session):
    """A `Session` in the state ``file``. Its ``log`` is a `CapturedLog`, which has the face of a `Log`.

    `start` indexes the file beside everything else; rows come meanwhile, and as long as it grows. What comes through a
    pipe, and what is unpacked, is kept in ``directory``, until the session is released. Raises OSError, `CaptureError`.
    """

    def __init__(
        self, number: int, source: Path | Pipe, *, keeps_index: bool = True, vectorised_from: int = VECTORISED_BYTES,
        directory: Path | None = None,
    ) -> None:  # fmt: skip
        self.path, self._piped = _placed(source, directory)
        self.name = source.name
        self.keeps_index = keeps_index and self._piped is None and not os.environ.get(NO_INDEX)
        self._opened = Opened()
        try:
            self.captured = self._capture(vectorised_from)
        except BaseException:
            if self._piped is not None:
                self._piped.close()
            raise
        family, protocol = find(FALLBACK)
        super().__init__(
            number, Endpoint(family.constant, protocol.name, "open"), family, protocol, cast(Log, self.captured),
            state="file", peers=self._opened.peers, progress=0.0,
        )  # fmt: skip
        self._indexing = Indexing(self, self._piped)

    def _capture(self, vectorised_from: int) -> CapturedLog:
        loaded = sidecar.load(self.path) if self.keeps_index else None
        if loaded is None:
            index = Index(self.path, vectorised_from, later=self._piped is not None)
            return CapturedLog(index, self._frame, name=partial(known, self._opened))
        return CapturedLog(loaded.index, self._frame, loaded.examples, loaded.counts, partial(known, self._opened))

    def start(self) -> None:
        """Index the file in a thread of its own; `progress`, `drops`, `notice` and `growing` follow."""
        self._indexing.start()

    def wait(self) -> None:
        """Wait until all that was there is indexed."""
        self._indexing.wait()

    def release(self) -> None:
        """Let go of the file."""
        self._indexing.stop()

    # --- as a session ------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return escape(self.name, 60)

    def spoken(self, frame: Frame) -> tuple[Family, Protocol] | None:
        return protocol_of(str(frame.meta.get("socket", "")))

    @property
    def sockets(self) -> set[str]:
        return self._opened.sockets

    def summary(self, frame: Frame) -> str:
        return self._opened.summary(frame)

    def fields(self, frame: Frame) -> dict[str, list[Value]]:
        return {} if frame.event else self._opened.fields(frame)

    def sift(self, predicate: Predicate) -> Sift:
        if self.captured.vectorised and isinstance(predicate, Compiled):
            return ColumnSift(self.captured, predicate, predicate.test)
        return Sift(self.captured, predicate)

    def numbers_of(self, peer: int) -> array[int] | None:
        if not self._is_known or self.progress < 1:
            return None
        return rows_of(self.captured, peer)

    @property
    def _is_known(self) -> bool:
        """Whether it is a large file of whose rows all origins are known."""
        captured = self.captured
        return captured.vectorised and captured.ready and captured.origins.rows == captured.index.count

    def statistics(self, kind: Callable[[Frame], str], kind_of_peer: Callable[[int], str]) -> Statistics:
        if not self.captured.vectorised:
            return FileStatistics(self.captured, kind)
        return ColumnStatistics(self.captured, kind, lambda each: each.path.startswith(KINDS))

    def record(self, number: int) -> Record | None:
        # A record that the file no longer has can't be kept.
        with contextlib.suppress(CaptureError):
            return self.captured.index.record(number - 1)
        return None

    def is_of(self, found: os.stat_result) -> bool:
        """Whether a file is the one that rows are read from, under any name."""
        if self._piped is not None:
            return self._piped.reads(found)
        with contextlib.suppress(OSError):
            return os.path.samestat(found, self.path.stat())
        return False

    @property
    def torn(self) -> int:
        error = self.captured.index.error
        if self.growing or self._piped is not None or not isinstance(error, Torn) or not error.offset:
            return 0
        return self.captured.index.file.size - error.offset

    def _frame(self, number: int, record: Record) -> Frame:
        frame = self._opened.frame(record, number)
        if number == 1 and (spoken := self.spoken(frame)) is not None:
            self.family, self.protocol = spoken
        peer = self.peers.get(frame.peer)
        if peer is not None:
            self.longest_name = max(self.longest_name, len(peer.in_rows))
        return frame


def known(opened: Opened, each: Provenance) -> Known:
    """What is shown of an origin of rows, for a `CapturedLog`."""
    number, spoken = opened.number(each.path, each.peer), protocol_of(each.path)
    address, name = name_of(each.path, each.peer) if number and each.peer else (None, "")
    protocol = each.socket if spoken is None else name_by_address(spoken, address)
    decoded, fields, head, headed, link = _told_by(each.path)
    return Known(name, decoded, protocol, number, fields, head, headed, link)


def _placed(source: Path | Pipe, directory: Path | None) -> tuple[Path, Piped | None]:
    """Where the rows of a source are read from, and what fills that. Raises OSError, with a pipe closed."""
    if isinstance(source, Path):
        return source, None
    try:
        piped = Piped(source.descriptor, directory)
    except OSError:
        os.close(source.descriptor)
        raise
    return piped.path, piped


@cache
def _told_by(path: str) -> tuple[bool, bool, int | None, bool, bool]:
    """What a ``family/protocol`` tells of `Known`: ``decoded`` and ``fields`` to ``link``."""
    spoken = protocol_of(path)
    return (
        spoken is None or has_decoder(spoken[0].constant), spoken is not None and has_fields(spoken[0].constant),
        HEADS.get(path), spoken is not None and has_headings(path), path == "packet/raw",
    )  # fmt: skip
