"""A capture file that is taken in beside everything else, in a thread of its own, for as long as it grows."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from sockexplorer.capture import sidecar
from sockexplorer.capture.piped import Piped
from sockexplorer.capture.reading import CaptureError, Torn
from sockexplorer.client.writers import is_written
from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.client.file_session import FileSession

GROWTH_SECONDS = 0.1
"""How often a file is looked at, and for how long what comes through a pipe is gathered."""
WRITER_SECONDS, QUIET_SECONDS = 5.0, 10.0
"""How often a writer is looked for; how long after it has grown a file is said to be growing without one."""
RECENT_SECONDS = 60.0
"""A writer is looked for at first where the file was changed so shortly ago: that takes a while."""


class Indexing:
    """Indexes the file of a session, whose ``progress``, ``drops``, ``notice`` and ``growing`` say how far it is.

    ``piped`` is what the file is filled from, where that is a pipe or a compressed file.
    """

    def __init__(self, session: FileSession, piped: Piped | None) -> None:
        self._session = session
        self._captured = session.captured
        self._piped = piped
        self._unpacks = piped is not None and piped.is_file
        """Whether it is a file that is unpacked."""
        self._grown_at = self._asked_at = float("-inf")
        self._written = False
        self._failed = ""
        self._looked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if piped is not None:
            session.growing = "" if self._unpacks else "a live pipe"
        elif abs(time.time() - self._captured.index.file.mtime_ns / 1e9) < RECENT_SECONDS:
            self._look_for_writer()

    def start(self) -> None:
        """Begin."""
        if self._captured.ready:
            self._tell()
        self._thread = threading.Thread(target=self._run, name=f"index of {self._session.name}", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until all that was there is indexed."""
        if self._thread is not None:
            self._looked.wait()

    def stop(self) -> None:
        """End the thread, and let go of what the file is filled from."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._piped is not None:
            self._piped.close()

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self._captured.ready:
                for _ in self._captured.origins.steps():
                    if self._stop.is_set():
                        return
            else:
                self._index_all()
            self._tell()
            while not self._stop.is_set() and not self._follow():
                self._tell()
        except OSError as error:
            self._failed = f"{self._what_failed()}: {error.strerror}"
            with contextlib.suppress(OSError):
                if self._captured.grow(final=True):
                    self._index()
        self._session.growing = ""
        if self._piped is not None and isinstance(self._piped.fault, Torn):
            self._written = is_written(self._piped.source)
        self._tell(last=True)
        if self._piped is not None:
            # Who writes into it has to hear where nothing is read any more.
            self._piped.hang_up()

    def _index_all(self) -> None:
        """Take in what is there at first, and keep the index of a file that does not grow."""
        self._index()
        if self._ends_in_a_line and self._captured.grow(final=True):
            self._index()
        if self._session.keeps_index and not self._session.growing and not self._stop.is_set():
            sidecar.settle(self._captured)

    def _index(self) -> None:
        """Take in what there is."""
        for progress in self._captured.steps():
            if not self._looked.is_set() and not self._unpacks:
                self._session.progress = progress
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
        size = self._captured.index.file.size
        if self._captured.grow(final=final or self._ends_in_a_line):
            if self._captured.index.file.size > size:
                self._grown_at = time.monotonic()
            self._index()
        if self._piped is None:
            self._look_for_growth()
        error = self._captured.index.error
        return final or not (error is None or isinstance(error, Torn))

    @property
    def _ends_in_a_line(self) -> bool:
        """Whether it is a log that ends with a line without its end, of which nobody is writing the rest."""
        index = self._captured.index
        return not self._session.growing and index.kind == "candump" and isinstance(index.error, Torn)

    def _look_for_growth(self) -> None:
        grown = time.monotonic() - self._grown_at < QUIET_SECONDS
        if (grown or self._written) and time.monotonic() - self._asked_at >= WRITER_SECONDS:
            self._look_for_writer()
        self._session.growing = "growing" if grown or self._written else ""

    def _look_for_writer(self) -> None:
        self._asked_at = time.monotonic()
        self._written = is_written(self._captured.index.file.path)
        if self._written:
            self._session.growing = "growing"

    # --- what it says ------------------------------------------------------------------------------------------

    def _tell(self, *, last: bool = False) -> None:
        """Say what is known so far; ``last`` where nothing more will be."""
        index = self._captured.index
        self._session.drops = sum(count for _, count in index.drops.values())
        if self._piped is not None and self._unpacks and not last:
            self._session.progress = min(0.999, self._piped.progress)
            return
        self._session.notice = escape(self._failed or self._unpacked_amiss() or self._explain(index.error))
        self._session.progress = 1.0
        self._looked.set()

    def _what_failed(self) -> str:
        if self._piped is None:
            return "it can't be read on"
        return "it can't be unpacked any further" if self._unpacks else "what comes can't be kept any more"

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
        if error is None or (isinstance(error, Torn) and self._session.growing):
            return ""
        if not isinstance(error, Torn):
            return f"it can't be read on {error}"
        return f"it ends within a record: whole up to byte {error.offset}"
