"""Many rows of a session's log, block by block: in a third of the time, and less, that they take one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from sockexplorer.capture.block import Block
from sockexplorer.capture.log import Frame, Log
from sockexplorer.core.frames import Flag

_EVENT, _META = int(Flag.EVENT), int(Flag.META)
"""As numbers: the operators of `Flag` take longer than all else that a row needs."""


def frames(log: Log, numbers: Sequence[int]) -> Iterator[Frame]:
    """As `Log.frame`, of rows in order; those that are not kept are left out."""
    for block, rows in _by_block(log, numbers):
        data, first, begins, ends = block.data, block.first, block.begins, block.ends
        times, lengths, peers, all_flags = block.times, block.lengths, block.peers, block.flags
        for number in rows:
            place = number - first
            flags = all_flags[place]
            if data is None or flags & _META:
                yield log.frame(number)
            else:
                payload = bytes(data[begins[place] : ends[place]])
                yield Frame(number, times[place], lengths[place], peers[place], flags, payload, {})


def payloads(log: Log, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Of rows in order their numbers and payloads; without events, and without those that are not kept."""
    for block, rows in _by_block(log, numbers):
        data, first, flags, begins, ends = block.data, block.first, block.flags, block.begins, block.ends
        for number in rows:
            place = number - first
            if data is not None and not flags[place] & (_META | _EVENT):
                yield number, bytes(data[begins[place] : ends[place]])
            elif not (frame := log.frame(number)).event:
                yield number, frame.payload


def _by_block(log: Log, numbers: Sequence[int]) -> Iterator[tuple[Block, Sequence[int]]]:
    """The blocks that these rows are in, as far as they are kept, each with those of its rows."""
    at = bisect_left(numbers, log.first)
    while at < len(numbers):
        block = log.block(numbers[at])
        behind = bisect_left(numbers, block.last, at)
        yield block, numbers[at:behind]
        at = max(behind, bisect_left(numbers, log.first))
