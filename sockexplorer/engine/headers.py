"""What the headers of a batch of ``recvmmsg`` say, as columns; of a flood they are mostly all alike.

That they are as in the batch before is told by one comparison of all their bytes, which takes less time than to read
a single column.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from sockexplorer.engine.recvmmsg import CONTROL_LENGTH, FLAGS, LENGTH, NAME_LENGTH, WORDS, Arena


class Headers(NamedTuple):
    """The headers of a batch; None stands for numbers that differ from message to message."""

    lengths: array[int]
    """Bytes of each message, with those that there was no room for where MSG_TRUNC asks for them."""
    shortest: int
    longest: int
    name: int | None
    """Bytes of the ``sockaddr`` that each message came with."""
    control: int | None
    """Bytes of the ancillary data beside each message."""
    flags: int | None
    """``msg_flags`` of each message."""

    @property
    def same_length(self) -> bool:
        """Whether all messages have the same length."""
        return self.shortest == self.longest


class HeaderReader:
    """Reads the headers of one socket's batches."""

    def __init__(self) -> None:
        self._alike = b""
        """The headers of the largest batch that has none that differs from the others."""
        self._said = Headers(array("I"), 0, 0, 0, 0, 0)
        """What they say."""

    def read(self, arena: Arena, count: int) -> Headers:
        """What the first ``count`` headers say, at least one."""
        raw = arena.headers(count)
        if self._alike.startswith(raw):
            lengths, shortest, longest, name, control, flags = self._said
            return Headers(lengths[:count], shortest, longest, name, control, flags)
        lengths = array("I", column(arena, LENGTH, count).tobytes())
        name, control, flags = (same(column(arena, each, count)) for each in (NAME_LENGTH, CONTROL_LENGTH, FLAGS))
        said = Headers(lengths, min(lengths), max(lengths), name, control, flags)
        if said.same_length and None not in said:
            self._alike, self._said = raw, said
        return said


def column(arena: Arena, word: int, count: int) -> memoryview:
    """One 32-bit word of each of the first headers."""
    return arena.words[word : count * WORDS : WORDS]


def same(numbers: memoryview | array[int]) -> int | None:
    """The number that all of a column are, of one at least; None where they differ."""
    data = numbers.tobytes()
    return int(numbers[0]) if data == data[: numbers.itemsize] * len(numbers) else None
