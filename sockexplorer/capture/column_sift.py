"""Which rows of a large capture file a filter lets through: columns are asked of many rows at once, and one of all that
are alike; what they can't tell, of each by itself.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from sockexplorer.capture.byte_search import rows_with
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, ODD, OUTBOUND
from sockexplorer.capture.lengths import kept_of
from sockexplorer.capture.log import row_numbers
from sockexplorer.capture.lots import MOST_ALIKE, Alike, Lots
from sockexplorer.capture.moments import DAY, QUARTER, UNTIMED, offset_of
from sockexplorer.capture.origins import Known
from sockexplorer.capture.predicate import Predicate, Test
from sockexplorer.capture.sifting import Sift

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

NAMES = ("peer", "protocol")
"""Tests of what is shown of an origin, by its names in `Known`."""
HEADS = ("head", "heading")
"""Tests of what a payload begins with."""
NAMES_TOGETHER = 1024
"""Names that are asked about before the clock is looked at."""
SLICE_ROWS, SLICE_LOTS, SLICE_BYTES = 2**18, 2**14, 4 * 2**20
"""How much is looked at together: rows, rows in lots, and bytes of the file where payloads are searched."""


class ColumnSift(Sift):
    """A `Sift` of a large capture file. Rows wait until their origins are known."""

    def __init__(self, log: CapturedLog, predicate: Predicate, test: Test) -> None:
        super().__init__(log, predicate)
        self._log = log
        self._test = test
        self._named = {each: bytearray(1) for each in tests_of_names(test)}
        """By tests of names which origins have one that passes, by their numbers, as far as they were asked."""
        self._waiting: list[int] = []
        """Rows of the slice up to `_until` that are to be asked of the predicate, the last first."""
        self._certain, self._told_certain = row_numbers(), 0
        """Rows of it that pass for certain, and how many of them were told."""
        self._until = 0
        self._heads = list(_heads(test))
        self._alike = Alike(log.index)
        self._told: dict[Test, dict[int, bool]] = {each: {} for each in self._heads}
        """What one row of each lot has answered."""
        self._lots: tuple[int, int, Lots | None] = (0, 0, None)
        """Of the slice that is looked at: the first row, the last, and the lots in it."""

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        matching = row_numbers()
        known = self._log.origins.rows
        while number < end:
            if self._until <= number and not (self._ask_names(deadline) and self._look(number, end, known, deadline)):
                break
            number = self._ask(deadline, matching)
            if time.monotonic() > deadline:
                break
        return number, matching

    def _ask_names(self, deadline: float) -> bool:
        """Ask the tests of names about what there is; whether that is done. A file may have thousands of them."""
        named = self._log.origins.named
        for test, passes in self._named.items():
            asks = _asks(test)
            while len(passes) <= len(named):
                passes += bytes(map(asks, named[len(passes) - 1 :][:NAMES_TOGETHER]))
                if time.monotonic() > deadline:
                    return False
        return True

    def _look(self, number: int, end: int, known: int, deadline: float) -> bool:
        """Have the columns answer for the next slice; whether they know that far. Origins are ``known`` of so many
        rows."""
        from sockexplorer.capture.arrays import numpy

        first = number - 1
        last = min(end - 1, first + SLICE_ROWS, known if needs_origin(self._test) else end)
        if last > first and searches(self._test):
            last = min(last, self._within(first, last))
        if self._heads:
            last = min(last, first + SLICE_LOTS)
        if last <= first or not self._learn(first, last, deadline):
            return False
        yes, no = self._answer(self._test, first, last)
        rows = numpy.flatnonzero(~no) + number
        certain = yes[rows - number]
        self._waiting = rows[~certain][::-1].tolist()
        self._certain, self._told_certain = row_numbers(), 0
        self._certain.frombytes(rows[certain].astype("u8").tobytes())
        self._until = last + 1
        return True

    def _learn(self, first: int, last: int, deadline: float) -> bool:
        """Have one row of each lot answer what is asked of how payloads begin; whether all have."""
        if not self._heads:
            return True
        if self._lots[:2] != (first, last):
            from sockexplorer.capture.arrays import numpy

            header, head, link = map(self._log.origins.table, ("header", "head", "link"))
            apart, links = numpy.zeros(len(head), bool), link > 0
            lots = self._alike.lots(first, last, (head > 0) | links, header, head > 1, apart, links)
            self._lots = first, last, lots
        lots = self._lots[2]
        if lots is None:
            return True
        for test, told in self._told.items():
            if len(told) > MOST_ALIKE:
                told.clear()
            for alike, example in zip(lots.hashes, lots.examples, strict=True):
                if alike not in told:
                    told[alike] = test.value(self._rows.frame(first + example + 1))
                    if time.monotonic() > deadline:
                        return False
        return True

    def _within(self, first: int, last: int) -> int:
        """The row after those that begin within `SLICE_BYTES` of the first."""
        offset = self._log.index.columns.offset
        while last - first > 1 and offset[last - 1] - offset[first] > SLICE_BYTES:
            last = first + (last - first) // 2
        return last

    def _ask(self, deadline: float, matching: array[int]) -> int:
        """Ask the predicate of rows that columns can't tell; the first that is not known then."""
        while self._waiting:
            number = self._waiting.pop()
            self._tell(number, matching)
            if self._predicate(self._rows.frame(number)):
                matching.append(number)
            if time.monotonic() > deadline:
                break
        known = self._waiting[-1] if self._waiting else self._until
        self._tell(known, matching)
        return known

    def _tell(self, end: int, matching: array[int]) -> None:
        """Hand on what passes for certain of the rows ahead of one."""
        at = bisect_left(self._certain, end, self._told_certain)
        matching.extend(self._certain[self._told_certain : at])
        self._told_certain = at

    # --- answers of columns: the rows that surely pass, and those that surely don't -----------------------------

    def _answer(self, test: Test, first: int, last: int) -> tuple[Array, Array]:
        from sockexplorer.capture.arrays import numpy

        if test.kind in ("all", "any"):
            answers = [self._answer(part, first, last) for part in test.parts]
            every, some = numpy.logical_and.reduce, numpy.logical_or.reduce
            if test.kind == "any":
                every, some = some, every
            return every([yes for yes, _ in answers]), some([no for _, no in answers])
        if test.kind == "not":
            yes, no = self._answer(test.parts[0], first, last)
            return no, yes
        if test.kind in ("bytes", "text"):
            return self._search(test, first, last)
        if test.kind in ("fields", *HEADS):
            return self._of_fields(test, first, last)
        passes = self._passes(test, first, last)
        if passes is None:
            nothing = numpy.zeros(last - first, bool)
            return nothing, nothing
        if test.kind in ("length", *NAMES):
            unknown = self._column("origin", first, last) == 0
            return passes & ~unknown, ~passes & ~unknown
        return passes, ~passes

    def _of_fields(self, test: Test, first: int, last: int) -> tuple[Array, Array]:
        from sockexplorer.capture.arrays import numpy

        without: Array = self._log.origins.table("headed") == 0
        if test.kind != "heading":
            without = self._log.origins.table("without") != 0
        without[0] = False
        no: Array = without[self._column("origin", first, last)]
        yes = numpy.zeros(last - first, bool)
        lots = self._lots[2]
        if test.kind in HEADS and lots is not None:
            told = self._told[test]
            passes = numpy.array([told[each] for each in lots.hashes])[lots.lots]
            yes[lots.rows], no[lots.rows] = passes, ~passes
        return yes, no

    def _passes(self, test: Test, first: int, last: int) -> Array | None:
        """Which rows pass, where columns can tell; of rows whose origin is not known the answer is of no use."""
        from sockexplorer.capture.arrays import numpy

        if test.kind == "outgoing":
            sent: Array = self._column("source", first, last) & DIRECTION == OUTBOUND
            return sent if test.value else ~sent
        if test.kind == "length":
            lengths = self._column("length", first, last).astype("i8")
            lengths += self._log.origins.table("added")[self._column("origin", first, last)]
            return self._compare(test, lengths)
        if test.kind == "number":
            return self._compare(test, numpy.arange(first + 1, last + 1))
        if test.kind == "time":
            times = self._column("time", first, last)
            return self._timed(test, times, times)
        if test.kind == "clock":
            times = self._column("time", first, last)
            quarters = times // QUARTER
            begins = numpy.flatnonzero(numpy.append(True, quarters[1:] != quarters[:-1]))
            # Without a sign there is room for a day behind the last time that a file can have.
            ahead = numpy.array([offset_of(each) % DAY for each in quarters[begins].tolist()], "u8")
            clocks = (times + numpy.repeat(ahead, numpy.diff(begins, append=len(times)))) % DAY
            return self._timed(test, clocks, times)
        if test.kind == "event":
            return numpy.full(last - first, bool(test.value("")))
        if test.kind in NAMES:
            return self._having(test)[self._column("origin", first, last)]
        return None

    def _having(self, test: Test) -> Array:
        """Which origins have a name that passes, by their numbers; of 0 the answer is of no use."""
        from sockexplorer.capture.arrays import numpy

        return numpy.frombuffer(bytes(self._named[test]), bool)

    def _timed(self, test: Test, values: Array, times: Array) -> Array:
        passes: Array = self._compare(test, values) & (times != UNTIMED)
        return passes

    def _compare(self, test: Test, values: Array) -> Array:
        from sockexplorer.capture.arrays import numpy

        if not -(2**63) <= test.value < 2**63:
            return numpy.full(len(values), bool(test.compare(0, test.value)))
        passes: Array = test.compare(values.astype("i8", copy=False), test.value)
        return passes

    def _search(self, test: Test, first: int, last: int) -> tuple[Array, Array]:
        from sockexplorer.capture.arrays import numpy

        index = self._log.index
        count, offsets = last - first, self._column("offset", first, last).astype("i8")
        origins = self._column("origin", first, last)
        table = self._log.origins.table
        unsure = table("plain")[origins] == 0
        source = self._column("source", first, last)
        unsure |= source & ODD != 0
        yes = numpy.zeros(count, bool)
        if test.kind == "text":
            yes |= self._having(test)[origins]
            unsure |= table("decoded")[origins] != 0
            needle = test.value.lower().encode()
        else:
            needle = test.value
        if not needle:
            yes |= True
        elif index.file.mapping is not None and index.file.whole():
            data = numpy.frombuffer(index.file.mapping, "u1")
            end = index.columns.offset[last] if last < len(index.columns.offset) else index.walk.offset
            header = table("header")

            def payloads(rows: Array) -> tuple[Array, Array]:
                begin = offsets[rows] + (28 if index.kind == "pcapng" else 16)
                return begin + header[origins[rows]], begin + kept_of(index, data, offsets[rows], source[rows])

            found = rows_with(data, offsets, end, needle, payloads, any_case=test.kind == "text")
            yes |= found & ~unsure
        else:
            # It was cut off: what is left of it is read.
            unsure |= True
        return yes, ~yes & ~unsure

    # --- columns and tables -------------------------------------------------------------------------------------

    def _column(self, name: str, first: int, last: int) -> Array:
        from sockexplorer.capture.arrays import numpy

        column = getattr(self._log.index.columns, name)
        return numpy.frombuffer(
            column[first:last], column.format if isinstance(column, memoryview) else column.typecode
        )


