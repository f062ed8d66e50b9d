"""The line that asks which row to go to: by its number, or by a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static


class GoToInput(Input):
    """A row or a time; Enter goes there. What an input binds hides what those around it bind to the same key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Go", id="go-to-row")]


class GoToLine(Horizontal):
    """One input with the row that it means; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="go-to-leave"),
    ]

    class Given(Message):
        """The person wants to see this row."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Left(Message):
        """All stays as it is."""

    def __init__(self, find: Callable[[str], int], says: Callable[[int], str]) -> None:
        """``find`` gives the row of what is typed, or raises ValueError; ``says`` tells of one, escaped, or raises
        IndexError."""
        super().__init__(id="go-to-line")
        self._find = find
        self._says = says
        self._meant: int | None = None
        """The row that the note tells of."""

    def compose(self) -> ComposeResult:
        yield Label("go to ", classes="field-name")
        yield GoToInput(compact=True, id="go-to-value", placeholder="row or time")
        yield Static(id="go-to-note")

    def on_mount(self) -> None:
        self.display = False

    def open(self) -> None:
        """Ask."""
        line = self.query_one(Input)
        line.value = ""
        self.display = True
        line.focus()
        self._note()

    def close(self) -> None:
        """Ask no more."""
        self.display = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._note()

    def _note(self) -> None:
        """Say what is meant."""
        note, text = self.query_one("#go-to-note", Static), self.query_one(Input).value
        self._meant = None
        try:
            number = self._find(text)
        except ValueError as error:
            sign, style = ("✗ ", "$text-error") if text.strip() else ("", "$foreground-muted")
            note.update(Content.styled(f"{sign}{error}", style))
            return
        note.update(Content.styled(self._says(number), "$foreground-muted"))
        self._meant = number

    def _is_there(self) -> bool:
        """Whether the row that the note tells of is there, and still is."""
        if self._meant is None:
            return False
        try:
            self._says(self._meant)
        except IndexError:
            return False
        return True

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        # Rows may have come and gone since it was typed. Of what was told nothing changes with those that came.
        if not self._is_there():
            self._note()
        if self._meant is not None:
            self.close()
            self.post_message(self.Given(self._meant))

    def action_leave(self) -> None:
        self.close()
        self.post_message(self.Left())
