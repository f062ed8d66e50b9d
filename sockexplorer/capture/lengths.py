"""How much was captured of the records of a file, of many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sockexplorer.capture.index import INTERFACE_SHIFT, Index

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array


def kept_of(index: Index, data: Array, offsets: Array, source: Array) -> Array:
    """The captured lengths of records, i8, by their place in the file's bytes and the source column."""
    from sockexplorer.capture.arrays import numpy

    # Records of other kinds may be shorter.
    at = numpy.minimum(offsets + (20 if index.kind == "pcapng" else 8), len(data) - 4)
    words = data[at[:, None] + numpy.arange(4)]
    orders = [index.walk.order(number) == ">" for number in range(len(index.walk.interfaces))]
    little, big = (words.view(order)[:, 0].astype("i8") for order in ("<u4", ">u4"))
    kept: Array = numpy.where(numpy.array(orders)[source >> INTERFACE_SHIFT], big, little)
    return kept
