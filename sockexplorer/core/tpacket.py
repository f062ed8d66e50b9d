"""Blocks of a TPACKET_V3 ring as the kernel left them: columns of what each holds.

A block is a header, then one frame after the other, each with a header, its ``sockaddr_ll`` and its bytes:

    block  u32 version, offset of the private area, status, number of frames, offset of the first, bytes used;
           u64 sequence; 4 × u32 times
    frame  u32 distance to the next frame (0 in the last), seconds, nanoseconds, bytes kept, length on the wire, status;
           u16 where its bytes begin, where the network header does; u32 hash, VLAN TCI; u16 VLAN TPID;
           from byte 48 on the ``sockaddr_ll``

Offsets in a frame count from its own header. All are little-endian: only such hosts make rings here.
Source: ``<linux/if_packet.h>``, Documentation/networking/packet_mmap.rst, ``tpacket_rcv()`` in net/packet/af_packet.c.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import repeat
from typing import Any, Literal, NamedTuple

BLOCK = struct.Struct("<6IQ4I")
"""``struct tpacket_block_desc``."""
FRAME = struct.Struct("<6I2H2I2H8x")
"""``struct tpacket3_hdr``."""
VERSION = 2
"""TPACKET_V3: they count from 0."""
FRAME_LEAST = 72
"""Bytes of the shortest frame: both headers, aligned to 8."""
LONGEST = 2**24
"""Bytes of a block."""
TP_STATUS_KERNEL, TP_STATUS_USER, TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0, 1 << 0, 1 << 4, 1 << 6
ETH_P_8021Q = 0x8100
SOCKADDR_LL, ADDRESS_AT, SHORT_ADDRESS, MAX_ADDR_LEN = 20, 12, 6, 32
PKTTYPE, OUTGOING = 10, 4
"""Where a ``sockaddr_ll`` says how a packet came, and what it says of those that went out."""
_UNTAGGED = bytes(each for each in range(256) if not each & TP_STATUS_VLAN_VALID)
"""The lowest bytes of statuses without the tag of a VLAN."""
LONG = 2**32 - 1
"""Stands for the number of a name that its start does not tell."""


class Columns(NamedTuple):
    """What a block holds, one number a frame in each column; ``times`` is a ``Q``, the others are ``I``."""

    times: array[int]
    """Nanoseconds since the epoch."""
    heads: array[int]
    """Where a frame's header is in the block, for `vlan`."""
    begins: array[int]
    """Where the bytes that were kept begin in the block."""
    ends: array[int]
    """Where they end."""
    lengths: array[int]
    """Bytes on the wire."""
    names: array[int]
    """The number in `Names` of the ``sockaddr_ll``."""
    statuses: array[int]
    """Bits TP_STATUS_…"""

    @property
    def whole(self) -> bool:
        """Whether all was kept of every frame."""
        return _sum(self.begins.tobytes(), self.lengths.tobytes(), more=4) == self.ends.tobytes() + bytes(4)

    @property
    def tagged(self) -> list[int]:
        """The frames that the kernel took the tag of a VLAN off."""
        if not self.statuses.tobytes()[:: self.statuses.itemsize].translate(None, _UNTAGGED):
            return []
        return [frame for frame, each in enumerate(self.statuses) if each & TP_STATUS_VLAN_VALID]


class Names:
    """Numbers the ``sockaddr_ll`` that frames come with, from 1 on; 0 stands for all beyond ``limit``."""

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.known: list[bytes] = []
        """As ``recvmsg`` gives them: 20 bytes, zeros after the hardware address; more where that is longer."""
        self._numbers: dict[bytes, int] = {}
        self.by_start = _ByStart(self)

    def __getitem__(self, number: int) -> bytes:
        """The name of a number. Raises IndexError for one that was not given out."""
        if not 0 < number <= len(self.known):
            raise IndexError(f"no name has the number {number}")
        return self.known[number - 1]

    def number(self, name: bytes) -> int:
        """The number of a ``sockaddr_ll`` that ends with its hardware address."""
        name = name.ljust(SOCKADDR_LL, b"\0")
        found = self._numbers.get(name)
        if found is None:
            if len(self.known) >= self.limit:
                return 0
            self.known.append(name)
            found = self._numbers[name] = len(self.known)
        return found