def rows_of(log: CapturedLog, peer: int) -> array[int]:
    """The numbers of the rows with the peer of a number; what is of no known origin is among them."""
    from sockexplorer.capture.arrays import numpy

    table = numpy.array([True, *(each.number == peer for each in log.origins.named)])
    numbers, column = row_numbers(), log.index.columns.origin
    for first in range(0, log.index.count, SLICE_ROWS):
        part = numpy.frombuffer(column[first : min(log.index.count, first + SLICE_ROWS)], "u4")
        numbers.frombytes((numpy.flatnonzero(table[part]) + (first + 1)).astype("u8").tobytes())
    return numbers


def needs_origin(test: Test) -> bool:
    """Whether a test asks for more than what a record's header says."""
    return test.kind in ("length", "bytes", "text", "fields", *HEADS, *NAMES) or any(map(needs_origin, test.parts))


def tests_of_names(test: Test) -> Iterator[Test]:
    """The parts of a test that ask for names; a text may be in that of a peer."""
    if test.kind in ("text", *NAMES):
        yield test
    for part in test.parts:
        yield from tests_of_names(part)


def _asks(test: Test) -> Callable[[Known], bool]:
    """What such a part asks of an origin."""
    if test.kind == "text":
        wanted = test.value.lower()
        return lambda each: wanted in each.peer.lower()
    if test.kind == "peer":
        return lambda each: test.value(each.peer)
    # There are few protocols.
    passes = cache(test.value)
    return lambda each: passes(each.protocol)


def searches(test: Test) -> bool:
    """Whether a test looks through payloads."""
    return test.kind in ("bytes", "text") or any(map(searches, test.parts))


def _heads(test: Test) -> Iterator[Test]:
    """What is asked of how payloads begin."""
    if test.kind in HEADS:
        yield test
    for each in test.parts:
        yield from _heads(each)
