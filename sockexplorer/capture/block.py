"""One block of a spool, read: its columns at once, the bytes of its rows when they are asked for."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from operator import ne, sub

from sockexplorer.capture.store import Store
from sockexplorer.core.frames import HEADER, ROW_BYTES, ROWS, Columns, unpack_columns, unpack_header

WHOLE = 512 * 1024
"""Blocks up to this size are read at once."""


class Block:
    """The rows ``first`` to ``last`` (exclusive) of a log.

    ``times``, ``lengths``, ``peers`` and ``flags`` are columns; the bytes of row ``i`` are in the payload from
    ``begins[i]`` to ``ends[i]``.
    """

    def __init__(self, store: Store, offset: int, first: int) -> None:
        head = store.read(WHOLE, offset)
        header = unpack_header(head, 2**63)
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
            self.begins: Sequence[int] = array("I", [0, *self.ends[: header.frames - 1]])
            return
        raise ValueError(f"a block of kind {header.kind} has no rows")

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

    def row(self, index: int, limit: int | None = None) -> tuple[int, int, int, int, bytes]:
        """Time, length, peer, flags and what was recorded of a row."""
        return self.times[index], self.lengths[index], self.peers[index], self.flags[index], self.part(index, limit)


def _columns(block: bytes, count: int) -> Columns:
    """The columns of a block without a copy where the machine's byte order is the spool's."""
    view = memoryview(block)[HEADER.size : HEADER.size + count * ROW_BYTES]
    if sys.byteorder == "big":
        return unpack_columns(view, count)
    words = view[8 * count :].cast("I")
    rest = (words[at * count : (at + 1) * count] for at in range(4))
    return (view[: 8 * count].cast("Q"), *rest)  # type: ignore[return-value]
