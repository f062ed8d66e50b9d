"""Rows of a capture file that are alike in how their payloads begin: one of them tells what is read there in all."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture import link_heads
from sockexplorer.capture.candump import LONGEST_LINE
from sockexplorer.capture.index import ODD, Index
from sockexplorer.capture.lengths import kept_of

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

DECISIVE = 8
"""Bytes at the beginning of a payload that decide which kind of message it is: the head of a message of netlink with
length and type, the id, the length and the flags of a CAN frame.
"""
OF_LINE = 32
"""Characters of a line of candump, up to its first ``#``, that tell interface and identifier."""
MOST_ALIKE = 100_000
"""Of so many lots of rows that are alike it is remembered what one has told."""


class Lots(NamedTuple):
    """Rows in lots: ``rows`` by their places in the slice, the hash of each lot with the place in the slice of one of
    its rows, and the lot of each of ``rows``.
    """

    rows: Array
    hashes: list[int]
    examples: list[int]
    lots: Array


class Hashes:
    """Hashes of rows: sums of words of 32 bits, each times a number of 64 bits that is drawn by lot, so that no file
    can be made for them to collide.
    """

    def __init__(self, words: int) -> None:
        """``words`` is how many a row has at most."""
        from sockexplorer.capture.arrays import numpy

        self.factors = [numpy.uint64(secrets.randbits(64)) for _ in range(words)]

    def of(self, words: Array) -> Array:
        """The sum for each row of a table of words."""
        from sockexplorer.capture.arrays import numpy

        hashes = numpy.zeros(len(words), "u8")
        for column, factor in zip(words.T, self.factors, strict=False):
            hashes += column * factor
        return hashes

    @staticmethod
    def spread(hashes: Array) -> None:
        """Have every bit of such sums tell in their lower halves, too."""
        from sockexplorer.capture.arrays import numpy

        hashes ^= hashes >> numpy.uint64(32)


class Alike:
    """Tells rows apart by hashes over origin, size and the first `DECISIVE` bytes of the payload, or over what headers
    of a link tell.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._factors = Hashes(4).factors
        self._words = Hashes(link_heads.WORDS)

    def lots(
        self, first: int, last: int, wanted: Array, header: Array, heads: Array, apart: Array,
        links: Array | None = None,
    ) -> Lots | None:  # fmt: skip
        """The rows of ``first`` to ``last`` (exclusive; from 0) in lots; None where none can be.

        By origin: which are ``wanted``, how long the ``header`` ahead of the payload is, whether the payload's first
        bytes count (``heads``), whether each row is ``apart``, and which are of ``links`` (see `link_heads`). Records
        that stand otherwise than in an enhanced packet block, in pcap or in a line of candump are in no lot.
        """
        from sockexplorer.capture.arrays import numpy

        index = self._index
        lines = index.kind == "candump"
        origin = numpy.frombuffer(index.columns.origin[first:last], "u4")
        source = numpy.frombuffer(index.columns.source[first:last], "u4")
        rows = numpy.flatnonzero(wanted[origin] & (lines | (source & ODD == 0)))
        if not len(rows) or index.file.mapping is None or not index.file.whole():
            return None
        data = numpy.frombuffer(index.file.mapping, "u1")
        offset = numpy.frombuffer(index.columns.offset[first:last], "u8").astype("i8")[rows]
        if lines:
            # What a line says of its frame ahead of the data counts, whatever may be asked.
            which, hashes = self._of_lines(data, offset)
            rows, hashes = rows[which], hashes[which]
            origin = origin[rows]
        else:
            origin = origin[rows]
            size = kept_of(index, data, offset, source[rows]) - header[origin]
            begin = offset + (28 if index.kind == "pcapng" else 16) + header[origin]
            # Of fewer bytes than decide all are there, and what follows them does no harm.
            words = _words(data, begin, DECISIVE // 4) * heads[origin, None]
            hashes = self._words.of(words) + size.astype("u8") * self._factors[1]
            if links is not None and (linked := numpy.flatnonzero(links[origin])).size:
                which, of_links = self._of_links(data, begin[linked], size[linked])
                hashes[linked[which]] = of_links
                told = ~links[origin]
                told[linked[which]] = True
                rows, hashes, origin = rows[told], hashes[told], origin[told]
        if not len(rows):
            return None
        hashes += (
            origin * self._factors[2]
            + numpy.where(apart[origin], rows + (first + 1), 0).astype("u8") * self._factors[3]
        )
        Hashes.spread(hashes)
        found, examples, lots = numpy.unique(hashes, return_index=True, return_inverse=True)
        return Lots(rows, found.tolist(), rows[examples].tolist(), lots)

    def _of_links(self, data: Array, begin: Array, size: Array) -> tuple[Array, Array]:
        """Which frames of a link can be told apart by a hash over what tells who speaks to whom, and those hashes."""
        which, words = link_heads.told(data, begin, size)
        return which, self._words.of(words)

    def _of_lines(self, data: Array, offset: Array) -> tuple[Array, Array]:
        """Which of the lines of candump that begin at ``offset`` can be told apart by a hash, and those hashes.

        ``(1436509052.249713) vcan0 123#DEADBEEF``: of the interface, the identifier, what follows a second ``#`` or the
        R of a remote frame, and how many digits there are. Any other notation is read by itself.
        """
        from sockexplorer.capture.arrays import numpy

        ahead = numpy.zeros(OF_LINE, "u1")
        part = numpy.concatenate((ahead, data[offset[0] : offset[-1] + LONGEST_LINE], ahead))

        def following(places: Array, after: Array) -> Array:
            """Of each line the first of these places behind another."""
            return numpy.append(places, len(part) - OF_LINE)[places.searchsorted(after, "right")]

        opened = following(numpy.flatnonzero(part == ord(")")), offset - offset[0] + OF_LINE)
        name = following(numpy.flatnonzero(part > ord(" ")), opened)
        gap = following(numpy.flatnonzero(part <= ord(" ")), name)
        sign = following(numpy.flatnonzero(part == ord("#")), gap)
        end = following(numpy.flatnonzero(part <= ord(" ")), sign)
        odd = following(numpy.flatnonzero((part == ord(".")) | (part == ord(":")) | (part == ord("_"))), sign)
        kind = part[sign + 1]
        more = (kind == ord("#")) | (kind == ord("R")) | (kind == ord("r"))
        hashes = numpy.where(more, kind.astype("u8") << 8 | part[sign + 2], 0).astype("u8") * self._factors[0]
        hashes += (end - sign).astype("u8") * self._factors[1]
        # What stands ahead of the interface is the time.
        taken = numpy.arange(OF_LINE) >= (OF_LINE - (sign - opened) + 1)[:, None]
        hashes += self._words.of(_words(part, sign - OF_LINE, OF_LINE // 4, taken))
        return (end < len(part) - OF_LINE) & (sign - opened < OF_LINE) & (odd > end), hashes


def _words(data: Array, at: Array, count: int, taken: Array | None = None) -> Array:
    """So many words of 32 bits at these bytes; of bytes that are not taken, 0."""
    from sockexplorer.capture.arrays import numpy

    part = data[numpy.clip(at, 0, max(0, len(data) - 4 * count))[:, None] + numpy.arange(4 * count)]
    if taken is not None:
        part = part * taken
    return part.view("u4")
