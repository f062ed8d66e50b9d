"""What was said with one peer, or between two ends, both ways, in lines of text or of a hex dump.

No text is kept: a line is a row's number and a range of its payload, or of what a decoder says of that.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Literal, NamedTuple

from sockexplorer.capture.line_cuts import hex_columns, hex_cuts, text_cuts, without_end
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.many_rows import frames, payloads
from sockexplorer.capture.sifting import PeerSift
from sockexplorer.capture.sweep import SiftedSweep, Sweep
from sockexplorer.core.payload import hex_lines
from sockexplorer.core.text import escape, preview

if TYPE_CHECKING:
    from sockexplorer.capture.sifting import Sift

Mode = Literal["text", "hex"]
MOST_LINES = 500_000
LONG = 4096
"""Bytes of a payload after which it is cut into lines a little at a time: a read of a stream may be a megabyte."""
LOOK_AT_CLOCK = 0x1F
"""The clock is looked at once in so many lines of such a payload."""


class Line(NamedTuple):
    """A line to show. ``text`` is safe; ``first`` says that the frame begins here."""

    frame: int
    outgoing: bool
    first: bool
    text: str


class Place(NamedTuple):
    """Where a line begins, which is there at any width and in both modes.

    ``start`` is in bytes of what was said, with ``said`` in characters of what a decoder makes of it.
    """

    frame: int
    start: int = 0
    said: bool = False


class Part(NamedTuple):
    """What of a payload was said, the bytes from ``start`` up to ``end``, and which way."""

    outgoing: bool
    start: int
    end: int


Follow = Callable[[Frame], Part | None]
"""What of a frame belongs to a conversation; None for a frame that does not."""


class Conversation:
    """The frames of a log with one peer, cut into lines ``width`` cells wide. Events are left out."""

    def __init__(
        self, log: Log, whose: int | Follow, mode: Mode, width: int, numbers: array[int] | None = None,
        summary: Callable[[Frame], str] | None = None, sift: Sift | None = None,
    ) -> None:  # fmt: skip
        """``whose``: the number of the peer, or what of a frame belongs to it. ``numbers``: the rows to look at, where
        they are known; ``sift`` finds them otherwise. ``summary`` gives what a decoder says of a payload,
        which is the text of it, "" where the bytes are; None where it says nothing of any."""
        self.mode = mode
        self.full = False
        """Whether there are more lines than are kept."""
        self._log = log
        self._summary = summary
        self._follow = whose if callable(whose) else _with_peer(whose)
        self._width = max(8, width)
        self._per_line = 16 if width >= 74 else 8
        self._frames = array("Q")
        self._starts = array("I")
        self._ends = array("I")
        self._waiting = deque[int]()
        """Rows that are to be cut yet, a long one and those behind it."""
        self._pieces: Iterator[tuple[int, int]] | None = None
        """What is to come of the first of them."""
        self._as_they_are = summary is None and isinstance(sift, PeerSift)
        """Whether all of each payload is shown, whose peer need not be looked at again."""
        self._sweep = Sweep(log, self._take, numbers) if sift is None else SiftedSweep(log, self._take_rows, sift)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def behind(self) -> int:
        """How many rows of the log are still to be looked at."""
        return 0 if self.full else self._sweep.behind + len(self._waiting)

    def go_on(self, seconds: float) -> bool:
        """Take in what the log has, for about so long; whether there was anything new."""
        deadline, new = time.monotonic() + seconds, False
        while not self.full:
            if self._waiting:
                new = True
                self._cut_those_that_wait(deadline)
            elif self._sweep.go_on(deadline - time.monotonic()):
                new = True
            else:
                break
            if time.monotonic() > deadline:
                break
        return new

    def _take_rows(self, numbers: array[int]) -> None:
        if self._as_they_are:
            for number, payload in payloads(self._log, numbers):
                self._take_payload(number, payload)
        else:
            # A capture file's rows are no log's blocks.
            read = frames(self._log, numbers) if isinstance(self._log, Log) else map(self._log.frame, numbers)
            for frame in read:
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.event or self.full or (part := self._follow(frame)) is None:
            return
        self._take_payload(frame.number, frame.payload[part.start : part.end], self._said(frame))

    def _take_payload(self, number: int, payload: bytes, said: str = "") -> None:
        if self.full:
            return
        if self._waiting or len(payload) > LONG:
            self._waiting.append(number)
        elif self.mode == "hex":
            starts, ends = hex_columns(len(payload), self._per_line)
            self._frames.extend(repeat(number, len(starts)))
            self._starts.extend(starts)
            self._ends.extend(ends)
        else:
            for start, end in self._cut(payload, said):
                self._frames.append(number)
                self._starts.append(start)
                self._ends.append(end)
        self.full = len(self._frames) >= MOST_LINES

    def _cut_those_that_wait(self, deadline: float) -> None:
        asked = 0
        while self._waiting and not self.full:
            number = self._waiting[0]
            if self._pieces is None:
                self._pieces = iter(self._pieces_of_row(number))
            for piece in self._pieces:
                self._append(number, *piece)
                asked += 1
                if self.full or (not asked & LOOK_AT_CLOCK and time.monotonic() > deadline):
                    return
            self._pieces = None
            self._waiting.popleft()

    def _pieces_of_row(self, number: int) -> Iterable[tuple[int, int]]:
        try:
            frame = self._log.frame(number)
        except IndexError:
            return ()
        part = self._follow(frame)
        return () if part is None else self._cut(frame.payload[part.start : part.end], self._said(frame))

    def _append(self, number: int, start: int, end: int) -> None:
        self._frames.append(number)
        self._starts.append(start)
        self._ends.append(end)
        self.full = len(self._frames) >= MOST_LINES

    def _said(self, frame: Frame) -> str:
        """What a decoder makes of the payload, safe to show; "" where its bytes are shown."""
        if self._summary is None or self.mode != "text" or not frame.payload:
            return ""
        return escape(self._summary(frame))

    def _cut(self, payload: bytes, said: str) -> Iterable[tuple[int, int]]:
        if said:
            return ((at, at + self._width) for at in range(0, len(said), self._width))
        if self.mode == "hex":
            return hex_cuts(len(payload), self._per_line)
        return text_cuts(payload, self._width)

    def line(self, index: int) -> Line:
        """One line; one whose row is no longer in the log says so."""
        number, start, end = self._frames[index], self._starts[index], self._ends[index]
        try:
            frame = self._log.frame(number)
        except IndexError:
            return Line(number, False, start == 0, "(dropped from the log)")
        outgoing, begin, stop = self._follow(frame) or Part(frame.outgoing, 0, 0)
        part = frame.payload[begin:stop][start:end]
        if begin == stop:
            text = "(empty)"
        elif self.mode == "hex":
            offset, digits, letters = hex_lines(part, start, self._per_line)[0]
            text = f"{offset:04x}  {digits}  {letters}"
        elif said := self._said(frame):
            text = said[start:end]
        else:
            text = preview(without_end(part), self._width)
        return Line(number, outgoing, start == 0, text)

    def place_at(self, index: int) -> Place:
        """Where a line begins."""
        number = self._frames[index]
        return Place(number, self._starts[index], self._is_said(number))

    def line_of(self, place: Place) -> int | None:
        """The line that has a place, or the first of the next row that is part of this; None where it was not found
        so far."""
        first, end = bisect_left(self._frames, place.frame), bisect_right(self._frames, place.frame)
        if first == end:
            return first if first < len(self._frames) else None
        start = place.start if place.said is self._is_said(place.frame) else 0
        if start and end == len(self._frames) and self._ends[end - 1] <= start and self.behind:
            return None
        return max(first, bisect_right(self._starts, start, first, end) - 1)

    def _is_said(self, number: int) -> bool:
        try:
            return bool(self._said(self._log.frame(number)))
        except IndexError:
            return False

    def text(self, most: int) -> str:
        """At most so many lines, for the clipboard."""
        lines = (self.line(index) for index in range(min(len(self), most)))
        return "\n".join(f"{('→' if each.outgoing else '←') if each.first else ' '} {each.text}" for each in lines)


def _with_peer(peer: int) -> Follow:
    """All of the frames with a peer."""
    return lambda frame: Part(frame.outgoing, 0, len(frame.payload)) if frame.peer == peer else None
