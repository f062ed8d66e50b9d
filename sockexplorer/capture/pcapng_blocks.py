"""Blocks of frames in the words of a pcapng file, many at once: where they may begin, what heads and options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture import pcapng
from sockexplorer.capture.index import DIRECTION
from sockexplorer.capture.pcapng_read import SECOND, Clocked
from sockexplorer.capture.reading import LAST_TIME, LONGEST

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

MOST_OPTIONS = 8
"""A frame with more is read by the reader."""


class Blocks(NamedTuple):
    """Blocks of frames as they stand in a file's words, an item or a row each."""

    starts: Array
    """The place of the first word, i8."""
    sizes: Array
    """Words, i8."""
    heads: Array
    """The first eight words, of the file's byte order."""
    tails: Array
    """The last four."""

    def part(self, chosen: list[slice]) -> Blocks:
        """Some of them."""
        from sockexplorer.capture.arrays import numpy

        if len(chosen) == 1:
            return Blocks(*(each[chosen[0]] for each in self))
        return Blocks(*(numpy.concatenate([each[one] for one in chosen]) for each in self))


def _pick(words: Array, places: Array, count: int) -> Array:
    """So many words from each place on, a row each. Every place has them.

    Each is picked as one item: that is one pass over memory, whatever is read of them.
    """
    from sockexplorer.capture.arrays import numpy

    items = numpy.ndarray((max(0, len(words) - count + 1),), f"V{4 * count}", words, 0, (4,))
    picked: Array = items[places].view(words.dtype).reshape(-1, count)
    return picked


def candidates(words: Array, at: int, stop: int) -> Blocks:
    """What may be blocks of frames that begin in a window."""
    from sockexplorer.capture.arrays import numpy

    starts = numpy.flatnonzero(words[at:stop] == pcapng.PACKET)
    starts += at
    starts = starts[: int(starts.searchsorted(len(words) - 7))]
    # A section's first block has seven words at least: what ends ahead of a place, the tail of the block before, is
    # picked along with what begins there.
    rows = _pick(words, starts - 4, 12)
    lengths = rows[:, 5]
    # Less than 32 wraps around to more than any.
    right = (lengths - numpy.uint32(32) <= LONGEST - 32) & (lengths & 3 == 0)
    sizes = (lengths >> 2).astype("i8")
    if stop + LONGEST // 4 > len(words):
        right &= sizes <= len(words) - starts
    if not right.all():
        starts, sizes, rows = starts[right], sizes[right], rows[right]
    after = starts + sizes
    tails = numpy.empty((len(starts), 4), words.dtype)
    tails[:-1] = rows[1:, :4]
    alone = numpy.flatnonzero(after[:-1] != starts[1:])
    for some in (alone, slice(-1, None)):
        tails[some] = _pick(words, after[some] - 4, 4)
    blocks = Blocks(starts, sizes, rows[:, 4:], tails)
    right = tails[:, 3] == blocks.heads[:, 1]
    return blocks if right.all() else Blocks(*(each[right] for each in blocks))


def options(words: Array, blocks: Blocks, order: str) -> tuple[Array, Array, Array | None]:
    """The direction of each frame, u4; whether it is wrong or its options need the reader; and how many frames were
    lost ahead of each, u8, None where none tells that."""
    from sockexplorer.capture.arrays import numpy

    kept, tails = blocks.heads[:, 5], blocks.tails
    room = blocks.heads[:, 1] - numpy.uint32(32)
    wrong = kept > room
    room -= kept
    room >>= 2
    # Most have the flags alone: an option of four bytes, and the end of options.
    alone = room == 3
    alone &= tails[:, 0] == (0x20004 if order == ">" else 0x40002)
    alone &= tails[:, 2] == pcapng.END
    directions = (tails[:, 1] & DIRECTION).astype("u4", copy=False)
    if alone.all():
        return directions, wrong, None
    lost = None
    directions *= alone
    rows = numpy.flatnonzero((room != 0) & ~(alone | wrong))
    until = blocks.starts[rows] + (blocks.sizes[rows] - 1)
    here = until - room[rows]
    for _ in range(MOST_OPTIONS):
        if not len(rows):
            break
        heads = words.take(here)
        codes, lengths = (heads >> 16, heads & 0xFFFF) if order == ">" else (heads & 0xFFFF, heads >> 16)
        here += 1
        after = here + ((lengths + 3) >> 2)
        follow = codes != pcapng.END
        flags = numpy.flatnonzero((codes == pcapng.EPB_FLAGS) & (lengths == 4) & (here < until))
        if len(flags):
            directions[rows[flags]] = words.take(here[flags]) & DIRECTION
        counts = numpy.flatnonzero((codes == pcapng.EPB_DROPCOUNT) & (lengths == 8) & (here + 1 < until))
        if len(counts):
            lost = numpy.zeros(len(wrong), "u8") if lost is None else lost
            first, second = (words.take(here[counts] + each).astype("u8") for each in (0, 1))
            lost[rows[counts]] = (first << 32 | second) if order == ">" else (second << 32 | first)
        # An option that is longer than the block.
        if (over := follow & (after > until)).any():
            wrong[rows[over]] = True
        follow &= after < until
        rows, here, until = rows[follow], after[follow], until[follow]
    wrong[rows] = True
    return directions, wrong, lost


def times_of(ticks: Array, clocked: Clocked) -> Array:
    """As `Clocked.time`, for many."""
    from sockexplorer.capture.arrays import numpy

    if clocked.offset == 0 and SECOND % clocked.resolution == 0:
        scale = SECOND // clocked.resolution
        most = numpy.uint64(LAST_TIME // scale)
        times: Array = numpy.minimum(ticks, most) * numpy.uint64(scale)
        times[ticks > most] = LAST_TIME
        return times
    mask = 0xFFFFFFFF
    return numpy.array([clocked.time(each >> 32, each & mask) for each in ticks.tolist()], "u8")
