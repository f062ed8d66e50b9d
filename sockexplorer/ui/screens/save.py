"""Save what the sessions' logs hold: one pcapng file, written a little at a time beside everything else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Footer, Input, Label, Static

from sockexplorer.capture.copying import Copy
from sockexplorer.capture.recording import FileSink, Full
from sockexplorer.client.hub import Session
from sockexplorer.client.recorder import Recorder
from sockexplorer.core.text import escape

SLICE_SECONDS = 0.01
"""How long it writes before the screen has its turn."""
TOGETHER = 256
"""Frames of one write."""


class SaveScreen(ModalScreen[str | None]):
    """Asks for a file and writes it. Returns what was saved, as a sentence, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, sessions: list[Session]) -> None:
        super().__init__()
        self._sessions = sessions
        self._saving: Iterator[int] | None = None
        self._sink: FileSink | None = None
        self._timer: Timer | None = None
        self._path = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide-auto"):
            yield Label("Save the traffic of every session as pcapng", classes="dialog-title", markup=False)
            yield Input(time.strftime("sockexplorer-%Y%m%d-%H%M%S.pcapng"), compact=True, id="save-path")
            yield Static(id="save-note")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        rows = sum(len(each.log) for each in self._sessions)
        self._note(f"{rows} rows; for Wireshark, and for: sockexplorer open FILE", "$foreground-muted")

    def on_unmount(self) -> None:
        self._end()

    def _note(self, text: str, style: str) -> None:
        self.query_one("#save-note", Static).update(Content.styled(escape(text), style))

    @on(Input.Submitted)
    def _start(self, event: Input.Submitted) -> None:
        event.stop()
        if self._saving is not None or not event.value.strip():
            return
        self._path = event.value.strip()
        try:
            self._sink = FileSink(Path(self._path).expanduser())
            self._saving = self._save(Recorder(self._sink))
        except FileExistsError:
            self._note("✗ there is such a file: choose another name", "$text-error")
        except Full as error:
            self._end()
            self._note(f"✗ {error}", "$text-error")
        except (OSError, ValueError, RuntimeError) as error:
            self._note(f"✗ {getattr(error, 'strerror', None) or error}", "$text-error")
        else:
            self._timer = self.set_interval(2 * SLICE_SECONDS, self._go_on)

    def _save(self, recorder: Recorder) -> Iterator[int]:
        """Record batch after batch; the frames so far after each. Rows that the log drops meanwhile are left out."""
        # A section of the file holds what sessions recorded; those of other captures come behind it.
        files = [each for each in self._sessions if each.state == "file"]
        for session in self._sessions:
            if session in files:
                continue
            log = session.log
            for block in log.blocks(log.first, log.end):
                if not recorder.add_block(session, block):
                    for number in range(max(block.first, log.first), block.last):
                        recorder.add(session, log.frame(number))
                recorder.flush()
                yield recorder.recording.written
            recorder.flush(session, last=True)
        yield recorder.recording.written
        copy, copied = Copy(self._write), 0
        for session in files:
            for record in session.records():
                copy.add(record)
                copied += 1
                if not copied % TOGETHER:
                    copy.flush()
                    yield recorder.recording.written + copied
        copy.flush()
        yield recorder.recording.written + copied

    def _write(self, blocks: Sequence[bytes | bytearray]) -> None:
        assert self._sink is not None
        self._sink(blocks)

    def _go_on(self) -> None:
        until, written = time.monotonic() + SLICE_SECONDS, 0
        assert self._saving is not None
        try:
            for written in self._saving:
                if time.monotonic() > until:
                    self._note(f"{written} frames …", "$foreground-muted")
                    return
        except Full as error:
            self._end()
            self._note(f"✗ {error}; what the file holds is whole", "$text-error")
            return
        self._end()
        self.dismiss(f"{written} frames in {self._path}")

    def _end(self) -> None:
        self._saving = None
        if self._timer is not None:
            self._timer.stop()
        if self._sink is not None:
            self._sink.close()
            self._sink = None
