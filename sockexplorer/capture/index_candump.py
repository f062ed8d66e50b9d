"""Indexing a log of ``candump -L``, line by line."""

from __future__ import annotations

from typing import Any

from sockexplorer.capture import candump
from sockexplorer.capture.index import (
    INTERFACE_SHIFT,
    ODD,
    SLOW_ROWS,
    Columns,
    direction_code,
    interface_from,
    interface_state,
)  # fmt: skip
from sockexplorer.capture.mapped import MappedFile
from sockexplorer.capture.reading import CaptureError, Drops, Interface, Record


class CandumpWalk:
    """A `Walk`."""

    def __init__(self, file: MappedFile, drops: Drops, *, final: bool = False) -> None:
        self.columns = Columns()
        self.interfaces: list[Interface] = []
        self.offset = 0
        self._file, self._drops = file, drops
        self._window = file.window(0)
        self._records = candump.records(self._window, drops, final=final)
        self._numbers: dict[Interface, int] = {}
        self.rereads = False

    def go_on(self) -> None:
        for _ in range(SLOW_ROWS):
            try:
                record = next(self._records, None)
            except CaptureError:
                self._take_back()
                raise
            self.offset = self._window.offset
            if record is None:
                self._take_back()
                return
            number = self._numbers.setdefault(record.interface, len(self._numbers))
            if number == len(self.interfaces):
                self.interfaces.append(record.interface)
            source = direction_code(record.outgoing) | ODD | number << INTERFACE_SHIFT
            if self.rereads:
                self.columns.replace(record.time, record.length, source)
                self.rereads = False
            else:
                self.columns.append(self._window.record, record.time, record.length, source)

    def _take_back(self) -> None:
        """Remove the last row where what it became is none."""
        if self.rereads:
            self.columns.take_back()
            self.rereads = False

    def resume(self, *, vectorised: bool, final: bool) -> None:
        if self.columns.offset and self._file.read(self.offset - 1, 1) != b"\n":
            # The last line had no end, and was a frame all the same. What it is, it has to tell anew.
            self.offset, self.rereads = self.columns.offset[-1], True
        self._window = self._file.window(self.offset)
        self._records = candump.records(self._window, self._drops, final=final)

    def order(self, interface: int) -> str:
        return "<"

    def dropped_at(self, section: int, number: int) -> Interface | None:
        return None

    def record(self, row: int) -> Record:
        offset = self.columns.offset[row]
        record = next(candump.records(self._file.window(offset), {}), None)
        if record is None:
            raise CaptureError(offset, "the file was cut off")
        return record

    def state(self) -> dict[str, Any]:
        return {"offset": self.offset, "interfaces": [interface_state(each) for each in self.interfaces]}

    def restore(self, state: dict[str, Any], columns: Columns) -> None:
        self.columns, self.offset = columns, int(state["offset"])
        self.interfaces = [interface_from(each) for each in state["interfaces"]]
        self._numbers = {each: number for number, each in enumerate(self.interfaces)}
