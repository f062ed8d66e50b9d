"""Frames and bytes of a capture file by peer, by length and by protocol: of a large one by its columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, OUTBOUND
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.lots import MOST_ALIKE, Alike
from sockexplorer.capture.provenance import Provenance
from sockexplorer.capture.statistics import APART, MORE, MOST_KEYS, OTHERS, Statistics, Tally
from sockexplorer.capture.sweep import LOOK_AT_CLOCK

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

ROWS_TOGETHER, DECODED_TOGETHER = 2**17, 2**14
"""Rows that are counted together; of those that may need to be read there are fewer."""


class FileStatistics(Statistics):
    """The same of a capture file that is not large, or not yet."""

    def __init__(self, log: CapturedLog, kind: Callable[[Frame], str]) -> None:
        super().__init__(cast(Log, log), kind)
        self._captured = log

    @property
    def outgrown(self) -> bool:
        return self._captured.vectorised


class ColumnStatistics(Statistics):
    """The same of a large capture file, by its columns; of a row when its origin is known.

    ``decoded`` says whether ``kind`` depends on the payload: on its
    size and its first `DECISIVE` bytes then, so that one frame is asked for all that are alike in these, and each where
    the protocol is `APART`. Records that stand otherwise than in an enhanced packet block or in pcap, such as those of
    candump, are counted by their protocol.
    """

    def __init__(self, log: CapturedLog, kind: Callable[[Frame], str], decoded: Callable[[Provenance], bool]) -> None:
        super().__init__(cast(Log, log), kind)
        self._captured = log
        self._decoded = decoded
        self._peers, self._added, self._headers, self._decodes = [0], [0], [0], [False]
        self._origin_kinds = [0]
        self._names = [OTHERS]
        """The kinds by their numbers."""
        self._numbers = {OTHERS: 0}
        self._by_hash: dict[int, int] = {}
        self._alike = Alike(log.index)
        self._apart = [False]

    @property
    def _end(self) -> int:
        """One more than the last row of which the origin is known."""
        return min(self._captured.end, self._captured.origins.rows + 1)

    @property
    def behind(self) -> int:
        return self._captured.end - self._sweep.next

    def go_on(self, seconds: float) -> bool:
        begin, deadline, learnt = self._sweep.next, time.monotonic() + seconds, len(self._peers)
        while self._sweep.next < self._end and time.monotonic() < deadline:
            if not self._learn(deadline):
                break
            together = DECODED_TOGETHER if any(self._decodes) else ROWS_TOGETHER
            self._count(self._sweep.next - 1, min(self._end - 1, self._sweep.next - 1 + together))
        return self._sweep.next > begin or learnt != len(self._peers)

    def _learn(self, deadline: float) -> bool:
        """Know the origins that there are; whether that is done. Many links may have thousands of them."""
        origins = self._captured.origins
        # Names are told of after all else is known of an origin.
        for named in origins.named[len(self._peers) - 1 :]:
            each = origins.known[len(self._peers) - 1]
            self._peers.append(named.number)
            self._added.append(each.added)
            self._headers.append(each.header)
            self._decodes.append(self._decoded(each))
            self._apart.append(each.path in APART)
            family, _, kind = each.path.partition("/")
            if family in ("", "packet"):
                # Frames of no family of sockets are named by their link type, those of a link by their ethertype.
                row = origins.examples[len(self._origin_kinds) - 1]
                kind = self._kind(self._captured.frame(row + 1))
            self._origin_kinds.append(self._number_of(kind))
            if not len(self._peers) & LOOK_AT_CLOCK and time.monotonic() > deadline:
                return False
        return True

    def _number_of(self, kind: str) -> int:
        number = self._numbers.setdefault(kind, len(self._names))
        if number == len(self._names):
            self._names.append(kind)
        return number

    def _count(self, first: int, last: int) -> None:
        from sockexplorer.capture.arrays import numpy

        columns = self._captured.index.columns
        origin = numpy.frombuffer(columns.origin[first:last], "u4")
        out = numpy.frombuffer(columns.source[first:last], "u4") & DIRECTION == OUTBOUND
        length = numpy.frombuffer(columns.length[first:last], "u4").astype("i8") + numpy.array(self._added)[origin]
        bits = numpy.zeros(len(length), "u4")
        for bit in range(33):
            bits += length >> bit > 0
        for keys, tallies in (
            (origin, self._by_origin), (bits, lambda key: [self.lengths.setdefault(key, Tally())]),
            (self._kinds_of(first, last, origin), self._by_kind),
        ):  # fmt: skip
            for sent in (False, True):
                chosen = keys[out == sent]
                frames = numpy.bincount(chosen)
                octets = numpy.bincount(chosen, weights=length[out == sent])
                for key in numpy.flatnonzero(frames).tolist():
                    for tally in tallies(key):
                        tally.add_many(int(frames[key]), int(octets[key]), sent=sent)
        self._sweep.next = last + 1

    def _by_origin(self, origin: int) -> list[Tally]:
        """What the rows of an origin count for."""
        peer = self._peers[origin]
        peer = peer if peer in self.peers or len(self.peers) < MOST_KEYS else MORE
        return [self.total, self.peers.setdefault(peer, Tally())]

    def _by_kind(self, number: int) -> list[Tally]:
        name = self._names[number]
        return [self.kinds.setdefault(name if name in self.kinds or len(self.kinds) < MOST_KEYS else OTHERS, Tally())]

    def _kinds_of(self, first: int, last: int, origin: Array) -> Array:
        """The number of the kind of each row."""
        from sockexplorer.capture.arrays import numpy

        kinds: Array = numpy.array(self._origin_kinds)[origin]
        decoded = numpy.array(self._decodes)
        lots = self._alike.lots(first, last, decoded, numpy.array(self._headers), decoded, numpy.array(self._apart))
        if lots is not None:
            numbers = [
                self._kind_of(alike, first + example + 1)
                for alike, example in zip(lots.hashes, lots.examples, strict=True)
            ]
            kinds[lots.rows] = numpy.array(numbers)[lots.lots]
        return kinds

    def _kind_of(self, alike: int, example: int) -> int:
        """The number of the kind of rows that are alike, which one of them tells."""
        number = self._by_hash.get(alike)
        if number is None:
            number = self._number_of(self._kind(self._captured.frame(example)))
            if len(self._by_hash) < MOST_ALIKE:
                self._by_hash[alike] = number
        return number
