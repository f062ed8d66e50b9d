"""Paste an address in any notation: what it may mean is listed while it is typed, and one of it fills the form."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.notations import Reading, read
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.key_line import KeyLine

MOST = 12
"""Readings that are listed: the likeliest."""
EXAMPLES = """\
('127.0.0.1', 9999)              a Python literal
127.0.0.1:9999   [::1]:80        as it is typed
sock.connect(('::1', 80))        a call, or a repr out of a log
TCP4-LISTEN:80,reuseaddr         a socat address or command
tcp LISTEN 0 128 127.0.0.1:22 …  a line of ss
0: 0100007F:0016 00000000:0000 … a line of /proc/net"""


def label(reading: Reading) -> str:
    """One line about a reading; escaped."""
    where = " ".join(
        f"{'' if reading.bare else role} {reading.family.text(address)}"
        for role, address in (("local", reading.local), ("remote", reading.remote))
        if address is not None
    )
    does = f" {reading.operation}" if reading.operation else ""
    return escape(f"{reading.family.name}/{reading.protocol.name}{does}  {where}  ({reading.notation})", 200)


class ReadInput(Input):
    """The line that is pasted into; the arrows move in the list below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Take it"),
        Binding("down", "screen.move(1)", "Down"),
        Binding("up", "screen.move(-1)", "Up", show=False),
    ]


class ReadScreen(Dialog[Reading | None]):
    """Returns the reading that was chosen, or None. ``preferred`` is the form in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, preferred: tuple[Family, Protocol] | None, text: str = "") -> None:
        super().__init__()
        self._preferred = preferred
        self._text = text
        self._readings: list[Reading] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide-auto"):
            yield Label("Paste or type an address, in any notation", classes="dialog-title", markup=False)
            yield ReadInput(self._text, compact=True, placeholder="('127.0.0.1', 9999)", id="read-text")
            yield Static(Content.styled(EXAMPLES, "$foreground-muted"), id="read-note", markup=False)
            yield OptionList(compact=True, id="read-list")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._read(self._text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._read(event.value)

    def _read(self, text: str) -> None:
        self._readings = read(text, self._preferred)[:MOST] if text.strip() else []
        options, note = self.query_one(OptionList), self.query_one("#read-note", Static)
        options.clear_options()
        options.add_options([Option(Text(label(each))) for each in self._readings])
        options.display = bool(self._readings)
        note.display = not self._readings
        if self._readings:
            options.highlighted = 0
        elif text.strip():
            note.update(Content.assemble(("✗ that is no notation that is known here\n\n", "$text-error"), EXAMPLES))
        else:
            note.update(Content.styled(EXAMPLES, "$foreground-muted"))

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        if self._readings and at is not None:
            self.dismiss(self._readings[at])

    @on(OptionList.OptionSelected)
    def _pick(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._readings[event.option_index])
