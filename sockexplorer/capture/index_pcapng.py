"""Indexing pcapng. A file is looked at as words of 32 bits: where one is the type of an enhanced packet block, and the
block's two lengths agree, a block may begin; those of them that follow one another from the last block on do.

Everything else, such as other blocks and what is damaged, is left to the reader of `capture.pcapng_read`.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from sockexplorer.capture import pcapng
from sockexplorer.capture.index import (
    DIRECTION,
    INTERFACE_SHIFT,
    ODD,
    SLOW_ROWS,
    Columns,
    direction_code,
    interface_from,
    interface_state,
)  # fmt: skip
from sockexplorer.capture.mapped import MappedFile
from sockexplorer.capture.pcapng_read import SECOND, Clocked, Reader, Section, frame_of
from sockexplorer.capture.reading import LAST_TIME, LONGEST, CaptureError, Drops, Interface, Record

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, numpy.dtype[Any]]

WINDOW = 2**20
"""Words that are looked at together: 4 MiB."""
MOST_OPTIONS = 8
"""A frame with more is read by the reader."""
ORDERED = (pcapng.SECTION, pcapng.INTERFACE, pcapng.PACKET, pcapng.OBSOLETE_PACKET, pcapng.SIMPLE)
"""Before a block of these kinds the frames ahead of it are taken in; all others change nothing of how those read."""


class PcapngWalk:
    """A `Walk`."""

    def __init__(self, file: MappedFile, drops: Drops, *, vectorised: bool) -> None:
        self.columns = Columns()
        self.interfaces: list[Interface] = []
        self.offset = 0
        self.sections: list[Section] = []
        self.owners: list[int] = []
        """The section of each interface."""
        self.firsts: list[int] = []
        """The number in the whole file of the first interface of each section."""
        self._file = file
        self._vectorised = vectorised
        self._reader = Reader(drops)
        self._window = file.mapped_window(0)
        self._words: dict[str, Array] = {}

    def go_on(self) -> None:
        if self._vectorised and self._reader.section.interfaces:
            self._go_through_window()
            return
        for _ in range(SLOW_ROWS):
            if self.offset >= self._file.size:
                return
            self._step()
            if self._vectorised and self._reader.section.interfaces:
                return

    # --- one by one --------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """Take in one block as the reader does. Raises `CaptureError`."""
        if self._window.offset != self.offset:
            self._window = self._file.mapped_window(self.offset)
        if not self._window.more():
            self.offset = self._file.size
            return
        section, known = self._reader.section, len(self._reader.section.interfaces)
        record = self._reader.step(self._window)
        begun, self.offset = self.offset, self._window.offset
        if self._reader.section is not section:
            section, known = self._reader.section, 0
            self.sections.append(section)
            self.firsts.append(len(self.interfaces))
        for clocked in section.interfaces[known:]:
            self.interfaces.append(clocked.interface)
            self.owners.append(len(self.sections) - 1)
        if record is not None:
            kind, _, number = section.unpack("III", self._file.read(begun, 12))
            if kind != pcapng.PACKET:
                number = number >> (16 if section.order == ">" else 0) & 0xFFFF
            number = 0 if kind == pcapng.SIMPLE else number
            source = direction_code(record.outgoing) | (ODD if kind != pcapng.PACKET else 0)
            source |= (self.firsts[-1] + number) << INTERFACE_SHIFT
            self.columns.append(begun, record.time, record.length, source)

    # --- a window at once --------------------------------------------------------------------------------------

    def _go_through_window(self) -> None:
        import numpy

        order = self._reader.section.order
        words = self._words.get(order)
        if words is None:
            assert self._file.mapping is not None
            words = numpy.frombuffer(self._file.mapping, f"{order}u4", self._file.size // 4)
            self._words[order] = words
        at = self.offset // 4
        if at >= len(words):
            # Less than a word.
            self._step()
            return
        stop = min(at + WINDOW, len(words))
        starts, sizes, heads = _candidates(words, at, stop)
        after = starts + sizes
        # Blocks that follow one another are a run: where each begins, and the last of it.
        ends = numpy.flatnonzero(numpy.append(after[:-1] != starts[1:], True)) if len(starts) else starts
        begins = numpy.append(0, ends[:-1] + 1) if len(starts) else starts
        places, lasts, nexts = starts[begins].tolist(), ends.tolist(), after[ends].tolist()
        runs: list[tuple[int, int]] = []

        def take() -> bool:
            """Take in the runs; whether all of it was right: else the reader has to look at the block at `offset`."""
            nonlocal runs
            chosen, runs = runs, []
            if not chosen:
                return True
            whole = [slice(*run) for run in chosen]
            picked = whole[0] if len(whole) == 1 else numpy.concatenate([numpy.arange(*run) for run in chosen])
            return self._take(words, starts[picked], sizes[picked], heads[picked])

        while at < stop:
            run = bisect_right(places, at) - 1
            if run >= 0 and at < nexts[run]:
                # What comes before within the run is no block: its end is where one begins by chance.
                first = int(begins[run]) if places[run] == at else int(starts.searchsorted(at))
                if first < len(starts) and starts[first] == at:
                    runs.append((first, lasts[run] + 1))
                    at = nexts[run]
                    self.offset = at * 4
                    continue
            if int(words[at]) in ORDERED and not take():
                break
            try:
                self._step()
            except CaptureError:
                if take():
                    raise
                break
            at = self.offset // 4
            if self._reader.section.order != order:
                return
        else:
            if take():
                return
        # A frame that is wrong, or that has more options than are gone through here.
        self._step()

    def _take(self, words: Array, starts: Array, sizes: Array, heads: Array) -> bool:
        """Take in blocks of frames up to the first that is not as it should be; whether there was none such."""
        import numpy

        section = self._reader.section
        numbers, kept = heads[:, 2], heads[:, 5]
        source, wrong = _options(words, starts, sizes, kept, section.order)
        wrong |= (numbers >= len(section.interfaces)) | (kept > sizes * 4 - 32)
        good = len(starts)
        if wrong.any():
            good = int(numpy.argmax(wrong))
            self.offset = int(starts[good]) * 4
        if good:
            heads, numbers = heads[:good], numbers[:good]
            ticks = heads[:, 3].astype("u8") << numpy.uint64(32)
            ticks |= heads[:, 4]
            source = source[:good]
            source |= (numbers.astype("u4") + numpy.uint32(self.firsts[-1])) << numpy.uint32(INTERFACE_SHIFT)
            length = numpy.maximum(heads[:, 6], heads[:, 5]).astype("u4", copy=False)
            offsets = starts[:good].astype("u8") * numpy.uint64(4)
            self.columns.extend(offsets, self._times(ticks, numbers), length, source)
        return good == len(starts)

    def _times(self, ticks: Array, numbers: Array) -> Array:
        import numpy

        interfaces = self._reader.section.interfaces
        if numbers[0] == numbers[-1] and (numbers == numbers[0]).all():
            return _times(ticks, interfaces[int(numbers[0])])
        times = numpy.empty(len(ticks), "u8")
        for number in numpy.unique(numbers):
            chosen = numbers == number
            times[chosen] = _times(ticks[chosen], interfaces[int(number)])
        return times

    # --- again -------------------------------------------------------------------------------------------------

    def order(self, interface: int) -> str:
        return self.sections[self.owners[interface]].order

    def record(self, row: int) -> Record:
        offset = self.columns.offset[row]
        section = self.sections[self.owners[self.columns.source[row] >> INTERFACE_SHIFT]]
        kind, length = section.unpack("II", self._file.read(offset, 8).ljust(8, b"\0"))
        body = self._file.read(offset + 8, min(max(length, 12), LONGEST) - 12)
        try:
            record = frame_of(section, kind, body) if len(body) == length - 12 else None
        except (ValueError, struct.error) as error:
            raise CaptureError(offset, str(error)) from None
        if record is None:
            raise CaptureError(offset, "the file was changed since it was indexed")
        return record

    def state(self) -> dict[str, Any]:
        sections = [
            [each.order, each.ours, [[interface_state(one.interface), *_clock(one)] for one in each.interfaces]]
            for each in self.sections
        ]
        return {"offset": self.offset, "sections": sections}

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        self.sections, self.firsts, self.owners, self.interfaces = [], [], [], []
        for order, ours, interfaces in state["sections"]:
            section = Section({"<": "<", ">": ">"}[order], bool(ours))
            for interface, resolution, offset, snaplen in interfaces:
                known = Clocked(interface_from(interface), int(resolution), int(offset), int(snaplen))
                section.interfaces.append(known)
                self.interfaces.append(known.interface)
                self.owners.append(len(self.sections))
            self.firsts.append(len(self.interfaces) - len(section.interfaces))
            self.sections.append(section)
        self.columns, self.offset = columns, int(state["offset"])


def _clock(clocked: Clocked) -> tuple[int, int, int]:
    return clocked.resolution, clocked.offset, clocked.snaplen


def _together(words: Array, count: int) -> Array:
    """At each place, so many words as one item: picking items is one pass over memory, whatever is read of them."""
    import numpy

    return numpy.ndarray((max(0, len(words) - count + 1),), f"V{4 * count}", words, 0, (4,))


def _pick(words: Array, places: Array, count: int) -> Array:
    """So many words from each place on, a row each. Every place has them."""
    picked: Array = _together(words, count)[places].view(words.dtype).reshape(-1, count)
    return picked


def _candidates(words: Array, at: int, stop: int) -> tuple[Array, Array, Array]:
    """Where blocks of frames may begin in a window; their sizes, in words; their first eight words."""
    import numpy

    starts = numpy.flatnonzero(words[at:stop] == pcapng.PACKET)
    starts += at
    starts = starts[: int(numpy.searchsorted(starts, len(words) - 7))]
    heads = _pick(words, starts, 8)
    lengths = heads[:, 1]
    right = (lengths & 3 == 0) & (lengths >= 32) & (lengths <= LONGEST)
    sizes = (lengths >> 2).astype("i8")
    right &= starts + sizes <= len(words)
    if not right.all():
        starts, sizes, heads = starts[right], sizes[right], heads[right]
    right = words.take(starts + (sizes - 1)) == heads[:, 1]
    return (starts, sizes, heads) if right.all() else (starts[right], sizes[right], heads[right])


def _options(words: Array, starts: Array, sizes: Array, kept: Array, order: str) -> tuple[Array, Array]:
    """The direction of each frame, and whether its options need the reader."""
    import numpy

    directions = numpy.zeros(len(starts), "u4")
    wrong = numpy.zeros(len(starts), bool)
    at = starts + 7
    at += (kept.astype("i8") + 3) >> 2
    end = starts + (sizes - 1)
    room = end - at
    rows = numpy.flatnonzero(room > 0)
    # Most have the flags alone: an option of four bytes, and the end of options.
    if len(three := numpy.flatnonzero(room == 3)):
        alone = _pick(words, at if len(three) == len(at) else at[three], 3)
        plain = (alone[:, 0] == (0x20004 if order == ">" else 0x40002)) & (alone[:, 2] == 0)
        if plain.all() and len(three) == len(at):
            return (alone[:, 1] & DIRECTION).astype("u4", copy=False), wrong
        directions[three[plain]] = alone[plain, 1] & DIRECTION
        room[three[plain]] = 0
        rows = numpy.flatnonzero(room > 0)
    for _ in range(MOST_OPTIONS):
        if not len(rows):
            break
        here, until = at[rows], end[rows]
        heads = words.take(here)
        codes, lengths = (heads >> 16, heads & 0xFFFF) if order == ">" else (heads & 0xFFFF, heads >> 16)
        follow = codes != pcapng.END
        lengths = lengths.astype("i8")
        after = here + 1 + ((lengths + 3) >> 2)
        wrong[rows] |= follow & ((here + 1) * 4 + lengths > until * 4)
        flags = numpy.flatnonzero(follow & (codes == pcapng.EPB_FLAGS) & (lengths == 4) & (here + 1 < until))
        if len(flags):
            directions[rows[flags]] = words.take(here[flags] + 1) & DIRECTION
        at[rows] = after
        rows = rows[follow & (after < until) & ~wrong[rows]]
    wrong[rows] = True
    return directions, wrong


def _times(ticks: Array, clocked: Clocked) -> Array:
    """As `Clocked.time`, for many."""
    import numpy

    if clocked.offset == 0 and SECOND % clocked.resolution == 0:
        scale = SECOND // clocked.resolution
        most = numpy.uint64(LAST_TIME // scale)
        times: Array = numpy.minimum(ticks, most) * numpy.uint64(scale)
        times[ticks > most] = LAST_TIME
        return times
    mask = 0xFFFFFFFF
    return numpy.array([clocked.time(each >> 32, each & mask) for each in ticks.tolist()], "u8")
