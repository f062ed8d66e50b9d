"""A whole batch of ``recvmmsg`` into the spool: its columns by strides over the headers, its bytes by one ``pwritev``.

In a flood of messages of one length the kernel writes them to the spool itself, behind room for their head: `aim`.

Nothing here runs once a message but a few comprehensions. It takes the batches that a flood is made of: the same
ancillary data beside each message, a timestamp and perhaps the counter of drops. Others are left to
`sockexplorer.engine.reader`, message by message.
"""

from __future__ import annotations

import socket
import struct
from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NamedTuple

from sockexplorer.core.frames import HEADER, ROW_BYTES, ROWS, Flag, Traffic, pack_columns, pack_header
from sockexplorer.engine import ancillary
from sockexplorer.engine.headers import HeaderReader, Headers, column, same
from sockexplorer.engine.recvmmsg import FLAGS, NAME_LENGTH, SLOTS, Arena
from sockexplorer.engine.spool import Spool

STAMP_BYTES, DROPS_BYTES = 32, 24
"""``struct cmsghdr`` with a ``struct timespec``, and with the u32 of SO_RXQ_OVFL, padded."""


def _words(at: int, length: int, kind: int) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """The two words of a ``struct cmsghdr`` of SOL_SOCKET, and where they are in the ancillary data."""
    header = struct.pack("<Qii", length, ancillary.SOL_SOCKET, kind)
    return (at, header[:8]), (at + 1, header[8:])


