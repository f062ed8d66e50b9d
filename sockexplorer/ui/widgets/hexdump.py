"""A hex dump of any length, line by line, with a cursor on a byte and a range that is marked."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from sockexplorer.core.payload import hex_lines
from sockexplorer.ui.widgets.lines import LineView

DIGITS_AT = 6
"""The column of the first byte: after the offset and two blanks."""


class HexDump(LineView):
    """Offset, bytes and ASCII; eight bytes a line where sixteen don't fit, or four.

    What is marked stands between brackets, so that it shows without colour. Posts `ByteMoved` when the person goes to
    another byte.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"dump--marked", "dump--muted"}
    DEFAULT_CSS = """
    HexDump > .line--cursor { background: transparent; }
    HexDump:focus > .line--cursor { background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Byte before", show=False),
        Binding("right,l", "step(1)", "Next byte", show=False),
    ]

    class ByteMoved(Message):
        """The cursor is on another byte."""

        def __init__(self, dump: HexDump) -> None:
            super().__init__()
            self.dump = dump

    def __init__(self) -> None:
        super().__init__(id="hexdump")
        self._data = b""
        self.byte = 0
        """The offset of the byte under the cursor."""
        self.marked = range(0)
        """The offsets that are marked."""

    @property
    def data(self) -> bytes:
        """The bytes shown."""
        return self._data

    @data.setter
    def data(self, data: bytes) -> None:
        self._data = data
        self.byte, self.marked = 0, range(0)
        self.set_reactive(LineView.cursor, 0)
        self.scroll_to(y=0, animate=False, immediate=True)
        self.lines_changed()

    def mark(self, start: int, end: int, *, show: bool = True) -> None:
        """Mark a range; ``show`` scrolls to it and puts the cursor on its first byte."""
        self.marked = range(start, min(end, len(self._data)))
        if show and self.marked:
            self.byte = start
            self.set_reactive(LineView.cursor, start // self._per_line)
            self.show_cursor_line()
        self.refresh()

    @property
    def _per_line(self) -> int:
        width = self.scrollable_content_region.width
        return 16 if width >= 73 else 8 if width >= 40 else 4

    # --- moving --------------------------------------------------------------------------------------------

    def go_to(self, byte: int) -> None:
        """Put the cursor on a byte, as the person asked."""
        if self._data:
            self.byte = max(0, min(byte, len(self._data) - 1))
            super().move_to(self.byte // self._per_line)
            self.refresh()
            self.post_message(self.ByteMoved(self))

    def move_to(self, index: int) -> None:
        self.go_to(max(0, index) * self._per_line + self.byte % self._per_line)

    def action_step(self, by: int) -> None:
        self.go_to(self.byte + by)

    def action_top(self) -> None:
        self.go_to(0)

    def action_bottom(self) -> None:
        self.go_to(len(self._data) - 1)

    def action_choose(self) -> None:
        """Enter means the row's details, which are in sight already."""

    def on_resize(self) -> None:
        super().on_resize()
        self.set_reactive(LineView.cursor, self.byte // self._per_line)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        where = event.get_content_offset_capture(self)
        byte = self._byte_at_column(where.x)
        at = (where.y + self.scroll_offset.y) * self._per_line + (byte or 0)
        if byte is not None and at < len(self._data):
            self.go_to(at)

    def _byte_at_column(self, x: int) -> int | None:
        """Which byte of a line stands at a column, among the digits or in the ASCII column."""
        per_line = self._per_line
        ascii_at = DIGITS_AT + 3 * per_line + 2
        if ascii_at <= x < ascii_at + per_line:
            return x - ascii_at
        for byte in range(per_line):
            column = DIGITS_AT + 3 * byte + (byte >= per_line // 2)
            if column <= x < column + 2:
                return byte
        return None

    # --- drawing -------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        per_line = self._per_line
        return (len(self._data) + per_line - 1) // per_line

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        per_line = self._per_line
        start = index * per_line
        part = self._data[start : start + per_line]
        muted = self.tone("dump--muted")
        end = start + len(part)
        pointed = self.has_focus and start <= self.byte < end
        if not pointed and (self.marked.stop <= start or self.marked.start >= end):
            offset, digits, ascii_column = hex_lines(part, start, per_line)[0]
            return [(f"{offset:04x}  ", muted), (digits, Style()), (f"  {ascii_column}", muted)]
        marked, plain = self._marked_style(), Style()
        cells: list[tuple[str, Style]] = [(f"{start:04x} ", muted)]
        letters: list[tuple[str, Style]] = []
        for at, byte in enumerate(part, start):
            style = marked if at in self.marked else plain
            if pointed and at == self.byte:
                style += Style(reverse=not style.reverse)
            between = self._between(at) if at > start or at == self.marked.start else " "
            gap = marked if at in self.marked and between == " " and at > start else plain
            cells.append((between + " " * (at - start == per_line // 2), gap))
            cells.append((f"{byte:02x}", style))
            letters.append((chr(byte) if 0x20 <= byte < 0x7F else ".", style if style != plain else muted))
        cells.append((self._between(end) if end - 1 in self.marked else " ", plain))
        missing = per_line - len(part)
        cells.append((" " * (3 * missing + (len(part) <= per_line // 2) + 1), plain))
        return [*cells, *letters]

    def _marked_style(self) -> Style:
        if self.few_colours:
            return Style(bold=True, reverse=True)
        return self.get_component_rich_style("dump--marked")

    def _highlight(self) -> Style:
        # The cursor is on a byte, not on a line.
        return Style()

    def _between(self, at: int) -> str:
        """What stands before a byte: the bracket that opens or closes what is marked, or a blank."""
        if self.marked and at == self.marked.start:
            return "["
        return "]" if self.marked and at == self.marked.stop else " "
