"""The pieces of a script, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sockexplorer.core.script.names import Names

WIDE = 24
"""Bytes of a payload on one line of the script."""


@dataclass
class Parts:
    """What a script consists of, before it has a style."""

    title: str
    """The comment at its top."""
    socket: str
    """The expression that makes the socket."""
    names: Names
    imports: set[str] = field(default_factory=lambda: {"socket"})
    constants: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    """Functions, each a text of several lines."""
    opening: list[str] = field(default_factory=list)
    """What follows the line that makes the socket."""
    managers: list[str] = field(default_factory=lambda: ["sock"])
    """What the ``with`` around the body takes."""
    body: list[str] = field(default_factory=list)
    endless: bool = True
    """Whether Ctrl-C is how it ends."""
    selector_loop: bool = False
    """Whether asyncio has to be told which event loop to take."""

    def render(self, main: Iterable[str]) -> str:
        """The script's text, with ``main``, the texts that a style made of the body, at its end."""
        head = ["#!/usr/bin/env python3", f"# {self.title}", *(f"import {name}" for name in sorted(self.imports))]
        constants = [*self.names.definitions(), *self.constants]
        top = "\n\n".join("\n".join(lines) for lines in (head, constants) if lines)
        main = list(main)
        functions = [*self.helpers, *main[:-1]]
        gap = "\n\n\n" if functions else "\n\n"
        return gap.join([top, *functions, main[-1]]) + "\n"


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """The lines, ``by`` levels deeper."""
    return ["    " * by + line if line else "" for line in lines]


def assignment(name: str, data: bytes, comment: str = "") -> list[str]:
    """``NAME = b'…'``, wrapped when it is long, with a comment at its end or above."""
    if len(data) <= WIDE:
        return [f"{name} = {data!r}{comment and f'  # {comment}'}"]
    pieces = (data[at : at + WIDE] for at in range(0, len(data), WIDE))
    return [*([f"# {comment}"] if comment else []), f"{name} = (", *(f"    {piece!r}" for piece in pieces), ")"]
