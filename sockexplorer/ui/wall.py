"""The second wall: nothing that a terminal acts on leaves the application, whatever a widget let through."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from sockexplorer.core.text import escape


class Wall(LineFilter):
    """Replaces unprintable characters in rendered lines, cell for cell, by ``·``."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(text.isascii() and text.isprintable() for text, _, _ in segments):
            return segments
        return [
            segment
            if segment.control or segment.text.isprintable()
            else Segment("".join(_clean(char) for char in segment.text), segment.style)
            for segment in segments
        ]


def _clean(char: str) -> str:
    return char if escape(char) == char else "·"
