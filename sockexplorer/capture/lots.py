"""Rows of a capture file that are alike in how their payloads begin: one of them tells what is read there in all."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture.index import ODD, Index
from sockexplorer.capture.lengths import kept_of

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

DECISIVE = 8
"""Bytes at the beginning of a payload that decide which kind of message it is: the head of a message of netlink with
length and type, the id, the length and the flags of a CAN frame.
"""
MOST_ALIKE = 100_000
"""Of so many lots of rows that are alike it is remembered what one has told."""


class Lots(NamedTuple):
    """Rows in lots: ``rows`` by their places in the slice, the hash of each lot with the place in the slice of one of
    its rows, and the lot of each of ``rows``.
    """

    rows: Array
    hashes: list[int]
    examples: list[int]
    lots: Array


class Alike:
    """Tells rows apart by a hash over origin, size and the first `DECISIVE` bytes of the payload. Its factors are drawn
    by lot, so that no file can be made for hashes to collide.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._factors = [secrets.randbits(64) | 1 for _ in range(4)]

    def lots(self, first: int, last: int, wanted: Array, header: Array, heads: Array, apart: Array) -> Lots | None:
        """The rows of ``first`` to ``last`` (exclusive; from 0) in lots; None where none can be.

        By origin: which are ``wanted``, how long the ``header`` ahead of the payload is, whether the payload's first
        bytes count (``heads``), and whether each row is ``apart``. Records that stand otherwise than in an enhanced
        packet block or in pcap, such as those of candump, are in no lot.
        """
        from sockexplorer.capture.arrays import numpy

        index = self._index
        origin = numpy.frombuffer(index.columns.origin[first:last], "u4")
        source = numpy.frombuffer(index.columns.source[first:last], "u4")
        rows = numpy.flatnonzero(wanted[origin] & (source & ODD == 0))
        if not len(rows) or index.file.mapping is None or not index.file.whole():
            return None
        data = numpy.frombuffer(index.file.mapping, "u1")
        origin = origin[rows]
        offset = numpy.frombuffer(index.columns.offset[first:last], "u8").astype("i8")[rows]
        size = kept_of(index, data, offset, source[rows]) - header[origin]
        begin = offset + (28 if index.kind == "pcapng" else 16) + header[origin]
        # Of fewer bytes than decide all are there, and what follows them does no harm.
        within = numpy.minimum(begin, len(data) - DECISIVE)[:, None] + numpy.arange(DECISIVE)
        words = numpy.where(heads[origin], data[within].view("u8")[:, 0], 0)
        one, two, three, four = map(numpy.uint64, self._factors)
        hashes = words * one + size.astype("u8") * two + origin * three
        hashes += numpy.where(apart[origin], rows + (first + 1), 0).astype("u8") * four
        hashes ^= hashes >> numpy.uint64(32)
        found, examples, lots = numpy.unique(hashes, return_index=True, return_inverse=True)
        return Lots(rows, found.tolist(), rows[examples].tolist(), lots)
