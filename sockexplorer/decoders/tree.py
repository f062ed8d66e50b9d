"""The tree that decoders give: names, values, and the bytes they were read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """A field: what it is called, what it says, and where its bytes are (``start`` up to ``end``) in the payload.

    ``number`` is the number that it is, where the value says it in words.
    """

    name: str
    value: str
    start: int
    end: int
    children: list[Node] = field(default_factory=list)
    number: int | None = None

    def add(self, name: str, value: object, start: int, end: int, number: int | None = None) -> Node:
        """Append a child and return it."""
        child = Node(name, str(value), start, end, [], number)
        self.children.append(child)
        return child

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Every node below this one with its depth, in order."""
        for child in self.children:
            yield depth, child
            yield from child.walk(depth + 1)
