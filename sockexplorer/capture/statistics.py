"""Frames and bytes of a log by peer, by length and by protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.sweep import Sweep

MOST_KEYS = 10_000
"""So many peers or kinds are told apart; what comes later is counted together."""
OTHERS = "(others)"
MORE = 1 << 32


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
        if frame.outgoing:
            self.frames_out += 1
            self.bytes_out += frame.length
        else:
            self.frames_in += 1
            self.bytes_in += frame.length


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


def length_range(bits: int) -> str:
    """``64-127``: the lengths that a row of `Statistics.lengths` counts."""
    if bits < 2:
        return str(bits)
    return f"{1 << (bits - 1)}-{(1 << bits) - 1}"
