"""Which rows a filter lets through."""

from __future__ import annotations

import time
from array import array
from itertools import compress

from sockexplorer.capture.captured_log import Rows
from sockexplorer.capture.log import Log, row_numbers
from sockexplorer.capture.predicate import Predicate


class Sift:
    """Asks a predicate of row after row. `go_on` may raise what the predicate raises."""

    def __init__(self, rows: Rows, predicate: Predicate) -> None:
        self._rows = rows
        self._predicate = predicate

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        """Go on with the rows from ``number`` until ``deadline``, as of time.monotonic(): the first that was not looked
        at, and the numbers of those that pass.
        """
        matching = row_numbers()
        while number < end:
            if self._predicate(self._rows.frame(number)):
                matching.append(number)
            number += 1
            # After each: one row may take a regular expression as long as all others together.
            if time.monotonic() > deadline:
                break
        return number, matching


class PeerSift(Sift):
    """Finds the rows with a peer, by the number that they have of it."""

    def __init__(self, log: Log, peer: int) -> None:
        super().__init__(log, lambda frame: frame.peer == peer)
        self._log = log
        self._is_peer = peer.__eq__

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        matching = row_numbers()
        for block in self._log.blocks(number, end):
            begin, number = max(number, block.first), min(block.last, end)
            peers = block.peers[begin - block.first : number - block.first]
            matching.extend(compress(range(begin, number), map(self._is_peer, peers)))
            if time.monotonic() > deadline:
                break
        return number, matching
