"""Colours that can be read: as a theme has them where they stand out enough, else lighter or darker until they do."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.color_triplet import ColorTriplet

LEAST = 4.5
"""Contrast of text with its background. Source: WCAG 2.2, success criterion 1.4.3."""
STEPS = 32
WHITE, BLACK = ColorTriplet(255, 255, 255), ColorTriplet(0, 0, 0)


def luminance(colour: ColorTriplet) -> float:
    """Relative luminance, 0 for black to 1 for white. Source: WCAG 2.2."""
    parts = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """Contrast ratio, 1 to 21. Source: WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def readable(colour: Color | None, backgrounds: tuple[Color | None, ...]) -> Color | None:
    """The colour, changed as little as makes it readable on all of these backgrounds.

    A colour or a background of the terminal's own, whose tone nobody knows here, is left as it is.
    """
    grounds = [each.triplet for each in backgrounds if each is not None and each.triplet is not None]
    if colour is None or colour.triplet is None or not grounds:
        return colour
    start = colour.triplet

    def least(candidate: ColorTriplet) -> float:
        return min(contrast(candidate, each) for each in grounds)

    end = max((WHITE, BLACK), key=least)
    for step in range(STEPS + 1):
        part = step / STEPS
        mixed = ColorTriplet(*(round(a + (b - a) * part) for a, b in zip(start, end, strict=True)))
        if least(mixed) >= LEAST:
            return colour if not step else Color.from_triplet(mixed)
    return Color.from_triplet(end)
