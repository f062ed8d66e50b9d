"""A switch in one line, ``[x] SO_REUSEADDR``, whose state shows without colour."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static


class Box(Static, can_focus=True):
    """On or off, by space, enter or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "switch", "Switch")]
    value: reactive[bool] = reactive(False)

    class Changed(Message):
        """The person switched it."""

        def __init__(self, box: Box) -> None:
            super().__init__()
            self.box = box

    def __init__(self, label: str, value: bool, tip: str, name: str) -> None:
        super().__init__(name=name)
        self._label = label
        self.tooltip = tip
        self.set_reactive(Box.value, value)

    @property
    def cells(self) -> int:
        """The cells that it takes."""
        return len(f"[x] {self._label}")

    def render(self) -> Content:
        return Content.assemble(("[x]" if self.value else "[ ]", "$accent"), f" {self._label}")

    def action_switch(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed(self))

    def on_click(self) -> None:
        self.action_switch()
