"""Many rows of a spool as pcapng at once: what they have in common is made once, times and payloads go by columns."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture.block import Block
from sockexplorer.capture.pcapng import PACKET

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

_HEAD, _LENGTH = struct.Struct("<7I"), struct.Struct("<I")
TIME_HIGH, TIME_LOW = 3, 4
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


class Made:
    """Where packet blocks are made, again and again in the same memory: new memory costs more than what goes into it.

    What `alike` gives stands until `reset`.
    """

    def __init__(self) -> None:
        self._memory: Array | None = None
        self._used = 0

    def reset(self) -> None:
        """What was made is not needed any more."""
        self._used = 0

    def alike(self, block: Block, template: Template, even: tuple[int, int]) -> memoryview | None:
        """All rows of a block as packet blocks, which have one template; None where there is no room for them.

        ``even`` is what `at_once` gave.
        """
        from sockexplorer.capture.arrays import numpy

        if self._memory is None:
            self._memory = numpy.zeros(ROOM, "u1")
        count, length = block.last - block.first, block.lengths[0]
        kept = len(template.header) + length
        size = 32 + kept + (-kept % 4) + len(template.options)
        if self._used + size * count > ROOM:
            return None
        made = self._memory[self._used : self._used + size * count]
        self._used += size * count
        rows, words = made.reshape(count, size), made.view("u4").reshape(count, size // 4)
        head = _HEAD.pack(PACKET, size, template.interface, 0, 0, kept, kept) + template.header
        tail = PADDING[kept & 3] + template.options + _LENGTH.pack(size)
        rows[:, : len(head)] = numpy.frombuffer(head, "u1")
        rows[:, len(head) + length :] = numpy.frombuffer(tail, "u1")
        times = numpy.frombuffer(block.times, "u4")
        words[:, TIME_HIGH], words[:, TIME_LOW] = times[1::2], times[0::2]
        rows[:, len(head) : len(head) + length] = numpy.ndarray(
            (count, length), "u1", block.data, even[0], (even[1], 1)
        )
        return made.data


def at_once(block: Block, start: int) -> tuple[int, int] | None:
    """`Block.even` of a block that `Made.alike` can take, None for one that it can't.

    ``start`` is how many of the first bytes decide on the template, and have to be the same in every row.
    """
    count = block.last - block.first
    if count < LEAST or block.data is None or sys.byteorder != "little":
        return None
    even = block.even
    if even is not None and start and len({block.part(row, start) for row in range(count)}) > 1:
        return None
    return even


def mixed(block: Block, templates: Sequence[Template]) -> bytes:
    """All rows of a block as packet blocks, a template for each row. They carry their payload only, all of it."""
    parts: list[bytes] = []
    add, pack, end = parts.append, _HEAD.pack, _LENGTH.pack
    for index, ((number, header, options), time) in enumerate(zip(templates, block.times, strict=True)):
        payload = block.part(index)
        kept = len(header) + len(payload)
        size = 32 + kept + (-kept % 4) + len(options)
        add(pack(PACKET, size, number, time >> 32, time & 0xFFFFFFFF, kept, kept))
        add(header)
        add(payload)
        add(PADDING[kept & 3])
        add(options)
        add(end(size))
    return b"".join(parts)
