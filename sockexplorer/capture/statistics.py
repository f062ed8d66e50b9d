"""Frames and bytes of a log by peer, by length and by protocol."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from operator import sub

from sockexplorer.capture.block import Block
from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.lots import DECISIVE, MOST_ALIKE
from sockexplorer.capture.sweep import Sweep
from sockexplorer.core.frames import Flag

MOST_KEYS = 10_000
"""So many peers or kinds are told apart; what comes later is counted together."""
OTHERS = "(others)"
MORE = 1 << 32
KINDS = ("netlink/", "can/")
"""Families of which messages are counted by their kind."""
APART = ("can/bcm", "netlink/kobject-uevent")
"""Protocols of whose messages further bytes decide."""


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


class Counts:
    """Counts the frames that it is given; events are not counted."""

    def __init__(self, kind: Callable[[Frame], str]) -> None:
        self.total = Tally()
        self.peers: dict[int, Tally] = {}
        self.lengths: dict[int, Tally] = {}
        """By the length's number of bits: 0 is empty, 1 one byte, 2 two and three, and so on."""
        self.kinds: dict[str, Tally] = {}
        self._kind = kind

    def add(self, frame: Frame) -> None:
        """Count a frame."""
        if frame.event:
            return
        self.total.add(frame)
        self.lengths.setdefault(frame.length.bit_length(), Tally()).add(frame)
        known = frame.peer in self.peers or len(self.peers) < MOST_KEYS
        self.peers.setdefault(frame.peer if known else MORE, Tally()).add(frame)
        kind = self._kind(frame)
        known = kind in self.kinds or len(self.kinds) < MOST_KEYS
        self.kinds.setdefault(kind if known else OTHERS, Tally()).add(frame)


class Statistics(Counts):
    """Counts what a log has and gets; events are not counted, nor is what the log dropped before."""

    def __init__(self, log: Log, kind: Callable[[Frame], str]) -> None:
        super().__init__(kind)
        self._sweep = Sweep(log, self.add)
        self._rows, self._reread = log, len(log.reread)

    @property
    def behind(self) -> int:
        """How many rows of the log are still to be counted."""
        return self._sweep.behind

    def go_on(self, seconds: float) -> bool:
        """Count for about so long; whether there was anything new."""
        return self._sweep.go_on(seconds)

    @property
    def outgrown(self) -> bool:
        """Whether to begin anew: a row that was counted has changed, or columns count the log faster by now."""
        return len(self._rows.reread) != self._reread


class BlockStatistics(Statistics):
    """The same of the log of a session, by its blocks; ``kind`` is what frames of a peer's number are counted as."""

    rows_together = 2**16
    """Rows after which it looks at the clock, at the latest."""

    def __init__(self, log: Log, kind: Callable[[int], str]) -> None:
        super().__init__(log, lambda frame: kind(frame.peer))
        self._log = log
        self._kind_of_peer = kind

    def go_on(self, seconds: float) -> bool:
        began, deadline = self._sweep.next, time.monotonic() + seconds
        for block in self._log.blocks(began, self._log.end):
            begin = max(block.first, self._sweep.next)
            for first in range(begin, block.last, self.rows_together):
                last = min(block.last, first + self.rows_together)
                self._count(block, slice(first - block.first, last - block.first))
                self._sweep.next = last
                if time.monotonic() > deadline:
                    return True
        return self._sweep.next > began

    def _count(self, block: Block, rows: slice) -> None:
        alike = Counter(zip(block.peers[rows], block.lengths[rows], block.flags[rows], strict=True))
        for (peer, length, flags), frames in alike.items():
            if not flags & Flag.EVENT:
                self._count_alike(frames, peer, length, self._kind_of_peer(peer), sent=bool(flags & Flag.OUT))

    def _count_alike(self, frames: int, peer: int, length: int, kind: str, *, sent: bool) -> None:
        """Count frames of one peer, length, kind and direction."""
        shown = peer if peer in self.peers or len(self.peers) < MOST_KEYS else MORE
        named = kind if kind in self.kinds or len(self.kinds) < MOST_KEYS else OTHERS
        for tally in (
            self.total, self.lengths.setdefault(length.bit_length(), Tally()),
            self.peers.setdefault(shown, Tally()), self.kinds.setdefault(named, Tally()),
        ):  # fmt: skip
            tally.add_many(frames, frames * length, sent=sent)


class DecodedStatistics(BlockStatistics):
    """The same where a frame's ``kind`` is read in its payload.

    One frame is asked for all of a peer that are alike in size and in the first `DECISIVE` bytes; in all bytes, where
    ``path``, such as ``can/raw``, is that of a protocol that is counted `APART`.
    """

    rows_together = 256

    def __init__(self, log: Log, kind: Callable[[Frame], str], path: str) -> None:
        super().__init__(log, lambda peer: "")
        self._kind = kind
        self._decisive = None if path in APART else DECISIVE
        self._known: dict[tuple[int, int, int, int, bytes], str] = {}

    def _count(self, block: Block, rows: slice) -> None:
        peers, lengths, flags = block.peers[rows], block.lengths[rows], block.flags[rows]
        indices = range(*rows.indices(len(block.ends)))
        parts = (block.part(index, self._decisive) for index in indices)
        sizes = map(sub, block.ends[rows], block.begins[rows])
        kinds = map(self._kind_of, zip(peers, lengths, flags, sizes, parts, strict=True), indices, repeat(block.first))
        for (peer, length, flag, kind), frames in Counter(zip(peers, lengths, flags, kinds, strict=True)).items():
            if not flag & Flag.EVENT:
                self._count_alike(frames, peer, length, kind, sent=bool(flag & Flag.OUT))

    def _kind_of(self, alike: tuple[int, int, int, int, bytes], index: int, first: int) -> str:
        """What rows that are alike are counted as, which one of them tells."""
        kind = self._known.get(alike)
        if kind is None:
            kind = self._kind(self._log.frame(first + index))
            if len(self._known) < MOST_ALIKE:
                self._known[alike] = kind
        return kind


def length_range(bits: int) -> str:
    """``64-127``: the lengths that a row of `Statistics.lengths` counts."""
    least, most = length_limits(bits)
    return str(bits) if least == most else f"{least}-{most}"


def length_limits(bits: int) -> tuple[int, int]:
    """The least and the most of them."""
    return (1 << bits) >> 1, (1 << bits) - 1
