"""A line that narrows what a list shows."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class SearchLine(Input):
    """Enter goes to what was found (`Input.Submitted`), escape posts `Left`: all is wanted again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the rows", id="search-rows"),
        Binding("escape", "leave", "All rows", id="search-all"),
    ]

    class Left(Message):
        """The search is over."""

    def action_leave(self) -> None:
        self.post_message(self.Left())
