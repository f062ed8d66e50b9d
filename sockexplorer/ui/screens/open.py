"""Asks for a capture file to show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from sockexplorer.client.client import Problem
from sockexplorer.core.text import escape
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.key_line import KeyLine

MOST_LOOKED_AT = 10_000
"""Entries of a directory that completion looks at."""


class _Paths(Suggester):
    """Goes on with the first name that begins so."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        head, slash, begun = value.rpartition("/")
        try:
            entries = (each for _, each in zip(range(MOST_LOOKED_AT), _directory(head + slash).iterdir(), strict=False))
            names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in entries)
        except (OSError, ValueError, RuntimeError):
            return None
        offered = (each for each in names if each.startswith(begun) and (begun or not each.startswith(".")))
        return next((head + slash + each for each in offered if each.isprintable()), None)


def _directory(text: str) -> Path:
    return Path(text or ".").expanduser()


class CaptureLine(Input):
    """The path of a capture file. Tab takes what is offered, as in a shell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Open"),
        Binding("tab", "complete", "Complete"),
    ]

    def action_complete(self) -> None:
        if len(self._suggestion) > len(self.value):
            self.value = self._suggestion
            self.cursor_position = len(self.value)


class OpenScreen(Dialog[None]):
    """Hands a path to ``show``, and stays with the reason where there is one against it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, show: Callable[[Path], Problem | None]) -> None:
        super().__init__()
        self._show = show

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide-auto"):
            yield Label("Open a capture file", classes="dialog-title", markup=False)
            yield CaptureLine(placeholder="a path", compact=True, id="open-path", suggester=_Paths())
            yield Static(id="open-note")
        yield KeyLine()

    def on_mount(self) -> None:
        self._say_formats()

    def _say_formats(self) -> None:
        self._note("pcapng, pcap, or a log of candump -L, also compressed by gzip", "$foreground-muted")

    def _note(self, text: str, style: str) -> None:
        self.query_one("#open-note", Static).update(Content.styled(escape(text, 400), style))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        # What was wrong with another path says nothing of this one.
        self._say_formats()

    @on(Input.Submitted)
    def _chosen(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            return
        problem = self._show(Path(event.value.strip()))
        if problem is None:
            self.dismiss(None)
        else:
            self._note(f"✗ {problem.message}", "$text-error")
