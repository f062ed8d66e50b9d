"""Indexing pcapng. A file is looked at as words of 32 bits: where one is the type of an enhanced packet block, and the
block's two lengths agree, a block may begin; those of them that follow one another from the last block on do.

Everything else, such as other blocks and what is damaged, is left to the reader of `capture.pcapng_read`.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from sockexplorer.capture import pcapng
from sockexplorer.capture.directions import TELLING
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
from sockexplorer.capture.pcapng_blocks import Blocks, candidates, options, times_of
from sockexplorer.capture.pcapng_kept import KINDS, Kept
from sockexplorer.capture.pcapng_read import Clocked, Reader, Section, frame_of, kept_of
from sockexplorer.capture.reading import LONGEST, CaptureError, Drops, Interface, Record

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

WINDOW = 2**20
"""Words that are looked at together: 4 MiB."""
FRAME = 28
"""Bytes of an enhanced packet block ahead of its frame."""
ORDERED = (pcapng.SECTION, pcapng.INTERFACE, pcapng.PACKET, pcapng.OBSOLETE_PACKET, pcapng.SIMPLE)
"""Before a block of these kinds the frames ahead of it are taken in; all others change nothing of how those read."""


class PcapngWalk:
    """A `Walk`."""

    rereads = False

    def __init__(self, file: MappedFile, drops: Drops, *, vectorised: bool) -> None:
        self.columns = Columns()
        self.interfaces: list[Interface] = []
        self.offset = 0
        self.sections: list[Section] = []
        self.owners: list[int] = []
        """The section of each interface."""
        self.firsts: list[int] = []
        """The number in the whole file of the first interface of each section."""
        self.begun = array("Q")
        """Where each section begins."""
        self._file = file
        self.beside = array("Q")
        """Where the blocks are that a copy has to keep beside frames."""
        self._vectorised = vectorised
        self._reader = Reader(drops, self._keep)
        self._drops = drops
        self._window = file.mapped_window(0)
        self._words: dict[str, Array] = {}
        self._telling: set[int] = set()
        """Link types of the present section whose headers tell a direction: it may have thousands of interfaces."""

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

    def _keep(self, kept: Kept) -> None:
        # One may be read again, where frames ahead of it turn out to be wrong.
        if not self.beside or self.offset > self.beside[-1]:
            self.beside.append(self.offset)

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
            self.begun.append(begun)
            self._telling.clear()
        for clocked in section.interfaces[known:]:
            self.interfaces.append(clocked.interface)
            self._telling |= TELLING.keys() & {clocked.interface.link_type}
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
        from sockexplorer.capture.arrays import numpy

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
        blocks = candidates(words, at, stop)
        # Blocks that follow one another are a run: where each begins, which block is its first, and where it ends.
        starts, after = blocks.starts, blocks.starts + blocks.sizes
        breaks = (numpy.flatnonzero(after[:-1] != starts[1:]) + 1).tolist()
        begins, ends = ([0, *breaks], [*breaks, len(starts)]) if len(starts) else ([], [])
        places, nexts = [int(starts[each]) for each in begins], [int(after[each - 1]) for each in ends]
        chosen: list[slice] = []
        counts: list[tuple[int, Drops]] = []
        """Of drops, and where they stand: they count where the frames ahead of them are right."""

        def take() -> bool:
            """Take in what was chosen; whether all of it was right: else the reader has to look at `offset`."""
            nonlocal chosen
            parts, chosen = chosen, []
            right = not parts or self._take(words, blocks.part(parts))
            for place, found in counts:
                for key, (interface, count) in found.items() if right or place < self.offset else ():
                    self._drops[key] = interface, max(count, self._reader.lost.get(key, 0))
            counts.clear()
            return right

        while at < stop:
            run = bisect_right(places, at) - 1
            if run >= 0 and at < nexts[run]:
                # What comes before within the run is no block: its end is where one begins by chance.
                first = begins[run] if places[run] == at else int(starts.searchsorted(at))
                if first < len(starts) and starts[first] == at:
                    if chosen and chosen[-1].stop == first:
                        chosen[-1] = slice(chosen[-1].start, ends[run])
                    else:
                        chosen.append(slice(first, ends[run]))
                    at = nexts[run]
                    self.offset = at * 4
                    continue
            kind = int(words[at])
            if kind in ORDERED and not take():
                break
            if kind == pcapng.STATISTICS:
                self._reader.drops = {}
                counts.append((at * 4, self._reader.drops))
            try:
                self._step()
            except CaptureError:
                if take():
                    raise
                break
            finally:
                self._reader.drops = self._drops
            at = self.offset // 4
            if self._reader.section.order != order:
                return
        else:
            if take():
                return
        # A frame that is wrong, or that has more options than are gone through here.
        self._step()

    def _take(self, words: Array, blocks: Blocks) -> bool:
        """Take in blocks of frames up to the first that is not as it should be; whether there was none such."""
        from sockexplorer.capture.arrays import numpy

        section, first = self._reader.section, self.firsts[-1]
        numbers = blocks.heads[:, 2]
        source, wrong, lost = options(words, blocks, section.order)
        highest = int(numbers.max())
        if highest >= len(section.interfaces):
            wrong |= numbers >= len(section.interfaces)
        good = len(source)
        if wrong.any():
            good = int(numpy.argmax(wrong))
            self.offset = int(blocks.starts[good]) * 4
            blocks, source, numbers = blocks.part([slice(good)]), source[:good], numbers[:good]
        if good:
            heads = blocks.heads
            if lost is not None:
                rows = numpy.flatnonzero(lost[:good])
                for number, count in zip(numbers[rows].tolist(), lost[rows].tolist(), strict=True):
                    self._reader.lose(self._drops, number, count)
            self._tell_directions(blocks, numbers, source)
            source |= (numbers + numpy.uint32(first)) << INTERFACE_SHIFT if highest else first << INTERFACE_SHIFT
            ticks = heads[:, 3].astype("u8")
            ticks <<= 32
            ticks |= heads[:, 4]
            length = numpy.maximum(heads[:, 6], heads[:, 5]).astype("u4", copy=False)
            times = self._times(ticks, numbers) if highest else times_of(ticks, section.interfaces[0])
            self.columns.extend(blocks.starts << 2, times, length, source)
        return good == len(wrong)

    def _tell_directions(self, blocks: Blocks, numbers: Array, source: Array) -> None:
        """Put the directions that headers tell into the source column, where the options tell none."""
        from sockexplorer.capture.arrays import numpy

        interfaces = self._reader.section.interfaces
        for link in self._telling:
            assert self._file.mapping is not None
            place, codes = TELLING[link]
            rows = (source & DIRECTION == 0) & (blocks.heads[:, 5] > place)
            if len(interfaces) > 1:
                rows &= numpy.array([each.interface.link_type == link for each in interfaces])[numbers]
            chosen = numpy.flatnonzero(rows)
            told = numpy.frombuffer(self._file.mapping, "u1")[(blocks.starts[chosen] << 2) + (FRAME + place)]
            source[chosen] |= numpy.frombuffer(codes, "u1")[told]

    def _times(self, ticks: Array, numbers: Array) -> Array:
        from sockexplorer.capture.arrays import numpy

        interfaces, firsts = self._reader.section.interfaces, dict[tuple[int, int], int]()
        # There may be thousands of interfaces, but few clocks.
        alike = [firsts.setdefault((each.resolution, each.offset), at) for at, each in enumerate(interfaces)]
        if len(firsts) == 1:
            return times_of(ticks, interfaces[0])
        clocks = numpy.array(alike)[numbers]
        times = numpy.empty(len(ticks), "u8")
        for clock in numpy.unique(clocks).tolist():
            chosen = clocks == clock
            times[chosen] = times_of(ticks[chosen], interfaces[clock])
        return times

    def resume(self, *, vectorised: bool, final: bool) -> None:
        self._vectorised = vectorised
        self._window = self._file.mapped_window(self.offset)
        self._words.clear()

    # --- again -------------------------------------------------------------------------------------------------

    def order(self, interface: int) -> str:
        return self.sections[self.owners[interface]].order

    def dropped_at(self, section: int, number: int) -> Interface | None:
        return self.sections[section - 1].interfaces[number].interface

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

    def kept(self, offset: int) -> Kept | None:
        """One of the blocks of `beside`; None where the file was changed."""
        owner = max(0, bisect_right(self.begun, offset) - 1)
        section = self.sections[owner]
        kind, length = section.unpack("II", self._file.read(offset, 8).ljust(8, b"\0"))
        body = self._file.read(offset + 8, min(max(length, 12), LONGEST) - 12)
        return kept_of(section, kind, body) if kind in KINDS and len(body) == length - 12 else None

    def state(self) -> dict[str, Any]:
        sections = [
            [
                each.order,
                each.ours,
                each.comments,
                [[interface_state(one.interface), *_clock(one)] for one in each.interfaces],
            ]
            for each in self.sections
        ]
        lost = [[*key, count] for key, count in self._reader.lost.items()]
        places = {"begun": list(self.begun), "beside": list(self.beside)}
        return {"offset": self.offset, "sections": sections, "lost": lost, **places}

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        self.sections, self.firsts, self.owners, self.interfaces = [], [], [], []
        for order, ours, comments, interfaces in state["sections"]:
            section = Section({"<": "<", ">": ">"}[order], bool(ours), tuple(map(str, comments)))
            for interface, resolution, offset in interfaces:
                known = Clocked(interface_from(interface, section.comments), int(resolution), int(offset))
                section.interfaces.append(known)
                self.interfaces.append(known.interface)
                self.owners.append(len(self.sections))
            self.firsts.append(len(self.interfaces) - len(section.interfaces))
            self.sections.append(section)
        self.columns, self.offset = columns, int(state["offset"])
        self.begun, self.beside = array("Q", state["begun"]), array("Q", state["beside"])
        if len(self.begun) != len(self.sections):
            raise ValueError("sections without a place")
        self._reader.lost = {(int(section), int(number)): int(count) for section, number, count in state["lost"]}
        if self.sections:
            self._reader.section, self._reader.sections = self.sections[-1], len(self.sections)
            self._telling = TELLING.keys() & {each.interface.link_type for each in self.sections[-1].interfaces}


def _clock(clocked: Clocked) -> tuple[int, int]:
    return clocked.resolution, clocked.offset
