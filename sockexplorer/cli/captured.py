"""A capture as a verb reads it: a file or stdin, live where that still grows, filtered; the repair of a file."""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sockexplorer.cli.filtering import filtering
from sockexplorer.cli.report import Failed, note
from sockexplorer.cli.stopping import Stop, Stopped

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.pcapng_kept import Kept
    from sockexplorer.capture.reading import CaptureError, Drops, Record
    from sockexplorer.capture.statistics import Statistics
    from sockexplorer.cli.indexed import Indexed
    from sockexplorer.client.opened import Opened


ONE_BY_ONE = 2**14
"""Frames that a filter is asked of one by one: the rest of a large file is indexed for those who want more of it."""


class Captured:
    """The frames of FILE, or of stdin for ``-``. ``idle`` is called before each wait for more.

    Raises `Failed` for a file that can't be opened.
    """

    def __init__(self, path: str, stop: Stop, idle: Callable[[], None] = lambda: None) -> None:
        from sockexplorer.capture.unpacking import Unpacking
        from sockexplorer.client.opened import Opened

        self.path = path
        self.opened: Opened = Opened()
        self.torn = -1
        """Where the last whole record ends, when the capture ended within the next."""
        self.drops: Drops = {}
        self.keep: Callable[[Kept], None] = lambda kept: None
        """Is given what a copy has to keep ahead of the frame that comes next."""
        self._stop = stop
        self.idle = idle
        self._unpacking = Unpacking()
        self._size = 0
        try:
            # Opening a FIFO waits for its writer.
            with stop.interruptible():
                if stop.signal:
                    raise Stopped
                self._fd = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except Stopped:
            raise click.exceptions.Exit(stop.status()) from None
        except OSError as error:
            raise Failed(f"{path}: {error.strerror}") from None

    def frames(
        self, expression: str = "", *, follow: int | None = None, repair: bool = False
    ) -> Iterator[tuple[Record, Frame]]:
        """Every record that the filter shows, with its frame; from the number ``follow`` on those of its conversation.

        Raises `Stopped`, or `Failed` for what is no capture, and where there is no frame of that number.

        A torn end is told on stderr, with what to do unless ``repair`` follows, and ends it.
        """
        from sockexplorer.capture.reading import records
        from sockexplorer.client.following import with_row

        followed: Callable[[Frame], bool] | None = None
        with self._telling(repair=repair):
            passes = filtering(expression)
            live = not stat.S_ISREG(os.fstat(self._fd).st_mode)
            for record in records(self._read, self.drops, lambda kept: self.keep(kept), live=live):
                frame = self.opened.frame(record)
                if follow is not None and frame.number <= follow:
                    if frame.number < follow:
                        continue
                    followed = with_row(self.opened, frame)
                if (followed is None or followed(frame)) and (passes is None or passes(self.opened, frame)):
                    yield record, frame
                if frame.number == ONE_BY_ONE and followed is None and passes is not None and self.is_large:
                    yield from self._indexed_frames(expression)
                    return
            if self._unpacking.fault is not None:
                self._tell_amiss(self._unpacking.fault)
        if follow is not None and followed is None:
            raise Failed(f"{self.path}: it has no frame {follow}")

    def counts(self, kind: Callable[[Frame], str], *, repair: bool = False) -> Iterator[Statistics]:
        """All frames of a large file, counted as ``kind`` says: the same counts again and again until they are whole.

        Raises as `frames`, and tells of a torn end as that does.
        """
        with self._telling(repair=repair), self._indexed() as indexed:
            for counts in indexed.counts(kind):
                self.idle()
                yield counts

    @property
    def is_large(self) -> bool:
        """Whether it is a file that an index is worth its time for."""
        from sockexplorer.capture.index import VECTORISED_BYTES
        from sockexplorer.capture.unpacking import is_packed

        # What stands in for another descriptor may not be opened again.
        with contextlib.suppress(OSError):
            if not is_stream(self.path) and os.fstat(self._fd).st_size >= VECTORISED_BYTES:
                return not is_packed(Path(self.path))
        return False

    def _indexed_frames(self, expression: str) -> Iterator[tuple[Record, Frame]]:
        """As `frames`, those behind the first `ONE_BY_ONE`."""
        with self._indexed() as indexed:
            for found in indexed.frames(expression, ONE_BY_ONE + 1, lambda kept: self.keep(kept)):
                if found is None:
                    self.idle()
                else:
                    yield found

    @contextlib.contextmanager
    def _indexed(self) -> Iterator[Indexed]:
        from sockexplorer.cli.indexed import Indexed

        try:
            indexed = Indexed(Path(self.path), self.opened, self._stop)
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}") from None
        with contextlib.closing(indexed):
            self._size = indexed.size
            self.drops.update(indexed.drops)
            yield indexed

    @contextlib.contextmanager
    def _telling(self, *, repair: bool) -> Iterator[None]:
        """Around what reads it: tells of a torn end. Raises `Failed` for what is no capture or damaged."""
        from sockexplorer.capture.reading import CaptureError, Torn

        try:
            yield
        except Torn as error:
            if self._unpacking.fault is not None:
                self._tell_amiss(self._unpacking.fault)
                return
            self.torn = error.offset
            self.idle()
            may = error.offset and not repair and not self._unpacking.packed and not is_stream(self.path)
            fix = '; "open --repair" cuts it there' if may else ""
            note(f"{self.path}: it ends within a record: whole up to byte {error.offset}{fix}")
        except CaptureError as error:
            self._tell_amiss(self._unpacking.fault or error)

    def _tell_amiss(self, error: CaptureError) -> None:
        """Say why it could not be read on. Raises `Failed`, unless only the end of what is compressed is missing."""
        from sockexplorer.capture.reading import Torn

        self.idle()
        if not isinstance(error, Torn):
            raise Failed(f"{self.path}: {error}") from None
        note(f"{self.path}: it ends at byte {error.offset} of its gzip data, which are not whole")

    def refuse(self, path: str) -> None:
        """Raise `Failed` for a path to write to, ``-`` for stdout, that is the file, under any name; a pipe is not.

        What is written behind the end of what is read would be read as well, without end.
        """
        from sockexplorer.cli.writing import status_of

        with contextlib.suppress(OSError):
            mine, told = os.fstat(self._fd), status_of(path)
            if told is not None and stat.S_ISREG(mine.st_mode) and os.path.samestat(mine, told):
                name = "stdout" if path == "-" else path
                raise Failed(f"{name}: it is the file that is read", "  try: another name")

    @property
    def dropped(self) -> int:
        """Frames that were dropped when it was captured, as far as it says."""
        return sum(count for _, count in self.drops.values())

    def repair(self) -> None:
        """Cut a file that ends within a record at the last whole one. Raises `Failed` while another writes it, and for
        one that is compressed."""
        from sockexplorer.capture.repair import cut

        if self._unpacking.packed:
            raise Failed(f"{self.path}: it is compressed, and can't be cut", "  try: gunzip it first")
        if self.torn < 0:
            note(f"{self.path}: nothing to repair")
            return
        try:
            gone = cut(Path(self.path), self._size, self.torn)
        except BlockingIOError:
            raise Failed(f"{self.path}: another program is still writing it") from None
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}") from None
        except ValueError as error:
            raise Failed(f"{self.path}: {error}") from None
        note(f"{self.path}: cut off {gone} bytes")

    def close(self) -> None:
        if self._fd:
            os.close(self._fd)

    def _read(self, size: int) -> bytes:
        while not (part := self._unpacking.take(size)) and self._unpacking.fault is None:
            self._unpacking.feed(data := self._read_packed(size))
            if not data:
                return self._unpacking.take(size)
        return part

    def _read_packed(self, size: int) -> bytes:
        if self._stop.due:
            raise Stopped
        if not select.select([self._fd], [], [], 0)[0]:
            self.idle()
            while not select.select([self._fd], [], [], self._stop.patience)[0]:
                if self._stop.due:
                    raise Stopped
        try:
            part = os.read(self._fd, size)
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}") from None
        self._size += len(part)
        return part


def is_stream(path: str) -> bool:
    """Whether FILE is stdin, a pipe or a device, which can't be cut."""
    where = Path(path)
    return path == "-" or not (where.is_file() or where.is_dir() or not where.exists())
