"""An index of a capture file: where each record is, and by column what rows are chosen by; no object is kept a frame.

Small files, and what the vectorised walks can't do, are walked by the readers of `capture.reading`: the index has the
same records and ends with the same error.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sockexplorer.capture.mapped import MappedFile
from sockexplorer.capture.reading import CaptureError, Drops, Interface, Record, Torn, kind_of

if TYPE_CHECKING:
    from sockexplorer.capture.pcapng_kept import Kept

VECTORISED_BYTES = 2**20
"""A smaller file is walked before numpy would be imported."""
DIRECTION, ODD, INTERFACE_SHIFT = 3, 4, 3
"""Of a row's source: the lowest bits are the direction as of EPB_FLAGS; then whether its data are not where those of
an enhanced packet block or of a record of pcap are; then the number of the interface in the whole file."""
INBOUND, OUTBOUND = 1, 2
LONGEST_HEADER, ENOUGH = 28, 8192
"""Bytes after which it can be told what a file is; of a log of candump, which has lines, those of the longest line."""
SLOW_ROWS = 2048
"""Records that are walked one by one before whoever asked has its turn."""


def direction_code(outgoing: bool | None) -> int:
    """The direction as the source column has it."""
    return 0 if outgoing is None else OUTBOUND if outgoing else INBOUND


class Columns:
    """A number for each row: offset of the record u64, time u64 ns since the epoch, bytes on the wire u32, source u32,
    and u32 the number of its origin (`capture.origins`), which is shorter until all are known. 28 bytes a row.
    """

    NAMES = ("offset", "time", "length", "source", "origin")
    TYPES = ("Q", "Q", "I", "I", "I")

    def __init__(self) -> None:
        self.offset: array[int] | memoryview = array("Q")
        self.time: array[int] | memoryview = array("Q")
        self.length: array[int] | memoryview = array("I")
        self.source: array[int] | memoryview = array("I")
        self.origin: array[int] | memoryview = array("I")

    def append(self, offset: int, time: int, length: int, source: int) -> None:
        """Add a row."""
        for name, value in zip(self.NAMES, (offset, time, length, source), strict=False):
            getattr(self, name).append(value)

    def extend(self, *parts: object) -> None:
        """Add rows: arrays of the four columns ahead of ``origin``, each of its type."""
        for name, part in zip(self.NAMES, parts, strict=False):
            getattr(self, name).frombytes(memoryview(part).cast("B"))  # type: ignore[arg-type]

    def take_back(self) -> None:
        """Remove the last row."""
        del self.origin[len(self.offset) - 1 :]  # type: ignore[union-attr]
        for name in ("time", "length", "source", "offset"):
            getattr(self, name).pop()

    def replace(self, time: int, length: int, source: int) -> None:
        """Have the last row say something else; it is there all the while, as others may look at it."""
        if self.source[-1] != source:
            del self.origin[len(self.offset) - 1 :]  # type: ignore[union-attr]
        for name, value in zip(("time", "length", "source"), (time, length, source), strict=True):
            getattr(self, name)[-1] = value

    def thaw(self) -> None:
        """Copy columns that were mapped, so that rows can be added."""
        for name, kind in zip(self.NAMES, self.TYPES, strict=True):
            if isinstance(column := getattr(self, name), memoryview):
                setattr(self, name, array(kind, column.tobytes()))


def interface_state(interface: Interface) -> list[Any]:
    """An interface as JSON has it, without what is said of its section, which would be there as often as interfaces."""
    return [
        interface.link_type,
        interface.name,
        interface.description,
        interface.ours,
        interface.comments,
        interface.fcs,
        interface.snaplen,
        interface.more.hex(),
    ]


def interface_from(state: Iterable[Any], of_section: tuple[str, ...] = ()) -> Interface:
    """The reverse. Raises ValueError, TypeError."""
    link_type, name, description, ours, comments, fcs, snaplen, more = state
    return Interface(
        int(link_type), str(name), str(description), bool(ours), tuple(map(str, comments)), of_section,
        None if fcs is None else int(fcs), int(snaplen), bytes.fromhex(more),
    )  # fmt: skip


class Walk(Protocol):
    """How records of one kind of file are found, and read again."""

    columns: Columns
    interfaces: list[Interface]
    offset: int
    """Up to where the file was walked; between records."""
    rereads: bool
    """Whether what it walks on with is the last row once more: its line had no end."""

    def go_on(self) -> None:
        """Walk on for some milliseconds. Raises `CaptureError` where it can't be read on."""

    def resume(self, *, vectorised: bool, final: bool) -> None:
        """Be ready to walk on from `offset` in a file that has grown, or won't any more if it is ``final``."""

    def order(self, interface: int) -> str:
        """The byte order of an interface's records, as of struct."""

    def dropped_at(self, section: int, number: int) -> Interface | None:
        """The interface of a key of `Drops`, None for a kind of file without sections. Raises IndexError."""

    def record(self, row: int) -> Record:
        """Read a record again. Raises `CaptureError` where the file was changed under the index."""

    def state(self) -> dict[str, Any]:
        """What has to be kept beside the columns, as JSON has it."""

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        """Go back to the end of a walk. Raises ValueError, KeyError, TypeError for what is no state."""


