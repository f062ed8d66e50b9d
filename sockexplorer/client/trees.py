"""The fields of a frame as decoders read them, each with its bytes: as a value of JSON, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sockexplorer.core.text import escape
from sockexplorer.decoders import decode
from sockexplorer.decoders.tree import Node

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

MOST_OF_VALUE = 2000
"""Characters of a value that people are shown."""


def tree_of(session: Session | Opened, frame: Frame) -> Node:
    """What a decoder reads in the payload; without children where none knows it. Never raises."""
    spoken = session.spoken(frame)
    family, protocol = ("", "") if spoken is None else (spoken[0].constant, spoken[1].name)
    return decode(family, protocol, frame.payload, session.service(frame))


def as_value(node: Node) -> dict[str, Any]:
    """A field with those in it. ``start`` up to ``end`` are its bytes of the payload; ``number`` is the number that
    ``value`` says in words, where it is one."""
    found: dict[str, Any] = {"name": node.name, "value": node.value, "start": node.start, "end": node.end}
    if node.number is not None:
        found["number"] = node.number
    if node.children:
        found["fields"] = [as_value(each) for each in node.children]
    return found


def as_lines(root: Node) -> Iterator[str]:
    """A safe line for each field, indented: its name, what it says, its bytes."""
    for depth, node in ((0, root), *((depth + 1, each) for depth, each in root.walk())):
        said = f"{escape(node.name)}  {escape(node.value, MOST_OF_VALUE)}" if node.value else escape(node.name)
        place = f"  [{node.start}:{node.end}]" if node.end > node.start else ""
        yield f"    {'  ' * depth}{said}{place}"
