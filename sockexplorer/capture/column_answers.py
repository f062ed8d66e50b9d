"""What columns of a large capture file say of a filter, of many rows at once: which rows surely pass, and which don't.

Of how payloads begin they say nothing: there one row is asked of all that are alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from sockexplorer.capture.byte_search import rows_with
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, ODD, OUTBOUND
from sockexplorer.capture.lengths import kept_of
from sockexplorer.capture.lots import MOST_ALIKE, Alike, Lots
from sockexplorer.capture.moments import DAY, QUARTER, UNTIMED, offset_of
from sockexplorer.capture.origins import Known
from sockexplorer.capture.predicate import Test

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

NAMES = ("peer", "protocol")
"""Tests of what is shown of an origin, by its names in `Known`."""
HEADS = ("head", "heading")
"""Tests of what a payload begins with."""
NAMES_TOGETHER = 1024
"""Names that are asked about before the clock is looked at."""


class ColumnAnswers:
    """Answers a test from the columns of a log. Before `of` may be asked about rows, `ask_names` and `learn` have to be
    done for them.
    """

    def __init__(self, log: CapturedLog, test: Test) -> None:
        self._log = log
        self._test = test
        self.needs_origin = _needs_origin(test)
        """Whether the test asks for more than what a record's header says."""
        self.searches = _searches(test)
        """Whether it looks through payloads."""
        heads = list(_heads(test))
        self.asks_heads = bool(heads)
        """Whether it asks how payloads begin."""
        self._named = {each: bytearray(1) for each in _tests_of_names(test)}
        """By tests of names which origins have one that passes, by their numbers, as far as they were asked."""
        self._alike = Alike(log.index)
        self._told: dict[Test, dict[int, bool]] = {each: {} for each in heads}
        """What one row of each lot has answered."""
        self._lots: tuple[int, int, Lots | None] = (0, 0, None)
        """Of the rows that were learnt of last: the first, the last, and the lots in them."""

    def ask_names(self, deadline: float) -> bool:
        """Ask the tests of names about what there is; whether that is done. A file may have thousands of them."""
        named = self._log.origins.named
        for test, passes in self._named.items():
            asks = _asks(test)
            while len(passes) <= len(named):
                passes += bytes(map(asks, named[len(passes) - 1 :][:NAMES_TOGETHER]))
                if time.monotonic() > deadline:
                    return False
        return True

    def learn(self, first: int, last: int, deadline: float) -> bool:
        """Have one row of each lot answer what is asked of how payloads begin; whether all have."""
        if not self.asks_heads:
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
                    told[alike] = test.value(self._log.frame(first + example + 1))
                    if time.monotonic() > deadline:
                        return False
        return True

    def of(self, first: int, last: int) -> tuple[Array, Array]:
        """Which of the rows ``first + 1`` to ``last`` surely pass, and which surely don't, as columns of bool."""
        return self._answer(self._test, first, last)

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

    def _column(self, name: str, first: int, last: int) -> Array:
        from sockexplorer.capture.arrays import numpy

        column = getattr(self._log.index.columns, name)
        return numpy.frombuffer(
            column[first:last], column.format if isinstance(column, memoryview) else column.typecode
        )


def _needs_origin(test: Test) -> bool:
    """Whether a test asks for more than what a record's header says."""
    return test.kind in ("length", "bytes", "text", "fields", *HEADS, *NAMES) or any(map(_needs_origin, test.parts))


def _tests_of_names(test: Test) -> Iterator[Test]:
    """The parts of a test that ask for names; a text may be in that of a peer."""
    if test.kind in ("text", *NAMES):
        yield test
    for part in test.parts:
        yield from _tests_of_names(part)


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


def _searches(test: Test) -> bool:
    """Whether a test looks through payloads."""
    return test.kind in ("bytes", "text") or any(map(_searches, test.parts))


def _heads(test: Test) -> Iterator[Test]:
    """What is asked of how payloads begin."""
    if test.kind in HEADS:
        yield test
    for each in test.parts:
        yield from _heads(each)
