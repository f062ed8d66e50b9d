"""A payload cut into lines of so many cells: where each begins and ends. Nothing of it is in no line."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from sockexplorer.core.text import preview

WINDOW = 4096
"""So many bytes of a line are looked at together: one may be a megabyte."""
_IS_PLAIN = re.compile(rb"[\x20-\x5b\x5d-\x7e]+(?:\r?\n)?").fullmatch
_CELLS = bytes(len(preview(bytes((byte,)))) for byte in range(256))
"""Of each byte that is no part of a longer character."""


def hex_cuts(size: int, per_line: int) -> Iterator[tuple[int, int]]:
    """Of a payload of ``size`` bytes, so many a line; an empty one has a line as well."""
    return ((start, min(start + per_line, size)) for start in range(0, max(1, size), per_line))


@lru_cache(maxsize=64)
def hex_columns(size: int, per_line: int) -> tuple[array[int], array[int]]:
    """As `hex_cuts`, where the lines begin and where they end."""
    starts, ends = zip(*hex_cuts(size, per_line), strict=True)
    return array("I", starts), array("I", ends)


def text_cuts(payload: bytes, width: int) -> Iterable[tuple[int, int]]:
    """Of a payload as `preview` shows it, its line ends left out: at most ``width`` bytes and cells each, but for a
    character that takes more. No character of UTF-8 is cut.
    """
    if not payload or (len(payload) <= width and _IS_PLAIN(payload)):
        return ((0, len(payload)),)
    return _cuts(payload, width)


def without_end(part: bytes) -> bytes:
    """A line, or a piece of one, without the end."""
    return part.removesuffix(b"\n").removesuffix(b"\r") if part.endswith(b"\n") else part


def _cuts(payload: bytes, width: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(payload):
        end = payload.find(b"\n", start) + 1 or len(payload)
        while start < end:
            until = _window(payload, start, end, width)
            body = without_end(payload[start:until])
            cuts = _wrap(body, width)
            if until == end:
                cuts[-1] = end - start
            else:
                # How much more fits into the last line, nobody has looked at.
                cuts.pop()
            begin = start
            for cut in cuts:
                yield begin, start + cut
                begin = start + cut
            start = begin


def _window(payload: bytes, start: int, end: int, width: int) -> int:
    """Up to where to look at once: the end of the line, or a place that is not within a character."""
    until = min(end, start + WINDOW + width)
    while start + WINDOW < until < end and payload[until] & 0xC0 == 0x80:
        until -= 1
    return until


def _wrap(body: bytes, width: int) -> list[int]:
    """Where the pieces of a line end."""
    text = body.decode("utf-8", "surrogateescape")
    ends: Sequence[int] = range(len(body) + 1)
    if len(text) == len(body):
        cells = list(accumulate(body.translate(_CELLS), initial=0))
    else:
        sizes = list(map(_size_and_cells, text))
        ends = list(accumulate((size for size, _ in sizes), initial=0))
        cells = list(accumulate((each for _, each in sizes), initial=0))
    cuts, at = [], 0
    while True:
        fits = bisect_right(cells, cells[at] + width, at + 1)
        if len(text) < len(body):
            fits = bisect_right(ends, ends[at] + width, at + 1, fits)
        at = min(max(fits - 1, at + 1), len(text))
        cuts.append(ends[at])
        if at == len(text):
            return cuts


@lru_cache(maxsize=4096)
def _size_and_cells(char: str) -> tuple[int, int]:
    """The bytes of a character, and the cells that `preview` needs for it."""
    data = char.encode("utf-8", "surrogateescape")
    return len(data), sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in preview(data))
