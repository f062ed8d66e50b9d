"""A drawn line is freed when it is drawn over, without the garbage collector.

Textual keeps in every `Strip` what it was last divided into, and a line that has a row of the screen to itself is
divided into itself: it never goes away by itself. Under a flood that is a thousand lines a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.strip import Strip

_divide = Strip.divide


def _without_itself(strip: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
    """As `Strip.divide`, which need not remember that the whole is the whole."""
    length = strip.cell_length
    cuts = [cut for cut in cuts if cut <= length]
    return [strip] if cuts == [length] else _divide(strip, cuts)


def free_lines() -> None:
    """Have it so for all strips of this process."""
    Strip.divide = _without_itself  # type: ignore[method-assign, assignment]