class _ByStart(dict[tuple[int, int, int], int]):
    """Numbers by the first 18 bytes of a ``sockaddr_ll``; `LONG` where the address goes on after them.

    In a ring an address shorter than that is followed by what was there before, so that one name has several keys.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def __missing__(self, key: tuple[int, int, int]) -> int:
        start = struct.pack("<QQH", *key)
        length = start[ADDRESS_AT - 1]
        number = LONG if length > SHORT_ADDRESS else self._names.number(start[: ADDRESS_AT + length])
        if len(self) >= 2 * self._names.limit:
            self.clear()
        self[key] = number
        return number


def walk(block: memoryview, names: Names) -> Columns:
    """The frames of a block of bytes, which may go on after what it uses. ``names`` learns those that are new.

    Raises ValueError for bytes that are no whole block: nothing outside them is read, and no column points outside.
    """
    count, first, used = _begin(block)
    if not count:
        return Columns(array("Q"), *(array("I") for _ in range(6)))
    block = block[: used & ~7]
    headers = _in_step(block, count, first) or _one_by_one(block, count, first)
    kept, lengths, statuses = (headers.column(at, "I") for at in (12, 16, 20))
    begins = _sum(headers.heads.tobytes(), _doubled(headers.column(24, "H")))
    # Below 2**24 each, so that their sums stay in 32 bits.
    if any(set(kept.tobytes()[3::4])) or max((ends := array("I", _sum(begins, kept.tobytes()))).tolist()) > used:
        raise ValueError(f"a frame of a block goes on after its {used} bytes")
    seconds, nanoseconds = (int.from_bytes(_doubled(headers.column(at, "I")), "little") for at in (4, 8))
    times = (seconds * 1_000_000_000 + nanoseconds).to_bytes(8 * count, "little")
    return Columns(
        array("Q", times), headers.heads, array("I", begins), ends, array("I", lengths.tobytes()),
        _numbered(block, headers, names), array("I", statuses.tobytes()),
    )  # fmt: skip


def vlan(block: memoryview, head: int) -> tuple[int, int] | None:
    """The TCI and TPID of the tag that the kernel took off the frame at ``head``; None where there was none."""
    _, _, _, _, _, status, _, _, _, tci, tpid, _ = FRAME.unpack_from(block, head)
    if not status & TP_STATUS_VLAN_VALID:
        return None
    return tci, tpid if status & TP_STATUS_VLAN_TPID_VALID else ETH_P_8021Q


def vlan_tag(tci: int, tpid: int) -> dict[str, Any]:
    """A VLAN tag as it is shown. Source: IEEE 802.1Q for the parts of the TCI."""
    return {"id": tci & 0xFFF, "priority": tci >> 13, "drop_eligible": bool(tci & 0x1000), "tpid": f"0x{tpid:04x}"}


def directions(block: memoryview) -> tuple[int, int, int]:
    """How many frames of a block went out, their bytes on the wire, and those of all: a third of the work of `walk`.

    Raises ValueError for bytes that are no whole block: nothing outside them is read.
    """
    count, at, used = _begin(block)
    block = block[: used & ~7]
    words, out, octets_out, octets = block.cast("I"), 0, 0, 0
    try:
        for _ in repeat(None, count):
            word = at >> 2
            length = words[word + 4]
            octets += length
            if block[at + 48 + PKTTYPE] == OUTGOING:
                out += 1
                octets_out += length
            at += words[word]
    except IndexError:
        raise ValueError(f"a frame of a block is at {at}, outside it") from None
    return out, octets_out, octets


def _begin(block: memoryview) -> tuple[int, int, int]:
    """How many frames a block has, where the first is, and how many bytes are used. Raises ValueError."""
    if sys.byteorder != "little":
        raise ValueError("a block of a little-endian host can't be read on this one")
    if len(block) < BLOCK.size:
        raise ValueError(f"a block of {len(block)} bytes is shorter than its header")
    version, _, _, count, first, used, *_ = BLOCK.unpack_from(block)
    if version != VERSION:
        raise ValueError(f"version {version} of a block is not TPACKET_V3")
    if used > min(len(block), LONGEST) or count * FRAME_LEAST > used:
        raise ValueError(f"a block of {len(block)} bytes says that it has {count} frames in {used}")
    if count and (first % 8 or not BLOCK.size <= first <= used - FRAME_LEAST):
        raise ValueError(f"a block of {used} bytes says that its first frame is at {first}")
    return count, first, used


class _Headers(NamedTuple):
    """The headers of a block's frames."""

    heads: array[int]
    """Where they are in the block."""
    data: memoryview
    """Where they are ``step`` bytes apart."""
    step: int

    def column(self, at: int, code: Literal["H", "I", "Q"]) -> memoryview:
        """The number at one place of every header."""
        size = struct.calcsize(code)
        return self.data.cast(code)[at // size :: self.step // size][: len(self.heads)]


def _in_step(block: memoryview, count: int, first: int) -> _Headers | None:
    """The headers as they are, where all are equally far apart."""
    step = FRAME.unpack_from(block, first)[0] if count > 1 else FRAME_LEAST
    last = first + (count - 1) * step
    if step % 8 or step < FRAME_LEAST or last > len(block) - FRAME_LEAST:
        return None
    found = _Headers(array("I", range(first, last + 1, step)), block[first:], step)
    return found if _same(found.column(0, "I")[: count - 1]) else None


def _one_by_one(block: memoryview, count: int, first: int) -> _Headers:
    """A copy of headers that are anywhere. Raises ValueError where one leads outside the block."""
    words, at, heads = block.cast("I"), first, []
    try:
        for _ in repeat(None, count):
            heads.append(at)
            at += words[at >> 2]
    except IndexError:
        raise ValueError(f"frame {len(heads)} of a block is at {at}, outside it") from None
    # Bytes are sliced twice as fast as a view, but where frames are long the copy costs more than that.
    source: bytes | memoryview = bytes(block) if len(block) < 1024 * count else block
    data = b"".join([source[head : head + FRAME_LEAST] for head in heads])
    if len(data) < count * FRAME_LEAST:
        raise ValueError(f"the last frame of a block is at {heads[-1]}, with less than a header")
    found = _Headers(array("I", heads), memoryview(data), FRAME_LEAST)
    distances = set(found.column(0, "I")[: count - 1].tolist())
    if distances and (min(distances) < FRAME_LEAST or any(each % 8 for each in distances)):
        raise ValueError("frames of a block overlap, or are not at multiples of 8 bytes")
    return found


def _numbered(block: memoryview, headers: _Headers, names: Names) -> array[int]:
    """The number of every frame's ``sockaddr_ll``."""
    starts = headers.column(48, "Q"), headers.column(56, "Q"), headers.column(64, "H")
    if all(map(_same, starts)):
        numbers = array("I", [names.by_start[starts[0][0], starts[1][0], starts[2][0]]]) * len(headers.heads)
    else:
        keys = zip(*(each.tolist() for each in starts), strict=True)
        numbers = array("I", list(map(names.by_start.__getitem__, keys)))
    if LONG in numbers:
        for index, head in enumerate(headers.heads):
            if numbers[index] == LONG:
                name = head + 48
                end = name + ADDRESS_AT + min(block[name + ADDRESS_AT - 1], MAX_ADDR_LEN)
                numbers[index] = names.number(bytes(block[name:end]))
    return numbers


def _same(numbers: memoryview) -> bool:
    """Whether all are equal."""
    return numbers.tobytes() == numbers[:1].tobytes() * len(numbers)


def _doubled(numbers: memoryview) -> bytearray:
    """The bytes of numbers that are made twice as wide."""
    found = bytearray(2 * numbers.nbytes)
    memoryview(found).cast(numbers.format)[::2] = numbers  # type: ignore[call-overload]
    return found


def _sum(one: bytes | bytearray, other: bytes | bytearray, more: int = 0) -> bytes:
    """Two columns of u32 added, each as one long number: right where no sum needs more than 32 bits, which would carry.

    ``more`` bytes follow for what the last may carry.
    """
    return (int.from_bytes(one, "little") + int.from_bytes(other, "little")).to_bytes(len(one) + more, "little")
