"""Many rows of a session's log, block by block: in a third of the time, and less, that they take one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockexplorer.capture.log import Frame, Log
from sockexplorer.core.frames import Flag

_EVENT, _META = int(Flag.EVENT), int(Flag.META)
"""As numbers: the operators of `Flag` take longer than all else that a row needs."""


def frames(log: Log, numbers: Iterable[int]) -> Iterator[Frame]:
    """As `Log.frame`, of rows in order; those that are not kept are left out."""
    first = last = 0
    for number in numbers:
        if not first <= number < last:
            if number < log.first:
                continue
            block = log.block(number)
            first, last, data = block.first, block.last, block.data
            columns = block.times, block.lengths, block.peers, block.flags, block.begins, block.ends
            times, lengths, peers, all_flags, begins, ends = columns
        place = number - first
        flags = all_flags[place]
        if data is None or flags & _META:
            yield log.frame(number)
        else:
            payload = bytes(data[begins[place] : ends[place]])
            yield Frame(number, times[place], lengths[place], peers[place], flags, payload, {})


def payloads(log: Log, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Of rows in order their numbers and payloads; without events, and without those that are not kept."""
    first = last = 0
    for number in numbers:
        if not first <= number < last:
            if number < log.first:
                continue
            block = log.block(number)
            first, last, data = block.first, block.last, block.data
            flags, begins, ends = block.flags, block.begins, block.ends
        place = number - first
        if data is not None and not flags[place] & (_META | _EVENT):
            yield number, bytes(data[begins[place] : ends[place]])
        elif not (frame := log.frame(number)).event:
            yield number, frame.payload
