"""Many rows of a spool as pcapng at once: what they have in common is made once, times and payloads go by columns."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture.block import Block
from sockexplorer.capture.pcapng import PACKET

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

_HEAD, _LENGTH = struct.Struct("<7I"), struct.Struct("<I")
KIND, SIZE, INTERFACE, TIME_HIGH, TIME_LOW, KEPT, LENGTH = range(7)
"""Words of an enhanced packet block."""
PADDING = tuple(bytes(-length % 4) for length in range(4))
LEAST = 32
"""So few rows are made as fast one by one."""
ROOM = 2**20
"""Bytes of packet blocks that are made in one place: as much as a processor keeps at hand."""


class Template(NamedTuple):
    """What frames of one peer and direction have in common: the interface's number, the bytes ahead of the payload, and
    the options behind it."""

    interface: int
    header: bytes
    options: bytes


Whole = bytes | memoryview | tuple[bytes | memoryview, ...]
"""Packet blocks in one piece, or in several."""
Templates = Callable[[int, int, bytes], Template]
"""The template of a peer's number, flags, and the first bytes of the payload."""


class Made:
    """Where packet blocks are made, again and again in the same memory: new memory costs more than what goes into it.

    ``make_room`` is called when it is full: what was made is to be written out, and `reset` called.
    """

    def __init__(self, make_room: Callable[[], None]) -> None:
        self._make_room = make_room
        self._memory: Array | None = None
        self._used = 0

    def reset(self) -> None:
        """What was made is not needed any more."""
        self._used = 0

    def runs(self, block: Block, templates: Templates, start: int) -> Iterator[tuple[memoryview, int]] | None:
        """The rows of a block as packet blocks, run by run, each with how many rows it has; they stand until `reset`.

        ``start`` is how many of a payload's first bytes decide on its template. None where rows are few, long, or of
        many templates, which are better made by `mixed`, and where the processor is not little-endian. The rows carry
        their payload only, all of it.
        """
        count = block.last - block.first
        if count < LEAST or block.data is None or sys.byteorder != "little":
            return None
        even = block.even
        if even is not None and (not start or _same_start(block, even, start)):
            return self._alike(block, templates(block.peers[0], block.flags[0], block.part(0, start)), even)
        known = _Numbered(templates)
        data = bytes(block.data) if start else b""
        starts = [
            data[begin : begin + start if begin + start < end else end]
            for begin, end in zip(block.begins, block.ends, strict=True)
        ]
        whose = list(map(known.__getitem__, zip(block.peers, block.flags, starts, strict=True)))
        return None if len(known) > count // LEAST + 1 else self._varied(block, known.templates, whose)

    def _take(self, size: int) -> Array:
        """Memory for so many bytes, at most `ROOM`."""
        if self._memory is None:
            from sockexplorer.capture.arrays import numpy

            self._memory = numpy.zeros(ROOM, "u1")
        if self._used + size > ROOM:
            self._make_room()
        self._used += size
        return self._memory[self._used - size : self._used]

    def _alike(self, block: Block, template: Template, even: tuple[int, int]) -> Iterator[tuple[memoryview, int]]:
        """Rows of one length, equally far apart, with one template: columns of a table."""
        from sockexplorer.capture.arrays import numpy

        count, length = block.last - block.first, block.lengths[0]
        number, header, options = template
        kept = len(header) + length
        size = 32 + kept + (-kept % 4) + len(options)
        head = _HEAD.pack(PACKET, size, number, 0, 0, kept, kept) + header
        tail = PADDING[kept & 3] + options + _LENGTH.pack(size)
        times = numpy.frombuffer(block.times, "u4").reshape(count, 2)
        payload = _rows(block, even, length)
        for at in range(0, count, ROOM // size):
            some = min(count - at, ROOM // size)
            made = self._take(some * size)
            rows, words = made.reshape(some, size), made.view("u4").reshape(some, size // 4)
            rows[:, : len(head)] = numpy.frombuffer(head, "u1")
            rows[:, len(head) + length :] = numpy.frombuffer(tail, "u1")
            words[:, TIME_HIGH], words[:, TIME_LOW] = times[at : at + some, 1], times[at : at + some, 0]
            rows[:, len(head) : len(head) + length] = payload[at : at + some]
            yield made.data, some

    def _varied(
        self, block: Block, templates: Sequence[Template], whose: Sequence[int]
    ) -> Iterator[tuple[memoryview, int]]:
        """Rows of any lengths and templates: the numbers of each go where its packet block will be."""
        from sockexplorer.capture.arrays import numpy

        assert block.data is not None
        data, count, begins = bytes(block.data), block.last - block.first, block.begins
        numbers, headers, options = zip(*templates, strict=True)
        interfaces = numpy.array(numbers, "u4")
        header_sizes, option_sizes = (numpy.array(list(map(len, each)), "i8") for each in (headers, options))
        which = numpy.array(whose)
        kept = numpy.frombuffer(block.lengths, "u4") + header_sizes[which]
        size = 32 + (kept + 3 & -4) + option_sizes[which]
        ends = numpy.cumsum(size)
        times = numpy.frombuffer(block.times, "u4").reshape(count, 2)
        at = 0
        while at < count:
            done = int(ends[at - 1]) if at else 0
            after = int(ends.searchsorted(done + ROOM, "right"))
            rows = slice(at, after)
            made = self._take(int(ends[after - 1]) - done)
            words, places = made.view("u4"), ends[rows] - size[rows] - done
            heads, tails = places // 4, (ends[rows] - done) // 4 - 1
            # The word that ends with the padding comes first: what is no padding of it is filled below.
            words[heads + (kept[rows] + _HEAD.size - 1) // 4] = 0
            words[heads + KIND], words[heads + INTERFACE] = PACKET, interfaces[which[rows]]
            words[heads + SIZE] = words[tails] = size[rows]
            words[heads + TIME_HIGH], words[heads + TIME_LOW] = times[rows, 1], times[rows, 0]
            words[heads + KEPT] = words[heads + LENGTH] = kept[rows]
            for number in numpy.unique(which[rows]):
                mine = which[rows] == number
                _scatter(made, places[mine] + _HEAD.size, headers[number])
                _scatter(made, tails[mine] * 4 - option_sizes[number], options[number])
            view, payloads = made.data, (places + _HEAD.size + header_sizes[which[rows]]).tolist()
            for place, begin, end in zip(payloads, begins[rows], block.ends[rows], strict=True):
                view[place : place + end - begin] = data[begin:end]
            yield view, after - at
            at = after


class _Numbered(dict[tuple[int, int, bytes], int]):
    """Templates, numbered as they are asked for."""

    def __init__(self, find: Templates) -> None:
        self._find = find
        self.templates: list[Template] = []

    def __missing__(self, key: tuple[int, int, bytes]) -> int:
        number = self[key] = len(self.templates)
        self.templates.append(self._find(*key))
        return number


def _same_start(block: Block, even: tuple[int, int], start: int) -> bool:
    """Whether rows that are equally far apart begin with the same bytes."""
    if block.lengths[0] < start:
        return False
    rows = _rows(block, even, start)
    return bool((rows == rows[0]).all())


def _scatter(made: Array, places: Array, text: bytes) -> None:
    """Put the same bytes in many places."""
    from sockexplorer.capture.arrays import numpy

    made[places[:, None] + numpy.arange(len(text))] = numpy.frombuffer(text, "u1")


def _rows(block: Block, even: tuple[int, int], length: int) -> Array:
    """The first bytes of rows that are equally far apart, as a table."""
    from sockexplorer.capture.arrays import numpy

    return numpy.ndarray((block.last - block.first, length), "u1", block.data, even[0], (even[1], 1))


def mixed(block: Block, templates: Templates, start: int) -> Whole:
    """All rows of a block as packet blocks, one by one; otherwise as `Made.runs`. Long payloads are not copied."""
    parts: list[bytes | memoryview] = []
    add, pack, end = parts.append, _HEAD.pack, _LENGTH.pack
    for index, time in enumerate(block.times):
        payload = block.view(index) if block.long else block.part(index)
        number, header, options = templates(block.peers[index], block.flags[index], bytes(payload[:start]))
        kept = len(header) + len(payload)
        size = 32 + kept + (-kept % 4) + len(options)
        add(pack(PACKET, size, number, time >> 32, time & 0xFFFFFFFF, kept, kept))
        add(header)
        add(payload)
        add(PADDING[kept & 3])
        add(options)
        add(end(size))
    return tuple(parts) if block.long else b"".join(parts)
