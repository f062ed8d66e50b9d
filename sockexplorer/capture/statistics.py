"""Frames and bytes of a log by peer, by length and by protocol."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sockexplorer.capture.block import Block
from sockexplorer.capture.captured_log import CapturedLog
from sockexplorer.capture.index import DIRECTION, OUTBOUND
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.origins import Provenance
from sockexplorer.capture.sweep import Sweep
from sockexplorer.core.frames import Flag

MOST_KEYS = 10_000
"""So many peers or kinds are told apart; what comes later is counted together."""
OTHERS = "(others)"
MORE = 1 << 32
ROWS_TOGETHER = 2**17


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
    """The same of a large capture file that is known as a whole, by its columns; a kind is a protocol.

    ``peer`` gives the number of the peer of an origin.
    """

    def __init__(self, log: CapturedLog, peer: Callable[[Provenance], int]) -> None:
        super().__init__(cast(Log, log), lambda frame: "")
        self._captured = log
        known = log.origins.known
        self._peers = [0, *map(peer, known)]
        self._kinds = [OTHERS, *(each.path.partition("/")[2] or OTHERS for each in known)]
        self._added = [0, *(each.added for each in known)]

    @property
    def behind(self) -> int:
        return self._captured.end - self._sweep.next

    def go_on(self, seconds: float) -> bool:
        begin, deadline = self._sweep.next, time.monotonic() + seconds
        while self.behind and time.monotonic() < deadline:
            self._count(self._sweep.next - 1, min(self._captured.end - 1, self._sweep.next - 1 + ROWS_TOGETHER))
        return self._sweep.next > begin

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
        peer, kind = self._peers[origin], self._kinds[origin]
        peer = peer if peer in self.peers or len(self.peers) < MOST_KEYS else MORE
        return [self.total, self.peers.setdefault(peer, Tally()), self.kinds.setdefault(kind, Tally())]


def length_range(bits: int) -> str:
    """``64-127``: the lengths that a row of `Statistics.lengths` counts."""
    if bits < 2:
        return str(bits)
    return f"{1 << (bits - 1)}-{(1 << bits) - 1}"
