"""Save what the sessions' logs hold: a file whose ending says its format, written a little at a time."""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Label, Static

from sockexplorer.capture.predicate import FilterError
from sockexplorer.capture.sink import FileSink, Full
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of
from sockexplorer.client.formats import PCAPNG, TEXTS, by_ending, with_ending
from sockexplorer.client.saving import saving
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.clock import count
from sockexplorer.ui.screens.dialog import Dialog
from sockexplorer.ui.widgets.bar import Bar
from sockexplorer.ui.widgets.box import Box
from sockexplorer.ui.widgets.key_line import KeyLine

SLICE_SECONDS = 0.01
"""How long it writes before the screen has its turn."""
FORMATS = [PCAPNG, *TEXTS]
MEANINGS = {PCAPNG: "for Wireshark, and for: sockexplorer open FILE", **TEXTS}
FILTER_CELLS, TITLE_CELLS = 40, 46


class PathLine(Input):
    """The name of a file."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Save")]


class SaveScreen(Dialog[str | None]):
    """Asks for a file and writes it. Returns what was saved, as a sentence, or None.

    ``expression`` is the filter that holds, "" for none, ``shown`` the session in sight: whether only what passes the
    one, or only what the other has, is saved is asked as well.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "format", "Next format", key_display="ctrl+t"),
        Binding("ctrl+o", "replace", "Replace the file", key_display="ctrl+o"),
        Binding("escape", "dismiss(None)", "Back"),
    ]

    def __init__(self, sessions: list[Session], expression: str = "", shown: Session | None = None) -> None:
        super().__init__()
        self._every = sessions
        self._shown = shown if len(sessions) > 1 else None
        self._expression = expression
        self._saving: Iterator[int] | None = None
        self._sink: FileSink | None = None
        self._timer: Timer | None = None
        self._path = ""
        self._there = ""
        """The name of a file that stands in the way."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide-auto"):
            yield Label("Save the traffic", classes="dialog-title", markup=False)
            yield PathLine(time.strftime("sockexplorer-%Y%m%d-%H%M%S.pcapng"), compact=True, id="save-path")
            yield Bar(FORMATS, id="save-formats")
            if self._shown is not None:
                label = f"only this session: {_cut(self._shown.title)}"
                yield Box(label, False, "else every session is saved", "save-shown")
            if self._expression:
                label = f"only rows that pass the filter: {escape(self._expression, FILTER_CELLS)}"
                yield Box(label, False, "else every row is saved", "save-filter")
            yield Static(id="save-note")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_format()

    def on_unmount(self) -> None:
        self._end()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "replace":
            return bool(self._there)
        return super().check_action(action, parameters)

    @property
    def _kind(self) -> str:
        return by_ending(self.query_one(Input).value.strip()) or PCAPNG

    @property
    def _sessions(self) -> list[Session]:
        return [self._shown] if self._shown is not None and self._ticked("save-shown") else self._every

    def _ticked(self, name: str) -> bool:
        return any(each.value for each in self.query(Box) if each.name == name)

    def _show_format(self) -> None:
        self.query_one(Bar).mark(self._kind)
        frames = sum(map(_frames, self._sessions))
        self._note(f"{count(frames)} frame{'s' * (frames != 1)}; {MEANINGS[self._kind]}", "$foreground-muted")

    def _note(self, text: str, style: str) -> None:
        self.query_one("#save-note", Static).update(Content.styled(escape(text), style))

    # --- what to save, and where ---------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._saving is None:
            self._there = ""
            self.refresh_bindings()
            self._show_format()

    @on(Box.Changed)
    def _switched(self, event: Box.Changed) -> None:
        event.stop()
        if self._saving is None:
            self._show_format()

    @on(Bar.Picked)
    def _picked(self, event: Bar.Picked) -> None:
        line = self.query_one(Input)
        line.value = with_ending(line.value.strip(), event.name)
        line.cursor_position = len(line.value)

    def action_format(self) -> None:
        after = FORMATS[(FORMATS.index(self._kind) + 1) % len(FORMATS)]
        self._picked(Bar.Picked(after))

    # --- saving --------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._start()

    def action_replace(self) -> None:
        if self._there:
            self._start(overwrite=True)

    def _start(self, *, overwrite: bool = False) -> None:
        self._path = self.query_one(Input).value.strip()
        if self._saving is not None or not self._path:
            return
        expression = self._expression if self._ticked("save-filter") else ""
        if refusal := _refusal(Path(self._path), self._every):
            self._note(f"✗ {refusal}", "$text-error")
            return
        try:
            self._sink = FileSink(Path(self._path).expanduser(), overwrite=overwrite and self._there == self._path)
            passes = lambda session: filter_of(expression, session)  # noqa: E731 - the type is that of a parameter
            self._saving = saving(self._sessions, self._kind, self._sink, passes)
        except FileExistsError:
            self._there = self._path
            self.refresh_bindings()
            self._note("✗ there is such a file; ctrl+o replaces it", "$text-error")
        except (OSError, ValueError, RuntimeError) as error:
            self._note(f"✗ {getattr(error, 'strerror', None) or error}", "$text-error")
        else:
            self._timer = self.set_interval(2 * SLICE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._saving is None:
            return  # A timer that is stopped by a tick that took until the next gives that as well.
        until, written = time.monotonic() + SLICE_SECONDS, 0
        try:
            for written in self._saving:
                if time.monotonic() > until:
                    self._note(f"{count(written)} frames …", "$foreground-muted")
                    return
        except Full as error:
            self._end()
            held = "what the file holds is" if error.frames is None else f"{count(error.frames)} frames are in it,"
            self._note(f"✗ {error}; {held} whole", "$text-error")
            return
        except FilterError as error:
            self._end()
            self._note(f"✗ {error}", "$text-error")
            return
        self._end()
        self.dismiss(f"{written} frame{'s' * (written != 1)} in {self._path}")

    def _end(self) -> None:
        self._saving = None
        if self._timer is not None:
            self._timer.stop()
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def _frames(session: Session) -> int:
    """How many frames its log has: events are not saved."""
    log = session.log
    return len(log) if isinstance(session, FileSession) else log.received + log.sent - log.dropped


def _refusal(path: Path, sessions: list[Session]) -> str:
    """Why nothing is written there, whoever may replace it; "" where there is no reason.

    A pipe would keep the screen waiting for its reader; a capture that is shown would be gone before it is copied.
    """
    with contextlib.suppress(OSError, RuntimeError):
        found = path.expanduser().stat()
        if stat.S_ISFIFO(found.st_mode):
            return "it is a pipe; to write to one: sockexplorer watch --write FILE"
        for each in sessions:
            if isinstance(each, FileSession) and each.is_of(found):
                return f"it is the file that is shown as {each.title}: another name, please"
    return ""


def _cut(title: str) -> str:
    return title if cell_len(title) <= TITLE_CELLS else f"{set_cell_size(title, TITLE_CELLS - 1)}…"
