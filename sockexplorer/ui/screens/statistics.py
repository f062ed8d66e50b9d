"""What a session received and sent, counted by peer, by length and by protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from sockexplorer.capture.log import Frame
from sockexplorer.capture.statistics import MORE, OTHERS, Statistics, Tally, length_range
from sockexplorer.client.protocols import protocol_name_of_peer
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.clock import count, frames, size
from sockexplorer.ui.columns import name_column
from sockexplorer.ui.field_filters import equals
from sockexplorer.ui.kinds import Kind, filter_of_kind, kind_of
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.slices import slice_seconds
from sockexplorer.ui.status import MUTED, Part, fitted, loss
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.key_line import KeyLine
from sockexplorer.ui.widgets.lines import LineView

TICK = 0.05
"""Seconds between the ticks on which it counts."""
BAR_CELLS = 12
"""The least that a bar of shares has, where it has room at all."""
NAME_CELLS = 64
"""What a name keeps before a bar grows: the numbers stay near the names in a wide terminal."""
VIEWS = ("peer", "length", "protocol")
COLUMNS = ("frames", "share", "in", "out", "bytes")
LEAST = ("1,234", "100.0%", "1,234", "1,234", "1023 KiB")
"""What every column has room for from the beginning, so that it rests while the first frames are counted."""
LEAST_NAME_CELLS = 16
"""What a name has at least: columns give way to it."""
FITS = ((0, 1, 2, 3, 4), (0, 2, 3, 4), (0, 4), (0,))
"""The columns that a table has, the first that leave a name so much."""


FRAME_CELLS = 4
"""What a dialog's frame and padding take of the terminal's width."""


class Table(LineView):
    """A line for each key: frames, their share, in and out, bytes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--share", "table--muted"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Only its rows")]

    def __init__(self) -> None:
        super().__init__(id="statistics")
        self.rows: list[tuple[str, Tally]] = []
        self.filter_of: Callable[[int], str] = lambda index: ""
        """The filter that passes what a line counts, "" where there is none."""
        self.total = Tally()

    @property
    def filter(self) -> str:
        """The filter for the line under the cursor, "" for none."""
        return self.filter_of(self.cursor) if self.cursor < len(self.rows) else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choose" and not self.filter:
            return False
        return super().check_action(action, parameters)

    def room(self, width: int) -> int:
        """Cells for a name: what the numbers leave, of which none is longer than that of all together."""
        bar = self.bar_cells(width)
        return max(8, width - len(self.numbers(self.total, width)) - 1 - (bar + 2 if bar else 0))

    def bar_cells(self, width: int) -> int:
        """Cells for the bar of shares, 0 where there is no room for one."""
        if width < 100:
            return 0
        spare = width - len(self.numbers(self.total, width)) - 3
        return max(BAR_CELLS, min(spare - NAME_CELLS, spare // 2))

    def head(self, name: str, width: int) -> str:
        """The line over the columns."""
        return f"{name:<{self.room(width)}} " + self._line(COLUMNS, width)

    def numbers(self, tally: Tally, width: int) -> str:
        """Its numbers in the columns that a table ``width`` cells wide has."""
        return self._line(self._cells(tally), width)

    def _line(self, texts: tuple[str, ...], width: int) -> str:
        widths = self._widths()
        room = width - LEAST_NAME_CELLS
        shown = next((fit for fit in FITS if sum(widths[each] + 2 for each in fit) - 1 <= room), FITS[-1])
        return "  ".join(f"{texts[each]:>{widths[each]}}" for each in shown)

    def _cells(self, tally: Tally) -> tuple[str, ...]:
        share = tally.frames / max(1, self.total.frames)
        return (
            count(tally.frames), f"{share:.1%}", count(tally.frames_in), count(tally.frames_out), size(tally.bytes)
        )  # fmt: skip

    def _widths(self) -> list[int]:
        return [max(map(len, each)) for each in zip(COLUMNS, self._cells(self.total), LEAST, strict=True)]

    def line_count(self) -> int:
        return len(self.rows)

    def line(self, index: int, width: int) -> list[tuple[str, Style]]:
        name, tally = self.rows[index]
        cells = self.bar_cells(width)
        filled = round(tally.frames / max(1, self.total.frames) * cells)
        bar = "  " + "█" * filled + "·" * (cells - filled) if cells else ""
        room = self.room(width)
        numbers, gap, octets = self.numbers(tally, width).rpartition("  ")
        return [
            (name_column(escape(name), room), Style()),
            (numbers, Style()),
            (f"{gap}{octets}", self.tone("table--muted")),
            (bar, self.tone("table--share")),
        ]


class StatisticsScreen(Dialog[str]):
    """Counts a little at a time and goes on while frames come. Returns the filter for a line, if the person asks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,l", "view(1)", "Peer, length, protocol", key_display="tab"),
        Binding("shift+tab,left,h", "view(-1)", "View before", show=False),
        Binding("escape,S", "dismiss(None)", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._view = "peer"
        self._marked = ""
        self._offers = False
        """Whether the line under the cursor has a filter."""
        self._keys: list[int] = []
        """The number of each line's peer, or of the bits of its length; none by protocol."""
        self._kinds: dict[str, Kind] = {}
        """Those that a field tells, by their names."""
        self._statistics = self._count()

    def _count(self) -> Statistics:
        """Begin to count."""
        return self._session.statistics(self._kind, partial(protocol_name_of_peer, self._session))

    def _kind(self, frame: Frame) -> str:
        kind = kind_of(frame, self._session)
        name = str(kind)
        if kind.field:
            self._kinds.setdefault(name, kind)
        return name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full"):
            yield Label(self._session.title, classes="dialog-title", markup=False)
            yield Bar(list(VIEWS), id="statistics-views")
            yield Static(id="statistics-head")
            yield Table()
            yield Static(id="statistics-note")
        yield KeyLine()

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.filter_of = self._filter_of
        table.focus()
        self._show()
        self.set_interval(TICK, self._tick)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _tick(self) -> None:
        if self._statistics.outgrown:
            self._statistics = self._count()
        if self._statistics.go_on(slice_seconds(self, self._session)):
            self._show()

    def _show(self) -> None:
        table, found = self.query_one(Table), self._statistics
        table.total, rows = found.total, self._rows()
        table.rows, self._keys = (
            [(name, tally) for name, tally, _ in rows],
            [key for *_, key in rows if key is not None],
        )
        if self._offers != bool(table.filter):
            self._offers = not self._offers
            self.refresh_bindings()
        # What is drawn first is drawn before anything has a size.
        width = table.scrollable_content_region.width or self.app.size.width - FRAME_CELLS
        head = Content.styled(table.head(self._view, width), "$foreground-muted")
        self.query_one("#statistics-head", Static).update(head, layout=False)
        if self._view != self._marked:
            self._marked = self._view
            self.query_one(Bar).mark(self._view)
        note = fitted(self._note(), max(1, self.query_one("#statistics-note").content_size.width))
        self.query_one("#statistics-note", Static).update(note, layout=False)
        table.lines_changed()

    def _note(self) -> list[Part]:
        found, lost = self._statistics, loss(self._session)
        total = frames(found.total.frames)
        parts = [Part(MUTED, ((50, f"{total}, {size(found.total.bytes)}"), (55, total)))]
        if found.behind:
            parts.append(Part(MUTED, ((40, f"{count(found.behind)} rows to go"),)))
        return parts if lost is None else [*parts, lost]

    def _rows(self) -> list[tuple[str, Tally, int | None]]:
        """Each line's name, what it counts, and its key."""
        found = self._statistics
        if self._view == "length":
            return [(length_range(bits), tally, bits) for bits, tally in sorted(found.lengths.items())]
        named: list[tuple[str, Tally, int | None]]
        if self._view == "peer":
            named = [(self._peer(number), tally, number) for number, tally in found.peers.items()]
        else:
            named = [(kind, tally, None) for kind, tally in found.kinds.items()]
        return sorted(named, key=lambda each: -each[1].frames)

    def _filter_of(self, index: int) -> str:
        if self._view == "protocol":
            name = self.query_one(Table).rows[index][0]
            return "" if name == OTHERS else filter_of_kind(name, self._kinds)
        if index >= len(self._keys):
            return ""
        key = self._keys[index]
        if self._view == "length":
            least, _, most = length_range(key).partition("-")
            return f"len>={least} len<={most}" if most else f"len=={least}"
        name = "" if key == MORE else self._session.peer_name(key)
        return equals("peer", name) if name else ""

    def _peer(self, number: int) -> str:
        return OTHERS if number == MORE else self._session.peer_name(number) or "(no address)"

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self.refresh_bindings()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if expression := self.query_one(Table).filter:
            self.dismiss(expression)

    def action_view(self, step: int) -> None:
        self._view = VIEWS[(VIEWS.index(self._view) + step) % len(VIEWS)]
        self._show()

    @on(Bar.Picked)
    def _picked(self, event: Bar.Picked) -> None:
        self._view = event.name
        self._show()
