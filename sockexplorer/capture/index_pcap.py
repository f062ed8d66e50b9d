"""Indexing pcap. Frames of one size that follow one another are found by the distance between them; where sizes vary,
length after length is followed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from sockexplorer.capture import pcap_read, pcap_variants
from sockexplorer.capture.directions import TELLING
from sockexplorer.capture.index import ODD, SLOW_ROWS, Columns, direction_code
from sockexplorer.capture.mapped import MappedFile
from sockexplorer.capture.reading import LONGEST, CaptureError, Interface, Record

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

FEWEST = 64
"""So many frames of one size are a run."""
TOGETHER = 65536
HEAD = 16
"""Bytes of a record ahead of its frame: seconds, fraction, captured length, length on the wire."""


class PcapWalk:
    """A `Walk`."""

    rereads = False

    def __init__(self, file: MappedFile, *, vectorised: bool) -> None:
        self.columns = Columns()
        self._file = file
        self._window = file.window(0)
        self._head = pcap_read.header(self._window)
        self._vectorised = vectorised and not self._head.old
        self.interfaces = [self._head.interface]
        self.offset = self._window.offset

    def go_on(self) -> None:
        if len(self.columns.offset) < pcap_variants.LOOKED_AT and (what := pcap_variants.refusal(self._file.read)):
            # There was too little of it to tell when it was opened.
            raise CaptureError(self.offset, what)
        if self._vectorised and self._go_through_many():
            return
        if self._window.offset != self.offset:
            self._window = self._file.window(self.offset)
        for _ in range(SLOW_ROWS):
            if not self._window.more():
                return
            record = self._head.record(self._window)
            # Of an old file only the reader tells which of the two lengths is which.
            source = direction_code(record.outgoing) | (ODD if self._head.old else 0)
            self.columns.append(self._window.record, record.time, record.length, source)
            self.offset = self._window.offset

    def _go_through_many(self) -> bool:
        """Take in frames that are whole and as they should be; whether there were any."""
        from sockexplorer.capture.arrays import numpy

        assert self._file.mapping is not None
        bytes_ = numpy.frombuffer(self._file.mapping, "u1")
        word = f"{self._head.order}u4"
        if len(bytes_) - self.offset < HEAD:
            return False
        first = struct.unpack_from(f"{self._head.order}I", self._file.mapping, self.offset + 8)[0]
        if first > LONGEST:
            return False
        stride = HEAD + first
        most = min(TOGETHER, (len(bytes_) - self.offset) // stride)
        if most < FEWEST:
            return False
        kept = numpy.ndarray((most,), word, bytes_, self.offset + 8, (stride,))
        other = numpy.flatnonzero(kept[:FEWEST] != first)
        if len(other):
            return self._follow(bytes_)
        other = numpy.flatnonzero(kept != first)
        # Where the next has another size this one is still whole: its size led there.
        count = int(other[0]) if len(other) else most
        starts = self.offset + numpy.arange(count, dtype="u8") * numpy.uint64(stride)
        fields = [
            numpy.ndarray((count,), word, bytes_, self.offset + at, (stride,)).astype("u4") for at in (0, 4, 8, 12)
        ]
        self._take(starts, *fields)
        self.offset += count * stride
        return True

    def _follow(self, bytes_: Array) -> bool:
        from sockexplorer.capture.arrays import numpy

        mapping, unpack = bytes_.data, struct.Struct(f"{self._head.order}I").unpack_from
        starts: list[int] = []
        add, at, end = starts.append, self.offset, len(bytes_)
        for _ in range(TOGETHER):
            if at + HEAD > end:
                break
            (kept,) = unpack(mapping, at + 8)
            if kept > LONGEST or at + HEAD + kept > end:
                break
            add(at)
            at += HEAD + kept
        if not starts:
            return False
        found = numpy.array(starts, "i8")
        heads = numpy.empty((len(found), HEAD), "u1")
        for column in range(HEAD):
            heads[:, column] = bytes_[found + column]
        fields = heads.view(f"{self._head.order}u4").astype("u4")
        self._take(found.astype("u8"), *(fields[:, column] for column in range(4)))
        self.offset = at
        return True

    def _take(self, starts: Array, seconds: Array, fractions: Array, kept: Array, lengths: Array) -> None:
        from sockexplorer.capture.arrays import numpy

        # 32 bits of seconds and of a fraction stay within 63 bits of nanoseconds.
        times = seconds.astype("u8") * numpy.uint64(pcap_read.SECOND)
        times += fractions.astype("u8") * numpy.uint64(self._head.scale)
        source = numpy.zeros(len(starts), "u4")
        if telling := TELLING.get(self._head.interface.link_type):
            assert self._file.mapping is not None
            place, codes = telling
            rows = numpy.flatnonzero(kept > place)
            told = numpy.frombuffer(self._file.mapping, "u1")[starts[rows] + numpy.uint64(HEAD + place)]
            source[rows] = numpy.frombuffer(codes, "u1")[told]
        self.columns.extend(starts, times, numpy.maximum(kept, lengths), source)

    def resume(self, *, vectorised: bool, final: bool) -> None:
        self._vectorised = vectorised and not self._head.old
        self._window = self._file.window(self.offset)

    def order(self, interface: int) -> str:
        return self._head.order

    def dropped_at(self, section: int, number: int) -> Interface | None:
        return None

    def record(self, row: int) -> Record:
        offset = self.columns.offset[row]
        window = self._file.window(offset)
        if not window.more():
            raise CaptureError(offset, "the file was cut off")
        return self._head.record(window)

    def state(self) -> dict[str, Any]:
        return {"offset": self.offset}

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        self.columns, self.offset = columns, int(state["offset"])
