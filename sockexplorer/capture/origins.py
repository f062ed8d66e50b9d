"""Where the frames of a file are from: its peers and protocols, found for all rows at once.

What a header says of path, peer and size of itself is the same wherever its bytes are the same. Rows are therefore told
apart by a hash over interface, direction and those bytes; one row of each kind is read as any other record is.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sockexplorer.capture.header_hashes import Hashing
from sockexplorer.capture.index import INTERFACE_SHIFT, ODD, Index
from sockexplorer.capture.provenance import Provenance, origin, path_of
from sockexplorer.capture.reading import CaptureError

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

ROWS = 2**17
"""Rows that are looked at together."""
MOST_ORIGINS = 100_000
"""What is from further ones is told apart row by row."""


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

        columns, hashing = self._index.columns, Hashing(self._index, self._seed)
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
            key = each.link_type, path_of(each), each.ours, walk.order(number)
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
