"""Frames and bytes of a log by peer, by length and by protocol."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sockexplorer.capture.block import Block
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, ODD, OUTBOUND
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.provenance import Provenance
from sockexplorer.capture.sifting import kept_of
from sockexplorer.capture.sweep import Sweep
from sockexplorer.core.frames import Flag

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

MOST_KEYS = 10_000
"""So many peers or kinds are told apart; what comes later is counted together."""
OTHERS = "(others)"
MORE = 1 << 32
ROWS_TOGETHER, DECODED_TOGETHER = 2**17, 2**14
"""Rows that are counted together; of those that may need to be read there are fewer."""
DECISIVE = 8
"""Bytes at the beginning of a payload that decide which kind of message it is: the head of a message of netlink with
length and type, the id and the length of a CAN frame.
"""
APART = ("can/bcm", "netlink/kobject-uevent")
"""Protocols of whose messages further bytes decide."""
MOST_ALIKE = 100_000
"""Of so many lots of rows that are alike their kind is remembered."""


@dataclass(slots=True)
class Tally:
    """How many frames, and of how many bytes on the wire."""

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def frames(self) -> int:
        return self.frames_in + self.frames_out

    @property
    def bytes(self) -> int:
        return self.bytes_in + self.bytes_out

    def add(self, frame: Frame) -> None:
        """Count a frame."""
        self.add_many(1, frame.length, sent=frame.outgoing)

    def add_many(self, frames: int, octets: int, *, sent: bool) -> None:
        """Count frames of one direction."""
        if sent:
            self.frames_out += frames
            self.bytes_out += octets
        else:
            self.frames_in += frames
            self.bytes_in += octets


class Statistics:
    """Counts what a log has and gets; events are not counted, nor is what the log dropped before."""

    def __init__(self, log: Log, kind: Callable[[Frame], str]) -> None:
        self.total = Tally()
        self.peers: dict[int, Tally] = {}
        self.lengths: dict[int, Tally] = {}
        """By the length's number of bits: 0 is empty, 1 one byte, 2 two and three, and so on."""
        self.kinds: dict[str, Tally] = {}
        self._kind = kind
        self._sweep = Sweep(log, self._take)

    @property
    def behind(self) -> int:
        """How many rows of the log are still to be counted."""
        return self._sweep.behind

    def go_on(self, seconds: float) -> bool:
        """Count for about so long; whether there was anything new."""
        return self._sweep.go_on(seconds)

    def _take(self, frame: Frame) -> None:
        if frame.event:
            return
        self.total.add(frame)
        self.lengths.setdefault(frame.length.bit_length(), Tally()).add(frame)
        known = frame.peer in self.peers or len(self.peers) < MOST_KEYS
        self.peers.setdefault(frame.peer if known else MORE, Tally()).add(frame)
        kind = self._kind(frame)
        known = kind in self.kinds or len(self.kinds) < MOST_KEYS
        self.kinds.setdefault(kind if known else OTHERS, Tally()).add(frame)


class BlockStatistics(Statistics):
    """The same of the log of a session, by its blocks; ``kind`` is what frames of a peer's number are counted as."""

    def __init__(self, log: Log, kind: Callable[[int], str]) -> None:
        super().__init__(log, lambda frame: kind(frame.peer))
        self._log = log
        self._kind_of_peer = kind

    def go_on(self, seconds: float) -> bool:
        began, deadline = self._sweep.next, time.monotonic() + seconds
        for block in self._log.blocks(began, self._log.end):
            self._count(block, max(0, self._sweep.next - block.first))
            self._sweep.next = block.last
            if time.monotonic() > deadline:
                break
        return self._sweep.next > began

    def _count(self, block: Block, begin: int) -> None:
        rows = zip(block.peers[begin:], block.lengths[begin:], block.flags[begin:], strict=True)
        for (peer, length, flags), frames in Counter(rows).items():
            if flags & Flag.EVENT:
                continue
            sent, octets = bool(flags & Flag.OUT), frames * length
            kind = self._kind_of_peer(peer)
            shown = peer if peer in self.peers or len(self.peers) < MOST_KEYS else MORE
            named = kind if kind in self.kinds or len(self.kinds) < MOST_KEYS else OTHERS
            for tally in (
                self.total, self.lengths.setdefault(length.bit_length(), Tally()),
                self.peers.setdefault(shown, Tally()), self.kinds.setdefault(named, Tally()),
            ):  # fmt: skip
                tally.add_many(frames, octets, sent=sent)


