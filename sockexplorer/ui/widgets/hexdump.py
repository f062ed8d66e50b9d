"""A hex dump of any length, line by line."""

from __future__ import annotations

from rich.style import Style

from sockexplorer.core.payload import hex_lines
from sockexplorer.ui.widgets.lines import LineView


class HexDump(LineView):
    """Offset, bytes and ASCII; eight bytes a line where sixteen don't fit."""

    DEFAULT_CSS = """
    HexDump > .line--cursor { background: transparent; }
    HexDump:focus > .line--cursor { background: $primary 30%; }
    """

    def __init__(self) -> None:
        super().__init__(id="hexdump")
        self._data = b""

    @property
    def data(self) -> bytes:
        """The bytes shown."""
        return self._data

    @data.setter
    def data(self, data: bytes) -> None:
        self._data = data
        self.cursor = 0
        self.scroll_to(y=0, animate=False, immediate=True)
        self.lines_changed()

    @property
    def _per_line(self) -> int:
        return 16 if self.scrollable_content_region.width >= 73 else 8

    def line_count(self) -> int:
        per_line = self._per_line
        return (len(self._data) + per_line - 1) // per_line

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        per_line = self._per_line
        start = index * per_line
        offset, digits, text = hex_lines(self._data[start : start + per_line], start, per_line)[0]
        return [(f"{offset:04x}  ", Style(dim=True)), (digits, Style()), (f"  {text}", Style(dim=True))]