_STAMP = b"".join(word for _, word in _words(0, STAMP_BYTES, ancillary.SCM_TIMESTAMPNS))
_DROPS = _words(STAMP_BYTES // 8, DROPS_BYTES - 4, ancillary.SO_RXQ_OVFL)
HEAD = HEADER.size + ROW_BYTES * SLOTS
"""Bytes ahead of those of a whole batch."""
MOST_AIMED = 8192
"""Bytes of messages that go to the spool at once: a batch of them is as long as one of its units."""
FEW = SLOTS // 2
"""Messages of a batch that is not of a flood, at most."""
STEADY, RELUCTANT = 2, 16
"""Batches of one length ahead of one that is taken so, and more of them after one that was of another."""
SECOND = 1_000_000_000
OUT = int(Flag.OUT)
"""An int: what an enum makes of ``&`` takes as long as the rest of a small batch's counts."""
SOCKADDR_IN, IPV4 = 16, struct.pack("=H", socket.AF_INET)
"""The length of a ``struct sockaddr_in``, and what it begins with."""


class _Block(NamedTuple):
    """What stands ahead of the bytes of a batch, and of those what is kept: of each message, at most, and in all."""

    head: bytes
    kept: array[int]
    longest: int
    size: int


class Gatherer:
    """Takes batches of one socket.

    ``peer`` gives the number and the flags of a ``sockaddr``, or None where it can't be numbered; ``flags`` ours for
    those of a message.
    """

    def __init__(
        self,
        spool: Spool,
        snaplen: int,
        peer: Callable[[bytes], tuple[int, int] | None],
        flags: Callable[[int], int],
        on_drops: Callable[[int], None],
    ) -> None:
        self._spool = spool
        self._snaplen = snaplen
        self._peer = peer
        self._flags = flags
        self._on_drops = on_drops
        self._headers = HeaderReader()
        self._known: dict[int | bytes, int] = {}
        self._outgoing: dict[int, int] = {}
        """The flags of peers that have some, by number."""
        self._one_sender: tuple[int, bytes, int] = -1, b"", 0
        """The length and the bytes of the names of the last batch that had one sender alone, and who that was."""
        self._seconds = b"", 0
        """The seconds of the last batch's timestamps, mostly all the same, and those in ns as one long number."""
        self._steps, self._step = array("I"), -1
        self._length = self._count = self._steady = 0
        """The length that all messages of the last batch had, how many it had, and how many batches had that length."""

    def take(self, arena: Arena, count: int, *, empty: bool) -> bool:
        """Record a batch; False where it has to be looked at message by message, and nothing was recorded.

        ``empty`` says whether a message may be empty and be nothing but that.
        """
        headers = self._headers.read(arena, count)
        length = headers.longest if headers.same_length and headers.longest <= min(self._snaplen, MOST_AIMED) else 0
        self._steady = self._steady + 1 if length and length == self._length else min(self._steady, 0)
        self._length, self._count = length, count
        block = self._block(arena, count, headers, empty=empty)
        if arena.aimed:
            if block is not None and length == arena.aimed and self._spool.idle:
                self._spool.fill(block.head, HEAD, length * count)
                return True
            arena.settle(count)
            self._steady = -RELUCTANT
        if block is None:
            return False
        self._spool.flush()
        address, entries = arena.vector(block.head, block.kept, block.longest, same=headers.same_length)
        self._spool.vector(count, len(block.head) + block.size, address, entries)
        return True

    def aim(self) -> tuple[int, int] | None:
        """Where the next messages may go at once, as `Arena.receive` is told; None for the arena.

        The messages of a flood are mostly as long as those before.
        """
        if self._steady < STEADY or self._count <= FEW:
            return None
        address = self._spool.reserve(HEAD + SLOTS * self._length)
        return None if address is None else (address + HEAD, self._length)

    def _block(self, arena: Arena, count: int, headers: Headers, *, empty: bool) -> _Block | None:
        """The block that a batch makes; None where it has to be looked at message by message."""
        if headers.longest > arena.slot or not (empty or headers.shortest):
            return None
        times = self._times(arena, count, headers.control)
        if times is None:
            return None
        numbers = self._peers(arena, count, headers.name)
        if numbers is None:
            return None
        flags = self._flags_of(arena, numbers, headers.flags)
        lengths = kept = headers.lengths
        longest = headers.longest
        if longest > self._snaplen:
            snaplen, cut = self._snaplen, int(Flag.TRUNCATED)
            kept = array("I", [min(each, snaplen) for each in lengths])
            flags = array("I", [each | cut * (length > snaplen) for each, length in zip(flags, lengths, strict=True)])
            longest = snaplen
        ends = self._ends_at(longest, count) if headers.same_length else array("I", accumulate(kept))
        total = headers.longest * count if headers.same_length else sum(lengths)
        head = pack_header(ROWS, count, ends[-1], _traffic(lengths, flags, total))
        head += pack_columns((times, ends, lengths, numbers, flags))
        return _Block(head, kept, longest, ends[-1])

    def _ends_at(self, step: int, count: int) -> array[int]:
        """Where messages end that have so many bytes each."""
        if step != self._step:
            self._step, self._steps = step, array("I", [step * each for each in range(1, SLOTS + 1)])
        return self._steps[:count]

    def _times(self, arena: Arena, count: int, length: int | None) -> array[int] | None:
        """The kernel's timestamps; None where something else, or more, is beside a message.

        An option holds for all messages of a batch: those that have as much beside them as the first have a stamp
        where that has one. The counter of drops is told from the first drop on, and other things are as long.
        """
        if length is None or length not in (STAMP_BYTES, STAMP_BYTES + DROPS_BYTES):
            return None
        stride = arena.control_bytes // 8
        control, span = arena.control.cast("Q"), count * stride
        if control[:2].tobytes() != _STAMP:
            return None
        if length != STAMP_BYTES:
            for at, word in _DROPS:
                if control[at:span:stride].tobytes() != word * count:
                    return None
            self._on_drops(control[span - stride + 6] & 0xFFFFFFFF)
        # Sums of words side by side are one sum of long numbers: no time of a clock has more than 64 bits.
        seconds, begins = self._seconds
        if seconds != (told := control[2:span:stride].tobytes()):
            begins = int.from_bytes(told, "little") * SECOND
            self._seconds = told, begins
        fractions = int.from_bytes(control[3:span:stride].tobytes(), "little")
        return array("Q", (begins + fractions).to_bytes(8 * count, "little"))

    def _peers(self, arena: Arena, count: int, length: int | None) -> array[int] | None:
        """The numbers of the senders; None where one can't be numbered."""
        room = arena.name_bytes
        names = bytes(arena.names[: count * room])
        length_then, names_then, who = self._one_sender
        if length == length_then and names_then.startswith(names):
            return array("I", [who]) * count
        lengths = column(arena, NAME_LENGTH, count)
        keys: list[Any]
        if length is None:
            begins = range(0, len(names), room)
            keys = [names[at : at + min(each, room)] for at, each in zip(begins, lengths, strict=True)]
        elif length == SOCKADDR_IN and names.startswith(IPV4):
            # What tells senders of IPv4 apart is one word, which is cheaper than bytes: the kernel clears the other.
            keys = memoryview(names).cast("Q")[:: room // 8].tolist()
        else:
            size = min(length, room)
            keys = [name for (name,) in struct.iter_unpack(f"{size}s{room - size}x", names)]
        known = self._known
        try:
            numbers = array("I", map(known.__getitem__, keys))
        except KeyError:
            for at, key in enumerate(keys):
                if key in known:
                    continue
                begin = at * room
                peer = self._peer(names[begin : begin + min(lengths[at], room)])
                if peer is None:
                    return None
                known[key], flags = peer
                if flags:
                    self._outgoing[known[key]] = flags
            numbers = array("I", map(known.__getitem__, keys))
        if length is not None and numbers.count(numbers[0]) == count:
            self._one_sender = length, names, numbers[0]
        return numbers

    def _flags_of(self, arena: Arena, numbers: array[int], all_have: int | None) -> array[int]:
        """Our flags of each message; ``all_have`` are the kernel's where all have the same."""
        if all_have is None:
            told = array("I", map(self._flags, column(arena, FLAGS, len(numbers))))
        else:
            told = array("I", [self._flags(all_have)]) * len(numbers)
        if outgoing := self._outgoing:
            told = array("I", [each | outgoing.get(who, 0) for each, who in zip(told, numbers, strict=True)])
        return told


def _traffic(lengths: array[int], flags: array[int], total: int) -> Traffic:
    count, all_have = len(lengths), same(flags)
    if all_have is not None:
        return Traffic(0, count, 0, total) if all_have & OUT else Traffic(count, 0, total, 0)
    out = [length for length, flag in zip(lengths, flags, strict=True) if flag & OUT]
    return Traffic(count - len(out), len(out), total - sum(out), sum(out))
