"""Finding bytes in the payloads of a capture file: memmem(3) on the mapping, whose hits are then placed in rows.

A hit in a header, or across two frames, is none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, numpy.dtype[Any]]

PIECE = 2**20
"""Bytes that are searched together."""
DENSE = 64
"""Hits in a piece after which the rest of it is gone through in a way that takes as long for any number of them."""


@cache
def _memmem() -> Callable[..., int | None]:
    function = ctypes.CDLL(None).memmem
    function.restype = ctypes.c_void_p
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t)
    found: Callable[..., int | None] = function
    return found


def find_all(data: Array, begin: int, end: int, wanted: bytes, *, any_case: bool = False) -> Array:
    """Where ``wanted`` is in the bytes from ``begin`` up to ``end``: offsets in ``data``, an array of bytes, ascending.

    With ``any_case`` letters of ASCII are found in either; ``wanted`` is in lower case then.
    """
    import numpy

    found = [numpy.zeros(0, "i8")]
    for at in range(begin, max(begin, end - len(wanted) + 1), PIECE):
        until = min(end, at + PIECE + len(wanted) - 1)
        piece = data[at:until]
        if any_case:
            piece = numpy.frombuffer(piece.tobytes().lower(), "u1")
        found.append(_in_piece(piece, wanted) + at)
    return numpy.concatenate(found)


def _in_piece(piece: Array, wanted: bytes) -> Array:
    import numpy

    memmem, needle, address, size = _memmem(), ctypes.c_char_p(wanted), piece.ctypes.data, len(piece)
    hits: list[int] = []
    at = 0
    while len(hits) < DENSE:
        hit = memmem(address + at, size - at, needle, len(wanted))
        if hit is None:
            return numpy.array(hits, "i8")
        hits.append(hit - address)
        at = hit - address + 1
    rest = piece[at:]
    places = numpy.flatnonzero(rest[: len(rest) - len(wanted) + 1] == wanted[0])
    for offset, byte in enumerate(wanted):
        places = places[rest[places + offset] == byte]
    return numpy.concatenate((numpy.array(hits, "i8"), places + at))
