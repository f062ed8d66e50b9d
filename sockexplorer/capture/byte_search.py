"""Which rows of a capture file have some bytes in their payload.

The file is searched by memmem(3), and what is found is then placed in rows: in a header, or across two frames, it is
not found. Where there is a lot of it, rows are looked at instead, which takes as long for any number of hits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

PIECE = 2**20
"""Bytes that are searched together."""
DENSE = 64
"""Hits in a piece after which its rows are looked at."""
AT_ONCE = 4
"""Bytes of what is searched for that are compared in all places; rows where they match are searched for the rest."""

Payloads = Callable[["Array"], tuple["Array", "Array"]]
"""Where the payloads of these rows begin and end, as far as it is known: offsets in the file, i8."""


@cache
def _memmem() -> Callable[..., int | None]:
    function = ctypes.CDLL(None).memmem
    function.restype = ctypes.c_void_p
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t)
    found: Callable[..., int | None] = function
    return found


def rows_with(
    data: Array, offsets: Array, end: int, wanted: bytes, payloads: Payloads, *, any_case: bool = False
) -> Array:
    """Which rows have ``wanted``, which is not empty, within their payload: a bool for each.

    ``data`` are the bytes of the file, in which the rows begin at ``offsets``, ascending, and end at ``end``. A payload
    that is not within its row is cut there. With ``any_case`` letters of ASCII are found in either; ``wanted`` is in
    lower case then.
    """
    from sockexplorer.capture.arrays import numpy

    found = numpy.zeros(len(offsets), bool)
    after = numpy.append(offsets[1:], end)

    def look(rows: Array) -> tuple[Array, Array]:
        """Where the payloads of rows begin and end, cut."""
        begins, ends = payloads(rows)
        return numpy.maximum(begins, offsets[rows]), numpy.minimum(ends, after[rows])

    at = int(offsets[0]) if len(offsets) else end
    while at < end:
        until = min(end, at + PIECE + len(wanted) - 1)
        hits = _hits(_cased(data[at:until], any_case), wanted)
        hits += at
        rows = offsets.searchsorted(hits, "right") - 1
        if len(hits) < DENSE:
            if len(hits):
                begins, ends = look(rows)
                found[rows[(hits >= begins) & (hits <= ends - len(wanted))]] = True
            at += PIECE
        else:
            every = numpy.arange(rows[0], offsets.searchsorted(until))
            found[every] |= _in_each(data, *look(every), wanted, any_case)
            at = int(after[every[-1]])
    return found


def _cased(piece: Array, any_case: bool) -> Array:
    from sockexplorer.capture.arrays import numpy

    return numpy.frombuffer(piece.tobytes().lower(), "u1") if any_case else piece


def _hits(piece: Array, wanted: bytes) -> Array:
    """Where ``wanted`` is, ascending: the first `DENSE` places."""
    from sockexplorer.capture.arrays import numpy

    memmem, needle, address, size = _memmem(), ctypes.c_char_p(wanted), piece.ctypes.data, len(piece)
    hits: list[int] = []
    at = 0
    while len(hits) < DENSE and (hit := memmem(address + at, size - at, needle, len(wanted))) is not None:
        hits.append(hit - address)
        at = hit - address + 1
    return numpy.array(hits, "i8")


def _in_each(data: Array, begins: Array, ends: Array, wanted: bytes, any_case: bool) -> Array:
    """Which of these parts of the data have ``wanted``."""
    from sockexplorer.capture.arrays import numpy

    found = ends - begins >= len(wanted)
    rows = numpy.flatnonzero(found)
    if not len(rows):
        return found
    begins, ends = begins[rows], ends[rows]
    low, high = int(begins[0]), int(ends[-1])
    piece = _cased(data[low:high], any_case)
    # Of each part, the places where it may begin, and one more that is in none.
    places = numpy.zeros(len(piece) + 1, bool)
    inner = places[: len(piece) - len(wanted) + 1]
    numpy.equal(piece[: len(inner)], wanted[0], out=inner)
    for at, byte in enumerate(wanted[1:AT_ONCE], 1):
        inner &= piece[at : at + len(inner)] == byte
    edges = numpy.column_stack((begins - low, ends - low - len(wanted) + 1)).ravel()
    here = numpy.logical_or.reduceat(places, edges)[::2]
    if len(wanted) > AT_ONCE:
        text = piece.tobytes()
        for row in numpy.flatnonzero(here).tolist():
            here[row] = text.find(wanted, begins[row] - low, ends[row] - low) >= 0
    found[rows] = here
    return found
