"""Hashes over what the headers of frames say of path, peer and size, of many rows of an index at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sockexplorer.capture.exported_pdu import END
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import (
    COOKED,
    COOKED_1,
    ETHERNET,
    ETHERNET_HEADER,
    EXPORTED_PDU,
    LOOPBACK,
    LOOPBACK_HEADER,
    NETLINK,
    OF_NETLINK,
    OF_VSOCK,
    SLL,
    SLL2,
    SOCKETCAN,
    VSOCK,
    WHOLE_IP,
)  # fmt: skip
from sockexplorer.capture.provenance import path_of
from sockexplorer.core.canframes import XLF

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

MOST_TAGS = 24
_END = END.to_bytes(2)
MOST_TAG_BYTES, MOST_OPTION_BYTES = 1024, 1024
"""Rows with more of them are read one by one."""
HEADERS = {ETHERNET: ETHERNET_HEADER, SLL: COOKED_1.size, SLL2: COOKED.size, NETLINK: OF_NETLINK.size,
           VSOCK: OF_VSOCK.size, **dict.fromkeys(WHOLE_IP, 1),
           **dict.fromkeys(LOOPBACK, LOOPBACK_HEADER + 1)}  # fmt: skip
"""Bytes of a frame that tell where it is from."""


class Hashing:
    """Hashes over what tells where a frame is from: sums of words, each times a number of 64 bits that is drawn by lot,
    so that no file can be made for them to collide.
    """

    def __init__(self, index: Index, seed: int) -> None:
        from sockexplorer.capture.arrays import numpy

        assert index.file.mapping is not None
        self._index = index
        self._bytes = numpy.frombuffer(index.file.mapping, "u1")
        self._words = numpy.frombuffer(index.file.mapping, "<u4", index.file.size // 4)
        self._factors = numpy.random.default_rng(seed).integers(0, 2**64 - 1, 2048, "u8", endpoint=True)
        self._pcapng = index.kind == "pcapng"

    def of(self, number: int, offset: Array, source: Array) -> tuple[Array, Array]:
        """A hash for each row of an interface, and which rows have to be read one by one."""
        from sockexplorer.capture.arrays import numpy

        interface, start = self._index.walk.interfaces[number], offset + (28 if self._pcapng else 16)
        kept = self._number(offset + (20 if self._pcapng else 8), number)
        hashes = (source.astype("u8") + numpy.uint64(1)) * self._factors[0]
        unclear = numpy.zeros(len(offset), bool)
        link, path = interface.link_type, path_of(interface)
        if link == EXPORTED_PDU:
            sizes = self._tags_of_all(hashes, start, kept)
            if sizes is None:
                sizes = self._tags(start, start + kept)
                self._add(hashes, start, sizes)
            unclear = sizes == 0
        elif path == "packet/raw" and link != ETHERNET:
            pass
        elif link in WHOLE_IP:
            unclear = kept == 0
            hashes += (self._bytes.take(numpy.where(unclear, 0, start)) >> 4) * self._factors[1]
        elif link == SOCKETCAN:
            # The payload is padded to the size of a frame, unless it was cut or is one of CAN XL.
            cut = self._number(offset + (24 if self._pcapng else 12), number) > kept
            hashes += kept.astype("u8") * self._factors[1] + cut * self._factors[2]
            hashes += (self._bytes.take(numpy.where(kept < 8, 0, start + 4)) & XLF) * self._factors[3]
        elif link in HEADERS:
            unclear = kept < HEADERS[link]
            self._add(hashes, start, numpy.where(unclear, 0, HEADERS[link]))
            if link == VSOCK:
                # The header of the transport follows, whose length is at byte 28.
                unclear |= kept < OF_VSOCK.size + (self._word(numpy.where(unclear, 0, start + 28)) & 0xFFFF)
        else:
            # Some take their first bytes for granted.
            unclear = kept < 8
        if interface.ours and self._pcapng:
            at = start + ((kept + 3) & ~3)
            sizes = offset + self._number(offset + 4, number) - 4 - at
            # The direction alone is in the source already.
            sizes[sizes <= 12] = 0
            unclear |= sizes > MOST_OPTION_BYTES
            self._add(hashes, at, numpy.where(unclear, 0, sizes), 1024)
        return hashes, unclear

    def data(self, number: int, offset: Array) -> tuple[Array, Array]:
        """Of rows of an interface: where their data begin, and how many bytes the file has of them."""
        start = offset + (28 if self._pcapng else 16)
        kept = self._number(offset + (20 if self._pcapng else 8), number)
        # An index that was kept may say anything of where records are.
        kept[start + kept > len(self._bytes)] = 0
        return start, kept

    def spans(self, number: int, offset: Array) -> tuple[Array, Array, Array, Array]:
        """Of rows of an interface with exported PDUs: where their tags begin, and how many bytes these are, 0 where
        they have to be read one by one; where the options begin, and how many bytes these are: -1 where there are too
        many, 0 where they tell nothing of the peer.
        """
        from sockexplorer.capture.arrays import numpy

        start, kept = self.data(number, offset)
        behind = start + ((kept + 3) & ~3)
        more = numpy.zeros(len(offset), "i8")
        if self._index.walk.interfaces[number].ours and self._pcapng:
            more = offset + self._number(offset + 4, number) - 4 - behind
            more[(more < 0) | (more > MOST_OPTION_BYTES) | (behind + more > len(self._bytes))] = -1
        return start, self._tags(start, start + kept), behind, more

    def bytes_at(self, at: Array, size: int) -> Array:
        """So many bytes from each place on, a row each."""
        from sockexplorer.capture.arrays import numpy

        items = numpy.ndarray((len(self._bytes) - size + 1,), f"V{size}", self._bytes, 0, (1,))[at]
        table: Array = items.view("u1").reshape(-1, size)
        return table

    def _number(self, at: Array, interface: int) -> Array:
        """The numbers of 32 bits at these bytes, in the order of an interface's section."""
        found = self._word(at)
        if self._index.walk.order(interface) == ">":
            found = found.astype("u4").byteswap()
        result: Array = found.astype("i8")
        return result

    def _word(self, at: Array) -> Array:
        """The little-endian words of 32 bits at these bytes."""
        if not (at & 3).any():
            found: Array = self._words.take(at >> 2)
            return found
        parts = [self._bytes.take(at + each).astype("u4") for each in range(4)]
        whole: Array = parts[0] | parts[1] << 8 | parts[2] << 16 | parts[3] << 24
        return whole

    def _add(self, hashes: Array, at: Array, sizes: Array, factor: int = 2) -> None:
        """Mix in so many bytes of each row."""
        from sockexplorer.capture.arrays import numpy

        # There are few sizes, all of them small.
        for size in numpy.flatnonzero(numpy.bincount(sizes)).tolist():
            if not size:
                continue
            rows = numpy.flatnonzero(sizes == size)
            every = len(rows) == len(at)
            added = self._sum(self.bytes_at(at if every else at[rows], size), factor)
            if every:
                hashes += added
            else:
                hashes[rows] += added

    def _sum(self, table: Array, factor: int) -> Array:
        """What the bytes of a table add to the hashes of its rows."""
        size = table.shape[1]
        whole = size & ~3
        words = (table[:, :whole].copy() if whole < size else table).view("<u4")
        added = self._sum_of(words, _constant(words), factor, size)
        for column in range(whole, size):
            added += table[:, column] * self._factors[factor + 1 + column]
        return added

    def _sum_of(self, words: Array, constant: Array, factor: int, size: int) -> Array:
        from sockexplorer.capture.arrays import numpy

        added: Array = numpy.full(len(words), size, "u8") * self._factors[factor]
        factors = self._factors[factor + 1 : factor + 1 + words.shape[1]]
        added += (words[0, constant] * factors[constant]).sum(dtype="u8")
        for column in numpy.flatnonzero(~constant).tolist():
            added += words[:, column] * factors[column]
        return added

    def _tags_of_all(self, hashes: Array, start: Array, kept: Array) -> Array | None:
        """Mix in the tags of exported PDUs where those of all rows are of the same kinds and sizes, as those of one
        protocol are; the bytes that they take. None otherwise.
        """
        from sockexplorer.capture.arrays import numpy

        first, room, at, heads = int(start[0]), int(kept.min()), 0, list[int]()
        while at + 4 <= room and len(heads) < MOST_TAGS:
            head = self._bytes[first + at : first + at + 4].tobytes()
            heads.append(at >> 2)
            at += 4
            if head[:2] == _END:
                break
            at += int.from_bytes(head[2:])
            if at & 3:
                return None
        else:
            return None
        if at > MOST_TAG_BYTES or (start & 3).any():
            return None
        words = self.bytes_at(start, at).view("<u4")
        constant = _constant(words)
        if not constant[heads].all():
            return None
        hashes += self._sum_of(words, constant, 2, at)
        return numpy.full(len(start), at, "i8")

    def _tags(self, start: Array, end: Array) -> Array:
        """The bytes that the tags of exported PDUs take; 0 where they have to be read one by one."""
        from sockexplorer.capture.arrays import numpy

        sizes = numpy.zeros(len(start), "i8")
        rows, at = numpy.arange(len(start)), start.copy()
        for _ in range(MOST_TAGS):
            inside = at + 4 <= end
            if not inside.all():
                rows, at, end = rows[inside], at[inside], end[inside]
            if not len(rows):
                break
            heads = self._word(at)
            if heads[0] == heads[-1] and (heads == heads[0]).all():
                heads = heads[:1]
            last = ((heads & 0xFF) << 8 | heads >> 8 & 0xFF) == END
            lengths = ((heads >> 16 & 0xFF) << 8 | heads >> 24).astype("i8")
            at += 4
            if last.any():
                every = numpy.broadcast_to(last, len(rows))
                sizes[rows[every]] = (at - start[rows])[every]
                if last.all():
                    break
                rows, at, end, lengths = rows[~every], at[~every], end[~every], lengths[~every]
            at += lengths
        sizes[sizes > MOST_TAG_BYTES] = 0
        return sizes


def _constant(words: Array) -> Array:
    """Which columns of a table say the same in all its rows."""
    same: Array = (words == words[0]).all(axis=0)
    return same
