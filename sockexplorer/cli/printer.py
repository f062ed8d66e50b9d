"""Frames on stdout, and into a recording: numbered, counted, many lines with one write when many have come."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, cast

from sockexplorer.cli.output import Gone, Output
from sockexplorer.cli.report import note
from sockexplorer.cli.stopping import LONGEST, Stop, Stopped
from sockexplorer.core.frames import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sockexplorer.capture.block import Block
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.sink import Full
    from sockexplorer.cli.filtering import Passes
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.recorder import Recorder
    from sockexplorer.client.session import Session

TOGETHER = 256
"""Frames of one write, at most."""
RECORDING = LONGEST
"""Seconds that what had come may take to be recorded when there is no more time to print it."""
ONLY_RECORDED = f"what else had come is recorded, not printed: {RECORDING:g} s at most"


class Printer:
    """Numbers frames and prints them, many lines with one write when many have come.

    With a ``recorder`` they are recorded as well, a batch before its lines are printed; ``quiet`` prints none.
    """

    def __init__(
        self, output: Output, stop: Stop, count: int | None, kind: str, recorder: Recorder | None = None, *,
        quiet: bool = False, numbered: bool = False, fields: bool = False, passes: Passes | None = None,
    ) -> None:  # fmt: skip
        """``count`` is how many frames there are to be at most; ``numbered`` ones have numbers of their own, in a file.

        ``kind`` is a format of `client.formats`, ``fields`` has it tell what decoders read. Only frames that ``passes``
        lets through are printed and make up the count; all are numbered and recorded.
        """
        self.output = output
        self.number = 0
        """Frames that were printed whole."""
        self.taken = 0
        """Frames that came to be printed or recorded."""
        self.over = False
        """Whether no more is to be printed."""
        self.end_by: float | None = None
        """When printing has to be over, once the end has come."""
        self._stop = stop
        self._count = count
        self._kind = kind
        self.recorder = recorder
        self._quiet = quiet
        self._numbered = numbered
        self._fields = fields
        self._passes = passes
        self._passed = 0
        self.no_room: Full | None = None
        """Why no more is recorded."""
        self._session: Session | None = None
        self._waiting: list[bytes] = []
        self._unprinted = 0
        """Frames that were recorded by the block, and are not counted yet."""
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def full(self) -> bool:
        """Whether as many frames as were asked for have come."""
        come = self.taken if self._passes is None else self._passed
        return self._count is not None and come >= self._count

    @property
    def by_block(self) -> bool:
        """Whether `take_block` may take frames: nothing of them is printed, or nothing any more."""
        return self._count is None and (self._quiet or self.over)

    @contextmanager
    def until_refused(self) -> Iterator[None]:
        """Around what prints: it is over when nobody reads stdout any more, and when a recording has no more room."""
        # Imported where something may be recorded: whoever only prints need not wait for it.
        from sockexplorer.capture.sink import Full

        try:
            yield
        except Gone:
            self.over = True
        except Full as error:
            if self._quiet and self.recorder is not None:
                # It prints nothing: what it counts is what the file holds.
                self.number = self.recorder.recording.written
            self.over, self.recorder, self.no_room = True, None, error

    def take_block(self, session: Session, block: Block) -> bool:
        """Record all frames of a block at once; False where each is to be taken by itself. Raises as `take`."""
        if not self.by_block or (self.over and self._quiet):
            return False
        if self.recorder is not None and not self.recorder.add_block(session, block):
            return False
        if self.recorder is None and any(flags & Flag.EVENT for flags in block.flags):
            return False
        self._session = session
        self.taken += block.last - block.first
        self._unprinted += block.last - block.first
        self._look_at_time()
        return True

    def _look_at_time(self) -> None:
        if self.end_by is None:
            if self._stop.due:
                self.flush()
                raise Stopped
            return
        late = time.monotonic() - self.end_by
        if late <= 0:
            return
        if self.recorder is not None and late < RECORDING:
            # A file takes in a moment what a person would be shown for minutes.
            if not (self.over or self._quiet):
                self.over = True
                note(ONLY_RECORDED)
            return
        self.flush()
        self.over = True
        raise Stopped

    def take(self, session: Session | Opened, frame: Frame) -> None:
        """Record and print a frame, soon. Raises `Gone`, `Full`, or `Stopped` when it is time amid a flood.

        When there is no more time to print it is recorded all the same.
        """
        from sockexplorer.client.formats import as_lines

        if self.full or (self.over and (self.recorder is None or self._quiet)):
            return
        self.taken += 1
        if self.recorder is not None:
            self._session = cast("Session", session)
            self.recorder.add(self._session, frame)
        if self.over:
            if not self.taken % TOGETHER:
                self._look_at_time()
            return
        number = frame.number if self._numbered else self.taken
        if self._passes is not None:
            if not self._passes(session, frame._replace(number=number)):
                if not self.taken % TOGETHER:
                    self.flush()
                    self._look_at_time()
                return
            self._passed += 1
        text = "" if self._quiet else as_lines(self._kind, session, frame, number, self._width, fields=self._fields)
        self._waiting.append(self.output.encode(text))
        if len(self._waiting) < TOGETHER:
            return
        self.flush()
        self._look_at_time()

    def flush(self, *, last: bool = False) -> None:
        """Write what waits. Raises `Gone`, `Full` or `Stopped`."""
        if self.recorder is not None and self._session is not None:
            self.recorder.flush(self._session, last=last)
        if self.over:
            return
        self.number += self._unprinted
        self._unprinted = 0
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        if self._quiet:
            self.number += len(waiting)
            return
        try:
            self.output.write(b"".join(waiting))
        except Stopped:
            if self.recorder is None or self.end_by is None:
                raise
            self.over = True
        finally:
            self.number += sum(end <= self.output.taken for end in accumulate(map(len, waiting)))
