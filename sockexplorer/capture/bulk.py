"""Many rows of a spool as pcapng at once: what they have in common is made once, their times are copied by strides."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

from sockexplorer.capture.block import Block
from sockexplorer.capture.pcapng import PACKET

_HEAD, _LENGTH = struct.Struct("<7I"), struct.Struct("<I")
HEAD_WORDS = _HEAD.size // 4
TIME_HIGH, TIME_LOW = 3, 4
"""Words of an enhanced packet block."""
PADDING = tuple(bytes(-length % 4) for length in range(4))


class Template(NamedTuple):
    """What frames of one peer and direction have in common: the interface's number, the bytes ahead of the payload, and
    the options behind it."""

    interface: int
    header: bytes
    options: bytes


def alike(block: Block, template: Template) -> bytearray | None:
    """All rows of a block as packet blocks, where they have one template and one length; None where lengths differ.

    The rows carry their payload only, all of it.
    """
    count, length = block.last - block.first, block.lengths[0]
    if block.data is None or sys.byteorder != "little" or bytes(block.lengths) != _LENGTH.pack(length) * count:
        return None
    kept = len(template.header) + length
    size = 32 + kept + (-kept % 4) + len(template.options)
    head = _HEAD.pack(PACKET, size, template.interface, 0, 0, kept, kept)
    tail = PADDING[kept & 3] + template.options + _LENGTH.pack(size)
    record = b"".join((head, template.header, bytes(length), tail))
    made = bytearray(record * count)
    words, times = memoryview(made).cast("I"), memoryview(block.times).cast("B").cast("I")
    step = size // 4
    words[TIME_HIGH::step], words[TIME_LOW::step] = times[1::2], times[0::2]
    first = _HEAD.size + len(template.header)
    if not (first | length) & 3 and length // 4 < count:
        # A word of each row at once is less work than each row's words at once.
        payload, span = block.data.cast("I"), length // 4
        for word in range(span):
            words[first // 4 + word :: step] = payload[word::span]
    else:
        data, at = block.data, first
        for begin in range(0, length * count, length) if length else ():
            made[at : at + length] = data[begin : begin + length]
            at += size
    return made


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
