"""The line that changes a socket option of an open session."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from sockexplorer.client.client import Problem
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.faults import FieldError
from sockexplorer.core.option_text import read_option
from sockexplorer.core.text import escape

COMMON = ("SO_RCVBUF", "SO_RCVBUFFORCE", "SO_SNDBUF", "SO_BROADCAST", "SO_KEEPALIVE", "SO_PRIORITY", "SO_MARK")
"""What sockets of every family may be asked for, besides the options of a protocol."""


class OptionInput(Input):
    """``NAME=VALUE``; Enter sets it. What an input binds hides what those around it bind to the same key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Set", id="option-set")]


class OptionLine(Vertical):
    """One input, ``NAME=VALUE``, with what it would do or what is wrong; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="option-complete"),
        Binding("escape", "leave", "Leave", id="option-leave"),
    ]

    class Given(Message):
        """The person wants this option set."""

        def __init__(self, option: SetOption) -> None:
            super().__init__()
            self.option = option

    class Left(Message):
        """All stays as it is."""

    def __init__(self) -> None:
        super().__init__(id="option-line")
        self._session: Session | None = None
        self._helps: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("option ", classes="field-name")
            yield OptionInput(compact=True, id="option-value", placeholder="SO_RCVBUF=1000000")
        yield Static(id="option-note")

    def on_mount(self) -> None:
        self.display = False

    def open(self, session: Session) -> None:
        """Ask for an option of this session."""
        self._session = session
        self._helps = {each.name: each.help for each in session.protocol.options}
        names = [*self._helps, *(each for each in COMMON if each not in self._helps)]
        line = self.query_one(Input)
        line.suggester = SuggestFromList([f"{each}=" for each in names], case_sensitive=False)
        line.value = ""
        self.display = True
        line.focus()
        self._note()

    def refused(self, problem: Problem) -> None:
        """Say why the kernel refused, and what may be done."""
        said = f"{problem.headline()}: {problem.what}" if problem.what else problem.headline()
        self.query_one("#option-note", Static).update(Content.styled(f"✗ {escape(said, 160)}", "$text-error"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._note()

    def _read(self) -> SetOption:
        assert self._session is not None
        return read_option(self._session.protocol, self.query_one(Input).value)

    def _note(self) -> None:
        note = self.query_one("#option-note", Static)
        text = self.query_one(Input).value
        if not text.strip():
            known = ", ".join(self._helps) or "SO_RCVBUF, SO_BROADCAST, IP_TTL …"
            note.update(Content.styled(f"NAME=VALUE: {known}", "$foreground-muted"))
            return
        try:
            option = self._read()
        except FieldError as error:
            note.update(Content.styled(f"✗ {escape(str(error), 160)}", "$text-error"))
            return
        help_ = self._helps.get(option.name, "")
        note.update(Content.styled(f"✓ {option.level} {help_}", "$foreground-muted"))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            option = self._read()
        except FieldError:
            self._note()
            return
        self.post_message(self.Given(option))

    def action_complete(self) -> None:
        line = self.query_one(Input)
        if line._suggestion and len(line._suggestion) > len(line.value):
            line.value = line._suggestion
            line.cursor_position = len(line.value)

    def action_leave(self) -> None:
        self.display = False
        self.post_message(self.Left())
