"""Frames and bytes of a capture file by peer, by length and by protocol: of a large one by its columns."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, OUTBOUND
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.lots import MOST_ALIKE, Alike, Lots
from sockexplorer.capture.provenance import Provenance
from sockexplorer.capture.statistics import APART, MORE, MOST_KEYS, OTHERS, Statistics, Tally
from sockexplorer.capture.sweep import LOOK_AT_CLOCK

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

ROWS_TOGETHER, DECODED_TOGETHER = 2**17, 2**14
"""Rows that are counted together; of those that may need to be read there are fewer."""


class _Slice(NamedTuple):
    """The rows ``first`` to ``last`` (exclusive; from 0) on the way to their kinds.

    ``asked`` is what has to be known: the hash of a lot and the place of one of its rows, then the places of those that
    are ``alone``, in no lot. ``told`` are the kinds of these so far.
    """

    first: int
    last: int
    lots: Lots | None
    asked: list[tuple[int | None, int]]
    told: list[int]
    alone: list[int]


class FileStatistics(Statistics):
    """The same of a capture file that is not large, or not yet."""

    def __init__(self, log: CapturedLog, kind: Callable[[Frame], str]) -> None:
        super().__init__(cast(Log, log), kind)
        self._captured = log

    @property
    def outgrown(self) -> bool:
        return self._captured.vectorised or super().outgrown


class ColumnStatistics(Statistics):
    """The same of a large capture file, by its columns; of a row when its origin is known.

    ``decoded`` says whether ``kind`` depends on the payload: on its size and its first `DECISIVE` bytes then, so that
    one frame is asked for all that are alike in these, and each where the protocol is `APART` or it is in no lot.
    """

    def __init__(self, log: CapturedLog, kind: Callable[[Frame], str], decoded: Callable[[Provenance], bool]) -> None:
        super().__init__(cast(Log, log), kind)
        self._captured = log
        self._decoded = decoded
        self._peers, self._decodes, self._apart, self._origin_kinds = (array("q", [0]) for _ in range(4))
        """Of every origin by its number: the peer's, whether its kind depends on the payload, whether it is `APART`,
        and the number of its kind where that does not."""
        self._told_apart: Array | None = None
        """Whether each peer, by its number, has a tally of its own."""
        self._names = [OTHERS]
        """The kinds by their numbers."""
        self._numbers = {OTHERS: 0}
        self._by_hash: dict[int, int] = {}
        self._alike = Alike(log.index)
        self._slice = _Slice(0, 0, None, [], [], [])

    @property
    def _end(self) -> int:
        """One more than the last row of which the origin is known."""
        return min(self._captured.end, self._captured.origins.rows + 1)

    @property
    def behind(self) -> int:
        return self._captured.end - self._sweep.next

    def go_on(self, seconds: float) -> bool:
        begin, deadline, learnt = self._sweep.next, time.monotonic() + seconds, len(self._peers)
        # Of further rows there may be origins that are not learnt here.
        while self._sweep.next < (end := self._end) and time.monotonic() < deadline:
            if not self._learn(deadline):
                break
            together = DECODED_TOGETHER if any(self._decodes) else ROWS_TOGETHER
            if not self._count(self._sweep.next - 1, min(end - 1, self._sweep.next - 1 + together), deadline):
                break
        return self._sweep.next > begin or learnt != len(self._peers)

    def _learn(self, deadline: float) -> bool:
        """Know the origins that there are; whether that is done. Many links may have thousands of them."""
        origins = self._captured.origins
        # Names are told of after all else is known of an origin.
        for named in origins.named[len(self._peers) - 1 :]:
            each = origins.known[len(self._peers) - 1]
            self._peers.append(named.number)
            self._decodes.append(self._decoded(each))
            self._apart.append(each.path in APART)
            self._origin_kinds.append(self._number_of(named.protocol))
            if not len(self._peers) & LOOK_AT_CLOCK and time.monotonic() > deadline:
                return False
        return True

    def _number_of(self, kind: str) -> int:
        number = self._numbers.setdefault(kind, len(self._names))
        if number == len(self._names):
            self._names.append(kind)
        return number

    def _count(self, first: int, last: int, deadline: float) -> bool:
        """Count the rows of a slice; whether there was time for what has to be read of them."""
        from sockexplorer.capture.arrays import numpy

        columns = self._captured.index.columns
        origin = numpy.frombuffer(columns.origin[first:last], "u4")
        kinds = self._kinds_of(first, last, origin, deadline)
        if kinds is None:
            return False
        out = numpy.frombuffer(columns.source[first:last], "u4") & DIRECTION == OUTBOUND
        length = numpy.frombuffer(columns.length[first:last], "u4").astype("i8")
        length += self._captured.origins.table("added")[origin]
        bits = numpy.zeros(len(length), "u4")
        for bit in range(33):
            bits += length >> bit > 0
        for keys, tally_of in (
            (numpy.zeros(len(origin), "u1"), lambda key: self.total),
            (self._keys_of(origin), self._by_peer), (kinds, self._by_kind),
            (bits, lambda key: self.lengths.setdefault(key, Tally())),
        ):  # fmt: skip
            for sent in (False, True):
                chosen = keys[out == sent]
                frames = numpy.bincount(chosen)
                octets = numpy.bincount(chosen, weights=length[out == sent])
                for key in numpy.flatnonzero(frames).tolist():
                    tally_of(key).add_many(int(frames[key]), int(octets[key]), sent=sent)
        self._sweep.next = last + 1
        return True

    def _keys_of(self, origin: Array) -> Array:
        """The number of the peer of each row, one more than the highest for those that have no tally of their own."""
        from sockexplorer.capture.arrays import numpy

        peers = numpy.frombuffer(self._peers[:], "i8")
        known, size = self._told_apart, int(peers.max()) + 1
        apart = numpy.zeros(size, bool)
        if known is not None:
            apart[: len(known)] = known
        keys: Array = peers[origin]
        new = numpy.flatnonzero((numpy.bincount(keys, minlength=size) > 0) & ~apart)
        apart[new[: max(0, MOST_KEYS - numpy.count_nonzero(apart))]] = True
        self._told_apart = apart
        return numpy.where(apart[keys], keys, size)

    def _by_peer(self, number: int) -> Tally:
        assert self._told_apart is not None
        return self.peers.setdefault(number if number < len(self._told_apart) else MORE, Tally())

    def _by_kind(self, number: int) -> Tally:
        name = self._names[number]
        return self.kinds.setdefault(name if name in self.kinds or len(self.kinds) < MOST_KEYS else OTHERS, Tally())

    def _kinds_of(self, first: int, last: int, origin: Array, deadline: float) -> Array | None:
        """The number of the kind of each row; None while not all that has to be read is."""
        from sockexplorer.capture.arrays import numpy

        now = self._slice
        if (now.first, now.last) != (first, last):
            decoded, apart = (numpy.frombuffer(each[:], "i8") > 0 for each in (self._decodes, self._apart))
            headers = self._captured.origins.table("header")
            lots = self._alike.lots(first, last, decoded, headers, decoded, apart)
            alone = decoded[origin]
            if lots is not None:
                alone[lots.rows] = False
            rows = numpy.flatnonzero(alone).tolist()
            asked: list[tuple[int | None, int]] = []
            if lots is not None:
                asked += zip(lots.hashes, lots.examples, strict=True)
            asked += ((None, row) for row in rows)
            now = self._slice = _Slice(first, last, lots, asked, [], rows)
        while len(now.told) < len(now.asked):
            alike, row = now.asked[len(now.told)]
            now.told.append(self._kind_of(alike, first + row + 1))
            if time.monotonic() > deadline and len(now.told) < len(now.asked):
                return None
        kinds: Array = numpy.frombuffer(self._origin_kinds[:], "i8")[origin]
        told = numpy.array(now.told, kinds.dtype)
        if now.lots is not None:
            kinds[now.lots.rows] = told[now.lots.lots]
        kinds[now.alone] = told[len(told) - len(now.alone) :]
        return kinds

    def _kind_of(self, alike: int | None, example: int) -> int:
        """The number of the kind of rows that are alike, which one of them tells; None of a row by itself."""
        number = None if alike is None else self._by_hash.get(alike)
        if number is None:
            number = self._number_of(self._kind(self._captured.frame(example)))
            if alike is not None and len(self._by_hash) < MOST_ALIKE:
                self._by_hash[alike] = number
        return number