class ColumnStatistics(Statistics):
    """The same of a large capture file of which all origins are known, by its columns.

    ``peer`` gives the number of the peer of an origin. ``decoded`` says whether ``kind`` depends on the payload: on its
    size and its first `DECISIVE` bytes then, so that one frame is asked for all that are alike in these, and each where
    the protocol is `APART`. Records that stand otherwise than in an enhanced packet block or in pcap, such as those of
    candump, are counted by their protocol.
    """

    def __init__(
        self, log: CapturedLog, peer: Callable[[Provenance], int], kind: Callable[[Frame], str],
        decoded: Callable[[Provenance], bool],
    ) -> None:  # fmt: skip
        super().__init__(cast(Log, log), kind)
        self._captured = log
        self._peer = peer
        self._decoded = decoded
        self._peers, self._added, self._headers, self._decodes = [0], [0], [0], [False]
        self._origin_kinds = [0]
        self._names = [OTHERS]
        """The kinds by their numbers."""
        self._numbers = {OTHERS: 0}
        self._by_hash: dict[int, int] = {}
        self._factors = [secrets.randbits(64) | 1 for _ in range(4)]
        self._apart = [False]

    @property
    def _end(self) -> int:
        return min(self._captured.end, len(self._captured.index.columns.origin) + 1)

    @property
    def behind(self) -> int:
        return self._end - self._sweep.next

    def go_on(self, seconds: float) -> bool:
        begin, deadline = self._sweep.next, time.monotonic() + seconds
        while self.behind > 0 and time.monotonic() < deadline:
            self._learn()
            together = DECODED_TOGETHER if any(self._decodes) else ROWS_TOGETHER
            self._count(self._sweep.next - 1, min(self._end - 1, self._sweep.next - 1 + together))
        return self._sweep.next > begin

    def _learn(self) -> None:
        """Know the origins that there are."""
        for each in self._captured.origins.known[len(self._peers) - 1 :]:
            self._peers.append(self._peer(each))
            self._added.append(each.added)
            self._headers.append(each.header)
            self._decodes.append(self._decoded(each))
            self._apart.append(each.path in APART)
            family, _, kind = each.path.partition("/")
            if family in ("", "packet"):
                # Frames of no family of sockets are named by their link type, those of a link by their ethertype.
                row = self._captured.origins.examples[len(self._origin_kinds) - 1]
                kind = self._kind(self._captured.frame(row + 1))
            self._origin_kinds.append(self._number_of(kind))

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

        index = self._captured.index
        kinds: Array = numpy.array(self._origin_kinds)[origin]
        source = numpy.frombuffer(index.columns.source[first:last], "u4")
        rows = numpy.flatnonzero(numpy.array(self._decodes)[origin] & (source & ODD == 0))
        if not len(rows) or index.file.mapping is None or not index.file.whole():
            return kinds
        data = numpy.frombuffer(index.file.mapping, "u1")
        offset = numpy.frombuffer(index.columns.offset[first:last], "u8").astype("i8")[rows]
        header = numpy.array(self._headers)[origin[rows]]
        size = kept_of(index, data, offset, source[rows]) - header
        begin = offset + (28 if index.kind == "pcapng" else 16) + header
        # Of fewer bytes than decide all are there, and what follows them does no harm.
        within = numpy.minimum(begin, len(data) - DECISIVE)[:, None] + numpy.arange(DECISIVE)
        words = data[within].view("u8")[:, 0]
        one, two, three, four = map(numpy.uint64, self._factors)
        hashes = words * one + size.astype("u8") * two + origin[rows] * three
        hashes += numpy.where(numpy.array(self._apart)[origin[rows]], rows + (first + 1), 0).astype("u8") * four
        hashes ^= hashes >> numpy.uint64(32)
        found, examples, places = numpy.unique(hashes, return_index=True, return_inverse=True)
        numbers = [
            self._kind_of(each, first + int(rows[example]) + 1)
            for each, example in zip(found.tolist(), examples.tolist(), strict=True)
        ]
        kinds[rows] = numpy.array(numbers)[places]
        return kinds

    def _kind_of(self, alike: int, example: int) -> int:
        """The number of the kind of rows that are alike, which one of them tells."""
        number = self._by_hash.get(alike)
        if number is None:
            number = self._number_of(self._kind(self._captured.frame(example)))
            if len(self._by_hash) < MOST_ALIKE:
                self._by_hash[alike] = number
        return number


def length_range(bits: int) -> str:
    """``64-127``: the lengths that a row of `Statistics.lengths` counts."""
    if bits < 2:
        return str(bits)
    return f"{1 << (bits - 1)}-{(1 << bits) - 1}"
