"""What one frame of Ethernet says of all in a session that have the same in their headers: see `link_heads`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sockexplorer.capture import link_heads
from sockexplorer.capture.block import Block
from sockexplorer.capture.lots import MOST_ALIKE, Hashes
from sockexplorer.capture.predicate import Test
from sockexplorer.core.frames import Flag

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

LEAST = 32
"""So few rows are asked one by one as fast."""
MOST_FRESH = 64
"""So many frames of a block are asked while its headers are compared."""
_ODD = int(Flag.EVENT | Flag.META)


class LinkSift:
    """Answers of frames to tests of what rows say ahead of the bytes, and of the fields of Ethernet.

    Of an interface whose frames have no such header, which its peers tell, all say nothing.
    """

    def __init__(self) -> None:
        self._told: dict[Test, dict[int, int]] = {}
        self._hashes: Hashes | None = None

    def answer(self, test: Test, block: Block, ask: Callable[[int], bool], unknown: int) -> bytes:
        """The answer of each row of a block, 0 or 1; ``unknown`` of those that have to be asked one by one.

        ``ask`` gives the answer of a row by its place in the block.
        """
        count = block.last - block.first
        if count < LEAST or block.data is None:
            return bytes((unknown,)) * count
        from sockexplorer.capture.arrays import numpy

        rows, hashes = self._told_apart(block)
        found, examples, lots = numpy.unique(hashes, return_index=True, return_inverse=True)
        told, fresh, said = self._told.setdefault(test, {}), MOST_FRESH, bytearray()
        for key, row in zip(found.tolist(), rows[examples].tolist(), strict=True):
            answer = told.get(key)
            if answer is None and fresh:
                fresh -= 1
                answer = told[key] = int(ask(row))
            said.append(unknown if answer is None else answer)
        if len(told) > MOST_ALIKE:
            told.clear()
        answers = numpy.full(count, unknown, "u1")
        answers[rows] = numpy.frombuffer(said, "u1")[lots]
        return answers.tobytes()

    def _told_apart(self, block: Block) -> tuple[Array, Array]:
        """Which rows can be told apart by a hash, and those hashes; rows with as much in their headers have the same.
        The peer and the flags count as well."""
        from sockexplorer.capture.arrays import numpy

        if self._hashes is None:
            self._hashes = Hashes(link_heads.WORDS + 2)
        assert block.data is not None
        begins, ends = (numpy.array(each, "i8") for each in (block.begins, block.ends))
        whose, flags = (numpy.array(each, "u4") for each in (block.peers, block.flags))
        rows, words = link_heads.told(numpy.frombuffer(block.data, "u1"), begins, ends - begins)
        # Behind their payloads such rows have more.
        plain = flags[rows] & _ODD == 0
        rows = rows[plain]
        hashes = self._hashes.of(numpy.column_stack((words[plain], whose[rows], flags[rows])))
        Hashes.spread(hashes)
        return rows, hashes
