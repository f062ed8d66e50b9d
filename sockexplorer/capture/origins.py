"""Where the frames of a file are from: its peers and protocols, found for all rows at once.

What a header says of path, peer and size of itself is the same wherever its bytes are the same. Rows are therefore told
apart by a hash over interface, direction and those bytes; one row of each kind is read as any other record is.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture import recording
from sockexplorer.capture.exported_pdu import END
from sockexplorer.capture.index import INTERFACE_SHIFT, ODD, Index
from sockexplorer.capture.link_types import (
    BLUETOOTH_MONITOR,
    COOKED,
    COOKED_1,
    ETHERNET,
    ETHERNET_HEADER,
    EXPORTED_PDU,
    LOOPBACK,
    LOOPBACK_HEADER,
    NETLINK,
    OF_NETLINK,
    OF_VSOCK,
    SLL,
    SLL2,
    SOCKETCAN,
    VSOCK,
    WHOLE_IP,
    unwrap,
)  # fmt: skip
from sockexplorer.capture.reading import CaptureError, Interface, Record
from sockexplorer.core.canframes import XLF

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

OF_INTERFACES = (ETHERNET, SLL, SLL2, SOCKETCAN)
"""Link types whose frames name their interface as part of an address."""
REWRITTEN = (SOCKETCAN, BLUETOOTH_MONITOR)
"""Link types whose frames are no payloads of sockets even without a header."""
ROWS = 2**17
"""Rows that are looked at together."""
MOST_ORIGINS = 100_000
"""What is from further ones is told apart row by row."""
MOST_TAGS = 24
MOST_TAG_BYTES, MOST_OPTION_BYTES = 1024, 1024
"""Rows with more of them are read one by one."""
HEADERS = {ETHERNET: ETHERNET_HEADER, SLL: COOKED_1.size, SLL2: COOKED.size, NETLINK: OF_NETLINK.size,
           VSOCK: OF_VSOCK.size, **dict.fromkeys(WHOLE_IP, 1),
           **dict.fromkeys(LOOPBACK, LOOPBACK_HEADER + 1)}  # fmt: skip
"""Bytes of a frame that tell where it is from."""


class Seen(NamedTuple):
    """A record without its headers. ``path`` is "" where no family of sockets has such frames."""

    path: str
    payload: bytes
    peer: str | None
    said: recording.Said


class Provenance(NamedTuple):
    """What rows of one kind have in common. ``peer`` is a Python literal.

    The payload begins ``header`` bytes into the data and is as long as what follows, if it is ``plain``: else it is
    made of the data in some other way. A frame is ``added`` bytes longer than its record was on the wire.
    """

    path: str
    peer: str | None
    header: int
    added: int
    plain: bool


def see(record: Record) -> Seen:
    """Take off what a recording put around a payload. Never raises: what is amiss is left as it is."""
    interface = record.interface
    said = recording.said(record.comments) if interface.ours else recording.Said(None, {}, 0, record.comments)
    device = interface.description if interface.ours else interface.name
    if interface.link_type not in OF_INTERFACES:
        device = ""
    path, payload, peer = unwrap(
        interface.link_type, record.data, outgoing=bool(record.outgoing), path=_path(interface), interface=device,
        cut=record.length > len(record.data),
    )  # fmt: skip
    return Seen(path, payload, peer if said.peer is None else said.peer, said)


def origin(record: Record) -> Provenance:
    """Where a record is from."""
    seen, data = see(record), record.data
    header = len(data) - len(seen.payload)
    plain = record.interface.link_type not in REWRITTEN and header >= 0 and data.endswith(seen.payload)
    return Provenance(seen.path, seen.peer, max(0, header), -header, plain)


def _path(interface: Interface) -> str:
    from sockexplorer.families import find

    if not interface.ours or "/" not in interface.name:
        return ""
    try:
        find(interface.name)
    except (KeyError, ValueError):
        return ""
    return interface.name


class Origins:
    """Fills the ``origin`` column of an index that is done; numbers count from 1, 0 is for what there are too many of.

    ``examples`` are a row of each.
    """

    def __init__(self, index: Index, examples: array[int] | None = None) -> None:
        self.examples = array("Q") if examples is None else examples
        self._index = index
        self._known: list[Provenance] = []
        self._hashes: Array | None = None
        self._numbers: Array | None = None
        self._seed = secrets.randbits(128)
        self._one_by_one: dict[tuple[int, Provenance], int] = {}
        self._alike: list[int] = []
        """For each interface the first one whose headers are read as its are: there may be thousands of a few kinds."""
        self._firsts: dict[tuple[int, str, bool, str], int] = {}

    @property
    def known(self) -> list[Provenance]:
        """The origins by their numbers, less one."""
        for row in self.examples[len(self._known) :]:
            try:
                self._known.append(origin(self._index.record(row)))
            except CaptureError:
                self._known.append(Provenance("", None, 0, 0, False))
        return self._known

    def steps(self) -> Iterator[int]:
        """Go through all rows; how many are done after each step of some milliseconds."""
        index = self._index
        column = index.columns.origin
        while index.file.mapping is not None and index.file.whole() and (done := len(column)) < index.count:
            end = min(index.count, done + ROWS)
            column.frombytes(self._of_rows(done, end).tobytes())  # type: ignore[union-attr]
            yield end

    def _of_rows(self, first: int, end: int) -> Array:
        from sockexplorer.capture.arrays import numpy

        columns, hashing = self._index.columns, _Hashing(self._index, self._seed)
        source = numpy.frombuffer(columns.source[first:end], "u4")
        offset = numpy.frombuffer(columns.offset[first:end], "u8").astype("i8")
        numbers = numpy.zeros(len(source), "u4")
        odd = source & ODD != 0
        interfaces = self._alikes()[source >> INTERFACE_SHIFT]
        kinds = interfaces[:1] if (interfaces == interfaces[0]).all() else numpy.unique(interfaces)
        for number in kinds:
            rows = numpy.flatnonzero((interfaces == number) & ~odd)
            if not len(rows):
                continue
            hashes, unclear = hashing.of(int(number), offset[rows], source[rows])
            odd[rows[unclear]] = True
            clear = ~unclear
            numbers[rows[clear]] = self._numbered(hashes[clear], rows[clear] + first)
        for row in numpy.flatnonzero(odd).tolist():
            numbers[row] = self._read(first + row, int(source[row]))
        return numbers

    def _alikes(self) -> Array:
        from sockexplorer.capture.arrays import numpy

        walk = self._index.walk
        for number, each in enumerate(walk.interfaces[len(self._alike) :], len(self._alike)):
            key = each.link_type, _path(each), each.ours, walk.order(number)
            self._alike.append(self._firsts.setdefault(key, number))
        return numpy.array(self._alike)

    def _numbered(self, hashes: Array, rows: Array) -> Array:
        """The numbers of rows with these hashes; new ones for those that are new."""
        from sockexplorer.capture.arrays import numpy

        if self._hashes is None or self._numbers is None:
            self._hashes, self._numbers = numpy.zeros(0, "u8"), numpy.zeros(0, "u4")
        known = self._find(hashes)
        new = numpy.flatnonzero(known == 0)
        if len(new) and len(self.examples) < MOST_ORIGINS:
            found, at = numpy.unique(hashes[new], return_index=True)
            found, at = found[: MOST_ORIGINS - len(self.examples)], at[: MOST_ORIGINS - len(self.examples)]
            begin = len(self.examples) + 1
            self.examples.extend(rows[new[at]].tolist())
            every = numpy.concatenate((self._hashes, found))
            numbered = numpy.concatenate((self._numbers, numpy.arange(begin, begin + len(found), dtype="u4")))
            order = numpy.argsort(every)
            self._hashes, self._numbers = every[order], numbered[order]
            known = self._find(hashes)
        return known

    def _find(self, hashes: Array) -> Array:
        from sockexplorer.capture.arrays import numpy

        assert self._hashes is not None
        assert self._numbers is not None
        if not len(self._hashes):
            return numpy.zeros(len(hashes), "u4")
        at = self._hashes.searchsorted(hashes)
        at[at == len(self._hashes)] = 0
        numbers: Array = numpy.where(self._hashes[at] == hashes, self._numbers[at], 0)
        return numbers

    def _read(self, row: int, source: int) -> int:
        """The number of a row that is read by itself."""
        try:
            key = source, origin(self._index.record(row))
        except CaptureError:
            return 0
        number = self._one_by_one.get(key, 0)
        if not number and len(self.examples) < MOST_ORIGINS:
            self.examples.append(row)
            number = self._one_by_one[key] = len(self.examples)
        return number


class _Hashing:
    """Hashes over what tells where a frame is from: sums of words, each times a number of 64 bits that is drawn by lot,
    so that no file can be made for them to collide.
    """

    def __init__(self, index: Index, seed: int) -> None:
        from sockexplorer.capture.arrays import numpy

        assert index.file.mapping is not None
        self._index = index
        self._bytes = numpy.frombuffer(index.file.mapping, "u1")
        self._words = numpy.frombuffer(index.file.mapping, "<u4", index.file.size // 4)
        self._factors = numpy.random.default_rng(seed).integers(0, 2**64 - 1, 2048, "u8", endpoint=True)
        self._pcapng = index.kind == "pcapng"

    def of(self, number: int, offset: Array, source: Array) -> tuple[Array, Array]:
        """A hash for each row of an interface, and which rows have to be read one by one."""
        from sockexplorer.capture.arrays import numpy

        interface, start = self._index.walk.interfaces[number], offset + (28 if self._pcapng else 16)
        kept = self._number(offset + (20 if self._pcapng else 8), number)
        hashes = (source.astype("u8") + numpy.uint64(1)) * self._factors[0]
        unclear = numpy.zeros(len(offset), bool)
        link, path = interface.link_type, _path(interface)
        if link == EXPORTED_PDU:
            sizes = self._tags(start, start + kept)
            unclear = sizes == 0
            self._add(hashes, start, sizes)
        elif path == "packet/raw" and link != ETHERNET:
            pass
        elif link in WHOLE_IP:
            unclear = kept == 0
            hashes += (self._bytes.take(numpy.where(unclear, 0, start)) >> 4) * self._factors[1]
        elif link == SOCKETCAN:
            # The payload is padded to the size of a frame, unless it was cut or is one of CAN XL.
            cut = self._number(offset + (24 if self._pcapng else 12), number) > kept
            hashes += kept.astype("u8") * self._factors[1] + cut * self._factors[2]
            hashes += (self._bytes.take(numpy.where(kept < 8, 0, start + 4)) & XLF) * self._factors[3]
        elif link in HEADERS:
            unclear = kept < HEADERS[link]
            self._add(hashes, start, numpy.where(unclear, 0, HEADERS[link]))
            if link == VSOCK:
                # The header of the transport follows, whose length is at byte 28.
                unclear |= kept < OF_VSOCK.size + (self._word(numpy.where(unclear, 0, start + 28)) & 0xFFFF)
        else:
            # Some take their first bytes for granted.
            unclear = kept < 8
        if interface.ours and self._pcapng:
            at = start + ((kept + 3) & ~3)
            sizes = offset + self._number(offset + 4, number) - 4 - at
            # The direction alone is in the source already.
            sizes[sizes <= 12] = 0
            unclear |= sizes > MOST_OPTION_BYTES
            self._add(hashes, at, numpy.where(unclear, 0, sizes), 1024)
        return hashes, unclear

    def _number(self, at: Array, interface: int) -> Array:
        """The numbers of 32 bits at these bytes, in the order of an interface's section."""
        found = self._word(at)
        if self._index.walk.order(interface) == ">":
            found = found.astype("u4").byteswap()
        result: Array = found.astype("i8")
        return result

    def _word(self, at: Array) -> Array:
        """The little-endian words of 32 bits at these bytes."""
        if not (at & 3).any():
            found: Array = self._words.take(at >> 2)
            return found
        parts = [self._bytes.take(at + each).astype("u4") for each in range(4)]
        whole: Array = parts[0] | parts[1] << 8 | parts[2] << 16 | parts[3] << 24
        return whole

    def _add(self, hashes: Array, at: Array, sizes: Array, factor: int = 2) -> None:
        """Mix in so many bytes of each row."""
        from sockexplorer.capture.arrays import numpy

        for size in numpy.unique(sizes).tolist():
            if not size:
                continue
            rows = numpy.flatnonzero(sizes == size)
            places = at if len(rows) == len(at) else at[rows]
            items = numpy.ndarray((len(self._bytes) - size + 1,), f"V{size}", self._bytes, 0, (1,))[places]
            table = items.view("u1").reshape(-1, size)
            whole = size & ~3
            added = numpy.full(len(rows), size, "u8") * self._factors[factor]
            words = table[:, :whole].copy().view("<u4") if whole < size else items.view("<u4").reshape(-1, size // 4)
            for column in range(whole // 4):
                added += words[:, column] * self._factors[factor + 1 + column]
            for column in range(whole, size):
                added += table[:, column] * self._factors[factor + 1 + column]
            hashes[rows] += added

    def _tags(self, start: Array, end: Array) -> Array:
        """The bytes that the tags of exported PDUs take; 0 where they have to be read one by one."""
        from sockexplorer.capture.arrays import numpy

        sizes = numpy.zeros(len(start), "i8")
        rows, at = numpy.arange(len(start)), start.copy()
        for _ in range(MOST_TAGS):
            inside = at + 4 <= end
            if not inside.all():
                rows, at, end = rows[inside], at[inside], end[inside]
            if not len(rows):
                break
            heads = self._word(at)
            if heads[0] == heads[-1] and (heads == heads[0]).all():
                heads = heads[:1]
            last = ((heads & 0xFF) << 8 | heads >> 8 & 0xFF) == END
            lengths = ((heads >> 16 & 0xFF) << 8 | heads >> 24).astype("i8")
            at += 4
            if last.any():
                every = numpy.broadcast_to(last, len(rows))
                sizes[rows[every]] = (at - start[rows])[every]
                if last.all():
                    break
                rows, at, end, lengths = rows[~every], at[~every], end[~every], lengths[~every]
            at += lengths
        sizes[sizes > MOST_TAG_BYTES] = 0
        return sizes
