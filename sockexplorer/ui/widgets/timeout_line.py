"""The line that asks for how long the calls of a session may wait."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from sockexplorer.core.draft import TIMEOUT
from sockexplorer.core.faults import FieldError
from sockexplorer.core.text import escape

SAYS = {
    "blocking": "every call waits for as long as it takes",
    "non-blocking": "a call that would wait fails at once: BlockingIOError",
    "timeout": "a call that waits longer fails: TimeoutError",
}


class TimeoutInput(Input):
    """How long; Enter sets it. What an input binds hides what those around it bind to the same key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Set", id="timeout-set")]


class TimeoutLine(Horizontal):
    """One input with what its value means; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="timeout-leave"),
    ]

    class Given(Message):
        """The person wants this timeout, as of ``settimeout()``."""

        def __init__(self, timeout: float | None) -> None:
            super().__init__()
            self.timeout = timeout

    class Left(Message):
        """All stays as it is."""

    def __init__(self) -> None:
        super().__init__(id="timeout-line")

    def compose(self) -> ComposeResult:
        yield Label("timeout ", classes="field-name")
        yield TimeoutInput(compact=True, id="timeout-value", placeholder="blocking", select_on_focus=True)
        yield Static(id="timeout-note")

    def on_mount(self) -> None:
        self.display = False

    def open(self, timeout: float | None) -> None:
        """Ask, starting from what holds at present."""
        line = self.query_one(Input)
        line.value = TIMEOUT.kind.show(timeout)
        self.display = True
        line.focus()
        self._note()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._note()

    def _note(self) -> None:
        note = self.query_one("#timeout-note", Static)
        try:
            value = TIMEOUT.parse(self.query_one(Input).value)
        except FieldError as error:
            note.update(Content.styled(f"✗ {escape(str(error), 120)}", "$text-error"))
            return
        word = "blocking" if value is None else "timeout" if value else "non-blocking"
        note.update(Content.styled(f"{word}: {SAYS[word]}", "$foreground-muted"))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            value = TIMEOUT.parse(event.value)
        except FieldError:
            self._note()
            return
        assert value is None or isinstance(value, float)
        self.display = False
        self.post_message(self.Given(value))

    def action_leave(self) -> None:
        self.display = False
        self.post_message(self.Left())
