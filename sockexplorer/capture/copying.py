"""Records of any capture, written as pcapng: headers, times, flags, drops and comments as they are, and what else
stands beside them in a pcapng."""

from __future__ import annotations

import platform
from collections import Counter

from sockexplorer import __version__
from sockexplorer.capture import pcapng
from sockexplorer.capture.moments import UNTIMED
from sockexplorer.capture.pcapng_kept import Kept
from sockexplorer.capture.pcapng_read import is_path
from sockexplorer.capture.reading import Drops, Interface, Record
from sockexplorer.capture.recording import HELD_BYTES
from sockexplorer.capture.sink import Sink


class Copy:
    """Takes records to a ``sink``, which may raise `capture.sink.Full`; written by batch."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._blocks: list[bytes] = []
        self._held = 0
        self._numbers: dict[Interface, int] = {}
        self._known: dict[int, tuple[Interface, int]] = {}
        """The same by identity: an interface may have more comments than are to be compared for each record."""
        self._counts = Counter[int]()
        self._time = 0
        self._section: tuple[bool, tuple[str, ...]] | None = None
        self._drops: Drops = {}
        self._told = Counter[Interface]()
        """How much of the drops the copy tells of, in this section and in those before."""
        self._dropped = Counter[Interface]()
        """What this section tells of, whatever capture it is of."""

    def begin(self, drops: Drops) -> None:
        """The records of a capture follow; what it says of drops is in ``drops``, at the latest when they end."""
        self._drops = drops
        self._told.clear()

    def add(self, record: Record) -> None:
        """Write a record, with the next `flush` at the latest."""
        interface = record.interface
        if not self._fits(interface):
            self._begin_section(interface.ours, interface.of_section)
        known = self._known.get(id(interface))
        number = self._number(interface) if known is None else known[1]
        if record.time == UNTIMED and is_simple(record):
            if number:
                # Only frames of a section's first interface can be without a time.
                self._begin_section(interface.ours, interface.of_section)
                number = self._number(interface)
            self._put(pcapng.simple(record.length, record.data))
        else:
            time = 0 if record.time == UNTIMED else record.time
            self._put(
                pcapng.packet(
                    number, time, (record.data,), record.length, record.outgoing, record.comments, record.flags,
                    record.dropped, record.more,
                )
            )  # fmt: skip
            self._time = max(self._time, time)
        self._counts[number] += 1
        if self._held >= HELD_BYTES:
            self.flush()

    def _fits(self, interface: Interface) -> bool:
        """Whether the section may have an interface. The name alone tells of one of ours in a section of others."""
        ours = interface.ours
        if self._section is not None and ours and not self._section[0]:
            ours = not is_path(interface.name)
        return self._section == (ours, interface.of_section)

    def keep(self, kept: Kept) -> None:
        """Write a block as it is, with the next `flush` at the latest."""
        if (kept.ours, kept.of_section) != self._section:
            self._begin_section(kept.ours, kept.of_section)
        self._put(kept.block)
        if self._held >= HELD_BYTES:
            self.flush()

    def _begin_section(self, ours: bool, comments: tuple[str, ...]) -> None:
        """What an interface's name means depends on who wrote the section; and what is said of one is of it alone."""
        self.tell_drops()
        self._section = ours, comments
        for each in (self._numbers, self._known, self._counts, self._dropped):
            each.clear()
        name = f"{pcapng.APPLICATION} {__version__}"
        who = name if ours else f"converted by {name}"
        self._put(pcapng.section(who, f"{platform.system()} {platform.release()}", comments))

    def _number(self, interface: Interface) -> int:
        """The number of an interface, which is told of where it is new."""
        number = self._numbers.get(interface)
        if number is None:
            number = self._numbers[interface] = len(self._numbers)
            self._put(
                pcapng.interface(
                    interface.link_type, interface.name, interface.description, interface.comments, interface.fcs,
                    interface.snaplen, interface.more,
                )
            )  # fmt: skip
        self._known[id(interface)] = interface, number
        return number

    def tell_drops(self) -> None:
        """Write how many frames were dropped so far, of those interfaces that gave any."""
        totals = Counter[Interface]()
        for interface, count in self._drops.values():
            totals[interface] += count
        for interface, number in self._numbers.items():
            if interface in totals:
                self._dropped[interface] += totals[interface] - self._told[interface]
                self._told[interface] = totals[interface]
                told = self._counts[number], self._dropped[interface]
                self._put(pcapng.statistics(number, self._time, *told))

    def flush(self) -> None:
        """Write what is held."""
        blocks, self._blocks, self._held = self._blocks, [], 0
        if blocks:
            self._sink(blocks)

    def _put(self, block: bytes) -> None:
        self._blocks.append(block)
        self._held += len(block)


def is_simple(record: Record) -> bool:
    """Whether a block without options has room for all of a record, and its interface tells how much is kept of it."""
    told = record.comments or record.flags or record.dropped is not None
    return not told and len(record.data) == min(record.length, record.interface.snaplen or record.length)
