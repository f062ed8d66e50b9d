"""One block of a spool, read: its columns at once, the bytes of its rows when they are asked for."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from functools import cached_property, lru_cache
from operator import ne, sub
from typing import Any

from sockexplorer.capture.store import Store
from sockexplorer.core import tpacket
from sockexplorer.core.frames import HEADER, ROW_BYTES, ROWS, Columns, Flag, Header, unpack_columns, unpack_header
from sockexplorer.core.tpacket import OUTGOING, PKTTYPE, Names, vlan_tag

OF_RINGS = 1 << 31
"""Added to the numbers of names that rings tell, which no engine numbers."""
TRUNCATED = int(Flag.TRUNCATED)
WHOLE = 3 * 2**19
"""Blocks up to this size are read at once, if their rows are not `LONG`."""
LONG = 16 * 1024
"""Payloads that are this long on average take longer to copy than to read or write by themselves."""


class Block:
    """The rows ``first`` to ``last`` (exclusive) of a log.

    ``times``, ``lengths``, ``peers`` and ``flags`` are columns; the bytes of row ``i`` are in the payload from
    ``begins[i]`` to ``ends[i]``.
    """

    def __init__(
        self, store: Store, offset: int, size: int, first: int, last: int, names: Names, *, lent: bool = False
    ) -> None:
        """``size`` is how much of the store the block takes at most.

        ``names`` are those of the packet rings' blocks so far, and learn what is new in this one. A ``lent`` block has
        its bytes where the store has them, and stands until they are given back.
        """
        read = store.view if lent else store.read
        self.long = size >= LONG * (last - first)
        """Whether its payloads are better taken one by one."""
        head = read(min(size, HEADER.size + (last - first) * ROW_BYTES if self.long else WHOLE), offset)
        header = unpack_header(head, 2**63)
        self.tagged: dict[int, int] | None = None
        """Where the headers of packets with a VLAN tag are, in a block of a ring; None in any other."""
        self.first = first
        self.last = first + header.frames
        self.traffic = header.traffic
        self._store = store
        self._offset = offset + header.begin
        whole = header.begin + header.payload <= len(head)
        self.data: memoryview | None = memoryview(head)[header.begin : header.begin + header.payload] if whole else None
        """The payload, where it is small enough to be at hand."""
        if header.kind == ROWS:
            columns = _columns(head, header.frames) if header.begin <= len(head) else None
            if columns is None:
                body = store.read(header.frames * ROW_BYTES, offset + HEADER.size)
                columns = unpack_columns(body, header.frames)
            self.times, self.ends, self.lengths, self.peers, self.flags = columns
            return
        self._walk(head if whole else read(header.size, offset), header, names)

    def _walk(self, data: bytes | memoryview, header: Header, names: Names) -> None:
        """The rows of a packet ring's block. Raises ValueError where they are not as the header says."""
        self.data = memoryview(data)[header.begin : header.begin + header.payload]
        found = tpacket.walk(self.data, names)
        if len(found.times) != header.frames:
            raise ValueError(f"a ring's block of {header.frames} packets has {len(found.times)}")
        self.times, self.begins, self.ends, self.lengths = found.times, found.begins, found.ends, found.lengths
        numbers = sorted(set(found.names))
        out = {number for number in numbers if number and names[number][PKTTYPE] == OUTGOING}
        if len(numbers) == 1:
            self.flags = array("I", [len(out)]) * header.frames
            self.peers = array("I", [numbers[0] and OF_RINGS + numbers[0]]) * header.frames
        else:
            self.flags = array("I", [int(name in out) for name in found.names])
            self.peers = array("I", [name and OF_RINGS + name for name in found.names])
        if not found.whole:
            cut = map(ne, found.lengths, map(sub, found.ends, found.begins))
            self.flags = array("I", [flags | TRUNCATED * each for flags, each in zip(self.flags, cut, strict=True)])
        self.tagged = {row: found.heads[row] for row in found.tagged}
        for row in self.tagged:
            self.flags[row] |= Flag.META

    def meta(self, index: int) -> dict[str, Any]:
        """What came beside a packet of a ring whose flags have `Flag.META`."""
        assert self.data is not None
        assert self.tagged is not None
        tag = tpacket.vlan(self.data, self.tagged[index])
        return {} if tag is None else {"vlan": vlan_tag(*tag)}

    @cached_property
    def begins(self) -> Sequence[int]:
        """Where each row's bytes begin in the payload: where those of the row before end, but for a ring's."""
        return array("I", [0, *self.ends[: len(self.ends) - 1]])

    @cached_property
    def even(self) -> tuple[int, int] | None:
        """Where the first row begins and how far apart they are, if all have one length, peer and flags and are whole.

        None for any other block.
        """
        count, length = len(self.lengths), self.lengths[0]
        if any(bytes(column) != bytes(column[:1]) * count for column in (self.lengths, self.peers, self.flags)):
            return None
        first, step = 0, length
        if self.tagged is not None:
            first, step = self.begins[0], self.begins[1] - self.begins[0] if count > 1 else length
            if step <= 0 or bytes(self.begins) != _steps(first, step, count):
                return None
        return (first, step) if bytes(self.ends) == _steps(first + length, step, count) else None

    @property
    def cut(self) -> bool:
        """Whether less than the length on the wire was kept of some row, or more was recorded."""
        return any(map(ne, self.lengths, map(sub, self.ends, self.begins)))

    def part(self, index: int, limit: int | None = None) -> bytes:
        """What was recorded of a row, metadata included; at most ``limit`` bytes of it."""
        begin, end = self.begins[index], self.ends[index]
        if limit is not None and end - begin > limit:
            end = begin + limit
        if self.data is not None:
            return bytes(self.data[begin:end])
        return self._store.read(end - begin, self._offset + begin)

    def view(self, index: int) -> memoryview:
        """What was recorded of a row, without a copy: it stands until the log lets go of the row."""
        if self.data is None:
            begin = self.begins[index]
            return self._store.view(self.ends[index] - begin, self._offset + begin)
        return self.data[self.begins[index] : self.ends[index]]

    def row(self, index: int, limit: int | None = None) -> tuple[int, int, int, int, bytes]:
        """Time, length, peer, flags and what was recorded of a row."""
        return self.times[index], self.lengths[index], self.peers[index], self.flags[index], self.part(index, limit)


@lru_cache(maxsize=64)
def _steps(first: int, step: int, count: int) -> bytes:
    """A column of ``count`` numbers that grow by ``step``."""
    return (array("I", range(first, first + step * count, step)) if step else array("I", [first]) * count).tobytes()


def _columns(block: bytes | memoryview, count: int) -> Columns:
    """The columns of a block without a copy where the machine's byte order is the spool's."""
    view = memoryview(block)[HEADER.size : HEADER.size + count * ROW_BYTES]
    if sys.byteorder == "big":
        return unpack_columns(view, count)
    words = view[8 * count :].cast("I")
    rest = (words[at * count : (at + 1) * count] for at in range(4))
    return (view[: 8 * count].cast("Q"), *rest)  # type: ignore[return-value]
