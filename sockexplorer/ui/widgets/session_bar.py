"""The open sessions in one line, to switch between them by key or by mouse."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sockexplorer.client.session import Session

GLYPHS = {
    "opening": "…", "connecting": "…", "open": "●", "bound": "●", "connected": "●", "listening": "●",
    "ended": "◌", "failed": "✗", "closed": "○", "file": "▤",
}  # fmt: skip


MORE = 4
"""Cells that tell of sessions further on."""


class SessionBar(Static):
    """``1 ● inet/udp 127.0.0.1:9999  2 ● …``, the shown one marked; ``‹`` and ``+2 ›`` where there are more."""

    class Picked(Message):
        """A session was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__(id="session-bar")
        self._spans: list[tuple[int, int, int]] = []

    def show(self, sessions: list[Session], current: Session | None) -> None:
        """Show the sessions."""
        self._spans = []
        labels = [(each, f" {each.number} {GLYPHS[each.state]} {each.title} ") for each in sessions]
        room = max(20, self.size.width or 78)
        start = 0
        position = next((at for at, (each, _) in enumerate(labels) if each is current), 0)
        while start < position and sum(len(text) + 1 for _, text in labels[start : position + 1]) > room:
            start += 1
        parts: list[Content | str | tuple[str, str]] = []
        column = 0
        if start:
            parts.append(("‹", "$foreground-muted"))
            column = 1
        shown = labels[start:]
        rest = 0
        while len(shown) > 1 and column + sum(len(text) + 1 for _, text in shown) + (MORE if rest else 0) > room:
            shown.pop()
            rest += 1
        for each, text in shown:
            style = "bold $text on $primary 40%" if each is current else "$foreground-muted"
            if each.state == "failed":
                style += " $text-error" if each is not current else ""
            parts += [(text, style), " "]
            self._spans.append((column, column + len(text), each.number))
            column += len(text) + 1
        if rest:
            parts.append((f"+{rest} ›", "$foreground-muted"))
        self.display = bool(sessions)
        self.update(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        for begin, end, number in self._spans:
            if begin <= event.x < end:
                self.post_message(self.Picked(number))
