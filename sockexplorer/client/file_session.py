"""A capture file as a session: its rows are those of the file, its peers those that the file names.

A file that another program is writing, and what comes through a pipe, grows while it is shown; of a compressed file
what was unpacked so far is shown.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from array import array
from collections.abc import Callable
from functools import cache
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
from sockexplorer.client.opened import Opened, name_of, protocol_of
from sockexplorer.client.protocols import name_by_address
from sockexplorer.client.session import Session
from sockexplorer.client.writers import is_written
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.decoders import has_decoder, has_fields
from sockexplorer.decoders.fields import HEADS, Value
from sockexplorer.families import find

FALLBACK = "packet/raw"
"""What is said about a file of which no family of sockets has the frames."""
GROWTH_SECONDS = 0.1
"""How often a file is looked at, and for how long what comes through a pipe is gathered."""
WRITER_SECONDS, QUIET_SECONDS = 5.0, 10.0
"""How often a writer is looked for; how long after it has grown a file is said to be growing without one."""
RECENT_SECONDS = 60.0
"""A writer is looked for at first where the file was changed so shortly ago: that takes a while."""
NO_INDEX = "SOCKEXPLORER_NO_INDEX"
"""Set in the environment, it has no index kept or looked for."""


class Pipe(NamedTuple):
    """The reading end of a pipe, or a compressed file, and what it is called. Who opens it gives it away."""

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
        self._piped = Piped(source.descriptor, directory) if isinstance(source, Pipe) else None
        path = source if isinstance(source, Path) else self._piped.path if self._piped else Path()
        self.path, self.name = path, source.name
        self.keeps_index = keeps_index and self._piped is None and not os.environ.get(NO_INDEX)
        self._opened = Opened()
        loaded = sidecar.load(path) if self.keeps_index else None
        self.was_kept = loaded is not None
        """Whether the index was made before."""
        if loaded is None:
            index = Index(path, vectorised_from, later=self._piped is not None)
            self.captured = CapturedLog(index, self._frame, name=self._known)
        else:
            self.captured = CapturedLog(loaded.index, self._frame, loaded.examples, loaded.counts, self._known)
        family, protocol = find(FALLBACK)
        super().__init__(
            number, Endpoint(family.constant, protocol.name, "open"), family, protocol, cast(Log, self.captured),
            state="file", peers=self._opened.peers, progress=0.0,
        )  # fmt: skip
        self._grown_at = self._asked_at = float("-inf")
        self._written = False
        self._failed = ""
        self._looked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if self._piped is not None:
            self.growing = "" if self._piped.is_file else "a live pipe"
        elif abs(time.time() - self.captured.index.file.mtime_ns / 1e9) < RECENT_SECONDS:
            self._look_for_writer()

    def start(self) -> None:
        """Index the file in a thread of its own; `progress`, `drops`, `notice` and `growing` follow."""
        if self.captured.ready:
            self._tell()
        self._thread = threading.Thread(target=self._go_on, name=f"index of {self.name}", daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        ended = False
        try:
            if self.captured.ready:
                for _ in self.captured.origins.steps():
                    if self._stop.is_set():
                        return
            else:
                self._index()
                if self._ends_in_a_line and self.captured.grow(final=True):
                    self._index()
                if self.keeps_index and not self.growing and not self._stop.is_set():
                    sidecar.settle(self.captured)
            while not ended and not self._stop.is_set():
                self._tell()
                ended = self._follow()
        except OSError as error:
            self._failed = f"{self._what_failed()}: {error.strerror}"
            with contextlib.suppress(OSError):
                if self.captured.grow(final=True):
                    self._index()
        self.growing = ""
        if self._piped is not None and isinstance(self._piped.fault, Torn):
            self._written = is_written(self._piped.source)
        self._tell(last=True)
        if self._piped is not None:
            # Who writes into it has to hear where nothing is read any more.
            self._piped.hang_up()

    def _index(self) -> None:
        """Take in what there is."""
        for progress in self.captured.steps():
            if not self._looked.is_set() and not self._unpacks:
                self.progress = progress
            if self._stop.is_set():
                return

    def _follow(self) -> bool:
        """Wait a moment, and take in what the file has grown by; whether that was the last."""
        final = False
        if self._piped is None:
            self._stop.wait(GROWTH_SECONDS)
        else:
            self._piped.pump(GROWTH_SECONDS)
            final = self._piped.ended
        size = self.captured.index.file.size
        if self.captured.grow(final=final or self._ends_in_a_line):
            if self.captured.index.file.size > size:
                self._grown_at = time.monotonic()
            self._index()
        if self._piped is None:
            self._look_for_growth()
        error = self.captured.index.error
        return final or not (error is None or isinstance(error, Torn))

    @property
    def _ends_in_a_line(self) -> bool:
        """Whether it is a log that ends with a line without its end, of which nobody is writing the rest."""
        index = self.captured.index
        return not self.growing and index.kind == "candump" and isinstance(index.error, Torn)

    def _look_for_growth(self) -> None:
        grown = time.monotonic() - self._grown_at < QUIET_SECONDS
        if (grown or self._written) and time.monotonic() - self._asked_at >= WRITER_SECONDS:
            self._look_for_writer()
        self.growing = "growing" if grown or self._written else ""

    def _look_for_writer(self) -> None:
        self._asked_at = time.monotonic()
        self._written = is_written(self.captured.index.file.path)
        self.growing = "growing" if self._written else self.growing

    @property
    def _unpacks(self) -> bool:
        """Whether it is a file that is unpacked."""
        return self._piped is not None and self._piped.is_file

    def _what_failed(self) -> str:
        if self._piped is None:
            return "it can't be read on"
        return "it can't be unpacked any further" if self._unpacks else "what comes can't be kept any more"

    def _tell(self, *, last: bool = False) -> None:
        """Say what is known so far; ``last`` where nothing more will be."""
        index = self.captured.index
        self.drops = sum(count for _, count in index.drops.values())
        if self._piped is not None and self._unpacks and not last:
            self.progress = min(0.999, self._piped.progress)
            return
        self.notice = escape(self._failed or self._unpacked_amiss() or self._explain(index.error))
        self.progress = 1.0
        self._looked.set()

    def _unpacked_amiss(self) -> str:
        """Why not all was unpacked that a compressed file has, or what came through a pipe."""
        fault = None if self._piped is None else self._piped.fault
        if fault is None:
            return ""
        if isinstance(fault, Torn):
            more = (
                "another program is writing it: open it again for more" if self._written else "what they hold is shown"
            )
            return f"it ends at byte {fault.offset} of its gzip data, which are not whole: {more}"
        return f"it can't be unpacked on {fault}"

    def _explain(self, error: CaptureError | None) -> str:
        """What is wrong, and what can be done; the end of a file that grows may be anywhere."""
        if error is None or (isinstance(error, Torn) and self.growing):
            return ""
        if not isinstance(error, Torn):
            return f"it can't be read on {error}"
        return f"it ends within a record: whole up to byte {error.offset}"

    def wait(self) -> None:
        """Wait until all that was there is indexed."""
        if self._thread is not None:
            self._looked.wait()

    def release(self) -> None:
        """Let go of the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._piped is not None:
            self._piped.close()

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

    def _known(self, each: Provenance) -> Known:
        number, spoken = self._opened.number(each.path, each.peer), protocol_of(each.path)
        address, name = name_of(each.path, each.peer) if number and each.peer else (None, "")
        protocol = each.socket if spoken is None else name_by_address(spoken, address)
        decoded, fields, head, headed, link = _told_by(each.path)
        return Known(name, decoded, protocol, number, fields, head, headed, link)


@cache
def _told_by(path: str) -> tuple[bool, bool, int | None, bool, bool]:
    """What a ``family/protocol`` tells of `Known`: ``decoded`` and ``fields`` to ``link``."""
    spoken = protocol_of(path)
    return (
        spoken is None or has_decoder(spoken[0].constant), spoken is not None and has_fields(spoken[0].constant),
        HEADS.get(path), spoken is not None and has_headings(path), path == "packet/raw",
    )  # fmt: skip