class _Unbegun:
    """A `Walk` of a file of which too little is there to tell what it is."""

    offset, rereads = 0, False

    def __init__(self) -> None:
        self.columns = Columns()
        self.interfaces: list[Interface] = []

    def go_on(self) -> None: ...
    def resume(self, *, vectorised: bool, final: bool) -> None: ...
    def order(self, interface: int) -> str:
        raise IndexError(interface)

    def dropped_at(self, section: int, number: int) -> Interface | None:
        return None

    def record(self, row: int) -> Record:
        raise IndexError(row)

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        raise ValueError(state)


class Index:
    """The records of a file. `steps` walks it; rows may be looked at meanwhile. Raises OSError, `CaptureError`.

    A file of ``vectorised_from`` bytes or more is looked at by many rows at once. Of one that comes through a pipe
    (``later``) there may be nothing yet: what it is tells `steps` then, which has an error for what is no capture.
    """

    def __init__(self, path: Path, vectorised_from: int = VECTORISED_BYTES, *, later: bool = False) -> None:
        self.file = MappedFile(path)
        self._vectorised_from = vectorised_from
        self.vectorised = self.file.size >= vectorised_from
        self.drops: Drops = {}
        self.error: CaptureError | None = None
        """Why it was not read on; rows before are whole. `Torn` at a torn end."""
        self.done = False
        self._final = False
        self.count = 0
        """Rows so far."""
        self.kind: Literal["", "pcapng", "pcap", "candump"] = ""
        self.walk: Walk = _Unbegun()
        try:
            if not later:
                self._begin()
        except BaseException:
            self.file.close()
            raise

    def _begin(self) -> None:
        self.kind = kind_of(self.file.window(0))
        self.walk = self._walk()

    def _can_begin(self) -> bool:
        from sockexplorer.capture import candump, pcapng_read

        head = self.file.read(0, ENOUGH)
        # The first bytes of pcapng are ends of lines, as a log may have them.
        if len(head) == ENOUGH or pcapng_read.begins(head[:4]) or not candump.may_begin(head[:4]):
            return len(head) >= LONGEST_HEADER
        return len(head) >= LONGEST_HEADER and candump.first_line(self.file.window(0)).endswith(b"\n")

    def _walk(self) -> Walk:
        if self.kind == "pcapng":
            from sockexplorer.capture.index_pcapng import PcapngWalk

            return PcapngWalk(self.file, self.drops, vectorised=self.vectorised)
        if self.kind == "pcap":
            from sockexplorer.capture.index_pcap import PcapWalk

            return PcapWalk(self.file, vectorised=self.vectorised)
        from sockexplorer.capture.index_candump import CandumpWalk

        return CandumpWalk(self.file, self.drops, final=self._final)

    @property
    def columns(self) -> Columns:
        return self.walk.columns

    def steps(self) -> Iterator[int]:
        """Walk to the end or to what is wrong; the bytes walked after each step of some milliseconds."""
        while not self.done:
            try:
                if not self.file.whole():
                    raise CaptureError(self.walk.offset, "the file was cut off while it was read")
                if not self.kind:
                    if not self._final and not self._can_begin():
                        self.done = True
                        return
                    self._begin()
                if self.walk.offset < self.file.size:
                    self.walk.go_on()
            except CaptureError as error:
                self.error, self.done = error, True
            self.count = len(self.columns.offset)
            self.done = self.done or self.walk.offset >= self.file.size
            yield self.walk.offset

    def grow(self, *, final: bool = False) -> bool:
        """Take in that the file has grown; whether it has, so that `steps` has more to do. One that is shorter is
        not read on.

        ``final``: it won't any more, so that what has not begun begins, however little there is, and that a last line
        without its end is a frame.
        """
        ends, self._final = final and not self._final, final
        if not self.file.whole():
            self.error = CaptureError(self.walk.offset, "the file was cut off since it was read")
        if (self.error is not None and not isinstance(self.error, Torn)) or not (self.file.extend() or ends):
            return False
        self.vectorised = self.vectorised or self.file.size >= self._vectorised_from
        self.columns.thaw()
        self.walk.resume(vectorised=self.vectorised, final=final)
        self.error, self.done = None, False
        return True

    def record(self, row: int) -> Record:
        """Read the record of a row, from 0. Raises IndexError, `CaptureError` where the file was changed."""
        if not 0 <= row < self.count:
            raise IndexError(row)
        return self.walk.record(row)

    def beside(self) -> Iterator[tuple[int, Kept]]:
        """What a copy has to keep beside the frames so far, in order, each with its place in the file."""
        from sockexplorer.capture.index_pcapng import PcapngWalk

        if isinstance(self.walk, PcapngWalk):
            for offset in self.walk.beside[:]:
                if offset < self.walk.offset and (kept := self.walk.kept(offset)) is not None:
                    yield offset, kept

    def close(self) -> None:
        self.file.close()
