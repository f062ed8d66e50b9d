"""Where the frames of a file are from: its peers and protocols, found for all rows at once.

What a header says of path, peer and size of itself is the same wherever its bytes are the same. Rows are therefore told
apart by a hash over interface, direction and those bytes; one row of each kind is read as any other record is.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture.header_hashes import Hashing
from sockexplorer.capture.index import INTERFACE_SHIFT, ODD, Index
from sockexplorer.capture.provenance import Provenance, origin, path_of
from sockexplorer.capture.reading import CaptureError
from sockexplorer.capture.same_headers import of_rows

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

ROWS = 2**16
"""Rows that are looked at together."""
MOST_ORIGINS = 100_000
"""What is from further ones is told apart row by row."""
LIKELY_BITS = 16
"""By so many bits of a hash most are found without a search."""
TABLES = ("header", "added", "plain", "decoded", "without", "head", "headed", "link")
TOGETHER = 1024
"""Origins that are learnt together: some milliseconds."""


class Known(NamedTuple):
    """What is shown of the frames of an origin: the names of peer and protocol, and whether a decoder may say more;
    and the number of the peer.

    ``fields``: whether decoders read fields in them; ``head``: how many bytes of each tell those of `Test`'s ``head``,
    at most `lots.DECISIVE`; None where only all of them do. ``headed``: whether rows may say something ahead of the
    bytes; ``link``: whether what `link_heads` takes tells that, and every field.
    """

    peer: str
    decoded: bool
    protocol: str
    number: int = 0
    fields: bool = True
    head: int | None = None
    headed: bool = True
    link: bool = False


def unnamed(each: Provenance) -> Known:
    """The names for those who show none."""
    return Known("", False, "")


class Origins:
    """Fills the ``origin`` column of an index that is done; numbers count from 1, 0 is for what there are too many of.

    ``examples`` are a row of each; ``name`` tells what is shown of one, in the thread that goes through `steps`.
    """

    def __init__(
        self, index: Index, examples: array[int] | None = None, name: Callable[[Provenance], Known] = unnamed
    ) -> None:
        self.examples = array("Q") if examples is None else examples
        self.known: list[Provenance] = []
        """The origins by their numbers, less one; `steps` learns those of an index that was kept as well."""
        self.named: list[Known] = []
        """What is shown of each."""
        self._index = index
        self._name = name
        self._rows = 0
        self._tables = {each: array("q", [0]) for each in TABLES}
        self._hashes: Array | None = None
        self._numbers: Array | None = None
        self._likely: Array | None = None
        """Where a hash may be, by its first bits."""
        self._seed = secrets.randbits(128)
        self._one_by_one: dict[tuple[int, Provenance], int] = {}
        self._alike: list[int] = []
        """For each interface the first one whose headers are read as its are: there may be thousands of a few kinds."""
        self._firsts: dict[tuple[int, str, bool, str], int] = {}

    @property
    def rows(self) -> int:
        """Of so many rows the origins are known."""
        return min(self._rows, len(self._index.columns.origin))

    def table(self, name: str) -> Array:
        """One of `TABLES` of every origin by its number, i8; for 0 it is 0.

        ``without`` says that it is without fields; ``head`` is one more than how many bytes tell them, 0 for all.
        """
        from sockexplorer.capture.arrays import numpy

        return numpy.frombuffer(self._tables[name][:], "i8")

    def steps(self) -> Iterator[int]:
        """Go through all rows; how many are done after each step of some milliseconds."""
        index = self._index
        column = index.columns.origin
        yield from self._learn()
        self._rows = len(column)
        while index.file.mapping is not None and index.file.whole() and (done := len(column)) < index.count:
            end = min(index.count, done + ROWS)
            numbers = self._of_rows(done, end).tobytes()
            for _ in self._learn():
                yield done
            column.frombytes(numbers)  # type: ignore[union-attr]
            self._rows = len(column)
            yield end

    def _learn(self) -> Iterator[int]:
        """Know the origins that there are examples of; how many rows are done, after each step."""
        index = self._index
        while len(self.named) < len(self.examples):
            readable = index.file.mapping is not None and index.file.whole()
            rows = self.examples[len(self.known) :][:TOGETHER]
            new = of_rows(index, rows, Hashing(index, self._seed) if readable else None)
            names = list(map(self._name, new))
            self.known += new
            self.named += names
            for table, values in (
                ("header", (each.header for each in new)), ("added", (each.added for each in new)),
                ("plain", (each.plain for each in new)), ("decoded", (each.decoded for each in names)),
                ("without", (not each.fields for each in names)),
                ("head", (0 if each.head is None else each.head + 1 for each in names)),
                ("headed", (each.headed for each in names)), ("link", (each.link for each in names)),
            ):  # fmt: skip
                self._tables[table].extend(values)
            yield self._rows

    def _of_rows(self, first: int, end: int) -> Array:
        from sockexplorer.capture.arrays import numpy

        columns, hashing = self._index.columns, Hashing(self._index, self._seed)
        source = numpy.frombuffer(columns.source[first:end], "u4")
        offset = numpy.frombuffer(columns.offset[first:end], "u8").astype("i8")
        if self._index.kind == "candump":
            # A line tells its interface, and nothing else of where it is from.
            found, examples, places = numpy.unique(source, return_index=True, return_inverse=True)
            each = zip(found.tolist(), examples.tolist(), strict=True)
            of_lines: Array = numpy.array([self._read(first + row, key) for key, row in each], "u4")[places]
            return of_lines
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
            self._likely = numpy.zeros(2**LIKELY_BITS, "u4")
            self._likely[self._hashes >> (64 - LIKELY_BITS)] = numpy.arange(len(order))
            known = self._find(hashes)
        return known

    def _find(self, hashes: Array) -> Array:
        from sockexplorer.capture.arrays import numpy

        assert self._hashes is not None
        assert self._numbers is not None
        if self._likely is None:
            return numpy.zeros(len(hashes), "u4")
        at = self._likely[hashes >> (64 - LIKELY_BITS)]
        elsewhere = numpy.flatnonzero(self._hashes[at] != hashes)
        numbers: Array = self._numbers[at]
        if len(elsewhere):
            hashes = hashes[elsewhere]
            at = self._hashes.searchsorted(hashes)
            at[at == len(self._hashes)] = 0
            numbers[elsewhere] = numpy.where(self._hashes[at] == hashes, self._numbers[at], 0)
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
