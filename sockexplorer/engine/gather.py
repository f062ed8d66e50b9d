"""A whole batch of ``recvmmsg`` into the spool: its columns by strides over the headers, its bytes by one ``pwritev``.

Nothing here runs once a message but a few comprehensions. It takes the batches that a flood is made of: the same
ancillary data beside each message, a timestamp and perhaps the counter of drops. Others are left to
`sockexplorer.engine.reader`, message by message.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from sockexplorer.core.frames import ROWS, Flag, Traffic, pack_columns, pack_header
from sockexplorer.engine import ancillary
from sockexplorer.engine.recvmmsg import CONTROL_LENGTH, FLAGS, LENGTH, NAME_BYTES, NAME_LENGTH, WORDS, Arena
from sockexplorer.engine.spool import Spool

STAMP_BYTES, DROPS_BYTES = 32, 24
"""``struct cmsghdr`` with a ``struct timespec``, and with the u32 of SO_RXQ_OVFL, padded."""


def _words(at: int, length: int, kind: int) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """The two words of a ``struct cmsghdr`` of SOL_SOCKET, and where they are in the ancillary data."""
    header = struct.pack("<Qii", length, ancillary.SOL_SOCKET, kind)
    return (at, header[:8]), (at + 1, header[8:])


_STAMP = _words(0, 32, ancillary.SCM_TIMESTAMPNS)
_BOTH = (*_STAMP, *_words(4, 20, ancillary.SO_RXQ_OVFL))
SOCKADDR_IN, WORDS_OF_NAME = 16, NAME_BYTES // 8
SECOND = 1_000_000_000
OUT = int(Flag.OUT)
"""An int: what an enum makes of ``&`` takes as long as the rest of a small batch's counts."""


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
        self._known: dict[int | bytes, int] = {}
        self._outgoing: dict[int, int] = {}
        """The flags of peers that have some, by number."""

    def take(self, arena: Arena, count: int, *, empty: bool) -> bool:
        """Record a batch; False where it has to be looked at message by message, and nothing was recorded.

        ``empty`` says whether a message may be empty and be nothing but that.
        """
        words = arena.words[LENGTH : count * WORDS : WORDS]
        same = _same(words)
        lengths = array("I", words.tobytes())
        longest = lengths[0] if same else max(lengths)
        if longest > arena.slot or not (empty or (lengths[0] if same else all(lengths))):
            return False
        times = self._times(arena, count)
        if times is None:
            return False
        found = self._peers(arena, count)
        if found is None:
            return False
        numbers, ours = found
        flags = self._flag_column(arena, count, ours)
        kept = lengths
        if longest > self._snaplen:
            snaplen, cut = self._snaplen, int(Flag.TRUNCATED)
            kept = array("I", [min(each, snaplen) for each in lengths])
            flags = array("I", [each | cut * (length > snaplen) for each, length in zip(flags, lengths, strict=True)])
            longest = snaplen
        if same:
            ends = array("I", range(longest, longest * count + 1, longest)) if longest else array("I", [0]) * count
        else:
            ends = array("I", accumulate(kept))
        total = longest * count if same and kept is lengths else sum(lengths)
        head = pack_header(ROWS, count, ends[-1], _traffic(lengths, flags, total))
        head += pack_columns((times, ends, lengths, numbers, flags))
        self._spool.flush()
        address, entries = arena.vector(head, kept, longest)
        self._spool.vector(count, len(head) + ends[-1], address, entries)
        return True

    def _times(self, arena: Arena, count: int) -> array[int] | None:
        """The kernel's timestamps; None where something else, or more, is beside a message."""
        lengths = arena.words[CONTROL_LENGTH : count * WORDS : WORDS]
        length = lengths[0]
        if length not in (STAMP_BYTES, STAMP_BYTES + DROPS_BYTES) or not _same(lengths):
            return None
        stride = arena.control_bytes // 8
        control, span = arena.control.cast("Q"), count * stride
        for at, word in _BOTH if length != STAMP_BYTES else _STAMP:
            if control[at:span:stride].tobytes() != word * count:
                return None
        seconds, fractions = control[2:span:stride], control[3:span:stride].tolist()
        if length != STAMP_BYTES:
            self._on_drops(control[span - stride + 6] & 0xFFFFFFFF)
        if _same(seconds):
            base = seconds[0] * SECOND
            return array("Q", [base + each for each in fractions])
        return array("Q", [second * SECOND + each for second, each in zip(seconds, fractions, strict=True)])

    def _peers(self, arena: Arena, count: int) -> tuple[array[int], list[int] | int] | None:
        """The numbers of the senders, and our flags for each, or for all; None where one can't be numbered."""
        lengths = arena.words[NAME_LENGTH : count * WORDS : WORDS]
        length = min(lengths[0], NAME_BYTES)
        keys: list[Any]
        if not _same(lengths):
            keys = [
                bytes(arena.names[at * NAME_BYTES : at * NAME_BYTES + min(each, NAME_BYTES)])
                for at, each in enumerate(lengths)
            ]
        elif length == SOCKADDR_IN and _column(arena.names, 1, count).tobytes() == bytes(8 * count):
            # What tells senders of IPv4 apart is one word, which is cheaper than bytes.
            words = _column(arena.names, 0, count)
            keys = [words[0]] if _same(words) else words.tolist()
        else:
            layout = f"{length}s{NAME_BYTES - length}x"
            keys = [name for (name,) in struct.iter_unpack(layout, arena.names[: count * NAME_BYTES])]
        known = self._known
        try:
            numbers = array("I", map(known.__getitem__, keys))
        except KeyError:
            for at, key in enumerate(keys):
                if key in known:
                    continue
                begin = at * NAME_BYTES
                peer = self._peer(bytes(arena.names[begin : begin + min(lengths[at], NAME_BYTES)]))
                if peer is None:
                    return None
                known[key], flags = peer
                if flags:
                    self._outgoing[known[key]] = flags
            numbers = array("I", map(known.__getitem__, keys))
        if len(keys) < count:
            numbers *= count
        outgoing = self._outgoing
        return numbers, [outgoing.get(number, 0) for number in numbers] if outgoing else 0

    def _flag_column(self, arena: Arena, count: int, ours: list[int] | int) -> array[int]:
        raw = arena.words[FLAGS : count * WORDS : WORDS]
        if _same(raw):
            told: list[int] | int = self._flags(raw[0])
        else:
            told = [self._flags(each) for each in raw.tolist()]
        if isinstance(told, int) and isinstance(ours, int):
            return array("I", [told | ours]) * count
        left = [told] * count if isinstance(told, int) else told
        right = [ours] * count if isinstance(ours, int) else ours
        return array("I", [one | other for one, other in zip(left, right, strict=True)])


def _column(names: memoryview, word: int, count: int) -> memoryview:
    """One word of eight bytes of each name."""
    return names.cast("Q")[word : count * WORDS_OF_NAME : WORDS_OF_NAME]


def _same(column: memoryview) -> bool:
    """Whether all numbers of a column are the same."""
    data = column.tobytes()
    return data == data[: column.itemsize] * len(column)


def _traffic(lengths: array[int], flags: array[int], total: int) -> Traffic:
    count, first = len(lengths), flags[0]
    if flags.count(first) == count:
        return Traffic(0, count, 0, total) if first & OUT else Traffic(count, 0, total, 0)
    out = [length for length, flag in zip(lengths, flags, strict=True) if flag & OUT]
    return Traffic(count - len(out), len(out), total - sum(out), sum(out))
