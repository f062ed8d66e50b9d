"""A capture file as a session: its rows are those of the file, its peers those that the file names."""

from __future__ import annotations

import contextlib
import os
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import cast

from sockexplorer.capture import sidecar
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.filter import Compiled, Predicate
from sockexplorer.capture.index import VECTORISED_BYTES, Index
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.origins import Provenance
from sockexplorer.capture.reading import CaptureError, Record, Torn
from sockexplorer.capture.repair import cut
from sockexplorer.capture.sifting import ColumnSift, Known, Sift, rows_of
from sockexplorer.capture.statistics import ColumnStatistics, Statistics
from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.opened import Opened, protocol_of
from sockexplorer.client.session import Peer, Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family, Protocol
from sockexplorer.core.text import escape
from sockexplorer.decoders.fields import Value
from sockexplorer.families import find

DECODED = ("AF_NETLINK", "AF_CAN", "AF_QIPCRTR", "AF_TIPC")
"""Families of which a payload may be summed up by a decoder."""
FALLBACK = "packet/raw"
"""What is said about a file of which no family of sockets has the frames."""
NO_INDEX = "SOCKEXPLORER_NO_INDEX"
"""Set in the environment, it has no index kept or looked for."""


class FileSession(Session):
    """A `Session` in the state ``file``. Its ``log`` is a `CapturedLog`, which has the face of a `Log`.

    `start` indexes the file beside everything else; rows come meanwhile. Raises OSError, `CaptureError`.
    """

    def __init__(
        self, number: int, path: Path, *, keeps_index: bool = True, vectorised_from: int = VECTORISED_BYTES
    ) -> None:
        self.path = path
        self.keeps_index = keeps_index and not os.environ.get(NO_INDEX)
        self._opened = Opened()
        loaded = sidecar.load(path) if self.keeps_index else None
        self.was_kept = loaded is not None
        """Whether the index was made before."""
        if loaded is None:
            self.captured = CapturedLog(Index(path, vectorised_from), self._frame)
        else:
            self.captured = CapturedLog(loaded.index, self._frame, loaded.examples, loaded.counts)
        family, protocol = find(FALLBACK)
        super().__init__(
            number, Endpoint(family.constant, protocol.name, "open"), family, protocol, cast(Log, self.captured),
            state="file", peers=self._opened.peers, progress=0.0,
        )  # fmt: skip
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Index the file in a thread of its own; `progress`, `drops` and `notice` follow."""
        if self.captured.ready:
            self._end()
            return
        self._thread = threading.Thread(target=self._go_on, name=f"index of {self.path.name}", daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        try:
            for progress in self.captured.steps():
                self.progress = progress
                if self._stop.is_set():
                    return
            if self.keeps_index:
                sidecar.settle(self.captured)
        except OSError as error:
            self.notice = escape(f"the file can't be read: {error.strerror}")
        self._end()

    def _end(self) -> None:
        index = self.captured.index
        self.drops = sum(count for _, count in index.drops.values())
        if index.error is not None:
            self.notice = self._explain(index.error)
        self.progress = 1.0

    def _explain(self, error: CaptureError) -> str:
        if isinstance(error, Torn):
            return escape(f"it ends within a record: whole up to byte {error.offset}")
        return escape(f"it can't be read on {error}")

    def wait(self) -> None:
        """Wait until the file is indexed."""
        if self._thread is not None:
            self._thread.join()

    @property
    def indexing(self) -> bool:
        """Whether rows may still come."""
        return self._thread is not None and self._thread.is_alive()

    def release(self) -> None:
        """Let go of the file."""
        self._stop.set()
        self.wait()

    # --- as a session ------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return escape(self.path.name, 60)

    def spoken(self, frame: Frame) -> tuple[Family, Protocol] | None:
        return protocol_of(str(frame.meta.get("socket", "")))

    def summary(self, frame: Frame) -> str:
        return self._opened.summary(frame)

    def fields(self, frame: Frame) -> dict[str, list[Value]]:
        return {} if frame.event else self._opened.fields(frame)

    def sift(self, predicate: Predicate) -> Sift:
        if self.captured.vectorised and isinstance(predicate, Compiled):
            return ColumnSift(self.captured, predicate, predicate.test, self._known)
        return Sift(self.captured, predicate)

    def numbers_of(self, peer: int) -> array[int] | None:
        if not self.captured.vectorised or not self.captured.ready:
            return None
        return rows_of(self.captured, lambda each: self._opened.number(each.path, each.peer) == peer)

    def statistics(self, kind: Callable[[Frame], str], kind_of_peer: Callable[[int], str]) -> Statistics:
        if not self.captured.vectorised or not self.captured.ready:
            from sockexplorer.capture.statistics import Statistics

            return Statistics(self.log, kind)
        return ColumnStatistics(self.captured, lambda each: self._opened.number(each.path, each.peer))

    def record(self, number: int) -> Record | None:
        # A record that the file no longer has can't be kept.
        with contextlib.suppress(CaptureError):
            return self.captured.index.record(number - 1)
        return None

    @property
    def torn(self) -> int:
        error = self.captured.index.error
        return self.captured.index.file.size - error.offset if isinstance(error, Torn) and error.offset else 0

    def _frame(self, number: int, record: Record) -> Frame:
        frame = self._opened.frame(record, number)
        if number == 1 and (spoken := self.spoken(frame)) is not None:
            self.family, self.protocol = spoken
        peer = self.peers.get(frame.peer)
        if peer is not None:
            self.longest_name = max(self.longest_name, len(peer.name))
        return frame

    def _known(self, each: Provenance) -> Known:
        peer: Peer | None = self.peers.get(self._opened.number(each.path, each.peer))
        spoken = protocol_of(each.path)
        return Known(peer.name if peer else "", spoken is None or spoken[0].constant in DECODED)


def open_file(hub: Hub, path: Path, *, keeps_index: bool = True) -> FileSession | Problem:
    """Open a capture file beside the sessions of a hub, or say why not. A large file is indexed meanwhile."""
    try:
        session = FileSession(0, path.expanduser(), keeps_index=keeps_index)
    except OSError as error:
        return Problem("open", "", f"{path}: {error.strerror or error}")
    except (CaptureError, ValueError, RuntimeError) as error:
        return Problem(
            "open",
            "",
            f"{path}: {error}",
            "it is no capture that can be read" if isinstance(error, CaptureError) else "",
        )
    session.number = hub.next_number()
    hub.sessions[session.number] = session
    session.start()
    return session


def repair(hub: Hub, session: Session) -> tuple[Session, int] | Problem:
    """Cut a torn capture file at its last whole record; its session anew, and the bytes that are gone; or why not."""
    assert isinstance(session, FileSession)
    size = session.captured.index.file.size
    try:
        gone = cut(session.path, size, size - session.torn)
    except BlockingIOError:
        return Problem("repair", "", f"{session.path}: another program is still writing it")
    except (OSError, ValueError) as error:
        return Problem("repair", "", f"{session.path}: {getattr(error, 'strerror', None) or error}")
    try:
        anew = FileSession(session.number, session.path, keeps_index=session.keeps_index)
    except (OSError, CaptureError) as error:
        return Problem("repair", "", f"{session.path}: {error}")
    # What is mapped of the file reaches over its end: nobody may read on there.
    session.release()
    session.log.close()
    hub.sessions[session.number] = anew
    anew.start()
    return anew, gone
