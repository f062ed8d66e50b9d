"""The second wall: nothing that a terminal acts on leaves the application, whatever a widget let through."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from sockexplorer.core.text import escape


class Wall(LineFilter):
    """Replaces unprintable characters in rendered lines, cell for cell, by ``·``."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(_is_clean(text) for text, _, _ in segments):
            return segments
        return [
            segment
            if segment.control or _is_clean(segment.text)
            else Segment("".join(_clean(char) for char in segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(maxsize=8192)
def _is_clean(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or escape(text) == text


def _clean(char: str) -> str:
    return char if escape(char) == char else "·"
