"""Reading capture files of any kind, from a file or a pipe that still grows: records in order, or why there are none.

Nothing here trusts the bytes: a length is checked before it is followed, and memory holds one record at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from sockexplorer.capture.pcapng_kept import Kept

LONGEST = 16 * 2**20
"""Bytes of the longest record that is read; Wireshark's limit for a block."""
PIECE = 256 * 1024
LAST_TIME = 2**63 - 1
"""In ns since the epoch: the year 2262."""


class CaptureError(Exception):
    """A capture that can't be read on. ``offset`` is that of the record at fault, whose predecessors are whole."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class Torn(CaptureError):
    """The capture ends within a record: its writer was killed, or still writes; or a machine lost its power before it
    had written what a file was to hold, of which there are zeros then."""


@dataclass(frozen=True, slots=True)
class Interface:
    """Where records were captured. ``ours`` says that this program recorded it: ``name`` is a FAMILY/PROTOCOL then.

    ``comments`` are on the interface, ``of_section`` on all of the section that it is in. ``fcs`` is the length in
    bits of the check sequence that frames end with, as IF_FCSLEN has it; None where the file does not say. ``snaplen``
    is how much is kept of a frame at most, 0 for all. ``more`` are other options of a pcapng, as a copy has them.
    """

    link_type: int
    name: str = ""
    description: str = ""
    ours: bool = False
    comments: tuple[str, ...] = ()
    of_section: tuple[str, ...] = ()
    fcs: int | None = None
    snaplen: int = 0
    more: bytes = b""


class Record(NamedTuple):
    """One frame as it stands in the file, headers included. ``time`` in ns since the epoch, or `UNTIMED`.

    ``length`` is that on the wire; ``outgoing`` is None where the file does not say. ``flags`` are what EPB_FLAGS tells
    beside the direction: how the frame was addressed, the length of its check sequence, errors of the link. ``dropped``
    frames were lost ahead of this one; None where that is not said. ``more`` are other options of a pcapng, as a copy
    has them.
    """

    interface: Interface
    time: int
    length: int
    data: bytes
    outgoing: bool | None = None
    comments: tuple[str, ...] = ()
    flags: int = 0
    dropped: int | None = None
    more: bytes = b""


Drops = dict[tuple[int, int], tuple[Interface, int]]
"""How many frames were dropped, by number of the section and of the interface in it; a later count replaces one, and is
no less than what frames tell to have been lost ahead of them."""


class Window:
    """The bytes of a capture as they come. ``read`` gives at most so many bytes, none at the end.

    ``offset`` is where in the capture the first of them stands. One that is ``live`` is waited for: no more is looked
    at than is shown.
    """

    def __init__(self, read: Callable[[int], bytes], offset: int = 0, *, live: bool = False) -> None:
        self._read = read
        self.live = live
        self._held = b""
        self._at = 0
        self.offset = offset
        """Where in the capture the next byte stands."""
        self.record = offset
        """Where the record that is being read began."""

    def more(self) -> bool:
        """Begin a record: whether there is one."""
        self.record = self.offset
        return bool(self._fill(1))

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end, without taking them."""
        self._fill(size)
        return self._held[self._at : self._at + size]

    def held(self, at: int, size: int) -> bytes:
        """Of what came already so many bytes from one on, counted from the next; fewer where there are no more."""
        return self._held[self._at + at : self._at + at + size]

    def take(self, size: int) -> bytes:
        """The next bytes. Raises `Torn` where the capture has fewer."""
        if self._fill(size) < size:
            raise self.torn(self._rest)
        self._at += size
        self.offset += size
        return self._held[self._at - size : self._at]

    def line(self, longest: int) -> bytes:
        """The next line with its end, or what the capture has of it, cut at ``longest`` bytes."""
        return self.take(self._line(longest))

    def peek_line(self, longest: int, after: int = 0) -> bytes:
        """The line that begins ``after`` so many bytes as `line` would give it, without taking it."""
        size = self._line(after + longest, after)
        return self._held[self._at + after : self._at + size]

    def _line(self, longest: int, looked: int = 0) -> int:
        while (end := self._held.find(b"\n", self._at + looked)) < 0 and self._rest < longest:
            looked = self._rest
            if self._fill(looked + 1) <= looked:
                break
        return min(self._rest if end < 0 else end + 1 - self._at, longest)

    def torn(self, rest: int) -> Torn:
        """The error for a record of which there are ``rest`` more bytes and no further ones."""
        return Torn(self.record, f"the last record is not whole: {self.offset + rest - self.record} bytes of it")

    def damaged(self, reason: str) -> CaptureError:
        """The error for the record that is being read."""
        return CaptureError(self.record, reason)

    def damaged_or_zeros(self, reason: str) -> CaptureError:
        """As `damaged`, but `Torn` where nothing but zeros follows up to the end. Takes what follows."""
        while not self.live and (part := self.peek(PIECE)):
            if part.strip(b"\0"):
                return self.damaged(reason)
            self.take(len(part))
        return self.damaged(reason) if self.live else Torn(self.record, "the last record is not whole: zeros follow")

    @property
    def _rest(self) -> int:
        return len(self._held) - self._at

    def _fill(self, size: int) -> int:
        """Hold so many bytes if there are; how many are held."""
        if self._rest >= size:
            return self._rest
        parts, held = [self._held[self._at :]], self._rest
        while held < size:
            part = self._read(PIECE)
            if not part:
                break
            parts.append(part)
            held += len(part)
        self._held, self._at = b"".join(parts), 0
        return held


def sane(time: int) -> int:
    """A time that can be shown: what a file says, within what 63 bits of nanoseconds hold."""
    return min(max(time, 0), LAST_TIME)


def records(
    read: Callable[[int], bytes], drops: Drops | None = None, keep: Callable[[Kept], None] | None = None, *,
    live: bool = False,
) -> Iterator[Record]:  # fmt: skip
    """The records of a capture: pcapng, pcap, or a log of candump. What it says of drops is put into ``drops``, and
    ``keep`` is given what a copy has to keep ahead of the record that comes next.

    ``live`` is as of `Window`. Raises `CaptureError` where it is none of these, or can't be read on; `Torn` at a torn
    end.
    """
    from sockexplorer.capture import candump, pcap_read, pcapng_read

    window = Window(read, live=live)
    kind = kind_of(window)
    told: Drops = {} if drops is None else drops
    if kind == "pcapng":
        return pcapng_read.records(window, told, keep)
    return pcap_read.records(window) if kind == "pcap" else candump.records(window, told)


def kind_of(window: Window) -> Literal["pcapng", "pcap", "candump"]:
    """What kind of capture begins here. Takes nothing. Raises `CaptureError` where it is none."""
    from sockexplorer.capture import candump, others, pcap_read, pcap_variants, pcapng_read

    if not window.more():
        raise CaptureError(0, "there is nothing in it")
    magic = window.peek(4)
    if pcapng_read.begins(magic):
        return "pcapng"
    if pcap_read.begins(magic):
        look = window.held if window.live else lambda at, size: window.peek(at + size)[at:]
        if what := pcap_variants.refusal(look, live=window.live):
            raise CaptureError(0, what)
        return "pcap"
    if candump.may_begin(magic) and candump.begins(candump.first_line(window)):
        return "candump"
    start = window.peek(8)
    what = others.how_to_convert(start)
    if not what and others.is_text(start.removeprefix(candump.MARK)):
        what = others.log_to_convert(candump.first_line(window))
    if what:
        raise CaptureError(0, what)
    raise CaptureError(0, f"it begins with {magic.hex(' ')}: neither pcapng, pcap nor a log of candump -L")
