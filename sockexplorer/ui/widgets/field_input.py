"""The input of one field of an address, with its name before it and the host's choices a key away."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from sockexplorer.core.fields import Field
from sockexplorer.core.protocol import Role


class FieldInput(Input):
    """One line of text; Enter opens, arrows move between fields or to the choices."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "primary", "Open", id="form-open"),
        # With priority, so that keys which follow at once go to the next field, however fast they come.
        Binding("tab", "app.focus_next", "Next field", id="form-next", priority=True),
        Binding("shift+tab", "app.focus_previous", "Field before", show=False, priority=True),
        Binding("down", "choices", "Choose", id="form-choices"),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
        Binding("escape", "leave", "Leave field", id="form-leave"),
    ]

    class Primary(Message):
        """Enter: do what the form is for."""

    class Leave(Message):
        """Escape: stop typing, so that letters are keys again."""

    class Choices(Message):
        """The person wants to see what there is to choose from."""

        def __init__(self, field_input: FieldInput) -> None:
            super().__init__()
            self.field_input = field_input

    def __init__(
        self, field: Field, role: Role | None, value: str, name: str,
        taken: Callable[[FieldInput, str], bool] = lambda *_: False,
    ) -> None:  # fmt: skip
        """``taken`` is asked about what is pasted: whether it was more than this field's text, and is seen to."""
        super().__init__(value, compact=True, select_on_focus=True, placeholder=field.help.partition(";")[0], name=name)
        self.field = field
        self.role = role
        self._taken = taken

    def on_paste(self, event: events.Paste) -> None:
        if self._taken(self, event.text):
            event.prevent_default()
            event.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "choices":
            return bool(self.field.kind.offers)
        return super().check_action(action, parameters)

    def action_primary(self) -> None:
        self.post_message(self.Primary())

    def action_leave(self) -> None:
        self.post_message(self.Leave())

    def action_choices(self) -> None:
        self.post_message(self.Choices(self))


class FieldRow(Horizontal):
    """Label, input, and ▾ where the host has something to offer."""

    def __init__(self, field_input: FieldInput, name_width: int) -> None:
        super().__init__(classes="field")
        self.field_input = field_input
        self._name_width = name_width

    @property
    def cells_around(self) -> int:
        """The cells that it takes beside its value: for the name, the arrow, and the space behind each."""
        return self._name_width + 4

    def compose(self) -> ComposeResult:
        name = Label(self.field_input.field.name, classes="field-name", markup=False)
        name.styles.width = self._name_width + 1
        yield name
        yield self.field_input
        yield Arrow(self.field_input) if self.field_input.field.kind.offers else Label(" ", classes="arrow")


class Arrow(Label):
    """A ▾ that the mouse can press."""

    def __init__(self, field_input: FieldInput) -> None:
        super().__init__("▾", classes="arrow")
        self._field_input = field_input

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self._field_input.focus()
        self._field_input.action_choices()
