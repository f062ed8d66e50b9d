"""Notations of sockets: what people paste is read as an endpoint, and an endpoint is written as a socat command.

A notation is one file with a function ``read``; the order here is the order of trust. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator

from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.notations import literal, proc_net, python_call, python_repr, socat, ss
from sockexplorer.notations.reading import LONGEST, Reading
from sockexplorer.notations.socat_write import socat_command

__all__ = ["Reading", "read", "socat_command"]
_UNMISTAKABLE = (python_repr.read, proc_net.read, ss.read, socat.read, python_call.read)
"""Notations that say which family they mean; a text in one of them is not tried as a bare address."""


def read(text: str, preferred: tuple[Family, Protocol] | None = None) -> list[Reading]:
    """What a pasted text may describe, the likeliest first; empty where it is nothing that is known here.

    ``preferred`` is the form in sight: where it accepts the text, that reading comes first. No name is looked up, no
    code is run, and no text makes it raise.
    """
    if len(text) > LONGEST:
        return []
    found = list(_distinct(reading for notation in _UNMISTAKABLE for reading in notation(text)))
    if not found:
        found = list(_distinct(literal.read(text, preferred)))
    if preferred is not None:
        found.sort(key=lambda reading: (reading.family, reading.protocol) != preferred)
    return found


def _distinct(readings: Iterator[Reading]) -> Iterator[Reading]:
    """Without those that fill a form just as an earlier one does."""
    seen = set()
    for each in readings:
        key = (each.family.constant, each.protocol.name, each.operation, repr(each.local), repr(each.remote),
               each.proto)  # fmt: skip
        if key not in seen:
            seen.add(key)
            yield each
