"""A line of names of which one is current; a click picks another."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class Bar(Static):
    """Posts `Picked` for a click; who owns it says with `mark` which name is current."""

    class Picked(Message):
        """The person clicked a name."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, names: list[str], *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.names = names
        self._spans: list[tuple[int, int, str]] = []

    def mark(self, current: str) -> None:
        """Show the names with this one as the current."""
        parts: list[tuple[str, str]] = []
        self._spans, column = [], 0
        for name in self.names:
            text = f" {name} "
            parts.append((text, "bold $text on $primary 40%" if name == current else "$foreground-muted"))
            self._spans.append((column, column + len(text), name))
            column += len(text)
        self.update(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        for begin, end, name in self._spans:
            if begin <= event.x < end:
                self.post_message(self.Picked(name))
